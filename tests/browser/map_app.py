"""A page with a map and its filters, for the browser tests: layers of squares, or those of a given folder."""

import os
from pathlib import Path

import geopandas as gpd
import streamlit as st
from shapely import box

from cspmap.views.assets import layer_url
from cspmap.views.boundaries import write_layer
from cspmap.views.map import OPENSTREETMAP, AreaStyle, Legend, LegendClass, MapView, draw_map, take_event
from cspmap.views.palettes import ordered_palette

FOLDER = Path(os.environ["CSPMAP_TEST_LAYERS"])
HOSTILE = "<img src=x onerror=alert(1)> {{'x'}} {% raw \" ' \\ </script>"


def make_layers() -> None:
    """A town 6 km wide in squares: 30 small ones, the first with a hostile name, and 6 large ones."""
    for name, side in (("small", 1000), ("large", 2000)):
        corners = [(x, y) for y in range(218000, 223000, side) for x in range(505000, 511000, side)]
        names = [f"Place {number} Street" for number in range(len(corners))]
        names[0] = HOSTILE
        frame = gpd.GeoDataFrame(
            {"code": [f"{name}{number:02}" for number in range(len(corners))], "name": names},
            geometry=[box(x, y, x + side, y + side) for x, y in corners],
            crs=27700,
        )
        write_layer(frame, FOLDER / f"{name}.json")


@st.cache_resource
def read_codes(level: str) -> list[str]:
    if not any(FOLDER.glob("*.json")):
        make_layers()
    return list(gpd.read_file(FOLDER / f"{level}.json")["code"])


def style_area(code: str, number: int, shift: int, classes: int) -> AreaStyle:
    special = {1: "missing", 2: "zero", 3: "suppressed"}.get(number)
    if special:
        return AreaStyle(code, special, ("no figure",))  # type: ignore[arg-type]
    return AreaStyle(
        code, (number + shift) % classes, (f"{number * 7 + shift} crimes", f"{number * 1.3:.1f} per 1,000")
    )


@st.fragment
def show_map() -> None:
    event = take_event(key="map")
    if event:
        st.session_state.area = event.area
        st.session_state.events = st.session_state.get("events", 0) + 1
    choices, right = st.columns([1, 4])
    with choices:
        shift = {"All crime": 0, "Burglary": 2}[st.radio("Crime", ["All crime", "Burglary"])]
        level = st.radio("Level", os.environ.get("CSPMAP_TEST_LEVELS", "small large").split())
        tiles = st.checkbox("Background map")
        if st.button("Find Place 29"):
            st.session_state.area = "small29"
    codes = read_codes(level)
    area = st.session_state.get("area")
    ranges = ("0.4 to 3.1", "3.2 to 7.8", "7.9 to 14.0", "14.1 to 22.5", "22.6 to 61.3")
    view = MapView(
        place="Testtown",
        layer=layer_url(FOLDER / f"{level}.json"),
        areas=tuple(style_area(code, number, shift, 5) for number, code in enumerate(codes)),
        legend=Legend(
            "Crimes per 1,000 residents",
            "Five classes with about as many areas in each (quantiles).",
            tuple(LegendClass(*pair) for pair in zip(ordered_palette(5), ranges, strict=True)),
        ),
        selected=area,
        tiles=OPENSTREETMAP if tiles else None,
        attribution="Contains OS data © Crown copyright and database right",
    )
    with right:
        draw_map(view, key="map", height=560)
        st.write(f"Panel: {area or 'whole town'}; events: {st.session_state.get('events', 0)}; shift: {shift}")


st.set_page_config(layout="wide")
show_map()
