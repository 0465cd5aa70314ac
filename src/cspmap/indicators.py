"""Indicators as printed: what people said when asked, what agencies counted, and the document that says so.

Numbers are decimals as printed. Nothing here is worked out: margins of error, changes and what stands beside them are
for `cspmap.perceptions`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Literal

from cspmap.errors import Problem
from cspmap.periods import Span
from cspmap.target_checks import KEY, MADE_SAFE
from cspmap.targets import name_period

Kind = Literal["survey", "record"]
Unit = Literal["percent", "count", "rate", "score", "change", "percentile"]
Direction = Literal["less", "more", "neither"]

_SPACES = re.compile(r"\s+")
_OWN_COLUMNS = {"name": "indicator_name"}
# Whose value a percentage is, and between which numbers others lie.
_LIMITS: dict[Unit, tuple[Decimal, Decimal | None, str]] = {
    "percent": (Decimal(0), Decimal(100), "write a percentage from 0 to 100"),
    "percentile": (Decimal(0), Decimal(100), "write a percentile from 0 to 100"),
    "change": (Decimal(-100), None, "nothing falls by more than 100 per cent: correct it"),
    "count": (Decimal(0), None, "write a number of zero or more"),
    "rate": (Decimal(0), None, "write a number of zero or more"),
    "score": (Decimal(0), None, "write a number of zero or more"),
}


@dataclass(frozen=True)
class Measure:
    """What is measured.

    `topic` is the heading it was printed under. A "survey" asks a sample, whose size leaves a margin of error; a
    "record" is counted or worked out by an agency. `question` is the wording put to people, "" where it is not
    printed. `direction` says which way is better. A `unit` of "rate" is per 1,000, of "change" a change in per cent on
    the period before. `crimes` are the partnership's crime types and groups, by key, that are about the same subject:
    they measure something else, and are only set beside it.
    """

    key: str
    name: str
    topic: str = ""
    kind: Kind = "survey"
    unit: Unit = "percent"
    direction: Direction = "neither"
    question: str = ""
    crimes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """One figure of a measure: how many gave an `answer` in an `area`, and when.

    `period` is None where the document does not say when, `value` None where it names the indicator and prints no
    figure (its `note` says so). `sample` is how many were asked, None where that is not printed; `margin` a 95 % margin
    of error as printed, in the figure's own unit. `survey` says who asked, or who counted.
    """

    measure: Measure
    area: str = ""
    answer: str = ""
    period: Span | None = None
    value: Decimal | None = None
    sample: int | None = None
    margin: Decimal | None = None
    survey: str = ""
    document: str = ""
    page: str = ""
    note: str = ""

    @property
    def label(self) -> str:
        """The measure's name, with the answer where one is named."""
        return f"{self.measure.name}: {self.answer}" if self.answer else self.measure.name


@dataclass(frozen=True)
class IndicatorTable:
    """Readings of one file, in its order."""

    title: str
    readings: tuple[Reading, ...]

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures, each once, in the order in which they first occur."""
        return tuple(dict.fromkeys(reading.measure for reading in self.readings))

    @property
    def topics(self) -> tuple[str, ...]:
        """The headings, each once, in the order in which they first occur."""
        return tuple(dict.fromkeys(measure.topic for measure in self.measures))


Where = Callable[[int], str]
_Fault = tuple[str, str]


def find_contradictions(
    table: IndicatorTable, where: Where | None = None, *, partial: Collection[int] = ()
) -> list[Problem]:
    """Everything that keeps a table from being used.

    `where` says where the reading at a position stands, by default what it is about; `partial` are the positions of
    readings of which something could not be read: nothing is said of them that may only follow from that.
    """
    place = where or (lambda position: describe(table.readings[position]))
    problems = []
    for position, reading in enumerate(table.readings):
        faults = list(_find_text_faults(reading))
        if position not in partial:
            faults += [*_find_faults(reading), *_find_number_faults(reading)]
        problems += [Problem(place(position), what, fix) for what, fix in faults]
    whole = [(position, reading) for position, reading in enumerate(table.readings) if position not in partial]
    return [*problems, *_check_measures(whole, place), *_check_repeats(whole, place)]


def describe(reading: Reading) -> str:
    """What a reading is about, in words for a message."""
    when = "no period" if reading.period is None else name_period(reading.period)
    return ", ".join(filter(None, (reading.label or reading.measure.key, reading.area, when)))


def _find_faults(reading: Reading) -> Iterator[_Fault]:
    measure = reading.measure
    if not KEY.fullmatch(measure.key):
        what = f"its indicator is {measure.key!r}" if measure.key else "its indicator is empty"
        yield what, "write small letters, digits and single hyphens, such as ni-17-litter"
    for crime in measure.crimes:
        if not KEY.fullmatch(crime):
            yield f"its crimes name {crime!r}", "use the keys of the partnership's crime types and groups"
    if reading.value is None and not reading.note:
        yield "it has no value", "fill it in, or say in the note that the document prints none"
    if not reading.document and not reading.survey:
        yield "it does not say where it is from", "fill in the document and its page, or the survey"
    if reading.document and not reading.page:
        yield "it names a document and no page", "fill in the page, or the heading where pages have no numbers"


def _find_number_faults(reading: Reading) -> Iterator[_Fault]:
    measure, value = reading.measure, reading.value
    least, most, fix = _LIMITS[measure.unit]
    if value is not None:
        if value < least or (most is not None and value > most):
            yield f"its value is {value}", fix
        if measure.unit == "count" and value != int(value):
            yield f"its value is {value}, and its unit is count", "write a whole number, or correct the unit"
    for name, number in (("sample", reading.sample), ("margin", reading.margin)):
        if number is None:
            continue
        if measure.kind == "record":
            yield f"it has a {name}, and its kind is record", f"take the {name} out, or make the kind survey"
        elif value is None:
            yield f"it has a {name} and no value", f"fill the value in, or take the {name} out"
        elif number <= 0:
            yield f"its {name} is {number}", "write a number above zero, or leave it empty where it is not known"


def _find_text_faults(reading: Reading) -> Iterator[_Fault]:
    texts = [(item.name, getattr(reading.measure, item.name)) for item in fields(Measure)]
    texts += [(item.name, getattr(reading, item.name)) for item in fields(Reading)]
    for name, text in texts:
        if not isinstance(text, str):
            continue
        if text != _SPACES.sub(" ", text.strip()):
            yield f"its {name} has line breaks or spare spaces", "take them out"
        elif MADE_SAFE.match(text):
            yield f"its {name} starts with an apostrophe and a sign", "take the apostrophe out"


def _check_measures(readings: Iterable[tuple[int, Reading]], where: Where) -> Iterator[Problem]:
    """What is said of an indicator must be the same in all its rows."""
    first: dict[str, tuple[int, Measure]] = {}
    for position, reading in readings:
        at, known = first.setdefault(reading.measure.key, (position, reading.measure))
        for item in fields(Measure):
            if getattr(known, item.name) != getattr(reading.measure, item.name):
                column = _OWN_COLUMNS.get(item.name, item.name)
                what = f"its {column} differs from that of {known.key!r} in {where(at)}"
                yield Problem(where(position), what, "write the same in every row of an indicator")


def _check_repeats(readings: Iterable[tuple[int, Reading]], where: Where) -> Iterator[Problem]:
    first: dict[object, int] = {}
    for position, reading in readings:
        about = (reading.measure.key, reading.answer, reading.area, reading.period)
        at = first.setdefault(about, position)
        if at != position:
            yield Problem(where(position), f"it gives {describe(reading)} again, which {where(at)} gives", "keep one")
