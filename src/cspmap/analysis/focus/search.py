"""The exact search: branch and cut, one root after another, with a bound on what any area could still be worth.

Every area has a heaviest unit. The search takes the units from the heaviest down as that root and considers only areas
of the root and lighter ones, so that each area is looked at once. Around a root, cuts (`cuts`) tighten the linear
programme (`programme`); where they leave fractions, a unit is decided both ways. What cannot be worth more than the
best area found is never opened, and where nothing is left that area is proven to be the best.

Sources: Álvarez-Miranda, E., Ljubić, I. and Mutzel, P. (2013), "The maximum weight connected subgraph problem", in
Facets of Combinatorial Optimization; Achterberg, T., Koch, T. and Martin, A. (2005), "Branching rules revisited",
Operations Research Letters 33(1), 42-54.
"""

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from math import gcd, inf

import numpy as np

from cspmap.analysis.focus.branching import Branching
from cspmap.analysis.focus.cuts import ZERO, reach
from cspmap.analysis.focus.heuristics import Bias, Builder
from cspmap.analysis.focus.problem import Limit, Problem
from cspmap.analysis.focus.programme import Box, Programme, Relaxed

# A fractional weight proves the best area to one part in so many.
PRECISION = 1e-6
# Weights are worked with in a scale in which the heaviest is about this, or as the whole numbers that they are.
_SCALE, _LARGEST_WHOLE = 1_000.0, 1_000_000
# Rounds of cuts that must close this share of what is open, at a root and further down.
_ROOT_ROUNDS, _NODE_ROUNDS, _PROGRESS = 25, 6, 0.03
_EVERY_ROUNDS, _EVERY_NODES = 6, 4
_TELL_SECONDS = 0.2


@dataclass(frozen=True)
class Progress:
    """How far a search has come: the best value found and what no area can exceed; `area` counts from 1."""

    area: int
    value: float
    bound: float
    seconds: float

    @property
    def gap(self) -> float:
        """By what share of the bound the best area might still be beaten, 0 to 1."""
        return max(0.0, 1 - self.value / self.bound) if self.bound > 0 else 0.0


@dataclass(frozen=True)
class Found:
    """The best area found: its units, its value and what no area can exceed.

    `proven` is True where nothing is worth more (by one part in a million, where weights are not whole numbers).
    """

    units: tuple[int, ...]
    value: float
    bound: float
    proven: bool


@dataclass(frozen=True)
class Watch:
    """What ends a search early, and who is told how it goes on."""

    seconds: float = inf
    should_stop: Callable[[], bool] = lambda: False
    on_progress: Callable[[Progress], None] = lambda progress: None


def find_best(problem: Problem, watch: Watch | None = None, *, area: int = 1) -> Found | None:
    """The area with the greatest value; None where no area keeps the rules (or none was found in time).

    `area` is the number to report progress under.
    """
    return _Search(problem, watch or Watch(), area).run()


@dataclass(order=True)
class _Node:
    """Part of a search: areas around the root of that rank within a box, worth at most `bound`."""

    priority: tuple[float, int]
    rank: int = field(compare=False)
    box: Box | None = field(compare=False)

    @property
    def bound(self) -> float:
        return -self.priority[0]


