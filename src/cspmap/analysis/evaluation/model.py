"""How many more or fewer incidents than expected, and how sure that is: difference in differences on monthly counts.

Expected is what the area would have had if it had gone the way of its comparison. Counts follow a Poisson model with an
effect of each area and of each month, overdispersed in two ways that recorded crime really is:

- months scatter about their level by more than chance (quasi-Poisson): `Noise.scatter`, 1 where they do not
- areas drift apart from one period to the next by themselves: `Noise.drift`, the variance of the logarithm of what one
  area's ratio of after to before differs by from the others'

A model without the second finds an effect far too often where there was none (docs/evaluation.md).

Frames are months x areas: the index text "YYYY-MM", one column an area, no month missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, inf, sqrt
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from cspmap.analysis.evaluation.student import t_quantile, t_tail
from cspmap.analysis.measures import Floats

EffectVerdict: TypeAlias = Literal["fell", "rose", "no clear change", "too few to tell", "not known"]

LEVEL = 0.95
# Effects are sought between these logarithms: a fall or a rise by a factor of 160,000.
_WIDEST = 12.0


class Periods(NamedTuple):
    """Counts of the same areas before and after."""

    before: pd.DataFrame
    after: pd.DataFrame

    @classmethod
    def cut(cls, frame: pd.DataFrame, before: Sequence[str], after: Sequence[str]) -> Periods:
        """The months of both periods out of one frame."""
        return cls(frame.loc[list(before)], frame.loc[list(after)])

    @property
    def by_area(self) -> tuple[Floats, Floats]:
        """The counts of each area before, and after."""
        old, new = (frame.sum().to_numpy(dtype=np.float64) for frame in self)
        return old, new

    @property
    def totals(self) -> tuple[float, float]:
        """The counts of all areas together before, and after."""
        old, new = self.by_area
        return float(old.sum()), float(new.sum())


@dataclass(frozen=True)
class Noise:
    """How counts vary by themselves; `areas` is how many that was learnt from.

    With fewer than two areas the drift is not known and taken to be 0.
    """

    scatter: float
    drift: float
    areas: int

    @property
    def df(self) -> float:
        """Degrees of freedom of intervals: those of the areas; without end where there is only one."""
        return self.areas - 1 if self.areas > 1 else inf


@dataclass(frozen=True)
class Effect:
    """What became of an area beside what was to be expected. Differences and percentages below 0 are falls.

    `expected` is before x comparison after / comparison before; `difference` is after - expected, with its interval;
    `percent` the same as a share of what was expected. None stands for what cannot be known, and `reason` says why.
    """

    before: float
    after: float
    expected: float | None
    difference: float | None
    low: float | None
    high: float | None
    percent: float | None
    percent_low: float | None
    percent_high: float | None
    p: float | None
    verdict: EffectVerdict
    reason: str = ""


def measure_noise(comparison: Periods) -> Noise:
    """How much the months and the areas of a comparison vary, from their counts in both periods.

    The scatter is Pearson's statistic over its degrees of freedom, of months within an area and period (never below
    1). The drift is the variance that, added to it, brings the areas' own changes to what is to be expected.

    Source of the drift: Paule, R. C. and Mandel, J. (1982), "Consensus values and weighting factors", Journal of
    Research of the National Bureau of Standards 87(5), 377-385.
    """
    scatter = _measure_scatter(comparison)
    old, new = comparison.by_area
    used = old + new > 0
    return Noise(scatter, _measure_drift(old[used], new[used], scatter), int(used.sum()))


def estimate_effect(area: Periods, comparison: Periods, noise: Noise, *, level: float = LEVEL) -> Effect:
    """The effect in an area, whose columns are the units that it is made of (one where it is not made of any).

    With counts T before and after in the area, C in the comparison and r = C1 / C0, the effect b of the model

        log of the mean = area + month + b x (in the area, after)

    is log(T1 / (T0 r)). Given T0 + T1 = n, T1 has the mean n p with p / (1 - p) = r exp(b), and the variance

        V = scatter x n p q + (drift x sum of w^2 + variance of log r) x (n p q)^2,     q = 1 - p

    where w are the shares of the area's units in n. The interval holds every b for which (T1 - n p)^2 / V is at most
    the square of Student's t with `noise.df` degrees of freedom; p is that of no effect. There is no logarithm of a
    count, so that zeros need no special care.

    `noise` should come from areas of the same kind as the units, `measure_noise` of the comparison or of more areas.
    A change that is not clear is "too few to tell" where even half of what was expected would not have been clear.

    Source: Wedderburn, R. W. M. (1974), "Quasi-likelihood functions, generalized linear models, and the Gauss-Newton
    method", Biometrika 61(3), 439-447; the score interval is that of Wilson (1927) with this variance.
    """
    (t0, t1), (c0, c1) = area.totals, comparison.totals
    if not (c0 and c1):
        return _unknown(t0, t1, "the comparison had no incidents in one of the periods")
    if not t0 + t1:
        return _unknown(t0, t1, "there were no incidents in the area")
    old, new = area.by_area
    shares = (old + new) / (t0 + t1)
    ratio = _Ratio(c1 / c0, _ratio_variance(comparison, noise) + noise.drift * float(shares @ shares))
    limit = t_quantile(0.5 + level / 2, noise.df)
    z = _standardise(t0, t1, 0.0, ratio, noise)
    expected = t0 * ratio.value
    clear = abs(z) > limit
    p = 2 * t_tail(abs(z), noise.df)
    if clear:
        verdict: EffectVerdict = "rose" if z > 0 else "fell"
    else:
        halved = _standardise(t0, expected / 2, 0.0, ratio, noise)
        verdict = "no clear change" if halved < -limit else "too few to tell"
    if not t0:
        return Effect(t0, t1, 0.0, t1, None, None, None, None, None, p, verdict, "there were none before")
    low, high = (_solve(t0, t1, sign * limit, ratio, noise) for sign in (1, -1))
    share, share_low, share_high = t1 / expected - 1, _rise(low), _rise(high)
    return Effect(
        before=t0,
        after=t1,
        expected=expected,
        difference=t1 - expected,
        low=expected * share_low,
        high=expected * share_high if high < _WIDEST else None,
        percent=100 * share,
        percent_low=100 * share_low,
        percent_high=100 * share_high if high < _WIDEST else None,
        p=p,
        verdict=verdict,
    )


@dataclass(frozen=True)
class _Ratio:
    """The comparison's ratio of after to before, and the variance of its logarithm as a forecast of the area's own."""

    value: float
    variance: float


def _standardise(t0: float, t1: float, effect: float, ratio: _Ratio, noise: Noise) -> float:
    """By how many standard deviations T1 exceeds its mean under an effect."""
    odds = ratio.value * exp(effect)
    total = t0 + t1
    share = odds / (1 + odds)
    spread = total * share / (1 + odds)
    variance = noise.scatter * spread + ratio.variance * spread**2
    return (t1 - total * share) / sqrt(variance) if variance else 0.0


def _solve(t0: float, t1: float, value: float, ratio: _Ratio, noise: Noise) -> float:
    """The effect at which T1 is so many standard deviations above its mean; it falls as the effect grows."""
    return _find_root(lambda effect: _standardise(t0, t1, effect, ratio, noise) - value, -_WIDEST, _WIDEST)


def _find_root(falling: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function crosses 0; the end that is nearer to it where it does not."""
    if falling(low) <= 0:
        return low
    if falling(high) >= 0:
        return high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2


