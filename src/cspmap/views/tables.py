"""The figures behind a map as a table, and as files."""

from collections.abc import Sequence

import streamlit as st

from cspmap.analysis.change import Verdict
from cspmap.exports.area_table import tabulate_areas
from cspmap.exports.extract import write_csv, write_geojson
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.figures import Figures
from cspmap.views.words import escape_markdown

WORDS_OF_VERDICT: dict[Verdict, str] = {
    "up": "Up, more than chance",
    "down": "Down, more than chance",
    "normal variation": "Within normal variation",
    "too few to say": "Too few to say",
    "no incidents": "None in either period",
    "not known": "Not known",
}


def show_areas(query: Query, selection: Selection, figures: Figures, caveats: Sequence[str]) -> None:
    """The figures by area, sortable, with what travels with them, and the files."""
    per = figures.per
    notice = query.store.partnership.notice
    files = tabulate_areas(figures.areas, selection, now=figures.now, before=figures.before, per=per, notice=notice)
    columns = {
        "name": st.column_config.TextColumn("Area", pinned=True),
        "count": st.column_config.NumberColumn("Incidents", format="localized"),
        "rate": st.column_config.NumberColumn(f"Per 1,000 {per.name}", format="%.1f"),
        "smoothed": st.column_config.NumberColumn("Smoothed", format="%.1f"),
        "share": st.column_config.NumberColumn("Share", format="percent"),
        "before": st.column_config.NumberColumn("Before", format="localized"),
        "percent": st.column_config.NumberColumn("Change %", format="%.1f"),
        "worth": st.column_config.TextColumn("What it is worth"),
        "score": st.column_config.NumberColumn("Deprivation score", format="%.1f"),
        "fifth": st.column_config.NumberColumn("In most deprived fifth", format="percent"),
    }
    table = files.assign(worth=files["verdict"].map(WORDS_OF_VERDICT))
    table = table[[name for name in columns if name in table]].sort_values("count", ascending=False)
    st.dataframe(table, hide_index=True, column_config=columns, width="stretch", height=330, placeholder="–")
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            lambda: write_csv(files),
            file_name=name_file(selection, "csv"),
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "GeoJSON",
            lambda: write_geojson(files, query.store.read_layer(selection.level), caveats),
            file_name=name_file(selection, "geojson"),
            mime="application/geo+json",
            icon=":material/download:",
            on_click="ignore",
        )
    with st.expander("About these figures"):
        st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in caveats))


def name_file(selection: Selection, suffix: str) -> str:
    """A file name that tells what is in it: "incidents-ward-2023-05-to-2024-04.csv"."""
    span = selection.span
    return f"incidents-{selection.level}-{span.first}-to-{span.last}.{suffix}"
