"""Recorded crime by partnership: the published workbook as printed, its traps in small made-up ones, and CSV files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from cspmap.errors import SourceError
from cspmap.peer_group import PeerGroup
from cspmap.sources.recorded_crime import read_members, read_recorded_crime
from cspmap.sources.recorded_crime_frame import NEGATIVE, RecordedCrime

WORKBOOK = Path("recorded-crime", "policeforceareatablesyedecember2024.xlsx")
TOTAL = "Total recorded crime (excluding fraud)"


@pytest.fixture(scope="module")
def published(shared_data: Path) -> RecordedCrime:
    return read_recorded_crime(shared_data / WORKBOOK)


def take(frame: pd.DataFrame, name: str, offence: str = TOTAL, per: str = "residents") -> dict[str, Any]:
    rows = frame[(frame["name"] == name) & (frame["offence"] == offence) & (frame["per"] == per)]
    assert len(rows) == 1
    return {str(key): value for key, value in rows.iloc[0].items()}


# ---- The published workbook --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code", "count", "before", "percent", "rate", "people"),
    [
        ("Luton", "E22000010", 20_031, 18_991, 5.48, 88.25, 227_000),
        ("Central Bedfordshire", "E22000353", 15_910, 15_690, 1.40, 52.77, 301_500),
        ("North West Leicestershire", "E22000170", 7_035, 8_018, -12.26, 65.34, 107_700),
    ],
)
def test_totals_as_printed(
    published: RecordedCrime,
    name: str,
    code: str,
    count: int,
    before: int,
    percent: float,
    rate: float,
    people: int,
) -> None:
    line = take(published.frame, name)
    assert (line["code"], line["count"], line["before"], line["people"]) == (code, count, before, people)
    assert (round(line["percent"], 2), round(line["rate"], 2)) == (percent, rate)
    assert line["year"] == "2024-12"


def test_offences_of_luton_as_printed(published: RecordedCrime) -> None:
    printed = {
        "Violence against the person": 7_154,
        "Robbery": 279,
        "Burglary": 771,
        "Residential burglary": 526,
        "Non-residential burglary": 245,
        "Vehicle offences": 2_140,
        "Shoplifting": 2_145,
    }
    assert {offence: take(published.frame, "Luton", offence)["count"] for offence in printed} == printed


def test_residential_burglary_is_per_people_and_per_households(published: RecordedCrime) -> None:
    by_people = take(published.frame, "Luton", "Residential burglary")
    by_homes = take(published.frame, "Luton", "Residential burglary", "households")
    assert (by_people["people"], by_homes["people"]) == (227_000, 78_900)
    assert by_homes["rate"] == pytest.approx(1000 * 526 / 78_900, rel=0.001)
    assert by_people["count"] == by_homes["count"]


def test_every_partnership_is_there_once_and_adds_up_to_its_force(published: RecordedCrime, shared_data: Path) -> None:
    """By a second reading of the workbook: every coded row of C2 and C5 is in the frame with its own cells."""
    frame = published.frame
    assert frame["code"].nunique() == 314
    assert not frame.duplicated(["code", "offence", "per"]).any()
    assert frame.groupby("code").size().eq(24).all()
    book = openpyxl.load_workbook(shared_data / WORKBOOK, read_only=True)
    for sheet, column in (("Table C2", "count"), ("Table C5", "before")):
        rows = [row for row in book[sheet].iter_rows(min_row=9, values_only=True) if row[0]]
        coded = {row[2]: row[6] for row in rows if row[2]}
        found = frame[frame["total"]].set_index("code")[column]
        assert found.to_dict() == coded
        # City of London has no total, so its own stands for it.
        totals = sum(row[6] for row in rows if not row[3]) + coded["E22000180"]
        unassigned = sum(row[6] or 0 for row in rows if row[3] and not row[2])
        assert found.sum() + unassigned == totals
    book.close()


def test_what_is_wrong_with_the_workbook_is_listed(published: RecordedCrime) -> None:
    said = [fault.words for fault in published.faults]
    assert said == [
        "Table C2: the row of unassigned Surrey is blank: not known, not 0.",
        "Table C2: City of London has no row of the force's total, so there is nothing to hold its parts against.",
        "Table C5: the row of Unassigned Gwent is blank: not known, not 0.",
        "Table C5: the row of unassigned Surrey is blank: not known, not 0.",
        "Table C5: City of London has no row of the force's total, so there is nothing to hold its parts against.",
        "Table C2, C3, C4, C5: Unassigned Gwent stands under Gwent by its name and under W15000003 by its code: taken "
        "by its name.",
        "Table C2, C3, C4, C5: unassigned Surrey stands under Surrey by its name and under E23000032 by its code: "
        "taken by its name.",
    ]


def test_marks_and_notes(published: RecordedCrime) -> None:
    frame = published.frame
    city = take(frame, "City of London")
    assert pd.isna(city["rate"])
    assert (city["force"], city["count"]) == ("City of London", 9_270)
    assert city["marks"].startswith("rate not given, as few people live there; published note: Rates per 1,000")
    luton = take(frame, "Luton", "Homicide")
    assert pd.isna(luton["percent"])
    assert luton["marks"] == "change not given, as the year before has fewer than 50"
    assert "undercount for Leicestershire" in take(frame, "North West Leicestershire")["marks"]
    # Wales has codes of its own.
    assert take(frame, "Cardiff")["code"] == "W14000015"


@pytest.mark.parametrize("code", ["E22000010", "E22000353", "E22000170", "E22000180", "W14000023", "E22000364"])
def test_any_partnership_can_be_the_one_that_is_compared(shared_data: Path, code: str) -> None:
    kept, said = read_members(PeerGroup(shared_data / WORKBOOK, "ONS", ("E22000017",)), code)
    assert {code, "E22000017"} <= set(kept["code"])
    own = kept.loc[kept["code"] == code, "force"].iloc[0]
    assert set(kept["force"]) <= {own, "Cambridgeshire"}
    assert all(own in sentence or "Cambridgeshire" in sentence for sentence in said)


def test_every_partnership_of_the_workbook_can_be_compared(published: RecordedCrime) -> None:
    """Whatever is missing of it: its own row, its rate or none at all, and its place in its force's bounds."""
    from cspmap.analysis.comparison import rank_in_group, within_group

    totals = published.frame[published.frame["total"]].set_index("code")
    for _, members in totals.groupby("force"):
        bounds, ranks = within_group(members["rate"]), rank_in_group(members["rate"])
        assert bounds.number == members["rate"].notna().sum() == ranks.notna().sum()


