"""A partnership's targets from a tidy file, CSV or XLSX: one row an indicator, area and period.

`docs/target-file.md` describes each column.
"""

import difflib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from cspmap.errors import Problem, ProblemsError, SourceError
from cspmap.sources.tidy_file import (
    TidyReader,
    join_parts,
    read_tidy_columns,
    write_number,
    write_period,
)
from cspmap.target_checks import find_contradictions
from cspmap.targets import Direction, Indicator, Kind, Target, TargetArea, TargetTable, Unit, parse_period

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


def read_targets(path: Path, *, crimes: Collection[str] | None = None) -> TargetTable:
    """Read a table of targets from a CSV file or an XLSX workbook, its rows in the file's order.

    `crimes` are the keys of the crime types and groups that there are; any are let pass where it is not given. The
    table's title is the file's name where the column `table` is empty. Raises SourceError with every problem found,
    each with its line.
    """
    columns, problems = read_tidy_columns(path, COLUMNS, needed=_NEEDED, noun="a targets file")
    reader = _Reader(columns, from_workbook=path.suffix.lower() != ".csv", owners=_OWNERS)
    table = TargetTable(reader.read_title(path.stem), reader.read_rows(reader.read_target))
    problems += reader.problems
    problems += find_contradictions(table, reader.where, partial=reader.partial)
    problems += _find_unknown_crimes(table, crimes, reader)
    if problems:
        raise SourceError(sorted(problems, key=reader.order))
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
        "indicator_parts": join_parts(indicator.parts),
        "crimes": join_parts(indicator.crimes),
        "area": area.name,
        "area_parts": join_parts(area.parts),
        "kind": target.kind,
        "direction": indicator.direction,
        "unit": indicator.unit,
        "baseline_period": write_period(target.baseline_period),
        "baseline": write_number(target.baseline),
        "percent": write_number(target.percent),
        "percent_on": write_period(target.percent_on),
        "overall_percent": write_number(target.overall_percent),
        "overall_percent_on": write_period(target.overall_percent_on),
        "due": write_period(target.due),
        "printed_due": target.printed_due,
        "target": write_number(target.value),
        "owner": target.owner,
        "document": target.document,
        "page": target.page,
        "note": target.note,
    }


class _Reader(TidyReader):
    """Takes targets out of the rows of a file."""

    def read_target(self, row: int) -> Target:
        """One row; what cannot be read is reported and comes out empty, so that reading goes on."""
        indicator = self._read_indicator(row)
        misprinted = "a heading that is misprinted goes in printed_due as it stands"
        return Target(
            indicator=indicator,
            area=TargetArea(self.text(row, "area"), self.list_parts(row, "area_parts")),
            kind=self.choose(row, "kind", self.text(row, "kind"), cast(tuple[Kind, ...], get_args(Kind)), None),
            due=self.read_period(row, "due", required=True, misprinted=misprinted) or parse_period("2200"),
            value=self.read_number(row, "target", percent=indicator.unit == "percent"),
            baseline_period=self.read_period(row, "baseline_period"),
            baseline=self.read_number(row, "baseline", percent=indicator.unit == "percent"),
            percent=self.read_number(row, "percent", percent=True),
            percent_on=self.read_period(row, "percent_on"),
            overall_percent=self.read_number(row, "overall_percent", percent=True),
            overall_percent_on=self.read_period(row, "overall_percent_on"),
            printed_due=self.text(row, "printed_due"),
            owner=self.text(row, "owner"),
            document=self.text(row, "document"),
            page=self.text(row, "page"),
            note=self.text(row, "note"),
        )

    def _read_indicator(self, row: int) -> Indicator:
        key = self.text(row, "indicator")
        direction = self.tell(row, "direction")
        unit = self.tell(row, "unit")
        return Indicator(
            key=key,
            name=self.tell(row, "indicator_name") or key,
            crimes=self.list_parts(row, "crimes"),
            direction=self.choose(
                row, "direction", direction, cast(tuple[Direction, ...], get_args(Direction)), "less"
            ),
            unit=self.choose(row, "unit", unit, cast(tuple[Unit, ...], get_args(Unit)), "count"),
            parts=self.list_parts(row, "indicator_parts"),
        )


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
