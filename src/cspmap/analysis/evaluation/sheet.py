"""One operation judged on one sheet: every measure side by side, and what they come to in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cspmap.analysis.change import ALPHA, SMALLEST_TOTAL, e_test
from cspmap.analysis.evaluation.cautions import Hindsight, list_cautions
from cspmap.analysis.evaluation.course import expect_course
from cspmap.analysis.evaluation.displacement import (
    DisplacementQuotient,
    OddsRatio,
    WeightedDifference,
    odds_ratio,
    wdd,
    wdq,
)
from cspmap.analysis.evaluation.model import LEVEL, Effect, Noise, Periods, estimate_effect, measure_noise
from cspmap.analysis.evaluation.sentences import describe_buffer, describe_effect
from cspmap.analysis.evaluation.spans import FEWEST_MONTHS, UsedMonths, choose_months
from cspmap.errors import UserError
from cspmap.periods import Span

_YEAR = 12


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What became of one crime type (or several together) in a focus area.

    - `headline`: one or two sentences to repeat; `cautions`: sentences to know before repeating them
    - `effect`, `buffer_effect`, `net_effect`: the model's, in the area, in the ring around it, and in both together
    - `counts`: rows area, buffer and comparison; columns before, after, both a month, the E-test's p and verdict
    - `difference`: the weighted displacement difference, of area and buffer together where there is one. Where the
      comparison is more than twice as large or small as they, its counts are multiplied by `control_weight`
    - `quotient` (None without a buffer) and `odds`, as published
    - `noise`: how much months and areas vary by themselves
    - `course`: every month of the area, for a chart, as `course.expect_course`
    - `earlier`: the effect judged against months before those that the area was chosen on, where any are known
    - `months`: those used; a month that is missing somewhere is left out everywhere
    - `hindsight`: what the cautions are made from; `earlier_months`: those of `earlier`, none where there is none
    - `rounded_to`: what numbers of incidents are rounded to, where they are (`rounding.round_evaluation`); `clear` then
      says which way `difference` and the logarithm of `odds` are clear (-1, 1; 0: not), as judged before
    """

    crime: str
    before: Span
    after: Span
    months: UsedMonths
    counts: pd.DataFrame
    effect: Effect
    buffer_effect: Effect | None
    net_effect: Effect | None
    difference: WeightedDifference
    control_weight: float
    quotient: DisplacementQuotient | None
    odds: OddsRatio
    noise: Noise
    earlier: Effect | None
    course: pd.DataFrame
    headline: str
    cautions: tuple[str, ...]
    hindsight: Hindsight
    earlier_months: tuple[str, ...]
    rounded_to: int | None = None
    clear: tuple[int, int] | None = None


def evaluate(
    area: pd.DataFrame,
    comparison: pd.DataFrame,
    *,
    before: Span,
    after: Span,
    buffer: pd.DataFrame | None = None,
    others: pd.DataFrame | None = None,
    crime: str = "Crime",
    chosen_on: Span | None = None,
    level: float = LEVEL,
) -> Evaluation:
    """Judge an operation on monthly counts.

    Frames are months ("YYYY-MM", in order) x units, a missing month absent or NaN. `area` has a column for each unit
    that it is made of (or one), `buffer` likewise for the ring around it, `comparison` one for each comparison area. A
    unit is in one of them only, and all are of one kind (wards, LSOAs, or their parts in the ring). `others` are areas
    to learn from how much areas vary by themselves where the comparison has few: the rest of the town. `chosen_on` are
    the months whose counts led to the choice of the area, where it was chosen for being high.

    Raises UserError where units overlap, counts are negative, or no month before or after is known of all. Whatever
    else cannot be said (no incidents, too few of them) is said in the result.
    """
    given = {"area": area, "comparison": comparison} if buffer is None else _order(area, buffer, comparison)
    _check(given)
    if others is not None:
        _check({"area": area, "other areas": others})
    frames = [*given.values(), *([] if others is None else [others])]
    months = choose_months(before, after, frames)
    judge = _Judge(comparison, comparison if others is None else others, level)
    noise = judge.measure_noise(months.before, months.after)
    effect = judge(area, months.before, months.after)
    buffer_effect = net = None
    if buffer is not None:
        buffer_effect = judge(buffer, months.before, months.after)
        net = judge(pd.concat([area, buffer], axis=1), months.before, months.after)
    counts = _tabulate(given, months)
    pairs = dict(zip(given, zip(counts["before"].tolist(), counts["after"].tolist(), strict=True), strict=True))
    weight = weigh_control(pairs)
    earlier_months = _find_earlier(chosen_on, before, frames)
    hindsight = Hindsight(
        chosen_on=chosen_on,
        rise=judge(area, earlier_months, months.before) if earlier_months else None,
        halves=judge.compare_halves(area, months.before),
    )
    return Evaluation(
        crime=crime,
        before=before,
        after=after,
        months=months,
        counts=counts,
        effect=effect,
        buffer_effect=buffer_effect,
        net_effect=net,
        difference=wdd(
            pairs["area"],
            pairs["comparison"],
            displacement=pairs.get("buffer"),
            time_weights=(len(months.after) / len(months.before), 1.0),
            control_weight=weight,
            level=level,
        ),
        control_weight=weight,
        quotient=None if buffer is None else wdq(pairs["area"], pairs["buffer"], pairs["comparison"]),
        odds=odds_ratio(pairs["area"], pairs["comparison"], level=level),
        noise=noise,
        earlier=judge(area, earlier_months, months.after) if earlier_months else None,
        course=expect_course(area, comparison, months, noise, level=level),
        headline=describe_results(crime, effect, buffer_effect, months),
        cautions=list_cautions(before, after, months, noise, hindsight),
        hindsight=hindsight,
        earlier_months=earlier_months,
    )


