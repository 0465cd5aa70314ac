import csv
import io
import json
import re
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
import shapely

from cspmap.errors import SelectionError
from cspmap.exports.extract import count_whole, describe_exceptions, extract_counts, write_csv, write_geojson
from cspmap.exports.published import By
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import Store

from .made import HOUSEHOLDS, LSOAS, RESIDENTS, Made

FIGURES = ["count", "population", "rate", "rate_per", "months_missing", "period"]
COLUMNS = [*FIGURES, "population_method", "share_without_location"]


def select(query: Query, **values: Any) -> Selection:
    span = Span(Month(2023, 7), Month(2023, 10))
    return Selection.default(query.store).change(span=span, level="ward", **values)


@pytest.mark.parametrize("by", [[], ["month"], ["crime_type"], ["month", "crime_type"], ["crime_type", "month"]])
def test_columns_are_the_promised_ones_in_order(query: Query, by: list[By]) -> None:
    split = [column for column in ("month", "crime_type") if column in by]
    last = [] if "crime_type" in by else ["crimes"]
    assert extract_counts(query, select(query), by=by).columns.tolist() == ["code", "name", *split, *COLUMNS, *last]


def test_figures_are_the_queries_own(query: Query) -> None:
    selection = select(query)
    frame, counted = extract_counts(query, selection), query.count_areas(selection)
    assert frame["count"].tolist() == counted["count"].tolist()
    people = [sum(RESIDENTS[code] for code in pair) for pair in LSOAS.values()]
    assert frame["population"].tolist() == people
    expected = [round(1000 * count / some, 3) for count, some in zip(counted["count"], people, strict=True)]
    assert frame["rate"].tolist() == expected
    assert set(frame["rate_per"]) == {"1,000 residents (2022)"}
    assert set(frame["population_method"]) == {"shared out by area from LSOAs"}
    assert set(frame["period"]) == {"2023-07..2023-10"}
    # August is not loaded.
    assert set(frame["months_missing"]) == {1}
    coverage = query.count_coverage(selection)
    assert set(frame["share_without_location"]) == {round(coverage.unlocated / coverage.recorded, 4)}


def test_split_counts_add_up_to_the_whole(query: Query) -> None:
    selection = select(query)
    whole = extract_counts(query, selection).set_index("code")["count"]
    splits: list[list[By]] = [["month"], ["crime_type"], ["month", "crime_type"]]
    for by in splits:
        parts = extract_counts(query, selection, by=by)
        assert parts.groupby("code")["count"].sum().to_dict() == whole.to_dict()


@pytest.mark.parametrize("by", [["month"], ["month", "crime_type"]])
def test_a_month_that_is_not_loaded_has_rows_without_counts_in_its_place(query: Query, by: list[By]) -> None:
    selection = select(query, areas=("w2", "w3"), crimes=("burglary", "drugs"))
    frame = extract_counts(query, selection, by=by)
    types = ["Burglary", "Drugs"] if "crime_type" in by else [""]
    months = ["2023-07", "2023-08", "2023-09", "2023-10"]
    rows = [(code, month, kind) for code in ("w2", "w3") for month in months for kind in types]
    found = frame.get("crime_type", pd.Series([""] * len(frame)))
    assert list(zip(frame["code"], frame["month"], found, strict=True)) == rows
    august = frame["month"] == "2023-08"
    assert frame["count"].isna().tolist() == august.tolist()
    assert frame["rate"].isna().tolist() == august.tolist()
    assert frame["months_missing"].tolist() == august.astype(int).tolist()
    assert frame["population"].notna().all()
    assert frame["count"].dtype == "Int64"


def test_a_period_of_which_nothing_is_loaded_is_refused_and_says_what_is(query: Query) -> None:
    august = select(query).change(span=Span(Month(2023, 8), Month(2023, 8)))
    with pytest.raises(SelectionError) as error:
        extract_counts(query, august)
    assert str(error.value) == (
        "No month of August 2023 is loaded, only January 2023 to July 2023 and September 2023 to April 2024; "
        "ask for months of those."
    )


def test_what_is_counted_is_named(query: Query) -> None:
    crimes = ("burglary", "drugs")
    assert set(extract_counts(query, select(query, crimes=crimes))["crimes"]) == {"Burglary and Drugs"}
    assert set(extract_counts(query, select(query), by=["month"])["crimes"]) == {"Recorded incidents"}


def test_burglary_is_per_households_and_the_rest_per_residents(query: Query) -> None:
    frame = extract_counts(query, select(query), by=["crime_type"])
    ash = frame[frame["code"] == "w1"].set_index("crime_type")
    people = {"1,000 residents (2022)": RESIDENTS, "1,000 households (2021)": HOUSEHOLDS}
    assert ash["rate_per"].eq("1,000 households (2021)").pipe(lambda own: own[own].index.tolist()) == ["Burglary"]
    for _, row in ash.iterrows():
        some = sum(people[row["rate_per"]][code] for code in LSOAS["w1"])
        assert row["population"] == some
        assert row["rate"] == round(1000 * row["count"] / some, 3)
    assert describe_exceptions(query, select(query)) == [
        "Rates of Burglary are for the period or month shown, not for a year, per 1,000 households, 2021 "
        "(Made households; shared out by area from LSOAs)."
    ]
    assert describe_exceptions(query, select(query, crimes=("drugs",))) == []
    assert describe_exceptions(query, select(query, crimes=("burglary",))) == []


