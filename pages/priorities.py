"""Priorities: the scanning chart, with scores that explain themselves and the group's decision beside them."""

import streamlit as st

from cspmap.exports.extract import write_csv
from cspmap.exports.priority_table import tabulate_chart
from cspmap.query import Query
from cspmap.scanning import rank_categories
from cspmap.views.address import check_address
from cspmap.views.dashboard import begin_page, load_query, settle_memory, show_errors, show_licences
from cspmap.views.priority_controls import choose_categories, choose_weights, choose_year, load_scan, open_decisions
from cspmap.views.priority_decide import show_decisions
from cspmap.views.priority_table import show_points, show_published, show_ranking, show_sentences
from cspmap.views.priority_words import describe_gaps, list_scan_caveats
from cspmap.views.target_board import warn
from cspmap.views.words import describe_missing, escape_markdown, the

TABS = ("Ranking", "Decide", "Published charts")


@st.fragment
@show_errors()
def follow_priorities(query: Query) -> None:
    """Choices, the ranking, the group's part, and the charts published before."""
    check_address(query, tab=TABS)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters"):
        year = choose_year(query)
        categories = choose_categories(query)
        weights = choose_weights()
    scan, decisions = load_scan(query, categories, year), open_decisions(query)
    chart = rank_categories(query, scan, decisions.read_year(year), weights)
    partnership = query.store.partnership
    heading = f"What to put first in {partnership.place}, by the figures of {the(year.words)}"
    st.markdown(f"**{escape_markdown(heading)}.** A score orders the talk; the group decides.")
    warn(" ".join(filter(None, (describe_missing(scan.coverage.missing, year.words), describe_gaps(scan)))))
    caveats = list_scan_caveats(query, scan, weights)
    ranking, decide, published = st.tabs(TABS, key="tab", bind="query-params")
    if ranking.open:
        with ranking:
            show_ranking(chart)
            show_points(chart)
            show_sentences(chart)
            st.download_button(
                "CSV",
                lambda: write_csv(tabulate_chart(chart, year, weights, rule=partnership.disclosure), caveats),
                file_name=f"priorities-{year.first}-to-{year.last}.csv",
                mime="text/csv",
                icon=":material/download:",
                on_click="ignore",
            )
            with st.expander("About these figures"):
                st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in caveats))
    if decide.open:
        with decide:
            show_decisions(query, decisions, chart, year)
    if published.open:
        with published:
            show_charts(query)


def show_charts(query: Query) -> None:
    """The charts that were published before, as they were."""
    charts = query.store.scanning_charts
    for chart in charts:
        show_published(chart)
    if not charts:
        st.write("No published chart is loaded. Name a file of one in partnership.toml (docs/indicator-file.md).")


with show_errors():
    opened = load_query()
begin_page(opened)
page = st.container()
show_licences(opened)
with page, show_errors():
    follow_priorities(opened)
settle_memory(opened.store.version)
