"""data.police.uk's street files: the real ones, made ones with every quirk, and each way that one can be wrong."""

import csv
import io
import json
import tempfile
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.errors import SourceError
from cspmap.partnership import POLICE_UK_CRIME_TYPES, IncidentSource, Partnership, load_partnership
from cspmap.sources.incidents import INCIDENT_SCHEMA, list_parts

ROOT = Path(__file__).resolve().parent.parent.parent
COLUMNS = [
    "Crime ID",
    "Month",
    "Reported by",
    "Falls within",
    "Longitude",
    "Latitude",
    "Location",
    "LSOA code",
    "LSOA name",
    "Crime type",
    "Last outcome category",
    "Context",
]
USUAL = {
    "Month": "2024-01",
    "Reported by": "Bedfordshire Police",
    "Falls within": "Bedfordshire Police",
    "Longitude": "-0.414620",
    "Latitude": "51.879120",
    "Location": "On or near George Street",
    "LSOA code": "E01015700",
    "LSOA name": "Luton 015A",
    "Crime type": "Drugs",
}
Row = dict[str, str]
LUTON = load_partnership(ROOT / "docs" / "partnerships" / "luton.toml", need_files=False)


def write(rows: Sequence[Row], *, columns: Sequence[str] = COLUMNS, newline: str = "\n", quoting: int = 0) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=newline, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(columns)
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return text.getvalue().encode()


def usual(**changes: str) -> Row:
    """A row as published, with changes by column, its spaces written as underscores."""
    return USUAL | {name.replace("_", " "): value for name, value in changes.items()}


def read(content: bytes, *, force: str = "bedfordshire", partnership: Partnership = LUTON) -> pa.Table:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"2024-01-{force}-street.csv"
        file.write_bytes(content)
        (part,) = list_parts(IncidentSource("police.uk", file, "test", force=force), partnership)
        return part.read()


def fail(content: bytes, *, force: str = "bedfordshire") -> list[str]:
    with pytest.raises(SourceError) as caught:
        read(content, force=force)
    return [line.removeprefix(f"2024-01-{force}-street.csv") for line in str(caught.value).splitlines()]


def notes(table: pa.Table) -> list[str]:
    return [
        text.removeprefix("2024-01-bedfordshire-street.csv: ") for text in json.loads(table.schema.metadata[b"notes"])
    ]


@pytest.fixture(scope="module")
def recent(shared_data: Path) -> list[pa.Table]:
    file = shared_data / "police" / "bedfordshire-2021-05-to-2024-04.zip"
    return [part.read() for part in list_parts(IncidentSource("police.uk", file, "", force="bedfordshire"), LUTON)]


def test_the_36_months_from_may_2021(recent: list[pa.Table]) -> None:
    table = pa.concat_tables(recent)
    assert len(table) == 182_113
    assert table.schema == INCIDENT_SCHEMA
    unlocated = table["longitude"].is_null()
    assert pc.sum(unlocated).as_py() == 6_381
    assert table["latitude"].is_null().equals(unlocated)
    assert table["location"].is_null().equals(unlocated)
    assert table["lsoa_code"].is_null().equals(unlocated)
    disorder = pc.equal(table["crime_type"], "anti-social-behaviour")
    assert table["incident_id"].is_null().equals(disorder)
    assert set(table["crime_type"].to_pylist()) == set(POLICE_UK_CRIME_TYPES)
    assert [set(part["month"].to_pylist()) for part in recent[:2]] == [{"2021-05"}, {"2021-06"}]
    assert {note for part in recent for note in notes(part)} == set()


def test_every_cell_of_a_real_month_as_the_standard_library_reads_it(recent: list[pa.Table], shared_data: Path) -> None:
    with zipfile.ZipFile(shared_data / "police" / "bedfordshire-2021-05-to-2024-04.zip") as archive:
        text = archive.read("2021-05/2021-05-bedfordshire-street.csv").decode()
    keys = {name: key for key, name in POLICE_UK_CRIME_TYPES.items()}
    expected = [
        {
            "incident_id": row["Crime ID"] or None,
            "month": row["Month"],
            "crime_type": keys[row["Crime type"]],
            "longitude": float(row["Longitude"]) if row["Longitude"] else None,
            "latitude": float(row["Latitude"]) if row["Latitude"] else None,
            "location": None if row["Location"] == "No Location" else row["Location"],
            "lsoa_code": row["LSOA code"] or None,
            "outcome": row["Last outcome category"] or None,
            "occurred_from": None,
            "occurred_to": None,
        }
        for row in csv.DictReader(io.StringIO(text))
    ]
    assert recent[0].to_pylist() == expected


