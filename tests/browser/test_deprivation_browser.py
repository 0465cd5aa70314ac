"""Deprivation and crime in a real browser: the legend that filters, the two ways of colouring, three sizes."""

import statistics
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from cspmap.views.palettes import SPECIAL, bivariate_palette, faded_palette

from .conftest import Server
from .test_explore_browser import LICENCE, NOTICE, SIZES, find_path, read_csv, read_fills, wait_until

pytestmark = pytest.mark.browser

TABS = ["Scatter", "By fifth", "Who it falls on", "More or less than usual", "Index years"]
WORST, SAFEST = "Higher rate, most deprived third", "Lower rate, least deprived third"
# A change of what is shown is to be drawn within this (milliseconds, the median).
BUDGET = 200

# Presses a square and waits until the browser has drawn what followed.
PRESS = """(body, number) => new Promise((done) => {
  const start = performance.now();
  body.querySelector(`.cspmap-square [data-class="${number}"]`).click();
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
})"""

HASTE = """body => {
  for (const number of [8, 7, 5]) body.querySelector(`.cspmap-square [data-class="${number}"]`).click();
}"""


def open_page(page: Page, server: Server, **query: str) -> None:
    page.goto(f"{server.url}/deprivation?{urlencode(query)}")
    expect(page.get_by_text(LICENCE)).to_be_attached()
    expect(page.get_by_test_id("stTabs").first).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


def open_map(page: Page, server: Server, **query: str) -> FrameLocator:
    open_page(page, server, **query)
    frame = page.frame_locator("iframe")
    expect(frame.locator("path[data-code][aria-label]").first).to_be_visible()
    expect(frame.locator(".cspmap-square button")).to_have_count(9)
    return frame


def square(frame: FrameLocator, number: int) -> Locator:
    return frame.locator(f'.cspmap-square [data-class="{number}"]')


def count_fills(frame: FrameLocator) -> dict[str, int]:
    fills = list(read_fills(frame).values())
    return {fill: fills.count(fill) for fill in set(fills)}


def read_shown(page: Page) -> list[str]:
    return parse_qs(urlsplit(page.url).query).get("shown", [])


def test_every_area_has_the_colour_of_its_square(page: Page, example: Server) -> None:
    frame = open_map(page, example)
    expect(page.get_by_text(NOTICE).first).to_be_visible()
    sizes = [int(text) for text in frame.locator(".cspmap-square button").all_inner_texts()]
    assert sum(sizes) == 123
    # The squares stand as they are read, the highest rate first.
    numbers = [6, 7, 8, 3, 4, 5, 0, 1, 2]
    expected = {bivariate_palette()[number]: size for number, size in zip(numbers, sizes, strict=True) if size}
    assert count_fills(frame) == expected
    expect(square(frame, 8)).to_have_attribute("title", f"{WORST}: {sizes[2]} areas")
    legend = frame.locator(".cspmap-legend").inner_text()
    assert "more deprived →" in legend
    assert "Thirds of the areas by deprivation score" in legend


def test_squares_filter_map_table_and_address(page: Page, example: Server) -> None:
    frame = open_map(page, example, level="Ward")
    size = int(square(frame, 8).inner_text())
    square(frame, 8).click()
    expect(square(frame, 8)).to_have_attribute("aria-pressed", "true")
    assert count_fills(frame) == {bivariate_palette()[8]: size, SPECIAL["left out"].fill: 19 - size}
    assert wait_until(page, lambda: read_shown(page), bool) == [WORST]
    square(frame, 0).click()
    wait_until(page, lambda: read_shown(page), lambda shown: len(shown) == 2 or "," in str(shown[1:]))
    expect(page.get_by_text(SAFEST).first).to_be_visible()
    assert count_fills(frame)[SPECIAL["left out"].fill] == 19 - size - int(square(frame, 0).inner_text())
    frame.get_by_role("button", name="Show all").click()
    wait_until(page, lambda: read_shown(page), lambda shown: not shown)
    assert SPECIAL["left out"].fill not in count_fills(frame)
    expect(frame.get_by_role("button", name="Show all")).to_be_hidden()


