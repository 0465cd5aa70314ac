"""A file that may not be written, is full, damaged or gone: one plain sentence each, and nothing is lost."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cspmap.operations import Operation, Operations, OperationsError
from cspmap.operations import database as database_module

from .made import OCTANS, SQUARE

WRITE = "may not be written; give yourself the right to write the file and its folder."
OPEN = "cannot be opened; make sure that its folder is there and may be written."
DAMAGED = "is damaged, or it is another program's; put it back from a copy, or name another."


def refuse(act: Callable[[], object]) -> str:
    with pytest.raises(OperationsError) as caught:
        act()
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that others may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="cspmap-operations-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def ordinary_user() -> Iterator[None]:
    """The superuser may write anywhere, so it becomes nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_read_only_folder_is_read_and_not_written(folder: Path) -> None:
    file = folder / "operations.db"
    url = f"sqlite:///{file}"
    saved = Operations.open(url).save_operation(OCTANS, who="Ann")
    file.chmod(0o444)
    folder.chmod(0o555)
    with ordinary_user():
        operations = Operations.open(url)
        assert operations.read_operation(OCTANS.id) == saved
        assert refuse(lambda: operations.save_operation(replace(saved, notes=""), who="Ann")) == (
            f"The operations database {file} {WRITE}"
        )


def test_read_only_folder_in_which_there_is_nothing_yet(folder: Path) -> None:
    folder.chmod(0o555)
    with ordinary_user():
        assert refuse(lambda: Operations.open(f"sqlite:///{folder}/operations.db")) == (
            f"The operations database {folder}/operations.db {OPEN}"
        )


def test_file_that_may_be_written_in_a_folder_that_may_not(folder: Path) -> None:
    file = folder / "operations.db"
    saved = Operations.open(f"sqlite:///{file}").save_operation(OCTANS, who="Ann")
    file.chmod(0o666)
    folder.chmod(0o555)
    with ordinary_user():
        operations = Operations.open(f"sqlite:///{file}")
        sentence = refuse(lambda: operations.save_operation(replace(saved, notes=""), who="Ann"))
        assert sentence == f"The operations database {file} {WRITE}"
        assert operations.read_operation(OCTANS.id) == saved


@pytest.mark.parametrize("name", ["nowhere/operations.db", "", "a" * 5_000])
def test_no_such_place(tmp_path: Path, name: str) -> None:
    assert refuse(lambda: Operations.open(f"sqlite:///{tmp_path / name}")) == (
        f"The operations database {tmp_path / name} {OPEN}"
    )


def test_file_that_has_been_taken_away_is_not_made_again_empty(tmp_path: Path) -> None:
    file = tmp_path / "operations.db"
    operations = Operations.open(f"sqlite:///{file}")
    operations.save_operation(OCTANS, who="Ann")
    file.unlink()
    assert refuse(operations.list_operations) == f"The operations database {file} {OPEN}"
    assert refuse(lambda: operations.save_operation(OCTANS, who="Ann")).endswith(OPEN)
    assert not file.exists()


FILL = """
import resource, signal, sys
from cspmap.operations import Operation, Operations, OperationsError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
operations = Operations.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
for number in range(100):
    try:
        operations.save_operation(Operation(str(number), notes="x" * 20_000), who="Ann")
    except OperationsError as error:
        print(number, error, end="")
        break
"""


