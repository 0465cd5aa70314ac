"""Records and every version of them, of whatever kind."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cspmap.operations.database import Database, Run
from cspmap.operations.schema import check_tables


@dataclass(frozen=True)
class Record:
    """One version of a record: its content, who saved it and when (UTC), and whether that was to remove it."""

    id: str
    version: int
    saved_at: datetime
    who: str
    removed: bool
    body: dict[str, Any]


class Records:
    """The records of one kind, within one transaction."""

    def __init__(self, kind: str, database: Database, run: Run) -> None:
        self._kind = kind
        self._database = database
        self._run = run

    def turn_to(self, kind: str) -> "Records":
        """The records of another kind, within the same transaction."""
        return Records(kind, self._database, self._run)

    def list_latest(self) -> list[Record]:
        """The latest version of every record."""
        return self._list(
            """
            SELECT id, version, saved_at, who, removed, body FROM cspmap_records AS one
            WHERE kind = ? AND version =
                (SELECT MAX(version) FROM cspmap_records AS other WHERE other.kind = one.kind AND other.id = one.id)
            """,
            self._kind,
        )

    def find_latest(self, identifier: str) -> Record | None:
        """The latest version of a record; None where there has never been one."""
        records = self._list(
            """
            SELECT id, version, saved_at, who, removed, body FROM cspmap_records
            WHERE kind = ? AND id = ? ORDER BY version DESC LIMIT 1
            """,
            self._kind,
            identifier,
        )
        return records[0] if records else None

    def list_versions(self, identifier: str) -> list[Record]:
        """Every version of a record, the latest first."""
        return self._list(
            """
            SELECT id, version, saved_at, who, removed, body FROM cspmap_records
            WHERE kind = ? AND id = ? ORDER BY version DESC
            """,
            self._kind,
            identifier,
        )

    def append(self, record: Record) -> None:
        """Add a version of a record."""
        self._run(
            "INSERT INTO cspmap_records (kind, id, version, saved_at, who, removed, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
            self._kind,
            record.id,
            record.version,
            record.saved_at.isoformat(),
            record.who,
            int(record.removed),
            # With everything beyond ASCII escaped, so that any server's encoding holds it.
            json.dumps(record.body, allow_nan=False),
        )

    def _list(self, statement: str, *values: str) -> list[Record]:
        rows = self._run(statement, *values)
        try:
            return [_read_row(*row) for row in rows]
        except (TypeError, ValueError) as error:
            raise self._database.report_damage() from error


@contextmanager
def open_records(kind: str, database: Database, *, write: bool) -> Iterator[Records]:
    """The records of a kind in a transaction of their own. Raises OperationsError where the database fails."""
    with database.transact(write=write) as run:
        check_tables(database, run)
        yield Records(kind, database, run)


def _read_row(identifier: str, version: int, saved_at: str, who: str, removed: int, body: str) -> Record:
    return Record(
        id=identifier,
        version=version,
        saved_at=datetime.fromisoformat(saved_at).astimezone(UTC),
        who=str(who),
        removed=bool(removed),
        body=dict(json.loads(body)),
    )
