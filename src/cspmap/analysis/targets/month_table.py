"""Monthly counts laid out about a target's period: what came before it, what is known of it, what is missing."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cspmap.analysis.measures import Floats
from cspmap.analysis.targets.month_model import Flags
from cspmap.errors import UserError
from cspmap.periods import Month, Span

# How far back the months before a period still tell something about it. A period longer than that is compared with
# as many months before it.
HISTORY = 36


@dataclass(frozen=True)
class MonthTable:
    """Counts of several series over a target's period (`span`) and the months before it, as at one month.

    `counts` are (series, months), NaN where a month is missing or has not come; no month after `as_at` is known.
    """

    names: pd.Index
    span: Span
    as_at: Month
    months: tuple[Month, ...]
    counts: Floats

    @property
    def before(self) -> int:
        """How many of the months come before the period."""
        return len(self.months) - len(self.span)

    @property
    def elapsed(self) -> int:
        """How many months of the period have come."""
        return min(max(self.as_at.ordinal - self.span.first.ordinal + 1, 0), len(self.span))

    @property
    def inside(self) -> Floats:
        """The counts of the period, (series, months of the period)."""
        return self.counts[:, self.before :]

    @property
    def known(self) -> Flags:
        """Which months of the period are known, (series, months of the period)."""
        return np.isfinite(self.inside)

    @property
    def missing(self) -> Flags:
        """Which months of the period have come and are not known, (series, months of the period)."""
        return ~self.known & (np.arange(len(self.span)) < self.elapsed)

    @property
    def seen(self) -> Floats:
        """The sum of the known months of the period, 0 where none is, (series,)."""
        total: Floats = np.where(self.known, self.inside, 0.0).sum(axis=1)
        return total


def lay_out_months(counts: pd.DataFrame, span: Span, *, as_at: Month | None = None) -> MonthTable:
    """Lay counts out about a period.

    `counts` has one column a series and one row a month, labelled "YYYY-MM", in any order; a count that is missing,
    and a month that has no row, is missing, never 0. `as_at` is the last month to be taken as published (None: the
    last month of which any count is known); what comes after it is left out, even if it is there.

    Raises UserError where a label is not a month or stands twice.
    """
    labels = pd.Index([str(Month.parse(str(label))) for label in counts.index], dtype="str")
    if labels.has_duplicates:
        twice = labels[labels.duplicated()][0]
        raise UserError(f"The counts have more than one row for {Month.parse(twice).words}; add them up into one.")
    values = counts.to_numpy(dtype=np.float64, na_value=np.nan)
    last = as_at or find_last_month(counts) or span.first - 1
    length = max(HISTORY, 12 * -(-len(span) // 12))
    months = tuple(Span(span.first - length, span.last))
    places = labels.get_indexer(pd.Index([str(month) for month in months], dtype="str"))
    published = (places >= 0) & np.array([month <= last for month in months])
    laid = np.full((len(months), counts.shape[1]), np.nan)
    laid[published] = values[places[published]]
    return MonthTable(counts.columns, span, last, months, laid.T)


def find_last_month(counts: pd.DataFrame) -> Month | None:
    """The last month of which any series has a count; None where nothing is known."""
    known = counts.index[counts.notna().any(axis=1)]
    return max((Month.parse(str(label)) for label in known), default=None)
