"""Outlines brought in: from the map's tools, a text, a file or another page. Each ticks the units inside it."""

import json
from typing import Any

import streamlit as st

from cspmap.errors import UserError
from cspmap.focus_area import FocusGround, select_inside
from cspmap.views.focus_controls import read_ticked, show_fault, tick_units
from cspmap.views.focus_map import Message
from cspmap.views.focus_outline import read_drawing, read_text
from cspmap.views.hand_over import FOCUS_OUTLINE
from cspmap.views.words import escape_markdown, join_words

# What is to be told once of the last outline: a sentence, or the error that it met.
_TOLD = "focus-told"
_PASTED, _FILE = "focus-pasted", "focus-file"
_MOST_NAMED = 4


def take_message(ground: FocusGround, message: Message) -> None:
    """Tick what the viewer ticked on the map, or what lies inside the shape drawn there."""
    if message.picked is not None:
        tick_units(ground.level, message.picked)
    if message.drawn is not None:
        try:
            _bring_in(ground, read_drawing(message.drawn), "The drawing")
        except UserError as error:
            st.session_state[_TOLD] = error


def take_handed_over(ground: FocusGround) -> None:
    """Tick what lies inside an outline that another page handed over, once."""
    outline = st.session_state.pop(FOCUS_OUTLINE, None)
    if outline is None:
        return
    try:
        properties = outline.get("properties") or {}
        name = str(properties.get("name") or "The outline")
        tick_units(ground.level, ())
        _bring_in(ground, read_text(json.dumps(outline), name=name), name)
    except UserError as error:
        st.session_state[_TOLD] = error


def offer_outline(ground: FocusGround, units: str) -> None:
    """A text or a file of GeoJSON to bring in."""
    st.caption(
        f"An outline ticks the {units} whose larger part lies inside it. Draw one with the tools on the map, or bring "
        "in polygons as GeoJSON in longitude and latitude (WGS84)."
    )
    file = st.file_uploader("GeoJSON file", type=["geojson", "json"], key=_FILE)
    text = st.text_area("or paste it", key=_PASTED, height=100)
    st.button(
        f"Tick the {units} inside",
        on_click=_take_text,
        args=(ground, file.getvalue() if file else text, file.name if file else "The text"),
        disabled=not (file or text.strip()),
        icon=":material/done_all:",
    )


def tell_outline() -> None:
    """What became of the last outline, once."""
    told = st.session_state.pop(_TOLD, None)
    if isinstance(told, UserError):
        show_fault(told)
    elif told:
        st.info(escape_markdown(told), icon=":material/done_all:")


def _take_text(ground: FocusGround, text: str | bytes, name: str) -> None:
    try:
        _bring_in(ground, read_text(text, name=name), name)
    except UserError as error:
        st.session_state[_TOLD] = error


def _bring_in(ground: FocusGround, shape: Any, name: str) -> None:
    """Tick the units inside a shape beside those that are ticked already."""
    inside = select_inside(ground, shape)
    before = read_ticked(ground.level)
    tick_units(ground.level, {*before, *inside.codes})
    names = ground.names
    listed = [names[code] for code in inside.codes]
    if inside.largest:
        told = f"{name} is smaller than what lies under it: {listed[0]}, which holds the largest part of it, is ticked."
    elif len(listed) > _MOST_NAMED:
        told = f"{name} ticked {len(listed)}: those whose larger part lies inside."
    else:
        told = f"{name} ticked {join_words(listed)}: the larger part lies inside."
    st.session_state[_TOLD] = f"{told} What was ticked before stays ticked." if before else told
