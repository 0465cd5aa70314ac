"""Progress boards, worked out once and shared by all viewers and pages."""

import streamlit as st

from cspmap.analysis.targets import resolve
from cspmap.board import Board, find_as_at, list_weights, make_board, spell_out
from cspmap.exports.published import publish
from cspmap.goals import Sharing, list_measured, list_periods
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.targets import TargetTable
from cspmap.views.choropleth import Choropleth, state_rule
from cspmap.views.target_board import shade_ratings
from cspmap.views.target_controls import BoardChoice, Use


def load_board(query: Query, choice: BoardChoice) -> Board:
    """The board of a choice."""
    return _work_out(query, query.store.version, choice)


@st.cache_resource(max_entries=64, show_spinner="Working out the board")
def _work_out(_query: Query, version: str, choice: BoardChoice) -> Board:
    table = read_table(_query, choice.number, choice.use)
    return make_board(
        _query,
        table if choice.only is None else table.keep(choice.only),
        level=choice.level,
        span=choice.span,
        as_at=choice.as_at,
        sharing=Sharing(choice.method, list_weights(_query, choice.level)),
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _resolve(_query: Query, version: str, number: int, use: Use) -> TargetTable:
    return resolve(_query.store.targets[number], use=use)


def read_table(query: Query, number: int, use: Use) -> TargetTable:
    """One of the store's tables of targets, as printed or as recomputed."""
    return _resolve(query, query.store.version, number, use)


def shade_progress(query: Query, selection: Selection) -> Choropleth | None:
    """The map of ratings for what a selection counts, as at the end of its span.

    By the first table of targets that sets any for just these crimes over a period that this month is in, shared out by
    each area's baseline; None where there is no such table.
    """
    partnership, month = query.store.partnership, selection.span.last
    wanted = set(query.crime_types(selection))
    level = query.store.counted_level(selection.level)
    for number, table in enumerate(query.store.targets):
        for indicator in list_measured(table, partnership):
            if set(spell_out(indicator.crimes, partnership)) != wanted:
                continue
            # A table may ask different years of its indicators.
            span = next((span for span in list_periods(table.keep(indicator.key), partnership) if month in span), None)
            if span is not None:
                as_at = min(month, find_as_at(query, span))
                # What is withheld of an indicator hangs on the others, which are shown beside it.
                only = None if publish(query).hides else indicator.key
                board = load_board(query, BoardChoice(number, level, "baseline", span, as_at, only=only))
                return state_rule(Choropleth(*shade_ratings(board, indicator.key)), board.rule)
    return None
