"""A build that is killed, or that the machine refuses, at any point: what was served is served on, whole."""

import contextlib
import io
import itertools
import json
import multiprocessing
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

import cspmap.build as build_module
from cspmap.build import build_store
from cspmap.errors import SourceError, StoreError
from cspmap.store import Draft, Store, find_version, open_store

from .made import Made, assert_same, make_incidents

KILLS = 40


def read_files(store: Store) -> dict[str, bytes]:
    """Every file of a version by name; of the manifest all but when it was built."""
    files = {
        str(file.relative_to(folder)): file.read_bytes()
        for folder in (store.folder, store.web)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    manifest = json.loads(files["manifest.json"])
    del manifest["built"]
    return {**files, "manifest.json": json.dumps(manifest).encode()}


class Pair:
    """Two sets of inputs side by side, and what a store of each holds."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "store"
        self.made: list[Made] = []
        self.versions: list[str] = []
        self.expected: dict[str, dict[str, bytes]] = {}
        for name, months in (("old", (1, 2, 3)), ("new", (2, 3, 4))):
            made = Made.begin(folder / name)
            # March is re-issued between the two and January drops out, so files are kept, linked, made and left.
            seeds = {month: month + (10 if (name, month) == ("new", 3) else 0) for month in months}
            made.months["police.zip"] = {f"2024-0{month}": make_incidents(seed, 60) for month, seed in seeds.items()}
            store = made.build().store
            self.versions.append(store.version)
            self.expected[store.version] = read_files(store)
            self.made.append(made)

    def build(self, turn: int) -> Store:
        return build_store(self.made[turn].toml, data=None, root=self.root).store

    def check(self) -> str:
        """The store opens, and is one of the two to the last byte."""
        store = open_store(self.root)
        assert read_files(store) == self.expected[store.version]
        return store.version


def build_in_child(toml: Path, root: Path) -> None:
    build_store(toml, data=None, root=root)


@pytest.fixture
def server() -> Callable[[Made, Path], Any]:
    """Starts builds in processes of their own, forked from one that has everything loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["cspmap.build", "duckdb", "filelock", "geopandas", "pyogrio"])

    def start(made: Made, root: Path) -> Any:
        process = context.Process(target=build_in_child, args=(made.toml, root))
        process.start()
        return process

    return start


def test_killed_at_any_moment_the_store_serves_the_old_version_or_the_new(
    tmp_path: Path, server: Callable[[Made, Path], Any]
) -> None:
    pair = Pair(tmp_path)
    pair.build(0)
    # The first starts the server that the others are forked from.
    for turn in (1, 0):
        began = time.monotonic()
        process = server(pair.made[turn], pair.root)
        process.join()
        lasted = time.monotonic() - began
        assert process.exitcode == 0
    killed = 0
    for number in range(KILLS):
        turn = 1 - pair.versions.index(pair.check())
        process = server(pair.made[turn], pair.root)
        process.join(lasted * number / KILLS)
        process.kill()
        process.join()
        killed += process.exitcode != 0
        pair.check()
        # Every other time the next build starts from what the killed one has left, to be killed itself.
        if number % 2:
            pair.build(turn)
            assert pair.check() == pair.versions[turn]
            assert not list(pair.root.glob("drafts/*"))
    assert killed >= KILLS / 8, "hardly a build was stopped before its end"


class _KilledError(BaseException):
    """Stands for a kill: nothing may catch it and tidy up."""


def crash_at(monkeypatch: pytest.MonkeyPatch, last: int) -> list[str]:
    """Let no step that changes the disk happen from number `last` on; returns the steps, as they are tried."""
    steps: list[str] = []

    def guard(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **keywords: Any) -> Any:
            if name == "open" and not set(keywords.get("mode", args[1] if len(args) > 1 else "r")) & set("wax+"):
                return real(*args, **keywords)
            steps.append(f"{name} {args[0]}")
            if len(steps) > last:
                raise _KilledError
            return real(*args, **keywords)

        return step

    for name in ("rename", "replace", "link", "mkdir", "rmdir", "unlink"):
        monkeypatch.setattr(os, name, guard(name, getattr(os, name)))
    monkeypatch.setattr(io, "open", guard("open", io.open))
    return steps


def test_stopped_before_any_step_of_a_whole_build_the_store_is_old_or_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = Pair(tmp_path)
    pristine = tmp_path / "pristine"
    old = pair.build(0).version
    shutil.copytree(pair.root, pristine)
    monkeypatch.setattr(Draft, "discard", lambda draft: None)
    seen = []
    for last in range(1000):
        with monkeypatch.context() as patch:
            steps = crash_at(patch, last)
            with contextlib.suppress(_KilledError):
                pair.build(1)
        seen.append(pair.check())
        if len(steps) <= last:
            break
        shutil.rmtree(pair.root)
        shutil.copytree(pristine, pair.root)
    assert len(steps) > 15
    assert seen[0] == old
    assert seen == sorted(seen, key=lambda version: version != old), "once it is new it stays new"
    assert seen[-1] != old


