"""The comparison page without a browser: what stands on the screen, and what a store without a group says."""

import io
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
from cspmap.exports.extract import write_csv
from cspmap.peers import compare_totals
from cspmap.query import Query
from cspmap.store import open_store
from cspmap.views.compare_files import tabulate_sources
from cspmap.views.compare_words import describe_two_rates, list_source_caveats

ROOT = Path(__file__).resolve().parent.parent
NOTICE = "Example: illustrative geography, simulated incidents. Only what a named document prints is real."

OpenPage = Callable[..., AppTest]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """Runs the page on a store, with the parameters of a link."""

    def run(store: Path, **query: str) -> AppTest:
        monkeypatch.setenv(workspace.STORE_VARIABLE, str(store))
        page = AppTest.from_file(str(ROOT / "pages" / "compare.py"), default_timeout=60)
        for key, value in query.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception
        return page

    return run


@pytest.fixture(scope="session")
def lonely_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled example without any recorded crime by partnership."""
    folder = tmp_path_factory.mktemp("lonely")
    for name in ("data", "geo"):
        shutil.copytree(ROOT / name, folder / name)
    file = folder / "data" / "partnership.toml"
    file.write_text(re.sub(r"(?s)\[recorded_crime\].*?(?=\n\[)", "", file.read_text("utf-8")), "utf-8")
    done = CliRunner().invoke(main, ["build", str(file), "--store", str(folder / "store")])
    assert done.exit_code == 0, done.output
    return folder / "store"


def read_words(page: AppTest) -> str:
    """All text of a page, its escapes taken away."""
    parts = [*page.markdown, *page.caption, *page.info, *page.error]
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


def test_opens_on_all_recorded_crime_in_the_group(open_page: OpenPage, example_store: Path) -> None:
    page = open_page(example_store)
    words = read_words(page)
    assert NOTICE in words
    assert "**Total recorded crime in Luton, year to March 2008. Simulated group**" in words
    assert "Luton: 13,066 offences in the year to March 2008, 70.9 per 1,000 residents (69.7 to 72.1" in words
    assert "Down 5.9 % on the year before (13,887 to 13,066; " in words
    assert "Drawn up by: made up for this example." in words
    table = page.dataframe[0].value
    assert len(table) == 8
    assert table["rate"].is_monotonic_decreasing
    assert {"low", "high", "ranks", "place", "percent_low", "worth", "marks"} <= set(table)


def test_a_link_opens_offence_year_and_company(open_page: OpenPage, example_store: Path) -> None:
    page = open_page(
        example_store,
        offence="Domestic Burglary, per 1,000 households",
        year="Year to March 2007",
        **{"with": "Partnerships of the same force"},
    )
    words = read_words(page)
    assert "**Domestic Burglary, per 1,000 households in Luton, year to March 2007." in words
    assert "Those of this year are worked out here, per the same households." in words
    assert len(page.dataframe[0].value) == 3


def test_every_offence(open_page: OpenPage, example_store: Path) -> None:
    page = open_page(example_store, tab="Every offence")
    assert "Of 12 rates 12 lie within the group's bounds" in read_words(page)
    table = page.dataframe[0].value
    assert table["of"].iloc[0] == "4 of 8"
    assert len(table) == 12
    assert next(box for box in page.selectbox if box.label == "Offence").disabled


def test_funnel_says_what_its_lines_are(open_page: OpenPage, example_store: Path) -> None:
    assert "Inside the dashed lines are 95 % of partnerships" in read_words(open_page(example_store, tab="Funnel"))


def test_two_sources_stand_side_by_side(open_page: OpenPage, example_store: Path) -> None:
    words = read_words(open_page(example_store, tab="Two sources"))
    assert (
        "recorded crime is 13,066; there are 12,952 in the incidents loaded inside Luton, 114 fewer (−0.9 %)." in words
    )
    assert "They are different products" in words
    assert "data.police.uk" not in words


def test_two_sources_are_a_table_and_a_file(open_page: OpenPage, example_store: Path) -> None:
    page = open_page(example_store, tab="Two sources")
    table = page.dataframe[0].value
    assert table["period"].tolist() == ["year to March 2008", "year to March 2007"]
    assert table[["recorded_crime", "incidents_loaded", "difference"]].iloc[0].tolist() == [13_066, 12_952, -114]
    query = Query(open_store(example_store))
    found, partnership = compare_totals(query), query.store.partnership
    caveats = list_source_caveats(found, partnership, police_uk=False)
    file = pd.read_csv(io.StringIO(write_csv(tabulate_sources(found, partnership), caveats)))
    assert file["percent"].tolist()[0] == pytest.approx(-0.87)
    assert file["source"].str.startswith("Simulated").all()
    assert file["caveats"].str.contains("neither is mended by the other").all()
    buttons: list[Any] = list(page.get("download_button"))
    assert [button.label for button in buttons] == ["CSV"]


def test_whose_figures_they_are_and_why_there_are_two_rates_is_told_beside_them(
    open_page: OpenPage, example_store: Path
) -> None:
    for tab in ("Group", "Every offence", "Funnel"):
        captions = [str(part.value).replace("\\", "") for part in open_page(example_store, tab=tab).caption]
        assert any("Simulated group: made up for this example." in caption for caption in captions)
    words = read_words(open_page(example_store))
    assert "Incidents loaded for the year to March 2008, as on Explore and under “Own areas”, come to 70.2 per" in words
    assert "come to 70.2" not in read_words(open_page(example_store, offence="Robbery"))
    with_asb = describe_two_rates((96.6, 80.9), "year to April 2024", "residents", asb=True)
    assert with_asb == (
        "Recorded crime leaves out anti-social behaviour, which the incidents on Explore and under “Own areas” hold. "
        "Those of the year to April 2024 come to 96.6 per 1,000 residents with it, 80.9 without. The tab “Two sources” "
        "says why these differ from recorded crime."
    )
    nothing = (float("nan"), float("nan"))
    assert describe_two_rates(nothing, "year to April 2024", "residents", asb=False) == ""
    assert "something else" in describe_two_rates(nothing, "year to April 2024", "residents", asb=True)


def test_own_areas(open_page: OpenPage, example_store: Path) -> None:
    page = open_page(example_store, tab="Own areas")
    words = read_words(page)
    assert "**Recorded incidents in Luton, year to March 2008: wards beside each other**" in words
    table = page.dataframe[0].value
    assert len(table) == 19
    assert table["rank"].iloc[0] == 1
    assert "Rank 1 is the highest rate" in words
    assert len(open_page(example_store, tab="Own areas", level="Area").dataframe[0].value) == 5


def test_areas_without_rates_are_listed_last_and_unranked(open_page: OpenPage, awkward_store: Path) -> None:
    """Where wards are too small for rates: those have none, no rank, and no place in the funnel."""
    table = open_page(awkward_store, tab="Own areas").dataframe[0].value
    without = table["rate"].isna()
    assert without.any()
    assert not without.iloc[0]
    assert (table.loc[without, "ranks"] == "").all()
    assert pd.isna(table.loc[without, "rank"]).all()


def test_awkward_names_are_shown_as_they_are(open_page: OpenPage, awkward_store: Path, awkward_place: str) -> None:
    page = open_page(awkward_store)
    assert awkward_place in read_words(page)
    assert not any("<img" in str(part.value) and "\\<img" not in str(part.value) for part in page.markdown)


@pytest.mark.parametrize("tab", ["Group", "Every offence", "Funnel", "Two sources"])
def test_without_recorded_crime_it_says_what_to_add(open_page: OpenPage, lonely_store: Path, tab: str) -> None:
    words = read_words(open_page(lonely_store, tab=tab))
    assert "No recorded crime by partnership is loaded. Name the published file in a [recorded_crime] table" in words


def test_without_recorded_crime_own_areas_still_compare(open_page: OpenPage, lonely_store: Path) -> None:
    assert len(open_page(lonely_store, tab="Own areas").dataframe[0].value) == 19


# ---- The same from a terminal --------------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    done = CliRunner().invoke(main, ["compare", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_command_writes_what_the_page_shows(example_store: Path, tmp_path: Path) -> None:
    out = tmp_path / "robbery.csv"
    assert run("--store", str(example_store), "--offence", "robbery", "--out", str(out)) == ""
    table = pd.read_csv(out)
    assert len(table) == 8
    assert table["rate"].is_monotonic_decreasing
    assert table["caveats"].str.contains("The bounds are our own").all()
    every = pd.read_csv(tmp_path / run_into(tmp_path, "--store", str(example_store), "--every"))
    assert every["offence"].tolist()[0] == "Total recorded crime"
    wards = pd.read_csv(tmp_path / run_into(tmp_path, "--store", str(example_store), "--level", "ward"))
    assert len(wards) == 19
    assert set(wards["period"]) == {"2007-04..2008-03"}


def run_into(folder: Path, *arguments: str) -> str:
    run(*arguments, "--out", str(folder / "table.csv"))
    return "table.csv"


def test_command_as_json_and_its_mistakes(example_store: Path, lonely_store: Path) -> None:
    text = run("--store", str(example_store), "--format", "json", "--among", "force", "--year", "before")
    assert '"rows"' in text
    assert '"year": "2006-04..2007-03"' in text
    wrong = CliRunner().invoke(main, ["compare", "--store", str(example_store), "--offence", "piracy"])
    assert wrong.exit_code == 1
    assert (
        "Recorded crime has no offence 'piracy'; choose one of: Total recorded crime; Theft of Vehicle" in wrong.output
    )
    alone = CliRunner().invoke(main, ["compare", "--store", str(lonely_store)])
    assert alone.exit_code == 1
    assert "No recorded crime by partnership is loaded." in alone.output
