import warnings
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, poisson

from cspmap.analysis.change import SMALLEST_TOTAL, change_table, e_test, poisson_change
from cspmap.errors import UserError

COUNTS = st.integers(0, 400)
EXPOSURES = st.sampled_from([0.5, 1.0, 2.0, 3.0, 1.37])


def sum_over_every_outcome(k1: int, k2: int, n1: float, n2: float) -> float:
    """The definition of the E-test, outcome by outcome."""
    mean = (k1 + k2) / (n1 + n2)
    x1, x2 = (np.arange(int(poisson.isf(1e-14, n * mean)) + 2) for n in (n1, n2))
    chance = np.outer(poisson.pmf(x1, n1 * mean), poisson.pmf(x2, n2 * mean))

    def statistic(a: object, b: object) -> np.ndarray:
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        spread = np.sqrt(a / n1**2 + b / n2**2)
        return np.abs(np.divide(a / n1 - b / n2, spread, out=np.zeros_like(spread), where=spread > 0))

    return float(chance[statistic(x1[:, None], x2[None, :]) >= statistic(k1, k2) - 1e-10].sum())


@pytest.mark.parametrize(
    ("before", "after", "p"), [(16, 25, 0.165), (0, 4, 0.0413), (0, 3, 0.0884), (0, 0, 1.0), (7, 7, 1.0)]
)
def test_known_p_values(before: int, after: int, p: float) -> None:
    assert e_test(before, after) == pytest.approx(p, abs=5e-4 if before == 16 else 5e-5)


@pytest.mark.parametrize("exposures", [(1.0, 1.0), (1.0, 2.0), (3.0, 0.5), (12.0, 11.0), (31.0, 28.0)])
@pytest.mark.parametrize(("before", "after"), [(0, 1), (1, 0), (2, 9), (30, 30), (60, 41), (300, 351), (1500, 1584)])
def test_agrees_with_the_sum_over_every_outcome(before: int, after: int, exposures: tuple[float, float]) -> None:
    p = e_test(before, after, exposure_before=exposures[0], exposure_after=exposures[1])
    assert p == pytest.approx(sum_over_every_outcome(before, after, *exposures), abs=1e-9)


def test_agrees_with_another_library() -> None:
    rates = pytest.importorskip("statsmodels.stats.rates")
    generator = np.random.default_rng(20240401)
    for exposure in (1.0, 2.0, 0.7):
        for before in generator.integers(0, 300, 25).tolist():
            after = int(generator.poisson(exposure * (before + 1)))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it divides by a count of zero on its way
                peer = rates.test_poisson_2indep(before, 1.0, after, exposure, method="etest-wald").pvalue
            assert e_test(before, after, exposure_after=exposure) == pytest.approx(peer, abs=1e-9)


@pytest.mark.parametrize("count", [10_000, 50_000])
def test_large_counts_come_near_the_normal_approximation(count: int) -> None:
    after = count + round(2.5 * sqrt(2 * count))
    z = (after - count) / sqrt(after + count)
    # The gap that is left is that of whole numbers, about the chance of one outcome of the difference.
    assert e_test(count, after) == pytest.approx(2 * norm.sf(z), abs=2e-4)


@settings(deadline=None)
@given(COUNTS, COUNTS, EXPOSURES, EXPOSURES)
def test_swapping_the_periods_changes_nothing(a: int, b: int, n1: float, n2: float) -> None:
    p = e_test(a, b, exposure_before=n1, exposure_after=n2)
    assert 0 <= p <= 1
    assert e_test(b, a, exposure_before=n2, exposure_after=n1) == pytest.approx(p, abs=1e-9)


@settings(deadline=None)
@given(COUNTS, COUNTS, EXPOSURES)
def test_only_the_ratio_of_exposures_counts(a: int, b: int, exposure: float) -> None:
    p = e_test(a, b, exposure_after=exposure)
    assert e_test(a, b, exposure_before=12, exposure_after=12 * exposure) == pytest.approx(p, abs=1e-9)


@settings(deadline=None)
@given(COUNTS, st.integers(0, 60))
def test_a_wider_gap_of_the_same_total_is_no_less_significant(half: int, step: int) -> None:
    near, far = min(step, half), min(step + 1, half)
    assert e_test(half - far, half + far) <= e_test(half - near, half + near) + 1e-9


