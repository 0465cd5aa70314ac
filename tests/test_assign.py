from collections.abc import Sequence
from random import Random

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, box

from cspmap.assign import NOWHERE, Floats, PointIndex, assign_points

# About Luton, in degrees.
WEST, SOUTH = -0.45, 51.87


def frame(shapes: Sequence[shapely.Geometry], crs: int = 27700) -> gpd.GeoDataFrame:
    codes = [f"a{row}" for row in range(len(shapes))]
    return gpd.GeoDataFrame({"code": codes, "name": codes}, geometry=list(shapes), crs=crs)


def floats(*values: float) -> Floats:
    return np.array(values, dtype=np.float64)


def brute_force(easting: Floats, northing: Floats, areas: gpd.GeoDataFrame) -> list[int]:
    """The first area that each point intersects, one point and one area at a time."""
    points = [shapely.Point(x, y) for x, y in zip(easting, northing, strict=True)]
    hits = [[row for row, shape in enumerate(areas.geometry) if shapely.intersects(shape, point)] for point in points]
    return [found[0] if found else NOWHERE for found in hits]


def test_point_on_a_border_counts_once_in_the_first_of_its_areas() -> None:
    areas = frame([box(0, 0, 10, 10), box(10, 0, 20, 10), box(0, 10, 20, 20)])
    # The middle of each shared edge, the corner that all three share, and two outer corners.
    easting, northing = floats(10, 5, 15, 10, 20, 0), floats(5, 10, 10, 10, 20, 0)
    assert assign_points(easting, northing, areas).tolist() == [0, 0, 1, 0, 2, 0]


def test_points_in_a_hole_or_outside_or_nowhere_lie_in_no_area() -> None:
    ring = Polygon(box(0, 0, 10, 10).exterior.coords, [box(4, 4, 6, 6).exterior.coords])
    easting, northing = floats(5, 1, 11, np.nan, np.inf, -np.inf), floats(5, 1, 5, 5, 5, np.nan)
    found = assign_points(easting, northing, frame([ring]))
    assert found.tolist() == [NOWHERE, 0, NOWHERE, NOWHERE, NOWHERE, NOWHERE]


def test_no_points_and_no_areas() -> None:
    none = floats()
    assert assign_points(none, none, frame([box(0, 0, 1, 1)])).tolist() == []
    assert assign_points(floats(1), floats(1), frame([])).tolist() == [NOWHERE]


# Whole numbers make points fall on borders and corners all the time.
_corner = st.tuples(st.integers(0, 12), st.integers(0, 12))
_polygon = st.lists(_corner, min_size=3, max_size=7, unique=True).map(
    lambda corners: shapely.convex_hull(shapely.multipoints(corners))
)
_polygons = st.lists(_polygon.filter(lambda shape: shape.area > 0), min_size=1, max_size=6)


@settings(deadline=None)
@given(_polygons, st.lists(_corner, max_size=60))
def test_every_point_lies_where_brute_force_finds_it(shapes: list[Polygon], points: list[tuple[int, int]]) -> None:
    easting = np.array([point[0] for point in points], dtype=np.float64)
    northing = np.array([point[1] for point in points], dtype=np.float64)
    areas = frame(shapes)
    assert assign_points(easting, northing, areas).tolist() == brute_force(easting, northing, areas)


def make_layers() -> dict[str, gpd.GeoDataFrame]:
    """A grid of ten by ten and one of three triangles, both over the ground that the points fall on."""
    centre = gpd.GeoSeries(gpd.points_from_xy([WEST], [SOUTH]), crs=4326).to_crs(27700).iloc[0]
    x, y = centre.x - 2000, centre.y - 2000
    cells = [box(x + 500 * i, y + 500 * j, x + 500 * (i + 1), y + 500 * (j + 1)) for i in range(10) for j in range(10)]
    fans = [Polygon([(x, y), (x + 5000, y + far), (x + 5000, y + far + 2000)]) for far in (0, 2000, 4000)]
    return {"cell": frame(cells), "fan": frame(fans)}


LAYERS = make_layers()

_point = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(
    lambda step: (round(WEST - 0.03 + 0.0025 * step[0], 6), round(SOUTH - 0.02 + 0.0018 * step[1], 6))
)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(_point, max_size=25), min_size=1, max_size=6), st.randoms())
def test_index_finds_what_direct_assignment_finds_in_whatever_order_months_come(
    months: list[list[tuple[float, float]]], chance: Random
) -> None:
    index = PointIndex(LAYERS)
    chance.shuffle(months)
    for points in months:
        longitude = np.array([point[0] for point in points], dtype=np.float64)
        latitude = np.array([point[1] for point in points], dtype=np.float64)
        easting, northing, rows = index.locate(longitude, latitude)
        grid = gpd.GeoSeries(gpd.points_from_xy(longitude, latitude), crs=4326).to_crs(27700)
        np.testing.assert_allclose(easting, grid.x, atol=1e-6)
        np.testing.assert_allclose(northing, grid.y, atol=1e-6)
        assert rows.keys() == LAYERS.keys()
        for key, areas in LAYERS.items():
            np.testing.assert_array_equal(rows[key], assign_points(easting, northing, areas))


def test_degrees_become_grid_metres() -> None:
    """The Royal Observatory's meridian line, by its grid reference TQ 3888 7732."""
    easting, northing, _ = PointIndex(LAYERS).locate(floats(-0.0015), floats(51.4779))
    assert easting[0] == pytest.approx(538_880, abs=30)
    assert northing[0] == pytest.approx(177_320, abs=30)


def test_null_island_and_the_far_side_of_the_world_lie_in_no_area() -> None:
    longitude, latitude = floats(0.0, 179.9, -180.0, 90.0), floats(0.0, -89.9, 90.0, 0.0)
    easting, northing, rows = PointIndex(LAYERS).locate(longitude, latitude)
    assert {key: found.tolist() for key, found in rows.items()} == {"cell": [NOWHERE] * 4, "fan": [NOWHERE] * 4}
    # Where the grid has no place for a point there is no number that looks like one.
    np.testing.assert_array_equal(np.isnan(easting), np.isnan(northing))
    assert not np.isinf(np.concatenate([easting, northing])).any()


def test_index_of_no_points() -> None:
    nothing: npt.NDArray[np.float64] = floats()
    easting, northing, rows = PointIndex(LAYERS).locate(nothing, nothing)
    assert (len(easting), len(northing), {key: len(found) for key, found in rows.items()}) == (
        0,
        0,
        {"cell": 0, "fan": 0},
    )
