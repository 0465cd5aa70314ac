"""The two kinds of database that operations are kept in, behind one way of asking them.

Each transaction has a connection of its own: threads and processes share nothing, a server that was restarted is
simply there again, and nothing is held open between two clicks. One writer at a time; readers see whole changes.
"""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from cspmap.errors import UserError

# Runs one statement, whose values stand as ?, and gives its rows.
Run = Callable[..., list[tuple[Any, ...]]]

WAIT_SECONDS = 20
_FORMS = "write sqlite:///FILE or postgresql://USER@HOST/NAME"


class OperationsError(UserError):
    """The operations database cannot be reached, read or written."""


class Database(ABC):
    """A database. `name` is how messages begin with it; it never holds a password."""

    name: str
    # Whether the place is ours alone, so that tables of others in it mean that it is another program's.
    exclusive: ClassVar[bool]

    @abstractmethod
    def transact(self, *, write: bool) -> AbstractContextManager[Run]:
        """A context that gives a `Run`: all of it comes about, or none. Only one that is to `write` may change things.

        Raises OperationsError where the database fails.
        """

    @abstractmethod
    def create(self) -> None:
        """Make sure that it is there and whole. Raises OperationsError where it cannot be."""

    @abstractmethod
    def list_tables(self, run: Run) -> set[str]:
        """The names of the tables that are found where ours are to be."""

    def report_damage(self) -> OperationsError:
        """The error of a database that holds what it cannot hold."""
        return OperationsError(
            f"{self.name} is damaged, or it is another program's; put it back from a copy, or name another."
        )


def open_database(url: str) -> Database:
    """The database that a URL names, there and whole. Raises OperationsError, which never repeats the URL."""
    scheme = url.partition("://")[0]
    database: Database
    if scheme == "sqlite":
        database = SqliteDatabase(_find_file(url))
    elif scheme in ("postgresql", "postgres"):
        from cspmap.operations.postgres import PostgresDatabase

        database = PostgresDatabase(url)
    else:
        raise OperationsError(f"The address of the operations database names no kind that is known; {_FORMS}.")
    database.create()
    return database


def _find_file(url: str) -> Path:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = None
    path = unquote(parts.path).removeprefix("/") if parts else ""
    if parts is None or parts.netloc or parts.query or parts.fragment or not path or "\0" in path:
        raise OperationsError(f"The address of the operations database names no file; {_FORMS}.")
    return Path(path)


class SqliteDatabase(Database):
    """One file of our own.

    Its rollback journal, unlike a write-ahead log, leaves nothing beside it between transactions: a copy of the file
    is whole, and it is read where nothing may be written.

    `synchronous = EXTRA`: a save that was confirmed is on the disk, and stays so if the power fails the moment after.
    """

    exclusive = True

    def __init__(self, file: Path) -> None:
        self.file = file.absolute()
        self.name = f"The operations database {self.file}"

    def create(self) -> None:
        """Make the file where there is none yet, and look every page of it over."""
        with self._explain(), closing(self._connect("rwc")) as connection:
            faults = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if faults != ("ok",):
            raise self.report_damage()

    @contextmanager
    def transact(self, *, write: bool) -> Iterator[Run]:
        """A transaction; a writer waits until every other one is done."""
        with self._explain(), closing(self._connect("rw")) as connection:
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            yield lambda statement, *values: connection.execute(statement, values).fetchall()
            connection.execute("COMMIT")

    def list_tables(self, run: Run) -> set[str]:
        """The names of all tables of the file."""
        return {name for (name,) in run("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def _connect(self, mode: str) -> sqlite3.Connection:
        # Without a mode of its own, a file that has been taken away would be made again, empty.
        return sqlite3.connect(
            f"{self.file.as_uri()}?mode={mode}", uri=True, timeout=WAIT_SECONDS, isolation_level=None
        )

    @contextmanager
    def _explain(self) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError as error:
            # The complaint about a damaged table quotes it.
            raise self.report_damage() from error
        except sqlite3.Error as error:
            raise self._name_error(error) from error

    def _name_error(self, error: sqlite3.Error) -> OperationsError:
        # The lower byte is the kind of error, the upper one its variety.
        kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if kind in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "decode to UTF-8" in str(error):
            return self.report_damage()
        said = {
            sqlite3.SQLITE_CANTOPEN: "cannot be opened; make sure that its folder is there and may be written",
            sqlite3.SQLITE_READONLY: "may not be written; give yourself the right to write the file and its folder",
            sqlite3.SQLITE_PERM: "may not be opened; give yourself the right to read and write it",
            sqlite3.SQLITE_FULL: "cannot be written, as its disk is full; free some space and save again",
            sqlite3.SQLITE_IOERR: "cannot be read or written, as its disk is full or fails; see to the disk, "
            "then try again",
            sqlite3.SQLITE_BUSY: "has been busy with another change for long; try again in a moment",
        }.get(kind, f"refused ({error}); put it back from a copy, or name another")
        return OperationsError(f"{self.name} {said}.")
