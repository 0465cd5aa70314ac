import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom, norm, poisson

from cspmap.analysis.control_chart import (
    RULES,
    find_signals,
    funnel_limits,
    funnel_overdispersion,
    xmr,
    xmr_limits,
)
from cspmap.errors import UserError

QUIET = [10, 12, 9, 11, 13, 8, 11, 10, 12, 9, 10, 11]
VALUES = st.lists(st.one_of(st.integers(0, 60), st.none()), max_size=40)


def flagged(frame: pd.DataFrame, rule: str) -> dict[int, int]:
    """Places of the months that a rule flags, and which way."""
    return {place: int(sign) for place, sign in enumerate(frame[rule]) if sign}


def test_published_example() -> None:
    """The outlying point of the vignette of the NHS-R package: mean 1.94, limits 4.6 and -0.72."""
    frame = xmr(pd.Series([1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]))
    assert frame["mean"].iloc[0] == pytest.approx(35 / 18)
    assert frame["upper"].iloc[0] == pytest.approx(35 / 18 + 2.66)
    assert frame["lower"].iloc[0] == pytest.approx(35 / 18 - 2.66)
    assert flagged(frame, "outside") == {4: 1}
    # Kept, the two ranges of 8 and 9 would make the average 32/17.
    assert frame["moving_range"].mean() == pytest.approx(32 / 17)


def test_limits_by_hand() -> None:
    frame = xmr(pd.Series([4, 7, 5, 8], index=["a", "b", "c", "d"]))
    assert list(frame.index) == ["a", "b", "c", "d"]
    assert frame["moving_range"].to_numpy() == pytest.approx([np.nan, 3, 2, 3], nan_ok=True)
    assert frame["upper"].to_numpy() == pytest.approx([6 + 2.66 * 8 / 3] * 4)
    assert frame["lower"].to_numpy() == pytest.approx([6 - 2.66 * 8 / 3] * 4)


def test_ranges_are_dropped_once_only() -> None:
    """Ranges 30 times 1, then 5 and 100: the average is 135/32, so 100 goes; 5 would go from the next average."""
    steps = [1.0] * 30 + [5.0, 100.0]
    series = pd.Series(np.concatenate(([0.0], np.cumsum(steps))))
    assert xmr(series)["upper"].iloc[0] == pytest.approx(series.mean() + 2.66 * 35 / 31)


def test_a_missing_month_breaks_the_moving_range() -> None:
    frame = xmr(pd.Series([4, pd.NA, 40, 42, 44], dtype="Int64"))
    assert frame["mean"].iloc[0] == pytest.approx(32.5)
    assert frame["moving_range"].to_numpy() == pytest.approx([np.nan, np.nan, np.nan, 2, 2], nan_ok=True)
    assert frame["upper"].iloc[0] == pytest.approx(32.5 + 2.66 * 2)


@pytest.mark.parametrize("sign", [1, -1])
def test_seven_on_one_side_are_a_shift(sign: int) -> None:
    months = [*QUIET, 10.5, *(10.5 + sign * off for off in (1, 2, 1.5, 2, 1, 2, 1.5))]
    assert flagged(xmr(pd.Series(months), baseline=12), "shift") == dict.fromkeys(range(13, 20), sign)
    assert flagged(xmr(pd.Series(months[:-1]), baseline=12), "shift") == {}


@pytest.mark.parametrize("sign", [1, -1])
def test_seven_rising_months_are_a_trend(sign: int) -> None:
    months = [100, 101, 100] + [100 - sign * 3 + sign * step for step in range(7)] + [100]
    assert flagged(xmr(pd.Series(months), baseline=3), "trend") == dict.fromkeys(range(3, 10), sign)
    assert flagged(xmr(pd.Series(months[:9]), baseline=3), "trend") == {}


def test_a_month_without_change_ends_a_trend() -> None:
    assert flagged(xmr(pd.Series([1, 2, 3, 4, 4, 5, 6, 7])), "trend") == {}