def test_rate_where_hardly_anybody_lives_is_suppressed_and_says_so(query: Query) -> None:
    store = query.store
    strict = replace(store.partnership, smallest_denominator=2200)
    frame = extract_counts(Query(Store(store.root, store.version, strict)), select(query))
    assert frame["population"].tolist() == [2100, 2500, 2900, 3300]
    assert frame["rate"].isna().tolist() == [True, False, False, False]
    assert frame["rate_per"].tolist() == ["not given: under 2,200 residents (2022)", *["1,000 residents (2022)"] * 3]
    assert frame["count"].notna().all()


def test_count_that_is_not_known_is_empty_in_the_file(query: Query) -> None:
    months = select(query).change(span=Span(Month(2023, 8), Month(2023, 9)))
    rows = list(csv.DictReader(io.StringIO(write_csv(extract_counts(query, months, by=["month"])))))
    unknown = [(row["count"], row["rate"], row["months_missing"]) for row in rows if row["month"] == "2023-08"]
    assert unknown == [("", "", "1")] * 4
    zero = select(query, crimes=("bicycle-theft",))
    rows = list(csv.DictReader(io.StringIO(write_csv(extract_counts(query, zero)))))
    assert [(row["count"], row["rate"], row["share_without_location"]) for row in rows] == [("0", "0.0", "")] * 4


def test_residents_are_whole_and_rates_have_three_decimals(query: Query) -> None:
    rows = list(csv.DictReader(io.StringIO(write_csv(extract_counts(query, select(query))))))
    assert [row["population"] for row in rows] == [
        str(sum(RESIDENTS[code] for code in pair)) for pair in LSOAS.values()
    ]
    assert all(re.fullmatch(r"\d+\.\d{1,3}", row["rate"]) for row in rows)
    assert count_whole(pd.Series([0.6, 1780.0, float("nan")])).tolist() == [1, 1780, pd.NA]


def test_caveats_stand_beside_every_row(query: Query) -> None:
    text = write_csv(extract_counts(query, select(query)), ["=Not a formula.", 'Mind the "gap", £5.'])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0])[-1] == "caveats"
    assert [row["caveats"] for row in rows] == ['\'=Not a formula. Mind the "gap", £5.'] * 4


def test_only_the_areas_that_are_chosen(query: Query) -> None:
    assert extract_counts(query, select(query, areas=("w3", "w1")))["code"].tolist() == ["w1", "w3"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_run_is_neutralised(sign: str) -> None:
    frame = pd.DataFrame(
        {
            "name": [f'{sign}HYPERLINK("http://x")', "St. John's", None],
            "count": pd.array([-1, 2, None], dtype="Int64"),
            "rate": [-0.5, 1.5, float("nan")],
        }
    )
    text = write_csv(frame)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == ["name", "count", "rate"]
    assert rows[1] == [f'\'{sign}HYPERLINK("http://x")', "-1", "-0.5"]
    assert rows[2:] == [["St. John's", "2", "1.5"], ["", "", ""]]
    assert frame["name"][0].startswith(sign), "the table itself is left as it is"


def test_geojson_is_valid_and_carries_its_caveats(query: Query, full: Made) -> None:
    layer = query.store.read_layer("ward")
    frame = extract_counts(query, select(query))
    collection = json.loads(write_geojson(frame, layer, ['Mind the "gap" – £5.', "Two."]))
    assert list(collection) == ["type", "caveats", "features"]
    assert collection["type"] == "FeatureCollection"
    assert collection["caveats"] == ['Mind the "gap" – £5.', "Two."]
    assert len(collection["features"]) == 4
    for feature, row in zip(collection["features"], frame.itertuples(index=False), strict=True):
        shape = shapely.geometry.shape(feature["geometry"])
        assert shape.is_valid
        west, south, east, north = shape.bounds
        assert -0.5 < west < east < -0.3
        assert 51.8 < south < north < 52.0
        assert feature["properties"]["code"] == row.code
        assert feature["properties"]["count"] == row.count
        assert list(feature["properties"]) == ["code", "name", *COLUMNS, "crimes"]


def test_geojson_of_what_is_not_known_has_nulls(query: Query) -> None:
    months = select(query).change(span=Span(Month(2023, 8), Month(2023, 9)))
    text = write_geojson(extract_counts(query, months, by=["month"]), query.store.read_layer("ward"), [])
    assert "NaN" not in text
    rows = [feature["properties"] for feature in json.loads(text)["features"]]
    assert [row["count"] for row in rows if row["month"] == "2023-08"] == [None] * 4


def test_geojson_split_by_type_has_a_feature_a_row(query: Query) -> None:
    frame = extract_counts(query, select(query, crimes=("burglary", "drugs")), by=["crime_type"])
    features = json.loads(write_geojson(frame, query.store.read_layer("ward"), []))["features"]
    assert len(features) == len(frame) == 8
