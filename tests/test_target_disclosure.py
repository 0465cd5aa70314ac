"""The disclosure rule on targets: no page, chart or file tells a small count, nor what would give one back."""

import csv
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from cspmap import line_rule, workspace
from cspmap.analysis.disclosure import round_counts
from cspmap.analysis.targets.progress import NUMBERS
from cspmap.apportioned_targets import apportion_targets
from cspmap.board import Board, list_weights, make_board, trace_board
from cspmap.cli import main
from cspmap.exports.published import WITHHELD, describe_rule
from cspmap.exports.target_tables import list_board_caveats, tabulate_board
from cspmap.goals import WHOLE, Sharing, even_out
from cspmap.line_rule import LineRule
from cspmap.partnership import Disclosure
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import Store, open_store
from cspmap.targets import parse_period
from cspmap.views.boards import shade_progress
from cspmap.views.target_board import shade_ratings
from cspmap.views.target_charts import draw_trajectory, trace_line
from cspmap.what_if import TOTAL, count_baseline, draft_targets, flag_baseline

ROOT = Path(__file__).resolve().parent.parent
THRESHOLD, BASE = 20, 5
NOVEMBER, YEAR = Month(2007, 11), parse_period("2007-08")
SO_FAR, BEFORE = Span.parse("2007-04..2007-11"), Span.parse("2006-04..2006-11")
RULES = {"suppress": f'rule = "suppress"\nthreshold = {THRESHOLD}', "round": f'rule = "round"\nbase = {BASE}'}


def keep(query: Query, **values: Any) -> Query:
    """The same store under a disclosure rule."""
    store = query.store
    return Query(Store(store.root, store.version, replace(store.partnership, disclosure=Disclosure(**values))))


@pytest.fixture(scope="module")
def query(example_store: Path) -> Query:
    return Query(open_store(example_store))


@pytest.fixture(scope="module")
def hiding(query: Query) -> Query:
    return keep(query, rule="suppress", threshold=THRESHOLD)


@pytest.fixture(scope="module")
def rounding(query: Query) -> Query:
    return keep(query, rule="round", base=BASE)


def show(query: Query, level: str = "ward", *, as_at: Month = NOVEMBER) -> Board:
    sharing = Sharing("baseline", list_weights(query, level))
    return make_board(query, query.store.targets[0], level=level, span=YEAR, as_at=as_at, sharing=sharing)


@pytest.fixture(scope="module")
def true(query: Query) -> Board:
    return show(query)


@pytest.fixture(scope="module")
def board(hiding: Query) -> Board:
    return show(hiding)


@pytest.fixture(scope="module")
def rounded(rounding: Query) -> Board:
    return show(rounding)


@pytest.fixture(scope="module", params=list(RULES))
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example built under a rule, as a user builds it."""
    folder = tmp_path_factory.mktemp(request.param)
    for name in ("data", "geo"):
        shutil.copytree(ROOT / name, folder / name)
    file = folder / "data" / "partnership.toml"
    file.write_text(f"{file.read_text('utf-8')}\n[disclosure]\n{RULES[request.param]}\n", "utf-8")
    done = CliRunner().invoke(main, ["build", str(file), "--store", str(folder / "store")])
    assert done.exit_code == 0, done.output
    return folder / "store"


def sum_up(board: Board, true: Board, span: Span) -> pd.Series:
    """The true counts of a board's lines over a span."""
    return true.counts.reindex(columns=board.lines.index).loc[str(span.first) : str(span.last)].sum(min_count=1)


# ---- withheld --------------------------------------------------------------------------------------------------------


