"""Boundary files read into layers: geometry brought to one grid and repaired, faults reported; areas made of wards."""

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from cspmap.codes import CodeType
from cspmap.errors import PartnershipError, Problem, SourceError
from cspmap.partnership import Area
from cspmap.sources.boundary_codes import list_briefly, read_codes
from cspmap.sources.boundary_files import open_boundaries

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Geometries = npt.NDArray[np.object_]

# What is noted about a layer: areas that lie over each other, and holes among them that no area covers. Smaller
# ones come from digitising, and are no wider than a street.
OVERLAP_METRES2 = 1_000.0
OVERLAP_SHARE = 0.01
GAP_METRES2 = 1_000.0

# The United Kingdom with its waters in British National Grid metres: west, south, east, north. Northern Ireland
# and St Kilda lie at eastings about 0, the Isles of Scilly and Shetland at northings about 0 and 1,220,000.
_UNITED_KINGDOM = (-50_000.0, -30_000.0, 700_000.0, 1_300_000.0)

_GRID = "EPSG:27700"


@dataclass(frozen=True)
class BoundaryFile:
    """The areas of a boundary file.

    `frame` is in EPSG:27700 (metres) with exactly code, name and geometry (Polygon or MultiPolygon), sorted by code,
    index 0..n-1. `code_type` is None for a partnership's own codes. `notes` are sentences on what was repaired or
    looks wrong.
    """

    frame: "gpd.GeoDataFrame"
    code_type: CodeType | None
    notes: tuple[str, ...]


def read_boundaries(
    path: Path, *, code_column: str | None = None, name_column: str | None = None, codes: str | None = None
) -> BoundaryFile:
    """Read GeoJSON, a GeoPackage or a shapefile (a folder or zip file of one too), in any coordinate system.

    The columns of codes and names are recognised by ONS's names for them, or else are "code" and "name", unless
    they are given. `codes` says what the codes are (`codes.find_code_type`) where neither column nor codes tell.
    Invalid polygons are repaired by shapely.make_valid with its structure method, which keeps what is an area.

    Raises SourceError, with all faults together, where the file cannot be read, does not state its coordinate
    system, has no areas, lacks or repeats codes or has codes of another kind, or where an area is empty or outside
    the United Kingdom.
    """
    import geopandas as gpd
    import shapely

    opened = open_boundaries(path)
    raw = opened.frame
    if raw.empty:
        raise SourceError([Problem(path.name, "it holds no areas", "give a file with at least one")])
    table = raw.drop(columns=raw.geometry.name)
    coded = read_codes(path.name, table, code_column=code_column, name_column=name_column, codes=codes)
    shapes, trimmed = _keep_polygons(raw.geometry.to_numpy())
    shapes = gpd.GeoSeries(shapes, crs=raw.crs).to_crs(_GRID).to_numpy()
    problems = [*coded.problems, *_find_misplaced(path.name, shapes, coded.codes, raw)]
    if problems:
        raise SourceError(problems)
    broken = ~shapely.is_valid(shapes)
    shapes[broken] = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
    shapes, _ = _keep_polygons(shapes)
    collapsed = [code for code, empty in zip(coded.codes, shapely.is_empty(shapes), strict=True) if empty]
    if collapsed:
        raise SourceError([_lack_area(path.name, collapsed)])
    data = {"code": coded.codes, "name": coded.names}
    frame = gpd.GeoDataFrame(data, geometry=shapes, crs=_GRID).sort_values("code", ignore_index=True)
    several = shapely.get_num_geometries(frame.geometry.to_numpy()) > 1
    notes = [
        *opened.notes,
        *coded.notes,
        *_name_areas("Points or lines among its polygons were dropped", _pick(coded.codes, trimmed)),
        *_name_areas("Outlines that crossed or touched themselves were repaired", _pick(coded.codes, broken)),
        *_name_areas("Made of several separate parts", list(frame.loc[several, "code"])),
        *_note_overlaps(frame),
        *_note_gaps(frame),
    ]
    return BoundaryFile(frame, coded.code_type, tuple(notes))


def _pick(codes: Sequence[str], chosen: "npt.NDArray[np.bool_]") -> list[str]:
    return sorted(code for code, wanted in zip(codes, chosen, strict=True) if wanted)


