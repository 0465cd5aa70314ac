"""The cells that incidents are counted in: a grid clipped to the partnership, or the partnership's own units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.areal import WORKING_CRS
from cspmap.analysis.hotspots.lattice import Lattice, Shape, Whole
from cspmap.analysis.hotspots.layer import format_metres
from cspmap.analysis.measures import Floats, as_floats
from cspmap.analysis.snapping import RENEWED
from cspmap.errors import UserError

if TYPE_CHECKING:
    import geopandas as gpd

NOWHERE = -1

# What the codes of cells start with.
_PREFIXES: dict[Shape, str] = {"hexagon": "hex", "square": "sq"}

# A cell by rule: metres, and the step it is rounded to.
SMALLEST, LARGEST, STEP = 100, 1_000, 50
# More cells than anyone could look at; a smaller cell is a slip of the finger.
MOST_CELLS = 250_000
# Less of a cell than this, in m², is a rounding of coordinates.
_SLIVER = 1.0


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells without overlap, in a fixed order.

    `frame`: GeoDataFrame in EPSG:27700 with code, name, area (m²) and geometry, index 0..n-1. `boundary` is what
    they cover together. `words` names them with their size, to stand inside a sentence; `rule` is a sentence on how
    the size came about, empty for own units. `lattice` and the cells' `row` and `column` in it are those of a grid;
    None where the cells are own units.
    """

    frame: gpd.GeoDataFrame
    boundary: Any
    words: str
    rule: str = ""
    lattice: Lattice | None = None
    row: Whole | None = None
    column: Whole | None = None

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def codes(self) -> pd.Index:
        """The cells' codes."""
        codes: pd.Index = pd.Index(self.frame["code"], name="code")
        return codes

    @cached_property
    def area(self) -> Floats:
        """The cells' areas within the partnership, m²."""
        return as_floats(self.frame["area"])

    @cached_property
    def centres(self) -> tuple[Floats, Floats]:
        """Easting and northing of each clipped cell's centre of gravity, metres."""
        import shapely

        centroids = shapely.centroid(self.frame.geometry.to_numpy())
        return shapely.get_x(centroids), shapely.get_y(centroids)

    @cached_property
    def size(self) -> float:
        """Metres across a typical cell: that of the lattice, or the root of the mean area."""
        return self.lattice.cell if self.lattice else float(np.sqrt(self.area.mean()))

    def find(self, x: Floats, y: Floats) -> NDArray[np.int64]:
        """The cell that each point (easting, northing, metres) lies in, -1 where it lies in none."""
        return self._find_by_outline(x, y) if self.lattice is None else self._find_by_row(x, y)

    def look_up(self, row: Whole, column: Whole) -> NDArray[np.int64]:
        """The cells of a grid by row and column, -1 where the partnership has none there."""
        top, left, table = self._table
        down, along = row - top, column - left
        there = (down >= 0) & (down < table.shape[0]) & (along >= 0) & (along < table.shape[1])
        return np.where(there, table[np.where(there, down, 0), np.where(there, along, 0)], NOWHERE)

    @cached_property
    def _table(self) -> tuple[int, int, NDArray[np.int64]]:
        assert self.row is not None
        assert self.column is not None
        top, left = int(self.row.min()), int(self.column.min())
        table = np.full((int(self.row.max()) - top + 1, int(self.column.max()) - left + 1), NOWHERE, dtype=np.int64)
        table[self.row - top, self.column - left] = np.arange(len(self))
        return top, left, table

    @cached_property
    def _clipped(self) -> NDArray[np.bool_]:
        assert self.lattice is not None
        return self.area < self.lattice.area * (1 - 1e-9)

    def _find_by_row(self, x: Floats, y: Floats) -> NDArray[np.int64]:
        import shapely

        assert self.lattice is not None
        found = self.look_up(*self.lattice.find(x, y))
        # A whole cell holds whatever falls in it; of a clipped one the part outside the partnership does not count.
        doubtful = np.flatnonzero((found != NOWHERE) & self._clipped[found])
        shapes = self.frame.geometry.to_numpy()[found[doubtful]]
        found[doubtful[~shapely.intersects_xy(shapes, x[doubtful], y[doubtful])]] = NOWHERE
        return found

    def _find_by_outline(self, x: Floats, y: Floats) -> NDArray[np.int64]:
        import shapely

        found = np.full(len(x), NOWHERE, dtype=np.int64)
        tree = shapely.STRtree(self.frame.geometry.to_numpy())
        points, areas = tree.query(shapely.points(x, y), predicate="intersects")
        # On a shared border the first of the areas counts, so it is written last.
        order = np.argsort(-areas, kind="stable")
        found[points[order]] = areas[order]
        return found


