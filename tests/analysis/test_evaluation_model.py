"""The count model: its effect against another library's, its interval by hand, and both in simulated towns."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from cspmap.analysis.evaluation import Noise, Periods, estimate_effect, measure_noise
from cspmap.analysis.evaluation.student import t_quantile

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.evaluation_simulation import OUT, SECTIONS, World, replace_section, try_out  # noqa: E402

QUIET = Noise(scatter=1.0, drift=0.0, areas=1)


def periods(before: list[list[float]], after: list[list[float]]) -> Periods:
    """Rows are months, columns areas."""
    return Periods(pd.DataFrame(before), pd.DataFrame(after))


def single(before: float, after: float) -> Periods:
    return periods([[before]], [[after]])


def draw(seed: int, areas: int = 6, months: int = 12, level: float = 30.0) -> Periods:
    rng = np.random.default_rng(seed)
    mean = level * rng.lognormal(0, 0.5, areas) * (1 + 0.3 * np.sin(np.arange(2 * months))[:, None])
    counts = pd.DataFrame(rng.poisson(rng.gamma(mean / 0.8, 0.8)))
    return Periods(counts.iloc[:months], counts.iloc[months:])


def fit_peer(area: Periods, comparison: Periods) -> float:
    """The effect of a Poisson regression on areas, months and (area, after), by statsmodels."""
    table = pd.concat(
        [pd.concat([one, other], axis=1, ignore_index=True) for one, other in zip(area, comparison, strict=True)]
    )
    months, areas = table.shape
    rows = [
        (count, place, month, float(place == 0 and month >= len(area.before)))
        for month, counts in enumerate(table.to_numpy())
        for place, count in enumerate(counts)
    ]
    frame = pd.DataFrame(rows, columns=["count", "area", "month", "effect"])
    design = (
        pd.get_dummies(frame[["area", "month"]].astype(str), drop_first=True)
        .astype(float)
        .assign(effect=frame["effect"])
    )
    fitted = sm.GLM(frame["count"], sm.add_constant(design), family=sm.families.Poisson()).fit()
    assert fitted.df_resid == months * areas - (areas + months)
    return float(fitted.params["effect"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_effect_is_that_of_a_poisson_regression(seed: int) -> None:
    area, comparison = draw(seed, areas=1), draw(seed + 100)
    peer = fit_peer(area, comparison)
    found = estimate_effect(area, comparison, measure_noise(comparison))
    assert found.percent == pytest.approx(100 * (np.exp(peer) - 1), rel=1e-6)


def test_the_scatter_is_pearsons_within_area_and_period() -> None:
    """A regression of each period on its areas and months, statistics and freedoms of both added up."""
    comparison = draw(7, areas=5)
    statistic = freedom = 0.0
    for table in comparison:
        frame = table.melt(var_name="area", value_name="count", ignore_index=False).reset_index(names="month")
        design = pd.get_dummies(frame[["area", "month"]].astype(str), drop_first=True).astype(float)
        fitted = sm.GLM(frame["count"], sm.add_constant(design), family=sm.families.Poisson()).fit()
        statistic, freedom = statistic + fitted.pearson_chi2, freedom + fitted.df_resid
    assert measure_noise(comparison).scatter == pytest.approx(statistic / freedom, rel=1e-6)
    assert statistic / freedom > 1.2


def test_scatter_is_never_less_than_that_of_chance() -> None:
    level = [[10.0, 20.0, 30.0]] * 12
    assert measure_noise(periods(level, level)) == Noise(1.0, 0.0, 3)


def test_drift_by_hand() -> None:
    """Four areas of 400 to 400, two of which are 100 up and two 100 down: n p q = 200 each, squares 10,000.

    4 x 10,000 / (200 + drift x 40,000) = 3 where drift = (40,000 / 3 - 200) / 40,000.
    """
    comparison = periods([[300, 300, 500, 500]], [[500, 500, 300, 300]])
    noise = measure_noise(comparison)
    assert noise.scatter == 1
    assert noise.drift == pytest.approx((40_000 / 3 - 200) / 40_000)
    assert noise.areas == 4


def test_drift_is_near_another_librarys_on_logarithms() -> None:
    rng = np.random.default_rng(3)
    old = rng.integers(800, 3000, 40).astype(float)
    new = rng.poisson(old * np.exp(rng.normal(0, 0.2, 40))).astype(float)
    peer = combine_effects(np.log(new / old), 1 / new + 1 / old, method_re="iterated")
    found = measure_noise(periods([old.tolist()], [new.tolist()]))
    assert found.drift == pytest.approx(peer.tau2, rel=0.15)


@pytest.mark.parametrize("comparison", [single(0, 0), periods([[0, 0, 5]], [[0, 0, 9]])])
def test_noise_of_next_to_nothing(comparison: Periods) -> None:
    noise = measure_noise(comparison)
    assert (noise.scatter, noise.drift) == (1, 0)
    assert noise.areas < 2
    assert noise.df == np.inf


def test_interval_by_hand() -> None:
    """100 to 60 beside a comparison so large that it is known: p is Wilson's interval of 60 in 160, b = log(p / q)."""
    found = estimate_effect(single(100, 60), single(10**9, 10**9), QUIET)
    z, n, k = t_quantile(0.975, np.inf), 160, 60
    middle, reach = (k + z * z / 2) / (n + z * z), z * np.sqrt(k * (n - k) / n + z * z / 4) / (n + z * z)
    low, high = middle - reach, middle + reach
    assert found.expected == pytest.approx(100)
    assert found.difference == pytest.approx(-40)
    assert found.percent_low == pytest.approx(100 * (low / (1 - low) - 1), abs=1e-4)
    assert found.percent_high == pytest.approx(100 * (high / (1 - high) - 1), abs=1e-4)
    assert (found.low, found.high) == pytest.approx((found.percent_low, found.percent_high))
    assert found.p == pytest.approx(2 * (1 - 0.99921701), abs=1e-6)  # z = 40 / sqrt(160) = 3.1623
    assert found.verdict == "fell"


