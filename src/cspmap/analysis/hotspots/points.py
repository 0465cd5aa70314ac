"""Incidents as points: unique locations with how many incidents each has, and the cells that they lie in."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.hotspots.cells import NOWHERE, Cells
from cspmap.analysis.measures import Floats, as_floats
from cspmap.errors import UserError


@dataclass(frozen=True, eq=False)
class Placed:
    """The distinct locations of incidents inside the partnership, in an order that does not depend on the input's.

    `x` and `y` are easting and northing in metres, `count` the incidents at each location, `cell` the row of the
    cell it lies in. `outside` counts incidents that lie in no cell, `unlocated` those without a position.
    """

    x: Floats
    y: Floats
    count: Floats
    cell: NDArray[np.int64]
    outside: float
    unlocated: float

    @property
    def total(self) -> float:
        """Incidents inside the partnership."""
        return float(self.count.sum())


def place_points(points: pd.DataFrame, cells: Cells) -> Placed:
    """Gather incidents by location and find the cell of each.

    `points` has columns easting and northing (metres in EPSG:27700, missing where there is no position) and may
    have a column count of incidents a row, which is 1 without it. A point outside every cell, however far, changes
    nothing but `outside`. Raises UserError where a column is absent or a count is missing or negative.
    """
    x, y, count = _read_points(points)
    located = np.isfinite(x) & np.isfinite(y)
    unlocated = float(count[~located].sum())
    spots, which = np.unique(x[located] + 1j * y[located], return_inverse=True)
    counts = np.bincount(which, weights=count[located], minlength=len(spots)).astype(np.float64)
    cell = cells.find(spots.real.copy(), spots.imag.copy())
    inside = cell != NOWHERE
    return Placed(
        x=spots.real[inside],
        y=spots.imag[inside],
        count=counts[inside],
        cell=cell[inside],
        outside=float(counts[~inside].sum()),
        unlocated=unlocated,
    )


def count_points(points: pd.DataFrame, cells: Cells) -> pd.Series:
    """Incidents in each cell, by its code, in the order of the cells; `points` as in `place_points`."""
    placed = place_points(points, cells)
    return pd.Series(count_cells(placed, cells), index=cells.codes, name="count")


def count_cells(placed: Placed, cells: Cells) -> Floats:
    """Incidents in each cell, in the order of the cells."""
    return np.bincount(placed.cell, weights=placed.count, minlength=len(cells)).astype(np.float64)


def _read_points(points: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    for column in ("easting", "northing"):
        if column not in points:
            raise UserError(f"The points have no column {column!r}; give their positions in metres.")
    count = as_floats(points["count"]) if "count" in points else np.ones(len(points))
    if not (np.isfinite(count) & (count >= 0)).all():
        raise UserError("A location's count of incidents is missing or below zero; give each its number.")
    return as_floats(points["easting"]), as_floats(points["northing"]), count
