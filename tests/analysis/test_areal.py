from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from cspmap.analysis.areal import correspondence, interpolate
from cspmap.errors import UserError


def layer(boxes: dict[str, tuple[float, float, float, float]], **columns: Any) -> gpd.GeoDataFrame:
    """Rectangles (left, bottom, right, top, in metres) by code."""
    shapes = [box(*corners) for corners in boxes.values()]
    return gpd.GeoDataFrame({"code": list(boxes), **columns}, geometry=shapes, crs=27700)


# Two squares of 100 m side by side; the targets cut the strip at 50 m and 125 m instead.
SOURCE = layer(
    {"a": (0, 0, 100, 100), "b": (100, 0, 200, 100)}, crimes=[40.0, 20.0], people=[100.0, 300.0], rate=[10.0, 30.0]
)
TARGET = layer({"X": (0, 0, 50, 100), "Y": (50, 0, 125, 100), "Z": (125, 0, 200, 100)})


def test_correspondence_by_area() -> None:
    table = correspondence(SOURCE, TARGET)
    assert table[["source_code", "target_code"]].agg("".join, axis=1).tolist() == ["aX", "aY", "bY", "bZ"]
    assert table["share"].tolist() == [0.5, 0.5, 0.25, 0.75]
    assert table["target_share"].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 1])
    assert table["amount"].tolist() == [5000, 5000, 2500, 7500]
    assert set(table["by"]) == {"area"}


def test_totals_by_area() -> None:
    found = interpolate(SOURCE, TARGET, extensive=["crimes"])
    assert found.frame["crimes"].tolist() == [20, 25, 15]
    assert found.frame["code"].tolist() == ["X", "Y", "Z"]
    assert found.frame["share_covered"].tolist() == pytest.approx([1, 1, 1])
    assert found.uncovered.empty


def test_means_by_area_and_by_a_denominator() -> None:
    by_area = interpolate(SOURCE, TARGET, intensive=["rate"]).frame["rate"]
    assert by_area.tolist() == pytest.approx([10, (10 * 5000 + 30 * 2500) / 7500, 30])
    # Y takes 50 of the people of a and 75 of those of b.
    by_people = interpolate(SOURCE, TARGET, intensive={"rate": "people"}).frame["rate"]
    assert by_people.tolist() == pytest.approx([10, (10 * 50 + 30 * 75) / 125, 30])


def test_weights_say_where_in_an_area_people_are() -> None:
    # All of a's people live in its left quarter; b's unit is half of b and spreads evenly over it.
    units = layer({"u": (0, 0, 25, 100), "v": (25, 0, 100, 100), "w": (100, 0, 150, 100)}, weight=[80, 0, 40])
    table = correspondence(SOURCE, TARGET, weights=units)
    assert table["share"].tolist() == [1, 0, 0.5, 0.5]
    assert table["amount"].tolist() == [80, 0, 20, 20]
    found = interpolate(SOURCE, TARGET, extensive=["crimes"], intensive=["rate"], weights=units).frame
    assert found["crimes"].tolist() == [40, 10, 10]
    assert found["rate"].tolist() == [10, 30, 30]
    again = interpolate(SOURCE, TARGET, extensive=["crimes"], intensive=["rate"], table=table).frame
    pd.testing.assert_frame_equal(found, again)


def test_an_area_where_nobody_lives_is_split_by_area() -> None:
    units = layer({"u": (0, 0, 100, 100), "w": (100, 0, 200, 100)}, weight=[80, 0])
    table = correspondence(SOURCE, TARGET, weights=units)
    assert table["by"].tolist() == ["weight", "weight", "area", "area"]
    assert table["share"].tolist() == [0.5, 0.5, 0.25, 0.75]


