"""Rings, matches and surveys."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Polygon, box
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from cspmap.analysis.evaluation import (
    Matches,
    buffer_ring,
    compare_surveys,
    find_overlapping,
    measure_survey,
    propose_comparisons,
)
from cspmap.errors import UserError
from cspmap.periods import Month, Span


def layer(shapes: dict[str, Polygon], crs: int | None = 27700) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"code": list(shapes)}, geometry=list(shapes.values()), crs=crs)


AREA = layer({"a": box(0, 0, 1000, 1000), "b": box(1000, 0, 2000, 1000)})


def test_ring_around_an_area() -> None:
    ring = buffer_ring(AREA, 100)
    # Four sides and a circle's worth of corners, which are drawn with 16 sides a quarter.
    assert float(ring.area.iloc[0]) == pytest.approx(6000 * 100 + np.pi * 100**2, rel=1e-3)
    assert ring["code"].tolist() == ["buffer"]
    assert ring.geometry.iloc[0].intersection(AREA.geometry.union_all()).area == pytest.approx(0)
    assert ring.crs.to_epsg() == 27700


def test_ring_stays_inside_the_boundary() -> None:
    boundary = layer({"town": box(0, -50, 5000, 5000)})
    ring = buffer_ring(AREA, 100, boundary).geometry.iloc[0]
    assert ring.bounds == (0, -50, 2100, 1100)


@pytest.mark.parametrize(
    ("area", "metres", "boundary", "said"),
    [
        (AREA, 0, None, "cannot be 0 m wide"),
        (AREA, float("inf"), None, "cannot be inf m wide"),
        (AREA.to_crs(4326), 100, None, "got WGS 84"),
        (layer({"a": box(0, 0, 1, 1)}, crs=None), 100, None, "got none"),
        (AREA, 100, AREA.to_crs(4326), "got WGS 84"),
        (AREA, 100, AREA, "Nothing lies around the area"),
    ],
)
def test_rings_that_cannot_be_drawn(area: Any, metres: float, boundary: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        buffer_ring(area, metres, boundary)


BEFORE = Span(Month(2022, 1), Month(2022, 12))
ROW = layer({name: box(1000 * place, 0, 1000 * place + 1000, 1000) for place, name in enumerate("abcdef")})
STEPS = np.arange(12.0)
MONTHLY = pd.DataFrame(
    {
        "a": 20 + 0 * STEPS,
        "b": 20 + 0 * STEPS,
        "c": 21 + 0 * STEPS,
        "d": 20 + (STEPS - 5.5),
        "e": 80 + 0 * STEPS,
        "f": 20 + 0 * STEPS,
    },
    index=[str(month) for month in BEFORE],
)
SCORES = pd.Series({"c": 30.0, "d": 30.0, "e": 30.0, "f": 70.0})


def match(**options: Any) -> Matches:
    shared: dict[str, Any] = {
        "layer": ROW,
        "monthly": MONTHLY,
        "area": ROW.iloc[:1],
        "area_monthly": MONTHLY[["a"]],
        "before": BEFORE,
        "number": 2,
    }
    return propose_comparisons(**{**shared, **options})


def test_matches_are_alike_in_level_trend_and_deprivation() -> None:
    found = match()
    assert found.excluded == ("a",)
    assert found.proposed == ("b", "f")
    assert found.frame["code"].tolist()[-2:] in (["d", "e"], ["e", "d"])
    scored = match(deprivation=SCORES, area_deprivation=30.0, area=ROW.iloc[:2], area_monthly=MONTHLY[["a", "b"]])
    assert scored.proposed[0] == "c"
    assert scored.target == {"level": 20.0, "trend": 0.0, "deprivation": 30.0}
    row = scored.frame.set_index("code").loc["d"]
    # One more each month on a level of 20: 60 % of it a year.
    assert row["trend"] == pytest.approx(60)


def test_distance_by_hand() -> None:
    """Two candidates differ in level only: each is half the spread on the logarithm from the middle between them."""
    monthly = pd.DataFrame({"a": [20.0] * 12, "b": [10.0] * 12, "c": [40.0] * 12}, index=MONTHLY.index)
    found = match(layer=ROW.iloc[:3], monthly=monthly).frame.set_index("code")
    least = 0.5 / 12
    logs = np.log(np.array([20.0, 10.0, 40.0]) + least)
    spread = np.std(logs[1:])
    assert found.loc["b", "distance"] == pytest.approx(abs(logs[1] - logs[0]) / spread)
    assert found.loc["c", "distance"] == pytest.approx(abs(logs[2] - logs[0]) / spread)


@given(st.sets(st.sampled_from("abcdef"), min_size=1, max_size=3), st.sampled_from([0.0, 1.0, 500.0, 1500.0]))
def test_matches_never_overlap_the_area_or_its_buffer(codes: set[str], metres: float) -> None:
    area = ROW[ROW["code"].isin(codes)]
    taken = area.geometry.union_all().buffer(metres)
    try:
        found = match(area=area, area_monthly=MONTHLY[sorted(codes)], buffer_metres=metres, number=6)
    except UserError:
        assert ROW.geometry.intersection(taken).area.min() > 1
        return
    for code in found.frame["code"]:
        assert ROW.loc[ROW["code"] == code, "geometry"].iloc[0].intersection(taken).area <= 1
    assert set(found.frame["code"]) | set(found.excluded) == set("abcdef")
    assert found.excluded == find_overlapping(ROW, area, buffer_metres=metres)


def test_matches_leave_missing_months_and_scores_out() -> None:
    holed = MONTHLY.copy()
    holed.loc["2022-12"] = np.nan
    assert match(monthly=holed).frame.set_index("code").loc["e", "level"] == 80
    scores = pd.Series({"b": 20.0, "c": 30.0, "d": 30.0, "e": 30.0})
    found = match(deprivation=scores, area_deprivation=30.0, number=6)
    assert set(found.proposed) == set("bcde")
    assert found.frame.set_index("code")["distance"].isna()["f"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"buffer_metres": 9000.0}, "No area is left to compare with"),
        ({"monthly": MONTHLY.iloc[:2]}, "Only 2 months of year to December 2022 are known"),
        ({"layer": ROW.to_crs(4326)}, "got WGS 84"),
    ],
)
def test_matches_that_cannot_be_found(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        match(**options)


@given(st.integers(1, 3000), st.data())
def test_margins_agree_with_another_library(sample: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, sample))
    found = measure_survey(100 * count / sample, sample)
    low, high = proportion_confint(count, sample, method="wilson")
    assert (found.low, found.high) == pytest.approx((100 * low, 100 * high), abs=1e-6)
    assert found.margin == pytest.approx(50 * (high - low), abs=1e-6)
    assert 0 <= found.low <= found.percent + 1e-9
    assert found.percent - 1e-9 <= found.high <= 100


def test_a_design_effect_is_a_smaller_sample() -> None:
    assert measure_survey(60, 500, design_effect=2).low == pytest.approx(measure_survey(60, 250).low)


@pytest.mark.parametrize(("later", "verdict"), [(330, "up"), (270, "within the margin of error"), (200, "down")])
def test_changes_between_surveys_agree_with_another_library(later: int, verdict: str) -> None:
    found = compare_surveys(measure_survey(100 * 260 / 500, 500), measure_survey(100 * later / 520, 520))
    low, high = confint_proportions_2indep(later, 520, 260, 500, method="newcomb", compare="diff")
    assert (found.low, found.high) == pytest.approx((100 * low, 100 * high), abs=1e-6)
    assert found.points == pytest.approx(100 * (later / 520 - 0.52))
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("percent", "sample", "effect", "said"),
    [
        (101, 10, 1, "cannot be 101 %"),
        (50, 0, 1, "cannot be of 0 people"),
        (50, 10, 0.5, "design effect cannot be 0.5"),
    ],
)
def test_surveys_that_cannot_be(percent: float, sample: int, effect: float, said: str) -> None:
    with pytest.raises(UserError, match=said):
        measure_survey(percent, sample, design_effect=effect)
