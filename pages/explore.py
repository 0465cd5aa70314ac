"""Explore: where, what, since when, and is it really up."""

import time
from collections.abc import Callable

import streamlit as st

from cspmap.exports.area_figures import list_figure_caveats
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views import tables
from cspmap.views.assets import layer_url
from cspmap.views.boards import shade_progress
from cspmap.views.choropleth import Choropleth, shade_areas, shade_nothing, state_rule
from cspmap.views.controls import choose_area, choose_selection, give_address, is_first_look, link_to, take_address
from cspmap.views.dashboard import begin_page, load_query, settle_memory, show_errors, show_licences
from cspmap.views.figures import Figures, find_area, load_figures
from cspmap.views.map import OPENSTREETMAP, MapView, draw_map, take_event
from cspmap.views.panel import show_panel
from cspmap.views.shared_work import TURN
from cspmap.views.words import describe_absent, describe_missing, escape_markdown, name_part, name_view

MAP_HEIGHT = 470
# Seconds by which the map comes before what is beside it, when a viewer first opens the page.
LEAD = 1.2


@st.fragment
def explore(query: Query) -> None:
    """Filters, map, panel, table: one fragment, so that a filter redraws these and nothing else."""
    first = is_first_look()
    with TURN:
        show_rest = show_map(query)
        if not first:
            show_rest()
    if first:
        # The map is what a viewer waits for: the scripts of charts and tables, two megabytes, would come before it.
        time.sleep(LEAD)
        with TURN:
            show_rest()


def show_map(query: Query) -> Callable[[], None]:
    """Filters and map; returns what shows the panel, the table and the files beside them."""
    store, partnership = query.store, query.store.partnership
    event = take_event(key="map")
    with show_errors():
        take_address(store, acted=event is not None)
    if event is not None:
        choose_area(event.area)
    bar = st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters")
    left, right = st.columns([2, 1], gap="medium")
    finder = right.container(horizontal=True, gap="xsmall")
    selection, settings = choose_selection(query, bar=bar, finder=finder)
    give_address(selection)

    figures = load_figures(query, selection)
    choropleth = shade(query, selection, figures)
    with left:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            heading, part = name_view(selection, partnership), name_part(selection, partnership)
            st.markdown(f"**{escape_markdown(heading)}** {escape_markdown(part)}", width="stretch")
            with st.popover("Link", icon=":material/link:"):
                st.caption("This address opens the same view.")
                st.code(link_to(selection), language=None, wrap_lines=True)
                st.link_button("Meeting", link_to(selection, page="meeting"), icon=":material/present_to_all:")
        # In a container of its own, so that the map keeps its place on the page, and with it its zoom.
        with st.container():
            warn(describe_missing(figures.now.missing, figures.now.span.words))
            warn(describe_missing(figures.before.missing, figures.before.span.words))
            if choropleth.empty:
                warn(describe_absent(selection, partnership))
        view = MapView(
            place=partnership.place,
            layer=layer_url(store.web / f"{selection.level}.json"),
            areas=choropleth.areas,
            legend=choropleth.legend,
            selected=selection.chosen,
            labels=settings.labels,
            tiles=OPENSTREETMAP if settings.tiles else None,
        )
        draw_map(view, key="map", height=MAP_HEIGHT)

    def show_rest() -> None:
        with right:
            chosen = find_area(figures.areas, selection.chosen)
            if chosen is not None:
                finder.button(
                    f"Back to {escape_markdown(partnership.place)}",
                    on_click=choose_area,
                    args=(None,),
                    icon=":material/undo:",
                )
            show_panel(query, selection, chosen, figures)
        tables.show_areas(query, selection, figures, list_figure_caveats(query, selection, figures))

    return show_rest


def shade(query: Query, selection: Selection, figures: Figures) -> Choropleth:
    """The areas coloured by the selection's measure."""
    if selection.measure != "progress":
        shaded = shade_areas(figures.areas, selection, figures.per)
        return state_rule(shaded, query.store.partnership.disclosure)
    return shade_progress(query, selection) or shade_nothing(figures.areas, selection)


def warn(sentence: str) -> None:
    """Say above the map what to know before anybody reads its figures, if there is anything."""
    if sentence:
        st.markdown(f":orange-background[:material/warning: {escape_markdown(sentence)}]")


with show_errors():
    opened = load_query()
begin_page(opened)
page = st.container()
# Before what is above it, which a link that asks for what is not there stops.
show_licences(opened)
with page:
    explore(opened)
settle_memory(opened.store.version)
