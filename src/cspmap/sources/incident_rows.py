"""The wanted columns of a file of incidents as text, and what can be said of its rows by their lines."""

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from cspmap.errors import Problem, SourceError, cut_short, quote_briefly
from cspmap.sources.boundary_codes import list_briefly

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_BLOCK = 16 << 20

# The header is looked for in so many rows: titles and blank lines may stand above it.
HEADER_ROWS = 15

_LINE_END = re.compile(rb"\r\n?|\n")


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

    def map_offences(self, header: str, kinds: Mapping[str, str], *, hint: str = "") -> pa.StringArray:
        """The crime type of each row, by the offence's name in lower case; unknown offences become one problem.

        A `hint` says why they may be unknown.
        """
        encoded = self.columns[header].dictionary_encode()
        names = encoded.dictionary.to_pylist()
        keys = pa.array([kinds.get(name.strip().casefold()) for name in names], pa.string())
        mapped = keys.take(encoded.indices)
        if mapped.null_count:
            counts = pc.value_counts(self.columns[header].filter(mapped.is_null())).to_pylist()
            counts.sort(key=lambda item: -item["counts"])
            self._report_unknown(header, [(item["values"], item["counts"]) for item in counts], hint)
        return mapped

    def _report_unknown(self, header: str, counts: Sequence[tuple[str | None, int]], hint: str) -> None:
        named = [f"{quote_briefly(name)} ({times:,})" for name, times in counts if name is not None]
        if named:
            what = f"{header} has names that no crime type has, with their numbers of rows: "
            fix = "add them to published of the crime types they are, in [[crime_types]] of the partnership file" + hint
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


@dataclass(frozen=True)
class DelimitedText:
    """CSV text in UTF-8, from its header on. `line` is that of the header in the file that `name` is."""

    name: str
    content: bytes
    delimiter: str
    header: list[str]
    line: int
    notes: tuple[str, ...] = ()

    def iterate(self, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
        """Rows that are not blank, the header first, with the line of the file that each starts in.

        Raises SourceError as `_iterate` does.
        """
        return _iterate(self.name, self.content, self.delimiter, start=self.line, strict=strict)


def find_header(name: str, content: bytes, wanted: Sequence[str], *, delimiters: str = ",") -> DelimitedText:
    """Find the header of a CSV file (UTF-8 without a byte order mark): the row with most of the `wanted` columns.

    It is looked for in the first rows with anything in them, and is the first of these where none has any. Runs of
    spaces and line breaks in it are made one space.
    """
    found = [choose_header(_iterate(name, content, sign), wanted) for sign in delimiters]
    matches = [count_matches(row.cells, wanted) for row in found]
    best = matches.index(max(matches))
    line, header = found[best].line, found[best].cells
    breaks = islice(_LINE_END.finditer(content), line - 1)
    begin = max((match.end() for match in breaks), default=0)
    return DelimitedText(name, content[begin:], delimiters[best], header, line, found[best].notes)


@dataclass(frozen=True)
class HeaderRow:
    """The header of a table, the line it is in, and a note where other text stands above it."""

    line: int
    cells: list[str]
    notes: tuple[str, ...] = ()


def choose_header(rows: Iterable[tuple[int, Sequence[str]]], wanted: Sequence[str]) -> HeaderRow:
    """Of the first rows that hold anything, the one with most of the wanted columns."""
    tidy = ((line, [" ".join(cell.split()) for cell in cells]) for line, cells in rows)
    first: HeaderRow | None = None
    best = HeaderRow(1, [])
    for line, cells in islice(((line, cells) for line, cells in tidy if any(cells)), HEADER_ROWS):
        matches = count_matches(cells, wanted)
        if first is None:
            first = best = HeaderRow(line, cells)
        elif matches > count_matches(best.cells, wanted):
            best = HeaderRow(line, cells, (f"its header is in line {line}; what stands above it was passed over.",))
        if matches == len(set(wanted)):
            break
    return best


def count_matches(header: Sequence[str], wanted: Sequence[str]) -> int:
    """How many of the wanted columns a header has."""
    return len({*wanted} & {*header})


def read_delimited(text: DelimitedText, wanted: Sequence[str], *, fix: str) -> IncidentRows:
    """Read the `wanted` columns of a CSV file by its header.

    Raises SourceError where columns are missing or there twice (`fix` says what to do), or rows have more or fewer
    values than the header, or a quotation mark is not closed.
    """
    name, header, content = text.name, text.header, text.content
    check_header(name, header, wanted, fix=fix)
    quoted = b'"' in content
    if quoted and content.count(b'"') % 2:
        deque(text.iterate(strict=True), maxlen=0)
    ragged: list[object] = []

    def note_ragged(row: object) -> str:
        ragged.append(row)
        return "skip"

    positions = [str(place) for place in range(len(header))]
    taken = {text: str(header.index(text)) for text in wanted}
    table = arrow_csv.read_csv(
        # The header has to end with a line's end, even where nothing follows.
        pa.py_buffer(content if content.endswith(b"\n") else content + b"\n"),
        read_options=arrow_csv.ReadOptions(
            use_threads=False, block_size=_BLOCK, column_names=positions, skip_rows_after_names=1
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=text.delimiter, newlines_in_values=quoted, invalid_row_handler=note_ragged
        ),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=list(taken.values()),
            column_types=dict.fromkeys(positions, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    if ragged:
        raise SourceError([_describe_ragged(text)])
    columns = {text: table[place].combine_chunks() for text, place in taken.items()}
    rows = IncidentRows(name, columns, lambda: [line for line, _ in text.iterate()][1:])
    for note in text.notes:
        rows.note(note)
    return rows


def check_header(name: str, header: Sequence[str], wanted: Sequence[str], *, fix: str) -> None:
    """Raise SourceError where wanted columns are missing or are there more than once."""
    problems = []
    missing = [text for text in wanted if text not in header]
    if missing:
        found = [cut_short(text) for text in header if text]
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


def _iterate(
    name: str, content: bytes, delimiter: str, *, start: int = 1, strict: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with the line each starts in, the first being line `start`.

    Raises SourceError at a value of more than 128 KiB, and if `strict` at quotation marks that do not pair: one that
    is not closed hides all rows after it in one value.
    """
    lines = io.TextIOWrapper(io.BytesIO(content), "utf-8", newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=strict)
    line = start
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = start + reader.line_num
    except csv.Error as error:
        problem = Problem(f"{name}, line {line}", "a quotation mark is not closed", "close it, or take it out")
        raise SourceError([problem]) from error


def _describe_ragged(text: DelimitedText) -> Problem:
    width = len(text.header)
    wrong = [(line, len(cells)) for line, cells in text.iterate() if len(cells) != width]
    line, values = wrong[0]
    what = (
        f"it has {values} {'value' if values == 1 else 'values'} where the header has {width}{_count_more(len(wrong))}"
    )
    return Problem(f"{text.name}, line {line}", what, "correct the row, or fetch the file again")
