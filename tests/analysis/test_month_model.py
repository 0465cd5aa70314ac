from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.analysis.targets.month_model import SCATTER, Scatter, fit_months, weigh_months
from cspmap.periods import Month, Span

CHANCE_ALONE = Scatter(extra=0, noise=0, drift=0, drift_of_counts=0, season={0.0: 1.0}, months=1e9)
TWO_YEARS = tuple(Span(Month(2021, 5), Month(2023, 4)))
THREE_YEARS = tuple(Span(Month(2021, 5), Month(2024, 4)))
SERIES = st.lists(st.one_of(st.integers(0, 200), st.none()), min_size=24, max_size=24)


def last(months: int, wanted: int, series: int = 1) -> np.ndarray:
    """The last `wanted` of so many months, for each series."""
    return np.repeat(np.arange(months)[None] >= months - wanted, series, axis=0)


def test_months_weigh_what_their_days_do() -> None:
    weights = weigh_months([Month(2023, 2), Month(2024, 2), Month(2024, 4)])
    assert weights == pytest.approx([28 * 12 / 365.25, 29 * 12 / 365.25, 30 * 12 / 365.25])


def test_with_chance_alone_it_is_the_gamma_poisson_prediction() -> None:
    """Jeffreys: a level of (15 + 1/2) / 6 a month; the next 6 months have mean 15.5 and variance 15.5 (1 + 6/6)."""
    counts = np.array([[3.0, 4, 5, 0, 2, 1] + [np.nan] * 6])
    months = TWO_YEARS[:12]
    exposure = weigh_months(months)
    seen, left = exposure[:6].sum(), exposure[6:].sum()
    mean, variance = fit_months(counts, months, scatter=CHANCE_ALONE).predict(last(12, 6))
    assert mean[0] == pytest.approx(15.5 * left / seen)
    assert variance[0] == pytest.approx(15.5 * left / seen * (1 + left / seen))
    assert (mean[0], variance[0]) == pytest.approx((15.5, 31), rel=0.03)


def test_months_of_nothing_do_not_rule_an_incident_out() -> None:
    counts = np.array([[0.0] * 12 + [np.nan] * 12])
    mean, variance = fit_months(counts, TWO_YEARS, scatter=CHANCE_ALONE).predict(last(24, 12))
    assert mean[0] == pytest.approx(0.5, rel=0.01)
    assert variance[0] == pytest.approx(1.0, rel=0.01)


def work_out_alone(series: np.ndarray, wanted: np.ndarray, season: float) -> tuple[float, float, float, float]:
    """Level, mean, variance and log likelihood by the textbook: GLS by statsmodels, then Goldberger's formulas."""
    gls = pytest.importorskip("statsmodels.api").GLS
    weights = weigh_months(THREE_YEARS)
    known = np.isfinite(series)
    counts = series[known] + 0.5 / known.sum()
    size = counts.sum() / weights[known].sum()
    expected = size * weights
    calendar = np.array([month.month for month in THREE_YEARS])
    steps = np.arange(len(weights))
    relative = season * ((calendar[:, None] == calendar) - 1 / 12)
    relative = relative + (SCATTER.drift + SCATTER.drift_of_counts / size) * np.minimum(steps[:, None], steps)
    covariance = np.outer(expected, expected) * relative
    covariance += np.diag((1 + SCATTER.extra) * expected + SCATTER.noise * expected**2)
    inner, across = covariance[np.ix_(known, known)], covariance[np.ix_(known, wanted)].sum(axis=1)
    fitted = gls(counts, expected[known], sigma=inner).fit()
    level = fitted.params[0]
    mean = level * expected[wanted].sum() + across @ np.linalg.solve(inner, counts - level * expected[known])
    missed = expected[wanted].sum() - expected[known] @ np.linalg.solve(inner, across)
    information = expected[known] @ np.linalg.solve(inner, expected[known])
    variance = covariance[np.ix_(wanted, wanted)].sum() - across @ np.linalg.solve(inner, across)
    variance += missed**2 / information
    statistic = fitted.wresid @ fitted.wresid
    freedom = SCATTER.months + known.sum() - 1
    likelihood = -0.5 * (
        np.linalg.slogdet(inner)[1] + np.log(information) + freedom * np.log(1 + statistic / SCATTER.months)
    )
    return level * size, mean, variance * (SCATTER.months + statistic) / freedom, likelihood


def make_series(size: float) -> tuple[np.ndarray, np.ndarray]:
    """Counts with gaps, and the months of the last year to predict."""
    counts = np.random.default_rng(11).poisson(size, 36).astype(float)
    counts[[3, 17, 18]] = np.nan
    counts[29:] = np.nan
    return counts, (np.arange(36) >= 24) & ~np.isfinite(counts)