def test_arrays_answer_as_their_members_do_and_keep_shape_and_gaps() -> None:
    before, after = np.array([[16, 0], [3, 3]]), np.array([[25, 0], [np.nan, 9]])
    p = e_test(before, after)
    assert p.shape == (2, 2)
    expected = [[e_test(16, 25), 1.0], [np.nan, e_test(3, 9)]]
    assert p == pytest.approx(np.array(expected), nan_ok=True)
    assert np.isnan(e_test(None, 4))
    assert e_test([], []).shape == (0,)


def test_interpolated_counts_need_not_be_whole() -> None:
    assert e_test(16, 26) < e_test(16, 25.5) < e_test(16, 25)


@pytest.mark.parametrize("exposures", [(0.0, 1.0), (1.0, -2.0), (float("nan"), 1.0)])
def test_a_period_of_no_length_is_refused(exposures: tuple[float, float]) -> None:
    with pytest.raises(UserError, match="choose two periods"):
        e_test(1, 2, exposure_before=exposures[0], exposure_after=exposures[1])


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(UserError, match="cannot be negative, got -3"):
        e_test([1, 2], [4, -3])


def test_smallest_total_is_where_the_test_can_first_say_anything() -> None:
    def least(total: int) -> float:
        return min(e_test(k, total - k) for k in range(total + 1))

    assert least(SMALLEST_TOTAL) < 0.05 <= least(SMALLEST_TOTAL - 1)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (1523, 1584, "normal variation"),
        (16, 25, "normal variation"),
        (100, 150, "up"),
        (150, 100, "down"),
        (0, 4, "up"),
        (0, 3, "too few to say"),
        (0, 0, "no incidents"),
        (None, 4, "not known"),
        (4, float("nan"), "not known"),
        (-1, 40, "not known"),
    ],
)
def test_verdict(before: float | None, after: float | None, verdict: str) -> None:
    assert poisson_change(before, after).verdict == verdict


def test_figures_of_a_change() -> None:
    change = poisson_change(16, 25)
    assert (change.difference, change.percent, change.z) == (9, 56.25, 2.0)
    assert change.p == pytest.approx(0.165, abs=5e-4)


def test_what_cannot_be_known_is_none() -> None:
    assert poisson_change(0, 5).percent is None
    missing = poisson_change(None, 5)
    assert (missing.before, missing.after, missing.difference, missing.p) == (None, 5, None, None)
    corrected = poisson_change(-1, 40)
    assert (corrected.difference, corrected.percent, corrected.z, corrected.p) == (41, None, None, None)


def test_change_table_matches_by_label_and_keeps_gaps() -> None:
    before = pd.Series([16, 0, pd.NA, 0], index=["a", "b", "c", "d"], dtype="Int64")
    after = pd.Series([0, 5, 7, 25], index=["d", "c", "b", "a"])
    table = change_table(before, after)
    assert list(table.index) == ["a", "b", "c", "d"]
    assert list(table["verdict"]) == ["normal variation", "up", "not known", "no incidents"]
    assert table["difference"].to_numpy() == pytest.approx([9, 7, np.nan, 0], nan_ok=True)
    assert table["percent"].to_numpy() == pytest.approx([56.25, np.nan, np.nan, np.nan], nan_ok=True)
    assert table["p"].to_numpy() == pytest.approx([e_test(16, 25), e_test(0, 7), np.nan, 1.0], nan_ok=True)


def test_change_table_refuses_different_areas() -> None:
    with pytest.raises(UserError, match="b is in one of them only"):
        change_table(pd.Series([1, 2], index=["a", "b"]), pd.Series([1], index=["a"]))


@settings(deadline=None)
@given(st.lists(st.tuples(COUNTS, COUNTS), max_size=20))
def test_the_table_says_what_one_change_says(pairs: list[tuple[int, int]]) -> None:
    before = pd.Series([a for a, _ in pairs], dtype=float)
    after = pd.Series([b for _, b in pairs], dtype=float)
    assert list(change_table(before, after)["verdict"]) == [poisson_change(a, b).verdict for a, b in pairs]
