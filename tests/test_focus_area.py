"""Focus areas over a store: their figures against independent counts, outlines against known shapes, and links."""

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Polygon, box

from cspmap.analysis.contiguity import find_contiguity
from cspmap.errors import SelectionError, UserError
from cspmap.focus_area import (
    WHOLE,
    Aim,
    FocusGround,
    catch,
    describe_choice,
    find_later,
    find_touched,
    read_ground,
    select_inside,
    trace_months,
)
from cspmap.focus_choice import FocusChoice
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store

SPAN = Span.parse("2024-01..2024-02")


def make_ground() -> FocusGround:
    """Four squares of 1 km in a row, A to D; the third of four months is not loaded."""
    units = gpd.GeoDataFrame(
        {"code": list("ABCD"), "name": ["Ash", "Beech", "Cedar", "Dale"]},
        geometry=[box(1000 * x, 0, 1000 * x + 1000, 1000) for x in range(4)],
        crs=27700,
    )
    months = ["2024-01", "2024-02", "2024-03", "2024-04"]
    counts = {
        ("burglary", ""): [20, 20, None, 10],
        **{("burglary", code): [n, n, None, n - 1] for n, code in enumerate("ABCD", 1)},
        ("robbery", ""): [4, 4, None, 4],
        **{("robbery", code): [1, 1, None, 1] for code in "ABCD"},
    }
    frame = pd.DataFrame(counts, index=pd.Index(months, name="month"), dtype=float)
    frame.columns = frame.columns.set_names(["crimes", "code"])
    return FocusGround(
        level="square",
        units=units,
        contiguity=find_contiguity(units),
        people=pd.DataFrame({"residents": [100.0, 300.0, 600.0, None]}, index=list("ABCD")),
        deprivation=pd.DataFrame({"score": [10.0, 30.0, None, 5.0], "fifth": [0.0, 1.0, 0.5, 0.0]}, index=list("ABCD")),
        edition=2025,
        counts=frame,
    )


def test_figures_of_a_chosen_set_are_those_worked_by_hand() -> None:
    area = describe_choice(make_ground(), Aim(SPAN, ("burglary", "robbery")), ["B", "A"], before=SPAN.shift(-2))
    assert area.codes == ("A", "B")
    # 2 + 4 burglaries and 2 + 2 robberies of 40 and 8; one burglary and one robbery elsewhere have no location.
    assert (area.catch.captured, area.catch.share) == (10, 10 / 48)
    assert area.types.to_dict("list") == {
        "crime_type": ["burglary", "robbery"],
        "count": [6, 4],
        "before": pytest.approx([float("nan")] * 2, nan_ok=True),
        "share": [6 / 40, 4 / 8],
        "withheld": [False, False],
        "withheld_before": [False, False],
    }
    assert (area.count, area.before) == (10, None)
    # March is not loaded: April alone is what came after, 0 + 1 burglaries and 2 robberies of 14.
    assert area.later is not None
    assert (str(area.later.span), area.later.captured, area.later.share) == ("2024-03..2024-04", 3, 3 / 14)
    assert [str(month) for month in area.later.months] == ["2024-04"]
    # Of Dale nobody knows how many live there, so the share of all is not known.
    assert area.people["residents"] == (400, None)
    # 100 residents at 10 and 300 at 30.
    assert area.deprivation == {"score": 25, "fifth": 0.75}
    assert (area.figures.km2, area.figures.km2_share, area.figures.connected) == (2, 0.5, True)


def test_what_is_not_known_is_not_nought() -> None:
    ground = make_ground()
    area = describe_choice(ground, Aim(SPAN, ("burglary",)), ["C", "D"], before=SPAN)
    assert area.people["residents"] == (None, None)
    assert area.deprivation == {"score": None, "fifth": None}
    gone = catch(ground, Aim(SPAN, ("burglary",)), ["A"], Span.parse("2024-03"))
    assert (gone.months, gone.captured, gone.share) == ((), None, None)
    months = trace_months(ground, Aim(SPAN, ("burglary", "robbery")), ["A", "B"], Span.parse("2024-02..2024-04"))
    assert months["count"].tolist() == [5, pd.NA, 3]


