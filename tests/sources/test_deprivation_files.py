"""The Indices of Deprivation as published, and each way that a file can be wrong."""

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from cspmap.errors import SourceError
from cspmap.partnership_parts import DeprivationFile
from cspmap.sources.deprivation import DOMAINS, OVERALL, read_indices

_IMD = "Index of Multiple Deprivation (IMD)"
_HEADER = (
    f"LSOA code (2019),{_IMD} Score,{_IMD} Rank (where 1 is most deprived),"
    f"{_IMD} Decile (where 1 is most deprived 10% of LSOA"
)


def describe(file: Path) -> DeprivationFile:
    return DeprivationFile(year=2019, layer="lsoa11", file=file, source="test")


def write(folder: Path, *rows: str, header: str = _HEADER) -> DeprivationFile:
    path = folder / "iod.csv"
    path.write_text("\n".join([header, *rows]), "utf-8")
    return describe(path)


def read_overall(item: DeprivationFile) -> pd.DataFrame:
    """The Index of Multiple Deprivation alone."""
    scores = read_indices(item).scores
    return scores[scores["domain"] == OVERALL].drop(columns="domain").reset_index(drop=True)


def fail(item: DeprivationFile) -> str:
    with pytest.raises(SourceError) as caught:
        read_indices(item)
    return str(caught.value)


def test_file_1_of_2019_has_ranks_and_deciles_of_all_england(shared_data: Path) -> None:
    name = "File_1_-_IMD2019_Index_of_Multiple_Deprivation.xlsx"
    indices = read_indices(describe(shared_data / "deprivation" / name))
    table = indices.scores
    assert set(table["domain"]) == {OVERALL}
    assert list(indices.people) == ["code"]
    assert len(table) == 32_844
    # Equal LSOAs share the better rank, as published, and the next rank is left free.
    assert (table["rank"] == table["rank"].rank(method="min")).all()
    assert table["score"].isna().all()
    sizes = table["decile"].value_counts()
    assert sorted(sizes.index) == list(range(1, 11))
    assert sizes.min() >= 3284
    assert sizes.max() <= 3285
    # Jaywick, Tendring 018A, is the most deprived LSOA of IoD2019.
    assert table.loc[table["rank"] == 1, ["code", "decile"]].to_numpy().tolist() == [["E01021988", 1]]


def test_file_7_of_2025_has_scores_and_domains(shared_data: Path) -> None:
    item = describe(shared_data / "deprivation" / "IoD2025-file-7-layout-bedfordshire.csv")
    table = read_overall(item)
    assert len(table) == 417
    assert table[table["code"] == "E01015693"].to_numpy().tolist() == [["E01015693", 9.114, 26060, 8]]
    domains, people = read_indices(item).scores, read_indices(item).people
    assert domains.columns.tolist() == ["code", "domain", "score", "rank", "decile"]
    # The published one lacks the two indices of income deprivation at an age here.
    assert set(domains["domain"]) == DOMAINS.keys() - {"idaci", "idaopi"}
    assert people.columns.tolist() == ["code", "everybody"]
    assert people.set_index("code").loc["E01015693", "everybody"] == 1780
    own = domains[domains["code"] == "E01015693"].drop(columns="code")
    figures = {domain: rest for domain, *rest in own.to_numpy().tolist()}
    # The decile of this one is under the header that is cut off at 80 characters.
    assert figures["children"] == [-0.449, 23239, 7]
    assert figures["outdoors"] == [-0.056, 16592, 5]


def test_the_bundled_example_is_read(pytestconfig: pytest.Config) -> None:
    table = read_overall(describe(pytestconfig.rootpath / "data" / "deprivation.csv"))
    assert len(table) == 123
    assert table.iloc[0].tolist() == ["barnfield-01", 13.603, 20141, 7]
    assert table.dtypes.astype(str).to_dict() == {"code": "str", "score": "float64", "rank": "int64", "decile": "int64"}


