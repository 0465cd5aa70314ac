"""The boundary file that the browser draws a layer from."""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    from pyproj import Transformer
    from shapely.geometry import MultiPolygon, Polygon
    from shapely.geometry.base import BaseGeometry

# Five decimals of a degree are 1.1 m north to south and 0.7 m east to west at the latitude of Luton.
DECIMALS = 5


def write_layer(frame: "gpd.GeoDataFrame", path: Path) -> None:
    """Write a layer for the browser, as `encode_layer` has it."""
    path.write_bytes(encode_layer(frame))


def encode_layer(frame: "gpd.GeoDataFrame", *, tolerance: float = 5.0) -> bytes:
    """A layer as small GeoJSON in WGS84: the same bytes for the same frame.

    `frame` is in EPSG:27700 with the columns code, name and geometry (polygons). Boundaries are simplified as a
    coverage, so that neighbours keep exactly the same line between them and no gap opens: corners that span a
    triangle of less than `tolerance` squared (metres) go (Visvalingam & Whyatt 1993, `shapely.coverage_simplify`).
    Each feature carries its code, its name and `label`, the point [longitude, latitude] that lies farthest inside
    its largest part.

    Raises ValueError where the frame is in another CRS, or an area has no polygon.
    """
    import shapely

    if frame.crs is None or frame.crs.to_epsg() != 27700:
        raise ValueError(f"a layer is drawn from a frame in EPSG:27700, got {frame.crs}")
    to_degrees = _find_transformer()

    def project(points: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        import numpy as np

        return np.column_stack(to_degrees.transform(points[:, 0], points[:, 1])).round(DECIMALS)

    shapes = shapely.coverage_simplify(frame.geometry.to_numpy(), tolerance)
    features = [
        {
            "type": "Feature",
            "properties": {"code": code, "name": name, "label": _label_point(whole, code, project)},
            "geometry": {"type": "MultiPolygon", "coordinates": _coordinates(shape, project)},
        }
        for code, name, whole, shape in zip(frame["code"], frame["name"], frame.geometry, shapes, strict=True)
    ]
    collection = {"type": "FeatureCollection", "features": features}
    return json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode()


def _polygons(shape: "BaseGeometry | None") -> "list[Polygon]":
    """The polygons of a geometry; lines and points that a repair left over are not drawn."""
    if shape is None or shape.is_empty:
        return []
    if shape.geom_type == "Polygon":
        return [shape]  # type: ignore[list-item]
    collection: MultiPolygon = shape  # type: ignore[assignment]
    return [part for part in collection.geoms if part.geom_type == "Polygon"]


def _label_point(shape: "BaseGeometry | None", code: str, project: Any) -> list[float]:
    """The centre of the largest circle that fits into the area's largest part, as [longitude, latitude]."""
    import shapely

    parts = _polygons(shape)
    if not parts:
        raise ValueError(f"area {code} has no polygon to draw")
    largest = max(parts, key=lambda part: part.area)
    radius = shapely.maximum_inscribed_circle(largest, tolerance=1.0)
    point: list[float] = project(shapely.get_coordinates(radius)[:1])[0].tolist()
    return point


def _coordinates(shape: "BaseGeometry", project: Any) -> list[list[list[list[float]]]]:
    return [
        [_ring(ring.coords, project) for ring in (polygon.exterior, *polygon.interiors)] for polygon in _polygons(shape)
    ]


def _ring(coords: Any, project: Any) -> list[list[float]]:
    """One ring in degrees, without the repeated points that rounding makes."""
    import numpy as np

    points = project(np.asarray(coords)[:, :2])
    moved = np.any(points[1:] != points[:-1], axis=1)
    ring: list[list[float]] = points[np.concatenate([[True], moved])].tolist()
    return ring


@cache
def _find_transformer() -> "Transformer":
    """From the national grid to longitude and latitude; it takes a fifth of a second to look up."""
    from pyproj import Transformer

    return Transformer.from_crs(27700, 4326, always_xy=True)
