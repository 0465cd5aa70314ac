"""Next year's targets tried out: a percentage off each crime type's count, shared out to areas, as a targets table."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

import pandas as pd

from cspmap.analysis.target_methods import METHOD_WORDS, MethodKey, find_small, share_target, share_types
from cspmap.errors import UserError
from cspmap.goals import EVENED, TOGETHER, even_out, keep_outside
from cspmap.line_rule import rule_lines
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.targets import Indicator, Target, TargetArea, TargetTable
from cspmap.views.words import the

TOTAL = "all-of-these"
_TIE = 1e-9


def count_baseline(query: Query, level: str, span: Span) -> pd.DataFrame:
    """Counts of every crime type (columns: keys) in every area of a level (rows: codes, "" the whole) over a span.

    Each is rounded where the partnership's disclosure rule says so; what it withholds, `flag_baseline` tells. Raises
    UserError where a month of the span is not loaded: a baseline with a gap would set the target too low.
    """
    gaps = query.missing_months(span)
    if gaps:
        gap, period = gaps[0].words, the(span.words)
        raise UserError(f"{gap} is not loaded, so {period} cannot be a baseline; choose another period.")
    keys = [kind.key for kind in query.store.partnership.crime_types]
    types = {key: (key,) for key in keys}
    counts = query.count_series(level, types).loc[str(span.first) : str(span.last)].sum()
    rule = rule_lines(query, level, types)
    if rule is not None:
        counts = pd.Series(rule.round(counts), index=counts.index)
    return counts.unstack("code", sort=False).T[keys]


def flag_baseline(query: Query, level: str, span: Span) -> pd.DataFrame | None:
    """Which counts of `count_baseline`, and of all its crime types together (TOTAL), the disclosure rule withholds.

    Rows and columns as there; None where the rule withholds nothing.
    """
    kinds = [kind.key for kind in query.store.partnership.crime_types]
    rule = rule_lines(query, level, {**{key: (key,) for key in kinds}, TOTAL: tuple(kinds)})
    if rule is None or not rule.hides:
        return None
    flags = rule.flag(span)
    gone = [key for key in kinds if flags[key].loc[""]]
    # A draft leaves these types out, so that with its total they could be had from that over all types.
    return flags.assign(**{TOTAL: flags[[TOTAL, *gone]].any(axis=1)})


def even_baseline(parts: pd.DataFrame, withheld: pd.DataFrame | None) -> pd.DataFrame:
    """The areas' counts with those of a crime type that are withheld in equal parts of what they have together."""
    if withheld is None:
        return parts
    flags = withheld.loc[parts.index, parts.columns]
    return pd.DataFrame({key: even_out(parts[key], flags[key]) for key in parts.columns}, index=parts.index)


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
    withheld: pd.DataFrame | None = None,
    least: float = 5.0,
) -> TargetTable:
    """A table of targets for some crime types: of the whole, of every area of a level, and of all types together.

    `baseline` is that of `count_baseline` over `span`; `figures` what a method goes by (`board.list_weights`);
    `percents` the reduction of each crime type by its key. By the baseline, types and areas are shared out at once, so
    that rows and columns add up; by any other method each type on its own, and an area's total is the sum of its types.
    Areas whose target would be below `least` carry one together, under their names together.

    What is `withheld` (`flag_baseline`) has no baseline in the table, and its target goes by `even_baseline`.
    Incidents without a location are in no area, so they keep their own share of the whole's target; where there are
    any, the whole is not said to be made of its areas. Raises UserError as the methods do.
    """
    partnership, keys = query.store.partnership, list(percents)
    names = query.name_areas(level)
    starts = baseline[keys].astype(int).assign(**{TOTAL: baseline[keys].sum(axis=1).astype(int)})
    parts = even_baseline(starts.loc[list(names), keys], withheld)
    goals = [set_reduction(_take(starts, "", key), percents[key]) for key in keys]
    wholes = pd.Series(goals, index=keys)
    inside = [
        keep_outside(goal, float(parts[key].sum()), [_take(starts, "", key)])
        for goal, key in zip(goals, keys, strict=True)
    ]
    shares = _share(pd.Series(inside, index=keys), parts, figures.assign(name=pd.Series(names)), method)
    values = pd.concat([wholes.to_frame("").T, shares])
    values[TOTAL] = values.sum(axis=1)
    indicators = [
        *(Indicator(key, partnership.name_crime(key), (key,)) for key in keys),
        Indicator(TOTAL, "All of these", tuple(keys), parts=tuple(keys)),
    ]
    carriers = {each.key: _list_carriers(values.loc[list(names), each.key], least) for each in indicators}
    adds_up = bool((parts.sum() == starts.loc["", keys]).all())
    alone = all(len(codes) == 1 for groups in carriers.values() for codes in groups)
    whole = TargetArea(partnership.place, tuple(names.values()) if adds_up and alone else ())
    targets = tuple(
        Target(
            indicator=indicator,
            area=TargetArea(TOGETHER.join(names[code] for code in codes)) if codes else whole,
            kind="reach-number",
            due=due,
            value=Decimal(sum(_take(values, code, indicator.key) for code in codes or [""])),
            baseline_period=span,
            baseline=_find_baseline(starts, codes or [""], indicator.key, withheld),
            document=title,
            note=_describe(indicator.key, codes, percents, method, withheld),
        )
        for indicator in indicators
        for codes in [[], *carriers[indicator.key]]
    )
    return TargetTable(title, targets)


def _list_carriers(values: pd.Series, least: float) -> list[list[str]]:
    """The codes of the areas that carry each target: one alone, or in the last several together."""
    small = find_small(values.to_numpy(dtype=float), least)
    alone = [[str(code)] for code in values.index[~small]]
    return [*alone, [str(code) for code in values.index[small]]] if small.any() else alone


def _find_baseline(
    starts: pd.DataFrame, codes: Sequence[str], key: str, withheld: pd.DataFrame | None
) -> Decimal | None:
    """The count that some areas start from together; None where that of one of them is withheld."""
    if withheld is not None and withheld.loc[list(codes), key].any():
        return None
    return Decimal(sum(_take(starts, code, key) for code in codes))


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


def _describe(
    key: str,
    codes: Sequence[str],
    percents: Mapping[str, float],
    method: MethodKey,
    withheld: pd.DataFrame | None,
) -> str:
    if codes:
        evened = EVENED if withheld is not None and withheld[[*percents]].to_numpy().any() else ""
        together = f"; too small for a target each: {len(codes)} areas" if len(codes) > 1 else ""
        return "Shared out " + METHOD_WORDS[method].format(per="residents") + evened + together + "."
    return "The sum of its crime types." if key == TOTAL else f"{percents[key]:g} % below the baseline, rounded down."
