"""The comparison page in a real browser: choices, links, charts that name everybody, and every width."""

import csv
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from .conftest import Server

pytestmark = pytest.mark.browser

SIZES = [(1920, 1080), (1280, 720), (390, 844)]
TABS = ["Group", "Every offence", "Funnel", "Two sources", "Own areas"]
MEMBERS = ["Luton (simulated)", *(f"Partnership {letter}" for letter in "ABCDEFG")]


def open_compare(page: Page, server: Server, **query: str) -> None:
    page.goto(f"{server.url}/compare?{urlencode(query)}")
    expect(page.get_by_text("Store version")).to_be_attached()
    expect(page.locator('[data-testid="stSkeleton"]')).to_have_count(0)


def read_address(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_group_is_drawn_told_and_given_as_a_file(page: Page, example: Server, tmp_path: Path) -> None:
    open_compare(page, example)
    expect(page.get_by_text("Total recorded crime in Luton, year to March 2008. Simulated group")).to_be_visible()
    expect(page.get_by_text("The 4th highest of 8")).to_be_visible()
    chart = page.get_by_test_id("stVegaLiteChart").first
    # Drawn on a canvas or as a picture of shapes, as the framework chooses; its frame is as wide as the page.
    box = chart.bounding_box()
    assert box is not None
    assert box["width"] > 1000
    assert box["height"] > 200
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    path = tmp_path / "group.csv"
    download.value.save_as(path)
    rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert sorted(row["name"] for row in rows) == sorted(MEMBERS)
    assert [row["rank"] for row in rows] == [str(rank) for rank in range(1, 9)]
    assert download.value.suggested_filename == "compared-group-2008-03.csv"


def test_choices_are_kept_in_the_link(page: Page, example: Server) -> None:
    open_compare(page, example)
    page.get_by_role("combobox", name="Offence").click()
    page.get_by_role("option", name="Domestic Burglary, per 1,000 households").click()
    expect(page.get_by_text("Domestic Burglary, per 1,000 households in Luton, year to March 2008.")).to_be_visible()
    page.get_by_role("combobox", name="Year").click()
    page.get_by_role("option", name="Year to March 2007").click()
    expect(page.get_by_text("households in Luton, year to March 2007.")).to_be_visible()
    address = page.url
    assert read_address(page) == {
        "offence": ["Domestic Burglary, per 1,000 households"],
        "year": ["Year to March 2007"],
    }
    page.goto("about:blank")
    page.goto(address)
    expect(page.get_by_text("households in Luton, year to March 2007.")).to_be_visible()
    page.get_by_role("tab", name="Funnel").click()
    expect(page.get_by_text("Inside the dashed lines are 95 % of partnerships")).to_be_visible()
    expect(page.get_by_text("households in Luton, year to March 2007.")).to_be_visible()


def test_own_areas_follow_their_level(page: Page, example: Server) -> None:
    open_compare(page, example, tab="Own areas")
    expect(page.get_by_text("year to March 2008: wards beside each other")).to_be_visible()
    page.get_by_role("combobox", name="Level").click()
    page.get_by_role("option", name="Area", exact=True).click()
    expect(page.get_by_text("year to March 2008: areas beside each other")).to_be_visible()
    assert read_address(page)["level"] == ["Area"]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_tab_fits_its_window(page: Page, example: Server, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    for tab in TABS:
        open_compare(page, example, tab=tab)
        expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.get_by_test_id("stException").count() == 0
