"""A partnership beside those most similar to it: the group's mean and bounds, ranks, and how firm a rank is."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from cspmap.analysis.measures import Array, Column, Floats, as_floats
from cspmap.errors import UserError

Position: TypeAlias = Literal["above", "within", "below", "not known"]

# How many standard deviations from the mean the bounds are. With a normal spread about two members in three lie
# within; the farthest that one of n can lie from a mean that it is part of is (n - 1) / sqrt(n) of them.
BOUNDS = 1.0
# With fewer known rates a spread says nothing.
SMALLEST_GROUP = 3

LEVEL = 0.95
_DRAWS, _SEED = 4000, 2005


@dataclass(frozen=True)
class GroupBounds:
    """The mean of a group's rates, their standard deviation, and the bounds about the mean, all in the rates' units.

    `number` is how many of the members' rates are known; NaN where there are too few of them.
    """

    number: int
    mean: float
    deviation: float
    lower: float
    upper: float

    def place(self, rate: float | None) -> Position:
        """Where a rate lies: "above" or "below" the bounds, "within" them (a bound itself is within)."""
        value = float(as_floats(rate)) if rate is not None and not pd.isna(rate) else np.nan
        if not np.isfinite([value, self.lower, self.upper]).all():
            return "not known"
        return "above" if value > self.upper else "below" if value < self.lower else "within"


def within_group(rates: Array | Column, *, multiple: float = BOUNDS) -> GroupBounds:
    """The mean and bounds of a most similar group, the partnership itself among its members.

    The mean is unweighted: the sum of the members' rates over their number, so that a large member weighs no more
    than a small one. Bounds are `multiple` standard deviations (dividing by n - 1) of the members' rates either side
    of it, the lower one never below 0. Rates that are missing or negative (a publisher's correction) take no part.
    The mean needs one known rate, the bounds SMALLEST_GROUP.

    The mean is that of HMIC, "Crime and Policing Comparator: about the data", which counts the one compared in. No
    public definition of the bounds was to be found: these are our own, in the manner of a control chart's.
    """
    if not 0 < multiple < np.inf:
        raise UserError(f"Bounds are some standard deviations wide, and cannot be {multiple}; give more than 0.")
    values = _usable(rates)
    known = values[np.isfinite(values)]
    mean = float(known.mean()) if len(known) else np.nan
    deviation = float(known.std(ddof=1)) if len(known) >= SMALLEST_GROUP else np.nan
    lower, upper = mean - multiple * deviation, mean + multiple * deviation
    return GroupBounds(len(known), mean, deviation, max(lower, 0.0) if np.isfinite(lower) else np.nan, upper)


def rank_in_group(rates: Array | Column) -> pd.Series:
    """The rank of each rate, 1 the highest; equal rates share the better rank, and the next one is skipped.

    NA where the rate is missing or negative. Labelled as `rates` is.
    """
    index = rates.index if isinstance(rates, pd.Series) else None
    return pd.Series(_usable(rates), index=index).rank(method="min", ascending=False).astype("Int64")


def rank_spans(count: Column, population: Array | Column | float, *, seed: int = _SEED) -> pd.DataFrame:
    """The ranks that chance alone leaves open to each member: columns first (the better) and last, NA if not known.

    Each member's true rate is drawn anew from what its count leaves open (a gamma distribution of shape count + 1/2
    over its population, Jeffreys' for a Poisson mean), all are ranked, and that is repeated 4,000 times from a fixed
    seed; the span holds the middle 95 % of a member's ranks. What is the same every time is the count: that members
    record or define crimes differently is not in it, so real ranks are less firm still.

    Source: Goldstein, H. and Spiegelhalter, D. J. (1996), "League tables and their limitations", Journal of the Royal
    Statistical Society A 159(3), 385-443; Marshall, E. C. and Spiegelhalter, D. J. (1998), "Reliability of league
    tables of in vitro fertilisation clinics", BMJ 316, 1701-1704.
    """
    people = population.reindex(count.index) if isinstance(population, pd.Series) else population
    counts, below = np.broadcast_arrays(as_floats(count), as_floats(people))
    used = np.isfinite(counts) & (counts >= 0) & np.isfinite(below) & (below > 0)
    first, last = np.full(len(counts), np.nan), np.full(len(counts), np.nan)
    if used.any():
        draws = np.random.default_rng(seed).standard_gamma(counts[used] + 0.5, (_DRAWS, int(used.sum())))
        # The rank of each is how many are higher, and one.
        order = np.argsort(-draws / below[used], axis=1)
        ranks = np.empty_like(order)
        np.put_along_axis(ranks, order, np.arange(1, order.shape[1] + 1)[None, :], axis=1)
        tail = (1 - LEVEL) / 2
        first[used], last[used] = np.quantile(ranks, [tail, 1 - tail], axis=0, method="inverted_cdf")
    return pd.DataFrame({"first": first, "last": last}, index=count.index).astype("Int64")


def _usable(rates: Array | Column) -> Floats:
    values = as_floats(rates)
    return np.where(np.isfinite(values) & (values >= 0), values, np.nan)
