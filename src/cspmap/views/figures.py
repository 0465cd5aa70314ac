"""Everything that a page shows of a selection's areas, worked out once and shared by all viewers."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from cspmap.analysis.area_figures import compute_figures
from cspmap.partnership import Denominator
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.totals import Coverage
from cspmap.views.words import explain_incomparable


@dataclass(frozen=True)
class Figures:
    """`areas` is the table of `compute_figures`, with score, decile, tenth, fifth and covered of the edition chosen.

    `now` and `before` are how complete the two periods are, `per` is what the rates are per. Not to be changed.
    """

    areas: pd.DataFrame
    now: Coverage
    before: Coverage
    per: Denominator


def warm_up(query: Query) -> None:
    """Load before the first viewer comes what the first viewer would wait for: libraries, tables, the first figures.

    The component that shows the map is left out: it tells the server of its files only when a page first loads it.
    """
    import folium.plugins  # noqa: F401

    import cspmap.views.boards  # noqa: F401

    load_figures(query, Selection.default(query.store))


def find_area(areas: pd.DataFrame, code: str | None) -> pd.Series | None:
    """The row of one area, None where none is named."""
    return None if code is None else areas[areas["code"] == code].iloc[0]


def load_figures(query: Query, selection: Selection) -> Figures:
    """The figures of every area of the selection's level; which of them are shown, and how, makes no difference."""
    same = selection.change(chosen=None, areas=(), measure="rate", scheme="quantile", classes=5)
    return _work_out(query, query.store.version, same)


@st.cache_resource(max_entries=256, show_spinner=False)
def _work_out(_query: Query, version: str, selection: Selection) -> Figures:
    now, before = _query.count_coverage(selection), _query.count_coverage(selection, span=selection.before)
    areas = compute_figures(
        _query.count_areas(selection),
        total=now.total,
        comparable=not explain_incomparable(now, before),
        smallest=_query.store.partnership.smallest_denominator,
    )
    if selection.edition is not None:
        deprivation = _query.read_deprivation(selection.level, selection.edition).drop(columns="method")
        areas = areas.merge(deprivation, on="code", how="left")
    return Figures(areas, now, before, _query.denominator(selection))
