"""What the disclosure rule lets out of the figures of a scanning chart, which are of the partnership as a whole."""

import numpy as np
import pandas as pd

from cspmap.exports.published import WITHHELD, publish
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection

# Withheld with the change: what is told of last year beside this.
WITHHELD_CHANGE = f"{WITHHELD}_change"
# A chance that is told more finely than this would tell of the counts before rounding.
_STEP_OF_CHANCE = 0.1
_CHANGE = ("last_year", "now_compared", "percent", "p", "projected", "low", "high", "rise")


def let_out_scan(query: Query, rows: pd.DataFrame, year: Span) -> pd.DataFrame:
    """The rows of `analysis.priorities.measure_trend`, by crime key, as the disclosure rule lets them out.

    Where it withholds, columns withheld and withheld_change say of which categories the count, or the change on last
    year and all that is worked out with it, is missing. A group is withheld where one of its types is. Where it rounds,
    counts and projections are rounded, p is left out, the chance of a rise is told in tenths, and evidence is as before
    rounding. Without a rule the rows are returned as they are.
    """
    published = publish(query)
    if published.rounds:
        return _round(query, rows)
    if not published.hides:
        return rows
    least = published.rule.threshold
    now, before = (list_withheld(query, span) for span in (year, year.shift(-12)))
    made = [set(query.crime_types(_select(query, str(crime)))) for crime in rows.index]
    gone = np.array([bool(types & now) for types in made])
    # The months that are compared may be fewer than those of the year: the rest must not be had by subtraction.
    apart = [rows["last_year"], rows["now_compared"], rows["count"] - rows["now_compared"]]
    few = np.array([((each > 0) & (each < least)).to_numpy() for each in apart]).any(axis=0)
    change = gone | few | np.array([bool(types & before) for types in made])
    frame = rows.copy()
    frame.loc[gone, "count"] = np.nan
    frame.loc[change, list(_CHANGE)] = np.nan
    frame.loc[change, "evidence"] = "not known"
    return frame.assign(**{WITHHELD: gone, WITHHELD_CHANGE: change})


def _select(query: Query, *crimes: str) -> Selection:
    return Selection.default(query.store).change(crimes=crimes)


def list_withheld(query: Query, span: Span) -> set[str]:
    """The crime types whose count over a span is withheld in the whole partnership, where all types are set out."""
    published = publish(query)
    if not published.hides:
        return set()
    types = query.count_types(_select(query).change(span=span))
    flags = published.protect(types["count"].astype("Float64").to_numpy(dtype=float, na_value=np.nan))
    return set(types["crime_type"][flags[:-1]])


def _round(query: Query, rows: pd.DataFrame) -> pd.DataFrame:
    rule, frame = publish(query).rule, rows.copy()
    for name in ("count", "last_year", "now_compared", "projected", "low", "high"):
        # Halves upwards, as counts are; projections are no whole numbers.
        frame[name] = np.floor(frame[name] / rule.base + 0.5) * rule.base
    before = frame["last_year"].where(frame["last_year"] > 0)
    frame["percent"] = (100 * (frame["now_compared"] - before) / before).where(rows["percent"].notna())
    frame["p"] = np.nan
    frame["rise"] = np.floor(frame["rise"] / _STEP_OF_CHANCE + 0.5) * _STEP_OF_CHANCE
    return frame
