"""The pages without a browser: what stands on the screen, on the bundled example and on an awkward store."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cspmap import workspace
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store
from cspmap.views.palettes import contrast_ratio
from cspmap.views.words import escape_markdown

ROOT = Path(__file__).resolve().parent.parent
NOTICE = "Example: illustrative geography, simulated incidents. Only what a named document prints is real."
LICENCE = "Contains public sector information licensed under the Open Government Licence v3.0."

OpenPage = Callable[..., AppTest]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """Runs a page on a store, with the parameters of a link."""

    def run(name: str, store: Path, **query: str) -> AppTest:
        monkeypatch.setenv(workspace.STORE_VARIABLE, str(store))
        page = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=30)
        for key, value in query.items():
            page.query_params[key] = value
        return page.run()

    return run


def read_words(page: AppTest) -> str:
    """All text of a page, its escapes taken away."""
    parts = [*page.markdown, *page.caption, *page.header, *page.subheader, *page.error]
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


def read_address(page: AppTest, *keys: str) -> dict[str, str]:
    """Parameters of the page's address; those it was opened with come as lists, those it gave itself as texts."""
    told = {key: page.query_params[key] for key in keys}
    return {key: value if isinstance(value, str) else value[0] for key, value in told.items()}


def read_metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value) for metric in page.metric}


