"""A writer that is killed at any moment: what is there is whole, and what was confirmed is there."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cspmap.operations import Operation, Operations

from .made import OCTANS
from .writers import BATCH, add_actions, open_and_save, save_for_ever

KILLS = 30

_CONTEXT = multiprocessing.get_context("forkserver")
# All tests share one server to fork from, which the first to need it starts: this has what those of the store load too.
_CONTEXT.set_forkserver_preload(
    ["cspmap.operations", "psycopg", "shapely", "cspmap.build", "duckdb", "filelock", "geopandas", "pyogrio"]
)


def is_journaled(url: str) -> bool:
    """Whether a killed writer left a change half made in the file, for the next who opens it to undo."""
    return Path(f"{url.removeprefix('sqlite:///')}-journal").exists()


@contextmanager
def start(target: Callable[..., None], *arguments: object) -> Iterator[Any]:
    process = _CONTEXT.Process(target=target, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()
        process.close()


def test_killed_while_it_saves_what_is_there_is_whole(url: str) -> None:
    operations = Operations.open(url)
    operations.save_operation(OCTANS, who="Ann")
    halves, versions = 0, 1
    for turn in range(KILLS):
        receiver, sender = _CONTEXT.Pipe(duplex=False)
        with start(save_for_ever, url, turn, sender):
            sender.close()
            version = receiver.recv()
            # From within its first batch to several saves later.
            time.sleep(0.08 * turn / KILLS)
        while True:
            try:
                version = receiver.recv()
            except EOFError:
                break
        receiver.close()
        halves += is_journaled(url)
        operations = Operations.open(url)
        history = operations.read_history(OCTANS.id)
        assert [change.operation.version for change in history] == list(range(len(history), 0, -1))
        # The one before its confirmation was sent may be there too.
        assert len(history) - version in (0, 1)
        assert len(history) > versions
        versions = len(history)
        names = [operation.name for operation in operations.list_operations() if operation.id != OCTANS.id]
        assert {names.count(name) for name in names} <= {BATCH}, "a batch came about in part"
    if url.startswith("sqlite"):
        assert halves > 0, "it was never killed in the middle of a change"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_while_it_makes_the_tables_the_next_makes_them(kind: str, new_url: Callable[[str], str]) -> None:
    halves = done = 0
    for turn in range(KILLS):
        url = new_url(kind)
        with start(open_and_save, url) as process:
            # A server's connections take longer than a file's.
            process.join(turn / KILLS * (0.03 if kind == "sqlite" else 0.1))
        halves += is_journaled(url)
        operations = Operations.open(url)
        found = operations.list_operations()
        assert found in ((), (replace(OCTANS, version=1),))
        done += bool(found)
        operations.save_operation(Operation("After"), who="Ben")
        assert len(operations.list_operations()) == len(found) + 1
    assert done < KILLS, "it was never killed before its end"


def test_many_processes_lose_nothing(url: str) -> None:
    Operations.open(url).save_operation(Operation("Busy", id=OCTANS.id), who="Ann")
    processes = [_CONTEXT.Process(target=add_actions, args=(url, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
        process.close()
    history = Operations.open(url).read_history(OCTANS.id)
    texts = [action.text for action in history[0].operation.actions]
    assert sorted(texts) == sorted(f"{number} {turn}" for number in range(4) for turn in range(10))
    assert len(history) == 41
    assert len({change.who for change in history}) == 5
