"""A table as an Excel workbook: the figures on one sheet, the readme on another, row by row, nothing kept in memory."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cspmap.errors import UserError

# Of a worksheet, its header among them.
MOST_ROWS = 1_048_576
_MOST_LETTERS = 32_767
_LEAST_WIDTH, _MOST_WIDTH = 9, 40
_MONTH_FORMAT = "yyyy-mm-dd hh:mm"
# Whoever reads a workbook's own date learns when it was made; the readme says of which store, which matters.
_LONG_AGO = datetime(2000, 1, 1)


def write_workbook(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]], count: int, readme: Mapping[str, str]
) -> None:
    """Write `count` rows to a sheet `Figures`, and the readme to a sheet `About`.

    Texts are written as texts, whatever they begin with, so that none is run as a formula or made a link. Raises
    UserError where a worksheet cannot hold as many rows.
    """
    import xlsxwriter

    if count + 1 > MOST_ROWS:
        raise UserError(
            f"An Excel sheet holds {MOST_ROWS - 1:,} rows at most, and this extract has {count:,}; "
            "ask for parquet or zip (CSV), or for a shorter period."
        )
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_date_format": _MONTH_FORMAT,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": _LONG_AGO, "comments": readme.get("Made again by", "")})
        bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet("Figures")
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(count, 1), len(columns) - 1)
        for place, name in enumerate(columns):
            sheet.set_column(place, place, min(max(len(name) + 3, _LEAST_WIDTH), _MOST_WIDTH))
            sheet.write_string(0, place, name, bold)
        for number, row in enumerate(rows, 1):
            for place, value in enumerate(row):
                if value is not None:
                    _write_cell(sheet, number, place, value)
        about = book.add_worksheet("About")
        about.set_column(0, 0, 22)
        about.set_column(1, 1, 110)
        for number, (heading, text) in enumerate(readme.items()):
            about.write_string(number, 0, heading, bold)
            about.write_string(number, 1, text[:_MOST_LETTERS], wrapped)


def _write_cell(sheet: Any, row: int, place: int, value: Any) -> None:
    if isinstance(value, str):
        sheet.write_string(row, place, value[:_MOST_LETTERS])
    elif isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif isinstance(value, datetime):
        sheet.write_datetime(row, place, value)
    else:
        sheet.write_number(row, place, value)
