"""What the group decided about each category of its scanning chart, a year at a time, with every change to it.

A record holds the columns that are the group's to set (the policy ones and public concern), whether the category is
to be a priority, and why. It is one record a category and year, so that of two people who change the same one at the
same time the second is told, and neither's is lost.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from cspmap.errors import Problem, ProblemsError, UserError
from cspmap.operations.database import Database
from cspmap.operations.document import Between, decode_value, encode_value
from cspmap.operations.operation import Line, Name, Passage
from cspmap.operations.records import Record, Records, open_records
from cspmap.periods import Month, Span
from cspmap.priorities import MARKS, Mark

_KIND = "priority"
# What tells two versions apart; the rest says which record it is, and who saved it when.
_CONTENT = ("choice", "reason", *MARKS)
_PLACE = "The decision"

Ticked = Literal["yes", "no", "as in the file"]
Choice = Literal["include", "exclude", "open"]


@dataclass(frozen=True)
class CategoryDecision:
    """What the group set of a category for the year that its figures are of, and who saved this version when (UTC).

    A mark is "as in the file" where the group has not set it; a choice is "open" until the group has made it, and then
    needs its reason. `version` is the database's; a new decision has version 0.
    """

    crime: Name
    year: Span
    choice: Choice = "open"
    reason: Passage = ""
    national_target: Ticked = "as in the file"
    local_agreement: Ticked = "as in the file"
    national_indicator: Ticked = "as in the file"
    public_concern: Ticked = "as in the file"
    who: Line = ""
    saved_at: Line = ""
    version: Annotated[int, Between(0, 2_000_000_000)] = 0

    def find_mark(self, mark: Mark) -> Ticked:
        """What the group set of a mark."""
        ticked: Ticked = getattr(self, mark)
        return ticked


class DecisionConflictError(UserError):
    """Somebody else saved a decision after it was shown here; nothing was written. `theirs` is what is there now.

    To save `mine` all the same, after a look at `theirs`, give it `theirs.version`.
    """

    def __init__(self, mine: CategoryDecision, theirs: CategoryDecision) -> None:
        self.mine = mine
        self.theirs = theirs
        super().__init__(mine, theirs)

    def __str__(self) -> str:
        when = datetime.fromisoformat(self.theirs.saved_at).astimezone()
        told = f"{when:%H:%M} on {when.day} {Month(when.year, when.month).words}"
        who = " ".join(self.theirs.who.split())
        return f"{who} saved this category at {told}, after it was shown here; look at theirs, then save yours again."


class Decisions:
    """The decisions of one database. Raises OperationsError as `Operations` does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read_year(self, year: Span) -> dict[str, CategoryDecision]:
        """The latest decision on each category for a year, by crime key."""
        with self._open(write=False) as records:
            found = [self._decode(record) for record in records.list_latest()]
        return {each.crime: each for each in found if each.year == year}

    def read_history(self, crime: str, year: Span) -> tuple[CategoryDecision, ...]:
        """Every version of a decision, the latest first; none where there has never been one."""
        with self._open(write=False) as records:
            return tuple(map(self._decode, records.list_versions(_identify(crime, year))))

    def save_decision(self, decision: CategoryDecision, *, who: str) -> CategoryDecision:
        """Keep a decision as its next version, and return that; what has not changed is not kept twice.

        Raises DecisionConflictError where the latest version kept is not the one that `decision` was shown as, and
        ProblemsError with every fault.
        """
        decision = _hold_to_limits(replace(decision, who=who, saved_at=""))
        with self._open(write=True) as records:
            record = records.find_latest(_identify(decision.crime, decision.year))
            latest = None if record is None else self._decode(record)
            if latest is not None and all(getattr(latest, name) == getattr(decision, name) for name in _CONTENT):
                return latest
            if (latest.version if latest else 0) != decision.version:
                if latest is None:
                    raise UserError("This decision is not kept here any more; open the page again.")
                raise DecisionConflictError(decision, latest)
            return _append(records, decision)

    def _open(self, *, write: bool) -> AbstractContextManager[Records]:
        return open_records(_KIND, self._database, write=write)

    def _decode(self, record: Record) -> CategoryDecision:
        values = record.body | {
            "version": record.version,
            "who": record.who,
            "saved_at": record.saved_at.isoformat(timespec="seconds"),
        }
        decision = decode_value(CategoryDecision, values, where="", problems=[])
        if decision is None:
            raise self._database.report_damage()
        return decision


def _identify(crime: str, year: Span) -> str:
    return f"{year}/{crime}"


def _append(records: Records, decision: CategoryDecision) -> CategoryDecision:
    now = datetime.now(UTC)
    saved = replace(decision, version=decision.version + 1, saved_at=now.isoformat(timespec="seconds"))
    kept = ("crime", "year", *_CONTENT)
    body = {key: value for key, value in encode_value(saved).items() if key in kept}
    records.append(Record(_identify(saved.crime, saved.year), saved.version, now, saved.who, False, body))
    return saved


def _hold_to_limits(decision: CategoryDecision) -> CategoryDecision:
    """The decision, if it may be kept. Raises ProblemsError with every fault."""
    problems: list[Problem] = []
    if decode_value(CategoryDecision, encode_value(decision), where=_PLACE, problems=problems) is not None:
        problems.extend(_find_faults(decision))
    if problems:
        raise ProblemsError(problems)
    return decision


def _find_faults(decision: CategoryDecision) -> Iterator[Problem]:
    if not decision.who.strip():
        yield Problem("Your name", "is blank", "fill it in")
    if decision.choice != "open" and not decision.reason.strip():
        yield Problem(_PLACE, f"is to {decision.choice}, and has no reason", "say why, for the record")
    if any("\0" in text for text in (decision.crime, decision.reason, decision.who)):
        yield Problem(_PLACE, "holds a character without a meaning", "type it again")
