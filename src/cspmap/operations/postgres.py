"""Operations in PostgreSQL, where several machines share them."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cspmap.operations.database import WAIT_SECONDS, Database, OperationsError, Run

_URL = re.compile("postgres(ql)?://([^@/]*@)?[^@]*")

# Held by whoever writes, to the end of the transaction. Any number that other programs are unlikely to take.
_WRITER = 7_303_202_811
_BEGIN_WRITING = f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'; SELECT pg_advisory_xact_lock({_WRITER})"

# For whatever the URL leaves open: a server that does not answer is given up on.
_PATIENCE: dict[str, Any] = {"connect_timeout": 5, "tcp_user_timeout": 10_000, "application_name": "cspmap"}


class PostgresDatabase(Database):
    """A database on a server; the URL is libpq's, and what it leaves out libpq's own variables and files give."""

    exclusive = False

    def __init__(self, url: str) -> None:
        try:
            import psycopg
            from psycopg import conninfo
        except ImportError as error:
            raise OperationsError(
                "The operations database is on PostgreSQL, which needs one more package; "
                "install it with: pip install 'cspmap[postgres]'."
            ) from error
        self._psycopg = psycopg
        options: dict[str, Any] | None = None
        # Of a password with an @ or a slash in it, libpq would take the rest for the host, and name it.
        if _URL.fullmatch(url):
            with suppress(psycopg.ProgrammingError):
                options = conninfo.conninfo_to_dict(url)
        if options is None:
            # Without a cause, which would repeat the URL and with it the password.
            raise OperationsError(
                "The address of the operations database cannot be read; write postgresql://USER:PASSWORD@HOST/NAME, "
                "with %40 for an @ and %2F for a slash in any of them."
            )
        self._options = _PATIENCE | options | {"client_encoding": "utf8"}
        host = self._options.get("host") or os.environ.get("PGHOST") or "this machine"
        name = self._options.get("dbname") or os.environ.get("PGDATABASE") or "of the user's own name"
        self.name = f"The operations database {name} on {host}"

    def create(self) -> None:
        """Make sure that the server answers and has the database."""
        with self.transact(write=False):
            pass

    @contextmanager
    def transact(self, *, write: bool) -> Iterator[Run]:
        """A transaction: one that reads sees one moment, and a writer waits until every other one is done."""
        psycopg = self._psycopg
        try:
            with psycopg.connect(**self._options) as connection:
                if write:
                    connection.execute(_BEGIN_WRITING.encode())
                else:
                    connection.read_only = True
                    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

                def run(statement: str, *values: Any) -> list[tuple[Any, ...]]:
                    cursor = connection.execute(statement.replace("?", "%s").encode(), values)
                    return cursor.fetchall() if cursor.description else []

                yield run
        except psycopg.Error as error:
            raise self._name_error(error) from error

    def list_tables(self, run: Run) -> set[str]:
        """The names of the tables of the schema that new tables would be made in."""
        return {name for (name,) in run("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")}

    def _name_error(self, error: Any) -> OperationsError:
        state = error.sqlstate or ""
        said = {
            "42501": "may not be used so by this user; ask whoever looks after the server for the right to create "
            "tables and to read and write them",
            "25006": "may only be read; name the server that is written to",
            "53100": "cannot be written, as the server's disk is full; ask whoever looks after it to free space",
            "55P03": "has been busy with another change for long; try again in a moment",
        }.get(state)
        if said is None and isinstance(error, self._psycopg.OperationalError):
            said = f"cannot be reached ({_shorten(error)}); look at the address, the network and the server"
        if said is None:
            said = f"refused ({_shorten(error)}); ask whoever looks after the server"
        return OperationsError(f"{self.name} {said}.")


def _shorten(error: Exception) -> str:
    """The reason alone, in one line, of a message that may go on about hosts and hints."""
    lines = str(error).splitlines() or ["no reason given"]
    return lines[0].rpartition("failed: ")[2].removeprefix("FATAL:").strip()
