"""Kernel density of incidents on the cells of a partnership, corrected at its edge."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.hotspots.cells import Cells
from cspmap.analysis.hotspots.layer import (
    COVERAGE,
    Hotspots,
    describe_missing,
    flag_hot,
    format_metres,
    join_sentences,
)
from cspmap.analysis.hotspots.nearby import NearbyIndex
from cspmap.analysis.hotspots.points import Placed, count_cells, place_points
from cspmap.analysis.measures import Floats
from cspmap.errors import UserError
from cspmap.periods import Month

SQUARE_KILOMETRE = 1_000_000.0


@dataclass(frozen=True)
class Bandwidth:
    """The radius in metres within which an incident is spread, and how it came about, in words."""

    metres: float
    how: str

    @property
    def words(self) -> str:
        """As it stands inside a sentence: "bandwidth 270 m, as chosen"."""
        return f"bandwidth {format_metres(self.metres)}, {self.how}"


def kernel_density(
    points: pd.DataFrame,
    cells: Cells,
    bandwidth: float | None = None,
    *,
    edge: bool = True,
    coverage: float = COVERAGE,
    missing: Sequence[Month] = (),
) -> Hotspots:
    """How densely incidents lie in and around each cell, per m²: a quartic kernel over each incident.

    At the centre c of a (clipped) cell, over the incidents i at distance d_i less than the bandwidth h::

        density(c) = sum_i e_i k(d_i),   k(d) = 3 / (pi h^2) (1 - (d / h)^2)^2,   which integrates to 1 over the disc
        e_i = 1 / sum_c k(d_ic) area(c)     with `edge`; 1 without

    so what an incident near the edge would spread beyond the partnership stays inside it: the densities times the
    cells' areas add up to the number of incidents. An incident within h of no centre stays in its own cell.

    `points` as in `place_points`: those outside the cells change nothing. `bandwidth` in metres; without it
    `choose_bandwidth` gives it. `missing` are months not loaded, to be said. Frame: code, count, density (per m²),
    score (per km²), hot (by `flag_hot`).

    Raises UserError where the bandwidth is not above zero.

    Sources: Silverman, B. W. (1986), "Density Estimation for Statistics and Data Analysis", equation 4.5, for the
    kernel; Diggle, P. (1985), "A kernel method for smoothing point process data", Journal of the Royal Statistical
    Society C 34, 138-147, for dividing by the kernel's mass inside; Jones, M. C. (1993), "Simple boundary
    correction for kernel density estimation", Statistics and Computing 3, 135-146, for doing so incident by incident.
    """
    placed = place_points(points, cells)
    chosen = settle_bandwidth(bandwidth, placed, cells)
    density = spread_points(placed, cells, chosen.metres, edge=edge)
    frame = pd.DataFrame(
        {
            "code": cells.codes,
            "count": count_cells(placed, cells),
            "density": density,
            "score": density * SQUARE_KILOMETRE,
            "hot": flag_hot(density, cells.area, coverage=coverage),
        }
    )
    words = join_sentences(
        f"Incidents per km² in {cells.words}: quartic kernel density, "
        f"{'' if edge else 'not '}corrected at the edge of the partnership, {chosen.words}.",
        cells.rule,
        describe_coverage(coverage),
        describe_missing(missing),
    )
    return Hotspots(frame, words, caution_bandwidth(chosen.metres, cells))


def choose_bandwidth(placed: Placed, cells: Cells) -> Bandwidth:
    """A bandwidth by rule: the spatial form of Silverman's rule of thumb, robust to incidents far out.

    `0.9 min(SD, D / sqrt(ln 2)) n^(-1/5)` for n incidents, with SD their standard distance and D the median
    distance from their mean centre; rounded to 10 m, and no less than a cell's width, below which a map shows the
    grid rather than the incidents. With fewer than two locations it is the cell's width.

    Source: Silverman (1986), equation 3.31, carried over to two dimensions as in Esri's "How Kernel Density works".
    """
    least = cells.size
    if len(placed.count) > 1 and placed.total > 0:
        share = placed.count / placed.total
        distance = np.hypot(placed.x - share @ placed.x, placed.y - share @ placed.y)
        order = np.argsort(distance)
        middle = distance[order][np.searchsorted(np.cumsum(share[order]), 0.5)]
        spread = min(np.sqrt(share @ distance**2), middle / np.sqrt(np.log(2)))
        metres = 10.0 * round(0.9 * spread * placed.total**-0.2 / 10)
        if metres > least:
            return Bandwidth(metres, "by Silverman's rule from how far incidents lie from their centre")
    return Bandwidth(least, "the width of a cell, the least that makes sense")


def settle_bandwidth(bandwidth: float | None, placed: Placed, cells: Cells) -> Bandwidth:
    """The bandwidth that was asked for, or else the one by rule. Raises UserError where it is not above zero."""
    if bandwidth is None:
        return choose_bandwidth(placed, cells)
    if not (np.isfinite(bandwidth) and bandwidth > 0):
        raise UserError(f"A bandwidth cannot be {bandwidth:g} m; choose a distance above zero.")
    return Bandwidth(float(bandwidth), "as chosen")


def caution_bandwidth(metres: float, cells: Cells) -> tuple[str, ...]:
    """What is wrong with a bandwidth narrower than the cells."""
    if metres >= cells.size * (1 - 1e-9):
        return ()
    return (
        f"The bandwidth ({format_metres(metres)}) is less than the width of a cell ({format_metres(cells.size)}): "
        "the map shows where the cells happen to lie; choose a wider bandwidth or smaller cells.",
    )


def describe_coverage(coverage: float) -> str:
    """What is called hot, in a sentence."""
    return f"Hot: the highest cells that together cover {100 * coverage:g} % of the partnership."


def spread_points(placed: Placed, cells: Cells, metres: float, *, edge: bool = True) -> Floats:
    """Incidents spread over the cells, per m²; see `kernel_density`."""
    x, y = cells.centres
    density, lost = spread(placed.x, placed.y, placed.count, NearbyIndex(x, y, metres), cells.area, edge=edge)
    home = placed.cell[lost]
    np.add.at(density, home, placed.count[lost] / cells.area[home])
    return density


def spread(
    x: Floats, y: Floats, weight: Floats, index: NearbyIndex, area: Floats, *, edge: bool = True
) -> tuple[Floats, NDArray[np.bool_]]:
    """Weights at points spread over the targets of an index, whose areas (m²) are known: the targets' densities
    per m², and which points reach no target, so that their weight is not in them.
    """
    density = np.zeros(len(area))
    lost = np.ones(len(x), dtype=bool)
    scale = 3 / (np.pi * index.distance**2)
    for point, target, squared in index.pairs(x, y):
        kernel = scale * (1 - squared / index.distance**2) ** 2
        mass = np.bincount(point, weights=kernel * area[target], minlength=len(x))
        lost &= mass == 0
        each = np.divide(weight, mass, out=np.zeros(len(x)), where=mass > 0) if edge else weight
        density += np.bincount(target, weights=kernel * each[point], minlength=len(area))
    return density, lost
