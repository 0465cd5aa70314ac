"""The meeting's page without a browser: figures that stay as they were, what the frame is given, what is refused."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cspmap import workspace
from cspmap.briefing.making import make_briefing, write_moment
from cspmap.briefing.screen import Briefing
from cspmap.errors import ProblemsError
from cspmap.operations import EntryConflictError, MeetingEntry, Operations
from cspmap.operations.document import encode_value
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store
from cspmap.views import meeting as views
from cspmap.views.meeting import MOST_HELD, Meeting, Shelf, renew_selection, save_given
from cspmap.views.meeting_payload import Payload, add_said, encode_screens, say_entry
from cspmap.views.palettes import contrast_ratio

ROOT = Path(__file__).resolve().parent.parent
STYLE = (ROOT / "src" / "cspmap" / "views" / "web" / "cspmap-meeting.css").read_text("utf-8")
TODAY = date(2026, 11, 21)
LAST = TODAY - timedelta(days=28)
HOSTILE = "<img src=x onerror=alert(1)> & $co$"


@pytest.fixture(scope="module")
def query(example_store: Path) -> Query:
    return Query(open_store(example_store))


@pytest.fixture(scope="module")
def selection(query: Query) -> Selection:
    return Selection.from_query({"period": "2006-12..2007-11"}, query.store)


@pytest.fixture(scope="module")
def screens(query: Query, selection: Selection) -> list[Payload]:
    briefing = make_briefing(query, selection, operations=None)
    return encode_screens(briefing, query.store, dark=False)


@pytest.fixture
def operations(tmp_path: Path) -> Operations:
    return Operations.open(f"sqlite:///{tmp_path / 'operations.db'}")


def find(screens: list[Payload], key: str) -> Payload:
    return next(screen for screen in screens if screen["key"] == key)


# ---- what the frame is given -----------------------------------------------------------------------------------------


def test_every_screen_has_what_the_frame_draws(screens: list[Payload]) -> None:
    for screen in screens:
        assert len(screen["title"]) <= 62
        assert len(screen["figures"]) <= 4
        for picture in ("map", "chart"):
            if screen[picture]:
                assert screen[picture].startswith("<svg")
                assert screen[f"{picture}Alt"]
        # A table behind every picture.
        assert len(screen["tables"]) == bool(screen["map"]) + bool(screen["chart"])
        for table in [*screen["tables"], *([screen["main"]] if screen["main"] else [])]:
            assert all(len(row) == len(table["columns"]) == len(table["align"]) for row in table["rows"])
            assert all(isinstance(cell, str) for row in table["rows"] for cell in row)


def test_the_table_behind_a_chart_has_a_row_a_month(screens: list[Payload]) -> None:
    months = find(screens, "partnership")["tables"][1]
    assert months["columns"] == ["Month", "This month", "A year before"]
    assert (months["rows"][0][0], months["rows"][-1][0], len(months["rows"])) == ("December 2005", "November 2007", 24)
    target = next(screen for screen in screens if screen["key"].startswith("target:"))["tables"][1]
    assert target["rows"][-1][1] == "not known"


def test_dark_pictures_are_others(query: Query, selection: Selection, screens: list[Payload]) -> None:
    briefing = make_briefing(query, selection, operations=None)
    dark = encode_screens(replace(briefing, screens=briefing.screens[:1]), query.store, dark=True)
    assert dark[0]["map"] != screens[0]["map"]
    assert dark[0]["tables"] == screens[0]["tables"]


def test_what_was_said_stands_on_its_screen_and_on_the_last(screens: list[Payload]) -> None:
    entries = [
        MeetingEntry("area:south", "Patrol after ten", TODAY, "decision", "South", who="A", version=1),
        MeetingEntry("area:south", HOSTILE, LAST, "action", "South", "Council", LAST, who="A", version=2),
    ]
    told = add_said(screens, entries, TODAY)
    south = find(told, "area:south")["said"]
    assert south["when"] == "24 October 2026"
    assert south["last"] == [f"Action: {HOSTILE} (Council, by 24 October 2026, open)"]
    assert south["today"] == "Today: 1 typed in, Decision: Patrol after ten"
    assert [entry["own"]["version"] for entry in south["entries"]] == [1, 2]
    assert find(told, "area:west")["said"]["last"] == []
    decided = find(told, "decisions")
    assert [row[0] for row in decided["main"]["rows"]] == ["Patrol after ten", HOSTILE]
    # What is frozen stays: it is another list of screens that has what was said.
    assert "said" not in find(screens, "area:south")
    assert find(screens, "decisions")["main"] is None


def test_an_entry_in_a_line() -> None:
    assert say_entry(MeetingEntry("x", "Light it", TODAY, status="done")) == "Action: Light it (done)"
    assert say_entry(MeetingEntry("x", "Patrol", TODAY, "decision")) == "Decision: Patrol"


# ---- held as it was --------------------------------------------------------------------------------------------------


def hold(token: str, selection: Selection, briefing: Briefing, *, latest: bool = False) -> Meeting:
    return Meeting(token, selection, latest, briefing, [], [])


def test_a_meeting_is_held_under_its_token_for_what_it_is_about(query: Query, selection: Selection) -> None:
    briefing = make_briefing(query, selection, operations=None)
    shelf, meeting = Shelf(), hold("one", selection, briefing)
    shelf.put(meeting)
    assert shelf.find("one", selection) is meeting
    assert shelf.find("one", selection.change(crimes=("robbery",))) is None
    assert shelf.find("other", selection) is None
    for number in range(MOST_HELD - 1):
        shelf.put(hold(str(number), selection, briefing))
    assert shelf.find("one", selection) is meeting
    shelf.put(hold("last", selection, briefing))
    assert shelf.find("0", selection) is None
    assert shelf.find("one", selection) is meeting


def test_new_figures_end_with_the_latest_month_where_the_old_ones_did(query: Query, selection: Selection) -> None:
    briefing = make_briefing(query, selection, operations=None)
    assert renew_selection(hold("one", selection, briefing), query) == selection
    renewed = renew_selection(hold("one", selection, briefing, latest=True), query)
    assert renewed == selection.change(span=Span.parse("2007-04..2008-03"))


# ---- typed in --------------------------------------------------------------------------------------------------------


def test_what_is_typed_in_is_of_today_and_keeps_its_day_afterwards(operations: Operations) -> None:
    given: dict[str, Any] = {
        "id": "a" * 32, "version": 0, "subject": "area:south", "about": "South", "kind": "action", "text": "Light it",
        "owner": "Council", "due": "2026-12-01", "status": "open", "who": "Sgt Ames", "number": "1",
    }  # fmt: skip
    kept = save_given(operations, given, TODAY)
    assert (kept.said, kept.who, kept.version, kept.due) == (TODAY, "Sgt Ames", 1, date(2026, 12, 1))
    sent = {**given, "said": "2026-11-21", "version": 1, "status": "done"}
    later = save_given(operations, sent, TODAY + timedelta(days=28))
    assert (later.said, later.status, later.version) == (TODAY, "done", 2)
    with pytest.raises(EntryConflictError):
        save_given(operations, sent | {"status": "dropped"}, TODAY)
    with pytest.raises(ProblemsError, match="Who types this in"):
        save_given(operations, given | {"id": "b" * 32, "who": ""}, TODAY)


def test_what_was_typed_in_by_mistake_is_removed_and_the_record_says_who_did_it_and_when(
    operations: Operations, screens: list[Payload]
) -> None:
    entry = MeetingEntry("area:south", "Wrong one", TODAY, "action", "South", "Council")
    kept = operations.entries.save_entry(entry, who="Sgt Ames")
    other = operations.entries.save_entry(MeetingEntry("area:south", "Right one", TODAY), who="Sgt Ames")
    given = {**encode_value(kept), "number": "2", "who": "PC Bell", "remove": True}
    begun = datetime.now(UTC)
    assert save_given(operations, given, TODAY).text == "Wrong one"
    assert operations.entries.list_entries() == (other,)
    (removal,) = operations.entries.list_removed()
    assert begun <= removal.removed_at <= datetime.now(UTC)
    assert (removal.entry.text, removal.entry.who) == ("Wrong one", "PC Bell")
    # Nothing of it is gone.
    assert [(each.text, each.who) for each in operations.entries.list_versions(kept.id)] == [
        ("Wrong one", "PC Bell"),
        ("Wrong one", "Sgt Ames"),
    ]
    # Of two who change it, the second is told.
    with pytest.raises(EntryConflictError):
        save_given(operations, {**encode_value(kept), "number": "3", "who": "Sgt Ames", "status": "done"}, TODAY)
    with pytest.raises(ProblemsError, match="Who types this in"):
        save_given(operations, {**encode_value(other), "number": "4", "who": " ", "remove": True}, TODAY)
    moment = removal.removed_at.astimezone()
    entries, removals = operations.entries.list_entries(), operations.entries.list_removed()
    said = find(add_said(screens, entries, moment.date(), removals=removals), "area:south")["said"]
    assert said["removed"] == [f"Action: Wrong one: removed by PC Bell at {write_moment(moment)}"]
    later = add_said(screens, entries, moment.date() + timedelta(days=1), removals=removals)
    assert find(later, "area:south")["said"]["removed"] == []
    assert find(later, "area:west")["said"]["removed"] == []


# ---- the page --------------------------------------------------------------------------------------------------------


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, example_store: Path, tmp_path: Path) -> Callable[..., AppTest]:
    def run(**asked: str) -> AppTest:
        monkeypatch.setenv(workspace.STORE_VARIABLE, str(example_store))
        monkeypatch.setenv("CSPMAP_OPERATIONS", f"sqlite:///{tmp_path / 'kept.db'}")
        page = AppTest.from_file(str(ROOT / "pages" / "meeting.py"), default_timeout=60)
        for key, value in asked.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception
        return page

    return run


def test_the_page_opens_and_refuses_what_is_not_held(open_page: Callable[..., AppTest]) -> None:
    assert not open_page(period="2006-12..2007-11", screen="area:south", dark="1", play="20").error
    page = open_page(period="1990-01..1990-12")
    assert "is loaded; choose months within that" in page.error[0].value.replace("\\", "")


def test_a_link_to_figures_that_are_gone_says_so(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(views, "_mount", lambda **told: given.append(told["data"]))
    open_page(frozen="20200101T000000Z-abcdef")
    open_page(frozen=given[0]["token"])
    open_page(frozen=given[0]["token"], **given[0]["asked"])
    open_page()
    gone, same, again, new = given
    assert gone["told"].startswith("The figures of that link are no longer held here; these are as at ")
    assert (same["token"], same["told"], same["asAt"]) == (gone["token"], "", gone["asAt"])
    assert again["token"] == gone["token"]
    assert (new["told"], new["token"] != gone["token"]) == ("", True)


def test_figures_stay_though_the_store_is_built_again_and_new_ones_are_taken_when_asked_for(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch, query: Query
) -> None:
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(views, "_mount", lambda **told: given.append(told["data"]))
    page = open_page()
    # A month less is loaded: what the page opens on is another period.
    monkeypatch.setitem(query.store.__dict__, "months", query.store.months[:-1])
    monkeypatch.setattr("cspmap.views.dashboard._open", lambda root, version: query)
    page.run()
    assert given[1]["token"] == given[0]["token"]
    page.session_state["meeting-fresh"] = True
    page.run()
    assert given[2]["token"] != given[0]["token"]
    assert (given[0]["asked"]["period"], given[2]["asked"]["period"]) == ("2007-04..2008-03", "2007-03..2008-02")
    page.run()
    assert given[3]["token"] == given[2]["token"]


# ---- style -----------------------------------------------------------------------------------------------------------


def read_colours(selector: str) -> dict[str, str]:
    block = STYLE[STYLE.index(f"{selector} {{") :].partition("}")[0]
    return dict(re.findall(r"--([a-z-]+): (#[0-9A-F]{6})", block))


@pytest.mark.parametrize("room", [".meeting", ".meeting.dark"])
def test_all_text_stands_out_by_seven_to_one(room: str) -> None:
    colours = read_colours(room)
    for ink, ground in (("ink", "ground"), ("faint", "ground"), ("ink", "shade"), ("ink", "note")):
        assert contrast_ratio(colours[ink], colours[ground]) >= 7, (ink, ground)
    assert contrast_ratio(colours["on-strong"], colours["strong"]) >= 7
    assert contrast_ratio(colours["line"], colours["ground"]) >= 3


def test_letters_stand_out_from_the_colours_of_ratings() -> None:
    for letter, colour in re.findall(r"\.rating\.([RAG]) \{ background: (#[0-9A-F]{6})", STYLE):
        assert contrast_ratio("#0B1016", colour) >= 7, letter


def test_no_text_is_smaller_than_what_can_be_read_at_the_back() -> None:
    """In units of the style sheet, of which the smaller of the two projectors shows 0.647 pixels."""
    sizes = [float(size) for size in re.findall(r"font-size: calc\(([0-9.]+) \* var\(--u\)\)", STYLE)]
    assert len(sizes) > 10
    assert min(sizes) * min(1280 / 1920, 660 / 1020) >= 16
    assert min(sizes) >= 24
