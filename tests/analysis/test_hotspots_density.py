"""Kernel density, its edge and bandwidth; the picture of it; expected counts and dual density."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from scipy.integrate import dblquad
from scipy.spatial.distance import cdist
from shapely import Polygon, box

from cspmap.analysis.hotspots import (
    Cells,
    Surface,
    density_surface,
    dual_density,
    expected_count,
    flag_hot,
    grid,
    kernel_density,
    lay_raster,
    own_units,
    spread_residents,
)
from cspmap.analysis.hotspots.density import choose_bandwidth
from cspmap.analysis.hotspots.points import place_points
from cspmap.errors import UserError
from cspmap.periods import Month

WEST, SOUTH = 500_000.0, 200_000.0


def layer(*shapes: Polygon) -> gpd.GeoDataFrame:
    codes = [f"a{number}" for number in range(len(shapes))]
    return gpd.GeoDataFrame({"code": codes, "name": codes}, geometry=list(shapes), crs=27700)


def at(*places: tuple[float, float]) -> pd.DataFrame:
    """Points in metres from the south-western corner."""
    frame = pd.DataFrame(list(places), columns=["easting", "northing"], dtype=float)
    return frame.assign(easting=frame["easting"] + WEST, northing=frame["northing"] + SOUTH)


TOWN = layer(box(WEST, SOUTH, WEST + 2000, SOUTH + 800), box(WEST, SOUTH + 800, WEST + 700, SOUTH + 2100))


@pytest.fixture(scope="module")
def cells() -> Cells:
    return grid(TOWN, 100)


def scatter(number: int, seed: int = 1) -> pd.DataFrame:
    """Points inside the town."""
    draws = np.random.default_rng(seed).uniform(0, 2100, (20 * number + 100, 2))
    inside = ((draws[:, 1] < 800) & (draws[:, 0] < 2000)) | (draws[:, 0] < 700)
    return at(*map(tuple, draws[inside][:number].tolist()))


def brute_force(points: pd.DataFrame, cells: Cells, h: float) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """The textbook sum, every pair worked out."""
    distance = cdist(np.column_stack(cells.centres), points[["easting", "northing"]])
    inside = distance < h
    kernel: np.ndarray[tuple[int], np.dtype[np.float64]] = (
        3 / (np.pi * h**2) * (1 - (distance / h) ** 2) ** 2 * inside
    ).sum(axis=1)
    return kernel


def test_the_kernel_has_the_mass_of_one_incident() -> None:
    """Not 7.25 times as much, as some have it."""
    fine = grid(layer(box(WEST, SOUTH, WEST + 500, SOUTH + 500)), 4, "square")
    raw = kernel_density(at((250, 250)), fine, 200, edge=False).frame["density"]
    assert (raw * fine.area).sum() == pytest.approx(1, abs=1e-4)
    assert raw.max() == pytest.approx(3 / (np.pi * 200**2), rel=1e-3)
    mass, _ = dblquad(lambda y, x: 3 / np.pi * max(0, 1 - x * x - y * y) ** 2, -1, 1, -1, 1)
    assert mass == pytest.approx(1, abs=1e-3)


def test_without_correction_it_is_the_textbook_sum(cells: Cells) -> None:
    points = scatter(300)
    found = kernel_density(points, cells, 260, edge=False).frame["density"]
    assert found.to_numpy() == pytest.approx(brute_force(points, cells, 260), rel=1e-9, abs=1e-15)


def test_correction_changes_nothing_far_from_the_edge() -> None:
    square = grid(layer(box(WEST, SOUTH, WEST + 2000, SOUTH + 2000)), 25, "square")
    points = at((1000, 1000), (1010, 900))
    found = kernel_density(points, square, 300).frame["density"].to_numpy()
    assert found == pytest.approx(brute_force(points, square, 300), rel=2e-3, abs=1e-12)


def test_correction_at_a_straight_edge_doubles_and_in_a_corner_quadruples() -> None:
    square = grid(layer(box(WEST, SOUTH, WEST + 2000, SOUTH + 2000)), 20, "square")
    for point, times in (((0, 1000), 2), ((0, 0), 4)):
        found = kernel_density(at(point), square, 300).frame["density"].to_numpy()
        raw = kernel_density(at(point), square, 300, edge=False).frame["density"].to_numpy()
        assert found == pytest.approx(times * raw, rel=0.01)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.floats(-500, 2500), st.floats(-500, 2500), st.integers(0, 50)), max_size=25),
    st.floats(1, 3000),
)
def test_density_adds_up_to_the_count_up_to_the_clipped_edge(
    cells: Cells, places: list[tuple[float, float, int]], bandwidth: float
) -> None:
    points = at(*((x, y) for x, y, _ in places)).assign(count=[count for *_, count in places])
    layer = kernel_density(points, cells, bandwidth)
    inside = place_points(points, cells).total
    assert (layer.frame["density"] * cells.area).sum() == pytest.approx(inside)
    assert layer.frame["count"].sum() == inside
    assert (layer.frame["density"] >= 0).all()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 800)), min_size=1, max_size=30), st.randoms())
def test_reordering_points_changes_nothing(cells: Cells, places: list[tuple[float, float]], random: object) -> None:
    shuffled = places.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for method in (kernel_density, expected_count):
        one, other = method(at(*places), cells), method(at(*shuffled), cells)
        pd.testing.assert_frame_equal(one.frame, other.frame, check_exact=True)
        assert one.words == other.words


def test_strays_change_nothing(cells: Cells) -> None:
    points = scatter(50)
    strays = pd.DataFrame({"easting": [0.0, 4e7, np.nan], "northing": [0.0, -3e8, 5.0]})
    for method in (kernel_density, expected_count):
        one, other = method(points, cells), method(pd.concat([strays, points]), cells)
        pd.testing.assert_frame_equal(one.frame, other.frame, check_exact=True)
        assert one.words == other.words


@pytest.mark.parametrize("points", [at(), at((300, 300)), at(*[(300, 300)] * 9)])
def test_none_one_and_all_on_one_spot_work(points: pd.DataFrame, cells: Cells) -> None:
    for method in (kernel_density, expected_count):
        layer = method(points, cells)
        assert layer.frame["score"].notna().all()
        assert layer.frame["count"].sum() == len(points)
        assert layer.frame["hot"].any() == bool(len(points))
        assert "bandwidth 100 m, the width of a cell" in layer.words
    raster = lay_raster(cells, pixels=60)
    density = density_surface(points, cells, raster).density
    assert (density[raster.inside] * raster.area[raster.inside]).sum() == pytest.approx(len(points))


def test_fewer_cells_than_a_kernel_reaches_work() -> None:
    for side in (10, 150):
        few = grid(layer(box(WEST, SOUTH, WEST + side, SOUTH + side)), 100, "square")
        for method in (kernel_density, expected_count):
            layer_ = method(at((5, 5), (6, 6)), few, 500)
            assert len(layer_.frame) == len(few)
        assert (kernel_density(at((5, 5), (6, 6)), few, 500).frame["density"] * few.area).sum() == pytest.approx(2)


def test_a_bandwidth_below_the_cell_is_warned_of_and_loses_nothing(cells: Cells) -> None:
    points = scatter(40)
    narrow = kernel_density(points, cells, 10)
    assert (narrow.frame["density"] * cells.area).sum() == pytest.approx(40)
    assert narrow.cautions == (
        "The bandwidth (10 m) is less than the width of a cell (100 m): the map shows where the cells happen to lie; "
        "choose a wider bandwidth or smaller cells.",
    )
    assert kernel_density(points, cells, 100).cautions == ()
    assert kernel_density(points, cells).cautions == ()


@pytest.mark.parametrize("bandwidth", [0.0, -5.0, float("nan"), float("inf")])
def test_a_bandwidth_that_is_none_is_refused(bandwidth: float, cells: Cells) -> None:
    for method in (kernel_density, expected_count):
        with pytest.raises(UserError, match="bandwidth cannot be"):
            method(at((300, 300)), cells, bandwidth)
    with pytest.raises(UserError, match="bandwidth cannot be"):
        density_surface(at((300, 300)), cells, lay_raster(cells), bandwidth)


def test_bandwidth_by_rule_by_hand() -> None:
    town = grid(layer(box(WEST - 9000, SOUTH - 9000, WEST + 9000, SOUTH + 9000)), 250)
    # Four points 1,000 m from their centre: SD = D = 1,000 and 0.9 x 1,000 x 4^-0.2 = 682.
    cross = at((-1000, 0), (1000, 0), (0, -1000), (0, 1000))
    assert choose_bandwidth(place_points(cross, town), town).metres == 680
    # 28 more at the centre: D = 0 and the width of a cell is the least.
    assert choose_bandwidth(place_points(pd.concat([cross, *[at((0, 0))] * 28]), town), town).metres == 250
    # Four as many as before, at 300 m: SD of 8 points 738 m, D / sqrt(ln 2) = 360 m, 0.9 x 360 x 8^-0.2 = 214.
    near = at((-300, 0), (300, 0), (0, -300), (0, 300))
    fine = grid(layer(box(WEST - 2000, SOUTH - 2000, WEST + 2000, SOUTH + 2000)), 50)
    assert choose_bandwidth(place_points(pd.concat([cross, near]), fine), fine).metres == 210


def test_words_state_method_and_settings(cells: Cells) -> None:
    layer = kernel_density(scatter(5), cells, 250, missing=[Month(2023, 8)])
    assert layer.words == (
        "Incidents per km² in hexagons of 100 m: quartic kernel density, corrected at the edge of the partnership, "
        "bandwidth 250 m, as chosen. Their width is as chosen. Hot: the highest cells that together cover 2 % of the "
        "partnership. Months missing, not counted as zero: August 2023."
    )
    many = kernel_density(scatter(5), cells, edge=False, missing=[Month(2023, month) for month in range(1, 7)])
    assert "not corrected at the edge" in many.words
    assert many.words.endswith("January 2023, February 2023, March 2023, April 2023 and 2 more.")


def test_hot_cells_cover_the_share_asked_for(cells: Cells) -> None:
    layer = kernel_density(scatter(400), cells, coverage=0.1)
    hot, area = layer.frame["hot"].to_numpy(), cells.area
    assert 0.08 * area.sum() < area[hot].sum() <= 0.1 * area.sum()
    assert layer.frame["score"][hot].min() > layer.frame["score"][~hot].max()
    assert layer.frame["score"].to_numpy() == pytest.approx(layer.frame["density"].to_numpy() * 1e6)


def test_flag_hot_takes_equal_scores_together_or_not_at_all() -> None:
    area = [1.0] * 10
    assert flag_hot([9, 8, 7, 7, 7, 1, 1, 0, 0, 0], area, coverage=0.4).sum() == 2
    assert flag_hot([9, 8, 7, 7, 7, 1, 1, 0, 0, 0], area, coverage=0.5).sum() == 5
    assert flag_hot([9, 9, 9, 0, 0, 0, 0, 0, 0, 0], area, coverage=0.1).sum() == 3, "the highest at least"
    assert flag_hot([9, 9, 9, 5, 4, 0, 0, 0, 0, 0], area, coverage=0.1).sum() == 3
    assert flag_hot([5, 0, 0], [1, 1, 1], coverage=1).tolist() == [True, False, False], "none is not hot"
    assert not flag_hot([4, 4, 4], [1, 1, 1]).any(), "nothing stands out"
    assert flag_hot([4, 4, np.nan], [1, 1, 1], coverage=1).tolist() == [True, True, False]
    assert not flag_hot([], []).any()
    with pytest.raises(UserError, match="cannot cover 0 of the area"):
        flag_hot([1], [1], coverage=0)


def test_picture_has_the_densities_of_its_places() -> None:
    """Far from the edge the textbook sum, at the places that the picture's bounds give its pixels."""
    square = grid(layer(box(WEST, SOUTH, WEST + 2000, SOUTH + 2000)), 250)
    points = at(*map(tuple, np.random.default_rng(3).uniform(400, 1600, (100, 2)).tolist()))
    picture = density_surface(points, square, lay_raster(square, pixels=150), 300)
    assert max(picture.density.shape) == 150
    ground_x, ground_y = find_pixels(picture)
    inside = (np.abs(ground_x - WEST - 1000) < 999) & (np.abs(ground_y - SOUTH - 1000) < 999)
    outside = (np.abs(ground_x - WEST - 1000) > 1001) | (np.abs(ground_y - SOUTH - 1000) > 1001)
    assert not np.isnan(picture.density[inside]).any()
    assert np.isnan(picture.density[outside]).all()
    distance = cdist(np.column_stack([ground_x[inside], ground_y[inside]]), points[["easting", "northing"]])
    expected = (3 / (np.pi * 300**2) * np.clip(1 - (distance / 300) ** 2, 0, None) ** 2).sum(axis=1)
    assert picture.density[inside] == pytest.approx(expected, rel=2e-3, abs=1e-9)
    assert "quartic kernel density" in picture.words


