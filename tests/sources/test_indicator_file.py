"""Indicators and published charts from files and back, and every figure of the documents."""

import re
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.errors import ProblemsError, SourceError
from cspmap.exports.extract import write_csv
from cspmap.indicators import IndicatorTable, Measure, Reading, find_contradictions
from cspmap.periods import Month, Span
from cspmap.sources.indicator_file import COLUMNS, read_indicators, tabulate_indicators
from cspmap.sources.scanning_file import read_scanning_chart
from cspmap.targets import parse_period

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data" / "indicators"
CHART = ROOT / "data" / "priorities" / "central-bedfordshire-2009.csv"
SEEDS = ROOT.parent / "shared" / "seeds"

HEADER = (
    "indicator,indicator_name,kind,unit,direction,question,crimes,area,answer,period,value,sample,margin,survey,note\n"
)
ROW = "fear,Fear after dark,survey,percent,less,How safe?,,Luton,Unsafe,2008,45,1100,,Survey,\n"

NI_17 = {
    "Noisy neighbours": (30, 22, 15),
    "Teenagers hanging around on the streets": (70, 60, 55),
    "Rubbish or litter lying around": (62, 51, 37),
    "Vandalism, graffiti and other deliberate damage to property or vehicles": (74, 44, 41),
    "People using or dealing drugs": (81, 52, 46),
    "People being drunk or rowdy in public places": (67, 30, 36),
    "Abandoned or burnt out vehicles": (78, 20, 14),
}


