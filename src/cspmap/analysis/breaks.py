"""Classes for a map: where one colour ends and the next begins, with the rule in words for the legend.

Written on numpy alone. The usual library for these schemes brings scikit-learn with it and takes over a second to
import, which a server would spend before its first map, and several seconds for the natural breaks of 2,000 areas.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cspmap.analysis.measures import Array, Column, Floats, as_floats
from cspmap.errors import UserError
from cspmap.selection import SCHEMES, Scheme

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
_RULES: dict[Scheme, str] = {
    "quantile": "{number} classes with about as many areas in each (quantiles)",
    "fisher-jenks": "{number} classes that put like areas together (natural breaks, Fisher-Jenks)",
    "equal-interval": "{number} classes of equal width, from the lowest value to the highest (equal intervals)",
    "standard-deviation": "{number} classes around the mean, at steps of one standard deviation",
}
# By number of classes of a change map: how many times larger or smaller parts one class from the next.
_TIMES: dict[int, tuple[float, ...]] = {3: (), 5: (2.0,), 7: (1.5, 2.0), 9: (1.25, 1.5, 2.0)}


@dataclass(frozen=True)
class Breaks:
    """Classes of a legend, lowest first.

    Class i holds values above the bound before it (the first: from `lower`) up to and including `upper[i]`.
    `upper` rises strictly; it is empty, and `lower` NaN, where there was nothing to classify. `rule` is one plain
    sentence, without a final stop, that states how the bounds came about.
    """

    upper: tuple[float, ...]
    lower: float
    scheme: str
    rule: str

    def classify(self, values: Array | Column) -> NDArray[np.intp]:
        """Class number of each value, 0 for the lowest; -1 where it is missing, or where there are no classes.

        Values outside the bounds, as a second period may bring, go to the first or last class.
        """
        given = as_floats(values)
        if not self.upper:
            return np.full(given.shape, -1, dtype=np.intp)
        found = np.minimum(np.searchsorted(self.upper, given, side="left"), len(self.upper) - 1)
        return np.where(np.isfinite(given), found, -1).astype(np.intp)


def class_breaks(values: Array | Column, *, scheme: Scheme, k: int) -> Breaks:
    """Up to `k` classes for `values` (any unit; missing ones take no part).

    There are never more classes than distinct values. Schemes:

    - quantile: bounds at the 1/k, 2/k ... quantiles, interpolated linearly; no class is empty, and of no more than `k`
      distinct values each has a class of its own
    - fisher-jenks: least sum over classes of squared distances to the class mean, found exactly
    - equal-interval: bounds at equal steps from least to greatest
    - standard-deviation: steps of one sample standard deviation (n - 1), centred on the mean, within the data

    Raises UserError where the scheme is not one of these or `k` is below 1.

    Sources: Fisher, W. D. (1958), "On grouping for maximum homogeneity", Journal of the American Statistical
    Association 53, 789-798; Jenks, G. F. (1967), "The data model concept in statistical mapping".
    """
    if scheme not in SCHEMES:
        raise UserError(f"There is no class scheme {scheme!r}; choose one of {', '.join(SCHEMES)}.")
    if k < 1:
        raise UserError(f"A map needs at least one class, got {k}; ask for one or more.")
    known, distinct = _known(values)
    if not len(distinct):
        return Breaks((), np.nan, scheme, "No area has a value to show")
    k = min(k, len(distinct))
    if k == 1:
        only = "All areas in one class" if len(distinct) > 1 else "Every area with a value has the same one"
        return Breaks((float(distinct[-1]),), float(distinct[0]), scheme, only)
    if scheme == "quantile" and k == len(distinct):
        return Breaks(tuple(distinct.tolist()), float(distinct[0]), scheme, "Each value has a class of its own")
    bounds = _BOUNDS[scheme](known, k)
    inside = bounds[(bounds >= distinct[0]) & (bounds < distinct[-1])]
    upper = np.unique(np.append(inside, distinct[-1]))
    if scheme == "quantile":
        upper = _drop_empty(upper, distinct)
    return Breaks(tuple(upper.tolist()), float(distinct[0]), scheme, _rule(scheme, len(upper)))


def change_breaks(*, k: int) -> Breaks:
    """`k` classes (odd, 3 to 9) for changes in per cent, the same for every map so that maps compare.

    The middle class holds zero alone, the value to give a change that is not real. The others part at the changes of
    `_TIMES`, mirrored: doubled (+100 %) and halved (-50 %) are alike in size. A change on a bound goes to the class
    farther from zero. Raises UserError for any other `k`.
    """
    if k not in _TIMES:
        known = ", ".join(str(size) for size in _TIMES)
        raise UserError(f"A map of change has {known} classes, got {k}; choose one of these.")
    falls = [100 / times - 100 for times in reversed(_TIMES[k])]
    rises = [float(np.nextafter(100 * times - 100, 0)) for times in _TIMES[k]]
    just_below = float(np.nextafter(0, -1))
    rule = "A fall by half and a doubling are the same size of change" if _TIMES[k] else "Rises and falls of any size"
    return Breaks((*falls, just_below, 0.0, *rises, np.inf), -100.0, "change", rule)


def _known(values: Array | Column) -> tuple[Floats, Floats]:
    """The values that are numbers, and the distinct ones among them in order."""
    given = as_floats(values).ravel()
    known = given[np.isfinite(given)]
    return known, np.unique(known)


def _rule(scheme: Scheme, count: int) -> str:
    return _RULES[scheme].format(number=_NUMBERS[count] if count < len(_NUMBERS) else count)


def _drop_empty(upper: Floats, distinct: Floats) -> Floats:
    """The bounds less those whose class no value falls in."""
    used = np.unique(np.searchsorted(upper, distinct, side="left"))
    return upper[used]


def _quantile_bounds(known: Floats, k: int) -> Floats:
    return np.quantile(known, np.arange(1, k) / k)


def _equal_bounds(known: Floats, k: int) -> Floats:
    return np.linspace(known.min(), known.max(), k + 1)[1:-1]


def _deviation_bounds(known: Floats, k: int) -> Floats:
    """One standard deviation wide: -0.5 and 0.5 for three classes, -1, 0 and 1 for four, and so on."""
    steps = np.arange(k - 1) - (k - 2) / 2
    bounds: Floats = known.mean() + known.std(ddof=1) * steps
    return bounds


def _natural_bounds(known: Floats, k: int) -> Floats:
    """The greatest value of each class but the last, by dynamic programming over the sorted distinct values.

    `best[j]` is the least cost of splitting the first j+1 distinct values into the classes made so far. The place
    of the last split never moves down as j grows, so a round halves its search: O(k m log m) for m values.
    """
    distinct, weights = np.unique(known, return_counts=True)
    # Around the mean, the running sums of squares keep their digits.
    centred = distinct - known.mean()
    count = np.concatenate(([0], np.cumsum(weights))).astype(np.float64)
    total = np.concatenate(([0.0], np.cumsum(weights * centred)))
    square = np.concatenate(([0.0], np.cumsum(weights * centred**2)))

    def cost(first: NDArray[np.intp], last: int) -> Floats:
        """Squared distances to the mean of the class from each of `first` to `last`, both included."""
        held = total[last + 1] - total[first]
        within: Floats = square[last + 1] - square[first] - held**2 / (count[last + 1] - count[first])
        return np.maximum(within, 0.0)

    size = len(distinct)
    best = np.array([cost(np.array([0]), j)[0] for j in range(size)])
    starts: list[NDArray[np.intp]] = []
    for made in range(1, k):
        better, start = np.full(size, np.inf), np.zeros(size, dtype=np.intp)
        waiting = [(made, size - 1, made, size - 1)]
        while waiting:
            low, high, least, most = waiting.pop()
            if low > high:
                continue
            middle = (low + high) // 2
            choices = np.arange(least, min(middle, most) + 1)
            costs = best[choices - 1] + cost(choices, middle)
            chosen = int(costs.argmin())
            better[middle], start[middle] = costs[chosen], choices[chosen]
            waiting += [
                (low, middle - 1, least, int(choices[chosen])),
                (middle + 1, high, int(choices[chosen]), most),
            ]
        best = better
        starts.append(start)
    bounds, last = [], size - 1
    for start in reversed(starts):
        last = int(start[last]) - 1
        bounds.append(distinct[last])
    return np.array(bounds[::-1])


_BOUNDS = {
    "quantile": _quantile_bounds,
    "fisher-jenks": _natural_bounds,
    "equal-interval": _equal_bounds,
    "standard-deviation": _deviation_bounds,
}