def _name_areas(what: str, codes: Sequence[str]) -> list[str]:
    return [f"{what}: {list_briefly(codes)}."] if codes else []


def _keep_polygons(shapes: "Geometries") -> "tuple[Geometries, npt.NDArray[np.bool_]]":
    """The polygons in each geometry, as one Polygon or MultiPolygon, and which geometries had anything else.

    A missing geometry, or one without polygons, comes out as an empty polygon.
    """
    import numpy as np
    import shapely

    kept = np.array(shapes, dtype=object)
    trimmed = np.zeros(len(kept), dtype=bool)
    for row in np.flatnonzero(shapely.get_type_id(kept) != shapely.GeometryType.POLYGON):
        parts = shapely.get_parts(shapely.get_parts(shapely.get_parts([kept[row]])))
        polygons = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
        polygons = polygons[~shapely.is_empty(polygons)]
        trimmed[row] = 0 < len(polygons) < len(parts)
        if len(polygons) == 1:
            kept[row] = polygons[0]
        else:
            kept[row] = shapely.MultiPolygon(list(polygons)) if len(polygons) else shapely.Polygon()
    return kept, trimmed


def _lack_area(file: str, codes: Sequence[str]) -> Problem:
    what = f"{list_briefly(codes)} {'covers' if len(codes) == 1 else 'cover'} no ground"
    return Problem(file, what, "give each area a polygon, or take it out")


def _find_misplaced(file: str, shapes: "Geometries", codes: Sequence[str], raw: "gpd.GeoDataFrame") -> list[Problem]:
    """Areas without ground, and areas outside the United Kingdom, where a wrong CRS or swapped axes puts them."""
    import numpy as np
    import shapely

    empty = shapely.is_empty(shapes)
    problems = [_lack_area(file, _pick(codes, empty))] if empty.any() else []
    west, south, east, north = _UNITED_KINGDOM
    bounds = shapely.bounds(shapes)
    inside = np.isfinite(bounds).all(axis=1)
    inside &= (bounds[:, 0] >= west) & (bounds[:, 1] >= south) & (bounds[:, 2] <= east) & (bounds[:, 3] <= north)
    outside = ~empty & ~inside
    if outside.any():
        x, y = shapely.get_coordinates(raw.geometry.to_numpy()[outside])[0]
        which = "its areas lie" if outside.all() else f"{list_briefly(_pick(codes, outside))} would lie"
        problems.append(
            Problem(
                file,
                f"read as {raw.crs.name}, {which} outside the United Kingdom (a corner is at x {x:g}, y {y:g})",
                "check that x and y are not swapped and that the file states the coordinate system it is in",
            )
        )
    return problems


def _note_overlaps(frame: "gpd.GeoDataFrame") -> list[str]:
    import shapely

    shapes = frame.geometry.to_numpy()
    if shapely.coverage_is_valid(shapes):
        return []
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    first, second = first[first < second], second[first < second]
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    areas = shapely.area(shapes)
    smaller = areas[first].clip(max=areas[second])
    large = (shared > OVERLAP_METRES2) | (shared > OVERLAP_SHARE * smaller)
    codes = frame["code"].to_numpy()
    worst = sorted(zip(-shared[large], codes[first[large]], codes[second[large]], strict=True))
    if not worst:
        return []
    pairs = [f"{one} and {other} by {-shared / 10_000:,.2f} ha" for shared, one, other in worst]
    return [
        f"Areas lie over each other, where an incident counts in the first alone: {list_briefly(pairs)} "
        f"(over {OVERLAP_METRES2:,.0f} m² or {OVERLAP_SHARE:.0%} of the smaller)."
    ]


def _note_gaps(frame: "gpd.GeoDataFrame") -> list[str]:
    import shapely

    union = shapely.union_all(frame.geometry.to_numpy())
    holes = [shapely.Polygon(ring) for part in shapely.get_parts(union) for ring in part.interiors]
    large = sorted((hole for hole in holes if hole.area > GAP_METRES2), key=lambda hole: -hole.area)
    if not large:
        return []
    spots = [
        f"{hole.area / 10_000:,.2f} ha at easting {spot.x:.0f}, northing {spot.y:.0f}"
        for hole in large
        for spot in [hole.representative_point()]
    ]
    return [f"No area covers these gaps among them: {list_briefly(spots)} (over {GAP_METRES2:,.0f} m²)."]


