import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.analysis.measures import empirical_bayes, rate, share

COUNTS = st.integers(0, 5000)
ZONES = st.lists(st.tuples(COUNTS, st.integers(1, 20_000)), min_size=1, max_size=30)


def test_rate_of_numbers() -> None:
    # Luton, year to December 2024: 20,031 crimes among 227,000 residents, published as 88.25 per 1,000.
    assert rate(20_031, 227_000) == pytest.approx(88.24, abs=0.005)
    assert rate(3, 200, per=100) == 1.5
    assert isinstance(rate(3, 200), float)


@pytest.mark.parametrize(("count", "population"), [(5, 0), (5, None), (None, 100), (0, 0), (5, -3), (5, 5e-324)])
def test_there_is_no_rate_where_either_number_is_unknown_or_nobody_lives(
    count: float | None, population: float | None
) -> None:
    assert np.isnan(rate(count, population))


def test_rate_keeps_zero_apart_from_missing() -> None:
    assert rate([0, None, 4], [1000, 1000, 0]) == pytest.approx([0.0, np.nan, np.nan], nan_ok=True)


def test_rate_matches_series_by_label_and_keeps_the_index_of_the_count() -> None:
    count = pd.Series([10, 20, pd.NA], index=["b", "a", "c"], dtype="Int64")
    population = pd.Series([2000, 1000, 500], index=["a", "b", "d"])
    expected = pd.Series([10.0, 10.0, np.nan], index=["b", "a", "c"])
    pd.testing.assert_series_equal(rate(count, population), expected)


def test_rate_of_a_series_and_a_number() -> None:
    assert rate(pd.Series([1, 2], index=["a", "b"]), 1000).to_dict() == {"a": 1.0, "b": 2.0}
    assert rate(6, pd.Series([1000, 3000], index=["a", "b"])).to_dict() == {"a": 6.0, "b": 2.0}


def test_share() -> None:
    assert share(1, 4) == 0.25
    assert np.isnan(share(0, 0))
    assert share(np.array([1, 3]), 4) == pytest.approx([0.25, 0.75])


def test_empirical_bayes_by_hand() -> None:
    # m = 12/400 = 0.03; s2 = (100 x 0.07^2 + 300 x (2/300 - 0.03)^2) / 400 = 0.00163333; p' = 200;
    # A = s2 - 0.03/200 = 0.00148333; w = A/(A + 0.0003) = 0.8317757 and A/(A + 0.0001) = 0.9368421;
    # m + w (r - m) = 0.03 + 0.8317757 x 0.07 and 0.03 - 0.9368421 x 0.0233333
    assert empirical_bayes([10, 2], [100, 300]) == pytest.approx([88.224299, 8.140351], abs=1e-6)


def test_empirical_bayes_gives_the_common_rate_where_zones_differ_by_chance_alone() -> None:
    # The variance between these comes out below zero, where an unclamped estimator gives rates below zero.
    assert empirical_bayes([0, 1, 2], [100, 100, 100]) == pytest.approx([10.0, 10.0, 10.0])
    assert empirical_bayes([0, 0], [100, 50]) == pytest.approx([0.0, 0.0])


def test_empirical_bayes_leaves_out_zones_it_knows_nothing_of() -> None:
    with_gaps = empirical_bayes([10, None, 2, 5, 3, -1], [100, 100, 300, 0, np.nan, 100])
    alone = empirical_bayes([10, 2], [100, 300])
    assert with_gaps[[0, 2]] == pytest.approx(alone)
    assert np.isnan(with_gaps[[1, 3, 4, 5]]).all()
    assert np.isnan(empirical_bayes([None, 1], [3, 0])).all()


def test_empirical_bayes_keeps_the_index() -> None:
    count = pd.Series([10, 2], index=["x", "y"])
    smoothed = empirical_bayes(count, pd.Series([300, 100], index=["y", "x"]), per=1)
    assert smoothed.to_dict() == pytest.approx({"x": 0.088224299, "y": 0.008140351})


@settings(deadline=None)
@given(ZONES)
def test_a_smoothed_rate_lies_between_its_own_and_the_common_rate(zones: list[tuple[int, int]]) -> None:
    count, population = np.array(zones).T
    raw, common = rate(count, population), 1000 * count.sum() / population.sum()
    smoothed = empirical_bayes(count, population)
    slack = 1e-9 * (1 + common)
    assert (smoothed >= np.minimum(raw, common) - slack).all()
    assert (smoothed <= np.maximum(raw, common) + slack).all()
    assert (smoothed >= 0).all()


@settings(deadline=None)
@given(ZONES)
def test_the_order_of_zones_does_not_matter(zones: list[tuple[int, int]]) -> None:
    count, population = np.array(zones).T
    turned = empirical_bayes(count[::-1], population[::-1])[::-1]
    assert empirical_bayes(count, population) == pytest.approx(turned)
