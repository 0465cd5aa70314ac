"""Grids clipped to the partnership, the rule for their width, and where points fall in them."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from cspmap.analysis.hotspots import Cells, Shape, choose_cell, count_points, find_neighbours, grid, own_units
from cspmap.analysis.hotspots.lattice import Lattice
from cspmap.analysis.hotspots.nearby import NearbyIndex
from cspmap.analysis.hotspots.points import place_points
from cspmap.errors import UserError

SHAPES: list[Shape] = ["hexagon", "square"]


def layer(*shapes: BaseGeometry) -> gpd.GeoDataFrame:
    codes = [f"a{number}" for number in range(len(shapes))]
    return gpd.GeoDataFrame({"code": codes, "name": codes}, geometry=list(shapes), crs=27700)


def at(*places: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame(list(places), columns=["easting", "northing"], dtype=float)


# An L of two rectangles of 1,000 by 400 m, whose hull is larger by a half.
L_SHAPE = layer(box(500_000, 200_000, 501_000, 200_400), box(500_000, 200_400, 500_400, 201_400))


@pytest.mark.parametrize("shape", SHAPES)
def test_cells_cover_the_partnership_and_nothing_else(shape: Shape) -> None:
    cells = grid(L_SHAPE, 130, shape)
    assert cells.area.sum() == pytest.approx(L_SHAPE.area.sum())
    shapes = cells.frame.geometry.to_numpy()
    assert shapely.area(shapely.difference(shapely.union_all(shapes), cells.boundary)) == pytest.approx(0, abs=1e-6)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="overlaps")
    assert shapely.area(shapely.intersection(shapes[one], shapes[other])).max(initial=0) < 1e-6
    assert cells.area == pytest.approx(shapely.area(shapes))
    assert cells.frame.crs.to_epsg() == 27700
    assert cells.words == f"{shape}s of 130 m"
    assert cells.rule == "Their width is as chosen."


def test_widths_and_areas_of_whole_cells() -> None:
    assert grid(L_SHAPE, 100, "square").area.max() == pytest.approx(10_000)
    hexagons = grid(L_SHAPE, 100)
    assert hexagons.area.max() == pytest.approx(np.sqrt(3) / 2 * 10_000)
    whole = hexagons.frame.geometry[hexagons.area.argmax()]
    west, _, east, _ = whole.bounds
    assert east - west == pytest.approx(100)
    assert len(whole.exterior.coords) == 7


@pytest.mark.parametrize("shape", SHAPES)
def test_codes_stay_the_same_for_another_boundary(shape: Shape) -> None:
    small = grid(layer(box(500_300, 200_100, 500_800, 200_380)), 100, shape).frame.set_index("code").geometry
    large = grid(L_SHAPE, 100, shape).frame.set_index("code").geometry
    assert len(small) < len(large)
    assert set(small.index) <= set(large.index)
    assert large.index.is_unique
    whole = small.area > 0.999 * small.area.max()
    assert small[whole].normalize().geom_equals_exact(large[small.index[whole]].normalize(), 1e-6).all()
    code, outline = small[whole].index[0], small[whole].iloc[0]
    _, east, north = code.split("-")
    assert (float(east), float(north)) == pytest.approx((outline.centroid.x, outline.centroid.y), abs=0.51)


def test_a_cell_larger_than_the_partnership_is_the_partnership() -> None:
    cells = grid(layer(box(500_010, 200_010, 500_020, 200_020)), 500, "square")
    assert cells.area.tolist() == pytest.approx([100])
    assert len(find_neighbours(cells).indices) == 1


def test_cells_in_several_parts_are_one_cell() -> None:
    comb = layer(*(box(500_000 + 40 * tooth, 200_000, 500_020 + 40 * tooth, 200_100) for tooth in range(5)))
    cells = grid(comb, 100, "square")
    assert cells.area.sum() == pytest.approx(5 * 20 * 100)
    assert set(cells.frame.geom_type) == {"MultiPolygon"}


def test_an_outline_along_a_side_leaves_no_line_in_a_cell() -> None:
    # The outline follows the side at 500,100 and steps over it elsewhere.
    step = box(500_000, 200_000, 500_100, 200_100).union(box(500_100, 200_040, 500_120, 200_060))
    cells = grid(layer(step), 100, "square")
    assert set(cells.frame.geom_type) == {"Polygon"}
    assert cells.area.tolist() == pytest.approx([10_000, 400])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_hole_is_not_covered(shape: Shape) -> None:
    ring = layer(box(500_000, 200_000, 501_000, 201_000).difference(box(500_300, 200_300, 500_700, 200_700)))
    cells = grid(ring, 90, shape)
    assert cells.area.sum() == pytest.approx(840_000)
    assert cells.find(np.array([500_500.0]), np.array([200_500.0])).tolist() == [-1]


@pytest.mark.parametrize(
    ("boundary", "cell", "message"),
    [
        (layer(), 100, "boundary has no extent"),
        (layer(Polygon()), 100, "boundary has no extent"),
        (L_SHAPE.to_crs(4326), 100, "must be in metres .*got WGS 84"),
        (L_SHAPE.set_crs(None, allow_override=True), 100, "must be in metres .*got none"),
        (L_SHAPE, 0, "cannot be 0 m wide"),
        (L_SHAPE, float("nan"), "cannot be nan m wide"),
        (L_SHAPE, 1.5, "more than 250,000; choose a width of 3 m"),
    ],
)
def test_bad_grids_are_refused_in_a_sentence(boundary: gpd.GeoDataFrame, cell: float, message: str) -> None:
    with pytest.raises(UserError, match=message):
        grid(boundary, cell)


def test_width_by_rule_holds_two_locations_a_cell() -> None:
    square = layer(box(500_000, 200_000, 510_000, 210_000))
    spots = at(*((500_050 + 250 * i, 200_050 + 250 * j) for i in range(40) for j in range(40)))
    # 100 km² over 1,600 locations: 125,000 m² a cell, a square of 354 m or a hexagon of 380 m.
    assert choose_cell(square, spots, "square")[0] == 350
    width, rule = choose_cell(square, spots)
    assert width == 400
    assert rule == "Their width is such that one holds two of the 1,600 locations on average."
    chosen = grid(square, locations=spots)
    assert (chosen.words, chosen.rule) == ("hexagons of 400 m", rule)


def test_rule_counts_locations_not_incidents_and_only_those_inside() -> None:
    square = layer(box(500_000, 200_000, 510_000, 210_000))
    spots = at(*((500_050 + 250 * i, 200_050 + 250 * j) for i in range(40) for j in range(40)))
    strays = at((0, 0), (-7e6, 3e6), (float("nan"), float("nan")))
    assert choose_cell(square, pd.concat([spots, spots, strays])) == choose_cell(square, spots)


def test_rule_takes_one_list_of_points_where_the_months_span_two() -> None:
    square = layer(box(500_000, 200_000, 510_000, 210_000))
    old = at(*((500_050 + 250 * i, 200_050 + 250 * j) for i in range(40) for j in range(40))).assign(month="2022-06")
    new = old.assign(easting=old["easting"] + 30, month="2022-07")
    both = pd.concat([old, new])
    assert choose_cell(square, both) == choose_cell(square, old) == choose_cell(square, new)
    assert choose_cell(square, both.drop(columns="month"))[0] < choose_cell(square, both)[0]


@pytest.mark.parametrize(
    ("number", "width", "words"),
    [
        (0, 1000, "fewer than two locations"),
        (1, 1000, "fewer than two locations"),
        (4, 1000, "as near as 100 m to 1,000 m allow"),
        (200_000, 100, "as near as 100 m to 1,000 m allow"),
    ],
)
def test_rule_keeps_within_bounds(number: int, width: float, words: str) -> None:
    square = layer(box(500_000, 200_000, 520_000, 220_000))
    spots = np.random.default_rng(1).uniform((500_000, 200_000), (520_000, 220_000), (number, 2))
    found, rule = choose_cell(square, pd.DataFrame(spots, columns=["easting", "northing"]))
    assert found == width
    assert words in rule


def test_a_grid_without_a_width_or_locations_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="needs a cell width"):
        grid(L_SHAPE)


@pytest.mark.parametrize("shape", SHAPES)
def test_points_fall_in_the_cell_that_holds_them(shape: Shape) -> None:
    cells = grid(L_SHAPE, 87, shape)
    x, y = np.random.default_rng(4).uniform((499_900, 199_900), (501_100, 201_500), (4_000, 2)).T
    found = cells.find(x, y)
    shapes = cells.frame.geometry.to_numpy()
    inside = shapely.intersects_xy(cells.boundary, x, y)
    assert ((found >= 0) == inside).all()
    assert (shapely.distance(shapes[found[inside]], shapely.points(x, y)[inside]) < 1e-9).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_lattice_finds_the_cells_it_draws(shape: Shape) -> None:
    lattice = Lattice(shape, 250)
    row, column = lattice.cover((500_000, 200_000, 502_000, 201_500))
    outlines = lattice.outlines(row, column)
    assert shapely.area(outlines) == pytest.approx(lattice.area)
    found = lattice.find(*lattice.centres(row, column))
    assert np.array_equal(found[0], row)
    assert np.array_equal(found[1], column)
    x, y = np.random.default_rng(5).uniform((500_000, 200_000), (502_000, 201_500), (500, 2)).T
    east, north = lattice.centres(*lattice.find(x, y))
    for number in range(len(x)):
        held = outlines[shapely.intersects_xy(outlines, x[number], y[number])]
        assert any(Point(east[number], north[number]).distance(outline.centroid) < 1e-6 for outline in held)


def test_neighbours_of_hexagons_and_squares_are_those_that_touch() -> None:
    for shape, most in (("hexagon", 7), ("square", 9)):
        cells = grid(layer(box(500_000, 200_000, 500_800, 200_700)), 100, shape)  # type: ignore[arg-type]
        neighbours = find_neighbours(cells)
        buffered = shapely.buffer(cells.frame.geometry.to_numpy(), 0.001)
        one, other = shapely.STRtree(buffered).query(buffered, predicate="intersects")
        expected = sorted(zip(one.tolist(), other.tolist(), strict=True))
        found = zip(
            np.repeat(np.arange(len(cells)), neighbours.sizes).tolist(), neighbours.indices.tolist(), strict=True
        )
        assert sorted(found) == expected
        assert neighbours.sizes.max() == most
        assert neighbours.words == f"{shape}s of 100 m, each with the {most - 1} around it"


def test_neighbours_of_own_units_share_a_border_or_a_corner() -> None:
    units = own_units(layer(box(0, 0, 9, 9), box(9, 0, 18, 9), box(9, 9, 18, 18), box(40, 40, 50, 50)), plural="wards")
    neighbours = find_neighbours(units)
    assert np.split(neighbours.indices, neighbours.starts[1:-1])[0].tolist() == [0, 1, 2]
    assert neighbours.sizes.tolist() == [3, 3, 3, 1]
    assert neighbours.words == "wards, each with those that touch it"
    assert neighbours.add_up(np.array([1.0, 10, 100, 1000])).tolist() == [111, 111, 111, 1000]


def test_neighbours_within_a_distance_are_by_centre() -> None:
    cells = grid(layer(box(500_000, 200_000, 500_500, 200_500)), 100, "square")
    neighbours = find_neighbours(cells, within=100)
    assert sorted(set(neighbours.sizes.tolist())) == [3, 4, 5]
    assert neighbours.words == "squares of 100 m, each with all within 100 m of it"
    with pytest.raises(UserError, match="above zero"):
        find_neighbours(cells, within=0)


def test_own_units_keep_their_order_and_a_shared_border_counts_once() -> None:
    units = own_units(layer(box(0, 0, 10, 10), box(10, 0, 20, 10)), plural="wards")
    assert units.frame.columns.tolist() == ["code", "name", "area", "geometry"]
    assert count_points(at((10, 5), (15, 5), (3, 3), (10, 5)), units).to_dict() == {"a0": 3, "a1": 1}
    assert (units.words, units.rule, units.size) == ("wards", "", 10)


def test_own_units_without_extent_are_refused() -> None:
    with pytest.raises(UserError, match="Area a1 of the wards has no extent"):
        own_units(layer(box(0, 0, 1, 1), Polygon()), plural="wards")


def test_points_are_gathered_by_location_and_strays_change_nothing() -> None:
    cells = grid(L_SHAPE, 100)
    inside = at((500_100, 200_100), (500_300, 200_200), (500_100, 200_100))
    strays = at((0, 0), (4e7, -9e8), (float("nan"), 3), (500_900, 201_000), (float("inf"), 5))
    placed = place_points(pd.concat([strays, inside]), cells)
    assert sorted(zip(placed.x, placed.count, strict=True)) == [(500_100, 2), (500_300, 1)]
    assert (placed.total, placed.outside, placed.unlocated) == (3, 3, 2)
    pd.testing.assert_series_equal(count_points(pd.concat([strays, inside]), cells), count_points(inside, cells))


def test_counts_weigh_locations() -> None:
    cells = grid(L_SHAPE, 100)
    spelled_out = at(*[(500_100, 200_100)] * 5, (500_300, 200_200))
    weighed = at((500_100, 200_100), (500_300, 200_200), (500_100, 200_100)).assign(count=[2, 1, 3])
    pd.testing.assert_series_equal(count_points(weighed, cells), count_points(spelled_out, cells))


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (at((1, 1)).drop(columns="northing"), "no column 'northing'"),
        (at((1, 1)).assign(count=-1), "missing or below zero"),
        (at((1, 1)).assign(count=float("nan")), "missing or below zero"),
    ],
)
def test_bad_points_are_refused(points: pd.DataFrame, message: str) -> None:
    with pytest.raises(UserError, match=message):
        count_points(points, grid(L_SHAPE, 100))


@pytest.fixture(scope="module")
def cells() -> Cells:
    return grid(L_SHAPE, 100)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-1e7, 1e7), st.floats(-1e7, 1e7)), max_size=30), st.randoms())
def test_order_of_points_does_not_matter(cells: Cells, places: list[tuple[float, float]], random: object) -> None:
    shuffled = places.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = place_points(at(*places), cells), place_points(at(*shuffled), cells)
    for name in ("x", "y", "count", "cell"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), max_size=40),
    st.lists(st.tuples(st.integers(-9000, 60), st.integers(-50, 9000)), max_size=20),
    st.integers(1, 80),
)
def test_pairs_are_all_those_within_the_distance(
    targets: list[tuple[int, int]], points: list[tuple[int, int]], distance: int
) -> None:
    """Whole coordinates, so that distances exactly on the limit occur and are not lost to rounding."""
    to, of = np.array(targets, dtype=float).reshape(-1, 2), np.array(points, dtype=float).reshape(-1, 2)
    found = [
        (int(i), int(j))
        for one, other, _ in NearbyIndex(to[:, 0], to[:, 1], distance).pairs(of[:, 0], of[:, 1])
        for i, j in zip(one, other, strict=True)
    ]
    squared = ((of[:, None, :] - to[None, :, :]) ** 2).sum(axis=2)
    assert sorted(found) == list(zip(*(axis.tolist() for axis in np.nonzero(squared <= distance**2)), strict=True))
