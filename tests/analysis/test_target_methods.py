"""Methods to share out a target by: worked cases, what each promises, pooling, levels, and baselines carried over."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from cspmap.analysis.carried_baseline import carry_baseline
from cspmap.analysis.target_methods import (
    METHOD_KEYS,
    POOL,
    MethodKey,
    compare_methods,
    share_down,
    share_target,
    share_types,
)
from cspmap.errors import UserError


@pytest.fixture
def areas() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": ["South", "East", "West"],
            "count": [300, 100, 200],
            "residents": [1_000, 1_000, 2_000],
            "households": [500, 400, 100],
            "score": [30.0, 10.0, 0.0],
            "weight": [1, 1, 2],
        },
        index=["s", "e", "w"],
    )


def share(total: int, areas: pd.DataFrame, method: MethodKey, **given: Any) -> list[int]:
    return share_target(total, areas, method=method, **given).targets.tolist()


# Each method, worked by hand


def test_in_proportion_to_the_baseline(areas: pd.DataFrame) -> None:
    assert share(540, areas, "baseline") == [270, 90, 180]
    assert share(541, areas, "baseline") == [271, 90, 180]  # 270.5, 90.17, 180.33


def test_the_same_percentage_leaves_the_rest_to_no_area(areas: pd.DataFrame) -> None:
    shared = share_target(720, areas, method="equal-percentage", whole=800)
    assert shared.targets.tolist() == [270, 90, 180]  # 10 % off each
    assert shared.outside == 180  # 10 % off the 200 in no area
    assert shared.notes == ("180 of the whole is left to incidents that lie in no area.",)
    with pytest.raises(UserError, match="add up to 600, more than the 500 of the whole"):
        share_target(400, areas, method="equal-percentage", whole=500)


def test_by_residents_households_and_own_weights(areas: pd.DataFrame) -> None:
    shared = share_target(540, areas, method="residents")
    assert shared.targets.tolist() == [135, 135, 270]
    assert shared.notes == ("Allowed more than the baseline: East, West.",)
    assert share(540, areas, "households") == [270, 216, 54]
    assert share(540, areas, "own-weights") == [135, 135, 270]


def test_narrowing_the_gap(areas: pd.DataFrame) -> None:
    """With k = 5 residents more to an incident: 1,000 / (10/3 + 5) = 120, 1,000 / 15 = 66.7, 2,000 / 15 = 133.3."""
    assert share(320, areas, "narrow-gap") == [120, 67, 133]
    # By households there is one in five to an incident in West: 500/(500/300 + k), 400/(4 + k), 100/(0.5 + k), k = 1.
    exact = [500 / (500 / 300 + 1), 400 / 5, 100 / 1.5]
    shared = share_target(334, areas, method="narrow-gap", per="households")
    np.testing.assert_allclose(shared.frame["unrounded"], exact, rtol=1e-3)
    assert "by households" in shared.words


def test_by_deprivation_the_percentage_follows_the_score(areas: pd.DataFrame) -> None:
    # Scores 30, 10 and 0: k = 1/50 takes 60 %, 20 % and nothing, 180 + 20 fewer.
    assert share(400, areas, "deprivation") == [120, 80, 200]
    # Asked for more than South has: all of its 300, and 80 % of East's 100.
    assert share(220, areas, "deprivation") == [0, 20, 200]


@pytest.mark.parametrize(
    ("total", "method", "change", "told"),
    [
        (601, "narrow-gap", {}, "The target (601) is above what the areas start from together (600)"),
        (601, "deprivation", {}, "no reduction to weigh"),
        (100, "deprivation", {}, "Areas without any deprivation have 200 of the baseline, more than the target (100)"),
        (100, "residents", {"residents": None}, "no column 'residents'; give each of them a number of residents"),
        (100, "deprivation", {"score": [1.0, np.nan, 2.0]}, "East has no usable score, got nan"),
        (100, "baseline", {"count": [1.0, np.nan, 2.0]}, "East has no usable count, got nan"),
        (100, "baseline", {"count": [1.0, 2.5, 2.0]}, "The baseline of East is 2.5; baselines are whole numbers"),
        (100, "baseline", {"count": [0, 0, 0]}, "every area has zero to go by"),
        (100, "narrow-gap", {"residents": [0, 1, 1]}, "South has no residents, so it has no rate"),
        (100, "own-weights", {"weight": [1, -1, 1]}, "East has no usable weight, got -1"),
    ],
)
def test_what_a_method_cannot_do_is_said_in_a_sentence(
    areas: pd.DataFrame, total: int, method: MethodKey, change: dict[str, Any], told: str
) -> None:
    for column, values in change.items():
        areas = areas.drop(columns=column) if values is None else areas.assign(**{column: values})
    with pytest.raises(UserError) as caught:
        share_target(total, areas, method=method)
    assert told in str(caught.value)


def test_an_area_given_twice_is_refused(areas: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="Area s is given twice"):
        share_target(10, pd.concat([areas, areas.loc[["s"]]]))


def test_methods_stand_side_by_side(areas: pd.DataFrame) -> None:
    compared = compare_methods(540, areas.drop(columns="score"), whole=600)
    assert set(compared.frame.columns) == {"count", *METHOD_KEYS} - {"deprivation"}
    assert list(compared.refused) == ["deprivation"]
    assert compared.frame.drop(columns="count").sum().eq(540).all()


# What always holds


@st.composite
def places(draw: st.DrawFn) -> pd.DataFrame:
    size = draw(st.integers(1, 12))
    column = st.lists(st.integers(0, 500), min_size=size, max_size=size)
    people = st.lists(st.integers(1, 5_000), min_size=size, max_size=size)
    scores = st.lists(st.floats(1, 90), min_size=size, max_size=size)
    return pd.DataFrame(
        {
            "count": draw(column.filter(any)),
            "residents": draw(people),
            "households": draw(people),
            "score": draw(scores),
            "weight": draw(people),
        },
        index=[f"area-{number}" for number in range(size)],
    )


@given(places(), st.floats(0, 1), st.sampled_from(METHOD_KEYS), st.sampled_from([0, 5, 40]))
def test_shares_add_up_whatever_the_method(areas: pd.DataFrame, level: float, method: MethodKey, least: int) -> None:
    total = int(level * areas["count"].sum())
    shared = share_target(total, areas, method=method, least=least)
    assert shared.targets.sum() == total
    frame = shared.frame
    assert frame["unrounded"].drop(POOL, errors="ignore").sum() == pytest.approx(total, abs=1e-6)
    carried = frame["target"].notna()
    assert (np.abs(frame["target"] - frame["unrounded"])[carried] < 1 + 1e-6).all()
    # Each area is carried by a row that has a target; together the rows that have one start from every baseline.
    assert carried[frame["carried_by"]].all()
    assert frame.loc[carried, "count"].sum() == areas["count"].sum()


@given(places(), st.floats(0.02, 1))
def test_narrowing_the_gap_asks_more_of_higher_rates_and_never_lets_one_rise(areas: pd.DataFrame, level: float) -> None:
    total = int(level * areas["count"].sum())
    shared = share_target(total, areas, method="narrow-gap").frame
    assert (shared["target"] <= shared["count"]).all()
    before = areas["count"] / areas["residents"]
    order = before.sort_values(kind="stable").index
    after = (shared["unrounded"] / areas["residents"])[order]
    assert (after.diff().dropna() >= -1e-9).all()
    kept = (shared["unrounded"] / areas["count"]).where(areas["count"] > 0)[order].dropna()
    assert (kept.diff().dropna() <= 1e-9).all()


@given(places(), st.floats(0.02, 1))
def test_deprivation_asks_a_larger_percentage_of_higher_scores(areas: pd.DataFrame, level: float) -> None:
    total = int(level * areas["count"].sum())
    shared = share_target(total, areas, method="deprivation").frame
    assert (shared["target"] <= shared["count"]).all()
    kept = (shared["unrounded"] / areas["count"]).where(areas["count"] > 0)
    kept = kept[areas["score"].sort_values(kind="stable").index].dropna()
    assert (kept.diff().dropna() <= 1e-9).all()


# Areas too small


def test_areas_too_small_carry_one_target_together(areas: pd.DataFrame) -> None:
    small = areas.assign(count=[300, 4, 3])
    shared = share_target(284, small, least=5)
    # 277.5, 3.7 and 2.8 expected: the last two come to 6.5 together.
    assert shared.frame["carried_by"].to_dict() == {"s": "s", "e": POOL, "w": POOL, POOL: POOL}
    assert shared.targets.to_dict() == {"s": 278, POOL: 6}
    assert shared.frame["target"].isna().to_dict() == {"s": False, "e": True, "w": True, POOL: False}
    assert shared.notes == (
        "2 areas carry one target together, as some of them alone would have fewer than 5: East, West.",
    )


def test_a_pool_that_is_still_too_small_takes_the_next_smallest(areas: pd.DataFrame) -> None:
    small = areas.assign(count=[300, 40, 3])
    frame = share_target(300, small, least=5).frame
    assert frame["carried_by"].tolist() == ["s", POOL, POOL, POOL]
    alone = share_target(3, small.loc[["w"]], least=5)
    assert alone.targets.to_dict() == {"w": 3}


# Levels and crime types


def make_units() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "area": ["south", "south", "north", "north", "north"],
            "count": [60, 41, 30, 2, 3],
            "residents": [500, 400, 300, 200, 100],
            "score": [30.0, 20.0, 10.0, 10.0, 40.0],
        },
        index=list("abcde"),
    )


@pytest.mark.parametrize("method", ["baseline", "residents", "narrow-gap", "deprivation"])
def test_levels_agree(method: MethodKey) -> None:
    table = share_down(120, make_units(), levels=["area"], method=method)
    tops = table[table["level"] == "area"].set_index("code")["target"]
    assert tops.sum() == 120
    assert table[table["level"] == "unit"].groupby("parent")["target"].sum().to_dict() == tops.to_dict()


def test_pools_stay_inside_their_area() -> None:
    table = share_down(120, make_units(), levels=["area"], least=6).set_index("code")
    assert table.loc[["d", "e"], "carried_by"].tolist() == [POOL, POOL]
    assert table.loc[POOL, "parent"] == "north"
    north = table[(table["parent"] == "north") & table["target"].notna()]
    assert north["target"].sum() == table.loc["north", "target"]


def test_scores_of_larger_areas_are_means_over_residents() -> None:
    units = make_units()
    table = share_down(100, units, levels=["area"], method="deprivation").set_index("code")
    south, north = (30 * 500 + 20 * 400) / 900, (10 * 500 + 40 * 100) / 600
    slope = 36 / (101 * south + 35 * north)
    assert table.loc["south", "target"] == round(101 * (1 - slope * south))
    with pytest.raises(UserError, match="means over residents; give residents too"):
        share_down(100, units.drop(columns="residents"), levels=["area"], method="deprivation")


def test_a_missing_figure_of_a_unit_is_not_taken_for_zero() -> None:
    units = make_units().assign(residents=[500, np.nan, 300, 200, 100])
    with pytest.raises(UserError, match="south has no usable residents"):
        share_down(100, units, levels=["area"], method="residents")


@given(
    st.lists(st.lists(st.integers(0, 80), min_size=3, max_size=3), min_size=1, max_size=8),
    st.lists(st.integers(0, 200), min_size=3, max_size=3),
)
def test_crime_types_and_areas_add_up_at_once(baselines: list[list[int]], totals: list[int]) -> None:
    frame = pd.DataFrame(baselines, columns=["theft", "robbery", "damage"])
    asked = pd.Series(totals, index=frame.columns).where(frame.sum() > 0, 0)
    cells = share_types(asked, frame).cells
    assert cells.sum().to_dict() == asked.to_dict()
    assert cells[frame == 0].fillna(0).eq(0).all(axis=None)
    exact = (frame / frame.sum().where(frame.sum() > 0, 1) * asked).sum(axis=1)
    assert (np.abs(cells.sum(axis=1) - exact) < 1 + 1e-9).all()


def test_a_type_without_a_baseline_is_refused() -> None:
    with pytest.raises(UserError, match="robbery has a target and no baseline"):
        share_types(pd.Series({"theft": 1, "robbery": 1}), pd.DataFrame({"theft": [1], "robbery": [0]}))


# Baselines carried to other boundaries


def lay(codes: str, *edges: float, **columns: Any) -> gpd.GeoDataFrame:
    """Strips 1 km high between eastings in kilometres."""
    shapes = [box(1000 * left, 0, 1000 * right, 1000) for left, right in pairwise(edges)]
    return gpd.GeoDataFrame({"code": list(codes), **columns}, geometry=shapes, crs="EPSG:27700")


def test_a_baseline_is_carried_by_where_people_live_and_adds_up() -> None:
    old = lay("ab", 0, 2, 4, count=[100, 61])
    new = lay("xyz", 0, 1, 3, 4)
    people = lay("1234", 0, 1, 2, 3, 4, weight=[30, 10, 1, 1])
    carried = carry_baseline(old, new, weights=people)
    # 75 of 100 live in x, 25 in y; 61 splits into 30.5 and 30.5.
    assert carried.frame["count"].tolist() == [75, 56, 30]
    assert carried.outside == 0
    assert carried.words == "estimated: carried from earlier boundaries by where residents live"
    by_area = carry_baseline(old, new)
    assert by_area.frame["count"].tolist() == [50, 81, 30]
    assert by_area.words.endswith("by area")


def test_what_lies_in_no_new_area_is_counted_and_what_no_old_one_reaches_is_missing() -> None:
    old = lay("ab", 0, 2, 4, count=[100, 60])
    carried = carry_baseline(old, lay("xyz", 0, 2, 3, 3.5).assign(code=["x", "y", "z"]))
    assert carried.frame["count"].sum() + carried.outside == 160
    assert carried.outside == 15
    far = carry_baseline(old, lay("xq", 0, 4, 9).assign(code=["x", "q"]))
    assert far.frame["count"].isna().tolist() == [False, True]


@pytest.mark.parametrize("count", [[100, None], [100, -1], [100, 1.5], [100, "many"]])
def test_a_baseline_that_is_no_count_is_refused(count: list[Any]) -> None:
    old = lay("ab", 0, 2, 4).assign(count=pd.Series(count, dtype="object"))
    with pytest.raises(UserError, match="Area b has a baseline of"):
        carry_baseline(old, lay("x", 0, 4))


def test_real_wards_of_luton_conserve_the_total(shared_data: Path) -> None:
    """From the 19 wards of before May 2023 to the 20 of today."""
    old, new = (
        gpd.read_file(shared_data / "boundaries" / f"luton-wards-{year}.geojson")
        .to_crs(27700)
        .rename(columns={f"WD{year % 100}CD": "code"})
        for year in (2013, 2025)
    )
    old["count"] = np.arange(100, 100 + len(old))
    carried = carry_baseline(old, new)
    assert (len(old), len(new)) == (19, 20)
    assert carried.frame["count"].sum() + carried.outside == old["count"].sum()
    assert carried.outside < 0.01 * old["count"].sum()
