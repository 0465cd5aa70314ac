"""What hotspots are found in: the cells of a partnership with their neighbours, names and residents, and its points."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.hotspots import (
    Cells,
    Neighbours,
    Raster,
    Shape,
    find_neighbours,
    grid,
    lay_raster,
    own_units,
    spread_residents,
)
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.selection import Selection

if TYPE_CHECKING:
    import geopandas as gpd

SHAPES: dict[Shape, str] = {"hexagon": "Hexagons", "square": "Squares"}


@dataclass(frozen=True)
class CellChoice:
    """What incidents are counted in: a grid, of cells so many metres wide (None: by rule), or the areas of a level."""

    shape: Shape = "hexagon"
    width: float | None = None
    level: str | None = None


BY_RULE = CellChoice()


@dataclass(frozen=True, eq=False)
class Recorded:
    """Incidents inside the partnership by point, month and crime type, over all that is loaded.

    `points` has easting, northing, month, crime_type and count, in the order of the months. `snapped` is whether
    any of them are data.police.uk's, moved to a fixed list of places. Not to be changed.
    """

    points: pd.DataFrame
    months: tuple[Month, ...]
    snapped: bool

    def of(self, types: Sequence[str]) -> "Recorded":
        """Those of some crime types."""
        chosen = self.points["crime_type"].isin(types).to_numpy()
        return self if chosen.all() else Recorded(self.points[chosen], self.months, self.snapped)

    def during(self, span: Span) -> pd.DataFrame:
        """The points of a span."""
        first, end = (int(np.searchsorted(self._months, str(month))) for month in (span.first, span.last + 1))
        return self.points.iloc[first:end]

    def loaded(self, span: Span) -> list[Month]:
        """The months of a span that are loaded."""
        return [month for month in self.months if month in span]

    def missing(self, span: Span) -> list[Month]:
        """The months of a span that are not loaded."""
        held = set(self.months)
        return [month for month in span if month not in held]

    @cached_property
    def _months(self) -> NDArray[Any]:
        return self.points["month"].to_numpy(dtype="U7")


@dataclass(frozen=True, eq=False)
class Ground:
    """Cells over a partnership and what is known of them; worked out once, shared, and not to be changed.

    `boundary` is the partnership's boundary layer.
    """

    query: Query = field(repr=False)
    boundary: "gpd.GeoDataFrame" = field(repr=False)
    cells: Cells
    neighbours: Neighbours

    @cached_property
    def names(self) -> list[str]:
        """What to call each cell: its own name, or that of the area of the boundary layer that its middle lies in."""
        import shapely

        if self.cells.lattice is None:
            return list(self.cells.frame["name"])
        tree = shapely.STRtree(self.boundary.geometry.to_numpy())
        names = self.boundary["name"].tolist()
        return [names[number] for number in np.asarray(tree.nearest(shapely.points(*self.cells.centres)))]

    @cached_property
    def middles(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A point (easting, northing) in each cell: its centre of gravity, where that lies in it."""
        import shapely

        x, y = (values.copy() for values in self.cells.centres)
        strays = np.flatnonzero(self.cells.find(x, y) != np.arange(len(self.cells)))
        inside = shapely.point_on_surface(self.cells.frame.geometry.to_numpy()[strays])
        x[strays], y[strays] = shapely.get_x(inside), shapely.get_y(inside)
        return x, y

    @cached_property
    def residents(self) -> pd.Series:
        """Residents of each cell, by code, split by area from the areas that they are published for."""
        item = self.query.store.partnership.denominators[0]
        held = self.query.read_denominators(item.layer)
        values = held[held["denominator"] == item.key].set_index("code")["value"]
        areas = self.query.store.read_layer(item.layer)
        areas = areas.assign(residents=values.reindex(areas["code"]).to_numpy(dtype=float))
        return spread_residents(areas, self.cells, "residents")

    @cached_property
    def streets(self) -> pd.DataFrame:
        """The name of the street at each point, that of most incidents: easting, northing, location."""
        whole = select_all(self.query)
        named = self.query.count_points(whole, by=("location",)).dropna(subset=["location"])
        ranked = named.sort_values("count", ascending=False, kind="stable")
        return ranked.drop_duplicates(["easting", "northing"])[["easting", "northing", "location"]]

    def lay_pixels(self, number: int) -> Raster:
        """The pixels of a picture, so many on its longer side; laid once."""
        if number not in self._rasters:
            self._rasters[number] = lay_raster(self.cells, pixels=number)
        return self._rasters[number]

    @cached_property
    def _rasters(self) -> dict[int, Raster]:
        return {}


def select_all(query: Query) -> Selection:
    """Everything that is loaded, counted in the boundary layer."""
    store = query.store
    return Selection(span=Span(store.months[0], store.months[-1]), level=store.partnership.boundary)


def read_points(query: Query) -> Recorded:
    """All incidents inside the partnership."""
    points = query.count_points(select_all(query), by=("month", "crime_type"))
    snapped = any(source.format == "police.uk" for source in query.store.partnership.incidents)
    return Recorded(points.sort_values("month", kind="stable", ignore_index=True), query.store.months, snapped)


def lay_ground(query: Query, recorded: Recorded, choice: CellChoice) -> Ground:
    """The cells of a choice; `recorded` is everything, so that their width by rule is the same for every crime.

    Raises UserError where a width makes no sense, SelectionError where the level is not held.
    """
    store = query.store
    boundary = store.read_layer(store.partnership.boundary)
    if choice.level is not None:
        layer = store.partnership.find_layer(choice.level)
        cells = own_units(store.read_layer(layer.key), plural=layer.plural)
    else:
        cells = grid(boundary, choice.width, choice.shape, locations=recorded.points)
    return Ground(query, boundary, cells, find_neighbours(cells))
