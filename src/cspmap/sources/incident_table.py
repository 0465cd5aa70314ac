"""The table that every source of incidents is read into, and the parts that a source consists of."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from cspmap.errors import Problem
from cspmap.periods import Month

# One row an incident. `month` is "YYYY-MM"; `crime_type` a key of the partnership; longitude and latitude are WGS84
# degrees, both null where the place is not known; `lsoa_code` is the publisher's; times are local.
INCIDENT_SCHEMA = pa.schema(
    [
        ("incident_id", pa.string()),
        ("month", pa.string()),
        ("crime_type", pa.string()),
        ("longitude", pa.float64()),
        ("latitude", pa.float64()),
        ("location", pa.string()),
        ("lsoa_code", pa.string()),
        ("outcome", pa.string()),
        ("occurred_from", pa.timestamp("s")),
        ("occurred_to", pa.timestamp("s")),
    ]
)


@dataclass(frozen=True)
class IncidentPart:
    """A file of incidents, or one in a zip file, which is read as a whole.

    `name` is for people. `months` are known beforehand or, where only reading tells them, None. `fingerprint` changes
    when the content does. `read` returns a table of INCIDENT_SCHEMA, whose metadata has under b"notes" a JSON list of
    sentences about what was odd but could be worked with; it raises SourceError with all problems of the file.
    """

    name: str
    months: tuple[Month, ...] | None
    fingerprint: str
    read: Callable[[], pa.Table]


@dataclass
class MonthHolders:
    """Which part of one source holds each month: a month that two of them hold would be counted twice."""

    _names: dict[Month, str] = field(default_factory=dict)

    def add(self, name: str, months: Iterable[Month]) -> list[Problem]:
        """Take down that the part `name` holds these months; returns a problem for each that another holds."""
        holders = [(month, self._names.setdefault(month, name)) for month in months]
        return [report_twice(holder, name, month.words) for month, holder in holders if holder != name]


def report_twice(first: str, second: str, months: str) -> Problem:
    """The problem with two parts of one source that both hold some `months`, in words."""
    return Problem(
        f"{first} and {second}",
        f"both hold {months}",
        "take one away, or list them as two [[incidents]] sources, of which the later replaces the earlier",
    )


def make_incident_table(columns: Mapping[str, pa.Array], notes: Sequence[str]) -> pa.Table:
    """A table of INCIDENT_SCHEMA; columns that are not given are null throughout."""
    size = len(columns["month"])
    arrays = [columns[field.name] if field.name in columns else pa.nulls(size, field.type) for field in INCIDENT_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=INCIDENT_SCHEMA.with_metadata({b"notes": json.dumps(notes)}))
