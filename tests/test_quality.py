"""The quality report in tables and sentences, from a store's table of months made up here."""

import math
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from cspmap.partnership import load_partnership
from cspmap.periods import Month
from cspmap.store import Store
from cspmap.views.quality import list_levels, list_months, summarise_quality
from cspmap.workspace import find_example


def make_month(month: str, **values: Any) -> dict[str, Any]:
    usual = {
        "month": month,
        "source": "Made",
        "own": False,
        "rows": 1000,
        "repeated": 0,
        "without_id": 100,
        "recorded": 1000,
        "inside": 1000,
        "outside": 0,
        "unlocated": 0,
        "lsoa_vintage": "lsoa21",
        "lsoa_compared": 0,
        "lsoa_disagree": 0,
    }
    return {**usual, **values}


def make_store(*months: dict[str, Any]) -> Store:
    table = pd.DataFrame(list(months))
    table["lsoa_vintage"] = table["lsoa_vintage"].astype("str")
    store = SimpleNamespace(
        months=tuple(Month.parse(str(month)) for month in table["month"]),
        read_table=lambda name: {"months": table}[name],
    )
    return cast(Store, store)


def summarise(*months: dict[str, Any]) -> list[str]:
    return summarise_quality(list_months(make_store(*months)))


def test_missing_month_has_a_row_without_figures() -> None:
    found = list_months(
        make_store(
            make_month("2024-01", unlocated=20, inside=980, lsoa_compared=200, lsoa_disagree=3),
            make_month("2024-03"),
        )
    )
    assert found["month"].tolist() == ["2024-01", "2024-02", "2024-03"]
    assert found["rows"].isna().tolist() == [False, True, False]
    assert found["unlocated_percent"].fillna(-1).tolist() == [2.0, -1.0, 0.0]
    assert found["disagree_percent"].fillna(-1).tolist() == [1.5, -1.0, -1.0]


def test_nothing_amiss() -> None:
    assert summarise(make_month("2024-01"), make_month("2024-02")) == [
        "2,000 rows were read for 2 months.",
        "No incident was published without a location.",
    ]


def test_everything_amiss() -> None:
    said = summarise(
        make_month("2018-10", rows=1184, repeated=184, unlocated=10, outside=400, lsoa_vintage="lsoa11"),
        make_month("2018-12", unlocated=50, outside=1000, lsoa_compared=2000, lsoa_disagree=106),
        make_month("2019-01", lsoa_vintage="mixed"),
    )
    assert said == [
        "3,184 rows were read for 3 months.",
        "184 repeated crime identifiers were dropped, the latest record kept.",
        "60 incidents (2.0 %) have no location; at most 5.0 % in a month (December 2018).",
        "1,400 incidents lie outside the partnership and are not counted.",
        "The published LSOA differs from that of the point for 106 of 2,000 incidents (5.3 %): points lie on "
        "streets, and streets are borders. Areas are counted by the point.",
        "LSOA codes of different censuses were published (2011 and 2021); each month is read by its own.",
        "Some months mix LSOA codes of 2011 and 2021; these are not held against the LSOA of the point.",
    ]


def test_one_of_each() -> None:
    said = summarise(make_month("2024-01", repeated=1, unlocated=1, outside=1, lsoa_compared=1, lsoa_vintage="mixed"))
    assert said == [
        "1,000 rows were read for 1 month.",
        "1 repeated crime identifier was dropped, the latest record kept.",
        "1 incident (0.1 %) has no location; at most 0.1 % in a month (January 2024).",
        "1 incident lies outside the partnership and is not counted.",
        "The published LSOA differs from that of the point for 0 of 1 incident (0.0 %): points lie on streets, "
        "and streets are borders. Areas are counted by the point.",
        "Some months mix LSOA codes of 2011 and 2021; these are not held against the LSOA of the point.",
    ]


def test_month_in_which_every_row_is_a_repeat_is_not_the_worst() -> None:
    said = summarise(
        make_month("2024-01", repeated=1000, recorded=0, inside=0), make_month("2024-02", unlocated=100, inside=900)
    )
    assert said[2] == "100 incidents (10.0 %) have no location; at most 10.0 % in a month (February 2024)."
    assert summarise(make_month("2024-01", repeated=1000, recorded=0)) == [
        "1,000 rows were read for 1 month.",
        "1,000 repeated crime identifiers were dropped, the latest record kept.",
    ]


def test_levels_say_what_they_are_made_from() -> None:
    partnership = load_partnership(find_example())
    areas = pd.DataFrame(
        {
            "layer": ["hexagon", "hexagon", "ward", "area"],
            "code": ["a", "b", "c", "d"],
            "hectares": [10.04, 20.04, 30.0, 30.0],
        }
    )
    table = list_levels(cast(Store, SimpleNamespace(partnership=partnership, areas=areas)))
    assert table.to_dict("records") == [
        {"Level": "Hexagon", "Areas": 2, "Hectares": 30.1, "Made from": "luton-hexagons.hexjson"},
        {"Level": "Ward", "Areas": 1, "Hectares": 30.0, "Made from": "luton-wards.geojson"},
        {"Level": "Area", "Areas": 1, "Hectares": 30.0, "Made from": "wards"},
    ]


def test_percentages_of_nothing_are_missing() -> None:
    found = list_months(make_store(make_month("2024-01", repeated=1000, recorded=0)))
    assert math.isnan(found["unlocated_percent"][0])
    assert found["unlocated_percent"].to_numpy() != pytest.approx(0)
