"""Rates, smoothed rates and shares: what a count means beside the people it fell on.

Shapes: numbers in, a number out; sequences or arrays in, an array out; a Series in, a Series with that Series'
index out. Where both are Series they are matched by label, and the answer has the index of the count. Missing may
be None, NaN or (in a Series) pandas' NA; it comes out as NaN. No function here returns an infinite number.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Array: TypeAlias = NDArray[Any] | Sequence[float | None]
Column: TypeAlias = pd.Series


def as_floats(values: Array | Column | float | None) -> Floats:
    """`values` as floats, every kind of missing as NaN; the shape is kept."""
    if isinstance(values, pd.Series):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(np.nan if values is None else values, dtype=np.float64)


@overload
def rate(count: Column, population: Array | Column | float | None, *, per: float = ...) -> Column: ...
@overload
def rate(count: Array | float | None, population: Column, *, per: float = ...) -> Column: ...
@overload
def rate(count: float | None, population: float | None, *, per: float = ...) -> float: ...
@overload
def rate(count: Array, population: Array | float | None, *, per: float = ...) -> Floats: ...
@overload
def rate(count: float | None, population: Array, *, per: float = ...) -> Floats: ...
def rate(
    count: Array | Column | float | None,
    population: Array | Column | float | None,
    *,
    per: float = 1000,
) -> Column | Floats | float:
    """Incidents for each `per` of the population: `per x count / population`.

    `population` is residents or households, whichever the measure asks for. NaN where the count or the population
    is missing, and where the population is zero or less: there is no rate where nobody lives.
    """
    shaped: Column | Floats | float = _shaped(_quotient(count, population, per), count, population)
    return shaped


@overload
def share(count: Column, total: Array | Column | float | None) -> Column: ...
@overload
def share(count: Array | float | None, total: Column) -> Column: ...
@overload
def share(count: float | None, total: float | None) -> float: ...
@overload
def share(count: Array, total: Array | float | None) -> Floats: ...
@overload
def share(count: float | None, total: Array) -> Floats: ...
def share(count: Array | Column | float | None, total: Array | Column | float | None) -> Column | Floats | float:
    """Part of the whole, 0 to 1: `count / total`; NaN where either is missing or the total is zero."""
    shaped: Column | Floats | float = _shaped(_quotient(count, total, 1.0), count, total)
    return shaped


@overload
def empirical_bayes(count: Column, population: Array | Column, *, per: float = ...) -> Column: ...
@overload
def empirical_bayes(count: Array, population: Column, *, per: float = ...) -> Column: ...
@overload
def empirical_bayes(count: Array, population: Array, *, per: float = ...) -> Floats: ...
def empirical_bayes(count: Array | Column, population: Array | Column, *, per: float = 1000) -> Column | Floats:
    """Smoothed rates for each `per` of the population, small zones drawn towards the rate of all zones together.

    Marshall's global estimator. With the raw rate `r_i = c_i / p_i`, the rate of all zones `m = sum c / sum p`,
    the mean population `p' = sum p / n` and the spread of the rates `s2 = sum p_i (r_i - m)^2 / sum p`::

        A     = max(0, s2 - m / p')         variance between zones beyond chance
        w_i   = A / (A + m / p_i)           0 to 1, nearer 1 the more people live in the zone
        eb_i  = m + w_i (r_i - m)           so it lies between m and r_i, and is never negative

    Zones whose count or population is missing, whose population is zero or whose count is negative (a publisher's
    correction) take no part and are NaN.

    Source: Marshall, R. J. (1991), "Mapping disease and mortality rates using empirical Bayes estimators",
    Journal of the Royal Statistical Society C 40(2), 283-294.
    """
    counts, people = _matched(count, population)
    used = (counts >= 0) & (people > 0) & np.isfinite(counts) & np.isfinite(people)
    smoothed = np.full(counts.shape, np.nan)
    if used.any():
        c, p = counts[used], people[used]
        raw, overall = c / p, c.sum() / p.sum()
        between = max(0.0, (p * (raw - overall) ** 2).sum() / p.sum() - overall / p.mean())
        weight = between / (between + overall / p) if between > 0 else np.zeros_like(raw)
        smoothed[used] = per * (overall + weight * (raw - overall))
    shaped: Column | Floats = _shaped(smoothed, count, population)
    return shaped


def _matched(first: Array | Column | float | None, second: Array | Column | float | None) -> tuple[Floats, Floats]:
    """Both as float arrays of one shape; two Series are matched by label, in the order of the first."""
    if isinstance(first, pd.Series) and isinstance(second, pd.Series) and not first.index.equals(second.index):
        second = second.reindex(first.index)
    one, other = np.broadcast_arrays(as_floats(first), as_floats(second))
    return one, other


def _quotient(
    numerator: Array | Column | float | None, denominator: Array | Column | float | None, factor: float
) -> Floats:
    top, bottom = _matched(numerator, denominator)
    known = np.isfinite(top) & np.isfinite(bottom) & (bottom > 0)
    quotient = np.full(top.shape, np.nan)
    with np.errstate(over="ignore"):
        np.divide(top * factor, bottom, out=quotient, where=known)
    # A denominator next to nothing overflows; that is no rate either.
    quotient[np.isinf(quotient)] = np.nan
    return quotient


def _shaped(
    values: Floats, first: Array | Column | float | None, second: Array | Column | float | None
) -> Any:  # the overloads of the callers say which of the three
    for given in (first, second):
        if isinstance(given, pd.Series):
            return pd.Series(values, index=given.index)
    return values if values.ndim else float(values)
