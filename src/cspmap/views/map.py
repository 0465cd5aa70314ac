"""The map: areas coloured by class, places and a picture over them, and what a user chose on it.

The map itself never changes between runs, so the browser keeps it, its zoom and its centre. What changes travels
in one call, `cspmap.show(map, {...})` (web/cspmap-map.js): a few bytes an area. The browser fetches boundaries
once.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import folium
import streamlit as st
from folium.template import Template

from cspmap.views.assets import load_component, map_scripts, map_styles
from cspmap.views.palettes import SPECIAL, Special, text_on

SPECIAL_WORDS: dict[Special, str] = {
    "missing": "no data",
    "zero": "none recorded",
    "suppressed": "too few to show",
    "left out": "not among the chosen areas",
}


@dataclass(frozen=True)
class AreaStyle:
    """How one area looks: `fill` is a class (0 is the first of the legend's) or what it has instead of one.

    `tooltip` has the lines under the area's name, as plain text. `mark` is written on the area itself: a letter or two,
    such as a rating, so that its meaning does not hang on its colour.
    """

    code: str
    fill: int | Special
    tooltip: tuple[str, ...] = ()
    mark: str = ""


@dataclass(frozen=True)
class LegendClass:
    """One class of the map: its colour "#RRGGBB" and its range in words."""

    colour: str
    label: str


@dataclass(frozen=True)
class LegendGrid:
    """Classes of two figures, in a square that the legend shows them in, where they can be ticked to show them alone.

    Class `side` x row + column, both from 0 for the lowest; `across` and `up` say what grows that way. `sizes` are how
    many areas each class holds. `shown` are the classes that are shown alone; none of them means all. `answers` is as
    that of `Picks`.
    """

    side: int
    across: str
    up: str
    sizes: tuple[int, ...]
    shown: tuple[int, ...] = ()
    answers: str | None = None


@dataclass(frozen=True)
class Legend:
    """What the colours mean. `rule` is a sentence on how the classes were made.

    `suppressed` says in words what areas are whose figure is kept back.
    """

    title: str
    rule: str
    classes: tuple[LegendClass, ...]
    grid: LegendGrid | None = None
    suppressed: str = SPECIAL_WORDS["suppressed"]


@dataclass(frozen=True)
class Picture:
    """A picture laid over the areas, which are then not coloured themselves.

    `url` is its address, which may be a data URL; `bounds` are its south, west, north and east edges in degrees
    (WGS84); `opacity` is 0 to 1.
    """

    url: str
    bounds: tuple[float, float, float, float]
    opacity: float = 0.85


@dataclass(frozen=True)
class Place:
    """Something drawn over the areas that can be chosen like one: an outline or a point.

    `geometry` is GeoJSON's, in WGS84; `label` the point [longitude, latitude] that `mark` stands at, a number or a
    letter or two.
    """

    code: str
    name: str
    geometry: Mapping[str, Any]
    label: tuple[float, float]
    tooltip: tuple[str, ...] = ()
    mark: str = ""


@dataclass(frozen=True)
class Frames:
    """Steps in time that a user can play, each with its name, in the browser alone.

    Each step has either a fill for every area, in the order of the view's `areas`, or the address of a picture in the
    place of the view's (None: nothing is known).
    """

    names: tuple[str, ...]
    fills: tuple[tuple[int | Special, ...], ...] = ()
    pictures: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Picks:
    """Areas are ticked on and off, several at a time, and shapes can be drawn.

    `ticked` are those that are on, `suggested` others to be outlined. `answers` is the `nonce` of the last message from
    the map that this view takes into account, so that a view made before a click does not take that click back.
    """

    ticked: tuple[str, ...]
    suggested: tuple[str, ...] = ()
    answers: str | None = None


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
    is drawn as missing. `lines` is that of another layer whose borders and names are drawn over the areas, for
    orientation. `selected` is the code of an area or a place.
    """

    place: str
    layer: str
    areas: tuple[AreaStyle, ...]
    legend: Legend
    selected: str | None = None
    labels: bool = True
    tiles: Tiles | None = None
    attribution: str = ""
    lines: str | None = None
    picture: Picture | None = None
    places: tuple[Place, ...] = ()
    frames: Frames | None = None
    picks: Picks | None = None


@dataclass(frozen=True)
class MapEvent:
    """A user chose an area or a place, or left it (`area` is None)."""

    area: str | None


@dataclass(frozen=True)
class LegendEvent:
    """A user ticked classes of the legend's grid: those that are shown alone now. `nonce` is for the next view."""

    shown: tuple[int, ...]
    nonce: str


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


def take_message(*, key: str, classes: Collection[int]) -> MapEvent | LegendEvent | None:
    """As `take_event`, of a map whose legend is a grid of these classes."""
    value = st.session_state.pop(key, None)
    if not isinstance(value, Mapping):
        return None
    if "shown" not in value:
        return MapEvent(value["area"])
    return LegendEvent(tuple(sorted(number for number in value["shown"] if number in classes)), str(value["nonce"]))


def draw_map(view: MapView, *, key: str, height: int) -> None:
    """Draw the map, `height` pixels high and as wide as its container; `key` stays the same between runs."""
    canvas = folium.Map(tiles=None, zoom_control=False)
    canvas.default_js, canvas.default_css = map_scripts(), map_styles()
    load_component()(
        canvas,
        key=key,
        height=height,
        use_container_width=True,
        returned_objects=[],
        # It renders the map once in any case, and the page around the map is not sent.
        render=False,
        feature_group_to_add=_Drawing(encode_view(view)),
    )


def encode_view(view: MapView) -> str:
    """The view as JSON that is safe inside a script and inside a template, whatever the texts in it are.

    Raises ValueError where an area has a class that the legend does not have, or steps do not fit the view.
    """
    for area in view.areas:
        if isinstance(area.fill, int) and not 0 <= area.fill < len(view.legend.classes):
            raise ValueError(f"area {area.code} has class {area.fill}, the legend has {len(view.legend.classes)}")
    _check_frames(view)
    text = json.dumps(_payload(view), separators=(",", ":"), ensure_ascii=True)
    # A brace before a brace, % or # can only be inside a text: it must not look like a template's tag.
    return re.sub(r"\{(?=[{%#])", r"\\u007b", text).replace("<", r"\u003c")


def _payload(view: MapView) -> dict[str, Any]:
    words: dict[Special, str] = {**SPECIAL_WORDS, "suppressed": view.legend.suppressed}
    return {
        "place": view.place,
        "layer": view.layer,
        "areas": {area.code: [area.fill, area.mark, *area.tooltip] for area in view.areas},
        "legend": {
            "title": view.legend.title,
            "rule": view.legend.rule,
            "classes": [[entry.colour, entry.label] for entry in view.legend.classes],
            **({} if view.legend.grid is None else {"grid": _list_grid(view.legend.grid, view.legend.classes)}),
        },
        "specials": {name: [look.fill, look.ink, look.pattern, words[name]] for name, look in SPECIAL.items()},
        "selected": view.selected,
        "labels": view.labels,
        "tiles": view.tiles and [view.tiles.url, view.tiles.attribution],
        "attribution": view.attribution,
        "lines": view.lines,
        "picture": view.picture and [view.picture.url, _corners(view.picture), view.picture.opacity],
        "places": [
            [place.code, place.name, place.mark, list(place.tooltip), list(place.label), place.geometry]
            for place in view.places
        ],
        "frames": view.frames and _list_frames(view.frames),
        "picks": view.picks and [list(view.picks.ticked), list(view.picks.suggested), view.picks.answers],
    }


def _corners(picture: Picture) -> list[list[float]]:
    south, west, north, east = picture.bounds
    return [[south, west], [north, east]]


def _list_grid(grid: LegendGrid, classes: tuple[LegendClass, ...]) -> dict[str, Any]:
    return {
        "side": grid.side,
        "across": grid.across,
        "up": grid.up,
        "sizes": list(grid.sizes),
        "inks": [text_on(entry.colour) for entry in classes],
        "shown": list(grid.shown),
        "answers": grid.answers,
    }


# One letter an area and step: a class is its digit.
_LETTERS: dict[Special, str] = {"missing": "m", "zero": "z", "suppressed": "s", "left out": "l"}


def _list_frames(frames: Frames) -> dict[str, Any]:
    fills = ["".join(_LETTERS[fill] if isinstance(fill, str) else str(fill) for fill in step) for step in frames.fills]
    return {"names": list(frames.names), "fills": fills or None, "pictures": list(frames.pictures) or None}


def _check_frames(view: MapView) -> None:
    if view.frames is None:
        return
    steps, areas, classes = len(view.frames.names), len(view.areas), min(len(view.legend.classes), 10)
    if len(view.frames.fills or view.frames.pictures) != steps:
        raise ValueError(f"{steps} steps are named, and {len(view.frames.fills or view.frames.pictures)} are given")
    for step in view.frames.fills:
        if len(step) != areas:
            raise ValueError(f"a step has {len(step)} fills, the view {areas} areas")
        if any(isinstance(fill, int) and not 0 <= fill < classes for fill in step):
            raise ValueError(f"a step has a class that is none of the legend's {classes}")
