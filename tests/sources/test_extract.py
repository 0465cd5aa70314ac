"""A force's own extracts: the bundled example, made ones with every quirk, and each way that one can be wrong."""

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.errors import SourceError
from cspmap.partnership import CrimeType, ExtractColumns, IncidentSource, load_partnership
from cspmap.sources.incidents import INCIDENT_SCHEMA, list_parts
from cspmap.sources.positions import to_degrees

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = load_partnership(ROOT / "data" / "partnership.toml")
PARTNERSHIP = replace(
    EXAMPLE,
    crime_types=(
        CrimeType("burglary", "Burglary", ("Burglary - Dwelling", "BURGLARY NON-DWELLING"), "residents"),
        CrimeType("theft", "Theft", ("Theft from motor vehicle",), "residents"),
    ),
)
COLUMNS = ExtractColumns(
    offence="Offence",
    occurred_from="From",
    occurred_to="To",
    incident_id="Ref",
    easting="X",
    northing="Y",
    location="Street",
)
DEGREES = replace(COLUMNS, easting=None, northing=None, longitude="X", latitude="Y")
HEADER = ["Ref", "Offence", "From", "To", "X", "Y", "Street"]
USUAL = ["L1", "Burglary - Dwelling", "2024-01-30 23:15", "2024-02-01 07:00", "509190", "221300", "George Street"]
Cells = Sequence[object]


def usual(**changes: object) -> list[object]:
    """A row with changes by column."""
    return [changes.get(name, value) for name, value in zip(HEADER, USUAL, strict=True)]


def write(rows: Sequence[Cells], *, header: Sequence[str] = HEADER, delimiter: str = ",", newline: str = "\n") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=newline)
    writer.writerows([header, *rows])
    return text.getvalue().encode()


def write_book(rows: Sequence[Cells], *, header: Sequence[object] = HEADER) -> bytes:
    book = openpyxl.Workbook()
    for row in [header, *rows]:
        book.active.append(row)
    book.create_sheet("Second").append(["not", "read"])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def read(
    content: bytes, *, columns: ExtractColumns = COLUMNS, date_format: str | None = None, name: str = "extract.csv"
) -> pa.Table:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(content)
        source = IncidentSource("extract", file, "test", columns=columns, date_format=date_format)
        (part,) = list_parts(source, PARTNERSHIP)
        return part.read()


def fail(
    content: bytes, *, columns: ExtractColumns = COLUMNS, date_format: str | None = None, name: str = "extract.csv"
) -> list[str]:
    with pytest.raises(SourceError) as caught:
        read(content, columns=columns, date_format=date_format, name=name)
    return [line.removeprefix(name) for line in str(caught.value).splitlines()]


def notes(table: pa.Table) -> list[str]:
    return list(json.loads(table.schema.metadata[b"notes"]))


@pytest.fixture(scope="module")
def example() -> list[tuple[dict[str, str], dict[str, object]]]:
    """Rows of a year of the bundled example, as the standard library reads them and as they come out."""
    file = ROOT / "data" / "incidents" / "2004-05.csv"
    (source,) = EXAMPLE.incidents
    (part,) = list_parts(replace(source, file=file), EXAMPLE)
    with file.open(encoding="utf-8", newline="") as stream:
        return list(zip(csv.DictReader(stream), part.read().to_pylist(), strict=True))


def test_every_row_of_a_bundled_year(example: list[tuple[dict[str, str], dict[str, object]]]) -> None:
    keys = EXAMPLE.type_of_published
    for raw, row in example:
        start, end = (datetime.strptime(raw[f"Committed {side}"], "%d/%m/%Y %H:%M") for side in ("from", "to"))
        assert (row["occurred_from"], row["occurred_to"]) == (start, end)
        assert row["month"] == f"{start:%Y-%m}"
        assert row["incident_id"] == raw["Crime number"]
        assert row["crime_type"] == keys[raw["Offence"].lower()]
        assert row["location"] == (raw["Street"] or None)
        assert (row["longitude"] is None) == (row["latitude"] is None) == (raw["Easting"] == "")
        assert (row["lsoa_code"], row["outcome"]) == (None, None)
    assert sum(row["longitude"] is None for _, row in example) > 100


