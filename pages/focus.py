"""Focus area: choose where to act, by hand or by a suggestion, and see what that comes to."""

import streamlit as st

from cspmap.exports.extract import write_csv
from cspmap.exports.published import publish
from cspmap.focus_area import ChosenArea, FocusGround
from cspmap.focus_choice import FocusChoice
from cspmap.focus_published import publish_choice
from cspmap.query import Query
from cspmap.views.assets import layer_url
from cspmap.views.dashboard import begin_page, load_query, settle_memory, show_errors, show_licences
from cspmap.views.focus_bring import offer_outline, take_handed_over, take_message, tell_outline
from cspmap.views.focus_controls import choose_aim, give_address, link_to_choice, read_level, take_address, tick_units
from cspmap.views.focus_files import summarise_area, tabulate_units, write_outlines
from cspmap.views.focus_load import load_ground
from cspmap.views.focus_map import read_message, shade_units
from cspmap.views.focus_panel import show_panel
from cspmap.views.focus_save import offer_save
from cspmap.views.focus_suggest import (
    follow_search,
    is_searching,
    offer_suggestion,
    read_avoided,
    read_suggested,
    show_answer,
)
from cspmap.views.focus_words import list_focus_caveats, name_aim
from cspmap.views.map import MapView, Picks, draw_map
from cspmap.views.words import escape_markdown

MAP, MAP_HEIGHT = "focus-map", 470
ANSWERS = "focus-answers"


@st.fragment
def choose_focus(query: Query) -> None:
    """Filters, map, panel: one fragment, so that a click redraws these and nothing else."""
    store, partnership, published = query.store, query.store.partnership, publish(query)
    with show_errors():
        take_address(store, acted=MAP in st.session_state)
    start = load_ground(query, read_level())
    message = read_message(start.codes, key=MAP)
    if message is not None:
        st.session_state[ANSWERS] = message.nonce
        take_message(start, message)
    take_handed_over(start)
    bar = st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters")
    choice = choose_aim(query, bar=bar)
    give_address(choice)

    ground, aim = load_ground(query, choice.selection.level), choice.aim(query)
    units = partnership.find_layer(ground.level).plural
    what = name_aim(aim, choice.selection, partnership)
    left, right = st.columns([2, 1], gap="medium")
    with left:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f"**Click {escape_markdown(units)} on and off**", width="stretch")
            offer_suggestion(ground, choice, aim, units)
            with st.popover("Outline", icon=":material/polyline:"):
                offer_outline(ground, units)
            with st.popover("Save", icon=":material/save:"):
                offer_save(query, choice)
            with st.popover("Link", icon=":material/link:"):
                st.caption("This address opens the same choice.")
                st.code(link_to_choice(choice), language=None, wrap_lines=True)
        areas, legend = shade_units(ground, aim, published, what=what, avoid=read_avoided(ground))
        view = MapView(
            place=partnership.place,
            layer=layer_url(store.web / f"{ground.level}.json"),
            areas=areas,
            legend=legend,
            picks=Picks(choice.selection.areas, read_suggested(ground.level, aim), st.session_state.get(ANSWERS)),
        )
        draw_map(view, key=MAP, height=MAP_HEIGHT)
    with right:
        tell_outline()
        if is_searching():
            follow_search(published)
        show_answer(ground, choice, aim, published, what=what)
        if not choice.selection.areas:
            st.subheader(f"No {escape_markdown(units)} chosen yet", anchor=False)
            st.write("Click them on the map, draw round them with the tools on its left, or have an area suggested.")
            return
        area = publish_choice(ground, aim, choice.selection.areas, published, before=choice.selection.before)
        show_panel(query, ground, choice, aim, area, what=what)
        offer_files(query, ground, choice, area, what=what)


def offer_files(query: Query, ground: FocusGround, choice: FocusChoice, area: ChosenArea, *, what: str) -> None:
    """The chosen units as a table and as an outline, a way to let them go, and what must be known of the figures."""
    aim, published = choice.aim(query), publish(query)
    coverage = published.count_coverage(choice.selection)
    caveats = list_focus_caveats(area, aim, query.store.partnership, what=what, coverage=coverage)
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            lambda: write_csv(tabulate_units(ground, aim, [area], published), caveats),
            file_name=f"focus-area-{ground.level}-{aim.span.first}-to-{aim.span.last}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "GeoJSON",
            lambda: write_outlines(ground, [summarise_area(area)], caveats),
            file_name=f"focus-area-{ground.level}-{aim.span.first}-to-{aim.span.last}.geojson",
            mime="application/geo+json",
            icon=":material/download:",
            on_click="ignore",
        )
        st.button("Untick all", icon=":material/close:", on_click=tick_units, args=(ground.level, ()))
    with st.expander("About these figures"):
        st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in caveats))


with show_errors():
    opened = load_query()
begin_page(opened)
page = st.container()
# Before what is above it, which a link that asks for what is not there stops.
show_licences(opened)
with page:
    choose_focus(opened)
settle_memory(opened.store.version)
