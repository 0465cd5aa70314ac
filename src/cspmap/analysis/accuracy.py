"""How well hotspots have caught what came later, and how much of crime sits in how little of the town.

Areas are in one unit throughout (m², say), counts are incidents; both are one value a cell, in one order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cspmap.analysis.hotspots.layer import rank_blocks
from cspmap.analysis.measures import Array, Column, Floats, as_floats
from cspmap.errors import UserError
from cspmap.periods import Span

SHARES = (0.01, 0.02, 0.05, 0.1)
BASELINE = "last period's counts"


def hit_rate(hits: float, incidents: float) -> float:
    """Share (0 to 1) of all incidents that fell in the hotspots; NaN where there were none."""
    return hits / incidents if incidents > 0 else float("nan")


def pai(hits: float, incidents: float, area: float, total_area: float) -> float:
    """Prediction accuracy index: the hit rate over the share of the area, `(hits / incidents) / (area / total_area)`.

    1 is what an area drawn blindly would catch. NaN where there were no incidents or the hotspots have no area.

    Source: Chainey, S., Tompson, L. and Uhlig, S. (2008), "The utility of hotspot mapping for predicting spatial
    patterns of crime", Security Journal 21, 4-28.
    """
    return hit_rate(hits, incidents) / (area / total_area) if area > 0 and total_area > 0 else float("nan")


def pei(hits: float, area: float, counts: Array | Column, areas: Array | Column) -> float:
    """Prediction efficiency index, area-matched: the hits over the most that this much area could have caught.

    0 to 1 for hotspots made of the cells given, 1 being as good as hindsight. The most is that of the cells with the
    most incidents per area, the last of them in part, so that it covers exactly `area`. NaN where nothing could have
    been caught.

    Source: Hunt, J. M. (2016), "Do crime hot spots move?", doctoral thesis, American University; the area there is
    matched in whole cells, here exactly, since cells at the edge are clipped.
    """
    counted, measured = as_floats(counts), as_floats(areas)
    density = np.divide(counted, measured, out=np.zeros_like(counted), where=measured > 0)
    most = float(catch(density, counted, measured, [area])[0])
    return hits / most if most > 0 else float("nan")


def catch(score: Array | Column, counts: Array | Column, areas: Array | Column, budgets: Sequence[float]) -> Floats:
    """Incidents caught by the cells with the highest scores, for budgets of area.

    The last cell counts in part where it does not fit, and cells of one score count as one cell: the number is what
    an order drawn by lot would catch on average, so that the order of the cells does not matter. Cells whose score
    is missing come last.
    """
    scores, counted, measured = _aligned(score, counts, areas)
    scores = np.where(np.isnan(scores), -np.inf, scores)
    if not scores.size:
        return np.zeros(len(budgets))
    # -inf minus -inf is no number, so scores are replaced by their ranks.
    ranks = np.unique(scores, return_inverse=True)[1].astype(np.float64)
    order, ends, covered = rank_blocks(ranks, measured)
    caught = np.cumsum(counted[order])[ends - 1]
    hits: Floats = np.interp(budgets, np.append(0.0, covered), np.append(0.0, caught))
    return hits


def measure_accuracy(
    scores: Mapping[str, Array | Column],
    counts: Array | Column,
    areas: Array | Column,
    *,
    train: Span,
    test: Span,
    shares: Sequence[float] = SHARES,
) -> pd.DataFrame:
    """What the highest scores of several methods caught of a later span's incidents, each in the same area.

    `scores` are by method, made from the months of `train` alone; `counts` are incidents of `test`. `shares` (0 to
    1) are how much of the area is taken. One row a method and share, in that order: method, share_area, incidents
    (all of the test span), hits (in parts of cells at the margin), hit_rate, pai, pei, train, test (spans as text).

    Raises UserError where the test span does not begin after the train span has ended: hotspots always catch what
    they were made from.
    """
    _check_later(train, test)
    counted, measured = as_floats(counts), as_floats(areas)
    total, extent = float(np.nansum(counted)), float(measured.sum())
    rows = []
    for method, score in scores.items():
        caught = catch(score, counted, measured, [share * extent for share in shares])
        rows += [
            {
                "method": method,
                "share_area": share,
                "incidents": total,
                "hits": hits,
                "hit_rate": hit_rate(hits, total),
                "pai": pai(hits, total, share * extent, extent),
                "pei": pei(hits, share * extent, counted, measured),
                "train": str(train),
                "test": str(test),
            }
            for share, hits in zip(shares, caught.tolist(), strict=True)
        ]
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Accuracy:
    """What a layer's hot cells caught of a later span: the score to show beside it.

    `share_area` is of the partnership's area; `baseline` is the hit rate of last period's counts in as much area,
    and `baseline_hits` their hits. Undefined figures are NaN.
    """

    train: Span
    test: Span
    incidents: float
    hits: float
    share_area: float
    hit_rate: float
    pai: float
    pei: float
    baseline_hits: float
    baseline: float
    words: str


def score_hotspots(
    hot: Array | Column, last: Array | Column, counts: Array | Column, areas: Array | Column, *, train: Span, test: Span
) -> Accuracy:
    """Score a layer's hot cells on a later span, beside the plainest way of finding them.

    `hot` and `last` (incidents of the train span, the baseline) are from `train`; `counts` are incidents of `test`.
    Raises UserError as `measure_accuracy` does.
    """
    _check_later(train, test)
    flags, counted, measured = _aligned(hot, counts, areas)
    inside = flags > 0
    hits, incidents = float(counted[inside].sum()), float(counted.sum())
    area, extent = float(measured[inside].sum()), float(measured.sum())
    before, _, _ = _aligned(last, counted, measured)
    density = np.divide(before, measured, out=np.zeros_like(before), where=measured > 0)
    baseline_hits = float(catch(density, counted, measured, [area])[0])
    share_area = area / extent if extent > 0 else float("nan")
    efficiency = pei(hits, area, counted, measured)
    return weigh_hits(hits, incidents, baseline_hits, efficiency, share_area=share_area, train=train, test=test)


def weigh_hits(
    hits: float,
    incidents: float,
    baseline_hits: float,
    efficiency: float,
    *,
    share_area: float,
    train: Span,
    test: Span,
) -> Accuracy:
    """The score of hotspots from what they caught; `efficiency` is their PEI."""
    figures = {
        "share_area": share_area,
        "hit_rate": hit_rate(hits, incidents),
        "pai": pai(hits, incidents, share_area, 1.0),
        "pei": efficiency,
        "baseline": hit_rate(baseline_hits, incidents),
    }
    words = _describe(hits, incidents, figures, train, test)
    return Accuracy(train, test, incidents, hits, baseline_hits=baseline_hits, words=words, **figures)


@dataclass(frozen=True, eq=False)
class Concentration:
    """How unevenly incidents lie over units.

    `curve`: the Lorenz curve, units from the most incidents down, with share_units and share_incidents (0 to 1),
    starting from 0, 0. `half` is the smallest share of units that holds half of the incidents. `gini` and
    `generalised_gini` are 0 where incidents lie as evenly as they can. NaN where there are no incidents.
    """

    units: int
    incidents: float
    gini: float
    generalised_gini: float
    half: float
    curve: pd.DataFrame
    words: str


def concentration(counts: Array | Column, *, units: str = "units") -> Concentration:
    """How much of crime sits in how few of the units (streets, cells, LSOAs), every one of which must be counted.

    With n units, c incidents and y_i the shares of incidents in rising order::

        gini        = (2 sum_i i y_i - n - 1) / n
        generalised = max(1/c, 1/n) (2 sum_i i y_i - n - 1) - max(n/c, 1) + 1

    The generalised one compares with the evenest way that c whole incidents can lie in n units: 0 where no unit has
    two of them, however many are empty; the same as the other where incidents outnumber units. `units` names them.

    Raises UserError where a count is missing or below zero.

    Sources: Bernasco, W. and Steenbeek, W. (2017), "More places than crimes: implications for evaluating the law of
    crime concentration at place", Journal of Quantitative Criminology 33, 451-467; Weisburd, D. (2015), "The law of
    crime concentration and the criminology of place", Criminology 53, 133-157, for the share that holds half.
    """
    values = as_floats(counts)
    if not (np.isfinite(values) & (values >= 0)).all():
        raise UserError("A count of incidents is missing or below zero; give each unit its number, zero included.")
    n, c = len(values), float(values.sum())
    if not c > 0:
        empty = pd.DataFrame({"share_units": [0.0], "share_incidents": [0.0]})
        nothing = float("nan")
        return Concentration(n, c, nothing, nothing, nothing, empty, f"There are no incidents in the {n:,} {units}.")
    shares = np.sort(values) / c
    weighed = 2 * float(np.arange(1, n + 1) @ shares) - n - 1
    # Counts are summed, not shares, so that a half is exactly a half.
    running = np.cumsum(np.sort(values)[::-1])
    half = (int(np.searchsorted(running, c / 2 * (1 - 1e-12))) + 1) / n
    curve = pd.DataFrame(
        {"share_units": np.arange(n + 1) / n, "share_incidents": np.append(0.0, running / running[-1])}
    )
    return Concentration(
        units=n,
        incidents=c,
        gini=weighed / n,
        generalised_gini=max(1 / c, 1 / n) * weighed - max(n / c, 1) + 1,
        half=half,
        curve=curve,
        words=f"Half of the {c:,.0f} incidents are in {100 * half:.1f} % of the {n:,} {units}.",
    )


def _check_later(train: Span, test: Span) -> None:
    if test.first <= train.last:
        raise UserError(
            f"Hotspots of {train.words} cannot be scored on {test.words}, which does not come after; "
            "choose later months to score them on."
        )


def _aligned(first: Array | Column, counts: Array | Column, areas: Array | Column) -> tuple[Floats, Floats, Floats]:
    values, counted, measured = as_floats(first), as_floats(counts), as_floats(areas)
    if not values.shape == counted.shape == measured.shape:
        raise UserError(
            f"Scores, counts and areas are of {values.size:,}, {counted.size:,} and {measured.size:,} cells; "
            "make all of them in the same cells."
        )
    return values, counted, measured


def _describe(hits: float, incidents: float, figures: Mapping[str, float], train: Span, test: Span) -> str:
    made = f"Hotspots of {train.words}"
    if not incidents > 0:
        return f"{made} cannot be scored: no incidents are recorded for {test.words}."
    if not figures["share_area"] > 0:
        return f"{made} cannot be scored: no cell is hot."
    best = "" if np.isnan(figures["pei"]) else f", {100 * figures['pei']:.0f} % of the most that could have been"
    return (
        f"{made} caught {100 * figures['hit_rate']:.0f} % of the {incidents:,.0f} incidents of {test.words} in "
        f"{100 * figures['share_area']:.1f} % of the area (PAI {figures['pai']:.1f}{best}); "
        f"{BASELINE} alone caught {100 * figures['baseline']:.0f} % in as much."
    )
