"""Entry of the dashboard: its pages and their order."""

import streamlit as st

from cspmap.views.dashboard import ICON

st.set_page_config(page_title="Community safety", page_icon=ICON, layout="wide")

st.navigation(
    [
        st.Page("pages/explore.py", title="Explore", icon=":material/map:", default=True),
        st.Page("pages/targets.py", title="Targets", icon=":material/flag:"),
        st.Page("pages/set_targets.py", title="Set targets", icon=":material/edit_note:"),
        st.Page("pages/hotspots.py", title="Hotspots", icon=":material/local_fire_department:"),
        st.Page("pages/deprivation.py", title="Deprivation", icon=":material/stacked_line_chart:"),
        st.Page("pages/focus.py", title="Focus area", icon=":material/center_focus_strong:"),
        st.Page("pages/operations.py", title="Operations", icon=":material/flag_circle:"),
        st.Page("pages/compare.py", title="Compare", icon=":material/balance:"),
        st.Page("pages/perceptions.py", title="Perceptions", icon=":material/forum:"),
        st.Page("pages/priorities.py", title="Priorities", icon=":material/checklist:"),
        st.Page("pages/meeting.py", title="Meeting", icon=":material/present_to_all:"),
        st.Page("pages/data.py", title="Data", icon=":material/database:"),
    ],
    position="top",
).run()