def find_pixels(picture: Surface) -> "tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], ...]":
    """Easting and northing of the pixels' centres, from the corners as a web map would put them."""
    south, west, north, east = picture.bounds
    rows, columns = picture.density.shape
    (left, right), (bottom, top) = Transformer.from_crs(4326, 3857, always_xy=True).transform(
        [west, east], [south, north]
    )
    x = left + (np.arange(columns) + 0.5) * (right - left) / columns
    y = top - (np.arange(rows) + 0.5) * (top - bottom) / rows
    return tuple(Transformer.from_crs(3857, 27700, always_xy=True).transform(*np.meshgrid(x, y)))


def test_picture_adds_up_to_the_count_and_north_is_up(cells: Cells) -> None:
    raster = lay_raster(cells, pixels=150)
    points = at((300, 2000), (310, 2000), (1900, 100), (5000, 5000))
    picture = density_surface(points, cells, raster, 150)
    assert np.nansum(picture.density * raster.area) == pytest.approx(3)
    rows, columns = picture.density.shape
    row, column = np.unravel_index(np.nanargmax(picture.density), picture.density.shape)
    assert row < rows / 4, "the two points in the north"
    assert column < columns / 2


def test_pixels_measure_the_ground(cells: Cells) -> None:
    """Not the web map's metres, which are longer by 1 / cos(latitude) both ways: 2.6 times the area at 52 degrees."""
    raster = lay_raster(cells, pixels=200)
    assert raster.area[raster.inside].sum() == pytest.approx(cells.area.sum(), rel=0.01)
    south, west, north, east = raster.bounds
    assert (east - west) * 111_320 * np.cos(np.radians((south + north) / 2)) == pytest.approx(2000, rel=0.05)
    assert (north - south) * 111_250 == pytest.approx(2100, rel=0.05)


