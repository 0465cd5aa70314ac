"""A partnership's indicators from a tidy file, CSV or XLSX: one row an indicator, answer, area and period.

`docs/indicator-file.md` describes each column.
"""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from cspmap.errors import ProblemsError, SourceError
from cspmap.indicators import Direction, IndicatorTable, Kind, Measure, Reading, Unit, find_contradictions
from cspmap.sources.tidy_file import TidyReader, join_parts, read_tidy_columns, write_number, write_period

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "table",
    "topic",
    "indicator",
    "indicator_name",
    "kind",
    "unit",
    "direction",
    "question",
    "crimes",
    "survey",
    "area",
    "answer",
    "period",
    "value",
    "sample",
    "margin",
    "document",
    "page",
    "note",
)
_NEEDED = ("indicator", "period", "value")
# What is said of a whole indicator need stand in one of its rows only.
_OWNERS = dict.fromkeys(
    ("topic", "indicator_name", "kind", "unit", "direction", "question", "crimes"),
    "indicator",
)


def read_indicators(path: Path) -> IndicatorTable:
    """Read a table of indicators from a CSV file or an XLSX workbook, its rows in the file's order.

    The table's title is the file's name where the column `table` is empty. Raises SourceError with every problem
    found, each with its line.
    """
    columns, problems = read_tidy_columns(path, COLUMNS, needed=_NEEDED, noun="an indicators file")
    reader = _Reader(columns, from_workbook=path.suffix.lower() != ".csv", owners=_OWNERS)
    table = IndicatorTable(reader.read_title(path.stem), reader.read_rows(reader.read_reading))
    problems += reader.problems
    problems += find_contradictions(table, reader.where, partial=reader.partial)
    if problems:
        raise SourceError(sorted(problems, key=reader.order))
    return table


def tabulate_indicators(table: IndicatorTable) -> "pd.DataFrame":
    """The rows of the file that `read_indicators` reads back as this very table, in the columns COLUMNS.

    Raises ProblemsError where the table contradicts itself.
    """
    import pandas as pd

    if problems := find_contradictions(table):
        raise ProblemsError(problems)
    rows = [_list_cells(table.title, reading) for reading in table.readings]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="object")


def _list_cells(title: str, reading: Reading) -> dict[str, object]:
    measure = reading.measure
    return {
        "table": title,
        "topic": measure.topic,
        "indicator": measure.key,
        "indicator_name": measure.name,
        "kind": measure.kind,
        "unit": measure.unit,
        "direction": measure.direction,
        "question": measure.question,
        "crimes": join_parts(measure.crimes),
        "survey": reading.survey,
        "area": reading.area,
        "answer": reading.answer,
        "period": write_period(reading.period),
        "value": write_number(reading.value),
        "sample": reading.sample,
        "margin": write_number(reading.margin),
        "document": reading.document,
        "page": reading.page,
        "note": reading.note,
    }


class _Reader(TidyReader):
    """Takes readings out of the rows of a file."""

    def read_reading(self, row: int) -> Reading:
        """One row; what cannot be read is reported and comes out empty, so that reading goes on."""
        measure = self._read_measure(row)
        percent = measure.unit in ("percent", "change")
        return Reading(
            measure=measure,
            area=self.text(row, "area"),
            answer=self.text(row, "answer"),
            period=self.read_period(row, "period"),
            value=self.read_number(row, "value", percent=percent),
            sample=self._read_sample(row),
            margin=self.read_number(row, "margin", percent=False),
            survey=self.text(row, "survey"),
            document=self.text(row, "document"),
            page=self.text(row, "page"),
            note=self.text(row, "note"),
        )

    def _read_measure(self, row: int) -> Measure:
        key = self.text(row, "indicator")
        kind, unit, direction = (self.tell(row, name) for name in ("kind", "unit", "direction"))
        return Measure(
            key=key,
            name=self.tell(row, "indicator_name") or key,
            topic=self.tell(row, "topic"),
            kind=self.choose(row, "kind", kind, cast(tuple[Kind, ...], get_args(Kind)), "survey"),
            unit=self.choose(row, "unit", unit, cast(tuple[Unit, ...], get_args(Unit)), "percent"),
            direction=self.choose(
                row, "direction", direction, cast(tuple[Direction, ...], get_args(Direction)), "neither"
            ),
            question=self.tell(row, "question"),
            crimes=self.list_parts(row, "crimes"),
        )

    def _read_sample(self, row: int) -> int | None:
        number: Decimal | None = self.read_number(row, "sample", percent=False)
        if number is not None and number != int(number):
            self.report(row, f"its sample is {number}", "write how many were asked, a whole number")
            return None
        return None if number is None else int(number)
