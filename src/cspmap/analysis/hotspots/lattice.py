"""Regular cells that cover the plane: squares, or hexagons in rows, laid from the origin of the national grid."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cspmap.analysis.measures import Floats

Shape: TypeAlias = Literal["hexagon", "square"]
Whole: TypeAlias = NDArray[np.int64]

_ROOT3 = float(np.sqrt(3.0))


@dataclass(frozen=True)
class Lattice:
    """Cells by row (from south to north) and column (from west to east).

    `cell` is the distance in metres between the centres of neighbours in a row: the side of a square, the width of
    a hexagon between its opposite upright sides. Rows of hexagons with an odd number are half a cell further east.
    """

    shape: Shape
    cell: float

    @property
    def height(self) -> float:
        """Metres between the centres of one row and the next."""
        return self.cell if self.shape == "square" else self.cell * _ROOT3 / 2

    @property
    def area(self) -> float:
        """Square metres of a whole cell."""
        return self.cell * self.height

    def centres(self, row: Whole, column: Whole) -> tuple[Floats, Floats]:
        """Easting and northing of cells' centres."""
        shift = 0.5 if self.shape == "square" else 0.5 * (row % 2)
        east: Floats = (column + shift) * self.cell
        north: Floats = (row + np.float64(0.5)) * self.height
        return east, north

    def find(self, x: Floats, y: Floats) -> tuple[Whole, Whole]:
        """Row and column of the cell that each point (easting, northing in metres) lies in."""
        if self.shape == "square":
            return np.floor(y / self.cell).astype(np.int64), np.floor(x / self.cell).astype(np.int64)
        # A point lies in the hexagon whose centre is nearest, which is in one of the two rows on either side of it.
        below = np.floor(y / self.height - 0.5).astype(np.int64)
        choices = []
        for row in (below, below + 1):
            column = np.rint(x / self.cell - 0.5 * (row % 2)).astype(np.int64)
            east, north = self.centres(row, column)
            choices.append((row, column, (east - x) ** 2 + (north - y) ** 2))
        lower, upper = choices
        nearer = upper[2] < lower[2]
        return np.where(nearer, upper[0], lower[0]), np.where(nearer, upper[1], lower[1])

    def cover(self, bounds: tuple[float, float, float, float]) -> tuple[Whole, Whole]:
        """Rows and columns of all cells that can touch a rectangle (west, south, east, north), row by row."""
        west, south, east, north = bounds
        rows = np.arange(int(south // self.height) - 1, int(north // self.height) + 2)
        columns = np.arange(int(west // self.cell) - 1, int(east // self.cell) + 2)
        row, column = np.meshgrid(rows, columns, indexing="ij")
        return row.ravel(), column.ravel()

    def outlines(self, row: Whole, column: Whole) -> NDArray[Any]:
        """The cells as polygons."""
        import shapely

        # Counted in whole parts of a cell, a corner comes out the same to the last digit for all that share it, so
        # that outlines meet without a gap.
        if self.shape == "square":
            across, up = 2 * column + 1, 2 * row + 1
            east, north, part = np.array([1, 1, -1, -1]), np.array([-1, 1, 1, -1]), self.height / 2
        else:
            across, up = 2 * column + row % 2, 6 * row + 3
            east, north, part = np.array([0, 1, 1, 0, -1, -1]), np.array([4, 2, -2, -4, -2, 2]), self.height / 6
        corners = np.stack(
            [(across[:, None] + east) * (self.cell / 2), (up[:, None] + north) * part], axis=-1, dtype=np.float64
        )
        return np.asarray(shapely.polygons(corners))

    def around(self, row: Whole, column: Whole) -> list[tuple[Whole, Whole]]:
        """Row and column of every cell that touches each of these: six of a hexagon, eight of a square."""
        if self.shape == "square":
            steps = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if (r, c) != (0, 0)]
            return [(row + r, column + c) for r, c in steps]
        odd = row % 2
        beside = [(row, column - 1), (row, column + 1)]
        return beside + [(row + r, column + odd - c) for r in (-1, 1) for c in (0, 1)]
