"""A police force's own extract of its records, CSV or XLSX, through the columns that the partnership file names."""

import io
from collections.abc import Sequence
from datetime import date
from pathlib import PurePath
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cspmap.errors import Problem, SourceError, quote_briefly
from cspmap.partnership import ExtractColumns, IncidentSource, Partnership
from cspmap.sources.encodings import UTF16, find_encoding
from cspmap.sources.incident_files import IncidentFile, find_files
from cspmap.sources.incident_rows import IncidentRows, check_header, choose_header, find_header, read_delimited
from cspmap.sources.incident_table import IncidentPart, make_incident_table
from cspmap.sources.positions import DEGREES, GRID, Floats, read_positions, to_degrees

Dates = npt.NDArray[np.datetime64]

_SUFFIXES = {".csv", ".txt", ".tsv", ".xlsx", ".xlsm"}
_DELIMITERS = ",;\t"
_NAME_COLUMNS = "name the file's own columns in [incidents.columns]"
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"

# Dates before are no record's, but a year typed wrongly or a place-holder.
_EARLIEST = np.datetime64("1900-01-01", "s")

# So small a share of a file's incidents, and so many months before all others, are noted as early.
_EARLY_SHARE, _EARLY_MONTHS = 0.01, 24

_WITH_OFFSET = r":\d\d(\.\d+)?\s*(Z|z|[+-]\d\d(:?\d\d)?)$"


def list_extract_parts(source: IncidentSource, partnership: Partnership) -> list[IncidentPart]:
    """The files of an extract, in order of their names; no row is read.

    Raises SourceError where there is none, or a zip file is damaged.
    """
    named_outright = source.file.is_file()
    found = find_files(source.file, lambda base: named_outright or _may_be_extract(base))
    if not found:
        raise SourceError([Problem(source.file.name, "it has no CSV or XLSX file", "put the extract there")])
    kinds = partnership.type_of_published
    return [_describe_part(file, source, kinds) for file in found]


def _may_be_extract(base: str) -> bool:
    # Office keeps a hidden file beside a workbook that is open.
    return PurePath(base).suffix.lower() in _SUFFIXES and not base.startswith((".", "~$"))


def _describe_part(file: IncidentFile, source: IncidentSource, kinds: dict[str, str]) -> IncidentPart:
    return IncidentPart(file.name, None, file.find_fingerprint(), lambda: _read_extract(file, source, kinds))


def _read_extract(file: IncidentFile, source: IncidentSource, kinds: dict[str, str]) -> pa.Table:
    if source.columns is None:
        raise SourceError([Problem(file.name, "its columns are not named", "add an [incidents.columns] table")])
    columns = source.columns
    rows = _read_rows(file.name, file.read(), columns)
    if not len(rows):
        rows.note("it holds no rows.")
    starts = _read_dates(rows, columns.occurred_from, source.date_format, required=True)
    ends: Dates = np.full(len(rows), np.datetime64("NaT", "s"))
    if columns.occurred_to is not None:
        ends = _read_dates(rows, columns.occurred_to, source.date_format, required=False)
        _check_order(rows, columns, starts, ends)
    crime_type = rows.map_offences(columns.offence, kinds)
    longitude, latitude = _read_places(rows, columns)
    rows.finish()
    _note_early(rows, starts)
    months, row_of = np.unique(starts.astype("datetime64[M]"), return_inverse=True)
    table = {
        "month": pa.array(np.datetime_as_string(months).tolist(), pa.string()).take(pa.array(row_of)),
        "crime_type": crime_type,
        "longitude": pa.array(longitude, from_pandas=True),
        "latitude": pa.array(latitude, from_pandas=True),
        "occurred_from": pa.array(starts, pa.timestamp("s")),
        "occurred_to": pa.array(ends, pa.timestamp("s")),
    }
    for key in ("incident_id", "location", "lsoa_code", "outcome"):
        header = getattr(columns, key)
        if header is not None:
            table[key] = rows.columns[header]
    return make_incident_table(table, rows.notes)


def _list_headers(columns: ExtractColumns) -> list[str]:
    return list(dict.fromkeys(header for header in vars(columns).values() if header is not None))


