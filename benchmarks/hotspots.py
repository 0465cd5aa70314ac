"""What finding hotspots costs: Gi* and kernel density on ten thousand cells of real Luton, beside the usual ways."""

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote_plus

import numpy as np
import pandas as pd

from benchmarks.hotspot_accuracy import Town, read_town
from benchmarks.screen import KINDS, open_browser, open_page, serve_ours, time_filters
from benchmarks.setting import Benchmark, NotRunError, Setting
from benchmarks.table import Figure, Row
from cspmap.analysis.hotspots import Cells, count_points, find_neighbours, gi_star, grid, kernel_density
from cspmap.analysis.hotspots.density import choose_bandwidth
from cspmap.analysis.hotspots.points import place_points
from cspmap.store import open_store
from cspmap.views.words import join_words

# Hexagons of this width are ten thousand over Luton.
WIDTH = 71
REPEATS, NAIVE_REPEATS = 9, 3
# Of the hotspots page, as it names them; the density is a picture, where cells have no colours to wait for.
LAYERS = ("Expected incidents", "For its residents", "Street clusters")
MILLISECONDS = 1000


def measure_significance(setting: Setting) -> list[Figure]:
    """Neighbours, Gi* and Benjamini-Hochberg; the peers' from the same cells and counts."""
    town, cells = _lay(setting)
    counts = count_points(town.incidents, cells)

    def ours() -> Any:
        return gi_star(counts, find_neighbours(cells)).frame

    peers = _find_peers()
    frame, (z, q) = ours(), peers(cells, counts)
    if not (np.allclose(frame["z"], z) and np.allclose(frame["q"], q)):
        raise RuntimeError("Gi* is not what the peer library makes of it with binary weights")
    return [Figure.middle(_time(ours, REPEATS), _time(lambda: peers(cells, counts), NAIVE_REPEATS))]


def measure_density(setting: Setting) -> list[Figure]:
    """Real incidents, which share published places; then as many, each at a place of its own."""
    town, cells = _lay(setting)
    real = town.incidents
    moved = np.random.default_rng(1).normal(0, 30, (len(real), 2))
    apart = real.assign(easting=real["easting"] + moved[:, 0], northing=real["northing"] + moved[:, 1])
    figures = []
    for points in (real, apart):
        metres = choose_bandwidth(place_points(points, cells), cells).metres
        ours = _time(lambda points=points: kernel_density(points, cells), REPEATS)  # type: ignore[misc]
        naive = _time(lambda points=points, metres=metres: _add_up(points, cells, metres), 1)  # type: ignore[misc]
        figures.append(Figure.middle(ours, naive))
    return figures


def measure_redraw(setting: Setting) -> list[Figure]:
    """Picking one more crime type on the hotspots page, until the map has its new colours."""
    with open_browser(setting) as browser, serve_ours(setting) as server, open_page(browser) as page:
        taken = [
            one
            for layer in LAYERS
            for one in time_filters(page, f"{server.url}/hotspots?layer={quote_plus(layer)}", KINDS)
        ]
    return [Figure.middle(taken)]


def _lay(setting: Setting) -> tuple[Town, Cells]:
    """Real Luton in ten thousand cells, the centres of which are known, as they are after the first look."""
    town = read_town(open_store(setting.store))
    cells = grid(town.boundary, WIDTH)
    if not 9_500 <= len(cells) <= 10_500:
        raise RuntimeError(f"there are {len(cells):,} cells, not ten thousand")
    count_points(town.incidents, cells)
    _ = cells.centres
    return town, cells


def _find_peers() -> Callable[[Cells, "pd.Series[float]"], tuple[Any, Any]]:
    """Neighbours by libpysal, Gi* by esda with binary weights, q by statsmodels."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from esda.getisord import G_Local
            from libpysal.weights import DistanceBand
            from statsmodels.stats.multitest import multipletests
    except ImportError as error:
        raise NotRunError(f"{error.name} is not installed; install the project with its test extra") from error

    def peers(cells: Cells, counts: "pd.Series[float]") -> tuple[Any, Any]:
        assert cells.lattice is not None
        assert cells.row is not None
        assert cells.column is not None
        centres = np.column_stack(cells.lattice.centres(cells.row, cells.column))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # By centres: outlines of clipped cells do not share their corners to the last digit, as Queen wants.
            weights = DistanceBand(centres, 1.01 * WIDTH, silence_warnings=True)
            found = G_Local(counts.to_numpy(), weights, transform="B", star=True, permutations=0)
        return found.Zs, multipletests(2 * found.p_norm, method="fdr_bh")[1]

    return peers


def _add_up(points: pd.DataFrame, cells: Cells, metres: float) -> Any:
    """The textbook sum, cell after cell over every incident, without correction at the edge."""
    x, y = points["easting"].to_numpy(), points["northing"].to_numpy()
    density = np.zeros(len(cells))
    for number, (east, north) in enumerate(zip(*cells.centres, strict=True)):
        squared = ((x - east) ** 2 + (y - north) ** 2) / metres**2
        density[number] = ((1 - squared[squared < 1]) ** 2).sum()
    return 3 / (np.pi * metres**2) * density


def _time(work: Callable[[], object], repeats: int) -> Sequence[float]:
    """Milliseconds of each run."""
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        taken.append(MILLISECONDS * (time.perf_counter() - begin))
    return taken


BENCHMARKS = (
    Benchmark(
        name="hotspots",
        rows=(Row("filter to redrawn map on the hotspots page, 886 hexagons", "ms", 500),),
        how="one more crime type picked from the open list of the hotspots page on real Luton, from the press until "
        f"every hexagon is drawn and the colours are new; median of {len(KINDS) * len(LAYERS)}: in each of the layers "
        f"{join_words(LAYERS)}, of choices that the server has not worked out before.",
        measure=measure_redraw,
    ),
    Benchmark(
        name="significance",
        rows=(Row("Gi* with false discoveries controlled, 10,000 cells", "ms", 100),),
        how=f"hexagons of {WIDTH} m over real Luton with three years of incidents: neighbours, Gi*, p and q; median of "
        f"{REPEATS}. Instead of a naive way, the peer libraries on the same cells, median of {NAIVE_REPEATS}: weights "
        "from the cells' centres by libpysal, G_Local by esda with binary weights and without permutations, q by "
        "statsmodels; z and q are checked to be the same.",
        measure=measure_significance,
    ),
    Benchmark(
        name="density",
        rows=(
            Row("kernel density of 65,663 incidents at published places, 10,000 cells", "ms", 300),
            Row("the same, each incident at a place of its own", "ms", 300),
        ),
        how=f"the same cells: every step from the list of incidents to densities corrected at the edge, bandwidth by "
        f"rule; median of {REPEATS}. For places of their own incidents are moved at random, by 30 m or so. Naive way, "
        "once: numpy, cell after cell over every incident, not corrected.",
        measure=measure_density,
    ),
)