def write(folder: Path, text: str, name: str = "indicators.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def fail(folder: Path, text: str) -> str:
    with pytest.raises(SourceError) as caught:
        read_indicators(write(folder, text))
    return str(caught.value)


def find(stem: str, key: str, *, area: str = "Luton") -> dict[tuple[str, str], Decimal | None]:
    """The figures of an indicator in an area by answer and period."""
    return {
        (each.answer, "" if each.period is None else str(each.period)): each.value
        for each in read_indicators(DATA / f"{stem}.csv").readings
        if each.measure.key == key and each.area == area
    }


# The documents


@pytest.mark.parametrize("path", sorted(DATA.glob("*.csv")), ids=lambda path: path.stem)
def test_every_figure_says_where_it_is_from_and_reads_back_the_same(path: Path, tmp_path: Path) -> None:
    table = read_indicators(path)
    assert all(reading.document and reading.page for reading in table.readings)
    assert all(reading.value is not None or reading.note for reading in table.readings)
    assert write_csv(tabulate_indicators(table)) == path.read_text("utf-8")
    assert read_indicators(write(tmp_path, write_csv(tabulate_indicators(table)))) == table


def test_seven_problems_of_three_years() -> None:
    table = read_indicators(DATA / "luton-stronger-safer.csv")
    rows = [each for each in table.readings if each.measure.topic == "Perceptions of anti-social behaviour (NI 17)"]
    assert len(rows) == 21
    for name, values in NI_17.items():
        own = [each for each in rows if each.measure.name == name]
        assert [each.value for each in own] == list(values)
        assert [each.period for each in own] == [parse_period(year) for year in ("2003", "2006", "2008")]
        assert {(each.answer, each.sample, each.area) for each in own} == {
            ("Very or fairly big problem", None, "Luton")
        }


def test_local_views() -> None:
    deck = "luton-stronger-safer"
    assert find(deck, "unsafe-after-dark") == {("Unsafe", ""): 45}
    assert find(deck, "unsafe-by-day") == {("Unsafe", ""): 10}
    problems = {"burglary": 47, "vehicle-crime": 45, "robbery": 40, "violent-crime": 31}
    for key, value in problems.items():
        assert find(deck, f"problem-{key}") == {("Fairly or very big problem", ""): value}
    answers = find(deck, "crime-level-3-years")
    assert {answer: value for (answer, _), value in answers.items()} == {
        "Better": 5, "Stayed the same": 39, "Worse": 36, "Don't know": 20,
    }  # fmt: skip
    assert sum(value or 0 for value in answers.values()) == 100


def test_challenge_index() -> None:
    places = {
        "Manchester City": 72,
        "Blackburn with Darwen": 72,
        "Birmingham City": 72,
        "Leicester City": 71,
        "Luton": 70,
    }
    for place, value in places.items():
        assert find("luton-stronger-safer", "challenge-index", area=place) == {("", ""): value}


def test_national_indicators_are_all_listed() -> None:
    keys = {measure.key for measure in read_indicators(DATA / "luton-stronger-safer.csv").measures}
    listed = [*range(1, 18), 19, 21, 23, 30, 32, 39, 111]
    assert {f"ni-{number}" for number in listed} <= keys


def test_single_confidence_has_its_question_and_no_figure() -> None:
    table = read_indicators(DATA / "central-bedfordshire-2009-12.csv")
    (confidence,) = [each for each in table.readings if each.measure.key == "single-confidence"]
    assert confidence.value is None
    assert confidence.measure.question.startswith("How much would you agree or disagree that the police")
    assert find("central-bedfordshire-2009-12", "ni-32", area="Central Bedfordshire") == {("", "2007-04..2008-03"): 38}


def test_every_percentage_is_in_the_document_that_it_cites() -> None:
    if not SEEDS.is_dir():
        pytest.skip("the documents (../shared/seeds) are not beside this checkout")
    texts = {path.stem[:3]: path.read_text("utf-8") for path in SEEDS.glob("*.txt")}
    numbers = {
        "luton-stronger-safer": "000",
        "luton-2005-08": "001",
        "luton-2020-24": "002",
        "central-bedfordshire-2009-12": "003",
        "north-west-leicestershire-2013": "004",
    }
    assert numbers.keys() == {path.stem for path in DATA.glob("*.csv")}
    for stem, number in numbers.items():
        for reading in read_indicators(DATA / f"{stem}.csv").readings:
            if reading.value is None:
                continue
            digits = format(abs(reading.value), ",f")
            assert re.search(rf"(?<![\d.,]){re.escape(digits)}(?!\.?\d)", texts[number]), (stem, reading.label, digits)


# What a file may look like


def test_what_is_said_once_of_an_indicator_holds_for_all_its_rows(tmp_path: Path) -> None:
    later = "fear,,,,,,,Luton,Unsafe,2009,40,,3.1,Survey,\n"
    table = read_indicators(write(tmp_path, HEADER + ROW + later))
    first, second = table.readings
    assert first.measure == second.measure
    assert (first.sample, second.sample, second.margin) == (1100, None, Decimal("3.1"))
    assert table.title == "indicators"


def test_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Residents' survey"])
    for line in (HEADER + ROW).splitlines():
        sheet.append([int(cell) if cell.isdigit() else cell for cell in line.split(",")])
    path = tmp_path / "survey.xlsx"
    book.save(path)
    (reading,) = read_indicators(path).readings
    assert (reading.value, reading.sample, reading.measure.question) == (Decimal(45), 1100, "How safe?")


def test_a_period_that_is_not_known_may_be_left_out(tmp_path: Path) -> None:
    table = read_indicators(write(tmp_path, HEADER + ROW.replace("2008", "")))
    assert table.readings[0].period is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("45,1100", "145,1100", "its value is 145; write a percentage from 0 to 100"),
        ("45,1100", "often,1100", "its value is 'often'"),
        ("45,1100", ",", "it has no value; fill it in, or say in the note that the document prints none"),
        ("45,1100", "45,0", "its sample is 0; write a number above zero"),
        ("45,1100", "45,3.5", "its sample is 3.5; write how many were asked, a whole number"),
        ("survey,percent", "record,percent", "it has a sample, and its kind is record"),
        ("survey,percent", "poll,percent", "its kind is 'poll'; write survey or record"),
        ("2008", "2007-09", "its period: '2007-09' is not a financial year"),
        (",Survey,", ",,", "it does not say where it is from; fill in the document and its page, or the survey"),
        ("fear,", "Fear!,", "its indicator is 'Fear!'"),
        ("percent,less", "count,less", "its value is 4.5, and its unit is count"),
    ],
)
def test_a_fault_is_told_with_its_line(old: str, new: str, said: str, tmp_path: Path) -> None:
    row = ROW.replace("45", "4.5") if "4.5" in said else ROW
    told = fail(tmp_path, HEADER + row.replace(old, new))
    assert f"indicators.csv, line 2: {said}" in told


