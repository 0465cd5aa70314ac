"""Areas with more or fewer incidents than areas as deprived as they usually have.

What is usual is told by fifths of deprivation (indirect standardisation) rather than by a regression on the score, for
three reasons: it needs no score, which one of the official files does not have; an area that is made of places of
several fifths is expected to have what its own residents' places would; and it can be said in a sentence.
"""

from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from cspmap.analysis.control_chart import funnel_limits, funnel_overdispersion
from cspmap.analysis.inequality import FIFTHS
from cspmap.analysis.measures import Array, Column, Floats, as_floats, share
from cspmap.errors import UserError

Standing: TypeAlias = Literal["far more", "more", "as usual", "fewer", "far fewer", "not known"]

# The most extreme tenth at either end is drawn in, as for the spread of funnels (Spiegelhalter 2005): one town centre
# must not say what is usual.
WINSORISE = 0.1
# Of fewer places than this, one would say what is usual, drawn in or not.
FEWEST_PLACES = 10


def usual_rates(
    fifths: Array | Column,
    counts: Array | Column,
    people: Array | Column,
    *,
    winsorise: float = WINSORISE,
    fewest: int = FEWEST_PLACES,
) -> pd.Series:
    """What people of each fifth of deprivation (1, most deprived, to 5) usually see: incidents per person, by fifth.

    One value a place, in one order; a place of which any is missing, or with nobody, takes no part. In each fifth the
    mean of the places' rates, weighted by people, once the rates beyond the quantiles `winsorise` and 1 - `winsorise`
    have been drawn in to them; with `winsorise` 0 it is the fifth's incidents over its people. A fifth of fewer than
    `fewest` places is taken together with its neighbour (`pool_fifths`). NaN where a fifth has no place.
    """
    if not 0 <= winsorise < 0.5:
        raise UserError(f"The share drawn in at either end must be 0 or more and below a half, got {winsorise}.")
    fifth, counted, weight = np.broadcast_arrays(as_floats(fifths), as_floats(counts), as_floats(people))
    known = np.isfinite(counted) & (weight > 0)
    found = pd.Series(np.nan, index=pd.Index(FIFTHS, name="fifth"))
    for together in pool_fifths(fifth[known], fewest=fewest):
        own = known & np.isin(fifth, together)
        rates = counted[own] / weight[own]
        drawn = np.clip(rates, *np.quantile(rates, [winsorise, 1 - winsorise]))
        found[list(together)] = float(np.average(drawn, weights=weight[own]))
    return found


def pool_fifths(fifths: Array | Column, *, fewest: int = FEWEST_PLACES) -> tuple[tuple[int, ...], ...]:
    """The fifths that have a place, from the most deprived, those of fewer than `fewest` places with a neighbour.

    As long as there is such a one, the smallest joins the smaller of its neighbours, of two alike the more deprived.
    """
    held = as_floats(fifths)
    sizes: dict[tuple[int, ...], int] = {(number,): int((held == number).sum()) for number in FIFTHS}
    groups = [group for group, size in sizes.items() if size]
    while len(groups) > 1 and min(sizes[group] for group in groups) < fewest:
        at = min(range(len(groups)), key=lambda place: sizes[groups[place]])
        beside = min((place for place in (at - 1, at + 1) if 0 <= place < len(groups)), key=lambda p: sizes[groups[p]])
        first, second = sorted((at, beside))
        joined = groups[first] + groups[second]
        sizes[joined] = sizes[groups[first]] + sizes[groups[second]]
        groups[first : second + 1] = [joined]
    return tuple(groups)


def expect_usual(shares: pd.DataFrame, people: Column, usual: pd.Series) -> pd.Series:
    """Incidents that each area would have if its people saw what people of their fifths usually see.

    `shares` are of the area's people by fifth (a row an area, five columns, the most deprived first, adding up to 1),
    `usual` is `usual_rates`. NaN where people or shares are not known, or somebody's fifth has no usual rate.

    Source: indirect standardisation, as in Breslow, N. E. and Day, N. E. (1987), Statistical Methods in Cancer
    Research II, International Agency for Research on Cancer, chapter 2.
    """
    part = shares.to_numpy(dtype=float)
    rates: Floats = as_floats(usual)
    # Nobody of a fifth needs no rate of it.
    products = np.where(part > 0, part * rates, np.where(np.isnan(part), np.nan, 0.0))
    return pd.Series(products.sum(axis=1), index=shares.index) * people.reindex(shares.index).astype(float)


def compare_usual(counts: Column, expected: Column) -> pd.DataFrame:
    """Areas beside what is usual: columns count, expected, ratio, the four limits of `funnel_limits`, standing.

    `ratio` is count / expected. The limits are counts, about chance and the differences between areas that these
    areas show beyond it (`funnel_overdispersion`). `standing`: "far more" above the limit that 0.1 % of areas are
    above, "more" above that of 2.5 %, and so below; "as usual" between; "not known" where either is missing. Labelled
    as `counts`.
    """
    aligned = expected.reindex(counts.index).astype(float)
    counted = pd.Series(as_floats(counts), index=counts.index)
    limits = funnel_limits(aligned, overdispersion=funnel_overdispersion(counted, aligned))
    frame = limits.assign(count=counted, ratio=share(counted, aligned))
    beyond: list[tuple[Standing, pd.Series]] = [
        ("far more", counted > limits["upper_998"]),
        ("more", counted > limits["upper_95"]),
        ("far fewer", counted < limits["lower_998"]),
        ("fewer", counted < limits["lower_95"]),
        ("as usual", frame["ratio"].notna()),
    ]
    standing = np.select([where for _, where in beyond], [name for name, _ in beyond], "not known")
    columns = ["count", "expected", "ratio", "lower_998", "lower_95", "upper_95", "upper_998"]
    return frame[columns].assign(standing=pd.array(standing, dtype="str"))
