"""The engine that a store's two large tables are asked in: the embedded one, or a database server that holds a copy.

Both are spoken to in Ibis alone. Which one it is, is one setting: where CSPMAP_ENGINE holds the address of a server
(`postgres://user@host/database`), questions go there, to the copy that `copy_tables` (`cspmap load`) made of this
version of the store; else to DuckDB within this process. Everything small (areas, denominators, deprivation) stays in
the store.
"""

import os
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cspmap.errors import UserError
from cspmap.store import Store

if TYPE_CHECKING:
    import ibis.expr.types as ir

ENGINE_VARIABLE = "CSPMAP_ENGINE"

# Keys as enumerations are compared twice as fast as texts.
_HOLD_CUBE = (
    "CREATE TYPE layer_key AS ENUM (SELECT DISTINCT layer FROM read_parquet(?) ORDER BY ALL)",
    "CREATE TYPE code_key AS ENUM (SELECT DISTINCT code FROM read_parquet(?) ORDER BY ALL)",
    "CREATE TYPE crime_type_key AS ENUM (SELECT DISTINCT crime_type FROM read_parquet(?) ORDER BY ALL)",
    "CREATE TABLE cube AS SELECT * REPLACE "
    "(layer::layer_key AS layer, code::code_key AS code, crime_type::crime_type_key AS crime_type) "
    "FROM read_parquet(?)",
)
# Written last: a copy without it was broken off.
_WHOLE = "whole"
# Of no use but to the build.
_HASH = "id_hash"


class EngineError(UserError):
    """The database server cannot answer, or does not hold this version of the store."""


class Tables(Protocol):
    """The tables by name, as Ibis gives them."""

    def table(self, name: str) -> "ir.Table":
        """The table `cube` or `incidents`."""


class Engine(ABC):
    """Where the tables are. Safe to share between threads: each question borrows a connection of its own."""

    def __init__(self) -> None:
        self._idle: list[Tables] = []

    @contextmanager
    def borrow(self) -> Iterator[Tables]:
        """A connection for one question."""
        try:
            tables = self._idle.pop()
        except IndexError:
            tables = self._connect()
        try:
            yield tables
        finally:
            self._idle.append(tables)

    @abstractmethod
    def _connect(self) -> Tables: ...


class EmbeddedEngine(Engine):
    """DuckDB within this process: the cube in memory, the incidents in the store's files."""

    def __init__(self, store: Store) -> None:
        import duckdb

        super().__init__()
        self._engine = duckdb.connect()
        with store.reading():
            for statement in _HOLD_CUBE:
                self._engine.execute(statement, [str(store.table("cube"))])
            pattern = store.incidents.replace("'", "''")
            self._engine.execute(f"CREATE VIEW incidents AS FROM read_parquet('{pattern}')")

    def _connect(self) -> Tables:
        import ibis

        backend: Tables = ibis.duckdb.from_connection(self._engine.cursor())
        return backend


class ServerEngine(Engine):
    """A database server that holds a copy of one version of a store."""

    def __init__(self, url: str, version: str) -> None:
        super().__init__()
        self._url, self._schema = url, name_schema(version)
        with _tell_failure():
            backend = _connect_server(url)
            if not _holds_whole(backend, self._schema):
                backend.disconnect()
                raise EngineError(
                    f"The database that {ENGINE_VARIABLE} names does not hold version {version} of the store; "
                    "copy it there with: cspmap load."
                )
        idle: list[Tables] = self._idle
        idle.append(_InSchema(backend, self._schema))
        # A server's connections do not end by themselves.
        weakref.finalize(self, _disconnect, idle)

    @contextmanager
    def borrow(self) -> Iterator[Tables]:
        """A connection for one question. Raises EngineError where the server fails."""
        with _tell_failure(), super().borrow() as tables:
            yield tables

    def _connect(self) -> Tables:
        return _InSchema(_connect_server(self._url), self._schema)


@dataclass(frozen=True)
class _InSchema:
    backend: Any
    schema: str

    def table(self, name: str) -> "ir.Table":
        table: ir.Table = self.backend.table(name, database=self.schema)
        return table


def open_engine(store: Store) -> Engine:
    """The engine that CSPMAP_ENGINE names for a store, else the embedded one.

    Raises EngineError where it names a server that does not answer or does not hold this version.
    """
    url = os.environ.get(ENGINE_VARIABLE)
    return ServerEngine(url, store.version) if url else EmbeddedEngine(store)


def copy_tables(store: Store, url: str) -> bool:
    """Copy a version of a store to a database server, into a schema of its own; False where it is there already.

    A copy that was broken off is made again. Raises EngineError where the server fails.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    schema = name_schema(store.version)
    with _tell_failure(), _visit_server(url) as backend:
        if _holds_whole(backend, schema):
            return False
        if schema in backend.list_databases():
            for table in backend.list_tables(database=schema):
                # Ibis 12 loses the name on the way to sqlglot 30: its own `drop_table` asks for "DROP TABLE".
                backend.raw_sql(f'DROP TABLE "{schema}"."{table}"').close()
        else:
            backend.create_database(schema)
        with store.reading():
            backend.create_table("cube", store.read_table("cube"), database=schema)
            files = sorted(Path(store.incidents).parent.glob("*.parquet"))
            # Of the incidents' columns some are empty for a whole file: their types come from its schema, not its rows.
            columns = [name for name in pq.read_schema(files[0]).names if name != _HASH]
            backend.create_table("incidents", schema=_read_schema(files[0], columns), database=schema)
            for file in files:
                backend.insert("incidents", pd.read_parquet(file, columns=columns), database=schema)
        backend.create_table(_WHOLE, pd.DataFrame({"version": [store.version]}), database=schema)
    return True


def name_schema(version: str) -> str:
    """The schema that a version of a store is copied into."""
    return f"cspmap_{version.replace('-', '_')}"


def _read_schema(file: Path, columns: list[str]) -> Any:
    import ibis
    import pyarrow.parquet as pq

    return ibis.Schema.from_pyarrow(pq.read_schema(file).empty_table().select(columns).schema)


@contextmanager
def _visit_server(url: str) -> Iterator[Any]:
    backend = _connect_server(url)
    try:
        yield backend
    finally:
        backend.disconnect()


def _disconnect(idle: "list[Tables]") -> None:
    for tables in idle:
        assert isinstance(tables, _InSchema)
        tables.backend.disconnect()


def _connect_server(url: str) -> Any:
    import ibis

    return ibis.connect(url)


def _holds_whole(backend: Any, schema: str) -> bool:
    return schema in backend.list_databases() and _WHOLE in backend.list_tables(database=schema)


@contextmanager
def _tell_failure() -> Iterator[None]:
    """Whatever a driver raises is told in one sentence, without the address, which may hold a password."""
    try:
        yield
    except UserError:
        raise
    except ImportError as error:
        raise EngineError(
            f"The database that {ENGINE_VARIABLE} names needs a driver that is not installed ({error.name}); "
            "for PostgreSQL: pip install 'cspmap[postgres]'."
        ) from error
    except Exception as error:
        # Every driver has errors of its own, without a common ancestor; faults of the program itself are none of them.
        if isinstance(error, (AttributeError, TypeError, AssertionError)):
            raise
        raise EngineError(
            f"The database that {ENGINE_VARIABLE} names does not answer ({type(error).__name__}); "
            "check its address, and that the server runs."
        ) from error
