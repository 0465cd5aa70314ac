"""The choices of the comparison page, each kept in the page's address."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from cspmap.partnership import Partnership
from cspmap.peers import Among, Offence, Year, find_offence, find_year, list_among, list_offences
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.compare_words import name_among
from cspmap.views.controls import choose_months_and_crimes

Value = TypeVar("Value")


@dataclass(frozen=True)
class PeerChoice:
    """Which offence and year, and beside whom."""

    offence: Offence
    among: Among
    year: Year


def choose_peers(query: Query, *, every: bool = False) -> PeerChoice:
    """Draw the choices where the page is, and return what they say; `every` where all offences are shown anyway."""
    partnership: Partnership = query.store.partnership
    offences = {offence.words: offence for offence in list_offences(query)}
    years: dict[str, Year] = {
        f"Y{find_year(query, 'latest').words[1:]}": "latest",
        f"Y{find_year(query, 'before').words[1:]}": "before",
    }
    groups = {name_among(among, partnership): among for among in list_among(query)}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters"):
        offence = _choose(
            "Offence", offences, start=find_offence(query, None).words, key="offence", width=330, disabled=every
        )
        among = _choose("Compared with", groups, start=next(iter(groups)), key="with", width=280)
        year = _choose("Year", years, start=next(iter(years)), key="year", width=210)
    return PeerChoice(offence, among, year)


def choose_areas(query: Query) -> Selection:
    """Draw the choices for the partnership's own areas where the page is, and return what they say."""
    store, partnership = query.store, query.store.partnership
    levels = {layer.name: layer.key for layer in partnership.layers if layer.figures_of is None}
    usual = partnership.find_layer(partnership.boundary).name
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        span, crimes = choose_months_and_crimes(query)
        level = _choose("Level", levels, start=usual, key="level", width=150)
    return Selection.default(store).change(span=span, level=level, crimes=crimes)


def _choose(
    label: str, options: Mapping[str, Value], *, start: str, key: str, width: int, disabled: bool = False
) -> Value:
    names = list(options)
    chosen = st.selectbox(
        label, names, names.index(start), key=key, bind="query-params", width=width, disabled=disabled
    )
    return options[chosen or start]
