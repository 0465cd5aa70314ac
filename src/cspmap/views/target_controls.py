"""The choices of the targets pages, each kept in the page's address."""

import difflib
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cspmap.analysis.target_methods import MethodKey
from cspmap.board import Board, find_as_at, find_level, find_period
from cspmap.errors import MOST_QUOTED, SelectionError, quote_briefly
from cspmap.goals import WHOLE, list_periods
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.sources.boundary_codes import list_briefly
from cspmap.targets import name_period

Use = Literal["printed", "recomputed"]

METHODS: dict[MethodKey, str] = {
    "baseline": "By each area's baseline",
    "equal-percentage": "Same percentage everywhere",
    "residents": "By residents",
    "households": "By households",
    "narrow-gap": "Narrowing the gap",
    "deprivation": "By deprivation",
}
_USES: dict[Use, str] = {"printed": "As printed", "recomputed": "As recomputed"}
PLACE = "place"
_MOST_OPTIONS = 30


@dataclass(frozen=True)
class BoardChoice:
    """What board to show. `number` is the table's place among the store's; `use` whether it is as printed.

    `only` is the key of the one indicator that is wanted, where that makes no difference to it.
    """

    number: int
    level: str
    method: MethodKey
    span: Span
    as_at: Month
    use: Use = "printed"
    only: str | None = None


def choose_table(query: Query) -> int:
    """Which of the store's tables of targets."""
    titles = [table.title for table in query.store.targets]
    _check_link("table of targets", titles, "table")
    return titles.index(_choose("Targets", titles, titles[0], "table", 250))


def choose_board(query: Query, number: int, *, disagrees: bool, bar: DeltaGenerator) -> BoardChoice | None:
    """Draw the choices for a table in the container `bar`; None where recorded crime measures nothing in it.

    `disagrees` where the table can be recomputed into another one.
    """
    table, partnership = query.store.targets[number], query.store.partnership
    latest = find_period(query, table)
    if latest is None:
        return None
    periods = {_name(span): span for span in list_periods(table, partnership)}
    levels = {layer.name: layer.key for layer in partnership.layers}
    usual = partnership.find_layer(find_level(query, table)).name
    methods = {words: key for key, words in METHODS.items()}
    uses = {words: key for key, words in _USES.items()}
    _check_link("year", list(periods), "year")
    _check_link("level", list(levels), "layer")
    _check_link("method", list(methods), "method")
    with bar:
        span = periods[_choose("By the end of", list(periods), _name(latest), "year", 160)]
        level = levels[_choose("Level", list(levels), usual, "layer", 120)]
        method = methods[_choose("Shared out to areas", list(methods), METHODS["baseline"], "method", 215)]
        last = find_as_at(query, span)
        months = {month.words: month for month in reversed(list(Span(min(span.first, last), last)))}
        _check_link("month", list(months), "as-at")
        as_at = months[_choose("As at", list(months), last.words, "as-at", 160)]
        use = uses[_choose("Figures", list(uses), _USES["printed"], "figures", 150)] if disagrees else "printed"
    return BoardChoice(number, level, method, span, as_at, use)


def choose_indicator(board: Board) -> str:
    """One of the board's indicators, by key."""
    names = {name: key for key, name in board.indicators.items()}
    return names[_choose("Indicator", list(names), next(iter(names)), "indicator", 320)]


def choose_place(board: Board) -> str:
    """One of the board's areas, by code; the whole first, if it has a target."""
    names = _name_places(board)
    return names[_choose("Area", list(names), next(iter(names)), PLACE, 320)]


def take_place(board: Board, code: str | None) -> None:
    """Choose an area, or the whole (None), before the choices are drawn."""
    names = {own: name for name, own in _name_places(board).items()}
    st.session_state[PLACE] = names.get(code or WHOLE, next(iter(names.values())))


def _name_places(board: Board) -> dict[str, str]:
    """Codes of all that have a target, alone or with others, by name."""
    carrying = {code for codes in board.lines["code"] for code in codes.split(",")}
    return {name: code for code, name in board.names.items() if code in carrying}


def _name(span: Span) -> str:
    name = name_period(span)
    return span.words if ".." in name else name


def _check_link(noun: str, options: list[str], key: str) -> None:
    """Raise SelectionError where the link that the page was opened with asks for what there is not.

    Later on, a choice that another has made impossible falls back to what is usual.
    """
    asked = st.query_params.get(key)
    if asked is not None and key not in st.session_state and asked not in options:
        close = difflib.get_close_matches(asked[:MOST_QUOTED], options, n=3)
        raise SelectionError(
            f"The {noun} asked for is {quote_briefly(asked)}, which is not held here; "
            f"try {list_briefly(close or options, most=_MOST_OPTIONS)}."
        )


def _choose(label: str, options: list[str], start: str, key: str, width: int) -> str:
    chosen = st.selectbox(label, options, options.index(start), key=key, bind="query-params", width=width)
    return chosen or start
