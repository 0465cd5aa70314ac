"""Outlines that come in from a drawing, a text, a file or another page, as shapes on the national grid."""

import json
import math
from collections.abc import Mapping
from typing import Any

from cspmap.errors import UserError
from cspmap.operations import read_outline

_WIDEST_METRES = 100_000.0
_CANNOT = "The drawing cannot be read; draw it again."


def read_drawing(drawn: Mapping[str, Any]) -> Any:
    """What the map's tools send, a GeoJSON Polygon or a Circle of `centre` and `metres`, as a shape in EPSG:27700.

    Raises UserError where it is neither, or crosses itself.
    """
    if drawn.get("type") != "Circle":
        return read_text(json.dumps(dict(drawn)), name="The drawing")
    import shapely
    from pyproj import Transformer

    centre, metres = drawn.get("centre"), drawn.get("metres")
    numbers = [*centre, metres] if isinstance(centre, list) and len(centre) == 2 else []
    if not numbers or not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise UserError(_CANNOT)
    longitude, latitude, radius = map(float, numbers)
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90 and 0 < radius <= _WIDEST_METRES):
        raise UserError(_CANNOT)
    east, north = Transformer.from_crs(4326, 27700, always_xy=True).transform(longitude, latitude)
    if not (math.isfinite(east) and math.isfinite(north)):
        raise UserError(_CANNOT)
    return shapely.Point(east, north).buffer(radius, quad_segs=32)


def read_text(text: str | bytes, *, name: str) -> Any:
    """All polygons of a GeoJSON text as one shape in EPSG:27700.

    Raises SourceError with every fault, which call the text `name`.
    """
    import geopandas as gpd
    import shapely

    outline = read_outline(text, name=name)
    polygons = [shapely.Polygon(rings[0], rings[1:]) for rings in outline.polygons]
    return gpd.GeoSeries([shapely.union_all(polygons)], crs=4326).to_crs(27700).iloc[0]
