"""Hexagon maps: where the hexagons come to lie, and what is said of a faulty file."""

import json
import math
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Polygon, union_all

from cspmap.errors import SourceError
from cspmap.sources.hexmap import LAYOUTS, place_hexagons, read_hexmap

CENTRE = (500_000.0, 200_000.0)

# A flower of seven hexagons written out by compass direction, from the format's description: in odd-r the odd row
# is half a hexagon to the east, so the neighbours of (q 0, r 0) to the north are (-1, 1) and (0, 1).
FLOWERS = {
    "odd-r": {"W": (-1, 0), "E": (1, 0), "NW": (-1, 1), "NE": (0, 1), "SW": (-1, -1), "SE": (0, -1)},
    "even-r": {"W": (-1, 0), "E": (1, 0), "NW": (0, 1), "NE": (1, 1), "SW": (0, -1), "SE": (1, -1)},
    "odd-q": {"N": (0, 1), "S": (0, -1), "NW": (-1, 0), "NE": (1, 0), "SW": (-1, -1), "SE": (1, -1)},
    "even-q": {"N": (0, 1), "S": (0, -1), "NW": (-1, 1), "NE": (1, 1), "SW": (-1, 0), "SE": (1, 0)},
}
BEARINGS = {
    "-r": {"E": 90, "SE": 150, "SW": 210, "W": 270, "NW": 330, "NE": 30},
    "-q": {"N": 0, "NE": 60, "SE": 120, "S": 180, "SW": 240, "NW": 300},
}


def write(folder: Path, content: Any) -> Path:
    path = folder / "map.hexjson"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def read(path: Path) -> gpd.GeoDataFrame:
    return read_hexmap(path, centre=CENTRE, hectares=700)


def complaints(folder: Path, content: Any) -> list[str]:
    with pytest.raises(SourceError) as caught:
        read(write(folder, content))
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_neighbours_lie_where_the_layout_says(layout: str, tmp_path: Path) -> None:
    cells = {"M": (0, 0), **FLOWERS[layout]}
    hexes = {key: {"n": key, "q": q, "r": r} for key, (q, r) in cells.items()}
    layer = read(write(tmp_path, {"layout": layout, "hexes": hexes})).set_index("code")
    middle = layer.geometry["M"].centroid
    # 100 ha a hexagon: the distance between the middles of two neighbours is sqrt(2 / sqrt(3) x area).
    distance = math.sqrt(2 / math.sqrt(3) * 1_000_000)
    for direction, bearing in BEARINGS[layout[-2:]].items():
        there = layer.geometry[direction].centroid
        assert there.x - middle.x == pytest.approx(distance * math.sin(math.radians(bearing)), abs=0.01)
        assert there.y - middle.y == pytest.approx(distance * math.cos(math.radians(bearing)), abs=0.01)
    assert (middle.x, middle.y) == pytest.approx(CENTRE, abs=0.01)


def test_hexagons_are_regular_and_of_the_stated_area() -> None:
    for layout in LAYOUTS:
        (corners,) = place_hexagons([(3, -4)], layout=layout, centre=CENTRE, hectares=2.5)
        sides = [math.dist(a, b) for a, b in zip(corners, corners[1:] + corners[:1], strict=True)]
        assert sides == pytest.approx([sides[0]] * 6, abs=0.003)
        assert Polygon(corners).area == pytest.approx(25_000, rel=1e-4)
        assert Polygon(corners).exterior.is_ccw
        along = 1 if layout.endswith("-r") else 0  # pointy tops stretch north, flat tops east
        spread = [max(c[axis] for c in corners) - min(c[axis] for c in corners) for axis in (0, 1)]
        assert spread[along] == max(spread)


@given(
    cells=st.sets(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=60),
    layout=st.sampled_from(LAYOUTS),
)
def test_neighbours_share_their_corners_exactly(cells: set[tuple[int, int]], layout: str) -> None:
    rings = place_hexagons(sorted(cells), layout=layout, centre=(508_123.4, 222_987.6), hectares=4_336)
    whole = union_all([Polygon(ring) for ring in rings])
    assert whole.area == pytest.approx(43_360_000, rel=1e-4)
    # A union over corners that differ in the last digit would keep slivers or bring in new corners.
    corners = {corner for ring in rings for corner in ring}
    pieces = getattr(whole, "geoms", [whole])
    kept = {corner for piece in pieces for line in (piece.exterior, *piece.interiors) for corner in line.coords}
    assert kept <= corners
    assert all(len(line.coords) > 6 for piece in pieces for line in (piece.exterior, *piece.interiors))


def test_layer_has_the_conventional_columns(tmp_path: Path) -> None:
    hexes = {
        "b": {"q": 1, "r": 0, "ward": "X", "homes": 3},
        "a": {"n": "Alpha", "q": 0, "r": 0, "ward": "Y"},
    }
    layer = read(write(tmp_path, {"layout": "odd-r", "hexes": hexes}))
    assert list(layer.columns) == ["code", "name", "geometry", "ward", "homes"]
    assert layer["code"].tolist() == ["a", "b"]
    assert layer["name"].tolist() == ["Alpha", "b"]
    assert layer["ward"].tolist() == ["Y", "X"]
    assert layer["homes"].isna().tolist() == [True, False]
    assert layer.crs.to_epsg() == 27700
    assert layer.index.tolist() == [0, 1]


def test_all_faults_are_reported_together(tmp_path: Path) -> None:
    hexes = {
        "a": {"q": 0, "r": 0},
        "b": {"q": 0, "r": 0},
        "c": {"q": 1},
        "d": {"q": "2", "r": 1.5},
        "e": {"q": True, "r": 1},
        "f": 7,
        "g": {"q": 5, "r": 5, "name": "clash"},
    }
    found = complaints(tmp_path, {"layout": "sideways", "hexes": hexes})
    assert found == [
        "map.hexjson: its layout is 'sideways'; use one of odd-r, even-r, odd-q, even-q.",
        "map.hexjson, hexagon 'b': it lies on the cell of 'a' (q 0, r 0); move one.",
        "map.hexjson, hexagon 'c': its r is None; give a whole number.",
        "map.hexjson, hexagon 'd': its q is '2'; give a whole number.",
        "map.hexjson, hexagon 'd': its r is 1.5; give a whole number.",
        "map.hexjson, hexagon 'e': its q is True; give a whole number.",
        "map.hexjson, hexagon 'f': it is not an object; give its q and r as whole numbers.",
        "map.hexjson, hexagon 'g': its attribute 'name' has the name of a column of the layer; rename it.",
    ]


@pytest.mark.parametrize("content", [{"layout": "odd-r"}, {"layout": "odd-r", "hexes": {}}])
def test_map_without_hexagons_is_refused(content: Any, tmp_path: Path) -> None:
    assert complaints(tmp_path, content) == ['map.hexjson: it holds no hexagons; list them under "hexes", by code.']


@pytest.mark.parametrize("content", ['{"layout":', "[]", "3", "\x00"])
def test_what_is_no_hexjson_is_refused(content: str, tmp_path: Path) -> None:
    assert complaints(tmp_path, content)[0].startswith("map.hexjson: it")


def test_code_given_twice_is_refused(tmp_path: Path) -> None:
    text = '{"layout":"odd-r","hexes":{"a":{"q":0,"r":0},"a":{"q":1,"r":0}}}'
    assert complaints(tmp_path, text) == ["map.hexjson: 'a' is given more than once; keep one of them."]


def test_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.hexjson: it cannot be read"):
        read(tmp_path / "nowhere.hexjson")
