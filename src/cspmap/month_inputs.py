"""Which part of which source each month of a store is made from."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from cspmap import __version__
from cspmap.errors import Problem, SourceError
from cspmap.layers import LayerSet
from cspmap.partnership import Partnership
from cspmap.periods import Month
from cspmap.sources.incidents import IncidentPart, MonthHolders, list_parts, note_unread
from cspmap.store import FORMAT, Store

# Of parts that had to be read to know their months, so much is kept to be written, and not read again.
MOST_KEPT = 256 << 20


@dataclass(frozen=True)
class MonthInput:
    """Where a month's incidents come from. The key changes when what is made of the part would."""

    month: Month
    source: int
    part: IncidentPart
    part_key: str

    @property
    def key(self) -> str:
        """Of the part and the month in it."""
        return f"{self.part_key} {self.month}"


@dataclass(frozen=True)
class Inputs:
    """The months to build, in order; the months that each part holds by its key, used or not; and plain notes.

    `dropped` are months of the version before that no source holds any more.
    """

    months: tuple[MonthInput, ...]
    held: dict[str, list[str]]
    notes: tuple[str, ...]
    dropped: tuple[Month, ...]


def choose_months(partnership: Partnership, layers: LayerSet, previous: Store | None) -> Inputs:
    """For each month the part it comes from: of sources that both hold it, the one listed later.

    Raises SourceError where a source holds a month twice, or none holds any.
    """
    found = _Found(partnership, _describe_making(partnership, layers), previous.manifest["held"] if previous else {})
    for number in range(len(partnership.incidents)):
        found.add_source(number)
    if not found.chosen:
        raise lack_incidents()
    return Inputs(
        months=tuple(found.chosen[month] for month in sorted(found.chosen)),
        held=found.held,
        notes=(*found.notes, *found.describe_replaced()),
        dropped=tuple(month for month in previous.months if month not in found.chosen) if previous else (),
    )


def lack_incidents() -> SourceError:
    """The error where no source holds an incident."""
    return SourceError([Problem("[[incidents]]", "the files hold no incidents", "give files of at least one month")])


def _describe_making(partnership: Partnership, layers: LayerSet) -> str:
    """What besides a part's content decides what is made of it."""
    # The engine is named because its hashes of identifiers, which one version writes, another need not make alike.
    tools = [FORMAT, __version__, duckdb.__version__]
    return json.dumps([*tools, layers.digest, partnership.type_of_published, list(layers.frames)], sort_keys=True)


@dataclass
class _Found:
    """The months found so far. `known` are the months of parts that an earlier build has read, by their keys."""

    partnership: Partnership
    made_with: str
    known: dict[str, list[str]]
    chosen: dict[Month, MonthInput] = field(default_factory=dict)
    held: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _replaced: dict[tuple[int, int], list[Month]] = field(default_factory=dict)
    _room: int = field(default_factory=lambda: MOST_KEPT)

    def add_source(self, number: int) -> None:
        """Take the months of a source over those of the sources before it."""
        source = self.partnership.incidents[number]
        self.notes.extend(note_unread(source))
        # Where a file lies and how it is cited change nothing about what is in it.
        read_as = replace(source, file=Path(), source="", covers="force")
        holders = MonthHolders()
        for part in list_parts(source, self.partnership):
            made_of = f"{self.made_with} {read_as} {part.months} {part.fingerprint}"
            key = hashlib.sha256(made_of.encode()).hexdigest()
            if key in self.known:
                months = [Month.parse(text) for text in self.known[key]]
            else:
                months, part = self._list_months(part)
            self.held[key] = [str(month) for month in months]
            if problems := holders.add(part.name, months):
                raise SourceError(problems)
            for month in months:
                if month in self.chosen:
                    self._replaced.setdefault((self.chosen[month].source, number), []).append(month)
                self.chosen[month] = MonthInput(month, number, part, key)

    def _list_months(self, part: IncidentPart) -> tuple[list[Month], IncidentPart]:
        """The months of a part; where it had to be read for them, what was read stays with it, if there is room."""
        if part.months is not None:
            return sorted(part.months), part
        table = part.read()
        if table.nbytes <= self._room:
            self._room -= table.nbytes
            part = replace(part, read=lambda: table)
        return sorted(map(Month.parse, table["month"].unique().to_pylist())), part

    def describe_replaced(self) -> list[str]:
        """A sentence for each two sources of which the later replaced months of the earlier."""
        sources = [source.source for source in self.partnership.incidents]
        return [
            _describe_replaced(sorted(months), sources[old], sources[new])
            for (old, new), months in self._replaced.items()
        ]


def _describe_replaced(months: Sequence[Month], old: str, new: str) -> str:
    if len(months) == 1:
        return f"1 month of {old} was replaced by {new} ({months[0].words})."
    return f"{len(months)} months of {old} were replaced by {new} ({months[0].words} to {months[-1].words})."
