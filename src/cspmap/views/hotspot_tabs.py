"""What stands under the map of hotspots: the table and its files, repeat locations, concentration, hours and days."""

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
import streamlit as st

from cspmap.analysis.accuracy import concentration
from cspmap.analysis.repeats import Repeats, repeat_locations
from cspmap.exports.extract import write_csv
from cspmap.exports.hotspot_files import (
    tabulate_hotspots,
    write_hotspots_geojson,
    write_hotspots_geopackage,
)
from cspmap.exports.published import WITHHELD, publish
from cspmap.hotspot_layers import HotspotChoice, HotspotLayer
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.hotspot_charts import draw_lorenz, draw_week
from cspmap.views.hotspot_load import Found, load_hours
from cspmap.views.hotspot_panel import Chosen
from cspmap.views.hotspot_rule import TOO_FEW, fill_withheld, keep_repeats
from cspmap.views.hotspot_words import LAYER_NAMES, lower_first
from cspmap.views.tables import MOST_NAMED
from cspmap.views.words import escape_markdown, format_count, format_percent, name_crimes

ON_MAP = "locations-on-map"
# Of a table that is shown whole.
MOST_ROWS = 8

_Columns = dict[str, Any]
_COLUMNS: _Columns = {
    "rank": st.column_config.NumberColumn("Rank", width=60, pinned=True),
    "area": st.column_config.TextColumn("Where", pinned=True),
    "street": "Busiest location",
    "count": st.column_config.NumberColumn("Incidents", format="localized"),
    "share": st.column_config.NumberColumn("Share", format="percent"),
    "hectares": st.column_config.NumberColumn("Hectares", format="%.1f"),
    "cells": st.column_config.NumberColumn("Cells"),
    "peak": st.column_config.NumberColumn("Highest score", format="localized"),
}


def show_hotspots(query: Query, found: Found, selection: Selection, caveats: Sequence[str]) -> None:
    """The hotspots as a table, and as files with their outlines."""
    layer, partnership = found.layer, query.store.partnership
    if layer.places.empty:
        st.write("No place stands out.")
        return

    def tabulate() -> pd.DataFrame:
        name, crimes = LAYER_NAMES[layer.choice.layer], name_crimes(selection, partnership)
        return tabulate_hotspots(layer, found.score, name=name, crimes=crimes)

    columns, places = dict(_COLUMNS), pd.DataFrame(layer.places)
    if layer.choice.layer == "clusters":
        columns["cells"] = st.column_config.NumberColumn("Locations")
    if layer.rule.rule == "suppress":
        columns["hidden"] = st.column_config.TextColumn("Withheld")
        places["hidden"] = ["count, share and score" if gone else "" for gone in places["count"].isna()]
    table = places[list(columns)].round({"peak": 1})
    height: int | Literal["content"] = "content" if len(table) <= MOST_ROWS else 330
    st.dataframe(table, hide_index=True, column_config=columns, placeholder="–", height=height)
    with st.container(horizontal=True):
        for label, write, mime, suffix in (
            ("CSV", lambda: write_csv(tabulate(), caveats), "text/csv", "csv"),
            (
                "GeoJSON",
                lambda: write_hotspots_geojson(tabulate(), layer, caveats),
                "application/geo+json",
                "geojson",
            ),
            (
                "GeoPackage",
                lambda: write_hotspots_geopackage(tabulate(), layer, caveats),
                "application/geopackage+sqlite3",
                "gpkg",
            ),
        ):
            st.download_button(
                label,
                write,
                file_name=name_file(layer, selection, suffix),
                mime=mime,
                icon=":material/download:",
                on_click="ignore",
            )


def name_file(layer: HotspotLayer, selection: Selection, suffix: str) -> str:
    """A file name that tells what is in it: "hotspots-burglary-expected-2023-05-to-2024-04.csv"."""
    crimes = selection.crimes or ("incidents",)
    what = "-".join(crimes) if len(crimes) <= MOST_NAMED else f"{len(crimes)}-crime-types"
    span = selection.span
    return f"hotspots-{what}-{layer.choice.layer}-{span.first}-to-{span.last}.{suffix}"


def load_repeats(query: Query, layer: HotspotLayer, selection: Selection, snapped: bool) -> Repeats:
    """The locations with the most incidents of a selection; where counts are withheld, beside those of the cells."""
    choice = layer.choice if publish(query).hides else None
    return _list_repeats(query, query.store.version, selection, snapped, choice, layer)


@st.cache_resource(max_entries=64, show_spinner=False)
def _list_repeats(
    _query: Query,
    version: str,
    selection: Selection,
    snapped: bool,
    choice: HotspotChoice | None,
    _layer: HotspotLayer,
) -> Repeats:
    published = publish(_query)
    counts = _query.count_points(selection, by=("month", "location"))
    loaded = [month for month in _query.store.months if month in selection.span]
    repeats = repeat_locations(counts, loaded, snapped=snapped)
    return keep_repeats(repeats, counts, _layer, published) if published.hides or published.rounds else repeats