def _rise(effect: float) -> float:
    """An effect as a share, -1 where everything went."""
    return -1.0 if effect <= -_WIDEST else exp(effect) - 1


def _ratio_variance(comparison: Periods, noise: Noise) -> float:
    """The variance of the logarithm of the comparison's ratio, of whose areas each has scatter and drift."""
    old, new = comparison.by_area
    share = new.sum() / (old.sum() + new.sum())
    spread = (old + new) * share * (1 - share)
    return float((noise.scatter * spread + noise.drift * spread**2).sum() / spread.sum() ** 2)


def _measure_scatter(comparison: Periods) -> float:
    """Pearson's statistic of months x areas tables whose rows and columns explain them, over its freedom; from 1 up."""
    statistic, freedom = 0.0, 0
    for frame in comparison:
        table = frame.to_numpy(dtype=np.float64)
        months, areas, total = table.sum(axis=1), table.sum(axis=0), table.sum()
        if total:
            mean = np.outer(months, areas) / total
            used = mean > 0
            statistic += float(((table - mean)[used] ** 2 / mean[used]).sum())
            freedom += (int((months > 0).sum()) - 1) * (int((areas > 0).sum()) - 1)
    return max(1.0, statistic / freedom) if freedom else 1.0


def _measure_drift(old: Floats, new: Floats, scatter: float) -> float:
    """The variance of the areas' own changes beyond scatter, 0 where there is none or too few areas to say."""
    if len(old) < 2 or not (old.sum() and new.sum()):
        return 0.0
    share = new.sum() / (old.sum() + new.sum())
    spread = (old + new) * share * (1 - share)
    squares = (new - (old + new) * share) ** 2

    def excess(drift: float) -> float:
        return float((squares / (scatter * spread + drift * spread**2)).sum()) - (len(old) - 1)

    high = 1.0
    while excess(high) > 0:
        high *= 2
    return _find_root(excess, 0.0, high)


def _unknown(before: float, after: float, reason: str) -> Effect:
    return Effect(before, after, None, None, None, None, None, None, None, None, "not known", reason)
