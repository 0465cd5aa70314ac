"""A partnership's targets as printed: what is to be reached, where, by when, and which document says so.

Numbers are decimals as printed ("45.0" stays 45.0, so that it is known how far it was rounded). Nothing here is worked
out: a table that contradicts itself is kept as it stands, for `cspmap.analysis.targets.reconcile` to say so.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Literal, TypeVar

from cspmap.errors import UserError
from cspmap.periods import Month, Span

Kind = Literal["change-by", "reach-number", "reach-percentage", "at-most", "below", "hold"]
Direction = Literal["less", "more"]
Unit = Literal["count", "percent", "rate", "score"]

_Item = TypeVar("_Item")

_YEAR = re.compile(r"([0-9]{4})(?:[-/\u2013]([0-9]{4}|[0-9]{2}))?")
_YEARS = re.compile(r"(\S+) to (\S+)")


@dataclass(frozen=True)
class Indicator:
    """What a target is about.

    `crimes` are the partnership's crime types and groups, by key, that it counts; none where it is not measured from
    recorded crime. `direction` says which way is better. A `unit` of "rate" is per 1,000. `parts` are the keys of the
    indicators that it is the sum of.
    """

    key: str
    name: str
    crimes: tuple[str, ...] = ()
    direction: Direction = "less"
    unit: Unit = "count"
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class TargetArea:
    """A place by the name printed; "" is the whole partnership. `parts` are the areas that it is made of."""

    name: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """What is asked of one indicator in one area by the end of one period; yearly milestones are several of these.

    The kinds:

    - change-by: improve by `percent` per cent (fall where less is better, rise where more is)
    - reach-number, reach-percentage: get to `value`, or better
    - at-most: get to `value` or less; below: to less than `value`
    - hold: be no worse than `value`, or where none is printed than `baseline`

    `value` is the target number as printed, None where none is. `percent` is the printed change for the better, in per
    cent of the figure for `percent_on` (None: for `baseline_period`); `overall_percent` a second one, such as
    a change over three years beside one over the last. `printed_due` is the heading as printed, where it is wrong.
    A target with neither value nor percent has been announced and not yet set; its `note` says so.
    """

    indicator: Indicator
    area: TargetArea
    kind: Kind
    due: Span
    value: Decimal | None = None
    baseline_period: Span | None = None
    baseline: Decimal | None = None
    percent: Decimal | None = None
    percent_on: Span | None = None
    overall_percent: Decimal | None = None
    overall_percent_on: Span | None = None
    printed_due: str = ""
    owner: str = ""
    document: str = ""
    page: str = ""
    note: str = ""

    @property
    def is_set(self) -> bool:
        """Whether there is something to reach yet."""
        return self.value is not None or self.percent is not None or self.kind == "hold"


@dataclass(frozen=True)
class TargetTable:
    """Targets that were printed together, in the printed order."""

    title: str
    targets: tuple[Target, ...]

    @property
    def indicators(self) -> tuple[Indicator, ...]:
        """The indicators, each once, in the order in which they first occur."""
        return _unique(target.indicator for target in self.targets)

    @property
    def areas(self) -> tuple[TargetArea, ...]:
        """The areas, each once, in the order in which they first occur."""
        return _unique(target.area for target in self.targets)

    @property
    def periods(self) -> tuple[Span, ...]:
        """The periods by which something is due, the earliest first."""
        return tuple(sorted({target.due for target in self.targets}, key=lambda span: (span.last, span.first)))

    @property
    def whole(self) -> TargetArea | None:
        """The area that stands for the whole partnership: the only one that is no part of another, if there is one."""
        named = {name for area in self.areas for name in area.parts}
        tops = [area for area in self.areas if area.name not in named]
        return tops[0] if len(tops) == 1 else None

    def keep(self, indicator: str) -> "TargetTable":
        """The table of one indicator (by key) alone."""
        return replace(self, targets=tuple(target for target in self.targets if target.indicator.key == indicator))

    def find(self, indicator: str, area: str, due: Span) -> Target | None:
        """The target of an indicator (by key) and area (by name) for a period; None where there is none."""
        return self._by_what.get((indicator, area, due))

    @cached_property
    def _by_what(self) -> dict[tuple[str, str, Span], Target]:
        return {(target.indicator.key, target.area.name, target.due): target for target in self.targets}

    def select(self, *, indicator: str | None = None, area: str | None = None) -> tuple[Target, ...]:
        """The targets of an indicator (by key), of an area (by name), or of both, in the order they fall due."""
        chosen = (
            target
            for target in self.targets
            if indicator in (None, target.indicator.key) and area in (None, target.area.name)
        )
        return tuple(sorted(chosen, key=lambda target: (target.due.last, target.due.first)))


def _unique(items: Iterable[_Item]) -> tuple[_Item, ...]:
    return tuple(dict.fromkeys(items))


def parse_period(text: str) -> Span:
    """Read a period as targets have it; raises UserError on anything else.

    "2007-08" is always a financial year (April to March), "2006" a calendar year, "2005-06 to 2007-08" and
    "2017 to 2020" runs of either, and "2023-05..2024-04" months.
    """
    tidy = " ".join(text.split())
    if ".." in tidy:
        return Span.parse(tidy)
    years = _YEARS.fullmatch(tidy)
    first, last = (_parse_year(part, text) for part in (years.groups() if years else (tidy, tidy)))
    if first.first.month != last.first.month:
        raise UserError(f"{text!r} runs from one sort of year to another; write two financial or two calendar years.")
    return Span(first.first, last.last)


def _parse_year(text: str, whole: str) -> Span:
    match = _YEAR.fullmatch(text)
    if match is None:
        raise UserError(
            f"{whole!r} is not a period; write a financial year (2007-08), a year (2006), a run of them "
            "(2005-06 to 2007-08) or months (2023-05..2024-04)."
        )
    year, end = int(match[1]), match[2]
    if end is None:
        return Span(Month(year, 1), Month(year, 12))
    if int(end) != (year + 1 if len(end) == 4 else (year + 1) % 100):
        raise UserError(
            f"{whole!r} is not a financial year; write such as {Month(year, 4).financial_year} (a single month is "
            "written as 2007-08..2007-08)."
        )
    return Span(Month(year, 4), Month(year + 1, 3))


def name_period(span: Span) -> str:
    """The inverse of `parse_period`: the shortest of its forms."""
    if len(span) % 12:
        return str(span)
    start, end = span.first, span.last
    if start.month == 4:
        first, last = start.financial_year, end.financial_year
    elif start.month == 1:
        first, last = str(start.year), str(end.year)
    else:
        return str(span)
    return first if first == last else f"{first} to {last}"
