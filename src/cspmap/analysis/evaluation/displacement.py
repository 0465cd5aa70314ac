"""Did it work, and did it move next door: the published measures on counts before and after.

Each takes pairs of counts, before and after, and answers in a value that says why where there is nothing to say; none
raises for counts that are zero or missing. They take counts to scatter as Poisson counts do and areas not to drift
apart by themselves; `model.estimate_effect` does without both.
"""

from dataclasses import dataclass
from math import exp, isfinite, log, sqrt
from statistics import NormalDist
from typing import Literal, TypeAlias

import pandas as pd

from cspmap.errors import UserError

Pair: TypeAlias = tuple[float | None, float | None]

_NONE = (0.0, 0.0)


@dataclass(frozen=True)
class WeightedDifference:
    """A weighted displacement difference: below 0 is a fall. All None, with a `reason`, where it is not defined."""

    estimate: float | None
    variance: float | None
    z: float | None
    p: float | None
    low: float | None
    high: float | None
    reason: str = ""


@dataclass(frozen=True)
class DisplacementQuotient:
    """A weighted displacement quotient and how to read it; None, with a `reason`, where it is not defined."""

    value: float | None
    reading: Literal["diffusion of benefit", "no displacement", "some displacement", "more moved than fell"] | None
    reason: str = ""


@dataclass(frozen=True)
class OddsRatio:
    """An odds ratio with its interval: above 1 the area did better than the comparison. None where not defined."""

    value: float | None
    low: float | None
    high: float | None
    p: float | None
    reason: str = ""


def wdd(
    treated: Pair,
    control: Pair,
    *,
    displacement: Pair | None = None,
    displacement_control: Pair | None = None,
    time_weights: tuple[float, float] = (1.0, 1.0),
    control_weight: float = 1.0,
    level: float = 0.95,
) -> WeightedDifference:
    """The weighted displacement difference of counts before and after in four areas::

        WDD = (T1 - T0) - (C1 - C0) + (D1 - D0) - (E1 - E0),   variance = sum of all eight counts

    `displacement` is the area around, with a control of its own where there is one. `time_weights` multiply the counts
    before and after (1/2 and 1 where the time before is twice as long), `control_weight` those of the controls (where
    they are larger than the area); the variance then has the squares of the weights. z = WDD / sqrt(variance), p is
    two-sided and the interval of `level` normal.

    Not defined where a count is missing or negative, or no area has any incident.

    Source: Wheeler, A. P. and Ratcliffe, J. H. (2018), "A simple weighted displacement difference test to evaluate
    place based crime interventions", Crime Science 7, 11.
    """
    _check_level(level)
    if not all(isfinite(weight) and weight > 0 for weight in (*time_weights, control_weight)):
        raise UserError(f"Weights must be above zero, got {time_weights} and {control_weight}; correct them.")
    signed = [
        (treated, 1.0),
        (control, -control_weight),
        (displacement or _NONE, 1.0),
        (displacement_control or _NONE, -control_weight),
    ]
    reason = _find_fault(*(pair for pair, _ in signed))
    if reason:
        return WeightedDifference(None, None, None, None, None, None, reason)
    estimate = variance = 0.0
    for pair, weight in signed:
        for count, time_weight, sign in zip(pair, time_weights, (-1, 1), strict=True):
            assert count is not None
            estimate += sign * weight * time_weight * count
            variance += (weight * time_weight) ** 2 * count
    if variance == 0:
        return WeightedDifference(None, None, None, None, None, None, "there were no incidents in any of the areas")
    spread = sqrt(variance)
    reach = NormalDist().inv_cdf(0.5 + level / 2) * spread
    z = estimate / spread
    p = 2 * NormalDist().cdf(-abs(z))
    return WeightedDifference(estimate, variance, z, p, estimate - reach, estimate + reach)


def wdq(treated: Pair, displacement: Pair, control: Pair) -> DisplacementQuotient:
    """The weighted displacement quotient of an area, the area around it and a control::

        WDQ = (B1/C1 - B0/C0) / (A1/C1 - A0/C0)

    Above 0 the surroundings fell too (diffusion of benefit, more than the area itself above 1); between -1 and 0 part
    of what fell went up there; below -1 more went up there than fell. Defined only where the area itself did better
    than the control, as there is nothing to have moved otherwise, and where the control had incidents in both periods.

    Source: Bowers, K. J. and Johnson, S. D. (2003), "Measuring the geographical displacement and diffusion of benefit
    effects of crime prevention activity", Journal of Quantitative Criminology 19(3), 275-301.
    """
    reason = _find_fault(treated, displacement, control)
    if reason:
        return DisplacementQuotient(None, None, reason)
    (a0, a1), (b0, b1), (c0, c1) = (_known(pair) for pair in (treated, displacement, control))
    if not (c0 and c1):
        return DisplacementQuotient(None, None, "the comparison had no incidents in one of the periods")
    success = a1 / c1 - a0 / c0
    if success >= 0:
        return DisplacementQuotient(None, None, "the area itself did no better than its comparison")
    value = (b1 / c1 - b0 / c0) / success
    if value > 0:
        return DisplacementQuotient(value, "diffusion of benefit")
    if value == 0:
        return DisplacementQuotient(0.0, "no displacement")
    return DisplacementQuotient(value, "some displacement" if value >= -1 else "more moved than fell")


def odds_ratio(treated: Pair, control: Pair, *, level: float = 0.95) -> OddsRatio:
    """How much better the area did than the control, as a ratio of ratios with its interval::

        OR = (T0 C1) / (T1 C0),   variance of log OR = 1/T0 + 1/T1 + 1/C0 + 1/C1

    Not defined where one of the four counts is zero or missing.

    Source: Welsh, B. C. and Farrington, D. P. (2009), Making Public Places Safer, Oxford University Press, appendix.
    """
    _check_level(level)
    reason = _find_fault(treated, control)
    if reason:
        return OddsRatio(None, None, None, None, reason)
    (t0, t1), (c0, c1) = _known(treated), _known(control)
    if not (t0 and t1 and c0 and c1):
        return OddsRatio(None, None, None, None, "one of the four counts is zero")
    middle = log(t0 * c1 / (t1 * c0))
    spread = sqrt(1 / t0 + 1 / t1 + 1 / c0 + 1 / c1)
    reach = NormalDist().inv_cdf(0.5 + level / 2) * spread
    p = 2 * NormalDist().cdf(-abs(middle / spread))
    return OddsRatio(exp(middle), exp(middle - reach), exp(middle + reach), p)


def _find_fault(*pairs: Pair) -> str:
    """Why nothing can be said of some counts; empty where something can."""
    counts = [count for pair in pairs for count in pair]
    if any(count is None or pd.isna(count) for count in counts):
        return "a count is not known"
    if any(count < 0 for count in counts if count is not None):
        return "a count is negative"
    return ""


def _known(pair: Pair) -> tuple[float, float]:
    before, after = pair
    assert before is not None
    assert after is not None
    return float(before), float(after)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise UserError(f"An interval cannot hold with a chance of {level:g}; choose one above 0 and below 1.")
