"""Geometries of the national grid in degrees, as a browser and GeoJSON want them."""

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cspmap.views.boundaries import DECIMALS

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


def to_degrees(shapes: Any) -> NDArray[Any]:
    """An array of geometries in EPSG:27700 as WGS84, rounded to about a metre."""
    import shapely

    def project(points: Any) -> Any:
        return np.column_stack(_find_transformer().transform(points[:, 0], points[:, 1])).round(DECIMALS)

    return np.asarray(shapely.transform(np.asarray(shapes, dtype=object), project))


@cache
def _find_transformer() -> Any:
    """Kept, as making it takes longer than all that it does for a map."""
    from pyproj import Transformer

    return Transformer.from_crs(27700, 4326, always_xy=True)


def as_geojson(shape: "BaseGeometry") -> dict[str, Any]:
    """A geometry in degrees as GeoJSON's."""
    from shapely.geometry import mapping

    geometry: dict[str, Any] = mapping(shape)
    return geometry
