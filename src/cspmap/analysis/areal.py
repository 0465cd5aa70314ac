"""Figures of one set of areas restated for another, conserving totals and saying what could not be placed.

Frames are GeoDataFrames in EPSG:27700 (metres) with a text column `code`, unique within the frame, and polygons
that are valid. The table that says how areas correspond is a value: build it once with `correspondence`, use it
often.

Source: Goodchild, M. F. and Lam, N. S. (1980), "Areal interpolation: a variant of the traditional spatial
problem", Geo-Processing 1, 297-312.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.measures import Floats, as_floats
from cspmap.errors import UserError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Geometries = NDArray[Any]

WORKING_CRS = 27700
# Shares this far from whole are rounding of coordinates, not a gap or an overlap.
_NOISE = 1e-6


@dataclass(frozen=True)
class Interpolated:
    """Figures for the target areas, and what lies in none of them.

    `frame`: one row a target, in the target's order, with `code`, each variable asked for, and `share_covered`,
    the share (0 to 1) of the target's area that source areas cover. `uncovered`: one row for each source area that
    is not wholly in target areas, with `code`, `share` (0 to 1, the part in none) and the extensive variables'
    amounts in that part. For each extensive variable the two add up to the source's total.
    """

    frame: pd.DataFrame
    uncovered: pd.DataFrame


def correspondence(source: GeoDataFrame, target: GeoDataFrame, *, weights: GeoDataFrame | None = None) -> pd.DataFrame:
    """How much of each source area lies in each target area.

    By area; or, with `weights` (finer units such as output areas with a column `weight`, residents say, none
    missing or negative), by weight, which is taken to be spread evenly within a finer unit. A source area in which
    no weight lies is split by area.

    One row for each pair that overlaps, sorted by source then target:

    - source_code, target_code
    - share: part (0 to 1) of the source that lies in the target
    - target_share: part (0 to 1) of the target's area that the pair's overlap covers
    - amount: area of the overlap in m², or the weight in it
    - by: "area" or "weight", the way `share` was worked out

    Raises UserError for another CRS or none, missing or repeated codes, areas without extent, unusable weights.
    """
    for frame, role in ((source, "source areas"), (target, "target areas")):
        _check_layer(frame, role)
    whose, which, overlap = _overlay(_shapes(source), _shapes(target))
    areas = _areas(overlap)
    source_areas, target_areas = _areas(_shapes(source)), _areas(_shapes(target))
    by_area = areas / source_areas[whose]
    if weights is None:
        amount, share, by = areas, by_area, np.full(len(whose), "area")
    else:
        amount = _weight_within(overlap, weights)
        total = _weight_within(_shapes(source), weights)[whose]
        weighed = total > 0
        share = np.divide(amount, total, out=by_area, where=weighed)
        by = np.where(weighed, "weight", "area")
    table = pd.DataFrame(
        {
            "source_code": source["code"].to_numpy()[whose],
            "target_code": target["code"].to_numpy()[which],
            "share": share,
            "target_share": areas / target_areas[which],
            "amount": amount,
            "by": by,
        }
    )
    return table.sort_values(["source_code", "target_code"], ignore_index=True)


def interpolate(
    source: GeoDataFrame,
    target: GeoDataFrame,
    *,
    extensive: Sequence[str] = (),
    intensive: Mapping[str, str] | Sequence[str] = (),
    weights: GeoDataFrame | None = None,
    table: pd.DataFrame | None = None,
    sliver: float = 0.05,
) -> Interpolated:
    """Restate columns of `source` for the areas of `target`.

    `extensive` names columns of totals (incidents, residents): each source's total is split by its shares and
    added up. `intensive` names columns of rates or means, averaged over the parts of the sources that make up a
    target: a mapping gives each its denominator, an extensive column of the source
    (`{"burglary_rate": "households"}`); a plain list weighs by the overlap's area, or by its weight where there
    are `weights`.

    `weights` as in `correspondence`; `table` is such a correspondence built before, in place of `weights`.

    Boundaries are generalised differently, so a source area of which at least `1 - sliver` lies in target areas is
    taken to lie in them wholly: its shares are scaled up to 1. Of any other source area, the part outside every
    target is returned in `uncovered` and goes to no target.

    A target that takes any part of a source whose value is missing is missing (NaN), and so is one that no source
    touches. Raises UserError as `correspondence` does, where a column is absent or not numeric, and where targets
    overlap so that more than `1 + sliver` of a source would be given out.
    """
    if table is not None and weights is not None:
        raise ValueError("interpolate takes weights or a table built with them, not both")
    denominators: dict[str, str | None] = (
        dict(intensive) if isinstance(intensive, Mapping) else dict.fromkeys(intensive)
    )
    _check_layer(source, "source areas")
    _check_layer(target, "target areas")
    wanted = {*extensive, *denominators, *(name for name in denominators.values() if name)}
    values = {name: _numbers(source, name) for name in sorted(wanted)}
    pairs = correspondence(source, target, weights=weights) if table is None else table
    whose = _positions(pairs["source_code"], source, "source areas")
    which = _positions(pairs["target_code"], target, "target areas")

    share = pairs["share"].to_numpy(dtype=np.float64)
    covered: Floats = np.bincount(whose, weights=share, minlength=len(source)).astype(np.float64)
    _check_overlap(source, covered, sliver)
    whole = covered >= 1 - max(sliver, _NOISE)
    scale = np.divide(1.0, covered, out=np.ones_like(covered), where=whole)[whose]
    given = share * scale

    untouched = np.bincount(which, minlength=len(target)) == 0

    def add_up(parts: Floats) -> Floats:
        sums = np.bincount(which, weights=parts, minlength=len(target))
        return np.where(untouched, np.nan, sums)

    frame = pd.DataFrame({"code": target["code"].to_numpy()})
    for name in extensive:
        frame[name] = add_up(_times(given, values[name][whose]))
    for name, denominator in denominators.items():
        if denominator is None:
            mass = pairs["amount"].to_numpy(dtype=np.float64) * scale
        else:
            mass = _times(given, values[denominator][whose])
        top, bottom = add_up(_times(mass, values[name][whose])), add_up(mass)
        frame[name] = np.divide(top, bottom, out=np.full(len(target), np.nan), where=bottom > 0)
    touched = np.bincount(which, weights=pairs["target_share"].to_numpy(dtype=np.float64), minlength=len(target))
    frame["share_covered"] = np.minimum(touched, 1.0)

    outside = np.where(whole, 0.0, 1 - covered)
    uncovered = pd.DataFrame({"code": source["code"].to_numpy(), "share": outside})
    for name in extensive:
        uncovered[name] = outside * values[name]
    return Interpolated(frame, uncovered[~whole].reset_index(drop=True))


def _times(part: Floats, value: Floats) -> Floats:
    """`part x value`, where no part of a missing value is nothing rather than missing."""
    return np.multiply(part, value, out=np.zeros_like(part), where=part > 0)


def _shapes(frame: GeoDataFrame) -> Geometries:
    shapes: Geometries = frame.geometry.to_numpy()
    return shapes


def _areas(shapes: Geometries) -> Floats:
    import shapely

    areas: Floats = shapely.area(shapes)
    return areas


def _overlay(first: Geometries, second: Geometries) -> tuple[NDArray[np.intp], NDArray[np.intp], Geometries]:
    """Each pair that shares some area: position in `first`, position in `second`, and the shared geometry."""
    import shapely

    one, other = shapely.STRtree(second).query(first, predicate="intersects")
    shared = shapely.intersection(first[one], second[other])
    real = shapely.area(shared) > 0
    return one[real], other[real], shared[real]


def _weight_within(places: Geometries, weights: GeoDataFrame) -> Floats:
    """The weight that lies in each of `places`, a finer unit's weight being spread evenly over it."""
    _check_layer(weights, "weighting units")
    carried = _numbers(weights, "weight")
    bad = np.flatnonzero(~(np.isfinite(carried) & (carried >= 0)))
    if bad.size:
        raise UserError(
            f"Weighting unit {weights['code'].iloc[bad[0]]} has no usable weight, got {carried[bad[0]]:g}; "
            "give every unit a weight of zero or more."
        )
    units = _shapes(weights)
    place, unit, shared = _overlay(places, units)
    parts = carried[unit] * _areas(shared) / _areas(units)[unit]
    # Without a single overlap bincount answers in whole numbers.
    return np.bincount(place, weights=parts, minlength=len(places)).astype(np.float64)


