"""The perceptions page in a real browser, on the bundled example served by `cspmap run`."""

from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import ROOT, Server, Watch
from .test_explore_browser import LICENCE, NOTICE, SIZES, pick, wait_until

pytestmark = pytest.mark.browser

TABS = ["What people said", "Beside recorded crime", "Against targets", "All figures"]


def open_perceptions(page: Page, server: Server, **query: str) -> None:
    page.goto(f"{server.url}/perceptions?{urlencode(query)}")
    expect(page.get_by_text(LICENCE)).to_be_attached()
    # The first page of a fresh server waits for its libraries.
    expect(page.get_by_role("button", name="CSV", exact=True)).to_be_attached(timeout=60_000)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("tab", TABS)
def test_every_tab_fits_the_screen(tab: str, width: int, height: int, page: Page, example: Server) -> None:
    page.set_viewport_size({"width": width, "height": height})
    open_perceptions(page, example, tab=tab)
    expect(page.get_by_text(NOTICE).first).to_be_visible()
    expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
    shown = {
        "What people said": page.get_by_test_id("stVegaLiteChart").locator("canvas, svg"),
        "Beside recorded crime": page.get_by_test_id("stVegaLiteChart").locator("canvas, svg"),
        "Against targets": page.get_by_test_id("stDataFrame").locator("canvas"),
        "All figures": page.get_by_test_id("stDataFrame").locator("canvas"),
    }
    expect(shown[tab].first).to_be_attached()
    page.wait_for_timeout(300)
    for element in ("html", "[data-testid=stMain]"):
        assert page.locator(element).evaluate("one => one.scrollWidth - one.clientWidth") <= 0


def test_the_seven_problems_are_seen_with_what_is_not_known_of_them(page: Page, example: Server) -> None:
    open_perceptions(page, example)
    expect(page.get_by_text("15 % in 2008, from 22 % in 2006 and 30 % in 2003.")).to_be_visible()
    expect(page.get_by_text("None of these figures has a known margin of error").first).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(7)


def test_a_link_opens_the_same_topic(page: Page, browser: Browser, watch: Watch, example: Server) -> None:
    open_perceptions(page, example)
    topic = "Level of crime in the last 3 years (Luton: Stronger and Safer Communities)"
    pick(page, "Topic", topic)
    expect(page.get_by_text("(worse): 36 %, the year not printed.").first).to_be_visible()
    wait_until(page, lambda: parse_qs(urlsplit(page.url).query).get("topic"), lambda found: found == [topic])
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    fresh = context.new_page()
    watch.attach(fresh)
    fresh.goto(page.url)
    expect(fresh.get_by_text("(worse): 36 %, the year not printed.").first).to_be_visible()
    context.close()


def test_recorded_crime_is_beside_and_kept_apart(page: Page, example: Server) -> None:
    open_perceptions(page, example, tab="Beside recorded crime")
    expect(page.get_by_text("They do not measure the same.")).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)
    pick(page, "Subject", "Robbery seen as a problem in the local area")
    expect(page.get_by_text("as the year of the survey is not known").first).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(0)


def test_the_file_has_every_figure_with_its_source(page: Page, example: Server, tmp_path: Path) -> None:
    open_perceptions(page, example)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    download.value.save_as(tmp_path / "indicators.csv")
    lines = (tmp_path / "indicators.csv").read_text("utf-8").splitlines()
    held = sum(file.read_text("utf-8").count("\n") - 1 for file in (ROOT / "data" / "indicators").glob("*.csv"))
    assert len(lines) == held + 1
    assert {"document", "page", "margin_words", "caveats"} <= set(lines[0].split(","))
