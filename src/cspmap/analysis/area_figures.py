"""The figures of every area of a level: rate, smoothed rate, share, and change with what it is worth."""

import pandas as pd

from cspmap.analysis.change import change_table
from cspmap.analysis.measures import empirical_bayes, rate, share

PER = 1000


def compute_figures(counts: pd.DataFrame, *, total: int, comparable: bool, smallest: int) -> pd.DataFrame:
    """Add figures to counts by area.

    `counts` has columns code, name, hectares, count, before and denominator (residents or households, whole units
    or interpolated); `total` is the partnership's count, located or not. Added, in this order:

    - rate, rate_before: per 1,000 of the denominator over the whole period, not per year
    - smoothed: the rate drawn towards that of all areas together (`measures.empirical_bayes`), per 1,000
    - share: of the partnership's incidents, 0 to 1
    - difference, percent, p, verdict: `change.change_table` of before and count
    - suppressed: True where fewer than `smallest` of the denominator live, so that no rate is given

    Where the two periods do not hold the same number of loaded months they are not `comparable`: then every verdict
    is "not known" and the other figures of change are missing.
    """
    figures = counts.copy()
    people = figures["denominator"].astype("Float64").astype(float)
    figures["suppressed"] = people < smallest
    people = people.mask(figures["suppressed"])
    known = figures["count"].astype("Float64").astype(float)
    before = figures["before"].astype("Float64").astype(float)
    figures["rate"] = rate(known, people, per=PER)
    figures["rate_before"] = rate(before, people, per=PER)
    figures["smoothed"] = empirical_bayes(known, people, per=PER)
    figures["share"] = share(known, float(total))
    changes = change_table(before if comparable else before * float("nan"), known)
    for column in ("difference", "percent", "p", "verdict"):
        figures[column] = changes[column]
    order = [*counts.columns, "rate", "rate_before", "smoothed", "share"]
    return figures[[*order, "difference", "percent", "p", "verdict", "suppressed"]]
