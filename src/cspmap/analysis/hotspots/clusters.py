"""Clusters of street locations that lie close together and have more incidents than chance would bring together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.hotspots.cells import Cells
from cspmap.analysis.hotspots.density import SQUARE_KILOMETRE
from cspmap.analysis.hotspots.layer import (
    COVERAGE,
    describe_missing,
    flag_hot,
    format_metres,
    join_sentences,
)
from cspmap.analysis.hotspots.nearby import NearbyIndex
from cspmap.analysis.hotspots.points import Placed, place_points
from cspmap.errors import UserError
from cspmap.periods import Month

if TYPE_CHECKING:
    import geopandas as gpd

Whole = NDArray[np.int64]

# Chance of naming even one location busy where incidents fall evenly over the partnership.
CHANCE = 0.05


@dataclass(frozen=True, eq=False)
class Clusters:
    """Clusters of locations.

    `frame`: GeoDataFrame in EPSG:27700, the densest first: code ("cluster-1" ...), name, locations, count, area
    (m²), score (incidents per km²), hot (by `flag_hot`, of the partnership's area) and geometry. `members`: easting,
    northing, count and code of each location that is in one. `words` and `cautions` as in `layer.Hotspots`.
    """

    frame: gpd.GeoDataFrame
    members: pd.DataFrame
    words: str
    cautions: tuple[str, ...] = ()


def cluster_locations(
    points: pd.DataFrame,
    cells: Cells,
    *,
    reach: float | None = None,
    least: int | None = None,
    coverage: float = COVERAGE,
    missing: Sequence[Month] = (),
) -> Clusters:
    """Street locations that cluster: DBSCAN, with each location weighing as many as its incidents.

    A location is busy where it and those within `reach` metres have at least `least` incidents together. Busy
    locations within reach of each other are one cluster, with all others within reach of a busy one; of several such
    clusters a location joins that of the nearest busy one (of equally near, the first from west to east). So the
    order of the incidents changes nothing.

    `reach` is half a cell's width where it is not chosen, and `least` the smallest number that any location would
    reach with a chance of less than 5 % if the incidents fell evenly over the partnership (Poisson; one test a
    location, Bonferroni), and never less than 3. A cluster's outline is everything within half the reach of its
    locations, within the partnership.

    Raises UserError where `reach` is not above zero or `least` is less than 1.

    Source: Ester, M., Kriegel, H.-P., Sander, J. and Xu, X. (1996), "A density-based algorithm for discovering
    clusters in large spatial databases with noise", Proceedings of KDD-96, 226-231.
    """
    distance = cells.size / 2 if reach is None else reach
    if not (np.isfinite(distance) and distance > 0):
        raise UserError(f"Locations cannot cluster within {distance:g} m; choose a distance above zero.")
    placed = place_points(points, cells)
    enough = find_least(placed, float(cells.area.sum()), distance) if least is None else least
    if enough < 1:
        raise UserError(f"A cluster cannot start from {enough} incidents; choose 1 or more.")
    label = _label(placed, distance, enough)
    words = join_sentences(
        f"Street locations that have at least {enough:,} incidents within {format_metres(distance)}, joined to all "
        "within that distance (DBSCAN); "
        + (
            "that many would come together by chance in fewer than one map in twenty."
            if least is None
            else "distance and number as chosen."
        ),
        f"Hot: the densest clusters that together cover {100 * coverage:g} % of the partnership.",
        describe_missing(missing),
    )
    return _outline(placed, label, cells, distance, coverage, words)


def find_least(placed: Placed, area: float, reach: float) -> int:
    """The smallest number of incidents within `reach` that chance hardly ever brings together; see above."""
    tests = max(len(placed.count), 1)
    mean = placed.total / area * np.pi * reach**2 if area > 0 else 0.0
    # P(X > number) falls as number rises; the terms are summed from zero until what is left is small enough.
    number, term, left = 0, exp(-mean), 1 - exp(-mean)
    while left > CHANCE / tests:
        number += 1
        term *= mean / number
        left -= term
    return max(number + 1, 3)


def _label(placed: Placed, reach: float, least: int) -> Whole:
    """The cluster of each location, -1 where it is in none."""
    number = len(placed.count)
    label = np.full(number, -1, dtype=np.int64)
    if not number:
        return label
    found = list(NearbyIndex(placed.x, placed.y, reach).pairs(placed.x, placed.y))
    one, other, squared = (np.concatenate(part) for part in zip(*found, strict=True))
    busy = np.bincount(one, weights=placed.count[other], minlength=number) >= least
    linked = busy[one] & busy[other]
    label[busy] = join_linked(number, one[linked], other[linked])[busy]
    # Those within reach of a busy one, the nearest first.
    beside = ~busy[one] & busy[other]
    one, other, squared = one[beside], other[beside], squared[beside]
    order = np.lexsort((other, squared, one))
    edge, first = np.unique(one[order], return_index=True)
    label[edge] = label[other[order][first]]
    return label


def join_linked(number: int, one: Whole, other: Whole) -> Whole:
    """The connected component of each of `number` nodes, named by its lowest node; links go both ways."""
    root = np.arange(number)
    while True:
        lowest = root.copy()
        np.minimum.at(lowest, one, root[other])
        np.minimum.at(lowest, other, root[one])
        # Following names to the end joins whole runs at a time.
        while not np.array_equal(lowest, lowest[lowest]):
            lowest = lowest[lowest]
        if np.array_equal(lowest, root):
            return root
        root = lowest


def _outline(placed: Placed, label: Whole, cells: Cells, reach: float, coverage: float, words: str) -> Clusters:
    import geopandas as gpd
    import shapely

    rows = []
    for cluster in np.unique(label[label >= 0]):
        inside = label == cluster
        around = shapely.union_all(shapely.buffer(shapely.points(placed.x[inside], placed.y[inside]), reach / 2))
        outline = shapely.intersection(around, cells.boundary)
        rows.append((cluster, int(inside.sum()), placed.count[inside].sum(), shapely.area(outline), outline))
    rows.sort(key=lambda row: (-row[2] / row[3], row[0]))
    codes = [f"cluster-{rank}" for rank in range(1, len(rows) + 1)]
    clusters, locations, counts, areas, outlines = zip(*rows, strict=True) if rows else ((),) * 5
    area = np.array(areas, dtype=np.float64)
    score = np.array(counts, dtype=np.float64) / area * SQUARE_KILOMETRE
    frame = gpd.GeoDataFrame(
        {
            "code": pd.Series(codes, dtype="str"),
            "name": pd.Series([code.replace("-", " ").capitalize() for code in codes], dtype="str"),
            "locations": np.array(locations, dtype=np.int64),
            "count": np.array(counts, dtype=np.float64),
            "area": area,
            "score": score,
            "hot": _flag_within(score, area, cells, coverage),
        },
        geometry=list(outlines),
        crs=cells.frame.crs,
    )
    members = pd.DataFrame({"easting": placed.x, "northing": placed.y, "count": placed.count})[label >= 0]
    named = dict(zip(clusters, codes, strict=True))
    members = members.assign(code=[named[cluster] for cluster in label[label >= 0]]).reset_index(drop=True)
    cautions = () if rows else ("No locations cluster: no place has so many incidents close together.",)
    return Clusters(frame, members, words, cautions)


def _flag_within(
    score: NDArray[np.float64], area: NDArray[np.float64], cells: Cells, coverage: float
) -> NDArray[np.bool_]:
    """The densest clusters that cover a share of the whole partnership, of which clusters are only a part."""
    rest = max(cells.area.sum() - area.sum(), 0.0)
    return flag_hot(np.append(score, 0.0), np.append(area, rest), coverage=coverage)[:-1]
