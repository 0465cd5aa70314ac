"""One operation on one screen: what it is to reach, whether it does, and who does what until when."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from cspmap.briefing.screen import Figure, Line, Screen, TableFigure, TrendFigure
from cspmap.briefing.setting import TREND_MONTHS, Setting, recall_screen
from cspmap.briefing.shared_months import find_own, withhold_shared
from cspmap.exports.published import WITHHELD
from cspmap.operation_results import (
    GoalResult,
)
from cspmap.operation_surveys import list_surveys
from cspmap.operations import Action, Operation
from cspmap.views.operation_words import (
    STATUSES,
    describe_aim,
    describe_area,
    describe_goal,
    describe_survey,
    describe_time,
    describe_way,
    format_day,
    format_signed,
)

PREFIX = "operation:"
MOST_ACTIONS, MOST_OPERATIONS = 5, 8
_MOST_FIGURES = 3
_OPEN = ("running", "draft", "ended")


def choose_operations(operations: Sequence[Operation]) -> list[Operation]:
    """Those that a meeting goes through: running, then being planned, then ended and not yet judged."""
    wanted = [operation for operation in operations if operation.status in _OPEN]
    return sorted(wanted, key=lambda operation: _OPEN.index(operation.status))[:MOST_OPERATIONS]


def make_operation(setting: Setting, operation: Operation) -> Screen:
    """The screen of an operation, judged as its sheet on the page of operations is unless told otherwise."""
    judged = setting.judge(operation)
    results = judged.results
    key = f"{PREFIX}{operation.id}"
    lead = f"led by {operation.lead}" if operation.lead.strip() else ""
    facts = (
        STATUSES[operation.status],
        describe_time(operation),
        describe_area(setting.query, operation.area),
        lead,
    )
    return Screen(
        key=key,
        title=operation.name,
        subtitle=" · ".join(filter(None, facts)),
        figures=_list_figures(setting, results),
        sentences=tuple(filter(None, (*_tell(setting, operation, results), judged.fault))),
        chart=_draw_course(setting, operation, results),
        table=tabulate_actions(operation.actions, setting.today),
        last_time=recall_screen(setting, key),
        caveats=judged.caveats,
    )


def _list_figures(setting: Setting, results: Sequence[GoalResult]) -> tuple[Figure, ...]:
    figures = []
    for result in results:
        if result.change is None and not result.withheld:
            continue
        aim = "" if result.goal is None else f"aim: {describe_way(result.goal)}"
        change = WITHHELD if result.change is None else f"{format_signed(result.change)} %"
        figures.append(Figure(change, result.crime, aim))
    return tuple(figures[:_MOST_FIGURES])


def _tell(setting: Setting, operation: Operation, results: Sequence[GoalResult]) -> list[str]:
    """The aim, then what became of it: recorded, and against the comparison."""
    told = [operation.aim.strip()]
    if not results:
        told += [f"Aim: {describe_goal(setting.query, goal)}." for goal in operation.goals]
    for result in results:
        if result.sheet is None:
            told.append(f"{result.crime}: {result.fault}")
        else:
            told += [result.sheet.headline, f"{result.crime}: {describe_aim(result)}"]
    return [*told, *map(describe_survey, list_surveys(operation))]


def _draw_course(setting: Setting, operation: Operation, results: Sequence[GoalResult]) -> TrendFigure | None:
    """The months of the first aim that could be judged, beside what was to be expected of them."""
    result = next((each for each in results if each.sheet is not None), None)
    if result is None or result.sheet is None:
        return None
    course = _withhold_shared(setting, operation, result, result.sheet.course.tail(TREND_MONTHS + 12))
    return TrendFigure(
        title=f"{result.crime} a month in the area",
        months=tuple(str(month) for month in course["month"]),
        lines=(
            _take_line("Recorded", course, "count", "solid"),
            _take_line("Expected without it", course, "expected", "dashed"),
            Line("Likely range", _take(course["low"]), "band-low"),
            Line("to", _take(course["high"]), "band-high"),
        ),
        unit="incidents",
        alt=f"{result.crime} by month in the area of {operation.name}, beside what was to be expected from the "
        "comparison had nothing been done.",
    )


def _withhold_shared(setting: Setting, operation: Operation, result: GoalResult, course: pd.DataFrame) -> pd.DataFrame:
    """The course without the months that are withheld on another screen."""
    own = find_own(setting, operation.area)
    if own is None or WITHHELD not in course:
        return course
    chosen = setting.select(own[0]).change(crimes=() if result.goal is None else result.goal.crimes)
    crimes = setting.query.crime_types(chosen)
    hidden = course["month"].isin(withhold_shared(setting, level=own[0], code=own[1], crimes=crimes))
    hidden &= course["count"].notna()
    return course.assign(**{"count": course["count"].mask(hidden), WITHHELD: course[WITHHELD] | hidden})


def _take_line(name: str, course: pd.DataFrame, column: str, style: Literal["solid", "dashed"]) -> Line:
    """A line of the course; where the disclosure rule withholds small counts, that says of which months any is."""
    hidden = course[column].isna() & course[WITHHELD] if WITHHELD in course else course[column].isna() & False
    return Line(name, _take(course[column]), style, frozenset(np.flatnonzero(hidden).tolist()))


def _take(values: pd.Series) -> tuple[float | None, ...]:
    return tuple(None if pd.isna(value) else round(float(value), 1) for value in values)


def tabulate_actions(actions: Sequence[Action], today: date) -> TableFigure | None:
    """Open actions, what is overdue first, then the others; None where there are none."""
    if not actions:
        return None
    order = ("open", "done", "dropped")
    ordered = sorted(actions, key=lambda each: (order.index(each.status), each.due or date.max))
    rows = tuple((each.text, each.owner, format_day(each.due), tell_status(each, today)) for each in ordered)
    return TableFigure(
        "Actions",
        ("Action", "Owner", "Due", "Status"),
        rows,
        ("left",) * 4,
        most=MOST_ACTIONS,
        where="on the Operations page",
    )


def tell_status(action: Action, today: date) -> str:
    """ "Open", "Open, overdue", "Done", "Dropped"."""
    late = action.status == "open" and action.due is not None and action.due < today
    return f"{action.status.capitalize()}{', overdue' if late else ''}"
