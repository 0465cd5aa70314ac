"""The focus page in a real browser: ticking by click and key, drawing, a suggestion, saving, a link elsewhere."""

import json
import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from .conftest import Server, Watch

pytestmark = pytest.mark.browser

LINK = {"level": "ward", "period": "2006-04..2007-03", "crime": "robbery"}
TICKED, SUGGESTED = "#801650", "#F46A25"
SIZES = [(1920, 1080), (1280, 720), (390, 844)]

Seen = TypeVar("Seen")


def open_focus(page: Page, server: Server, **query: str) -> FrameLocator:
    page.goto(f"{server.url}/focus?{urlencode({**LINK, **query})}")
    frame = page.frame_locator("iframe")
    expect(frame.locator("path[data-code][aria-label]").first).to_be_visible()
    expect(page.get_by_text("Store version")).to_be_attached()
    return frame


def wait_until(page: Page, read: Callable[[], Seen], right: Seen) -> None:
    end = time.monotonic() + 20
    seen = read()
    while seen != right:
        assert time.monotonic() < end, f"not in time: {seen}"
        page.wait_for_timeout(50)
        seen = read()


def read_address(page: Page) -> list[str]:
    told = parse_qs(urlsplit(page.url).query).get("areas", [])
    return told[0].split(",") if told else []


def read_pressed(frame: FrameLocator) -> list[str]:
    """The codes of the areas that the map says are ticked."""
    codes: list[str] = frame.locator('path[data-code][aria-pressed="true"]').evaluate_all(
        "paths => paths.map((path) => path.dataset.code)"
    )
    return sorted(codes)


def find_ward(frame: FrameLocator, code: str) -> tuple[float, float]:
    """The middle of a ward, in pixels of the page."""
    box = frame.locator(f'path[data-code="{code}"]').bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def count_lines(frame: FrameLocator, colour: str) -> int:
    return frame.locator(f'path[stroke="{colour}"]').count()


def test_wards_are_ticked_by_click_and_the_map_stays(page: Page, example: Server) -> None:
    frame = open_focus(page, example)
    frame.locator("body").evaluate("() => { window.cspmapStays = true; }")
    page.mouse.click(*find_ward(frame, "luton-dallow"))
    # The line is there at once, before the server has heard of it.
    assert read_pressed(frame) == ["luton-dallow"]
    page.mouse.click(*find_ward(frame, "luton-south"))
    expect(page.get_by_role("heading", name="2 of 19 wards")).to_be_visible()
    wait_until(page, lambda: read_address(page), ["luton-dallow", "luton-south"])
    page.mouse.click(*find_ward(frame, "luton-dallow"))
    expect(page.get_by_role("heading", name="1 of 19 wards")).to_be_visible()
    wait_until(page, lambda: read_address(page), ["luton-south"])
    assert frame.locator("body").evaluate("() => window.cspmapStays") is True


def test_quick_clicks_are_all_kept(page: Page, example: Server) -> None:
    frame = open_focus(page, example)
    codes = ["luton-biscot", "luton-challney", "luton-dallow", "luton-farley", "luton-saints", "luton-south"]
    for code in codes:
        page.mouse.click(*find_ward(frame, code))
    assert read_pressed(frame) == codes
    wait_until(page, lambda: read_address(page), codes)
    expect(page.get_by_role("heading", name="6 of 19 wards")).to_be_visible()
    page.wait_for_timeout(500)
    assert read_pressed(frame) == codes


def test_wards_are_ticked_by_key(page: Page, example: Server) -> None:
    frame = open_focus(page, example)
    frame.locator('path[data-code="luton-dallow"]').focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="1 of 19 wards")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", name="No wards chosen yet")).to_be_visible()


def test_a_polygon_drawn_offline_ticks_what_lies_inside(page: Page, example: Server) -> None:
    frame = open_focus(page, example)
    x, y = find_ward(frame, "luton-biscot")
    frame.get_by_role("button", name="Draw a polygon").click()
    expect(frame.get_by_text("Click each corner")).to_be_visible()
    corners = [(x - 60, y - 60), (x + 60, y - 60), (x + 60, y + 60), (x - 60, y + 60)]
    for corner in corners:
        page.mouse.click(*corner)
    # A click is a corner, whatever lies under it.
    assert read_pressed(frame) == []
    page.mouse.click(*corners[0])
    expect(page.get_by_text("The drawing ticked")).to_be_visible()
    expect(frame.get_by_text("Click each corner")).to_be_hidden()
    wait_until(page, lambda: "luton-biscot" in read_address(page), True)
    wait_until(page, lambda: read_pressed(frame), read_address(page))
    assert count_lines(frame, TICKED) > 0