def test_the_grid_where_it_was_surveyed() -> None:
    # Ordnance Survey's test points of OSTN15 at Caister and St Kilda; without its grid of shifts, good to some metres.
    easting = np.array([651409.804, np.nan, 9587.909])
    northing = np.array([313177.450, np.nan, 899448.986])
    longitude, latitude = to_degrees(easting, northing)
    np.testing.assert_allclose(longitude, [1.716073973, np.nan, -8.578544561], atol=2e-4)
    np.testing.assert_allclose(latitude, [52.658007833, np.nan, 57.813518391], atol=1e-4)


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=10)
_MOMENT = st.datetimes(datetime(2003, 1, 1), datetime(2024, 12, 30)).map(lambda moment: moment.replace(microsecond=0))


@st.composite
def _made_row(draw: st.DrawFn) -> tuple[list[str], dict[str, object]]:
    start = draw(_MOMENT)
    end = draw(st.none() | st.timedeltas(timedelta(0), timedelta(9)).map(lambda gap: start + gap))
    end = end and end.replace(microsecond=0)
    point = draw(st.none() | st.tuples(st.integers(-899_999, 249_999), st.integers(4_900_001, 6_149_999)))
    offence, key = draw(st.sampled_from([("burglary - dwelling", "burglary"), ("THEFT from motor vehicle", "theft")]))
    identifier, street, space = draw(_TEXT), draw(_TEXT), draw(st.sampled_from(["", " ", "\u00a0"]))
    texts = ["", ""] if point is None else [f"{value / 1e5:.5f}" for value in point]
    ends = "" if end is None else f"{end:%d/%m/%Y %H.%M.%S}"
    cells = [identifier, offence, f"{start:%d/%m/%Y %H.%M.%S}", ends, *texts, street]
    return [f"{space}{cell}{space}" for cell in cells], {
        "incident_id": identifier or None,
        "month": f"{start:%Y-%m}",
        "crime_type": key,
        "longitude": point and float(texts[0]),
        "latitude": point and float(texts[1]),
        "location": street or None,
        "lsoa_code": None,
        "outcome": None,
        "occurred_from": start,
        "occurred_to": end,
    }


