"""Evaluations of operations under the disclosure rule: sheets, courses, sentences, tables and the command."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from pyproj import Transformer

from cspmap.analysis.evaluation import Evaluation, evaluate, round_evaluation
from cspmap.analysis.evaluation.rounding import find_side, round_effect
from cspmap.cli import main
from cspmap.cli_operations import _as_json
from cspmap.exports.published import WITHHELD, publish
from cspmap.operation_published import is_small
from cspmap.operation_results import (
    PARTS,
    Against,
    GoalResult,
    OperationCounts,
    SheetChoice,
    evaluate_frames,
    gather_counts,
    judge_goals,
    read_counts,
)
from cspmap.operations import Area, CrimeGoal, Operation, Outline, Units
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.operation_charts import draw_course
from cspmap.views.operation_words import describe_aim, list_sheet_caveats, tabulate_measures

from .made import LSOAS, Made, lsoa_box
from .test_published import keep

THRESHOLD, BASE = 5, 5
TO_DEGREES = Transformer.from_crs(27700, 4326, always_xy=True)
GOALS = (
    CrimeGoal((), -10.0),
    CrimeGoal(("robbery",), -10.0),
    CrimeGoal(("acquisitive",), -10.0),
    CrimeGoal(("burglary", "robbery"), -10.0),
)
YEAR = SheetChoice(Span.parse("2023-01..2023-04"), Span.parse("2024-01..2024-04"))
MONTHS = SheetChoice(Span.parse("2024-01..2024-02"), Span.parse("2024-03..2024-04"))
FIRST, FAR = LSOAS["w1"][0], LSOAS["w2"][1]
# What lies in the first of Ash's LSOAs, but for three of its five points.
WEST, SOUTH, *_ = lsoa_box(FIRST)
EDGES = ((40, 400), (80, 400), (80, 600), (40, 600), (40, 400))
PLACES = [TO_DEGREES.transform(WEST + east, SOUTH + north) for east, north in EDGES]
CORNERS = tuple((float(longitude), float(latitude)) for longitude, latitude in PLACES)
ASH = Operation("Ash", area=Units("ward", ("w1",)), start=date(2024, 1, 1), goals=GOALS)


@pytest.fixture(scope="module")
def hiding(query: Query) -> Query:
    return keep(query, rule="suppress", threshold=THRESHOLD)


@pytest.fixture(scope="module")
def rounding(query: Query) -> Query:
    return keep(query, rule="round", base=BASE)


def list_cases() -> Iterator[tuple[Operation, SheetChoice]]:
    lsoa = replace(ASH, area=Units("lsoa21", (FIRST,)), buffer_metres=300.0, chosen_on=YEAR.before)
    near: tuple[Area, ...] = (Units("ward", ("w4",)),)
    picked = replace(ASH, comparison_areas=near)
    alike: Against = "alike"
    yield ASH, YEAR
    yield lsoa, YEAR
    yield lsoa, MONTHS
    yield picked, replace(YEAR, against="chosen")
    yield picked, replace(MONTHS, against="chosen")
    yield ASH, replace(YEAR, against=alike)


@cache
def judge(query: Query, operation: Operation, choice: SheetChoice) -> tuple[GoalResult, ...]:
    return judge_goals(query, count_all(query, operation), operation, choice)


@cache
def count_all(query: Query, operation: Operation) -> OperationCounts:
    return read_counts(query, operation)


def read_true(query: Query, operation: Operation, choice: SheetChoice, result: GoalResult) -> Evaluation:
    crimes = () if result.goal is None else result.goal.crimes
    frames = gather_counts(query, count_all(query, operation), operation, choice, crimes)
    return evaluate_frames(frames, result.crime, operation, choice)


def has_small(sheet: Evaluation) -> bool:
    counts = sheet.counts[["before", "after"]].to_numpy(dtype=float)
    return bool(((counts > 0) & (counts < THRESHOLD)).any())


def list_numbers(value: object) -> list[float]:
    """Every number anywhere in plain values."""
    if isinstance(value, dict):
        return [number for part in value.values() for number in list_numbers(part)]
    if isinstance(value, list):
        return [number for part in value for number in list_numbers(part)]
    return [float(value)] if isinstance(value, int | float) and not isinstance(value, bool) else []


def test_a_sheet_that_rests_on_a_small_count_gives_no_figure(query: Query, hiding: Query) -> None:
    seen = set()
    for operation, choice in list_cases():
        for result in judge(hiding, operation, choice):
            true = read_true(query, operation, choice, result)
            small = has_small(true)
            seen.add(result.withheld)
            if not result.withheld:
                assert result.sheet is not None
                assert not small
                assert result.sheet.headline == true.headline
                continue
            assert (result.sheet, result.change, result.reached) == (None, None, None)
            assert result.fault.startswith("Withheld, as a count that this rests on is from 1 to 4, or would")
            assert describe_aim(result) == ""
            told = _as_json(result)
            assert list_numbers({key: part for key, part in told.items() if key != "goal"}) == []
            assert told["withheld"] is True
    assert seen == {True, False}


def test_what_explore_withholds_is_withheld_here(hiding: Query) -> None:
    published = publish(hiding)
    for level, codes in (("ward", ("w1", "w2")), ("lsoa21", (FIRST, FAR))):
        for code in codes:
            operation = replace(ASH, area=Units(level, (code,)))
            for result in judge(hiding, operation, MONTHS):
                assert result.goal is not None
                for span in (MONTHS.before, MONTHS.after):
                    counts = published.count_areas(Selection(span, level, crimes=result.goal.crimes))
                    if counts.set_index("code")[WITHHELD][code]:
                        assert result.withheld


def test_a_group_does_not_tell_the_type_that_the_others_leave(query: Query, hiding: Query) -> None:
    found = 0
    for operation, choice in list_cases():
        counts = count_all(hiding, operation)
        shown = [result for result in judge(hiding, operation, choice) if result.sheet is not None]
        types = {result.crime: set(_spell(hiding, result)) for result in shown}
        for one in shown:
            for other in shown:
                left = types[one.crime] - types[other.crime]
                if types[other.crime] < types[one.crime]:
                    found += 1
                    assert one.sheet is not None
                    months = one.sheet.months
                    parts = [counts.count(part, sorted(left)).sum(axis=1, skipna=False) for part in PARTS]
                    assert not is_small(parts, months.before, THRESHOLD)
                    assert not is_small(parts, months.after, THRESHOLD)
                    if any(part.between(1, THRESHOLD - 1).any() for part in parts):
                        assert one.sheet.course[["count", "expected", "low", "high"]].isna().all(axis=None)
    assert found


def _spell(query: Query, result: GoalResult) -> tuple[str, ...]:
    assert result.goal is not None
    return query.crime_types(replace(Selection.default(query.store), crimes=result.goal.crimes))


def test_months_that_are_small_are_withheld_and_never_one_alone(query: Query, hiding: Query) -> None:
    some = 0
    for operation, choice in list_cases():
        for result in judge(hiding, operation, choice):
            if result.sheet is None:
                continue
            course = result.sheet.course.set_index("month")
            true = read_true(query, operation, choice, result).course.set_index("month")
            assert course.loc[true["count"].between(1, THRESHOLD - 1), "count"].isna().all()
            assert course.loc[course["count"].isna() & true["count"].notna(), WITHHELD].all()
            assert not course.loc[true["count"].isna(), WITHHELD].any()
            for used in (result.sheet.months.before, result.sheet.months.after):
                part = course.loc[list(used)]
                assert part["count"].isna().sum() != 1
                assert part["expected"].isna().sum() != 1
            some += int(course[WITHHELD].sum())
            chart = draw_course(result.sheet.course, choice.after)
            assert chart.frame["count"].isna().tolist() == course["count"].isna().tolist()
            assert chart.frame[WITHHELD].tolist() == course[WITHHELD].tolist()
    assert some


def test_an_outline_keeps_the_rule(hiding: Query) -> None:
    drawn = replace(ASH, area=Outline(((CORNERS,),)), buffer_metres=100.0)
    results = judge(hiding, drawn, MONTHS)
    for result in results:
        if result.sheet is not None:
            assert not has_small(result.sheet)
    assert any(result.withheld for result in results)


def test_rounded_sheets_hold_multiples_and_no_p_value(query: Query, rounding: Query) -> None:
    for operation, choice in list_cases():
        for result in judge(rounding, operation, choice):
            sheet = result.sheet
            assert sheet is not None
            true = read_true(query, operation, choice, result)
            assert (sheet.counts[["before", "after"]] % BASE == 0).all(axis=None)
            assert (abs(sheet.counts[["before", "after"]] - true.counts[["before", "after"]]) <= BASE / 2).all(
                axis=None
            )
            told = _as_json(result)
            for name in ("effect", "buffer_effect", "net_effect", "earlier_effect"):
                effect = told[name]
                if effect is None:
                    continue
                for key in ("before", "after", "expected", "difference", "low", "high"):
                    assert effect[key] is None or effect[key] % BASE == 0, (name, key)
                for key in ("percent", "percent_low", "percent_high"):
                    assert effect[key] is None or effect[key] % 1 == 0
                assert effect["p"] is None
            for row in (*told["counts"], told["weighted_displacement_difference"], told["odds_ratio"]):
                assert row["p"] is None
            for row in told["course"]:
                assert all(row[key] is None or row[key] % BASE == 0 for key in ("count", "expected", "low", "high"))
            if sheet.effect.verdict != "not known":
                assert sheet.effect.verdict == true.effect.verdict
            measures = tabulate_measures(sheet)
            assert not measures["Estimate"].str.contains("p ").any()
            # Whatever a sentence counts is rounded: only sizes of the months and percentages are not.
            told_numbers = re.findall(r"(?<![\d,.])\d+(?![\d,.]*\s*(?:%|m ))", sheet.headline)
            assert all(int(number) % BASE == 0 for number in told_numbers), sheet.headline
            assert result.goal is not None
            if result.change is not None:
                assert result.reached == (result.change <= result.goal.change_percent)


def test_rounded_measures_are_judged_as_the_true_ones() -> None:
    months = [f"2023-{month:02d}" for month in range(1, 13)] + [f"2024-{month:02d}" for month in range(1, 13)]
    chance = np.random.default_rng(3)
    area = pd.DataFrame({"a": [12] * 12 + [4] * 12}, index=months, dtype=float)
    rest = pd.DataFrame({f"r{n}": chance.poisson(10, 24) for n in range(9)}, index=months, dtype=float)
    true = evaluate(area, rest, before=Span.parse("2023-01..2023-12"), after=Span.parse("2024-01..2024-12"))
    told = round_evaluation(true, 10)
    assert true.effect.verdict == told.effect.verdict == "fell"
    assert (told.effect.before, told.effect.after) == (140, 50)
    assert told.effect.difference is not None
    assert told.effect.difference < 0
    assert told.effect.percent is not None
    assert told.effect.low is not None
    assert true.effect.low is not None
    assert told.effect.low <= true.effect.low
    assert (
        told.clear
        == (
            find_side(true.difference.low, true.difference.high, 0),
            find_side(true.odds.low, true.odds.high, 1),
        )
        == (-1, 1)
    )
    table = tabulate_measures(told).set_index("Measure")
    plain = tabulate_measures(true).set_index("Measure")
    for name in ("Effect in the area", "Weighted displacement difference", "Odds ratio", "E-test, area alone"):
        assert table["Reading"][name] == plain["Reading"][name]
    assert table.loc["E-test, area alone", "Estimate"] == ""


def test_an_effect_that_is_clear_keeps_its_sign_when_rounded() -> None:
    months = [f"2023-{month:02d}" for month in range(1, 7)] + [f"2024-{month:02d}" for month in range(1, 7)]
    area = pd.DataFrame({"a": [2] * 6 + [0] * 6}, index=months, dtype=float)
    rest = pd.DataFrame({f"r{n}": [100 + n] * 12 for n in range(9)}, index=months, dtype=float)
    true = evaluate(area, rest, before=Span.parse("2023-01..2023-06"), after=Span.parse("2024-01..2024-06")).effect
    assert true.verdict == "fell"
    told = round_effect(true, 25)
    assert told.verdict == "not known" or (told.difference is not None and told.difference < 0)
    told = round_effect(true, 20)
    assert told.difference == -20


def test_the_command_says_so(full: Made, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    from cspmap.operations import OPERATIONS_VARIABLE, Operations, find_url

    file = full.folder / "withhold.toml"
    file.write_text(f'{full.toml.read_text("utf-8")}\n[disclosure]\nrule = "suppress"\nthreshold = 100\n', "utf-8")
    run, store = CliRunner(), tmp_path / "store"
    built = run.invoke(main, ["build", str(file), "--store", str(store)])
    assert built.exit_code == 0, built.output
    monkeypatch.setenv(OPERATIONS_VARIABLE, f"sqlite:///{tmp_path / 'operations.db'}")
    Operations.open(find_url(store)).save_operation(ASH, who="Sgt Ames")
    said = run.invoke(main, ["operations", "evaluate", "Ash", "--store", str(store)])
    assert said.exit_code == 0, said.output
    assert "Robbery: Withheld, as a count that this rests on is from 1 to 99" in said.output
    assert "Counts from 1 to 99 are withheld by the partnership's rule" in said.output
    report = json.loads(
        run.invoke(main, ["operations", "evaluate", "Ash", "--store", str(store), "--format", "json"]).stdout
    )
    robbery = next(result for result in report["results"] if result["crime"] == "Robbery")
    assert robbery["withheld"] is True
    assert "counts" not in robbery


def test_without_a_rule_nothing_is_told_of_one(query: Query) -> None:
    counts = read_counts(query, ASH)
    for result in judge_goals(query, counts, ASH, YEAR):
        assert result.sheet is not None
        assert not result.withheld
        assert (result.sheet.rounded_to, result.sheet.clear) == (None, None)
        assert WITHHELD not in result.sheet.course
        assert "withheld" not in _as_json(result)
    assert not any("withheld" in line or "rounded" in line for line in list_sheet_caveats(query, counts, ASH, YEAR))