def test_harm_weighs_and_a_type_without_a_weight_counts_once() -> None:
    ground = make_ground()
    aim = Aim(SPAN, ("burglary", "robbery"), (("robbery", 10.0),))
    assert ground.weigh(aim).to_dict() == {WHOLE: 120, "A": 22, "B": 24, "C": 26, "D": 28}
    assert aim.weighted
    assert not Aim(SPAN, ("burglary",), (("robbery", 10.0),)).weighted


def test_later_months_are_as_many_as_there_are() -> None:
    ground = make_ground()
    assert str(find_later(ground, Span.parse("2024-01"))) == "2024-02..2024-02"
    assert find_later(ground, Span.parse("2024-02")) is None
    assert find_later(ground, Span.parse("2024-01..2024-04")) is None


def test_an_outline_selects_the_units_whose_larger_part_lies_inside() -> None:
    ground = make_ground()
    assert select_inside(ground, box(400, -50, 2510, 2000)).codes == ("A", "B", "C")
    # Exactly a half is not the larger part.
    assert select_inside(ground, box(500, 0, 2500, 1000)).codes == ("B",)
    small = select_inside(ground, Polygon([(1900, 0), (2300, 0), (2300, 100), (1900, 100)]))
    assert (small.codes, small.largest) == (("C",), True)
    with pytest.raises(UserError, match="outside every area"):
        select_inside(ground, box(0, 5000, 100, 6000))


def test_areas_touched_are_told_by_how_much_is_covered() -> None:
    other = gpd.GeoDataFrame(
        {"code": ["west", "east", "sliver"]},
        geometry=[box(0, 0, 2000, 1000), box(2000, 0, 4000, 1000), box(999, 0, 3000, 1000)],
        crs=27700,
    )
    assert find_touched(make_ground(), ["A"], other) == {"west": 0.5}
    assert find_touched(make_ground(), ["B", "C"], other) == pytest.approx(
        {"sliver": 2000 / 2001, "east": 0.5, "west": 0.5}
    )


@pytest.fixture(scope="module")
def query(example_store: Path) -> Query:
    return Query(open_store(example_store))


def test_figures_are_those_of_the_explore_page(query: Query) -> None:
    selection = Selection.default(query.store).change(level="ward", crimes=("robbery", "wounding"))
    ground = read_ground(query, "ward")
    areas = query.count_areas(selection).set_index("code")
    chosen = ["luton-dallow", "luton-south"]
    area = describe_choice(ground, Aim(selection.span, query.crime_types(selection)), chosen, before=selection.before)
    assert area.types["count"].sum() == areas.loc[chosen, "count"].sum()
    assert area.types["before"].sum() == areas.loc[chosen, "before"].sum()
    assert area.catch.share == pytest.approx(areas.loc[chosen, "count"].sum() / query.count_coverage(selection).total)
    assert area.figures.km2 == pytest.approx(areas.loc[chosen, "hectares"].sum() / 100, rel=1e-3)


def test_every_choice_survives_its_link(query: Query) -> None:
    usual = FocusChoice.default(query.store)
    assert FocusChoice.from_query(usual.to_query(), query.store) == usual
    chosen = usual.selection.change(level="ward", crimes=("robbery",), areas=("luton-south", "luton-dallow"))
    choice = FocusChoice(chosen, (("robbery", 2.123456789), ("wounding", 1500.0)))
    assert choice.to_query()["weights"] == "robbery:2.123456789,wounding:1500"
    assert FocusChoice.from_query(choice.to_query(), query.store) == choice


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"weights": "robbery"}, "There is no crime type ''"),
        ({"weights": "murder:2"}, "There is no crime type 'murder' to weigh"),
        ({"weights": "robbery:-1"}, "The weight of robbery is '-1'; write a number from 0 to 100,000."),
        ({"weights": "robbery:nan"}, "The weight of robbery is 'nan'"),
        ({"level": "ward", "areas": "nowhere"}, "The area asked for is 'nowhere'"),
    ],
)
def test_a_link_for_what_is_not_there_is_told_in_a_sentence(query: Query, asked: dict[str, str], told: str) -> None:
    with pytest.raises(SelectionError) as raised:
        FocusChoice.from_query(asked, query.store)
    assert str(raised.value).startswith(told)
