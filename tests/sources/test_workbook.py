"""Reading XLSX workbooks: cell for cell against openpyxl, and files that are none."""

import zipfile
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.errors import SourceError
from cspmap.sources.workbook import Workbook


@pytest.mark.parametrize(
    "name",
    [
        "recorded-crime/policeforceareatablesyedecember2024.xlsx",
        "deprivation/File_1_-_IMD2019_Index_of_Multiple_Deprivation.xlsx",
    ],
)
def test_every_cell_is_what_openpyxl_reads(shared_data: Path, name: str) -> None:
    expected = openpyxl.load_workbook(shared_data / name, read_only=True)
    compared = 0
    with Workbook(shared_data / name) as book:
        assert list(book.sheets) == expected.sheetnames
        for sheet in book.sheets:
            mine = dict(book.read_rows(sheet))
            for number, row in enumerate(expected[sheet].iter_rows(values_only=True), 1):
                cells = mine.get(number, [])
                for place, value in enumerate(row):
                    cell = cells[place] if place < len(cells) else ""
                    if value is None:
                        assert cell == ""
                    elif isinstance(value, str):
                        assert cell == value.strip()
                    else:
                        assert float(cell) == value
                    compared += 1
    assert compared > 10_000


_TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn", "Co"]), max_size=8)
_WHOLE = st.integers(-(2**53), 2**53)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.one_of(st.none(), _WHOLE, _TEXTS), max_size=30), max_size=5))
def test_what_openpyxl_writes_is_read_back(rows: list[list[str | int | None]]) -> None:
    book = openpyxl.Workbook()
    # A text that starts with "=" would be written as a formula.
    marked = [[f"'{cell}" if isinstance(cell, str) else cell for cell in row] for row in rows]
    for row in marked:
        book.active.append(row)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        book.save(path)
        with Workbook(path) as opened:
            found = dict(opened.read_rows("Sheet"))
    for number, row in enumerate(marked, 1):
        expected = ["" if cell is None else str(cell).strip() for cell in row]
        while expected and not expected[-1]:
            expected.pop()
        cells = found.get(number, [])
        assert cells[: len(expected)] == expected
        assert not any(cells[len(expected) :])


def test_numbers_and_dates_are_plain_text(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append([1.5, 12.0, datetime(2024, 4, 1, 13, 30), True, None])
    book.save(tmp_path / "book.xlsx")
    with Workbook(tmp_path / "book.xlsx") as opened:
        assert list(opened.read_rows("Sheet")) == [(1, ["1.5", "12", "2024-04-01 13:30:00", "True"])]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xd0\xcf\x11\xe0 an old or protected workbook"])
def test_what_is_no_workbook_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(content)
    with pytest.raises(
        SourceError, match=r"^book\.xlsx: it cannot be opened as an XLSX workbook \(.+\); fetch it again"
    ):
        Workbook(path)


def test_a_zip_file_that_is_no_workbook_is_said(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(SourceError, match=r"^book\.xlsx: it cannot be opened as an XLSX workbook"):
        Workbook(path)


def test_a_damaged_sheet_is_said(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.save(tmp_path / "whole.xlsx")
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(tmp_path / "book.xlsx", "w") as cut:
        for name in whole.namelist():
            content = whole.read(name)
            cut.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)
    with (
        Workbook(tmp_path / "book.xlsx") as opened,
        pytest.raises(SourceError, match=r"^book\.xlsx: its sheet 'Sheet' is damaged \(.+\); fetch it again\.$"),
    ):
        list(opened.read_rows("Sheet"))
