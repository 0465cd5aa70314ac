"""What printed percentages say, as far as they were rounded: "45.0" is anything from 44.95 to 45.05."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor

from cspmap.periods import Span
from cspmap.targets import Target


def list_percents(target: Target) -> Iterator[tuple[str, Decimal, Span | None]]:
    """The printed percentages of a target: field, percentage and the period it is on, None where that is not said."""
    if target.percent is not None:
        yield "percent", target.percent, target.percent_on or target.baseline_period
    if target.overall_percent is not None:
        yield "overall_percent", target.overall_percent, target.overall_percent_on


def find_change(target: Target, base: Decimal | None) -> Fraction | None:
    """The change for the better from a figure to the target, in per cent of it; None where there is none to tell."""
    if target.value is None or not base:
        return None
    change = base - target.value if target.indicator.direction == "less" else target.value - base
    return 100 * Fraction(change) / Fraction(base)


def holds(printed: Decimal, exact: Fraction) -> bool:
    """Whether a number can have been rounded to the printed one; a half may have gone either way."""
    return abs(Fraction(printed) - exact) <= Fraction(_find_step(printed)) / 2


def round_like(exact: Fraction, printed: Decimal) -> Decimal:
    """A number rounded as a printed one is."""
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(_find_step(printed), ROUND_HALF_UP)


def imply_base(target: Target, percent: Decimal) -> Decimal | None:
    """The whole number that the target is `percent` better than; None where it could be any."""
    exact = _imply(target, Fraction(percent), Fraction(target.value or 0))
    return None if exact is None else Decimal(floor(exact + Fraction(1, 2)))


def imply_range(target: Target) -> tuple[Fraction, Fraction] | None:
    """The least and the most that the figure a target's percentage is on can have been, as both are rounded."""
    if target.percent is None or target.value is None:
        return None
    percent, value = Fraction(target.percent), Fraction(target.value)
    off, step = Fraction(_find_step(target.percent)) / 2, Fraction(_find_step(target.value)) / 2
    less = target.indicator.direction == "less"
    low = _imply(target, percent - off if less else percent + off, value - step)
    high = _imply(target, percent + off if less else percent - off, value + step)
    return None if low is None or high is None else (low, high)


def _imply(target: Target, percent: Fraction, value: Fraction) -> Fraction | None:
    share = 1 - percent / 100 if target.indicator.direction == "less" else 1 + percent / 100
    return value / share if share > 0 else None


def _find_step(printed: Decimal) -> Decimal:
    """The last place that a number was rounded to: 1 for 45, 0.1 for 45.0."""
    return Decimal(1).scaleb(min(int(printed.as_tuple().exponent), 0))
