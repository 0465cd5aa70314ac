"""Reading a tidy file that people keep in a spreadsheet: one row a fact, in columns of known names, CSV or XLSX.

What spreadsheets do to such a file is undone where it can be told what stood there: a financial year that became a
date, a percent sign, commas in thousands, empty rows and columns. Every fault is collected with its line.
"""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from cspmap.errors import Problem, UserError
from cspmap.periods import Span
from cspmap.sources.tabular import MISSING, Columns, read_columns
from cspmap.target_checks import MADE_SAFE, MOST_PLACES, SEPARATOR
from cspmap.targets import name_period, parse_period

_NUMBER = re.compile(r"-?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?")
_MONTH_NAMES = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
# The three faces of "2007-08" after a spreadsheet took it for August 2007.
_MADE_DATE = (
    re.compile(r"(?P<name>[A-Za-z]{3})[- ](?:20)?(?P<year>\d\d)"),
    re.compile(r"20(?P<year>\d\d)-(?P<month>\d\d)-01(?: 00:00:00)?"),
    re.compile(r"01/(?P<month>\d\d)/20(?P<year>\d\d)"),
)
_Choice = TypeVar("_Choice", bound=str)
_Row = TypeVar("_Row")


def read_tidy_columns(
    path: Path, known: Sequence[str], *, needed: Sequence[str], noun: str
) -> tuple[Columns, list[Problem]]:
    """The columns that are known, and a problem with each other column that has a heading.

    `needed` are those that must be there; `noun` is what the file is, such as "a targets file". Capitals, spaces and
    hyphens in headings do not matter. Raises SourceError where there is no such table.
    """
    headers: list[str] = []

    def find(header: Sequence[str]) -> Mapping[str, int] | None:
        names = [re.sub(r"[ -]", "_", text.casefold()) for text in header]
        if not set(needed) <= set(names):
            return None
        headers[:] = names
        return {name: names.index(name) for name in known if name in names}

    wanted = f"columns {', '.join(needed[:-1])} and {needed[-1]}"
    columns = read_columns(path, find, wanted=wanted, key=None)
    problems = []
    for name in dict.fromkeys(filter(None, headers)):
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            fix = f"did you mean {close[0]}?" if close else "take it out, or move what it holds to note"
            problems.append(Problem(path.name, f"there is no column {name!r} in {noun}", fix))
        elif headers.count(name) > 1:
            problems.append(Problem(path.name, f"it has {headers.count(name)} columns {name!r}", "keep one of them"))
    return columns, problems


