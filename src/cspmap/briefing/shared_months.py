"""Months that several screens of a meeting show, withheld on all of them where they are on one.

Every screen protects its months by the sums that it shows beside them. Screens of different periods may so withhold
different months beside the same small one, and each would show what the other withholds.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

import pandas as pd

from cspmap.board import Board, spell_out
from cspmap.briefing.setting import TREND_MONTHS, Setting
from cspmap.exports.published import WITHHELD, publish
from cspmap.goals import list_measured
from cspmap.operations import Area, Units
from cspmap.periods import Span


class Shown(NamedTuple):
    """What one screen withholds of some months, and the months of each sum that it shows."""

    withheld: set[str]
    sums: list[set[str]]


def withhold_shared(setting: Setting, *, level: str, code: str | None, crimes: Collection[str]) -> frozenset[str]:
    """The months ("YYYY-MM") of an area (None: of the whole) that are withheld for some crime types, all selected."""
    if not publish(setting.query).hides:
        return frozenset()
    key = (level, code, frozenset(crimes))
    if key not in setting.shared_months:
        setting.shared_months[key] = frozenset(_work_out(setting, *key))
    return setting.shared_months[key]


def list_crimes(setting: Setting, board: Board, indicator: str) -> tuple[str, ...]:
    """The crime types that an indicator of a board counts."""
    partnership = setting.query.store.partnership
    crimes = {each.key: each.crimes for each in list_measured(board.table, partnership)}
    return spell_out(crimes[indicator], partnership)


def find_own(setting: Setting, area: Area | None) -> tuple[str, str] | None:
    """The level and code of an area that is one area of a level; None where it is anything else."""
    if not isinstance(area, Units) or len(area.codes) != 1:
        return None
    return setting.query.store.counted_level(area.level), area.codes[0]


def _work_out(setting: Setting, level: str, code: str | None, crimes: frozenset[str]) -> set[str]:
    shown = list(_list_shown(setting, level, code, crimes))
    withheld = {month for each in shown for month in each.withheld}
    if len(shown) < 2:
        return withheld
    # A sum less another is one as well: the months are protected in each part that the sums can be taken apart into.
    sums = [months for each in shown for months in each.sums]
    kinds = {month: tuple(str(month) in months for months in sums) for month in _find_window(setting)}
    selection = setting.select(level).change(crimes=tuple(sorted(crimes)))
    for kind in set(kinds.values()):
        for run in Span.find_runs(month for month in kinds if kinds[month] == kind):
            withheld |= _read_withheld(publish(setting.query).count_months(selection.change(span=run), run, code=code))
    return withheld


def _list_shown(setting: Setting, level: str, code: str | None, crimes: frozenset[str]) -> Iterator[Shown]:
    query, selection = setting.query, setting.select(level)
    if crimes == set(query.crime_types(selection)):
        months = publish(query).count_months(selection, _find_window(setting), code=code)
        yield Shown(_read_withheld(months), [_name_months(selection.span), _name_months(selection.before)])
    for board in setting.boards:
        for indicator in board.indicators:
            label = (indicator, code or "")
            if label in board.withheld and crimes == set(list_crimes(setting, board, indicator)):
                flags = board.withheld[label]
                elapsed = Span(board.span.first, min(board.as_at, board.span.last))
                before = elapsed.shift(-12 * -(-len(elapsed) // 12))
                yield Shown(set(flags.index[flags]), [_name_months(elapsed), _name_months(before)])
    for operation in setting.operations:
        own = find_own(setting, operation.area)
        if own is None or own != (query.store.counted_level(level), code):
            continue
        for result in setting.judge(operation).results:
            types = query.crime_types(selection.change(crimes=() if result.goal is None else result.goal.crimes))
            if result.sheet is not None and crimes == set(types):
                used = result.sheet.months
                yield Shown(_read_withheld(result.sheet.course), [set(used.before), set(used.after)])


def _find_window(setting: Setting) -> Span:
    """The months that charts reach back to."""
    last = setting.selection.span.last
    return Span(last - (TREND_MONTHS + 11), last)


def _read_withheld(months: pd.DataFrame) -> set[str]:
    return set(months.loc[months[WITHHELD].astype(bool), "month"].astype(str))


def _name_months(span: Span) -> set[str]:
    return {str(month) for month in span}
