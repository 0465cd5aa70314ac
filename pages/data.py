"""Data: what is loaded, from where, under which licence, and how good it is."""

from typing import Any

import streamlit as st

from cspmap.periods import Span
from cspmap.query import Query
from cspmap.views.charts import draw_quality
from cspmap.views.dashboard import begin_page, load_query, show_errors, show_licences
from cspmap.views.quality import list_levels, list_months, summarise_quality
from cspmap.views.words import describe_missing, escape_markdown, format_moment

MONTH_COLUMNS: dict[str, Any] = {
    "month": "Month",
    "rows": "Rows read",
    "repeated": "Repeated, dropped",
    "without_id": "Without an identifier",
    "recorded": "Recorded",
    "inside": "Inside",
    "outside": "Outside",
    "unlocated": "Without a location",
    "unlocated_percent": st.column_config.NumberColumn("Without a location, %", format="%.1f"),
    "lsoa_vintage": "LSOA codes",
    "disagree_percent": st.column_config.NumberColumn("LSOA not that of the point, %", format="%.1f"),
    "source": "Source",
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
    for sentence in (*summarise_quality(months), *store.manifest["notes"]):
        st.markdown(f"- {escape_markdown(sentence)}")
    for column, charts in zip(
        st.columns(2),
        (
            (("recorded", "Incidents recorded"), ("unlocated_percent", "Without a location, %")),
            (("repeated", "Repeated identifiers dropped"), ("disagree_percent", "LSOA code not that of the point, %")),
        ),
        strict=True,
    ):
        for name, title in charts:
            if not months[name].fillna(0).any():
                continue  # nothing to show: the sentences above say so
            column.altair_chart(draw_quality(months, name, title), width="stretch")
    st.dataframe(months[list(MONTH_COLUMNS)], hide_index=True, height=330, column_config=MONTH_COLUMNS)


with show_errors():
    opened = load_query()
begin_page(opened)
st.title(opened.store.partnership.name, anchor=False)
st.write(f"Built {format_moment(opened.store.manifest['built'])}.")
st.subheader("Levels", anchor=False)
st.dataframe(list_levels(opened.store), hide_index=True)
show_quality(opened)
show_sources(opened)
show_licences(opened)