def test_explore_opens_on_all_crime_of_the_latest_year(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("explore", example_store)
    assert not page.exception
    words = read_words(page)
    assert "**Recorded incidents in Luton, year to March 2008, compared with year to March 2007**" in words
    assert NOTICE in words
    assert LICENCE in words
    store = open_store(example_store)
    query, selection = Query(store), Selection.default(store)
    total = query.count_coverage(selection).total
    # Over all the residents that the 2005 strategy prints.
    rate = f"{1000 * total / 184_371:.1f}"
    assert read_metrics(page) == {"Incidents": f"{total:,}", "per 1,000 residents": rate}
    table = page.dataframe[-1].value
    assert len(table) == len(store.codes("hexagon"))
    assert table["count"].sum() == query.count_coverage(selection).inside
    assert table["count"].is_monotonic_decreasing


def test_explore_gives_its_address(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("explore", example_store)
    page.selectbox("measure").select("count").run()
    page.selectbox("level").select("ward").run()
    page.multiselect("crimes").select("violence").run()
    assert read_address(page, "measure", "level", "crime", "period") == {
        "measure": "count",
        "level": "ward",
        "crime": "violence",
        "period": "2007-04..2008-03",
    }
    assert "**Violence in Luton" in read_words(page)
    assert len(page.dataframe[-1].value) == 19


def test_explore_follows_a_link(open_page: OpenPage, example_store: Path) -> None:
    asked = {
        "level": "ward", "period": "2006-04..2007-03", "compare": "2004-04..2005-03", "measure": "change",
        "crime": "robbery", "areas": "luton-dallow,luton-south", "area": "luton-dallow", "classes": "7",
        "scheme": "fisher-jenks",
    }  # fmt: skip
    page = open_page("explore", example_store, **asked)
    assert not page.exception
    assert read_address(page, *asked) == asked
    assert [page.selectbox(key).value for key in ("level", "measure", "compare")] == ["ward", "change", "chosen"]
    assert page.multiselect("crimes").value == ["robbery"]
    assert sorted(page.dataframe[-1].value["name"]) == ["Dallow", "South"]
    assert [heading.value for heading in page.subheader] == ["Dallow"]
    assert "**Robbery in Luton, year to March 2007, compared with year to March 2005**" in read_words(page)


def test_panel_of_an_area_has_the_figures_of_its_row(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("explore", example_store, level="ward", area="luton-wigmore")
    row = page.dataframe[-1].value.set_index("name").loc["Wigmore"]
    assert read_metrics(page) == {
        "Incidents": f"{row['count']:,}",
        "per 1,000 residents": f"{row['rate']:.1f}",
        "of Luton's": f"{100 * row['share']:.1f} %",
    }
    assert f"({row['before']:,} to {row['count']:,})" in read_words(page)
    page.button[0].click().run()
    assert [heading.value for heading in page.subheader] == ["Luton"]


def test_bad_link_is_told_in_a_sentence(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("explore", example_store, measure="murders")
    assert not page.exception
    assert len(page.error) == 1
    assert "The measure asked for is 'murders', which is not held here" in read_words(page)
    assert LICENCE in read_words(page)
    page.button[0].click().run()
    assert not page.error
    assert read_metrics(page).keys() == {"Incidents", "per 1,000 residents"}


def test_store_that_is_not_there_is_told_in_a_sentence(open_page: OpenPage, tmp_path: Path) -> None:
    for name in ("explore", "data"):
        page = open_page(name, tmp_path / "nowhere")
        assert not page.exception
        assert "There is no store in" in read_words(page)
        assert "cspmap build PARTNERSHIP.toml" in read_words(page)


def test_missing_months_are_missing_and_not_zero(open_page: OpenPage, awkward_store: Path) -> None:
    page = open_page("explore", awkward_store, level="ward", period="2006-04..2007-03")
    assert "cannot be compared with last year: no month of the year to March 2006 is loaded." in read_words(page)
    assert "12 months are missing" in read_words(page)
    assert page.dataframe[-1].value["before"].isna().all()
    gone = open_page("explore", awkward_store, level="ward", period="2005-04..2006-03", area="luton-dallow")
    assert not gone.exception
    assert read_metrics(gone)["Incidents"] == "not known"
    assert gone.dataframe[-1].value["count"].isna().all()


def test_rate_of_too_few_residents_is_not_shown(open_page: OpenPage, awkward_store: Path) -> None:
    page = open_page("explore", awkward_store, level="ward", area="luton-crawley")
    assert read_metrics(page)["per 1,000 residents"] == "not shown"
    rates = page.dataframe[-1].value.set_index("name")["rate"]
    assert sorted(rates[rates.isna()].index) == ["Bramingham", "Crawley", "Stopsley"]


def test_names_are_shown_as_they_are(open_page: OpenPage, awkward_store: Path, awkward_place: str) -> None:
    page = open_page("explore", awkward_store, level="ward", area="luton-dallow")
    name = escape_markdown(awkward_place)
    assert f"of {name}'s" in read_metrics(page)
    assert page.button[0].label == f"Back to {name}"
    raw = [part.value for part in (*page.markdown, *page.caption, *page.subheader) if awkward_place in part.value]
    assert raw == []
    whole = open_page("explore", awkward_store)
    assert [heading.value for heading in whole.subheader] == [name]


def test_fainter_text_can_still_be_read() -> None:
    """The framework shows captions and the heads of tables in six tenths of the colour of text."""
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    ink = [int(theme["textColor"][at : at + 2], 16) for at in (1, 3, 5)]
    for ground in ("#FFFFFF", theme["secondaryBackgroundColor"]):
        paper = [int(ground[at : at + 2], 16) for at in (1, 3, 5)]
        mixed = "".join(f"{round(0.6 * dark + 0.4 * light):02X}" for dark, light in zip(ink, paper, strict=True))
        assert contrast_ratio(f"#{mixed}", ground) >= 4.5


def test_data_page_tells_what_is_loaded(open_page: OpenPage, example_store: Path) -> None:
    page = open_page("data", example_store)
    assert not page.exception
    words = read_words(page)
    for said in (
        NOTICE,
        LICENCE,
        "Luton Community Safety Partnership (example)",
        "72,030 rows were read for 60 months.",
    ):
        assert said in words
    assert "No month is missing from April 2003 to March 2008." in words
    levels, months, inputs = (table.value for table in page.dataframe)
    assert levels["Areas"].tolist() == [123, 19, 5]
    assert len(months) == 60
    assert months["inside"].sum() == 69_083
    assert inputs["sha256"].str.fullmatch("[0-9a-f]{64}").all()


def test_data_page_names_missing_months(open_page: OpenPage, awkward_store: Path) -> None:
    page = open_page("data", awkward_store)
    assert not page.exception
    assert "12 months are missing from April 2003 to March 2008" in read_words(page)
    months = page.dataframe[1].value.set_index("month")
    assert months.loc["2005-04":"2006-03", "rows"].isna().all()
    assert len(months) == 60
