"""Entry of the dashboard: its pages and their order."""

import streamlit as st

from cspmap.views.dashboard import ICON

st.set_page_config(page_title="Community safety", page_icon=ICON, layout="wide")

st.navigation(
    [
        st.Page("pages/explore.py", title="Explore", icon=":material/map:", default=True),
        st.Page("pages/data.py", title="Data", icon=":material/database:"),
    ],
    position="top",
).run()
