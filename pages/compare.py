"""Compare: the partnership beside those most similar to it, two sources side by side, and its own areas."""

import streamlit as st

from cspmap.query import Query
from cspmap.views.compare_controls import check_peer_address
from cspmap.views.compare_tabs import show_every_offence, show_funnel, show_group, show_inside, show_sources
from cspmap.views.dashboard import begin_page, load_query, settle_memory, show_errors, show_licences

TABS = {
    "Group": show_group,
    "Every offence": show_every_offence,
    "Funnel": show_funnel,
    "Two sources": show_sources,
    "Own areas": show_inside,
}


@st.fragment
@show_errors()
def compare(query: Query) -> None:
    """Choices and tabs: one fragment, so that a choice redraws these and nothing else."""
    check_peer_address(query, list(TABS))
    for tab, show in zip(st.tabs(list(TABS), key="tab", bind="query-params"), TABS.values(), strict=True):
        if tab.open:
            with tab:
                show(query)


with show_errors():
    opened = load_query()
begin_page(opened)
page = st.container()
# Before what is above it, which a link that asks for what is not there stops.
show_licences(opened)
with page:
    compare(opened)
settle_memory(opened.store.version)
