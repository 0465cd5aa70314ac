"""What chance alone leaves open about a count, a rate or the ratio of two counts: 95 % intervals.

Counts are taken as Poisson. A count that is missing or negative (a publisher's correction) has no interval: NaN.
"""

import numpy as np
import pandas as pd

from cspmap.analysis.distribution import log_gamma
from cspmap.analysis.measures import Array, Column, Floats, as_floats

# 2.5 % beyond either end.
LEVEL, _Z = 0.95, 1.959963984540054
# Newton's method ends at steps of this size, after three or four at most counts and a few more at those under 1.
_CLOSE, _MOST_STEPS = 1e-10, 12
# How many terms of the gamma distribution's series are summed: beyond them lies less than 1e-12.
_SPREAD, _MARGIN = 12.0, 45.0


def count_interval(count: Array | Column | float | None) -> tuple[Floats, Floats]:
    """The exact 95 % interval of a Poisson mean of which `count` was seen: lower and upper ends, shaped as `count`.

    The lower end is the mean that gives `count` or more 2.5 % of the time (0 for a count of 0), the upper end that
    which gives `count` or fewer 2.5 % of the time: the 2.5 % point of a gamma distribution of shape `count` and the
    97.5 % point of one of shape `count` + 1. Counts need not be whole.

    Source: Garwood, F. (1936), "Fiducial limits for the Poisson distribution", Biometrika 28(3/4), 437-442.
    """
    counts = as_floats(count)
    used = np.isfinite(counts) & (counts >= 0)
    low, high = np.full(counts.shape, np.nan), np.full(counts.shape, np.nan)
    seen = counts[used]
    tail = (1 - LEVEL) / 2
    high[used] = _find_gamma(seen + 1, 1 - tail, _Z)
    low[used] = np.where(seen > 0, _find_gamma(np.where(seen > 0, seen, 1.0), tail, -_Z), 0.0)
    return low, high


def rate_interval(
    count: Array | Column, population: Array | Column | float | None, *, per: float = 1000
) -> pd.DataFrame:
    """The 95 % intervals of rates for each `per` of the population: columns low and high, labelled as `count` is.

    `count_interval` over the population, which is taken as known. NaN where the population is missing or not above 0.
    """
    counts = count if isinstance(count, pd.Series) else pd.Series(as_floats(count))
    people = population.reindex(counts.index) if isinstance(population, pd.Series) else population
    below = np.broadcast_to(as_floats(people), counts.shape)
    below = np.where(np.isfinite(below) & (below > 0), below, np.nan)
    low, high = count_interval(counts)
    return pd.DataFrame({"low": per * low / below, "high": per * high / below}, index=counts.index)


def ratio_interval(before: Array | Column | float | None, after: Array | Column | float | None) -> pd.DataFrame:
    """The 95 % interval of the ratio after / before of two counts of periods of equal length: columns low and high.

    With n = before + after, the ratio is p / (1 - p) of the share p = after / n of a binomial count, and the interval
    that of p by Wilson's score, which is the score interval of the ratio itself. Unlike one by logarithms it is there
    where `after` is 0. NaN where either count is missing or negative, and where before is 0, as the ratio itself.

    Source: Graham, P. L., Mengersen, K. and Morton, A. P. (2003), "Confidence limits for the ratio of two rates based
    on likelihood scores: non-iterative method", Statistics in Medicine 22(12), 2071-2083.
    """
    index = next((given.index for given in (before, after) if isinstance(given, pd.Series)), None)
    old, new = np.broadcast_arrays(np.atleast_1d(as_floats(before)), np.atleast_1d(as_floats(after)))
    old = np.where((old > 0) & (new >= 0), old, np.nan)
    total, square = old + new, _Z * _Z
    share = new / total
    middle = share + square / (2 * total)
    reach = _Z * np.sqrt(share * (1 - share) / total + square / (4 * total**2))
    # The other end of the scale by the complement, so that nothing is lost where one of the two is next to nothing.
    rest = 1 - share + square / (2 * total)
    low = np.where(new > 0, (middle - reach) / (rest + reach), np.where(np.isfinite(total), 0.0, np.nan))
    return pd.DataFrame({"low": low, "high": (middle + reach) / (rest - reach)}, index=index)


def _find_gamma(shape: Floats, chance: float, z: float) -> Floats:
    """The point of gamma distributions (of scale 1) below which `chance` lies; `z` is the normal's."""
    point = np.empty_like(shape)
    # Those of about one size together, or the largest would have all of them summed over as many terms as it needs.
    sizes = np.ceil(np.log2(_SPREAD * np.sqrt(shape) + _MARGIN))
    for size in np.unique(sizes):
        alike = sizes == size
        point[alike] = _solve_gamma(shape[alike], chance, z, terms=int(2**size))
    return np.asarray(point)


def _solve_gamma(shape: Floats, chance: float, z: float, *, terms: int) -> Floats:
    """The same, of distributions for which a series of `terms` will do.

    From Wilson and Hilferty's approximation by Newton's method.
    """
    # The chance below x is the sum over j of x^(shape + j) e^-x / Gamma(shape + j + 1).
    steps = np.arange(terms, dtype=np.float64)
    # Gamma(shape + j + 1) is Gamma(shape + 1) times the numbers from shape + 1 to shape + j.
    factors = np.log(shape[:, None] + np.maximum(steps, 1.0))
    factors[:, 0] = 0.0
    weights = -log_gamma(shape[:, None] + 1) - np.cumsum(factors, axis=1)
    power = shape[:, None] + steps
    point = shape * np.maximum(1 - 1 / (9 * shape) + z / (3 * np.sqrt(shape)), 1e-3) ** 3
    for _ in range(_MOST_STEPS):
        logs = weights + power * np.log(point[:, None]) - point[:, None]
        below = np.exp(logs).sum(axis=1)
        # The density at x, from the first term of the sum.
        density = np.exp(logs[:, 0]) * shape / point
        step = (chance - below) / np.maximum(density * point, 1e-300)
        if chance < 0.5:
            # In logarithms, in which the lower tail is all but straight, however small the shape.
            step = np.log(chance / np.maximum(below, 1e-300)) * below / np.maximum(density * point, 1e-300)
        point = point * np.exp(np.clip(step, -30.0, 2.0))
        if np.abs(step).max() < _CLOSE:
            break
    return np.asarray(point)
