"""What may be kept: every limit, each told in one sentence."""

from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any

import pytest

from cspmap.operations import (
    Action,
    CrimeGoal,
    Decision,
    Operation,
    Outline,
    SurveyGoal,
    SurveyResult,
    Units,
    find_problems,
)
from cspmap.periods import Month, Span

from .made import OCTANS, SQUARE

RING = SQUARE.polygons[0][0]


def say(**values: Any) -> list[str]:
    """The problems of Octans with some values changed, without their beginning."""
    problems = [str(problem) for problem in find_problems(replace(OCTANS, **values))]
    assert all(problem.startswith('Operation "Octans"') and "\n" not in problem for problem in problems)
    return [problem.removeprefix('Operation "Octans"').removeprefix(", ").removeprefix(": ") for problem in problems]


def test_what_may_be_kept() -> None:
    assert find_problems(OCTANS) == []
    assert find_problems(Operation("x")) == []
    assert say(start=date(2023, 1, 1), end=date(2023, 1, 1)) == []


# Of each limit the last value that is kept, the first that is not, and what is said of it.
LIMITS: list[tuple[str, Any, Any, str]] = [
    ("aim", "x" * 4_000, "x" * 4_001, "aim: is 4,001 characters long; shorten it to 4,000."),
    ("notes", "\U0001f46e" * 50_000, "x" * 50_001, "notes: is 50,001 characters long; shorten it to 50,000."),
    ("lead", "", "x" * 201, "lead: is 201 characters long; shorten it to 200."),
    ("lead", "\ud7ff", "\ud800", "lead: holds half of a character; type it again."),
    ("buffer_metres", 1, 0.99, "buffer metres: is 0.99; write a number from 1 to 20,000."),
    ("buffer_metres", 20_000.0, 20_000.1, "buffer metres: is 20000.1; write a number from 1 to 20,000."),
    ("buffer_metres", None, float("nan"), "buffer metres: is nan; write a number."),
    ("buffer_metres", 300, True, "buffer metres: is true; write a number."),
    (
        "status",
        "cancelled",
        "over",
        "status: is 'over'; write 'draft' or 'running' or 'ended' or 'judged' or 'cancelled'.",
    ),
    (
        "start",
        date(1900, 1, 1),
        date(1899, 12, 31),
        "start: is '1899-12-31'; write a date from 1900 to 2200 as YYYY-MM-DD, such as 2024-04-30.",
    ),
    (
        "end",
        date(2200, 12, 31),
        date(2201, 1, 1),
        "end: is '2201-01-01'; write a date from 1900 to 2200 as YYYY-MM-DD, such as 2024-04-30.",
    ),
    (
        "end",
        None,
        datetime(2024, 1, 1),
        "end: is '2024-01-01T00:00:00'; write a date from 1900 to 2200 as YYYY-MM-DD, such as 2024-04-30.",
    ),
    (
        "chosen_on",
        Span(Month(2022, 1), Month(2022, 1)),
        "2022",
        "chosen on: is '2022'; write a period as YYYY-MM..YYYY-MM, such as 2023-05..2024-04.",
    ),
    (
        "goals",
        (CrimeGoal((), -100),),
        (CrimeGoal((), -100.5),),
        "goals 1, change percent: is -100.5; write a number from -100 to 1,000.",
    ),
    (
        "goals",
        (SurveyGoal("x", "at most", 0),),
        (SurveyGoal("x", "at most", 101),),
        "goals 1, percent: is 101; write a number from 0 to 100.",
    ),
    ("goals", (), (SurveyGoal("x", "up", 50),), "goals 1, direction: is 'up'; write 'at least' or 'at most'."),  # type: ignore[arg-type]
    (
        "goals",
        (),
        (Units("lsoa", ("x",)),),
        "goals 1: is a table; write a table with the key kind: 'crime' or 'survey'.",
    ),
    ("actions", (Action("x"),), (Action("x"), Action(" ")), "actions 2, text: is blank; fill it in."),
    ("actions", (Action("x"),) * 1_000, (Action("x"),) * 1_001, "actions: holds 1,001; keep 1,000 at most."),
    (
        "decisions",
        (Decision("x"),),
        (Decision("x", made_by="x" * 201),),
        "decisions 1, made by: is 201 characters long; shorten it to 200.",
    ),
    (
        "surveys",
        (SurveyResult("x", 100, date(2022, 1, 1)),),
        (SurveyResult("x", -1, date(2022, 1, 1)),),
        "surveys 1, percent: is -1; write a number from 0 to 100.",
    ),
    (
        "surveys",
        (SurveyResult("x", 1, date(2022, 1, 1), 1),),
        (SurveyResult("x", 1, date(2022, 1, 1), 0),),
        "surveys 1, sample size: is 0; write a number from 1 to 10,000,000.",
    ),
    (
        "surveys",
        (),
        (SurveyResult("x", 1, date(2022, 1, 1), 12.5),),  # type: ignore[arg-type]
        "surveys 1, sample size: is 12.5; write a whole number.",
    ),
    ("area", Units("lsoa", ("x",)), Units("lsoa", ()), "the area has no units; choose at least one."),
    ("area", Units("lsoa", ("x", "y")), Units("lsoa", ("x", "y", "x")), "the area names 'x' twice; keep one of them."),
    ("area", Units("lsoa", ("x",)), Units("", ("x",)), "area, level: is blank; fill it in."),
    ("area", Units("lsoa", ("x",)), Units("lsoa", ("x", " ")), "area, codes 2: is blank; fill it in."),
    (
        "area",
        Units("x", tuple(map(str, range(5_000)))),
        Units("x", tuple(map(str, range(5_001)))),
        "area, codes: holds 5,001; keep 5,000 at most.",
    ),
    ("area", SQUARE, Outline(()), "the area has no outline; draw one."),
    (
        "area",
        SQUARE,
        Outline(((RING[:-1],),)),
        "the area has a ring that is not closed; end it with the position that it starts with.",
    ),
    (
        "area",
        SQUARE,
        Outline(((RING, RING[:2]),)),
        "the area has a ring of 2 positions; draw at least three corners and end where it starts.",
    ),
    (
        "area",
        SQUARE,
        Outline((((*RING, (181.0, 51.0), RING[0]),),)),
        "the area has the position 181.0, 51.0, which is not longitude and latitude; save it in WGS84 (EPSG:4326).",
    ),
    (
        "area",
        Outline((((RING * 4_000),),)),
        Outline((((RING * 4_001),),)),
        "area, polygons 1 1: holds 20,005; keep 20,000 at most.",
    ),
    ("comparison_areas", (SQUARE,), (Outline(()),), "comparison area 1 has no outline; draw one."),
    (
        "comparison_areas",
        (Units("ward", ("E01015700",)),),
        (Units("lsoa", ("E01015700", "x")),),
        "comparison area 1 shares E01015700 with the area itself; compare with other areas.",
    ),
    (
        "end",
        OCTANS.start,
        date(2022, 12, 31),
        "ends on 2022-12-31, before it starts on 2023-01-01; put the dates in order.",
    ),
    ("id", "0" * 32, "x", "has the identifier 'x'; leave it out, and it gets one."),
]


