"""A two-way table fitted to its row and column totals, and rounded to whole numbers that keep them.

The work behind `apportionment.apportion_table`. Tables are arrays of rows x columns.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cspmap.analysis.measures import Floats
from cspmap.errors import UserError

Wholes: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

# Most tables are fitted in a dozen rounds; one whose weights lie far apart can take thousands.
_FEW_ROUNDS, _MANY_ROUNDS = 200, 20_000
# Rows and columns that miss their totals by less than this, all together, can be rounded to them: totals are whole.
_NEAR_ENOUGH = 0.01
# Fitting and adding up leave this much noise in a cell, which is no fraction to round up.
_NOISE = 1e-7
_NO_GAIN = 1e-12


@dataclass(frozen=True)
class TwoWayTotals:
    """Whole numbers that the rows and columns are to add up to; both have the same sum."""

    rows: Wholes
    columns: Wholes

    def miss(self, table: Floats) -> float:
        """By how much the rows and columns of a table miss their totals, all together."""
        rows, columns = table.sum(axis=1) - self.rows, table.sum(axis=0) - self.columns
        return float(np.abs(rows).sum() + np.abs(columns).sum())

    @property
    def tolerance(self) -> float:
        """What may be missed by arithmetic alone."""
        return 1e-9 + 1e-13 * float(self.rows.sum())


def fit_margins(weights: Floats, totals: TwoWayTotals) -> tuple[Floats, bool]:
    """The table in proportion to `weights` (0 or more) that has the totals, and whether it had to be fitted to them.

    Iterative proportional fitting; a weight of zero stays zero. Raises UserError where no table with these zeros
    has the totals.
    """
    whole = float(totals.rows.sum())
    if not whole:
        return np.zeros_like(weights), False
    if not weights.any():
        raise UserError(f"{whole:,.0f} cannot be shared out: no weight is above zero; give at least one.")
    scaled: Floats = weights / weights.max()
    scaled *= whole / scaled.sum()
    if totals.miss(scaled) <= totals.tolerance:
        return scaled, False
    fitted = _fit(scaled, totals, rounds=_FEW_ROUNDS)
    if not totals.miss(fitted) <= totals.tolerance:
        # Either no table has these totals, or some cells can only be zero, which fitting nears but never reaches.
        possible = np.where(_find_possible(scaled > 0, totals), scaled, 0.0)
        fitted = _fit(possible, totals, rounds=_MANY_ROUNDS)
    if not totals.miss(fitted) <= _NEAR_ENOUGH:
        raise UserError("The weights differ too much to be fitted to the totals; leave out those next to nothing.")
    return fitted, True


def _fit(weights: Floats, totals: TwoWayTotals, *, rounds: int) -> Floats:
    """Scale rows and columns in turn until the table fits or no more is to be had; not a number where that fails."""
    columns = np.ones(weights.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(rounds):
            rows = _divide(totals.rows, weights @ columns)
            columns = _divide(totals.columns, rows @ weights)
            # Columns add up now; the rows tell how far it is.
            if np.abs(rows * (weights @ columns) - totals.rows).sum() <= totals.tolerance / 2:
                break
        fitted: Floats = rows[:, None] * weights * columns
    return fitted


def _divide(top: Wholes, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.zeros_like(bottom), where=(top > 0) & (bottom > 0))


def _find_possible(allowed: Flags, totals: TwoWayTotals) -> Flags:
    """Which of the allowed cells are above zero in some table with the totals; UserError where there is none.

    A table is made row by row, then what columns have too much of is passed on along chains of rows that can take
    less of one column and more of the next (a maximum flow by shortest chains). A cell that is zero in it can be
    raised where what it takes its column over can be passed on to a column that the row can take less of.
    """
    table = np.zeros(allowed.shape, dtype=np.int64)
    left = totals.columns.copy()
    for row, total in enumerate(totals.rows):
        columns = np.flatnonzero(allowed[row])
        if not total:
            continue
        if not columns.size:
            raise UserError(f"Row {row + 1} is to add up to {total:,} and all its weights are zero; give it a weight.")
        # As much as the columns still hold, one after the other; the rest to the last, which then has too much.
        filled = np.minimum(np.cumsum(np.maximum(left[columns], 0)), total)
        filled[-1] = total
        table[row, columns] = np.diff(filled, prepend=0)
        left[columns] -= table[row, columns]
    while (left < 0).any():
        _pass_on(table, left, allowed)
    reach = _close(_find_steps(table, allowed))
    raised: Flags = (table > 0).astype(np.float64) @ reach.T.astype(np.float64) > 0
    return allowed & raised


def _find_steps(table: Wholes, allowed: Flags) -> Flags:
    """Between which columns a row can pass something on: it has some of the first and may have some of the second."""
    steps: Flags = (table > 0).T.astype(np.float64) @ allowed.astype(np.float64) > 0
    return steps


def _close(steps: Flags) -> Flags:
    """Which columns can be reached from which, in any number of steps."""
    reach = steps | np.eye(len(steps), dtype=np.bool_)
    while True:
        further: Flags = reach.astype(np.float64) @ reach.astype(np.float64) > 0
        if (further == reach).all():
            return reach
        reach = further


def _pass_on(table: Wholes, left: Wholes, allowed: Flags) -> None:
    """Pass as much as one shortest chain can carry from a column with too much to one with too little."""
    steps = _find_steps(table, allowed)
    before = np.full(len(left), -1)
    seen = left < 0
    front = np.flatnonzero(seen)
    while front.size and not (seen & (left > 0)).any():
        fresh = steps[front] & ~seen
        reached = np.flatnonzero(fresh.any(axis=0))
        before[reached] = front[fresh[:, reached].argmax(axis=0)]
        seen[reached] = True
        front = reached
    ends = np.flatnonzero(seen & (left > 0))
    if not ends.size:
        raise UserError("No table with zeros where the weights are zero has these totals; change a total or a weight.")
    chain = [int(ends[0])]
    while left[chain[-1]] >= 0:
        chain.append(int(before[chain[-1]]))
    chain.reverse()
    links = [(int(np.where(allowed[:, b], table[:, a], 0).argmax()), a, b) for a, b in pairwise(chain)]
    amount = min(-left[chain[0]], left[chain[-1]], *(table[row, a] for row, a, _ in links))
    for row, a, b in links:
        table[row, a] -= amount
        table[row, b] += amount
    left[chain[0]] += amount
    left[chain[-1]] -= amount


def round_within_margins(table: Floats, totals: TwoWayTotals) -> Wholes:
    """Round every cell up or down so that the rows and columns of a table that has these totals keep them.

    Of all such roundings, one in which the fractions of the cells rounded up add up to the most.
    """
    if table.shape[0] < table.shape[1]:
        turned = TwoWayTotals(rows=totals.columns, columns=totals.rows)
        return np.ascontiguousarray(round_within_margins(np.ascontiguousarray(table.T), turned).T)
    near = np.rint(table)
    is_whole = np.abs(table - near) <= _NOISE + _NO_GAIN * table
    down = np.where(is_whole, near, np.floor(table)).astype(np.int64)
    fractions = np.where(is_whole, 0.0, table - down)
    up = _choose_up(fractions, ~is_whole, totals.rows - down.sum(axis=1), totals.columns - down.sum(axis=0))
    return down + up


def _choose_up(fractions: Floats, free: Flags, rows: Wholes, columns: Wholes) -> Flags:
    """Choose free cells, so many in each row and column, with the largest sum of fractions.

    A flow of least cost by successive shortest chains: each row takes its largest fractions, then columns with too
    many pass the excess on to those with too few where that costs least. Every step leaves the best choice for the
    columns as they then stand, so the last is the best of all.
    """
    order = np.argsort(np.where(free, -fractions, np.inf), axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(order.shape[1])[None, :], axis=1)
    chosen: Flags = free & (rank < rows[:, None])
    excess = chosen.sum(axis=0) - columns
    swaps = _Swaps(fractions, free, chosen)
    while (excess > 0).any():
        chain = swaps.find_chain(excess)
        excess[chain[0]] -= 1
        excess[chain[-1]] += 1
        swaps.apply(chain)
    return chosen


class _Swaps:
    """The cheapest row to give up a chosen cell of one column for a free one of another, for every two columns."""

    def __init__(self, fractions: Floats, free: Flags, chosen: Flags) -> None:
        self._fractions = fractions
        self._free = free
        self._chosen = chosen
        size = fractions.shape[1]
        self._cost = np.full((size, size), np.inf)
        self._row = np.zeros((size, size), dtype=np.intp)
        for column in range(size):
            self._search(column, np.arange(size))

    def _search(self, column: int, others: NDArray[np.intp]) -> None:
        """Look through all rows for the swaps of one column for some others."""
        have = np.flatnonzero(self._chosen[:, column])
        if not have.size:
            self._cost[column, others] = np.inf
            return
        cells = np.ix_(have, others)
        cost = self._fractions[have, column][:, None] - self._fractions[cells]
        cost[self._chosen[cells] | ~self._free[cells]] = np.inf
        best = cost.argmin(axis=0)
        self._cost[column, others] = cost[best, np.arange(len(others))]
        self._row[column, others] = have[best]

    def find_chain(self, excess: Wholes) -> list[int]:
        """The cheapest chain of columns from one that has too many to one that has too few (Bellman and Ford)."""
        size = len(excess)
        costs = np.where(excess > 0, 0.0, np.inf)
        before = np.full(size, -1)
        for _ in range(size):
            through = costs[:, None] + self._cost
            best = through.argmin(axis=0)
            reached = through[best, np.arange(size)]
            better = reached < costs - _NO_GAIN
            if not better.any():
                break
            costs = np.where(better, reached, costs)
            before = np.where(better, best, before)
        ends = np.where(excess < 0, costs, np.inf)
        chain = [int(ends.argmin())]
        if not np.isfinite(ends[chain[0]]):
            raise ValueError("the table does not add up to its totals")
        while before[chain[-1]] >= 0:
            chain.append(int(before[chain[-1]]))
        return chain[::-1]

    def apply(self, chain: list[int]) -> None:
        """Swap along a chain, and bring the cheapest swaps up to date."""
        links = list(pairwise(chain))
        changed = [int(self._row[link]) for link in links]
        for row, (giving, taking) in zip(changed, links, strict=True):
            self._chosen[row, giving], self._chosen[row, taking] = False, True
        for row in dict.fromkeys(changed):
            chosen, fractions = self._chosen[row], self._fractions[row]
            swaps = chosen[:, None] & (self._free[row] & ~chosen)
            cost = np.where(swaps, fractions[:, None] - fractions, np.inf)
            cheaper = cost < self._cost
            self._cost[cheaper] = cost[cheaper]
            # What this row was the cheapest for it may be so no longer.
            stale = (self._row == row) & ~cheaper
            self._row[cheaper] = row
            for column in np.flatnonzero(stale.any(axis=1)):
                self._search(int(column), np.flatnonzero(stale[column]))
