"""What people said when asked: confidence, fear of crime, with the margin that the size of the sample leaves."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Literal

from cspmap.errors import UserError

LEVEL = 0.95


@dataclass(frozen=True)
class SurveyMeasure:
    """A share of a sample, in per cent, with its interval. `margin` is half the interval's width, in points.

    `sample` is None where only the margin was published.
    """

    percent: float
    sample: int | None
    low: float
    high: float

    @property
    def margin(self) -> float:
        """How far the true share may well be off, in percentage points."""
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class SurveyChange:
    """The difference of two measures in percentage points, with its interval and what it is worth."""

    points: float
    low: float
    high: float
    verdict: Literal["up", "down", "within the margin of error"]


def measure_survey(percent: float, sample: int, *, design_effect: float = 1.0, level: float = LEVEL) -> SurveyMeasure:
    """A survey's percentage with its interval of `level`, Wilson's, which stays within 0 and 100.

    `design_effect` is by how much the sample's design (clusters, weights) widens variances; the interval is that of a
    simple random sample so many times smaller. Raises UserError for numbers that cannot be.

    Source: Wilson, E. B. (1927), "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 22, 209-212.
    """
    if not 0 <= percent <= 100:
        raise UserError(f"A survey's result cannot be {percent:g} %; give a percentage from 0 to 100.")
    if sample < 1:
        raise UserError(f"A sample cannot be of {sample} people; give how many answered the question.")
    if not 1 <= design_effect < float("inf"):
        raise UserError(f"A design effect cannot be {design_effect:g}; give 1 (a simple random sample) or more.")
    share, size = percent / 100, sample / design_effect
    z = NormalDist().inv_cdf(0.5 + level / 2)
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    reach = z * sqrt(share * (1 - share) / size + z * z / (4 * size * size)) / (1 + z * z / size)
    return SurveyMeasure(percent, sample, 100 * max(0.0, middle - reach), 100 * min(1.0, middle + reach))


def measure_published(percent: float, margin: float, sample: int | None = None) -> SurveyMeasure:
    """A survey's percentage with the 95 % margin of error, in points, that was published with it."""
    if not 0 <= percent <= 100 or not 0 < margin < float("inf"):
        raise UserError(f"A survey's result cannot be {percent:g} % give or take {margin:g}; correct it.")
    return SurveyMeasure(percent, sample, max(0.0, percent - margin), min(100.0, percent + margin))


def compare_surveys(before: SurveyMeasure, after: SurveyMeasure) -> SurveyChange:
    """The change between two surveys of different people, with its interval.

    Source: Newcombe, R. G. (1998), "Interval estimation for the difference between independent proportions: comparison
    of eleven methods", Statistics in Medicine 17, 873-890, method 10.
    """
    points = after.percent - before.percent
    low = points - sqrt((after.percent - after.low) ** 2 + (before.high - before.percent) ** 2)
    high = points + sqrt((after.high - after.percent) ** 2 + (before.percent - before.low) ** 2)
    verdict: Literal["up", "down", "within the margin of error"] = "within the margin of error"
    if low > 0 or high < 0:
        verdict = "up" if points > 0 else "down"
    return SurveyChange(points, low, high, verdict)
