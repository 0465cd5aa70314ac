"""Every page under an automated audit: axe-core finds nothing serious, on the page or in the map's frame."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page, expect

from .conftest import ROOT, Server

GRAVE = ("serious", "critical")
# All pages of the dashboard, so that none that is added goes without.
PAGES = re.findall(r'st\.Page\("pages/(\w+)\.py"', (ROOT / "app.py").read_text("utf-8"))


def list_faults(frame: Frame) -> list[str]:
    """What axe-core finds to be serious or critical in a frame, each with its rule and the element."""
    frame.evaluate(Axe().axe_script)
    found = frame.evaluate("() => axe.run(document, {resultTypes: ['violations'], iframes: false})")
    return [
        f"{fault['id']}: {node['html'][:200]}"
        for fault in found["violations"]
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]


def test_all_pages_are_listed() -> None:
    assert {f"{name}.py" for name in PAGES} == {file.name for file in Path(ROOT / "pages").glob("*.py")}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_serious_fault(page: Page, example: Server, name: str) -> None:
    page.goto(example.url if name == "explore" else f"{example.url}/{name}")
    expect(page.get_by_text("Store version")).to_be_attached(timeout=30_000)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=30_000)
    for frame in page.frame_locator("iframe").locator("body").all():
        frame.wait_for()
    page.wait_for_timeout(1_000)
    assert [fault for frame in page.frames for fault in list_faults(frame)] == []


def test_a_fault_would_be_found(page: Page) -> None:
    page.set_content("<html lang='en'><title>T</title><main><h1>T</h1><img src='data:,'></main>")
    assert any(fault.startswith("image-alt") for fault in list_faults(page.main_frame))
