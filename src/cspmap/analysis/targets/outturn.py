"""Where a target's period is heading: the projected outturn, the range about it, and the chance of meeting it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cspmap.analysis.distribution import CountDistribution
from cspmap.analysis.measures import Array, Column, Floats, as_floats
from cspmap.analysis.targets.month_model import SCATTER, Flags, MonthModel, Scatter, fit_months
from cspmap.analysis.targets.month_table import MonthTable

# Fewer known months than these, before the period and in it together, are no ground for a projection.
FEWEST_MONTHS = 6
# The range that pages show: it should hold the outturn this often.
INTERVAL = 0.8


@dataclass(frozen=True)
class Outturn:
    """What is known of each series' count over its period, and how its remaining months may fall.

    `seen` is the sum of the known months. `remainder` is the distribution of the sum of the others, missing and to
    come; not known (NaN) where there is too little to project from.
    """

    names: pd.Index
    seen: Floats
    remainder: CountDistribution

    @property
    def projected(self) -> Floats:
        """The expected count over the whole period."""
        return self.seen + self.remainder.mean

    def range(self, interval: float = INTERVAL) -> tuple[Floats, Floats]:
        """The lowest and highest count of the range that should hold the outturn with this chance, 0 to 1."""
        tail = (1 - interval) / 2
        return self.seen + self.remainder.quantile(tail), self.seen + self.remainder.quantile(1 - tail)

    def chance(
        self, value: Array | Column | float, *, less: Array | bool = True, strict: Array | bool = False
    ) -> Floats:
        """The chance, 0 to 1, that the whole period meets the target `value`, one for each series.

        Where `less` is better: of at most the value (`strict`: of less). Else of at least the value (more).
        """
        left = as_floats(value) - self.seen
        whole = np.abs(left - np.round(left)) < 1e-9
        better = np.asarray(less, dtype=bool)
        # Less than 3 is at most 2, and at least 3 is more than 2.
        one_off = whole & (better == np.asarray(strict, dtype=bool))
        under = self.remainder.at_most(np.where(whole, np.round(left), left) - one_off)
        return np.where(better, under, 1 - under)


def project_outturn(table: MonthTable, *, scatter: Scatter = SCATTER) -> Outturn:
    """Project each series over the period of the table.

    The remaining months' sum is predicted by `month_model.fit_months` from the known months before and in the period,
    and taken to be negative binomial with the mean and variance predicted. A missing month counts as one of the
    remaining ones, so that the range holds what it may have been. Nothing is projected from fewer than
    FEWEST_MONTHS known months; a period that is wholly known is its own outturn.
    """
    model = fit_months(table.counts, table.months, scatter=scatter)
    wanted = np.zeros(table.counts.shape, dtype=np.bool_)
    wanted[:, table.before :] = ~table.known
    return Outturn(table.names, table.seen, _predict(model, table, wanted))


def project_months(table: MonthTable, *, interval: float = INTERVAL, scatter: Scatter = SCATTER) -> pd.DataFrame:
    """How the first series of the table may add up month by month, for a chart.

    One row a month of the period: month, projected, low and high, each the count from the start of the period to that
    month's end. Where all months so far are known the three are that count.
    """
    span = len(table.span)
    every = MonthTable(
        names=pd.RangeIndex(span),
        span=table.span,
        as_at=table.as_at,
        months=table.months,
        counts=np.repeat(table.counts[:1], span, axis=0),
    )
    so_far = np.tri(span, dtype=np.bool_)
    wanted = np.zeros(every.counts.shape, dtype=np.bool_)
    wanted[:, every.before :] = ~every.known & so_far
    seen = np.where(every.known & so_far, every.inside, 0.0).sum(axis=1)
    outturn = Outturn(
        every.names, seen, _predict(fit_months(every.counts, every.months, scatter=scatter), every, wanted)
    )
    low, high = outturn.range(interval)
    return pd.DataFrame(
        {"month": [str(month) for month in table.span], "projected": outturn.projected, "low": low, "high": high}
    )


def _predict(model: MonthModel, table: MonthTable, wanted: Flags) -> CountDistribution:
    mean, variance = model.predict(wanted)
    enough = np.isfinite(table.counts).sum(axis=1) >= FEWEST_MONTHS
    nothing = ~wanted.any(axis=1)
    mean = np.where(nothing, 0.0, np.where(enough, mean, np.nan))
    return CountDistribution(mean, np.where(nothing, 0.0, variance))
