"""Data: what is loaded, from where, under which licence, and how good it is."""

from itertools import cycle
from typing import Any

import streamlit as st

from cspmap.periods import Span
from cspmap.query import Query
from cspmap.views.charts import draw_quality
from cspmap.views.dashboard import begin_page, load_query, show_errors, show_licences
from cspmap.views.quality import list_levels, list_months, summarise_quality
from cspmap.views.words import describe_missing, escape_markdown, format_moment


def _count(label: str) -> Any:
    return st.column_config.NumberColumn(label, format="localized")


MONTH_COLUMNS: dict[str, Any] = {
    "month": "Month",
    "rows": _count("Rows read"),
    "repeated": _count("Repeated, dropped"),
    "without_id": _count("Without an identifier"),
    "recorded": _count("Recorded"),
    "inside": _count("Inside"),
    "outside": _count("Outside"),
    "unlocated": _count("Without a location"),
    "unlocated_percent": st.column_config.NumberColumn("Without a location, %", format="%.1f"),
    "lsoa_vintage": "LSOA codes",
    "disagree_percent": st.column_config.NumberColumn("LSOA not that of the point, %", format="%.1f"),
    "source": "Source",
}

CHARTS = {
    "recorded": "Incidents recorded",
    "unlocated_percent": "Without a location, %",
    "repeated": "Repeated identifiers dropped",
    "disagree_percent": "LSOA code not that of the point, %",
}


def show_sources(query: Query) -> None:
    """Every input with its hash, so that a figure can be traced to the file that it came from."""
    st.subheader("Where it comes from", anchor=False)
    st.dataframe(
        query.store.manifest["inputs"],
        hide_index=True,
        column_config={"file": "File", "sha256": "SHA-256", "source": "Source"},
        column_order=["source", "file", "sha256"],
    )


def show_quality(query: Query) -> None:
    """The quality report: in words, as charts by month, and as a table."""
    store = query.store
    span = Span(store.months[0], store.months[-1])
    missing = query.missing_months(span)
    st.subheader("How good it is", anchor=False)
    st.write(describe_missing(missing, span.words) or f"No month is missing from {span.words}.")
    months = list_months(store)
    sentences = [*summarise_quality(months), *store.manifest["notes"]]
    st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in sentences))
    # What never happened has no chart.
    charts = [(name, title) for name, title in CHARTS.items() if months[name].fillna(0).any()]
    for column, (name, title) in zip(cycle(st.columns(2)), charts, strict=False):
        with column:
            draw_quality(months, name, title).show()
    table = months[list(MONTH_COLUMNS)]
    st.dataframe(table, hide_index=True, height=330, column_config=MONTH_COLUMNS, placeholder="–")


with show_errors():
    opened = load_query()
begin_page(opened)
st.header(escape_markdown(opened.store.partnership.name), anchor=False)
st.write(f"Built {format_moment(opened.store.manifest['built'])}.")
st.subheader("Levels", anchor=False)
st.dataframe(
    list_levels(opened.store),
    hide_index=True,
    column_config={"Hectares": st.column_config.NumberColumn(format="localized")},
)
show_quality(opened)
show_sources(opened)
show_licences(opened)
