"""The table behind the map as a file."""

import io
from pathlib import Path

import pandas as pd

from cspmap.analysis.area_figures import compute_figures
from cspmap.exports.area_table import FIGURES, tabulate_areas
from cspmap.exports.extract import write_csv
from cspmap.partnership import Denominator
from cspmap.periods import Month, Span
from cspmap.query import Coverage
from cspmap.selection import Selection
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


def tabulate(*, areas: tuple[str, ...] = (), notice: str = "") -> pd.DataFrame:
    selection = Selection(span=SPAN, level="ward", areas=areas)
    return tabulate_areas(AREAS, selection, now=NOW, before=EARLIER, per=PER, notice=notice)


def test_every_figure_carries_what_it_rests_on() -> None:
    row = tabulate().iloc[0]
    assert (row["count"], row["rate"], row["population"]) == (40, 40 / 1000.04 * 1000, 1000.0)
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
