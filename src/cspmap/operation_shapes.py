"""Areas of operations on the ground: units of a store's levels and drawn outlines as shapes, and what lies in them."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cspmap.analysis.areal import WORKING_CRS
from cspmap.assign import assign_points
from cspmap.errors import UserError, quote_briefly
from cspmap.operations import Area, Outline, Units
from cspmap.query import Query

if TYPE_CHECKING:
    import geopandas as gpd

_WGS84 = 4326
# Degrees to seven decimals are a centimetre.
_DECIMALS = 7


def draw_area(query: Query, area: Area) -> Any:
    """An area as one shape in EPSG:27700.

    Raises UserError where the store does not hold its units, or the outline lies outside the partnership.
    """
    import shapely

    if isinstance(area, Units):
        return shapely.union_all(_find_units(query, area).geometry.to_numpy())
    import geopandas as gpd

    polygons = [shapely.Polygon(rings[0], rings[1:]) for rings in area.polygons]
    shape = gpd.GeoSeries([shapely.union_all(polygons)], crs=_WGS84).to_crs(WORKING_CRS).iloc[0]
    boundary = query.store.read_layer(query.store.partnership.boundary)
    if not np.isfinite(shape.area) or not boundary.geometry.intersects(shape).any():
        place = query.store.partnership.place
        raise UserError(f"The outline lies outside {place}, so that nothing is counted in it; draw another.")
    return shape


def find_points(query: Query, area: Area, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points (metres in EPSG:27700) lie in an area. Raises UserError as `draw_area` does.

    Units share a point on their border as everywhere else: it belongs to the first of them.
    """
    import shapely

    if isinstance(area, Units):
        _find_units(query, area)
        layer = query.store.read_layer(query.store.counted_level(area.level))
        inside = np.append(layer["code"].isin(area.codes).to_numpy(), False)
        return np.asarray(inside[assign_points(x, y, layer)])
    shape = draw_area(query, area)
    shapely.prepare(shape)
    return np.asarray(shapely.intersects_xy(shape, x, y))


def _find_units(query: Query, units: Units) -> "gpd.GeoDataFrame":
    query.store.partnership.find_layer(units.level)
    layer = query.store.read_layer(query.store.counted_level(units.level))
    absent = sorted(set(units.codes) - set(layer["code"]))
    if absent:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise UserError(
            f"The store has no area {quote_briefly(absent[0])}{more} on the level {units.level}; choose others, or "
            "open the store that the operation was made with."
        )
    return layer[layer["code"].isin(units.codes)]


def frame_shape(shape: Any) -> "gpd.GeoDataFrame":
    """One shape in EPSG:27700 as a frame."""
    import geopandas as gpd

    return gpd.GeoDataFrame(geometry=[shape], crs=WORKING_CRS)


def outline_shape(shape: Any) -> Outline:
    """A shape in EPSG:27700 as an outline in longitude and latitude."""
    import geopandas as gpd
    import shapely

    degrees = gpd.GeoSeries([shape], crs=WORKING_CRS).to_crs(_WGS84).iloc[0]
    polygons = [part for part in shapely.get_parts(degrees) if part.geom_type == "Polygon"]
    return Outline(
        tuple(
            tuple(
                tuple((round(x, _DECIMALS), round(y, _DECIMALS)) for x, y in ring.coords)
                for ring in (polygon.exterior, *polygon.interiors)
            )
            for polygon in polygons
        )
    )
