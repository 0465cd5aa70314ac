"""Reading the columns that are wanted out of a published table, CSV or XLSX, however it is laid out.

Titles may stand above the header; headers may have line breaks and stray spaces in them. Texts stay texts here, and
each keeps the number of its line, so that what is wrong with it can be said where it stands.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from cspmap.errors import Problem, SourceError, quote_briefly
from cspmap.sources.boundary_codes import list_briefly
from cspmap.sources.encodings import UTF16, find_encoding
from cspmap.sources.workbook import Row, Workbook

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

HEADER_ROWS = 15

# How the Government Statistical Service and others write that a value is missing, not available or suppressed.
MISSING = frozenset({"", "-", "..", ":", "na", "n/a", "x", "c", "u", "z", "w", "[c]", "[u]", "[w]", "[x]", "[z]"})

_WORKBOOKS = {".xlsx", ".xlsm"}
_OTHER_BOOKS = {".xls", ".xlsb", ".ods"}
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")

FindColumns = Callable[[Sequence[str]], Mapping[str, int] | None]
ChooseSheets = Callable[[Sequence[str]], Sequence[str]]


@dataclass(frozen=True)
class Columns:
    """The wanted columns of a table. `headers` and `texts` are by the names the reader gives them.

    A text is "" where the cell is empty. `lines` numbers the rows as an editor or a spreadsheet does.
    """

    file: str
    headers: dict[str, str]
    lines: list[int]
    texts: dict[str, list[str]]

    def numbers(self, name: str, *, least: float | None = None) -> "tuple[npt.NDArray[np.float64], list[Problem]]":
        """The numbers of a column, NaN where missing, and problems with those that are none or below `least`."""
        import numpy as np
        import pandas as pd

        texts = self.texts[name]
        values = np.array(pd.to_numeric(pd.Series(texts, dtype="object"), errors="coerce"), dtype=np.float64)
        wrong: list[int] = []
        for row in np.flatnonzero(~np.isfinite(values)):
            if texts[row].casefold() in MISSING:
                values[row] = np.nan
            elif _THOUSANDS.fullmatch(texts[row]):
                values[row] = float(texts[row].replace(",", ""))
            else:
                wrong.append(int(row))
        problems = []
        if wrong:
            what = f"column {self.headers[name]!r} has {self.point_out(name, wrong)} where a number belongs"
            problems.append(Problem(self.file, what, "correct it, or leave it empty where there is none"))
        if least is not None and (low := [int(row) for row in np.flatnonzero(values < least)]):
            what = f"column {self.headers[name]!r} has {self.point_out(name, low)}, below {least:g}"
            problems.append(Problem(self.file, what, "correct it"))
        return values, problems

    def find_repeats(self, name: str) -> list[Problem]:
        """A problem where a column of codes gives some more than once."""
        counts = Counter(self.texts[name])
        repeated = [code for code, times in counts.items() if times > 1]
        if not repeated:
            return []
        rows = [row for row, code in enumerate(self.texts[name]) if counts[code] > 1]
        what = f"column {self.headers[name]!r} gives {self.point_out(name, rows)} more than once"
        return [Problem(self.file, what, "keep one row for each area")]

    def point_out(self, name: str, rows: Sequence[int]) -> str:
        """The first few of some cells with their lines: 'abc' (line 3), '?' (line 9) and 4 more."""
        return list_briefly([f"{quote_briefly(self.texts[name][row])} (line {self.lines[row]})" for row in rows])


def read_columns(
    path: Path, find: FindColumns, *, wanted: str, sheets: ChooseSheets | None = None, key: str | None = "code"
) -> Columns:
    """Read some columns of a CSV file or XLSX workbook, without the rows that have nothing in column `key`.

    With `key` None only those rows are left out that have nothing in any of the columns.

    `find` is given each of the first rows, its spaces made single, and returns the position of each wanted column by
    the name it is to have, or None where that row is not the header; `wanted` says in words what it looks for.
    `sheets` picks those of a workbook's sheets that may hold the table, all of them by default; the first one with
    a header is read. Raises SourceError where there is no such table, or nothing in it.
    """
    suffix = path.suffix.lower()
    if suffix in _OTHER_BOOKS:
        _fail(path, f"a {suffix} file is not read here", "save it as .xlsx or as CSV")
    if suffix not in _WORKBOOKS:
        return _collect(path.name, [_read_csv(path)], find, wanted, key)
    with Workbook(path) as book:
        chosen = sheets(book.sheets) if sheets else book.sheets
        return _collect(path.name, (book.read_rows(sheet) for sheet in chosen), find, wanted, key)


def match_header(header: Sequence[str], patterns: Mapping[str, re.Pattern[str]]) -> dict[str, int] | None:
    """Position of the first column that each pattern matches in full, in any case; None where one has no match."""
    found: dict[str, int] = {}
    for name, pattern in patterns.items():
        place = next((i for i, text in enumerate(header) if pattern.fullmatch(text.casefold())), None)
        if place is None:
            return None
        found[name] = place
    return found


def _fail(path: Path, what: str, fix: str, cause: Exception | None = None) -> NoReturn:
    raise SourceError([Problem(path.name, what, fix)]) from cause


def _collect(
    file: str, tables: "Iterator[Iterator[Row]] | list[Iterator[Row]]", find: FindColumns, wanted: str, key: str | None
) -> Columns:
    widest: list[str] = []
    for rows in tables:
        for _, cells in islice(rows, HEADER_ROWS):
            header = [_tidy(cell) for cell in cells]
            places = find(header)
            if places is not None:
                return _take(file, rows, header, places, key)
            if sum(map(bool, header)) > sum(map(bool, widest)):
                widest = header
    named = [text for text in widest if text]
    what = f"it has no {wanted}" + (f" (its columns are {list_briefly(named, most=12)})" if named else "; it is empty")
    raise SourceError([Problem(file, what, "check that it is the right file")])


def _tidy(text: str) -> str:
    """A header without line breaks, a byte order mark or double spaces."""
    return " ".join(text.replace("_x000D_", " ").replace("\ufeff", "").split())


def _take(file: str, rows: Iterator[Row], header: list[str], places: Mapping[str, int], key: str | None) -> Columns:
    telling = list(places.values()) if key is None else [places[key]]
    lines: list[int] = []
    kept: list[list[str]] = []
    for line, cells in rows:
        width = len(cells)
        if any(width > place and cells[place].strip() for place in telling):
            lines.append(line)
            kept.append(cells)
    if not lines:
        raise SourceError([Problem(file, "it has a header and no rows", "check that it is complete")])
    # Turned over as a whole, which takes a fraction of the time of putting cell after cell into its column.
    columns = list(zip_longest(*kept, fillvalue=""))
    taken = [
        [cell.strip() for cell in columns[place]] if place < len(columns) else [""] * len(lines)
        for place in places.values()
    ]
    headers = {name: header[place] for name, place in places.items()}
    return Columns(file, headers, lines, dict(zip(places, taken, strict=True)))


def _read_csv(path: Path) -> Iterator[Row]:
    try:
        content = path.read_bytes()
    except OSError as error:
        _fail(path, f"it cannot be opened ({error.strerror})", "check its name and who may read it", error)
    if b"\0" in content and not content.startswith(UTF16):
        _fail(path, "it is not CSV", "save it as CSV in UTF-8, or give an XLSX file its own ending")
    reader = csv.reader(io.StringIO(_decode(path, content), newline=""))
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        _fail(path, f"it is not CSV from line {reader.line_num} on ({error})", "save it again as CSV", error)


def _decode(path: Path, content: bytes) -> str:
    encoding = find_encoding(content)
    if encoding is None:
        _fail(path, "it is text neither in UTF-8 nor in Windows-1252", "save it as CSV in UTF-8")
    return content.decode(encoding).removeprefix("\ufeff")
