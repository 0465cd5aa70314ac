"""Residents and households from published tables, and each way that one can be wrong."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cspmap.errors import SourceError
from cspmap.partnership_parts import Denominator
from cspmap.sources.denominators import read_denominator

Rows = Sequence[Sequence[str | int | None]]


def describe(file: Path, key: str = "residents", **given: str | int) -> Denominator:
    values = {"key": key, "name": key, "year": 2022, "layer": "lsoa21", "source": "test", **given}
    return Denominator(file=file, **values)  # type: ignore[arg-type]


def write(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, "utf-8")
    return path


def write_book(path: Path, sheets: Mapping[str, Rows]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def fail(item: Denominator) -> str:
    with pytest.raises(SourceError) as caught:
        read_denominator(item)
    return str(caught.value)


def test_mid_2022_residents_of_england_and_wales(shared_data: Path) -> None:
    table = read_denominator(describe(shared_data / "population" / "lsoa21-mid-2022.csv"))
    assert len(table) == 35_672
    # Mid-2022 population of England and Wales as first published: 60.2 million.
    assert table["value"].sum() == 60_238_038
    assert table.dtypes.astype(str).to_dict() == {"code": "str", "value": "float64"}
    assert table.iloc[0].tolist() == ["E01011949", 1866.0]


@pytest.mark.parametrize(("key", "luton"), [("residents", 203_201), ("households", 74_293)])
def test_census_2011_of_luton_whatever_column_is_asked_for(shared_data: Path, key: str, luton: int) -> None:
    file = shared_data / "population" / "census-2011-lsoa-population-households-bedfordshire.csv"
    table = read_denominator(describe(file, key))
    lines = file.read_text("utf-8").splitlines()[1:]
    codes = {code for line in lines if ",E06000032," in line for code in line.split(",") if code.startswith("E01")}
    assert len(codes) == 121
    assert table[table["code"].isin(codes)]["value"].sum() == luton


def test_the_bundled_example_is_read(pytestconfig: pytest.Config) -> None:
    for key, total in (("residents", 184_371), ("households", 74_293)):
        table = read_denominator(describe(pytestconfig.rootpath / "data" / f"{key}.csv", key))
        assert table["value"].sum() == total


_SAPE_HEAD: Rows = [
    ["Mid-2022 population estimates"],
    ["This sheet contains one table"],
    [],
]


def test_the_sheet_of_the_year_is_read_from_small_area_estimates(tmp_path: Path) -> None:
    header = [
        "LAD 2023 Code",
        "LAD 2023 Name",
        "LSOA 2021 Code",
        "LSOA 2021 Name",
        "Total",
        "F0",
    ]
    rows: dict[int, Rows] = {
        year: [*_SAPE_HEAD, header, ["E06000032", "Luton", "E01015693", "Luton 007A", value, 9]]
        for year, value in ((2021, 100), (2022, 200))
    }
    notes: Rows = [["LSOA 2021 Code", "Total"], ["E01015693", -1]]
    sheets: dict[str, Rows] = {"Contents": notes, **{f"Mid-{year} LSOA 2021": rows[year] for year in rows}}
    file = write_book(tmp_path / "sape.xlsx", sheets)
    assert read_denominator(describe(file)).to_numpy().tolist() == [["E01015693", 200.0]]
    assert read_denominator(describe(file, year=2021))["value"].tolist() == [100.0]
    assert fail(describe(file, year=2019)) == (
        "sape.xlsx: none of its sheets is for 2019 (Mid-2021 LSOA 2021, Mid-2022 LSOA 2021); "
        "correct year, or give another file."
    )


def test_the_sheet_of_all_persons_is_read_rather_than_of_one_sex(tmp_path: Path) -> None:
    header = ["LSOA Code", "LSOA Name", "All Ages"]
    sheets: dict[str, Rows] = {
        f"Mid-2022 {who}": [header, ["E01015693", "Luton 007A", value]]
        for who, value in (("Males", 90), ("Females", 110), ("Persons", 200))
    }
    assert read_denominator(describe(write_book(tmp_path / "a.xlsx", sheets)))["value"].tolist() == [200.0]
    sheets["Mid-2022 Persons (revised)"] = sheets["Mid-2022 Persons"]
    assert fail(describe(write_book(tmp_path / "b.xlsx", sheets))) == (
        "b.xlsx: several of its sheets are for 2022 (Mid-2022 Persons, Mid-2022 Persons (revised)); "
        "keep one of them in it."
    )


@pytest.mark.parametrize(
    "header",
    [
        "LSOA21CD,Total",
        "lsoacd,population",
        "LSOA 2021 Code,Total",
        "LSOA Code,All persons",
        "LSOA code (2021),Total population: mid 2022",
        "F_LSOA21CD,Residents",
        "code,anything",
        "Area code,Usual residents",
        "geography code,Observation",
    ],
)
def test_usual_headers_are_recognised(tmp_path: Path, header: str) -> None:
    table = read_denominator(describe(write(tmp_path, f"{header}\nE01015693,5\n")))
    assert table.to_numpy().tolist() == [["E01015693", 5.0]]


def test_the_codes_of_the_smallest_areas_are_taken(tmp_path: Path) -> None:
    file = write(tmp_path, "LAD21CD,WD21CD,LSOA21CD,Total\nE06000032,E05002193,E01015693,5\n")
    assert read_denominator(describe(file))["code"].tolist() == ["E01015693"]


def test_named_columns_are_found_whatever_their_spaces_and_case(tmp_path: Path) -> None:
    file = write(tmp_path, '"My\ncode",population,Dwelling  stock\nA,1,2\n')
    table = read_denominator(describe(file, code_column="my code", value_column="dwelling stock"))
    assert table.to_numpy().tolist() == [["A", 2.0]]


def test_a_missing_value_stays_missing_and_a_row_without_code_is_left_out(tmp_path: Path) -> None:
    table = read_denominator(describe(write(tmp_path, "code,residents\nA,\nB,[x]\nC,0\n,Total\n,12\n")))
    assert table["code"].tolist() == ["A", "B", "C"]
    assert table["value"].isna().tolist() == [True, True, False]
    assert table["value"].iloc[2] == 0


def test_all_faults_of_a_table_are_told_together(tmp_path: Path) -> None:
    file = write(tmp_path, "code,residents\nA,1\nB,many\nA,-2\nC,3\n")
    assert fail(describe(file)).splitlines() == [
        "table.csv: column 'code' gives 'A' (line 2), 'A' (line 4) more than once; keep one row for each area.",
        "table.csv: column 'residents' has 'many' (line 3) where a number belongs; "
        "correct it, or leave it empty where there is none.",
        "table.csv: column 'residents' has '-2' (line 4), below 0; correct it.",
    ]


@pytest.mark.parametrize(
    ("text", "given", "sentence"),
    [
        (
            "Place,Total\nA,1\n",
            {},
            "it has no column that is known to hold codes (its columns are Place, Total); "
            "check that it is the right file.",
        ),
        (
            "code,Total\nA,1\n",
            {"code_column": "LSOA", "value_column": "Sum"},
            "it has no column 'LSOA' and 'Sum' (its columns are code, Total); check that it is the right file.",
        ),
        (
            "LSOA11CD,LSOA21CD,Total\nA,B,1\n",
            {},
            "its columns LSOA11CD, LSOA21CD could all be its codes; "
            'name one of them, such as code_column = "LSOA11CD".',
        ),
        (
            "code,Persons,Population\nA,1,2\n",
            {},
            "its columns Persons, Population could all be its residents; "
            'name one of them, such as value_column = "Persons".',
        ),
        (
            "code,Name,Dwellings\nA,Here,2\n",
            {},
            "none of its columns is known to hold residents (code, Name, Dwellings); "
            'name the one that does, as value_column = "...".',
        ),
    ],
)
def test_columns_that_cannot_be_told_are_said(tmp_path: Path, text: str, given: dict[str, str], sentence: str) -> None:
    assert fail(describe(write(tmp_path, text), **given)) == f"table.csv: {sentence}"


@given(st.dictionaries(st.from_regex(r"[EW]01\d{6}", fullmatch=True), st.integers(0, 10**7), min_size=1))
def test_every_table_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, int]
) -> None:
    rows = "".join(f'{code},"{value:,}"\r\n' for code, value in values.items())
    table = read_denominator(describe(write(tmp_path_factory.mktemp("table"), f"\ufeffLSOA21CD,Total\r\n{rows}")))
    assert dict(zip(table["code"], table["value"], strict=True)) == values
