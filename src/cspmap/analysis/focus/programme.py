"""The linear programme of areas around one root: what relaxing "chosen or not" to shares of 0 to 1 leaves."""

import heapq
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cspmap.analysis.focus.cuts import ZERO, Cut, find_cuts
from cspmap.analysis.focus.problem import Problem
from cspmap.analysis.measures import Floats

# A row that has not held anything back for so many rounds may go, once so many of them may.
_IDLE_ROUNDS, _IDLE_ROWS = 10, 80
_BOUND = 1e-9


@dataclass
class Box:
    """Which units are out (upper 0), in (lower 1) or open, one number each a unit."""

    lower: Floats
    upper: Floats

    def copy(self) -> "Box":
        """A box of its own."""
        return Box(self.lower.copy(), self.upper.copy())

    def set(self, unit: int, value: int) -> "Box":
        """A copy with one unit decided."""
        box = self.copy()
        box.lower[unit] = box.upper[unit] = value
        return box


@dataclass(frozen=True)
class Relaxed:
    """A solution of the programme: shares of the units (0 to 1), their reduced costs and the value."""

    value: float
    x: Floats
    reduced: Floats = field(repr=False)

    @property
    def fractional(self) -> list[int]:
        """The units that are neither in nor out."""
        places: list[int] = np.flatnonzero((self.x > ZERO) & (self.x < 1 - ZERO)).tolist()
        return places

    @property
    def chosen(self) -> set[int]:
        """The units that are in, or nearer to it than to being out."""
        return set(np.flatnonzero(self.x > 0.5).tolist())


