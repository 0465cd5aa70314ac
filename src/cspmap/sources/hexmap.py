"""Hexagon maps in the HexJSON format: a geography in which every area is a hexagon of the same size.

Format: HexJSON as published by Open Innovations (formerly ODI Leeds): `layout` names how alternate rows (-r) or
columns (-q) are shifted, `hexes` holds one object for each code with its column `q`, its row `r` (rows count
northwards) and, by custom, its name `n`. The shifted rows lie half a hexagon further east, the shifted columns
half a hexagon further north, as the publisher's own renderer (oi.hexmap.js) draws them.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cspmap.errors import Problem, SourceError

if TYPE_CHECKING:
    import geopandas as gpd

LAYOUTS = ("odd-r", "even-r", "odd-q", "even-q")

# Columns that the layer itself needs, so that no attribute of a hexagon may bear their names.
_RESERVED = {"code", "name", "geometry"}
_POSITION = {"q", "r", "n"}

# Corners of a pointy-topped hexagon about its middle, anticlockwise from the east: in half widths eastwards and
# half radii northwards. Whole numbers, so that neighbours have the very same corners. A flat-topped one has them
# with the two axes swapped.
_POINTY_CORNERS = ((1, -1), (1, 1), (0, 2), (-1, 1), (-1, -1), (0, -2))

Corners = list[tuple[float, float]]


def read_hexmap(path: Path, *, centre: tuple[float, float], hectares: float) -> "gpd.GeoDataFrame":
    """Read a HexJSON file as a layer of regular hexagons in EPSG:27700.

    `centre` (easting, northing in metres) becomes the centroid of the whole map; `hectares` is the area of all
    hexagons together. Columns: code, name (the code where a hexagon has no `n`), geometry, then every other
    attribute in the file's order, None where a hexagon lacks it; sorted by code.

    Raises SourceError with all the faults of the file together.
    """
    import geopandas as gpd
    from shapely import Polygon

    layout, hexes = _read_file(path)
    codes = sorted(hexes)
    cells = [(hexes[code]["q"], hexes[code]["r"]) for code in codes]
    corners = place_hexagons(cells, layout=layout, centre=centre, hectares=hectares)
    columns: dict[str, list[Any]] = {
        "code": codes,
        "name": [str(hexes[code].get("n", code)) for code in codes],
        "geometry": [Polygon(ring) for ring in corners],
    }
    attributes = dict.fromkeys(key for entry in hexes.values() for key in entry if key not in _POSITION)
    columns |= {key: [hexes[code].get(key) for code in codes] for key in attributes}
    return gpd.GeoDataFrame(columns, geometry="geometry", crs="EPSG:27700")


def place_hexagons(
    cells: Sequence[tuple[int, int]], *, layout: str, centre: tuple[float, float], hectares: float
) -> list[Corners]:
    """The six corners (metres, anticlockwise) of each hexagon of a map, in the order of its `cells` (q, r).

    The middle of the map is at `centre`, its hexagons cover `hectares` together. Corners are rounded to the
    millimetre, and two neighbours have two corners in common to the last bit. A regular hexagon of radius R
    covers (3 sqrt(3) / 2) R².
    """
    radius = math.sqrt(hectares * 10_000 / len(cells) / (1.5 * math.sqrt(3)))
    half_width, half_radius = radius * math.sqrt(3) / 2, radius / 2
    pointy = layout.endswith("-r")
    corners = _POINTY_CORNERS if pointy else tuple((b, a) for a, b in reversed(_POINTY_CORNERS))
    step_x, step_y = (half_width, half_radius) if pointy else (half_radius, half_width)
    middles = [_lattice_middle(q, r, layout) for q, r in cells]
    mean_x = sum(x for x, _ in middles) / len(middles)
    mean_y = sum(y for _, y in middles) / len(middles)

    def place(x: int, y: int) -> tuple[float, float]:
        return (
            round(centre[0] + (x - mean_x) * step_x, 3),
            round(centre[1] + (y - mean_y) * step_y, 3),
        )

    return [[place(x + dx, y + dy) for dx, dy in corners] for x, y in middles]


def _lattice_middle(q: int, r: int, layout: str) -> tuple[int, int]:
    shifted_parity = 1 if layout.startswith("odd") else 0
    if layout.endswith("-r"):
        return 2 * q + (r % 2 == shifted_parity), 3 * r
    return 3 * q, 2 * r + (q % 2 == shifted_parity)


def _read_file(path: Path) -> tuple[str, dict[str, dict[str, Any]]]:
    repeated: list[str] = []

    def keep_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        repeated.extend(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        return dict(pairs)

    try:
        content = json.loads(path.read_bytes(), object_pairs_hook=keep_pairs)
    except (OSError, ValueError) as error:
        raise SourceError(
            [Problem(path.name, f"it cannot be read as JSON ({error})", "give a HexJSON file as published")]
        ) from error
    problems = [Problem(path.name, f"{key!r} is given more than once", "keep one of them") for key in sorted(repeated)]
    if not isinstance(content, dict):
        content = {}
    layout, hexes = content.get("layout"), content.get("hexes")
    if layout not in LAYOUTS:
        problems.append(Problem(path.name, f"its layout is {layout!r}", f"use one of {', '.join(LAYOUTS)}"))
    if not isinstance(hexes, dict) or not hexes:
        problems.append(Problem(path.name, "it holds no hexagons", 'list them under "hexes", by code'))
        hexes = {}
    problems += _hexagon_problems(path.name, hexes)
    if problems:
        raise SourceError(problems)
    return str(layout), hexes


def _hexagon_problems(file: str, hexes: Mapping[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    taken: dict[tuple[int, int], str] = {}
    for code, entry in hexes.items():
        where = f"{file}, hexagon {code!r}"
        if not isinstance(entry, dict):
            problems.append(Problem(where, "it is not an object", "give its q and r as whole numbers"))
            continue
        wrong = [key for key in ("q", "r") if type(entry.get(key)) is not int]
        problems += [Problem(where, f"its {key} is {entry.get(key)!r}", "give a whole number") for key in wrong]
        problems += [
            Problem(where, f"its attribute {key!r} has the name of a column of the layer", "rename it")
            for key in entry
            if key in _RESERVED
        ]
        if wrong:
            continue
        cell = entry["q"], entry["r"]
        if cell in taken:
            problems.append(
                Problem(where, f"it lies on the cell of {taken[cell]!r} (q {cell[0]}, r {cell[1]})", "move one")
            )
        taken.setdefault(cell, code)
    return problems
