"""Small counts withheld, with others beside them so that no published total gives one back, or all counts rounded.

A table of counts split in one to three ways is published with all its totals. Extended by them, it is a box of
numbers in which every total is the sum of its parts. Counts from 1 to threshold - 1, totals among them, are withheld
(primary suppression). What is withheld could still be had by subtraction, so more is withheld (secondary suppression)
until every withheld count lies on a *box*: withheld counts at the corners of a choice of two categories in each way
that the table is split. Adding 1 to every other corner and taking 1 from the rest changes no total at all, so the
totals cannot tell which of the tables is the true one. A total may stand for a category; it moves with its part.

Source: the hypercube method, Giessing, S. and Repsilber, D. (2002), "Tools and strategies to protect multiple tables
with the GHQUAR cell suppression engine", in Inference Control in Statistical Databases, LNCS 2316, 181-192. Coarser
totals are settled before what adds up to them, as in de Wolf, P.-P. (2002), "HiTaS", in the same volume, 74-82.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from cspmap.errors import UserError

Counts: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Indices: TypeAlias = npt.NDArray[np.intp]

# The smallest threshold that hides anything: a count that is withheld as being under 2 is known to be 1.
LEAST_THRESHOLD = 3

# So many partners of a category are tried at first, the cheapest; all of them where none of those will do.
_PARTNERS = {1: 64, 2: 24, 3: 8}
# A zero is withheld only where nothing else will do.
_ZERO_WEIGHT = 1e6
_PLENTY = np.iinfo(np.int64).max // 4


@dataclass(frozen=True)
class _Axis:
    """One way a table is split. Nodes: categories, then groups of them (if any), then the total, then a dummy."""

    size: int
    group_of: Indices | None

    @property
    def groups(self) -> int:
        return 0 if self.group_of is None or not self.size else int(self.group_of.max()) + 1

    @property
    def total(self) -> int:
        return self.size + self.groups

    @property
    def depths(self) -> Indices:
        """How far each node but the dummy is below the total."""
        below = 2 if self.groups else 1
        return np.array([below] * self.size + [1] * self.groups + [0], dtype=np.intp)

    def parts(self, depth: int) -> list[tuple[int, Indices]]:
        """Totals whose parts are at a depth, each with those parts."""
        if depth == 2 and self.group_of is not None:
            # Of the total as well: where subtotals are withheld, it is what their parts have in common.
            groups = [(self.size + group, np.flatnonzero(self.group_of == group)) for group in range(self.groups)]
            return [*groups, (self.total, self.level(2))]
        return [(self.total, self.level(1))] if depth == 1 else []

    def level(self, depth: int) -> Indices:
        return np.flatnonzero(self.depths == depth)


def suppress(counts: npt.ArrayLike, *, threshold: int, groups: Sequence[int] | None = None) -> Flags:
    """Which counts and totals of a table to withhold.

    `counts` are whole numbers, 0 or more, split in one to three ways. `groups` gives for each category of the first
    way the number (0 ...) of the subtotal that it is part of. Returned is an array over the table with its totals:
    along each axis the categories, then the subtotals, then the total, so that `[..., -1]` is what the last axis adds
    up to.

    What holds of it: every count or total from 1 to `threshold` - 1 is withheld; of what is withheld along any
    published total, at least two add up to `threshold` or more; and no withheld count can be worked out from all that
    is published, not even by someone who knows that counts are not negative and (unless a zero had to be withheld to
    protect it) that zeros are shown. Other zeros stay.

    Raises UserError where a table split in three ways cannot be protected without withholding its totals.
    """
    table = np.asarray(counts, dtype=np.int64)
    if threshold < LEAST_THRESHOLD:
        raise ValueError(f"a threshold under {LEAST_THRESHOLD} hides nothing, got {threshold}")
    first = None if groups is None else np.asarray(groups, dtype=np.intp)
    axes = [_Axis(size, first if number == 0 else None) for number, size in enumerate(table.shape)]
    values = add_totals(table, groups=groups)
    withheld = np.zeros(values.shape, dtype=bool)
    choices = sorted(product(*(range(int(axis.depths.max()) + 1) for axis in axes)), key=lambda some: (sum(some), some))
    for choice in choices:
        nodes = [np.flatnonzero(axis.depths <= depth) for axis, depth in zip(axes, choice, strict=True)]
        part = _Part(axes, choice, nodes, values, withheld, threshold)
        withheld[np.ix_(*nodes)] = part.protect()
    return withheld


def add_totals(counts: npt.ArrayLike, *, groups: Sequence[int] | None = None) -> Counts:
    """A table with its subtotals and totals along every axis, laid out as `suppress` lays them out."""
    table = np.asarray(counts, dtype=np.int64)
    for number in range(table.ndim):
        parts = [table]
        if number == 0 and groups is not None and len(groups):
            sums = np.zeros((max(groups) + 1, *table.shape[1:]), dtype=np.int64)
            np.add.at(sums, np.asarray(groups), table)
            parts.append(sums)
        table = np.concatenate([*parts, parts[0].sum(axis=number, keepdims=True)], axis=number)
    return table


def round_counts(counts: npt.ArrayLike, base: int) -> Counts:
    """Each count to the nearest multiple of `base`, halves upwards; totals are rounded by themselves, not summed."""
    whole = np.asarray(counts, dtype=np.int64)
    return np.asarray((2 * whole + base) // (2 * base) * base, dtype=np.int64)


class _Part:
    """The table as far down as a choice of depths: what is at just those depths may be withheld, the rest is settled.

    Arrays have one place more along each axis, the dummy, which costs nothing and bounds nothing.
    """

    def __init__(
        self,
        axes: Sequence[_Axis],
        choice: tuple[int, ...],
        nodes: Sequence[Indices],
        values: Counts,
        withheld: Flags,
        threshold: int,
    ) -> None:
        self._axes, self._choice, self._threshold = axes, choice, threshold
        full = tuple(axis.total + 2 for axis in axes)
        self._values = np.full(full, _PLENTY)
        self._values[tuple(slice(0, -1) for _ in axes)] = values
        self._withheld = np.zeros(full, dtype=bool)
        self._withheld[np.ix_(*nodes)] = withheld[np.ix_(*nodes)]
        self._own = np.ix_(*(axis.level(depth) for axis, depth in zip(axes, choice, strict=True)))
        self._nodes = nodes
        self._weights = np.full(full, np.inf)
        own = self._values[self._own]
        self._weights[self._own] = np.where(own > 0, 1 + own / threshold, _ZERO_WEIGHT)
        self._withheld[self._own] = (own > 0) & (own < threshold)
        self._weights[self._withheld] = 0.0
        for number in range(len(axes)):
            self._weights[(slice(None),) * number + (-1,)] = 0.0
        self._safe = np.zeros(full, dtype=bool)
        self._split = sum(depth > 0 for depth in choice)

    def protect(self) -> Flags:
        """What is withheld of the part."""
        todo = [tuple(cell) for cell in np.argwhere(self._withheld)]
        while todo:
            for cell in sorted(todo, key=lambda cell: (self._values[cell], cell)):
                if not self._safe[cell] and self._values[cell] > 0 and not self._box(cell):
                    return self._give_up()
            todo = self._lengthen()
        return self._withheld[np.ix_(*self._nodes)]

    def _give_up(self) -> Flags:
        if self._split > 2:
            raise UserError(
                "Split in so many ways, the counts that are withheld could be had back from their totals; "
                "leave out a split, or choose a longer period or larger areas."
            )
        self._withheld[self._own] = True
        return self._withheld[np.ix_(*self._nodes)]

    def _lengthen(self) -> list[tuple[int, ...]]:
        """Withhold one more wherever what is withheld along a published total adds up to less than the threshold."""
        added = []
        for number, (axis, depth) in enumerate(zip(self._axes, self._choice, strict=True)):
            for total, parts in axis.parts(depth):
                for line in self._lines(number, parts):
                    parent = (*line[:number], total, *line[number + 1 :])
                    at: Any = (*line[:number], parts, *line[number + 1 :])
                    values, gone = self._values[at], self._withheld[at]
                    held = int(values[gone].sum())
                    if not 0 < held < self._threshold or self._withheld[parent]:
                        continue
                    cheapest = parts[int(np.argmin(np.where(gone | (values == 0), np.inf, self._weights[at])))]
                    cell = (*line[:number], int(cheapest), *line[number + 1 :])
                    self._hide(cell)
                    added.append(cell)
        return added

    def _lines(self, number: int, parts: Indices) -> Iterator[tuple[int, ...]]:
        """The places of the lines along an axis that hold something withheld; the axis' own place is 0."""
        others = [
            axis.level(depth) if place != number else parts
            for place, (axis, depth) in enumerate(zip(self._axes, self._choice, strict=True))
        ]
        some = self._withheld[np.ix_(*others)].any(axis=number, keepdims=True)
        for where in np.argwhere(some):
            yield tuple(
                0 if place == number else int(others[place][int(step)]) for place, step in enumerate(where.tolist())
            )

    def _hide(self, cell: Any) -> None:
        self._withheld[cell] = True
        self._weights[cell] = 0.0

    def _box(self, cell: tuple[int, ...]) -> bool:
        """Withhold the cheapest box with a corner there; False where there is none."""
        most = _PARTNERS.get(self._split, _PARTNERS[3])
        return self._take_box(cell, most) or (most < max(self._values.shape) and self._take_box(cell, _PLENTY))

    def _take_box(self, cell: tuple[int, ...], most: int) -> bool:
        moves = [self._moves(number, cell, most) for number in range(len(cell))]
        if not all(len(index) for index, _ in moves):
            return False
        at = np.ix_(*(index.ravel() for index, _ in moves))
        shape = [size for index, _ in moves for size in index.shape]
        corners = tuple(range(1, len(shape), 2))
        cost = self._weights[at].reshape(shape).sum(axis=corners)
        values = self._values[at].reshape(shape)
        signs = np.ones([1] * len(shape), dtype=np.int64)
        for number, (_, sign) in enumerate(moves):
            around = [1] * len(shape)
            around[2 * number : 2 * number + 2] = sign.shape
            signs = signs * sign.reshape(around)
        up = np.where(signs > 0, values, _PLENTY).min(axis=corners)
        down = np.where(signs < 0, values, _PLENTY).min(axis=corners)
        # With all corners known to be 1 or more, one step must be left; a withheld zero leaves that open.
        need = np.where((up == 0) | (down == 0), 1, 3)
        cost = np.where(up + down >= need, cost, np.inf)
        best = np.unravel_index(int(np.argmin(cost)), cost.shape)
        if not np.isfinite(cost[best]):
            return False
        for corner in product(*(index[row].tolist() for (index, _), row in zip(moves, best, strict=True))):
            if all(node != axis.total + 1 for node, axis in zip(corner, self._axes, strict=True)):
                self._hide(corner)
                self._safe[corner] = True
        return True

    def _moves(self, number: int, cell: tuple[int, ...], most: int) -> tuple[Indices, Indices]:
        """Ways to move a count along an axis, as nodes and their signs, the cell's own first and a dummy as filling."""
        axis, depth, node = self._axes[number], self._choice[number], cell[number]
        if depth == 0:
            return np.array([[node]]), np.array([[1]])
        along: Any = (*cell[:number], slice(None), *cell[number + 1 :])
        line = self._weights[along]
        rows = (
            _move_grouped(axis, node, line, most)
            if depth == 2
            else _move_plain(axis.level(1), axis.total, node, line, most)
        )
        width = max((len(row) for row in rows), default=1)
        index = np.full((len(rows), width), axis.total + 1, dtype=np.intp)
        signs = np.zeros((len(rows), width), dtype=np.intp)
        for place, row in enumerate(rows):
            index[place, : len(row)] = [abs(step) - 1 for step in row]
            signs[place, : len(row)] = [1 if step > 0 else -1 for step in row]
        return index, signs


