"""Entry of the dashboard: its pages and their order."""

import streamlit as st

from cspmap.views.dashboard import ICON

st.set_page_config(page_title="Community safety", page_icon=ICON, layout="wide")

st.navigation(
    [
        st.Page("pages/explore.py", title="Explore", default=True),
        st.Page("pages/targets.py", title="Targets"),
        st.Page("pages/set_targets.py", title="Set targets"),
        st.Page("pages/hotspots.py", title="Hotspots"),
        st.Page("pages/deprivation.py", title="Deprivation"),
        st.Page("pages/focus.py", title="Focus area"),
        st.Page("pages/operations.py", title="Operations"),
        st.Page("pages/compare.py", title="Compare"),
        st.Page("pages/perceptions.py", title="Perceptions"),
        st.Page("pages/priorities.py", title="Priorities"),
        st.Page("pages/meeting.py", title="Meeting"),
        st.Page("pages/data.py", title="Data"),
    ],
    position="top",
).run()
