"""Reading XLSX workbooks: against openpyxl on real ones, and each way of storing a cell."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cspmap.errors import SourceError
from cspmap.sources.workbook import Workbook

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def make_workbook(path: Path, rows: str, *, strings: str = "", space: str = _MAIN, prefix: str = "") -> Path:
    """A workbook of one sheet, `Data`, with just the parts that reading needs, written by hand."""
    relation = '<Relationship Id="{}" Type="http://example.org/{}" Target="{}"/>'
    declared = f'xmlns{":" + prefix if prefix else ""}="{space}"'
    p = f"{prefix}:" if prefix else ""
    parts = {
        "_rels/.rels": relation.format("r0", "officeDocument", "/xl/workbook.xml"),
        "xl/_rels/workbook.xml.rels": relation.format("r1", "worksheet", "worksheets/one.xml")
        + relation.format("r2", "sharedStrings", "/xl/texts.xml"),
    }
    parts = {name: f'<Relationships xmlns="x">{content}</Relationships>' for name, content in parts.items()}
    parts["xl/workbook.xml"] = (
        f'<{p}workbook {declared} xmlns:r="{_OFFICE}"><{p}sheets><{p}sheet name="Data" sheetId="1" r:id="r1"/>'
        f"</{p}sheets></{p}workbook>"
    )
    parts["xl/worksheets/one.xml"] = f"<{p}worksheet {declared}><{p}sheetData>{rows}</{p}sheetData></{p}worksheet>"
    parts["xl/texts.xml"] = f"<{p}sst {declared}>{strings}</{p}sst>"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def read(path: Path, sheet: str = "Data") -> list[tuple[int, list[str]]]:
    with Workbook(path) as book:
        return list(book.read_rows(sheet))


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


def test_every_kind_of_cell_is_text(tmp_path: Path) -> None:
    rows = (
        '<row r="3"><c r="B3" t="s"><v>1</v></c><c r="D3"><f>1+1</f><v>2</v></c>'
        '<c r="AA3" t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r></is></c></row>'
        '<row><c><v>1.5E3</v></c><c t="str"><v> a &amp; b </v></c><c t="e"><v>#N/A</v></c><c t="b"><v>1</v></c></row>'
        '<row r="9"/>'
    )
    strings = "<si><t>zero</t></si><si><r><rPr/><t>two </t></r><r><t>runs</t></r><rPh><t>sound</t></rPh></si>"
    assert read(make_workbook(tmp_path / "book.xlsx", rows, strings=strings)) == [
        (3, ["", "two runs", "", "2", *[""] * 22, "inline"]),
        (4, ["1.5E3", "a & b", "#N/A", "1"]),
        (9, []),
    ]


@pytest.mark.parametrize(("space", "prefix"), [(_STRICT, ""), (_MAIN, "x"), (_STRICT, "ss")])
def test_strict_workbooks_and_prefixes_are_read_alike(tmp_path: Path, space: str, prefix: str) -> None:
    p = f"{prefix}:" if prefix else ""
    cells = f'<{p}c r="A1" t="s">\n  <{p}v>0</{p}v>\n </{p}c>\n <{p}c r="B1"><{p}v>7</{p}v></{p}c>'
    rows = f'\n <{p}row r="1">\n {cells}\n </{p}row>'
    strings = f"<{p}si><{p}t>a</{p}t></{p}si>"
    path = make_workbook(tmp_path / "book.xlsx", rows, strings=strings, space=space, prefix=prefix)
    assert read(path) == [(1, ["a", "7"])]


_TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn", "Co"]), max_size=8)
_WHOLE = st.integers(-(2**53), 2**53)


@given(st.lists(st.lists(st.one_of(st.none(), _WHOLE, _TEXTS), max_size=30), max_size=5))
def test_what_openpyxl_writes_is_read_back(rows: list[list[str | int | None]]) -> None:
    book = openpyxl.Workbook()
    # A text that starts with "=" would be written as a formula.
    marked = [[f"'{cell}" if isinstance(cell, str) else cell for cell in row] for row in rows]
    for row in marked:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    found = dict(_read_stream(stream))
    for number, row in enumerate(marked, 1):
        expected = ["" if cell is None else str(cell).strip() for cell in row]
        while expected and not expected[-1]:
            expected.pop()
        assert found.get(number, []) == expected


def _read_stream(stream: io.BytesIO) -> list[tuple[int, list[str]]]:
    # zipfile, and so Workbook, takes an open file as well as a name.
    with Workbook(stream) as book:  # type: ignore[arg-type]
        return list(book.read_rows("Sheet"))


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xd0\xcf\x11\xe0 an old or protected workbook"])
def test_what_is_no_workbook_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        Workbook(path)
    assert str(caught.value) == (
        "book.xlsx: it cannot be opened as an XLSX workbook; save it as .xlsx, without a password."
    )


@pytest.mark.parametrize(
    "rows", ['<row r="1"><c r="A1" t="s"><v>5</v></c></row>', '<row r="1"><c r="A1">', '<row r="one"/>']
)
def test_a_damaged_sheet_is_said(tmp_path: Path, rows: str) -> None:
    path = make_workbook(tmp_path / "book.xlsx", rows)
    with pytest.raises(SourceError, match=r"^book\.xlsx: its workbook is damaged \(.+\); fetch it again\.$"):
        read(path)


def test_a_zip_file_that_is_no_workbook_is_said(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(SourceError, match=r"^book\.xlsx: its workbook is damaged"):
        Workbook(path)
