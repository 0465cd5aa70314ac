"""What tables ask of areas: as printed, on the way, shared out, or not known, on the example's and on made counts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cspmap.analysis.apportionment import apportion
from cspmap.board import list_weights
from cspmap.goals import WHOLE, Goal, Sharing, keep_outside, list_measured, list_periods, set_goals
from cspmap.partnership import Partnership, load_partnership
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.sources.target_file import read_targets
from cspmap.store import open_store
from cspmap.targets import Indicator, Target, TargetArea, TargetTable, name_period, parse_period

ROOT = Path(__file__).resolve().parent.parent
LUTON = read_targets(ROOT / "data" / "targets" / "luton-2005-08.csv")
PARTNERSHIP = load_partnership(ROOT / "data" / "partnership.toml")
BASE, YEAR = parse_period("2004-05"), parse_period("2007-08")
THEFT = Indicator("theft", "Theft", ("theft-of-cycle",))
TOWN = TargetArea("Luton")


@pytest.fixture(scope="module")
def query(example_store: Path) -> Query:
    return Query(open_store(example_store))


def set_luton(query: Query, level: str, period: str, **sharing: Any) -> list[Goal]:
    """The goals of the strategy's own table at a level of the example."""
    counts = query.count_series(level, {each.key: each.crimes for each in list_measured(LUTON, PARTNERSHIP)})
    return set_goals(
        LUTON,
        PARTNERSHIP,
        areas=query.name_areas(level),
        span=parse_period(period),
        counts=counts,
        sharing=Sharing(figures=list_weights(query, level), **{"method": "baseline", **sharing}),
    )


def read_printed() -> dict[tuple[str, str], dict[str, Any]]:
    """The file as it lies there, without any code of ours, by indicator and area."""
    rows = pd.read_csv(ROOT / "data" / "targets" / "luton-2005-08.csv").to_dict("records")
    return {(row["indicator"], row["area"]): {str(key): value for key, value in row.items()} for row in rows}


# ---- the strategy's own table ----------------------------------------------------------------------------------------


def test_what_is_printed_for_an_area_stands(query: Query) -> None:
    printed, goals = read_printed(), set_luton(query, "area", "2007-08")
    assert len(goals) == len(printed) == 66
    for goal in goals:
        row = printed[goal.indicator.key, goal.area]
        assert (goal.value, goal.baseline) == (row["target"], row["baseline"])
        assert (goal.origin, goal.how, goal.target.page) == ("printed", "as printed", "26")
        assert goal.members == ((WHOLE,) if goal.area == "Luton" else (goal.area.casefold(),))


def test_years_on_the_way_lie_on_the_straight_line(query: Query) -> None:
    printed = read_printed()
    for years, period in ((1, "2005-06"), (2, "2006-07")):
        for goal in set_luton(query, "area", period):
            row = printed[goal.indicator.key, goal.area]
            exact = row["baseline"] + (row["target"] - row["baseline"]) * years / 3
            assert goal.value is not None
            assert abs(goal.value - exact) <= 0.5
            assert goal.value == int(goal.value)
            assert goal.origin == "on the way"
            assert goal.how == f"on the straight line to {row['target']:,} by 2007-08"


@pytest.mark.parametrize("method", ["baseline", "residents", "narrow-gap"])
@pytest.mark.parametrize("period", ["2005-06", "2007-08"])
def test_wards_share_out_their_areas_target_and_add_up_to_it(query: Query, method: str, period: str) -> None:
    areas = {goal.indicator.key + goal.area: goal.value for goal in set_luton(query, "area", period)}
    names = query.name_areas("ward")
    goals = [goal for goal in set_luton(query, "ward", period, method=method) if goal.members != (WHOLE,)]
    for kind in LUTON.indicators:
        for area in PARTNERSHIP.areas:
            own = [goal for goal in goals if goal.indicator == kind and names[goal.members[0]] in area.members]
            # Together they are all wards of the area, each once.
            assert sorted(names[code] for goal in own for code in goal.members) == sorted(area.members)
            assert sum(goal.value or math.nan for goal in own) == areas[kind.key + area.name]


def test_wards_shares_follow_their_counts_of_the_baseline_year(query: Query, example_store: Path) -> None:
    """The counts taken from the incidents themselves, and the shares worked out by hand."""
    incidents = pd.read_parquet(open_store(example_store).folder / "incidents")
    stolen = incidents[
        (incidents["crime_type"] == "theft-from-vehicle")
        & incidents["month"].astype(str).between("2004-04", "2005-03")
        & ~incidents["superseded"]
    ]
    counts = stolen["in_ward"].value_counts()
    wards = ["luton-challney", "luton-leagrave", "luton-lewsey"]
    shares = {code: 364 * counts[code] / counts[wards].sum() for code in wards}
    values = {
        goal.members[0]: goal.value
        for goal in set_luton(query, "ward", "2007-08")
        if goal.indicator.key == "theft-from-vehicle" and goal.members[0] in wards
    }
    assert sum(v or 0 for v in values.values()) == 364
    for code, value in values.items():
        assert value in (math.floor(shares[code]), math.ceil(shares[code]))


