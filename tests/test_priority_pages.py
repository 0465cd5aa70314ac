"""Perceptions and Priorities without a browser: what stands on the screen, what a link opens, what two people do."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from cspmap import workspace
from cspmap.cli import main
from cspmap.operations import Operations, find_url
from cspmap.operations.decisions import CategoryDecision
from cspmap.periods import Span

ROOT = Path(__file__).resolve().parent.parent
NOTICE = "Example: illustrative geography, simulated incidents. Only what a named document prints is real."
YEAR = Span.parse("2007-04..2008-03")

OpenPage = Callable[..., AppTest]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OpenPage:
    """Runs a page on a store, with the parameters of a link and operations of its own."""
    monkeypatch.setenv("CSPMAP_OPERATIONS", f"sqlite:///{tmp_path / 'operations.db'}")

    def run(name: str, store: Path, **query: str) -> AppTest:
        monkeypatch.setenv(workspace.STORE_VARIABLE, str(store))
        page = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=60)
        for key, value in query.items():
            page.query_params[key.replace("_", "-")] = value
        page.run()
        assert not page.exception
        return page

    return run


def read_words(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.error, *page.info, *page.success]
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


def read_table(page: AppTest, place: int = 0) -> pd.DataFrame:
    frame = page.dataframe[place].value
    return frame if isinstance(frame, pd.DataFrame) else frame.data


def find_box(page: AppTest, label: str) -> Any:
    return next(box for box in page.selectbox if box.label == label)


def decide(page: AppTest, *, choice: str, reason: str, who: str) -> AppTest:
    """Set a decision as a viewer does, and press save."""
    groups: list[Any] = list(page.get("button_group"))
    next(each for each in groups if str(each.key).startswith("choice-")).set_value(choice).run()
    page.text_area[0].input(reason).run()
    next(each for each in page.text_input if each.label == "Your name").input(who).run()
    return page.button(key="priority-save").click().run()


# ---- Perceptions -----------------------------------------------------------------------------------------------------


def test_opens_on_the_seven_problems(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("perceptions", example_store)
    words = read_words(page)
    assert NOTICE in words
    assert "Noisy neighbours (very or fairly big problem): 15 % in 2008, from 22 % in 2006 and 30 % in 2003." in words
    assert "None of these figures has a known margin of error, for no sample size is printed" in words
    assert 'slide "Perceptions of ASB (NI 17)"' in words
    table = read_table(page)
    assert len(table) == 21
    assert set(table["margin_words"]) == {"not known: no sample size"}


def test_every_topic_of_every_document_opens(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("perceptions", example_store)
    topics = find_box(page, "Topic").options
    assert len(topics) == 19
    for topic in topics:
        page = find_box(page, "Topic").select(topic).run()
        assert not page.exception
        assert not page.error
        assert "Source: " in read_words(page)


def test_recorded_crime_stands_beside_and_is_told_apart(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("perceptions", example_store, tab="Beside recorded crime")
    words = read_words(page)
    assert "They do not measure the same." in words
    assert "Recorded Criminal Damage in the same months: 3,530 incidents." in words
    assert "3 of its months are not loaded" in words
    assert len(page.get("vega_lite_chart")) == 2


def test_targets_of_surveys_are_judged_or_say_why_not(open_page: OpenPage, example_store: Path) -> None:
    words = read_words(open_page("perceptions", example_store, tab="Against targets"))
    assert "Not measured: no reading is known, against at least 53.9 % by March 2011." in words
    assert "Not started: the only reading is 38 % in March 2008, against at most 35 % by March 2009." in words


def test_all_figures_are_in_one_table(open_page: OpenPage, example_store: Path) -> None:
    table = read_table(open_page("perceptions", example_store, tab="All figures"))
    lines = sum(file.read_text("utf-8").count("\n") - 1 for file in (ROOT / "data" / "indicators").glob("*.csv"))
    assert len(table) == lines
    assert (table["document"] != "").all()
    assert (table["page"] != "").all()


def test_a_bad_link_is_told_in_a_sentence(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("perceptions", example_store, topic="Litter")
    assert "The topic asked for is 'Litter', which is not held here" in read_words(page)
    for query in ({"year_to": "March 1999"}, {"categories": "Arson"}):
        words = read_words(open_page("priorities", example_store, **query))
        assert re.search(r"(which is not loaded; choose a month|which is not held here; try)", words)


def test_a_store_without_indicators_says_so(open_page: OpenPage, tmp_path: Path) -> None:
    for name in ("data", "geo"):
        shutil.copytree(ROOT / name, tmp_path / name)
    file = tmp_path / "data" / "partnership.toml"
    text = re.sub(r'\[\[indicators\]\]\nfile = ".*"\n', "", file.read_text("utf-8"))
    file.write_text(text[: text.index("[priorities]")], "utf-8")
    done = CliRunner().invoke(main, ["build", str(file), "--store", str(tmp_path / "store")])
    assert done.exit_code == 0, done.output
    assert "No indicators are loaded." in read_words(open_page("perceptions", tmp_path / "store"))
    page = open_page("priorities", tmp_path / "store", tab="Published charts")
    assert "No published chart is loaded." in read_words(page)
    ranking = open_page("priorities", tmp_path / "store")
    assert len(read_table(ranking)) == 10
    assert set(read_table(ranking)["National target"]) == {"not set"}
    assert "The partnership file sets none of: National target, Local agreement" in read_words(ranking)


# ---- Priorities ------------------------------------------------------------------------------------------------------


def test_the_chart_ranks_and_explains_itself(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("priorities", example_store)
    words, table = read_words(page), read_table(page)
    assert NOTICE in words
    assert table["Rank"].tolist() == list(range(1, 11))
    assert table["Score"].is_monotonic_decreasing
    assert words.count("Ranked ") == 10
    beside = "its rate, as published for the year to March 2008, 11 % above the mean"
    assert f"Criminal Damage.** Ranked 5 of 10: 3,133 incidents, the most; {beside}" in words
    assert "Harm: the partnership has set no weights, and none are assumed." in words
    assert set(table["Harm"]) == {"not set"}


def test_weights_and_categories_are_in_the_link(open_page: OpenPage, example_store: Path) -> None:
    columns = ("peers", "trend", "forecast", "harm", "national-target", "local-agreement", "national-indicator")
    zero = {f"weight-{name}": "0" for name in (*columns, "public-concern")}
    page = open_page("priorities", example_store, **zero)
    assert read_table(page)["Incidents"].is_monotonic_decreasing
    page = open_page("priorities", example_store, **zero, **{"weight-volume": "0"})
    assert "Every weight is 0" in read_words(page)
    page = open_page("priorities", example_store, categories="Violence", year_to="March 2007")
    assert read_table(page)["Category"].tolist() == ["Violence"]
    assert "the year to March 2007" in read_words(page)


def test_a_published_chart_as_it_was(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("priorities", example_store, tab="Published charts")
    table = read_table(page)
    assert list(table.columns)[1:7] == [
        "PSA", "LAA 08/11", "National indicators", "High volume/ rate", "Increasing", "High public concern",
    ]  # fmt: skip
    assert len(table) == 17
    assert "Central Bedfordshire Community Safety Partnership Plan April 2009 - March 2012" in read_words(page)


def test_a_decision_is_kept_with_who_and_why(open_page: OpenPage, example_store: Path) -> None:
    page = decide(
        open_page("priorities", example_store, tab="Decide"), choice="include", reason="Still the most", who="Sgt Ames"
    )
    words = read_words(page)
    assert "Saved." in words
    assert "Sgt Ames, " in words
    assert "Include (Still the most)." in words
    kept = Operations.open(find_url(example_store)).decisions.read_year(YEAR)
    assert {key: (each.choice, each.who) for key, each in kept.items()} == {
        "theft-from-vehicle": ("include", "Sgt Ames")
    }
    table = read_table(open_page("priorities", example_store))
    assert [table[name].iloc[0] for name in ("Decision", "Reason")] == ["Include", "Still the most"]


def test_a_decision_without_a_reason_or_a_name_is_refused(open_page: OpenPage, example_store: Path) -> None:
    page = decide(open_page("priorities", example_store, tab="Decide"), choice="exclude", reason="", who="")
    words = read_words(page)
    assert "is to exclude, and has no reason; say why, for the record." in words
    assert "Your name: is blank; fill it in." in words
    assert Operations.open(find_url(example_store)).decisions.read_year(YEAR) == {}


def test_of_two_who_decide_at_once_neither_is_lost(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("priorities", example_store, tab="Decide")
    decisions = Operations.open(find_url(example_store)).decisions
    theirs = CategoryDecision("theft-from-vehicle", YEAR, "exclude", "Low *harm*", public_concern="no")
    decisions.save_decision(theirs, who="Ben <b>")
    page = decide(page, choice="include", reason="Mine", who="Ann")
    words = read_words(page)
    assert "Ben <b> saved this category at " in words
    assert "Theirs: Exclude (Low *harm*). High public concern: no." in words
    assert page.text_area[0].value == "Mine"
    assert decisions.read_year(YEAR)["theft-from-vehicle"].who == "Ben <b>"
    page = page.button(key="priority-over").click().run()
    assert "Saved." in read_words(page)
    assert [each.who for each in decisions.read_history("theft-from-vehicle", YEAR)] == ["Ann", "Ben <b>"]


def test_missing_months_and_hostile_names_are_shown_as_they_are(
    open_page: OpenPage, awkward_store: Path, awkward_place: str
) -> None:
    page = open_page("priorities", awkward_store, year_to="December 2006")
    words = read_words(page)
    assert "3 months are missing from the year to December 2006" in words
    assert "(3 months missing)" in words
    assert awkward_place in words
    assert awkward_place in read_words(open_page("perceptions", awkward_store))