def _check_layer(frame: GeoDataFrame, role: str) -> None:
    if frame.crs is None or frame.crs.to_epsg() != WORKING_CRS:
        got = "none" if frame.crs is None else frame.crs.name
        raise UserError(
            f"The {role} must be on the British National Grid (EPSG:{WORKING_CRS}), got {got}; reproject them first."
        )
    if "code" not in frame:
        raise UserError(f"The {role} have no column 'code'; name the column that holds their codes so.")
    unusable = frame["code"].isna() | frame["code"].duplicated()
    if unusable.any():
        raise UserError(
            f"The {role} hold a missing or repeated code, {frame['code'][unusable].iloc[0]}; give each area its own."
        )
    empty = np.flatnonzero(~(_areas(_shapes(frame)) > 0))
    if empty.size:
        raise UserError(f"Area {frame['code'].iloc[empty[0]]} of the {role} has no extent; repair or remove it.")


def _check_overlap(source: GeoDataFrame, covered: Floats, sliver: float) -> None:
    most = int(covered.argmax()) if covered.size else 0
    if covered.size and covered[most] > 1 + max(sliver, _NOISE):
        raise UserError(
            f"The target areas overlap: {covered[most]:.0%} of source area {source['code'].iloc[most]} would be "
            "given out; use targets that do not overlap."
        )


def _numbers(frame: GeoDataFrame, name: str) -> Floats:
    if name not in frame:
        raise UserError(f"There is no column {name!r} to interpolate; the columns are {', '.join(frame.columns)}.")
    if not pd.api.types.is_numeric_dtype(frame[name]):
        raise UserError(f"Column {name!r} cannot be interpolated: it does not hold numbers; choose another.")
    return as_floats(frame[name])


def _positions(codes: Iterable[str], frame: GeoDataFrame, role: str) -> NDArray[np.intp]:
    listed = pd.Index(codes)
    found: NDArray[np.intp] = pd.Index(frame["code"]).get_indexer(listed)
    if (found < 0).any():
        raise UserError(
            f"The correspondence table names {listed[found < 0][0]}, which is not among the {role}; "
            "build the table from the same layers."
        )
    return found
