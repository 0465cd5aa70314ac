"""A partnership's targets from a tidy file, CSV or XLSX: one row an indicator, area and period.

`docs/target-file.md` describes each column. What spreadsheets do to such a file is undone where it can be told what
stood there: a financial year that became a date, a percent sign, commas in thousands, empty rows and columns.
"""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast, get_args

from cspmap.errors import Problem, ProblemsError, SourceError, UserError
from cspmap.periods import Span
from cspmap.sources.tabular import MISSING, Columns, read_columns
from cspmap.target_checks import MADE_SAFE, MOST_PLACES, SEPARATOR, find_contradictions
from cspmap.targets import (
    Direction,
    Indicator,
    Kind,
    Target,
    TargetArea,
    TargetTable,
    Unit,
    name_period,
    parse_period,
)

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "table",
    "indicator",
    "indicator_name",
    "indicator_parts",
    "crimes",
    "area",
    "area_parts",
    "kind",
    "direction",
    "unit",
    "baseline_period",
    "baseline",
    "percent",
    "percent_on",
    "overall_percent",
    "overall_percent_on",
    "due",
    "printed_due",
    "target",
    "owner",
    "document",
    "page",
    "note",
)
_NEEDED = ("indicator", "kind", "due", "target")
# What is said of a whole indicator or area need stand in one of its rows only.
_OWNERS = {
    "indicator_name": "indicator",
    "indicator_parts": "indicator",
    "crimes": "indicator",
    "direction": "indicator",
    "unit": "indicator",
    "area_parts": "area",
}

_NUMBER = re.compile(r"-?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?")
_MONTH_NAMES = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
# The three faces of "2007-08" after a spreadsheet took it for August 2007.
_MADE_DATE = (
    re.compile(r"(?P<name>[A-Za-z]{3})[- ](?:20)?(?P<year>\d\d)"),
    re.compile(r"20(?P<year>\d\d)-(?P<month>\d\d)-01(?: 00:00:00)?"),
    re.compile(r"01/(?P<month>\d\d)/20(?P<year>\d\d)"),
)
_Choice = TypeVar("_Choice", bound=str)


def read_targets(path: Path, *, crimes: Collection[str] | None = None) -> TargetTable:
    """Read a table of targets from a CSV file or an XLSX workbook, its rows in the file's order.

    `crimes` are the keys of the crime types and groups that there are; any are let pass where it is not given. The
    table's title is the file's name where the column `table` is empty. Raises SourceError with every problem found,
    each with its line.
    """
    columns, problems = _read_columns(path)
    reader = _Reader(columns, from_workbook=path.suffix.lower() != ".csv")
    targets = tuple(reader.read_target(row) for row in range(len(columns.lines)))
    table = TargetTable(reader.read_title(path.stem), targets)
    problems += reader.problems
    problems += find_contradictions(table, reader.where, partial=reader.partial)
    problems += _find_unknown_crimes(table, crimes, reader)
    if problems:
        raise SourceError(sorted(problems, key=lambda problem: reader.order(problem.where)))
    return table


def tabulate_targets(table: TargetTable) -> "pd.DataFrame":
    """The rows of the file that `read_targets` reads back as this very table, in the columns COLUMNS.

    Texts are as they are: `exports.extract.write_csv` makes them safe for a spreadsheet, and reading undoes that.
    Raises ProblemsError where the table contradicts itself.
    """
    import pandas as pd

    if problems := find_contradictions(table):
        raise ProblemsError(problems)
    rows = [_list_cells(table.title, target) for target in table.targets]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="object")


def _list_cells(title: str, target: Target) -> dict[str, object]:
    indicator, area = target.indicator, target.area
    return {
        "table": title,
        "indicator": indicator.key,
        "indicator_name": indicator.name,
        "indicator_parts": _join(indicator.parts),
        "crimes": _join(indicator.crimes),
        "area": area.name,
        "area_parts": _join(area.parts),
        "kind": target.kind,
        "direction": indicator.direction,
        "unit": indicator.unit,
        "baseline_period": _write_period(target.baseline_period),
        "baseline": _write_number(target.baseline),
        "percent": _write_number(target.percent),
        "percent_on": _write_period(target.percent_on),
        "overall_percent": _write_number(target.overall_percent),
        "overall_percent_on": _write_period(target.overall_percent_on),
        "due": _write_period(target.due),
        "printed_due": target.printed_due,
        "target": _write_number(target.value),
        "owner": target.owner,
        "document": target.document,
        "page": target.page,
        "note": target.note,
    }


