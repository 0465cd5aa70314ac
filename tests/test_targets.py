"""Targets as values: periods read and named, tables looked into, and what no table may hold."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cspmap.errors import UserError
from cspmap.periods import Month, Span
from cspmap.target_checks import find_contradictions
from cspmap.targets import Indicator, Kind, Target, TargetArea, TargetTable, name_period, parse_period

ROBBERY = Indicator("robbery", "Robbery", ("robbery",))
BURGLARY = Indicator("burglary", "Burglary", ("burglary",))
BOTH = Indicator("both", "Both", ("robbery", "burglary"), parts=("robbery", "burglary"))
TRUST = Indicator("trust", "Trust", direction="more", unit="percent")
TOWN = TargetArea("Town", ("North", "South"))
NORTH, SOUTH = TargetArea("North"), TargetArea("South")
YEAR, BASE = parse_period("2007-08"), parse_period("2004-05")


def make(indicator: Indicator = ROBBERY, area: TargetArea = NORTH, value: int = 90, **given: Any) -> Target:
    target = Target(indicator, area, "reach-number", YEAR, Decimal(value), BASE, Decimal(100))
    return replace(target, **given)


def say(*targets: Target) -> str:
    return "\n".join(map(str, find_contradictions(TargetTable("Test", targets))))


# Periods


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2007-08", "2007-04", "2008-03"),
        ("2007/08", "2007-04", "2008-03"),
        ("  2007-08  ", "2007-04", "2008-03"),
        ("2007–08", "2007-04", "2008-03"),
        ("2007-2008", "2007-04", "2008-03"),
        ("1999-00", "1999-04", "2000-03"),
        ("2006", "2006-01", "2006-12"),
        ("2005-06 to 2007-08", "2005-04", "2008-03"),
        ("2017 to 2020", "2017-01", "2020-12"),
        ("2023-05..2024-04", "2023-05", "2024-04"),
        # With two dots these are months, June 2005 and August 2007.
        ("2005-06..2007-08", "2005-06", "2007-08"),
    ],
)
def test_periods_as_people_write_them(text: str, first: str, last: str) -> None:
    assert parse_period(text) == Span(Month.parse(first), Month.parse(last))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2009-11", "'2009-11' is not a financial year; write such as 2009-10"),
        ("2007-2009", "is not a financial year"),
        ("soon", "'soon' is not a period; write a financial year (2007-08)"),
        ("2006 to 2007-08", "runs from one sort of year to another"),
        ("2007-08 to 2005-06", "ends (March 2006) before it starts"),
        ("", "'' is not a period"),
    ],
)
def test_what_is_no_period_is_refused_in_a_sentence(text: str, told: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_period(text)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.integers(1901 * 12, 2190 * 12), st.integers(1, 80))
def test_every_period_is_named_so_that_it_reads_back(first: int, months: int) -> None:
    span = Span.ending(Month.from_ordinal(first) + months, months=months)
    assert parse_period(name_period(span)) == span


@pytest.mark.parametrize("text", ["2007-08", "2006", "2005-06 to 2007-08", "2017 to 2020", "2023-05..2024-04"])
def test_periods_are_named_in_the_shortest_form(text: str) -> None:
    assert name_period(parse_period(text)) == text


# Tables


def test_a_table_lists_its_parts_in_printed_order_and_finds_targets_by_what_they_are_about() -> None:
    earlier = parse_period("2006-07")
    targets = (make(BOTH, TOWN, 180), make(BOTH, SOUTH), make(BOTH, NORTH), make(BOTH, TOWN, 190, due=earlier))
    table = TargetTable("Test", targets)
    assert [area.name for area in table.areas] == ["Town", "South", "North"]
    assert table.indicators == (BOTH,)
    assert table.periods == (earlier, YEAR)
    assert table.whole == TOWN
    assert table.find("both", "South", YEAR) is targets[1]
    assert table.find("both", "South", earlier) is None
    assert table.select(indicator="both", area="Town") == (targets[3], targets[0])
    assert table.select(area="North") == (targets[2],)


def test_areas_side_by_side_have_no_whole() -> None:
    assert TargetTable("Test", (make(area=NORTH), make(area=SOUTH))).whole is None


def test_a_target_without_figures_is_not_set_yet() -> None:
    assert not make(value=1, kind="reach-number").indicator.parts
    assert not replace(make(), value=None).is_set
    assert replace(make(), value=None, percent=Decimal(5)).is_set
    assert replace(make(), value=None, kind="hold").is_set


# Contradictions


def test_a_sound_table_has_none() -> None:
    areas = ((TOWN, 180), (NORTH, 90), (SOUTH, 90))
    targets = [make(kind, area, value) for kind in (ROBBERY, BURGLARY) for area, value in areas]
    assert say(*targets, *(make(BOTH, area, 2 * value) for area, value in areas)) == ""


@pytest.mark.parametrize(
    ("kind", "change", "told"),
    [
        ("change-by", {}, "change-by without a percent"),
        ("reach-number", {"value": None, "percent": Decimal(5)}, "reach-number without a target"),
        ("below", {"value": None, "percent": Decimal(5)}, "below without a target"),
        ("hold", {"value": None, "baseline": None}, "hold with nothing to hold"),
        ("reach-percentage", {}, "its unit is count"),
        ("reach-number", {"value": None}, "neither a target nor a percent"),
        ("reach-number", {"value": Decimal("1.5")}, "write a whole number"),
        ("reach-number", {"value": Decimal(-1)}, "zero or more"),
        ("reach-number", {"value": Decimal("NaN")}, "zero or more"),
        ("reach-number", {"percent": Decimal(-8)}, "write 8 for 8 per cent better"),
        ("reach-number", {"percent": Decimal(101)}, "nothing falls by more than 100"),
        ("reach-number", {"value": Decimal(10**15)}, "up to 15 digits and 10 decimals"),
        ("reach-number", {"percent": Decimal("8.00000000001")}, "its percent is too long a number"),
        ("reach-number", {"percent_on": BASE}, "it has a percent_on and no percent"),
        ("reach-number", {"overall_percent": Decimal(5)}, "no overall_percent_on"),
        ("reach-number", {"baseline_period": None}, "a baseline and no baseline_period"),
        ("reach-number", {"baseline_period": YEAR}, "its baseline_period (2007-08) does not end before"),
        ("reach-number", {"note": "two\nlines"}, "its note has line breaks"),
        ("reach-number", {"owner": "'=1+1"}, "its owner starts with an apostrophe and a sign"),
    ],
)
def test_rows_that_make_no_sense(kind: Kind, change: dict[str, Any], told: str) -> None:
    assert told in say(replace(make(kind=kind), **change))


def test_a_target_yet_to_be_set_says_so_in_its_note() -> None:
    assert say(replace(make(), value=None, note="Set each year.")) == ""


def test_percentages_stay_between_0_and_100_and_have_their_kind() -> None:
    assert "from 0 to 100" in say(make(TRUST, value=101, baseline=None, kind="reach-percentage"))
    assert "make the kind reach-percentage" in say(make(TRUST, value=50, baseline=None))
    assert "more is better" in say(make(TRUST, value=50, baseline=None, kind="at-most"))
    assert say(make(TRUST, value=50, baseline=None, kind="reach-percentage")) == ""


def test_rows_of_one_indicator_or_area_must_agree() -> None:
    other = replace(ROBBERY, name="Robberies", direction="more")
    told = say(make(), make(other, SOUTH))
    assert "its indicator_name differs from that of 'robbery' in Robbery, North, 2007-08" in told
    assert "its direction differs" in told
    town = [make(area=TOWN, value=180), make(area=NORTH), make(area=SOUTH)]
    assert "its area_parts differ" in say(*town, make(BURGLARY, TargetArea("Town", ("North",)), value=1))


def test_parts_must_be_there_and_never_be_the_thing_itself() -> None:
    assert "'burglary', which has no rows" in say(make(BOTH), make(ROBBERY))
    assert "made of 'North', which has no rows" in say(make(area=TOWN), make(area=SOUTH))
    ring = [make(area=TargetArea("North", ("South",))), make(area=TargetArea("South", ("North",)))]
    assert "is made of itself" in say(*ring)
    assert "only counts add up" in say(make(replace(BOTH, unit="rate")), make(ROBBERY), make(BURGLARY))
    assert "has a name twice" in say(make(replace(BOTH, parts=("robbery", "robbery"))), make(ROBBERY))
    assert "semicolon" in say(make(replace(ROBBERY, crimes=("a;b",))))


def test_keys_are_slugs() -> None:
    assert "its indicator is 'NI 16'" in say(make(Indicator("NI 16", "NI 16")))
    assert "its crimes name 'Robbery!'" in say(make(replace(ROBBERY, crimes=("Robbery!",))))
    assert "its indicator has no name" in say(make(replace(ROBBERY, name="")))


def test_a_figure_is_given_once() -> None:
    assert "it gives Robbery, North, 2007-08 again" in say(make(), make(value=80))
    earlier = make(due=parse_period("2006-07"), baseline=Decimal(99))
    assert "its baseline is 99, and 100 for the same period" in say(make(), earlier)


def test_an_empty_table_is_one_problem() -> None:
    assert say() == "Test: it has no targets; add at least one."
    assert "the table has no name" in str(find_contradictions(TargetTable(" ", (make(),)))[0])
