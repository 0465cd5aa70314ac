"""What a page's address asks for, checked before widgets are drawn that would leave out what they do not know."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import streamlit as st

from cspmap.errors import SelectionError, quote_briefly
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import choose_held
from cspmap.views.controls import name_month


def check_address(query: Query, **choices: Sequence[str]) -> None:
    """Refuse an address that asks for a period, crimes or a level that the store does not hold.

    For pages whose widgets keep the address by themselves (`months`, `crime`, `level`), by what they show; to be
    called before these are drawn. `choices` are all that else may be asked for, by the address' own name.

    Raises SelectionError, in one sentence, as a link to Explore does.
    """
    asked, partnership = st.query_params, query.store.partnership
    if asked.get_all("months"):
        _check_months(asked.get_all("months"), query)
    held = {
        "crime": ("crime type", list(partnership.crime_names.values())),
        "level": ("level", [layer.name for layer in partnership.layers]),
        **{key: (key, options) for key, options in choices.items()},
    }
    for key, (name, options) in held.items():
        for value in asked.get_all(key):
            if value.strip():
                choose_held(name, value, options)


def link_here(asked: Mapping[str, str | Sequence[str]]) -> str:
    """The whole address of the page that is shown, asking for what is given."""
    shown = (st.context.url or "").partition("?")[0]
    return f"{shown}?{urlencode(asked, doseq=True, safe=',:')}"


def _check_months(texts: Sequence[str], query: Query) -> None:
    loaded = Span(query.store.months[0], query.store.months[-1])
    known = {name_month(str(month)) for month in loaded}
    outside = [text for text in texts if text not in known]
    reach = f"{loaded.first.words} to {loaded.last.words} is loaded"
    if outside:
        raise SelectionError(
            f"The period asked for has {quote_briefly(outside[0])}, but {reach}; choose months within that."
        )
    if len(texts) != 2:
        raise SelectionError(
            f"The period asked for names {'1 month' if len(texts) == 1 else f'{len(texts)} months'}; "
            "name its first and its last, for a single month the same twice."
        )
