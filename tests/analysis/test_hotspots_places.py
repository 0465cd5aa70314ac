"""How hotspots last, clusters of street locations, and hot cells joined to places."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import poisson
from shapely import box
from sklearn.cluster import DBSCAN  # type: ignore[import-untyped]

from cspmap.analysis.hotspots import (
    Cells,
    Shape,
    cluster_locations,
    find_neighbours,
    grid,
    outline_hotspots,
    roll_spans,
    trajectory,
)
from cspmap.analysis.hotspots.clusters import find_least, join_linked
from cspmap.analysis.hotspots.points import place_points
from cspmap.errors import UserError
from cspmap.periods import Month, Span

WEST, SOUTH = 500_000.0, 200_000.0


@pytest.fixture(scope="module")
def cells() -> Cells:
    town = gpd.GeoDataFrame(geometry=[box(WEST, SOUTH, WEST + 3000, SOUTH + 3000)], crs=27700)
    return grid(town, 200, "square")


def at(*places: tuple[float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(list(places), columns=["easting", "northing"], dtype=float)
    return frame.assign(easting=frame["easting"] + WEST, northing=frame["northing"] + SOUTH)


def hot_in(*histories: str, step: int = 3) -> dict[Span, pd.Series]:
    """Cells a, b, ... by a history each, such as "011": not hot in the first span, hot in the two after."""
    codes = [chr(ord("a") + number) for number in range(len(histories))]
    last = Month(2024, 4)
    return {
        Span.ending(last - step * (len(histories[0]) - 1 - place), months=12): pd.Series(
            [history[place] == "1" for history in histories], index=codes
        )
        for place in range(len(histories[0]))
    }


@pytest.mark.parametrize(
    ("history", "kind"),
    [
        ("0000000", "never"),
        ("1111111", "persistent"),
        ("1011111", "persistent"),
        ("0111111", "persistent"),
        ("0011111", "emerging"),
        ("0000001", "emerging"),
        ("0010111", "intermittent"),
        ("1000001", "intermittent"),
        ("1110000", "former"),
        ("1111000", "former"),
        ("0001000", "former"),
        ("1111100", "intermittent"),
        ("1111110", "intermittent"),
        ("0000100", "intermittent"),
    ],
)
def test_trajectories_by_their_definitions(history: str, kind: str) -> None:
    assert trajectory(hot_in(history)).frame["trajectory"].tolist() == [kind]


def test_trajectory_frame_and_words() -> None:
    layer = trajectory(hot_in("0011", "0000", "1000"))
    frame = layer.frame
    assert frame["code"].tolist() == ["a", "b", "c"]
    assert frame["spans_hot"].tolist() == [2, 0, 1]
    assert frame["first_hot"].fillna("-").tolist() == ["2024-01", "-", "2023-07"]
    assert frame["last_hot"].fillna("-").tolist() == ["2024-04", "-", "2023-07"]
    assert frame["hot"].tolist() == [True, False, False]
    assert frame["score"].tolist() == [2.5, 0, 1]
    assert layer.words == (
        "4 spans of 12 months, from August 2022 to April 2024. Persistent: hot in the latest and in at least 75 % of "
        "them. Emerging: hot ever since it first was, but not in the first. Former: not hot in the latest 2. "
        "Intermittent: on and off."
    )


def test_order_of_spans_does_not_matter_and_gaps_are_said() -> None:
    hot = hot_in("0011", "1100")
    turned = dict(reversed(hot.items()))
    pd.testing.assert_frame_equal(trajectory(hot).frame, trajectory(turned).frame)
    del hot[sorted(hot, key=lambda span: span.first)[1]]
    assert "up to 6 months lie between one and the next" in trajectory(hot).words


def test_too_few_spans_or_other_cells_are_refused() -> None:
    with pytest.raises(UserError, match="3 spans or more, got 2; load more months"):
        trajectory(hot_in("01"))
    hot = hot_in("0011", "1100")
    first = next(iter(hot))
    with pytest.raises(UserError, match="not counted in the same cells"):
        trajectory({**hot, first: hot[first].iloc[1:]})


def test_spans_roll_back_from_the_latest_month_and_leave_out_what_is_not_whole() -> None:
    loaded = [month for month in Span(Month(2022, 1), Month(2024, 4)) if month != Month(2022, 9)]
    whole, left_out = roll_spans(loaded)
    assert [str(span) for span in whole] == ["2022-11..2023-10", "2023-02..2024-01", "2023-05..2024-04"]
    assert [str(span) for span in left_out] == [
        "2022-02..2023-01",
        "2022-05..2023-04",
        "2022-08..2023-07",
    ]
    assert roll_spans([]) == ([], [])
    assert roll_spans(loaded[-5:]) == ([], [])
    assert [str(span) for span in roll_spans(loaded[-5:], length=2, step=2)[0]] == [
        "2024-01..2024-02",
        "2024-03..2024-04",
    ]


def compare_with_peer(points: pd.DataFrame, cells: Cells, reach: float, least: int) -> None:
    """scikit-learn's DBSCAN on the same locations: the same busy ones together, the same ones left over."""
    placed = place_points(points, cells)
    peer = DBSCAN(eps=reach, min_samples=least).fit(np.column_stack([placed.x, placed.y]), sample_weight=placed.count)
    found = cluster_locations(points, cells, reach=reach, least=least).members
    codes = found.set_index(["easting", "northing"])["code"]
    ours = [codes.get((x, y), "") for x, y in zip(placed.x, placed.y, strict=True)]
    assert [code == "" for code in ours] == (peer.labels_ == -1).tolist()
    busy = peer.core_sample_indices_
    pairs = {(ours[i], int(peer.labels_[i])) for i in busy}
    assert len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs})