def test_the_months_with_2011_codes_and_line_feeds(shared_data: Path) -> None:
    file = shared_data / "police" / "bedfordshire-2018-10-to-2019-02.zip"
    parts = list_parts(IncidentSource("police.uk", file, "", force="bedfordshire"), LUTON)
    table = pa.concat_tables([part.read() for part in parts])
    assert (len(table), table["longitude"].null_count) == (28_870, 0)
    # One of the three LSOAs of Luton that were split by 2021.
    assert Counter(table["lsoa_code"].to_pylist())["E01015741"] > 0


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\n"), max_size=12)
_DEGREES = st.tuples(st.integers(-8_999_999, 2_499_999), st.integers(49_000_001, 61_499_999))


@st.composite
def _made_row(draw: st.DrawFn) -> tuple[Row, dict[str, object]]:
    point = draw(st.none() | st.just((0, 0)) | _DEGREES)
    key = draw(st.sampled_from(sorted(POLICE_UK_CRIME_TYPES)))
    identifier, location, code, outcome = (draw(_TEXT) for _ in range(4))
    location = draw(st.just("No Location") | st.just(location))
    texts = ["", ""] if point is None else [f"{value / 1e6:.6f}" for value in point]
    row = usual(Longitude=texts[0], Latitude=texts[1], Location=location, Context=draw(_TEXT)) | {
        "Crime ID": identifier,
        "LSOA code": code,
        "Last outcome category": outcome,
        "Crime type": draw(st.sampled_from([str.upper, str.lower, str.title]))(POLICE_UK_CRIME_TYPES[key]),
    }
    located = point if point and point != (0, 0) else None
    return row, {
        "incident_id": identifier or None,
        "month": "2024-01",
        "crime_type": key,
        "longitude": located and float(texts[0]),
        "latitude": located and float(texts[1]),
        "location": None if location in {"", "No Location"} else location,
        "lsoa_code": code or None,
        "outcome": outcome or None,
        "occurred_from": None,
        "occurred_to": None,
    }