# A move is a list of nodes, counted from 1, that go up (or, where negative, down) together.
_Move: TypeAlias = list[int]


def _cheapest(nodes: Indices, line: npt.NDArray[np.float64], most: int) -> list[int]:
    """The nodes that cost least to withhold, those that cannot be left out."""
    able = nodes[np.isfinite(line[nodes])]
    return [int(node) for node in able[np.argsort(line[able], kind="stable")][:most]]


def _move_plain(lowest: Indices, total: int, node: int, line: npt.NDArray[np.float64], most: int) -> list[_Move]:
    """A category against another, or with the total."""
    if node == total:
        return [[total + 1, one + 1] for one in _cheapest(lowest, line, most)]
    others = _cheapest(lowest[lowest != node], line, most)
    with_total = [[node + 1, total + 1]] if np.isfinite(line[total]) else []
    return [*([node + 1, -(other + 1)] for other in others), *with_total]


def _move_grouped(axis: _Axis, node: int, line: npt.NDArray[np.float64], most: int) -> list[_Move]:
    """The same where categories add up to groups, which must move with them or be left alone."""
    assert axis.group_of is not None
    total, group_of, lowest = axis.total, axis.group_of, np.arange(axis.size)

    def group(leaf: int) -> int:
        return axis.size + int(group_of[leaf])

    if node == total:
        some = [leaf for leaf in _cheapest(lowest, line, most) if np.isfinite(line[group(leaf)])]
        return [[total + 1, group(leaf) + 1, leaf + 1] for leaf in some]
    own = node - axis.size if node >= axis.size else int(group_of[node])
    outside = lowest[group_of != own]
    far = [leaf for leaf in _cheapest(outside, line, most) if np.isfinite(line[group(leaf)])]
    head = own + axis.size + 1
    if node >= axis.size:
        inside = _cheapest(lowest[group_of == own], line, most)
        moves = [[head, leaf + 1, -(group(other) + 1), -(other + 1)] for leaf in inside for other in far]
        return [*moves, *([head, leaf + 1, total + 1] for leaf in inside if np.isfinite(line[total]))]
    near = [[node + 1, -(other + 1)] for other in _cheapest(lowest[(group_of == own) & (lowest != node)], line, most)]
    if not np.isfinite(line[own + axis.size]):
        return near
    through = [[node + 1, head, -(group(other) + 1), -(other + 1)] for other in far]
    return [*near, *through, *([[node + 1, head, total + 1]] if np.isfinite(line[total]) else [])]
