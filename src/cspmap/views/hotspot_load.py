"""What a page of hotspots is made from, worked out once and shared by all viewers."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from cspmap.analysis.aoristic import WeekHours, week_hours
from cspmap.errors import UserError
from cspmap.exports.published import publish
from cspmap.hotspot_ground import CellChoice, Ground, Recorded, lay_ground, read_points, select_all
from cspmap.hotspot_layers import HotspotChoice, HotspotLayer, make_layer
from cspmap.hotspot_score import Score, score_layer
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.boundaries import write_layer
from cspmap.views.hotspot_frames import Played, play_layer
from cspmap.views.hotspot_picture import paint_density
from cspmap.views.hotspot_rule import keep_hours
from cspmap.views.map import Legend, Picture


@dataclass(frozen=True)
class Found:
    """A layer of hotspots with its score. Not to be changed."""

    layer: HotspotLayer
    score: Score


def select(query: Query, choice: HotspotChoice) -> Selection:
    """What a choice counts, as other questions to the store have it."""
    return Selection(span=choice.span, level=query.store.partnership.boundary, crimes=choice.crimes)


def load_recorded(query: Query, crimes: tuple[str, ...]) -> Recorded:
    """The incidents of some crimes (none named: of all) by point and month."""
    everything = _read(query, query.store.version)
    return everything.of(query.crime_types(select_all(query).change(crimes=crimes))) if crimes else everything


@st.cache_resource(max_entries=2, show_spinner=False)
def _read(_query: Query, version: str) -> Recorded:
    return read_points(_query)


def load_ground(query: Query, cells: CellChoice) -> Ground:
    """The cells of a choice."""
    return _lay(query, query.store.version, cells)


@st.cache_resource(max_entries=16, show_spinner=False)
def _lay(_query: Query, version: str, cells: CellChoice) -> Ground:
    return lay_ground(_query, _read(_query, version), cells)


def load_hotspots(query: Query, choice: HotspotChoice) -> Found:
    """The layer of a choice and its score. Raises UserError as `make_layer` does."""
    return _find(query, query.store.version, choice)


@st.cache_resource(max_entries=128, show_spinner=False)
def _find(_query: Query, version: str, choice: HotspotChoice) -> Found:
    recorded = load_recorded(_query, choice.crimes)
    layer = make_layer(load_ground(_query, choice.cells), recorded, choice)
    return Found(layer, score_layer(layer, recorded))


def load_picture(query: Query, choice: HotspotChoice) -> tuple[Picture, Legend]:
    """The density of a choice as a picture, and its legend."""
    return _paint(query, query.store.version, choice)


@st.cache_resource(max_entries=64, show_spinner=False)
def _paint(_query: Query, version: str, choice: HotspotChoice) -> tuple[Picture, Legend]:
    return paint_density(load_hotspots(_query, choice).layer, load_recorded(_query, choice.crimes))


def load_steps(query: Query, choice: HotspotChoice, months: int) -> Played:
    """A choice month by month, so many months at a time."""
    return _play(query, query.store.version, choice, months)


@st.cache_resource(max_entries=16, show_spinner="Working out every month")
def _play(_query: Query, version: str, choice: HotspotChoice, months: int) -> Played:
    return play_layer(load_hotspots(_query, choice).layer, load_recorded(_query, choice.crimes), months=months)


def find_cells_file(query: Query, cells: CellChoice) -> Path:
    """The file that the browser draws cells from: that of their level, or one written once by this process."""
    if cells.level is not None:
        return query.store.web / f"{cells.level}.json"
    return _write_cells(query, query.store.version, cells)


@st.cache_resource(show_spinner=False)
def _hold_folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder that goes when this process ends."""
    return tempfile.TemporaryDirectory(prefix="cspmap-cells-")


@st.cache_resource(max_entries=64, show_spinner=False)
def _write_cells(_query: Query, version: str, cells: CellChoice) -> Path:
    ground = load_ground(_query, cells)
    name = hashlib.sha256(f"{version} {cells}".encode()).hexdigest()[:16]
    path = Path(_hold_folder().name) / f"{name}.json"
    write_layer(ground.cells.frame[["code", "geometry"]].assign(name=ground.names), path)
    return path


@st.cache_resource(max_entries=64, show_spinner=False)
def load_hours(_query: Query, version: str, choice: HotspotChoice, code: str | None, _outline: Any) -> WeekHours | str:
    """Hours and weekdays of a choice's incidents, all or those in the place of a code; or why they are not known."""
    times = _query.list_times(select(_query, choice), outline=_outline)
    if times.empty:
        return "No incidents here in this period."
    published = publish(_query)
    try:
        hours = week_hours(times)
    except UserError as error:
        return str(error)
    return keep_hours(hours, published) if published.hides or published.rounds else hours