def test_the_comparison_sets_what_is_expected() -> None:
    found = estimate_effect(single(100, 60), periods([[400, 100]], [[300, 100]]), Noise(1, 0, 2))
    assert found.expected == pytest.approx(80)
    assert found.difference == pytest.approx(-20)
    assert found.percent == pytest.approx(-25)


def test_every_kind_of_noise_widens_the_interval() -> None:
    area, comparison = periods([[50, 50]], [[30, 30]]), periods([[100] * 20], [[100] * 20])
    widths = [
        (found.percent_high or 0) - (found.percent_low or 0)
        for found in (
            estimate_effect(area, comparison, Noise(1.0, 0.0, 21)),
            estimate_effect(area, comparison, Noise(1.5, 0.0, 21)),
            estimate_effect(area, comparison, Noise(1.5, 0.05, 21)),
            estimate_effect(single(100, 60), comparison, Noise(1.5, 0.05, 21)),
            estimate_effect(single(100, 60), comparison, Noise(1.5, 0.05, 4)),
        )
    ]
    assert widths == sorted(widths)
    assert len({round(width, 6) for width in widths}) == 5


def test_nothing_left_is_a_fall_by_everything() -> None:
    found = estimate_effect(single(40, 0), single(1000, 1000), QUIET)
    assert (found.percent, found.percent_low, found.low) == (-100, -100, -40)
    assert found.high is not None
    assert found.high < 0
    assert found.verdict == "fell"


def test_none_before_has_no_percentage() -> None:
    found = estimate_effect(single(0, 30), single(1000, 1000), QUIET)
    assert (found.expected, found.difference, found.percent, found.low) == (0, 30, None, None)
    assert (found.verdict, found.reason) == ("rose", "there were none before")


def test_where_nothing_can_be_known_it_says_why() -> None:
    assert estimate_effect(single(0, 0), single(10, 10), QUIET).reason == "there were no incidents in the area"
    for comparison in (single(0, 10), single(10, 0)):
        found = estimate_effect(single(5, 5), comparison, QUIET)
        assert found.verdict == "not known"
        assert "comparison had no incidents" in found.reason