def test_a_circle_is_drawn_and_one_begun_is_given_up(page: Page, example: Server) -> None:
    frame = open_focus(page, example)
    x, y = find_ward(frame, "luton-south")
    frame.get_by_role("button", name="Draw a circle").click()
    page.mouse.click(x, y)
    page.mouse.move(x + 10, y)
    page.keyboard.press("Escape")
    expect(frame.get_by_text("Click the centre")).to_be_hidden()
    assert read_address(page) == []
    frame.get_by_role("button", name="Draw a circle").click()
    page.mouse.click(x, y)
    page.mouse.click(x + 8, y)
    expect(page.get_by_text("holds the largest part of it")).to_be_visible()
    wait_until(page, lambda: read_address(page), ["luton-south"])
    # The frame must have taken the server's ticks over: a click before that would tick what it does not yet know of.
    wait_until(page, lambda: read_pressed(frame), ["luton-south"])
    # After that a click ticks again.
    page.mouse.click(x, y)
    expect(page.get_by_role("heading", name="No wards chosen yet")).to_be_visible()


def test_an_outline_is_pasted(page: Page, example: Server) -> None:
    open_focus(page, example)
    page.get_by_role("button", name="Outline").click()
    box = [[-0.43, 51.87], [-0.40, 51.87], [-0.40, 51.90], [-0.43, 51.90], [-0.43, 51.87]]
    page.get_by_label("or paste it").fill(json.dumps({"type": "Polygon", "coordinates": [box]}))
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Tick the wards inside").click()
    expect(page.get_by_text("The text ticked")).to_be_visible()
    wait_until(page, lambda: bool(read_address(page)), True)


def test_a_suggestion_is_outlined_and_ticked_when_taken(page: Page, example: Server) -> None:
    frame = open_focus(page, example)
    page.get_by_role("button", name="Suggest").click()
    page.get_by_label("At most").fill("3")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Suggest an area").click()
    expect(page.get_by_text("Proven: no other area that keeps the rules is worth more.")).to_be_visible(timeout=30_000)
    wait_until(page, lambda: count_lines(frame, SUGGESTED) > 0, True)
    assert read_address(page) == []
    page.get_by_role("button", name="Tick this area").click()
    expect(page.get_by_role("heading", name="3 of 19 wards")).to_be_visible()
    # As the command finds them.
    wait_until(page, lambda: read_address(page), ["luton-dallow", "luton-farley", "luton-south"])
    wait_until(page, lambda: count_lines(frame, SUGGESTED), 0)
    assert read_pressed(frame) == ["luton-dallow", "luton-farley", "luton-south"]


def test_a_link_opens_the_same_area_in_another_browser(
    page: Page, browser: Browser, example: Server, watch: Watch
) -> None:
    frame = open_focus(page, example)
    page.mouse.click(*find_ward(frame, "luton-wigmore"))
    wait_until(page, lambda: read_address(page), ["luton-wigmore"])
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    other = context.new_page()
    watch.attach(other)
    other.goto(page.url)
    expect(other.get_by_role("heading", name="1 of 19 wards")).to_be_visible()
    wait_until(other, lambda: read_pressed(other.frame_locator("iframe")), ["luton-wigmore"])
    context.close()


def test_ticks_are_there_on_coming_back_from_another_page(page: Page, example: Server) -> None:
    open_focus(page, example, areas="luton-dallow,luton-south")
    expect(page.get_by_role("heading", name="2 of 19 wards")).to_be_visible()
    page.get_by_role("link", name="Explore").click()
    expect(page.get_by_role("heading", name="Luton", exact=True)).to_be_visible()
    page.get_by_role("link", name="Focus area").click()
    expect(page.get_by_role("heading", name="2 of 19 wards")).to_be_visible()
    wait_until(page, lambda: read_address(page), ["luton-dallow", "luton-south"])


def test_an_area_is_saved_as_an_operation_and_opened(page: Page, example: Server) -> None:
    open_focus(page, example, areas="luton-dallow,luton-south")
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Name of the operation").fill("Octans *south* <b>")
    page.get_by_role("textbox", name="Your name").fill("Sgt Ames")
    page.get_by_role("button", name="Save as an operation").click()
    expect(page.get_by_text("Octans *south* <b> is saved.")).to_be_visible()
    wait_until(page, lambda: urlsplit(page.url).path, "/operations")
    expect(page.get_by_role("heading", name="Octans *south* <b>")).to_be_visible()
    expect(page.get_by_text("Dallow").first).to_be_visible()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_is_wider_than_the_screen(page: Page, example: Server, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    frame = open_focus(page, example, areas="luton-dallow")
    expect(page.get_by_role("heading", name="1 of 19 wards")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    for name in ("Draw a polygon", "Draw a circle"):
        box = frame.get_by_role("button", name=name).bounding_box()
        assert box is not None
        # WCAG 2.2, 2.5.8: a target of at least 24 by 24 pixels.
        assert min(box["width"], box["height"]) >= 24
