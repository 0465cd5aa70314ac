"""Indicators that are off target, one on each screen; and a screen that says so where none is."""

from dataclasses import replace

import numpy as np
import pandas as pd

from cspmap.analysis.targets.verdict import format_chance
from cspmap.board import Board, trace_board
from cspmap.briefing.screen import Figure, Line, MapFigure, Rating, Screen, TableFigure, TrendFigure
from cspmap.briefing.setting import (
    MOST_ROWS,
    Setting,
    as_rating,
    find_withheld,
    recall_screen,
    take_place,
    write_count,
)
from cspmap.briefing.shared_months import list_crimes, withhold_shared
from cspmap.exports.published import WITHHELD
from cspmap.exports.target_tables import list_board_caveats, sort_lines
from cspmap.goals import WHOLE
from cspmap.views.map import MapView
from cspmap.views.target_board import shade_ratings, summarise_ratings
from cspmap.views.words import format_count

PREFIX, NONE_OFF = "target:", "targets"
MOST_TARGETS = 8
_MOST_INDICATORS = 11
_OFF = ("R", "A")
_LIKELY: dict[Rating, str] = {
    "R": "R: unlikely to be met",
    "A": "A: could go either way",
    "G": "G: likely to be met",
    "": "?: cannot be said",
}


def make_targets(setting: Setting, *, code: str = WHOLE) -> list[Screen]:
    """A screen for each indicator that is off target, the farthest behind first; else one that says that none is.

    Of the whole partnership: or of an area, by its code. Where a table has no targets for it, by the farthest behind
    of its areas. There is none where no targets are loaded.
    """
    screens: list[Screen] = []
    off = _list_off(setting, code)
    for number, (board, label) in enumerate(off[:MOST_TARGETS]):
        left = len(off) - MOST_TARGETS if number == MOST_TARGETS - 1 else 0
        screens.append(_make_target(setting, board, label, left=left))
    if screens or not setting.boards:
        return screens
    return [_say_none(setting, board) for board in setting.boards[:1]]


def name_target(setting: Setting, board: Board, indicator: str) -> str:
    """The key of an indicator's screen; where several tables have it, those after the first have their number in it."""
    having = [each for each in setting.boards if indicator in each.indicators]
    number = having.index(board)
    return f"{PREFIX}{indicator}" if number == 0 else f"{PREFIX}{number + 1}:{indicator}"


def _list_off(setting: Setting, code: str) -> list[tuple[Board, tuple[str, str]]]:
    """The lines that are off target, one an indicator."""
    found = []
    for board in setting.boards:
        lines = take_place(board.lines, code)
        lines = sort_lines(lines if len(lines) else board.lines)
        lines = lines[lines["rating"].isin(_OFF)]
        first = lines[~lines.index.get_level_values(0).duplicated()]
        found += [(board, label) for label in first.index]
    return found


def _make_target(setting: Setting, board: Board, label: tuple[str, str], *, left: int) -> Screen:
    own, key = board.lines.loc[[label[0]]], name_target(setting, board, label[0])
    line = own[own.index == label].iloc[0]
    others = sort_lines(own[own.index != label])
    worst = others[others["rating"].isin(_OFF)].head(2)
    sentences = [
        str(line["sentence"]),
        *(f"{row['area']} ({row['rating']}): {row['words']}." for row in worst.to_dict("records")),
        *([f"And {left} more off target on the Targets page."] if left else []),
    ]
    where = "" if label[1] == WHOLE else f", {line['area']}"
    return Screen(
        key=key,
        title=f"{line['indicator']}{where}",
        subtitle=f"{board.table.title}, by {board.span.last.words}, as at {board.as_at.words}",
        figures=_list_figures(board, line),
        sentences=tuple(sentences),
        map=_draw_map(setting, board, label[0]),
        chart=_draw_course(_withhold_shared(setting, board, label), label),
        table=_tabulate(own),
        last_time=recall_screen(setting, key),
        caveats=tuple(list_board_caveats(board, setting.query)),
    )


def _list_figures(board: Board, line: pd.Series) -> tuple[Figure, ...]:
    seen = bool(line["months_seen"])
    course = "" if pd.isna(line["expected"]) else f"{format_count(line['expected'])} would be on course"
    figures = [
        Figure(
            format_count(line["actual"] if seen else None),
            f"by {board.as_at.words}",
            course,
        ),
        Figure(format_count(line["value"]), f"target by {board.span.last.words}"),
    ]
    if line["status"] in ("running", "open") and not pd.isna(line["projected"]):
        span = f"{format_count(line['low'])} to {format_count(line['high'])} likely"
        figures.append(Figure(f"{line['projected']:,.0f}", "heading for", span))
    letter = as_rating(line["rating"])
    if line["status"] == "running" and not pd.isna(line["chance"]):
        chance = format_chance(float(line["chance"])).replace("less than ", "<").replace("more than ", ">")
        figures.append(Figure(chance, "chance of meeting it", _LIKELY[letter], letter))
    else:
        # Where the disclosure rule rounds, the chance itself is left out.
        told = f"{letter}: target {line['status']}" if letter and line["status"] != "running" else _LIKELY[letter]
        figures.append(Figure(str(line["status"]).capitalize(), f"by {board.span.last.words}", told, letter))
    return tuple(figures)