class TidyReader:
    """Takes cells out of the rows of a file, and collects what is wrong with them, and in which rows.

    `owners` are the columns that say something of a whole (such as an indicator) and so need stand in one of its rows
    only, each with the column that names that whole.
    """

    def __init__(self, columns: Columns, *, from_workbook: bool, owners: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self.partial: set[int] = set()
        self._columns = columns
        self._from_workbook = from_workbook
        self._owners = owners
        self._lines = {f"{columns.file}, line {line}": line for line in columns.lines}
        self._told = self._collect_told()

    def read_rows(self, read: Callable[[int], _Row]) -> tuple[_Row, ...]:
        """What `read` makes of each row, in the file's order."""
        return tuple(read(row) for row in range(len(self._columns.lines)))

    def where(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"{self._columns.file}, line {self._columns.lines[row]}"

    def order(self, problem: Problem) -> int:
        """The line that a problem is in; 0 for the file as a whole."""
        return self._lines.get(problem.where, 0)

    def report(self, row: int, what: str, fix: str) -> None:
        """Add a problem; the row counts as not whole."""
        self.partial.add(row)
        self.problems.append(Problem(self.where(row), what, fix))

    def read_title(self, default: str) -> str:
        """The name of the table; a problem where its rows have several."""
        titles = [self.text(row, "table") for row in range(len(self._columns.lines))]
        first = next(filter(None, titles), default)
        for row, title in enumerate(titles):
            if title not in ("", first):
                self.report(row, f"its table is {title!r}, and {first!r} above", "keep one table in a file")
        return first

    def text(self, row: int, name: str) -> str:
        """A text with single spaces; "" where there is none. What was made safe for a spreadsheet is undone."""
        texts = self._columns.texts.get(name)
        text = "" if texts is None else " ".join(texts[row].split())
        return text[1:] if MADE_SAFE.match(text) else text

    def tell(self, row: int, name: str) -> str:
        """What the row, or else the first row of the same whole, says in a column of `owners`."""
        return self.text(row, name) or self._told.get((name, self.text(row, self._owners[name])), "")

    def list_parts(self, row: int, name: str) -> tuple[str, ...]:
        """The list in a column of `owners`, parted by semicolons."""
        parts = (part.strip() for part in self.tell(row, name).split(SEPARATOR))
        return tuple(part for part in parts if part)

    def choose(self, row: int, name: str, text: str, options: tuple[_Choice, ...], default: _Choice | None) -> _Choice:
        """One of a few words; the default where there is none. Without a default a text is needed."""
        folded = text.casefold().replace(" ", "-")
        for option in options:
            if folded == option:
                return option
        if text or default is None:
            what = f"its {name} is {text!r}" if text else f"its {name} is empty"
            self.report(row, what, f"write {', '.join(options[:-1])} or {options[-1]}")
        return default or options[0]

    def read_number(self, row: int, name: str, *, percent: bool) -> Decimal | None:
        """A number as printed; None where the cell says that there is none."""
        text = self.text(row, name)
        if text.casefold() in MISSING:
            return None
        bare = text.removesuffix("%").rstrip() if percent else text
        if not _NUMBER.fullmatch(bare):
            example = "a number, such as 45 for 45 per cent" if percent else "a number, such as 1,840"
            self.report(row, f"its {name} is {text!r}", f"write {example}, or leave it empty where there is none")
            return None
        number = Decimal(bare.replace(",", ""))
        if self._from_workbook and int(number.as_tuple().exponent) < -MOST_PLACES:
            # What a workbook worked out ends in noise: 53.900000000000006 is 53.9.
            number = Decimal(str(round(float(number), MOST_PLACES)))
        # A workbook keeps 45 % as 0.45, which looks like less than one per cent.
        if percent and self._from_workbook and bare == text and 0 < number <= 1:
            fix = "write 45 for 45 per cent, in a cell that is not formatted as a percentage"
            self.report(row, f"its {name} is {text}, which may be a percentage or a share", fix)
        return number

    def read_period(self, row: int, name: str, *, required: bool = False, misprinted: str = "") -> Span | None:
        """A period as `parse_period` has it; None where there is none.

        `misprinted` is what to do with a misprinted year, for the end of the message.
        """
        text = self.text(row, name)
        if not text:
            if required:
                self.report(row, f"its {name} is empty", "fill in a period, such as 2007-08")
            return None
        try:
            return parse_period(_undo_date(text))
        except UserError as error:
            what, _, fix = str(error).rstrip(".").partition("; ")
            if misprinted and re.fullmatch(r"\d{4}-\d\d", text):
                fix += f"; {misprinted}"
            self.report(row, f"its {name}: {what}", fix or "correct it")
            return None

    def _collect_told(self) -> dict[tuple[str, str], str]:
        """What the first row to say something of a whole says, by column and the whole's name."""
        told: dict[tuple[str, str], str] = {}
        for row in range(len(self._columns.lines)):
            for name, owner in self._owners.items():
                if text := self.text(row, name):
                    told.setdefault((name, self.text(row, owner)), text)
        return told


def join_parts(parts: Sequence[str]) -> str:
    """A list as one cell."""
    return f"{SEPARATOR} ".join(parts)


def write_period(span: Span | None) -> str:
    """A period as a cell; "" where there is none."""
    return "" if span is None else name_period(span)


def write_number(number: Decimal | None) -> Decimal | None:
    """A number that is written in digits alone, never as 1E+3."""
    return None if number is None else Decimal(format(number, "f"))


def _undo_date(text: str) -> str:
    """The financial year that a spreadsheet took for a month: Aug-07 was 2007-08; anything else as it is."""
    for pattern in _MADE_DATE:
        if match := pattern.fullmatch(text):
            found = match.groupdict()
            name = found.get("name", "").casefold()
            month = _MONTH_NAMES.index(name) + 1 if name in _MONTH_NAMES else int(found.get("month") or 0)
            year = int(found["year"])
            if month == (year + 1) % 100:
                return f"20{year:02d}-{month:02d}"
    return text
