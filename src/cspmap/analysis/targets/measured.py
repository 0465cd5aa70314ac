"""Progress of targets that are measured now and then, by survey or return: percentages, rates and scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isnan, nan, sqrt
from statistics import NormalDist
from typing import Literal, TypeAlias

import pandas as pd

from cspmap.analysis.survey import measure_survey
from cspmap.analysis.targets.trajectory import read_milestone
from cspmap.analysis.targets.verdict import THRESHOLDS, Position, Rating, Thresholds, format_chance
from cspmap.errors import UserError
from cspmap.periods import Month

Status: TypeAlias = Literal["not set", "not measured", "not started", "running", "open", "met", "not met"]
Evidence: TypeAlias = Literal["within margin", "beyond margin", "not known"]

COLUMNS = (
    *("status", "rating", "words", "sentence"),
    *("value", "actual", "month", "expected", "position", "margin", "low", "high", "evidence", "chance"),
    *("baseline", "difference", "p"),
)
_NORMAL = NormalDist()
# Two-sided 95 %, as published margins of error are.
_REACH = _NORMAL.inv_cdf(0.975)
_TIE = 1e-9


@dataclass(frozen=True)
class Reading:
    """One measurement. `sample` is how many were asked (percentages), `margin` a published 95 % margin of error."""

    month: Month
    value: float
    sample: float = nan
    margin: float = nan


def progress_measured(
    targets: pd.DataFrame,
    readings: pd.DataFrame,
    *,
    milestones: pd.DataFrame | None = None,
    as_at: Month | None = None,
    thresholds: Thresholds = THRESHOLDS,
) -> pd.DataFrame:
    """The progress of every measured target: one row each, in the order and under the labels of `targets`.

    `targets`, under each target's own label: value (missing where none is set), direction ("less" or "more", whichever
    is better), due ("YYYY-MM", the month by which it is due) and unit ("percent" or anything else).
    `readings`: target (its label), month, value and, where known, sample (how many were asked; percentages only) and
    margin (the 95 % margin of error as published, in the figure's own unit). `milestones`: target, month, value.
    The first reading is the baseline; between it, the milestones and the target the way is a straight line.

    Columns of the answer (NaN, or missing, where not known):

    - status: "running"; "met" or "not met" by the first reading in or after the month due; "open" where that month has
      passed by `as_at` without one; "not started" where there is only a baseline; "not measured"; "not set"
    - actual, month: the latest reading. expected: what was due by then. position: "ahead", "on" or "behind" it
    - margin, low, high: the 95 % range of the reading; of a percentage with its sample the Wilson score interval, and
      margin half its width
    - evidence: whether what was expected lies "within margin" or "beyond margin"; "not known" without a margin
    - chance: that the true figure is as good as expected, by the same margin
    - rating: by that chance (`thresholds`); once the target's period is over by the reading as it stands. Where no
      margin is known "G" if the reading is as good as expected, else "A": never red on a figure of unknown worth
    - baseline, difference: the first reading, and the latest less it; p: of the two-sided test that the two are the
      same (pooled for percentages with both samples)
    - words, sentence: the verdict in a few words, and with its figures

    Raises UserError where a target or reading cannot be read.

    Sources: Wilson, E. B. (1927), "Probable inference, the law of succession, and statistical inference", Journal of
    the American Statistical Association 22, 209-212.
    """
    _check(targets, readings)
    read = _collect(readings)
    asked = {} if milestones is None else _collect(milestones)
    rows = []
    for label, row in targets.iterrows():
        case = _Case(
            value=float(row["value"]) if pd.notna(row["value"]) else nan,
            more=row["direction"] == "more",
            due=Month.parse(str(row["due"])),
            percent=row["unit"] == "percent",
            readings=read.get(label, ()),
            milestones={each.month: each.value for each in asked.get(label, ())},
            as_at=as_at,
        )
        rows.append(case.judge(thresholds))
    return pd.DataFrame(rows, index=targets.index, columns=list(COLUMNS))


@dataclass(frozen=True)
class _Case:
    """One target with its readings in order of time, and what follows from them."""

    value: float
    more: bool
    due: Month
    percent: bool
    readings: tuple[Reading, ...]
    milestones: Mapping[Month, float]
    as_at: Month | None

    def judge(self, thresholds: Thresholds) -> dict[str, object]:
        """The row of this target."""
        row: dict[str, object] = {"value": self.value, "status": self.status, "rating": self.rate(thresholds)}
        row |= {"words": self.describe(), "sentence": self.tell(), "position": self.position, "evidence": self.evidence}
        if self.readings:
            low, high = self.range
            row |= {"actual": self.latest.value, "month": str(self.latest.month), "baseline": self.first.value}
            row |= {"expected": self.expected, "margin": (high - low) / 2, "low": low, "high": high}
            row |= {"chance": self.chance, "difference": self.latest.value - self.first.value, "p": self.p}
        return row

    @cached_property
    def latest(self) -> Reading:
        """The reading that decides: the first in or after the month due, else the last there is."""
        return next((reading for reading in self.readings if reading.month >= self.due), self.readings[-1])

    @property
    def first(self) -> Reading:
        return self.readings[0]

    @cached_property
    def status(self) -> Status:
        if isnan(self.value):
            return "not set"
        if not self.readings:
            return "not measured"
        if self.latest.month >= self.due:
            return "met" if self.gap >= -_TIE else "not met"
        if self.as_at is not None and self.as_at > self.due:
            return "open"
        return "not started" if len(self.readings) == 1 else "running"

    @cached_property
    def expected(self) -> float:
        """What was due by the latest reading."""
        if isnan(self.value) or self.latest.month >= self.due:
            return self.value
        path = {self.first.month: self.first.value, **self.milestones, self.due: self.value}
        due = read_milestone(path, self.latest.month)
        return nan if due is None else due

    @property
    def gap(self) -> float:
        """How much better than expected the latest reading is."""
        gap = self.latest.value - self.expected
        return gap if self.more else -gap

    @property
    def judged(self) -> bool:
        """Whether the latest reading says anything about the target."""
        return self.status in ("running", "met", "not met")

    @property
    def position(self) -> Position:
        if not self.judged:
            return "not known"
        return "on" if abs(self.gap) <= _TIE else "ahead" if self.gap > 0 else "behind"

    @cached_property
    def range(self) -> tuple[float, float]:
        """The 95 % range of the latest reading."""
        reading = self.latest
        if not isnan(reading.margin):
            return reading.value - reading.margin, reading.value + reading.margin
        if not self.percent or isnan(reading.sample):
            return nan, nan
        measured = measure_survey(reading.value, round(reading.sample))
        return measured.low, measured.high

    @property
    def evidence(self) -> Evidence:
        low, high = self.range if self.judged else (nan, nan)
        if isnan(low):
            return "not known"
        return "within margin" if low - _TIE <= self.expected <= high + _TIE else "beyond margin"

    @property
    def chance(self) -> float:
        """The chance that the true figure is as good as expected."""
        if not self.judged:
            return nan
        if not isnan(self.latest.margin):
            error = self.latest.margin / _REACH
        elif self.percent and not isnan(self.latest.sample):
            share = min(max(self.expected / 100, 0.0), 1.0)
            error = 100 * sqrt(share * (1 - share) / self.latest.sample)
        else:
            return nan
        return _NORMAL.cdf(self.gap / error) if error > 0 else float(self.gap >= 0)

    @property
    def p(self) -> float:
        """The two-sided test that the baseline and the latest reading are of the same figure."""
        if self.latest is self.first:
            return nan
        error = _find_joint_error(self.first, self.latest, percent=self.percent)
        gap = abs(self.latest.value - self.first.value)
        if error == 0:
            return 1.0 if gap == 0 else 0.0
        return 2 * _NORMAL.cdf(-gap / error)

    def rate(self, thresholds: Thresholds) -> Rating:
        if self.status in ("met", "not met"):
            return "G" if self.status == "met" else "R"
        if not self.judged:
            return "?"
        if isnan(self.chance):
            return "G" if self.gap >= -_TIE else "A"
        return thresholds.rate(self.chance)

    def describe(self) -> str:
        """The verdict in a few words."""
        if self.status == "open":
            return "open: no reading since it fell due"
        if self.status == "not set":
            return "no target set"
        if not self.judged:
            return self.status
        start = f"target {self.status}"
        if self.status == "running":
            start = {"ahead": "ahead of target", "on": "on target"}.get(self.position, "behind target")
        margin = {"within margin": "within the margin of error", "beyond margin": "by more than the margin of error"}
        return f"{start}, {margin.get(self.evidence, 'margin of error not known')}"

    def tell(self) -> str:
        """The verdict with its figures."""
        wanted = f"{'at least' if self.more else 'at most'} {self.write(self.value)} by {self.due.words}"
        if self.status == "not set":
            return "No target is set."
        if self.status == "not measured":
            return f"Not measured: no reading is known, against {wanted}."
        low, high = self.range
        between = "" if isnan(low) else f" (95 % likely to be between {self.write(low)} and {self.write(high)})"
        here = f"{self.write(self.latest.value)} in {self.latest.month.words}{between}"
        if self.status == "not started":
            return f"Not started: the only reading is {here}, against {wanted}."
        if self.status == "open":
            return f"Open: there is no reading since it fell due. The last is {here}, against {wanted}."
        words = self.describe()
        course = f", where {self.write(self.expected)} would be on course" if self.status == "running" else ""
        chance = ""
        if self.status == "running" and not isnan(self.chance):
            chance = f" The chance that the true figure is on course is {format_chance(self.chance)}."
        since = (
            "" if self.latest is self.first else f" It was {self.write(self.first.value)} in {self.first.month.words}."
        )
        return f"{words[0].upper()}{words[1:]}: {here}{course}, against {wanted}.{since}{chance}"

    def write(self, number: float) -> str:
        """A figure in the target's unit, to one decimal at most."""
        text = f"{number:,.1f}".removesuffix(".0")
        return f"{text} %" if self.percent else text


def _find_joint_error(first: Reading, latest: Reading, *, percent: bool) -> float:
    """The standard error of the difference of two readings; NaN where either's is not known."""
    if percent and isnan(first.margin) and isnan(latest.margin):
        total = first.sample + latest.sample
        share = (first.value * first.sample + latest.value * latest.sample) / total / 100
        return 100 * sqrt(max(share * (1 - share), 0.0) * (1 / first.sample + 1 / latest.sample))
    return sqrt(_find_error(first, percent=percent) ** 2 + _find_error(latest, percent=percent) ** 2)


def _find_error(reading: Reading, *, percent: bool) -> float:
    """The standard error of one reading; NaN where it is not known."""
    if not isnan(reading.margin):
        return reading.margin / _REACH
    share = reading.value / 100
    return 100 * sqrt(share * (1 - share) / reading.sample) if percent else nan


def _collect(readings: pd.DataFrame) -> dict[object, tuple[Reading, ...]]:
    """The readings of each target in order of time; those without a value are left out."""
    found: dict[object, list[Reading]] = {}
    for row in readings[readings["value"].notna()].to_dict("records"):
        extra = {name: float(row[name]) for name in ("sample", "margin") if name in row and pd.notna(row[name])}
        reading = Reading(Month.parse(str(row["month"])), float(row["value"]), **extra)
        found.setdefault(row["target"], []).append(reading)
    return {label: tuple(sorted(series, key=lambda reading: reading.month)) for label, series in found.items()}


def _check(targets: pd.DataFrame, readings: pd.DataFrame) -> None:
    """Raise UserError for the first thing that cannot be read."""
    for name, frame, columns in (
        ("targets", targets, ("value", "direction", "due", "unit")),
        ("readings", readings, ("target", "month", "value")),
    ):
        for column in columns:
            if column not in frame:
                raise UserError(f"The {name} have no column {column!r}; give {', '.join(columns)} of each.")
    strange = targets.loc[~targets["direction"].isin(["less", "more"]), "direction"]
    if len(strange):
        raise UserError(f"The direction of target {strange.index[0]!r} is {strange.iloc[0]!r}; write 'less' or 'more'.")
    percent = targets.index[targets["unit"] == "percent"]
    shares = readings.loc[readings["target"].isin(percent), ["target", "value"]].dropna()
    wrong = shares[(shares["value"] < 0) | (shares["value"] > 100)]
    if len(wrong):
        raise UserError(
            f"A reading of {wrong['target'].iloc[0]!r} is {wrong['value'].iloc[0]:g} %; "
            "a percentage lies between 0 and 100."
        )
    if "sample" in readings and (readings["sample"].astype("Float64") <= 0).any():
        raise UserError("A reading's sample must be above 0; leave it empty where nobody knows how many were asked.")