# ---- Small workbooks with their traps --------------------------------------------------------------------------


HEADER = [
    "Police Force\nArea code",
    "Police Force\n Area name",
    "Community Safety\n Partnership code",
    "Community Safety\nPartnership name",
    "Local Authority\n code",
    "Local Authority name",
]
OFFENCES = ["Total recorded crime\n (excluding fraud)", "Robbery", "Residential burglary"]
Cells = dict[str, list[list[Any]]]


def row(code: str | None, name: str | None, *figures: Any, force: str = "Exampleshire") -> list[Any]:
    return ["E23000099", force, code, name, None, None, *figures]


@pytest.fixture
def usual() -> Cells:
    return {
        "C2": [
            row(None, None, 30, 12, 18),
            row("E22000901", "Hill", 20, 8, 12),
            row("E22000902", "Dale[note 2]", 9, 4, 5),
            row(None, "Unassigned Exampleshire", 1, 0, 1),
        ],
        "C3": [
            row(None, None, 20, 0, 0),
            row("E22000901", "Hill", 25.0, "[u]", "[u]"),
            row("E22000902", "Dale", "[x]", "[X]", None),
            row(None, "Unassigned Exampleshire", "[x]", "[x]", "[x]"),
        ],
        "C4": [
            row(None, None, 3000, 1200, 10.0, 4.0, 6.0, 15.0),
            row("E22000901", "Hill", 2000, 800, 10.0, 4.0, 6.0, 15.0),
            row("E22000902", "Dale", 1000, 400, 9.0, 4.0, "[u1]", 12.5),
            row(None, "Unassigned Exampleshire", "[x]", "[x]", "[x]", "[x]", "[x]", "[x]"),
        ],
        "C5": [
            row(None, None, 25, 10, 15),
            row("E22000901", "Hill", 16, 6, 10),
            row("E22000902", "Dale", 9, 4, 5),
            row(None, "Unassigned Exampleshire", 0, 0, 0),
        ],
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Cells], Path]:
    """Writes a workbook in the published layout."""

    def save(cells: Cells, title: str = "year ending March 2025 [note 1]") -> Path:
        book = openpyxl.Workbook()
        notes = book.active
        assert notes is not None
        notes.title = "Notes - CSP"
        for line in (["Note number", "Note text"], ["1", "Caution."], ["2", "Dale was late."]):
            notes.append(line)
        for table, rows in cells.items():
            sheet = book.create_sheet(f"Table {table} ")
            sheet.append([f"Table {table}: recorded crime, {title}"])
            sheet.append(["Source: Home Office"])
            rates = [
                "Robbery",
                "Residential burglary (per 1,000 population)",
                "Residential burglary (per 1,000 household)",
            ]
            people = ["Population figures\n (mid-2022) \n- rounded to 100", "Household figures\n (mid-2021)"]
            sheet.append([*HEADER, *(OFFENCES if table != "C4" else [*people, OFFENCES[0], *rates])])
            for cell in rows:
                sheet.append(cell)
        path = tmp_path / "tables.xlsx"
        book.save(path)
        return path

    return save


