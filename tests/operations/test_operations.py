"""Keeping operations: every change stays, nobody's is lost, and what comes back is what was saved."""

import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings

from cspmap.errors import ProblemsError, UserError
from cspmap.operations import (
    Action,
    ConflictError,
    Operation,
    Operations,
    Units,
    compare_operations,
    find_url,
)
from cspmap.operations.document import encode_value

from .made import OCTANS
from .strategies import any_operations


def dump(operation: Operation) -> str:
    """To the last bit: unlike ==, this tells 0.0 from -0.0."""
    return json.dumps(encode_value(operation))


def test_saved_and_read_back(operations: Operations, url: str) -> None:
    saved = operations.save_operation(OCTANS, who="Ann")
    assert saved == replace(OCTANS, version=1)
    assert operations.read_operation(OCTANS.id) == saved
    # Another process, another browser.
    assert Operations.open(url).list_operations() == (saved,)


@given(operation=any_operations)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_anything_that_may_be_kept_comes_back_to_the_last_bit(
    kind: str, kept: Callable[[str], Operations], operation: Operation
) -> None:
    operations = kept(kind)
    # Examples repeat themselves; each is to be new.
    operation = replace(operation, id=uuid4().hex)
    who = operation.name.replace("\0", "x")
    (saved,) = operations.import_operations([operation], who=who)
    (change,) = operations.read_history(operation.id)
    assert dump(change.operation) == dump(saved) == dump(replace(operation, version=1))
    assert change.who == who


def test_history_keeps_every_version_with_time_and_who(operations: Operations) -> None:
    begun = datetime.now(UTC)
    first = operations.save_operation(OCTANS, who="Ann")
    second = operations.save_operation(replace(first, lead="Sgt Ames"), who="Ben")
    third = operations.save_operation(replace(second, notes=""), who="Zoë <b>")
    changes = operations.read_history(OCTANS.id)
    assert [change.operation for change in changes] == [third, second, first]
    assert [change.who for change in changes] == ["Zoë <b>", "Ben", "Ann"]
    times = [change.saved_at for change in changes]
    assert times == sorted(times, reverse=True)
    assert begun <= times[-1] <= times[0] <= datetime.now(UTC)
    assert all(time.utcoffset() == timedelta(0) for time in times)
    assert operations.read_history("0" * 32) == ()


def test_what_has_not_changed_is_not_kept_twice(operations: Operations) -> None:
    saved = operations.save_operation(OCTANS, who="Ann")
    assert operations.save_operation(saved, who="Ben") == saved
    assert len(operations.read_history(OCTANS.id)) == 1


def test_listed_by_name(operations: Operations) -> None:
    for name in ("octans", "Bravo", "alpha"):
        operations.save_operation(Operation(name), who="Ann")
    assert [operation.name for operation in operations.list_operations()] == ["alpha", "Bravo", "octans"]


def test_second_of_two_editors_is_told_what_differs(operations: Operations) -> None:
    opened = operations.save_operation(OCTANS, who="Ann")
    theirs = operations.save_operation(replace(opened, lead="Sgt Ames", end=None), who="Ben\nBond")
    mine = replace(opened, lead="Insp. Bell", actions=(*opened.actions, Action("Call the school")))
    with pytest.raises(ConflictError) as caught:
        operations.save_operation(mine, who="Cat")
    error = caught.value
    assert (error.mine, error.theirs.operation, error.theirs.who) == (mine, theirs, "Ben\nBond")
    assert error.differences == ("lead", "end", "actions")
    sentence = str(error)
    assert sentence.startswith('Ben Bond saved "Octans" at ')
    assert sentence.endswith(
        ", after you opened it, and the two now differ in lead, end and actions; compare the two and save again."
    )
    assert operations.read_operation(OCTANS.id) == theirs, "nothing was written"
    # After a look at theirs, mine is saved on top of it, and theirs stays in the history.
    saved = operations.save_operation(replace(mine, version=theirs.version), who="Cat")
    assert saved == replace(mine, version=3)
    assert [change.operation for change in operations.read_history(OCTANS.id)] == [saved, theirs, opened]


