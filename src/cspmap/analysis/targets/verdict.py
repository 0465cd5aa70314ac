"""What the figures of a target come to: a rating, what a change is worth, and words for those who are not analysts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from cspmap.analysis.change import Verdict
from cspmap.errors import UserError
from cspmap.periods import Month, Span

Rating: TypeAlias = Literal["G", "A", "R", "?"]
Status: TypeAlias = Literal["not set", "not started", "too early", "running", "open", "met", "not met"]
Position: TypeAlias = Literal["ahead", "on", "behind", "not known"]
Evidence: TypeAlias = Literal[
    "real fall",
    "real rise",
    "possible fall",
    "possible rise",
    "normal variation",
    "mixed signs",
    "too few to say",
    "no incidents",
    "not known",
]

# What a page says beside a projection: the sentence at the head of docs/backtest.md, which a test holds to it.
CALIBRATION = (
    "Tried on Luton's two years to April 2024: the 80 % range held the year's count 88 times in 100 for wards, 84 "
    "for areas and 79 for the town; targets given a chance of a third to two thirds (50 % on average) were met 50 "
    "times in 100."
)


@dataclass(frozen=True)
class Thresholds:
    """The chance of meeting a target from which it is rated green, and below which it is rated red; else amber."""

    green: float = 2 / 3
    red: float = 1 / 3

    def __post_init__(self) -> None:
        if not 0 <= self.red <= self.green <= 1:
            raise UserError(
                f"The ratings' thresholds must be chances, red no higher than green, got red below {self.red} and "
                f"green from {self.green}; give two numbers between 0 and 1."
            )

    def rate(self, chance: float | None) -> Rating:
        """The letter for a chance; "?" where it is not known."""
        if chance is None or pd.isna(chance):
            return "?"
        return "G" if chance >= self.green else "R" if chance < self.red else "A"


THRESHOLDS = Thresholds()


@dataclass(frozen=True)
class Line:
    """The figures of one target that its sentence tells. NaN where something is not known.

    `past` says whether the known months alone settle it, where the figures told are rounded and cannot.
    """

    status: Status
    position: Position
    evidence: Evidence
    value: float
    less: bool
    strict: bool
    span: Span
    as_at: Month
    actual: float
    expected: float
    last_year: float
    months_compared: int
    months_seen: int
    missing: Sequence[Month]
    projected: float
    low: float
    high: float
    interval: float
    chance: float
    past: bool | None = None


def weigh_evidence(change: Verdict, signal: int | None) -> Evidence:
    """What a change on last year is worth: a test of two years and a control chart of the months, joined.

    `change` is the E-test's verdict on the months so far beside the same months a year before; `signal` the direction
    of the control chart's latest signal in the period (1 up, -1 down, 0 none), None where there are too few months for
    a chart. A change that the E-test sees is real where the chart shows it too, mixed where the chart shows the
    opposite, else possible: the test takes counts to scatter by chance alone, which they seldom do. A signal of the
    chart alone is no change: with four rules, one steady series in four shows one within a year. It decides only where
    there is no last year to test against.
    """
    if change in ("too few to say", "no incidents"):
        return change
    if change == "not known" and signal is None:
        return "not known"
    tested = {"up": 1, "down": -1}.get(change, 0)
    moved = tested or (signal or 0 if change == "not known" else 0)
    if not moved:
        return "normal variation"
    if tested and signal == -tested:
        return "mixed signs"
    if tested and signal == tested:
        return "real rise" if tested > 0 else "real fall"
    return "possible rise" if moved > 0 else "possible fall"


def describe_line(line: Line) -> str:
    """The verdict in a few words, such as "behind target, within normal variation"."""
    match line.status:
        case "not set":
            return "no target set"
        case "not started":
            return "not started"
        case "too early":
            return "too early to say"
        case "open":
            number = len(line.missing)
            return f"open: {number} {'month is' if number == 1 else 'months are'} missing"
        case "met" | "not met":
            start = f"target {line.status}"
        case _:
            start = (
                "on target" if line.position == "on" else f"{line.position} {'of ' * (line.position == 'ahead')}target"
            )
    return start + _describe_evidence(line)


def _describe_evidence(line: Line) -> str:
    match line.evidence:
        case "real fall" | "real rise" | "possible fall" | "possible rise":
            which = line.evidence.split()[1]
            better = (which == "fall") == line.less
            good = line.status == "met" or (line.status == "running" and line.position != "behind")
            joined = "and" if better == good else "but"
            real = line.evidence.startswith("real")
            return f", {joined} the {which} is real" if real else f", {joined} there may be a {which}"
        case "normal variation":
            return ", within normal variation"
        case "mixed signs":
            return ", with mixed signs of change"
        case "too few to say":
            return ", too few to say whether anything has changed"
        case "no incidents":
            return ", with none this year or last"
        case _:
            return ", with nothing to compare it with"


def write_sentence(line: Line) -> str:
    """The verdict with its figures, one to three sentences in plain English."""
    words = describe_line(line)
    start = words[0].upper() + words[1:]
    match line.status:
        case "not set":
            return f"No target is set. {_tell_count(line, course=False)}".strip()
        case "not started":
            outlook = _tell_outlook(line, "The months before it point to")
            return f"Not started: the period is {_the(line.span)}. {outlook or 'Too few months before it are known.'}"
        case "too early":
            known = f"{line.months_seen} known {'month' if line.months_seen == 1 else 'months'}"
            return f"{start}: {known} of the period and too few before it to project from. {_tell_count(line)}"
        case "open":
            return _tell_open(line)
        case "met" | "not met":
            count = f"{_count(line.actual)} in {_the(line.span)}, against {describe_wanted(line)}"
            return f"{start}: {count}{_tell_before(line)}."
        case _:
            count = _tell_count(line)
            return f"{start}. {count} {_tell_outlook(line, 'It is heading for')}"


def describe_wanted(line: Line) -> str:
    """What the target asks for: "at most 340", "below 1,840", "at least 714"."""
    how = ("below" if line.strict else "at most") if line.less else ("more than" if line.strict else "at least")
    return f"{how} {line.value:,.2f}".removesuffix("0").removesuffix("0").removesuffix(".")


def format_chance(chance: float) -> str:
    """The chance of what is still open, as a whole percentage: never 0 or 100."""
    if chance < 0.01:
        return "less than 1 %"
    if chance > 0.99:
        return "more than 99 %"
    return f"{100 * chance:.0f} %"


def _tell_count(line: Line, *, course: bool = True) -> str:
    if not line.months_seen:
        return ""
    last = min(line.as_at, line.span.last)
    expected = f", where {_count(line.expected)} would be on course" if course else ""
    return f"{_count(line.actual)} by {last.words}{expected}{_tell_before(line)}."


def _tell_before(line: Line) -> str:
    """What was counted in the same months a year before."""
    if not line.months_compared:
        return ""
    elapsed = min(line.as_at, line.span.last).ordinal - line.span.first.ordinal + 1
    years = -(-elapsed // 12)
    when = "a year before" if years <= 1 else f"{years} years before"
    if line.months_compared == line.months_seen:
        return f" ({_count(line.last_year)} {when})"
    known = f"{line.months_compared} {'month' if line.months_compared == 1 else 'months'}"
    return f" ({_count(line.last_year)} {when} in the {known} known both times)"


def _tell_outlook(line: Line, start: str) -> str:
    """Where the period is heading, and the chance of meeting the target; nothing where that is not known."""
    if np.isnan(line.projected):
        return ""
    about = f"{start} about {_count(line.projected, whole=True)} ({_tell_range(line)})"
    if np.isnan(line.value):
        return f"{about}."
    if _is_past(line):
        return f"{about}, and has already {_tell_past(line)}."
    chance = "" if np.isnan(line.chance) else f": the chance of meeting it is {format_chance(line.chance)}"
    return f"{about} against {describe_wanted(line)}{chance}."


def _tell_range(line: Line) -> str:
    return f"{100 * line.interval:.0f} % likely to be between {_count(line.low)} and {_count(line.high)}"


def _is_past(line: Line) -> bool:
    """Whether the known months alone settle it: no later month can take an incident away."""
    if line.past is not None:
        return line.past
    return line.actual > line.value or (line.actual == line.value and line.less == line.strict)


def _tell_past(line: Line) -> str:
    return f"{'passed' if line.less else 'reached'} the target of {describe_wanted(line)}"


def _tell_open(line: Line) -> str:
    """Which months are missing, what the known ones hold, and between what limits the whole may lie."""
    number = len(line.missing)
    named = [month.words for month in line.missing[: 4 if number > 5 else 5]]
    named += [f"{number - 4} more"] if number > 5 else []
    names = " and ".join([", ".join(named[:-1]), named[-1]] if number > 1 else named)
    sentences = [f"{number} {'month is' if number == 1 else 'months are'} missing ({names}), so the verdict is open."]
    if line.months_seen:
        known = "month holds" if line.months_seen == 1 else "months hold"
        course = f", where {_count(line.expected)} would be on course"
        sentences.append(f"The {line.months_seen} known {known} {_count(line.actual)}{course}{_tell_before(line)}.")
    if _is_past(line):
        sentences.append(f"Without the others they have already {_tell_past(line)}.")
    elif not np.isnan(line.low):
        sentences.append(f"The whole period is {_tell_range(line)}, against {describe_wanted(line)}.")
    return " ".join(sentences)


def _the(span: Span) -> str:
    """The period inside a sentence."""
    return f"the {span.words}" if len(span) == 12 else span.words


def _count(number: float, *, whole: bool = False) -> str:
    """A count with thousands separated; small ones that are not whole keep a decimal."""
    if whole or abs(number) >= 10 or abs(number - round(number)) < 0.05:
        return f"{number:,.0f}"
    return f"{number:.1f}"