def test_what_lies_in_no_target_is_returned_and_not_given_out() -> None:
    found = interpolate(SOURCE, TARGET.iloc[:2], extensive=["crimes", "people"])
    assert found.frame["crimes"].tolist() == [20, 25]
    assert found.uncovered.to_dict("list") == {"code": ["b"], "share": [0.75], "crimes": [15], "people": [225]}


def test_a_sliver_outside_is_given_to_the_targets_and_more_is_not() -> None:
    target = layer({"X": (0, 0, 100, 100), "Y": (100, 0, 196, 100)})
    within = interpolate(SOURCE, target, extensive=["crimes"])
    assert within.frame["crimes"].tolist() == pytest.approx([40, 20])
    assert within.uncovered.empty
    beyond = interpolate(SOURCE, target, extensive=["crimes"], sliver=0.03)
    assert beyond.frame["crimes"].tolist() == pytest.approx([40, 19.2])
    assert beyond.uncovered["crimes"].tolist() == pytest.approx([0.8])


def test_a_source_far_from_every_target() -> None:
    source = layer({"a": (0, 0, 100, 100), "far": (900, 0, 1000, 100)}, crimes=[4, 7])
    found = interpolate(source, layer({"X": (0, 0, 100, 100)}), extensive=["crimes"])
    assert found.frame["crimes"].tolist() == [4]
    assert found.uncovered.to_dict("list") == {"code": ["far"], "share": [1], "crimes": [7]}


def test_a_target_that_no_source_reaches_is_missing_and_one_half_reached_says_so() -> None:
    target = layer({"X": (0, 0, 200, 100), "half": (-100, 100, 100, -100), "far": (900, 0, 1000, 100)})
    found = interpolate(SOURCE, target.iloc[[0, 2]], extensive=["crimes"], intensive=["rate"]).frame
    assert found[["crimes", "rate"]].isna().all(axis=1).tolist() == [False, True]
    assert found["share_covered"].tolist() == [1, 0]
    half = interpolate(SOURCE, target.iloc[[1]], extensive=["crimes"]).frame
    assert half["share_covered"].tolist() == [0.25]


def test_a_missing_value_is_not_taken_for_zero() -> None:
    gap = SOURCE.assign(crimes=[40.0, np.nan], rate=[np.nan, 30.0])
    found = interpolate(gap, TARGET, extensive=["crimes"], intensive={"rate": "people"}).frame
    assert found["crimes"].tolist() == pytest.approx([20, np.nan, np.nan], nan_ok=True)
    assert found["rate"].tolist() == pytest.approx([np.nan, np.nan, 30], nan_ok=True)


def test_targets_may_meet_at_an_edge_only() -> None:
    assert correspondence(SOURCE.iloc[[0]], SOURCE)["target_code"].tolist() == ["a"]


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (SOURCE.set_crs(None, allow_override=True), TARGET, "source areas must be on .* got none; reproject"),
        (SOURCE, TARGET.to_crs(4326), "target areas must be on .* got WGS 84; reproject"),
        (SOURCE.drop(columns="code"), TARGET, "source areas have no column 'code'"),
        (SOURCE.assign(code="a"), TARGET, "source areas hold a missing or repeated code, a;"),
        (SOURCE, layer({"X": (0, 0, 0, 9)}), "Area X of the target areas has no extent"),
        (SOURCE.drop(columns="crimes"), TARGET, "no column 'crimes' to interpolate; the columns are code, people"),
        (SOURCE.assign(crimes="many"), TARGET, "Column 'crimes' cannot be interpolated"),
        (SOURCE, layer({"X": (0, 0, 200, 100), "Y": (100, 0, 150, 100)}), "overlap: 150% of source area b would"),
    ],
)
def test_bad_input_is_named(source: gpd.GeoDataFrame, target: gpd.GeoDataFrame, message: str) -> None:
    with pytest.raises(UserError, match=message):
        interpolate(source, target, extensive=["crimes"])