def test_a_level_of_neither_areas_nor_wards_shares_out_the_whole(query: Query) -> None:
    goals = [goal for goal in set_luton(query, "hexagon", "2007-08") if goal.indicator.key == "robbery"]
    whole, *parts = goals
    assert (whole.value, whole.area) == (462, "Luton")
    assert sorted(code for goal in parts for code in goal.members) == sorted(query.name_areas("hexagon"))
    # Incidents without a location have their share of it.
    counts = query.count_series("hexagon", {"robbery": ("robbery",)}).loc["2004-04":"2005-03"].sum()["robbery"]
    inside = counts.drop(WHOLE).sum()
    assert inside < counts[WHOLE]
    shared = sum(goal.value or 0 for goal in parts)
    assert abs(shared - 462 * inside / counts[WHOLE]) < 1
    assert f"Luton's 462, less {462 - shared:.0f} for incidents without a location, shared out" in parts[0].how
    together = parts[-1]
    assert together.area == f"{len(together.members)} small areas together"
    assert len(together.members) > 1
    assert all(len(goal.members) == 1 and (goal.value or 0) >= 4 for goal in parts[:-1])


# ---- made counts -----------------------------------------------------------------------------------------------------


def make_counts(monthly: Mapping[str, float], *, first: str = "2004-04", months: int = 48, key: str = "theft") -> Any:
    """The same counts of every area, by code, in each of some months."""
    span = Span.parse(f"{first}..{first}")
    labels = [str(span.first + step) for step in range(months)]
    columns = pd.MultiIndex.from_product([[key], list(monthly)], names=["crimes", "code"])
    return pd.DataFrame([list(monthly.values())] * months, index=pd.Index(labels, name="month"), columns=columns)


def make_target(area: TargetArea = TOWN, **given: Any) -> Target:
    change: dict[str, Any] = {"percent": Decimal(10), "baseline_period": BASE, "document": "Plan", "page": "3"}
    return Target(THEFT, area, **{"kind": "change-by", "due": YEAR, **change, **given})


def set_made(
    targets: Sequence[Target],
    monthly: Mapping[str, float],
    *,
    span: Span = YEAR,
    counts: pd.DataFrame | None = None,
    partnership: Partnership = PARTNERSHIP,
    **sharing: Any,
) -> dict[str, Goal]:
    """The goals of a made table at a level of made areas, by name."""
    areas = {code: code.capitalize() for code in monthly if code}
    goals = set_goals(
        TargetTable("Made", tuple(targets)),
        partnership,
        areas=areas,
        span=span,
        counts=make_counts(monthly) if counts is None else counts,
        sharing=Sharing(**{"method": "baseline", "figures": pd.DataFrame(index=list(areas)), "least": 0, **sharing}),
    )
    return {goal.area: goal for goal in goals}


def test_ten_per_cent_below_a_measured_baseline() -> None:
    found = set_made([make_target()], {"": 100, "left": 60, "right": 40})
    whole = found["Luton"]
    assert (whole.value, whole.baseline, whole.origin) == (1080, 1200, "worked out")
    assert whole.how == "10 % below 1,200"
    assert (found["Left"].value, found["Left"].baseline) == (648, 720)
    assert (found["Right"].value, found["Right"].baseline) == (432, 480)
    assert found["Left"].how == "Luton's 1,080 shared out in proportion to each area's baseline"


@pytest.mark.parametrize(
    ("direction", "monthly", "value"),
    # Of 84: 10 % less is 75.6, 10 % more 92.4; of 120 they are 108 and 132, which floats make 132.00000000000003.
    [("less", 7, 75), ("more", 7, 93), ("less", 10, 108), ("more", 10, 132)],
)
def test_a_percentage_is_rounded_to_the_harder_whole_number(direction: Any, monthly: float, value: float) -> None:
    target = replace(make_target(), indicator=replace(THEFT, direction=direction))
    assert set_made([target], {"": monthly, "left": monthly})["Luton"].value == value


def test_to_hold_is_to_stay_at_the_baseline() -> None:
    target = make_target(kind="hold", percent=None)
    assert set_made([target], {"": 10, "left": 10})["Luton"].value == 120