@pytest.mark.parametrize("size", [0.4, 6.0, 150.0])
def test_agrees_with_the_textbook(size: float) -> None:
    counts, wanted = make_series(size)
    model = fit_months(counts[None], THREE_YEARS, scatter=replace(SCATTER, season={0.01: 1.0}))
    mean, variance = model.predict(wanted[None])
    level, peer_mean, peer_variance, _ = work_out_alone(counts, wanted, 0.01)
    assert model.level[0] == pytest.approx(level)
    assert mean[0] == pytest.approx(peer_mean)
    assert variance[0] == pytest.approx(peer_variance)


@pytest.mark.parametrize("size", [6.0, 150.0])
def test_strengths_of_season_are_mixed_by_what_they_explain(size: float) -> None:
    counts, wanted = make_series(size)
    mean, variance = fit_months(counts[None], THREE_YEARS).predict(wanted[None])
    parts = np.array([work_out_alone(counts, wanted, season) for season in SCATTER.season])
    weights = np.exp(parts[:, 3] - parts[:, 3].max()) * list(SCATTER.season.values())
    weights /= weights.sum()
    assert mean[0] == pytest.approx(weights @ parts[:, 1])
    assert variance[0] == pytest.approx(weights @ (parts[:, 2] + (parts[:, 1] - mean[0]) ** 2))


def test_a_summer_peak_is_seen_and_drawn_in() -> None:
    calendar = np.array([month.month for month in THREE_YEARS])
    shape = 1 + 0.3 * np.cos(2 * np.pi * (calendar - 7) / 12)
    season = fit_months((400 * shape * weigh_months(THREE_YEARS))[None], THREE_YEARS).season[0]
    assert np.argmax(season) == 6
    assert np.argmin(season) == 0
    assert 1.15 < season[6] < 1.3
    few = fit_months((4 * shape * weigh_months(THREE_YEARS))[None], THREE_YEARS).season[0]
    assert 1 < few[6] < 1.05


def test_the_prediction_follows_the_season_and_the_recent_level() -> None:
    calendar = np.array([month.month for month in THREE_YEARS])
    counts = 300 * (1 + 0.3 * np.cos(2 * np.pi * (calendar - 7) / 12))
    known = np.where(np.arange(36) < 24, counts, np.nan)
    model = fit_months(known[None], THREE_YEARS)
    single = np.eye(36, dtype=bool)
    july, january = (model.predict(single[[place]])[0][0] for place in (26, 32))
    assert july > 1.2 * january
    stepped = np.where(np.arange(36) < 12, 100.0, 200.0)
    stepped[24:] = np.nan
    mean, _ = fit_months(stepped[None], THREE_YEARS).predict(last(36, 12))
    assert 12 * 160 < mean[0] < 12 * 205


def test_scatter_beyond_chance_widens_the_prediction() -> None:
    steady = np.array([[20.0, 21, 19, 20, 22, 18] * 4 + [np.nan] * 12])
    wild = np.array([[5.0, 41, 9, 35, 2, 28] * 4 + [np.nan] * 12])
    models = [fit_months(counts, THREE_YEARS) for counts in (steady, wild)]
    assert models[0].spread[0] < 1 < models[1].spread[0]
    assert models[0].predict(last(36, 12))[1][0] < models[1].predict(last(36, 12))[1][0] / 2


def test_nothing_known_is_nothing_predicted() -> None:
    counts = np.full((2, 24), np.nan)
    counts[1, :3] = 4
    model = fit_months(counts, TWO_YEARS)
    mean, variance = model.predict(last(24, 12, 2))
    assert np.isnan(mean).tolist() == [True, False]
    assert np.isnan(variance).tolist() == [True, False]
    assert np.isnan(model.level).tolist() == [True, False]


def test_corrections_below_zero_do_not_break_it() -> None:
    mean, variance = fit_months(np.array([[-1.0, 0, -2, 0] + [np.nan] * 8]), TWO_YEARS[:12]).predict(last(12, 8))
    assert mean[0] > 0
    assert np.isfinite(variance[0])


@settings(deadline=None, max_examples=50)
@given(st.lists(SERIES, min_size=1, max_size=4))
def test_a_series_is_told_by_its_own_months_alone(table: list[list[int | None]]) -> None:
    counts = np.array([values + [None] * 12 for values in table], dtype=float)
    together = fit_months(counts, THREE_YEARS).predict(last(36, 12, len(table)))
    for place in range(len(table)):
        alone = fit_months(counts[[place]], THREE_YEARS).predict(last(36, 12))
        assert together[0][place] == pytest.approx(alone[0][0], nan_ok=True)
        assert together[1][place] == pytest.approx(alone[1][0], nan_ok=True)


@settings(deadline=None, max_examples=50)
@given(SERIES.filter(lambda values: any(value is not None for value in values)))
def test_predictions_are_possible_counts(values: list[int | None]) -> None:
    counts = np.array([values + [None] * 12], dtype=float)
    mean, variance = fit_months(counts, THREE_YEARS).predict(last(36, 12))
    assert mean[0] > 0
    assert variance[0] > 0
