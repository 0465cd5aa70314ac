"""Control charts: which months, or which areas, differ by more than the usual scatter.

`xmr` for one series of months, `find_signals` for many, `funnel_limits` for areas of different size side by side.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cspmap.analysis.distribution import CountDistribution
from cspmap.analysis.measures import Array, Column, Floats, as_floats
from cspmap.errors import UserError

Rule: TypeAlias = Literal["outside", "shift", "trend", "near_limit"]
Signs: TypeAlias = NDArray[np.int8]

RULES: tuple[Rule, ...] = get_args(Rule)

# 3 / d2 and D4 for moving ranges of two values, d2 = 1.128 (Wheeler, Understanding Variation, 1993).
LIMIT, OUTLYING_RANGE = 2.66, 3.267
# How many months in a row make a shift or a trend.
RUN = 7

# Spiegelhalter's two pairs of limits: 2.5 % and 0.1 % beyond each.
_FUNNEL = {"lower_998": 0.001, "lower_95": 0.025, "upper_95": 0.975, "upper_998": 0.999}


@dataclass(frozen=True)
class XmrLimits:
    """Centre, average moving range and process limits, one each a series; NaN where no two months follow on."""

    mean: Floats
    moving_range: Floats

    @property
    def lower(self) -> Floats:
        """The lower process limit. Of a count it may lie below 0, where no count can fall."""
        return np.asarray(self.mean - LIMIT * self.moving_range)

    @property
    def upper(self) -> Floats:
        """The upper process limit."""
        return np.asarray(self.mean + LIMIT * self.moving_range)


def xmr(series: Column, *, baseline: int | None = None) -> pd.DataFrame:
    """An XmR chart (individual values and moving ranges) of one series, month by month in order.

    `series` are the values with every missing month present and missing; a missing month breaks the moving range
    and every run. The limits rest on the first `baseline` months (all where None). One row a month under the same
    labels: value, mean, lower, upper, moving_range (from the month before; NaN after a missing month) and, for each
    rule, 1 where the month is part of a signal upwards, -1 downwards, 0 where of none.

    Limits: mean +/- 2.66 x the average moving range, moving ranges beyond 3.267 x the average dropped once. The rules
    are the four of NHS England, "Making data count" (2019-), every month of a run flagged:

    - outside: a month outside the limits
    - shift: 7 months in a row on one side of the mean
    - trend: 7 months in a row, each above (each below) the one before
    - near_limit: 2 of 3 months in a row beyond two thirds of the way to the same limit, all 3 on that side of the
      mean; only those beyond are flagged, and a month outside the limit counts as beyond

    Sources: Wheeler, D. J. (1993), Understanding Variation; Nelson, L. S. (1982), "Control charts for individual
    measurements", Journal of Quality Technology 14(3), 172-173 (for dropping ranges).
    """
    if baseline is not None and baseline < 1:
        raise UserError(f"A control chart's limits rest on at least one month, got {baseline}; choose more.")
    values = as_floats(series)[:, None]
    limits = xmr_limits(values[:baseline])
    frame = pd.DataFrame(
        {
            "value": values[:, 0],
            "mean": limits.mean[0],
            "lower": limits.lower[0],
            "upper": limits.upper[0],
            "moving_range": np.concatenate(([np.nan], np.abs(np.diff(values[:, 0]))))[: len(values)],
        },
        index=series.index,
    )
    return frame.assign(**{rule: signs[:, 0] for rule, signs in find_signals(values, limits).items()})


def xmr_limits(values: Floats) -> XmrLimits:
    """Limits of many series: `values` are (months, series), NaN where missing."""
    ranges = np.abs(np.diff(values, axis=0))
    average = _average(ranges)
    kept = np.where(ranges > OUTLYING_RANGE * average, np.nan, ranges)
    return XmrLimits(mean=_average(values), moving_range=_average(kept))


def find_signals(values: Floats, limits: XmrLimits) -> dict[Rule, Signs]:
    """Which months are part of a signal, by rule as in `xmr`: (months, series) of 1 upwards, -1 downwards, 0."""
    with np.errstate(invalid="ignore"):
        side = np.sign(np.nan_to_num(values - limits.mean))
        reach = np.abs(np.nan_to_num(values - limits.mean))
        # Values that are equal but for rounding are on the mean, not beyond limits that coincide with it.
        slack = 1e-9 * np.maximum(np.abs(np.nan_to_num(limits.mean)), 1.0)
        side[reach <= slack] = 0
        outside = np.where(reach > LIMIT * limits.moving_range + slack, side, 0)
        beyond = np.where(reach > LIMIT * 2 / 3 * limits.moving_range + slack, side, 0)
        steps = np.sign(np.nan_to_num(np.diff(values, axis=0)))
    return {
        "outside": outside.astype(np.int8),
        "shift": _find_runs(side, RUN),
        "trend": _spread_back(_find_runs(steps, RUN - 1))[: len(values)],
        "near_limit": _find_pairs(side, beyond),
    }


def funnel_limits(expected: Array | Column, *, overdispersion: float = 0.0) -> pd.DataFrame:
    """Control limits of counts about what is expected of each: columns expected and four limits, as counts.

    lower_998, lower_95, upper_95, upper_998: beyond each of the inner pair lie 2.5 %, of the outer pair 0.1 % of
    counts. With no overdispersion exact Poisson limits, interpolated between whole counts. `overdispersion` is the
    additive kind: areas differ in their true rate by this relative variance (`funnel_overdispersion` estimates it), so
    that a count has variance E + overdispersion x E^2; the limits are then those of the negative binomial with it,
    which, unlike the normal approximation, are never below 0. An expected count that is missing or not above 0 has
    none (NaN). Rows are labelled as `expected` is.

    Source: Spiegelhalter, D. J. (2005), "Funnel plots for comparing institutional performance", Statistics in
    Medicine 24(8), 1185-1202.
    """
    if not 0 <= overdispersion < np.inf:
        raise UserError(f"Overdispersion is a variance and cannot be {overdispersion}; give 0 or more.")
    counts = as_floats(expected)
    usable = np.where(counts > 0, counts, np.nan)
    # Fine enough a table that limits of the largest towns are exact as well.
    spread = CountDistribution(usable, usable + overdispersion * usable**2, most=8192)
    index = expected.index if isinstance(expected, pd.Series) else None
    return pd.DataFrame(
        {"expected": counts, **{name: spread.limit(chance) for name, chance in _FUNNEL.items()}}, index=index
    )


def funnel_overdispersion(observed: Array | Column, expected: Array | Column, *, winsorise: float = 0.1) -> float:
    """How much areas differ beyond chance: the relative variance of their true rates, 0 where they do not.

    With the ratio y = O / E and its variance under chance s^2 = 1 / E, z = (y - 1) / s is winsorised (the most extreme
    `winsorise` at either end drawn in), phi = sum z^2 / n, and with weights w = 1 / s^2

        overdispersion = max(0, (n phi - (n - 1)) / (sum w - sum w^2 / sum w))

    Areas whose count is missing, or of which nothing is expected, take no part. 0 where fewer than two are left.

    Source: Spiegelhalter (2005), as `funnel_limits`, after DerSimonian and Laird (1986).
    """
    if not 0 <= winsorise < 0.5:
        raise UserError(f"The share drawn in at either end must be 0 or more and below a half, got {winsorise}.")
    counts, weight = np.broadcast_arrays(as_floats(observed), as_floats(expected))
    used = np.isfinite(counts) & np.isfinite(weight) & (weight > 0)
    counts, weight = counts[used], weight[used]
    number = len(counts)
    if number < 2:
        return 0.0
    z = (counts - weight) / np.sqrt(weight)
    z = np.clip(z, *np.quantile(z, [winsorise, 1 - winsorise]))
    excess = (z @ z - (number - 1)) / (weight.sum() - (weight @ weight) / weight.sum())
    return max(0.0, float(excess))


def _average(values: Floats) -> Floats:
    """The mean down each column of what is known; NaN where nothing is."""
    known = np.isfinite(values)
    number = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    mean = np.full(total.shape, np.nan)
    np.divide(total, number, out=mean, where=number > 0)
    return mean


def _find_runs(signs: Floats, length: int) -> Signs:
    """Every month that is part of `length` equal signs in a row."""
    found = np.zeros(signs.shape, dtype=np.int8)
    if len(signs) >= length:
        total = sliding_window_view(signs, length, axis=0).sum(axis=-1)
        for sign in (1, -1):
            for start in range(length):
                window = found[start : start + len(total)]
                window[total == sign * length] = sign
    return found


def _spread_back(steps: Signs) -> Signs:
    """Months from the steps between them: the month that a run of steps starts from is part of it."""
    months = np.zeros((len(steps) + 1, *steps.shape[1:]), dtype=np.int8)
    months[:-1] = steps
    # Where one run ends as another starts, the month belongs to the one that leads up to it.
    months[1:] = np.where(steps != 0, steps, months[1:])
    return months


def _find_pairs(side: Floats, beyond: Floats) -> Signs:
    """Every month beyond two thirds that shares three months in a row on one side with another such."""
    found = np.zeros(side.shape, dtype=np.int8)
    if len(side) >= 3:
        same = sliding_window_view(side, 3, axis=0).sum(axis=-1)
        pair = sliding_window_view(beyond, 3, axis=0).sum(axis=-1)
        for sign in (1, -1):
            hit = (same == 3 * sign) & (sign * pair >= 2)
            for start in range(3):
                window = found[start : start + len(hit)]
                window[hit & (beyond[start : start + len(hit)] == sign)] = sign
    return found
