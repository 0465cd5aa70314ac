"""How counts are spread: the Poisson distribution and, where they scatter more, the negative binomial.

Several distributions at a time, each worked out on a table of counts. No function here needs SciPy.
"""

import numpy as np

from cspmap.analysis.measures import Array, Column, Floats, as_floats

# A variance this close to the mean is a Poisson distribution's; the negative binomial's formula loses digits there.
_POISSON = 1e-4
# The table reaches this many standard deviations, and then this many lengths of the upper tail's exponential fall:
# what is left out weighs less than 1e-8 at any shape.
_SPREAD, _TAIL = 8.0, 20.0


class CountDistribution:
    """One distribution of a count for each pair of a mean and a variance, both 1-dimensional, of one length.

    Negative binomial with that mean and variance; Poisson where the variance does not exceed the mean. Where the
    mean or the variance is not known (NaN) so is every answer. Wide distributions are tabulated in steps of several
    counts, at most `most` steps, and interpolated between them; all others exactly.
    """

    def __init__(self, mean: Array | Column, variance: Array | Column, *, most: int = 1024) -> None:
        self.mean, self.variance = as_floats(mean), as_floats(variance)
        self._known = np.isfinite(self.mean) & np.isfinite(self.variance)
        middle = np.maximum(np.where(self._known, self.mean, 1.0), 1e-9)
        square = np.maximum(np.where(self._known, self.variance, 1.0), middle)
        reach = _SPREAD * np.sqrt(square)
        first = np.floor(np.maximum(middle - reach, 0.0))
        width = np.ceil(middle + reach + _TAIL * square / middle) - first
        points = int(min(width.max(initial=1.0) + 1, most))
        self._step = np.ceil((width + 1) / points)
        self._counts = first[:, None] + self._step[:, None] * np.arange(points, dtype=np.float64)
        weights = _weigh(self._counts, middle[:, None], square[:, None])
        # The chance of at most the count of a step: all steps before it, and of its own the half below and the count.
        below = np.cumsum(weights, axis=1) - weights
        self._at_most = (below + weights * (0.5 + 0.5 / self._step[:, None])) / weights.sum(axis=1, keepdims=True)

    def at_most(self, count: Array | Column | float) -> Floats:
        """The chance, 0 to 1, of no more than `count`, one for each distribution; a part of a count does not count."""
        asked = np.floor(np.broadcast_to(as_floats(count), self.mean.shape) + 1e-9)
        place = (np.where(np.isfinite(asked), asked, 0.0) - self._counts[:, 0]) / self._step
        last = self._counts.shape[1] - 1
        step = np.clip(np.floor(place), -1, last).astype(np.intp)
        part = np.clip(place - step, 0.0, 1.0)
        chance = (1 - part) * self._cumulative(step) + part * self._cumulative(step + 1)
        return np.where(self._known & np.isfinite(asked), chance, np.nan)

    def quantile(self, chance: float) -> Floats:
        """The smallest count that is not exceeded with at least this chance."""
        return np.where(self._known, np.ceil(np.maximum(self._cross(chance) - 1e-9, 0.0)), np.nan)

    def limit(self, chance: float) -> Floats:
        """The quantile interpolated between whole counts, as control limits of counts are drawn; never below 0.

        Source: Spiegelhalter, D. J. (2005), "Funnel plots for comparing institutional performance", Statistics in
        Medicine 24(8), 1185-1202, appendix A.1.1.
        """
        return np.where(self._known, np.maximum(self._cross(chance), 0.0), np.nan)

    def _cumulative(self, step: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Floats:
        """The chance of at most the count of each distribution's own step: 0 before the first, 1 after the last."""
        last = self._counts.shape[1] - 1
        found = np.take_along_axis(self._at_most, np.clip(step, 0, last)[:, None], axis=1)[:, 0]
        return np.where(step < 0, 0.0, np.where(step > last, 1.0, found))

    def _cross(self, chance: float) -> Floats:
        """Where the chance of at most so many, joined up between the steps, reaches `chance`."""
        last = self._counts.shape[1] - 1
        step = np.minimum((self._at_most < chance - 1e-12).sum(axis=1), last)
        above, below = self._cumulative(step), self._cumulative(step - 1)
        count = np.take_along_axis(self._counts, step[:, None], axis=1)[:, 0]
        rise = np.maximum(above - below, 1e-300)
        return np.asarray(count - self._step * np.clip((above - chance) / rise, 0.0, 1.0))


def _weigh(counts: Floats, mean: Floats, variance: Floats) -> Floats:
    """Chances of the counts (rows of a table), not yet scaled to sum to 1."""
    poisson = variance <= mean * (1 + _POISSON)
    excess = np.where(poisson, mean, variance - mean)
    shape = mean * mean / excess
    plain = counts * np.log(mean) - log_gamma(counts + 1)
    mixed = log_gamma(counts + shape) - log_gamma(counts + 1) + counts * np.log(excess / (mean + excess))
    logs = np.where(poisson, plain, mixed)
    return np.asarray(np.exp(logs - logs.max(axis=1, keepdims=True)))


def log_gamma(values: Floats) -> Floats:
    """The natural logarithm of the gamma function of numbers above 0, to 10 digits or better.

    Stirling's series, after the recurrence has lifted small numbers above 8.
    """
    small = values < 8
    lifted = np.where(small, values + 8, values)
    inverse = 1 / lifted
    square = inverse * inverse
    series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))
    logs = (lifted - 0.5) * np.log(lifted) - lifted + 0.5 * np.log(2 * np.pi) + series
    if small.any():
        low = values[small]
        product = low.copy()
        for step in range(1, 8):
            product *= low + step
        logs[small] -= np.log(product)
    return np.asarray(logs)
