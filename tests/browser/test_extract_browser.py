"""The extract on Explore in a browser: nothing until it is opened, and then the file that the page shows."""

from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from .conftest import Server, Watch
from .test_explore_browser import open_page, pick, read_metrics

pytestmark = pytest.mark.browser


def open_extract(page: Page) -> None:
    page.get_by_text("Extract: counts, rates, areas or incidents").click()
    expect(page.get_by_role("combobox", name="What")).to_be_visible()


def save(page: Page, folder: Path) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download", exact=True).click()
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    return file


def test_the_file_has_the_numbers_of_the_page(page: Page, example: Server, watch: Watch, tmp_path: Path) -> None:
    open_page(page, example, level="ward", crime="robbery", area="luton-dallow")
    expect(page.get_by_role("combobox", name="What")).to_have_count(0)
    count = read_metrics(page)["Incidents"]
    open_extract(page)
    pick(page, "Split by", "month")
    page.keyboard.press("Escape")
    expect(page.get_by_text("--by month --crime robbery --format xlsx")).to_be_visible()
    file = save(page, tmp_path)
    assert file.name == "robbery-rates-by-month-ward-2007-04-to-2008-03.xlsx"
    book = openpyxl.load_workbook(file)
    names, *rows = book["Figures"].iter_rows(values_only=True)
    assert len(rows) == 19 * 12
    dallow = [row[names.index("count")] for row in rows if row[names.index("code")] == "luton-dallow"]
    assert f"{sum(dallow):,}" == count
    told = dict(book["About"].iter_rows(values_only=True))
    assert told["Period"] == "year to March 2008 (2007-04..2008-03)"


@pytest.mark.parametrize("width", [390, 1280])
def test_every_choice_can_be_reached(page: Page, example: Server, watch: Watch, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 720})
    open_page(page, example, level="ward")
    open_extract(page)
    pick(page, "What", "Incidents")
    expect(page.get_by_role("combobox", name="Split by")).to_have_count(0)
    pick(page, "Format", "GeoParquet")
    expect(page.get_by_role("button", name="Readme")).to_be_visible()
    expect(page.get_by_text("--what incidents --level ward")).to_be_visible()
    box = page.get_by_test_id("stCode").last.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