@pytest.mark.parametrize(("name", "kept", "refused", "said"), LIMITS)
def test_every_limit(name: str, kept: Any, refused: Any, said: str) -> None:
    if not isinstance(kept, Outline) or kept == SQUARE:
        assert say(**{name: kept}) == []
    else:
        # Long enough, though it runs over itself.
        assert "keep 20,000" not in str(say(**{name: kept}))
    assert say(**{name: refused}) == [said]


@pytest.mark.parametrize("status", ["running", "ended", "judged"])
def test_what_runs_has_an_area_and_a_start(status: Any) -> None:
    fix = "give it one or make its status draft."
    assert say(status=status, area=None, start=None) == [
        f"is {status}, but has no area; {fix}",
        f"is {status}, but has no start; {fix}",
    ]
    for other in ("draft", "cancelled"):
        assert say(status=other, area=None, start=None) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [("x" * 200, "x" * 60 + "..."), ("A\r\nB\u2028C\x00", "A B C\x00"), ("\t", "without a name")],
)
def test_problems_name_the_operation_briefly_and_on_one_line(name: str, shown: str) -> None:
    (problem, *_) = find_problems(replace(OCTANS, name=name, end=date(2020, 1, 1)))
    assert problem.where.removesuffix(", name") == f'Operation "{shown}"'


def test_every_field_of_an_operation_that_holds_text_has_a_limit() -> None:
    """A text without one would take the database's disk."""
    from cspmap.operations.document import Text, _list_hints

    kinds = (Operation, Units, CrimeGoal, SurveyGoal, SurveyResult, Action, Decision)
    texts = [(kind, item.name, _list_hints(kind)[item.name]) for kind in kinds for item in fields(kind)]
    for kind, name, hint in texts:
        assert hint is not str, f"{kind.__name__}.{name} may be of any length"
    assert sum(any(isinstance(limit, Text) for limit in getattr(hint, "__metadata__", ())) for *_, hint in texts) > 10
