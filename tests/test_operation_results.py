"""Operations over the bundled example: every count against another way of counting it, and what follows from them."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from cspmap.errors import UserError
from cspmap.operation_results import (
    OperationCounts,
    SheetChoice,
    find_finest,
    find_months,
    judge_goals,
    list_comparisons,
    match_units,
    propose_months,
    read_counts,
)
from cspmap.operation_shapes import draw_area, outline_shape
from cspmap.operation_surveys import list_surveys
from cspmap.operations import CrimeGoal, Operation, Outline, SurveyGoal, SurveyResult, Units
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store
from cspmap.views.operation_words import describe_aim, describe_survey, tabulate_measures

WARD, NEIGHBOUR, FAR = "luton-dallow", "luton-farley", "luton-wigmore"
METRES = 300.0
CORNERS = ((-0.43, 51.88), (-0.41, 51.88), (-0.41, 51.89), (-0.43, 51.89), (-0.43, 51.88))
OUTLINE = Outline(((CORNERS,),))
YEARS = SheetChoice(Span.parse("2005-04..2006-03"), Span.parse("2006-04..2007-03"))
DALLOW = Operation(
    "Dallow",
    area=Units("ward", (WARD,)),
    start=date(2006, 4, 1),
    end=date(2007, 3, 31),
    buffer_metres=METRES,
    comparison_areas=(Units("ward", (NEIGHBOUR,)), Units("ward", (FAR,))),
    goals=(CrimeGoal((), -10.0), CrimeGoal(("robbery",), -10.0)),
)


@pytest.fixture(scope="module")
def query(example_store: Path) -> Query:
    return Query(open_store(example_store))


@pytest.fixture(scope="module")
def counts(query: Query) -> OperationCounts:
    return read_counts(query, DALLOW)


@pytest.fixture(scope="module")
def points(query: Query) -> pd.DataFrame:
    """Every robbery by month, with its point."""
    span = Span(query.store.months[0], query.store.months[-1])
    selection = replace(Selection.default(query.store), crimes=("robbery",))
    return query.count_points(selection, span=span, by=("month",))


def by_month(points: pd.DataFrame, inside: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> dict[str, float]:
    found = points[inside].groupby("month")["count"].sum()
    return {str(month): float(number) for month, number in found.items()}


def nonzero(frame: pd.DataFrame) -> dict[str, float]:
    sums = frame.sum(axis=1)
    return {str(month): float(number) for month, number in sums.items() if number}


def test_units_hold_what_explore_says(query: Query, counts: OperationCounts) -> None:
    selection = replace(Selection.default(query.store), level="ward", crimes=("robbery",))
    months = query.count_months(selection, Span(query.store.months[0], query.store.months[-1]), code=WARD)
    assert counts.count("area", ["robbery"]).sum(axis=1).tolist() == months["count"].tolist()
    assert find_finest(query) == counts.level == "hexagon"


def test_ring_holds_the_points_within_its_width(counts: OperationCounts, points: pd.DataFrame, query: Query) -> None:
    wards = query.store.read_layer("ward").set_index("code").geometry
    at = shapely.points(points["easting"], points["northing"])
    away = shapely.distance(at, wards[WARD])
    # Circles are drawn with corners, so that what lies on the very edge is left aside.
    assert not ((away > METRES * 0.99) & (away < METRES * 1.001)).any()
    ring = (away > 0) & (away <= METRES)
    assert points["count"][ring].sum() > 0
    assert nonzero(counts.count("buffer", ["robbery"])) == by_month(points, ring)


def test_area_ring_and_rest_are_the_whole(query: Query, counts: OperationCounts) -> None:
    types = [kind.key for kind in query.store.partnership.crime_types]
    whole = query.count_areas(replace(Selection.default(query.store), level="ward", span=YEARS.after))["count"].sum()
    parts = [counts.count(part, types).loc["2006-04":"2007-03"].sum().sum() for part in ("area", "buffer", "rest")]
    assert sum(parts) == whole
    assert min(parts) > 0


def test_comparison_areas_are_without_the_ring(query: Query, counts: OperationCounts, points: pd.DataFrame) -> None:
    wards = query.store.read_layer("ward").set_index("code").geometry
    at = shapely.points(points["easting"], points["northing"])
    picked = shapely.intersects(wards[NEIGHBOUR], at) | shapely.intersects(wards[FAR], at)
    outside = shapely.distance(at, wards[WARD]) > METRES
    assert (picked & ~outside).any()
    assert nonzero(counts.count("rest", ["robbery"], compared=True)) == by_month(points, picked & outside)


def test_outline_holds_the_points_inside_it(query: Query, points: pd.DataFrame) -> None:
    counts = read_counts(query, Operation("Square", area=OUTLINE))
    to_degrees = Transformer.from_crs(27700, 4326, always_xy=True)
    longitude, latitude = to_degrees.transform(points["easting"], points["northing"])
    inside = (longitude >= -0.43) & (longitude <= -0.41) & (latitude >= 51.88) & (latitude <= 51.89)
    assert by_month(points, inside)
    assert nonzero(counts.count("area", ["robbery"])) == by_month(points, inside)
    assert counts.ring is None


def test_missing_month_is_missing_and_not_zero(awkward_store: Path) -> None:
    query = Query(open_store(awkward_store))
    found = read_counts(query, DALLOW)
    gap = found.count("area", ["robbery"]).loc["2005-04":"2006-03"]
    assert len(gap) == 12
    assert gap.isna().all().all()
    (result, _) = judge_goals(query, found, DALLOW, YEARS)
    assert result.sheet is None
    assert "No month of year to March 2006 is known" in result.fault
    with pytest.raises(UserError, match="No month before the start in April 2006 is loaded"):
        propose_months(DALLOW, query.store.months)
    proposed = propose_months(replace(DALLOW, start=date(2007, 3, 1)), query.store.months)
    assert (str(proposed.before), str(proposed.after)) == ("2007-02..2007-02", "2007-03..2007-03")
    assert "as those of the year before are not loaded" in proposed.words


def test_part_without_an_incident_is_zero(query: Query, counts: OperationCounts) -> None:
    never = counts.count("area", [])
    assert never.to_numpy().sum() == 0
    assert len(never) == 60


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        (date(2006, 4, 1), date(2007, 3, 31), "2006-04", "2007-03"),
        (date(2006, 4, 2), date(2007, 3, 30), "2006-05", "2007-02"),
        (date(2006, 4, 10), None, "2006-05", None),
        (date(2006, 4, 10), date(2006, 4, 20), "2006-04", "2006-04"),
        (date(2006, 12, 5), date(2007, 2, 28), "2007-01", "2007-02"),
    ],
)
def test_only_whole_months_are_judged(start: date, end: date | None, first: str, last: str | None) -> None:
    found = find_months(start, end)
    assert (str(found[0]), found[1] and str(found[1])) == (first, last)


def test_aims_are_set_beside_what_was_recorded(query: Query, counts: OperationCounts) -> None:
    results = judge_goals(query, counts, DALLOW, YEARS)
    selection = Selection.default(query.store).change(level="ward", span=YEARS.after, comparison="last-year")
    for result, crimes in zip(results, ((), ("robbery",)), strict=True):
        areas = query.count_areas(replace(selection, crimes=crimes)).set_index("code")
        before, after = (int(areas[column][WARD]) for column in ("before", "count"))
        assert result.sheet is not None
        assert (result.sheet.effect.before, result.sheet.effect.after) == (before, after)
        assert result.change == pytest.approx(100 * (after - before) / before)
        assert result.reached == (after <= 0.9 * before)
        assert result.sheet.headline.startswith(result.crime)
        rest = counts.count("rest", query.crime_types(replace(selection, crimes=crimes)))
        old, new = (rest.loc[str(span.first) : str(span.last)].sum().sum() for span in (YEARS.before, YEARS.after))
        assert result.sheet.effect.expected == pytest.approx(before * new / old)
    assert [result.reached for result in results] == [False, True]
    assert describe_aim(results[1]).startswith("Aim met: down ")
    assert describe_aim(results[1]).endswith("It may have come about without the operation.")


def test_an_operation_without_aims_is_judged_on_everything(query: Query, counts: OperationCounts) -> None:
    (result,) = judge_goals(query, counts, replace(DALLOW, goals=()), YEARS)
    assert (result.crime, result.goal, result.reached) == ("Recorded incidents", None, None)
    assert result.sheet is not None
    assert describe_aim(result).startswith("Recorded: ")


def test_measures_stand_on_one_table(query: Query, counts: OperationCounts) -> None:
    result = judge_goals(query, counts, DALLOW, YEARS)[1]
    assert result.sheet is not None
    table = tabulate_measures(result.sheet).set_index("Measure")
    for name in (
        "Effect in the area",
        "Effect next door",
        "Effect in both together",
        "E-test, area alone",
        "Weighted displacement difference",
        "Weighted displacement quotient",
        "Odds ratio",
    ):
        assert name in table.index
    before, after = (result.sheet.counts[when].astype(float) for when in ("before", "after"))
    t0, t1, c0, c1 = before["area"], after["area"], before["comparison"], after["comparison"]
    assert table.loc["Odds ratio", "Estimate"] == f"{t0 * c1 / (t1 * c0):.2f}"


def test_unknown_crime_is_told_and_the_others_are_judged(query: Query, counts: OperationCounts) -> None:
    strange = replace(DALLOW, goals=(CrimeGoal(("piracy",), -5.0), CrimeGoal(("robbery",), -10.0)))
    first, second = judge_goals(query, counts, strange, YEARS)
    assert (first.crime, first.sheet, first.change, first.reached) == ("piracy", None, None, None)
    assert first.fault.startswith("There is no crime type 'piracy'")
    assert second.sheet is not None


def test_places_most_alike_are_neither_in_the_area_nor_in_its_ring(query: Query, counts: OperationCounts) -> None:
    matches = match_units(query, counts, DALLOW, YEARS.before, ())
    shapes = counts.units.set_index("code").geometry[list(matches.proposed)]
    taken = shapely.union_all([counts.area, counts.ring])
    assert len(shapes) == 10
    assert shapely.area(shapely.intersection(shapes.to_numpy(), taken)).max() < 1
    alike = judge_goals(query, counts, DALLOW, replace(YEARS, against="alike"))[0]
    assert alike.sheet is not None
    total = counts.count("rest", query.crime_types(Selection.default(query.store)))
    wanted = [f"{code} (rest)" for code in matches.proposed]
    assert alike.sheet.counts.loc["comparison", "after"] == total[wanted].loc["2006-04":"2007-03"].sum().sum()


def test_comparison_by_hand_comes_first_where_there_is_one(query: Query, counts: OperationCounts) -> None:
    assert list_comparisons(DALLOW) == ("chosen", "rest", "alike")
    bare = replace(DALLOW, comparison_areas=())
    assert list_comparisons(bare) == ("rest", "alike")
    chosen = judge_goals(query, counts, DALLOW, replace(YEARS, against="chosen"))[0]
    rest = judge_goals(query, counts, DALLOW, YEARS)[0]
    assert chosen.sheet is not None
    assert rest.sheet is not None
    few, many = (float(sheet.counts["before"]["comparison"]) for sheet in (chosen.sheet, rest.sheet))
    assert 0 < few < many
    refused = judge_goals(query, counts, bare, replace(YEARS, against="chosen"))[0]
    assert refused.fault == "No comparison areas are chosen; choose some, or compare with the rest."


@pytest.mark.parametrize(
    ("area", "told"),
    [
        (None, "This operation has no area yet"),
        (Units("ward", ("nowhere", WARD)), "The store has no area 'nowhere' on the level ward"),
        (Units("parish", ("a",)), "There is no level 'parish'"),
        (Outline(((((0.0, 10.0), (1.0, 10.0), (1.0, 11.0), (0.0, 10.0)),),)), "The outline lies outside Luton"),
    ],
)
def test_areas_that_cannot_be_counted_are_told(query: Query, area: Units | Outline | None, told: str) -> None:
    with pytest.raises(UserError, match=told):
        read_counts(query, replace(DALLOW, area=area))


def test_operation_without_a_start_has_no_before(query: Query) -> None:
    with pytest.raises(UserError, match="has no start yet"):
        propose_months(replace(DALLOW, start=None), query.store.months)


def test_outline_of_units_is_their_shape(query: Query) -> None:
    shape = draw_area(query, Units("ward", (WARD, FAR)))
    back = draw_area(query, outline_shape(shape))
    assert back.symmetric_difference(shape).area < 1e-4 * shape.area


def test_surveys_are_held_against_their_aims() -> None:
    asked = [SurveyResult("Fear", 40.0, date(2007, 3, 1), 400), SurveyResult("Fear", 52.0, date(2006, 3, 1), 400)]
    aims = (SurveyGoal("Fear", "at most", 45.0), SurveyGoal("Trust", "at least", 60.0))
    fear, trust, other = list_surveys(
        Operation("x", goals=aims, surveys=(*asked, SurveyResult("Other", 10.0, date(2006, 1, 1))))
    )
    assert [wave.percent for wave in fear.waves] == [52.0, 40.0]
    assert (fear.reached, fear.clear) == (True, True)
    assert fear.change is not None
    assert (fear.change.points, fear.change.verdict) == (-12.0, "down")
    assert trust.reached is None
    assert describe_survey(trust) == "Trust: nothing entered yet; the aim is at least 60 %."
    assert other.measures == (None,)
    assert "neither is the margin of error" in describe_survey(other)
    # Of 400, 40 %: Wilson's interval is 35.3 to 44.9.
    assert describe_survey(fear).startswith("Fear: 40 % in March 2007 (give or take 5 points, 400 asked). The aim")


def test_aim_within_the_margin_of_error_is_said_to_be() -> None:
    (standing,) = list_surveys(
        Operation(
            "x",
            goals=(SurveyGoal("Trust", "at least", 60.0),),
            surveys=(SurveyResult("Trust", 61.0, date(2007, 3, 1), 380),),
        )
    )
    assert (standing.reached, standing.clear) == (True, False)
    assert "is met, but within the margin of error" in describe_survey(standing)
