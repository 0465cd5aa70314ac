"""How unequally incidents fall on people by how deprived the place is that they live in: by fifths, in one figure."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cspmap.analysis.intervals import rate_interval
from cspmap.analysis.measures import Array, Column, Floats, as_floats, rate
from cspmap.errors import UserError

FIFTHS = (1, 2, 3, 4, 5)
_Z = 1.959963984540054


def rates_by_fifth(fifths: Array | Column, counts: Array | Column, people: Array | Column) -> pd.DataFrame:
    """Rates of places taken together by fifth (1, most deprived, to 5), with exact Poisson 95 % intervals.

    One value a place, in one order. One row a fifth, the index named `fifth`: places, people, count, rate, low and
    high (all three per 1,000 people). A place whose fifth, count or people are missing, or with nobody, takes no part;
    a fifth without a place has no rate (NaN) and 0 places. The intervals are `intervals.rate_interval`'s: they tell
    what chance alone leaves open, as if incidents fell one by one.
    """
    fifth, counted, weight, used = _take_known(fifths, counts, people)
    places = fifth[used].astype(np.intp)
    sums = {
        name: np.bincount(places, weights=values, minlength=6)[1:6]
        for name, values in (("places", None), ("people", weight[used]), ("count", counted[used]))
    }
    frame = pd.DataFrame(sums, index=pd.Index(FIFTHS, name="fifth"))
    # Nobody there is no people, not a rate of nothing.
    living = frame["people"].where(frame["people"] > 0)
    return frame.assign(rate=rate(frame["count"], living)).join(rate_interval(frame["count"], living))


@dataclass(frozen=True, eq=False)
class DeprivationCurve:
    """The concentration of incidents by deprivation.

    `curve` runs from the most deprived place to the least: share_people and share_incidents (0 to 1), from 0, 0 to
    1, 1. `index` is the concentration index, `error` its standard error, `low` and `high` its 95 % interval; all NaN
    where there are no incidents, the last three where there are fewer than three places. `worst_fifth` is the share of
    incidents (0 to 1) that falls on the fifth of people in the most deprived places.
    """

    places: int
    people: float
    incidents: float
    index: float
    error: float
    curve: pd.DataFrame

    @property
    def low(self) -> float:
        """The lower end of the index's 95 % interval."""
        return self.index - _Z * self.error

    @property
    def high(self) -> float:
        """The upper end of the index's 95 % interval."""
        return self.index + _Z * self.error

    @property
    def worst_fifth(self) -> float:
        """The share of incidents on the fifth of people in the most deprived places; NaN where there are none."""
        if not self.incidents > 0:
            return float("nan")
        return float(np.interp(0.2, self.curve["share_people"], self.curve["share_incidents"]))


def concentration_index(order: Array | Column, counts: Array | Column, people: Array | Column) -> DeprivationCurve:
    """How far incidents fall more on people in deprived places.

    `order` ranks places, the most deprived lowest (the official rank, say); places that share a rank count as one. One
    value a place, in one order; a place of which any is missing, or with nobody, takes no part. With places t from the
    most deprived, f_t their shares of all people, mu_t their incidents per person, mu that of all together and
    R_t = f_1 + ... + f_(t-1) + f_t / 2::

        C = 2 / mu sum f_t mu_t R_t - 1

    0 where everybody bears as much, below 0 where people in deprived places bear more, above where they bear less; from
    -1 to 1. It is twice the area between the curve and the diagonal, with its sign. The standard error is that for
    grouped figures without variances of their own, T the number of places, q_t the share of incidents up to t::

        a_t  = mu_t / mu (2 R_t - 1 - C) + 2 - q_(t-1) - q_t
        s^2  = (sum f_t a_t^2 - (1 + C)^2) / T

    It takes the places for a sample of such places, so it tells how far the figure hangs on a few of them. Raises
    UserError where a count is below zero.

    Sources: Kakwani, N., Wagstaff, A. and van Doorslaer, E. (1997), "Socioeconomic inequalities in health: measurement,
    computation, and statistical inference", Journal of Econometrics 77(1), 87-103; O'Donnell, O. and others (2008),
    Analyzing Health Equity Using Household Survey Data, World Bank, chapter 8.
    """
    rank, counted, weight, used = _take_known(order, counts, people)
    if (counted[used] < 0).any():
        raise UserError("A count of incidents is below zero; give each place its number.")
    taken = pd.DataFrame({"rank": rank[used], "count": counted[used], "people": weight[used]})
    grouped = taken.groupby("rank").sum()
    total, incidents = float(grouped["people"].sum()), float(grouped["count"].sum())
    number, error, index = len(grouped), float("nan"), float("nan")
    share, held = (_start(grouped[name].to_numpy(dtype=float)) for name in ("people", "count"))
    curve = pd.DataFrame({"share_people": share, "share_incidents": held})
    if incidents > 0:
        part = np.diff(share)
        middle = share[:-1] + part / 2
        relative = np.diff(held) / part
        index = 2 * float((part * relative) @ middle) - 1
        if number > 2:
            terms = relative * (2 * middle - 1 - index) + 2 - held[:-1] - held[1:]
            error = float(np.sqrt(max(0.0, float(part @ terms**2) - (1 + index) ** 2) / number))
    return DeprivationCurve(int(used.sum()), total, incidents, index, error, curve)


def _take_known(
    labels: Array | Column, counts: Array | Column, people: Array | Column
) -> tuple[Floats, Floats, Floats, "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]"]:
    """The three as numbers, and for which places all are known."""
    label, counted, weight = as_floats(labels), as_floats(counts), as_floats(people)
    if not label.shape == counted.shape == weight.shape:
        raise UserError(
            f"Deprivation, counts and people are of {label.size:,}, {counted.size:,} and {weight.size:,} places; "
            "give all of the same places."
        )
    return label, counted, weight, np.isfinite(label) & np.isfinite(counted) & (weight > 0)


def _start(values: Floats) -> Floats:
    """Running shares of the sum, from 0."""
    total = values.sum()
    running = np.cumsum(values) / total if total > 0 else np.zeros(len(values))
    return np.append(0.0, running)
