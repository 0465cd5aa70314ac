"""What must hold of an operation before it is kept, whether it was typed in or comes from a file."""

import re
from collections import Counter
from collections.abc import Iterator

from cspmap.errors import Problem
from cspmap.operations.document import decode_value, encode_value
from cspmap.operations.operation import Area, Operation, Outline, Ring, Units, is_identifier, name_briefly

_NEEDS_AREA = ("running", "ended", "judged")
_PLACE = re.compile(r"\[(-?[0-9.e-]+) (-?[0-9.e-]+)\]")


def find_problems(operation: Operation) -> list[Problem]:
    """Every fault of an operation; none where it may be kept."""
    place = f'Operation "{name_briefly(operation)}"'
    problems: list[Problem] = []
    # Reading back what would be kept holds every field to its type and its limits.
    if decode_value(Operation, encode_value(operation), where=place, problems=problems) is None:
        return problems
    return [Problem(place, what, fix) for what, fix in find_faults(operation)]


def find_faults(operation: Operation) -> Iterator[tuple[str, str]]:
    """What of an operation does not go together, though each field is right, as what is wrong and what to do."""
    if not is_identifier(operation.id):
        yield f"has the identifier {operation.id!r}", "leave it out, and it gets one"
    start, end = operation.start, operation.end
    if start and end and end < start:
        yield f"ends on {end}, before it starts on {start}", "put the dates in order"
    if operation.status in _NEEDS_AREA:
        missing = [name for name in ("area", "start") if getattr(operation, name) is None]
        for name in missing:
            yield f"is {operation.status}, but has no {name}", "give it one or make its status draft"
    areas = [("the area", operation.area)] if operation.area else []
    areas += [(f"comparison area {number}", area) for number, area in enumerate(operation.comparison_areas, 1)]
    for words, area in areas:
        yield from ((f"{words} {what}", fix) for what, fix in find_area_faults(area))
        if area is not operation.area and (shared := _list_shared(operation.area, area)):
            yield f"{words} shares {', '.join(shared[:3])} with the area itself", "compare with other areas"


def _list_shared(one: Area | None, other: Area) -> list[str]:
    if isinstance(one, Units) and isinstance(other, Units) and one.level == other.level:
        return sorted(set(one.codes) & set(other.codes))
    return []


def find_area_faults(area: Area) -> Iterator[tuple[str, str]]:
    """Every fault of an area, as what is wrong and what to do."""
    if isinstance(area, Outline):
        return _find_outline_faults(area)
    return _find_unit_faults(area)


def _find_unit_faults(units: Units) -> Iterator[tuple[str, str]]:
    if not units.codes:
        yield "has no units", "choose at least one"
    for code in (code for code, count in Counter(units.codes).items() if count > 1):
        yield f"names {code!r} twice", "keep one of them"


def _find_outline_faults(outline: Outline) -> Iterator[tuple[str, str]]:
    rings = [ring for polygon in outline.polygons for ring in polygon]
    if not rings or not all(outline.polygons):
        yield "has no outline", "draw one"
        return
    faults = [fault for ring in rings if (fault := _find_ring_fault(ring))]
    yield from dict.fromkeys(faults)
    if not faults and (crossing := _find_crossing(outline)):
        yield crossing


def _find_ring_fault(ring: Ring) -> tuple[str, str] | None:
    if len(ring) < 4:
        return f"has a ring of {len(ring)} positions", "draw at least three corners and end where it starts"
    if ring[0] != ring[-1]:
        return "has a ring that is not closed", "end it with the position that it starts with"
    for longitude, latitude in ring:
        if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
            what = f"has the position {longitude}, {latitude}, which is not longitude and latitude"
            return what, "save it in WGS84 (EPSG:4326)"
    return None


def _find_crossing(outline: Outline) -> tuple[str, str] | None:
    import shapely

    shape = shapely.MultiPolygon([(polygon[0], polygon[1:]) for polygon in outline.polygons])
    try:
        reason = None if shape.is_valid else shapely.is_valid_reason(shape)
    except shapely.errors.GEOSException:
        return "is too small to be told from a line", "draw a larger one"
    if reason is None:
        return None
    place = _PLACE.search(reason)
    near = f" near longitude {float(place[1]):.5f}, latitude {float(place[2]):.5f}" if place else ""
    return f"crosses or touches itself{near}", "draw it again without that"
