"""Meeting: one screen a subject, for a projector and people around it."""

import streamlit as st

from cspmap.views.dashboard import begin_page, load_query, settle_memory, show_errors, show_licences
from cspmap.views.meeting import show_meeting

with show_errors():
    opened = load_query()
begin_page(opened)
page = st.container()
show_licences(opened)


@st.fragment
@show_errors()
def run_meeting() -> None:
    # Opened anew each time: new figures are those of the store that is in use by then.
    show_meeting(load_query())


with page:
    run_meeting()
settle_memory(opened.store.version)
