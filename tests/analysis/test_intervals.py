"""Intervals of counts, rates and ratios against SciPy, statsmodels and published tables."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gamma, poisson
from statsmodels.stats.rates import confint_poisson, confint_poisson_2indep

from cspmap.analysis.intervals import count_interval, rate_interval, ratio_interval

COUNTS = st.integers(0, 200_000)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.69), (1, 0.025, 5.57), (2, 0.242, 7.22), (10, 4.80, 18.39), (30, 20.24, 42.83), (100, 81.36, 121.63)],
)
def test_table_of_exact_poisson_limits(count: int, low: float, high: float) -> None:
    """As printed in tables of the 95 % limits of a Poisson count (Garwood 1936; Breslow and Day 1987, table 2.10)."""
    found = count_interval(count)
    assert float(found[0]) == pytest.approx(low, abs=0.006)
    assert float(found[1]) == pytest.approx(high, abs=0.006)


def test_counts_against_scipy_and_statsmodels() -> None:
    counts = np.array([0.0, 1, 2, 3, 7, 41, 526, 7_035, 20_031, 167_777])
    low, high = count_interval(counts)
    assert high == pytest.approx(gamma.ppf(0.975, counts + 1), rel=1e-9)
    assert low[1:] == pytest.approx(gamma.ppf(0.025, counts[1:]), rel=1e-9)
    assert low[0] == 0
    expected = confint_poisson(20_031, 227.0, method="exact-c")
    assert rate_interval([20_031], 227_000).to_numpy()[0] == pytest.approx(expected, rel=1e-9)


@settings(deadline=None)
@given(st.floats(0.01, 5_000))
def test_counts_that_are_not_whole(count: float) -> None:
    low, high = count_interval(count)
    assert float(low) == pytest.approx(gamma.ppf(0.025, count), rel=1e-7, abs=1e-250)
    assert float(high) == pytest.approx(gamma.ppf(0.975, count + 1), rel=1e-7)


@settings(deadline=None)
@given(COUNTS)
def test_an_interval_leaves_out_what_it_says(count: int) -> None:
    low, high = (float(end) for end in count_interval(count))
    assert low <= count < high
    assert poisson.cdf(count, high) == pytest.approx(0.025, rel=1e-5)
    if count:
        assert poisson.sf(count - 1, low) == pytest.approx(0.025, rel=1e-5)


def test_what_is_not_known_or_below_zero_has_no_interval() -> None:
    low, high = count_interval(pd.Series([3, pd.NA, -2], dtype="Int64"))
    assert np.isnan([*low[1:], *high[1:]]).all()
    rates = rate_interval(pd.Series([5.0, 5.0, 5.0, np.nan], index=list("abcd")), pd.Series({"a": 1000.0, "b": 0.0}))
    assert rates.index.tolist() == list("abcd")
    assert rates["low"].isna().tolist() == [False, True, True, True]
    assert count_interval(None)[0].shape == ()
    assert rate_interval([], 1000).empty


@pytest.mark.parametrize(("before", "after"), [(16, 25), (3, 9), (40, 12), (18_991, 20_031), (8_018, 7_035)])
def test_ratios_against_statsmodels(before: int, after: int) -> None:
    """Which finds the same score interval by searching for it."""
    expected = confint_poisson_2indep(after, 1, before, 1, method="score", compare="ratio")
    assert ratio_interval(before, after).to_numpy()[0] == pytest.approx(expected, rel=1e-6)


def test_ratio_to_none_after() -> None:
    """By hand: p = 0 of n = 5, so the upper end of Wilson's interval is z2 / (n + z2), and of the ratio z2 / n."""
    found = ratio_interval([5], [0]).loc[0]
    assert found["low"] == 0
    assert found["high"] == pytest.approx(1.959963984540054**2 / 5)


def test_ratios_that_are_not_there() -> None:
    labels = list("abcd")
    found = ratio_interval(pd.Series([0.0, -1, 4, 4], index=labels), pd.Series([3.0, 3, -1, np.nan], index=labels))
    assert found.isna().all(axis=None)
    assert found.index.tolist() == list("abcd")


@settings(deadline=None)
@given(st.integers(1, 50_000), COUNTS)
def test_ratio_lies_in_its_interval(before: int, after: int) -> None:
    found = ratio_interval(before, after).loc[0]
    assert 0 <= found["low"] <= after / before * (1 + 1e-12)
    assert after / before < found["high"] < math.inf


@settings(deadline=None)
@given(st.integers(1, 50_000), st.integers(1, 50_000))
def test_a_ratio_turned_round_has_its_interval_turned_round(before: int, after: int) -> None:
    one, other = ratio_interval(before, after).loc[0], ratio_interval(after, before).loc[0]
    assert one["low"] == pytest.approx(1 / other["high"], rel=1e-9)