def test_two_who_make_the_same_change_do_not_conflict(operations: Operations) -> None:
    opened = operations.save_operation(OCTANS, who="Ann")
    saved = operations.save_operation(replace(opened, notes="Same"), who="Ben")
    assert operations.save_operation(replace(opened, notes="Same"), who="Cat") == saved


def test_new_operation_under_an_identifier_that_is_taken_conflicts(operations: Operations) -> None:
    operations.save_operation(OCTANS, who="Ann")
    with pytest.raises(ConflictError):
        operations.save_operation(Operation("Another", id=OCTANS.id), who="Ben")


def test_a_version_from_nowhere_conflicts(operations: Operations) -> None:
    """As after the database has been put back from an older copy."""
    saved = operations.save_operation(OCTANS, who="Ann")
    with pytest.raises(ConflictError):
        operations.save_operation(replace(saved, version=7, notes=""), who="Ben")


def test_removed_and_restored(operations: Operations) -> None:
    saved = operations.save_operation(OCTANS, who="Ann")
    operations.remove_operation(saved, who="Ben")
    operations.remove_operation(saved, who="Cat")
    assert operations.list_operations() == ()
    (gone,) = operations.list_operations(removed=True)
    assert gone == replace(OCTANS, version=2)
    with pytest.raises(UserError) as caught:
        operations.read_operation(OCTANS.id)
    assert str(caught.value) == (
        'Ben removed the operation "Octans"; its history is kept and it can be saved again from there.'
    )
    changes = operations.read_history(OCTANS.id)
    assert [(change.who, change.removed) for change in changes] == [("Ben", True), ("Ann", False)]
    # Whoever had it open is told, and may restore it.
    with pytest.raises(ConflictError) as conflict:
        operations.save_operation(replace(saved, notes=""), who="Dan")
    assert "Ben removed" in str(conflict.value)
    restored = operations.save_operation(gone, who="Dan")
    assert operations.list_operations() == (restored,)
    assert restored == replace(OCTANS, version=3)


def test_removing_what_somebody_has_changed_conflicts(operations: Operations) -> None:
    opened = operations.save_operation(OCTANS, who="Ann")
    changed = operations.save_operation(replace(opened, notes="New"), who="Ben")
    with pytest.raises(ConflictError):
        operations.remove_operation(opened, who="Cat")
    assert operations.list_operations() == (changed,)


@pytest.mark.parametrize("identifier", ["", "0" * 32, "\x00", "\ud800", "' OR 1=1 --", "x" * 100_000])
def test_link_to_no_operation(operations: Operations, identifier: str) -> None:
    with pytest.raises(UserError) as caught:
        operations.read_operation(identifier)
    assert str(caught.value) == "There is no such operation here; choose one from the list."
    assert operations.read_history(identifier) == ()


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("", "is blank; fill it in"),
        (" \n", "is blank; fill it in"),
        ("x" * 201, "is 201 characters long; shorten it to 200"),
        ("A\x00", "holds a character without a meaning; type it again"),
        ("\ud800", "holds half of a character; type it again"),
    ],
)
def test_every_change_needs_a_name(operations: Operations, who: str, said: str) -> None:
    for change in (
        lambda: operations.save_operation(OCTANS, who=who),
        lambda: operations.remove_operation(OCTANS, who=who),
        lambda: operations.import_operations([OCTANS], who=who),
    ):
        with pytest.raises(ProblemsError) as caught:
            change()
        assert str(caught.value) == f"Who makes this change: {said}."
    assert operations.list_operations() == ()


