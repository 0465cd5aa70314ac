import csv
from pathlib import Path

import pytest

from cspmap.codes import (
    CSP,
    LAD,
    LSOA11,
    LSOA21,
    OA11,
    OA21,
    CodeType,
    find_code_type,
    recognise_column,
    recognise_lsoa_vintage,
    ward,
)
from cspmap.errors import UserError


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("LSOA11CD", LSOA11),
        ("lsoa21cd", LSOA21),
        (" OA11CD ", OA11),
        ("OA21CD", OA21),
        ("WD13CD", ward(2013)),
        ("WD25CD", ward(2025)),
        ("LAD24CD", LAD),
        ("CSP24CD", CSP),
        ("LSOA01CD", None),
        ("WD13CDO", None),
        ("WD25NM", None),
        ("code", None),
    ],
)
def test_columns_named_by_ons_tell_what_they_hold(column: str, kind: CodeType | None) -> None:
    assert recognise_column(column) == kind


@pytest.mark.parametrize("kind", [OA11, OA21, LSOA11, LSOA21, LAD, CSP, ward(2013), ward(2025)])
def test_every_kind_is_found_by_its_key(kind: CodeType) -> None:
    assert find_code_type(kind.key) == kind


@pytest.mark.parametrize("key", ["", "ward", "ward2025", "lsoa01", "LSOA21", "wards25"])
def test_what_is_no_key_finds_nothing(key: str) -> None:
    assert find_code_type(key) is None


def test_wards_of_two_years_and_lsoas_of_two_censuses_are_different_kinds() -> None:
    assert ward(2013) != ward(2025)
    assert LSOA11 != LSOA21
    assert ward(2013).words == "ward 2013"


@pytest.mark.parametrize(
    ("kind", "code", "matches"),
    [
        (LSOA21, "E01033801", True),
        (LSOA21, "W01000001", True),
        (LSOA21, "E02003256", False),
        (LSOA21, "E0103380", False),
        (LSOA21, "E01033801 ", False),
        (ward(2025), "E05014735", True),
        (ward(2025), "S13002516", True),
        (ward(2025), "N08000101", True),
        (ward(2025), "E06000032", False),
        (LAD, "E06000032", True),
        (LAD, "E07000134", True),
        (LAD, "W06000015", True),
        (LAD, "S12000033", True),
        (LAD, "E05014735", False),
        (CSP, "E22000010", True),
        (OA11, "E00079367", True),
    ],
)
def test_codes_match_their_own_kind_alone(kind: CodeType, code: str, matches: bool) -> None:
    assert kind.matches(code) == matches


def test_vintage_is_told_by_codes_of_one_vintage_alone() -> None:
    retired = frozenset({"E01015741"})
    assert recognise_lsoa_vintage(["E01015693", "E01033801"], retired=retired) == LSOA21
    assert recognise_lsoa_vintage(["E01015693", "E01015741"], retired=retired) == LSOA11
    assert recognise_lsoa_vintage(["E01015693"], retired=retired) is None
    assert recognise_lsoa_vintage(["E01033768", "W01001958"]) is None
    assert recognise_lsoa_vintage(["W01001959"]) == LSOA21
    assert recognise_lsoa_vintage([]) is None


def test_mixed_vintages_are_refused() -> None:
    with pytest.raises(UserError) as error:
        recognise_lsoa_vintage(["E01033801", "E01015741"], retired=frozenset({"E01015741"}))
    assert str(error.value) == (
        "LSOA codes of both vintages are mixed (E01015741 was retired before E01033801 was made); "
        "split the file by vintage."
    )


def test_the_last_code_of_2011_agrees_with_the_published_lookup(shared_data: Path) -> None:
    with (shared_data / "lookups" / "lsoa11-to-lsoa21-exact.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    old, new = {row["LSOA11CD"] for row in rows}, {row["LSOA21CD"] for row in rows}
    assert recognise_lsoa_vintage(old) is None
    assert recognise_lsoa_vintage(old, retired=frozenset(old - new)) == LSOA11
    # Every code that only 2021 has tells its vintage by itself.
    assert all(recognise_lsoa_vintage([code]) == LSOA21 for code in new - old)