@pytest.mark.skipif(sys.platform == "win32", reason="files cannot be limited in size here")
def test_file_that_cannot_grow(tmp_path: Path) -> None:
    """A limit on the size of files stands for a disk that takes no more."""
    file = tmp_path / "operations.db"
    done = subprocess.run(
        [sys.executable, "-c", FILL, f"sqlite:///{file}"], capture_output=True, text=True, timeout=60, check=True
    )
    kept, _, sentence = done.stdout.partition(" ")
    assert sentence == (
        f"The operations database {file} cannot be read or written, as its disk is full or fails; see to the disk, "
        "then try again."
    )
    operations = Operations.open(f"sqlite:///{file}")
    assert len(operations.list_operations()) == int(kept) > 3
    operations.save_operation(Operation("More", notes="x" * 20_000), who="Ann")


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own limit on pages gives the error that it gives for a full disk."""
    file = tmp_path / "operations.db"
    operations = Operations.open(f"sqlite:///{file}")
    saved = operations.save_operation(OCTANS, who="Ann")
    connect = sqlite3.connect

    def connect_full(*args: object, **keywords: object) -> sqlite3.Connection:
        connection = connect(*args, **keywords)  # type: ignore[call-overload]
        connection.execute("PRAGMA max_page_count = 8")
        return connection  # type: ignore[no-any-return]

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect_full)
        changed = replace(saved, notes="x" * 49_000)
        assert refuse(lambda: operations.save_operation(changed, who="Ann")) == (
            f"The operations database {file} cannot be written, as its disk is full; free some space and save again."
        )
        assert operations.list_operations() == (saved,)
    assert operations.save_operation(changed, who="Ann").version == 2


def test_writer_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "operations.db"
    operations = Operations.open(f"sqlite:///{file}")
    monkeypatch.setattr(database_module, "WAIT_SECONDS", 0.05)
    with operations._database.transact(write=True):
        assert refuse(lambda: operations.save_operation(OCTANS, who="Ann")) == (
            f"The operations database {file} has been busy with another change for long; try again in a moment."
        )
        assert operations.list_operations() == (), "readers do not wait for it"
    operations.save_operation(OCTANS, who="Ann")


@pytest.mark.parametrize("content", [b"name,aim\nOctans,\n", b"SQLite format 3\x00" + bytes(100), b"\x00" * 9_000])
def test_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "operations.db"
    file.write_bytes(content)
    assert refuse(lambda: Operations.open(f"sqlite:///{file}")) == f"The operations database {file} {DAMAGED}"
    assert file.read_bytes() == content


def test_damage_in_the_words_that_describe_the_table(sound: Path, tmp_path: Path) -> None:
    """SQLite's complaint about it quotes what is no text any more."""
    file = tmp_path / "operations.db"
    content = sound.read_bytes()
    assert b"CREATE TABLE cspmap_records (" in content
    file.write_bytes(content.replace(b"CREATE TABLE cspmap_records (", b"CREATE T\xc1BLE cspmap_records ("))
    assert refuse(lambda: Operations.open(f"sqlite:///{file}")) == f"The operations database {file} {DAMAGED}"


def read_everything(url: str) -> list[object]:
    operations = Operations.open(url)
    found: list[object] = list(operations.list_operations())
    return found + [operations.read_history(operation.id) for operation in operations.list_operations()]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sound") / "operations.db"
    operations = Operations.open(f"sqlite:///{file}")
    for number in range(12):
        saved = operations.save_operation(Operation(f"Number {number}", area=SQUARE, notes="é" * 900), who="Ann")
        operations.save_operation(replace(saved, lead="Sgt Ames"), who="Ben")
    return file


def damage(sound: Path, file: Path, change: Callable[[bytearray, int], None], seed: int) -> list[object] | str:
    """What is read from a copy after a change somewhere past its first byte, or the one sentence that is said."""
    content = bytearray(sound.read_bytes())
    change(content, random.Random(seed).randrange(1, len(content)))
    file.write_bytes(content)
    try:
        return read_everything(f"sqlite:///{file}")
    except OperationsError as error:
        return str(error).replace(str(file), "FILE")


@pytest.mark.parametrize("seed", range(15))
def test_file_that_was_cut_short(sound: Path, tmp_path: Path, seed: int) -> None:
    def cut(content: bytearray, place: int) -> None:
        del content[place:]

    assert damage(sound, tmp_path / "cut.db", cut, seed) == f"The operations database FILE {DAMAGED}"


@pytest.mark.parametrize("seed", range(25))
def test_sector_that_was_lost(sound: Path, tmp_path: Path, seed: int) -> None:
    """Where nothing was in it, nothing is lost."""

    def spoil(content: bytearray, place: int) -> None:
        place -= place % 512
        content[place : place + 512] = random.Random(seed).randbytes(512)

    assert damage(sound, tmp_path / "spoilt.db", spoil, seed) in (
        f"The operations database FILE {DAMAGED}",
        read_everything(f"sqlite:///{sound}"),
    )


@pytest.mark.parametrize("seed", range(50))
def test_bit_that_fell_over(sound: Path, tmp_path: Path, seed: int) -> None:
    """Within a text that cannot be noticed; whatever it does, it does not end in another kind of error."""

    def flip(content: bytearray, place: int) -> None:
        content[place] ^= 1 << seed % 8

    found = damage(sound, tmp_path / "flipped.db", flip, seed)
    assert isinstance(found, list) or (found.startswith("The operations database FILE ") and "\n" not in found)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "operations.db",
        "mysql://root:hunter2@db/cspmap",
        "http://hunter2",
        "sqlite:",
        "sqlite://",
        "sqlite:///",
        "sqlite://host/hunter2.db",
        "sqlite:///file.db?mode=hunter2",
        "sqlite:///x#hunter2",
        "sqlite://[hunter2/x",
        "sqlite:///%00hunter2",
    ],
)
def test_address_that_names_no_database(url: str) -> None:
    sentence = refuse(lambda: Operations.open(url))
    assert sentence.endswith("; write sqlite:///FILE or postgresql://USER@HOST/NAME.")
    assert "hunter2" not in sentence
