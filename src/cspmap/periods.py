"""Months, spans of months and the spans they are compared with."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, Self

from cspmap.errors import UserError, quote_briefly

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")

# Not calendar.month_name, which follows the locale of the server.
_NAMES = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

Comparison = Literal["previous", "last-year"]


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1 <= self.month <= 12 and 1900 <= self.year <= 2200):
            raise UserError(f"There is no month {self.month} of {self.year}; write it as YYYY-MM.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "YYYY-MM"; raises UserError on anything else."""
        match = _MONTH.fullmatch(text.strip())
        if match is None:
            raise UserError(f"{quote_briefly(text)} is not a month; write it as YYYY-MM, such as 2024-04.")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def from_ordinal(cls, ordinal: int) -> Self:
        """The inverse of `ordinal`."""
        return cls(ordinal // 12, ordinal % 12 + 1)

    @property
    def ordinal(self) -> int:
        """Months since January of the year 0, so that months can be subtracted."""
        return self.year * 12 + self.month - 1

    @property
    def financial_year(self) -> str:
        """The financial year (April to March) it falls in, such as "2004-05"."""
        start = self.year if self.month >= 4 else self.year - 1
        return f"{start}-{(start + 1) % 100:02d}"

    @property
    def first_day(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def words(self) -> str:
        """As people write it: "April 2024"."""
        return f"{_NAMES[self.month - 1]} {self.year}"

    def __add__(self, months: int) -> "Month":
        return Month.from_ordinal(self.ordinal + months)

    def __sub__(self, months: int) -> "Month":
        return Month.from_ordinal(self.ordinal - months)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


@dataclass(frozen=True)
class Span:
    """A run of whole months, both ends included."""

    first: Month
    last: Month

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise UserError(f"The period ends ({self.last.words}) before it starts ({self.first.words}).")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "YYYY-MM..YYYY-MM", or "YYYY-MM" for a single month; raises UserError on anything else."""
        first, separator, last = text.partition("..")
        if not separator and not _MONTH.fullmatch(text.strip()):
            raise UserError(f"{quote_briefly(text)} is not a period; write it as YYYY-MM..YYYY-MM.")
        return cls(Month.parse(first), Month.parse(last if separator else first))

    @classmethod
    def ending(cls, last: Month, *, months: int) -> Self:
        """The span of `months` months that ends with `last`."""
        return cls(last - (months - 1), last)

    @classmethod
    def find_runs(cls, months: Iterable[Month]) -> list[Self]:
        """The longest spans that some months make, in order."""
        runs: list[Self] = []
        for month in sorted(set(months)):
            if runs and runs[-1].last + 1 == month:
                runs[-1] = cls(runs[-1].first, month)
            else:
                runs.append(cls(month, month))
        return runs

    def __len__(self) -> int:
        return self.last.ordinal - self.first.ordinal + 1

    def __iter__(self) -> Iterator[Month]:
        return (self.first + step for step in range(len(self)))

    def __contains__(self, month: object) -> bool:
        return isinstance(month, Month) and self.first <= month <= self.last

    def shift(self, months: int) -> "Span":
        """The span moved by `months` months; negative is earlier."""
        return Span(self.first + months, self.last + months)

    def compare_with(self, comparison: Comparison) -> "Span":
        """The span to set beside it: the months just before it, or the same months a year before.

        A span longer than a year overlaps its own year before, so that comparison starts a whole number
        of years earlier, enough to be clear of it.
        """
        if comparison == "previous":
            return self.shift(-len(self))
        years = -(-len(self) // 12)
        return self.shift(-12 * years)

    @property
    def words(self) -> str:
        """As people write it: "April 2024", "year to April 2024", "May 2023 to June 2023"."""
        if len(self) == 1:
            return self.last.words
        if len(self) == 12:
            return f"year to {self.last.words}"
        return f"{self.first.words} to {self.last.words}"

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"


def name_months(months: Iterable[Month]) -> str:
    """Some months in words, runs of them by their ends: "March 2023 and May 2023 to July 2023"."""
    runs = Span.find_runs(months)
    words = [run.last.words if len(run) == 1 else f"{run.first.words} to {run.last.words}" for run in runs]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