def grid(
    boundary: gpd.GeoDataFrame,
    cell: float | None = None,
    shape: Shape = "hexagon",
    *,
    locations: pd.DataFrame | None = None,
) -> Cells:
    """Hexagons or squares over a partnership, each clipped to it.

    `boundary` holds the partnership's areas or outline (EPSG:27700), whose union counts, not their hull. `cell` is
    the width in metres: of a square its side, of a hexagon the distance between opposite sides, which is that
    between the centres of neighbours; without it, it is chosen by `choose_cell` from `locations`. Cells are laid
    from the origin of the national grid, so a cell's code (its shape, width, and the easting and northing of its
    centre before clipping) is the same for any boundary.

    Raises UserError where the boundary is empty or not in EPSG:27700, or the cell is no sensible width.
    """
    import geopandas as gpd
    import shapely

    outline = _unite(boundary)
    if cell is None:
        if locations is None:
            raise ValueError("grid needs a cell width, or the locations to choose one by")
        cell, rule = _choose_cell(outline, locations, shape)
    else:
        rule = "Their width is as chosen."
    lattice = Lattice(shape, _check_cell(cell, outline))
    row, column = lattice.cover(outline.bounds)
    whole = lattice.outlines(row, column)
    shapely.prepare(outline)
    near = shapely.intersects(outline, whole)
    row, column, whole = row[near], column[near], whole[near]
    within = shapely.contains_properly(outline, whole)
    clipped = whole.copy()
    clipped[~within] = [_keep_areas(shape) for shape in shapely.intersection(whole[~within], outline)]
    # Whole cells have one area to the last digit, so that equal counts in them are equal densities.
    area = np.where(within, lattice.area, shapely.area(clipped))
    kept = area > min(_SLIVER, lattice.area / 2)
    if not kept.any():
        raise UserError("The boundary has no extent; name a layer whose areas cover the partnership.")
    row, column, clipped, area = row[kept], column[kept], clipped[kept], area[kept]
    east, north = (np.rint(centre).astype(np.int64) for centre in lattice.centres(row, column))
    frame = gpd.GeoDataFrame(
        {
            "code": [f"{_PREFIXES[shape]}{cell:g}-{e}-{n}" for e, n in zip(east, north, strict=True)],
            "name": [f"{shape.capitalize()} at {e}, {n}" for e, n in zip(east, north, strict=True)],
            "area": area,
        },
        geometry=clipped,
        crs=WORKING_CRS,
    )
    return Cells(frame, outline, f"{shape}s of {format_metres(cell)}", rule, lattice, row, column)


def own_units(areas: gpd.GeoDataFrame, *, plural: str) -> Cells:
    """The partnership's own units, such as its LSOAs, as cells: areas with code, name and geometry in EPSG:27700.

    `plural` is what they are called, to be used in sentences. Raises UserError where there are none.
    """
    outline = _unite(areas)
    frame = areas[["code", "name", "geometry"]].reset_index(drop=True)
    frame.insert(2, "area", frame.area)
    empty = frame["code"][~(frame["area"] > 0)]
    if len(empty):
        raise UserError(f"Area {empty.iloc[0]} of the {plural} has no extent; repair or remove it.")
    return Cells(frame, outline, plural)


def choose_cell(boundary: gpd.GeoDataFrame, locations: pd.DataFrame, shape: Shape = "hexagon") -> tuple[float, str]:
    """The width of a cell by rule, in metres, and the rule in a sentence.

    A cell covers `2 A / n`, for a partnership of area A with n distinct locations in it, so that it holds two of
    them on average: published incidents lie on a fixed list of points, and smaller cells would map the list. The
    width is rounded to 50 m and kept between 100 m and 1,000 m. `locations` has columns easting and northing
    (metres) and one row or more for each location; where it has a column month too ("YYYY-MM"), the lists of points
    from before and after July 2022 are counted apart and the longer one is taken.

    Source: the quadrat size of twice the mean area a point, Wong, D. W. S. and Lee, J. (2005), "Statistical
    Analysis of Geographic Information with ArcView GIS and ArcGIS", on quadrat analysis; n counts locations here,
    not incidents.
    """
    return _choose_cell(_unite(boundary), locations, shape)


def _choose_cell(outline: Any, locations: pd.DataFrame, shape: Shape) -> tuple[float, str]:
    import shapely

    shapely.prepare(outline)
    renewed = locations["month"] >= str(RENEWED) if "month" in locations else pd.Series(True, index=locations.index)
    counts = []
    for part in (locations[renewed], locations[~renewed]):
        distinct = part[["easting", "northing"]].drop_duplicates().dropna()
        counts.append(int(shapely.intersects_xy(outline, distinct["easting"], distinct["northing"]).sum()))
    number = max(counts)
    area = 2 * outline.area / max(number, 1)
    width = float(np.sqrt(area / Lattice(shape, 1.0).area))
    chosen = float(np.clip(STEP * round(width / STEP), SMALLEST, LARGEST))
    if number < 2:
        return chosen, "Their width is the greatest by rule, as there are fewer than two locations."
    limit = "" if SMALLEST <= width <= LARGEST else f", as near as {SMALLEST} m to {LARGEST:,} m allow"
    return chosen, f"Their width is such that one holds two of the {number:,} locations on average{limit}."


def _unite(areas: gpd.GeoDataFrame) -> Any:
    """The outline of areas together. Raises UserError where there is nothing to unite."""
    if areas.crs is None or areas.crs.to_epsg() != WORKING_CRS:
        got = "none" if areas.crs is None else areas.crs.name
        raise UserError(f"The boundary must be in metres (EPSG:{WORKING_CRS}), got {got}; reproject it first.")
    outline = areas.union_all()
    if outline is None or outline.is_empty or not outline.area > 0:
        raise UserError("The boundary has no extent; name a layer whose areas cover the partnership.")
    return outline


def _keep_areas(shape: Any) -> Any:
    """What has an extent of a clipped cell: where an outline runs along its side, a bare line is left over too."""
    import shapely

    if shape.geom_type != "GeometryCollection":
        return shape
    return shapely.union_all([part for part in shape.geoms if part.area > 0])


def _check_cell(cell: float, outline: Any) -> float:
    if not (np.isfinite(cell) and cell >= 1):
        raise UserError(f"A cell cannot be {cell:g} m wide; choose a width of 1 m or more.")
    west, south, east, north = outline.bounds
    if (east - west) * (north - south) / cell**2 > MOST_CELLS:
        least = np.sqrt((east - west) * (north - south) / MOST_CELLS)
        raise UserError(
            f"Cells of {cell:g} m would be more than {MOST_CELLS:,}; choose a width of {np.ceil(least):,.0f} m or more."
        )
    return float(cell)
