"""Operations as a GeoJSON FeatureCollection (RFC 7946) and back, exactly; and an outline out of anybody's GeoJSON.

A feature's geometry is the operation's outline and its properties are all the rest. An operation made of units names
them in its properties; a geometry may be lent to it for other programs to draw, and is not read back.
"""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from cspmap.errors import Problem, SourceError
from cspmap.operations.checks import find_area_faults, find_faults
from cspmap.operations.document import decode_value, encode_value
from cspmap.operations.operation import Operation, Outline, Polygon, Position, Ring, is_identifier

_WGS84 = ("CRS84", "4326")
_FIX_FILE = "save it as a GeoJSON FeatureCollection"


def write_geojson(operations: Iterable[Operation], *, shapes: Mapping[str, Outline] | None = None) -> str:
    """Operations as the text of a GeoJSON file that `read_geojson` reads back exactly.

    `shapes` are outlines of operations that are made of units, by identifier, for other programs to draw.
    """
    features = [_write_feature(operation, (shapes or {}).get(operation.id)) for operation in operations]
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False, allow_nan=False) for feature in features)
    return f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'


def write_outline(outline: Outline) -> dict[str, Any]:
    """An outline as a GeoJSON geometry: a Polygon, or a MultiPolygon where it has several parts."""
    polygons = [[[list(position) for position in ring] for ring in polygon] for polygon in outline.polygons]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _write_feature(operation: Operation, shape: Outline | None) -> dict[str, Any]:
    values = encode_value(operation)
    outline = shape
    if isinstance(operation.area, Outline):
        outline = operation.area
        del values["area"]
    return {
        "type": "Feature",
        "id": values.pop("id"),
        "geometry": None if outline is None else write_outline(outline),
        "properties": values,
    }


def read_geojson(text: str | bytes, *, name: str = "The file") -> tuple[Operation, ...]:
    """The operations of a GeoJSON file. Only a name is needed of each: what is absent is as in a new operation.

    Raises SourceError with every problem of the file, which the problems call `name`.
    """
    problems: list[Problem] = []
    features = _list_features(_parse(text, name), name, problems)
    found = [_read_feature(feature, f"{name}, feature {at}", problems) for at, feature in enumerate(features, 1)]
    operations = [operation for operation in found if operation is not None]
    first: dict[str, int] = {}
    for at, operation in enumerate(found, 1):
        if operation is not None and first.setdefault(operation.id, at) != at:
            place = f"{name}, feature {at}"
            problems.append(Problem(place, f"has the id of feature {first[operation.id]}", "keep one of them"))
    if problems:
        raise SourceError(problems)
    return tuple(operations)


def read_outline(text: str | bytes, *, name: str = "The file") -> Outline:
    """All the polygons of a GeoJSON geometry, feature or collection as one outline; properties are not looked at.

    Polygons that overlap or have a border in common become one; otherwise every position is kept as it is. Raises
    SourceError with every problem of the file, which the problems call `name`.
    """
    problems: list[Problem] = []
    value = _parse(text, name)
    geometries: list[Any] = [value]
    if not isinstance(value, dict) or value.get("type") not in ("Polygon", "MultiPolygon"):
        features = _list_features(value, name, problems)
        geometries = [feature.get("geometry") if isinstance(feature, dict) else None for feature in features]
    places = [name] if len(geometries) == 1 else [f"{name}, feature {at}" for at in range(1, len(geometries) + 1)]
    read = [_read_geometry(geometry, place, problems) for geometry, place in zip(geometries, places, strict=True)]
    parts = [Outline((polygon,)) for outline in read if outline for polygon in outline.polygons]
    for part in parts if parts or problems else [Outline(())]:
        problems += [Problem(name, what, fix) for what, fix in find_area_faults(part)]
    if problems:
        raise SourceError(problems)
    return _join(parts)


def _join(parts: list[Outline]) -> Outline:
    joined = Outline(tuple(polygon for part in parts for polygon in part.polygons))
    if not any(find_area_faults(joined)):
        return joined
    import shapely

    union = shapely.union_all([shapely.Polygon(part.polygons[0][0], part.polygons[0][1:]) for part in parts])
    return Outline(tuple(map(_take_polygon, shapely.get_parts(union))))


