"""The data page in a real browser, opened first thing after a cold start."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .conftest import Server, ServeStore
from .test_explore_browser import LICENCE, NOTICE, SIZES, wait_for_page

pytestmark = pytest.mark.browser


def open_data(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/data")
    expect(page.get_by_text(LICENCE)).to_be_attached()


def test_first_link_after_a_cold_start_shows_the_apps_own_pages(
    page: Page, serve_store: ServeStore, example_store: Path
) -> None:
    open_data(page, serve_store(example_store))
    assert page.get_by_role("banner").get_by_role("link").locator("p").all_inner_texts() == [
        "Explore",
        "Targets",
        "Set targets",
        "Hotspots",
        "Deprivation",
        "Focus area",
        "Operations",
        "Compare",
        "Perceptions",
        "Priorities",
        "Meeting",
        "Data",
    ]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_says_what_is_loaded_and_how_good_it_is(width: int, height: int, page: Page, example: Server) -> None:
    page.set_viewport_size({"width": width, "height": height})
    open_data(page, example)
    expect(page.get_by_text(NOTICE).first).to_be_visible()
    expect(page.get_by_role("heading", name="Luton Community Safety Partnership (example)")).to_be_visible()
    expect(page.get_by_text("No month is missing from April 2003 to March 2008.")).to_be_attached()
    expect(page.get_by_text("72,030 rows were read for 60 months.")).to_be_attached()
    expect(page.get_by_test_id("stVegaLiteChart").first.locator("canvas, svg").first).to_be_attached()
    for element in ("html", "[data-testid=stMain]"):
        assert page.locator(element).evaluate("one => one.scrollWidth - one.clientWidth") <= 0


def test_charts_with_nothing_to_show_are_left_out(page: Page, example: Server) -> None:
    open_data(page, example)
    charts = page.get_by_test_id("stVegaLiteChart")
    expect(charts.nth(1).locator("canvas, svg").first).to_be_attached()
    assert charts.count() == 2


def test_missing_months_are_named(page: Page, serve_store: ServeStore, awkward_store: Path) -> None:
    open_data(page, serve_store(awkward_store))
    expect(page.get_by_text("12 months are missing from April 2003 to March 2008")).to_be_visible()
    expect(page.get_by_text("missing, not zero")).to_be_visible()


def test_leads_back_to_the_map(page: Page, example: Server) -> None:
    open_data(page, example)
    page.get_by_role("link", name="Explore").click()
    wait_for_page(page)
