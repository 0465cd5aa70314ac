"""Lists of things in a form: each item a row of widgets, with one more at the push of a button."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

import streamlit as st

Item = TypeVar("Item")

# As far as an operation's days may lie apart from ours.
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)


def edit_rows(
    key: str,
    items: Sequence[Item],
    draw: Callable[[str, Item | None], Item | None],
    *,
    add: str,
) -> tuple[Item, ...]:
    """Draw a row for every item and for those added, and return what they say, in order.

    `draw` is given a key of the row's own and the item that it starts from (None: a new one), and gives the item that
    its widgets make, None where that is not complete. Rows with "remove" pressed are left out.
    """
    state = f"{key}-rows"
    starts: dict[int, Item | None] = st.session_state.setdefault(state, dict(enumerate(items)))
    found = []
    for number, start in list(starts.items()):
        with st.container(border=True):
            item = draw(f"{key}-{number}", start)
            st.button(
                "Remove",
                key=f"{key}-{number}-remove",
                on_click=_remove,
                args=(state, number),
                icon=":material/delete:",
                type="tertiary",
            )
        if item is not None:
            found.append(item)
    st.button(add, key=f"{key}-add", on_click=_add, args=(state,), icon=":material/add:")
    return tuple(found)


def _remove(state: str, number: int) -> None:
    st.session_state[state] = {key: item for key, item in st.session_state[state].items() if key != number}


def _add(state: str) -> None:
    rows = st.session_state[state]
    st.session_state[state] = {**rows, max(rows, default=-1) + 1: None}


def choose_day(label: str, start: date | None, *, key: str) -> date | None:
    """A day, or none."""
    day: date | None = st.date_input(
        label, start, key=key, min_value=_FIRST_DAY, max_value=_LAST_DAY, format="DD/MM/YYYY", width=180
    )
    return day
