"""What meetings say: actions and decisions typed in on a screen, kept under its subject, with every change to them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import uuid4

from cspmap.errors import Problem, ProblemsError, UserError, quote_briefly
from cspmap.operations.database import Database
from cspmap.operations.document import Between, Text, decode_value, encode_value
from cspmap.operations.operation import ActionStatus, Line, Name, Statement, is_identifier
from cspmap.operations.records import Record, Records, open_records

_KIND = "meeting entry"
# What a meeting may change of an entry afterwards, and nothing else tells two versions apart.
_CONTENT = ("subject", "about", "kind", "text", "owner", "due", "status", "said")

EntryKind = Literal["action", "decision"]


@dataclass(frozen=True)
class MeetingEntry:
    """An action or a decision. `said` is the day of the meeting, `who` the one who typed this version in.

    `subject` is the key of the screen that it was said on ("area:south", "operation:ID"); `about` that screen's title
    then, which still reads where the subject is gone. A decision keeps the status "open" and has no use for it.
    `id` and `version` are the database's, as an operation's are; a new entry has version 0.
    """

    subject: Name
    text: Statement
    said: date
    kind: EntryKind = "action"
    about: Line = ""
    owner: Line = ""
    due: date | None = None
    status: ActionStatus = "open"
    who: Line = ""
    id: Annotated[str, Text(64)] = field(default_factory=lambda: uuid4().hex)
    version: Annotated[int, Between(0, 2_000_000_000)] = 0


@dataclass(frozen=True)
class Removal:
    """An entry that was taken away, as it was then, and when that was (UTC); its `who` is whoever did it."""

    entry: MeetingEntry
    removed_at: datetime


class EntryConflictError(UserError):
    """Somebody else changed an entry after it was shown here; nothing was written. `theirs` is what is there now."""

    def __init__(self, mine: MeetingEntry, theirs: MeetingEntry) -> None:
        self.mine = mine
        self.theirs = theirs
        super().__init__(mine, theirs)

    def __str__(self) -> str:
        who = " ".join(self.theirs.who.split())
        return (
            f"{who} changed {quote_briefly(' '.join(self.theirs.text.split()))} after it was shown here; look at it as "
            "it is now and change it again."
        )


def read_entry(values: Mapping[str, Any]) -> MeetingEntry:
    """An entry from plain values, as a browser sends them. Raises ProblemsError with every fault."""
    problems: list[Problem] = []
    entry = decode_value(MeetingEntry, dict(values), where="What was typed in", problems=problems)
    if entry is None:
        raise ProblemsError(problems)
    return entry


class Entries:
    """The entries of one database. Raises OperationsError as `Operations` does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_entries(self) -> tuple[MeetingEntry, ...]:
        """All entries that have not been taken away: the latest meeting's first, and there in the order typed in."""
        with self._open(write=False) as records:
            found = [(record.saved_at, self._decode(record)) for record in records.list_latest() if not record.removed]
            first = {entry.id: self._find_first(records, entry.id) for _, entry in found if entry.version > 1}
        ordered = sorted(found, key=lambda pair: (first.get(pair[1].id, pair[0]), pair[1].id))
        return tuple(sorted((entry for _, entry in ordered), key=lambda entry: entry.said, reverse=True))

    def list_removed(self) -> tuple[Removal, ...]:
        """All entries that have been taken away, the latest first."""
        with self._open(write=False) as records:
            gone = [record for record in records.list_latest() if record.removed]
            removals = [Removal(self._decode(record), record.saved_at) for record in gone]
        return tuple(sorted(removals, key=lambda each: (each.removed_at, each.entry.id), reverse=True))

    def list_versions(self, identifier: str) -> tuple[MeetingEntry, ...]:
        """Every version of an entry, the latest first; none where there has never been one."""
        with self._open(write=False) as records:
            return tuple(map(self._decode, records.list_versions(identifier)))

    def save_entry(self, entry: MeetingEntry, *, who: str) -> MeetingEntry:
        """Keep an entry as its next version, and return that; what has not changed is not kept twice.

        Raises EntryConflictError where the latest version kept is not the one that `entry` was shown as, and
        ProblemsError with every fault.
        """
        entry = _hold_to_limits(replace(entry, who=who))
        with self._open(write=True) as records:
            latest, removed = self._find_latest(records, entry.id)
            if latest is not None and not removed and _is_same(entry, latest):
                return latest
            if latest is not None and latest.version != entry.version:
                raise EntryConflictError(entry, latest)
            return _append(records, entry, latest)

    def remove_entry(self, entry: MeetingEntry, *, who: str) -> None:
        """Take an entry away, such as one typed in by mistake; its history stays. Raises EntryConflictError."""
        entry = _hold_to_limits(replace(entry, who=who))
        with self._open(write=True) as records:
            latest, removed = self._find_latest(records, entry.id)
            if latest is None or removed:
                return
            if latest.version != entry.version:
                raise EntryConflictError(entry, latest)
            _append(records, replace(latest, who=who), latest, removed=True)

    def take_entries(
        self, records: Records, entries: Iterable[tuple[str, MeetingEntry]], *, who: str, replace_existing: bool
    ) -> list[Problem]:
        """Keep entries of a file, each beside where it stands there, in a transaction of somebody else's.

        Who typed an entry in stays with it; where nobody is named, `who` takes it in. Returned are the problems of
        those that are here already and differ, unless they are to be replaced: with any, nothing may be kept.
        """
        problems, own = [], records.turn_to(_KIND)
        for where, entry in entries:
            latest, removed = self._find_latest(own, entry.id)
            if latest is not None and not removed and _is_same(entry, latest):
                continue
            if latest is not None and not replace_existing:
                differs = f"is here already and differs in {_name_differences(entry, latest)}"
                state = "was here and has been removed" if removed else differs
                problems.append(Problem(where, state, "leave it out or have it replaced"))
                continue
            _append(own, entry if entry.who.strip() else replace(entry, who=who), latest)
        return problems

    def _open(self, *, write: bool) -> AbstractContextManager[Records]:
        return open_records(_KIND, self._database, write=write)

    def _find_latest(self, records: Records, identifier: str) -> tuple[MeetingEntry | None, bool]:
        """The latest version, and whether that was to take it away."""
        record = records.find_latest(identifier)
        return (None, False) if record is None else (self._decode(record), record.removed)

    def _find_first(self, records: Records, identifier: str) -> datetime:
        return min(record.saved_at for record in records.list_versions(identifier))

    def _decode(self, record: Record) -> MeetingEntry:
        values = record.body | {"id": record.id, "version": record.version, "who": record.who}
        entry = decode_value(MeetingEntry, values, where="", problems=[])
        if entry is None:
            raise self._database.report_damage()
        return entry