def dissolve_areas(wards: "gpd.GeoDataFrame", areas: Sequence[Area]) -> "gpd.GeoDataFrame":
    """The areas of one layer as a layer frame, each the union of its wards (a layer frame too).

    Members are given by name or code, in any case. An area that is listed for several spans of months is drawn as
    it was in the latest of them. Raises PartnershipError, with all faults together, for members that are not wards
    or could be several, and for wards in two areas at once.
    """
    import geopandas as gpd
    import shapely

    shapes = dict(zip(wards["code"], wards.geometry, strict=True))
    latest = {area.code: (area, codes) for area, codes in _find_members(wards, areas)}
    rows = [latest[code] for code in sorted(latest)]
    return gpd.GeoDataFrame(
        {"code": [area.code for area, _ in rows], "name": [area.name for area, _ in rows]},
        geometry=[shapely.union_all([shapes[code] for code in codes]) for _, codes in rows],
        crs=wards.crs,
    )


def list_members(wards: "gpd.GeoDataFrame", areas: Sequence[Area]) -> "pd.DataFrame":
    """Which ward is in which area when, so that an incident's area is its ward's in that month.

    Columns: code (of the ward), area (its code), first and last (Month, both included, None where open-ended).
    Raises PartnershipError as `dissolve_areas` does.
    """
    import pandas as pd

    rows = [(code, area.code, area.first, area.last) for area, codes in _find_members(wards, areas) for code in codes]
    return pd.DataFrame(rows, columns=["code", "area", "first", "last"], dtype=object)


def note_left_out(wards: "gpd.GeoDataFrame", areas: Sequence[Area]) -> tuple[str, ...]:
    """A sentence that names the wards that no area has, if any: their incidents count in no area."""
    taken = {code for _, codes in _find_members(wards, areas) for code in codes}
    left = [name for code, name in zip(wards["code"], wards["name"], strict=True) if code not in taken]
    return (f"{len(left)} of {len(wards)} are in no area: {list_briefly(left)}.",) if left else ()


def _find_members(wards: "gpd.GeoDataFrame", areas: Sequence[Area]) -> list[tuple[Area, list[str]]]:
    """Each area with the codes of its wards, in order of time."""
    bearers: dict[str, list[str]] = {}
    for code, name in zip(wards["code"], wards["name"], strict=True):
        bearers.setdefault(name.casefold(), []).append(code)
    # A code is a ward's own, whatever other ward may bear it as a name.
    bearers |= {code.casefold(): [code] for code in wards["code"]}
    problems: list[Problem] = []
    found: list[tuple[Area, list[str]]] = []
    for area in sorted(areas, key=_last_ordinal):
        codes: dict[str, None] = {}
        for member in area.members:
            match bearers.get(member.strip().casefold(), []):
                case [code]:
                    codes[code] = None
                case several:
                    problems.append(_explain(area, member, several, list(wards["name"])))
        found.append((area, list(codes)))
    problems += _find_clashes(found, dict(zip(wards["code"], wards["name"], strict=True)))
    if problems:
        raise PartnershipError(problems)
    return found


def _last_ordinal(area: Area) -> float:
    return math.inf if area.last is None else area.last.ordinal


def _explain(area: Area, member: str, bearers: Sequence[str], names: Sequence[str]) -> Problem:
    where = f"[[areas]] {area.name!r}"
    if bearers:
        return Problem(where, f"{member!r} is the name of {' and '.join(bearers)}", "give the code instead")
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(member.strip().casefold(), folded, n=1)
    fix = f"did you mean {folded[close[0]]}?" if close else f"name some of {list_briefly(sorted(names), most=8)}"
    return Problem(where, f"there is no {member!r} in the layer it is made of", fix)


def _find_clashes(found: Sequence[tuple[Area, list[str]]], names: dict[str, str]) -> list[Problem]:
    return [
        Problem(
            f"[[areas]] {one.name!r} and {other.name!r}",
            f"{names[code]!r} ({code}) is in both in the same months",
            "leave it in one, or give from and to",
        )
        for (one, ones), (other, others) in combinations(found, 2)
        if one.code != other.code and one.overlaps(other)
        for code in ones
        if code in others
    ]