def _join(parts: Sequence[str]) -> str:
    return f"{SEPARATOR} ".join(parts)


def _write_period(span: Span | None) -> str:
    return "" if span is None else name_period(span)


def _write_number(number: Decimal | None) -> Decimal | None:
    """A number that is written in digits alone, never as 1E+3."""
    return None if number is None else Decimal(format(number, "f"))


def _read_columns(path: Path) -> tuple[Columns, list[Problem]]:
    """The columns that are known, and a problem with each other column that has a heading."""
    headers: list[str] = []

    def find(header: Sequence[str]) -> Mapping[str, int] | None:
        names = [re.sub(r"[ -]", "_", text.casefold()) for text in header]
        if not set(_NEEDED) <= set(names):
            return None
        headers[:] = names
        return {name: names.index(name) for name in COLUMNS if name in names}

    wanted = f"columns {', '.join(_NEEDED[:-1])} and {_NEEDED[-1]}"
    columns = read_columns(path, find, wanted=wanted, key=None)
    problems = []
    for name in dict.fromkeys(filter(None, headers)):
        if name not in COLUMNS:
            close = difflib.get_close_matches(name, COLUMNS, n=1)
            fix = f"did you mean {close[0]}?" if close else "take it out, or move what it holds to note"
            problems.append(Problem(path.name, f"there is no column {name!r} in a targets file", fix))
        elif headers.count(name) > 1:
            problems.append(Problem(path.name, f"it has {headers.count(name)} columns {name!r}", "keep one of them"))
    return columns, problems