@pytest.mark.parametrize("change", [{"percent_on": parse_period("2003-04")}, {"baseline_period": None}])
def test_a_percentage_of_what_nobody_knows_is_not_known(change: dict[str, Any]) -> None:
    found = set_made([make_target(**change)], {"": 10, "left": 10})
    assert found["Luton"].value is None
    assert found["Luton"].how.startswith("not known: no number is printed")
    assert found["Left"].value is None
    assert found["Left"].how == "Luton's target cannot be shared out: what it starts from is not known."


def test_a_baseline_with_a_month_missing_is_not_known() -> None:
    counts = make_counts({"": 100, "left": 60, "right": 40})
    counts.loc["2004-09"] = math.nan
    found = set_made([make_target()], {"": 0, "left": 0, "right": 0}, counts=counts)
    assert {name: (goal.value, goal.baseline) for name, goal in found.items()} == dict.fromkeys(
        ("Luton", "Left", "Right"), (None, None)
    )
    # What is printed is shared out by the year before the period, where that is loaded whole.
    printed = make_target(kind="reach-number", value=Decimal(1000), percent=None)
    shared = set_made([printed], {"": 0, "left": 0, "right": 0}, counts=counts)
    assert {name: goal.value for name, goal in shared.items()} == {"Luton": 1000, "Left": 600, "Right": 400}
    assert shared["Left"].baseline is None
    counts.loc["2006-10"] = math.nan
    refused = set_made([printed], {"": 0, "left": 0, "right": 0}, counts=counts)
    assert {name: goal.value for name, goal in refused.items()} == {"Luton": 1000, "Left": None, "Right": None}


def test_the_way_from_a_baseline_that_is_not_known_is_not_known() -> None:
    counts = make_counts({"": 100}, first="2006-04", months=24)
    target = make_target(kind="reach-number", value=Decimal(1000), percent=None)
    found = set_made([target], {"": 0}, counts=counts, span=parse_period("2006-07"))["Luton"]
    assert (found.value, found.how) == (None, "not known: what the way to 1,000 starts from is not known")


def test_what_no_area_can_be_given_keeps_its_share() -> None:
    found = set_made([make_target()], {"": 100, "left": 60, "right": 30})
    # 1,080 with a tenth of all incidents without a location: 972 for the areas, 108 for none.
    assert (found["Left"].value, found["Right"].value) == (648, 324)
    assert (
        found["Left"].how == "Luton's 1,080, less 108 for incidents without a location, shared out in proportion to "
        "each area's baseline"
    )


@given(st.integers(0, 5000), st.lists(st.integers(0, 400), min_size=1, max_size=9), st.integers(0, 900))
def test_parts_and_what_is_outside_are_the_whole(total: int, inside: list[int], outside: int) -> None:
    areas = keep_outside(total, sum(inside), [sum(inside) + outside])
    everything = sum(inside) + outside
    assert 0 <= areas <= total
    if everything:
        assert abs(areas - total * sum(inside) / everything) < 1
    if sum(inside):
        assert apportion(areas, inside).sum() + (total - areas) == total
    if not outside:
        assert areas == total
    assert keep_outside(total, sum(inside), None) == total


def test_what_must_stay_below_a_number_is_shared_out_below_it() -> None:
    """Areas that all just meet theirs must not add up to what is too much."""
    target = make_target(kind="below", percent=None, value=Decimal(1000))
    found = set_made([target], {"": 100, "left": 60, "right": 40})
    assert {name: goal.value for name, goal in found.items()} == {"Luton": 1000, "Left": 599, "Right": 400}
    assert found["Left"].how.startswith("Luton's 999 (below 1,000) shared out")


def test_areas_too_small_carry_one_target_together() -> None:
    found = set_made([make_target()], {"": 10.5, "big": 10, "tiny": 0.25, "small": 0.25}, least=5)
    assert list(found) == ["Luton", "Big", "2 small areas together"]
    pool = found["2 small areas together"]
    assert pool.members == ("tiny", "small")
    assert (pool.baseline, pool.value) == (6, 5)
    assert pool.how.endswith("; too small for a target each: Tiny, Small")
    assert (found["Big"].value or 0) + (pool.value or 0) == found["Luton"].value == 113
    # Read back from a file, where they stand under their names together, they are the same again.
    written = [
        make_target(kind="reach-number", percent=None, value=Decimal(113)),
        make_target(TargetArea("Big"), kind="reach-number", percent=None, value=Decimal(108)),
        make_target(TargetArea("Tiny + Small"), kind="reach-number", percent=None, value=Decimal(5)),
    ]
    again = set_made(written, {"": 10.5, "big": 10, "tiny": 0.25, "small": 0.25})
    assert {name: (goal.members, goal.value, goal.baseline) for name, goal in again.items()} == {
        "Luton": (("",), 113, 126),
        "Big": (("big",), 108, 120),
        "2 small areas together": (("tiny", "small"), 5, 6),
    }