def _read_rows(name: str, content: bytes, columns: ExtractColumns) -> IncidentRows:
    """The named columns, with spaces about each text taken off, and without rows that have nothing in them."""
    headers = _list_headers(columns)
    if content.startswith(_ZIP):
        rows = _read_workbook(name, content, headers, (columns.occurred_from, columns.occurred_to))
    else:
        rows = _read_text(name, content, headers)
    tidy = {header: _trim(texts) for header, texts in rows.columns.items()}
    filled = np.zeros(len(rows), dtype=bool)
    for header, texts in tidy.items():
        filled |= texts.is_valid().to_numpy(zero_copy_only=False)
        if header in rows.dates:
            filled |= ~np.isnat(rows.dates[header])
    if filled.all():
        return IncidentRows(name, tidy, rows.number_lines, rows.dates, notes=rows.notes)
    kept = pa.array(filled)
    return IncidentRows(
        name,
        {header: texts.filter(kept) for header, texts in tidy.items()},
        lambda: [line for line, keep in zip(rows.lines, filled, strict=True) if keep],
        {header: dates[filled] for header, dates in rows.dates.items()},
        notes=rows.notes,
    )


def _trim(texts: pa.StringArray) -> pa.StringArray:
    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _read_text(name: str, content: bytes, headers: Sequence[str]) -> IncidentRows:
    if not content:
        _fail(name, "it is empty, without even a header", "fetch it again")
    if content.startswith(_OLE):
        _fail(name, "it is a workbook of an old kind, or one with a password", "save it as .xlsx or CSV, without one")
    if b"\0" in content and not content.startswith(UTF16):
        _fail(name, "it is not CSV", "save it as CSV in UTF-8, or as .xlsx")
    encoding = find_encoding(content)
    if encoding is None:
        _fail(name, "it is text neither in UTF-8 nor in Windows-1252", "save it as CSV in UTF-8")
    if encoding != "UTF-8":
        content = content.decode(encoding).encode("utf-8")
    text = find_header(name, content.removeprefix(b"\xef\xbb\xbf"), headers, delimiters=_DELIMITERS)
    rows = read_delimited(text, headers, fix=_NAME_COLUMNS)
    if encoding != "UTF-8":
        rows.note(f"it is not in UTF-8 and was read as {encoding}.")
    return rows


def _read_workbook(
    name: str, content: bytes, headers: Sequence[str], date_headers: Sequence[str | None]
) -> IncidentRows:
    """The first sheet of a workbook; dates that are stored as such are kept apart from texts."""
    rows = _load_sheet(name, content)
    header = choose_header(((line, [_show(cell) for cell in cells]) for line, cells in rows), headers)
    check_header(name, header.cells, headers, fix=_NAME_COLUMNS)
    places = {text: header.cells.index(text) for text in headers}
    below = [(line, cells) for line, cells in rows if line > header.line]
    values = {text: [cells[place] for _, cells in below] for text, place in places.items()}
    dates = {text: _pick_dates(values[text]) for text in date_headers if text is not None}
    texts = {text: pa.array([_show(value) for value in column], pa.string()) for text, column in values.items()}
    read = IncidentRows(name, texts, lambda: [line for line, _ in below], dates)
    for note in header.notes:
        read.note(note)
    return read


def _load_sheet(name: str, content: bytes) -> list[tuple[int, list[Any]]]:
    """The rows of a workbook's first sheet that are not blank, with their numbers."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            cells = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except CalamineError as error:
        _fail(name, f"it cannot be read as an XLSX workbook ({error})", "save it again as .xlsx, or as CSV", error)
    rows = [(number, row) for number, row in enumerate(cells, start=1) if any(cell != "" for cell in row)]
    if not rows:
        _fail(name, "its first sheet is empty", "put the extract on the first sheet")
    return rows


def _pick_dates(values: Sequence[object]) -> Dates:
    # A datetime is a date too.
    return np.array([value if isinstance(value, date) else None for value in values], dtype="datetime64[s]")


def _show(value: object) -> str:
    """A cell as text: workbooks store every number with a fraction, so a whole one is written without."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _read_dates(rows: IncidentRows, header: str, date_format: str | None, *, required: bool) -> Dates:
    """The dates of a column (NaT where there is none), and problems with those missing, misread or impossible."""
    texts = rows.columns[header]
    dates = rows.dates[header].copy() if header in rows.dates else np.full(len(texts), np.datetime64("NaT", "s"))
    open_rows = np.flatnonzero(np.isnat(dates))
    dates[open_rows] = _parse_dates(rows.name, texts.take(pa.array(open_rows)), date_format)
    given = texts.is_valid().to_numpy(zero_copy_only=False)
    misread = np.flatnonzero(given & np.isnat(dates))
    if len(misread):
        form = f"in the form {date_format!r}" if date_format else "such as 2024-04-30 or 2024-04-30 23:15"
        what = f"{header} is {quote_briefly(texts[misread[0]].as_py())}, which is not a date {form}"
        rows.report(misread, what, "correct it, or date_format in the partnership file")
    if required and not given.all():
        rows.report(np.flatnonzero(~given), f"{header} is empty", "fill it in, or take the row out")
    latest = np.datetime64("now", "s") + np.timedelta64(1, "D")
    impossible = np.flatnonzero((dates < _EARLIEST) | (dates > latest))
    if len(impossible):
        what = f"{header} is {dates[impossible[0]].item():%Y-%m-%d}, which cannot be when it happened"
        rows.report(impossible, what, "correct it")
    return dates


