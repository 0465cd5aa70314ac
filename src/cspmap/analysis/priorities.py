"""How categories of crime rank against each other: scores by open weights, each score traced to its parts.

The columns are those of a partnership's scanning chart. What can be worked out is (volume, rate against similar
partnerships, trend, forecast, harm); the policy columns and public concern are the group's marks. No weight is
anybody's standard: they are the group's to choose, and stand beside the result.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from cspmap.analysis.measures import Floats, as_floats
from cspmap.analysis.targets.month_table import lay_out_months
from cspmap.analysis.targets.outturn import INTERVAL, project_outturn
from cspmap.analysis.targets.progress import progress
from cspmap.errors import UserError
from cspmap.periods import Span

Criterion: TypeAlias = Literal[
    "volume",
    "peers",
    "trend",
    "forecast",
    "harm",
    "national_target",
    "local_agreement",
    "national_indicator",
    "public_concern",
]
CRITERIA: tuple[Criterion, ...] = get_args(Criterion)
WEIGHTS: Mapping[Criterion, float] = dict.fromkeys(CRITERIA, 1.0)
MOST_WEIGHT = 10.0

# What evidence of a rise is worth: both witnesses, one, or none (`analysis.targets.verdict.weigh_evidence`).
_RISES = {"real rise": 1.0, "possible rise": 0.5, "not known": np.nan}
_TREND = ("months_seen", "months_missing", "last_year", "now_compared", "months_compared", "percent", "p", "evidence")


def measure_trend(counts: pd.DataFrame, year: Span, *, interval: float = INTERVAL) -> pd.DataFrame:
    """How each category stood over a year, whether it has really changed, and where the next year is heading.

    `counts` has one row a month ("YYYY-MM") and one column a category; a month that is missing is NaN, never 0. One row
    a category: count (of the months known; NaN where none is), months_seen, months_missing; last_year, now_compared,
    months_compared, percent, p and evidence as `analysis.targets.progress` gives them for the year; projected, low and
    high, the twelve months after the year and the range that should hold them with the chance `interval`
    (`analysis.targets.outturn`), NaN where there is too little to project from; and rise, the chance that they come to
    more than the year did, NaN unless all months of the year are known.
    """
    asked = pd.DataFrame(
        {"first": str(year.first), "last": str(year.last), "value": np.nan, "direction": "less"}, index=counts.columns
    )
    known = counts[counts.index <= str(year.last)]
    stood = progress(asked, known, as_at=year.last)
    ahead = project_outturn(lay_out_months(known, year.shift(12), as_at=year.last))
    low, high = ahead.range(interval)
    frame = stood[list(_TREND)].copy()
    seen = stood["months_seen"] > 0
    frame["evidence"] = frame["evidence"].where(seen, "not known")
    frame.insert(0, "count", stood["actual"].where(seen).astype(float))
    whole = frame["count"].where(frame["months_missing"] == 0)
    rise = ahead.chance(whole, less=False, strict=True)
    return frame.assign(projected=ahead.projected, low=low, high=high, rise=rise)


def score_categories(figures: pd.DataFrame, weights: Mapping[Criterion, float]) -> pd.DataFrame:
    """Score and rank categories, the highest first; the labels of `figures` are kept.

    `figures` has a row a category: count and evidence and rise as `measure_trend` gives them, peers (its rate over
    the mean rate of similar partnerships; NaN where not known), harm (weight of one incident; NaN where none is set)
    and a column of true, false or (where nobody has set it) missing for each of the group's marks. Each criterion comes
    to a part from 0 to 1:

    - volume: the count over the largest count of any category
    - peers: by how much the rate is above the similar ones' mean, 1 from twice the mean; 0 at or below it
    - trend: 1 for a real rise, 1/2 for a possible one, 0 for none or a fall
    - forecast: 2 x rise - 1: 1 if more next year is certain, 0 where less is as likely
    - harm: count x weight over the largest such product
    - the marks: 1 where set to yes, 0 where set to no

    score = 100 x sum of weight x part / sum of weight, both over the criteria whose part is known for the category; NaN
    where none is. What is not known is left out for that category, never taken as 0, and `known` says how much of
    all the weight its score rests on (0 to 1). Columns: rank (1 the highest; equal scores share it), score, known, and
    the parts under the criteria's names. Raises UserError where a weight is negative or all are 0.
    """
    weigh = np.array([_check_weight(name, weights.get(name, 0.0)) for name in CRITERIA])
    if not weigh.sum():
        raise UserError("Every weight is 0, so that nothing ranks before anything else; give at least one a weight.")
    count = as_floats(figures["count"])
    rise = as_floats(figures["rise"])
    parts: dict[str, Floats] = {
        "volume": _over_largest(count),
        "peers": np.clip(as_floats(figures["peers"]) - 1, 0, 1),
        "trend": np.array([_RISES.get(str(evidence), 0.0) for evidence in figures["evidence"]], dtype=np.float64),
        "forecast": np.clip(2 * rise - 1, 0, 1),
        "harm": _over_largest(count * as_floats(figures["harm"])),
    }
    for mark in CRITERIA[len(parts) :]:
        parts[mark] = as_floats(figures[mark].astype("Float64"))
    frame = pd.DataFrame({name: parts[name] for name in CRITERIA}, index=figures.index)
    told = np.where(frame.notna(), weigh, 0.0).sum(axis=1)
    score = share_points(frame, weights).sum(axis=1, min_count=1)
    frame.insert(0, "known", told / weigh.sum())
    frame.insert(0, "score", score)
    # Scores that differ only by rounding are equal.
    frame.insert(0, "rank", frame["score"].round(9).rank(method="min", ascending=False).astype("Int64"))
    return frame.sort_values("rank", kind="stable", na_position="last")


def share_points(parts: pd.DataFrame, weights: Mapping[Criterion, float]) -> pd.DataFrame:
    """How many of a score's points each criterion gives: 100 x weight x part / sum of weight, over what is known.

    `parts` has a row a category and a column a criterion, from 0 to 1 or NaN where not known. Points that are added up
    are the score; a criterion that is not known, or has no weight, has none (NaN).
    """
    weigh = np.array([weights.get(name, 0.0) for name in CRITERIA])
    table = parts[list(CRITERIA)].to_numpy(dtype=np.float64)
    told = np.where(np.isfinite(table), weigh, 0.0)
    total = told.sum(axis=1, keepdims=True)
    points = np.full(table.shape, np.nan)
    np.divide(100 * told * np.nan_to_num(table), total, out=points, where=told > 0)
    return pd.DataFrame(points, index=parts.index, columns=list(CRITERIA))


def _over_largest(values: Floats) -> Floats:
    """Each value over the largest; 0 throughout where that is 0, NaN where a value is not known."""
    largest = np.nanmax(values, initial=0.0)
    return np.asarray(values / largest if largest > 0 else np.where(np.isfinite(values), 0.0, np.nan))


def _check_weight(name: str, weight: float) -> float:
    if not 0 <= weight <= MOST_WEIGHT:
        raise UserError(f"The weight of {name} is {weight:g}; give a number from 0 to {MOST_WEIGHT:g}.")
    return float(weight)
