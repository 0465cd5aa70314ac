"""Operations kept in a database, with every change that was ever made to them."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self

from cspmap.errors import Problem, ProblemsError, UserError
from cspmap.operations.checks import find_problems
from cspmap.operations.database import Database, open_database
from cspmap.operations.decisions import Decisions
from cspmap.operations.document import decode_value, encode_value
from cspmap.operations.entries import Entries, MeetingEntry
from cspmap.operations.geojson import read_features
from cspmap.operations.operation import Change, Name, Operation, compare_operations, is_identifier, name_briefly
from cspmap.operations.records import Record, Records, open_records
from cspmap.operations.schema import prepare_tables
from cspmap.periods import Month

_KIND = "operation"


class ConflictError(UserError):
    """Somebody else saved or removed an operation after it was opened here; nothing was written.

    `mine` is what was to be saved, `theirs` what is there now, and `differences` names in words what differs. To save
    `mine` all the same, after a look at `theirs`, give it `theirs.operation.version`.
    """

    def __init__(self, mine: Operation, theirs: Change) -> None:
        self.mine = mine
        self.theirs = theirs
        self.differences = compare_operations(mine, theirs.operation)
        super().__init__(mine, theirs)

    def __str__(self) -> str:
        when = self.theirs.saved_at.astimezone()
        told = f"{when:%H:%M} on {when.day} {Month(when.year, when.month).words}"
        did = "removed" if self.theirs.removed else "saved"
        parts = " and ".join(filter(None, (", ".join(self.differences[:-1]), *self.differences[-1:])))
        differs = f"the two now differ in {parts}" if parts else "the two do not differ"
        who, name = " ".join(self.theirs.who.split()), name_briefly(self.mine)
        return f'{who} {did} "{name}" at {told}, after you opened it, and {differs}; compare the two and save again.'


class Operations:
    """The operations of one database. It holds nothing open, so that any number of threads may share it.

    Every method raises OperationsError, in one sentence, where the database cannot be reached, read or written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database at a URL, making what is not there yet: a file, its tables.

        Raises OperationsError where that cannot be, or the database is damaged or of a newer version.
        """
        database = open_database(url)
        prepare_tables(database)
        return cls(database)

    @property
    def entries(self) -> Entries:
        """What meetings said, kept beside the operations."""
        return Entries(self._database)

    @property
    def decisions(self) -> Decisions:
        """What the group decided about its priorities, kept beside the operations."""
        return Decisions(self._database)

    def list_operations(self, *, removed: bool = False) -> tuple[Operation, ...]:
        """All operations by name, or all those `removed`, as they were then."""
        with self._open(write=False) as records:
            latest = records.list_latest()
        found = [self._decode(record) for record in latest if record.removed == removed]
        return tuple(sorted(found, key=lambda operation: (operation.name.casefold(), operation.name, operation.id)))

    def read_operation(self, identifier: str) -> Operation:
        """The operation as it is now. Raises UserError where there is none, or no longer."""
        change = None
        if is_identifier(identifier):
            with self._open(write=False) as records:
                change = self._find_latest(records, identifier)
        if change is None:
            raise UserError("There is no such operation here; choose one from the list.")
        if change.removed:
            who = " ".join(change.who.split())
            raise UserError(
                f'{who} removed the operation "{name_briefly(change.operation)}"; its history is kept and it can be '
                "saved again from there."
            )
        return change.operation

    def read_history(self, identifier: str) -> tuple[Change, ...]:
        """Every version of an operation, the latest first; none where there has never been one."""
        if not is_identifier(identifier):
            return ()
        with self._open(write=False) as records:
            versions = records.list_versions(identifier)
        return tuple(map(self._read_change, versions))

    def save_operation(self, operation: Operation, *, who: str) -> Operation:
        """Keep an operation as its next version, and return that; what has not changed is not kept twice.

        A removed operation is restored by saving its last version. Raises ConflictError where the latest version kept
        is not the one that `operation` was opened as, and ProblemsError with every fault of the operation.
        """
        _refuse_faults([operation], who)
        with self._open(write=True) as records:
            latest = self._find_latest(records, operation.id)
            if latest is not None and _is_same(operation, latest):
                return latest.operation
            if latest is not None and latest.operation.version != operation.version:
                raise ConflictError(operation, latest)
            return self._append(records, operation, latest, who=who)

    def remove_operation(self, operation: Operation, *, who: str) -> None:
        """Take an operation off the list; its history stays. Raises ConflictError as `save_operation` does."""
        _refuse_faults([], who)
        with self._open(write=True) as records:
            latest = self._find_latest(records, operation.id)
            if latest is None or latest.removed:
                return
            if latest.operation.version != operation.version:
                raise ConflictError(operation, latest)
            self._append(records, latest.operation, latest, who=who, removed=True)

    def import_operations(
        self, operations: Iterable[Operation], *, who: str, replace_existing: bool = False
    ) -> tuple[Operation, ...]:
        """Keep operations of another database or of a file, all or none, and return them as they are here now.

        Versions counted elsewhere mean nothing here: what is not here starts at 1. Raises ProblemsError with every
        fault, and, unless `replace_existing`, with every operation that is here already and differs.
        """
        wanted = [(_place(operation), operation) for operation in operations]
        problems = [problem for _, operation in wanted for problem in find_problems(operation)]
        return self._take(wanted, [], problems, who=who, replace_existing=replace_existing)

    def import_file(
        self, text: str | bytes, *, name: str, who: str, replace_existing: bool = False
    ) -> tuple[Operation, ...]:
        """Keep the operations of a GeoJSON file and what meetings said of them, all or none; as `import_operations`.

        Raises ProblemsError with every problem of the file, whose places begin with its `name`, and of what it meets
        here.
        """
        problems: list[Problem] = []
        features = read_features(text, name=name, problems=problems)
        wanted = [(feature.where, feature.operation) for feature in features]
        said = [entry for feature in features for entry in feature.entries]
        return self._take(wanted, said, problems, who=who, replace_existing=replace_existing)

    def _take(
        self,
        wanted: Sequence[tuple[str, Operation]],
        said: Sequence[tuple[str, MeetingEntry]],
        problems: Sequence[Problem],
        *,
        who: str,
        replace_existing: bool,
    ) -> tuple[Operation, ...]:
        """Keep operations and entries, each beside its place in words, unless there are problems."""
        faults = [*problems, *_find_nameless(who)]
        kept = []
        with self._open(write=True) as records:
            for where, operation in wanted:
                latest = self._find_latest(records, operation.id)
                if latest is not None and _is_same(operation, latest):
                    kept.append(latest.operation)
                elif latest is not None and not replace_existing:
                    faults.append(_name_existing(where, operation, latest))
                elif not faults:
                    kept.append(self._append(records, operation, latest, who=who))
            faults += self.entries.take_entries(records, said, who=who, replace_existing=replace_existing)
            if faults:
                raise ProblemsError(faults)
        return tuple(kept)

    def _open(self, *, write: bool) -> AbstractContextManager[Records]:
        return open_records(_KIND, self._database, write=write)

    def _append(
        self, records: Records, operation: Operation, latest: Change | None, *, who: str, removed: bool = False
    ) -> Operation:
        saved = replace(operation, version=latest.operation.version + 1 if latest else 1)
        body = encode_value(saved)
        identifier, version = body.pop("id"), body.pop("version")
        records.append(Record(identifier, version, datetime.now(UTC), who, removed, body))
        return saved

    def _find_latest(self, records: Records, identifier: str) -> Change | None:
        record = records.find_latest(identifier)
        return None if record is None else self._read_change(record)

    def _read_change(self, record: Record) -> Change:
        return Change(self._decode(record), record.saved_at, record.who, record.removed)

    def _decode(self, record: Record) -> Operation:
        values = record.body | {"id": record.id, "version": record.version}
        operation = decode_value(Operation, values, where="", problems=[])
        if operation is None:
            raise self._database.report_damage()
        return operation


def _is_same(operation: Operation, latest: Change) -> bool:
    return not latest.removed and not compare_operations(operation, latest.operation)


def _place(operation: Operation) -> str:
    return f'Operation "{name_briefly(operation)}"'


def _name_existing(where: str, operation: Operation, latest: Change) -> Problem:
    differences = ", ".join(compare_operations(operation, latest.operation))
    state = "was here and has been removed" if latest.removed else f"is here already and differs in {differences}"
    return Problem(where, state, "leave it out or have it replaced")


def _refuse_faults(operations: Iterable[Operation], who: str) -> None:
    problems = [problem for operation in operations for problem in find_problems(operation)]
    problems += _find_nameless(who)
    if problems:
        raise ProblemsError(problems)


def _find_nameless(who: str) -> list[Problem]:
    """What is wrong with the name of whoever makes a change."""
    problems: list[Problem] = []
    where = "Who makes this change"
    decode_value(Name, who, where=where, problems=problems)
    if "\0" in who:
        problems.append(Problem(where, "holds a character without a meaning", "type it again"))
    return problems