def _parse_dates(name: str, texts: pa.StringArray, date_format: str | None) -> Dates:
    """Dates out of texts, local time where they state an offset from UTC; NaT where the text is not a date."""
    import pandas as pd

    result = np.full(len(texts), np.datetime64("NaT", "s"))
    if date_format is not None:
        stated = np.full(len(texts), "%z" in date_format)
    else:
        matched = pc.fill_null(pc.match_substring_regex(texts, _WITH_OFFSET), False)
        stated = matched.to_numpy(zero_copy_only=False)
    for with_offset in (False, True):
        chosen = np.flatnonzero(stated == with_offset)
        if not len(chosen):
            continue
        values = pd.Series(texts.take(pa.array(chosen)).to_numpy(zero_copy_only=False), dtype="object")
        try:
            dates = pd.to_datetime(values, format=date_format or "ISO8601", errors="coerce", utc=with_offset)
        except ValueError as error:
            _fail(name, f"date_format is {date_format!r} ({error})", 'write it such as "%d/%m/%Y %H:%M"', error)
        if with_offset:
            dates = dates.dt.tz_convert("Europe/London").dt.tz_localize(None)
        result[chosen] = dates.to_numpy(dtype="datetime64[s]")
    return result


def _check_order(rows: IncidentRows, columns: ExtractColumns, starts: Dates, ends: Dates) -> None:
    wrong = np.flatnonzero(ends < starts)
    if len(wrong):
        first, last = (dates[wrong[0]].item() for dates in (starts, ends))
        what = (
            f"{columns.occurred_to} ({last:%Y-%m-%d %H:%M}) is before {columns.occurred_from} ({first:%Y-%m-%d %H:%M})"
        )
        rows.report(wrong, what, "correct them, or take occurred_to out of [incidents.columns]")


def _note_early(rows: IncidentRows, starts: Dates) -> None:
    """Note incidents from long before nearly all others: true or mistyped, their months are loaded far back."""
    if not len(rows):
        return
    usual = np.sort(starts)[int(_EARLY_SHARE * len(starts))].astype("datetime64[M]")
    early = np.flatnonzero(starts.astype("datetime64[M]") < usual - np.timedelta64(_EARLY_MONTHS, "M"))
    if len(early):
        first = early[np.argmin(starts[early])]
        several = f"{len(early):,} incidents are" if len(early) > 1 else "1 incident is"
        rows.note(
            f"{several} dated two years or more before nearly all others, the earliest in line {rows.lines[first]} "
            f"({starts[first].item():%Y-%m-%d}); each counts in the month of its date, and months between are missing."
        )


def _read_places(rows: IncidentRows, columns: ExtractColumns) -> tuple[Floats, Floats]:
    if columns.easting is not None and columns.northing is not None:
        return to_degrees(*read_positions(rows, columns.easting, columns.northing, GRID))
    if columns.longitude is not None and columns.latitude is not None:
        return read_positions(rows, columns.longitude, columns.latitude, DEGREES)
    raise SourceError([Problem(rows.name, "no columns of positions are named", _NAME_COLUMNS)])


def _fail(name: str, what: str, fix: str, cause: Exception | None = None) -> NoReturn:
    raise SourceError([Problem(name, what, fix)]) from cause
