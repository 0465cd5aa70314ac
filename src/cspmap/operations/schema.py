"""The tables that operations are kept in, brought up to date in order.

One table, `cspmap_records`, takes every change to every record as a row of its own; nothing is ever altered or taken
away. The latest version of a record is what it is now, the others are its history, and the primary key lets a version
be saved only once. `kind` tells operations from what else may be kept beside them; `body` is JSON.
"""

from cspmap.operations.database import Database, OperationsError, Run

# Each step takes the tables from one version to the next, in SQL that every kind of database speaks. Steps are added
# at the end and never changed: they have been taken elsewhere.
STEPS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE cspmap_records_version (version INTEGER NOT NULL)",
        "INSERT INTO cspmap_records_version VALUES (0)",
        """
        CREATE TABLE cspmap_records (
            kind TEXT NOT NULL,
            id TEXT NOT NULL,
            version INTEGER NOT NULL CHECK (version > 0),
            saved_at TEXT NOT NULL,
            who TEXT NOT NULL,
            removed INTEGER NOT NULL CHECK (removed IN (0, 1)),
            body TEXT NOT NULL,
            PRIMARY KEY (kind, id, version)
        )
        """,
    ),
)


def prepare_tables(database: Database) -> None:
    """Make the tables, or bring those of an older version up to date, whole or not at all.

    Raises OperationsError where they are of a newer version or another program's.
    """
    with database.transact(write=False) as run:
        if _read_version(database, run) == len(STEPS):
            return
    with database.transact(write=True) as run:
        # Read again: of several that start together, one takes the steps.
        for step in STEPS[_read_version(database, run) :]:
            for statement in step:
                run(statement)
        run("UPDATE cspmap_records_version SET version = ?", len(STEPS))


def check_tables(database: Database, run: Run) -> None:
    """Raise OperationsError where the tables are no longer those that `prepare_tables` left."""
    if _read_version(database, run) != len(STEPS):
        raise database.report_damage()


def _read_version(database: Database, run: Run) -> int:
    tables = database.list_tables(run)
    if "cspmap_records_version" not in tables:
        if tables and database.exclusive:
            raise database.report_damage()
        return 0
    rows = run("SELECT version FROM cspmap_records_version")
    if len(rows) != 1 or not isinstance(rows[0][0], int):
        raise database.report_damage()
    version: int = rows[0][0]
    if version > len(STEPS):
        raise OperationsError(f"{database.name} is of a newer version of cspmap; use that version, or a later one.")
    return version
