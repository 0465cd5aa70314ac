"""The table behind the map as a file."""

import csv
import io
import re
from pathlib import Path

import pandas as pd

from cspmap.analysis.area_figures import compute_figures
from cspmap.exports.area_table import FIGURES, tabulate_areas
from cspmap.exports.extract import write_csv
from cspmap.partnership import Denominator
from cspmap.periods import Month, Span
from cspmap.selection import Selection
from cspmap.totals import Coverage
from cspmap.views.words import describe_unlocated

SPAN = Span.parse("2023-05..2024-04")
BEFORE = SPAN.compare_with("last-year")
PER = Denominator("residents", "residents", 2022, "lsoa21", Path("residents.csv"), "ONS")
NOW = Coverage(SPAN, (), recorded=100, inside=60, outside=30, unlocated=10, unlocated_own=0)
EARLIER = Coverage(BEFORE, (Month(2022, 6),), recorded=90, inside=60, outside=30, unlocated=0, unlocated_own=0)
AREAS = compute_figures(
    pd.DataFrame(
        {
            "code": ["a", "b"],
            "name": ["=SUM(A1)", "Beech"],
            "hectares": [10.0, 20.0],
            "count": pd.array([40, 20], dtype="Int64"),
            "before": pd.array([30, 30], dtype="Int64"),
            "denominator": [1000.04, 50.0],
            "denominator_method": ["as published", "shared out by area from LSOAs"],
        }
    ),
    total=60,
    comparable=False,
    smallest=100,
)


def tabulate(*, areas: tuple[str, ...] = (), crimes: str = "", notice: str = "") -> pd.DataFrame:
    selection = Selection(span=SPAN, level="ward", areas=areas)
    return tabulate_areas(AREAS, selection, now=NOW, before=EARLIER, per=PER, crimes=crimes, notice=notice)


def test_every_figure_carries_what_it_rests_on() -> None:
    row = tabulate().iloc[0]
    assert (row["count"], row["rate"], row["population"]) == (40, 39.998, 1000)
    assert row["rate_per"] == "1,000 residents (2022)"
    assert (row["period"], row["compared_with"]) == ("2023-05..2024-04", "2022-05..2023-04")
    assert (row["months_missing"], row["months_missing_before"]) == (0, 1)
    assert row["share_without_location"] == 0.1
    assert row["verdict"] == "not known"


def test_a_rate_that_is_not_given_says_so() -> None:
    row = tabulate().iloc[1]
    assert pd.isna(row["rate"])
    assert row["rate_per"] == "not given: too few residents (2022)"


def test_only_the_chosen_areas_are_there() -> None:
    assert tabulate(areas=("b",))["code"].to_list() == ["b"]


def test_a_notice_goes_with_every_row_and_only_where_there_is_one() -> None:
    assert "notice" not in tabulate()
    assert set(tabulate(notice="Simulated.")["notice"]) == {"Simulated."}


def test_what_is_counted_is_named_where_it_is_told() -> None:
    assert "crimes" not in tabulate()
    assert set(tabulate(crimes="Burglary and Drugs")["crimes"]) == {"Burglary and Drugs"}


def test_no_figure_has_more_digits_than_it_can_keep() -> None:
    figures = compute_figures(
        pd.DataFrame(
            {
                "code": ["a", "b"],
                "name": ["Ash", "Beech"],
                "count": pd.array([123_457, pd.NA], dtype="Int64"),
                "before": pd.array([41, 30], dtype="Int64"),
                "denominator": [1780.0, 1234.6],
                "denominator_method": "as published",
            }
        ),
        total=370_371,
        comparable=True,
        smallest=100,
    ).assign(score=[12.34567, 1.0], decile=[3.0, float("nan")], fifth=[1 / 3, 0.0])
    selection = Selection(span=SPAN, level="ward", edition=2025)
    now = Coverage(SPAN, (), recorded=3, inside=2, outside=0, unlocated=1, unlocated_own=0)
    text = write_csv(tabulate_areas(figures, selection, now=now, before=EARLIER, per=PER))
    ash, beech = csv.DictReader(io.StringIO(text))
    assert [ash[name] for name in ("count", "before", "difference", "decile", "population")] == [
        "123457",
        "41",
        "123416",
        "3",
        "1780",
    ]
    assert [ash[name] for name in ("rate", "share", "score", "fifth", "share_without_location")] == [
        "69357.865",
        "0.3333",
        "12.346",
        "0.3333",
        "0.3333",
    ]
    assert re.fullmatch(r"-?\d+\.\d{1,2}", ash["percent"])
    assert [beech[name] for name in ("count", "rate", "decile", "population")] == ["", "", "", "1235"]


def test_a_small_p_keeps_its_first_digits() -> None:
    row = tabulate_areas(
        AREAS.assign(p=[0.000123456, float("nan")]), Selection(span=SPAN, level="ward"), now=NOW, before=NOW, per=PER
    )
    assert row["p"].tolist()[0] == 0.000123


def test_the_file_reads_back_and_no_name_is_taken_for_a_formula() -> None:
    back = pd.read_csv(io.StringIO(write_csv(tabulate())))
    assert back["name"].to_list() == ["'=SUM(A1)", "Beech"]
    assert list(back.columns[:4]) == list(FIGURES[:4])
    assert back["count"].to_list() == [40, 20]


def test_a_period_that_is_not_loaded_is_not_said_to_have_no_incidents() -> None:
    month = Span.parse("2023-06..2023-06")
    nothing = Coverage(month, (Month(2023, 6),), recorded=0, inside=0, outside=0, unlocated=0, unlocated_own=0)
    said = "No month of June 2023 is loaded: what was recorded then is not known."
    assert describe_unlocated(nothing, "Luton") == said
