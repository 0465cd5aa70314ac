"""Targets and Set targets without a browser: what stands on the screen, what a link opens, what is refused and how."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cspmap import workspace
from cspmap.analysis.targets.verdict import CALIBRATION
from cspmap.board import list_weights, make_board
from cspmap.goals import Sharing
from cspmap.periods import Month
from cspmap.query import Query
from cspmap.store import open_store
from cspmap.targets import parse_period
from cspmap.views.palettes import contrast_ratio
from cspmap.views.target_board import RATING_COLOURS
from cspmap.views.target_charts import compare_areas, draw_funnel, trace_line

ROOT = Path(__file__).resolve().parent.parent
NOTICE = "Example: illustrative geography, simulated incidents. Only what a named document prints is real."
DIVISION = "Luton divisional policing plan 2005-06"
BEDFORDSHIRE = "Bedfordshire local targets 2007-11"

OpenPage = Callable[..., AppTest]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """Runs a page on a store, with the parameters of a link."""

    def run(name: str, store: Path, **query: str) -> AppTest:
        monkeypatch.setenv(workspace.STORE_VARIABLE, str(store))
        page = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=30)
        for key, value in query.items():
            page.query_params[key.replace("_", "-")] = value
        page.run()
        assert not page.exception
        return page

    return run


def read_words(page: AppTest) -> str:
    """All text of a page, its escapes taken away."""
    parts = [*page.markdown, *page.caption, *page.subheader, *page.error]
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


def read_table(page: AppTest, place: int) -> pd.DataFrame:
    frame = page.dataframe[place].value
    return frame if isinstance(frame, pd.DataFrame) else frame.data


def list_buttons(page: AppTest) -> list[Any]:
    """The labels of what can be downloaded."""
    buttons: list[Any] = list(page.get("download_button"))
    return [button.label for button in buttons]


def choose(page: AppTest, label: str) -> Any:
    return next(box for box in page.selectbox if box.label == label)


# ---- Targets ---------------------------------------------------------------------------------------------------------


def test_opens_on_the_whole_the_farthest_behind_first(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("targets", example_store)
    words = read_words(page)
    assert NOTICE in words
    assert "**Luton targets 2005-08: Luton by the end of March 2008, as at March 2008.**" in words
    assert "Of 11 targets: 4 green (G) and 7 red (R)." in words
    whole, letters, areas = (read_table(page, place) for place in range(3))
    assert len(whole) == 11
    assert whole["rating"].tolist() == ["R"] * 7 + ["G"] * 4
    assert list(letters.columns) == ["Luton", "Central", "East", "North", "South", "West"]
    assert letters.shape == (11, 6)
    assert set(letters.to_numpy().ravel()) <= {"R", "A", "G", "?"}
    assert len(areas) == 55
    assert set(areas["document"]) == {"Community Safety Strategy for Luton 2005 to 2008"}
    assert set(areas["page"]) == {"26"}
    assert "material/warning" not in words
    assert list_buttons(page) == ["CSV"]


def test_letters_of_the_board_are_those_of_its_lines(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("targets", example_store, layer="Ward", as_at="November 2007")
    query = Query(open_store(example_store))
    board = make_board(
        query,
        query.store.targets[0],
        level="ward",
        span=parse_period("2007-08"),
        as_at=Month(2007, 11),
        sharing=Sharing("baseline", list_weights(query, "ward")),
    )
    letters = read_table(page, 1)
    assert letters.shape == (11, 20)
    assert (letters != "").all().all()
    for (key, codes), rating in zip(list(board.lines.index), board.lines["rating"], strict=True):
        for code in codes.split(","):
            shown = letters.at[board.indicators[key], board.names[code]]
            assert shown == (f"({rating})" if "," in codes else rating)
    assert "In brackets: areas too small for a target each carry one together." in read_words(page)


def test_a_link_opens_what_it_was_copied_from(open_page: OpenPage, example_store: Path) -> None:
    asked = {
        "table": "Luton targets 2005-08", "year": "2006-07", "layer": "Ward", "method": "By residents",
        "as_at": "August 2006", "figures": "As recomputed", "tab": "One area", "place": "Dallow",
    }  # fmt: skip
    page = open_page("targets", example_store, **asked)
    labels = {"Targets": "table", "By the end of": "year", "Level": "layer", "Shared out to areas": "method"}
    labels |= {"As at": "as_at", "Figures": "figures", "Area": "place"}
    assert {choose(page, label).value for label in labels} == {asked[key] for key in labels.values()}
    words = read_words(page)
    assert "Luton by the end of March 2007, as at August 2006." in words
    assert [heading.value for heading in page.subheader] == ["Dallow"]
    assert "shared out in proportion to residents" in words
    assert len(re.findall(r"^\*\*[RAG?] · ", words, re.MULTILINE)) == 11


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"table": "Luton targets 2005-80"}, "The table of targets asked for is 'Luton targets 2005-80', which is not"),
        ({"year": "2009-10"}, "The year asked for is '2009-10', which is not held here; try 2007-08, 2006-07"),
        ({"layer": "ward"}, "The level asked for is 'ward', which is not held here; try Ward."),
        ({"as_at": "May 1997"}, "The month asked for is 'May 1997', which is not held here; try May 2007"),
        ({"method": "Fairly"}, "The method asked for is 'Fairly', which is not held here; try "),
    ],
)
def test_a_bad_link_is_told_in_a_sentence(
    asked: dict[str, str], told: str, open_page: OpenPage, example_store: Path
) -> None:
    page = open_page("targets", example_store, **asked)
    assert len(page.error) == 1
    assert told in read_words(page)
    page.button[0].click().run()
    assert not page.error
    assert "Of 11 targets" in read_words(page)


def test_as_recomputed_asks_what_adds_up(open_page: OpenPage, example_store: Path) -> None:
    east = {"tab": "One area", "place": "East"}
    assert "against at most 2,027" in read_words(open_page("targets", example_store, **east))
    page = open_page("targets", example_store, **east, figures="As recomputed")
    assert "against at most 2,001" in read_words(page)
    # Where a table agrees with itself there is nothing to choose.
    division = open_page("targets", example_store, table=DIVISION)
    assert "Figures" not in [box.label for box in division.selectbox]


def test_what_is_not_measured_stands_as_printed(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("targets", example_store, table=DIVISION)
    assert "**Not measured by recorded crime**, and so as printed" in read_words(page)
    printed = read_table(page, 3)
    assert printed["indicator_name"].tolist() == ["All crime", "Violent crime"]
    assert [float(value) for value in printed["target"]] == [23360, 4680]
    assert printed["document"].tolist() == ["Community Safety Strategy for Luton 2005 to 2008"] * 2
    assert printed["page"].tolist() == ["10", "10"]
    whole = open_page("targets", example_store, table=BEDFORDSHIRE)
    assert "Recorded crime of Luton measures none of these targets. They stand as printed:" in read_words(whole)
    (only,) = whole.dataframe
    assert len(only.value) == 120
    assert only.value["page"].notna().all()
    assert [box.label for box in whole.selectbox] == ["Targets"]


def test_every_table_of_the_documents_can_be_opened(open_page: OpenPage, example_store: Path) -> None:
    for table in open_store(example_store).targets:
        for name in ("targets", "set_targets"):
            page = open_page(name, example_store, table=table.title)
            assert not page.error, table.title


def test_missing_months_are_told_above_the_figures(open_page: OpenPage, awkward_store: Path) -> None:
    page = open_page("targets", awkward_store, year="2005-06")
    (warning,) = [part.value for part in page.markdown if "material/warning" in part.value]
    assert "No month of the year to March 2006 is loaded, only" in warning
    assert "Of 55 targets: 55 not to be said (?)." in read_words(page)
    areas = read_table(page, 1)
    assert len(areas) == 55
    assert set(areas["rating"]) == {"?"}
    assert areas["chance"].isna().all()
    after = open_page("targets", awkward_store, year="2006-07")
    assert "material/warning" not in read_words(after)


def test_the_way_to_each_target_is_drawn(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("targets", example_store, tab="Trajectories", place="East", as_at="November 2007")
    headings = [part.value for part in page.markdown if re.match(r"\*\*[RAG?] · ", part.value)]
    assert len(headings) == 11
    assert len(page.get("vega_lite_chart")) == 11
    # How often such ranges have held stands beside them.
    assert CALIBRATION in read_words(page)


def test_areas_beside_each_other_by_what_a_crime_happens_to(open_page: OpenPage, example_store: Path) -> None:
    burglary = open_page("targets", example_store, tab="Funnel", indicator="Domestic Burglary")
    table = read_table(burglary, 0)
    query = Query(open_store(example_store))
    held = query.read_denominators("area").query("denominator == 'households'").set_index("code")["value"]
    assert sorted(table["people"]) == sorted(held.round())
    assert table["expected"].sum() == pytest.approx(table["count"].sum())
    assert "by households, 2011" in read_words(burglary)
    robbery = open_page("targets", example_store, tab="Funnel", indicator="Robbery")
    assert "by residents, 2005" in read_words(robbery)


def test_names_are_shown_as_they_are(open_page: OpenPage, awkward_store: Path, awkward_place: str) -> None:
    for tab in ("Board", "Map", "Trajectories", "One area", "Funnel"):
        page = open_page("targets", awkward_store, tab=tab)
        shown = [part.value for part in (*page.markdown, *page.caption, *page.subheader)]
        assert [value for value in shown if awkward_place in value] == []
    assert awkward_place in read_words(open_page("targets", awkward_store))


def test_a_store_that_is_not_there_is_told_in_a_sentence(open_page: OpenPage, tmp_path: Path) -> None:
    for name in ("targets", "set_targets"):
        assert "There is no store in" in read_words(open_page(name, tmp_path / "nowhere"))


# ---- Set targets -----------------------------------------------------------------------------------------------------


def test_every_fault_of_a_printed_table_is_listed_beside_it(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("set_targets", example_store)
    words = read_words(page)
    assert "36 places where the printed table does not agree with itself." in words
    assert "Total, East, target 2007-08: 2,027 is printed, and its parts add up to 2,001, 26 fewer." in words
    faults, printed = (read_table(page, place) for place in range(2))
    assert len(faults) == 36
    assert len(printed) == 66
    assert list_buttons(page) == ["Use as printed", "Use as recomputed"]
    sound = open_page("set_targets", example_store, table=DIVISION)
    assert "Every figure agrees with the others." in read_words(sound)
    assert list_buttons(sound) == ["Use as printed"]


def test_next_years_targets_follow_the_choices(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("set_targets", example_store, part="Try out next year's", layer="Ward", percent="20")
    assert "**Draft targets, year to March 2009**" in read_words(page)
    start, wide, compared = (read_table(page, place) for place in range(3))
    assert set(start["percent"]) == {20.0}
    # Luton, its wards, and what wards too small for a target of their own carry together.
    assert wide.shape == (11, 21)
    assert wide.columns[-1] == "Small areas together"
    assert wide.drop(columns="Small areas together").isna().to_numpy().any()
    assert (wide["Luton"].iloc[:-1].to_numpy() == np.floor(start["baseline"] * 0.8 + 1e-9).to_numpy()).all()
    assert wide["Luton"].iloc[:-1].sum() == wide["Luton"].iloc[-1]
    areas = wide.drop(columns="Luton").sum(axis=1)
    assert areas.iloc[:-1].sum() == areas.iloc[-1]
    # The areas of one crime type, by any method, have what the draft gives them together.
    methods = compared.drop(columns=["name", "count"])
    assert set(methods.sum()) == {wide.drop(columns="Luton").loc["Theft of Vehicle"].sum()}
    choose(page, "Shared out to areas").select("residents").run()
    changed = read_table(page, 1).drop(columns="Luton").loc["Theft of Vehicle"]
    assert list(changed.dropna()) == list(compared["residents"])


def test_a_baseline_with_a_gap_is_refused_in_a_sentence(open_page: OpenPage, awkward_store: Path) -> None:
    page = open_page("set_targets", awkward_store, part="Try out next year's", to="June 2006")
    assert "July 2005 is not loaded, so the year to June 2006 cannot be a baseline" in read_words(page)


# ---- charts ----------------------------------------------------------------------------------------------------------


def test_a_trajectory_adds_up_and_its_range_starts_where_the_months_end(example_store: Path) -> None:
    query = Query(open_store(example_store))
    board = make_board(
        query,
        query.store.targets[0],
        level="area",
        span=parse_period("2007-08"),
        as_at=Month(2007, 11),
        sharing=Sharing("baseline", list_weights(query, "area")),
    )
    traced = trace_line(board, ("robbery", "")).set_index(["line", "date"])["count"]
    line = board.lines.to_dict("index")["robbery", ""]
    assert traced["So far"].dropna().iloc[-1] == line["actual"]
    assert len(traced["So far"].dropna()) == 8
    assert traced["On course"].iloc[-1] == pytest.approx(line["value"])
    assert traced["Heading for"].iloc[-1] == pytest.approx(line["projected"])
    ranges = trace_line(board, ("robbery", "")).dropna(subset="low")
    assert ranges["date"].min() == pd.Timestamp("2007-11-01")
    assert (ranges["low"].iloc[-1], ranges["high"].iloc[-1]) == (line["low"], line["high"])


def test_a_funnel_compares_with_the_rate_of_all() -> None:
    counts, people = pd.Series({"a": 30.0, "b": 10.0, "c": 5.0}), pd.Series({"a": 2000.0, "b": 1000.0, "c": 0.0})
    funnel = compare_areas(counts, people, pd.Series({"a": "A", "b": "B", "c": "C"}))
    # 40 for 3,000: 26.7 and 13.3 at the rate of all; nobody lives in C.
    assert funnel.areas["name"].tolist() == ["B", "A"]
    assert funnel.areas["ratio"].round(1).tolist() == [75.0, 112.5]
    assert (funnel.limits["lower_998"] <= funnel.limits["lower_95"]).all()
    assert funnel.limits["upper_95"].iloc[0] > funnel.limits["upper_95"].iloc[-1] > 100
    empty = compare_areas(counts, people * 0, pd.Series({"a": "A", "b": "B", "c": "C"}))
    assert empty.areas.empty
    assert draw_funnel(funnel, per="residents").frame["name"].count() == 2


def test_letters_can_be_read_on_their_colours() -> None:
    for colour in RATING_COLOURS.values():
        assert contrast_ratio("#0B1016", colour) >= 4.5
