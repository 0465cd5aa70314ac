"""The choices of the deprivation page, each kept in the page's address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cspmap.analysis.bivariate import SIDE
from cspmap.deprivation_view import DeprivationChoice, list_editions
from cspmap.query import Query
from cspmap.selection import choose_held
from cspmap.views.address import check_address
from cspmap.views.controls import MapSettings, choose_months_and_crimes
from cspmap.views.deprivation_words import DOMAIN_NAMES, name_class
from cspmap.views.map import LegendEvent, MapEvent, take_message

COLOURS = {
    "both": "Both, three by three",
    "faded": "Rate, fainter where less deprived",
}
CLASSES = tuple(range(SIDE * SIDE))
MAP = "deprivation-map"
_ANSWERED, _SHOWN, _LEVEL = "deprivation-answered", "shown", "level"


@dataclass(frozen=True)
class DeprivationPage:
    """What the page shows."""

    choice: DeprivationChoice
    colours: str
    settings: MapSettings


@dataclass(frozen=True)
class Shown:
    """Classes of the map that are shown alone (none: all), and the area that is open, if one is.

    `answers` is the last message of the map that is taken into account.
    """

    classes: tuple[int, ...]
    area: str | None
    answers: str | None


def check_deprivation_address(query: Query, tabs: Sequence[str]) -> None:
    """Refuse an address that asks for what the store or the page does not hold. Raises SelectionError."""
    editions = [str(year) for year in list_editions(query)]
    domains = [DOMAIN_NAMES[key] for year in editions for key in query.list_domains(int(year))]
    levels = [layer.key for layer in query.store.partnership.layers]
    areas = {f"area-{level}": list(query.name_areas(level).values()) for level in levels}
    check_address(
        query,
        tab=tabs,
        edition=editions,
        domain=list(dict.fromkeys(domains)),
        colours=list(COLOURS.values()),
        **areas,
    )
    for asked in st.query_params.get_all(_SHOWN):
        choose_held("class", asked, [name_class(number) for number in CLASSES])


def take_acts() -> None:
    """Do what the viewer did on the map; to be called before the choices are drawn."""
    message = take_message(key=MAP, classes=CLASSES)
    if isinstance(message, MapEvent):
        st.session_state[f"area-{st.session_state[_LEVEL]}"] = message.area
    elif isinstance(message, LegendEvent):
        st.session_state[_SHOWN] = [name_class(number) for number in message.shown]
        st.session_state[_ANSWERED] = message.nonce


def choose_deprivation(query: Query, *, bar: DeltaGenerator) -> DeprivationPage:
    """Draw the choices in the container `bar`, and return what they say."""
    levels = {layer.key: layer.name for layer in query.store.partnership.layers}
    editions = [str(year) for year in list_editions(query)]
    with bar:
        span, crimes = choose_months_and_crimes(query, width=250)
        level = _choose("Level", levels, key=_LEVEL, width=132)
        edition = _choose("Indices of", {year: year for year in editions}, key="edition", width=100)
        domains = {key: DOMAIN_NAMES[key] for key in query.list_domains(int(edition))}
        domain = _choose("Deprivation", domains, key="domain", width=196)
        with st.popover("More", icon=":material/tune:"):
            colours = _choose("Colours", COLOURS, key="colours")
            labels = st.toggle("Names on the map", value=True, key="names")
            tiles = st.toggle(
                "Street map behind",
                key="streets",
                help="Fetched from openstreetmap.org, which learns which part of the map you look at.",
            )
    return DeprivationPage(
        choice=DeprivationChoice(
            span=span,
            level=level,
            edition=int(edition),
            crimes=crimes,
            domain=domain,
        ),
        colours=colours,
        settings=MapSettings(labels, tiles),
    )


def choose_shown(query: Query, level: str) -> Shown:
    """Which classes are shown, the same as ticking them in the map's legend, and which area is open."""
    classes = {name_class(number): number for number in CLASSES}
    ticked = st.multiselect(
        "Show only",
        list(classes),
        key=_SHOWN,
        bind="query-params",
        placeholder="Show only some classes",
        label_visibility="collapsed",
        width=230,
    )
    areas = query.name_areas(level)
    area = st.selectbox(
        "Find an area",
        list(areas),
        index=None,
        format_func=areas.__getitem__,
        key=f"area-{level}",
        bind="query-params",
        placeholder="Find an area",
        label_visibility="collapsed",
        width=170,
    )
    return Shown(tuple(sorted(classes[name] for name in ticked)), area, st.session_state.get(_ANSWERED))


def _choose(label: str, options: Mapping[str, str], *, key: str, width: int | Literal["stretch"] = "stretch") -> str:
    """The key of one of some options, named by what they are called: the first where nothing is chosen."""
    keys = list(options)
    chosen = st.selectbox(label, keys, 0, format_func=options.__getitem__, key=key, bind="query-params", width=width)
    return chosen or keys[0]
