"""Which area each point lies in, for millions of points at once."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    import geopandas as gpd

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]

NOWHERE = -1


def assign_points(easting: Floats, northing: Floats, areas: "gpd.GeoDataFrame") -> Indices:
    """The row of `areas` that each point lies in, -1 where none.

    `easting`, `northing` and `areas` share one CRS. A point on a border belongs to the first of the areas that
    share it, so that it is counted once and always in the same one. Points are sorted once so that each polygon
    looks only at those within its own bounding box.
    """
    import shapely

    order = np.argsort(easting, kind="stable")
    x, y = easting[order], northing[order]
    found = np.full(len(x), NOWHERE, dtype=np.int32)
    polygons = areas.geometry.to_numpy()
    shapely.prepare(polygons)
    west, south, east, north = shapely.bounds(polygons).T
    starts, ends = np.searchsorted(x, west, "left"), np.searchsorted(x, east, "right")
    for row in np.flatnonzero(starts < ends):
        first, last = starts[row], ends[row]
        near = first + np.flatnonzero(
            (found[first:last] == NOWHERE) & (y[first:last] >= south[row]) & (y[first:last] <= north[row])
        )
        if len(near):
            found[near[shapely.intersects_xy(polygons[row], x[near], y[near])]] = row
    result = np.empty_like(found)
    result[order] = found
    return result


class PointIndex:
    """Remembers where points were found, since published incidents share a few thousand snap points.

    Keyed by longitude and latitude as published, so equal points are reprojected and looked up once.
    """

    def __init__(self, layers: "Mapping[str, gpd.GeoDataFrame]") -> None:
        from pyproj import Transformer

        self._layers = dict(layers)
        self._to_grid = Transformer.from_crs("EPSG:4326", "EPSG:27700", always_xy=True)
        self._known = pd.Index([], dtype=np.complex128)
        self._grid = np.empty((0, 2))
        self._rows = np.empty((0, len(self._layers)), dtype=np.int32)

    def locate(self, longitude: Floats, latitude: Floats) -> tuple[Floats, Floats, dict[str, Indices]]:
        """Easting and northing (metres) of WGS84 points and, per layer, the row of the area each lies in (or -1).

        Both are NaN where the grid has no place for a point, on the other side of the world.
        """
        inverse, unique = pd.factorize(pd.Index(longitude + 1j * latitude))
        slots = self._known.get_indexer(unique)
        if (slots < 0).any():
            self._learn(unique[slots < 0])
            slots = self._known.get_indexer(unique)
        at = slots[inverse]
        rows = {key: self._rows[at, number] for number, key in enumerate(self._layers)}
        return self._grid[at, 0], self._grid[at, 1], rows

    def _learn(self, points: "pd.Index[complex]") -> None:
        degrees = points.to_numpy()
        easting, northing = self._to_grid.transform(degrees.real, degrees.imag)
        grid = np.column_stack([easting, northing])
        grid[~np.isfinite(grid).all(axis=1)] = np.nan
        rows = np.column_stack([assign_points(grid[:, 0], grid[:, 1], areas) for areas in self._layers.values()])
        self._known = self._known.append(points)
        self._grid = np.concatenate([self._grid, grid])
        self._rows = np.concatenate([self._rows, rows])
