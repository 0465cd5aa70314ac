"""An evaluation as it may be given out where counts are rounded: judged on true counts, told in rounded ones."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor

import numpy as np
import pandas as pd

from cspmap.analysis.evaluation.cautions import list_cautions
from cspmap.analysis.evaluation.displacement import DisplacementQuotient, odds_ratio, wdd, wdq
from cspmap.analysis.evaluation.model import Effect
from cspmap.analysis.evaluation.sheet import Evaluation, describe_results, weigh_control

_SOFTER = {
    "there were none before": "there were too few incidents before",
    "there were no incidents": "there were too few incidents",
    "had no incidents": "had too few incidents",
    "one of the four counts is zero": "one of the four counts rounds to none",
}


def round_evaluation(sheet: Evaluation, base: int) -> Evaluation:
    """The same with every number of incidents, counted or expected, to the nearest multiple of `base`.

    Each is rounded by itself. Effects and published measures are worked out from rounded counts; whether they are
    clear was judged before, and p values are left out. Intervals of incidents reach outwards to multiples of the base,
    those of percentages to whole ones.
    """

    def tell(effect: Effect | None) -> Effect | None:
        return None if effect is None else round_effect(effect, base)

    months = sheet.months
    counts = sheet.counts.copy()
    for side, used in (("before", months.before), ("after", months.after)):
        counts[side] = [_round(value, base) for value in counts[side]]
        counts[f"{side}_a_month"] = counts[side] / len(used)
    counts["p"] = np.nan
    counts["verdict"] = counts["verdict"].replace("no incidents", "too few to say")
    pairs = dict(zip(counts.index, zip(counts["before"], counts["after"], strict=True), strict=True))
    weight = weigh_control(pairs)
    difference = wdd(
        pairs["area"],
        pairs["comparison"],
        displacement=pairs.get("buffer"),
        time_weights=(len(months.after) / len(months.before), 1.0),
        control_weight=weight,
    )
    odds = odds_ratio(pairs["area"], pairs["comparison"])
    quotient = None if "buffer" not in pairs else wdq(pairs["area"], pairs["buffer"], pairs["comparison"])
    if quotient is not None and sheet.quotient is not None and quotient.reading != sheet.quotient.reading:
        quotient = DisplacementQuotient(None, None, "too few to tell from rounded counts")
    effect = round_effect(sheet.effect, base)
    buffer_effect = tell(sheet.buffer_effect)
    hindsight = replace(sheet.hindsight, rise=tell(sheet.hindsight.rise))
    course = sheet.course.copy()
    for column in ("count", "expected", "low", "high"):
        course[column] = [_round(value, base) for value in course[column]]
    return replace(
        sheet,
        counts=counts,
        effect=effect,
        buffer_effect=buffer_effect,
        net_effect=tell(sheet.net_effect),
        difference=replace(difference, z=None, p=None, reason=_soften(difference.reason)),
        control_weight=weight,
        quotient=None if quotient is None else replace(quotient, reason=_soften(quotient.reason)),
        odds=replace(odds, p=None, reason=_soften(odds.reason)),
        earlier=tell(sheet.earlier),
        course=course,
        headline=describe_results(sheet.crime, effect, buffer_effect, months),
        cautions=list_cautions(sheet.before, sheet.after, months, sheet.noise, hindsight),
        hindsight=hindsight,
        rounded_to=base,
        clear=(
            find_side(sheet.difference.low, sheet.difference.high, 0.0),
            find_side(sheet.odds.low, sheet.odds.high, 1.0),
        ),
    )


def round_effect(effect: Effect, base: int) -> Effect:
    """An effect told in rounded counts, with the verdict that it has. Without any before, nothing can be expected."""
    before, after = _round(effect.before, base), _round(effect.after, base)
    if effect.expected is None or effect.low is None or not before:
        reason = effect.reason if effect.expected is None else "there were too few incidents before"
        return Effect(before, after, None, None, None, None, None, None, None, None, "not known", _soften(reason))
    assert effect.percent_low is not None
    expected = _round(effect.expected, base)
    low, high = base * floor(effect.low / base), None if effect.high is None else base * ceil(effect.high / base)
    # What is clear goes the way that it was judged to go, however the counts round.
    way = {"fell": (low, -base), "rose": (base, high)}.get(effect.verdict, (low, high))
    difference = _clip(after - expected, *way)
    percents = (
        floor(effect.percent_low),
        None if effect.percent_high is None else ceil(effect.percent_high),
    )
    return replace(
        effect,
        before=before,
        after=after,
        expected=expected,
        difference=difference,
        low=float(low),
        high=None if high is None else float(high),
        percent=_clip(round(100 * difference / expected), *percents) if expected else None,
        percent_low=float(percents[0]),
        percent_high=None if percents[1] is None else float(percents[1]),
        p=None,
    )


def find_side(low: float | None, high: float | None, level: float) -> int:
    """Whether an interval lies above a level (1) or below it (-1), or holds it or is not known (0)."""
    if low is None or high is None:
        return 0
    return int(low > level) - int(high < level)


def _clip(value: float, low: float, high: float | None) -> float:
    return float(max(low, value if high is None else min(high, value)))


def _round(value: float, base: int) -> float:
    """To the nearest multiple of the base, halves upwards; what is not known stays so."""
    return float("nan") if pd.isna(value) else float(base * floor(value / base + 0.5))


def _soften(reason: str) -> str:
    """Why there is nothing to tell: where counts are rounded, none is told apart from very few by nothing."""
    for told, softer in _SOFTER.items():
        reason = reason.replace(told, softer)
    return reason
