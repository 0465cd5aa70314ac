"""The figures behind a map as a table, and as files."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from cspmap.analysis.change import Verdict
from cspmap.analysis.measures import as_floats
from cspmap.exports.area_table import tabulate_areas
from cspmap.exports.extract import write_csv, write_geojson
from cspmap.exports.files import BYTE_ORDER_MARK
from cspmap.exports.published import publish
from cspmap.exports.request import MOST_NAMED, name_file
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.extract_choice import offer_extract
from cspmap.views.figures import Figures
from cspmap.views.pack_button import offer_pack
from cspmap.views.words import escape_markdown, name_crimes

WORDS_OF_VERDICT: dict[Verdict, str] = {
    "up": "Up, more than chance",
    "down": "Down, more than chance",
    "normal variation": "Within normal variation",
    "too few to say": "Too few to say",
    "no incidents": "None in either period",
    "not known": "Not known",
}

__all__ = ["MOST_NAMED", "WORDS_OF_VERDICT", "show_areas"]


def show_areas(query: Query, selection: Selection, figures: Figures, caveats: Sequence[str]) -> None:
    """The figures by area, sortable, with what travels with them, and the files."""
    per = figures.per

    def tabulate() -> pd.DataFrame:
        partnership = query.store.partnership
        return tabulate_areas(
            figures.areas,
            selection,
            now=figures.now,
            before=figures.before,
            per=per,
            crimes=name_crimes(selection, partnership),
            notice=partnership.notice,
            rule=partnership.disclosure,
        )

    columns = {
        "name": st.column_config.TextColumn("Area", pinned=True),
        "count": st.column_config.NumberColumn("Incidents", format="localized"),
        "rate": st.column_config.NumberColumn(f"Per 1,000 {per.name}", format="%.1f"),
        "smoothed": st.column_config.NumberColumn("Smoothed", format="%.1f"),
        "share": st.column_config.NumberColumn("Share", format="percent"),
        "before": st.column_config.NumberColumn("Before", format="localized"),
        "hidden": st.column_config.TextColumn("Withheld"),
        "percent": st.column_config.NumberColumn("Change %", format="%.1f"),
        "worth": st.column_config.TextColumn("Evidence"),
        "score": st.column_config.NumberColumn("Deprivation score", format="%.1f"),
        "fifth": st.column_config.NumberColumn("In most deprived fifth", format="percent"),
    }
    st.dataframe(
        _sort_areas(figures.areas, list(columns), only=selection.areas, hides=publish(query).hides),
        hide_index=True,
        column_config=columns,
        width="stretch",
        height=330,
        placeholder="–",
    )
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            lambda: BYTE_ORDER_MARK + write_csv(tabulate(), caveats),
            file_name=name_file(selection, "csv"),
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "GeoJSON",
            lambda: write_geojson(tabulate(), query.store.read_layer(selection.level), caveats),
            file_name=name_file(selection, "geojson"),
            mime="application/geo+json",
            icon=":material/download:",
            on_click="ignore",
        )
        offer_pack(query, selection)
    offer_extract(query, selection)
    with st.expander("About these figures"):
        st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in caveats))


def _sort_areas(areas: pd.DataFrame, columns: Sequence[str], *, only: Sequence[str], hides: bool) -> pd.DataFrame:
    """The areas that are shown, with the most incidents first, in such of the columns as there are."""
    rows = np.argsort(-as_floats(areas["count"]), kind="stable")
    if only:
        rows = rows[areas["code"].isin(only).to_numpy()[rows]]
    values: dict[str, Any] = {name: areas[name].array for name in columns if name in areas}
    values["worth"] = np.array([WORDS_OF_VERDICT[verdict] for verdict in areas["verdict"].tolist()])
    if hides:
        flags = zip(areas["withheld"].tolist(), areas["withheld_before"].tolist(), strict=True)
        values["hidden"] = np.array([name_withheld(*both) for both in flags])
    return pd.DataFrame({name: values[name].take(rows) for name in columns if name in values})


def name_withheld(count: bool, before: bool) -> str:
    """Which counts of an area the disclosure rule withholds; empty where none is."""
    return "both counts" if count and before else "count" if count else "count before" if before else ""
