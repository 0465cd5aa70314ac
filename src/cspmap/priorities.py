"""What a partnership sets about its priorities, and the scanning charts that it has published before.

The live chart is worked out by `cspmap.scanning`; how a category is scored by `cspmap.analysis.priorities`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

Mark = Literal["national_target", "local_agreement", "national_indicator", "public_concern"]
MARKS: tuple[Mark, ...] = get_args(Mark)


@dataclass(frozen=True)
class Category:
    """A crime type or group, by key, that is ranked, and what the partnership file sets of it.

    `harm` is the weight of one incident, None where the partnership has not set any; `marks` are the policy columns
    that it ticks; `offence` is the line of the published recorded crime that is the same, "" where it has its name.
    """

    crime: str
    harm: float | None = None
    marks: tuple[Mark, ...] = ()
    offence: str = ""


@dataclass(frozen=True)
class Priorities:
    """The categories that are ranked (none: every crime type), where their weights and marks come from, and the files
    of published charts.
    """

    categories: tuple[Category, ...] = ()
    harm_source: str = ""
    marks_source: str = ""
    charts: tuple[Path, ...] = ()

    def find(self, crime: str) -> Category:
        """What is set of a category; nothing where it is not listed."""
        return next((each for each in self.categories if each.crime == crime), Category(crime))


# Of a partnership that sets nothing: every crime type is ranked, without weights of harm.
NO_PRIORITIES = Priorities()


@dataclass(frozen=True)
class ChartRow:
    """A category of a published chart: under which of its headings it is marked, and what the group chose to do."""

    category: str
    marked: tuple[str, ...]
    comment: str
    action: str
    document: str
    page: str


@dataclass(frozen=True)
class ScanningChart:
    """A published scanning chart: its headings and rows as printed, in the printed order."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[ChartRow, ...]
