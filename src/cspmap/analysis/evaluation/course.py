"""The months as they were beside the course that the comparison would have had the area take, for a chart."""

import numpy as np
import pandas as pd

from cspmap.analysis.distribution import CountDistribution
from cspmap.analysis.evaluation.model import LEVEL, Noise
from cspmap.analysis.evaluation.spans import UsedMonths
from cspmap.analysis.measures import as_floats


def expect_course(
    area: pd.DataFrame, comparison: pd.DataFrame, used: UsedMonths, noise: Noise, *, level: float = LEVEL
) -> pd.DataFrame:
    """Every month of the area (months x units) with what was to be expected of it had nothing been done.

    Columns: month, count, expected, low, high (between which a month would lie with a chance of `level`), period
    ("before", "after" or "" for other months). Expected of month t is T0 C_t / C0, with T0 and C0 the counts of area
    and comparison in the months used before. From the first month after on the interval also allows for the drift of
    areas from one period to the next, so that it is wider. A month that is not known of the area has no count, one
    that is not known of the comparison no expectation; there is none at all where the comparison had no incidents
    before.
    """
    counts = as_floats(area.sum(axis=1, skipna=False))
    against = as_floats(comparison.sum(axis=1, skipna=False).reindex(area.index))
    before = area.index.isin(used.before)
    t0, c0 = float(counts[before].sum()), float(against[area.index.isin(used.before)].sum())
    expected = t0 * against / c0 if c0 else np.full(len(counts), np.nan)
    totals = area.loc[list(used.before)].sum().to_numpy(dtype=np.float64)
    shares = totals / t0 if t0 else np.full(len(totals), 1 / len(totals))
    others = comparison.loc[list(used.before)].sum().to_numpy(dtype=np.float64)
    weights = others / c0 if c0 else others
    later = np.asarray(area.index >= min(used.after))
    # Of the logarithm of the expectation: what is not known of the level, of the month, and the drift since.
    relative = np.divide(noise.scatter, against, out=np.full(len(counts), np.nan), where=against > 0)
    relative = relative + later * (
        (noise.scatter / t0 if t0 else 0.0) + noise.drift * float(shares @ shares + weights @ weights)
    )
    variance = noise.scatter * expected + relative * expected**2
    spread = CountDistribution(expected, variance)
    period = np.select([before, area.index.isin(used.after)], ["before", "after"], "")
    return pd.DataFrame(
        {
            "month": area.index.to_numpy(),
            "count": counts,
            "expected": expected,
            "low": spread.quantile(0.5 - level / 2),
            "high": spread.quantile(0.5 + level / 2),
            "period": period,
        }
    )
