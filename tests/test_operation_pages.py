"""The operations page without a browser: the list, a sheet, the form, two changes that meet, and hostile texts."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cspmap import workspace
from cspmap.operations import (
    OPERATIONS_VARIABLE,
    Action,
    CrimeGoal,
    Decision,
    MeetingEntry,
    Operation,
    Operations,
    Outline,
    SurveyResult,
    Units,
    name_subject,
    write_geojson,
)
from cspmap.periods import Span
from cspmap.views.operation_charts import draw_course
from cspmap.views.operation_merge import list_differences, merge_operations

ROOT = Path(__file__).resolve().parent.parent
HOSTILE = "Oc*t*ans <img src=x onerror=alert(1)> [x](http://example.org) $1$ :red[x]"
DALLOW = Operation(
    "Dallow",
    aim="Cut robbery",
    lead="Sgt Ames",
    status="ended",
    area=Units("ward", ("luton-dallow",)),
    start=date(2006, 4, 1),
    end=date(2007, 3, 31),
    chosen_on=Span.parse("2005-04..2006-03"),
    buffer_metres=250.0,
    goals=(CrimeGoal((), -10.0), CrimeGoal(("robbery",), -10.0)),
    actions=(Action("Light the underpass", "Council"),),
)

OpenOperations = Callable[..., AppTest]


@pytest.fixture
def kept(tmp_path: Path) -> Operations:
    """An empty database."""
    return Operations.open(f"sqlite:///{tmp_path / 'operations.db'}")


@pytest.fixture
def open_operations(
    kept: Operations, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, example_store: Path
) -> OpenOperations:
    """Runs the page on the example, with the parameters of a link."""

    def run(store: Path = example_store, **query: str) -> AppTest:
        monkeypatch.setenv(workspace.STORE_VARIABLE, str(store))
        monkeypatch.setenv(OPERATIONS_VARIABLE, f"sqlite:///{tmp_path / 'operations.db'}")
        page = AppTest.from_file(str(ROOT / "pages" / "operations.py"), default_timeout=60)
        for key, value in query.items():
            page.query_params[key] = value
        return page.run()

    return run


def read_words(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.subheader, *page.error, *page.warning, *page.success]
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def write(page: AppTest, label: str, text: str) -> None:
    inputs = [*page.text_input, *page.text_area]
    next(item for item in inputs if item.label == label).set_value(text)


def test_list_has_every_operation(open_operations: OpenOperations, kept: Operations) -> None:
    empty = open_operations()
    assert not empty.exception
    assert "No operation is kept yet." in read_words(empty)
    kept.save_operation(DALLOW, who="Sgt Ames")
    kept.save_operation(Operation(HOSTILE, lead=HOSTILE), who=HOSTILE)
    page = open_operations()
    assert not page.exception
    table = page.dataframe[0].value
    assert table["Operation"].tolist() == ["Dallow", HOSTILE]
    assert table["Where"].tolist() == ["Ward: Dallow", "no area yet"]
    assert table["When"].tolist() == ["1 April 2006 to 31 March 2007", "no dates yet"]
    assert table["Open actions"].tolist() == [1, 0]
    page.selectbox[0].select(DALLOW.id).run()
    assert [heading.value for heading in page.subheader] == ["Dallow"]
    assert page.query_params["operation"] in (DALLOW.id, [DALLOW.id])


def test_sheet_sets_aims_against_results(open_operations: OpenOperations, kept: Operations) -> None:
    saved = kept.save_operation(DALLOW, who="Sgt Ames")
    page = open_operations(operation=saved.id)
    assert not page.exception
    assert not page.error
    words = read_words(page)
    assert "Ended · 1 April 2006 to 31 March 2007 · Ward: Dallow · led by Sgt Ames" in words
    assert "Recorded incidents: no clear effect. There were 1,348, where " in words
    assert "Aim not met: down 2 % (from 1,380 to 1,348), where the aim is down by 10 %." in words
    assert "The area was chosen for being high in the year to March 2006" in words
    counts, measures = page.dataframe[0].value, page.table[0].value
    assert counts["Place"].tolist() == ["Area", "Next door", "Comparison"]
    assert counts["After"].tolist()[0] == 1348
    assert "Weighted displacement difference" in measures["Measure"].tolist()
    page.selectbox(key="operation-goal").select(1).run()
    assert page.dataframe[0].value["After"].tolist()[0] == 65


def test_link_reopens_the_months_and_the_comparison(open_operations: OpenOperations, kept: Operations) -> None:
    saved = kept.save_operation(DALLOW, who="Sgt Ames")
    asked = {"operation": saved.id, "before": "2004-04..2005-03", "after": "2006-04..2006-12", "against": "alike"}
    page = open_operations(**asked)
    assert not page.exception
    assert [slider.value for slider in page.select_slider] == [("2004-04", "2005-03"), ("2006-04", "2006-12")]
    key = f"sheet-{saved.id}-1-against"
    assert page.selectbox(key=key).value == "alike"
    address = {name: page.query_params[name] for name in asked}
    assert {name: value if isinstance(value, str) else value[0] for name, value in address.items()} == asked
    page.selectbox(key=key).select("rest").run()
    assert "against" not in page.query_params
    assert "Compared with all of Luton outside the area and its ring." in read_words(page)


def test_what_meetings_said_stands_on_the_sheet(open_operations: OpenOperations, kept: Operations) -> None:
    saved = kept.save_operation(DALLOW, who="Sgt Ames")
    for entry in (
        MeetingEntry(name_subject(saved.id), HOSTILE, date(2007, 2, 1), owner="Council", due=date(2007, 3, 1)),
        MeetingEntry(name_subject(saved.id), "Carry on", date(2007, 3, 1), kind="decision"),
        MeetingEntry("area:south", "Not of this one", date(2007, 3, 1)),
    ):
        kept.entries.save_entry(entry, who="Insp. Bell")
    page = open_operations(operation=saved.id, sheet="Actions")
    assert not page.exception
    said = page.dataframe[1].value
    assert said["What"].tolist() == ["Carry on", HOSTILE]
    assert said["Meeting"].tolist() == [date(2007, 3, 1), date(2007, 2, 1)]
    assert said["Typed in by"].tolist() == ["Insp. Bell"] * 2
    assert said["Kind"].tolist() == ["Decision", "Action"]
    assert said["Status"].tolist() == ["", "Open"]


@pytest.mark.parametrize("asked", ["nobody", "0" * 32])
def test_link_to_nothing_is_told(open_operations: OpenOperations, asked: str) -> None:
    page = open_operations(operation=asked)
    assert not page.exception
    assert "There is no such operation here; choose one from the list." in read_words(page)
    press(page, "All operations")
    assert not page.error


def test_new_operation_is_made_by_the_form(open_operations: OpenOperations, kept: Operations) -> None:
    page = open_operations()
    press(page, "New operation")
    assert "New operation" in read_words(page)
    write(page, "Name", "Octans")
    write(page, "Lead", "Sgt Cole")
    next(item for item in page.multiselect if item.label == "Areas").select("luton-dallow").select("luton-south")
    next(item for item in page.date_input if item.label == "Start").set_value(date(2007, 4, 1))
    next(item for item in page.selectbox if item.label == "Status").select("running")
    press(page, "Add crime types")
    next(item for item in page.multiselect if item.label == "Crime types together").select("robbery")
    press(page, "Save")
    assert "Who makes this change" in read_words(page)
    assert kept.list_operations() == ()
    write(page, "Your name", "Sgt Cole")
    press(page, "Save")
    assert not page.exception
    (saved,) = kept.list_operations()
    assert (saved.name, saved.lead, saved.status, saved.start) == ("Octans", "Sgt Cole", "running", date(2007, 4, 1))
    assert saved.area == Units("ward", ("luton-dallow", "luton-south"))
    assert saved.goals == (CrimeGoal(("robbery",), -10.0),)
    assert "Octans is saved." in read_words(page)
    assert "Robbery: " in read_words(page)


def test_form_that_nobody_touched_changes_nothing(open_operations: OpenOperations, kept: Operations) -> None:
    corners = ((-0.43, 51.88), (-0.41, 51.88), (-0.41, 51.89), (-0.43, 51.88))
    full = replace(
        DALLOW,
        area=Outline(((corners,),)),
        goals=(CrimeGoal(("piracy", "robbery"), -33.3), CrimeGoal((), 0.0), CrimeGoal(("robbery",), 12.5)),
        comparison_areas=(Units("ward", ("luton-wigmore", "gone")), Outline(((corners,),))),
        notes="One\n\n*two*",
    )
    saved = kept.save_operation(full, who="Sgt Ames")
    page = open_operations(operation=saved.id)
    for button in ("Change", "Change actions", "Change survey figures"):
        if button != "Change":
            page = open_operations(operation=saved.id, sheet="Actions" if "actions" in button else "Surveys")
        press(page, button)
        assert not page.exception
        write(page, "Your name", "Insp. Bell")
        press(page, "Save")
        assert "Nothing was changed." in read_words(page), button
    assert kept.read_operation(saved.id) == saved


def test_outline_that_cannot_be_read_costs_nothing_else(open_operations: OpenOperations, kept: Operations) -> None:
    page = open_operations()
    press(page, "New operation")
    write(page, "Name", "Octans")
    page.segmented_control[0].set_value("An outline").run()
    write(page, "or paste it", "nothing")
    page.toggle(key="draft-1-buffered").set_value(True).run()
    assert "The text is not GeoJSON, as it cannot be read from line 1" in read_words(page)
    assert next(button for button in page.button if button.label == "Save").disabled
    corners = ((-0.43, 51.88), (-0.41, 51.88), (-0.41, 51.89), (-0.43, 51.88))
    text = write_geojson([replace(DALLOW, area=Outline(((corners,),)))])
    write(page, "or paste it", text)
    page.run()
    write(page, "Your name", "Sgt Cole")
    press(page, "Save")
    assert not page.exception
    (saved,) = kept.list_operations()
    assert (saved.name, saved.buffer_metres) == ("Octans", 250.0)
    assert isinstance(saved.area, Outline)


def test_an_aim_below_zero_is_told_and_not_saved(open_operations: OpenOperations, kept: Operations) -> None:
    kept.save_operation(DALLOW, who="Ames")
    page = open_operations(operation=DALLOW.id)
    next(button for button in page.button if button.label == "Change").click().run()
    next(box for box in page.number_input if box.label == "Per cent").set_value(-10.0).run()
    assert "An aim has -10 per cent; write 0 or more there" in read_words(page)
    assert next(button for button in page.button if button.label == "Save").disabled


def test_an_area_chosen_by_the_months_it_is_judged_on_is_warned_of(
    open_operations: OpenOperations, kept: Operations
) -> None:
    kept.save_operation(replace(DALLOW, chosen_on=Span.parse("2006-04..2007-03")), who="Ames")
    words = read_words(open_operations(operation=DALLOW.id))
    assert "so this sheet cannot say whether the operation worked" in words


def test_two_changes_that_meet_are_both_kept(open_operations: OpenOperations, kept: Operations) -> None:
    saved = kept.save_operation(DALLOW, who="Sgt Ames")
    page = open_operations(operation=saved.id)
    press(page, "Change")
    write(page, "Aim", "Cut burglary")
    write(page, "Your name", "Sgt Cole")
    page.run()
    theirs = kept.save_operation(replace(saved, lead="Insp. Bell", notes="Seen"), who="<b>Insp. Bell</b>")
    press(page, "Save")
    words = read_words(page)
    assert not page.exception
    assert 'saved "Dallow" at ' in words
    assert "the two now differ in aim, lead and notes; compare the two and save again." in words
    for said in ("Cut burglary", "Cut robbery", "Insp. Bell", "Sgt Ames", "Seen"):
        assert said in words
    assert kept.read_operation(saved.id) == theirs
    assert [radio.value for radio in page.radio] == ["mine", "theirs", "theirs"]
    press(page, "Save as chosen")
    assert not page.exception
    merged = kept.read_operation(saved.id)
    assert (merged.aim, merged.lead, merged.notes, merged.version) == ("Cut burglary", "Insp. Bell", "Seen", 3)
    assert [change.who for change in kept.read_history(saved.id)] == ["Sgt Cole", "<b>Insp. Bell</b>", "Sgt Ames"]


def test_a_conflict_can_meet_a_third_change(open_operations: OpenOperations, kept: Operations) -> None:
    saved = kept.save_operation(DALLOW, who="Sgt Ames")
    page = open_operations(operation=saved.id)
    press(page, "Change")
    write(page, "Aim", "Cut burglary")
    write(page, "Your name", "Sgt Cole")
    second = kept.save_operation(replace(saved, lead="Insp. Bell"), who="Insp. Bell")
    press(page, "Save")
    kept.save_operation(replace(second, notes="Third"), who="PC Dean")
    press(page, "Save as chosen")
    assert "PC Dean saved" in read_words(page)
    press(page, "Save as chosen")
    merged = kept.read_operation(saved.id)
    assert (merged.aim, merged.lead, merged.notes, merged.version) == ("Cut burglary", "Insp. Bell", "Third", 4)


def test_of_two_lists_nothing_is_lost() -> None:
    one, two, done = Action("one"), Action("two"), Action("one", status="done")
    opened = replace(DALLOW, actions=(one,), decisions=(Decision("Go"),), lead="A")
    mine = replace(opened, actions=(done,), lead="B", notes="mine")
    theirs = replace(opened, actions=(one, two), lead="C", decisions=(), version=7)
    differences = list_differences(opened, mine, theirs)
    assert [(each.field, each.proposed) for each in differences] == [
        ("lead", "mine"),
        ("notes", "mine"),
        ("actions", "both"),
        ("decisions", "theirs"),
    ]
    merged = merge_operations(theirs, differences, {"lead": "theirs"})
    assert (merged.actions, merged.decisions, merged.lead, merged.notes) == ((two, done), (), "C", "mine")
    assert merged.version == 7
    assert list_differences(opened, mine, mine) == ()


def test_actions_and_survey_figures_are_entered(open_operations: OpenOperations, kept: Operations) -> None:
    saved = kept.save_operation(DALLOW, who="Sgt Ames")
    page = open_operations(operation=saved.id, sheet="Actions")
    assert page.dataframe[0].value["Action"].tolist() == ["Light the underpass"]
    press(page, "Change actions")
    press(page, "Add an action")
    actions = [item for item in page.text_input if item.label == "Action"]
    actions[-1].set_value("Cut the hedge")
    [item for item in page.text_input if item.label == "Owner"][-1].set_value("Mr Green")
    write(page, "Your name", "Sgt Cole")
    press(page, "Save")
    assert [(each.text, each.owner) for each in kept.read_operation(saved.id).actions] == [
        ("Light the underpass", "Council"),
        ("Cut the hedge", "Mr Green"),
    ]
    figures = open_operations(operation=saved.id, sheet="Surveys")
    press(figures, "Change survey figures")
    press(figures, "Add a survey figure")
    write(figures, "What was asked", "Confidence")
    numbers = {item.label: item for item in figures.number_input}
    numbers["Per cent"].set_value(55.0)
    numbers["How many were asked"].set_value(400)
    write(figures, "Your name", "Sgt Cole")
    press(figures, "Save")
    (result,) = kept.read_operation(saved.id).surveys
    assert (result.measure, result.percent, result.sample_size) == ("Confidence", 55.0, 400)


def test_history_gives_earlier_versions_back(open_operations: OpenOperations, kept: Operations) -> None:
    saved = kept.save_operation(DALLOW, who="Sgt Ames")
    kept.save_operation(replace(saved, lead="Insp. Bell"), who="Insp. Bell")
    page = open_operations(operation=saved.id, sheet="History")
    heads = [item.label.replace("\\", "") for item in page.expander]
    assert heads[0].startswith("Insp. Bell, ")
    assert heads[0].endswith(": changed lead")
    assert heads[1].endswith(": began it")
    assert "Lead: Insp. Bell (was: Sgt Ames)" in read_words(page).replace("**", "")
    press(page, "Take this version up again")
    write(page, "Your name", "Sgt Cole")
    press(page, "Save")
    assert (kept.read_operation(saved.id).lead, kept.read_operation(saved.id).version) == ("Sgt Ames", 3)


def test_removed_operation_can_be_put_back(open_operations: OpenOperations, kept: Operations) -> None:
    saved = kept.save_operation(DALLOW, who="Sgt Ames")
    page = open_operations(operation=saved.id)
    write(page, "Your name", "Insp. Bell")
    press(page, "Remove from the list")
    assert kept.list_operations() == ()
    assert "Dallow is removed." in read_words(page)
    gone = open_operations(operation=saved.id)
    assert 'Insp. Bell removed the operation "Dallow"' in read_words(gone)
    press(page, "Put back")
    write(page, "Your name", "Insp. Bell")
    press(page, "Save")
    assert [each.name for each in kept.list_operations()] == ["Dallow"]


def test_texts_are_shown_as_they_are(open_operations: OpenOperations, kept: Operations) -> None:
    operation = replace(
        DALLOW,
        name=HOSTILE,
        aim=HOSTILE,
        lead=HOSTILE,
        notes=HOSTILE,
        actions=(Action(HOSTILE, HOSTILE),),
        decisions=(Decision(HOSTILE, HOSTILE, made_by=HOSTILE),),
        surveys=(SurveyResult(HOSTILE, 50.0, date(2006, 1, 1), 100, HOSTILE, HOSTILE),),
        goals=(CrimeGoal((HOSTILE,), -5.0),),
        area=Units("ward", ("luton-dallow", HOSTILE)),
    )
    saved = kept.save_operation(operation, who=HOSTILE)
    for tab in ("Results", "Actions", "Surveys", "Notes", "History"):
        page = open_operations(operation=saved.id, sheet=tab)
        assert not page.exception
        parts = [*page.markdown, *page.caption, *page.subheader, *page.error, *page.warning]
        shown = [str(part.value) for part in parts] + [item.label for item in page.expander]
        assert any("img" in text for text in shown), tab
        assert not [text for text in shown if re.search(r"(?<!\\)(<img|\*t|\]\(|\$1|:red)", text)], tab
    page = open_operations(operation=saved.id)
    press(page, "Change")
    assert not page.exception
    assert HOSTILE not in [str(part.value) for part in (*page.markdown, *page.subheader)]


def test_operation_that_the_store_cannot_count_is_told(open_operations: OpenOperations, kept: Operations) -> None:
    saved = kept.save_operation(replace(DALLOW, status="draft", area=None), who="Sgt Ames")
    page = open_operations(operation=saved.id)
    assert not page.exception
    assert "This operation has no area yet" in read_words(page)
    odd = kept.save_operation(replace(saved, area=Units("ward", ("gone",))), who="Sgt Ames")
    again = open_operations(operation=odd.id)
    assert "The store has no area 'gone' on the level ward" in read_words(again)
    assert not open_operations().exception


def test_missing_months_leave_the_choice_to_the_viewer(
    open_operations: OpenOperations, kept: Operations, awkward_store: Path
) -> None:
    saved = kept.save_operation(DALLOW, who="Sgt Ames")
    page = open_operations(awkward_store, operation=saved.id)
    assert not page.exception
    words = read_words(page)
    assert "No month before the start in April 2006 is loaded" in words
    assert "Months that are not known everywhere are left out, not counted as zero: April 2005" in words
    assert page.select_slider[0].value == ("2003-04", "2006-03")


def test_file_of_operations_is_offered_and_read(
    open_operations: OpenOperations, kept: Operations, tmp_path: Path
) -> None:
    file = write_geojson([DALLOW]).encode()
    page = open_operations()
    page.file_uploader[0].upload("operations.geojson", file, "application/geo+json").run()
    write(page, "Your name", "Sgt Ames")
    press(page, "Import them")
    assert not page.exception
    assert kept.read_operation(DALLOW.id) == replace(DALLOW, version=1)
    bad = open_operations()
    bad.file_uploader[0].upload("bad.geojson", b"nothing", "application/geo+json").run()
    press(bad, "Import them")
    assert "bad.geojson: is not GeoJSON" in read_words(bad)


def test_chart_breaks_at_months_without_a_figure() -> None:
    import numpy as np
    import pandas as pd

    months = ["2006-01", "2006-02", "2006-03", "2006-04"]
    values = [5.0, np.nan, 7.0, 8.0]
    course = pd.DataFrame({"month": months, "count": values, "expected": values, "low": values, "high": values})
    frame = draw_course(course, Span.parse("2006-03..2006-04")).frame
    assert frame["run"].tolist() == [0, 1, 1, 1]
    assert frame["inside"].tolist() == [False, False, True, True]
    assert np.isnan(frame["count"][1])
