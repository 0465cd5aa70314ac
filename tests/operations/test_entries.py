"""What meetings said, kept in each kind of database: versions, conflicts, faults, and what comes back next time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cspmap.briefing.setting import recall
from cspmap.errors import ProblemsError
from cspmap.operations import EntryConflictError, MeetingEntry, Operations, read_entry

TODAY = date(2026, 11, 21)
LAST = TODAY - timedelta(days=28)
AWKWARD = "=cmd()|<script>alert(1)</script>\r\n\t\u202e Áine"


def say(text: str, *, said: date = LAST, subject: str = "area:south", **values: object) -> MeetingEntry:
    return replace(MeetingEntry(subject, text, said), **values)  # type: ignore[arg-type]


# ---- kept ------------------------------------------------------------------------------------------------------------


def test_what_is_typed_in_comes_back_exactly(operations: Operations) -> None:
    entry = say(AWKWARD, about="South", owner="O'Brien", due=date(2026, 12, 1), kind="decision")
    kept = operations.entries.save_entry(entry, who="Sgt Ames")
    assert kept == replace(entry, who="Sgt Ames", version=1)
    assert operations.entries.list_entries() == (kept,)
    assert operations.list_operations() == ()


def test_the_latest_meeting_comes_first_and_there_what_was_typed_first(operations: Operations) -> None:
    for text, said in (("old", LAST), ("first", TODAY), ("second", TODAY)):
        operations.entries.save_entry(say(text, said=said), who="Sgt Ames")
    first = operations.entries.list_entries()[0]
    operations.entries.save_entry(replace(first, status="done"), who="PC Bell")
    assert [entry.text for entry in operations.entries.list_entries()] == ["first", "second", "old"]


def test_every_change_is_kept_and_nothing_twice(operations: Operations) -> None:
    entries = operations.entries
    kept = entries.save_entry(say("Light the underpass"), who="Sgt Ames")
    assert entries.save_entry(kept, who="PC Bell") == kept
    # A browser that sends the same again, as it did not hear the answer.
    assert entries.save_entry(replace(kept, version=0), who="Sgt Ames") == kept
    done = entries.save_entry(replace(kept, status="done"), who="PC Bell")
    assert (done.version, done.who) == (2, "PC Bell")
    assert entries.list_versions(kept.id) == (done, kept)


def test_of_two_who_change_one_the_second_is_told(operations: Operations) -> None:
    entries = operations.entries
    shown = entries.save_entry(say("Light the underpass"), who="Sgt Ames")
    theirs = entries.save_entry(replace(shown, status="done"), who="PC Bell")
    with pytest.raises(EntryConflictError) as caught:
        entries.save_entry(replace(shown, status="dropped"), who="Sgt Ames")
    assert caught.value.theirs == theirs
    assert str(caught.value) == (
        "PC Bell changed 'Light the underpass' after it was shown here; look at it as it is now and change it again."
    )
    assert entries.list_entries() == (theirs,)


def test_what_was_typed_in_by_mistake_goes_and_its_history_stays(operations: Operations) -> None:
    entries = operations.entries
    kept = entries.save_entry(say("Wrong"), who="Sgt Ames")
    with pytest.raises(EntryConflictError):
        entries.remove_entry(replace(kept, version=0), who="Sgt Ames")
    entries.remove_entry(kept, who="Sgt Ames")
    entries.remove_entry(kept, who="Sgt Ames")
    assert entries.list_entries() == ()
    assert len(entries.list_versions(kept.id)) == 2


@pytest.mark.parametrize(
    ("entry", "who", "words"),
    [
        (say(" "), "Sgt Ames", "text: is blank; fill it in"),
        (say("x" * 4001), "Sgt Ames", "is 4,001 characters long; shorten it to 4,000"),
        (say("Light it", owner="x" * 201), "Sgt Ames", "owner: is 201 characters long"),
        (say("Light it"), " ", "Who types this in: is blank; fill it in."),
        (say("Light it\0"), "Sgt Ames", "holds a character without a meaning"),
        (say("Light it", id="../x"), "Sgt Ames", "has the identifier '../x'"),
        (say("Light it", due=date(1800, 1, 1)), "Sgt Ames", "write a date from 1900 to 2200"),
    ],
)
def test_faults_are_told_and_nothing_is_kept(operations: Operations, entry: MeetingEntry, who: str, words: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        operations.entries.save_entry(entry, who=who)
    assert words in str(caught.value)
    assert operations.entries.list_entries() == ()


def test_what_a_browser_sends_is_read_by_its_types() -> None:
    sent = {"subject": "hotspots", "text": "Go there", "said": "2026-11-21", "due": None, "version": 0}
    assert read_entry(sent).due is None
    for wrong in ({"due": "soon"}, {"status": "perhaps"}, {"text": 3}, {"strange": 1}, {"version": -1}):
        with pytest.raises(ProblemsError):
            read_entry(sent | wrong)


# ---- last time -------------------------------------------------------------------------------------------------------


def test_last_time_is_the_last_meeting_about_a_subject_and_what_is_still_open() -> None:
    earlier = LAST - timedelta(days=28)
    entries = [
        say("today", said=TODAY),
        say("last decision", kind="decision"),
        say("last and done", status="done"),
        say("elsewhere", subject="hotspots", said=LAST - timedelta(days=7)),
        say("earlier and open", said=earlier),
        say("earlier and done", said=earlier, status="done"),
        say("earlier decision", said=earlier, kind="decision"),
    ]
    about = recall(entries, TODAY, subject="area:south")
    assert [entry.text for entry in about] == ["last decision", "last and done", "earlier and open"]
    assert [entry.text for entry in recall(entries, TODAY, subject="hotspots")] == ["elsewhere"]
    # Of everything the last meeting is one day: what was said elsewhere before is there while it is open.
    every = recall([*entries, say("old", subject="hotspots", said=earlier, kind="decision")], TODAY)
    assert [entry.text for entry in every] == ["last decision", "last and done", "elsewhere", "earlier and open"]
    assert recall([], TODAY) == []


@given(
    days=st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from(["open", "done"]), st.sampled_from(["a", "b"])), max_size=12
    )
)
def test_nothing_of_today_and_nothing_open_is_ever_left_out(days: list[tuple[int, str, str]]) -> None:
    entries = [
        say(str(number), said=TODAY - timedelta(days=back), status=status, subject=subject)
        for number, (back, status, subject) in enumerate(days)
    ]
    told = recall(entries, TODAY)
    assert all(entry.said < TODAY for entry in told)
    assert {entry.id for entry in entries if entry.said < TODAY and entry.status == "open"} <= {e.id for e in told}
    for subject in ("a", "b"):
        own = recall(entries, TODAY, subject=subject)
        assert all(entry.subject == subject for entry in own)
        assert bool(own) == any(entry.subject == subject and entry.said < TODAY for entry in entries)


def test_many_threads_each_keep_theirs(kept: Callable[[str], Operations]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    entries = kept("sqlite").entries
    with ThreadPoolExecutor(8) as pool:
        saved = list(pool.map(lambda n: entries.save_entry(say(f"entry {n}"), who=f"User {n}"), range(24)))
    assert {entry.id for entry in entries.list_entries()} == {entry.id for entry in saved}