@pytest.mark.parametrize("seed", range(5))
def test_clusters_are_those_of_scikit_learn(cells: Cells, seed: int) -> None:
    random = np.random.default_rng(seed)
    centres = random.uniform(300, 2700, (6, 2))
    places = np.concatenate(
        [centres[random.integers(6, size=120)] + random.normal(0, 60, (120, 2)), random.uniform(0, 3000, (80, 2))]
    )
    points = at(*map(tuple, places.tolist())).assign(count=random.integers(1, 4, len(places)))
    for reach, least in ((60.0, 6), (100.0, 12), (200.0, 40)):
        compare_with_peer(points, cells, reach, least)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 3)), max_size=25, unique_by=lambda p: p[:2]
    ),
    st.integers(1, 9),
    st.randoms(),
)
def test_order_of_points_does_not_matter(
    cells: Cells, places: list[tuple[int, int, int]], least: int, random: Any
) -> None:
    """Locations on a small lattice, so that many are equally near."""

    def find(listed: list[tuple[int, int, int]]) -> pd.DataFrame:
        points = at(*((100 * x + 50, 100 * y + 50) for x, y, _ in listed)).assign(count=[count for *_, count in listed])
        return cluster_locations(points, cells, reach=100, least=least).members

    shuffled = places.copy()
    random.shuffle(shuffled)
    pd.testing.assert_frame_equal(find(places), find(shuffled))


@pytest.mark.parametrize(("between", "nearest"), [(1090, 1170), (1080, 1000)])
def test_a_location_between_two_clusters_joins_the_nearer_and_does_not_join_them(
    cells: Cells, between: float, nearest: float
) -> None:
    """Its surroundings hold 8 + 1 + 8, less than the 18 of the two on either side of it."""
    west, east = [(920, 1000), (1000, 1000)], [(1170, 1000), (1250, 1000)]
    points = at(*west, *east, (between, 1000)).assign(count=[10, 8, 8, 10, 1])
    members = cluster_locations(points, cells, reach=100, least=18).members
    assert sorted(members.groupby("code")["count"].sum()) == [18, 19]
    joined = members[members["count"] == 1]["code"].item()
    beside = members[members["easting"] == WEST + nearest]["code"].item()
    assert joined == beside


def test_outlines_counts_and_ranks_of_clusters(cells: Cells) -> None:
    points = at((500, 500), (520, 500), (2000, 2000), (2900, 100)).assign(count=[20, 10, 90, 1])
    found = cluster_locations(points, cells, reach=100, least=25)
    frame = found.frame
    assert frame["code"].tolist() == ["cluster-1", "cluster-2"]
    assert frame["count"].tolist() == [90, 30]
    assert frame["locations"].tolist() == [1, 2]
    # Discs of 50 m about 20 m apart: one disc and a band.
    assert frame["area"].tolist() == pytest.approx([np.pi * 2500, np.pi * 2500 + 2 * 50 * 20], rel=0.02)
    assert frame["score"].to_numpy() == pytest.approx(frame["count"] / frame["area"] * 1e6)
    assert frame["hot"].tolist() == [True, True]
    assert frame.crs.to_epsg() == 27700
    assert len(found.members) == 3
    assert found.words.startswith("Street locations that have at least 25 incidents within 100 m")


def test_outlines_stay_within_the_partnership(cells: Cells) -> None:
    frame = cluster_locations(at((0, 0)).assign(count=50), cells, reach=100, least=5).frame
    assert frame["area"].tolist() == pytest.approx([np.pi * 2500 / 4], rel=0.02)
    assert shapely.within(frame.geometry, cells.boundary).all()


def test_number_by_rule_is_the_poisson_quantile(cells: Cells) -> None:
    area = float(cells.area.sum())
    for number in (5, 60, 4000):
        random = np.random.default_rng(number)
        placed = place_points(at(*map(tuple, random.uniform(0, 3000, (number, 2)).tolist())), cells)
        for reach in (50.0, 200.0):
            mean = number / area * np.pi * reach**2
            expected = max(int(poisson.isf(0.05 / number, mean)) + 1, 3)
            assert find_least(placed, area, reach) == expected


