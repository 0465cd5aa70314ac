"""Incidents by point, and when they began and ended, against the published rows."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from shapely import box
from shapely.geometry import Polygon

from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store

from .made import Incident, Made, lsoa_box, ward_box
from .test_query import AUGUST, _selection, find_code, list_rows


@settings(deadline=None, max_examples=30)
@given(_selection)
def test_points_add_up_to_the_published_rows(full: Made, query: Query, selection: Selection) -> None:
    rows = [(month, row) for month, row in list_rows(full, selection.span, selection.crimes) if row.ward]
    frame = query.count_points(selection, by=("month", "location"))
    assert frame.columns.tolist() == ["easting", "northing", "month", "location", "count"]
    assert not frame.duplicated(["easting", "northing", "month", "location"]).any()
    assert AUGUST not in set(frame["month"])
    expected = Counter((month, f"On or near Street {row.step}") for month, row in rows)
    found = frame.groupby(["month", "location"])["count"].sum()
    assert dict(expected) == dict(found)
    assert len(frame) == len({(month, row.lsoa, row.step) for month, row in rows})


def test_points_lie_where_they_were_published(query: Query) -> None:
    frame = query.count_points(Selection.default(query.store), by=())
    west, south, _, _ = lsoa_box("E01033820")
    own = frame[frame["easting"].between(west, west + 200) & frame["northing"].between(south, south + 1000)]
    # The degrees are published to six decimals, which is a decimetre.
    assert own["easting"].tolist() == pytest.approx([west + 50 + 20 * step for step in range(5)], abs=0.2)
    assert own["northing"].tolist() == pytest.approx([south + 500] * 5, abs=0.2)


@settings(deadline=None, max_examples=20)
@given(_selection)
def test_outline_holds_its_own_points_alone(full: Made, query: Query, selection: Selection) -> None:
    rows = list_rows(full, selection.span, selection.crimes)
    ward = query.count_points(selection, outline=box(*ward_box("w2")), by=("crime_type",))
    assert ward["count"].sum() == sum(row.ward == "w2" for _, row in rows)
    # A triangle that reaches over the ward's whole rectangle, but holds its lower left half alone.
    west, south, east, north = ward_box("w2")
    half = query.count_points(selection, outline=Polygon([(west, south), (east, south), (west, north)]), by=())
    assert half["count"].sum() == sum(row.lsoa == "E01033822" for _, row in rows)


def test_repeated_identifiers_count_once(made: Made) -> None:
    twice = Incident("Drugs", "E01033820", "a" * 64)
    made.months = {"police.zip": {"2024-01": [twice], "2024-02": [twice]}}
    query = Query(made.build().store)
    frame = query.count_points(Selection.default(query.store))
    assert frame[["month", "count"]].to_dict("records") == [{"month": "2024-02", "count": 1.0}]


def test_times_are_missing_where_only_months_are_published(full: Made, query: Query) -> None:
    selection = Selection.default(query.store)
    rows = [row for _, row in list_rows(full, selection.span, ())]
    times = query.list_times(selection)
    assert times.columns.tolist() == ["occurred_from", "occurred_to"]
    assert len(times) == sum(find_code(row, selection.level) is not None for row in rows)
    assert times.isna().all(axis=None)
    code = query.store.codes(selection.level)[0]
    assert len(query.list_times(selection, code=code)) == sum(find_code(row, selection.level) == code for row in rows)


def test_times_of_an_outline(example_store: Path) -> None:
    query = Query(open_store(example_store))
    selection = Selection.default(query.store).change(level="ward", crimes=("domestic-burglary",))
    layer = query.store.read_layer("ward").set_index("code")
    area = query.list_times(selection, code="luton-dallow")
    drawn = query.list_times(selection, outline=layer.geometry["luton-dallow"])
    counts = query.count_areas(selection).set_index("code")["count"]
    assert len(area) == len(drawn) == counts["luton-dallow"]
    pd.testing.assert_frame_equal(
        area.sort_values(area.columns.tolist(), ignore_index=True),
        drawn.sort_values(drawn.columns.tolist(), ignore_index=True),
    )
    assert area["occurred_from"].notna().all()
    assert (area["occurred_to"].isna() | (area["occurred_to"] >= area["occurred_from"])).all()