def test_faults_of_an_operation_are_told_together_and_nothing_is_kept(operations: Operations) -> None:
    with pytest.raises(ProblemsError) as caught:
        operations.save_operation(replace(OCTANS, name="\n", end=date(2022, 1, 1), buffer_metres=0), who="Ann")
    assert str(caught.value).splitlines() == [
        'Operation "without a name", name: is blank; fill it in.',
        'Operation "without a name", buffer metres: is 0; write a number from 1 to 20,000.',
    ]
    assert operations.list_operations() == ()


def test_import_is_all_or_none(operations: Operations) -> None:
    here = operations.save_operation(OCTANS, who="Ann")
    others = [Operation(f"Other {number}", version=number) for number in range(3)]
    changed = replace(OCTANS, aim="Another", status="ended", version=9)
    with pytest.raises(ProblemsError) as caught:
        operations.import_operations([*others, changed], who="Ben")
    assert str(caught.value) == (
        'Operation "Octans": is here already and differs in aim, status; leave it out or have it replaced.'
    )
    assert operations.list_operations() == (here,)
    kept = operations.import_operations([*others, OCTANS], who="Ben")
    assert kept == (*(replace(other, version=1) for other in others), here)
    replaced = operations.import_operations([changed], who="Ben", replace_existing=True)
    assert replaced == (replace(changed, version=2),)
    assert [change.who for change in operations.read_history(OCTANS.id)] == ["Ben", "Ann"]


def test_import_of_what_was_removed_here_says_so(operations: Operations) -> None:
    operations.remove_operation(operations.save_operation(OCTANS, who="Ann"), who="Ann")
    with pytest.raises(ProblemsError, match="was here and has been removed; leave it out or have it replaced"):
        operations.import_operations([OCTANS], who="Ben")
    assert operations.import_operations([OCTANS], who="Ben", replace_existing=True)[0].version == 3


def test_many_threads_lose_nothing(operations: Operations) -> None:
    """Each adds its actions, starting again from theirs on a conflict."""
    operations.save_operation(Operation("Busy", id=OCTANS.id), who="Ann")

    def add(number: int) -> int:
        conflicts = 0
        for turn in range(5):
            while True:
                opened = operations.read_operation(OCTANS.id)
                mine = replace(opened, actions=(*opened.actions, Action(f"{number} {turn}")))
                try:
                    operations.save_operation(mine, who=str(number))
                    break
                except ConflictError:
                    conflicts += 1
        return conflicts

    with ThreadPoolExecutor(8) as pool:
        conflicts = sum(pool.map(add, range(8)))
    texts = [action.text for action in operations.read_operation(OCTANS.id).actions]
    assert sorted(texts) == sorted(f"{number} {turn}" for number in range(8) for turn in range(5))
    assert len(operations.read_history(OCTANS.id)) == 41
    assert conflicts > 0, "they never met"


def test_many_who_open_a_new_database_at_once(url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(Operations.open, [url] * 8))
    opened[0].save_operation(OCTANS, who="Ann")
    assert [operations.list_operations() for operations in opened] == [(replace(OCTANS, version=1),)] * 8


def test_differences_are_named() -> None:
    assert compare_operations(OCTANS, replace(OCTANS, version=5)) == ()
    assert compare_operations(OCTANS, replace(OCTANS, area=Units("ward", ("E05002268",)), chosen_on=None)) == (
        "area",
        "chosen on",
    )


def test_operations_lie_beside_their_store_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CSPMAP_OPERATIONS", raising=False)
    awkward = tmp_path / "a store? #1 %41"
    awkward.mkdir()
    Operations.open(find_url(awkward)).save_operation(OCTANS, who="Ann")
    file = tmp_path / "a store? #1 %41-operations.db"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [file.name], "nothing else is left there"
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT COUNT(*) FROM cspmap_records").fetchone() == (1,)
    connection.close()
    monkeypatch.chdir(awkward)
    assert find_url(Path("../store")) == f"sqlite:///{tmp_path}/store-operations.db"
    monkeypatch.setenv("CSPMAP_OPERATIONS", "postgresql://db/cspmap")
    assert find_url(awkward) == "postgresql://db/cspmap"
