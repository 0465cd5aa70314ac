"""A database of each kind for every test: SQLite always, and a real PostgreSQL server where one can be started."""

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from cspmap.operations import Operations

PASSWORD = "s3cret word"
NEEDED = "CSPMAP_NEED_POSTGRES"


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL server on the loopback interface, which asks for a password."""

    folder: Path
    programs: Path
    port: int

    def url(self, *, password: str = PASSWORD, database: str = "postgres", schema: str = "public") -> str:
        quoted = password.replace(" ", "%20")
        options = f"options=-csearch_path%3D{schema}"
        return f"postgresql://postgres:{quoted}@127.0.0.1:{self.port}/{database}?{options}"

    def run(self, statement: str, *, database: str = "postgres") -> None:
        import psycopg

        with psycopg.connect(self.url(database=database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def control(self, *arguments: str) -> None:
        """Start or stop it, which cannot be done as the superuser."""
        settings = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off -k {self.folder}"
        _run_program(
            *(self.programs / "pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-o", settings, "-w"),
            *arguments,
            folder=self.folder,
        )


def _run_program(*command: str | Path, folder: Path) -> None:
    user = "postgres" if os.geteuid() == 0 else None
    done = subprocess.run(
        command, cwd=folder, user=user, group=user, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _find_programs() -> Path | None:
    """The folder of the newest server's programs; Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[4]))
    initdb = shutil.which("initdb")
    places = [*found, *([Path(initdb).resolve()] if initdb else [])]
    return places[-1].parent if places else None


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def start_server() -> Iterator[Server]:
    """A fresh server in a folder of its own, ended and cleared away afterwards."""
    programs = _find_programs()
    if programs is None or find_spec("psycopg") is None:
        missing = "PostgreSQL server" if programs is None else "psycopg"
        if os.environ.get(NEEDED) == "1":
            pytest.fail(f"{NEEDED} is set, and there is no {missing} on this machine")
        pytest.skip(f"no {missing} on this machine: the tests on PostgreSQL were not run")
    # Not below pytest's own folder, which the server's user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="cspmap-postgres-"))
    server = Server(folder, programs, _find_port())
    try:
        word = folder / "password"
        word.write_text(PASSWORD, "utf-8")
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
            shutil.chown(word, "postgres", "postgres")
        initdb = (programs / "initdb", "-D", folder / "data", "-U", "postgres", "--pwfile", word, "-A", "scram-sha-256")
        _run_program(*initdb, "--no-sync", "-E", "UTF8", "--locale", "C", folder=folder)
        server.control("start")
        try:
            yield server
        finally:
            server.control("stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all tests; whoever stops it starts it again."""
    with start_server() as running:
        yield running


NewUrl = Callable[[str], str]

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def new_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewUrl:
    """Gives URLs of databases that are not there yet: `new_url("sqlite")`."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('operations') / 'operations.db'}"
        server: Server = request.getfixturevalue("server")
        schema = f"test_{next(_NUMBERS)}"
        server.run(f"CREATE SCHEMA {schema}")
        return server.url(schema=schema)

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, new_url: NewUrl) -> str:
    """A database that is not there yet, of each kind in turn."""
    return new_url(request.param)


@pytest.fixture
def operations(url: str) -> Operations:
    """Operations in a fresh database, of each kind in turn."""
    return Operations.open(url)


@pytest.fixture(scope="session")
def kept(new_url: NewUrl) -> Callable[[str], Operations]:
    """Operations in one database of a kind for many examples: `kept("sqlite")`."""
    return cache(lambda kind: Operations.open(new_url(kind)))
