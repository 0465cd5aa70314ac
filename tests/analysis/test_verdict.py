from dataclasses import replace

import pytest

from cspmap.analysis.targets.verdict import (
    Evidence,
    Line,
    Position,
    Thresholds,
    describe_line,
    describe_wanted,
    format_chance,
    weigh_evidence,
    write_sentence,
)
from cspmap.errors import UserError
from cspmap.periods import Month, Span

LINE = Line(
    status="running",
    position="behind",
    evidence="normal variation",
    value=1840,
    less=True,
    strict=False,
    span=Span(Month(2005, 4), Month(2006, 3)),
    as_at=Month(2005, 9),
    actual=1004,
    expected=920.4,
    last_year=990,
    months_compared=6,
    months_seen=6,
    missing=[],
    projected=1995.6,
    low=1880,
    high=2110,
    interval=0.8,
    chance=0.043,
)


@pytest.mark.parametrize(
    ("change", "signal", "evidence"),
    [
        ("down", -1, "real fall"),
        ("up", 1, "real rise"),
        ("down", 0, "possible fall"),
        ("up", None, "possible rise"),
        ("up", -1, "mixed signs"),
        ("down", 1, "mixed signs"),
        ("normal variation", 0, "normal variation"),
        ("normal variation", 1, "normal variation"),
        ("normal variation", None, "normal variation"),
        ("too few to say", 1, "too few to say"),
        ("no incidents", None, "no incidents"),
        ("not known", None, "not known"),
        ("not known", 0, "normal variation"),
        ("not known", 1, "possible rise"),
        ("not known", -1, "possible fall"),
    ],
)
def test_test_and_chart_joined(change: str, signal: int | None, evidence: str) -> None:
    assert weigh_evidence(change, signal) == evidence  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("position", "evidence", "less", "words"),
    [
        ("behind", "normal variation", True, "behind target, within normal variation"),
        ("ahead", "real fall", True, "ahead of target, and the fall is real"),
        ("ahead", "real rise", True, "ahead of target, but the rise is real"),
        ("behind", "real fall", True, "behind target, but the fall is real"),
        ("behind", "real rise", True, "behind target, and the rise is real"),
        ("behind", "possible rise", True, "behind target, and there may be a rise"),
        ("behind", "possible rise", False, "behind target, but there may be a rise"),
        ("ahead", "real rise", False, "ahead of target, and the rise is real"),
        ("on", "real fall", True, "on target, and the fall is real"),
        ("on", "too few to say", True, "on target, too few to say whether anything has changed"),
        ("ahead", "no incidents", True, "ahead of target, with none this year or last"),
        ("ahead", "mixed signs", True, "ahead of target, with mixed signs of change"),
        ("ahead", "not known", True, "ahead of target, with nothing to compare it with"),
    ],
)
def test_every_line_ends_in_words(position: Position, evidence: Evidence, less: bool, words: str) -> None:
    assert describe_line(replace(LINE, position=position, evidence=evidence, less=less)) == words


def test_a_sentence_whole() -> None:
    assert write_sentence(LINE) == (
        "Behind target, within normal variation. "
        "1,004 by September 2005, where 920 would be on course (990 a year before). "
        "It is heading for about 1,996 (80 % likely to be between 1,880 and 2,110) against at most 1,840: "
        "the chance of meeting it is 4 %."
    )


def test_a_comparison_of_some_of_the_months_says_so() -> None:
    assert "(801 a year before in the 5 months known both times)" in write_sentence(
        replace(LINE, months_compared=5, last_year=801)
    )
    assert "(130 a year before in the 1 month known both times)" in write_sentence(
        replace(LINE, months_compared=1, last_year=130)
    )
    assert "before" not in write_sentence(replace(LINE, months_compared=0))


def test_where_more_is_better_a_target_is_reached() -> None:
    reached = replace(LINE, less=False, value=1000, position="ahead", chance=1.0)
    assert write_sentence(reached).endswith("and has already reached the target of at least 1,000.")


def test_one_missing_month() -> None:
    line = replace(LINE, status="open", missing=[Month(2005, 6)], months_seen=5, months_compared=5)
    assert describe_line(line) == "open: 1 month is missing"
    assert write_sentence(line) == (
        "1 month is missing (June 2005), so the verdict is open. "
        "The 5 known months hold 1,004, where 920 would be on course (990 a year before). "
        "The whole period is 80 % likely to be between 1,880 and 2,110, against at most 1,840."
    )


@pytest.mark.parametrize(
    ("value", "less", "strict", "words"),
    [
        (23360, True, False, "at most 23,360"),
        (1840, True, True, "below 1,840"),
        (714, False, False, "at least 714"),
        (707.85, True, False, "at most 707.85"),
        (12.5, False, True, "more than 12.5"),
        (0, True, False, "at most 0"),
        (100, True, False, "at most 100"),
    ],
)
def test_what_is_wanted(value: float, less: bool, strict: bool, words: str) -> None:
    assert describe_wanted(replace(LINE, value=value, less=less, strict=strict)) == words


@pytest.mark.parametrize(
    ("chance", "text"),
    [
        (0, "less than 1 %"),
        (0.004, "less than 1 %"),
        (0.01, "1 %"),
        (0.5, "50 %"),
        (0.99, "99 %"),
        (1, "more than 99 %"),
    ],
)
def test_what_is_open_is_never_certain(chance: float, text: str) -> None:
    assert format_chance(chance) == text


def test_ratings() -> None:
    thresholds = Thresholds(green=0.7, red=0.3)
    letters = [thresholds.rate(chance) for chance in (0.7, 0.69, 0.3, 0.29, float("nan"), None)]
    assert letters == ["G", "A", "A", "R", "?", "?"]


@pytest.mark.parametrize(("green", "red"), [(0.3, 0.6), (1.2, 0.1), (0.5, -0.1), (float("nan"), 0.2)])
def test_thresholds_that_make_no_sense_are_refused(green: float, red: float) -> None:
    with pytest.raises(UserError, match="give two numbers between 0 and 1"):
        Thresholds(green=green, red=red)
