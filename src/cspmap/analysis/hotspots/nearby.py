"""Which cells are near which: neighbours as compressed rows, and pairs of points and cells within a distance."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.hotspots.cells import NOWHERE, Cells
from cspmap.analysis.hotspots.layer import format_metres
from cspmap.analysis.measures import Floats
from cspmap.errors import UserError

Whole = NDArray[np.int64]

# Points looked up together: few enough that what is held about their pairs stays in the processor's cache.
_BATCH = 4_000


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The neighbours of each cell, itself among them, as compressed rows.

    Those of cell i are `indices[starts[i]:starts[i + 1]]`, rising. `codes` are the cells'; `words` says who is a
    neighbour of whom, to stand inside a sentence; `rule` is that of the cells.
    """

    starts: Whole
    indices: Whole
    codes: pd.Index
    words: str
    rule: str = ""

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def sizes(self) -> Whole:
        """How many neighbours each cell has, itself counted."""
        return np.diff(self.starts)

    def add_up(self, values: Floats) -> Floats:
        """The sum of a value over each cell and its neighbours."""
        sums: Floats = np.add.reduceat(values[self.indices], self.starts[:-1])
        return sums


def find_neighbours(cells: Cells, *, within: float | None = None) -> Neighbours:
    """Each cell with those that touch it, or with those whose centres lie `within` so many metres of its own.

    In a grid a hexagon touches six and a square eight others, whatever is clipped off them; own units touch where
    they share a border or a corner. Raises UserError where `within` is not above zero.
    """
    own = np.arange(len(cells))
    if within is not None:
        if not within > 0:
            raise UserError(f"Neighbours cannot be sought within {within:g} m; choose a distance above zero.")
        x, y = cells.centres
        found = [(i, j) for i, j, _ in NearbyIndex(x, y, within).pairs(x, y)]
        one, other = (np.concatenate(part) for part in zip(*found, strict=True))
        words = f"{cells.words}, each with all within {format_metres(within)} of it"
    elif cells.lattice is not None:
        assert cells.row is not None
        assert cells.column is not None
        around = [cells.look_up(row, column) for row, column in cells.lattice.around(cells.row, cells.column)]
        one, other = np.tile(own, len(around) + 1), np.concatenate([*around, own])
        one, other = one[other != NOWHERE], other[other != NOWHERE]
        words = f"{cells.words}, each with the {len(around)} around it"
    else:
        one, other = _find_touching(cells)
        words = f"{cells.words}, each with those that touch it"
    order = np.lexsort((other, one))
    starts = np.concatenate(([0], np.cumsum(np.bincount(one, minlength=len(cells)))))
    return Neighbours(starts, other[order], cells.codes, words, cells.rule)


def _find_touching(cells: Cells) -> tuple[Whole, Whole]:
    import shapely

    shapes = cells.frame.geometry.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    return one.astype(np.int64), other.astype(np.int64)


class NearbyIndex:
    """Finds the targets within one distance (metres) of points, exactly.

    Targets are kept in strips from west to east, each a third of the distance high; a point looks up a run of
    neighbours in every strip that it reaches.
    """

    def __init__(self, x: Floats, y: Floats, distance: float) -> None:
        self.distance, self._height = distance, distance / 3
        self._south, self._west = (float(values.min()) if len(values) else 0.0 for values in (y, x))
        # Keys run through the strips one after another, with a gap of a whole reach between them.
        self._stride = (float(x.max()) - self._west if len(x) else 0.0) + 3 * distance
        strip = np.floor((y - self._south) / self._height)
        self._strips = int(strip.max()) + 1 if len(y) else 0
        key = strip * self._stride + (x - self._west)
        self._order = np.argsort(key, kind="stable")
        self._key, self._x, self._y = key[self._order], x[self._order], y[self._order]

    def pairs(self, x: Floats, y: Floats) -> Iterator[tuple[Whole, Whole, Floats]]:
        """Point, target and the square of the distance of each pair; all of a point's pairs come together.

        Batch by batch: the points in every batch are others.
        """
        turn = np.lexsort((x, np.floor(y / self._height)))
        for first in range(0, len(turn), _BATCH):
            batch = turn[first : first + _BATCH]
            point, target, squared = self._pair(x[batch], y[batch])
            near = squared <= self.distance**2
            yield batch[point[near]], self._order[target[near]], squared[near]

    def _pair(self, x: Floats, y: Floats) -> tuple[Whole, Whole, Floats]:
        """The pairs of one batch, and some that are too far apart."""
        reach = self.distance
        lowest = np.floor((y - reach - self._south) / self._height)
        points, targets = [], []
        for step in range(int(np.ceil(2 * reach / self._height)) + 1):
            strip = lowest + step
            bottom = self._south + strip * self._height
            gap = np.maximum(np.maximum(bottom - y, y - bottom - self._height), 0)
            some = np.flatnonzero((gap <= reach) & (strip >= 0) & (strip < self._strips))
            # A hair more than the chord, so that rounding loses no target on its end.
            half = np.sqrt(reach**2 - gap[some] ** 2) + 1e-6 * reach
            start_of_strip = strip[some] * self._stride
            place = np.clip(x[some] - self._west, -2 * reach, self._stride)
            first = np.searchsorted(self._key, start_of_strip + np.maximum(place - half, -reach))
            last = np.searchsorted(self._key, start_of_strip + np.minimum(place + half, self._stride - reach), "right")
            runs = np.maximum(last - first, 0)
            before = np.cumsum(runs) - runs
            points.append(np.repeat(some, runs))
            targets.append(np.repeat(first - before, runs) + np.arange(runs.sum()))
        point, target = np.concatenate(points), np.concatenate(targets)
        squared: Floats = (x[point] - self._x[target]) ** 2 + (y[point] - self._y[target]) ** 2
        return point, target, squared
