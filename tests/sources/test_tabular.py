"""Reading the wanted columns of a table, CSV or XLSX."""

import re
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cspmap.errors import SourceError
from cspmap.sources.tabular import Columns, match_header, read_columns

_PATTERNS = {"code": re.compile("area code"), "value": re.compile("people")}


def read(path: Path) -> Columns:
    return read_columns(path, lambda header: match_header(header, _PATTERNS), wanted="columns Area code and People")


def write(folder: Path, content: bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_titles_line_breaks_and_marks_are_seen_past(tmp_path: Path, mark: bytes, ending: bytes) -> None:
    lines = [b"People, by area", b"", b'Name," Area', b' code ",People,', b'A,E1,"1,234",', b",,,", b"B,E2 , 5"]
    columns = read(write(tmp_path, mark + ending.join(lines)))
    assert columns.texts == {"code": ["E1", "E2"], "value": ["1,234", "5"]}
    assert columns.lines == [5, 7]
    assert columns.headers == {"code": "Area code", "value": "People"}
    values, problems = columns.numbers("value")
    assert values.tolist() == [1234.0, 5.0]
    assert problems == []


def test_windows_text_is_read(tmp_path: Path) -> None:
    columns = read(write(tmp_path, "Area code,People\nYnys Môn – A,1\n".encode("cp1252")))
    assert columns.texts["code"] == ["Ynys Môn – A"]


def test_a_workbook_is_read_from_the_first_sheet_with_the_columns(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Notes on people and area code"])
    sheet = book.create_sheet("Data")
    for row in ([], ["People by area"], ["Name", "Area\n code", "People"], ["A", "E1", 12], ["B", "E2", None]):
        sheet.append(row)
    book.save(tmp_path / "table.xlsx")
    columns = read(tmp_path / "table.xlsx")
    assert columns.texts == {"code": ["E1", "E2"], "value": ["12", ""]}
    assert columns.lines == [4, 5]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "table.csv",
            b"Title\nArea,Persons\nE1,2\n",
            "it has no columns Area code and People (its columns are Area, Persons); check that it is the right file.",
        ),
        (
            "table.csv",
            b"x\n" * 15 + b"Area code,People\nE1,2\n",
            "it has no columns Area code and People (its columns are x); check that it is the right file.",
        ),
        (
            "table.csv",
            b"",
            "it has no columns Area code and People; it is empty; check that it is the right file.",
        ),
        (
            "table.csv",
            b"Area code,People\n,\n",
            "it has a header and no rows; check that it is complete.",
        ),
        (
            "table.csv",
            "Area code,People\n".encode("utf-16-le"),
            "it is not CSV; save it as CSV in UTF-8, or give an XLSX file its own ending.",
        ),
        (
            "table.csv",
            b"Area code,People\n\x81,2\n",
            "it is text neither in UTF-8 nor in Windows-1252; save it as CSV in UTF-8.",
        ),
        (
            "table.csv",
            b'Area code,People\n"' + b"x" * 200_000,
            "it is not CSV from line 2 on (field larger than field limit (131072)); save it again as CSV.",
        ),
        ("table.xls", b"", "a .xls file is not read here; save it as .xlsx or as CSV."),
        ("table.ods", b"", "a .ods file is not read here; save it as .xlsx or as CSV."),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(write(tmp_path, content, name))
    assert str(caught.value) == f"{name}: {sentence}"


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path / "table.csv")
    assert str(caught.value) == (
        "table.csv: it cannot be opened (No such file or directory); check its name and who may read it."
    )


def columns_of(*texts: str) -> Columns:
    return Columns("t.csv", {"value": "Total"}, list(range(2, 2 + len(texts))), {"value": list(texts)})


def test_what_stands_for_missing_is_never_a_number() -> None:
    values, problems = columns_of("", "-", "..", "[x]", "[C]", "n/a", "N/A", "0").numbers("value")
    assert np.isnan(values).tolist() == [True] * 7 + [False]
    assert problems == []


def test_wrong_numbers_are_named_with_their_lines() -> None:
    _, problems = columns_of("1", "abc", "1,5", "inf", "nan", "#N/A", "-3").numbers("value", least=0)
    assert [str(problem) for problem in problems] == [
        "t.csv: column 'Total' has 'abc' (line 3), '1,5' (line 4), 'inf' (line 5) and 2 more where a number belongs; "
        "correct it, or leave it empty where there is none.",
        "t.csv: column 'Total' has '-3' (line 8), below 0; correct it.",
    ]


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1), st.booleans())
def test_whole_numbers_come_back_with_and_without_separators(numbers: list[int], separated: bool) -> None:
    texts = [f"{number:,}" if separated else str(number) for number in numbers]
    values, problems = columns_of(*texts).numbers("value")
    assert values.tolist() == numbers
    assert problems == []


def test_text_in_utf_16_is_read(tmp_path: Path) -> None:
    table = read(write(tmp_path, "Area code,People\nE1,2\n".encode("utf-16"), "table.csv"))
    assert table.texts == {"code": ["E1"], "value": ["2"]}
