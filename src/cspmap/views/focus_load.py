"""What the focus page is made from, worked out once and shared by all viewers."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from cspmap.board import find_as_at, find_level, find_period, list_weights, make_board, spell_out
from cspmap.focus_area import FocusGround, find_touched, read_ground
from cspmap.goals import WHOLE, Sharing
from cspmap.query import Query


def load_ground(query: Query, level: str) -> FocusGround:
    """The units of a level and all that is known of them."""
    return _read(query, query.store.version, level)


@st.cache_resource(max_entries=16, show_spinner=False)
def _read(_query: Query, version: str, level: str) -> FocusGround:
    return read_ground(_query, level)


def list_targets(query: Query, ground: FocusGround, codes: Sequence[str], types: Sequence[str]) -> pd.DataFrame:
    """The targets that an area touches: those of some crime types, in the areas that it reaches into.

    Columns: table, indicator, area, covered (the share of that area's land, 0 to 1), rating, value, actual, words. One
    row a target of each table's latest period; none where there is none.
    """
    parts = [
        _list_lines(query, ground, number, codes, types)
        for number, table in enumerate(query.store.targets)
        if find_period(query, table) is not None
    ]
    columns = ["table", "indicator", "area", "covered", "rating", "value", "actual", "words"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _list_lines(
    query: Query, ground: FocusGround, number: int, codes: Sequence[str], types: Sequence[str]
) -> pd.DataFrame:
    level, lines = _work_out(query, query.store.version, number)
    covered = find_touched(ground, codes, query.store.read_layer(level))
    wanted, table = set(types), query.store.targets[number]
    measured = {
        indicator.key
        for indicator in table.indicators
        if wanted.intersection(spell_out(indicator.crimes, query.store.partnership))
    }
    shares = {
        code: max((covered.get(part, 0.0) for part in code.split(",")), default=0.0)
        for code in lines.index.get_level_values("code").unique()
        if code != WHOLE
    }
    held = lines[[key in measured and shares.get(code, 0.0) > 0 for key, code in lines.index]]
    return held.assign(table=table.title, covered=[shares[code] for code in held.index.get_level_values("code")])


@st.cache_resource(max_entries=32, show_spinner=False)
def _work_out(_query: Query, version: str, number: int) -> tuple[str, pd.DataFrame]:
    """The level that a table of targets is about, and its lines in the latest period."""
    table = _query.store.targets[number]
    level, span = find_level(_query, table), find_period(_query, table)
    assert span is not None, "only tables with a period are worked out"
    sharing = Sharing("baseline", list_weights(_query, level))
    board = make_board(_query, table, level=level, span=span, as_at=find_as_at(_query, span), sharing=sharing)
    return level, board.lines