def _take_polygon(polygon: Any) -> Polygon:
    return tuple(tuple(map(tuple, ring.coords)) for ring in (polygon.exterior, *polygon.interiors))


def _parse(text: str | bytes, name: str) -> Any:
    def refuse(what: str, fix: str = _FIX_FILE) -> NoReturn:
        raise SourceError([Problem(name, what, fix)])

    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        refuse(f"is not UTF-8 text at byte {error.start + 1:,}")
    try:
        return json.loads(decoded)
    except json.JSONDecodeError as error:
        refuse(f"is not JSON at line {error.lineno:,}, column {error.colno:,} ({error.msg})")
    except RecursionError:
        refuse("holds lists within lists beyond all measure")
    except ValueError:
        refuse("holds a number of thousands of digits")


def _list_features(value: Any, name: str, problems: list[Problem]) -> list[Any]:
    if isinstance(value, dict) and value.get("type") == "Feature":
        value = {**value, "type": "FeatureCollection", "features": [value]}
    if not isinstance(value, dict) or value.get("type") != "FeatureCollection":
        problems.append(Problem(name, "is not a GeoJSON FeatureCollection", _FIX_FILE))
        return []
    # GeoJSON of before 2016 may name another system, in which the numbers mean other places.
    if value.get("crs") is not None and not _names_wgs84(value["crs"]):
        problems.append(Problem(name, "is not in longitude and latitude", "save it in WGS84 (EPSG:4326)"))
    features = value.get("features")
    if not isinstance(features, list):
        problems.append(Problem(name, "has no list of features", _FIX_FILE))
        return []
    if not features:
        problems.append(Problem(name, "has no features", "put at least one in"))
    return features


def _names_wgs84(system: Any) -> bool:
    properties = system.get("properties") if isinstance(system, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return isinstance(name, str) and name.endswith(_WGS84)


def _read_feature(feature: Any, where: str, problems: list[Problem]) -> Operation | None:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        problems.append(Problem(where, "is not a GeoJSON feature", _FIX_FILE))
        return None
    values = feature.get("properties")
    if not isinstance(values, dict):
        problems.append(Problem(where, "has no properties", "give it at least a name"))
        return None
    if isinstance(values.get("name"), str) and values["name"].strip():
        where = f'{where} ("{" ".join(values["name"].split())[:60]}")'
    before = len(problems)
    outline = None
    # Of an operation made of units a geometry is only a drawing.
    if feature.get("geometry") is not None and values.get("area") is None:
        outline = _read_geometry(feature["geometry"], where, problems)
        values = {**values, "area": encode_value(outline)}
    # Other programs number their features; what is not an identifier of ours gets a new one.
    identifier = {"id": feature["id"]} if is_identifier(feature.get("id")) else {}
    operation = decode_value(Operation, values | identifier, where=where, problems=problems)
    if operation is None or len(problems) > before:
        return None
    problems += [Problem(where, what, fix) for what, fix in find_faults(operation)]
    return operation


def _read_geometry(geometry: Any, where: str, problems: list[Problem]) -> Outline | None:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        shown = f"a {kind}" if isinstance(kind, str) else "nothing that can be read"
        problems.append(Problem(where, f"its geometry is {shown}", "draw a polygon"))
        return None
    coordinates = geometry.get("coordinates")
    try:
        return Outline(tuple(map(_read_polygon, coordinates if kind == "MultiPolygon" else [coordinates])))
    except (TypeError, ValueError, OverflowError):
        problems.append(Problem(where, "its geometry has coordinates that are no polygon's", "draw a polygon"))
        return None


def _read_polygon(value: Any) -> Polygon:
    return tuple(map(_read_ring, _as_list(value)))


def _read_ring(value: Any) -> Ring:
    return tuple(map(_read_position, _as_list(value)))


def _read_position(value: Any) -> Position:
    """A height, which a position may carry as its third number, says nothing about an area and is let go."""
    numbers = [float(number) for number in _as_list(value) if type(number) in (int, float)]
    if len(numbers) != len(value) or not 2 <= len(numbers) <= 3 or not all(map(math.isfinite, numbers)):
        raise ValueError(value)
    return numbers[0], numbers[1]


def _as_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value
