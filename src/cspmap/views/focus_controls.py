"""The choices of the focus page: widgets and ticked units in, FocusChoice out, its address always telling the same."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cspmap.errors import UserError
from cspmap.focus_choice import MOST_WEIGHT, FocusChoice
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import Store
from cspmap.views.controls import name_month
from cspmap.views.words import escape_markdown

# In the session: the choice last shown, the store's version that it is of, the address given for it, the widgets that
# it was made with, whether the viewer has just acted by other means than a widget, the ticked units of each level.
_CHOICE, _VERSION, _ADDRESS, _WIDGETS = "focus-choice", "focus-version", "focus-address", "focus-widgets"
_ACTED, _TICKED, _GENERATION = "focus-acted", "focus-ticked", "focus-generation"


def take_address(store: Store, *, acted: bool) -> None:
    """Have the widgets follow the page's address where the viewer has changed it, or the last choice on coming back.

    `acted` where the viewer did something on the map. Whoever acts while the browser has yet to hear of the address
    that the last run gave sends the one before along: then the address is left alone.

    Raises SelectionError where the store does not hold what the address asks for.
    """
    state, address = st.session_state, st.query_params.to_dict()
    acted = state.pop(_ACTED, False) or acted
    held = state.get(_CHOICE) if state.get(_VERSION) == store.version else None
    # The state of widgets goes when a viewer turns to another page, so whoever comes back has none.
    back = _key("level") not in state
    moved = bool(address) and address != state.get(_ADDRESS)
    if held is None or (moved and not acted and (back or _read_widgets() == state.get(_WIDGETS))):
        _begin(FocusChoice.from_query(address, store), afresh=held is None)
        state[_VERSION], state[_ADDRESS] = store.version, address
    elif back:
        _begin(held)
        # The framework has cleared the address on the way.
        state[_ADDRESS] = address


def give_address(choice: FocusChoice) -> None:
    """Make the page's address tell the choice, so that a copied link opens the same one."""
    query = choice.to_query()
    # What was ticked in this run is in the address now.
    st.session_state.pop(_ACTED, None)
    st.session_state[_CHOICE], st.session_state[_WIDGETS] = choice, _read_widgets()
    if st.session_state.get(_ADDRESS) != query:
        st.session_state[_ADDRESS] = query
        st.query_params.from_dict(query)


def tick_units(level: str, codes: Iterable[str]) -> None:
    """Have just these units of a level ticked; before the filters are drawn, or from a button's callback."""
    st.session_state[_TICKED] = {**st.session_state[_TICKED], level: tuple(sorted(set(codes)))}
    keep_choice()


def keep_choice() -> None:
    """Have the next run keep to the choice, even where the browser has yet to hear of the address for it."""
    st.session_state[_ACTED] = True


def read_level() -> str:
    """The level that is shown."""
    level: str = st.session_state[_key("level")] if _key("level") in st.session_state else _start().selection.level
    return level


def read_ticked(level: str) -> tuple[str, ...]:
    """The ticked units of a level."""
    ticked: tuple[str, ...] = st.session_state[_TICKED].get(level, ())
    return ticked


def choose_aim(query: Query, *, bar: DeltaGenerator) -> FocusChoice:
    """Draw the filters in the container `bar`, and return what they and the ticked units say."""
    store, partnership, start = query.store, query.store.partnership, _start()
    months = [str(month) for month in Span(store.months[0], store.months[-1])]
    levels = {layer.key: layer.name for layer in partnership.layers if layer.figures_of is None}
    names = partnership.crime_names
    with bar:
        level = st.selectbox(
            "Level",
            list(levels),
            list(levels).index(start.selection.level),
            key=_key("level"),
            format_func=levels.__getitem__,
            width=140,
        )
        first, last = st.select_slider(
            "Chosen by the crime of",
            months,
            value=(str(start.selection.span.first), str(start.selection.span.last)),
            key=_key("period"),
            format_func=name_month,
            width=230,
        )
        crimes = st.multiselect(
            "Crime",
            list(names),
            start.selection.crimes,
            key=_key("crimes"),
            format_func=names.__getitem__,
            placeholder="All",
            width=320,
        )
        selection = Selection(Span(Month.parse(first), Month.parse(last)), level, crimes=tuple(crimes))
        selection = selection.change(areas=read_ticked(level))
        with st.popover("Weights", icon=":material/balance:", help="What an incident of each type counts"):
            weights = _choose_weights(query, query.crime_types(selection), dict(start.weights))
    return FocusChoice(selection, weights)


def _choose_weights(query: Query, types: Iterable[str], start: dict[str, float]) -> tuple[tuple[str, float], ...]:
    st.caption("By harm: what an incident of each type counts. 0 leaves it out.")
    pairs = []
    for key in types:
        name = query.store.partnership.name_crime(key)
        given = st.number_input(
            name, 0.0, MOST_WEIGHT, start.get(key, 1.0), 1.0, key=_key(f"weight-{key}"), format="%g"
        )
        pairs.append((key, float(given)))
    return tuple((key, weight) for key, weight in pairs if weight != 1)


def _begin(choice: FocusChoice, *, afresh: bool = False) -> None:
    """Widgets that start from a choice; new ones, as the framework lets nobody set those that are there."""
    state = st.session_state
    state[_GENERATION] = state.get(_GENERATION, 0) + 1
    state[_CHOICE] = state[f"{_CHOICE}-start"] = choice
    ticked = {} if afresh else state.get(_TICKED, {})
    state[_TICKED] = {**ticked, choice.selection.level: choice.selection.areas}


def _start() -> FocusChoice:
    choice: FocusChoice = st.session_state[f"{_CHOICE}-start"]
    return choice


def _key(name: str) -> str:
    return f"focus-{st.session_state.get(_GENERATION, 0)}-{name}"


def _read_widgets() -> dict[str, Any]:
    prefix = _key("")
    return {str(key): value for key, value in st.session_state.items() if str(key).startswith(prefix)}


def show_fault(error: UserError) -> None:
    """Tell of an error that the user can act on in its plain sentences, and go on with the page."""
    for sentence in str(error).splitlines():
        st.error(escape_markdown(sentence), icon=":material/error:")


def link_to_choice(choice: FocusChoice) -> str:
    """The whole address that opens this choice on the page that is shown."""
    page = (st.context.url or "").partition("?")[0]
    return f"{page}?{urlencode(choice.to_query(), safe=',:')}"
