"""The partnership's incidents by month and crime type: few enough to be held in memory and asked at every turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cspmap.periods import Month, Span

if TYPE_CHECKING:
    import pandas as pd

# What is counted, in the order of the last axis. The last of them is part of the one before it.
COUNTS = ("recorded", "inside", "outside", "unlocated", "unlocated_own")


@dataclass(frozen=True)
class Coverage:
    """How complete a span is: months that are not loaded, and incidents that no area can be given.

    Counts are of the crime types selected. `unlocated` incidents carry no position; `unlocated_own` are those of them
    that a source of the partnership alone holds, so that they are part of its total. The others are the force's.
    """

    span: Span
    missing: tuple[Month, ...]
    recorded: int
    inside: int
    outside: int
    unlocated: int
    unlocated_own: int

    @property
    def loaded(self) -> int:
        """How many months of the span are loaded: two spans compare only where this is the same."""
        return len(self.span) - len(self.missing)

    @property
    def own(self) -> bool:
        """Whether all that has no position is the partnership's own."""
        return self.unlocated_own == self.unlocated

    @property
    def unlocated_share(self) -> float | None:
        """Share of all recorded incidents without a position; None where there are none."""
        return self.unlocated / self.recorded if self.recorded else None

    @property
    def total(self) -> int:
        """The partnership's incidents: those located inside it, and its own without a position."""
        return self.inside + self.unlocated_own


class Totals:
    """Counts by kind (`COUNTS`), month and crime type.

    What nobody has recorded counts 0; whether a month is loaded at all is for the caller to know.
    """

    def __init__(self, table: "pd.DataFrame", crime_types: Sequence[str]) -> None:
        """`table` has columns month, crime_type, own and the first four of `COUNTS`, in any order of rows."""
        months = np.array([Month.parse(month).ordinal for month in table["month"]], dtype=np.int64)
        numbers = {key: number for number, key in enumerate(crime_types)}
        kinds = np.array([numbers[key] for key in table["crime_type"]], dtype=np.int64)
        counts = table.assign(unlocated_own=table["unlocated"].where(table["own"], 0))[list(COUNTS)].to_numpy(np.int64)
        self._numbers = numbers
        self._first = int(months.min()) if len(months) else 0
        self._counts = np.zeros((int(np.ptp(months)) + 1 if len(months) else 0, len(numbers), len(COUNTS)), np.int64)
        np.add.at(self._counts, (months - self._first, kinds), counts)

    def count(self, span: Span, crime_types: Sequence[str]) -> npt.NDArray[np.int64]:
        """Counts of some crime types over a span, shaped months x crime types x len(COUNTS)."""
        counts = np.zeros((len(span), len(crime_types), len(COUNTS)), np.int64)
        start = span.first.ordinal - self._first
        first, last = max(start, 0), min(start + len(span), len(self._counts))
        if first < last:
            chosen = [self._numbers[key] for key in crime_types]
            counts[first - start : last - start] = self._counts[first:last, chosen]
        return counts

    def count_partnership(self, span: Span, crime_types: Sequence[str]) -> npt.NDArray[np.int64]:
        """Incidents of the partnership, located inside it or its own without a position: months x crime types."""
        counted = [COUNTS.index("inside"), COUNTS.index("unlocated_own")]
        return np.asarray(self.count(span, crime_types)[:, :, counted].sum(axis=2))