def test_chance_alone_makes_hardly_any_cluster(cells: Cells) -> None:
    random = np.random.default_rng(9)
    maps = [
        cluster_locations(at(*map(tuple, random.uniform(0, 3000, (600, 2)).tolist())), cells).frame for _ in range(30)
    ]
    assert sum(len(frame) > 0 for frame in maps) <= 4
    assert maps[0].columns.tolist() == ["code", "name", "locations", "count", "area", "score", "hot", "geometry"]


@pytest.mark.parametrize(("number", "clusters"), [(0, 0), (1, 0), (2, 0), (3, 1), (50, 1)])
def test_none_one_and_all_on_one_spot_work(cells: Cells, number: int, clusters: int) -> None:
    found = cluster_locations(at(*[(900, 900)] * number), cells)
    assert len(found.frame) == clusters
    assert len(found.members) == clusters
    assert bool(found.cautions) == (clusters == 0)


def test_senseless_settings_are_refused(cells: Cells) -> None:
    with pytest.raises(UserError, match="cannot cluster within 0 m"):
        cluster_locations(at((9, 9)), cells, reach=0)
    with pytest.raises(UserError, match="cannot start from 0 incidents"):
        cluster_locations(at((9, 9)), cells, least=0)


@settings(deadline=None)
@given(st.integers(1, 40), st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=60))
def test_components_are_those_of_scipy(number: int, links: list[tuple[int, int]]) -> None:
    links = [(one % number, other % number) for one, other in links]
    one, other = np.array(links, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(links)), (one, other)), shape=(number, number))
    _, expected = connected_components(graph, directed=False)
    found = join_linked(number, one, other)
    assert (found[found] == found).all()
    assert (
        len(set(zip(found.tolist(), expected.tolist(), strict=True)))
        == len(set(expected.tolist()))
        == len(set(found.tolist()))
    )


def test_a_long_chain_is_one_component() -> None:
    turn = np.random.default_rng(2).permutation(5000)
    assert (join_linked(5000, turn[:-1], turn[1:]) == 0).all()


def test_hot_cells_that_touch_become_one_place(cells: Cells) -> None:
    table = np.zeros((15, 15))
    table[2, 2], table[3, 3], table[3, 4], table[3, 6] = 5, 3, 1, 20
    counts = pd.Series(table.ravel(), index=cells.codes)
    counts.iloc[0] = 11
    layer = pd.DataFrame({"code": cells.codes, "score": counts.to_numpy(), "hot": table.ravel() > 0})
    places = outline_hotspots(layer, counts, cells, find_neighbours(cells))
    assert places["code"].tolist() == ["hotspot-1", "hotspot-2"]
    assert places["rank"].tolist() == [1, 2]
    assert places["cells"].tolist() == [1, 3], "corners touch"
    assert places["hectares"].tolist() == pytest.approx([4, 12])
    assert places["count"].tolist() == [20, 9]
    assert places["share"].tolist() == pytest.approx([0.5, 9 / 40])
    assert places["peak"].tolist() == [20, 5]
    assert places.area.tolist() == pytest.approx([40_000, 120_000])
    assert places.crs.to_epsg() == 27700


@pytest.mark.parametrize("shape", ["hexagon", "square"])
@pytest.mark.parametrize("width", [71, 250])
def test_neighbours_become_one_outline_without_a_seam(shape: Shape, width: float) -> None:
    """Their corners are the same to the last digit: else a line is left between them."""
    town = gpd.GeoDataFrame(geometry=[box(WEST, SOUTH, WEST + 3000, SOUTH + 3000)], crs=27700)
    cells = grid(town, width, shape)
    counts = pd.Series(1.0, index=cells.codes)
    layer = pd.DataFrame({"code": cells.codes, "score": counts.to_numpy(), "hot": True})
    (outline,) = outline_hotspots(layer, counts, cells, find_neighbours(cells)).geometry
    assert outline.geom_type == "Polygon"
    assert not outline.interiors
    inside = cells.frame.within(box(WEST + 1, SOUTH + 1, WEST + 2999, SOUTH + 2999))
    assert cells.frame.loc[inside, "area"].nunique() == 1, "equal counts in them must be equal densities"


def test_no_hot_cell_makes_no_place(cells: Cells) -> None:
    counts = pd.Series(0.0, index=cells.codes)
    layer = pd.DataFrame({"code": cells.codes, "score": counts.to_numpy(), "hot": False})
    places = outline_hotspots(layer, counts, cells, find_neighbours(cells))
    assert places.empty
    assert places.columns.tolist() == ["rank", "code", "cells", "hectares", "count", "share", "peak", "geometry"]
    with pytest.raises(UserError, match="not of one grid"):
        outline_hotspots(layer.iloc[1:], counts, cells, find_neighbours(cells))
