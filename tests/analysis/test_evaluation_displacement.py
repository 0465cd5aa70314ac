"""The published measures against their published numbers, other libraries and arithmetic by hand."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import Table2x2

from cspmap.analysis.evaluation import odds_ratio, wdd, wdq
from cspmap.analysis.evaluation.student import t_quantile, t_tail
from cspmap.errors import UserError

COUNTS = st.one_of(st.none(), st.integers(-3, 400), st.just(float("nan")))
PAIRS = st.tuples(COUNTS, COUNTS)


def test_weighted_displacement_difference_as_published() -> None:
    """Wheeler and Ratcliffe (2018): 207 to 110 and 308 to 318, with 178 to 157 and 150 to 140 around them."""
    found = wdd((207, 110), (308, 318), displacement=(178, 157), displacement_control=(150, 140))
    assert (found.estimate, found.variance) == (-118, 1568)
    assert round(found.z or 0, 2) == -2.98
    assert (round(found.low or 0), round(found.high or 0)) == (-196, -40)
    assert found.p == pytest.approx(2 * stats.norm.cdf(-118 / math.sqrt(1568)))


def test_weighted_displacement_difference_of_two_years_and_one() -> None:
    """80 in two years to 20 in one, 100 to 50: -20 a year, with a variance of 20/1 + 80/4 + 50/1 + 100/4 = 115."""
    found = wdd((80, 20), (100, 50), time_weights=(0.5, 1))
    assert (found.estimate, found.variance) == (-20, 115)
    assert wdd((80, 20), (100, 50)).estimate == -10


def test_weighted_displacement_difference_of_a_comparison_four_times_as_large() -> None:
    found = wdd((100, 60), (400, 380), control_weight=0.25)
    assert found.estimate == -40 + 5
    assert found.variance == 160 + 780 / 16


def test_weighted_displacement_quotient_by_hand() -> None:
    """Area 100 to 60, buffer 50 to 40, control 200 throughout: (0.20 - 0.25) / (0.3 - 0.5) = 0.25."""
    found = wdq((100, 60), (50, 40), (200, 200))
    assert found.value == pytest.approx(0.25)
    assert found.reading == "diffusion of benefit"


@pytest.mark.parametrize(
    ("buffer", "value", "reading"),
    [
        ((50, 50), 0, "no displacement"),
        ((50, 60), -0.25, "some displacement"),
        ((50, 90), -1, "some displacement"),
        ((50, 100), -1.25, "more moved than fell"),
        ((90, 40), 1.25, "diffusion of benefit"),
    ],
)
def test_weighted_displacement_quotient_is_read_right(buffer: tuple[int, int], value: float, reading: str) -> None:
    found = wdq((100, 60), buffer, (200, 200))
    assert found.value == pytest.approx(value)
    assert found.reading == reading


def test_odds_ratio_agrees_with_another_library() -> None:
    found = odds_ratio((120, 80), (300, 310))
    peer = Table2x2(np.array([[120, 80], [300, 310]]))
    assert found.value == pytest.approx(peer.oddsratio)
    assert (found.low, found.high) == pytest.approx(peer.oddsratio_confint(0.05))
    assert found.p == pytest.approx(peer.oddsratio_pvalue())


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (wdd((0, 0), (0, 0)), "no incidents in any"),
        (wdd((None, 3), (1, 2)), "not known"),
        (wdd((3, 3), (1, float("nan"))), "not known"),
        (wdd((3, -1), (1, 2)), "negative"),
        (wdq((10, 12), (5, 5), (20, 20)), "did no better"),
        (wdq((10, 6), (5, 5), (20, 0)), "no incidents in one of the periods"),
        (wdq((0, 0), (0, 0), (0, 0)), "no incidents in one of the periods"),
        (wdq((10, 6), (5, None), (20, 20)), "not known"),
        (odds_ratio((0, 5), (10, 10)), "counts is zero"),
        (odds_ratio((5, 0), (10, 10)), "counts is zero"),
        (odds_ratio((5, 5), (None, 10)), "not known"),
    ],
)
def test_what_is_not_defined_says_why(found: Any, reason: str) -> None:
    assert reason in found.reason
    assert all(value is None for name, value in vars(found).items() if name != "reason")


@given(PAIRS, PAIRS, PAIRS)
def test_no_counts_at_all_make_them_fail(area: Any, buffer: Any, control: Any) -> None:
    difference = wdd(area, control, displacement=buffer)
    quotient = wdq(area, buffer, control)
    odds = odds_ratio(area, control)
    for found, value in ((difference, difference.estimate), (quotient, quotient.value), (odds, odds.value)):
        assert (value is None) == bool(found.reason)
        assert value is None or math.isfinite(value)
    if difference.estimate is not None and difference.low is not None and difference.high is not None:
        assert difference.low <= difference.estimate <= difference.high
    if odds.value is not None and odds.low is not None and odds.high is not None:
        assert 0 < odds.low <= odds.value <= odds.high


@given(st.tuples(st.integers(1, 500), st.integers(1, 500)), st.tuples(st.integers(1, 500), st.integers(1, 500)))
def test_area_and_comparison_change_places(area: tuple[int, int], control: tuple[int, int]) -> None:
    one, other = wdd(area, control), wdd(control, area)
    assert one.estimate == -(other.estimate or 0)
    assert one.p == pytest.approx(other.p)
    assert (odds_ratio(area, control).value or 0) * (odds_ratio(control, area).value or 0) == pytest.approx(1)


@pytest.mark.parametrize("options", [{"level": 1.0}, {"time_weights": (0, 1)}, {"control_weight": float("inf")}])
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        wdd((1, 2), (3, 4), **options)


@pytest.mark.parametrize("df", [1, 2, 4, 17, 124.5, 5000, math.inf])
def test_student_agrees_with_another_library(df: float) -> None:
    peer = stats.norm if math.isinf(df) else stats.t(df)
    for value in (0.0, 0.3, 1.0, 2.1, 5.0, 12.0):
        assert t_tail(value, df) == pytest.approx(peer.sf(value), rel=1e-9)
        assert t_tail(-value, df) == pytest.approx(peer.cdf(value), rel=1e-9)
    for chance in (0.025, 0.5, 0.8, 0.975, 0.995):
        assert t_quantile(chance, df) == pytest.approx(peer.ppf(chance), rel=1e-9, abs=1e-9)
    assert t_tail(math.inf, df) == 0
