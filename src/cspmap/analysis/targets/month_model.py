"""How monthly counts of incidents move: a level that drifts, a season, and scatter beyond chance.

The model behind the usual share of the year and the projected year end. Every series is worked out from its own
months alone, so that a target's figures do not hang on which other targets stand beside it.
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cspmap.analysis.measures import Floats
from cspmap.periods import Month

Flags = NDArray[np.bool_]

# What Jeffreys' prior adds to the counts of a series, so that months of nothing do not rule a later incident out.
_HALF = 0.5
_AVERAGE_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Scatter:
    """How the counts of a series scatter about their level, as relative variances (of a month with mean count m).

    - extra: beyond chance, in proportion to the count: chance and it together make (1 + extra) / m
    - noise: beyond chance, at any size of count
    - drift, drift_of_counts: of the level from one month to the next, drift + drift_of_counts / m
    - season: of a calendar month's usual departure from the average: what it may be, and how likely each is before
      anything is known of the series
    - months: how many months of a series' own scatter weigh as much as these constants do

    docs/backtest.md says what they were chosen on, and how they did on what they were not chosen on.
    """

    extra: float = 1.5
    noise: float = 0.007
    drift: float = 0.0003
    drift_of_counts: float = 0.04
    season: Mapping[float, float] = field(default_factory=lambda: {0.002: 0.3, 0.01: 0.4, 0.05: 0.3})
    months: float = 8.0


SCATTER = Scatter()


@dataclass(frozen=True)
class MonthModel:
    """Series of monthly counts, fitted by `fit_months`. Shapes are (series,), (series, months) or (series, 12).

    `level` is the mean count of an average month, NaN where no month is known. `season` is each calendar month
    against the average one, January first, its length apart. `spread` is how much the series scatters against what
    the constants say, drawn towards 1.
    """

    level: Floats
    season: Floats
    spread: Floats
    _weights: Floats
    _fit: "_Fit"

    def predict(self, wanted: Flags) -> tuple[Floats, Floats]:
        """The sum of the months wanted of each series, none of them known: its mean and its variance.

        The variance is that of the counts and that of what is not known of them: level, season and drift. Both are
        NaN where no month of the series is known.
        """
        strengths = len(self._weights)
        means, variances = (part.reshape(strengths, -1) for part in self._fit.predict(np.tile(wanted, (strengths, 1))))
        mean = _mix(self._weights, means)
        return mean, _mix(self._weights, variances + (means - mean) ** 2)


def fit_months(counts: Floats, months: Sequence[Month], *, scatter: Scatter = SCATTER) -> MonthModel:
    """Fit each series on its known months.

    `counts` are (series, months) with NaN where a month is not known; `months` follow one another without a gap.
    With w_t the length of month t against the average month, m the series' mean count of an average month and
    a_t = m w_t, the counts are taken to have

        E y_t = a_t b,    Var y_t = (1 + extra) a_t + noise a_t^2 + what they share,
        Cov(y_t, y_u) = a_t a_u (season (same calendar month - 1/12) + (drift + drift_of_counts / m) min(t, u))

    with b, the level against the mean, unknown. The sum of unknown months then has a best linear unbiased predictor
    in closed form (universal kriging). Its variance is scaled by `spread`, the generalised Pearson statistic of the
    known months, shrunk towards 1 with the weight of `scatter.months`. How strong the season is, is not known: the
    predictions of each strength are mixed by how well it explains the known months (their restricted likelihood) times
    how likely it was before. Without any scatter beyond chance the mean and variance are those of the Gamma-Poisson
    predictive distribution under Jeffreys' prior.

    Sources: Goldberger, A. S. (1962), "Best linear unbiased prediction in the generalized linear regression model",
    Journal of the American Statistical Association 57, 369-375; West, M., Harrison, P. J. and Migon, H. S. (1985),
    "Dynamic generalized linear models and Bayesian forecasting", the same journal 80, 73-83; Hoeting, J. A. et al.
    (1999), "Bayesian model averaging", Statistical Science 14, 382-417.
    """
    strengths = len(scatter.season)
    season = np.repeat(list(scatter.season), len(counts))
    fit = _fit_each(np.tile(counts, (strengths, 1)), months, season=season, scatter=scatter)
    logs = fit.likelihood.reshape(strengths, -1) + np.log(list(scatter.season.values()))[:, None]
    weights = np.exp(logs - logs.max(axis=0, initial=-np.inf))
    weights /= weights.sum(axis=0)
    shape = (strengths, -1)
    return MonthModel(
        level=_mix(weights, fit.level.reshape(shape)),
        season=_mix(weights[:, :, None], fit.find_season().reshape(strengths, -1, 12)),
        spread=_mix(weights, fit.spread.reshape(shape)),
        _weights=weights,
        _fit=fit,
    )


def weigh_months(months: Sequence[Month]) -> Floats:
    """The length of each month against the average month."""
    return np.array([monthrange(month.year, month.month)[1] / _AVERAGE_MONTH for month in months])


@dataclass(frozen=True)
class _Fit:
    """Each series under one strength of season: `fit_months` of one strength, in the notation of its formulas.

    `expected` are a_t, `against_mean` is b. The rest is over the months that any series knows (`used`, `told` are their
    a_t, 0 where the series does not know them): `pull` is the inverse of their covariance times a, `pushed` the inverse
    times what the counts differ from b a.
    """

    scatter: Scatter
    months: Sequence[Month]
    used: NDArray[np.intp]
    mean: Floats
    expected: Floats
    told: Floats
    season: Floats
    drift: Floats
    against_mean: Floats
    spread: Floats
    likelihood: Floats
    covariance: Floats
    pull: Floats
    pushed: Floats

    @property
    def level(self) -> Floats:
        return self.against_mean * self.mean

    def find_season(self) -> Floats:
        """Each calendar month against the average one, (series, 12)."""
        calendar = np.array([month.month - 1 for month in self.months])[self.used]
        departure = (calendar[:, None] == np.arange(12)) - 1 / 12
        shown = self.season[:, None] * ((self.told * self.pushed) @ departure) / self.against_mean[:, None]
        return np.asarray(np.maximum(1 + shown, 0.05))

    def predict(self, wanted: Flags) -> tuple[Floats, Floats]:
        """As `MonthModel.predict`."""
        asked = np.where(wanted, self.expected, 0.0)
        same_month, steps = _make_kernels(self.months)
        reach = self.season[:, None] * (asked @ same_month) + self.drift[:, None] * (asked @ steps)
        across = self.told * reach[:, self.used]
        pulled = np.linalg.solve(self.covariance, across[:, :, None])[:, :, 0]
        total = asked.sum(axis=1)
        missed = total - (self.pull * across).sum(axis=1)
        information = (self.pull * self.told).sum(axis=1)
        mean = total * self.against_mean + (across * self.pushed).sum(axis=1)
        variance = (
            (asked * reach).sum(axis=1)
            + _scatter_alone(asked, self.scatter).sum(axis=1)
            - (across * pulled).sum(axis=1)
            + np.divide(missed**2, information, out=np.full(total.shape, np.nan), where=information > 0)
        )
        # Months that go down steeply could be drawn out to below nothing.
        return np.maximum(mean, 1e-3 * total), variance * self.spread


def _fit_each(counts: Floats, months: Sequence[Month], *, season: Floats, scatter: Scatter) -> _Fit:
    used = np.flatnonzero(np.isfinite(counts).any(axis=0))
    known = np.isfinite(counts[:, used])
    number = np.maximum(known.sum(axis=1), 1)
    weights = weigh_months(months)
    start = np.where(known, counts[:, used] + _HALF / number[:, None], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.maximum(start.sum(axis=1), _HALF) / np.where(known, weights[used], 0.0).sum(axis=1)
    mean = np.where(known.any(axis=1), mean, np.nan)
    expected = mean[:, None] * weights
    drift = scatter.drift + scatter.drift_of_counts / mean

    told = np.where(known, expected[:, used], 0.0)
    same_month, steps = (kernel[np.ix_(used, used)] for kernel in _make_kernels(months))
    covariance = season[:, None, None] * same_month + np.nan_to_num(drift)[:, None, None] * steps
    covariance *= told[:, :, None]
    covariance *= told[:, None, :]
    diagonal = np.arange(len(used))
    # A month that a series does not know tells nothing: a row and column of its own.
    covariance[:, diagonal, diagonal] += np.where(known, _scatter_alone(told, scatter), 1.0)
    solved: Floats = np.linalg.solve(covariance, np.stack([told, start], axis=-1)).astype(np.float64, copy=False)

    pull = solved[:, :, 0]
    information = (pull * told).sum(axis=1)
    with np.errstate(invalid="ignore"):
        against_mean = (pull * start).sum(axis=1) / information
    rest = np.where(known, start - against_mean[:, None] * told, 0.0)
    pushed = np.where(known, solved[:, :, 1] - against_mean[:, None] * pull, 0.0)
    statistic = (rest * pushed).sum(axis=1)
    freedom = number - 1
    weight = scatter.months + freedom
    roots = np.linalg.cholesky(covariance)[:, diagonal, diagonal]
    size = 2 * np.log(roots).sum(axis=1) + np.log(np.where(information > 0, information, 1.0))
    return _Fit(
        scatter=scatter,
        months=months,
        used=used,
        mean=mean,
        expected=expected,
        told=told,
        season=season,
        drift=drift,
        against_mean=against_mean,
        spread=1 + (statistic - freedom) / weight,
        likelihood=-0.5 * (size + weight * np.log1p(statistic / scatter.months)),
        covariance=covariance,
        pull=pull,
        pushed=pushed,
    )


def _mix(weights: Floats, parts: Floats) -> Floats:
    """The mean over the strengths of the season, the first axis of both."""
    return np.asarray((weights * parts).sum(axis=0))


def _make_kernels(months: Sequence[Month]) -> tuple[Floats, Floats]:
    """What two months share by the season and by the drift of the level, (months, months) each."""
    calendar = np.array([month.month for month in months])
    steps = np.arange(len(months), dtype=np.float64)
    return (calendar[:, None] == calendar) - 1 / 12, np.minimum(steps[:, None], steps)


def _scatter_alone(expected: Floats, scatter: Scatter) -> Floats:
    """The variance that a month shares with no other."""
    return np.asarray((1 + scatter.extra) * expected + scatter.noise * expected**2)
