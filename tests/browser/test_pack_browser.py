"""The pack behind its button, in a real browser: started, followed, called off, downloaded, while others go on."""

import io
import time
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .conftest import Server, Watch

pytestmark = pytest.mark.browser


def open_page(page: Page, server: Server, path: str = "/?level=ward") -> None:
    page.goto(f"{server.url}{path}")
    # The whole page, so that a click does not meet it half drawn.
    expect(page.frame_locator("iframe").locator("path[data-code][aria-label]").first).to_be_visible()
    expect(page.get_by_text("Store version")).to_be_attached()
    expect(page.get_by_role("button", name="Pack")).to_be_visible()
    expect(page.get_by_text("About these figures")).to_be_attached()


def open_popover(page: Page) -> Locator:
    page.get_by_role("button", name="Pack").click()
    popover = page.get_by_test_id("stPopoverBody")
    expect(popover.get_by_role("button", name="Make the pack")).to_be_visible()
    return popover


def download(page: Page, popover: Locator) -> tuple[str, bytes]:
    button = popover.get_by_test_id("stDownloadButton").get_by_role("button")
    expect(button).to_be_visible(timeout=300_000)
    with page.expect_download() as waited:
        button.click()
    return waited.value.suggested_filename, Path(waited.value.path()).read_bytes()


def test_slides_are_made_and_followed(page: Page, example: Server) -> None:
    open_page(page, example)
    popover = open_popover(page)
    popover.get_by_role("button", name="Make the pack").click()
    expect(popover.get_by_role("progressbar")).to_be_visible()
    expect(popover.get_by_role("button", name="Cancel")).to_be_visible()
    name, content = download(page, popover)
    assert name == "pack-partnership-2007-04-to-2008-03.pptx"
    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        assert "ppt/presentation.xml" in whole.namelist()


def test_a_pdf_of_the_open_area(page: Page, example: Server) -> None:
    open_page(page, example, "/?level=area&area=south")
    popover = open_popover(page)
    popover.get_by_role("combobox").click()
    page.get_by_role("option", name="South").click()
    popover.get_by_role("radio", name="PDF").or_(popover.get_by_role("button", name="PDF")).first.click()
    popover.get_by_role("button", name="Make the pack").click()
    name, content = download(page, popover)
    assert name == "pack-area-south-2007-04-to-2008-03.pdf"
    assert content.startswith(b"%PDF")


def test_a_pack_is_called_off(page: Page, example: Server) -> None:
    open_page(page, example)
    popover = open_popover(page)
    popover.get_by_role("button", name="Make the pack").click()
    popover.get_by_role("button", name="Cancel").click()
    expect(popover.get_by_role("button", name="Make the pack")).to_be_visible()
    expect(popover.get_by_role("progressbar")).to_have_count(0)


def test_another_viewer_is_served_meanwhile(page: Page, example: Server, browser: Browser) -> None:
    open_page(page, example)
    popover = open_popover(page)
    popover.get_by_role("button", name="Make the pack").click()
    expect(popover.get_by_role("progressbar")).to_be_visible()
    context = browser.new_context(viewport={"width": 1280, "height": 720}, service_workers="block")
    other, watch = context.new_page(), Watch(set())
    watch.attach(other)
    begin = time.monotonic()
    open_page(other, example, "/?level=ward&measure=count")
    # Generous, as the machine of a test has other things to do; without a process of its own it would be the pack's.
    assert time.monotonic() - begin < 15
    context.close()
    assert watch.faults == []
    popover.get_by_role("button", name="Cancel").or_(popover.get_by_test_id("stDownloadButton")).first.click()


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720), (390, 844)])
def test_the_button_fits_the_page(page: Page, example: Server, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    open_page(page, example)
    popover = open_popover(page)
    box = popover.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