@settings(deadline=None)
@given(
    rows=st.lists(_made_row(), max_size=10),
    delimiter=st.sampled_from([",", ";", "\t"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_made_extracts_come_back_exactly(
    rows: list[tuple[list[str], dict[str, object]]], delimiter: str, newline: str, mark: bytes
) -> None:
    content = mark + write([cells for cells, _ in rows], delimiter=delimiter, newline=newline)
    table = read(content, columns=DEGREES, date_format="%d/%m/%Y %H.%M.%S")
    assert table.schema == INCIDENT_SCHEMA
    assert table.to_pylist() == [expected for _, expected in rows]


def test_files_in_a_folder_a_zip_file_and_by_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "extracts"
    folder.mkdir()
    (folder / "a.csv").write_bytes(write([usual()]))
    (folder / "b.xlsx").write_bytes(write_book([usual(), usual()]))
    for ignored in ("readme.md", "~$b.xlsx", ".c.csv"):
        (folder / ignored).write_bytes(b"x")
    with zipfile.ZipFile(folder / "c.zip", "w") as archive:
        archive.writestr("2024/d.txt", write([usual()] * 3, delimiter="\t"))
        archive.writestr("map.shp", b"x")
    source = IncidentSource("extract", folder, "test", columns=COLUMNS)
    parts = list_parts(source, PARTNERSHIP)
    names = ["extracts/a.csv", "extracts/b.xlsx", "extracts/c.zip: 2024/d.txt"]
    assert [(part.name, len(part.read())) for part in parts] == list(zip(names, (1, 2, 3), strict=True))
    by_pattern = list_parts(replace(source, file=folder / "?.xlsx"), PARTNERSHIP)
    assert [part.fingerprint for part in by_pattern] == [parts[1].fingerprint]


def test_a_folder_without_an_extract(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_bytes(b"x")
    with pytest.raises(SourceError, match="it has no CSV or XLSX file; put the extract there"):
        list_parts(IncidentSource("extract", tmp_path, "test", columns=COLUMNS), PARTNERSHIP)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-30", datetime(2024, 1, 30)),
        ("2024-01-30 23:15", datetime(2024, 1, 30, 23, 15)),
        ("2024-01-30T23:15:59.700", datetime(2024, 1, 30, 23, 15, 59)),
        # British time is local: an hour ahead of UTC in summer.
        ("2023-07-01T22:30:00Z", datetime(2023, 7, 1, 23, 30)),
        ("2023-07-31T23:30:00+00:00", datetime(2023, 8, 1, 0, 30)),
        ("2024-01-30T23:15:00+01:00", datetime(2024, 1, 30, 22, 15)),
    ],
)
def test_iso_dates(text: str, expected: datetime) -> None:
    rows = read(write([usual(From=text, To=""), usual()])).to_pylist()
    assert (rows[0]["occurred_from"], rows[0]["month"]) == (expected, f"{expected:%Y-%m}")
    assert rows[1]["occurred_from"] == datetime(2024, 1, 30, 23, 15)


def test_offsets_in_a_date_format() -> None:
    table = read(write([usual(From="01/07/2023 22:30 +0000", To="")]), date_format="%d/%m/%Y %H:%M %z")
    assert table["occurred_from"].to_pylist() == [datetime(2023, 7, 1, 23, 30)]


def test_dates_that_are_none() -> None:
    rows = [usual(), usual(From="31/02/2024 10:00", To=""), usual(From="", To=""), usual(From="soon", To="")]
    assert fail(write([usual(From="30/01/2024 10:00", To=""), *rows[1:]]), date_format="%d/%m/%Y %H:%M") == [
        ", line 3: From is '31/02/2024 10:00', which is not a date in the form '%d/%m/%Y %H:%M' (and 1 more row); "
        "correct it, or date_format in the partnership file.",
        ", line 4: From is empty; fill it in, or take the row out.",
    ]
    assert fail(write([usual(To="later"), usual(From="13.01.2024")])) == [
        ", line 3: From is '13.01.2024', which is not a date such as 2024-04-30 or 2024-04-30 23:15; correct it, or "
        "date_format in the partnership file.",
        ", line 2: To is 'later', which is not a date such as 2024-04-30 or 2024-04-30 23:15; correct it, or "
        "date_format in the partnership file.",
    ]


def test_a_date_format_that_is_none() -> None:
    (message,) = fail(write([usual()]), date_format="%d/%Q")
    assert message.startswith(": date_format is '%d/%Q' (")
    assert message.endswith('; write it such as "%d/%m/%Y %H:%M".')


def test_dates_that_cannot_be() -> None:
    ahead = datetime.now(UTC).date() + timedelta(days=3)
    assert fail(write([usual(), usual(From="1024-01-30"), usual(From=str(ahead), To="")])) == [
        ", line 3: From is 1024-01-30, which cannot be when it happened (and 1 more row); correct it."
    ]
    assert fail(write([usual(To=str(ahead))]))[0].startswith(f", line 2: To is {ahead}, which cannot be")


def test_an_end_before_the_start() -> None:
    rows = [usual(), usual(To="2024-01-30 23:14"), usual(To="2024-01-30 23:15"), usual(To="2023-12-01")]
    assert fail(write(rows)) == [
        ", line 3: To (2024-01-30 23:14) is before From (2024-01-30 23:15) (and 1 more row); correct them, or take "
        "occurred_to out of [incidents.columns]."
    ]


def test_only_the_named_columns_are_needed() -> None:
    columns = ExtractColumns(offence="Offence", occurred_from="From", longitude="X", latitude="Y")
    row = ["Burglary - Dwelling", "2024-01-30", "-0.41", "51.88"]
    (only,) = read(write([row], header=["Offence", "From", "X", "Y"]), columns=columns).to_pylist()
    assert {key for key, value in only.items() if value is not None} == {
        "month", "crime_type", "longitude", "latitude", "occurred_from",
    }  # fmt: skip


def test_lsoa_code_and_outcome_where_they_are_named() -> None:
    columns = replace(COLUMNS, lsoa_code="LSOA", outcome="Result")
    table = read(write([[*USUAL, "E01015700", "Charged"]], header=[*HEADER, "LSOA", "Result"]), columns=columns)
    assert (table["lsoa_code"].to_pylist(), table["outcome"].to_pylist()) == (["E01015700"], ["Charged"])


def test_missing_columns_are_listed_with_those_there_are() -> None:
    assert fail(write([usual()], header=["Ref", "Type", "Date", "To", "X", "Y", "Street"])) == [
        ": columns 'Offence', 'From' are missing (its columns are Ref, Type, Date, To, X, Y, Street); name the file's "
        "own columns in [incidents.columns]."
    ]
    assert "are missing (it has none)" in fail(b"\n")[0]


def test_headers_with_stray_spaces_and_line_breaks() -> None:
    header = ["Ref", "Offence", " From\n(earliest) ", "To", "X", "Y", "Street"]
    columns = replace(COLUMNS, occurred_from="From (earliest)")
    assert len(read(write([usual()], header=header), columns=columns)) == 1
    assert len(read(write_book([usual()], header=header), columns=columns, name="x.xlsx")) == 1


@pytest.mark.parametrize("above", [b"\n", b"\r\n \r\n", b",,,,,,\n", b'""\n\n', b"\xef\xbb\xbf\n"])
def test_blank_lines_above_the_header_are_passed_over(above: bytes) -> None:
    table = read(above + write([usual(), usual()]))
    assert (len(table), notes(table)) == (2, [])
    below = above.count(b"\n")
    assert fail(above + write([usual(), usual(From="soon")]))[0].startswith(f", line {below + 3}: From is 'soon'")


def test_a_title_above_the_header_is_passed_over_and_noted() -> None:
    said = "its header is in line 4; what stands above it was passed over."
    title = b'"Extract of recorded crime,\nApril 2024",Bedfordshire Police\n\n'
    table = read(title + write([usual(), usual()]))
    assert (len(table), notes(table)) == (2, [f"extract.csv: {said}"])
    assert fail(title + write([usual(), usual(From="soon")]))[0].startswith(", line 6: From is 'soon'")
    assert fail(title + write([usual()]) + b"short\n")[0].startswith(", line 6: it has 1 value where the header has")
    book = write_book([HEADER, usual()], header=["Extract of recorded crime, April 2024"])
    table = read(book, name="x.xlsx")
    assert (len(table), notes(table)) == (1, ["x.xlsx: its header is in line 2; what stands above it was passed over."])


def test_a_header_that_lacks_columns_is_told_by_those_it_has_wherever_it_is() -> None:
    (said,) = fail(b"Extract of recorded crime\n" + write([usual()], header=["Ref", "Type", *HEADER[2:]]))
    assert said.startswith(": column 'Offence' is missing (its columns are Ref, Type, ")
    (said,) = fail(b"x" * 5000 + b"\n")
    assert len(said) < 400


def test_text_in_utf_16_is_read_and_noted() -> None:
    for encoding in ("utf-16", "utf-16-be"):
        content = write([usual(Street="Café Lane")]).decode().replace(",", "\t")
        marked = content if encoding == "utf-16" else f"\ufeff{content}"
        table = read(marked.encode(encoding))
        assert table["location"].to_pylist() == ["Café Lane"]
        assert notes(table) == ["extract.csv: it is not in UTF-8 and was read as UTF-16."]


def test_incidents_of_long_before_the_rest_are_kept_and_noted() -> None:
    rows = [usual(From=f"2024-0{1 + number % 3}-15", To="") for number in range(300)]
    old = [usual(From="1974-03-02", To=""), usual(From="2019-05-01", To="")]
    table = read(write([*rows[:150], *old, *rows[150:]]))
    assert {"1974-03", "2019-05"} < set(table["month"].to_pylist())
    assert notes(table) == [
        "extract.csv: 2 incidents are dated two years or more before nearly all others, the earliest in line 152 "
        "(1974-03-02); each counts in the month of its date, and months between are missing."
    ]
    assert notes(read(write(rows))) == []
    # So many are no slips, but a part of the file.
    assert notes(read(write([*rows, *[usual(From="2019-05-01", To="")] * 30]))) == []


def test_unknown_offences_with_their_numbers() -> None:
    rows = [usual(Offence=name) for name in ("Arson", " arson", "Piracy", "Arson", "Burglary Non-Dwelling")]
    assert fail(write(rows)) == [
        ": Offence has names that no crime type has, with their numbers of rows: 'Arson' (2), 'arson' (1), "
        "'Piracy' (1); add them to published of the crime types they are, in [[crime_types]] of the partnership file."
    ]


def test_thousands_and_spaces_in_coordinates() -> None:
    rows = [usual(X="509,190", Y=" 221 300 "), usual(X="509\u00a0190.0", Y="+2.213e5"), usual()]
    table = read(write(rows))
    assert len(set(zip(table["longitude"].to_pylist(), table["latitude"].to_pylist(), strict=True))) == 1


def test_no_place_in_metres() -> None:
    table = read(write([usual(X="", Y=""), usual(X="0", Y="0"), usual(X=" ", Y="0.0"), *[usual()] * 300]))
    assert table["longitude"].is_null().to_pylist() == [True] * 3 + [False] * 300
    # Half a position is no plain absence, and is told.
    assert notes(table) == [
        "extract.csv: 1 of 303 positions cannot be in the United Kingdom (the first, in line 4, is easting missing, "
        "northing 0); taken as not located."
    ]


def test_absurd_and_swapped_metres() -> None:
    assert fail(write([usual(X="5091900")])) == [
        ", line 2: 1 of 1 positions cannot be in the United Kingdom (the first is easting 5091900, northing 221300); "
        "correct them, or leave both empty where the place is not known."
    ]
    # Where a place in Scotland has its two coordinates swapped, it lies off the grid.
    assert "easting and northing look swapped" in fail(write([usual(X="825000", Y="265000")]))[0]
    assert "longitude and latitude look swapped" in fail(write([usual(X="51.9", Y="-0.4")]), columns=DEGREES)[0]


@pytest.mark.parametrize("longitude", ["-0.41", "1.29"])
def test_degrees_in_the_columns_of_metres(longitude: str) -> None:
    assert fail(write([usual(X=longitude, Y="52.63")])) == [
        f", line 2: 1 of 1 positions cannot be in the United Kingdom: they look like longitude and latitude (the first "
        f"is easting {longitude}, northing 52.63); name the columns as longitude and latitude in the partnership file."
    ]


def test_text_among_the_metres() -> None:
    assert fail(write([usual(), usual(Y="north")])) == [
        ", line 3: Y is 'north' where a number belongs; correct it, or leave it empty where the place is not known."
    ]


def test_blank_rows_are_left_out_and_lines_still_counted() -> None:
    rows: list[Cells] = [usual(), [""] * 7, [" "] * 7, usual(From="", To=""), [""] * 7]
    assert fail(write(rows)) == [", line 5: From is empty; fill it in, or take the row out."]
    assert len(read(write([*rows[:3], usual(), *rows[4:]]))) == 2
    assert fail(write_book([*rows[:3], usual(From=None, To=None)]), name="x.xlsx") == [
        ", line 5: From is empty; fill it in, or take the row out."
    ]


def test_windows_1252_is_read_and_noted() -> None:
    content = write([usual(Street="Caf\u00e9 \u2019s")]).decode().encode("cp1252")
    table = read(content)
    assert table["location"].to_pylist() == ["Caf\u00e9 \u2019s"]
    assert notes(table) == ["extract.csv: it is not in UTF-8 and was read as Windows-1252."]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "it is empty, without even a header; fetch it again"),
        (b"Ref,Offence\n\x81\n", "it is text neither in UTF-8 nor in Windows-1252; save it as CSV in UTF-8"),
        (b"Ref\0Offence", "it is not CSV; save it as CSV in UTF-8, or as .xlsx"),
        (b"\xd0\xcf\x11\xe0\0\0", "it is a workbook of an old kind, or one with a password; save it as .xlsx or CSV"),
        (
            b"PK\x03\x04 and so on",
            "it cannot be read as an XLSX workbook (Cannot detect file format); save it again as .xlsx",
        ),
    ],
)
def test_files_that_are_none(content: bytes, what: str) -> None:
    (message,) = fail(content)
    assert message.startswith(f": {what}")