def test_all_faults_are_told_together(tmp_path: Path) -> None:
    rows = (
        ROW
        + ROW
        + ROW.replace("2008", "2009").replace("less", "more")
        + ROW.replace("45", "often").replace("2008", "2010")
    )
    told = fail(tmp_path, HEADER.replace("note", "nota") + rows).splitlines()
    assert len(told) == 4
    assert "there is no column 'nota' in an indicators file; did you mean note?" in told[0]
    assert "line 3: it gives Fear after dark: Unsafe, Luton, 2008 again, which indicators.csv, line 2 gives" in told[1]
    assert "line 4: its direction differs from that of 'fear' in indicators.csv, line 2" in told[2]
    assert "line 5: its value is 'often'" in told[3]


def test_what_is_no_table_of_indicators_is_refused(tmp_path: Path) -> None:
    assert "it has no columns indicator, period and value" in fail(tmp_path, "a,b\n1,2\n")
    assert "it has a header and no rows" in fail(tmp_path, HEADER)


def test_a_table_that_contradicts_itself_is_not_written() -> None:
    reading = Reading(Measure("fear", "Fear"), value=Decimal(45), survey="Survey")
    with pytest.raises(ProblemsError, match="again"):
        tabulate_indicators(IndicatorTable("Twice", (reading, reading)))


_texts = st.text("abc XYZ=+-@'%,;\"é", max_size=12).map(lambda text: " ".join(text.split()))
_names = _texts.filter(lambda text: text and not re.match(r"'[=+\-@]", text))


@given(
    name=_names,
    value=st.decimals(0, 100, places=1),
    sample=st.none() | st.integers(1, 10**6),
    year=st.none() | st.integers(1990, 2030),
    answer=_texts.filter(lambda text: not re.match(r"'[=+\-@]", text)),
)
@settings(max_examples=60, deadline=None)
def test_whatever_may_be_kept_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    value: Decimal,
    sample: int | None,
    year: int | None,
    answer: str,
) -> None:
    period = None if year is None else Span(Month(year, 4), Month(year + 1, 3))
    reading = Reading(Measure("fear", name), "Luton", answer, period, value, sample, None, "Survey", note="=1+1")
    table = IndicatorTable("A table", (reading,))
    assert not find_contradictions(table)
    path = write(tmp_path_factory.mktemp("kept"), write_csv(tabulate_indicators(table)))
    assert read_indicators(path) == table


def test_every_column_is_described() -> None:
    text = (ROOT / "docs" / "indicator-file.md").read_text("utf-8")
    for column in COLUMNS:
        assert f"`{column}`" in text


# Published charts


def test_the_chart_of_2009_as_printed() -> None:
    chart = read_scanning_chart(CHART)
    assert chart.headings == (
        "PSA", "LAA 08/11", "National indicators", "High volume/ rate", "Increasing", "High public concern",
    )  # fmt: skip
    assert len(chart.rows) == 17
    assert [row.action for row in chart.rows].count("Include") == 12
    rows = {row.category: row for row in chart.rows}
    assert rows["Serious Acquisitive Crime"].marked == chart.headings
    assert rows["Robbery"].marked == ()
    assert rows["Wounding"].marked == ("Increasing",)
    assert rows["ASB"].marked == ("PSA", "LAA 08/11", "National indicators", "High public concern")
    assert rows["Fear of Crime/Single confidence target"].marked == ("PSA", "National indicators")
    assert {row.action for row in chart.rows if row.category in ("Hate crime", "Knife crime", "Robbery")} == {"Exclude"}
    assert all(row.document and row.page for row in chart.rows)


def test_faults_of_a_chart_are_told_together(tmp_path: Path) -> None:
    text = "category,Increasing,action,document,page\nRobbery,maybe,,Plan,3\nRobbery,X,Include,Plan,3\n"
    with pytest.raises(SourceError) as caught:
        read_scanning_chart(write(tmp_path, text))
    told = str(caught.value)
    for words in (
        "line 2: it has 'maybe' under 'Increasing'",
        "line 2: its action is empty",
        "line 3: it gives Robbery",
    ):
        assert words in told
    with pytest.raises(SourceError, match="no heading"):
        read_scanning_chart(write(tmp_path, "category,action,document,page\nRobbery,Include,Plan,3\n"))
