"""Tables of older and newer versions of cspmap, and what older versions kept."""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cspmap.operations import Operation, Operations, OperationsError
from cspmap.operations import schema as schema_module
from cspmap.operations.database import Run, open_database

from .conftest import NewUrl
from .made import OCTANS

NEXT = (
    "ALTER TABLE cspmap_records ADD COLUMN place TEXT NOT NULL DEFAULT ''",
    "UPDATE cspmap_records SET place = 'Luton'",
)


@contextmanager
def ask(url: str) -> Iterator[Run]:
    with open_database(url).transact(write=True) as run:
        yield run


def add_steps(monkeypatch: pytest.MonkeyPatch, *steps: tuple[str, ...]) -> None:
    """As a later version of cspmap would have them."""
    monkeypatch.setattr(schema_module, "STEPS", (*schema_module.STEPS, *steps))


def test_older_tables_are_brought_up_to_date_by_one_of_many(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = Operations.open(url).save_operation(OCTANS, who="Ann")
    add_steps(monkeypatch, NEXT, ("CREATE TABLE cspmap_more (one INTEGER)",))
    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(Operations.open, [url] * 6))
    assert [operations.read_operation(OCTANS.id) for operations in opened] == [saved] * 6
    with ask(url) as run:
        assert run("SELECT place FROM cspmap_records") == [("Luton",)]
        assert run("SELECT version FROM cspmap_records_version") == [(3,)]


def test_step_that_fails_leaves_the_tables_as_they_were(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = Operations.open(url).save_operation(OCTANS, who="Ann")
    with monkeypatch.context() as patch:
        add_steps(patch, NEXT, ("CREATE TABLE cspmap_records (one INTEGER)",))
        with pytest.raises(OperationsError, match="already exists"):
            Operations.open(url)
    assert Operations.open(url).read_operation(OCTANS.id) == saved
    with ask(url) as run:
        assert run("SELECT * FROM cspmap_records")[0][0] == "operation"
        assert len(run("SELECT * FROM cspmap_records")[0]) == 7, "the column of the step before was taken back"


def test_newer_tables_are_left_alone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    running = Operations.open(url)
    saved = running.save_operation(OCTANS, who="Ann")
    with monkeypatch.context() as patch:
        add_steps(patch, NEXT)
        Operations.open(url)
    # The older version cannot open it, and one that has it open does not go on with it.
    for attempt in (
        lambda: Operations.open(url),
        running.list_operations,
        lambda: running.save_operation(replace(saved, notes=""), who="Ann"),
    ):
        with pytest.raises(OperationsError) as caught:
            attempt()
        sentence = str(caught.value)
        assert sentence.startswith("The operations database ")
        assert sentence.endswith(" is of a newer version of cspmap; use that version, or a later one.")
    with monkeypatch.context() as patch:
        add_steps(patch, NEXT)
        assert running.read_operation(OCTANS.id) == saved


def test_what_an_older_version_kept_is_read(operations: Operations, url: str) -> None:
    """A row as the first version writes it, but without what has a default: later versions add such."""
    body = {
        "name": "Octans",
        "goals": [
            {"kind": "crime", "crimes": ["robbery"], "change_percent": -20.0},
            {"kind": "survey", "measure": "Confidence", "direction": "at least", "percent": 60.0},
        ],
        "status": "running",
        "start": "2023-01-01",
        "area": {"kind": "units", "level": "lsoa", "codes": ["E01015700"]},
        "comparison_areas": [
            {"kind": "outline", "polygons": [[[[0.5, 51.5], [0.75, 51.5], [0.75, 51.75], [0.5, 51.5]]]]}
        ],
        "chosen_on": "2022-01..2022-12",
        "actions": [{"text": "Light the underpass", "due": "2023-02-01", "status": "done"}],
        "decisions": [{"text": "Patrol after ten"}],
        "surveys": [{"measure": "Confidence", "percent": 58.1, "asked": "2022-11-05", "sample_size": 412}],
    }
    with ask(url) as run:
        run(
            "INSERT INTO cspmap_records VALUES (?, ?, ?, ?, ?, ?, ?)",
            *("operation", OCTANS.id, 1, "2023-01-09T10:00:00.000001+00:00", "Ann", 0, json.dumps(body)),
        )
    (change,) = operations.read_history(OCTANS.id)
    assert change.saved_at == datetime(2023, 1, 9, 10, 0, 0, 1, UTC)
    operation = change.operation
    assert operation.decisions[0].text == "Patrol after ten"
    assert operation.surveys[0].sample_size == 412
    assert (str(operation.chosen_on), operation.buffer_metres, operation.version) == ("2022-01..2022-12", None, 1)
    assert operations.save_operation(replace(operation, notes="New"), who="Ben").version == 2


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE cspmap_records SET body = 'x'",
        "UPDATE cspmap_records SET body = '[]'",
        "UPDATE cspmap_records SET body = '7'",
        "UPDATE cspmap_records SET body = '{}'",
        """UPDATE cspmap_records SET body = '{"name": 1}'""",
        """UPDATE cspmap_records SET body = '{"name": "x", "shape": 1}'""",
        "UPDATE cspmap_records SET saved_at = 'yesterday'",
        "DELETE FROM cspmap_records_version",
        "UPDATE cspmap_records_version SET version = 0",
        "DROP TABLE cspmap_records_version",
    ],
)
def test_rows_that_cannot_be_are_told_as_damage(operations: Operations, url: str, damage: str) -> None:
    operations.save_operation(OCTANS, who="Ann")
    with ask(url) as run:
        run(damage)
    for attempt in (
        operations.list_operations,
        lambda: operations.read_operation(OCTANS.id),
        lambda: operations.read_history(OCTANS.id),
        lambda: operations.save_operation(replace(OCTANS, notes=""), who="Ben"),
    ):
        with pytest.raises(OperationsError, match="is damaged, or it is another program's"):
            attempt()


def test_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "bookmarks.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    with pytest.raises(OperationsError, match="is damaged, or it is another program's"):
        Operations.open(f"sqlite:///{file}")
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]
    connection.close()


def test_server_with_tables_of_others_takes_ours_too(new_url: NewUrl) -> None:
    url = new_url("postgresql")
    with ask(url) as run:
        run("CREATE TABLE bookmarks (url TEXT)")
    Operations.open(url).save_operation(Operation("Octans"), who="Ann")
    with ask(url) as run:
        assert run("SELECT COUNT(*) FROM bookmarks") == [(0,)]