def test_text_that_looks_like_a_formula_stays_text() -> None:
    street = '=HYPERLINK("http://example.org")'
    assert read(write([usual(Street=street)]))["location"].to_pylist() == [street]


def test_a_workbook_gives_what_the_same_csv_gives() -> None:
    rows = [
        usual(From=datetime(2024, 1, 30, 23, 15), To=date(2024, 2, 1), X=509190, Y=221300.0, Ref=1024),
        usual(From="30/01/2024", To=None, X="509,190", Y="221,300", Ref=" A1 "),
        usual(From=datetime(2024, 1, 30), To=datetime(2024, 1, 30), X=None, Y=None, Ref=None, Street=12.5),
    ]
    texts = [
        usual(From="30/01/2024 23:15", To="01/02/2024 00:00", Ref="1024"),
        usual(From="30/01/2024 00:00", To="", Ref="A1"),
        usual(From="30/01/2024 00:00", To="30/01/2024 00:00", X="", Y="", Ref="", Street="12.5"),
    ]
    book = read(write_book(rows), date_format="%d/%m/%Y", name="extract.xlsx")
    assert book.to_pylist() == read(write(texts), date_format="%d/%m/%Y %H:%M").to_pylist()
    assert notes(book) == []


def test_a_workbook_that_names_what_is_wrong_by_row() -> None:
    assert fail(write_book([usual(), usual(From="soon"), usual(X="west")]), name="x.xlsx") == [
        ", line 3: From is 'soon', which is not a date such as 2024-04-30 or 2024-04-30 23:15; correct it, or "
        "date_format in the partnership file.",
        ", line 4: X is 'west' where a number belongs; correct it, or leave it empty where the place is not known.",
    ]


def test_workbooks_with_nothing_in_them() -> None:
    assert fail(write_book([], header=[]), name="x.xlsx") == [
        ": its first sheet is empty; put the extract on the first sheet."
    ]
    for empty in (read(write_book([]), name="x.xlsx"), read(write([]), name="x.xlsx")):
        assert (len(empty), notes(empty)) == (0, ["x.xlsx: it holds no rows."])


def test_all_problems_of_a_file_come_at_once() -> None:
    assert len(fail(write([usual(Offence="Piracy", From="?", To="?", X="?", Y="?")]))) == 5


def test_a_workbook_whose_stated_extent_is_too_small() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(write_book([usual(), usual()]))) as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'<dimension ref="A1:G3"', b'<dimension ref="A1:A1"'))
    assert len(read(content.getvalue(), name="x.xlsx")) == 2