@pytest.mark.parametrize("weight", [-1.0, np.nan])
def test_unusable_weights_are_named(weight: float) -> None:
    units = layer({"u": (0, 0, 100, 100), "w": (100, 0, 200, 100)}, weight=[1.0, weight])
    with pytest.raises(UserError, match="Weighting unit w has no usable weight"):
        correspondence(SOURCE, TARGET, weights=units)


def test_a_table_of_other_layers_is_refused() -> None:
    table = correspondence(SOURCE, TARGET)
    with pytest.raises(UserError, match="names Z, which is not among the target areas"):
        interpolate(SOURCE, TARGET.iloc[:2], extensive=["crimes"], table=table)
    with pytest.raises(ValueError, match="not both"):
        interpolate(SOURCE, TARGET, extensive=["crimes"], table=table, weights=SOURCE)


CUTS = st.lists(st.integers(1, 999), max_size=6, unique=True).map(sorted)


def strip(prefix: str, cuts: list[int], end: int = 1000) -> gpd.GeoDataFrame:
    edges = [0, *cuts, end]
    return layer({f"{prefix}{i}": (edges[i], 0, edges[i + 1], 10) for i in range(len(edges) - 1)})


@settings(max_examples=50, deadline=None)
@given(CUTS, CUTS, CUTS, st.integers(1000, 1300), st.sampled_from([0.0, 0.05]), st.data())
def test_totals_are_conserved_whatever_the_cuts(
    source_cuts: list[int],
    target_cuts: list[int],
    unit_cuts: list[int],
    end: int,
    sliver: float,
    data: st.DataObject,
) -> None:
    source, target, units = strip("s", source_cuts, end), strip("t", target_cuts), strip("u", unit_cuts, end)
    source["crimes"] = data.draw(st.lists(st.integers(0, 900), min_size=len(source), max_size=len(source)))
    source["people"] = source["crimes"] + 1
    units["weight"] = data.draw(st.lists(st.integers(0, 50), min_size=len(units), max_size=len(units)))
    for weights in (None, units):
        found = interpolate(
            source, target, extensive=["crimes"], intensive={"people": "crimes"}, weights=weights, sliver=sliver
        )
        total = found.frame["crimes"].sum() + found.uncovered["crimes"].sum()
        assert total == pytest.approx(source["crimes"].sum())
        means = found.frame["people"].dropna()
        assert means.between(source["people"].min() - 1e-6, source["people"].max() + 1e-6).all()
        turned = interpolate(source[::-1], target[::-1], extensive=["crimes"], weights=weights, sliver=sliver)
        assert turned.frame["crimes"][::-1].tolist() == pytest.approx(found.frame["crimes"].tolist(), nan_ok=True)


def test_an_area_restated_for_itself_is_unchanged() -> None:
    found = interpolate(SOURCE, SOURCE, extensive=["crimes"], intensive=["rate"]).frame
    pd.testing.assert_frame_equal(found[["code", "crimes", "rate"]], SOURCE[["code", "crimes", "rate"]])


def test_real_boundaries(shared_data: Path) -> None:
    """Luton's 121 LSOAs of 2011 restated for its 19 wards, with output areas as the weights."""

    def read(name: str, code: str) -> gpd.GeoDataFrame:
        return gpd.read_file(shared_data / "boundaries" / name).rename(columns={code: "code"}).to_crs(27700)

    lsoas = read("luton-lsoa-2011.geojson", "LSOA11CD").assign(crimes=7)
    wards = read("luton-wards-2013.geojson", "WD13CD")
    units = read("luton-oa-2011.geojson", "OA11CD").assign(weight=1)
    for weights in (None, units):
        found = interpolate(lsoas, wards, extensive=["crimes"], weights=weights)
        total = found.frame["crimes"].sum() + found.uncovered["crimes"].sum()
        assert total == pytest.approx(7 * len(lsoas))
        assert found.uncovered["crimes"].sum() < 0.02 * total
        assert (found.frame["share_covered"] > 0.97).all()
