"""Next year's targets tried out: a percentage off each crime type's count, shared out to areas, as a targets table."""

import math
from collections.abc import Mapping
from decimal import Decimal

import pandas as pd

from cspmap.analysis.target_methods import METHOD_WORDS, MethodKey, share_target, share_types
from cspmap.errors import UserError
from cspmap.goals import keep_outside
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.targets import Indicator, Target, TargetArea, TargetTable
from cspmap.views.words import the

TOTAL = "all-of-these"
_TIE = 1e-9


def count_baseline(query: Query, level: str, span: Span) -> pd.DataFrame:
    """Counts of every crime type (columns: keys) in every area of a level (rows: codes, "" the whole) over a span.

    Raises UserError where a month of the span is not loaded: a baseline with a gap would set the target too low.
    """
    gaps = query.missing_months(span)
    if gaps:
        gap, period = gaps[0].words, the(span.words)
        raise UserError(f"{gap} is not loaded, so {period} cannot be a baseline; choose another period.")
    keys = [kind.key for kind in query.store.partnership.crime_types]
    counts = query.count_series(level, {key: (key,) for key in keys})
    return counts.loc[str(span.first) : str(span.last)].sum().unstack("code", sort=False).T[keys]


def set_reduction(baseline: float, percent: float) -> int:
    """The whole number that is at least `percent` per cent below a count."""
    return math.floor(baseline * (1 - percent / 100) + _TIE)


def draft_targets(
    query: Query,
    baseline: pd.DataFrame,
    figures: pd.DataFrame,
    *,
    title: str,
    level: str,
    span: Span,
    due: Span,
    percents: Mapping[str, float],
    method: MethodKey,
) -> TargetTable:
    """A table of targets for some crime types: of the whole, of every area of a level, and of all types together.

    `baseline` is that of `count_baseline` over `span`; `figures` what a method goes by (`board.list_weights`);
    `percents` the reduction of each crime type by its key. By the baseline, types and areas are shared out at once, so
    that rows and columns add up; by any other method each type on its own, and an area's total is the sum of its types.
    Incidents without a location are in no area, so they keep their own share of the whole's target; where there are
    any, the whole is not said to be made of its areas. Raises UserError as the methods do.
    """
    partnership, keys = query.store.partnership, list(percents)
    names = query.name_areas(level)
    starts = baseline[keys].astype(int).assign(**{TOTAL: baseline[keys].sum(axis=1).astype(int)})
    parts = starts.loc[list(names)]
    goals = [set_reduction(_take(starts, "", key), percents[key]) for key in keys]
    wholes = pd.Series(goals, index=keys)
    inside = [
        keep_outside(goal, float(parts[key].sum()), [_take(starts, "", key)])
        for goal, key in zip(goals, keys, strict=True)
    ]
    shares = _share(pd.Series(inside, index=keys), parts[keys], figures.assign(name=pd.Series(names)), method)
    values = pd.concat([wholes.to_frame("").T, shares])
    values[TOTAL] = values.sum(axis=1)
    adds_up = bool((parts.sum() == starts.loc[""]).all())
    indicators = [
        *(Indicator(key, partnership.name_crime(key), (key,)) for key in keys),
        Indicator(TOTAL, "All of these", tuple(keys), parts=tuple(keys)),
    ]
    whole = TargetArea(partnership.place, tuple(names.values()) if adds_up else ())
    targets = tuple(
        Target(
            indicator=indicator,
            area=area,
            kind="reach-number",
            due=due,
            value=Decimal(_take(values, code, indicator.key)),
            baseline_period=span,
            baseline=Decimal(_take(starts, code, indicator.key)),
            document=title,
            note=_describe(indicator.key, code, percents, method),
        )
        for indicator in indicators
        for code, area in ({"": whole} | {code: TargetArea(name) for code, name in names.items()}).items()
    )
    return TargetTable(title, targets)


def _take(table: pd.DataFrame, row: str, column: str) -> int:
    """A whole number of a table."""
    return int(table[column].astype(int).to_dict()[row])


def _share(wholes: pd.Series, baseline: pd.DataFrame, figures: pd.DataFrame, method: MethodKey) -> pd.DataFrame:
    """Whole numbers by area (rows) and crime type (columns)."""
    if method == "baseline":
        return pd.DataFrame(share_types(wholes, baseline).cells)
    shared = {}
    for key in baseline.columns:
        areas = figures.loc[baseline.index].assign(count=baseline[key])
        shared[key] = share_target(int(wholes[key]), areas, method=method).frame["target"]
    return pd.DataFrame(shared)


def _describe(key: str, code: str, percents: Mapping[str, float], method: MethodKey) -> str:
    if code:
        return "Shared out " + METHOD_WORDS[method].format(per="residents") + "."
    return "The sum of its crime types." if key == TOTAL else f"{percents[key]:g} % below the baseline, rounded down."
