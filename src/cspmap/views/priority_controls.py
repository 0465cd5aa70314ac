"""The choices of the priorities page, each kept in the page's address: year, categories and weights."""

from collections.abc import Mapping

import streamlit as st

from cspmap.analysis.priorities import CRITERIA, MOST_WEIGHT, WEIGHTS, Criterion
from cspmap.errors import SelectionError
from cspmap.operations.decisions import Decisions
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.scanning import Published, Scan, find_year, list_categories, read_published, scan_categories
from cspmap.views.operation_load import open_operations
from cspmap.views.priority_words import CRITERION_HELP, CRITERION_NAMES

Weights = Mapping[Criterion, float]


def load_scan(query: Query, categories: tuple[str, ...], year: Span) -> Scan:
    """The categories of a chart measured over a year, worked out once and shared by all viewers."""
    return _scan(query, query.store.version, categories, year)


@st.cache_resource(max_entries=64, show_spinner="Working out the chart")
def _scan(_query: Query, version: str, categories: tuple[str, ...], year: Span) -> Scan:
    return scan_categories(_query, categories, year, published=_published(_query, version))


@st.cache_resource(max_entries=4, show_spinner=False)
def _published(_query: Query, version: str) -> Published:
    return read_published(_query)


def open_decisions(query: Query) -> Decisions:
    """The decisions kept in the database of a store's operations."""
    return open_operations(query).decisions


def choose_year(query: Query) -> Span:
    """The twelve months that the figures are of. Raises SelectionError where a link asks for what is not loaded."""
    months = {month.words: month for month in reversed(query.store.months)}
    asked = st.query_params.get("year-to")
    if asked is not None and "year-to" not in st.session_state and asked not in months:
        raise SelectionError(
            f"The year asked for ends in {asked[:40]!r}, which is not loaded; choose a month such as "
            f"{next(iter(months))}."
        )
    chosen = st.selectbox("Year to", list(months), 0, key="year-to", bind="query-params", width=170)
    month: Month | None = months.get(chosen) if chosen else None
    return find_year(query, month)


def choose_categories(query: Query) -> tuple[str, ...]:
    """The categories that are ranked; those of the partnership where none is chosen."""
    usual = list_categories(query)
    keys = {name: key for key, name in query.store.partnership.crime_names.items()}
    asked = st.query_params.get_all("categories")
    if "categories" not in st.session_state and (strange := [name for name in asked if name not in keys]):
        raise SelectionError(
            f"The category asked for is {strange[0][:40]!r}, which is not held here; try {', '.join(list(keys)[:12])}."
        )
    chosen = st.multiselect(
        "Categories",
        list(keys),
        key="categories",
        bind="query-params",
        width=420,
        placeholder="All that the partnership ranks",
    )
    return tuple(keys[name] for name in chosen) or usual


def choose_weights() -> Weights:
    """How much each criterion counts, 0 for nothing."""
    with st.popover("Weights", icon=":material/tune:"):
        st.caption("How much each column counts. They are yours to choose; 0 leaves a column out.")
        return {
            name: st.slider(
                CRITERION_NAMES[name],
                0.0,
                MOST_WEIGHT,
                WEIGHTS[name],
                0.5,
                key=f"weight-{name.replace('_', '-')}",
                bind="query-params",
                help=CRITERION_HELP[name],
            )
            for name in CRITERIA
        }
