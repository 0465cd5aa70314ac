"""Whether a count of incidents has really changed: an exact test for two Poisson counts and a short verdict."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, isfinite, isnan, sqrt
from typing import Literal, TypeAlias, overload

import numpy as np
import pandas as pd

from cspmap.analysis.measures import Array, Column, Floats, as_floats
from cspmap.errors import UserError

Verdict: TypeAlias = Literal["up", "down", "normal variation", "too few to say", "no incidents", "not known"]

ALPHA = 0.05
# The smallest before + after at which the E-test can fall below ALPHA at all: 0 -> 4 gives 0.041, but 0 -> 3, the
# most lopsided split of three, gives 0.088. Below it no split could ever be told from chance.
SMALLEST_TOTAL = 4

# Half width of the summed range, in standard deviations and in counts: what is left out weighs less than 1e-9.
_SPREAD, _MARGIN = 6.5, 16.0
# Slack when a bound falls on a whole number, so that a tie counts as being as extreme as what was observed.
_TIE = 1e-9


@dataclass(frozen=True)
class PoissonChange:
    """Two counts compared; None stands for what cannot be known.

    `percent` is 100 x difference / before (None where before is 0). `z` is 2(sqrt(after) - sqrt(before)), kept for
    those who ask for it: it treats *before* as known without error, so it overstates (16 -> 25: z = 2, p = 0.165).
    `p` is the E-test's two-sided p value, on which `verdict` rests.
    """

    before: float | None
    after: float | None
    difference: float | None
    percent: float | None
    z: float | None
    p: float | None
    verdict: Verdict


def poisson_change(before: float | None, after: float | None) -> PoissonChange:
    """Compare the counts of two periods of equal length.

    Verdict, in this order: "not known" where either count is missing or negative (a publisher's correction);
    "no incidents" where both are 0; "too few to say" where they total less than SMALLEST_TOTAL; "up" or "down"
    where the E-test p value is below 0.05; else "normal variation".
    """
    old, new = _known(before), _known(after)
    if old is None or new is None:
        return PoissonChange(old, new, None, None, None, None, "not known")
    row = change_table(pd.Series([old]), pd.Series([new])).iloc[0]
    testable = old >= 0 and new >= 0
    return PoissonChange(
        before=old,
        after=new,
        difference=new - old,
        percent=None if isnan(row["percent"]) else float(row["percent"]),
        z=2 * (sqrt(new) - sqrt(old)) if testable else None,
        p=float(row["p"]) if testable else None,
        verdict=row["verdict"],
    )


def change_table(before: Column, after: Column) -> pd.DataFrame:
    """Compare two periods of equal length, area by area.

    Both Series hold counts under the same labels (matched by label; the order of `before` is kept). Columns:
    `difference`, `percent` (NaN where before is 0 or negative), `p` (E-test) and `verdict` (as `poisson_change`
    words it). A missing count gives NaN throughout and "not known". Raises UserError where the labels differ.
    """
    if not before.index.equals(after.index):
        strangers = before.index.symmetric_difference(after.index)
        if len(strangers):
            raise UserError(
                f"The two periods do not list the same areas ({strangers[0]} is in one of them only); "
                "list every area in both, with its count missing where it is not known."
            )
        after = after.reindex(before.index)
    old, new = as_floats(before), as_floats(after)
    difference = new - old
    percent = np.full(old.shape, np.nan)
    np.divide(100 * difference, old, out=percent, where=old > 0)
    testable = (old >= 0) & (new >= 0)
    p = np.full(old.shape, np.nan)
    p[testable] = e_test(old[testable], new[testable])
    verdict = np.select(
        [~testable, old + new == 0, old + new < SMALLEST_TOTAL, (p < ALPHA) & (new > old), p < ALPHA],
        ["not known", "no incidents", "too few to say", "up", "down"],
        "normal variation",
    )
    return pd.DataFrame({"difference": difference, "percent": percent, "p": p, "verdict": verdict}, index=before.index)


@overload
def e_test(
    before: float | None,
    after: float | None,
    *,
    exposure_before: float = ...,
    exposure_after: float = ...,
) -> float: ...
@overload
def e_test(
    before: Array | Column,
    after: Array | Column,
    *,
    exposure_before: float = ...,
    exposure_after: float = ...,
) -> Floats: ...
def e_test(
    before: float | Array | Column | None,
    after: float | Array | Column | None,
    *,
    exposure_before: float = 1.0,
    exposure_after: float = 1.0,
) -> float | Floats:
    """Two-sided p value that two Poisson counts come from one rate: number or array, as the counts.

    The exposures are what each count is out of, in one unit (months, days, residents). With observed k1, k2 and
    exposures n1, n2, let lambda = (k1 + k2) / (n1 + n2) and::

        T(x1, x2) = (x1/n1 - x2/n2) / sqrt(x1/n1^2 + x2/n2^2)
        p = P(|T(X1, X2)| >= |T(k1, k2)|),   X1 ~ Poisson(n1 lambda), X2 ~ Poisson(n2 lambda)

    The double sum is taken exactly, less a tail below 1e-9: for each x1 the counts x2 that are as extreme are
    those outside the two roots of a quadratic, so their weight is two look-ups in the distribution of X2. There is
    no normal approximation at any size. 1.0 where both are 0; NaN where a count is missing. Counts need not be
    whole (interpolated ones are not).

    Raises UserError where a count is negative or an exposure is not above zero.

    Source: Krishnamoorthy, K. and Thomson, J. (2004), "A more powerful test for comparing two Poisson means",
    Journal of Statistical Planning and Inference 119(1), 23-35.
    """
    if not (0 < exposure_before < np.inf and 0 < exposure_after < np.inf):
        raise UserError(
            f"Counts can only be compared over periods longer than nothing, got {exposure_before} and "
            f"{exposure_after}; choose two periods that hold at least one month each."
        )
    old, new = np.broadcast_arrays(as_floats(before), as_floats(after))
    pairs = np.column_stack([old.ravel(), new.ravel()])
    if (pairs < 0).any():
        worst = pairs[pairs < 0][0]
        raise UserError(f"A count cannot be negative, got {worst:g}; correct it or leave it missing.")
    p = np.full(len(pairs), np.nan)
    known = np.isfinite(pairs).all(axis=1)
    p[known] = [_e_test_pair(k1, k2, exposure_before, exposure_after) for k1, k2 in pairs[known].tolist()]
    return p.reshape(old.shape) if old.ndim else float(p[0])


@lru_cache(maxsize=100_000)
def _e_test_pair(k1: float, k2: float, n1: float, n2: float) -> float:
    """The E-test of one pair, in u = r x2 with r = n1/n2, where T(x1, u) = (x1 - u) / sqrt(x1 + r u).

    Kept, as the same small counts come back in many areas.
    """
    r = n1 / n2
    gap = abs(k1 - r * k2)
    if gap <= _TIE * k1:  # the rates are the same (or both zero): every outcome is as extreme
        return 1.0
    t2 = gap**2 / (k1 + r * r * k2)
    lowest, weight1 = _poisson_weights((k1 + k2) * r / (1 + r))
    start, weight2 = (lowest, weight1) if r == 1 else _poisson_weights((k1 + k2) / (1 + r))
    x1 = lowest + np.arange(len(weight1))
    # |T| >= t where u^2 - (2 x1 + t2 r) u + x1^2 - t2 x1 >= 0, that is, outside these two roots.
    middle = x1 + 0.5 * t2 * r
    half = np.sqrt(t2 * (x1 * (1 + r) + 0.25 * t2 * r * r))
    above = np.ceil((middle + half) / r * (1 - 1e-14) - _TIE)
    below = np.floor((middle - half) / r + _TIE)
    if lowest == 0:
        below[0] = -1.0  # (0, 0) solves the quadratic but its T is 0
    size = len(weight2)
    at_most = np.concatenate(([0.0], np.cumsum(weight2)))
    at_least = np.concatenate((np.cumsum(weight2[::-1])[::-1], [0.0]))
    upper = at_least[np.minimum(np.maximum(above - start, 0), size).astype(np.intp)]
    lower = at_most[np.minimum(np.maximum(below - start + 1, 0), size).astype(np.intp)]
    return min(1.0, float(weight1 @ (upper + lower)))


def _poisson_weights(mean: float) -> tuple[int, Floats]:
    """Poisson probabilities of all counts that matter, and the first of those counts.

    By the recursion P(x) = P(x-1) mean / x in logarithms, then scaled to sum to 1.
    """
    reach = _SPREAD * sqrt(mean) + _MARGIN
    first, last = max(0, int(mean - reach)), ceil(mean + reach)
    steps = np.log(mean / np.arange(first + 1, last + 1))
    logs = np.concatenate(([0.0], np.cumsum(steps)))
    weights: Floats = np.exp(logs - logs.max())
    weights /= weights.sum()
    return first, weights


def _known(count: float | None) -> float | None:
    value = float(as_floats(count)) if not pd.isna(count) else None
    return value if value is not None and isfinite(value) else None