def test_headers_marks_and_notes_of_a_small_workbook(usual: Cells, write: Callable[[Cells], Path]) -> None:
    read = read_recorded_crime(write(usual))
    assert read.faults == ()
    assert len(read.frame) == 8
    assert set(read.frame["year"]) == {"2025-03"}
    hill, dale = take(read.frame, "Hill"), take(read.frame, "Dale")
    assert (hill["count"], hill["before"], hill["percent"], hill["rate"], hill["people"]) == (20, 16, 25, 10, 2000)
    assert hill["marks"] == ""
    assert dale["marks"] == "change not available; published note: Dale was late"
    robbery = take(read.frame, "Hill", "Robbery")
    assert robbery["marks"] == "change not given, as the year before has fewer than 50"
    burglary = take(read.frame, "Dale", "Residential burglary")
    assert pd.isna(burglary["rate"])
    assert burglary["marks"].startswith("change not given; rate not given, as few people live there")
    assert take(read.frame, "Dale", "Residential burglary", "households")["rate"] == 12.5


def test_a_negative_count_stays_as_it_is(usual: Cells, write: Callable[[Cells], Path]) -> None:
    usual["C2"][1] = row("E22000901", "Hill", 20, -1, 12)
    usual["C2"][0] = row(None, None, 30, 3, 18)
    usual["C4"][1] = row("E22000901", "Hill", 2000, 800, 10.0, -0.5, 6.0, 15.0)
    read = read_recorded_crime(write(usual))
    robbery = take(read.frame, "Hill", "Robbery")
    assert (robbery["count"], robbery["rate"]) == (-1, -0.5)
    assert NEGATIVE in robbery["marks"]
    assert read.faults == ()


def test_what_does_not_add_up_is_told(usual: Cells, write: Callable[[Cells], Path]) -> None:
    usual["C2"][3] = row(None, "Unassigned Exampleshire", 3, 0, 1)
    usual["C3"][1] = row("E22000901", "Hill", 26.0, "[u]", "[u]")
    usual["C4"][2] = row("E22000902", "Dale", 1000, 400, 9.9, 4.0, "[u1]", 12.5)
    usual["C5"][2] = row("E22000902", "Dell", 9, 4, 5)
    said = [fault.words for fault in read_recorded_crime(write(usual)).faults]
    assert said == [
        "Table C2: the parts of Exampleshire are not its total: Total recorded crime (excluding fraud) 32 against 30.",
        "Table C5 names E22000902 Dell of Exampleshire, otherwise than table C2.",
        "Table C3: the change of Hill, Total recorded crime (excluding fraud), is not that of its count.",
        "Table C4: the rate of Dale, Total recorded crime (excluding fraud), is not that of its count.",
    ]