class Programme:
    """Areas of the `allowed` units that hold `root`, relaxed. `cuts` are added as solutions break them.

    Columns are the units, then the borders between allowed units where the outline matters: the part of a border that
    lies on the area's outline. Solved by HiGHS from where it was left, which takes about a millisecond.

    Source: Huangfu, Q. and Hall, J. A. J. (2018), "Parallelizing the dual revised simplex method", Mathematical
    Programming Computation 10(1), 119-142.
    """

    def __init__(self, problem: Problem, root: int, allowed: Collection[int]) -> None:
        self.problem, self.root = problem, root
        self.graph: list[tuple[int, ...]] = []
        self.box = Box(np.zeros(len(problem)), np.zeros(len(problem)))
        self.box.upper[list(allowed)] = 1.0
        self.box.lower[[root, *problem.include]] = 1.0
        self._restrict(set(allowed))
        self._engine = _start_engine()
        self._pairs = self._list_borders()
        self._make_columns()
        self._make_limits()
        self._rows = _Rows(kept=len(problem.limits))
        self._duals = np.zeros(0)
        self._add_cuts((graph, unit) for unit, graph in enumerate(self.graph) if unit != root and root not in graph)

    def _restrict(self, allowed: set[int]) -> None:
        """Leave out what is too far from the root for the budget, and where only it led."""
        costs, budget = self.problem.budget.costs, self.problem.budget
        far = {self.root: costs[self.root]}
        queue = [(far[self.root], self.root)]
        while queue:
            used, unit = heapq.heappop(queue)
            if used > far[unit]:
                continue
            for other in self.problem.neighbours[unit]:
                further = used + costs[other]
                if other in allowed and budget.allows(further) and further < far.get(other, float("inf")):
                    far[other] = further
                    heapq.heappush(queue, (further, other))
        self.allowed = set(far)
        self.box.upper[[unit for unit in allowed if unit not in far]] = 0.0
        self.graph = [
            tuple(other for other in self.problem.neighbours[unit] if other in far) if unit in far else ()
            for unit in range(len(self.problem))
        ]

    def _list_borders(self) -> NDArray[np.int32]:
        """The pairs of neighbours whose border costs something, each once."""
        found = [
            (unit, other)
            for unit in sorted(self.allowed)
            for other in self.graph[unit]
            if unit < other and self.problem.beside[unit].get(other, 0.0) > 0
        ]
        return np.array(found, dtype=np.int32).reshape(-1, 2)

    def _make_columns(self) -> None:
        """The value is to be greatest, so costs are its negative; a border costs where one side alone is chosen."""
        units = len(self.problem)
        worth = np.array(self.problem.alone)
        costs = []
        for unit, other in self._pairs.tolist():
            half = self.problem.beside[unit][other] / 2
            worth[unit] += half
            worth[other] += half
            costs.append(half)
        size = units + len(costs)
        self._engine.addVars(size, np.zeros(size), np.concatenate([self.box.upper, np.ones(len(costs))]))
        self._engine.changeColsCost(size, np.arange(size, dtype=np.int32), np.concatenate([-worth, costs]))
        self._units = np.arange(units, dtype=np.int32)

    def _make_limits(self) -> None:
        for limit in self.problem.limits:
            costs = np.array(limit.costs)
            self._engine.addRow(-np.inf, limit.most, len(costs), self._units, costs)

    def solve(self, box: Box) -> Relaxed | None:
        """The greatest value within a box and the cuts so far; None where nothing keeps them."""
        self._engine.changeColsBounds(len(self._units), self._units, box.lower, box.upper)
        value = self.solve_value()
        if value is None:
            return None
        solution = self._engine.getSolution()
        self._duals = np.array(solution.row_dual)
        units = len(self._units)
        self._borders = np.array(solution.col_value[units:])
        return Relaxed(value, np.array(solution.col_value[:units]), np.array(solution.col_dual[:units]))

    def solve_value(self) -> float | None:
        """The value alone, as the engine's bounds stand."""
        import highspy

        status = highspy.HighsModelStatus
        self._engine.run()
        if self._engine.getModelStatus() not in (status.kOptimal, status.kInfeasible):
            # Lost its footing: from scratch.
            self._engine.clearSolver()
            self._engine.run()
        if self._engine.getModelStatus() == status.kInfeasible:
            return None
        if self._engine.getModelStatus() != status.kOptimal:
            raise RuntimeError(f"the linear programme ended with {self._engine.getModelStatus()}")
        return -float(self._engine.getInfo().objective_function_value)

    def probe(self, unit: int, value: int, box: Box) -> float | None:
        """The value where one more unit is decided; the box, as solved last, stays as it is."""
        self._engine.changeColBounds(unit, value, value)
        found = self.solve_value()
        self._engine.changeColBounds(unit, box.lower[unit], box.upper[unit])
        return found

    def decide(self, solution: Relaxed, least: float, box: Box) -> bool:
        """Decide in `box` the units that the other way would leave the value below `least`; whether there are any."""
        spare = solution.value - least + ZERO
        is_open = box.upper > box.lower
        out = is_open & (solution.x < _BOUND) & (solution.reduced > spare)
        into = is_open & (solution.x > 1 - _BOUND) & (-solution.reduced > spare)
        box.upper[out] = 0.0
        box.lower[into] = 1.0
        return bool(out.any() or into.any())

    def shrink(self) -> None:
        """Make the graph smaller where the programme's own box has decided enough units to be out."""
        left = {unit for unit in self.allowed if self.box.upper[unit] > 0}
        if len(left) < 0.9 * len(self.allowed):
            self._restrict(left)

    def separate(self, solution: Relaxed) -> bool:
        """Add the cuts that a solution breaks, and let go of idle ones; whether it broke any."""
        broken = self._add_cuts(find_cuts(solution.x, self.root, self.graph))
        borders = self._add_borders(solution.x)
        self._drop_idle()
        return broken or borders

    def _add_cuts(self, cuts: Iterable[Cut]) -> bool:
        """sum of x over the separator - x of the unit >= 0."""
        new = [cut for cut in cuts if self._rows.take(cut)]
        columns = [[*separator, unit] for separator, unit in new]
        self._add_rows(columns, [[1.0] * (len(each) - 1) + [-1.0] for each in columns])
        return bool(new)

    def _add_borders(self, x: Floats) -> bool:
        """The border's part of the outline >= x of one side - x of the other, for borders where it is not."""
        if not len(self._pairs):
            return False
        one, other = self._pairs.T
        gap = x[one] - x[other]
        columns = []
        for pair in np.flatnonzero(np.abs(gap) > self._borders + ZERO).tolist():
            high, low = self._pairs[pair] if gap[pair] > 0 else self._pairs[pair][::-1]
            if self._rows.take((int(high), int(low))):
                columns.append([len(self._units) + pair, int(high), int(low)])
        self._add_rows(columns, [[1.0, -1.0, 1.0]] * len(columns))
        return bool(columns)

    def _add_rows(self, columns: Sequence[Sequence[int]], values: Sequence[Sequence[float]]) -> None:
        if columns:
            count = len(columns)
            starts = np.cumsum([0, *(len(each) for each in columns[:-1])]).astype(np.int32)
            flat = np.fromiter((column for each in columns for column in each), dtype=np.int32)
            self._engine.addRows(
                count,
                np.zeros(count),
                np.full(count, np.inf),
                len(flat),
                starts,
                flat,
                np.fromiter((value for each in values for value in each), dtype=np.float64),
            )

    def _drop_idle(self) -> None:
        idle = self._rows.age(np.abs(self._duals) > _BOUND)
        if len(idle) > _IDLE_ROWS:
            self._engine.deleteRows(len(idle), np.array(idle, dtype=np.int32))
            self._rows.drop(idle)


@dataclass
class _Rows:
    """Which cuts are rows of the programme; the first `kept` rows are no cuts and stay."""

    kept: int
    names: list[tuple[Any, ...]] = field(default_factory=list)
    idle: list[int] = field(default_factory=list)
    known: set[tuple[Any, ...]] = field(default_factory=set)

    def take(self, name: tuple[Any, ...]) -> bool:
        """Note a new row; False where it is there already."""
        if name in self.known:
            return False
        self.known.add(name)
        self.names.append(name)
        self.idle.append(0)
        return True

    def age(self, working: NDArray[np.bool_]) -> list[int]:
        """Count the rounds that rows have been idle; the rows, by number, that have been so for long."""
        for place, works in enumerate(working[self.kept :].tolist()):
            self.idle[place] = 0 if works else self.idle[place] + 1
        return [place + self.kept for place, rounds in enumerate(self.idle) if rounds > _IDLE_ROUNDS]

    def drop(self, rows: Sequence[int]) -> None:
        """Forget rows by number."""
        gone = {row - self.kept for row in rows}
        self.known -= {self.names[place] for place in gone}
        left = [place for place in range(len(self.names)) if place not in gone]
        self.names, self.idle = [self.names[place] for place in left], [self.idle[place] for place in left]


def _start_engine() -> Any:
    import highspy

    engine: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    engine.setOptionValue("output_flag", False)
    engine.setOptionValue("threads", 1)
    return engine
