"""Hotspots: where to go next, how sure that is, and what happens there."""

from dataclasses import replace

import streamlit as st

from cspmap.errors import UserError
from cspmap.exports.published import publish
from cspmap.query import Query
from cspmap.views.address import link_here
from cspmap.views.assets import layer_url
from cspmap.views.dashboard import begin_page, load_query, settle_memory, show_errors, show_licences
from cspmap.views.hotspot_controls import HotspotView, check_choices, choose_hotspots, read_choices
from cspmap.views.hotspot_load import (
    Found,
    find_cells_file,
    load_hotspots,
    load_picture,
    load_recorded,
    load_steps,
    select,
)
from cspmap.views.hotspot_map import draw_locations, draw_places
from cspmap.views.hotspot_panel import find_chosen, show_place, show_summary
from cspmap.views.hotspot_shading import shade_cells
from cspmap.views.hotspot_tabs import (
    ON_MAP,
    load_repeats,
    show_concentration,
    show_hotspots,
    show_hours,
    show_repeats,
)
from cspmap.views.hotspot_words import list_hotspot_caveats, name_hotspots
from cspmap.views.map import OPENSTREETMAP, MapView, Place, draw_map, take_event
from cspmap.views.words import describe_missing, escape_markdown

MAP_HEIGHT = 470
PLACE, TAB = "at", "tab"
REPEATS = "Repeat locations"


@st.fragment
def find_hotspots(query: Query) -> None:
    """Choices, map, panel and tables: one fragment, so that a choice redraws these and nothing else."""
    with show_errors():
        show_page(query)


def show_page(query: Query) -> None:
    """The page but for its notice and its licences."""
    partnership = query.store.partnership
    check_choices(query)
    event = take_event(key="hotspot-map")
    if event is not None:
        st.session_state[PLACE] = event.area
    bar = st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters")
    left, right = st.columns([2, 1], gap="medium")
    view = choose_hotspots(query, bar=bar)
    selection = select(query, view.choice)
    try:
        found = load_hotspots(query, view.choice)
        drawn = draw_view(query, found, view)
    except UserError as error:
        # The choices stay, so that another can be made.
        left.error(escape_markdown(str(error)), icon=":material/error:")
        return
    recorded, coverage = load_recorded(query, view.choice.crimes), publish(query).count_coverage(selection)
    chosen = find_chosen(found.layer, st.session_state.get(PLACE, st.query_params.get(PLACE)))
    give_place(None if chosen is None else chosen.code)
    with left:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            heading = escape_markdown(name_hotspots(found.layer, partnership, selection))
            st.markdown(f"**{heading}**", width="stretch")
            link = st.popover("Link", icon=":material/link:")
        with st.container():
            missing = describe_missing(coverage.missing, selection.span.words)
            if missing:
                st.markdown(f":orange-background[:material/warning: {escape_markdown(missing)}]")
        draw_map(replace(drawn, selected=st.session_state[PLACE]), key="hotspot-map", height=MAP_HEIGHT)
        words = [found.layer.words, *found.layer.cautions]
        # The panel of the whole has the score; beside that of a place it is said here.
        st.caption(escape_markdown(" ".join(words if chosen is None else [*words, found.score.words])))
    with right:
        finder = st.container(horizontal=True, gap="xsmall")
        if chosen is None:
            show_summary(found, partnership.place)
        else:
            finder.button(f"Back to {escape_markdown(partnership.place)}", on_click=leave_place, icon=":material/undo:")
            show_place(query, found, selection, chosen, snapped=recorded.snapped)
    caveats = list_hotspot_caveats(
        found.layer, partnership, selection, coverage=coverage, score=found.score, snapped=recorded.snapped
    )
    tabs = st.tabs(
        ["Hotspots", REPEATS, "Concentration", "Days and hours", "About these figures"],
        key=TAB,
        bind="query-params",
    )
    table, repeats, concentrated, hours, about = tabs
    if table.open:
        with table:
            show_hotspots(query, found, selection, caveats)
    if repeats.open:
        with repeats:
            show_repeats(query, found.layer, selection, snapped=recorded.snapped)
    if concentrated.open:
        with concentrated:
            show_concentration(query, found, selection)
    if hours.open:
        with hours:
            show_hours(query, found, chosen)
    if about.open:
        with about:
            st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in caveats))
    # Last, when all that is part of the address has been drawn.
    with link:
        st.caption("This address opens the same view.")
        st.code(link_here(read_choices(query)), language=None, wrap_lines=True)


def give_place(code: str | None) -> None:
    """Keep the open place in the page's address."""
    st.session_state[PLACE] = code
    if code is not None and st.query_params.get(PLACE) != code:
        st.query_params[PLACE] = code
    elif code is None and PLACE in st.query_params:
        del st.query_params[PLACE]


def leave_place() -> None:
    st.session_state[PLACE] = None


def draw_view(query: Query, found: Found, view: HotspotView) -> MapView:
    """The map: cells or the density as a picture, the hotspots over them, and the boundary layer for orientation."""
    store, partnership, choice = query.store, query.store.partnership, view.choice
    areas, legend = shade_cells(found.layer)
    picture, frames = None, None
    if view.months is not None:
        played = load_steps(query, choice, view.months)
        picture, legend, frames = played.picture, played.legend, played.frames
    elif choice.layer == "density":
        picture, legend = load_picture(query, choice)
    own = choice.cells.level == partnership.boundary
    return MapView(
        place=partnership.place,
        layer=layer_url(find_cells_file(query, choice.cells)),
        areas=areas,
        legend=legend,
        labels=view.settings.labels,
        tiles=OPENSTREETMAP if view.settings.tiles else None,
        lines=None if own else layer_url(store.web / f"{partnership.boundary}.json"),
        picture=picture,
        places=pick_places(query, found),
        frames=frames,
    )


def pick_places(query: Query, found: Found) -> tuple[Place, ...]:
    """The hotspots, or the repeat locations where the viewer asked for them."""
    if st.session_state.get(TAB) != REPEATS or not st.session_state.get(ON_MAP):
        return draw_places(found.layer)
    selection = select(query, found.layer.choice)
    recorded = load_recorded(query, found.layer.choice.crimes)
    return draw_locations(load_repeats(query, found.layer, selection, recorded.snapped).frame)


with show_errors():
    opened = load_query()
begin_page(opened)
page = st.container()
# Before what is above it, which a choice of months that are not loaded stops.
show_licences(opened)
with page:
    find_hotspots(opened)
settle_memory(opened.store.version)
