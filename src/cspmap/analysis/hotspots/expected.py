"""How many incidents to expect in each cell: its own count, drawn towards the density around it."""

from collections.abc import Sequence

import pandas as pd

from cspmap.analysis.hotspots.cells import Cells
from cspmap.analysis.hotspots.density import (
    SQUARE_KILOMETRE,
    caution_bandwidth,
    describe_coverage,
    settle_bandwidth,
    spread_points,
)
from cspmap.analysis.hotspots.layer import COVERAGE, Hotspots, describe_missing, flag_hot, join_sentences
from cspmap.analysis.hotspots.points import count_cells, place_points
from cspmap.analysis.measures import Floats
from cspmap.periods import Month


def expected_count(
    points: pd.DataFrame,
    cells: Cells,
    bandwidth: float | None = None,
    *,
    coverage: float = COVERAGE,
    missing: Sequence[Month] = (),
) -> Hotspots:
    """What each cell's next period may bring: its count, drawn towards what the density around it would give it.

    With c_i the count and m_i the kernel density at the cell times its area, as `kernel_density` gives it, counts
    are taken to be Poisson with means that vary around m_i as a gamma distribution does, with variance f m_i^2::

        f          = max(0, (sum_i (c_i - m_i)^2 - m_i) / sum_i m_i^2)
        w_i        = f m_i / (1 + f m_i)        0 to 1: how far the cell's own count can be trusted
        expected_i = m_i + w_i (c_i - m_i)

    So where incidents are many each cell stands for itself, and where they are few it borrows from its surroundings.
    `points`, `bandwidth`, `missing` and errors are those of `kernel_density`. Frame: code, count, expected, weight
    (w_i), score (expected per km²), hot (by `flag_hot`).

    Sources: Clayton, D. and Kaldor, J. (1987), "Empirical Bayes estimates of age-standardized relative risks for
    use in disease mapping", Biometrics 43, 671-681; Marshall, R. J. (1991), as for `measures.empirical_bayes`, for
    estimating the variance from its moments and drawing towards a local mean.
    """
    placed = place_points(points, cells)
    chosen = settle_bandwidth(bandwidth, placed, cells)
    counts = count_cells(placed, cells)
    around = spread_points(placed, cells, chosen.metres) * cells.area
    expected, weight = _draw_towards(counts, around)
    score = expected / cells.area * SQUARE_KILOMETRE
    frame = pd.DataFrame(
        {
            "code": cells.codes,
            "count": counts,
            "expected": expected,
            "weight": weight,
            "score": score,
            "hot": flag_hot(score, cells.area, coverage=coverage),
        }
    )
    words = join_sentences(
        f"Incidents expected per km² in {cells.words}: each cell's count, drawn towards the density around it as "
        f"far as chance could explain their difference; {chosen.words}.",
        cells.rule,
        describe_coverage(coverage),
        describe_missing(missing),
    )
    return Hotspots(frame, words, caution_bandwidth(chosen.metres, cells))


def _draw_towards(counts: Floats, around: Floats) -> tuple[Floats, Floats]:
    squares = (around**2).sum()
    excess = max(0.0, (((counts - around) ** 2 - around).sum()) / squares) if squares > 0 else 0.0
    weight = excess * around / (1 + excess * around)
    return around + weight * (counts - around), weight
