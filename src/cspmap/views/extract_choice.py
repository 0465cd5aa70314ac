"""What a page shows as a file: which figures, how split, in which format, and the command that makes it again."""

import tempfile
from pathlib import Path
from typing import Any

import streamlit as st

from cspmap.errors import UserError
from cspmap.exports.incident_rows import list_incidents
from cspmap.exports.published import By, publish
from cspmap.exports.request import (
    BY_WORDS,
    BYS,
    FORMAT_WORDS,
    SUFFIXES,
    WHAT_WORDS,
    WHATS,
    Format,
    Request,
    make_command,
    name_extract,
)
from cspmap.exports.workbook import MOST_ROWS
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.words import escape_markdown

# CSV and JSON by themselves are for scripts, and come from the command line.
_FORMATS: tuple[Format, ...] = ("xlsx", "zip", "geojson", "gpkg", "geoparquet", "parquet")
# Those that nothing but a program reads, so that their readme is offered beside them too.
_READ_BESIDE: tuple[Format, ...] = ("parquet", "geoparquet")
_WIDTH = 250


def offer_extract(query: Query, selection: Selection) -> None:
    """A part of the page to be opened; nothing is worked out before it is, and no file made until it is asked for."""
    told = "Extract: counts, rates, areas or incidents, as Excel, GeoPackage, Parquet and others"
    part = st.expander(told, icon=":material/table_view:", on_change="rerun", key="extract")
    if part.open:
        with part:
            _choose(query, selection)


def _choose(query: Query, selection: Selection) -> None:
    by: list[By] = []
    with st.container(horizontal=True):
        what = st.selectbox("What", WHATS, key="extract-what", format_func=WHAT_WORDS.__getitem__, width=_WIDTH)
        if what in ("rates", "counts"):
            words = BY_WORDS.__getitem__
            by = st.multiselect(
                "Split by", BYS, key="extract-by", format_func=words, placeholder="Not split", width=_WIDTH
            )
        kind = st.selectbox(
            "Format", _FORMATS, key="extract-format", format_func=FORMAT_WORDS.__getitem__, width=_WIDTH
        )
    request = Request(selection, what, tuple(by), kind)
    why = refuse(query, request)
    if why:
        st.warning(escape_markdown(why))
        return
    with st.container(horizontal=True):
        st.download_button(
            "Download",
            lambda: make_file(query, request),
            file_name=name_extract(request),
            icon=":material/download:",
            on_click="ignore",
            key="extract-file",
        )
        if kind in _READ_BESIDE:
            st.download_button(
                "Readme",
                lambda: _make_readme(query, request),
                file_name=f"{name_extract(request)}.readme.txt",
                on_click="ignore",
                key="extract-readme",
            )
    st.caption("A readme goes with it: filters, period, method, what is missing, sources. The same file again:")
    st.code(make_command(request, query), language=None, wrap_lines=True)


def refuse(query: Query, request: Request) -> str:
    """Why an extract is not given, in a sentence; empty where it is."""
    try:
        if request.what == "incidents":
            rows = list_incidents(query, request.selection)
            if request.format == "xlsx" and rows.total >= MOST_ROWS:
                return f"{rows.total:,} incidents are more than an Excel sheet holds; choose Parquet or CSV."
        elif not query.count_coverage(request.selection).loaded:
            return f"Nothing is loaded for {request.selection.span.words}; choose another period."
        elif publish(query).hides:
            publish(query).flag(request.selection, by=request.split)
    except UserError as error:
        return str(error)
    return ""


def make_file(query: Query, request: Request) -> bytes:
    """The content of an extract's file."""
    from cspmap.exports.files import write_extract

    with tempfile.TemporaryDirectory(prefix="cspmap-") as folder:
        path = Path(folder) / f"extract.{SUFFIXES.get(request.format, request.format)}"
        write_extract(query, request, path)
        return path.read_bytes()


def _make_readme(query: Query, request: Request) -> Any:
    from cspmap.exports.files import tabulate
    from cspmap.exports.incident_rows import SCHEMA
    from cspmap.exports.readme import make_readme, write_readme

    columns = SCHEMA.names if request.what == "incidents" else list(tabulate(query, request).columns)
    return write_readme(make_readme(query, request, columns))