def describe_results(crime: str, effect: Effect, buffer: Effect | None, months: UsedMonths) -> str:
    """What became of a crime in the area and, where that is known, next door: sentences to repeat."""
    monthly = effect.before / len(months.before), effect.after / len(months.after)
    ratio = monthly[1] / monthly[0] if effect.before else None
    sentences = [describe_effect(crime, effect, rate_ratio=ratio)]
    if buffer is not None:
        sentences.append(describe_buffer(effect, buffer))
    return " ".join(sentence for sentence in sentences if sentence)


@dataclass(frozen=True)
class _Judge:
    """Judges areas against one comparison over any two sets of months, with the noise of those months."""

    comparison: pd.DataFrame
    pool: pd.DataFrame
    level: float

    def __call__(self, frame: pd.DataFrame, old: tuple[str, ...], new: tuple[str, ...]) -> Effect:
        area, comparison = Periods.cut(frame, old, new), Periods.cut(self.comparison, old, new)
        return estimate_effect(area, comparison, self.measure_noise(old, new), level=self.level)

    def measure_noise(self, old: tuple[str, ...], new: tuple[str, ...]) -> Noise:
        return measure_noise(Periods.cut(self.pool, old, new))

    def compare_halves(self, frame: pd.DataFrame, months: tuple[str, ...]) -> Effect | None:
        """Whether the area and its comparison had parted already within the months before; None where they are few."""
        half = len(months) // 2
        return self(frame, months[:half], months[half:]) if half >= FEWEST_MONTHS else None


def _order(area: pd.DataFrame, buffer: pd.DataFrame, comparison: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {"area": area, "buffer": buffer, "comparison": comparison}


def _check(frames: dict[str, pd.DataFrame]) -> None:
    seen: dict[str, str] = {}
    for name, frame in frames.items():
        if not len(frame.columns):
            raise UserError(f"The {name} has no units, so that nothing is counted there; choose some.")
        for unit in map(str, frame.columns):
            if unit in seen:
                raise UserError(f"{unit} is part of both the {seen[unit]} and the {name}; take it out of one of them.")
            seen[unit] = name
        negative = np.flatnonzero((frame < 0).any(axis=0).to_numpy())
        if len(negative):
            raise UserError(f"{frame.columns[negative[0]]} ({name}) has a negative count; correct it or leave it out.")


def _tabulate(frames: dict[str, pd.DataFrame], months: UsedMonths) -> pd.DataFrame:
    """Counts before and after, and whether each change alone could be chance (E-test, over months of either side)."""
    old, new = len(months.before), len(months.after)
    sums = {name: Periods.cut(frame, months.before, months.after).totals for name, frame in frames.items()}
    table = pd.DataFrame.from_dict(sums, orient="index", columns=["before", "after"])
    table["before_a_month"], table["after_a_month"] = table["before"] / old, table["after"] / new
    table["p"] = e_test(table["before"], table["after"], exposure_before=old, exposure_after=new)
    total = table["before"] + table["after"]
    clear = table["p"] < ALPHA
    rose = table["after_a_month"] > table["before_a_month"]
    table["verdict"] = np.select(
        [total == 0, total < SMALLEST_TOTAL, clear & rose, clear],
        ["no incidents", "too few to say", "up", "down"],
        "normal variation",
    )
    return table


def weigh_control(pairs: Mapping[str, tuple[float, float]]) -> float:
    """What brings the comparison to the size of area and buffer before; 1 where it is about that size."""
    size = pairs["area"][0] + pairs.get("buffer", (0.0, 0.0))[0]
    control = pairs["comparison"][0]
    return size / control if size and control and not 0.5 <= control / size <= 2 else 1.0


def _find_earlier(chosen_on: Span | None, before: Span, frames: list[pd.DataFrame]) -> tuple[str, ...]:
    """The latest months, up to a year, before those that the area was chosen on, known of all; none where too few.

    None either where the area was chosen on no month of the time before, which is then as good a measure of its past.
    """
    if chosen_on is None or not any(month in before for month in chosen_on):
        return ()
    known = set.intersection(*(set(frame.index[frame.notna().all(axis=1)]) for frame in frames))
    months = tuple(sorted(month for month in known if month < str(chosen_on.first)))[-_YEAR:]
    return months if len(months) >= FEWEST_MONTHS else ()