def test_picture_refuses_what_it_cannot_show(cells: Cells) -> None:
    raster = lay_raster(cells, pixels=20)
    with pytest.raises(UserError, match="of 150 m is too narrow for a picture with pixels of 107 m; choose 215"):
        density_surface(at((300, 300)), cells, raster, 150)
    for pixels in (1, 5000):
        with pytest.raises(UserError, match=f"cannot have {pixels:,} pixels"):
            lay_raster(cells, pixels=pixels)


def test_expected_count_by_hand() -> None:
    """Two cells in one reach: m from the density, f from its moments, each count drawn by its weight."""
    two = grid(layer(box(WEST, SOUTH, WEST + 200, SOUTH + 100)), 100, "square")
    points = at(*[(50, 50)] * 18, *[(150, 50)] * 2)
    h = 400.0
    density = kernel_density(points, two, h).frame["density"].to_numpy()
    m = density * 10_000
    f = (((np.array([18, 2]) - m) ** 2 - m).sum()) / (m**2).sum()
    assert f > 0
    weight = f * m / (1 + f * m)
    layer_ = expected_count(points, two, h)
    assert layer_.frame["expected"].to_numpy() == pytest.approx(m + weight * (np.array([18, 2]) - m))
    assert layer_.frame["weight"].to_numpy() == pytest.approx(weight)
    # Near and far within 400 m: kernels of (1 - 0)^2 and (1 - 1/16)^2, so shares of 1 and 0.8789 over 1.8789.
    assert m == pytest.approx([(18 + 2 * 0.87890625) / 1.87890625, (18 * 0.87890625 + 2) / 1.87890625])


