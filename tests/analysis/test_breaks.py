from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cspmap.analysis.breaks import change_breaks, class_breaks
from cspmap.errors import UserError
from cspmap.selection import SCHEMES, Scheme

NUMBERS = st.one_of(
    st.integers(-50, 50).map(float),
    st.floats(-1e12, 1e12, allow_nan=False),
    st.sampled_from([0.0, 1e-9, -1e-9, 1e100, -1e100]),
)
VALUES = st.lists(st.one_of(NUMBERS, st.none()), max_size=40)


def cost(groups: list[np.ndarray]) -> float:
    return sum(float(((group - group.mean()) ** 2).sum()) for group in groups)


def least_cost(values: np.ndarray, k: int) -> float:
    """The least sum of squares around class means over every way to cut the sorted values into `k` classes."""
    ordered = np.sort(values)
    cuts = combinations(range(1, len(ordered)), k - 1)
    return min(cost(np.split(ordered, list(cut))) for cut in cuts)


def test_quantile_by_hand() -> None:
    breaks = class_breaks(range(1, 11), scheme="quantile", k=5)
    assert breaks.upper == pytest.approx((2.8, 4.6, 6.4, 8.2, 10.0))
    assert breaks.lower == 1
    assert list(breaks.classify([1, 2, 3, 4, 10])) == [0, 0, 1, 1, 4]
    assert breaks.rule == "Five classes with about as many areas in each (quantiles)"


def test_equal_interval_by_hand() -> None:
    assert class_breaks([0, 1, 2, 100], scheme="equal-interval", k=4).upper == (25, 50, 75, 100)


def test_standard_deviation_by_hand() -> None:
    # Mean 5, sample standard deviation sqrt(32/7) = 2.13809: steps at mean -1.5, -0.5, +0.5 and +1.5 of them;
    # 5 - 1.5 x 2.138 = 1.793 lies below the least value, 2, so that class is not there.
    breaks = class_breaks([2, 4, 4, 4, 5, 5, 7, 9], scheme="standard-deviation", k=5)
    assert breaks.upper == pytest.approx((3.930955, 6.069045, 8.207135, 9.0))
    assert breaks.rule.startswith("Four classes around the mean")


def test_natural_breaks_by_hand() -> None:
    breaks = class_breaks([1, 2, 2, 10, 11, 50, 51, 52], scheme="fisher-jenks", k=3)
    assert breaks.upper == (2, 11, 52)


@settings(deadline=None)
@given(st.lists(st.integers(-30, 30), min_size=2, max_size=9), st.integers(2, 5))
def test_natural_breaks_are_the_best_of_all_ways_to_cut(numbers: list[int], k: int) -> None:
    values = np.array(numbers, dtype=float)
    breaks = class_breaks(values, scheme="fisher-jenks", k=k)
    classes = breaks.classify(values)
    groups = [values[classes == number] for number in np.unique(classes)]
    assert cost(groups) == pytest.approx(least_cost(values, min(k, len(set(numbers)))), abs=1e-9)


def test_natural_breaks_keep_their_digits_far_from_zero() -> None:
    values = 1e9 + np.array([1, 2, 2, 10, 11, 50, 51, 52]) * 1e-3
    assert class_breaks(values, scheme="fisher-jenks", k=3).upper == (values[2], values[4], values[7])


@pytest.mark.filterwarnings("ignore:Numba not installed")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("scheme", "peer"),
    [("quantile", "Quantiles"), ("fisher-jenks", "FisherJenks"), ("equal-interval", "EqualInterval")],
)
def test_agrees_with_another_library(scheme: Scheme, peer: str, seed: int) -> None:
    values = np.random.default_rng(seed).gamma(2, 10, 80)
    ours = class_breaks(values, scheme=scheme, k=5)
    theirs = getattr(pytest.importorskip("mapclassify"), peer)(values, k=5)
    assert ours.upper == pytest.approx(tuple(theirs.bins))
    assert list(ours.classify(values)) == list(theirs.yb)


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(deadline=None)
@given(values=VALUES, k=st.integers(1, 7))
def test_bounds_rise_and_every_known_value_has_a_class(scheme: Scheme, values: list[float | None], k: int) -> None:
    breaks = class_breaks(values, scheme=scheme, k=k)
    known = {value for value in values if value is not None}
    assert len(breaks.upper) <= min(k, len(known))
    assert all(low < high for low, high in pairwise(breaks.upper))
    classes = breaks.classify(values)
    assert [number == -1 for number in classes] == [value is None for value in values]
    if known:
        assert (breaks.lower, breaks.upper[-1]) == (min(known), max(known))
    for value, number in zip(values, classes.tolist(), strict=True):
        if value is not None:
            assert value <= breaks.upper[number]
            assert number == 0 or value > breaks.upper[number - 1]


