"""Targets from files and back, whatever spreadsheets did to them, and the documents' own targets in full."""

import csv
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import get_args

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cspmap.analysis.targets import reconcile
from cspmap.errors import ProblemsError, SourceError
from cspmap.exports.extract import write_csv
from cspmap.periods import Month, Span
from cspmap.sources.target_file import COLUMNS, read_targets, tabulate_targets
from cspmap.target_checks import find_contradictions
from cspmap.targets import Indicator, Kind, Target, TargetArea, TargetTable, Unit, parse_period

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ROOT / "data" / "targets"
REFERENCE = ROOT.parent / "shared" / "reference"

HEADER = "indicator,crimes,area,kind,baseline_period,baseline,percent,percent_on,due,target,note\n"
ROW = "robbery,robbery,North,reach-number,2004-05,100,,,2007-08,90,\n"


def write(folder: Path, text: str, *, name: str = "targets.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def read(folder: Path, text: str, **given: str) -> TargetTable:
    return read_targets(write(folder, text, **given))


def fail(folder: Path, text: str, crimes: frozenset[str] | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        read_targets(write(folder, text), crimes=crimes)
    return str(caught.value)


def save(folder: Path, table: TargetTable) -> Path:
    return write(folder, write_csv(tabulate_targets(table)))


# The documents


def read_data(stem: str) -> TargetTable:
    return read_targets(TARGETS / f"{stem}.csv")


@pytest.mark.parametrize("path", sorted(TARGETS.glob("*.csv")), ids=lambda path: path.stem)
def test_every_table_of_the_data_loads_says_where_it_is_from_and_reads_back_the_same(
    path: Path, tmp_path: Path
) -> None:
    table = read_targets(path)
    assert all(target.document and target.page for target in table.targets)
    assert write_csv(tabulate_targets(table)) == path.read_text("utf-8")
    assert read_targets(save(tmp_path, table)) == table


def test_luton_2005_08_is_what_was_transcribed() -> None:
    if not REFERENCE.is_dir():
        pytest.skip("the transcribed tables (../shared/reference) are not beside this checkout")
    table = read_data("luton-2005-08")
    with (REFERENCE / "luton_2005_08_targets.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(table.targets) == 66
    for row, target in zip(rows, table.targets, strict=True):
        assert (target.indicator.name.casefold(), target.area.name) == (row["crime_type"].casefold(), row["area"])
        assert [target.baseline, target.value] == [int(row["baseline_2004_05"]), int(row["target_2007_08"])]
        town = Decimal(row["reduction_pct_on_2003_04"]) if row["area"] == "Luton" else None
        assert target.percent == town
    assert len(table.indicators) == 11
    assert table.whole == TargetArea("Luton", ("South", "East", "North", "Central", "West"))
    assert len(table.indicators[-1].parts) == 10


def test_luton_percentages_are_on_a_year_whose_figure_is_not_printed() -> None:
    table = read_data("luton-2005-08")
    stolen = table.find("theft-of-vehicle", "Luton", parse_period("2007-08"))
    assert stolen is not None
    assert (str(stolen.percent), stolen.percent_on) == ("45.0", parse_period("2003-04"))
    assert (stolen.baseline_period, str(stolen.baseline), stolen.page) == (parse_period("2004-05"), "848", "26")


def test_bedfordshire_2007_11_is_what_was_transcribed() -> None:
    if not REFERENCE.is_dir():
        pytest.skip("the transcribed tables (../shared/reference) are not beside this checkout")
    table = read_data("bedfordshire-2007-11")
    with (REFERENCE / "bedfordshire_2007_11_targets.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert 3 * len(rows) == len(table.targets) == 120
    for number, row in enumerate(rows):
        for target, year in zip(table.targets[3 * number :], ("2008-09", "2009-10", "2010-11"), strict=False):
            assert (target.due, target.area.name) == (parse_period(year), row["area"])
            assert [target.baseline, target.value] == [int(row["2007-08"]), int(row[year])]
            assert target.percent == -int(row[f"chg_{year.replace('-', '_')}_pct"])
            assert target.overall_percent == (-int(row["chg_3yr_pct"]) if year == "2010-11" else None)
    assert {target.printed_due for target in table.targets if target.due == parse_period("2009-10")} == {"2009-11"}
    areas = {area.name: area.parts for area in table.areas if area.parts}
    assert areas == {"C Beds": ("M Beds", "S Beds"), "Total": ("N Beds", "C Beds")}
    assert [kind.key for kind in table.indicators if kind.parts] == ["serious-acquisitive-crime"]


def test_divisional_ceilings() -> None:
    table = read_data("luton-division-2005-06")
    stated = [(target.indicator.key, target.kind, int(target.value or 0), target.page) for target in table.targets]
    assert stated == [
        ("all-crime", "at-most", 23_360, "10"),
        ("domestic-burglary", "below", 1_840, "10"),
        ("vehicle-crime", "below", 3_390, "10"),
        ("violent-crime", "below", 4_680, "10"),
    ]


def test_anti_social_behaviour_2017_20() -> None:
    table = read_data("luton-asb-2017-20")
    assert [str(target.percent) for target in table.targets] == ["25", "20", "33.3", "10"]
    assert {target.page for target in table.targets} == {"6 to 7"}


def test_indicators_of_central_bedfordshire() -> None:
    table = read_data("central-bedfordshire-2009-12")
    stated = {
        key: [
            str(target.value if target.value is not None else target.percent) for target in table.select(indicator=key)
        ]
        for key in (indicator.key for indicator in table.indicators)
    }
    assert stated == {
        "ni-16": ["17"],
        "ni-30": ["None"],
        "ni-32": ["35"],
        "ni-40": ["714", "728", "742"],
        "fear-of-crime": ["11"],
        "single-confidence": ["50", "53.9", "58.6"],
        "single-confidence-national": ["15"],
    }
    directions = {kind.key: kind.direction for kind in table.indicators}
    assert directions["ni-40"] == directions["single-confidence"] == "more"
    assert directions["ni-32"] == "less"
    assert [target.baseline for target in table.select(indicator="ni-32")] == [38]
    assert [str(target.percent) for target in table.select(indicator="ni-40")] == ["3", "5", "7"]


# Round trips

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12).map(
    lambda text: " ".join(text.split())
)
SAFE = TEXTS.filter(lambda text: not re.match(r"'[=+\-@]", text))
NAMES = SAFE.filter(lambda text: text != "" and ";" not in text)
PERCENTS = st.decimals(0, 100, places=1) | st.integers(0, 100).map(Decimal)
PERIODS = st.builds(
    lambda first, months: Span(Month.from_ordinal(first), Month.from_ordinal(first + months - 1)),
    st.integers(2000 * 12, 2015 * 12),
    st.integers(1, 36),
)


@st.composite
def tables(draw: st.DrawFn) -> TargetTable:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    areas = [TargetArea(names[0], tuple(names[1:])), *(TargetArea(name) for name in names[1:])]
    units: list[Unit] = ["count", "rate", "score"]
    unit = draw(st.sampled_from(units))
    keys = draw(
        st.lists(st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,3})?", fullmatch=True), min_size=1, unique=True)
    )
    indicators = [
        Indicator(
            key,
            draw(NAMES),
            tuple(draw(st.lists(st.sampled_from(["robbery", "theft", "asb"]), unique=True))),
            draw(st.sampled_from(["less", "more"])),
            unit,
            tuple(keys[1:]) if place == 0 and unit == "count" else (),
        )
        for place, key in enumerate(keys[:3])
    ]
    if len(keys) > 3:
        indicators[0] = replace(indicators[0], parts=tuple(keys[1:3]) if unit == "count" else ())
    numbers = st.integers(0, 10**6).map(Decimal) if unit == "count" else st.decimals(0, 10**4, places=2)
    targets = []
    for indicator in indicators:
        for area in areas:
            due, percent = draw(PERIODS), draw(st.none() | PERCENTS)
            base = draw(st.none() | numbers)
            targets.append(
                Target(
                    indicator,
                    area,
                    draw(st.sampled_from(["reach-number", "hold"])),
                    due,
                    draw(numbers),
                    None if base is None else due.shift(-len(due)),
                    base,
                    percent,
                    None if percent is None else draw(st.none() | st.just(due.shift(-12))),
                    printed_due=draw(SAFE),
                    owner=draw(SAFE),
                    document=draw(SAFE),
                    page=draw(SAFE),
                    note=draw(SAFE),
                )
            )
    return TargetTable(draw(NAMES), tuple(targets))


@given(tables())
def test_a_table_reads_back_exactly_as_written(tmp_path_factory: pytest.TempPathFactory, table: TargetTable) -> None:
    assert find_contradictions(table) == []
    again = read_targets(save(tmp_path_factory.mktemp("trip"), table))
    assert again == table
    # Equal decimals may be rounded differently: 45 is not 45.0 here.
    assert [str(one.percent) for one in again.targets] == [str(one.percent) for one in table.targets]


def test_formulas_are_made_safe_in_the_file_and_come_back_as_they_were(tmp_path: Path) -> None:
    nasty = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "'quoted'", "plain"]
    targets = [
        Target(Indicator("robbery", "Robbery"), TargetArea(name), "reach-number", parse_period("2007-08"), Decimal(1))
        for name in nasty
    ]
    table = TargetTable("=1+1", tuple(targets))
    path = save(tmp_path, table)
    with path.open(encoding="utf-8", newline="") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    assert read_targets(path) == table


def test_a_table_that_contradicts_itself_is_not_written() -> None:
    target = Target(Indicator("robbery", "Robbery"), TargetArea("N"), "reach-number", parse_period("2007-08"))
    with pytest.raises(ProblemsError, match="neither a target nor a percent"):
        tabulate_targets(TargetTable("Test", (target,)))


def test_a_large_number_is_written_in_digits(tmp_path: Path) -> None:
    value = Decimal("1.25E+6")
    target = Target(Indicator("justice", "J"), TargetArea(""), "reach-number", parse_period("2007-08"), value)
    assert ",1250000," in save(tmp_path, TargetTable("Test", (target,))).read_text("utf-8")


# What spreadsheets do


def test_the_smallest_file(tmp_path: Path) -> None:
    table = read(tmp_path, "indicator,kind,due,target\nrobbery,reach-number,2007-08,90\n")
    target = Target(
        Indicator("robbery", "robbery"), TargetArea(""), "reach-number", parse_period("2007-08"), Decimal(90)
    )
    assert table == TargetTable("targets", (target,))


def test_excel_habits(tmp_path: Path) -> None:
    """A byte order mark, CRLF, empty rows and columns, commas in thousands, percent signs and a year made a date."""
    header = "Indicator,Area,Kind,Baseline Period,baseline,percent,percent_on,due,target,,\r\n"
    row = 'robbery,North,Change by,May-04,"1,340",45%,Apr-03,Aug-07,"1,200",,\r\n'
    text = "\ufeffMy targets,,,,,,,,,,\r\n" + header + row + ",,,,,,,,,,\r\n,,,,,,,,,,\r\n"
    (target,) = read(tmp_path, text).targets
    assert [target.baseline, target.value, target.percent] == [1_340, 1_200, 45]
    assert (target.baseline_period, target.percent_on) == (parse_period("2004-05"), parse_period("2003-04"))
    assert (target.due, target.kind) == (parse_period("2007-08"), "change-by")


@pytest.mark.parametrize("text", ["Aug-07", "aug-2007", "Aug 07", "2007-08-01", "01/08/2007", "2007-08", "2007/08"])
def test_a_year_taken_for_a_month_is_that_year(tmp_path: Path, text: str) -> None:
    (target,) = read(tmp_path, f"indicator,kind,due,target\nrobbery,reach-number,{text},90\n").targets
    assert target.due == parse_period("2007-08")


@pytest.mark.parametrize("text", ["Jan-06", "01/09/2007", "Foo-07"])
def test_a_date_that_was_no_year_is_not_guessed(tmp_path: Path, text: str) -> None:
    told = fail(tmp_path, f"indicator,kind,due,target\nrobbery,reach-number,{text},90\n")
    assert f"targets.csv, line 2: its due: '{text}' is not a period; write a financial year" in told


def test_a_workbook_and_its_percentages(tmp_path: Path) -> None:
    def save_book(percent: object) -> Path:
        book = openpyxl.Workbook()
        assert book.active is not None
        book.active.append(["indicator", "kind", "due", "target", "percent", "baseline_period", "note"])
        book.active.append(["robbery", "change-by", "2007-08", 1200, percent, 2006, None])
        path = tmp_path / "targets.xlsx"
        book.save(path)
        return path

    (target,) = read_targets(save_book(12.5)).targets
    assert [target.value, target.percent] == [1_200, Decimal("12.5")]
    assert target.baseline_period == parse_period("2006")
    assert str(read_targets(save_book("0.5%")).targets[0].percent) == "0.5"
    assert str(read_targets(save_book(53.900000000000006)).targets[0].percent) == "53.9"
    with pytest.raises(SourceError, match=re.escape("its percent is 0.45, which may be a percentage or a share")):
        read_targets(save_book(0.45))


def test_what_is_said_once_of_an_indicator_or_area_holds_for_all_its_rows(tmp_path: Path) -> None:
    text = (
        "table,indicator,indicator_name,crimes,direction,area,area_parts,kind,due,target\n"
        "Mine,robbery,Robbery of all sorts,robbery,,Town,North; South,reach-number,2007-08,90\n"
        ",robbery,,,more,Town,,reach-number,2008-09,90\n"
        ",robbery,,,,North,,reach-number,2007-08,40\n"
        ",robbery,,,,South,,reach-number,2007-08,50\n"
    )
    table = read(tmp_path, text)
    assert table.title == "Mine"
    assert table.indicators == (Indicator("robbery", "Robbery of all sorts", ("robbery",), "more"),)
    assert table.areas[0] == TargetArea("Town", ("North", "South"))


# Mistakes


def test_every_mistake_is_reported_with_its_line(tmp_path: Path) -> None:
    text = (
        HEADER
        + ROW
        + "robbery,robbery,South,reach-numbers,2004-05,many,,,2009-11,,\n"
        + "\n"
        + "Robbery!,robbery,South,reach-number,,,-8%,,,5,\n"
        + ",,East,reach-number,,,,,2007-08,5,\n"
        + "robbery,robbery,North,reach-number,2004-05,101,,,2007-08,80,\n"
    )
    told = fail(tmp_path, text).splitlines()
    assert told == [
        "targets.csv, line 3: its kind is 'reach-numbers'; write change-by, reach-number, reach-percentage, at-most, "
        "below or hold.",
        "targets.csv, line 3: its due: '2009-11' is not a financial year; write such as 2009-10 (a single month is "
        "written as 2007-08..2007-08); a heading that is misprinted goes in printed_due as it stands.",
        "targets.csv, line 3: its baseline is 'many'; write a number, such as 1,840, or leave it empty where there is "
        "none.",
        "targets.csv, line 5: its due is empty; fill in a period, such as 2007-08.",
        "targets.csv, line 5: its percent is -8; write 8 for 8 per cent better, fewer where less is better; leave it "
        "empty for a change for the worse.",
        "targets.csv, line 5: its indicator is 'Robbery!'; write small letters, digits and single hyphens, such as "
        "ni-16.",
        "targets.csv, line 6: its indicator is empty; write small letters, digits and single hyphens, such as ni-16.",
        "targets.csv, line 7: its baseline is 101, and 100 for the same period in targets.csv, line 2; write the same "
        "in both.",
        "targets.csv, line 7: it gives robbery, North, 2007-08 again, which targets.csv, line 2 gives; keep one of "
        "them.",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("indicator,kind,due\nrobbery,hold,2007-08\n", "it has no columns indicator, kind, due and target"),
        ("indicator;kind;due;target\nrobbery;hold;2007-08;1\n", "its columns are indicator;kind;due;target"),
        ("", "it is empty"),
        ("indicator,kind,due,target\n", "it has a header and no rows"),
        ("indicator,kind,due,target,percnt\nr,hold,2007-08,1,\n", "there is no column 'percnt' in a targets file; did"),
        ("indicator,kind,due,target,target\nr,hold,2007-08,1,2\n", "it has 2 columns 'target'; keep one of them"),
        ("table,indicator,kind,due,target\nA,a,hold,2006,1\nB,b,hold,2006,1\n", "table is 'B', and 'A' above"),
    ],
)
def test_files_that_are_something_else(tmp_path: Path, text: str, told: str) -> None:
    assert told in fail(tmp_path, text)


