"""The wanted columns of a file of incidents as text, and what can be said of its rows by their lines."""

import csv
import io
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from cspmap.errors import Problem, SourceError
from cspmap.sources.boundary_codes import list_briefly

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_BLOCK = 16 << 20


@dataclass
class IncidentRows:
    """Columns of a file as text by header, null where empty, with the problems and notes found so far.

    `number_lines` gives the line that each row starts in, the header being line 1; it is asked only for messages.
    `dates` has what a workbook stores as dates (datetime64[s], NaT where it does not), by header.
    """

    name: str
    columns: Mapping[str, pa.StringArray]
    number_lines: Callable[[], Sequence[int]]
    dates: "Mapping[str, npt.NDArray[np.datetime64]]" = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @cached_property
    def lines(self) -> Sequence[int]:
        """The line of each row."""
        return self.number_lines()

    def report(self, rows: "npt.NDArray[np.integer[Any]]", what: str, fix: str) -> None:
        """Add a problem with some rows: it names the line of the first, and says how many more there are."""
        self.problems.append(Problem(f"{self.name}, line {self.lines[rows[0]]}", what + _count_more(len(rows)), fix))

    def note(self, sentence: str) -> None:
        """Add a note about the file."""
        self.notes.append(f"{self.name}: {sentence}")

    def finish(self) -> None:
        """Raise SourceError if there were problems."""
        if self.problems:
            raise SourceError(self.problems)

    def map_offences(self, header: str, kinds: Mapping[str, str]) -> pa.StringArray:
        """The crime type of each row, by the offence's name in lower case; unknown offences become one problem."""
        encoded = self.columns[header].dictionary_encode()
        names = encoded.dictionary.to_pylist()
        keys = pa.array([kinds.get(name.strip().casefold()) for name in names], pa.string())
        mapped = keys.take(encoded.indices)
        if mapped.null_count:
            counts = pc.value_counts(self.columns[header].filter(mapped.is_null())).to_pylist()
            counts.sort(key=lambda item: -item["counts"])
            self._report_unknown(header, [(item["values"], item["counts"]) for item in counts])
        return mapped

    def _report_unknown(self, header: str, counts: Sequence[tuple[str | None, int]]) -> None:
        named = [f"{name!r} ({times:,})" for name, times in counts if name is not None]
        if named:
            what = f"{header} has names that no crime type has, with their numbers of rows: "
            fix = "add them to published of the crime types they are, in [[crime_types]] of the partnership file"
            self.problems.append(Problem(self.name, what + list_briefly(named, most=20), fix))
        empty = sum(times for name, times in counts if name is None)
        if empty:
            self.problems.append(Problem(self.name, f"{header} is empty in {count_rows(empty)}", "fill it in"))


def count_rows(rows: int) -> str:
    """ "1 row", "1,204 rows"."""
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _count_more(rows: int) -> str:
    """After what is said of the first of some rows."""
    return f" (and {rows - 1:,} more {'row' if rows == 2 else 'rows'})" if rows > 1 else ""


def read_header(name: str, content: bytes, *, delimiter: str = ",") -> list[str]:
    """The first row of a CSV file in UTF-8, with runs of spaces and line breaks made one space."""
    return [" ".join(text.split()) for text in next(_iterate(name, content, delimiter), (1, []))[1]]


def read_delimited(name: str, content: bytes, wanted: Sequence[str], *, fix: str, delimiter: str = ",") -> IncidentRows:
    """Read the `wanted` columns of a CSV file (UTF-8 without a byte order mark) by its header.

    Raises SourceError where columns are missing or there twice (`fix` says what to do), or rows have more or fewer
    values than the header, or a quotation mark is not closed.
    """
    header = read_header(name, content, delimiter=delimiter)
    check_header(name, header, wanted, fix=fix)
    if content.count(b'"') % 2:
        deque(_iterate(name, content, delimiter, strict=True), maxlen=0)
    ragged: list[object] = []

    def note_ragged(row: object) -> str:
        ragged.append(row)
        return "skip"

    positions = [str(place) for place in range(len(header))]
    taken = {text: str(header.index(text)) for text in wanted}
    table = arrow_csv.read_csv(
        # The header has to begin in the first line there, and to end with one.
        pa.py_buffer(content.lstrip(b"\r\n") + b"\n"),
        read_options=arrow_csv.ReadOptions(
            use_threads=False, block_size=_BLOCK, column_names=positions, skip_rows_after_names=1
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note_ragged
        ),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=list(taken.values()),
            column_types=dict.fromkeys(positions, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    if ragged:
        raise SourceError([_describe_ragged(name, content, delimiter, len(header))])
    columns = {text: table[place].combine_chunks() for text, place in taken.items()}
    return IncidentRows(name, columns, lambda: [line for line, _ in _iterate(name, content, delimiter)][1:])


def check_header(name: str, header: Sequence[str], wanted: Sequence[str], *, fix: str) -> None:
    """Raise SourceError where wanted columns are missing or are there more than once."""
    problems = []
    missing = [text for text in wanted if text not in header]
    if missing:
        found = [text for text in header if text]
        named = f"its columns are {list_briefly(found, most=20)}" if found else "it has none"
        what = f"column {' and '.join(map(repr, missing))} is missing ({named})"
        if len(missing) > 1:
            what = f"columns {', '.join(map(repr, missing))} are missing ({named})"
        problems.append(Problem(name, what, fix))
    twice = [text for text in wanted if header.count(text) > 1]
    if twice:
        what = f"{list_briefly([repr(text) for text in twice])} heads more than one column"
        problems.append(Problem(name, what, "rename or delete all but one"))
    if problems:
        raise SourceError(problems)


def _iterate(name: str, content: bytes, delimiter: str, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with the line each starts in.

    Raises SourceError at a value of more than 128 KiB, and if `strict` at quotation marks that do not pair: one that
    is not closed hides all rows after it in one value.
    """
    lines = io.TextIOWrapper(io.BytesIO(content), "utf-8", newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=strict)
    start = 1
    try:
        for cells in reader:
            if cells:
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        problem = Problem(f"{name}, line {start}", "a quotation mark is not closed", "close it, or take it out")
        raise SourceError([problem]) from error


def _describe_ragged(name: str, content: bytes, delimiter: str, width: int) -> Problem:
    wrong = [(line, len(cells)) for line, cells in _iterate(name, content, delimiter) if len(cells) != width]
    line, values = wrong[0]
    what = (
        f"it has {values} {'value' if values == 1 else 'values'} where the header has {width}{_count_more(len(wrong))}"
    )
    return Problem(f"{name}, line {line}", what, "correct the row, or fetch the file again")