def test_expected_count_trusts_many_and_smooths_few(cells: Cells) -> None:
    rare, common = scatter(30, seed=2), scatter(30, seed=2).assign(count=400)
    few, many = expected_count(rare, cells, 400).frame, expected_count(common, cells, 400).frame
    assert many["weight"].max() > 0.99
    assert few["weight"].max() < 0.7
    assert (many["expected"] / 400 - many["count"] / 400).abs().max() < 0.1


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 800), st.integers(0, 90)), max_size=30))
def test_expected_count_lies_between_its_count_and_its_surroundings(
    cells: Cells, places: list[tuple[int, int, int]]
) -> None:
    points = at(*((x, y) for x, y, _ in places)).assign(count=[count for *_, count in places])
    frame = expected_count(points, cells, 300).frame
    around = kernel_density(points, cells, 300).frame["density"].to_numpy() * cells.area
    low, high = np.minimum(frame["count"], around), np.maximum(frame["count"], around)
    assert (frame["expected"] >= low - 1e-9).all()
    assert (frame["expected"] <= high + 1e-9).all()
    assert frame["weight"].between(0, 1).all()


def test_residents_are_shared_out_and_none_is_lost(cells: Cells) -> None:
    units = TOWN.assign(residents=[8000.0, 900.0])
    spread = spread_residents(units, cells, "residents")
    assert spread.sum() == pytest.approx(8900)
    whole = cells.area == cells.area.max()
    south = whole & (cells.centres[1] < SOUTH + 700)
    assert spread[south].to_numpy() == pytest.approx(8000 * cells.area.max() / 1_600_000)


