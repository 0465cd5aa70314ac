"""Comparison areas that were like the focus area before it started: as busy, on the same course, as deprived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.areal import WORKING_CRS
from cspmap.analysis.evaluation.spans import FEWEST_MONTHS
from cspmap.analysis.measures import Column, Floats, as_floats
from cspmap.errors import UserError
from cspmap.periods import Month, Span

if TYPE_CHECKING:
    import geopandas as gpd

MATCHES = 5
# Areas may overlap by this many m² of slivers between generalised boundaries.
_SLIVER = 1.0


@dataclass(frozen=True)
class Matches:
    """Areas that may serve as a comparison, the most alike first.

    `frame`: one row a candidate with code, level (incidents a month), trend (per cent a year, of its level),
    deprivation (score, NaN where not given), distance (0 where alike in all of them, in standard deviations of the
    candidates) and proposed (whether it is among the best). `target` are level, trend and deprivation of the area
    itself: those of its units on average. `excluded` are the codes that overlap the area or its buffer.
    """

    frame: pd.DataFrame
    target: dict[str, float]
    excluded: tuple[str, ...]

    @property
    def proposed(self) -> tuple[str, ...]:
        """The codes of the best matches."""
        return tuple(self.frame.loc[self.frame["proposed"], "code"])


def propose_comparisons(
    layer: gpd.GeoDataFrame,
    monthly: pd.DataFrame,
    area: gpd.GeoDataFrame,
    area_monthly: pd.DataFrame,
    before: Span,
    *,
    buffer_metres: float = 0.0,
    deprivation: Column | None = None,
    area_deprivation: float | None = None,
    number: int = MATCHES,
) -> Matches:
    """Propose comparison areas among those of a layer that overlap neither the area nor its buffer.

    - `layer`: code and geometry; `area`: its polygons; both in EPSG:27700
    - `monthly`, `area_monthly`: counts, months ("YYYY-MM") x codes of the layer, and x units of the area
    - `before`: the months before the start that they are to be alike in; missing ones are left out
    - `deprivation`: scores by code, with `area_deprivation` that of the area

    Alike is judged by the logarithm of the level, the trend and the deprivation score, each in standard deviations of
    the candidates; what is not given, or does not vary, plays no part. Raises UserError where fewer than three months
    are known or no candidate is left.
    """
    excluded = find_overlapping(layer, area, buffer_metres=buffer_metres)
    months = [str(m) for m in before if str(m) in monthly.index and str(m) in area_monthly.index]
    known = monthly.loc[months].notna().all(axis=1) & area_monthly.loc[months].notna().all(axis=1)
    months = [month for month in months if known[month]]
    if len(months) < FEWEST_MONTHS:
        raise UserError(
            f"Only {len(months)} months of {before.words} are known, too few to find areas that were alike; "
            "choose a longer time before."
        )
    codes = [code for code in layer["code"] if code in monthly.columns and code not in excluded]
    if not codes:
        raise UserError("No area is left to compare with: all overlap the focus area or its buffer; narrow the buffer.")
    when = np.array([Month.parse(month).ordinal for month in months], dtype=np.float64)
    level, trend = _describe(monthly.loc[months, codes].to_numpy(dtype=np.float64), when)
    own_level, own_trend = _describe(area_monthly.loc[months].to_numpy(dtype=np.float64), when)
    weights = own_level / own_level.sum() if own_level.sum() else np.full(len(own_level), 1 / len(own_level))
    target = {
        "level": float(own_level.mean()),
        "trend": float(weights @ own_trend),
        "deprivation": float("nan") if area_deprivation is None else float(area_deprivation),
    }
    scores = np.full(len(codes), np.nan) if deprivation is None else as_floats(deprivation.reindex(codes))
    # Half an incident more, so that areas without any have a logarithm.
    least = 0.5 / len(months)
    distance = _measure_distance(
        [
            (np.log(level + least), float(np.log(target["level"] + least))),
            (trend, target["trend"]),
            (scores, target["deprivation"]),
        ]
    )
    frame = pd.DataFrame({"code": codes, "level": level, "trend": trend, "deprivation": scores, "distance": distance})
    frame = frame.sort_values(["distance", "code"], ignore_index=True)
    frame["proposed"] = (frame.index < number) & frame["distance"].notna()
    return Matches(frame, target, excluded)


def find_overlapping(layer: gpd.GeoDataFrame, area: gpd.GeoDataFrame, *, buffer_metres: float = 0.0) -> tuple[str, ...]:
    """The codes of a layer's areas that overlap an area or the buffer around it: no comparison for it.

    Both in EPSG:27700. Raises UserError for another CRS or none.
    """
    import shapely

    for frame in (layer, area):
        if frame.crs is None or frame.crs.to_epsg() != WORKING_CRS:
            got = "none" if frame.crs is None else frame.crs.name
            raise UserError(
                f"Areas must be on the British National Grid (EPSG:{WORKING_CRS}), got {got}; reproject first."
            )
    whole = area.geometry.union_all()
    taken = whole.buffer(buffer_metres) if buffer_metres > 0 else whole
    shapes: NDArray[Any] = layer.geometry.to_numpy()
    overlap = shapely.area(shapely.intersection(shapes, taken)) > _SLIVER
    return tuple(layer["code"][overlap])


def _describe(counts: Floats, when: Floats) -> tuple[Floats, Floats]:
    """Level (a month) and trend (per cent of it a year) of each column; the trend is 0 where there is nothing.

    The trend is the slope of the straight line through the months by least squares.
    """
    level = counts.mean(axis=0)
    centred = when - when.mean()
    slope = centred @ counts / (centred @ centred)
    trend = np.zeros_like(level)
    np.divide(1200 * slope, level, out=trend, where=level > 0)
    return level, trend


def _measure_distance(features: list[tuple[Floats, float]]) -> Floats:
    """Root mean square of the differences to the target, each in standard deviations over the candidates."""
    squares = []
    for values, target in features:
        spread = float(np.nanstd(values)) if np.isfinite(values).any() else 0.0
        if np.isfinite(target) and spread > 0:
            squares.append(((values - target) / spread) ** 2)
    if not squares:
        return np.zeros(len(features[0][0]))
    return np.asarray(np.sqrt(np.mean(squares, axis=0)))
