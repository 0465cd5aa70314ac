"""Explore: where, what, since when, and is it really up."""

import pandas as pd
import streamlit as st

from cspmap.analysis.area_figures import compute_figures
from cspmap.query import Query
from cspmap.views import tables
from cspmap.views.assets import layer_url
from cspmap.views.choropleth import shade_areas
from cspmap.views.controls import choose_area, choose_selection, give_address, take_address
from cspmap.views.dashboard import load_query, show_errors, show_licences, show_notice
from cspmap.views.map import OPENSTREETMAP, MapView, draw_map, take_event
from cspmap.views.panel import show_panel
from cspmap.views.words import list_caveats, name_crimes

MAP_HEIGHT = 470


@st.fragment
def explore(query: Query) -> None:
    """Filters, map, panel, table: one fragment, so that a filter redraws these and nothing else."""
    store, partnership = query.store, query.store.partnership
    with show_errors():
        asked = take_address(store)
    event = take_event(key="map")
    if event is not None:
        choose_area(asked.level, event.area)
    selection, settings = choose_selection(query)
    give_address(selection)

    now, before = query.count_coverage(selection), query.count_coverage(selection, span=selection.before)
    per = query.denominator(selection)
    figures = compute_figures(
        query.count_areas(selection),
        total=now.total,
        comparable=now.loaded == before.loaded,
        smallest=partnership.smallest_denominator,
    )
    if selection.edition is not None:
        deprivation = query.read_deprivation(selection.level, selection.edition)
        figures = figures.merge(deprivation.drop(columns="method"), on="code", how="left")
    shown = figures[figures["code"].isin(selection.areas)] if selection.areas else figures
    choropleth = shade_areas(shown, selection, per)
    caveats = list_caveats(
        selection, partnership, now=now, before=before, denominator=per, methods=figures["denominator_method"]
    )
    left, right = st.columns([2, 1], gap="medium")
    with left:
        st.markdown(f"**{name_crimes(selection, partnership)}**, {selection.span.words}")
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
        tables.show_areas(query, selection, shown, per, caveats)
    with right:
        chosen: pd.Series | None = None
        if selection.chosen is not None:
            chosen = figures.set_index("code", drop=False).loc[selection.chosen]
            st.button(
                f"Back to {partnership.place}",
                on_click=choose_area,
                args=(selection.level, None),
                icon=":material/undo:",
            )
        show_panel(query, selection, chosen, now=now, before=before, per=per)


with show_errors():
    opened = load_query()
show_notice(opened)
explore(opened)
show_licences(opened)
