"""The choices of the hotspots page, each kept in the page's address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cspmap.analysis.hotspots import COVERAGE
from cspmap.analysis.hotspots.significance import ALPHA
from cspmap.hotspot_ground import SHAPES, CellChoice
from cspmap.hotspot_layers import LAYERS, PLAYED, HotspotChoice, LayerKey
from cspmap.periods import Comparison
from cspmap.query import Query
from cspmap.views.address import check_address
from cspmap.views.controls import MapSettings, choose_months_and_crimes, name_month
from cspmap.views.hotspot_words import LAYER_NAMES, LAYER_QUESTIONS
from cspmap.views.words import COMPARISONS

WHOLE, MONTHLY = "Whole period", "Month by month"
WIDTHS = (100, 150, 200, 250, 300, 400, 500, 750, 1000)
BANDWIDTHS = (100, 150, 200, 250, 300, 400, 500, 750, 1000, 1500)
REACHES = (50, 75, 100, 150, 200, 300, 500)
COVERAGES = (0.01, 0.02, 0.05, 0.10)
ALPHAS = (0.01, 0.05, 0.10)
STEPS = (1, 3, 6, 12)
USUAL_STEP = 3
# More cells than a browser draws at ease.
MOST_CELLS = 6_000
AUTOMATIC = "Automatic"
# What of the address tells what is shown; how the map looks is a matter of taste.
_LINKED = (
    *("layer", "against", "show", "step", "cells", "width", "bandwidth", "reach", "coverage", "alpha"),
    *("tab", "at", "about"),
)


@dataclass(frozen=True)
class HotspotView:
    """What the page shows: the hotspots, whether month by month and how many months at a time, and the map's looks."""

    choice: HotspotChoice
    months: int | None
    settings: MapSettings


def choose_hotspots(query: Query, *, bar: DeltaGenerator) -> HotspotView:
    """Draw the choices in the container `bar`, and return what they say."""
    with bar:
        span, crimes = choose_months_and_crimes(query)
        layers = {LAYER_NAMES[layer]: layer for layer in LAYERS}
        layer = _choose("Layer", layers, key="layer", width=190)
        comparison: Comparison = "last-year"
        if layer == "change":
            compared = {words: comparison for comparison, words in COMPARISONS.items()}
            comparison = _choose("Compared with", compared, key="against", width=152)
        played = False
        if layer in PLAYED:
            played = _choose("Show", {WHOLE: False, MONTHLY: True}, key="show", width=162)
        with st.popover("More", icon=":material/tune:"):
            st.caption(LAYER_QUESTIONS[layer])
            choice = HotspotChoice(
                span=span,
                crimes=crimes,
                layer=layer,
                comparison=comparison,
                cells=_choose_cells(query),
                **_choose_settings(layer),
            )
            step = USUAL_STEP
            if played:
                steps = {str(length): length for length in STEPS}
                step = _choose("Months in a step", steps, start=str(USUAL_STEP), key="step")
            labels = st.toggle("Names on the map", value=True, key="names")
            tiles = st.toggle(
                "Street map behind",
                key="streets",
                help="Fetched from openstreetmap.org, which learns which part of the map you look at.",
            )
    return HotspotView(choice, step if played else None, MapSettings(labels, tiles))


def check_choices(query: Query) -> None:
    """Refuse an address that asks for what the choices do not offer. Raises SelectionError as `check_address` does."""
    check_address(query, layer=list(LAYER_NAMES.values()), cells=list(_list_cells(query)))


def read_choices(query: Query) -> dict[str, str | list[str]]:
    """What a link to the page asks for, so that it shows the same: all choices but those that are automatic."""
    state, crimes = st.session_state, query.store.partnership.crime_names
    asked: dict[str, str | list[str]] = {"months": [name_month(month) for month in state["months"]]}
    if state["crime"]:
        asked["crime"] = [crimes[key] for key in state["crime"]]
    asked |= {key: state[key] for key in _LINKED if isinstance(state.get(key), str) and state[key] != AUTOMATIC}
    return asked if state.get("corrected", True) else {**asked, "corrected": "false"}


def _list_cells(query: Query) -> dict[str, CellChoice]:
    """What incidents can be counted in, by what it is called."""
    grids = {f"{name} of one width": CellChoice(shape) for shape, name in SHAPES.items()}
    levels = {
        f"Own {layer.plural}": CellChoice(level=layer.key)
        for layer in query.store.partnership.layers
        if layer.figures_of is None
    }
    return grids | levels


def _choose_cells(query: Query) -> CellChoice:
    """What incidents are counted in, and how wide it is where it is a grid."""
    cells = _list_cells(query)
    chosen = _choose("Count incidents in", cells, key="cells")
    if chosen.level is not None:
        return chosen
    width = _choose_metres("Width of a cell", _list_widths(query), key="width", help="By rule, it holds two locations.")
    return CellChoice(chosen.shape, width)


def _list_widths(query: Query) -> Sequence[float]:
    """The widths that make no more cells of the partnership than a browser draws at ease."""
    areas = query.store.areas
    hectares = areas.loc[areas["layer"] == query.store.partnership.boundary, "hectares"].sum()
    return [width for width in WIDTHS if 10_000 * hectares / width**2 <= MOST_CELLS]


def _choose_settings(layer: LayerKey) -> dict[str, Any]:
    """The settings that a layer has, by their names in the choice."""
    settings: dict[str, Any] = {}
    if layer in ("expected", "density", "dual", "persistence"):
        help = "How far an incident is spread around its point."
        settings["bandwidth"] = _choose_metres("Bandwidth", BANDWIDTHS, key="bandwidth", help=help)
    if layer == "clusters":
        help = "How near to each other locations must be. Half of a cell where it is automatic."
        settings["reach"] = _choose_metres("Distance", REACHES, key="reach", help=help)
    if layer in ("significance", "change"):
        alphas = {_as_percent(alpha): alpha for alpha in ALPHAS}
        settings["alpha"] = _choose("False discoveries", alphas, start=_as_percent(ALPHA), key="alpha")
    else:
        shares = {_as_percent(share): share for share in COVERAGES}
        settings["coverage"] = _choose("Call hot, of the area", shares, start=_as_percent(COVERAGE), key="coverage")
    if layer == "significance":
        help = "Thousands of cells are tested at once: uncorrected, one in twenty looks hot or cold by chance."
        label = "Corrected for testing every cell"
        settings["correct"] = st.toggle(label, value=True, key="corrected", bind="query-params", help=help)
    return settings


def _as_percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def _choose_metres(label: str, options: Sequence[float], *, key: str, help: str) -> float | None:
    automatic: dict[str, float | None] = {AUTOMATIC: None}
    return _choose(label, automatic | {f"{metres:,.0f} m": float(metres) for metres in options}, key=key, help=help)


Value = TypeVar("Value")


def _choose(
    label: str,
    options: Mapping[str, Value],
    *,
    key: str,
    start: str | None = None,
    width: int | Literal["stretch"] = "stretch",
    help: str | None = None,
) -> Value:
    """One of some options by their names: the first, or `start`, where nothing is chosen."""
    names = list(options)
    first = names[0] if start is None else start
    chosen = st.selectbox(label, names, names.index(first), key=key, bind="query-params", help=help, width=width)
    return options[chosen or first]