def test_all_columns_of_file_7_of_2019_are_told_apart(tmp_path: Path) -> None:
    names = {key: stem.capitalize() for key, stem in DOMAINS.items() if key != OVERALL}
    columns = [_HEADER.replace("(2019)", "(2011)")]
    cells = ["E01000001,50,1,1"]
    for number, (key, name) in enumerate(names.items(), 2):
        rate = " (rate)" if key in {"income", "employment", "idaci", "idaopi"} else ""
        stem = f'"{name} Score{rate}","{name} Rank (where 1 is most deprived)"'
        columns.append(f'{stem},"{name} Decile (where 1 is most deprived 10% of LSOAs)"')
        cells.append(f"0.{number},{number},{number % 10 + 1}")
    columns += [
        "Total population: mid 2015 (excluding prisoners) ",
        "Dependent Children aged 0-15: mid 2015 (excluding prisoners)",
        "Population aged 16-59: mid 2015 (excluding prisoners)",
        "Older population aged 60 and over: mid 2015 (excluding prisoners)",
        "Working age population 18-59/64: for use with Employment Deprivation Domain (excluding prisoners)",
    ]
    item = write(tmp_path, ",".join([*cells, "1500", "300", "900", "200", "950"]), header="\ufeff" + ",".join(columns))
    indices = read_indices(item)
    table = indices.scores.iloc[1:]
    assert table["domain"].tolist() == list(names)
    assert table["rank"].tolist() == list(range(2, 17))
    assert table["score"].tolist() == [float(f"0.{number}") for number in range(2, 17)]
    expected = {"code": "E01000001", "everybody": 1500, "children": 300, "older": 200, "working age": 950}
    assert indices.people.to_dict("records") == [expected]


def test_a_population_below_zero_is_told(tmp_path: Path) -> None:
    header = f"{_HEADER},Total population: mid 2022"
    with pytest.raises(SourceError, match=r"'Total population: mid 2022' has '-3' \(line 2\), below 0"):
        read_indices(write(tmp_path, "A,1,2,3,-3", header=header))


def test_a_header_cut_off_in_a_workbook_is_recognised(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Notes"])
    sheet = book.create_sheet("IMD25")
    sheet.append(_HEADER.replace(f"{_IMD} Score,", "").split(","))
    sheet.append(["E01000001", 5, 1])
    book.save(tmp_path / "iod.xlsx")
    table = read_overall(describe(tmp_path / "iod.xlsx"))
    assert table[["code", "rank", "decile"]].to_numpy().tolist() == [["E01000001", 5, 1]]


def test_an_area_without_figures_is_left_out(tmp_path: Path) -> None:
    table = read_overall(write(tmp_path, "A,1.5,20,3", "B,,,", "C,[x],[x],[x]"))
    assert table["code"].tolist() == ["A"]


def test_all_faults_of_a_file_are_told_together(tmp_path: Path) -> None:
    item = write(tmp_path, "A,1,0,11", "B,2,1.5,0", "A,3,4,", "C,,-1,2.5")
    decile = f"{_IMD} Decile (where 1 is most deprived 10% of LSOA"
    rank = f"{_IMD} Rank (where 1 is most deprived)"
    assert fail(item).splitlines() == [
        "iod.csv: column 'LSOA code (2019)' gives 'A' (line 2), 'A' (line 4) more than once; "
        "keep one row for each area.",
        f"iod.csv: column '{_IMD} Score' is empty for 'C' (line 5); fill it in, or take out those areas.",
        f"iod.csv: column '{decile}' is empty for 'A' (line 4); fill it in, or take out those areas.",
        f"iod.csv: column '{rank}' has '0' (line 2), '1.5' (line 3), '-1' (line 5) "
        "where a whole number from 1 up belongs; correct it.",
        f"iod.csv: column '{decile}' has '11' (line 2), '0' (line 3), '2.5' (line 5) "
        "where a whole number from 1 to 10 belongs; correct it.",
    ]


def test_a_figure_that_is_no_number_is_said(tmp_path: Path) -> None:
    assert fail(write(tmp_path, "A,high,2,3")) == (
        f"iod.csv: column '{_IMD} Score' has 'high' (line 2) where a number belongs; "
        "correct it, or leave it empty where there is none."
    )


def test_faults_in_a_domain_are_told(tmp_path: Path) -> None:
    header = f"{_HEADER},Crime Score,Crime Rank,Crime Decile"
    with pytest.raises(SourceError) as caught:
        read_indices(write(tmp_path, "A,1,2,3,0.5,7,12", header=header))
    assert str(caught.value) == (
        "iod.csv: column 'Crime Decile' has '12' (line 2) where a whole number from 1 to 10 belongs; correct it."
    )


def test_another_file_is_said_with_its_columns(tmp_path: Path) -> None:
    assert fail(write(tmp_path, "E01,2", header="LSOA21CD,Total")) == (
        "iod.csv: it has no columns of the Indices of Deprivation: LSOA code, "
        f"{_IMD} Rank and {_IMD} Decile (its columns are LSOA21CD, Total); check that it is the right file."
    )
