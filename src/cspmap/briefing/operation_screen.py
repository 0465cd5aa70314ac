"""One operation on one screen: what it is to reach, whether it does, and who does what until when."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from cspmap.briefing.screen import Figure, Line, Screen, TableFigure, TrendFigure
from cspmap.briefing.setting import TREND_MONTHS, Setting, recall_screen
from cspmap.errors import UserError
from cspmap.exports.published import WITHHELD
from cspmap.operation_results import (
    GoalResult,
    SheetChoice,
    judge_goals,
    list_comparisons,
    propose_months,
    read_counts,
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
    list_sheet_caveats,
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
    results, caveats, fault = _judge(setting, operation)
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
        sentences=tuple(filter(None, (*_tell(setting, operation, results), fault))),
        chart=_draw_course(operation, results),
        table=tabulate_actions(operation.actions, setting.today),
        last_time=recall_screen(setting, key),
        caveats=caveats,
    )


def _judge(setting: Setting, operation: Operation) -> tuple[tuple[GoalResult, ...], tuple[str, ...], str]:
    """What became of the aims, how that came about, and why it cannot be told where that is so."""
    query = setting.query
    try:
        proposed = propose_months(operation, query.store.months)
        choice = SheetChoice(proposed.before, proposed.after, list_comparisons(operation)[0])
        counts = read_counts(query, operation)
    except UserError as error:
        notice = query.store.partnership.notice
        return (), (notice,) if notice else (), str(error)
    return (
        judge_goals(query, counts, operation, choice),
        tuple(list_sheet_caveats(query, counts, operation, choice)),
        "",
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


def _draw_course(operation: Operation, results: Sequence[GoalResult]) -> TrendFigure | None:
    """The months of the first aim that could be judged, beside what was to be expected of them."""
    result = next((each for each in results if each.sheet is not None), None)
    if result is None or result.sheet is None:
        return None
    course = result.sheet.course.tail(TREND_MONTHS + 12)
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
