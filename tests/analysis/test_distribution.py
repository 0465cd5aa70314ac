import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln
from scipy.stats import nbinom, poisson

from cspmap.analysis.distribution import CountDistribution, log_gamma

CHANCES = (0.001, 0.025, 0.1, 0.5, 0.9, 0.975, 0.999)


def test_log_gamma_agrees_with_scipy() -> None:
    values = np.concatenate((np.geomspace(1e-6, 1e9, 400), [1.0, 2.0, 7.999999, 8.0]))
    assert log_gamma(values) == pytest.approx(gammaln(values), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("mean", [0.001, 0.3, 2.0, 7.5, 60.0, 400.0, 1500.0])
def test_poisson_where_the_variance_is_the_mean(mean: float) -> None:
    spread = CountDistribution([mean], [mean])
    for count in {0, 1, int(mean), int(mean + 3 * mean**0.5)}:
        assert spread.at_most(count)[0] == pytest.approx(poisson.cdf(count, mean), abs=1e-8)
    for chance in CHANCES:
        assert spread.quantile(chance)[0] == poisson.ppf(chance, mean)


@pytest.mark.parametrize("mean", [0.05, 1.0, 12.0, 90.0])
@pytest.mark.parametrize("variance_to_mean", [1.001, 1.5, 4.0])
def test_negative_binomial_where_counts_scatter_more(mean: float, variance_to_mean: float) -> None:
    variance = mean * variance_to_mean
    peer = nbinom(mean**2 / (variance - mean), mean / variance)
    spread = CountDistribution([mean], [variance])
    for count in {0, 1, 2, int(mean), int(mean + 3 * variance**0.5)}:
        assert spread.at_most(count)[0] == pytest.approx(peer.cdf(count), abs=1e-8)
    for chance in CHANCES:
        assert spread.quantile(chance)[0] == peer.ppf(chance)


@pytest.mark.parametrize(("mean", "relative"), [(2_000.0, 0.01), (20_000.0, 0.005), (300_000.0, 0.02)])
def test_wide_distributions_are_near_enough_in_steps(mean: float, relative: float) -> None:
    variance = mean + relative * mean**2
    peer = nbinom(mean**2 / (variance - mean), mean / variance)
    spread = CountDistribution([mean], [variance])
    for chance in CHANCES:
        assert spread.quantile(chance)[0] == pytest.approx(peer.ppf(chance), abs=0.01 * variance**0.5)
        assert spread.at_most(peer.ppf(chance))[0] == pytest.approx(chance, abs=0.002)


def test_by_hand() -> None:
    """Mean 2, variance 4 is a shape of 2 at a half: 1/4, 2/8, 3/16, 4/32 for 0, 1, 2, 3."""
    spread = CountDistribution([2.0], [4.0])
    assert [spread.at_most(count)[0] for count in range(-1, 4)] == pytest.approx([0, 1 / 4, 1 / 2, 11 / 16, 13 / 16])
    assert spread.quantile(0.5)[0] == 1
    assert spread.quantile(0.51)[0] == 2
    # A quarter of the way up from the chance of at most 1 to that of at most 2.
    assert spread.limit(1 / 2 + 3 / 64)[0] == pytest.approx(1.25)
    assert spread.limit(0.01)[0] == 0


def test_several_at_once_answer_as_each_alone() -> None:
    means, variances = np.array([0.2, 3.0, 5_000.0]), np.array([0.2, 9.0, 60_000.0])
    asked = np.array([1.0, 2.0, 5_100.0])
    together = CountDistribution(means, variances)
    for place in range(3):
        alone = CountDistribution(means[[place]], variances[[place]])
        assert together.at_most(asked)[place] == pytest.approx(alone.at_most(asked[place])[0], abs=1e-4)
        assert together.quantile(0.9)[place] == pytest.approx(alone.quantile(0.9)[0], abs=1)


def test_what_is_not_known_stays_so() -> None:
    spread = CountDistribution([np.nan, 3.0, 3.0], [1.0, np.nan, 3.0])
    assert np.isnan(spread.at_most(2)).tolist() == [True, True, False]
    assert np.isnan(spread.quantile(0.5)).tolist() == [True, True, False]
    assert np.isnan(spread.limit(0.5)).tolist() == [True, True, False]
    assert np.isnan(spread.at_most([1.0, 1.0, np.nan])).all()
    assert CountDistribution([], []).quantile(0.5).shape == (0,)


@settings(deadline=None)
@given(st.floats(0.01, 5_000), st.floats(1, 30), st.floats(0.001, 0.999))
def test_quantile_is_the_first_count_that_reaches_the_chance(mean: float, ratio: float, chance: float) -> None:
    spread = CountDistribution([mean], [mean * ratio])
    count = spread.quantile(chance)[0]
    assert spread.at_most(count)[0] >= chance - 1e-9
    assert spread.at_most(count - 1)[0] <= chance + 1e-9
    assert spread.limit(chance)[0] <= count
