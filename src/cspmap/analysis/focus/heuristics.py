"""Good areas found fast, to prune the exact search with: grown along promising paths, then improved by single moves."""

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cspmap.analysis.focus.cuts import Graph
from cspmap.analysis.focus.problem import Problem

# How many units ahead growth looks for something worth reaching.
_AHEAD = 5
_LEAST_GAIN = 1e-9


@dataclass(frozen=True)
class Bias:
    """What growth is drawn to: the worth of each unit to it, and what a step onto each costs it."""

    worth: Sequence[float]
    price: Sequence[float]


@dataclass
class _Path:
    """A way from the area to a unit: what it gains and uses, from where, in how many steps."""

    gain: float
    used: list[float]
    before: int | None
    steps: int


class Builder:
    """Builds areas that hold the root and every unit to include, within `graph`."""

    def __init__(self, problem: Problem, root: int, graph: Graph) -> None:
        self._problem, self._root, self._graph = problem, root, graph

    def build(self, start: Collection[int], bias: Bias) -> set[int] | None:
        """An area that grows from `start` (which holds the root) by `bias`; None where the limits leave no way."""
        area = self._join_includes(set(start), bias)
        if area is None:
            return None
        self._grow(area, bias)
        self.improve(area)
        return area

    def _join_includes(self, area: set[int], bias: Bias) -> set[int] | None:
        """With the cheapest path to each unit to include, the nearest first."""
        wanted = set(self._problem.include) - area
        while wanted:
            path = self._find_way(area, wanted, bias)
            if path is None:
                return None
            area |= path
            wanted -= path
        used = self._problem.use(area)
        kept = all(limit.allows(amount) for limit, amount in zip(self._problem.limits, used, strict=True))
        return area if kept else None

    def _find_way(self, area: set[int], wanted: set[int], bias: Bias) -> set[int] | None:
        before: dict[int, int | None] = dict.fromkeys(area)
        queue = [(0.0, unit) for unit in area]
        cost = dict.fromkeys(area, 0.0)
        done = set()
        while queue:
            far, unit = heapq.heappop(queue)
            if unit in wanted:
                path = set()
                step: int | None = unit
                while step is not None and step not in area:
                    path.add(step)
                    step = before[step]
                return path
            if unit in done:
                continue
            done.add(unit)
            for other in self._graph[unit]:
                further = far + bias.price[other]
                if further < cost.get(other, float("inf")):
                    cost[other], before[other] = further, unit
                    heapq.heappush(queue, (further, other))
        return None

    def _grow(self, area: set[int], bias: Bias) -> None:
        """Add the path that gains most for what it uses of the budget, again and again."""
        used = self._problem.use(area)
        while True:
            paths = self._find_paths(area, used, bias)
            best = max(paths, key=lambda unit: paths[unit].gain / max(paths[unit].used[0], 1e-12), default=None)
            if best is None or paths[best].gain <= _LEAST_GAIN:
                return
            used = [amount + more for amount, more in zip(used, paths[best].used, strict=True)]
            step: int | None = best
            while step is not None:
                area.add(step)
                step = paths[step].before

    def _find_paths(self, area: set[int], used: list[float], bias: Bias) -> dict[int, _Path]:
        """The cheapest path to every unit within reach and within what is left of the limits."""
        problem, limits = self._problem, self._problem.limits
        paths: dict[int, _Path] = {}
        done: set[int] = set()
        price = {}
        queue: list[tuple[float, int]] = []

        def step(unit: int, far: float, before: int | None, path: _Path | None) -> None:
            taken = path.used if path else [0.0] * len(limits)
            uses = [amount + limit.costs[unit] for amount, limit in zip(taken, limits, strict=True)]
            if not all(limit.allows(a + b) for limit, a, b in zip(limits, used, uses, strict=True)):
                return
            gain = bias.worth[unit] + problem.alone[unit] - problem.weights[unit]
            if problem.borders:
                gain += sum(saved for other, saved in problem.beside[unit].items() if other in area or other == before)
            price[unit] = far
            paths[unit] = _Path(gain + (path.gain if path else 0.0), uses, before, path.steps + 1 if path else 1)
            heapq.heappush(queue, (far, unit))

        for unit in area:
            for other in self._graph[unit]:
                if other not in area and other not in paths:
                    step(other, bias.price[other], None, None)
        while queue:
            _, unit = heapq.heappop(queue)
            if unit in done:
                continue
            done.add(unit)
            path = paths[unit]
            if path.steps < _AHEAD:
                for other in self._graph[unit]:
                    if other not in area and other not in done:
                        further = price[unit] + bias.price[other]
                        if further < price.get(other, float("inf")):
                            step(other, further, unit, path)
        return paths

    def improve(self, area: set[int]) -> None:
        """Add, drop or swap single units while that raises the value."""
        problem = self._problem
        used = problem.use(area)
        while (move := self._find_move(area, used)) is not None:
            out, into = move
            for unit, sign in ((out, -1), (into, 1)):
                if unit is not None:
                    (area.add if sign > 0 else area.discard)(unit)
                    used = [a + sign * limit.costs[unit] for a, limit in zip(used, problem.limits, strict=True)]

    def _find_move(self, area: set[int], used: list[float]) -> tuple[int | None, int | None] | None:
        """The single move that raises the value most: which unit goes out and which comes in."""
        problem = self._problem
        touching: dict[int, list[int]] = {}
        for unit in area:
            for other in self._graph[unit]:
                if other not in area:
                    touching.setdefault(other, []).append(unit)
        gains = {unit: problem.gain(unit, area) for unit in touching}
        coming = sorted(gains, key=lambda unit: -gains[unit])
        free = area - find_articulations(self._graph, area, self._root) - set(problem.include)
        losses = {unit: problem.gain(unit, area) for unit in free}
        best = _LEAST_GAIN
        move: tuple[int | None, int | None] | None = None
        for into in coming:
            if gains[into] <= best:
                break
            if self._fits(used, None, into):
                best, move = gains[into], (None, into)
                break
        for out in sorted(losses, key=lambda unit: losses[unit]):
            if -losses[out] > best:
                best, move = -losses[out], (out, None)
            for into in coming:
                # What two neighbours save together is lost with the one that goes out.
                if gains[into] - losses[out] <= best:
                    break
                gain = gains[into] - losses[out] - problem.beside[into].get(out, 0.0)
                if gain > best and touching[into] != [out] and self._fits(used, out, into):
                    best, move = gain, (out, into)
        return move

    def _fits(self, used: list[float], out: int | None, into: int) -> bool:
        return all(
            limit.allows(amount + limit.costs[into] - (limit.costs[out] if out is not None else 0.0))
            for limit, amount in zip(self._problem.limits, used, strict=True)
        )

    def shed(self, area: set[int]) -> None:
        """Drop units that add nothing, while the rest hangs together without them."""
        problem = self._problem
        while True:
            free = area - find_articulations(self._graph, area, self._root) - set(problem.include)
            idle = [unit for unit in free if problem.gain(unit, area) <= 0]
            if not idle:
                return
            area.discard(min(idle))


def find_articulations(graph: Graph, area: Collection[int], root: int) -> set[int]:
    """The units without which the others of an area would not hang together; the root always among them.

    Source: Hopcroft, J. and Tarjan, R. (1973), "Algorithm 447: efficient algorithms for graph manipulation",
    Communications of the ACM 16(6), 372-378.
    """
    number = {root: 0}
    low = {root: 0}
    before = {root: -1}
    found = {root}
    stack = [(root, iter(graph[root]))]
    while stack:
        unit, others = stack[-1]
        for other in others:
            if other not in area:
                continue
            if other not in number:
                before[other] = unit
                number[other] = low[other] = len(number)
                stack.append((other, iter(graph[other])))
                break
            if other != before[unit]:
                low[unit] = min(low[unit], number[other])
        else:
            stack.pop()
            if stack:
                parent = stack[-1][0]
                low[parent] = min(low[parent], low[unit])
                if low[unit] >= number[parent]:
                    found.add(parent)
    return found
