"""data.police.uk's street-level crime files, as custom downloads and the bulk archives hold them.

Columns and file names: https://data.police.uk/docs/ and the files themselves.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cspmap.errors import Problem, SourceError, cut_short
from cspmap.partnership import IncidentSource, Partnership
from cspmap.periods import Month
from cspmap.sources.boundary_codes import list_briefly
from cspmap.sources.encodings import UTF16
from cspmap.sources.incident_files import IncidentFile, find_files
from cspmap.sources.incident_rows import IncidentRows, count_rows, find_header, read_delimited
from cspmap.sources.incident_table import IncidentPart, make_incident_table, report_twice
from cspmap.sources.positions import DEGREES, read_positions

# Of the twelve published columns those that are read; the others say nothing more.
_COLUMNS = (
    "Crime ID",
    "Month",
    "Falls within",
    "Longitude",
    "Latitude",
    "Location",
    "LSOA code",
    "Crime type",
    "Last outcome category",
)

_STREET = re.compile(r"((?:19|20)\d\d-(?:0[1-9]|1[0-2]))-(.+)-street\.csv", re.IGNORECASE)
# All that is published beside it, by any force.
_PUBLISHED = re.compile(rf"{_STREET.pattern}|(?:19|20)\d\d-\d\d-.+-(?:outcomes|stop-and-search)\.csv", re.IGNORECASE)
# The categories were 6 until August 2011 and 11 until April 2013, some of them under other names.
_FOURTEEN_SINCE = Month(2013, 5)
_OLDER = " (data.police.uk had fewer categories, some by other names, before May 2013)"
_NO_LOCATION = "No Location"
_AGAIN = "download it again from data.police.uk"

# What a force's name has besides the place it is for.
_COMMON_WORDS = {"and", "of", "the", "police", "constabulary", "service", "force"}
_OTHER_NAMES = {"btp": "british-transport"}


@dataclass(frozen=True)
class _StreetFile:
    """A file of street-level crime, by what its name says."""

    file: IncidentFile
    month: Month
    force: str


def list_street_parts(source: IncidentSource, partnership: Partnership) -> list[IncidentPart]:
    """The street files of the source's force, by month; no row is read.

    Files of other forces, of outcomes and of stop and search are left aside. Raises SourceError where there is none,
    where a zip file is damaged, or where a month is there twice.
    """
    force = (source.force or "").strip().casefold()
    found = find_files(source.file, lambda base: _STREET.fullmatch(base) is not None)
    every = [_read_name(file) for file in found]
    chosen = sorted((item for item in every if item.force == force), key=lambda item: item.month)
    if not chosen:
        raise SourceError([_lack_force(source.file.name, force, sorted({item.force for item in every}))])
    _check_months(chosen)
    kinds = partnership.type_of_published
    return [_describe_part(item, kinds) for item in chosen]


def note_unread_files(place: Path) -> list[str]:
    """A note on the files at `place` that hold street-level crime but are not named so, and are not read."""
    found = find_files(place, lambda base: base.lower().endswith(".csv") and not _PUBLISHED.fullmatch(base))
    strange = [file.name for file in found if _holds_crime(file)]
    if not strange:
        return []
    one = len(strange) == 1
    were = "1 file of street-level crime was" if one else f"{len(strange)} files of street-level crime were"
    return [
        f"{place.name}: {were} not read, because {'it is' if one else 'they are'} not named as data.police.uk does, "
        f"such as 2024-04-bedfordshire-street.csv: {list_briefly(strange, most=5)}."
    ]


def _holds_crime(file: IncidentFile) -> bool:
    """Whether the header of a CSV file is that of a street file; one that cannot be read is none."""
    try:
        header = file.read().partition(b"\n")[0]
    except SourceError:
        return False
    return all(name.encode() in header for name in _COLUMNS)


def _describe_part(item: _StreetFile, kinds: dict[str, str]) -> IncidentPart:
    return IncidentPart(
        item.file.name, (item.month,), item.file.find_fingerprint(), lambda: _read_street_file(item, kinds)
    )


def _read_name(file: IncidentFile) -> _StreetFile:
    match = _STREET.fullmatch(file.base)
    if match is None:
        raise ValueError(f"{file.base} is no street file")
    return _StreetFile(file, Month.parse(match[1]), match[2].casefold())


def _lack_force(place: str, force: str, others: list[str]) -> Problem:
    if others:
        what = f"it has no street-level file of force {force!r}, only of {list_briefly(others, most=5)}"
        return Problem(place, what, "correct force in the partnership file, or give the files of that force")
    what = f"it has no street-level file, which would be named as 2024-04-{force}-street.csv is"
    return Problem(place, what, "give the files as data.police.uk names them")


def _check_months(chosen: list[_StreetFile]) -> None:
    twice = [(first, second) for first, second in pairwise(chosen) if first.month == second.month]
    if twice:
        first, second = twice[0]
        rest = len(twice) - 1
        more = f" (and {rest} more {'month is' if rest == 1 else 'months are'} there twice)" if rest else ""
        raise SourceError([report_twice(first.file.name, second.file.name, f"{first.month.words}{more}")])


def _read_street_file(item: _StreetFile, kinds: dict[str, str]) -> pa.Table:
    name = item.file.name
    rows = read_delimited(find_header(name, _decode(name, item.file.read()), _COLUMNS), _COLUMNS, fix=_AGAIN)
    if not len(rows):
        rows.note("it holds no rows.")
    _check_month(rows, str(item.month))
    _check_force(rows, item.force)
    crime_type = rows.map_offences("Crime type", kinds, hint=_OLDER if item.month < _FOURTEEN_SINCE else "")
    longitude, latitude = read_positions(rows, "Longitude", "Latitude", DEGREES)
    rows.finish()
    location = rows.columns["Location"]
    columns = {
        "incident_id": rows.columns["Crime ID"],
        "month": rows.columns["Month"],
        "crime_type": crime_type,
        "longitude": pa.array(longitude, from_pandas=True),
        "latitude": pa.array(latitude, from_pandas=True),
        "location": pc.if_else(pc.equal(location, _NO_LOCATION), None, location),
        "lsoa_code": rows.columns["LSOA code"],
        "outcome": rows.columns["Last outcome category"],
    }
    return make_incident_table(columns, rows.notes)


def _decode(name: str, content: bytes) -> bytes:
    """The content without its byte order mark, if it is UTF-8."""
    if not content:
        raise SourceError([Problem(name, "it is empty, without even a header", _AGAIN)])
    if content.startswith(UTF16):
        raise SourceError([Problem(name, "it is text in UTF-16", f"save it as CSV in UTF-8, or {_AGAIN}")])
    try:
        # Nearly every file is ASCII, which is told many times as fast.
        _ = content.isascii() or content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SourceError([Problem(f"{name}, line {line}", "it is not text in UTF-8", _AGAIN)]) from error
    return content.removeprefix(b"\xef\xbb\xbf")


def _check_month(rows: IncidentRows, month: str) -> None:
    column = rows.columns["Month"]
    other = pc.fill_null(pc.not_equal(column, month), True).to_numpy(zero_copy_only=False)
    if other.any():
        where = np.flatnonzero(other)
        example = column[where[0]].as_py()
        what = f"Month is {example}" if example else "Month is empty"
        rows.report(where, f"{what} in a file of {month}", f"give each month its own file, or {_AGAIN}")


def _check_force(rows: IncidentRows, force: str) -> None:
    wanted = _split_name(_OTHER_NAMES.get(force, force))
    others = [
        (item["values"], item["counts"])
        for item in pc.value_counts(rows.columns["Falls within"]).to_pylist()
        if item["values"] is not None and not wanted <= _split_name(item["values"])
    ]
    if others:
        named = list_briefly([f"{cut_short(name)} ({count_rows(count)})" for name, count in others], most=5)
        what = f"by its name it is of force {force!r}, but Falls within says {named}"
        rows.problems.append(Problem(rows.name, what, f"take it away, or {_AGAIN}"))


def _split_name(name: str) -> set[str]:
    """The words of a force's name that say which it is."""
    return set(re.findall(r"[a-z]+", name.casefold())) - _COMMON_WORDS
