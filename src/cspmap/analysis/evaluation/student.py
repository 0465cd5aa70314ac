"""Student's t distribution without SciPy, which the product does not need otherwise."""

from functools import lru_cache
from math import exp, inf, isinf, lgamma, log, log1p
from statistics import NormalDist

_TINY = 1e-300
_STEPS = 400
# From here on the normal distribution is the same to six digits.
_NORMAL = 1e6


def t_tail(value: float, df: float) -> float:
    """The chance, 0 to 0.5 for values from 0 up, that t with `df` degrees of freedom exceeds `value`."""
    if value < 0:
        return 1 - t_tail(-value, df)
    if isinf(value):
        return 0.0
    if df >= _NORMAL:
        return 1 - NormalDist().cdf(value)
    square = value * value
    return 0.5 * _incomplete_beta(df / (df + square), square / (df + square), df / 2)


@lru_cache(maxsize=1_000)
def t_quantile(chance: float, df: float) -> float:
    """The value that t with `df` degrees of freedom stays below with this chance (above 0 and below 1)."""
    if chance < 0.5:
        return -t_quantile(1 - chance, df)
    low, high = 0.0, 1.0
    while t_tail(high, df) > 1 - chance:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if t_tail(middle, df) > 1 - chance else (low, middle)
    return (low + high) / 2


def _incomplete_beta(x: float, rest: float, a: float) -> float:
    """The regularised incomplete beta function I_x(a, 1/2), with `rest` = 1 - x exactly.

    By its continued fraction (Press et al., Numerical Recipes, section 6.4), from the side where it is short.
    """
    b = 0.5
    if x <= 0:
        return 0.0
    if rest <= 0:
        return 1.0
    front = lgamma(a + b) - lgamma(a) - lgamma(b) + a * _log(x, rest) + b * _log(rest, x)
    if x < (a + 1) / (a + b + 2):
        return exp(front) * _fraction(x, a, b) / a
    return 1 - exp(front) * _fraction(rest, b, a) / b


def _log(value: float, rest: float) -> float:
    """log of a value, from what it lacks to 1 where that is less."""
    return log1p(-rest) if rest < 0.5 else log(value)


def _fraction(x: float, a: float, b: float) -> float:
    """Lentz's way of working out the continued fraction."""
    above = 1.0
    value = below = 1 / _apart(1 - (a + b) * x / (a + 1))
    for step in range(1, _STEPS):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        change = inf
        for term in (even, odd):
            below = 1 / _apart(1 + term * below)
            above = _apart(1 + term / above)
            change = above * below
            value *= change
        if abs(change - 1) < 1e-15:
            break
    return value


def _apart(value: float) -> float:
    """A number that can be divided by."""
    return value if abs(value) > _TINY else _TINY
