"""Readings with their margins of error, beside recorded crime, and against targets."""

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from cspmap.analysis.survey import compare_surveys, measure_published, measure_survey
from cspmap.errors import UserError
from cspmap.indicators import IndicatorTable, Measure, Reading
from cspmap.perceptions import judge_targets, list_beside, list_readings, measure_reading
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store
from cspmap.targets import Indicator, Target, TargetArea, TargetTable, parse_period
from cspmap.views.perception_words import (
    describe_beside,
    describe_margins,
    describe_questions,
    describe_series,
    format_value,
    list_sources,
)

FEAR = Measure("fear", "Feel unsafe after dark", "Safety", "survey", "percent", "less", "How safe?")


def read(year: str, value: float | None, sample: int | None = None, **given: object) -> Reading:
    printed = None if value is None else Decimal(str(value))
    fields = {"area": "Luton", "answer": "Unsafe", "survey": "Survey", "note": "-", **given}
    return Reading(FEAR, period=parse_period(year) if year else None, value=printed, sample=sample, **fields)  # type: ignore[arg-type]


def tabulate(*readings: Reading) -> pd.DataFrame:
    return list_readings([IndicatorTable("Survey", readings)])


@pytest.fixture(scope="module")
def query(example_store: Path) -> Query:
    return Query(open_store(example_store))


# Margins of error


def test_margin_is_that_of_the_sample() -> None:
    row = tabulate(read("2008", 45, 1100)).iloc[0]
    low, high = proportion_confint(495, 1100, method="wilson")
    assert [row["low"], row["high"]] == pytest.approx([100 * low, 100 * high])
    assert row["margin"] == pytest.approx(50 * (high - low))
    assert row["margin_words"] == "± 2.9 points, 1,100 asked"


def test_a_margin_that_was_published_is_taken() -> None:
    row = tabulate(read("2008", 45, 1100, margin=Decimal("3.4"))).iloc[0]
    assert [row["low"], row["high"]] == pytest.approx([41.6, 48.4])
    assert measure_published(2, 3).low == 0
    with pytest.raises(UserError, match="cannot be"):
        measure_published(45, 0)


def test_without_a_sample_the_margin_is_not_known() -> None:
    row = tabulate(read("2008", 45)).iloc[0]
    assert pd.isna(row["margin"])
    assert row["margin_words"] == "not known: no sample size"
    assert measure_reading(read("2008", None, None)) is None


def test_what_was_counted_has_no_margin() -> None:
    counted = Reading(Measure("ni-40", "In treatment", kind="record", unit="count"), value=Decimal(693), survey="DAAT")
    row = tabulate(counted).iloc[0]
    assert row["margin_words"] == "none: counted, not asked"
    assert row["change_words"] == ""


@pytest.mark.parametrize(("later", "sample"), [(44, 1100), (30, 1100), (55, 900), (44, None)])
def test_change_is_told_from_chance_where_both_margins_are_known(later: float, sample: int | None) -> None:
    rows = tabulate(read("2008", later, sample), read("2006", 45, 1100))
    row = rows.iloc[0]
    assert (row["before"], row["before_period"], row["change"]) == (45, "2006", later - 45)
    if sample is None:
        assert row["change_words"] == "not known whether it is more than the margin of error"
        return
    verdict = compare_surveys(measure_survey(45, 1100), measure_survey(later, sample)).verdict
    assert row["change_words"].startswith(verdict)
    assert pd.isna(rows.iloc[1]["change"])


def test_areas_and_answers_are_series_of_their_own() -> None:
    rows = tabulate(read("2006", 45), read("2008", 40, area="Dallow"), read("2008", 50, answer="Very unsafe"))
    assert rows["before"].isna().all()


# Words


