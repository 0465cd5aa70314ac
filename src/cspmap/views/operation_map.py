"""Operations on the map: all of them, or one with its ring and what it is compared with."""

from collections.abc import Sequence
from typing import Any

from cspmap.errors import UserError
from cspmap.operation_results import OperationCounts
from cspmap.operation_shapes import outline_shape
from cspmap.operations import Operation, Outline, write_outline
from cspmap.query import Query
from cspmap.views.assets import layer_url
from cspmap.views.map import AreaStyle, Legend, LegendClass, MapView, Place
from cspmap.views.operation_load import load_outline
from cspmap.views.operation_words import STATUSES, describe_time

_GROUND, _ALIKE = "#F3F5F7", "#A8D5CF"


def draw_operations(query: Query, operations: Sequence[Operation]) -> MapView:
    """All operations that have an area, numbered as in their list."""
    places = []
    for number, operation in enumerate(operations, 1):
        if operation.area is None:
            continue
        try:
            outline = load_outline(query, operation.area)
        except UserError:
            continue
        told = (STATUSES[operation.status], describe_time(operation))
        places.append(_make_place(operation.id, operation.name, outline, mark=str(number), tooltip=told))
    partnership = query.store.partnership
    layer = partnership.find_layer(partnership.boundary)
    legend = Legend("Operations", "Numbers are those of the list.", (LegendClass(_GROUND, layer.plural),))
    areas = tuple(AreaStyle(code, 0) for code in query.store.codes(layer.key))
    return MapView(
        place=partnership.place,
        layer=layer_url(query.store.web / f"{layer.key}.json"),
        areas=areas,
        legend=legend,
        places=tuple(places),
    )


def draw_operation(query: Query, operation: Operation, counts: OperationCounts, alike: Sequence[str] = ()) -> MapView:
    """One operation: its area, the ring around it, areas to compare with, and the units most alike."""
    places = []
    if counts.ring is not None:
        ring = outline_shape(counts.ring)
        told = (f"{operation.buffer_metres:,.0f} m around the area",)
        places.append(_make_place("buffer", "Next door", ring, mark="", tooltip=told))
    if counts.compared is not None:
        places.append(_make_place("compared", "Compared with", outline_shape(counts.compared), mark="C"))
    places.append(_make_place("area", operation.name, outline_shape(counts.area), mark="A"))
    chosen = set(alike)
    plural = query.store.partnership.find_layer(counts.level).plural
    classes = [LegendClass(_GROUND, plural), *([LegendClass(_ALIKE, "most alike before")] if chosen else [])]
    rule = "A: the area; the line around it: next door" if counts.ring is not None else "A: the area"
    rule += "; C: compared with." if counts.compared is not None else "."
    return MapView(
        place=query.store.partnership.place,
        layer=layer_url(query.store.web / f"{counts.level}.json"),
        areas=tuple(AreaStyle(code, int(code in chosen)) for code in query.store.codes(counts.level)),
        legend=Legend("Where", rule, tuple(classes)),
        labels=len(counts.units) <= 30,
        places=tuple(places),
    )


def _make_place(code: str, name: str, outline: Outline, *, mark: str, tooltip: tuple[str, ...] = ()) -> Place:
    geometry: dict[str, Any] = write_outline(outline)
    corners = [position for polygon in outline.polygons for position in polygon[0]]
    # The highest corner: above the middle of the whole may be somebody else's ground.
    longitude, latitude = max(corners, key=lambda position: position[1])
    return Place(code, name, geometry, (longitude, latitude), tooltip, mark)
