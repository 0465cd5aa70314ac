"""Reading the sheets of an XLSX workbook as rows of text, as they are stored.

The official workbooks hold tens of thousands of rows of which a few columns are wanted. Reading the sheet's XML
straight through takes a third of the time that openpyxl needs, which turns each cell into an object and a type
first; that time was the largest part of a build. Format: ECMA-376 part 1, section 18 (SpreadsheetML).
"""

import posixpath
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NoReturn, Self
from xml.etree import ElementTree
from xml.parsers import expat

from cspmap.errors import Problem, SourceError

Row = tuple[int, list[str]]

_CHUNK = 1 << 18


class Workbook:
    """An open workbook: its sheets by name, in order. Close it, or use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Raises SourceError where the file is no XLSX workbook, or is protected by a password."""
        self._path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            _fail(path, "it cannot be opened as an XLSX workbook", "save it as .xlsx, without a password", error)
        try:
            self._book = self._find_book()
            self._parts = self._list_sheets()
        except _DAMAGED as error:
            self._archive.close()
            self._fail_damaged(error)
        self._strings: list[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    @property
    def sheets(self) -> Sequence[str]:
        """Names of the sheets, in the workbook's order."""
        return list(self._parts)

    def read_rows(self, sheet: str) -> Iterator[Row]:
        """The number, as the program that made it shows it, and the cells of each row, as text; "" where empty.

        Rows without any cell may be left out. Numbers come as the workbook stores them, without their format.
        """
        try:
            if self._strings is None:
                self._strings = self._read_strings()
            with self._archive.open(self._parts[sheet]) as stream:
                yield from _stream_rows(stream, self._strings)
        except _DAMAGED as error:
            self._fail_damaged(error)

    def _fail_damaged(self, error: Exception) -> NoReturn:
        _fail(self._path, f"its workbook is damaged ({error})", "fetch it again", error)

    def _parse(self, part: str) -> ElementTree.Element:
        # Expat refuses entities that blow up in expansion (since 2.4.1), and fetches none from elsewhere.
        return ElementTree.fromstring(self._archive.read(part))  # noqa: S314

    def _read_relations(self, part: str) -> list[tuple[str, str, str]]:
        """Identifier, last word of the kind, and part of everything that a part relates to."""
        folder, name = posixpath.split(part)
        root = self._parse(posixpath.join(folder, "_rels", f"{name}.rels"))
        return [
            (
                item.get("Id", ""),
                item.get("Type", "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, item.get("Target", ""))).lstrip("/"),
            )
            for item in root
        ]

    def _find_book(self) -> str:
        return next((part for _, kind, part in self._read_relations("") if kind == "officeDocument"), "xl/workbook.xml")

    def _list_sheets(self) -> dict[str, str]:
        related = {key: part for key, kind, part in self._read_relations(self._book) if kind == "worksheet"}
        found: dict[str, str] = {}
        for element in self._parse(self._book).iter():
            if _local(element.tag) == "sheet":
                keys = [value for name, value in element.attrib.items() if _local(name) == "id"]
                found |= {element.get("name", ""): related[key] for key in keys if key in related}
        return found

    def _read_strings(self) -> list[str]:
        """The texts that cells refer to by number."""
        part = next((part for _, kind, part in self._read_relations(self._book) if kind == "sharedStrings"), None)
        if part is None:
            return []
        root = self._parse(part)
        text, run = (root.tag.removesuffix("sst") + name for name in ("t", "r"))
        return ["".join(_read_runs(item, text, run)) for item in root]


_DAMAGED = (ElementTree.ParseError, expat.ExpatError, zipfile.BadZipFile, KeyError, IndexError, ValueError, EOFError)


def _fail(path: Path, what: str, fix: str, cause: Exception) -> NoReturn:
    raise SourceError([Problem(path.name, what, fix)]) from cause


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _read_runs(item: ElementTree.Element, text: str, run: str) -> Iterator[str]:
    """The parts of a text, which has several where it is formatted; not the phonetic guides beside them."""
    for child in item:
        if child.tag == text:
            yield child.text or ""
        elif child.tag == run:
            yield from (part.text or "" for part in child.iter(text))


def _stream_rows(stream: IO[bytes], strings: Sequence[str]) -> Iterator[Row]:
    """Rows of one sheet, gathered while its XML streams through.

    What begins ends what came before it, so that nothing has to be done where a cell or a value ends: that halves
    the time. Space between the elements is read into the text before it, which is stripped.
    """
    rows: list[Row] = []
    cells: list[str] = []
    places: dict[str, int] = {}
    cell = value = text = row = ""
    number, place = 0, -1
    kind: str | None = None
    reading = False
    parts: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal cell, value, text, row, cells, number, place, kind, reading
        if tag in (value, text):
            reading = True
            return
        reading = False
        if tag == cell:
            if parts:
                keep()
            kind = attributes.get("t")
            reference = attributes.get("r")
            place = place + 1 if reference is None else _find_place(reference, places)
        elif tag == row:
            if parts:
                keep()
            number, place = int(attributes.get("r", number + 1)), -1
            cells = []
            rows.append((number, cells))
        elif not cell:
            # The namespace differs between the transitional and the strict kind of workbook.
            space = tag.removesuffix("worksheet")
            cell, value, text, row = space + "c", space + "v", space + "t", space + "row"

    def add(data: str) -> None:
        if reading:
            parts.append(data)

    def keep() -> None:
        known = "".join(parts).strip()
        parts.clear()
        if kind == "s" and known:
            known = strings[int(known)].strip()
        if known:
            cells.extend([""] * (place - len(cells)))
            cells.append(known)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.CharacterDataHandler = add
    while chunk := stream.read(_CHUNK):
        parser.Parse(chunk, False)
        yield from rows[:-1]
        del rows[:-1]
    parser.Parse(b"", True)
    if parts:
        keep()
    yield from rows


def _find_place(reference: str, places: dict[str, int]) -> int:
    """0 for column A, 27 for AB, from a reference such as AB12; `places` remembers them."""
    letters = reference.rstrip("0123456789")
    if letters not in places:
        place = 0
        for letter in letters:
            place = place * 26 + ord(letter) - ord("A") + 1
        places[letters] = place - 1
    return places[letters]