def test_crimes_must_be_the_partnerships(tmp_path: Path) -> None:
    text = HEADER + ROW + ROW.replace("robbery,robbery,North", "theft,theft-of-bike,North")
    known = frozenset({"robbery", "theft-of-bikes"})
    told = fail(tmp_path, text, known)
    assert told == (
        "targets.csv, line 3: 'theft-of-bike' is not a crime type or group of the partnership; did you mean "
        "theft-of-bikes?"
    )
    assert len(read(tmp_path, text).targets) == 2


def test_a_missing_number_is_none_and_never_zero(tmp_path: Path) -> None:
    rows = "".join(f"robbery,robbery,{sign},hold,2004-05,100,,,2007-08,{sign},\n" for sign in ("", "-", "n/a"))
    assert [target.value for target in read(tmp_path, HEADER + rows).targets] == [None, None, None]


@given(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=8), min_size=1))
def test_no_cell_makes_more_than_a_sentence(tmp_path_factory: pytest.TempPathFactory, cells: Mapping[str, str]) -> None:
    """Whatever stands in a cell, there is a table or a list of problems, never another error."""
    row = {"indicator": "robbery", "kind": "hold", "due": "2007-08", "target": "5", **cells}
    path = tmp_path_factory.mktemp("cells") / "targets.csv"
    with path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as stream:
        writer = csv.DictWriter(stream, row)
        writer.writeheader()
        writer.writerow(row)
    try:
        table = read_targets(path)
    except SourceError:
        return
    assert read_targets(save(path.parent, table)) == table


# The page that describes the format


def test_the_example_of_the_page_loads_and_is_described_in_full(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "target-file.md").read_text("utf-8")
    (example,) = re.findall(r"```csv\n(.*?)```", page, flags=re.DOTALL)
    table = read(tmp_path, example)
    assert table.title == "Exampleton 2024-27"
    assert [target.kind for target in table.targets] == [
        *("change-by", "reach-number", "reach-number", "at-most", "reach-percentage", "reach-number")
    ]
    assert reconcile(table) == []
    described = set(re.findall(r"`([a-z_]+)`", page.partition("## Columns")[2].partition("## Kinds")[0]))
    assert set(COLUMNS) <= described


@pytest.mark.parametrize("named", [*get_args(Kind), *get_args(Unit)])
def test_the_page_names_every_kind_and_unit(named: str) -> None:
    assert f"`{named}`" in (ROOT / "docs" / "target-file.md").read_text("utf-8")