def test_a_line_with_a_small_count_has_nothing_but_its_target(board: Board, true: Board) -> None:
    lines = board.lines
    hidden = lines["status"] == WITHHELD
    assert 0 < hidden.sum() < len(lines)
    for span in (SO_FAR, BEFORE):
        counts = sum_up(board, true, span)
        assert hidden[counts.between(1, THRESHOLD - 1)].all()
    assert lines.loc[hidden, [*NUMBERS, "p", "chance", "signal"]].isna().all(axis=None)
    assert set(lines.loc[hidden, "rating"]) == {"?"}
    assert set(lines.loc[hidden, "words"]) == {WITHHELD}
    assert set(lines.loc[hidden, "evidence"]) | set(lines.loc[hidden, "change"]) == {"not known"}
    assert lines["value"].notna().all()
    for sentence, value in zip(lines.loc[hidden, "sentence"], lines.loc[hidden, "value"], strict=True):
        assert set(re.findall(r"[\d,]+\d|\d", sentence)) <= {f"{value:,.0f}"}
    told = lines.loc[~hidden & (lines["status"] == "running") & (lines["expected"] < 40), "sentence"]
    assert len(told)
    assert not told.str.contains(r"where [\d.]+\.\d would").any()
    shown = lines[~hidden]
    same = true.lines.reindex(shown.index)
    assert shown["actual"].eq(same["actual"]).all()
    assert shown["rating"].eq(same["rating"]).all() or not shown["value"].eq(same["value"]).all()
    for name in ("expected", "projected", "low", "high"):
        assert (shown[name].dropna() % 1 == 0).all()


def test_what_is_withheld_of_an_indicator_is_never_one_area_alone(board: Board, hiding: Query) -> None:
    rule = LineRule(hiding, "ward", {each.key: each.crimes for each in board.table.indicators})
    for span in (SO_FAR, BEFORE):
        flags = rule.flag(span)
        counts = hiding.count_series("ward", {each.key: each.crimes for each in board.table.indicators})
        sums = counts.loc[str(span.first) : str(span.last)].sum().unstack("code").T
        for key in map(str, flags):
            gone = flags.index[flags[key]].drop(WHOLE, errors="ignore")
            assert len(gone) != 1 or flags.loc[WHOLE, key]
            assert not len(gone) or flags.loc[WHOLE, key] or sums.loc[gone, key].sum() >= THRESHOLD
    # A sum of several crime types is withheld where one of them is; all of them together are protected as a total.
    parts = [str(key) for key in flags if key != "total"]
    some = LineRule(hiding, "ward", {"both": ["robbery", "wounding"], **{key: [key] for key in parts}}).flag(SO_FAR)
    assert some.loc[some["robbery"] | some["wounding"], "both"].all()


def test_a_baseline_counted_from_the_store_is_withheld_as_a_count(board: Board, true: Board, hiding: Query) -> None:
    rule = LineRule(hiding, "ward", {each.key: each.crimes for each in board.table.indicators})
    flags, areas = rule.flag(parse_period("2004-05")), board.lines["origin"] == "shared out"
    assert areas.any()
    for (key, codes), baseline in zip(board.lines.index[areas], board.lines.loc[areas, "baseline"], strict=True):
        assert pd.isna(baseline) == flags.loc[codes.split(","), key].any()
    assert board.lines.loc[areas, "baseline"].isna().any()
    assert not board.lines["baseline"].between(1, THRESHOLD - 1).any()
    # What the partnership printed itself stands.
    areas_own = show(hiding, "area").lines
    printed = areas_own[areas_own["origin"] == "printed"]
    assert printed["baseline"].tolist() == show(hiding, "area").lines.loc[printed.index, "baseline"].tolist()
    assert printed["baseline"].notna().all()