def test_too_few_to_tell_is_not_no_clear_change() -> None:
    assert estimate_effect(single(6, 5), single(1000, 1000), QUIET).verdict == "too few to tell"
    assert estimate_effect(single(200, 195), single(1000, 1000), QUIET).verdict == "no clear change"
    assert estimate_effect(single(200, 195), single(1000, 1000), Noise(1, 0.3, 9)).verdict == "too few to tell"


COUNT = st.integers(0, 200)


@settings(deadline=None)
@given(COUNT, COUNT, st.integers(1, 500), st.integers(1, 500), st.floats(1, 3), st.floats(0, 0.2), st.integers(2, 40))
def test_intervals_and_verdicts_agree(
    t0: int, t1: int, c0: int, c1: int, scatter: float, drift: float, areas: int
) -> None:
    found = estimate_effect(single(t0, t1), single(c0, c1), Noise(scatter, drift, areas))
    if found.percent is None or found.percent_low is None:
        return
    high = np.inf if found.percent_high is None else found.percent_high
    assert found.percent_low - 1e-6 <= found.percent <= high + 1e-6
    assert found.p is not None
    assert 0 <= found.p <= 1
    clear = found.percent_low > 1e-6 or high < -1e-6
    assert clear == (found.verdict in ("fell", "rose")) or found.p == pytest.approx(0.05, abs=1e-4)
    assert (found.p < 0.05) == (found.verdict in ("fell", "rose")) or found.p == pytest.approx(0.05, abs=1e-9)


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(50, 500), st.integers(50, 500))
def test_time_turned_round_turns_the_effect_round(t0: int, t1: int, c0: int, c1: int) -> None:
    there = estimate_effect(single(t0, t1), single(c0, c1), Noise(1.2, 0.01, 20))
    back = estimate_effect(single(t1, t0), single(c1, c0), Noise(1.2, 0.01, 20))
    assert there.p == pytest.approx(back.p)
    assert (there.percent_low is None) == (back.percent_high is None)
    if there.percent_low is not None and back.percent_high is not None:
        assert (1 + there.percent_low / 100) * (1 + back.percent_high / 100) == pytest.approx(1, rel=1e-6)


# Of 400 operations 5 % are 20, give or take 4.4 (one standard error); these are three of them either way.
REPEATS, FEWEST, MOST = 400, 0.018, 0.083


@pytest.mark.parametrize(
    "world",
    [
        World(1, 18, 50, scatter=1.5, drift=0.01),
        World(1, 18, 20, scatter=1.3, wander=0.002),
        World(8, 60, 3, scatter=1.2, drift=0.05),
    ],
)
def test_false_alarms_come_as_often_as_promised(world: World) -> None:
    outcome = try_out(world, repeats=REPEATS, seed=11)
    assert FEWEST <= outcome.found[0] <= MOST
    assert 1 - MOST <= outcome.covered <= 1 - FEWEST
    # The ways that know nothing of drift cry wolf, or this world would not show that the model does not.
    assert min(outcome.found[1:]) > MOST


@pytest.mark.parametrize("effect", [0.6, 1.3])
def test_intervals_hold_the_true_effect_as_often_as_promised(effect: float) -> None:
    outcome = try_out(World(8, 60, 3, scatter=1.2, drift=0.05, effect=effect), repeats=REPEATS, seed=12)
    assert 1 - MOST <= outcome.covered <= 1 - FEWEST
    assert outcome.found[0] > 0.3


def test_the_page_of_figures_has_the_sections_that_the_command_writes() -> None:
    text = OUT.read_text("utf-8")
    for name in SECTIONS:
        changed = replace_section(text, name, "NEW")
        assert f"<!-- {name} -->\n\nNEW\n\n<!-- end of {name} -->" in changed
        assert len(changed) < len(text)
    with pytest.raises(ValueError, match="no section other"):
        replace_section(text, "other", "NEW")