def test_two_of_three_near_a_limit() -> None:
    """Mean 10, average range 3: limits 7.98 away, two thirds of the way is 5.32."""
    baseline = [8.5, 11.5] * 6
    frame = xmr(pd.Series([*baseline, 16, 11, 16, 10]), baseline=12)
    assert flagged(frame, "near_limit") == {12: 1, 14: 1}
    assert flagged(xmr(pd.Series([*baseline, 15, 15, 15]), baseline=12), "near_limit") == {}
    assert flagged(xmr(pd.Series([*baseline, 16, 9, 16]), baseline=12), "near_limit") == {}
    assert flagged(xmr(pd.Series([*baseline, 16, 4]), baseline=12), "near_limit") == {}
    outside = xmr(pd.Series([*baseline, 20, 11, 16, 10]), baseline=12)
    assert (flagged(outside, "near_limit"), flagged(outside, "outside")) == ({12: 1, 14: 1}, {12: 1})


@pytest.mark.parametrize("rule", ["shift", "trend", "near_limit"])
def test_a_missing_month_breaks_every_run(rule: str) -> None:
    runs: dict[str, list[float]] = {
        "shift": [12, 13] * 4,
        "trend": [9.0 + 0.1 * step for step in range(8)],
        "near_limit": [16, 16, 11],
    }
    months = np.array([8.5, 11.5] * 6 + runs[rule])
    assert flagged(xmr(pd.Series(months), baseline=12), rule)
    months[12 + (1 if rule == "near_limit" else 4)] = np.nan
    assert flagged(xmr(pd.Series(months), baseline=12), rule) == {}


def test_limits_that_coincide_with_the_mean() -> None:
    assert not xmr(pd.Series([0.1 + 0.2] * 20))[list(RULES)].to_numpy().any()
    assert flagged(xmr(pd.Series([5] * 12 + [6]), baseline=12), "outside") == {12: 1}


@pytest.mark.parametrize("values", [[], [3], [None], [3, None, 4]])
def test_too_few_months_have_no_limits(values: list[float | None]) -> None:
    frame = xmr(pd.Series(values, dtype="float64"))
    assert len(frame) == len(values)
    assert frame[["lower", "upper"]].isna().all(axis=None)
    assert not frame[list(RULES)].to_numpy().any()


def test_a_baseline_of_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="at least one month, got 0"):
        xmr(pd.Series([1, 2, 3]), baseline=0)


@settings(deadline=None)
@given(VALUES, st.integers(1, 9), st.integers(-50, 50))
def test_another_scale_and_origin_give_the_same_signals(values: list[int | None], scale: int, origin: int) -> None:
    series = pd.Series(values, dtype="float64")
    changed = xmr(series * scale + origin)
    assert changed[list(RULES)].equals(xmr(series)[list(RULES)])
    assert changed["upper"].to_numpy() == pytest.approx(xmr(series)["upper"].to_numpy() * scale + origin, nan_ok=True)


@settings(deadline=None)
@given(VALUES)
def test_upside_down_every_signal_turns_over(values: list[int | None]) -> None:
    series = pd.Series(values, dtype="float64")
    assert (-xmr(-series)[list(RULES)]).equals(xmr(series)[list(RULES)])


@settings(deadline=None)
@given(st.lists(VALUES.filter(len), min_size=1, max_size=5))
def test_many_series_answer_as_each_alone(table: list[list[int | None]]) -> None:
    length = min(len(values) for values in table)
    values = np.array([values[:length] for values in table], dtype=float).T
    signals = find_signals(values, xmr_limits(values))
    for place in range(len(table)):
        alone = xmr(pd.Series(values[:, place]))
        for rule in RULES:
            assert signals[rule][:, place].tolist() == alone[rule].tolist()


def test_chance_alone_seldom_signals() -> None:
    """Of months of independent normal values, about 0.3 % lie beyond limits set at three standard deviations."""
    values = np.random.default_rng(7).normal(100, 10, (24, 4000))
    signals = find_signals(values, xmr_limits(values))
    assert 0.001 < np.mean(signals["outside"] != 0) < 0.015
    assert np.mean(signals["trend"] != 0) < 0.01
    assert np.mean((signals["outside"] != 0).any(axis=0)) < 0.2


def interpolated(chance: float, distribution: object) -> float:
    """Spiegelhalter's limit from a distribution of SciPy, as his appendix has it."""
    count = distribution.ppf(chance)  # type: ignore[attr-defined]
    above, below = distribution.cdf(count), distribution.cdf(count - 1)  # type: ignore[attr-defined]
    return max(0.0, float(count - (above - chance) / (above - below)))


@pytest.mark.parametrize("expected", [0.5, 3, 10, 150, 2000, 25_000])
def test_funnel_without_overdispersion_is_exact_poisson(expected: float) -> None:
    row = funnel_limits([expected]).iloc[0]
    for name, chance in {"lower_998": 0.001, "lower_95": 0.025, "upper_95": 0.975, "upper_998": 0.999}.items():
        assert row[name] == pytest.approx(interpolated(chance, poisson(expected)), rel=1e-6, abs=1e-6)


