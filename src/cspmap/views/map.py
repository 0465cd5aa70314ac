"""The map: areas coloured by class, drawn in place in the browser, and the area a user chose on it.

The map itself never changes between runs, so the browser keeps it, its zoom and its centre. What changes travels
in one call, `cspmap.show(map, {...})` (web/cspmap-map.js): a few bytes an area. The browser fetches boundaries
once.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import folium
import streamlit as st
from folium.template import Template

from cspmap.views.assets import map_scripts, map_styles
from cspmap.views.palettes import SPECIAL, Special

SPECIAL_WORDS: dict[Special, str] = {
    "missing": "no data",
    "zero": "none recorded",
    "suppressed": "too few to show",
    "left out": "not among the chosen areas",
}


@dataclass(frozen=True)
class AreaStyle:
    """How one area looks: `fill` is a class (0 is the first of the legend's) or what it has instead of one.

    `tooltip` has the lines under the area's name, as plain text.
    """

    code: str
    fill: int | Special
    tooltip: tuple[str, ...] = ()


@dataclass(frozen=True)
class LegendClass:
    """One class of the map: its colour "#RRGGBB" and its range in words."""

    colour: str
    label: str


@dataclass(frozen=True)
class Legend:
    """What the colours mean. `rule` is a sentence on how the classes were made."""

    title: str
    rule: str
    classes: tuple[LegendClass, ...]


@dataclass(frozen=True)
class Tiles:
    """A background map from another host, loaded only where a user asked for it. `url` has {z}, {x} and {y}."""

    url: str
    attribution: str


OPENSTREETMAP = Tiles("https://tile.openstreetmap.org/{z}/{x}/{y}.png", "© OpenStreetMap contributors")


@dataclass(frozen=True)
class MapView:
    """Everything a map shows.

    `place` names the partnership: the map fits to the layer when it changes, and else stays where the user has it.
    `layer` is the address of the boundary file (`assets.layer_url`). An area of the layer that is not in `areas`
    is drawn as missing.
    """

    place: str
    layer: str
    areas: tuple[AreaStyle, ...]
    legend: Legend
    selected: str | None = None
    labels: bool = True
    tiles: Tiles | None = None
    attribution: str = ""


@dataclass(frozen=True)
class MapEvent:
    """A user chose an area, or left it (`area` is None)."""

    area: str | None


class _Drawing(folium.FeatureGroup):
    """The one call that changes what the map shows."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "var {{ this.get_name() }} = cspmap.show({{ this._parent.get_name() }}, {{ this.payload }});"
        "{% endmacro %}"
    )

    def __init__(self, payload: str) -> None:
        super().__init__()
        self.payload = payload

    def render(self, **kwargs: Any) -> str:
        """Nothing: the script goes to the browser on its own, not as a part of the map's page."""
        return ""


def take_event(*, key: str) -> MapEvent | None:
    """What the user last did on the map `key`, once: None on any later run that is not due to the map.

    To be called before the view is made, so that the choice is drawn in the same run.
    """
    value = st.session_state.pop(key, None)
    return MapEvent(value["area"]) if value else None


def draw_map(view: MapView, *, key: str, height: int) -> None:
    """Draw the map, `height` pixels high and as wide as its container; `key` stays the same between runs."""
    # Imported here as it must happen within a run: that is when it tells the server of its own files.
    from streamlit_folium import st_folium

    canvas = folium.Map(tiles=None, zoom_control=False)
    canvas.default_js, canvas.default_css = map_scripts(), map_styles()
    st_folium(
        canvas,
        key=key,
        height=height,
        use_container_width=True,
        returned_objects=[],
        feature_group_to_add=_Drawing(encode_view(view)),
    )


def encode_view(view: MapView) -> str:
    """The view as JSON that is safe inside a script and inside a template, whatever the texts in it are.

    Raises ValueError where an area has a class that the legend does not have.
    """
    for area in view.areas:
        if isinstance(area.fill, int) and not 0 <= area.fill < len(view.legend.classes):
            raise ValueError(f"area {area.code} has class {area.fill}, the legend has {len(view.legend.classes)}")
    text = json.dumps(_payload(view), separators=(",", ":"), ensure_ascii=True)
    # A brace before a brace, % or # can only be inside a text: it must not look like a template's tag.
    return re.sub(r"\{(?=[{%#])", r"\\u007b", text).replace("<", r"\u003c")


def _payload(view: MapView) -> dict[str, Any]:
    return {
        "place": view.place,
        "layer": view.layer,
        "areas": {area.code: [area.fill, *area.tooltip] for area in view.areas},
        "legend": {
            "title": view.legend.title,
            "rule": view.legend.rule,
            "classes": [[entry.colour, entry.label] for entry in view.legend.classes],
        },
        "specials": {name: [look.fill, look.ink, look.pattern, SPECIAL_WORDS[name]] for name, look in SPECIAL.items()},
        "selected": view.selected,
        "labels": view.labels,
        "tiles": view.tiles and [view.tiles.url, view.tiles.attribution],
        "attribution": view.attribution,
    }
