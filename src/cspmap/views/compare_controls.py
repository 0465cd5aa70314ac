"""The choices of the comparison page, each kept in the page's address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from cspmap.partnership import Partnership
from cspmap.peers import Among, Offence, Year, find_offence, find_year, list_among, list_offences
from cspmap.query import Query
from cspmap.selection import Selection, choose_held
from cspmap.views.address import check_address
from cspmap.views.compare_words import name_among
from cspmap.views.controls import choose_months_and_crimes

Value = TypeVar("Value")


def check_peer_address(query: Query, tabs: Sequence[str]) -> None:
    """Refuse an address that asks for what the store or the page does not hold. Raises SelectionError."""
    offences = [offence.words for offence in list_offences(query)]
    groups = [name_among(among, query.store.partnership) for among in list_among(query)]
    years = list(name_years(query)) if offences else []
    check_address(query, tab=tabs, offence=offences, year=years)
    for asked in st.query_params.get_all("with"):
        choose_held("comparison", asked, groups)


def name_years(query: Query) -> dict[str, Year]:
    """The years of the published table by what they are called."""
    years: tuple[Year, ...] = ("latest", "before")
    return {f"Y{find_year(query, year).words[1:]}": year for year in years}


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
    years = name_years(query)
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