def test_funnel_by_hand() -> None:
    """Of 10 expected, 3 or fewer come 1.0336 % of the time and 4 or fewer 2.9253 %: 4 - 0.4253/1.8917 = 3.775."""
    assert funnel_limits([10])["lower_95"].iloc[0] == pytest.approx(3.775, abs=5e-4)


@pytest.mark.parametrize("expected", [2, 40, 900])
def test_funnel_with_overdispersion(expected: float) -> None:
    row = funnel_limits([expected], overdispersion=0.04).iloc[0]
    peer = nbinom(25, 1 / (1 + 0.04 * expected))
    for name, chance in {"lower_998": 0.001, "lower_95": 0.025, "upper_95": 0.975, "upper_998": 0.999}.items():
        assert row[name] == pytest.approx(interpolated(chance, peer), rel=1e-4, abs=1e-6)
    normal = expected + norm.ppf(0.975) * np.sqrt(expected + 0.04 * expected**2)
    assert row["upper_95"] == pytest.approx(normal, rel=0.12)


def test_funnel_keeps_labels_and_gaps() -> None:
    frame = funnel_limits(pd.Series([20.0, pd.NA, 0.0], index=["E1", "E2", "E3"], dtype="Float64"))
    assert list(frame.index) == ["E1", "E2", "E3"]
    assert frame["upper_95"].notna().tolist() == [True, False, False]
    assert frame["expected"].iloc[2] == 0


@pytest.mark.parametrize("overdispersion", [-0.1, float("nan"), float("inf")])
def test_impossible_overdispersion_is_refused(overdispersion: float) -> None:
    with pytest.raises(UserError, match="cannot be"):
        funnel_limits([10], overdispersion=overdispersion)


def test_overdispersion_agrees_with_another_library() -> None:
    """Without drawing in, and scaled to the total, it is DerSimonian and Laird's variance between studies."""
    combine = pytest.importorskip("statsmodels.stats.meta_analysis").combine_effects
    observed = np.array([80, 130, 95, 160, 70, 210, 150, 88], dtype=float)
    weights = np.array([1.0, 1.1, 1.2, 1.3, 0.8, 1.5, 1.6, 0.9])
    expected = weights * observed.sum() / weights.sum()
    peer = combine(observed / expected, 1 / expected, method_re="dl")
    assert peer.tau2 > 0
    assert funnel_overdispersion(observed, expected, winsorise=0) == pytest.approx(peer.tau2)


def test_overdispersion_by_hand() -> None:
    """z = -3, 3, 0 on 100 each: (18 - 2) / (300 - 30000/300) = 0.08."""
    assert funnel_overdispersion([70, 130, 100], [100, 100, 100], winsorise=0) == pytest.approx(0.08)
    assert funnel_overdispersion([101, 99, 100], [100, 100, 100]) == 0


def test_extremes_are_drawn_in() -> None:
    observed, expected = [100.0] * 18 + [110.0, 400.0], [100.0] * 20
    assert funnel_overdispersion(observed, expected) < 0.1 * funnel_overdispersion(observed, expected, winsorise=0)


def test_areas_that_say_nothing_take_no_part() -> None:
    assert funnel_overdispersion([70, 130, 100, np.nan, 5], [100, 100, 100, 100, 0], winsorise=0) == pytest.approx(0.08)
    assert funnel_overdispersion([70], [100]) == 0
    with pytest.raises(UserError, match="below a half"):
        funnel_overdispersion([1, 2], [1, 2], winsorise=0.5)


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 4000), min_size=1, max_size=6), st.floats(0, 0.5))
def test_limits_lie_in_order_about_what_is_expected(expected: list[float], overdispersion: float) -> None:
    frame = funnel_limits(expected, overdispersion=overdispersion)
    assert (frame["lower_998"] <= frame["lower_95"]).all()
    assert (frame["lower_95"] <= frame["upper_95"]).all()
    assert (frame["upper_95"] <= frame["upper_998"]).all()
    assert (frame["lower_998"] >= 0).all()
    plain = funnel_limits(expected)
    assert (frame["upper_998"] >= plain["upper_998"] - 1e-6 * plain["upper_998"] - 1e-9).all()