@settings(deadline=None)
@given(
    rows=st.lists(_made_row(), max_size=12),
    columns=st.permutations([*COLUMNS, "Notes"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_made_files_come_back_exactly(
    rows: list[tuple[Row, dict[str, object]]], columns: list[str], newline: str, mark: bytes, quoting: int
) -> None:
    content = write([row for row, _ in rows], columns=columns, newline=newline, quoting=quoting)
    assert read(mark + content).to_pylist() == [expected for _, expected in rows]


def test_a_file_without_rows_says_so() -> None:
    table = read(write([]))
    assert (len(table), table.schema, notes(table)) == (0, INCIDENT_SCHEMA, ["it holds no rows."])
    assert len(read(write([]).rstrip())) == 0


def test_a_file_of_no_bytes_is_a_problem() -> None:
    assert fail(b"") == [": it is empty, without even a header; download it again from data.police.uk."]


def test_text_in_utf_16_is_refused_with_what_to_do() -> None:
    assert fail(write([usual()]).decode().encode("utf-16")) == [
        ": it is text in UTF-16; save it as CSV in UTF-8, or download it again from data.police.uk."
    ]


def test_older_categories_are_told_as_such(tmp_path: Path) -> None:
    older = "(data.police.uk had fewer categories, some by other names, before May 2013)"
    for month, told in (("2013-04", True), ("2013-05", False)):
        file = tmp_path / f"{month}-bedfordshire-street.csv"
        file.write_bytes(write([usual(Crime_type="Violent crime", Month=month)]))
        (part,) = list_parts(IncidentSource("police.uk", file, "test", force="bedfordshire"), LUTON)
        with pytest.raises(SourceError) as caught:
            part.read()
        assert "names that no crime type has, with their numbers of rows: 'Violent crime' (1)" in str(caught.value)
        assert str(caught.value).endswith(f"of the partnership file {older}." if told else "of the partnership file.")


def test_missing_columns_are_listed_together() -> None:
    columns = [name for name in COLUMNS if name not in {"Longitude", "Latitude", "Context"}]
    assert fail(write([usual()], columns=columns)) == [
        ": columns 'Longitude', 'Latitude' are missing (its columns are Crime ID, Month, Reported by, Falls within, "
        "Location, LSOA code, LSOA name, Crime type, Last outcome category); download it again from data.police.uk."
    ]
    (message,) = fail(write([usual()], columns=COLUMNS[1:]))
    assert message.startswith(": column 'Crime ID' is missing (its columns are Month,")


def test_a_column_twice() -> None:
    (message,) = fail(write([usual()], columns=[*COLUMNS, "Month"]))
    assert message == ": 'Month' heads more than one column; rename or delete all but one."


def test_rows_of_another_length_by_their_lines() -> None:
    lines = write([usual(Location='On or near "A",\nB'), usual(), usual()]).decode().splitlines()
    lines.insert(3, "")
    lines[4] += ",more"
    lines.append("2024-01")
    assert fail("\n".join(lines).encode()) == [
        ", line 5: it has 13 values where the header has 12 (and 1 more row); correct the row, or fetch the file again."
    ]


def test_a_quotation_mark_left_open_hides_no_rows() -> None:
    content = write([usual(), usual(Location="HERE"), usual()]).replace(b"HERE", b'"On or near')
    assert fail(content) == [", line 3: a quotation mark is not closed; close it, or take it out."]
    # Two of them pair: the rows between them become one value.
    assert fail(content + b'"')[0].startswith(", line 3: it has 7 values where the header has 12;")
    assert fail(content + write([usual()] * 2_000) + b'"') == fail(content)


def test_a_lone_quotation_mark_inside_a_text_is_a_character() -> None:
    content = write([usual(Location="HERE")]).replace(b"HERE", b'On or near 6" Lane')
    assert read(content)["location"].to_pylist() == ['On or near 6" Lane']


def test_text_that_is_not_utf_8() -> None:
    content = write([usual(), usual(Location="On or near Café")]).decode().encode("cp1252")
    assert fail(content) == [", line 3: it is not text in UTF-8; download it again from data.police.uk."]


def test_rows_of_another_month() -> None:
    content = write([usual(), usual(Month="2024-02"), usual(Month="")])
    assert fail(content) == [
        ", line 3: Month is 2024-02 in a file of 2024-01 (and 1 more row); give each month its own file, or download "
        "it again from data.police.uk."
    ]
    assert fail(write([usual(Month="")]))[0].startswith(", line 2: Month is empty in a file of 2024-01;")


def test_lines_are_counted_as_an_editor_does() -> None:
    content = b"\n" + write([usual(Location="a\nb")]) + b"\n\n" + write([usual(Month="2024-02")]).split(b"\n", 1)[1]
    assert fail(content)[0].startswith(", line 7: Month is 2024-02")


@pytest.mark.parametrize(
    ("force", "name"),
    [
        ("metropolitan", "Metropolitan Police Service"),
        ("city-of-london", "City of London Police"),
        ("northern-ireland", "Police Service of Northern Ireland"),
        ("devon-and-cornwall", "Devon & Cornwall Police"),
        ("avon-and-somerset", "Avon and Somerset Constabulary"),
        ("dyfed-powys", "Dyfed-Powys Police"),
        ("greater-manchester", "Greater Manchester Police"),
        ("hampshire", "Hampshire and Isle of Wight Constabulary"),
        ("btp", "British Transport Police"),
        ("west-yorkshire", "West Yorkshire Police"),
    ],
)
def test_the_force_by_its_own_name(force: str, name: str) -> None:
    assert len(read(write([usual(Falls_within=name)]), force=force)) == 1
    (message,) = fail(write([usual(Falls_within=name)] + [usual()] * 2), force=force)
    assert message == (
        f": by its name it is of force '{force}', but Falls within says Bedfordshire Police (2 rows); "
        "take it away, or download it again from data.police.uk."
    )


def test_north_yorkshire_is_not_west_yorkshire() -> None:
    (message,) = fail(write([usual(Falls_within="North Yorkshire Police")]), force="west-yorkshire")
    assert "Falls within says North Yorkshire Police (1 row)" in message


def test_unknown_crime_types_with_their_numbers() -> None:
    kinds = ["Violent crime", "Public disorder and weapons", "Violent crime", "Drugs", ""]
    assert fail(write([usual(Crime_type=kind) for kind in kinds])) == [
        ": Crime type has names that no crime type has, with their numbers of rows: 'Violent crime' (2), "
        "'Public disorder and weapons' (1); add them to published of the crime types they are, in [[crime_types]] of "
        "the partnership file.",
        ": Crime type is empty in 1 row; fill it in.",
    ]


def test_text_among_the_coordinates() -> None:
    rows = [usual(), usual(Longitude="west"), usual(Latitude="nan"), usual(Longitude="inf"), usual(Longitude=" ")]
    assert fail(write([*rows, *[usual()] * 500])) == [
        ", line 3: Longitude is 'west' where a number belongs (and 1 more row); correct it, or leave it empty where "
        "the place is not known.",
        ", line 4: Latitude is 'nan' where a number belongs; correct it, or leave it empty where the "
        "place is not known.",
    ]


def test_nought_is_no_place() -> None:
    table = read(write([usual(Longitude="0.000000", Latitude="0"), usual(Longitude="", Latitude=""), usual()]))
    assert table["longitude"].to_pylist() == [None, None, -0.41462]
    assert table["latitude"].to_pylist() == [None, None, 51.87912]
    assert notes(table) == []


def test_greenwich_is_a_place() -> None:
    assert read(write([usual(Longitude="0.000000")]))["longitude"].to_pylist() == [0.0]


@pytest.mark.parametrize(
    ("longitude", "latitude", "shown"),
    [
        ("-74.006", "40.7128", "longitude -74.006, latitude 40.7128"),
        ("-0.41", "", "longitude -0.41, latitude missing"),
        ("", "51.87", "longitude missing, latitude 51.87"),
        ("0", "51.87e5", "longitude 0, latitude 5187000"),
    ],
)
def test_few_impossible_positions_are_noted_and_many_a_problem(longitude: str, latitude: str, shown: str) -> None:
    wrong = usual(Longitude=longitude, Latitude=latitude)
    table = read(write([usual(), wrong, *[usual()] * 98]))
    assert table["longitude"].is_null().to_pylist() == [False, True, *[False] * 98]
    assert table["latitude"].is_null().equals(table["longitude"].is_null())
    assert table["location"].null_count == 0
    assert notes(table) == [
        f"1 of 100 positions cannot be in the United Kingdom (the first, in line 3, is {shown}); taken as not located."
    ]
    assert fail(write([usual(), wrong, *[usual()] * 97])) == [
        f", line 3: 1 of 99 positions cannot be in the United Kingdom (the first is {shown}); correct them, or leave "
        "both empty where the place is not known."
    ]


def test_swapped_coordinates_are_recognised() -> None:
    swapped = usual(Longitude=USUAL["Latitude"], Latitude=USUAL["Longitude"])
    assert fail(write([swapped] * 3)) == [
        ", line 2: 3 of 3 positions cannot be in the United Kingdom: longitude and latitude look swapped (the first is "
        "longitude 51.87912, latitude -0.41462); swap the two columns, in the file or where the partnership file names "
        "them."
    ]
    assert "longitude and latitude look swapped" in notes(read(write([usual()] * 200 + [swapped])))[0]


def test_metres_in_the_columns_of_degrees_are_recognised() -> None:
    (message,) = fail(write([usual(Longitude="509190", Latitude="221300")]))
    assert "they look like easting and northing" in message


def test_all_problems_of_a_file_come_at_once() -> None:
    row = usual(Month="2023-12", Falls_within="Kent Police", Crime_type="Piracy", Longitude="x")
    assert len(fail(write([row]))) == 4