def _draw_map(setting: Setting, board: Board, indicator: str) -> MapFigure | None:
    lines = board.lines.loc[[indicator]].droplevel(0).drop(WHOLE, errors="ignore")
    if len(lines) == 0:
        return None
    areas, legend = shade_ratings(board, indicator)
    partnership = setting.query.store.partnership
    view = MapView(place=partnership.place, layer="", areas=areas, legend=legend)
    plural = partnership.find_layer(board.level).plural
    hidden = {code for codes in lines.index[find_withheld(lines)] for code in str(codes).split(",")}
    alt = f"Map of ratings by {plural}, a letter on each: {legend.title}."
    return MapFigure(view, board.level, alt, frozenset(hidden))


def _withhold_shared(setting: Setting, board: Board, label: tuple[str, str]) -> Board:
    """The board without the months of a line that are withheld on another screen."""
    if label not in board.withheld or "," in label[1]:
        return board
    crimes = list_crimes(setting, board, label[0])
    hidden = board.counts.index.isin(withhold_shared(setting, level=board.level, code=label[1] or None, crimes=crimes))
    counts, withheld = board.counts.copy(), board.withheld.copy()
    withheld[label] |= hidden & counts[label].notna()
    counts[label] = counts[label].mask(withheld[label])
    return replace(board, counts=counts, withheld=withheld)


def _draw_course(board: Board, label: tuple[str, str]) -> TrendFigure:
    """The months added up: so far, what is on course, and where the period is heading."""
    course = trace_board(board, label)
    # From the last month known on.
    ahead = course["actual"].isna() | course["actual"].shift(-1).isna()
    name = board.lines["indicator"].loc[label]
    lines = [
        Line("So far", _take(course["actual"]), withheld=_find_withheld_months(course)),
        Line("On course", _take(course["expected"]), "dashed"),
    ]
    if course["actual"].isna().any():
        lines += [
            Line("Likely range", _take(course["low"].where(ahead)), "band-low"),
            Line("to", _take(course["high"].where(ahead)), "band-high"),
        ]
    return TrendFigure(
        title=f"{name}, added up from {board.span.first.words}",
        months=tuple(str(month) for month in course["month"]),
        lines=tuple(lines),
        unit="incidents",
        alt=f"{name} added up month by month over {board.span.words}, beside what would be on course for the target.",
    )


def _find_withheld_months(course: pd.DataFrame) -> frozenset[int]:
    """The months up to which the sum is not given, as it would give a month's count away."""
    gone = course[WITHHELD].to_numpy()
    between = np.maximum.accumulate(gone) & np.maximum.accumulate(gone[::-1])[::-1]
    return frozenset(np.flatnonzero(course["actual"].isna().to_numpy() & between).tolist())


def _take(values: pd.Series) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else round(float(value), 1) for value in values.astype(float))


def _tabulate(lines: pd.DataFrame, *, by: str = "area", most: int = MOST_ROWS) -> TableFigure:
    sorted_lines = sort_lines(lines)
    rows = tuple(
        (
            str(row["rating"]),
            str(row[by]),
            write_count(row["actual"] if row["months_seen"] else None, hidden=hidden),
            write_count(row["expected"], hidden=hidden),
            format_count(row["value"]),
            str(row["words"]),
        )
        for row, hidden in zip(sorted_lines.to_dict("records"), find_withheld(sorted_lines), strict=True)
    )
    return TableFigure(
        title="The farthest behind first",
        columns=("Rating", by.capitalize(), "So far", "On course", "Target", "In words"),
        rows=rows,
        align=("left", "left", "right", "right", "right", "left"),
        rating=0,
        most=most,
        where="on the Targets page",
    )


def say_none(lines: pd.DataFrame) -> str:
    """That none of some lines is off target, as far as they may be shown."""
    return f"No indicator {'whose counts are given ' if find_withheld(lines).any() else ''}is off target"


def _say_none(setting: Setting, board: Board) -> Screen:
    whole = take_place(board.lines, WHOLE)
    lines = whole if len(whole) else board.lines
    return Screen(
        key=NONE_OFF,
        title=say_none(lines),
        subtitle=f"{board.table.title}, by {board.span.last.words}, as at {board.as_at.words}",
        sentences=(summarise_ratings(lines),),
        table=_tabulate(lines, by="indicator", most=_MOST_INDICATORS),
        last_time=recall_screen(setting, NONE_OFF),
        caveats=tuple(list_board_caveats(board, setting.query)),
    )