def show_repeats(query: Query, layer: HotspotLayer, selection: Selection, *, snapped: bool) -> None:
    """The locations with the most incidents, and whether they stay so."""
    repeats = load_repeats(query, layer, selection, snapped)
    if publish(query).hides:
        st.caption(f"Locations with fewer than {layer.rule.threshold} incidents are not listed.")
    if repeats.frame.empty and repeats.incidents:
        st.write("None that can be listed in this period.")
        return
    st.write(escape_markdown(repeats.words))
    if repeats.frame.empty:
        return
    halves = [span.words if span else "" for span in (repeats.earlier, repeats.later)]
    table = repeats.frame.assign(rank=range(1, len(repeats.frame) + 1)).drop(columns=["easting", "northing"])
    columns: _Columns = {
        "rank": st.column_config.NumberColumn("Rank", width=60),
        "location": "Location",
        "count": st.column_config.NumberColumn("Incidents", format="localized"),
        "share": st.column_config.NumberColumn("Share", format="percent"),
        "cumulative_share": st.column_config.NumberColumn("Together", format="percent"),
        "months": st.column_config.NumberColumn("Months with any"),
        "count_earlier": st.column_config.NumberColumn(halves[0] or "Earlier", format="localized"),
        "count_later": st.column_config.NumberColumn(halves[1] or "Later", format="localized"),
        "persists": st.column_config.CheckboxColumn("Among the most in both"),
        "p": st.column_config.NumberColumn("p of the change", format="%.3f"),
    }
    st.toggle("Show them on the map instead of the hotspots", key=ON_MAP)
    table = table[[name for name in columns if name in table]]
    st.dataframe(table, hide_index=True, column_config=columns, placeholder="–", height=330)
    for sentence in repeats.cautions:
        st.caption(escape_markdown(sentence))


def show_concentration(query: Query, found: Found, selection: Selection) -> None:
    """How much of crime is in how little of the partnership, in words and as a Lorenz curve."""
    partnership, layer = query.store.partnership, found.layer
    crimes = name_crimes(selection, partnership)
    levels = dict.fromkeys(
        [next(level.key for level in partnership.layers if not level.figures_of), partnership.boundary]
    )
    published = publish(query)
    counted = {
        partnership.find_layer(level).plural: published.count_areas(selection.change(level=level))["count"]
        for level in levels
    }
    if layer.ground.cells.lattice is not None:
        counted[layer.ground.cells.words] = layer.frame["count"]
    found_in = {name: concentration(fill_withheld(counts, layer.total), units=name) for name, counts in counted.items()}
    words, chart = st.columns([1, 1], gap="medium")
    with words:
        if not layer.total:
            st.write("There are no incidents in this period.")
            return
        for name, one in found_in.items():
            share = format_percent(100 * one.half)
            where = f"{format_count(one.units)} {escape_markdown(name)}"
            st.markdown(f"Half of {escape_markdown(lower_first(crimes))} is in **{share}** of the {where}.")
        table = pd.DataFrame(
            {
                "units": list(found_in),
                "number": [one.units for one in found_in.values()],
                "half": [one.half for one in found_in.values()],
                "generalised": [one.generalised_gini for one in found_in.values()],
                "gini": [one.gini for one in found_in.values()],
            }
        )
        st.dataframe(
            table,
            hide_index=True,
            column_config={
                "units": "Units",
                "number": st.column_config.NumberColumn("Number", format="localized"),
                "half": st.column_config.NumberColumn("Hold half", format="percent"),
                "generalised": st.column_config.NumberColumn("Generalised Gini", format="%.3f"),
                "gini": st.column_config.NumberColumn("Gini", format="%.3f"),
            },
        )
        if published.hides:
            st.caption("Of the counts that are withheld, each is taken to be their average.")
        st.caption("Both are 0 where incidents lie as evenly as they can, and near 1 where few units have all of them.")
    with chart:
        draw_lorenz(found_in).show()


def show_hours(query: Query, found: Found, chosen: Chosen | None) -> None:
    """Incidents by hour and weekday, of the whole or of the place whose panel is open; or why they are not known."""
    where, outline = (query.store.partnership.place, None) if chosen is None else (chosen.name, chosen.outline)
    code = None if chosen is None else chosen.code
    st.markdown(f"**{escape_markdown(where)}**")
    if chosen is not None and pd.isna(chosen.count):
        st.write(TOO_FEW)
        return
    hours = load_hours(query, query.store.version, found.layer.choice, code, outline)
    if isinstance(hours, str):
        st.write(escape_markdown(hours))
        return
    draw_week(hours).show()
    for sentence in (hours.words, *hours.cautions):
        st.caption(escape_markdown(sentence))
    with st.expander("As a table"):
        st.dataframe(hours.table.round(1), height=330, placeholder=WITHHELD)
