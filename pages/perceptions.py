"""Perceptions and indicators: what people said when asked, how sure that is, and what stands beside it."""

import streamlit as st

from cspmap.exports.extract import write_csv
from cspmap.query import Query
from cspmap.views.address import check_address
from cspmap.views.dashboard import begin_page, load_query, settle_memory, show_errors, show_licences
from cspmap.views.perception_controls import choose_topic
from cspmap.views.perception_tabs import load_readings, show_beside, show_table, show_targets, show_topic
from cspmap.views.perception_words import APART, describe_margins
from cspmap.views.words import escape_markdown

TABS = ("What people said", "Beside recorded crime", "Against targets", "All figures")


@st.fragment
@show_errors()
def follow_perceptions(query: Query) -> None:
    """One topic after another, beside recorded crime, against targets, and everything as one table."""
    check_address(query, tab=TABS)
    readings = load_readings(query, query.store.version)
    place = escape_markdown(query.store.partnership.place)
    st.markdown(f"**Perceptions and indicators for {place} and its neighbours**, as printed, each with its source.")
    tabs = st.tabs(TABS, key="tab", bind="query-params")
    said, beside, targets, figures = tabs
    if said.open:
        with said:
            show_topic(choose_topic(readings))
    if beside.open:
        with beside:
            show_beside(query)
    if targets.open:
        with targets:
            show_targets(query)
    if figures.open:
        with figures:
            show_table(readings)
    caveats = [query.store.partnership.notice, describe_margins(readings), APART]
    st.download_button(
        "CSV",
        lambda: write_csv(readings, [sentence for sentence in caveats if sentence]),
        file_name="indicators.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


with show_errors():
    opened = load_query()
begin_page(opened)
page = st.container()
show_licences(opened)
with page, show_errors():
    if opened.store.indicators:
        follow_perceptions(opened)
    else:
        st.write("No indicators are loaded. Name a file of them in partnership.toml (docs/indicator-file.md).")
settle_memory(opened.store.version)
