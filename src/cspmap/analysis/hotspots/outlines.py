"""Hotspots as places: hot cells that touch become one outline with its area, its incidents and its rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cspmap.analysis.hotspots.clusters import join_linked
from cspmap.analysis.hotspots.nearby import Neighbours
from cspmap.analysis.measures import as_floats, share
from cspmap.errors import UserError

if TYPE_CHECKING:
    import geopandas as gpd

    from cspmap.analysis.hotspots.cells import Cells


def outline_hotspots(layer: pd.DataFrame, counts: pd.Series, cells: Cells, neighbours: Neighbours) -> gpd.GeoDataFrame:
    """Join the hot cells of a layer that are neighbours into hotspots, the one with the most incidents first.

    `layer` is the frame of a `Hotspots`; `counts` are incidents by cell code. GeoDataFrame in EPSG:27700: rank
    (1 ...), code ("hotspot-1" ...), cells (how many), hectares, count, share (of all incidents counted, 0 to 1),
    peak (the highest score in it), geometry. Of equal counts the higher peak comes first, then the earlier cell.

    Raises UserError where the layer is not one of these cells.
    """
    import geopandas as gpd
    import shapely

    if not pd.Index(layer["code"]).equals(cells.codes) or not counts.index.equals(cells.codes):
        raise UserError("The layer, the counts and the cells are not of one grid; make all of them in the same cells.")
    hot = layer["hot"].to_numpy(dtype=bool)
    number, score, shapes = as_floats(counts), as_floats(layer["score"]), cells.frame.geometry.to_numpy()
    one = np.repeat(np.arange(len(cells)), neighbours.sizes)
    linked = hot[one] & hot[neighbours.indices]
    group = join_linked(len(cells), one[linked], neighbours.indices[linked])
    rows = []
    for name in np.unique(group[hot]):
        members = hot & (group == name)
        outline = shapely.union_all(shapes[members])
        hectares = cells.area[members].sum() / 10_000
        rows.append((members.sum(), hectares, number[members].sum(), score[members].max(), outline))
    rows.sort(key=lambda row: (-row[2], -row[3]))
    sizes, measured, totals, peaks, outlines = zip(*rows, strict=True) if rows else ((),) * 5
    ranks = np.arange(1, len(rows) + 1)
    held = np.array(totals, dtype=np.float64)
    return gpd.GeoDataFrame(
        {
            "rank": ranks,
            "code": pd.Series([f"hotspot-{rank}" for rank in ranks], dtype="str"),
            "cells": np.array(sizes, dtype=np.int64),
            "hectares": np.array(measured, dtype=np.float64),
            "count": held,
            "share": share(held, float(np.nansum(number))),
            "peak": np.array(peaks, dtype=np.float64),
        },
        geometry=list(outlines),
        crs=cells.frame.crs,
    )