def _append(
    records: Records, entry: MeetingEntry, latest: MeetingEntry | None, *, removed: bool = False
) -> MeetingEntry:
    saved = replace(entry, version=latest.version + 1 if latest else 1)
    body = {key: value for key, value in encode_value(saved).items() if key in _CONTENT}
    records.append(Record(saved.id, saved.version, datetime.now(UTC), saved.who, removed, body))
    return saved


def _is_same(one: MeetingEntry, other: MeetingEntry) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in _CONTENT)


def _hold_to_limits(entry: MeetingEntry) -> MeetingEntry:
    """The entry, if it may be kept. Raises ProblemsError with every fault."""
    problems: list[Problem] = []
    if decode_value(MeetingEntry, encode_value(entry), where="What was typed in", problems=problems) is not None:
        if not entry.who.strip():
            problems.append(Problem("Who types this in", "is blank", "fill it in"))
        problems += [Problem("What was typed in", what, fix) for what, fix in find_entry_faults(entry)]
    if problems:
        raise ProblemsError(problems)
    return entry


def find_entry_faults(entry: MeetingEntry) -> Iterator[tuple[str, str]]:
    """What of an entry may not be kept, though each field is of its type, as what is wrong and what to do."""
    if not is_identifier(entry.id):
        yield f"has the identifier {entry.id!r}", "leave it out"
    if any("\0" in text for text in (entry.text, entry.owner, entry.about, entry.subject, entry.who)):
        yield "holds a character without a meaning", "type it again"


def name_subject(operation: str) -> str:
    """The subject of what is said of an operation, by its identifier."""
    return f"operation:{operation}"


def _name_differences(one: MeetingEntry, other: MeetingEntry) -> str:
    return ", ".join(name for name in _CONTENT if getattr(one, name) != getattr(other, name))