@pytest.mark.parametrize("scheme", ["quantile", "fisher-jenks"])
@settings(deadline=None)
@given(values=VALUES, k=st.integers(1, 7))
def test_no_class_is_empty(scheme: Scheme, values: list[float | None], k: int) -> None:
    breaks = class_breaks(values, scheme=scheme, k=k)
    assert set(breaks.classify(values).tolist()) - {-1} == set(range(len(breaks.upper)))


@settings(deadline=None)
@given(st.permutations([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0]), st.sampled_from(SCHEMES))
def test_the_order_of_areas_does_not_matter(values: list[float], scheme: Scheme) -> None:
    assert class_breaks(values, scheme=scheme, k=3) == class_breaks(sorted(values), scheme=scheme, k=3)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_fewer_values_than_classes(scheme: Scheme) -> None:
    assert class_breaks([7, 7, 7, None], scheme=scheme, k=5).upper == (7,)
    assert class_breaks([7, 7], scheme=scheme, k=5).rule == "Every area with a value has the same one"
    assert class_breaks([3], scheme=scheme, k=5).upper == (3,)
    two = class_breaks([0, 0, 0, 0, 10], scheme=scheme, k=5)
    assert list(two.classify([0, 10])) == [0, 1]
    assert len(two.upper) == 2
    assert two.rule.startswith("Each value" if scheme == "quantile" else "Two classes")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_known_makes_no_classes(scheme: Scheme) -> None:
    for values in ([], [None, float("nan")], pd.Series([pd.NA, pd.NA], dtype="Float64")):
        breaks = class_breaks(values, scheme=scheme, k=5)
        assert breaks.upper == ()
        assert np.isnan(breaks.lower)
        assert breaks.rule == "No area has a value to show"
        assert list(breaks.classify([1.0, None])) == [-1, -1]


def test_values_outside_the_legend_go_to_its_ends() -> None:
    breaks = class_breaks([10, 20, 30, 40], scheme="quantile", k=2)
    assert list(breaks.classify([-5, 99, np.inf])) == [0, 1, -1]


def test_bad_requests_say_what_to_do() -> None:
    with pytest.raises(UserError, match="no class scheme 'pretty'; choose one of quantile, fisher-jenks"):
        class_breaks([1, 2], scheme="pretty", k=5)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="at least one class, got 0"):
        class_breaks([1, 2], scheme="quantile", k=0)
    with pytest.raises(UserError, match="has 3, 5, 7, 9 classes, got 4"):
        change_breaks(k=4)


def test_change_classes_by_hand() -> None:
    breaks = change_breaks(k=5)
    changes = [-100, -50, -49.9, -0.1, 0, 0.1, 99.9, 100, 1e6, None]
    assert list(breaks.classify(changes)) == [0, 0, 1, 1, 2, 3, 3, 4, 4, -1]
    assert list(change_breaks(k=3).classify([-12, 0, 12])) == [0, 1, 2]
    assert change_breaks(k=7).upper[:2] == pytest.approx((-50, -100 / 3))


@pytest.mark.parametrize("k", [3, 5, 7, 9])
@given(times=st.floats(1.001, 1e6))
def test_change_classes_mirror(k: int, times: float) -> None:
    breaks = change_breaks(k=k)
    assert all(low < high for low, high in pairwise(breaks.upper))
    assert len(breaks.upper) == k
    assume(min(abs(times - bound) for bound in (1.25, 1.5, 2.0)) > 1e-9)
    rise, fall = breaks.classify([100 * times - 100, 100 / times - 100])
    assert rise + fall == k - 1
    assert rise > k // 2