def test_targets_tell_nothing_of_what_is_withheld(hiding: Query, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts that are withheld are moved between each other: every target stays."""
    base = Span.parse("2004-04..2005-03")
    rule = LineRule(hiding, "ward", {each.key: each.crimes for each in board.table.indicators})
    flags, count = rule.flag(base), Query.count_series
    # Within one printed area, whose own count is known.
    members = [area.members for area in hiding.store.partnership.areas]
    names = hiding.name_areas("ward")
    pairs = [
        (key, *[code for code, name in names.items() if name in inside and flags.loc[code, key]][:2])
        for key in flags.columns.drop("total")
        for inside in members
    ]
    moved = [pair for pair in pairs if len(pair) == 3]
    assert moved

    def move(self: Query, level: str, crimes: Any) -> pd.DataFrame:
        counts = count(self, level, crimes)
        for key, one, other in moved:
            if (key, one) in counts:
                month = str(counts[key, one].loc["2004-04":"2005-03"].idxmax())
                step = counts[key, one][month]
                counts[key, other] += np.where(counts.index == month, step, 0)
                counts[key, one] -= np.where(counts.index == month, step, 0)
        return counts

    monkeypatch.setattr(Query, "count_series", move)
    after = show(hiding).lines
    for name in ("value", "baseline", "how", "area"):
        assert after[name].equals(board.lines[name]), name


def test_months_that_are_withheld_are_no_steps_of_a_curve(board: Board, true: Board) -> None:
    assert board.counts[board.withheld].isna().all(axis=None)
    seen = 0
    label: Any
    for label in board.lines.index:
        course = trace_board(board, label)
        assert course["actual"].iloc[:8].isna().all() or board.lines["status"][label] != WITHHELD
        counts = true.counts.get(label)
        if counts is None or board.lines["status"][label] == WITHHELD:
            continue
        sums = counts.loc["2007-04":"2007-11"].cumsum().to_numpy()
        told = course["actual"].to_numpy()[:8]
        assert np.allclose(told[~np.isnan(told)], sums[~np.isnan(told)])
        steps = np.diff(told, prepend=0)
        small = counts.loc["2007-04":"2007-11"].between(1, THRESHOLD - 1).to_numpy()
        assert np.isnan(steps[small]).all()
        ends = course.iloc[-1]
        assert ends["expected"] == pytest.approx(board.lines["value"][label])
        assert ends["projected"] == pytest.approx(board.lines["projected"][label], abs=0.51)
        before = np.diff(course["last_year"], prepend=0)
        months = counts.loc["2006-04":"2007-03"].between(1, THRESHOLD - 1).to_numpy()
        assert np.isnan(before[months]).all()
        seen += int(course[WITHHELD].any())
    assert seen > 10


def test_a_chart_marks_its_withheld_months(board: Board) -> None:
    label = next(label for label in board.lines.index if trace_board(board, label)[WITHHELD].any())
    traced = trace_line(board, label)
    marked = traced[traced["line"] == WITHHELD]
    assert marked["date"].dt.strftime("%Y-%m").tolist() == board.withheld.index[
        board.withheld[label] & (board.withheld.index >= "2007-04")
    ].tolist()  # fmt: skip
    assert marked["count"].isna().all()
    spec = draw_trajectory(traced).spec
    assert spec["layer"][0]["mark"]["strokeDash"] == [1, 3]
    assert len(draw_trajectory(traced[traced["line"] != WITHHELD]).spec["layer"]) == len(spec["layer"]) - 1


def test_areas_on_the_map_look_withheld_and_say_no_number(board: Board, hiding: Query) -> None:
    for key in board.indicators:
        areas, _ = shade_ratings(board, key)
        lines = board.lines.loc[key]
        gone = {code for codes in lines.index[lines["status"] == WITHHELD] for code in codes.split(",")} - {WHOLE}
        assert {area.code for area in areas if area.fill == "suppressed"} == gone
        assert all(area.mark == "" for area in areas if area.code in gone)
    selection = Selection.default(hiding.store).change(
        span=Span.parse("2006-12..2007-11"), level="ward", crimes=("robbery",), measure="progress"
    )
    # Boards are kept by version, and the same version was opened here without a rule.
    streamlit.cache_resource.clear()
    shaded = shade_progress(hiding, selection)
    assert shaded is not None
    assert any(area.fill == "suppressed" for area in shaded.areas)
    assert f"Counts from 1 to {THRESHOLD - 1} are withheld" in shaded.legend.rule


def test_the_file_says_what_is_withheld(board: Board, hiding: Query) -> None:
    frame = tabulate_board(board)
    hidden = frame[WITHHELD]
    assert hidden.sum() == (board.lines["status"] == WITHHELD).sum()
    assert frame.loc[hidden, [*NUMBERS, "p", "chance"]].isna().all(axis=None)
    assert frame.loc[~hidden, "actual"].notna().all()
    for name in ("actual", "last_year", "now_compared", "baseline"):
        assert not frame[name].between(1, THRESHOLD - 1).any()
    caveats = list_board_caveats(board, hiding)
    assert describe_rule(hiding.store.partnership.disclosure) in caveats


def test_where_months_are_missing_sums_over_the_others_are_protected_too(awkward_store: Path) -> None:
    hiding = keep(Query(open_store(awkward_store)), rule="suppress", threshold=THRESHOLD)
    table, sharing = hiding.store.targets[0], Sharing("baseline", list_weights(hiding, "ward"))
    for period, as_at in (("2005-06", "2006-03"), ("2006-07", "2007-03"), ("2007-08", "2006-01")):
        board = make_board(
            hiding, table, level="ward", span=parse_period(period), as_at=Month.parse(as_at), sharing=sharing
        )
        assert not board.lines["actual"].between(1, THRESHOLD - 1).any()
        assert not board.lines["last_year"].between(1, THRESHOLD - 1).any()
        assert len(tabulate_board(board)) == len(board.lines)


def test_apportioned_targets_add_up_and_have_no_withheld_baseline(hiding: Query) -> None:
    shared = apportion_targets(hiding, hiding.store.targets[0], level="ward", method="baseline", span=YEAR)
    counted = [each for each in shared.table.targets if each.note]
    assert any(each.baseline is None for each in counted)
    assert not any(each.baseline is not None and 0 < each.baseline < THRESHOLD for each in counted)
    areas = [each for each in hiding.store.targets[0].targets if _is(each, "robbery", "2007-08")][1:]
    wards = [each for each in counted if _is(each, "robbery", "2007-08")]
    assert sum(each.value or 0 for each in wards) == sum(each.value or 0 for each in areas)


def _is(target: Any, key: str, due: str) -> bool:
    return bool(target.indicator.key == key and target.due == parse_period(due))


# ---- drafts ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def start(hiding: Query) -> tuple[pd.DataFrame, pd.DataFrame]:
    span = parse_period("2006-07")
    withheld = flag_baseline(hiding, "ward", span)
    assert withheld is not None
    return count_baseline(hiding, "ward", span), withheld


@pytest.mark.parametrize("method", ["baseline", "narrow-gap", "residents"])
def test_a_draft_tells_nothing_of_what_is_withheld(
    method: Any, hiding: Query, start: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """Withheld counts are moved round a box, which changes no total: the draft stays as it is."""
    baseline, withheld = start
    keys = [str(key) for key in baseline if not withheld[key].loc[""]]
    inner = withheld.drop("")[keys]
    rows, columns = next(
        (pair, both)
        for pair in _pair([str(code) for code in inner.index])
        for both in _pair(keys)
        if inner.loc[list(pair), list(both)].all(axis=None)
    )
    moved = baseline.copy()
    for row, column, step in zip(np.repeat(rows, 2), columns * 2, (1, -1, -1, 1), strict=True):
        moved.loc[row, column] += step

    def draft(counts: pd.DataFrame) -> Any:
        return draft_targets(
            hiding,
            counts,
            list_weights(hiding, "ward"),
            title="Draft",
            level="ward",
            span=parse_period("2006-07"),
            due=YEAR,
            percents={key: 10.0 + place for place, key in enumerate(keys)},
            method=method,
            withheld=withheld,
        )

    table = draft(baseline)
    assert table == draft(moved)
    small = [each for each in table.targets if each.baseline is not None and 0 < each.baseline < THRESHOLD]
    assert small == []
    assert any(each.baseline is None for each in table.targets)
    for key in [*keys, TOTAL]:
        own = [each for each in table.targets if each.indicator.key == key]
        assert own[0].baseline is not None
        assert sum(each.value or 0 for each in own[1:]) <= (own[0].value or 0)


def _pair(items: list[str]) -> list[tuple[str, str]]:
    return [(one, other) for place, one in enumerate(items) for other in items[place + 1 :]]


@given(st.lists(st.tuples(st.integers(0, 500), st.booleans()), min_size=1, max_size=40))
def test_evening_out_keeps_the_sum_and_what_is_shown(cells: list[tuple[int, bool]]) -> None:
    counts, flags = (np.array(part) for part in zip(*cells, strict=True))
    evened = even_out(counts, flags)
    assert evened.sum() == counts.sum()
    assert (evened[~flags] == counts[~flags]).all()
    assert not flags.any() or np.ptp(evened[flags]) <= 1


# ---- rounded ---------------------------------------------------------------------------------------------------------


def test_rounded_counts_are_multiples_and_judged_before(rounded: Board, true: Board) -> None:
    lines = rounded.lines
    shared = lines.index.intersection(true.lines.index)
    for name, span in (("actual", SO_FAR), ("last_year", BEFORE)):
        assert (lines[name] % BASE == 0).all()
        sums = sum_up(rounded, true, span).loc[shared]
        assert lines.loc[shared, name].tolist() == round_counts(sums.to_numpy(), BASE).tolist()
    counted = lines["origin"] == "shared out"
    assert (lines.loc[counted, "baseline"] % BASE == 0).all()
    assert lines[["p", "chance"]].isna().all(axis=None)
    for name in ("change", "signal", "evidence"):
        assert lines.loc[shared, name].astype(object).equals(true.lines.loc[shared, name].astype(object)), name
    same = shared[(lines.loc[shared, "value"] == true.lines.loc[shared, "value"]).to_numpy()]
    assert len(same)
    assert lines.loc[same, "rating"].tolist() == true.lines.loc[same, "rating"].tolist()
    assert not lines["sentence"].str.contains("chance of meeting").any()
    for label in shared[:40]:
        course = trace_board(rounded, label)
        for name in ("actual", "last_year"):
            assert (course[name].dropna() % BASE == 0).all()
    assert set(tabulate_board(rounded)["rounded_to"]) == {BASE}


def test_a_draft_starts_from_rounded_counts(rounding: Query) -> None:
    span = parse_period("2006-07")
    assert (count_baseline(rounding, "ward", span) % BASE == 0).all(axis=None)
    assert flag_baseline(rounding, "ward", span) is None


# ---- without a rule --------------------------------------------------------------------------------------------------


def test_without_a_rule_nothing_is_asked(query: Query, true: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_rule, "LineRule", None)
    again = show(query)
    pd.testing.assert_frame_equal(again.lines, true.lines)
    assert again.withheld.empty
    assert flag_baseline(query, "ward", parse_period("2006-07")) is None
    assert not {WITHHELD, "rounded_to"} & set(tabulate_board(again))


# ---- pages and commands ----------------------------------------------------------------------------------------------


def test_pages_say_the_rule_and_keep_it(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = open_store(store).partnership.disclosure
    monkeypatch.setenv(workspace.STORE_VARIABLE, str(store))
    asked = {"layer": "Ward", "as-at": "November 2007"}
    for name, query in [
        *(("targets", {**asked, "tab": tab}) for tab in ("Board", "Map", "Trajectories", "One area", "Funnel")),
        ("targets", {**asked, "tab": "Funnel", "indicator": "Robbery"}),
        ("targets", {**asked, "tab": "One area", "place": "Barnfield"}),
        ("set_targets", {"part": "Try out next year's", "layer": "Ward"}),
    ]:
        page = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=60)
        for key, value in query.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception
        assert not page.error
        words = "\n".join(str(part.value) for part in (*page.markdown, *page.caption)).replace("\\", "")
        if query.get("tab") == "Board" or name == "set_targets":
            assert describe_rule(rule) in words
        if query.get("place"):
            assert rule.rule == "round" or re.search(r"\d withheld", words)
        for table in (part.value for part in page.dataframe):
            frame = table if isinstance(table, pd.DataFrame) else table.data
            # Where methods stand beside each other, the baseline is one of them.
            counted = {"count"} if "equal-percentage" in frame else {"actual", "last_year", "count", "baseline"}
            for column in counted & set(frame):
                counts = frame[column].dropna().astype(float)
                if rule.rule == "suppress":
                    assert not counts.between(1, THRESHOLD - 1).any(), (name, query, column)
                else:
                    assert (counts % BASE == 0).all(), (name, query, column)


def test_commands_keep_it(store: Path) -> None:
    rule = open_store(store).partnership.disclosure
    done = CliRunner().invoke(
        main, ["targets", "progress", "--store", str(store), "--level", "ward", "--as-at", "2007-11"]
    )
    assert done.exit_code == 0, done.output
    assert describe_rule(rule) in done.stderr
    for row in csv.DictReader(io.StringIO(done.stdout)):
        for name in ("actual", "last_year", "now_compared"):
            count = int(row[name] or 0)
            assert not 0 < count < THRESHOLD if rule.rule == "suppress" else count % BASE == 0
        if row.get(WITHHELD) == "True":
            assert {row[name] for name in (*NUMBERS, "p", "chance")} == {""}
    file = ROOT / "data" / "targets" / "luton-2005-08.csv"
    shared = CliRunner().invoke(
        main,
        ["targets", "apportion", str(file), "--store", str(store), "--level", "ward", "--format", "json"],
    )
    assert shared.exit_code == 0, shared.output
    told = json.loads(shared.stdout)
    assert describe_rule(rule) in told["notes"]
    assert describe_rule(rule) in shared.stderr
