"""The figures of every area of a level: rate, smoothed rate, share, and change with what it is worth."""

import numpy as np
import pandas as pd

from cspmap.analysis.change import change_table
from cspmap.analysis.measures import as_floats, empirical_bayes, rate, share
from cspmap.frames import add_columns

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
    people = as_floats(counts["denominator"])
    suppressed = people < smallest
    people = np.where(suppressed, np.nan, people)
    known, before = as_floats(counts["count"]), as_floats(counts["before"])
    changes = change_table(pd.Series(before if comparable else np.full_like(before, np.nan)), pd.Series(known))
    return add_columns(
        counts,
        rate=rate(known, people, per=PER),
        rate_before=rate(before, people, per=PER),
        smoothed=empirical_bayes(known, people, per=PER),
        share=share(known, float(total)),
        **{name: changes[name].array for name in ("difference", "percent", "p", "verdict")},
        suppressed=suppressed,
    )
