"""An operation: an area of focus, what is to be reached there, who acts, and what was decided.

Texts are kept exactly as they were typed and are not to be trusted: whoever shows them escapes them. The limits on
lengths and numbers stand beside the types; `cspmap.operations.document` holds everybody to them.
"""

import re
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import uuid4

from cspmap.operations.document import Between, Most, Text
from cspmap.periods import Span

_IDENTIFIER = re.compile("[0-9a-f]{32}")

Status = Literal["draft", "running", "ended", "judged", "cancelled"]
ActionStatus = Literal["open", "done", "dropped"]

# A text that must be there, a line that may be blank, and longer ones.
Name = Annotated[str, Text(200)]
Line = Annotated[str, Text(200, blank=True)]
Statement = Annotated[str, Text(4_000)]
Passage = Annotated[str, Text(4_000, blank=True)]
Notes = Annotated[str, Text(50_000, blank=True)]
Percent = Annotated[float, Between(0, 100)]

Position = tuple[float, float]
Ring = Annotated[tuple[Position, ...], Most(20_000)]
Polygon = tuple[Ring, ...]


@dataclass(frozen=True)
class Units:
    """Areas of one level of the partnership: the level's key and the codes, at least one and none twice."""

    kind: ClassVar = "units"
    level: Name
    codes: Annotated[tuple[Name, ...], Most(5_000)]


@dataclass(frozen=True)
class Outline:
    """A drawn outline: polygons of rings of (longitude, latitude) in WGS84, kept bit by bit.

    As in GeoJSON (RFC 7946, section 3.1.6) a polygon's first ring is its edge and any others are its holes, and the
    last position of a ring is its first.
    """

    kind: ClassVar = "outline"
    polygons: Annotated[tuple[Polygon, ...], Most(200)]


Area = Units | Outline


@dataclass(frozen=True)
class CrimeGoal:
    """A measure of success in recorded crime: by how many per cent it is to change, down being negative.

    `crimes` are keys of crime types or groups; none means all crime.
    """

    kind: ClassVar = "crime"
    crimes: Annotated[tuple[Name, ...], Most(100)]
    change_percent: Annotated[float, Between(-100, 1_000)]


@dataclass(frozen=True)
class SurveyGoal:
    """A measure of success in a survey: `measure` is to come to `percent` of those asked, from below or above."""

    kind: ClassVar = "survey"
    measure: Name
    direction: Literal["at least", "at most"]
    percent: Percent


Goal = CrimeGoal | SurveyGoal


@dataclass(frozen=True)
class SurveyResult:
    """A survey's figure, entered by hand: `percent` of `sample_size` people asked around `asked`.

    `measure` is its short name, the same in every wave and in the goal; `question` is the wording put to people. A
    sample size of None is not known, and then there is no margin of error.
    """

    measure: Name
    percent: Percent
    asked: date
    sample_size: Annotated[int, Between(1, 10_000_000)] | None = None
    question: Passage = ""
    source: Passage = ""


@dataclass(frozen=True)
class Action:
    """Something that somebody is to do; `raised` is when it was agreed."""

    text: Statement
    owner: Line = ""
    due: date | None = None
    status: ActionStatus = "open"
    raised: date | None = None


@dataclass(frozen=True)
class Decision:
    """What a meeting decided, and why."""

    text: Statement
    reason: Passage = ""
    made: date | None = None
    made_by: Line = ""


def _make_identifier() -> str:
    return uuid4().hex


def is_identifier(value: object) -> bool:
    """Whether a value is written as operations' identifiers are: 32 hexadecimal digits."""
    return isinstance(value, str) and _IDENTIFIER.fullmatch(value) is not None


@dataclass(frozen=True)
class Operation:
    """A geographical area of focus and all that is kept with it.

    `area` is None while nothing has been chosen, and `buffer_metres` None where displacement is not looked for.
    `chosen_on` is the period whose crime the area was chosen by: judged from its peak, crime falls by itself.
    `id` and `version` are the database's: 0 before the first save, then one more with each.
    """

    name: Name
    aim: Passage = ""
    goals: Annotated[tuple[Goal, ...], Most(100)] = ()
    lead: Line = ""
    status: Status = "draft"
    start: date | None = None
    end: date | None = None
    area: Area | None = None
    buffer_metres: Annotated[float, Between(1, 20_000)] | None = None
    comparison_areas: Annotated[tuple[Area, ...], Most(200)] = ()
    chosen_on: Span | None = None
    notes: Notes = ""
    actions: Annotated[tuple[Action, ...], Most(1_000)] = ()
    decisions: Annotated[tuple[Decision, ...], Most(1_000)] = ()
    surveys: Annotated[tuple[SurveyResult, ...], Most(1_000)] = ()
    id: Annotated[str, Text(64)] = field(default_factory=_make_identifier)
    version: Annotated[int, Between(0, 2_000_000_000)] = 0


@dataclass(frozen=True)
class Change:
    """One version of an operation: who saved it, when (UTC), and whether that was to remove it."""

    operation: Operation
    saved_at: datetime
    who: str
    removed: bool = False


def compare_operations(one: Operation, other: Operation) -> tuple[str, ...]:
    """In words, in what two operations differ, but for their versions: ("lead", "comparison areas")."""
    return tuple(
        item.name.replace("_", " ")
        for item in fields(Operation)
        if item.name != "version" and getattr(one, item.name) != getattr(other, item.name)
    )


def name_briefly(operation: Operation) -> str:
    """The name for a message: on one line, and short."""
    name = " ".join(operation.name.split()) or "without a name"
    return name if len(name) <= 60 else f"{name[:60]}..."
