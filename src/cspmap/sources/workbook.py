"""Reading the sheets of an XLSX workbook as rows of text."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from cspmap.errors import Problem, SourceError

Row = tuple[int, list[str]]


class Workbook:
    """An open workbook: its sheets by name, in order. Close it, or use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Raises SourceError where the file is no XLSX workbook, is damaged, or is protected by a password."""
        from python_calamine import CalamineError, CalamineWorkbook, PasswordError

        try:
            self._book = CalamineWorkbook.from_path(path)
        except PasswordError as error:
            problem = Problem(path.name, "it is protected by a password", "save it without one")
            raise SourceError([problem]) from error
        except (CalamineError, OSError) as error:
            what = f"it cannot be opened as an XLSX workbook ({error})"
            raise SourceError([Problem(path.name, what, "fetch it again, or save it as .xlsx")]) from error
        self._path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._book.close()

    @property
    def sheets(self) -> Sequence[str]:
        """Names of the sheets, in the workbook's order."""
        names: list[str] = self._book.sheet_names
        return names

    def read_rows(self, sheet: str) -> Iterator[Row]:
        """The number, as the program that made it shows it, and the cells of each row, as text; "" where empty."""
        from python_calamine import CalamineError

        try:
            rows = self._book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        except CalamineError as error:
            what = f"its sheet {sheet!r} is damaged ({error})"
            raise SourceError([Problem(self._path.name, what, "fetch it again")]) from error
        for number, row in enumerate(rows, 1):
            yield number, [_as_text(cell) for cell in row]


def _as_text(cell: Any) -> str:
    """A cell as text: workbooks store every number with a fraction, so a whole one is written without."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