def test_stopped_before_any_step_of_publishing_the_store_is_old_or_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an even older version there to be cleared away, and leftovers of a build that was killed in publishing."""
    pair = Pair(tmp_path)
    older = pair.build(1)
    pair.build(0)
    drafted = tmp_path / "drafted"
    shutil.copytree(older.folder, drafted / "tables")
    shutil.copytree(older.web, drafted / "web")
    shutil.copytree(older.folder, pair.root / "versions" / "2000-01-leftover")
    pristine = tmp_path / "pristine"
    shutil.copytree(pair.root, pristine)
    before = find_version(pair.root)
    seen = []
    for last in range(1000):
        draft = Draft.begin(pair.root, older.version)
        shutil.copytree(drafted / "tables", draft.folder, dirs_exist_ok=True)
        shutil.copytree(drafted / "web", draft.web, dirs_exist_ok=True)
        with monkeypatch.context() as patch:
            steps = crash_at(patch, last)
            with contextlib.suppress(_KilledError):
                draft.publish()
        seen.append(pair.check())
        if len(steps) <= last:
            break
        shutil.rmtree(pair.root)
        shutil.copytree(pristine, pair.root)
    assert any(step.startswith("replace") for step in steps)
    assert (seen[0], seen[-1]) == (before, older.version)
    assert sum(one != other for one, other in itertools.pairwise(seen)) == 1, "it switches once"
    assert sorted(folder.name for folder in (pair.root / "versions").iterdir()) == sorted(pair.expected)


def test_failure_in_the_middle_leaves_nothing_behind(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    old = made.build().store
    made.months["police.zip"]["2024-04"] = make_incidents(4, 60)

    def fail(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(build_module, "write_summaries", fail)
    with pytest.raises(KeyboardInterrupt):
        made.build()
    assert find_version(made.root) == old.version
    assert not (made.root / "drafts").exists()
    assert [folder.name for folder in (made.root / "versions").iterdir()] == [old.version]


def test_second_builder_at_once_is_told_to_wait(made: Made) -> None:
    old = made.build().store
    made.months["police.zip"]["2024-04"] = make_incidents(4, 60)
    with FileLock(made.root / "lock"), pytest.raises(StoreError) as caught:
        made.build()
    assert str(caught.value) == f"Another build is writing to {made.root}; wait for it to end."
    assert find_version(made.root) == old.version
    assert made.build().changed


def test_a_first_build_that_fails_leaves_no_folder_behind(made: Made, tmp_path: Path) -> None:
    made.save()
    (made.folder / "people.csv").write_text("code,residents,households\n", "utf-8")
    for root in (tmp_path / "new" / "store", tmp_path / "there"):
        (tmp_path / "there").mkdir(exist_ok=True)
        with pytest.raises(SourceError):
            build_store(made.toml, data=None, root=root)
        assert not (tmp_path / "new").exists()
        assert list((tmp_path / "there").iterdir()) == []


FULL_AT = ["incidents/2024-04.parquet", "areas.parquet", "cube.parquet", "layers/ward.parquet", "partnership.toml"]


@pytest.mark.parametrize("name", [*FULL_AT, "manifest.json", "../{web}/ward.json"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here to stand for a full disk")
def test_full_disk_is_told_in_one_sentence(made: Made, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One file of the draft goes to a device that is always full."""
    old = made.build().store
    made.months["police.zip"]["2024-04"] = make_incidents(4, 60)
    begin = Draft.begin.__func__  # type: ignore[attr-defined]

    def begin_full(cls: type[Draft], root: Path, version: str) -> Draft:
        draft: Draft = begin(cls, root, version)
        (draft.folder / name.format(web=draft.web.name)).symlink_to("/dev/full")
        return draft

    monkeypatch.setattr(Draft, "begin", classmethod(begin_full))
    with pytest.raises(StoreError) as caught:
        made.build()
    assert str(caught.value) == f"The disk of {made.root} is full; free some space and build again."
    assert find_version(made.root) == old.version
    assert not (made.root / "drafts").exists()
    monkeypatch.undo()
    assert_same(made.build().store, made.build(made.root.with_name("fresh")).store)


def refuse(made: Made, root: Path) -> str:
    with pytest.raises(StoreError) as caught:
        made.build(root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_file_where_the_folder_should_be(made: Made, tmp_path: Path) -> None:
    root = tmp_path / "taken"
    root.write_text("mine", "utf-8")
    assert refuse(made, root) == f"{root} cannot be written (File exists); name another folder with --store."
    assert refuse(made, root / "deeper") == (
        f"{root / 'deeper'} cannot be written (Not a directory); name another folder with --store."
    )
    assert root.read_text("utf-8") == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_folder_that_may_not_be_written(made: Made, tmp_path: Path) -> None:
    root = tmp_path / "locked"
    root.mkdir(mode=0o500)
    assert "cannot be written (Permission denied); name another folder with --store." in refuse(made, root)


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(30, "Read-only file system")])
def test_refusal_of_the_store_names_what_could_not_be_written(
    made: Made, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    made.build()
    made.months["police.zip"]["2024-04"] = make_incidents(4, 60)
    file = made.root / "drafts" / "x"

    def fail(*args: object) -> None:
        raise type(error)(error.errno, error.strerror, str(file))

    monkeypatch.setattr(build_module, "write_summaries", fail)
    assert refuse(made, made.root) == (
        f"{file} cannot be written ({error.strerror}); name another folder with --store."
    )


def test_source_that_cannot_be_read_is_not_blamed_on_the_store(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    made.build()
    made.months["police.zip"]["2024-04"] = make_incidents(4, 60)
    source = made.folder / "police.zip"

    def fail(*args: object) -> None:
        raise PermissionError(13, "Permission denied", str(source))

    monkeypatch.setattr("cspmap.month_inputs.list_parts", fail)
    assert refuse(made, made.root) == f"{source} cannot be read (Permission denied); put that right and build again."