def test_squares_are_reached_by_keyboard_and_keep_the_focus(page: Page, example: Server) -> None:
    frame = open_map(page, example, level="Ward")
    square(frame, 8).focus()
    page.keyboard.press("Enter")
    wait_until(page, lambda: read_shown(page), bool)
    page.wait_for_timeout(300)
    expect(square(frame, 8)).to_be_focused()
    page.keyboard.press("Space")
    wait_until(page, lambda: read_shown(page), lambda shown: not shown)
    expect(square(frame, 8)).to_be_focused()
    expect(square(frame, 8)).to_have_attribute("aria-pressed", "false")


def test_squares_pressed_in_haste_all_count(page: Page, example: Server) -> None:
    frame = open_map(page, example, level="Ward")
    frame.locator("body").evaluate(HASTE)
    shown = wait_until(page, lambda: read_shown(page), lambda names: "Middle rate" in str(names))
    page.wait_for_timeout(500)
    assert "Higher rate, middle third" in str(shown)
    pressed = frame.locator('.cspmap-square [aria-pressed="true"]')
    assert sorted(pressed.evaluate_all("all => all.map((one) => one.dataset.class)")) == ["5", "7", "8"]


def test_a_link_opens_the_classes_that_were_ticked(page: Page, example: Server) -> None:
    frame = open_map(page, example, level="Ward")
    square(frame, 8).click()
    wait_until(page, lambda: read_shown(page), bool)
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(square(page.frame_locator("iframe"), 8)).to_have_attribute("aria-pressed", "true")
    assert SPECIAL["left out"].fill in count_fills(page.frame_locator("iframe"))


def test_a_filter_is_drawn_within_the_budget(page: Page, example: Server) -> None:
    """All 123 hexagons, the legend's square to the picture on the screen."""
    frame = open_map(page, example)
    took = []
    for number in (8, 4, 8, 4, 0, 0, 2):
        took.append(float(frame.locator("body").evaluate(PRESS, number)))
        page.wait_for_timeout(250)
    assert statistics.median(took) < BUDGET, took


def test_colours_can_fade_with_deprivation_instead(page: Page, example: Server) -> None:
    frame = open_map(page, example, colours="Rate, fainter where less deprived")
    assert set(count_fills(frame)) <= set(faded_palette())
    assert "the less deprived, the fainter" in frame.locator(".cspmap-legend").inner_text()


def test_an_area_is_opened_on_the_map_and_told_in_a_sentence(page: Page, example: Server) -> None:
    frame = open_map(page, example, level="Ward")
    find_path(frame, "luton-dallow").click()
    expect(page.get_by_role("heading", name="Dallow", exact=True)).to_be_visible()
    expect(page.get_by_text("what places as deprived usually see").first).to_be_visible()
    page.get_by_role("tab", name="Scatter").click()
    expect(page.get_by_test_id("stVegaLiteChart").locator("canvas, svg").first).to_be_visible()
    page.get_by_role("tab", name="Map").click()
    expect(page.get_by_role("heading", name="Dallow", exact=True)).to_be_visible()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_tab_fits_the_screen(width: int, height: int, page: Page, example: Server) -> None:
    page.set_viewport_size({"width": width, "height": height})
    open_map(page, example, level="Ward")
    for tab in ["Map", *TABS]:
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        shown = page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg, iframe, canvas")
        expect(shown.first).to_be_attached()
        page.wait_for_timeout(300)
        for element in ("html", "[data-testid=stMain]"):
            assert page.locator(element).evaluate("one => one.scrollWidth - one.clientWidth") <= 0


def test_legend_of_a_phone_opens_and_filters(page: Page, example: Server) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    frame = open_map(page, example, level="Ward")
    expect(square(frame, 8)).to_be_hidden()
    frame.locator(".cspmap-legend summary").click()
    square(frame, 8).click()
    assert SPECIAL["left out"].fill in count_fills(frame)


def test_file_carries_edition_period_and_caveats(page: Page, example: Server, tmp_path: Path) -> None:
    open_map(page, example, level="Ward", crime="Robbery")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).first.click()
    assert download.value.suggested_filename == "deprivation-2019-areas-ward-2007-04-to-2008-03.csv"
    download.value.save_as(tmp_path / "file.csv")
    table = read_csv((tmp_path / "file.csv").read_text("utf-8"))
    assert len(table) == 19
    dallow = table["luton-dallow"]
    assert (dallow["crimes"], dallow["deprivation_edition"], dallow["period"]) == (
        "Robbery",
        "2019",
        "2007-04..2008-03",
    )
    assert "does not say why" in dallow["caveats"]