def test_a_method_that_cannot_be_used_says_why() -> None:
    found = set_made([make_target()], {"": 100, "left": 60, "right": 40}, method="deprivation")
    assert found["Left"].value is None
    assert found["Left"].how == (
        "Luton's target cannot be shared out: The areas have no column 'score'; give each of them a deprivation score, "
        "or choose another method."
    )
    assert found["Luton"].value == 1080
    figures = pd.DataFrame({"residents": [500.0, math.nan]}, index=["left", "right"])
    named = set_made([make_target()], {"": 100, "left": 60, "right": 40}, method="residents", figures=figures)
    assert "Right has no usable residents" in named["Right"].how


def test_a_ward_is_not_the_area_whose_name_it_bears() -> None:
    """Luton's area South is made of the wards Dallow, Farley and South."""
    monthly = {"": 100, "dallow": 50, "farley": 30, "south": 20, "wigmore": 10}
    towards: dict[str, Any] = {"kind": "reach-number", "percent": None}
    areas = [make_target(TargetArea(name), value=Decimal(100), **towards) for name in ("South", "East")]
    found = set_made([make_target(value=Decimal(200), **towards), *areas], monthly)
    assert {name: goal.value for name, goal in found.items()} == {
        "Luton": 200, "Dallow": 50, "Farley": 30, "South": 20, "Wigmore": 100,
    }  # fmt: skip
    assert found["South"].how == "South's 100 shared out in proportion to each area's baseline"
    # And a table of wards says nothing of the area South: it has its part of the whole.
    wards = [make_target(TargetArea(name), value=Decimal(50), **towards) for name in ("Dallow", "Farley", "South")]
    above = set_made([make_target(value=Decimal(150), **towards), *wards], {"": 100, "south": 70, "east": 30})
    assert {name: goal.value for name, goal in above.items()} == {"Luton": 150, "South": 105, "East": 45}


def test_an_area_of_another_level_starts_from_the_counts_of_its_wards() -> None:
    found = set_made([make_target(TargetArea("South"))], {"": 100, "dallow": 50, "farley": 30, "wigmore": 20})
    assert {name: goal.value for name, goal in found.items()} == {"Dallow": 540, "Farley": 324}
    assert found["Dallow"].how.startswith("South's 864 shared out")


def test_of_two_targets_the_one_due_that_very_year_is_asked() -> None:
    milestone = make_target(due=parse_period("2005-06"), kind="reach-number", value=Decimal(999), percent=None)
    final = make_target(kind="reach-number", value=Decimal(600), percent=None)
    spans = {name_period(span): span for span in list_periods(TargetTable("Made", (milestone, final)), PARTNERSHIP)}
    assert list(spans) == ["2005-06", "2006-07", "2007-08"]
    values = {
        name: set_made([final, milestone], {"": 100, "left": 100}, span=span)["Luton"].value
        for name, span in spans.items()
    }
    # The year between is on the way from 1,200 to 600.
    assert values == {"2005-06": 999, "2006-07": 800, "2007-08": 600}
    assert set_made([final], {"": 100, "left": 100}, span=parse_period("2008-09")) == {}


@pytest.mark.parametrize(
    ("due", "start", "periods"),
    [
        ("2006", "2004", ["2005", "2006"]),
        ("2005-06 to 2007-08", "2004-05", ["2005-06 to 2007-08"]),
        ("2007-08", None, ["2007-08"]),
        ("2007-08", "2004", ["2007-08"]),
    ],
)
def test_there_are_years_on_the_way_only_between_whole_years(due: str, start: str | None, periods: list[str]) -> None:
    target = make_target(due=parse_period(due), baseline_period=start and parse_period(start))
    assert [name_period(span) for span in list_periods(TargetTable("Made", (target,)), PARTNERSHIP)] == periods


@pytest.mark.parametrize(
    ("indicator", "area", "measured"),
    [
        (THEFT, TOWN, True),
        (THEFT, TargetArea(""), True),
        (THEFT, TargetArea("North"), True),
        (THEFT, TargetArea("Bedford"), False),
        (replace(THEFT, crimes=()), TOWN, False),
        (replace(THEFT, crimes=("theft-of-cycle", "murder")), TOWN, False),
        (replace(THEFT, unit="rate"), TOWN, False),
        (replace(THEFT, crimes=("violence",)), TOWN, True),
    ],
)
def test_recorded_crime_measures_counts_of_its_own_types_here(
    indicator: Indicator, area: TargetArea, measured: bool
) -> None:
    target = replace(make_target(area), indicator=indicator)
    assert list_measured(TargetTable("Made", (target,)), PARTNERSHIP) == ((indicator,) if measured else ())