class _Search:
    def __init__(self, problem: Problem, watch: Watch, area: int) -> None:
        self._factor, self._least = _choose_scale(problem)
        self._problem = _rescale(problem, self._factor)
        self._watch, self._area = watch, area
        self._begin = time.monotonic()
        self._told = -inf
        self._best: set[int] | None = None
        self._value = -inf
        self._open: list[_Node] = []
        self._number = count()
        self._roots = self._list_roots()
        self._programmes: dict[int, Programme] = {}
        self._branching: dict[int, Branching] = {}
        self._nodes = 0
        self._stopped = False

    def run(self) -> Found | None:
        self._open_root(0)
        while self._open and self._open[0].bound >= self._target:
            node = heapq.heappop(self._open)
            if node.box is None:
                self._open_root(node.rank + 1)
            self._work(node)
            self._tell()
            # Looked at last, so that even a search without time has an area to show.
            if self._should_stop():
                break
        return self._finish()

    def _list_roots(self) -> list[int]:
        """The units from the heaviest down; one to include is the only root where there is one."""
        weights, budget = self._problem.weights, self._problem.budget
        usable = set(range(len(self._problem))).difference(self._problem.avoid)
        if self._problem.include:
            self._ranked = sorted(usable)
            return [self._problem.include[0]]
        self._ranked = sorted(usable, key=lambda unit: (-weights[unit], unit))
        self._ranked = [unit for unit in self._ranked if budget.allows(budget.costs[unit])]
        return self._ranked

    def _open_root(self, rank: int) -> None:
        """Put the root of a rank among the open parts, with a first bound; later ranks cannot be worth more."""
        if rank < len(self._roots):
            self._push(_bound_budget(self._problem, self._ranked[rank:]), rank, None)

    def _push(self, bound: float, rank: int, box: Box | None) -> None:
        # Of parts with one bound the newest first: it is nearest to an answer.
        heapq.heappush(self._open, _Node((-bound, -next(self._number)), rank, box))

    def _work(self, node: _Node) -> None:
        """Tighten one part; then it is done, or it is divided."""
        programme, box = self._enter(node)
        result = self._tighten(programme, box, node)
        if result is None:
            return
        solution, clean = result
        bound = min(node.bound, solution.value)
        if clean and not solution.fractional:
            self._offer(solution.chosen)
            return
        if self._stopped or not solution.fractional:
            self._push(bound, node.rank, box)
            return
        if self._nodes % _EVERY_NODES == 0:
            self._build(programme, solution)
        self._nodes += 1
        for part, value in self._branching[node.rank].divide(solution, self._target, box):
            if value >= self._target:
                self._push(min(value, bound), node.rank, part)

    def _enter(self, node: _Node) -> tuple[Programme, Box]:
        if node.box is not None:
            return self._programmes[node.rank], node.box
        programme = Programme(self._problem, self._roots[node.rank], self._ranked[node.rank :])
        self._programmes[node.rank] = programme
        self._branching[node.rank] = Branching(programme)
        return programme, programme.box

    def _tighten(self, programme: Programme, box: Box, node: _Node) -> tuple[Relaxed, bool] | None:
        """Add cuts until none is broken or they help too little; None where the part is not worth opening.

        The solution comes with whether it breaks no cut.
        """
        at_root = node.box is None
        rounds = _ROOT_ROUNDS if at_root else _NODE_ROUNDS
        values: list[float] = []
        while True:
            solution = programme.solve(box)
            if solution is None or solution.value < self._target:
                return None
            if at_root and len(values) % _EVERY_ROUNDS == 0:
                self._build(programme, solution)
                self._tell(min(node.bound, solution.value))
                if solution.value < self._target:
                    return None
            decided = programme.decide(solution, self._target, box)
            if at_root and decided:
                programme.shrink()
            broken = programme.separate(solution)
            values.append(solution.value)
            if not broken and not decided:
                return solution, True
            if self._should_stop():
                return solution, False
            open_value = max(solution.value - self._target, ZERO)
            if broken and len(values) > rounds and values[-rounds - 1] - values[-1] < _PROGRESS * open_value:
                return solution, False

    def _build(self, programme: Programme, solution: Relaxed) -> None:
        """Look for an area near to what the programme would choose."""
        share = solution.x
        costs = np.array(self._problem.budget.costs)
        bias = Bias(
            worth=(np.array(self._problem.weights) * (share + 0.02)).tolist(),
            price=((costs + 1e-6 * costs.max()) * (1.02 - share)).tolist(),
        )
        builder = Builder(self._problem, programme.root, programme.graph)
        start = reach([programme.root], programme.graph, lambda unit: share[unit] > 1 - ZERO)
        area = builder.build(start, bias)
        if area is not None:
            builder.shed(area)
            self._offer(area)

    def _offer(self, area: set[int]) -> None:
        value = self._problem.value(area)
        if value > self._value and self._problem.is_choice(area):
            self._best, self._value = set(area), value

    @property
    def _target(self) -> float:
        """What an area must be worth to be better than the best."""
        if self._best is None:
            return -inf
        return self._value + (self._least - ZERO if self._least else PRECISION * max(abs(self._value), 1.0))

    def _should_stop(self) -> bool:
        if not self._stopped:
            late = time.monotonic() - self._begin > self._watch.seconds
            self._stopped = late or self._watch.should_stop()
        return self._stopped

    def _tell(self, bound: float | None = None) -> None:
        """Report progress, not too often; `bound` is that of the part in work where it is not among the open ones."""
        now = time.monotonic()
        if self._best is not None and now - self._told >= _TELL_SECONDS:
            self._told = now
            most = max(self._value, bound if bound is not None else -inf, self._open[0].bound if self._open else -inf)
            progress = Progress(self._area, self._value / self._factor, most / self._factor, now - self._begin)
            self._watch.on_progress(progress)

    def _finish(self) -> Found | None:
        if self._best is None:
            return None
        rest = self._open[0].bound if self._open else -inf
        proven = rest < self._target
        bound = self._value if proven else max(rest, self._value)
        units = tuple(sorted(self._best))
        return Found(units, self._value / self._factor, bound / self._factor, proven)


def _choose_scale(problem: Problem) -> tuple[float, float]:
    """What to multiply weights by, and the least by which two values can differ then (0 where by anything)."""
    weights = np.array(problem.weights)
    heaviest = float(weights.max(initial=0.0))
    outline_free = not any(problem.outlines)
    if outline_free and heaviest and (weights == np.rint(weights)).all() and heaviest <= _LARGEST_WHOLE:
        divisor = gcd(*(int(weight) for weight in weights.tolist()))
        return 1 / divisor, 1.0
    return (_SCALE / heaviest if heaviest else 1.0), 0.0


def _rescale(problem: Problem, factor: float) -> Problem:
    return Problem(
        weights=tuple(weight * factor for weight in problem.weights),
        neighbours=problem.neighbours,
        limits=problem.limits,
        include=problem.include,
        avoid=problem.avoid,
        outlines=tuple(cost * factor for cost in problem.outlines),
        borders=tuple(tuple(cost * factor for cost in row) for row in problem.borders),
    )


def _bound_budget(problem: Problem, units: list[int]) -> float:
    """What the best of the units come to within the budget, contiguous or not, the last in part."""
    weights = np.array(problem.weights)[units]
    limit: Limit = problem.budget
    costs = np.array(limit.costs)[units]
    order = np.argsort(-weights / np.maximum(costs, 1e-12), kind="stable")
    spent = np.cumsum(costs[order])
    whole = int(np.searchsorted(spent, limit.most, side="right"))
    value = float(weights[order[:whole]].sum())
    if whole < len(order):
        left = limit.most - (float(spent[whole - 1]) if whole else 0.0)
        value += float(weights[order[whole]]) * left / float(costs[order[whole]])
    return value
