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


class Tally:
    """Counts by month, crime type and one thing more, in memory: those of any span and crime types are a slice.

    What nobody has recorded counts 0; whether a month is loaded at all is for the caller to know.
    """

    def __init__(
        self,
        months: Sequence[str],
        crime_types: Sequence[str],
        things: npt.NDArray[np.intp],
        counts: npt.NDArray[np.int64],
        *,
        types: Sequence[str],
        size: int,
    ) -> None:
        """The first four are as long as each other, in any order; the things are numbers below `size`."""
        self._numbers = {key: number for number, key in enumerate(types)}
        ordinals = {month: Month.parse(month).ordinal for month in set(months)}
        when = np.array([ordinals[month] for month in months], dtype=np.int64)
        which = np.array([self._numbers[key] for key in crime_types], dtype=np.int64)
        self._first = int(when.min()) if len(when) else 0
        # Half as wide as counts come: a force's small areas over many years are some hundred megabytes otherwise.
        shape = (int(np.ptp(when)) + 1 if len(when) else 0, len(types), size)
        self._counts = np.zeros(shape, dtype=np.int32)
        np.add.at(self._counts, (when - self._first, which, things), counts)

    def count(self, span: Span, crime_types: Sequence[str]) -> npt.NDArray[np.int64]:
        """Counts of some crime types over a span, shaped months x crime types x things."""
        counts = np.zeros((len(span), len(crime_types), self._counts.shape[2]), np.int64)
        start = span.first.ordinal - self._first
        first, last = max(start, 0), min(start + len(span), len(self._counts))
        if first < last:
            chosen = [self._numbers[key] for key in crime_types]
            counts[first - start : last - start] = self._counts[first:last, chosen]
        return counts


class Totals(Tally):
    """The partnership's counts by kind (`COUNTS`), month and crime type."""

    def __init__(self, table: "pd.DataFrame", crime_types: Sequence[str]) -> None:
        """`table` has columns month, crime_type, own and the first four of `COUNTS`, in any order of rows."""
        long = table.assign(unlocated_own=table["unlocated"].where(table["own"], 0)).melt(
            ["month", "crime_type"], list(COUNTS)
        )
        super().__init__(
            long["month"].tolist(),
            long["crime_type"].tolist(),
            np.array([COUNTS.index(name) for name in long["variable"]], dtype=np.intp),
            long["value"].to_numpy(np.int64),
            types=crime_types,
            size=len(COUNTS),
        )

    def count_partnership(self, span: Span, crime_types: Sequence[str]) -> npt.NDArray[np.int64]:
        """Incidents of the partnership, located inside it or its own without a position: months x crime types."""
        counted = [COUNTS.index("inside"), COUNTS.index("unlocated_own")]
        return np.asarray(self.count(span, crime_types)[:, :, counted].sum(axis=2))
