"""Operations as a GeoJSON FeatureCollection (RFC 7946) and back, exactly; and an outline out of anybody's GeoJSON.

A feature's geometry is the operation's outline and its properties are all the rest. An operation made of units names
them in its properties; a geometry may be lent to it for other programs to draw, and is not read back. What meetings
said of an operation stands in its properties as well, as `meeting`.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from cspmap.errors import Problem, SourceError
from cspmap.operations.checks import find_area_faults, find_faults
from cspmap.operations.document import decode_value, encode_value
from cspmap.operations.entries import MeetingEntry, find_entry_faults, name_subject
from cspmap.operations.operation import Operation, Outline, Polygon, Position, Ring, is_identifier

_WGS84 = ("CRS84", "4326")
_FIX_FILE = "save it as a GeoJSON FeatureCollection"
_FIX_OUTLINE = "give a polygon as GeoJSON, with longitude before latitude"
_SAID, _SUBJECT = "meeting", "subject"


class OutlineError(SourceError):
    """A text or a file holds no outline. Whoever pasted it is told in a sentence for each problem."""

    def __str__(self) -> str:
        return "\n".join(f"{problem.where} {problem.what}; {problem.fix}." for problem in self.problems)


@dataclass(frozen=True)
class ReadFeature:
    """An operation of a file, `where` it stands there in words, and what meetings said of it, each with its place."""

    where: str
    operation: Operation
    entries: tuple[tuple[str, MeetingEntry], ...]


def write_geojson(
    operations: Iterable[Operation],
    *,
    shapes: Mapping[str, Outline] | None = None,
    entries: Iterable[MeetingEntry] = (),
) -> str:
    """Operations as the text of a GeoJSON file that `read_features` reads back exactly.

    `shapes` are outlines of operations that are made of units, by identifier, for other programs to draw. `entries`
    are what meetings said; those of none of the operations are left out.
    """
    said: dict[str, list[MeetingEntry]] = {}
    for entry in entries:
        said.setdefault(entry.subject, []).append(entry)
    features = [
        _write_feature(operation, (shapes or {}).get(operation.id), said.get(name_subject(operation.id), []))
        for operation in operations
    ]
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False, allow_nan=False) for feature in features)
    return f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'


def write_outline(outline: Outline) -> dict[str, Any]:
    """An outline as a GeoJSON geometry: a Polygon, or a MultiPolygon where it has several parts."""
    polygons = [[[list(position) for position in ring] for ring in polygon] for polygon in outline.polygons]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _write_feature(operation: Operation, shape: Outline | None, said: Sequence[MeetingEntry]) -> dict[str, Any]:
    values = encode_value(operation)
    outline = shape
    if isinstance(operation.area, Outline):
        outline = operation.area
        del values["area"]
    if said:
        values[_SAID] = [_write_entry(entry) for entry in said]
    return {
        "type": "Feature",
        "id": values.pop("id"),
        "geometry": None if outline is None else write_outline(outline),
        "properties": values,
    }


def _write_entry(entry: MeetingEntry) -> dict[str, Any]:
    """An entry without its subject, which is the operation that it stands with."""
    return {key: value for key, value in encode_value(entry).items() if key != _SUBJECT}


def read_geojson(text: str | bytes, *, name: str = "The file") -> tuple[Operation, ...]:
    """The operations of a GeoJSON file. Only a name is needed of each: what is absent is as in a new operation.

    Raises SourceError with every problem of the file, which the problems call `name`.
    """
    problems: list[Problem] = []
    features = read_features(text, name=name, problems=problems)
    if problems:
        raise SourceError(problems)
    return tuple(feature.operation for feature in features)


def read_features(text: str | bytes, *, name: str, problems: list[Problem]) -> list[ReadFeature]:
    """The operations of a GeoJSON file with what meetings said of them: those that can be read.

    Every problem of the file, which they call `name`, is added to `problems`.
    """
    try:
        value = _parse(text, name, _FIX_FILE)
    except SourceError as error:
        problems += error.problems
        return []
    features = _list_features(value, name, problems)
    found = [_read_feature(feature, f"{name}, feature {at}", problems) for at, feature in enumerate(features, 1)]
    first: dict[str, int] = {}
    for at, feature in enumerate(features, 1):
        identifier = feature.get("id") if isinstance(feature, dict) else None
        if is_identifier(identifier) and first.setdefault(str(identifier), at) != at:
            place = f"{name}, feature {at}"
            problems.append(Problem(place, f"has the id of feature {first[str(identifier)]}", "keep one of them"))
    seen: dict[str, str] = {}
    for where, entry in (pair for feature in found if feature for pair in feature.entries):
        if seen.setdefault(entry.id, where) != where:
            problems.append(Problem(where, f"has the id of {seen[entry.id]}", "keep one of them"))
    return [feature for feature in found if feature is not None]


def read_outline(text: str | bytes, *, name: str = "The file") -> Outline:
    """All the polygons of a GeoJSON geometry, feature or collection as one outline; properties are not looked at.

    Polygons that overlap or have a border in common become one; otherwise every position is kept as it is. Raises
    OutlineError with every problem of the text, which the problems call `name`.
    """
    problems: list[Problem] = []
    try:
        value = _parse(text, name, _FIX_OUTLINE)
    except SourceError as error:
        raise OutlineError(error.problems) from None
    geometries: list[Any] = [value]
    if not isinstance(value, dict) or value.get("type") in ("Feature", "FeatureCollection"):
        features = _list_features(value, name, problems, _FIX_OUTLINE)
        geometries = [feature.get("geometry") if isinstance(feature, dict) else None for feature in features]
    whole = name.replace("The ", "the ", 1) if name.startswith("The ") else name
    numbers = range(1, len(geometries) + 1)
    places = [name] if len(geometries) == 1 else [f"Feature {at} of {whole}" for at in numbers]
    read = [_read_geometry(geometry, place, problems) for geometry, place in zip(geometries, places, strict=True)]
    parts = [Outline((polygon,)) for outline in read if outline for polygon in outline.polygons]
    for part in parts if parts or problems else [Outline(())]:
        problems += [Problem(name, what, fix) for what, fix in find_area_faults(part)]
    if problems:
        raise OutlineError(problems)
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


def _parse(text: str | bytes, name: str, fix: str) -> Any:
    def refuse(what: str) -> NoReturn:
        raise SourceError([Problem(name, what, fix)])

    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        refuse(f"is not UTF-8 text at byte {error.start + 1:,}")
    try:
        return json.loads(decoded)
    except json.JSONDecodeError as error:
        refuse(f"is not GeoJSON, as it cannot be read from line {error.lineno:,}, column {error.colno:,} on")
    except RecursionError:
        refuse("holds lists within lists beyond all measure")
    except ValueError:
        refuse("holds a number of thousands of digits")


def _list_features(value: Any, name: str, problems: list[Problem], fix: str = _FIX_FILE) -> list[Any]:
    if isinstance(value, dict) and value.get("type") == "Feature":
        value = {**value, "type": "FeatureCollection", "features": [value]}
    if not isinstance(value, dict) or value.get("type") != "FeatureCollection":
        problems.append(Problem(name, "is not a GeoJSON FeatureCollection", fix))
        return []
    # GeoJSON of before 2016 may name another system, in which the numbers mean other places.
    if value.get("crs") is not None and not _names_wgs84(value["crs"]):
        problems.append(Problem(name, "is not in longitude and latitude", "save it in WGS84 (EPSG:4326)"))
    features = value.get("features")
    if not isinstance(features, list):
        problems.append(Problem(name, "has no list of features", fix))
        return []
    if not features:
        problems.append(Problem(name, "has no features", "put at least one in"))
    return features


def _names_wgs84(system: Any) -> bool:
    properties = system.get("properties") if isinstance(system, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return isinstance(name, str) and name.endswith(_WGS84)


def _read_feature(feature: Any, where: str, problems: list[Problem]) -> ReadFeature | None:
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
    said = values.get(_SAID, [])
    values = {key: value for key, value in values.items() if key != _SAID}
    # Of an operation made of units a geometry is only a drawing.
    if feature.get("geometry") is not None and values.get("area") is None:
        values["area"] = encode_value(_read_geometry(feature["geometry"], where, problems))
    drawn = len(problems) == before
    # Other programs number their features; what is not an identifier of ours gets a new one.
    if is_identifier(feature.get("id")):
        values["id"] = feature["id"]
    operation = decode_value(Operation, values, where=where, problems=problems)
    # Also of what can be read of one that cannot be read whole, so that all is told at once.
    readable = operation or _read_part(values, drawn=drawn)
    problems += [Problem(where, what, fix) for what, fix in find_faults(readable)]
    entries = _read_entries(said, readable.id, where, problems)
    return None if operation is None or len(problems) > before else ReadFeature(where, operation, entries)


def _read_part(values: Mapping[str, Any], *, drawn: bool) -> Operation:
    """An operation of those properties that can be read, the others as in a new one."""
    kept = {"name": "-"} | {key: value for key, value in values.items() if _is_readable(key, value)}
    whole = drawn and all(key in kept for key in ("status", "start", "area") if key in values)
    # Whether it has what its status asks for cannot be told where one of these cannot be read.
    if not whole:
        kept["status"] = "draft"
    part = decode_value(Operation, kept, where="", problems=[])
    assert part is not None, "each of the properties can be read"
    return part


def _is_readable(key: str, value: Any) -> bool:
    return decode_value(Operation, {"name": "-", key: value}, where="", problems=[]) is not None


def _read_entries(
    said: Any, operation: str, where: str, problems: list[Problem]
) -> tuple[tuple[str, MeetingEntry], ...]:
    """What meetings said of an operation, each with where it stands."""
    if not isinstance(said, list):
        what = "is a table" if isinstance(said, dict) else "is not a list"
        problems.append(Problem(f"{where}, {_SAID}", what, "write a list"))
        return ()
    found = []
    for number, values in enumerate(said, 1):
        place = f"{where}, {_SAID} {number}"
        if not isinstance(values, dict):
            problems.append(Problem(place, "is not a table of keys and values", "write it as one"))
            continue
        if _SUBJECT in values:
            fix = "leave it to the operation that it stands with"
            problems.append(Problem(place, f"has a {_SUBJECT}", fix))
            continue
        named = values | {_SUBJECT: name_subject(operation)}
        entry = decode_value(MeetingEntry, named, where=place, problems=problems)
        if entry is not None:
            problems += [Problem(place, what, fix) for what, fix in find_entry_faults(entry)]
            found.append((place, entry))
    return tuple(found)


def _read_geometry(geometry: Any, where: str, problems: list[Problem]) -> Outline | None:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        shown = f"a {kind} for a geometry" if isinstance(kind, str) else "no geometry that can be read"
        problems.append(Problem(where, f"has {shown}", "draw a polygon"))
        return None
    coordinates = geometry.get("coordinates")
    try:
        return Outline(tuple(map(_read_polygon, coordinates if kind == "MultiPolygon" else [coordinates])))
    except (TypeError, ValueError, OverflowError):
        problems.append(Problem(where, "has coordinates that are no polygon's", "draw a polygon"))
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
