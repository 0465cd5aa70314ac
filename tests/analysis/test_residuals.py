import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson
from scipy.stats.mstats import winsorize

from cspmap.analysis.control_chart import funnel_overdispersion
from cspmap.analysis.residuals import compare_usual, expect_usual, pool_fifths, usual_rates
from cspmap.errors import UserError


def test_usual_without_drawing_in_is_the_rate_of_the_fifth() -> None:
    usual = usual_rates([1, 1, 2, 5], [10, 20, 7, 0], [1000, 2000, 500, 1500], winsorise=0, fewest=1)
    assert usual.tolist() == pytest.approx([0.01, 0.014, np.nan, np.nan, 0], nan_ok=True)


def test_one_town_centre_does_not_say_what_is_usual() -> None:
    counts = [50] * 20 + [5000]
    drawn, plain = (usual_rates([1] * 21, counts, [1000] * 21, winsorise=part)[1] for part in (0.1, 0))
    assert plain == pytest.approx(6000 / 21_000)
    assert drawn == pytest.approx(0.05)


def test_drawing_in_agrees_with_scipy() -> None:
    rng = np.random.default_rng(2)
    # 21 places, so that the tenth at either end is two places and the quantile is the third.
    counts = rng.gamma(1, 100, 21)
    expected = winsorize(counts / 1000, (0.1, 0.1)).mean()
    assert usual_rates([3] * 21, counts, [1000] * 21)[3] == pytest.approx(expected)


def test_places_are_weighed_by_their_people_and_missing_ones_left_out() -> None:
    usual = usual_rates([2, 2, 2, 2], [10, 30, None, 5], [1000, 3000, 500, 0], winsorise=0, fewest=1)
    assert usual[2] == pytest.approx(0.01)
    with pytest.raises(UserError, match="below a half"):
        usual_rates([1], [1], [1], winsorise=0.5)


def test_an_area_of_several_fifths_is_expected_to_have_what_its_people_would() -> None:
    usual = pd.Series([0.1, 0.05, np.nan, 0.02, 0.01], index=pd.Index(range(1, 6)))
    shares = pd.DataFrame(
        [[0.5, 0.5, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 1, 0, 0], [np.nan] * 5], index=["a", "b", "c", "d"]
    )
    expected = expect_usual(shares, pd.Series({"a": 2000, "b": 1000, "c": 500, "d": 100}), usual)
    assert expected.tolist() == pytest.approx([150, 10, np.nan, np.nan], nan_ok=True)


def test_expected_of_the_places_themselves_adds_up_where_nothing_is_drawn_in() -> None:
    rng = np.random.default_rng(4)
    fifth, counts, people = rng.integers(1, 6, 80), rng.poisson(60, 80), rng.integers(800, 2000, 80)
    usual = usual_rates(fifth, counts, people, winsorise=0, fewest=1)
    shares = pd.DataFrame({number: fifth == number for number in range(1, 6)}).astype(float)
    assert expect_usual(shares, pd.Series(people), usual).sum() == pytest.approx(counts.sum())


def test_a_fifth_of_few_places_is_taken_with_its_neighbour() -> None:
    """Four quiet places and a town centre among them do not say what is usual."""
    fifth = np.repeat([1, 2, 4, 5], [20, 12, 15, 4])
    assert pool_fifths(fifth) == ((1,), (2,), (4, 5))
    assert pool_fifths(fifth, fewest=1) == ((1,), (2,), (4,), (5,))
    assert pool_fifths([5, 5, 3]) == ((3, 5),)
    assert pool_fifths([]) == ()
    counts = np.concatenate([np.full(47, 40), [20, 25, 30, 270]])
    usual = usual_rates(fifth, counts, np.full(51, 1000))
    assert usual[5] == usual[4] < 0.045
    assert np.isnan(usual[3])
    assert usual_rates(fifth, counts, np.full(51, 1000), fewest=1)[5] > 0.06


@given(st.lists(st.integers(1, 5), max_size=60), st.integers(1, 20))
def test_pooled_fifths_are_all_there_once_and_none_is_small(fifths: list[int], fewest: int) -> None:
    groups = pool_fifths(fifths, fewest=fewest)
    assert [number for group in groups for number in group] == sorted(set(fifths))
    if len(groups) > 1:
        assert all(sum(number in group for number in fifths) >= fewest for group in groups)


def test_standing_by_the_limits_of_a_poisson_count() -> None:
    """Most areas are nearer to what is expected than chance would have them, so the limits are chance's alone."""
    counts = pd.Series([*range(96, 105), *range(96, 105), *range(96, 105), 121, 140, 79, 60], dtype=float)
    expected = pd.Series(100.0, index=counts.index)
    assert funnel_overdispersion(counts, expected) == 0
    table = compare_usual(counts, expected)
    assert set(table["standing"][:27]) == {"as usual"}
    assert table["standing"].tolist()[-4:] == ["more", "far more", "fewer", "far fewer"]
    assert table["ratio"].tolist()[-4:] == pytest.approx([1.21, 1.4, 0.79, 0.6])
    for name, chance in (("lower_998", 0.001), ("lower_95", 0.025), ("upper_95", 0.975), ("upper_998", 0.999)):
        assert table[name].to_numpy() == pytest.approx(poisson.ppf(chance, 100), abs=1)


def test_limits_widen_with_the_differences_between_areas() -> None:
    rng = np.random.default_rng(9)
    expected = pd.Series(rng.integers(50, 200, 200).astype(float))
    counts = pd.Series(rng.poisson(expected * rng.gamma(10, 0.1, 200)).astype(float))
    spread = funnel_overdispersion(counts, expected)
    table = compare_usual(counts, expected)
    shape = 1 / spread
    exact = nbinom.ppf(0.975, shape, shape / (shape + expected))
    assert np.abs(table["upper_95"] - exact).max() <= 1.0
    assert (table["standing"] == "as usual").mean() > 0.9


def test_what_is_not_known_is_said_to_be_so() -> None:
    table = compare_usual(pd.Series({"a": 5.0, "b": np.nan, "c": 7.0}), pd.Series({"a": 5.0, "b": 5.0, "c": np.nan}))
    assert table["standing"].tolist() == ["as usual", "not known", "not known"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.floats(1, 300)), min_size=1, max_size=20))
def test_standing_follows_the_limits(pairs: list[tuple[int, float]]) -> None:
    counts, expected = (pd.Series(values, dtype=float) for values in zip(*pairs, strict=True))
    table = compare_usual(counts, expected)
    inside = table["count"].between(table["lower_95"], table["upper_95"])
    assert (inside == (table["standing"] == "as usual")).all()
    assert ((table["count"] > table["upper_998"]) == (table["standing"] == "far more")).all()
    assert ((table["count"] < table["lower_998"]) == (table["standing"] == "far fewer")).all()
