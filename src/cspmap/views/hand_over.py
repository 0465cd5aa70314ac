"""Handing a place over to the page that makes focus areas, or to the viewer as a file."""

import json
from typing import TYPE_CHECKING, Any

import streamlit as st

from cspmap.focus_choice import FocusChoice
from cspmap.selection import Selection
from cspmap.views.degrees import as_geojson, to_degrees
from cspmap.views.focus_controls import _CHOICE, _VERSION
from cspmap.workspace import find_dashboard

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from cspmap.store import Store

# Under this key of the session the focus page finds what was handed over, a GeoJSON feature in WGS84.
FOCUS_OUTLINE = "focus_outline"
FOCUS_PAGE = "pages/focus.py"
# Of the selection, what the focus page is to be asked with.
_HANDED_OVER = ("period", "crime")


def make_outline(name: str, outline: "BaseGeometry", about: str) -> dict[str, Any]:
    """A place as a GeoJSON feature in WGS84, its name and what is known about it in words among its properties.

    `outline` is a polygon or several in EPSG:27700.
    """
    return {
        "type": "Feature",
        "properties": {"name": name, "about": about},
        "geometry": as_geojson(to_degrees([outline])[0]),
    }


def offer_focus(
    name: str, outline: "BaseGeometry", about: str, *, selection: Selection, store: "Store", key: str
) -> None:
    """A button that makes a place a focus area; its outline as a file where there is no page for that.

    The period and the crimes of the `selection` go along.
    """
    if has_focus_page():
        if st.button("Make this a focus area", icon=":material/center_focus_strong:", key=key):
            st.session_state[FOCUS_OUTLINE] = make_outline(name, outline, about)
            asked = {key: text for key, text in selection.to_query().items() if key in _HANDED_OVER}
            # Not by its address: the framework lets nobody set what a widget here keeps in the address, as the crimes.
            st.session_state[_CHOICE] = FocusChoice.from_query(asked, store)
            st.session_state[_VERSION] = store.version
            st.switch_page(FOCUS_PAGE, query_params={})
        return
    st.download_button(
        "Outline as GeoJSON",
        lambda: json.dumps(make_outline(name, outline, about), ensure_ascii=False),
        file_name="focus-area.geojson",
        mime="application/geo+json",
        icon=":material/download:",
        on_click="ignore",
        key=key,
    )


def has_focus_page() -> bool:
    """Whether the dashboard has a page that makes focus areas."""
    return (find_dashboard() / FOCUS_PAGE).is_file()
