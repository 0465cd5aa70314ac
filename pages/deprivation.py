"""Deprivation: how it and crime lie together, how unequally crime falls, and where it is not as usual."""

from collections.abc import Callable

import streamlit as st

from cspmap.deprivation_view import DeprivationPicture
from cspmap.query import Query
from cspmap.views.assets import layer_url
from cspmap.views.dashboard import begin_page, load_query, settle_memory, show_errors, show_licences
from cspmap.views.deprivation_controls import (
    MAP,
    DeprivationPage,
    Shown,
    check_deprivation_address,
    choose_deprivation,
    choose_shown,
    take_acts,
)
from cspmap.views.deprivation_map import shade_picture
from cspmap.views.deprivation_tabs import (
    load_picture,
    offer_areas,
    show_area,
    show_curve,
    show_editions,
    show_fifths,
    show_scatter,
    show_table,
    show_usual,
)
from cspmap.views.deprivation_words import describe_whole, list_deprivation_caveats, name_picture
from cspmap.views.map import OPENSTREETMAP, MapView, draw_map
from cspmap.views.words import describe_missing, escape_markdown

MAP_HEIGHT = 470
TABS = ("Map", "Scatter", "By fifth", "Who it falls on", "More or less than usual", "Index years")


@st.fragment
@show_errors()
def compare_deprivation(query: Query) -> None:
    """Choices, sentence, and a tab for each question."""
    partnership = query.store.partnership
    check_deprivation_address(query, TABS)
    take_acts()
    bar = st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters")
    page = choose_deprivation(query, bar=bar)
    picture = load_picture(query, page.choice)
    caveats = list_deprivation_caveats(picture, partnership)
    said, finder = st.columns([3, 2], vertical_alignment="center")
    said.markdown(
        f"**{escape_markdown(name_picture(picture, partnership))}.** "
        f"{escape_markdown(describe_whole(picture, partnership.place))}"
    )
    with finder.container(horizontal=True, horizontal_alignment="right", gap="xsmall"):
        shown = choose_shown(query, page.choice.level)
    missing = describe_missing(picture.coverage.missing, page.choice.span.words)
    if missing:
        st.markdown(f":orange-background[:material/warning: {escape_markdown(missing)}]")
    tabs = st.tabs(TABS, key="tab", bind="query-params")
    faded = page.colours == "faded"
    with tabs[0]:
        if tabs[0].open:
            show_map(query, page, picture, shown)
            offer_areas(query, picture, caveats)
    shows: list[Callable[[], None]] = [
        lambda: show_scatter(picture, faded=faded, area=shown.area),
        lambda: show_fifths(query, picture, caveats),
        lambda: show_curve(picture),
        lambda: show_usual(picture),
        lambda: show_editions(query, picture, caveats),
    ]
    for tab, show in zip(tabs[1:], shows, strict=True):
        with tab:
            if tab.open:
                show()
    with st.expander("About these figures"):
        st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in caveats))


def show_map(query: Query, page: DeprivationPage, picture: DeprivationPicture, shown: Shown) -> None:
    """The map of both figures, the area that is open, and the table of the classes that are shown."""
    partnership = query.store.partnership
    left, right = st.columns([2, 1], gap="medium")
    with right:
        show_area(picture, shown.area)
    with left:
        areas, legend = shade_picture(
            picture, partnership, faded=page.colours == "faded", shown=shown.classes, answers=shown.answers
        )
        view = MapView(
            place=partnership.place,
            layer=layer_url(query.store.web / f"{page.choice.level}.json"),
            areas=areas,
            legend=legend,
            selected=shown.area,
            labels=page.settings.labels,
            tiles=OPENSTREETMAP if page.settings.tiles else None,
        )
        draw_map(view, key=MAP, height=MAP_HEIGHT)
    show_table(picture, shown.classes)


with show_errors():
    opened = load_query()
begin_page(opened)
body = st.container()
show_licences(opened)
with body, show_errors():
    if opened.store.partnership.deprivation:
        compare_deprivation(opened)
    else:
        st.write(
            "No Indices of Deprivation are loaded. Name a file of them in partnership.toml (docs/partnership-file.md)."
        )
settle_memory(opened.store.version)
