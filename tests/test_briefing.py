"""A whole briefing: which screens it has, that their figures are those of the pages, and what it says of nothing."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from cspmap.briefing.area_screen import find_inside
from cspmap.briefing.decision_screen import make_decisions
from cspmap.briefing.making import make_briefing, write_moment
from cspmap.briefing.operation_screen import choose_operations, make_operation, tabulate_actions
from cspmap.briefing.screen import Briefing, Screen, TrendFigure
from cspmap.briefing.setting import Setting, find_levels, tabulate_areas
from cspmap.briefing.target_screen import MOST_TARGETS, make_targets
from cspmap.errors import SelectionError, UserError
from cspmap.operations import Action, CrimeGoal, MeetingEntry, Operation, Operations, SurveyGoal, Units
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store

MOMENT = datetime(2026, 11, 21, 14, 5)
TODAY = MOMENT.date()
LAST = TODAY - timedelta(days=28)
NOVEMBER = {"period": "2006-12..2007-11"}
OCTANS = Operation(
    "Octans",
    aim="Cut crime in the town centre.",
    goals=(CrimeGoal(("robbery",), -20), SurveyGoal("Confidence", "at least", 60)),
    lead="Insp. O'Brien",
    status="running",
    start=date(2007, 4, 1),
    area=Units("area", ("south",)),
    buffer_metres=300,
    actions=(
        Action("Light the underpass", "Council", TODAY - timedelta(days=1)),
        Action("Visit every shop", "", TODAY + timedelta(days=9)),
        Action("Write to schools", status="done"),
    ),
)


@pytest.fixture(scope="module")
def query(example_store: Path) -> Query:
    return Query(open_store(example_store))


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> Operations:
    kept = Operations.open(f"sqlite:///{tmp_path_factory.mktemp('operations') / 'operations.db'}")
    kept.save_operation(OCTANS, who="Sgt Ames")
    kept.save_operation(Operation("Autumn nights"), who="Sgt Ames")
    kept.save_operation(Operation("Old one", status="cancelled"), who="Sgt Ames")
    for subject, about, said in (("area:south", "South", LAST), ("hotspots", "Hotspots", TODAY)):
        kept.entries.save_entry(
            MeetingEntry(subject, f"Go to {about}", said, about=about, due=TODAY - timedelta(days=2)), who="Sgt Ames"
        )
    return kept


@pytest.fixture(scope="module")
def briefing(query: Query, operations: Operations) -> Briefing:
    selection = Selection.from_query(NOVEMBER, query.store)
    return make_briefing(query, selection, operations=operations, as_at=MOMENT)


@pytest.fixture
def setting(query: Query) -> Setting:
    level, map_level = find_levels(query)
    return Setting(query, Selection.from_query(NOVEMBER, query.store), level, map_level, TODAY)


def find(briefing: Briefing, key: str) -> Screen:
    screen = briefing.screens[briefing.find_screen(key)]
    assert screen.key == key
    return screen


# ---- which screens ---------------------------------------------------------------------------------------------------


def test_one_screen_a_subject_in_the_order_of_a_meeting(briefing: Briefing, operations: Operations) -> None:
    keys = [screen.key for screen in briefing.screens]
    assert keys[:6] == ["partnership", "area:central", "area:east", "area:north", "area:south", "area:west"]
    targets = [key for key in keys if key.startswith("target:")]
    assert keys[6 : 6 + MOST_TARGETS] == targets
    running, draft = (f"operation:{each.id}" for each in choose_operations(operations.list_operations()))
    assert keys[6 + MOST_TARGETS :] == ["hotspots", running, draft, "decisions"]
    assert len(set(keys)) == len(keys)
    assert [briefing.screens[briefing.find_screen(key)].title for key in (running, draft)] == [
        "Octans",
        "Autumn nights",
    ]


def test_the_moment_the_notice_and_the_licences_are_told(briefing: Briefing, query: Query) -> None:
    assert briefing.as_at == "14:05 on 21 November 2026"
    assert briefing.notice == query.store.partnership.notice
    assert briefing.licences == query.store.partnership.licences
    assert write_moment(datetime(2026, 1, 2, 3, 4)) == "03:04 on 2 January 2026"


def test_all_but_the_last_have_their_caveats_and_every_picture_has_words_and_a_table(briefing: Briefing) -> None:
    for screen in briefing.screens:
        assert screen.title
        assert screen.caveats or screen.key == "decisions"
        if screen.map is not None:
            assert screen.map.alt.endswith(".")
            assert screen.table is not None
        if isinstance(screen.chart, TrendFigure):
            assert screen.chart.alt.endswith(".")
            assert {len(line.values) for line in screen.chart.lines} == {len(screen.chart.months)}


def test_without_operations_there_are_neither_these_nor_last_time(query: Query) -> None:
    briefing = make_briefing(query, Selection.default(query.store), operations=None, as_at=MOMENT)
    assert not [screen for screen in briefing.screens if screen.key.startswith("operation:")]
    assert briefing.screens[-1].sentences == ("Nothing was typed in at a meeting before today.",)
    assert briefing.screens[-1].table is None


# ---- the figures are those of the pages ------------------------------------------------------------------------------


def test_the_glance_counts_what_the_store_counts(briefing: Briefing, query: Query) -> None:
    selection = Selection.from_query(NOVEMBER, query.store)
    total = query.count_coverage(selection).total
    people = query.count_people(selection)
    assert people is not None
    glance = find(briefing, "partnership")
    assert [figure.value for figure in glance.figures[:2]] == [f"{total:,}", f"{1000 * total / people:.1f}"]
    assert glance.figures[2].value == "7R 4A"
    assert (glance.figures[3].value, glance.figures[3].label, glance.figures[3].note) == (
        "4", "open actions", "3 overdue",
    )  # fmt: skip
    before = query.count_coverage(selection, span=selection.before).total
    assert f"({before:,} to {total:,})" in glance.sentences[0]
    assert "Of 11 targets: 4 amber (A) and 7 red (R)." in " ".join(glance.sentences)
    assert glance.table is not None
    assert (len(glance.table.rows), glance.table.note) == (19, "")
    wall = glance.table.cut()
    assert (len(wall.rows), wall.note) == (14, "and 5 more on the Explore page")


def test_areas_add_up_to_what_has_a_location(briefing: Briefing, query: Query) -> None:
    screens = [screen for screen in briefing.screens if screen.key.startswith("area:")]
    counted = sum(int(screen.figures[0].value.replace(",", "")) for screen in screens)
    assert counted == query.count_coverage(Selection.from_query(NOVEMBER, query.store)).inside
    for screen in screens:
        assert screen.table is not None
        wards = sum(int(row[1].replace(",", "")) for row in screen.table.rows)
        assert wards == int(screen.figures[0].value.replace(",", ""))


def test_the_map_of_an_area_leaves_the_others_grey(setting: Setting, briefing: Briefing) -> None:
    inside = find_inside(setting, "south", "area")
    names = setting.query.name_areas("ward")
    assert sorted(names[code] for code in inside) == ["Dallow", "Farley", "South"]
    drawn = find(briefing, "area:south").map
    assert drawn is not None
    assert {area.code for area in drawn.view.areas if area.fill != "left out"} == set(inside)
    whole = find(briefing, "partnership").map
    assert whole is not None
    assert drawn.view.legend == whole.view.legend


def test_a_target_has_its_letter_in_words_and_on_the_map(briefing: Briefing) -> None:
    screen = next(screen for screen in briefing.screens if screen.key.startswith("target:"))
    rated = screen.figures[-1]
    assert (rated.rating, rated.note) == ("R", "R: unlikely to be met")
    assert screen.map is not None
    assert {area.mark for area in screen.map.view.areas} <= {"R", "A", "G"}
    assert screen.table is not None
    assert screen.table.rating == 0
    assert isinstance(screen.chart, TrendFigure)
    assert [line.name for line in screen.chart.lines] == ["So far", "On course", "Likely range", "to"]
    assert screen.chart.lines[0].values[-1] is None


def test_the_farthest_behind_come_first_and_the_rest_is_named(briefing: Briefing) -> None:
    screens = [screen for screen in briefing.screens if screen.key.startswith("target:")]
    assert "And 3 more off target on the Targets page." in screens[-1].sentences
    ratings = "".join(screen.figures[-1].rating for screen in screens)
    assert ratings == "".join(sorted(ratings, reverse=True))


def test_after_the_end_a_target_is_met_or_not(query: Query) -> None:
    screens = make_briefing(query, Selection.default(query.store), operations=None).screens
    ended = [screen for screen in screens if screen.key.startswith("target:")]
    assert {screen.figures[-1].value for screen in ended} == {"Not met"}
    assert {screen.figures[-1].note for screen in ended} == {"R: target not met"}


def test_no_indicator_off_target_is_said(setting: Setting) -> None:
    board = setting.boards[0]
    met = replace(board, lines=board.lines.assign(rating="G"))
    setting.__dict__["boards"] = (met,)
    (screen,) = make_targets(setting)
    assert (screen.key, screen.title) == ("targets", "No indicator is off target")
    assert screen.sentences == ("Of 11 targets: 11 green (G).",)
    assert screen.table is not None
    assert len(screen.table.rows) == 11
    setting.__dict__["boards"] = ()
    assert make_targets(setting) == []


def test_hotspots_are_numbered_on_the_map_and_in_the_table(briefing: Briefing) -> None:
    screen = find(briefing, "hotspots")
    assert screen.map is not None
    assert screen.table is not None
    assert [place.mark for place in screen.map.view.places] == [row[0] for row in screen.table.rows]
    assert screen.figures[0].value == str(len(screen.table.rows))
    assert screen.sentences[1].startswith(f"1: {screen.table.rows[0][1]}, {screen.table.rows[0][2]}: ")


def test_crimes_and_comparison_are_those_of_the_link(query: Query) -> None:
    selection = Selection.from_query({**NOVEMBER, "crime": "robbery"}, query.store)
    glance = make_briefing(query, selection, operations=None).screens[0]
    assert glance.subtitle == "Robbery, year to November 2007, compared with year to November 2006"
    assert glance.figures[0].value == f"{query.count_coverage(selection).total:,}"
    assert not [sentence for sentence in glance.sentences if "crime type" in sentence]


# ---- operations, decisions -------------------------------------------------------------------------------------------


def test_an_operation_with_its_actions_what_is_overdue_first(briefing: Briefing) -> None:
    screen = next(screen for screen in briefing.screens if screen.title == "Octans")
    assert screen.subtitle == "Running · since 1 April 2007 · Area: South · led by Insp. O'Brien"
    assert screen.table is not None
    assert [(row[0], row[3]) for row in screen.table.rows] == [
        ("Light the underpass", "Open, overdue"), ("Visit every shop", "Open"), ("Write to schools", "Done"),
    ]  # fmt: skip
    assert screen.sentences[0] == "Cut crime in the town centre."
    assert [figure.label for figure in screen.figures] == ["Robbery"]
    assert isinstance(screen.chart, TrendFigure)
    assert screen.chart.lines[0].name == "Recorded"


def test_an_operation_without_area_or_start_says_so(setting: Setting) -> None:
    screen = make_operation(setting, Operation("Draft", goals=(CrimeGoal(("robbery",), -20),)))
    assert screen.sentences[0] == "Aim: Robbery: down by 20 %."
    assert "has no start yet" in screen.sentences[-1]
    assert (screen.figures, screen.chart, screen.table) == ((), None, None)


def test_more_actions_than_fit_are_counted() -> None:
    table = tabulate_actions([Action(f"Action {number}") for number in range(8)], TODAY)
    assert table is not None
    assert (len(table.rows), table.note) == (8, "")
    wall = table.cut()
    assert (len(wall.rows), wall.note) == (5, "and 3 more on the Operations page")
    assert wall.cut() is wall


def test_decisions_put_what_is_of_today_first_then_what_is_overdue() -> None:
    def say(text: str, said: date, **values: object) -> MeetingEntry:
        return replace(MeetingEntry("area:south", text, said, about="South"), **values)  # type: ignore[arg-type]

    entries = [
        say("new", TODAY),
        say("decided", LAST, kind="decision"),
        say("open", LAST),
        say("late", LAST, due=TODAY - timedelta(days=1)),
        say("done", LAST, status="done"),
    ]
    screen = make_decisions(entries, TODAY)
    assert screen.table is not None
    assert [(row[0], row[4], row[5]) for row in screen.table.rows] == [
        ("new", "Open", "Today"),
        ("late", "Open, overdue", "24 October 2026"),
        ("open", "Open", "24 October 2026"),
        ("decided", "Decided", "24 October 2026"),
        ("done", "Done", "24 October 2026"),
    ]
    assert (screen.figures[0].value, screen.figures[0].note) == ("3", "1 overdue")
    assert screen.sentences == ("The last meeting at which anything was typed in was on 24 October 2026.",)
    assert make_decisions(entries, TODAY, subjects=frozenset({"hotspots"})).table is None


def test_last_time_is_what_was_said_before_today_about_the_subject(briefing: Briefing) -> None:
    (entry,) = find(briefing, "area:south").last_time
    assert (entry.text, entry.kind, entry.due, entry.status, entry.said) == (
        "Go to South", "action", "19 November 2026", "Open", "24 October 2026",
    )  # fmt: skip
    assert find(briefing, "hotspots").last_time == ()


# ---- scope -----------------------------------------------------------------------------------------------------------


def test_a_briefing_of_one_area(query: Query, operations: Operations) -> None:
    selection = Selection.from_query(NOVEMBER, query.store)
    briefing = make_briefing(query, selection, operations=operations, scope="area:south", as_at=MOMENT)
    keys = [screen.key for screen in briefing.screens]
    assert briefing.title == "South"
    assert (keys[0], keys[-1]) == ("area:south", "decisions")
    assert all(key.startswith("target:") for key in keys[1:-1])
    assert len(keys) == 2 + 5
    ward = next(code for code, name in query.name_areas("ward").items() if name == "Biscot")
    own = make_briefing(query, selection.change(level="ward"), operations=None, scope=f"area:{ward}")
    assert [screen.title for screen in own.screens] == ["Biscot", "Decisions and actions"]


def test_a_briefing_of_one_operation(query: Query, operations: Operations) -> None:
    selection = Selection.from_query(NOVEMBER, query.store)
    briefing = make_briefing(query, selection, operations=operations, scope=f"operation:{OCTANS.id}", as_at=MOMENT)
    assert [screen.title for screen in briefing.screens] == ["Octans", "Decisions and actions"]


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("area:mars", "There is no area 'mars' among the areas; choose one of: central, east, north, south, west."),
        ("everything", "A briefing cannot be made for 'everything'; ask for partnership, area:CODE or operation:ID."),
        (f"operation:{'0' * 32}", "There is no such operation here; choose one from the list."),
    ],
)
def test_what_is_not_there_is_refused(query: Query, operations: Operations, scope: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        make_briefing(query, Selection.default(query.store), operations=operations, scope=scope)
    assert str(caught.value) == words


# ---- what is missing -------------------------------------------------------------------------------------------------


def test_missing_months_are_said_and_never_zero(awkward_store: Path, awkward_place: str) -> None:
    query = Query(open_store(awkward_store))
    selection = Selection.from_query({"period": "2006-04..2007-03"}, query.store)
    briefing = make_briefing(query, selection, operations=None)
    glance = briefing.screens[0]
    assert glance.title == f"{awkward_place} at a glance"
    assert "cannot be compared with last year: no month of the year to March 2006 is loaded." in glance.sentences[0]
    assert isinstance(glance.chart, TrendFigure)
    assert glance.chart.lines[0].values[0] is None
    assert glance.table is not None
    assert {row[2] for row in glance.table.rows} > {"not shown"}
    assert {row[5] for row in glance.table.rows} == {"Not known"}
    with pytest.raises(SelectionError, match="No month of the year to March 2006 is loaded"):
        make_briefing(query, Selection.from_query({"period": "2005-04..2006-03"}, query.store), operations=None)


def test_tables_are_of_text_alone(briefing: Briefing, setting: Setting) -> None:
    for screen in briefing.screens:
        for row in screen.table.rows if screen.table else ():
            assert all(isinstance(cell, str) for cell in row)
    codes = pd.Series(find_inside(setting, "south", "area"))
    assert len(tabulate_areas(setting, level="ward", codes=list(codes)).rows) == len(codes)
