"""Reconciling: exactly the faults that the documents' tables have, and none on tables that agree with themselves."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cspmap.analysis.targets import Fault, reconcile, resolve, tabulate_faults
from cspmap.sources.target_file import read_targets
from cspmap.target_checks import find_contradictions
from cspmap.targets import Indicator, Target, TargetArea, TargetTable, parse_period

ROOT = Path(__file__).resolve().parents[2]
DUE, BASE, UNPRINTED = parse_period("2007-08"), parse_period("2004-05"), parse_period("2003-04")
Row = tuple[str, str, str, int, int]


def read(stem: str) -> TargetTable:
    return read_targets(ROOT / "data" / "targets" / f"{stem}.csv")


def list_rows(faults: Sequence[Fault], kind: str, figure: str) -> list[Row]:
    """(indicator, area, figure, printed, recomputed) of the faults of one sort."""
    return [
        (fault.indicator, fault.area, figure, int(fault.printed or 0), int(fault.recomputed or 0))
        for fault in faults
        if (fault.kind, fault.figure) == (kind, figure)
    ]


# Luton 2005-08: every fault, worked out from the printed table by hand


@pytest.fixture(scope="module")
def luton() -> list[Fault]:
    return reconcile(read("luton-2005-08"))


def test_luton_area_totals_that_are_not_their_types(luton: list[Fault]) -> None:
    assert list_rows(luton, "indicator-sum", "target") == [
        ("total", "Luton", "target", 12_450, 12_452),
        ("total", "South", "target", 4_499, 4_498),
        ("total", "East", "target", 2_027, 2_001),
        ("total", "Central", "target", 1_949, 1_947),
    ]
    assert list_rows(luton, "indicator-sum", "baseline") == [
        ("total", "Luton", "baseline", 14_030, 14_120),
        ("total", "North", "baseline", 2_284, 2_283),
    ]


def test_luton_targets_of_five_types_miss_their_areas_by_one(luton: list[Fault]) -> None:
    assert list_rows(luton, "area-sum", "target") == [
        ("vehicle-interference", "Luton", "target", 255, 254),
        ("theft-from-person", "Luton", "target", 969, 968),
        ("criminal-damage", "Luton", "target", 3_130, 3_131),
        ("common-assault", "Luton", "target", 594, 593),
        ("robbery", "Luton", "target", 462, 461),
        ("total", "Luton", "target", 12_450, 12_478),
    ]


def test_luton_baselines_of_no_type_add_up_over_the_areas(luton: list[Fault]) -> None:
    assert list_rows(luton, "area-sum", "baseline") == [
        ("theft-of-vehicle", "Luton", "baseline", 848, 798),
        ("theft-from-vehicle", "Luton", "baseline", 2_797, 2_635),
        ("vehicle-interference", "Luton", "baseline", 325, 287),
        ("domestic-burglary", "Luton", "baseline", 1_968, 1_861),
        ("theft-of-cycle", "Luton", "baseline", 185, 219),
        ("theft-from-person", "Luton", "baseline", 763, 1_092),
        ("criminal-damage", "Luton", "baseline", 3_478, 3_527),
        ("common-assault", "Luton", "baseline", 815, 670),
        ("wounding", "Luton", "baseline", 2_312, 2_422),
        ("robbery", "Luton", "baseline", 629, 520),
        ("total", "Luton", "baseline", 14_030, 14_032),
    ]


def test_only_the_totals_row_follows_from_other_faults(luton: list[Fault]) -> None:
    carried = {fault.figure: fault.carried_from for fault in luton if fault.carried_from}
    assert {fault.kind for fault in luton if fault.carried_from} == {"area-sum"}
    five = ("vehicle-interference", "theft-from-person", "criminal-damage", "common-assault", "robbery")
    assert carried["target"] == (
        *(("total", area) for area in ("Luton", "South", "East", "Central")),
        *((kind, "Luton") for kind in five),
    )
    assert len(carried["baseline"]) == 12


def test_luton_percentages_hold_only_on_the_year_that_is_not_printed(luton: list[Fault]) -> None:
    found = [fault for fault in luton if fault.kind == "unprinted-baseline"]
    assert [
        (fault.indicator, str(fault.printed), str(fault.recomputed), int(fault.implied or 0)) for fault in found
    ] == [
        ("theft-of-vehicle", "45.0", "16.5", 1_287),
        ("theft-from-vehicle", "30.0", "16.4", 3_340),
        ("vehicle-interference", "25.0", "21.5", 340),
        ("domestic-burglary", "40.0", "16.1", 2_752),
        ("theft-of-cycle", "0.0", "-5.4", 195),
        ("theft-from-person", "0.0", "-27.0", 969),
        ("criminal-damage", "20.0", "10.0", 3_913),
        ("common-assault", "5.0", "27.1", 625),
        ("wounding", "5.0", "7.0", 2_263),
        ("robbery", "15.0", "26.6", 544),
        ("total", "23.3", "11.3", 16_232),
    ]


def test_luton_targets_above_their_baselines(luton: list[Fault]) -> None:
    assert list_rows(luton, "worse-than-baseline", "target") == [
        ("theft-of-cycle", "Luton", "target", 195, 185),
        ("theft-from-person", "Luton", "target", 969, 763),
    ]


def test_luton_has_no_other_faults(luton: list[Fault]) -> None:
    assert len(luton) == 6 + 17 + 11 + 2


def test_faults_in_plain_words(luton: list[Fault]) -> None:
    told = [fault.sentence for fault in luton]
    assert ("Total, East, target 2007-08: 2,027 is printed, and its parts add up to 2,001, 26 fewer.") in told
    assert (
        "Theft of Vehicle, Luton, target 2007-08: 708 is 16.5 % less than the printed 848 of 2004-05, not the printed "
        "45.0 %: that is on 2003-04, which is not printed and would be 1,287."
    ) in told
    assert (
        "Theft of Cycle, Luton, target 2007-08: the target, 195, is above the printed baseline, 185 in 2004-05, and "
        "less is better."
    ) in told
    assert (
        "Total, Luton, target 2007-08: 12,450 is printed, and its areas add up to 12,478, 28 more. Carried from Total, "
        "Luton; Total, South; Total, East; Total, Central and 5 more."
    ) in told


def test_faults_as_a_table(luton: list[Fault]) -> None:
    frame = tabulate_faults(luton, read("luton-2005-08"))
    east = frame[frame["area"] == "East"].iloc[0]
    assert east[["indicator", "figure", "period"]].tolist() == ["Total", "target", "2007-08"]
    assert east[["printed", "recomputed", "difference"]].tolist() == [2_027, 2_001, 26]
    assert len(frame) == len(luton)
    assert tabulate_faults([], read("luton-2005-08")).columns.tolist() == frame.columns.tolist()


# Bedfordshire 2007-11


def test_bedfordshire_has_one_wrong_sum_carried_into_two_others_and_one_wrong_heading() -> None:
    faults = reconcile(read("bedfordshire-2007-11"))
    sac, due = "serious-acquisitive-crime", parse_period("2008-09")
    assert list_rows(faults, "indicator-sum", "target") == [
        (sac, "S Beds", "target", 2_355, 2_350),
        (sac, "C Beds", "target", 3_759, 3_754),
        (sac, "Total", "target", 6_375, 6_370),
    ]
    assert {fault.period for fault in faults[:3]} == {due}
    assert [fault.carried_from for fault in faults[:3]] == [(), ((sac, "S Beds"),), ((sac, "S Beds"),)]
    assert [fault.difference for fault in faults[:3]] == [5, 5, 5]
    (heading,) = faults[3:]
    assert (heading.kind, heading.period) == ("heading", parse_period("2009-10"))
    assert heading.sentence == 'The heading "2009-11" is printed over 8 indicators where 2009-10 belongs.'


@pytest.mark.parametrize(
    "stem",
    [
        "luton-division-2005-06",
        "luton-asb-2017-20",
        "luton-2002-05",
        "luton-2005-08-context",
        "central-bedfordshire-2009-12",
    ],
)
def test_the_other_tables_agree_with_themselves(stem: str) -> None:
    assert reconcile(read(stem)) == []


# As printed or as recomputed


@pytest.mark.parametrize("path", sorted((ROOT / "data" / "targets").glob("*.csv")), ids=lambda path: path.stem)
def test_a_table_made_consistent_has_no_faults(path: Path) -> None:
    table = read_targets(path)
    recomputed = resolve(table, use="recomputed")
    assert reconcile(recomputed) == []
    assert find_contradictions(recomputed) == []
    assert resolve(recomputed, use="recomputed") == recomputed
    assert resolve(table, use="printed") == table


def test_recomputed_figures_are_the_sums_of_the_smallest_parts() -> None:
    table = resolve(read("luton-2005-08"), use="recomputed")
    east, town = (table.find("total", area, DUE) for area in ("East", "Luton"))
    assert east is not None
    assert town is not None
    assert (east.value, town.value) == (Decimal(2_001), Decimal(12_449))
    assert town.baseline == 14_031
    stolen = table.find("theft-of-vehicle", "Luton", DUE)
    assert stolen is not None
    # 708 of 798, the sum of the areas.
    assert (str(stolen.percent), stolen.percent_on) == ("11.3", BASE)
    south = resolve(read("bedfordshire-2007-11"), use="recomputed").targets
    assert {target.printed_due for target in south} == {""}


# Small tables, one fault each


def make_table(**changes: int) -> TargetTable:
    """Two types and their sum, in a town of two areas: 40 + 60 and 20 + 30, each from twice as much."""
    both = Indicator("both", "Both", parts=("theft", "robbery"))
    kinds = {"theft": Indicator("theft", "Theft"), "robbery": Indicator("robbery", "Robbery"), "both": both}
    places = {
        "town": TargetArea("Town", ("North", "South")),
        "north": TargetArea("North"),
        "south": TargetArea("South"),
    }
    values = {"theft_north": 40, "theft_south": 60, "robbery_north": 20, "robbery_south": 30}
    values |= {"theft_town": 100, "robbery_town": 50, "both_north": 60, "both_south": 90, "both_town": 150}
    return TargetTable(
        "Small",
        tuple(
            Target(
                kinds[name.split("_")[0]],
                places[name.split("_")[1]],
                "change-by",
                DUE,
                Decimal(changes.get(name, value)),
                BASE,
                Decimal(2 * value),
                Decimal(50),
            )
            for name, value in values.items()
        ),
    )


def find_kinds(table: TargetTable) -> list[tuple[str, str, str, bool]]:
    return [(fault.kind, fault.indicator, fault.area, bool(fault.carried_from)) for fault in reconcile(table)]


def strip_percents(table: TargetTable) -> TargetTable:
    return replace(table, targets=tuple(replace(t, kind="reach-number", percent=None) for t in table.targets))


def test_a_sound_table_has_no_faults() -> None:
    assert reconcile(make_table()) == []


def test_a_misprinted_corner_is_one_fault_and_what_follows() -> None:
    assert find_kinds(strip_percents(make_table(both_town=157))) == [
        ("indicator-sum", "both", "Town", False),
        ("area-sum", "both", "Town", True),
    ]


def test_a_misprinted_area_total_is_carried_into_the_sum_over_areas() -> None:
    faults = reconcile(strip_percents(make_table(both_north=61)))
    assert [(fault.kind, fault.area, fault.carried_from) for fault in faults] == [
        ("indicator-sum", "North", ()),
        ("area-sum", "Town", (("both", "North"),)),
    ]


def test_a_part_that_is_summed_up_wrong_in_both_ways_is_two_faults() -> None:
    assert find_kinds(strip_percents(make_table(theft_north=41))) == [
        ("indicator-sum", "both", "North", False),
        ("area-sum", "theft", "Town", False),
    ]


def test_sums_are_checked_only_where_every_part_is_printed() -> None:
    table = strip_percents(make_table(both_town=157))
    kept = tuple(target for target in table.targets if (target.indicator.key, target.area.name) != ("theft", "North"))
    faults = find_kinds(replace(table, targets=kept))
    # The sum over areas needs nothing of theft; that it is the other sum's fault can no longer be told.
    assert faults == [("indicator-sum", "both", "Town", False), ("area-sum", "both", "Town", False)]


def test_where_the_two_sums_of_a_figure_differ_it_is_recomputed_from_the_areas() -> None:
    table = strip_percents(make_table(both_north=61))
    kept = tuple(t for t in table.targets if t.indicator.key == "both" or t.area.name == "Town")
    recomputed = resolve(replace(table, targets=kept), use="recomputed")
    town = recomputed.find("both", "Town", DUE)
    assert town is not None
    # 61 and 90 in the areas; the types are printed for the town alone, 100 and 50.
    assert town.value == 151


def test_rates_and_percentages_are_not_added_up() -> None:
    table = make_table(theft_town=99)
    rates = tuple(replace(t, indicator=replace(t.indicator, unit="rate", parts=())) for t in table.targets)
    assert find_kinds(strip_percents(replace(table, targets=rates))) == []


def make_one(**given: Any) -> TargetTable:
    target = Target(Indicator("theft", "Theft"), TargetArea(""), "reach-number", DUE, Decimal(276), BASE, Decimal(301))
    return TargetTable("One", (replace(target, **given),))


@pytest.mark.parametrize(
    ("percent", "holds"),
    # 301 to 276 is 8.3056 %.
    [
        ("8", True),
        ("9", False),
        ("7", False),
        ("8.3", True),
        ("8.4", False),
        ("8.31", True),
        ("8.30", False),
        ("0", False),
    ],
)
def test_a_percentage_holds_as_far_as_it_was_rounded(percent: str, holds: bool) -> None:
    faults = reconcile(make_one(percent=Decimal(percent)))
    assert (faults == []) is holds
    if not holds:
        assert [fault.kind for fault in faults] == ["percentage"]


@pytest.mark.parametrize("percent", ["8", "9"])
def test_a_half_may_have_been_rounded_either_way(percent: str) -> None:
    assert reconcile(make_one(baseline=Decimal(200), value=Decimal(183), percent=Decimal(percent))) == []


def test_a_percentage_in_words() -> None:
    (fault,) = reconcile(make_one(percent=Decimal(10)))
    assert fault.sentence == (
        "Theft, the whole, target 2007-08: 10 % is printed, and from 301 in 2004-05 to 276 is 8 % less."
    )
    assert (fault.printed, fault.recomputed) == (Decimal(10), Decimal(8))


def test_milestones_are_checked_on_the_one_before_and_over_all() -> None:
    first, second = parse_period("2005-06"), parse_period("2006-07")
    one = make_one(due=first, value=Decimal(276), percent=Decimal(8)).targets[0]
    two = replace(
        one, due=second, value=Decimal(253), percent_on=first, overall_percent=Decimal(16), overall_percent_on=BASE
    )
    assert reconcile(TargetTable("Two", (one, two))) == []
    # On the baseline it would be 15.9 %, over the last year 8.3 %.
    wrong = replace(two, percent=Decimal(16), overall_percent=Decimal(8))
    assert [fault.figure for fault in reconcile(TargetTable("Two", (one, wrong)))] == ["percent", "percent"]


def test_where_more_is_better_percentages_rise() -> None:
    """Drug users in effective treatment: 693 to 714 is 3 % more."""
    treated = Indicator("treated", "In treatment", direction="more")
    good = {"indicator": treated, "baseline": Decimal(693), "value": Decimal(714)}
    assert reconcile(make_one(**good, percent=Decimal(3))) == []
    (fault,) = reconcile(make_one(**good, percent=Decimal(5)))
    assert fault.sentence.endswith("from 693 in 2004-05 to 714 is 3 % more.")
    (worse,) = reconcile(make_one(**{**good, "value": Decimal(690)}))
    assert worse.kind == "worse-than-baseline"
    assert "is below the printed baseline, 693 in 2004-05, and more is better" in worse.sentence


def test_a_percentage_on_an_unprinted_year_may_hold_on_the_printed_one_too() -> None:
    assert reconcile(make_one(percent=Decimal(8), percent_on=UNPRINTED)) == []
    assert [fault.kind for fault in reconcile(make_one(percent=Decimal(20), percent_on=UNPRINTED))] == [
        "unprinted-baseline"
    ]
    nothing = {"baseline": None, "baseline_period": None}
    assert reconcile(make_one(percent=Decimal(20), percent_on=UNPRINTED, **nothing)) == []
    assert reconcile(make_one(percent=Decimal(20), **nothing)) == []


def make_implied(whole: str, value: int) -> TargetTable:
    """Two parts that fell by 50 % to 100 and by 20 % to 400, so from 200 and 500, and their sum."""
    both = Indicator("both", "Both", parts=("theft", "robbery"))
    rows = [
        (Indicator("theft", "Theft"), 100, "50"),
        (Indicator("robbery", "Robbery"), 400, "20"),
        (both, value, whole),
    ]
    return TargetTable(
        "Implied",
        tuple(
            Target(kind, TargetArea("Town"), "change-by", DUE, Decimal(number), None, None, Decimal(percent), UNPRINTED)
            for kind, number, percent in rows
        ),
    )


def test_what_percentages_imply_must_add_up_too() -> None:
    assert reconcile(make_implied("29", 500)) == []  # 500 of 700 is 28.6 % fewer
    (fault,) = reconcile(make_implied("35", 500))
    assert (fault.kind, fault.period, fault.figure) == ("implied-sum", UNPRINTED, "baseline")
    assert (fault.printed, fault.recomputed, fault.difference) == (Decimal(769), Decimal(700), Decimal(69))
    assert fault.sentence == (
        "Both, Town, target 2007-08: 2003-04 is not printed, and would be 769 by the printed 35 %, but 700 by the "
        "percentages of its 2 parts."
    )


def test_a_fall_of_everything_implies_nothing() -> None:
    (fault,) = reconcile(make_one(value=Decimal(0), percent=Decimal(50), percent_on=UNPRINTED))
    assert fault.implied == 0
    (fault,) = reconcile(make_one(percent=Decimal(100), percent_on=UNPRINTED))
    assert fault.implied is None
    assert "which is not printed." in fault.sentence
    assert reconcile(make_one(baseline=Decimal(0), percent=Decimal(8), value=Decimal(0))) == []


def test_recomputing_a_percentage_that_would_be_a_rise_takes_it_out() -> None:
    recomputed = resolve(make_one(kind="change-by", value=Decimal(310), percent=Decimal(8)), use="recomputed")
    (target,) = recomputed.targets
    assert (target.kind, target.percent, target.value) == ("reach-number", None, Decimal(310))
    # Nothing says what the target should have been instead.
    assert [fault.kind for fault in reconcile(recomputed)] == ["worse-than-baseline"]


# Whatever is misprinted


@given(
    st.dictionaries(
        st.sampled_from(
            [f"{kind}_{place}" for kind in ("theft", "robbery", "both") for place in ("north", "south", "town")]
        ),
        st.integers(0, 140),
        max_size=5,
    )
)
def test_recomputed_tables_add_up_whatever_was_printed(changes: dict[str, int]) -> None:
    table = make_table(**changes)
    faults = reconcile(table)
    sound = [fault.kind for fault in reconcile(resolve(table, use="recomputed"))]
    assert set(sound) <= {"worse-than-baseline"}
    sums = [fault for fault in faults if fault.kind in ("indicator-sum", "area-sum")]
    # A fault that follows from others always has one in its own right behind it.
    own = {(fault.indicator, fault.area) for fault in sums if not fault.carried_from}
    assert all(set(fault.carried_from) <= own for fault in sums)
    assert bool(own) == bool(sums)


@given(
    st.lists(st.lists(st.integers(1, 500), min_size=3, max_size=3), min_size=2, max_size=5),
    st.integers(1, 60),
)
def test_a_table_worked_out_from_its_parts_has_no_faults(cells: list[list[int]], fewer: int) -> None:
    """Any baselines, each to fall by about a percentage that is printed as it comes out."""
    kinds = [Indicator(f"kind-{number}", f"Kind {number}") for number in range(len(cells))]
    total = Indicator("total", "Total", parts=tuple(kind.key for kind in kinds))
    areas = [TargetArea(name) for name in ("A", "B", "C")]
    whole = TargetArea("All", ("A", "B", "C"))
    baselines = {
        (kind, area): base
        for kind, row in zip(kinds, cells, strict=True)
        for area, base in zip(areas, row, strict=True)
    }
    values = {at: base * (100 - fewer) // 100 for at, base in baselines.items()}
    for figures in (baselines, values):
        for area in areas:
            figures[total, area] = sum(figures[kind, area] for kind in kinds)
        for kind in (*kinds, total):
            figures[kind, whole] = sum(figures[kind, area] for area in areas)
    targets = [
        Target(
            kind,
            area,
            "change-by",
            DUE,
            Decimal(values[kind, area]),
            BASE,
            Decimal(base),
            (Decimal(100 * (base - values[kind, area])) / base).quantize(Decimal("0.1")),
        )
        for (kind, area), base in baselines.items()
    ]
    table = TargetTable("Made", tuple(targets))
    assert reconcile(table) == []
    assert resolve(table, use="recomputed") == table
