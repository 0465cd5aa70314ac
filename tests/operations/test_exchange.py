"""Files of operations and what meetings said of them: exact there and back, every problem at once, all or nothing."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cspmap.errors import Problem, ProblemsError
from cspmap.operations import MeetingEntry, Operation, Operations, name_subject, read_geojson, write_geojson
from cspmap.operations.geojson import read_features

from .made import OCTANS
from .strategies import any_operations, said_of

DAY = date(2026, 11, 21)


def say(text: str, **values: object) -> MeetingEntry:
    return replace(MeetingEntry(name_subject(OCTANS.id), text, DAY), **values)  # type: ignore[arg-type]


def read_back(text: str) -> tuple[list[Operation], list[MeetingEntry]]:
    problems: list[Problem] = []
    features = read_features(text, name="x", problems=problems)
    assert problems == []
    return [each.operation for each in features], [entry for each in features for _, entry in each.entries]


@given(any_operations.flatmap(lambda operation: st.tuples(st.just(operation), said_of(operation))))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_round_trip_is_exact(kept: tuple[Operation, list[MeetingEntry]]) -> None:
    operation, said = kept
    text = write_geojson([operation], entries=[*said, MeetingEntry("area:south", "of no operation here", DAY)])
    assert read_back(text) == ([operation], said)
    assert read_geojson(text) == (operation,)


def test_a_file_without_meetings_is_as_before() -> None:
    assert "meeting" not in json.loads(write_geojson([OCTANS]))["features"][0]["properties"]


def test_what_is_exported_comes_in_elsewhere_as_it_was(operations: Operations, tmp_path: Path) -> None:
    saved = operations.save_operation(OCTANS, who="Ann")
    other = Operations.open(f"sqlite:///{tmp_path / 'other.db'}")
    for entry in (say("Light it", owner="Council", due=DAY, about="Octans"), say("Carry on", kind="decision")):
        operations.entries.save_entry(entry, who="Sgt Ames")
    first = operations.entries.list_entries()[0]
    operations.entries.save_entry(replace(first, status="done"), who="PC Bell")
    said = operations.entries.list_entries()
    text = write_geojson([saved], entries=said)
    assert other.import_file(text, name="x.geojson", who="Insp. Cole") == (saved,)
    # As with operations, versions are counted anew where an entry comes to; who typed it in stays with it.
    assert other.entries.list_entries() == tuple(replace(entry, version=1) for entry in said)
    assert [entry.who for entry in other.entries.list_entries()] == ["PC Bell", "Sgt Ames"]
    # The same again changes nothing.
    other.import_file(text, name="x.geojson", who="Insp. Cole")
    assert len(other.entries.list_versions(said[0].id)) == 1


def test_every_problem_is_told_at_once_with_its_place(operations: Operations) -> None:
    here = operations.save_operation(OCTANS, who="Ann")
    entry = operations.entries.save_entry(say("Light it"), who="Ann")
    gone = operations.entries.save_entry(say("By mistake"), who="Ann")
    operations.entries.remove_entry(gone, who="Ann")
    changed = [replace(entry, status="done"), gone]
    collection = json.loads(write_geojson([replace(here, aim="Another")], entries=changed))
    bad = {"type": "Feature", "geometry": None, "properties": {"name": "B", "status": "over", "lead": 7}}
    collection["features"].append(bad)
    with pytest.raises(ProblemsError) as caught:
        operations.import_file(json.dumps(collection), name="x.geojson", who=" ")
    options = "'draft' or 'running' or 'ended' or 'judged' or 'cancelled'"
    first = f'x.geojson, feature 1 ("{OCTANS.name}")'
    assert str(caught.value).splitlines() == [
        'x.geojson, feature 2 ("B"), lead: is 7; write a text.',
        f"x.geojson, feature 2 (\"B\"), status: is 'over'; write {options}.",
        "Who makes this change: is blank; fill it in.",
        f"{first}: is here already and differs in aim; leave it out or have it replaced.",
        f"{first}, meeting 1: is here already and differs in status; leave it out or have it replaced.",
        f"{first}, meeting 2: was here and has been removed; leave it out or have it replaced.",
    ]
    assert operations.list_operations() == (here,)
    assert operations.entries.list_entries() == (entry,)


def test_entries_are_replaced_only_if_told_so(operations: Operations) -> None:
    here = operations.save_operation(OCTANS, who="Ann")
    entry = operations.entries.save_entry(say("Light it"), who="Ann")
    text = write_geojson([here], entries=[replace(entry, owner="Council", who="")])
    with pytest.raises(ProblemsError, match="meeting 1: is here already and differs in owner"):
        operations.import_file(text, name="x", who="Ben")
    operations.import_file(text, name="x", who="Ben", replace_existing=True)
    (now,) = operations.entries.list_entries()
    assert (now.owner, now.version, now.who) == ("Council", 2, "Ben")


def test_entries_of_somebody_elses_file_get_identifiers_and_stand_under_its_operation(operations: Operations) -> None:
    said = [{"text": "Light it", "said": "2026-11-21"}]
    feature = {"type": "Feature", "id": 1, "geometry": None, "properties": {"name": "A", "meeting": said}}
    (operation,) = operations.import_file(
        json.dumps({"type": "FeatureCollection", "features": [feature]}), name="x", who="Ben"
    )
    (entry,) = operations.entries.list_entries()
    assert (entry.subject, entry.text, entry.who) == (name_subject(operation.id), "Light it", "Ben")
    assert len(entry.id) == 32


def test_two_entries_of_one_identifier_are_told() -> None:
    problems: list[Problem] = []
    entry = say("Light it")
    read_features(write_geojson([OCTANS], entries=[entry, entry]), name="x", problems=problems)
    place = f'x, feature 1 ("{OCTANS.name}"), meeting'
    assert [str(problem) for problem in problems] == [f"{place} 2: has the id of {place} 1; keep one of them."]
