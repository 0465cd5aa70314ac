"""The ONS lookups, and what is said of a wrong one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cspmap.errors import SourceError
from cspmap.sources.lookups import read_best_fit, read_csps, read_exact_fit, read_retired_lsoas


def write(folder: Path, text: str) -> Path:
    path = folder / "lookup.csv"
    path.write_text(text, "utf-8")
    return path


def test_lutons_split_lsoas_are_retired(shared_data: Path) -> None:
    path = shared_data / "lookups" / "lsoa11-to-lsoa21-exact.csv"
    retired = read_retired_lsoas(path)
    assert {"E01015741", "E01015794", "E01015791"} <= retired
    assert "E01015693" not in retired
    assert "E01033801" not in retired
    table = read_exact_fit(path)
    assert table.columns.tolist() == ["lsoa11", "lsoa21", "change"]
    assert len(table) == 35_796
    assert set(table["change"]) == {"U", "S", "M", "X"}
    # Unchanged LSOAs kept their codes, and all others lost them.
    kept = table[table["lsoa11"] == table["lsoa21"]]
    assert set(kept["change"]) == {"U"}
    assert retired == frozenset(table.loc[table["change"] != "U", "lsoa11"])
    assert set(table.loc[table["lsoa11"] == "E01015794", "lsoa21"]) == {"E01033803", "E01033804", "E01033805"}


def test_the_first_column_of_the_service_is_known(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffF_LSOA11CD,LSOA11NM,LSOA21CD,CHGIND\nE01000001,a,E01000002,S\n")
    assert read_retired_lsoas(path) == {"E01000001"}
    assert read_exact_fit(path).to_numpy().tolist() == [["E01000001", "E01000002", "S"]]


def test_best_fit_wards(shared_data: Path) -> None:
    table = read_best_fit(shared_data / "lookups" / "lsoa21-to-ward24-best-fit.csv")
    assert table.columns.tolist() == ["lsoa21", "ward", "ward_name", "lad"]
    assert len(table) == 35_672
    luton = table[table["lad"] == "E06000032"]
    assert len(luton) == 125
    assert set(luton["ward"]) <= {f"E050147{number}" for number in range(35, 55)}
    assert luton.loc[luton["ward"] == "E05014743", "ward_name"].unique().tolist() == ["High Town"]


@pytest.mark.parametrize("year", [22, 23, 24, 25])
def test_wards_of_any_year_are_known(tmp_path: Path, year: int) -> None:
    header = f"LSOA21CD,LSOA21NM,LSOA21NMW,WD{year}CD,WD{year}NM,WD{year}NMW,LAD{year}CD,LAD{year}NM,ObjectId"
    table = read_best_fit(write(tmp_path, f"{header}\nE01000001,a,,E05000001,Ward,,E06000001,b,1\n"))
    assert table.to_numpy().tolist() == [["E01000001", "E05000001", "Ward", "E06000001"]]


def test_partnerships_of_authorities(shared_data: Path) -> None:
    table = read_csps(shared_data / "lookups" / "lad24-to-csp24-to-pfa24.csv")
    luton = table[table["lad"] == "E06000032"]
    assert luton.to_numpy().tolist() == [["E06000032", "E22000010", "Luton", "Bedfordshire"]]
    # An authority merged from others may keep their partnerships.
    assert table["lad"].duplicated().any()


@pytest.mark.parametrize(
    ("read", "wanted"),
    [
        (read_retired_lsoas, "LSOA11CD and LSOA21CD"),
        (read_exact_fit, "LSOA11CD, LSOA21CD and CHGIND"),
        (read_best_fit, "LSOA21CD, WD..CD, WD..NM and LAD..CD"),
        (read_csps, "LAD..CD, CSP..CD, CSP..NM and PFA..NM"),
    ],
)
def test_a_wrong_file_is_said_with_its_columns(tmp_path: Path, read: Callable[[Path], object], wanted: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(write(tmp_path, "LSOA21CD,population\nE01000001,5\n"))
    assert str(caught.value) == (
        f"lookup.csv: it has no columns {wanted} (its columns are LSOA21CD, population); "
        "check that it is the right file."
    )


def test_a_change_that_is_none_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, "LSOA11CD,LSOA21CD,CHGIND\nE01000001,E01000001,U\nE01000002,E01000002,Q\n")
    with pytest.raises(SourceError) as caught:
        read_exact_fit(path)
    assert str(caught.value) == "lookup.csv: column 'CHGIND' has 'Q' (line 3); write U, S, M or X."


def test_an_lsoa_in_two_wards_is_said(tmp_path: Path) -> None:
    row = "E01000001,E05000001,Ward,E06000001\n"
    with pytest.raises(SourceError) as caught:
        read_best_fit(write(tmp_path, f"LSOA21CD,WD24CD,WD24NM,LAD24CD\n{row}{row}"))
    assert str(caught.value) == (
        "lookup.csv: column 'LSOA21CD' gives 'E01000001' (line 2), 'E01000001' (line 3) more than once; "
        "keep one row for each area."
    )


_CODES = st.from_regex(r"E01\d{2}", fullmatch=True)


@given(st.lists(st.tuples(_CODES, _CODES), min_size=1))
def test_retired_are_exactly_the_old_codes_that_are_not_new_ones(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]
) -> None:
    rows = "".join(f"{old},{new}\n" for old, new in pairs)
    path = write(tmp_path_factory.mktemp("lookup"), f"LSOA11CD,LSOA21CD\n{rows}")
    retired = read_retired_lsoas(path)
    old, new = {old for old, _ in pairs}, {new for _, new in pairs}
    assert retired | (old & new) == old
    assert not retired & new