def test_a_series_in_a_sentence() -> None:
    rows = tabulate(read("2003", 50, 1000), read("2006", 45, 1000), read("2008", 30, 1000))
    assert describe_series(rows) == (
        "Feel unsafe after dark (unsafe): 30 % in 2008 (± 2.8 points, 1,000 asked), from 45 % in 2006 and 50 % in "
        "2003. The last change is down by more than the margin of error."
    )
    assert describe_series(tabulate(read("", 45))) == "Feel unsafe after dark (unsafe): 45 %, the year not printed."
    assert describe_series(tabulate(read("2006", None))) == "Feel unsafe after dark (unsafe): no figure is printed."


def test_margins_are_told_once() -> None:
    assert describe_margins(tabulate(read("2008", 45))).startswith("None of these figures has a known margin")
    assert describe_margins(tabulate(read("2008", 45), read("2006", 44, 900))).startswith("1 of 2 figures have")
    assert describe_margins(tabulate(read("2006", 44, 900))).startswith("Ranges are 95 % margins")
    assert describe_margins(tabulate(read("2006", None))) == ""


def test_values_as_people_write_them() -> None:
    assert format_value(45, "percent") == "45 %"
    assert format_value(-16.4, "change") == "−16.4 %"
    assert format_value(16, "change") == "+16 %"
    assert format_value(2650, "count") == "2,650"
    assert format_value(53.9, "percent") == "53.9 %"
    assert format_value(None, "percent") == "not printed"


def test_questions_and_sources() -> None:
    rows = tabulate(read("2008", 45, document="Plan", page="12"), read("2006", 44, document="Plan", page="section A"))
    assert describe_questions(rows) == ["Feel unsafe after dark: asked as “How safe?”"]
    assert list_sources(rows) == ["Plan, page 12", "Plan, section A"]
    assert list_sources(tabulate(read("2008", 45))) == ["Survey"]


# Beside recorded crime


def test_recorded_crime_of_the_same_months_stands_beside(query: Query) -> None:
    found = list_beside(query)
    own = found[(found["indicator"] == "ni-17-vandalism") & (found["period"] == "2006")].iloc[0]
    selection = Selection.default(query.store).change(crimes=("criminal-damage",))
    assert own["recorded"] == query.count_coverage(selection, span=Span.parse("2006-01..2006-12")).total > 1000
    assert "Recorded Criminal Damage in the same months: " in describe_beside(own.to_dict(), "Luton")


def test_recorded_crime_of_months_that_are_not_loaded_is_not_known(query: Query) -> None:
    rows = {(row["indicator"], row["period"]): row for row in list_beside(query).to_dict("records")}
    partly, undated = rows["ni-17-vandalism", "2003"], rows["problem-robbery", ""]
    assert pd.isna(partly["recorded"])
    assert partly["recorded_words"] == "3 of its months are not loaded"
    assert undated["recorded_words"] == "the year of the survey is not known"
    assert "not known beside it" in describe_beside(undated, "Luton")


def test_other_places_and_what_was_counted_stand_alone(query: Query) -> None:
    found = list_beside(query)
    assert set(found["area"]) == {"Luton"}
    assert set(found["kind"]) == {"survey"}


# Targets


def test_a_target_is_judged_by_readings_of_its_own_key_and_area() -> None:
    asked = Target(
        Indicator("fear", "Fear", unit="percent"),
        TargetArea("Luton"),
        "reach-percentage",
        parse_period("2010"),
        Decimal(40),
    )
    readings = IndicatorTable(
        "Survey", (read("2006", 45, 1000), read("2008", 38, 1000), read("2008", 60, area="Dallow"))
    )
    (row,) = judge_targets([TargetTable("Plan", (asked,))], [readings]).to_dict("records")
    assert (row["actual"], row["baseline"], row["status"], row["rating"]) == (38, 45, "running", "G")
    assert row["expected"] == pytest.approx(45 - 5 * 24 / 48)


def test_targets_without_readings_say_so(query: Query) -> None:
    judged = judge_targets(query.store.targets, query.store.indicators)
    confidence = judged[judged["indicator"].str.startswith("Agree that police")]
    assert confidence["value"].tolist() == [50.0, 53.9, 58.6]
    assert set(confidence["status"]) == {"not measured"}
    assert (judged["document"] != "").all()
    assert judge_targets([], query.store.indicators).empty
