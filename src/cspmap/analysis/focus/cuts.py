"""Inequalities that hold for every contiguous area and that a fractional solution breaks: node separators.

Where a set S of units parts unit v from the root, an area that holds the root and v holds some of S, so
sum of x over S >= x_v. All of them together say that the area hangs together; the few that matter are found as they
are broken.

Sources: Fischetti, M. et al. (2017), "Thinning out Steiner trees: a node-based model for uniform edge costs",
Mathematical Programming Computation 9, 203-229; Carvajal, R. et al. (2013), "Imposing connectivity constraints in
forest planning models", Operations Research 61(4), 824-836.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from cspmap.analysis.measures import Floats

Graph: TypeAlias = Sequence[Sequence[int]]
# The units of a separator, rising, and the unit that it parts from the root.
Cut: TypeAlias = tuple[tuple[int, ...], int]

# Below this a variable of a linear programme is 0, and this near 1 it is 1.
ZERO = 1e-6
# What a cut must be broken by to be worth adding.
BROKEN = 1e-3
_NO_FLOW = 1e-9


def find_cuts(x: Floats, root: int, graph: Graph, *, most: int = 40) -> list[Cut]:
    """Separators that `x` breaks, at most about `most` of them; none where x breaks none (by BROKEN or more).

    `x` is the part (0 to 1) of each unit that is chosen; the root is chosen whole.
    """
    share: list[float] = x.tolist()
    # Whatever is whole and hangs together with the root carries any flow, so it stands for the root.
    core = reach([root], graph, lambda unit: share[unit] > 1 - ZERO)
    outer = [unit for unit, part in enumerate(share) if part > ZERO and unit not in core]
    joined = reach(core, graph, lambda unit: share[unit] > ZERO)
    apart = [unit for unit in outer if unit not in joined and share[unit] > BROKEN]
    if apart:
        return _part_islands(share, apart, core, joined, graph)
    return _part_flows(share, outer, core, graph, most)


def reach(start: Iterable[int], graph: Graph, allowed: Callable[[int], bool]) -> set[int]:
    """The units reached from `start` through allowed ones; `start` among them."""
    seen = set(start)
    queue = list(seen)
    while queue:
        for unit in graph[queue.pop()]:
            if unit not in seen and allowed(unit):
                seen.add(unit)
                queue.append(unit)
    return seen


def _border(inside: Collection[int], graph: Graph) -> set[int]:
    """The units beside a set of units."""
    return {other for unit in inside for other in graph[unit]}.difference(inside)


def _tighten(separator: Collection[int], start: Iterable[int], graph: Graph) -> set[int]:
    """Those of a separator that are met from `start`: they part it from the other side just as well."""
    seen = set(start)
    queue = list(seen)
    met = set()
    while queue:
        for unit in graph[queue.pop()]:
            if unit in separator:
                met.add(unit)
            elif unit not in seen:
                seen.add(unit)
                queue.append(unit)
    return met


def _list_cuts(separators: Iterable[set[int]], unit: int) -> list[Cut]:
    return [(separator, unit) for separator in dict.fromkeys(tuple(sorted(each)) for each in separators)]


def _part_islands(share: list[float], apart: list[int], core: set[int], joined: set[int], graph: Graph) -> list[Cut]:
    """For each group of units that no chosen ones join to the root: the separators nearest to it and to the root."""
    cuts: list[Cut] = []
    rim = _border(joined, graph)
    seen: set[int] = set()
    for unit in sorted(apart, key=lambda unit: -share[unit]):
        if unit not in seen:
            island = reach([unit], graph, lambda other: share[other] > ZERO)
            seen |= island
            near = _tighten(_border(island, graph), core, graph)
            cuts += _list_cuts([near, _tighten(rim, [unit], graph)], unit)
    return cuts


def _part_flows(share: list[float], outer: list[int], core: set[int], graph: Graph, most: int) -> list[Cut]:
    """For each unit that less than its own part can flow to from the root: the separators it must pass."""
    rim = _border(core, graph)
    place = {unit: number for number, unit in enumerate(outer)}
    network = _Network(
        capacity=[share[unit] for unit in outer],
        beside=[[place[other] for other in graph[unit] if other in place] for unit in outer],
        sources=[number for number, unit in enumerate(outer) if unit in rim],
    )
    cuts: list[Cut] = []
    for unit in sorted(outer, key=lambda unit: -share[unit]):
        if unit in rim or share[unit] <= BROKEN:
            continue
        behind = network.cut_off(place[unit], share[unit] - BROKEN)
        if behind is not None:
            separator = _border(core | {outer[number] for number in behind}, graph)
            far = _tighten(separator, [unit], graph)
            cuts += _list_cuts([far, _tighten(far, core, graph)], unit)
            if len(cuts) >= most:
                break
    return cuts


@dataclass
class _Network:
    """Units that let through no more than their capacity; flow enters at the sources."""

    capacity: list[float]
    beside: list[list[int]]
    sources: list[int]
    _through: list[float] = field(default_factory=list)
    # For each unit what flows into it from each other.
    _into: list[dict[int, float]] = field(default_factory=list)

    def cut_off(self, target: int, need: float) -> list[int] | None:
        """None where `need` can flow to the target; else the units that could let more through towards it.

        By shortest augmenting chains (Edmonds and Karp). Every unit is an entry and an exit, joined by its capacity;
        a chain is kept as the step that led to each entry and each exit.
        """
        size = len(self.capacity)
        self._through = [0.0] * size
        self._into = [{} for _ in range(size)]
        flow = 0.0
        while flow < need:
            entered, left = self._search(target)
            if entered[target] is None:
                return [unit for unit in range(size) if left[unit] is not None]
            flow += self._push(target, self.capacity[target] - flow, entered, left)
        return None

    def _search(self, target: int) -> tuple[list[int | None], list[int | None]]:
        """From where each entry and each exit is reached first.

        An entry holds the unit whose exit led there, itself where its own exit did (against the flow through it), -1
        where it is a source. An exit holds the unit whose entry led there: itself, or one that takes flow from it.
        """
        entered: list[int | None] = [None] * len(self.capacity)
        left: list[int | None] = [None] * len(self.capacity)
        queue: deque[tuple[bool, int]] = deque()
        for unit in self.sources:
            entered[unit] = -1
            queue.append((True, unit))
        while queue and entered[target] is None:
            at_entry, unit = queue.popleft()
            if at_entry:
                if left[unit] is None and self.capacity[unit] - self._through[unit] > _NO_FLOW:
                    left[unit] = unit
                    queue.append((False, unit))
                for giver, amount in self._into[unit].items():
                    if amount > _NO_FLOW and left[giver] is None:
                        left[giver] = unit
                        queue.append((False, giver))
            else:
                for other in self.beside[unit]:
                    if entered[other] is None:
                        entered[other] = unit
                        queue.append((True, other))
                if entered[unit] is None and self._through[unit] > _NO_FLOW:
                    entered[unit] = unit
                    queue.append((True, unit))
        return entered, left

    def _push(self, target: int, amount: float, entered: list[int | None], left: list[int | None]) -> float:
        """Push as much as the chain to the target lets through, at most `amount`."""
        chain = _trace(target, entered, left)
        for kind, unit, other in chain:
            if kind == "through":
                amount = min(amount, self.capacity[unit] - self._through[unit])
            elif kind == "back through":
                amount = min(amount, self._through[unit])
            elif kind == "back":
                amount = min(amount, self._into[other][unit])
        for kind, unit, other in chain:
            if kind == "through":
                self._through[unit] += amount
            elif kind == "back through":
                self._through[unit] -= amount
            elif kind == "back":
                self._into[other][unit] -= amount
            else:
                self._into[other][unit] = self._into[other].get(unit, 0.0) + amount
        return amount


def _trace(target: int, entered: list[int | None], left: list[int | None]) -> list[tuple[str, int, int]]:
    """The steps of the chain that led to the entry of the target, the last first."""
    steps = []
    entry = target
    while (source := entered[entry]) != -1:
        assert source is not None
        exit_ = source
        steps.append(("back through", entry, entry) if source == entry else ("over", source, entry))
        giver = left[exit_]
        assert giver is not None
        steps.append(("through", exit_, exit_) if giver == exit_ else ("back", exit_, giver))
        entry = giver
    return steps