def test_even_crime_among_even_residents_is_one_rate_everywhere(cells: Cells) -> None:
    """A quotient of two densities of one shape is flat, at the edge too."""
    x, y = cells.centres
    points = pd.DataFrame({"easting": x, "northing": y, "count": cells.area})
    residents = pd.Series(50 * cells.area / 1000, index=cells.codes)
    frame = dual_density(points, residents, cells, 250).frame
    assert frame["score"].to_numpy() == pytest.approx(1000 * 1000 / 50)
    assert not frame["hot"].any()


def test_dual_density_finds_where_few_people_have_much_crime(cells: Cells) -> None:
    x, _ = cells.centres
    residents = pd.Series(np.where(x < WEST + 1000, 100.0, 20.0), index=cells.codes)
    points = scatter(2000)
    frame = dual_density(points, residents, cells, 200, coverage=0.1).frame
    east = x > WEST + 1300
    assert frame["score"][east].min() > frame["score"][x < WEST + 700].max()
    assert frame["hot"][east].any()
    assert not frame["hot"][x < WEST + 700].any()


def test_dual_density_is_not_given_where_few_live_or_nobody_knows(cells: Cells) -> None:
    x, _ = cells.centres
    residents = pd.Series(np.where(x < WEST + 1000, 100.0, 0.0), index=cells.codes)
    residents.iloc[0] = np.nan
    layer_ = dual_density(scatter(500), residents, cells, 200)
    score = layer_.frame["score"]
    assert score[x > WEST + 1250].isna().all()
    assert score[x < WEST + 900].drop(0).notna().all()
    assert np.isnan(score[0])
    assert "Not given where fewer than 100 residents live within that distance." in layer_.words


def test_dual_density_asks_for_enough_residents_within_reach(cells: Cells) -> None:
    """Evenly spread, 0.001 a m² are 126 within 200 m, and in the corners as many again by the correction."""
    residents = pd.Series(0.001 * cells.area, index=cells.codes)
    assert dual_density(scatter(500), residents, cells, 200, fewest=120).frame["score"].notna().mean() > 0.6
    assert dual_density(scatter(500), residents, cells, 200, fewest=200).frame["score"].isna().all()


def test_dual_density_wants_residents_of_its_own_cells(cells: Cells) -> None:
    residents = pd.Series(1.0, index=cells.codes)
    with pytest.raises(UserError, match="not those of the cells"):
        dual_density(scatter(5), residents.iloc[1:], cells)
    with pytest.raises(UserError, match="fewer than no residents"):
        dual_density(scatter(5), residents - 2, cells)


def test_methods_work_on_own_units() -> None:
    units = own_units(TOWN, plural="wards")
    points = scatter(60)
    for method in (kernel_density, expected_count):
        frame = method(points, units).frame
        assert frame["count"].sum() == 60
        assert frame["code"].tolist() == ["a0", "a1"]
    assert "in wards:" in kernel_density(points, units).words
