"""Where incidents are many for the people who live there: one density over another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.areal import interpolate
from cspmap.analysis.hotspots.cells import Cells
from cspmap.analysis.hotspots.density import (
    caution_bandwidth,
    describe_coverage,
    settle_bandwidth,
    spread,
    spread_points,
)
from cspmap.analysis.hotspots.layer import COVERAGE, Hotspots, describe_missing, flag_hot, join_sentences
from cspmap.analysis.hotspots.nearby import NearbyIndex
from cspmap.analysis.hotspots.points import count_cells, place_points
from cspmap.analysis.measures import Floats, as_floats, rate
from cspmap.errors import UserError
from cspmap.periods import Month

if TYPE_CHECKING:
    import geopandas as gpd

PER = 1000
FEWEST = 100


def dual_density(
    points: pd.DataFrame,
    residents: pd.Series,
    cells: Cells,
    bandwidth: float | None = None,
    *,
    fewest: float = FEWEST,
    coverage: float = COVERAGE,
    missing: Sequence[Month] = (),
) -> Hotspots:
    """The density of incidents over that of residents, per 1,000 residents, both with one kernel and bandwidth.

    `residents` holds each cell's by its code, as `spread_residents` gives them; a cell's are spread from its centre.
    The same bandwidth above and below keeps the quotient from showing the difference of two smoothings. Where fewer
    than `fewest` residents live within reach (density times pi h^2), or the cell's own are not known, the score is
    NaN: in a town centre or an industrial estate a quotient says little. The other settings are those of
    `kernel_density`. Frame: code, count, density (per m²), residents_density (per m²), score, hot.

    Raises UserError where `residents` are not those of the cells or below zero.

    Source: Kelsall, J. E. and Diggle, P. J. (1995), "Kernel estimation of relative risk", Bernoulli 1, 3-16.
    """
    if not residents.index.equals(cells.codes):
        raise UserError("The residents are not those of the cells; spread them over the same cells first.")
    people = as_floats(residents)
    known = np.isfinite(people)
    if (people[known] < 0).any():
        raise UserError("A cell has fewer than no residents; correct their number.")
    placed = place_points(points, cells)
    chosen = settle_bandwidth(bandwidth, placed, cells)
    above = spread_points(placed, cells, chosen.metres)
    below = _spread_people(people, known, cells, chosen.metres)
    enough = known & (below * np.pi * chosen.metres**2 >= fewest)
    score = as_floats(rate(above, np.where(enough, below, np.nan), per=PER))
    frame = pd.DataFrame(
        {
            "code": cells.codes,
            "count": count_cells(placed, cells),
            "density": above,
            "residents_density": below,
            "score": score,
            "hot": flag_hot(score, cells.area, coverage=coverage),
        }
    )
    words = join_sentences(
        f"Incidents for each {PER:,} residents in {cells.words}: the density of incidents over that of residents, "
        f"both a quartic kernel density, {chosen.words}.",
        cells.rule,
        f"Not given where fewer than {fewest:,.0f} residents live within that distance.",
        describe_coverage(coverage),
        describe_missing(missing),
    )
    return Hotspots(frame, words, caution_bandwidth(chosen.metres, cells))


def spread_residents(areas: gpd.GeoDataFrame, cells: Cells, column: str) -> pd.Series:
    """Residents (or households) of each cell, by code, split by area from other units such as LSOAs.

    `areas` has code, geometry (EPSG:27700) and the numbers in `column`. Missing where no unit with a number reaches.
    """
    shared = interpolate(areas, cells.frame[["code", "geometry"]], extensive=[column])
    return pd.Series(shared.frame[column].to_numpy(), index=cells.codes, name=column)


def _spread_people(people: Floats, known: NDArray[np.bool_], cells: Cells, metres: float) -> Floats:
    x, y = cells.centres
    density, lost = spread(x[known], y[known], people[known], NearbyIndex(x, y, metres), cells.area)
    assert not lost.any(), "a cell's centre reaches itself"
    return density