def spoil_repeat(cells: Cells) -> None:
    cells["C5"].append(row("E22000901", "Hill", 16, 6, 10))


def spoil_gap(cells: Cells) -> None:
    del cells["C4"][2]


def spoil_code(cells: Cells) -> None:
    for rows in cells.values():
        rows[1][2] = "E99"


def spoil_number(cells: Cells) -> None:
    cells["C2"][1][7] = "eight"


def spoil_sheet(cells: Cells) -> None:
    del cells["C5"]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (spoil_repeat, "table C5 gives E22000901 more than once; keep one row for each partnership."),
        (spoil_gap, "tables C2 and C4 do not list the same partnerships (E22000902 in one alone)"),
        (spoil_code, "table C2 has the codes E99; write community safety partnership codes."),
        (spoil_number, "Table C2 has 'eight' for Hill, Robbery; correct it"),
        (spoil_sheet, "it has no sheet 'Table C5' (its sheets are Notes - CSP, Table C2 , Table C3 , Table C4 )"),
    ],
)
def test_a_workbook_that_cannot_be_read_says_why(
    usual: Cells, write: Callable[[Cells], Path], spoil: Callable[[Cells], None], sentence: str
) -> None:
    spoil(usual)
    with pytest.raises(SourceError) as error:
        read_recorded_crime(write(usual))
    assert sentence in str(error.value)


def test_a_title_without_a_year_is_refused(usual: Cells, write: Callable[..., Path]) -> None:
    with pytest.raises(SourceError, match="does not tell its year"):
        read_recorded_crime(write(usual, "some year"))


def test_a_partnership_that_is_not_in_the_file_is_refused(usual: Cells, write: Callable[[Cells], Path]) -> None:
    group = PeerGroup(write(usual), "ONS", ("E22000902", "E22000903"))
    with pytest.raises(SourceError, match=r"it has no partnership E22000903; correct csp, or group"):
        read_members(group, "E22000901")
    assert read_members(None, None)[0].empty


# ---- CSV files -----------------------------------------------------------------------------------------------------

CSV_HEADER = "csp_code,csp_name,force_name,offence,year_ending,rate_per,count,count_year_before,people,rate_per_1000"


def write_csv(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "recorded.csv"
    path.write_text("\n".join([CSV_HEADER, *lines]) + "\n", "utf-8")
    return path


def test_csv_file(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path,
        'E22000901,Hill,Exampleshire,Total recorded crime,2025-03,residents,"2,000",1600,20000,100',
        "E22000901,Hill,Exampleshire,Burglary,2025-03,households,-2,0,8000,[x]",
    )
    frame = read_recorded_crime(path).frame
    total, burglary = frame.iloc[0], frame.iloc[1]
    assert (total["count"], total["percent"], total["rate"], bool(total["total"])) == (2000, 25, 100, True)
    assert pd.isna(burglary["percent"])
    assert not burglary["total"]
    assert burglary["marks"] == f"rate not given; {NEGATIVE}"


def test_everything_wrong_with_a_csv_file_is_told(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path,
        "Hill,Hill,Exampleshire,Robbery,2025-03,residents,1,1,100,10",
        "E22000901,Hill,,Robbery,2024-03,people,one,1,100,10",
        "E22000902,Dale,Exampleshire,Robbery,2025-03,residents,1,1,100,10",
        "E22000902,Dale,Exampleshire,Robbery,2025-03,residents,1,1,100,10",
    )
    with pytest.raises(SourceError) as error:
        read_recorded_crime(path)
    assert str(error.value).splitlines() == [
        "recorded.csv: column force_name is empty in line 3; fill it in.",
        "recorded.csv: column csp_code has 'Hill' (line 2); write community safety partnership codes.",
        "recorded.csv: column rate_per has 'people' (line 3); write residents or households.",
        "recorded.csv: column year_ending has 2024-03, 2025-03; keep one year; the one before has a column.",
        "recorded.csv: it gives Robbery of E22000902 more than once; keep one row for each.",
        "recorded.csv: column 'count' has 'one' (line 3) where a number belongs; correct it, or leave it empty where "
        "there is none.",
    ]
