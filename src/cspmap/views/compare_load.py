"""Comparisons, worked out once and shared by all viewers."""

import pandas as pd
import streamlit as st

from cspmap.peers import Among, Offence, Peers, Year, compare_group, compare_offences, rank_areas
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.figures import load_figures


def load_peers(query: Query, offence: Offence, among: Among, year: Year) -> Peers:
    """The partnership beside others in one offence. Not to be changed."""
    return _compare(query, query.store.version, offence, among, year)


@st.cache_resource(max_entries=128, show_spinner=False)
def _compare(_query: Query, version: str, offence: Offence, among: Among, year: Year) -> Peers:
    return compare_group(_query, offence, among=among, year=year)


def load_offences(query: Query, among: Among, year: Year) -> pd.DataFrame:
    """The partnership's line in every offence. Not to be changed."""
    return _list(query, query.store.version, among, year)


@st.cache_resource(max_entries=8, show_spinner=False)
def _list(_query: Query, version: str, among: Among, year: Year) -> pd.DataFrame:
    return compare_offences(_query, among=among, year=year)


def load_ranked(query: Query, selection: Selection) -> pd.DataFrame:
    """The areas of a selection's level beside each other. Not to be changed."""
    return _rank(query, query.store.version, selection)


@st.cache_resource(max_entries=64, show_spinner=False)
def _rank(_query: Query, version: str, selection: Selection) -> pd.DataFrame:
    return rank_areas(load_figures(_query, selection).areas)