class _Reader:
    """Takes targets out of the rows of a file, and collects what is wrong with their cells, and in which rows."""

    def __init__(self, columns: Columns, *, from_workbook: bool) -> None:
        self.problems: list[Problem] = []
        self.partial: set[int] = set()
        self._columns = columns
        self._from_workbook = from_workbook
        self._lines = {f"{columns.file}, line {line}": line for line in columns.lines}
        self._told = self._collect_told()

    def where(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"{self._columns.file}, line {self._columns.lines[row]}"

    def order(self, where: str) -> int:
        """The line of a place that `where` named; 0 for the file as a whole."""
        return self._lines.get(where, 0)

    def read_title(self, default: str) -> str:
        """The name of the table; a problem where its rows have several."""
        titles = [self._text(row, "table") for row in range(len(self._columns.lines))]
        first = next(filter(None, titles), default)
        for row, title in enumerate(titles):
            if title not in ("", first):
                self._report(row, f"its table is {title!r}, and {first!r} above", "keep one table in a file")
        return first

    def read_target(self, row: int) -> Target:
        """One row; what cannot be read is reported and comes out empty, so that reading goes on."""
        indicator = self._read_indicator(row)
        return Target(
            indicator=indicator,
            area=TargetArea(self._text(row, "area"), self._list(row, "area_parts")),
            kind=self._choose(row, "kind", self._text(row, "kind"), cast(tuple[Kind, ...], get_args(Kind)), None),
            due=self._read_period(row, "due", required=True) or parse_period("2200"),
            value=self._read_number(row, "target", percent=indicator.unit == "percent"),
            baseline_period=self._read_period(row, "baseline_period"),
            baseline=self._read_number(row, "baseline", percent=indicator.unit == "percent"),
            percent=self._read_number(row, "percent", percent=True),
            percent_on=self._read_period(row, "percent_on"),
            overall_percent=self._read_number(row, "overall_percent", percent=True),
            overall_percent_on=self._read_period(row, "overall_percent_on"),
            printed_due=self._text(row, "printed_due"),
            owner=self._text(row, "owner"),
            document=self._text(row, "document"),
            page=self._text(row, "page"),
            note=self._text(row, "note"),
        )

    def _read_indicator(self, row: int) -> Indicator:
        key = self._text(row, "indicator")
        direction = self._tell(row, "direction")
        unit = self._tell(row, "unit")
        return Indicator(
            key=key,
            name=self._tell(row, "indicator_name") or key,
            crimes=self._list(row, "crimes"),
            direction=self._choose(
                row, "direction", direction, cast(tuple[Direction, ...], get_args(Direction)), "less"
            ),
            unit=self._choose(row, "unit", unit, cast(tuple[Unit, ...], get_args(Unit)), "count"),
            parts=self._list(row, "indicator_parts"),
        )

    def _report(self, row: int, what: str, fix: str) -> None:
        self.partial.add(row)
        self.problems.append(Problem(self.where(row), what, fix))

    def _text(self, row: int, name: str) -> str:
        texts = self._columns.texts.get(name)
        text = "" if texts is None else " ".join(texts[row].split())
        return text[1:] if MADE_SAFE.match(text) else text

    def _collect_told(self) -> dict[tuple[str, str], str]:
        """What the first row to say something of an indicator or area says, by column and key."""
        told: dict[tuple[str, str], str] = {}
        for row in range(len(self._columns.lines)):
            for name, owner in _OWNERS.items():
                if text := self._text(row, name):
                    told.setdefault((name, self._text(row, owner)), text)
        return told

    def _tell(self, row: int, name: str) -> str:
        return self._text(row, name) or self._told.get((name, self._text(row, _OWNERS[name])), "")

    def _list(self, row: int, name: str) -> tuple[str, ...]:
        parts = (part.strip() for part in self._tell(row, name).split(SEPARATOR))
        return tuple(part for part in parts if part)

    def _choose(self, row: int, name: str, text: str, options: tuple[_Choice, ...], default: _Choice | None) -> _Choice:
        folded = text.casefold().replace(" ", "-")
        for option in options:
            if folded == option:
                return option
        if text or default is None:
            what = f"its {name} is {text!r}" if text else f"its {name} is empty"
            self._report(row, what, f"write {', '.join(options[:-1])} or {options[-1]}")
        return default or options[0]

    def _read_number(self, row: int, name: str, *, percent: bool) -> Decimal | None:
        text = self._text(row, name)
        if text.casefold() in MISSING:
            return None
        bare = text.removesuffix("%").rstrip() if percent else text
        if not _NUMBER.fullmatch(bare):
            example = "a number, such as 45 for 45 per cent" if percent else "a number, such as 1,840"
            self._report(row, f"its {name} is {text!r}", f"write {example}, or leave it empty where there is none")
            return None
        number = Decimal(bare.replace(",", ""))
        if self._from_workbook and int(number.as_tuple().exponent) < -MOST_PLACES:
            # What a workbook worked out ends in noise: 53.900000000000006 is 53.9.
            number = Decimal(str(round(float(number), MOST_PLACES)))
        # A workbook keeps 45 % as 0.45, which looks like less than one per cent.
        if percent and self._from_workbook and bare == text and 0 < number <= 1:
            fix = "write 45 for 45 per cent, in a cell that is not formatted as a percentage"
            self._report(row, f"its {name} is {text}, which may be a percentage or a share", fix)
        return number

    def _read_period(self, row: int, name: str, *, required: bool = False) -> Span | None:
        text = self._text(row, name)
        if not text:
            if required:
                self._report(row, f"its {name} is empty", "fill in a period, such as 2007-08")
            return None
        try:
            return parse_period(_undo_date(text))
        except UserError as error:
            what, _, fix = str(error).rstrip(".").partition("; ")
            if name == "due" and re.fullmatch(r"\d{4}-\d\d", text):
                fix += "; a heading that is misprinted goes in printed_due as it stands"
            self._report(row, f"its {name}: {what}", fix or "correct it")
            return None


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


def _find_unknown_crimes(table: TargetTable, crimes: Collection[str] | None, reader: _Reader) -> Iterator[Problem]:
    if crimes is None:
        return
    rows = {target.indicator.key: row for row, target in reversed(list(enumerate(table.targets)))}
    for indicator in table.indicators:
        for crime in indicator.crimes:
            if crime not in crimes:
                close = difflib.get_close_matches(crime, list(crimes), n=1)
                fix = f"did you mean {close[0]}?" if close else f"name some of {', '.join(sorted(crimes))}"
                what = f"{crime!r} is not a crime type or group of the partnership"
                yield Problem(reader.where(rows[indicator.key]), what, fix)
