"""Did it work: an operation judged against a fair comparison, with what can and cannot be said.

`evaluate` puts everything on one sheet; `propose_spans`, `propose_comparisons` and `buffer_ring` prepare it.
"""

from cspmap.analysis.evaluation.course import expect_course
from cspmap.analysis.evaluation.displacement import (
    DisplacementQuotient,
    OddsRatio,
    WeightedDifference,
    odds_ratio,
    wdd,
    wdq,
)
from cspmap.analysis.evaluation.matching import Matches, find_overlapping, propose_comparisons
from cspmap.analysis.evaluation.model import Effect, Noise, Periods, estimate_effect, measure_noise
from cspmap.analysis.evaluation.ring import buffer_ring
from cspmap.analysis.evaluation.rounding import find_side, round_evaluation
from cspmap.analysis.evaluation.sheet import Evaluation, evaluate
from cspmap.analysis.evaluation.spans import ProposedSpans, UsedMonths, choose_months, propose_spans
from cspmap.analysis.survey import SurveyChange, SurveyMeasure, compare_surveys, measure_survey

__all__ = [
    "DisplacementQuotient",
    "Effect",
    "Evaluation",
    "Matches",
    "Noise",
    "OddsRatio",
    "Periods",
    "ProposedSpans",
    "SurveyChange",
    "SurveyMeasure",
    "UsedMonths",
    "WeightedDifference",
    "buffer_ring",
    "choose_months",
    "compare_surveys",
    "estimate_effect",
    "evaluate",
    "expect_course",
    "find_overlapping",
    "find_side",
    "measure_noise",
    "measure_survey",
    "odds_ratio",
    "propose_comparisons",
    "propose_spans",
    "round_evaluation",
    "wdd",
    "wdq",
]
