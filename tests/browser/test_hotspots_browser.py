"""The hotspots page in a real browser: cells, the picture over them, playing the months, and handing a place over."""

import json
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from .conftest import Server, Watch

pytestmark = pytest.mark.browser

SIZES = [(1920, 1080), (1280, 720), (390, 844)]
CELLS = 629
TOWN = "Luton, year to March 2008"
HEADING = f"Recorded incidents in {TOWN}"

Seen = TypeVar("Seen")


def open_hotspots(page: Page, server: Server, **query: str) -> FrameLocator:
    page.goto(f"{server.url}/hotspots?{urlencode(query)}")
    frame = page.frame_locator("iframe")
    expect(frame.locator(".leaflet-areas-pane path[data-code][aria-label]").first).to_be_attached()
    expect(frame.locator(".cspmap-legend li").first).to_be_attached()
    expect(page.get_by_text("Store version")).to_be_attached()
    return frame


def wait_until(page: Page, read: Callable[[], Seen], right: Callable[[Seen], bool]) -> Seen:
    end = time.monotonic() + 20
    seen = read()
    while not right(seen):
        assert time.monotonic() < end, f"not in time: {seen}"
        page.wait_for_timeout(50)
        seen = read()
    return seen


def read_fills(frame: FrameLocator) -> list[str]:
    fills: list[str] = frame.locator(".leaflet-areas-pane path").evaluate_all(
        "paths => paths.map((path) => path.getAttribute('fill'))"
    )
    return fills


def ask_map(frame: FrameLocator, expression: str) -> Any:
    return frame.locator("body").evaluate(f"() => {expression}")


def pick(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).fill(option)
    page.get_by_role("option", name=option, exact=True).click()


def plant(frame: FrameLocator) -> Callable[[], bool]:
    """Mark the map as it is; then whether it is still the same one, in the same place."""
    frame.get_by_role("button", name="Zoom in").click()
    ask_map(frame, "new Promise((done) => setTimeout(done, 400))")
    ask_map(frame, "{ window.planted = document.querySelector('.leaflet-areas-pane path') }")
    where = "[map.getZoom(), map.getCenter().lat, map.getCenter().lng]"
    before = ask_map(frame, where)

    def is_same() -> bool:
        same = ask_map(frame, "window.planted === document.querySelector('.leaflet-areas-pane path')")
        return bool(same) and ask_map(frame, where) == before

    return is_same


def find_picture(frame: FrameLocator) -> Any:
    return frame.locator("img.cspmap-picture")


def open_place(page: Page, frame: FrameLocator, number: int = 0) -> None:
    frame.locator(".leaflet-places-pane path[data-code]").nth(number).click()
    expect(page.get_by_role("heading", name=f"Hotspot {number + 1}: ")).to_be_visible()


# ---- first view ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_first_view_fits_every_screen(width: int, height: int, page: Page, example: Server) -> None:
    page.set_viewport_size({"width": width, "height": height})
    frame = open_hotspots(page, example)
    expect(frame.locator(".leaflet-areas-pane path[data-code]")).to_have_count(CELLS)
    expect(page.get_by_text(HEADING).first).to_be_visible()
    assert len(set(read_fills(frame))) >= 5
    for element in ("html", "[data-testid=stMain]"):
        assert page.locator(element).evaluate("one => one.scrollWidth - one.clientWidth") <= 0
    bar, drawn = page.locator(".st-key-filters").bounding_box(), page.locator("iframe").bounding_box()
    assert bar
    assert drawn
    assert bar["y"] + bar["height"] < drawn["y"]
    if width >= 1280:
        assert drawn["y"] + drawn["height"] <= height
        expect(page.get_by_text("Score on later months")).to_be_visible()


def test_hotspots_are_outlined_with_their_ranks(page: Page, example: Server) -> None:
    frame = open_hotspots(page, example)
    places = frame.locator(".leaflet-places-pane path[data-code]")
    expect(places).to_have_count(7)
    expect(places.first).to_have_attribute("role", "button")
    assert places.first.get_attribute("aria-label").startswith("Hotspot 1: South, ")  # type: ignore[union-attr]
    plates = frame.locator(".cspmap-plate").all_inner_texts()
    assert plates[0] == "1"
    assert len(plates) >= 5
    # Names and borders of wards, for orientation.
    expect(frame.locator(".leaflet-lines-pane path")).to_have_count(19)
    assert {"Biscot", "Lewsey"} <= set(frame.locator(".cspmap-label").all_inner_texts())


def test_cells_are_fetched_once(page: Page, example: Server) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(urlsplit(request.url).path))
    frame = open_hotspots(page, example)
    is_same = plant(frame)
    before = read_fills(frame)
    pick(page, "Crime", "Robbery")
    page.keyboard.press("Escape")
    wait_until(page, lambda: read_fills(frame), lambda fills: fills != before)
    assert is_same()
    files = [path for path in fetched if path.endswith(".json") and "/component/" in path]
    assert len(files) == len(set(files)) == 2, "cells and wards"


# The edges of what is not clear of a picture, in pixels of its page.
INK = """(image) => {
  const canvas = document.createElement("canvas"), box = image.getBoundingClientRect();
  const [width, height] = [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const data = pen.getImageData(0, 0, width, height).data;
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    if (!data[4 * (y * width + x) + 3]) continue;
    [left, top] = [Math.min(left, x), Math.min(top, y)];
    [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
  }
  const [across, down] = [box.width / width, box.height / height];
  return [box.left + left * across, box.top + top * down, box.left + right * across, box.top + bottom * down];
}"""


# ---- the picture -----------------------------------------------------------------------------------------------------


def test_density_is_one_picture_over_the_town(page: Page, example: Server) -> None:
    frame = open_hotspots(page, example)
    expect(find_picture(frame)).to_have_count(0)
    ask_map(frame, "{ window.planted = document.querySelector('.leaflet-areas-pane path') }")
    pick(page, "Layer", "Density")
    expect(find_picture(frame)).to_have_count(1)
    expect(page.get_by_text(f"{HEADING}: density")).to_be_visible()
    assert ask_map(frame, "window.planted === document.querySelector('.leaflet-areas-pane path')")
    assert find_picture(frame).get_attribute("src").startswith("data:image/png;base64,")
    assert find_picture(frame).evaluate("one => one.complete && one.naturalWidth > 200")
    # Laid exactly over the town: what is not clear of it ends where the areas do, to a pixel or two.
    left, top, right, bottom = find_picture(frame).evaluate(INK)
    town = frame.locator(".leaflet-areas-pane svg g").evaluate(
        "one => { const box = one.getBoundingClientRect(); return [box.left, box.top, box.right, box.bottom]; }"
    )
    assert [left, top, right, bottom] == pytest.approx(town, abs=3)
    # Areas can still be pointed at, but have no colour of their own.
    first = frame.locator(".leaflet-areas-pane path").first
    assert (first.get_attribute("fill-opacity"), first.get_attribute("stroke-opacity")) == ("0", "0")


def test_picture_goes_with_its_layer_and_follows_the_filter(page: Page, example: Server) -> None:
    frame = open_hotspots(page, example, layer="Density")
    expect(find_picture(frame)).to_have_count(1)
    before = find_picture(frame).get_attribute("src")
    pick(page, "Crime", "Robbery")
    page.keyboard.press("Escape")
    wait_until(page, lambda: find_picture(frame).get_attribute("src"), lambda source: source != before)
    pick(page, "Layer", "Change")
    expect(find_picture(frame)).to_have_count(0)
    assert frame.locator(".leaflet-areas-pane path").first.get_attribute("fill-opacity") == "1"


# ---- month by month --------------------------------------------------------------------------------------------------


def test_months_play_in_place(page: Page, example: Server) -> None:
    frame = open_hotspots(page, example, show="Month by month")
    name = frame.locator(".cspmap-player-name")
    expect(name).to_have_text("3 months to March 2008")
    is_same = plant(frame)
    latest = read_fills(frame)
    frame.get_by_role("button", name="Play").click()
    expect(name).to_have_text("3 months to April 2007")
    first = read_fills(frame)
    assert first != latest
    expect(frame.get_by_role("button", name="Pause")).to_be_visible()
    expect(name).to_have_text("3 months to June 2007", timeout=5000)
    frame.get_by_role("button", name="Pause").click()
    held, fills = name.inner_text(), read_fills(frame)
    assert fills != first
    page.wait_for_timeout(1500)
    assert (name.inner_text(), read_fills(frame)) == (held, fills)
    assert is_same()


def test_slider_steps_through_the_months_by_keys(page: Page, example: Server) -> None:
    frame = open_hotspots(page, example, show="Month by month", step="1")
    slider = frame.get_by_role("slider", name="Month shown")
    expect(slider).to_have_attribute("aria-valuetext", "March 2008")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "February 2008")
    cell = frame.locator(".leaflet-areas-pane path").first
    assert "February 2008" in (cell.get_attribute("aria-label") or "")
    page.keyboard.press("Home")
    expect(frame.locator(".cspmap-player-name")).to_have_text("April 2007")


def test_playing_ends_at_the_last_month_and_starts_again(page: Page, example: Server) -> None:
    frame = open_hotspots(page, example, show="Month by month")
    slider = frame.get_by_role("slider", name="Month shown")
    slider.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    frame.get_by_role("button", name="Play").click()
    expect(frame.get_by_role("button", name="Play")).to_be_visible(timeout=5000)
    expect(frame.locator(".cspmap-player-name")).to_have_text("3 months to March 2008")


def test_pictures_play_too(page: Page, example: Server) -> None:
    frame = open_hotspots(page, example, show="Month by month", layer="Density")
    sources = set()
    slider = frame.get_by_role("slider", name="Month shown")
    slider.focus()
    for _ in range(4):
        sources.add(find_picture(frame).get_attribute("src"))
        page.keyboard.press("ArrowLeft")
    assert len(sources) == 4


def test_a_click_leaves_the_month_that_is_shown(page: Page, example: Server) -> None:
    frame = open_hotspots(page, example, show="Month by month")
    slider = frame.get_by_role("slider", name="Month shown")
    slider.focus()
    page.keyboard.press("Home")
    open_place(page, frame)
    expect(frame.locator(".cspmap-player-name")).to_have_text("3 months to April 2007")


def test_player_goes_with_the_whole_period(page: Page, example: Server) -> None:
    frame = open_hotspots(page, example, show="Month by month")
    whole = read_fills(frame)
    expect(frame.locator(".cspmap-player")).to_be_visible()
    pick(page, "Show", "Whole period")
    expect(frame.locator(".cspmap-player")).to_be_hidden()
    assert read_fills(frame) != whole


# ---- a place ---------------------------------------------------------------------------------------------------------


def test_click_on_a_hotspot_opens_it_and_its_link_opens_it_again(page: Page, example: Server) -> None:
    frame = open_hotspots(page, example)
    open_place(page, frame)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    for tab in ("Crime types", "Streets", "Trend", "Areas"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        # A press while the page is being drawn for the one before is lost on a slow machine.
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(page.get_by_text("How much of the place lies in each area.")).to_be_visible()
    wait_until(page, lambda: parse_qs(urlsplit(page.url).query), lambda query: "at" in query)
    page.goto(page.url)
    expect(page.get_by_role("heading", name="Hotspot 1: South")).to_be_visible()
    expect(page.get_by_text("How much of the place lies in each area.")).to_be_visible()
    page.get_by_role("button", name="Back to Luton").click()
    expect(page.get_by_role("heading", name="Luton", exact=True)).to_be_visible()


def test_keys_go_through_the_hotspots(page: Page, example: Server) -> None:
    frame = open_hotspots(page, example)
    stop = frame.locator('path[tabindex="0"]')
    expect(stop).to_have_count(1)
    stop.focus()
    page.keyboard.press("ArrowLeft")
    focused = ask_map(frame, "document.activeElement.closest('.leaflet-places-pane') !== null")
    assert focused
    expect(frame.locator(".cspmap-tip strong")).to_contain_text("Hotspot ")
    said = frame.locator(".cspmap-tip strong").inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=said)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Luton", exact=True)).to_be_visible()


def test_a_hotspot_is_handed_over_to_the_focus_page(page: Page, example: Server) -> None:
    frame = open_hotspots(page, example, layer="More than chance", crime="Criminal Damage")
    open_place(page, frame)
    page.get_by_role("button", name="Make this a focus area").click()
    expect(page.get_by_text("Click hexagons on and off")).to_be_visible()
    expect(page.get_by_text("Hotspot 1: ").first).to_be_visible()
    ticked = page.frame_locator("iframe").locator('path[data-code][aria-pressed="true"]')
    expect(ticked.first).to_be_attached()
    assert "south" in "".join(one or "" for one in (path.get_attribute("data-code") for path in ticked.all()))
    assert urlsplit(page.url).path == "/focus"
    # With what was counted here.
    expect(page).to_have_url(re.compile("crime=criminal-damage"))
    assert "period=" in page.url
    # And back: the page is as it was left.
    page.get_by_role("link", name="Hotspots").click()
    expect(page.get_by_text(f"Criminal Damage in {TOWN}: more than chance")).to_be_visible()


def test_copied_link_restores_the_view(page: Page, browser: Browser, watch: Watch, example: Server) -> None:
    frame = open_hotspots(page, example, crime="Robbery", tab="Concentration")
    pick(page, "Layer", "More than chance")
    heading = f"Robbery in {TOWN}: more than chance"
    expect(page.get_by_text(heading)).to_be_visible()
    open_place(page, frame)
    said = page.get_by_role("heading", name="Hotspot 1: ").inner_text()
    page.get_by_role("button", name="Link").click()
    link = page.get_by_test_id("stCode").inner_text().strip()
    asked = parse_qs(urlsplit(link).query)
    assert asked["crime"] == ["Robbery"]
    assert asked["tab"] == ["Concentration"]
    other = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    watch.attach(other)
    other.goto(link)
    expect(other.get_by_text(heading)).to_be_visible()
    expect(other.get_by_role("heading", name=said)).to_be_visible()
    expect(other.get_by_role("tab", name="Concentration")).to_have_attribute("aria-selected", "true")
    other.context.close()


def test_what_another_page_asks_for_is_not_taken_for_this_ones(page: Page, example: Server) -> None:
    page.goto(f"{example.url}/?crime=robbery&level=ward")
    expect(page.get_by_text("Robbery in Luton").first).to_be_visible()
    page.get_by_role("link", name="Hotspots").click()
    expect(page.get_by_text(f"{HEADING}: expected incidents")).to_be_visible()


def test_an_address_of_what_is_not_held_is_told_so(page: Page, example: Server) -> None:
    page.goto(f"{example.url}/hotspots?crime=Murder")
    expect(page.get_by_text("The crime type asked for is 'Murder', which is not held here")).to_be_visible()
    page.get_by_role("button", name="Show all crime of the latest year instead").click()
    expect(page.get_by_text(f"{HEADING}: expected incidents")).to_be_visible()


# ---- what stands under the map ---------------------------------------------------------------------------------------


def test_files_are_what_they_say(page: Page, example: Server) -> None:
    open_hotspots(page, example)
    contents = {}
    for kind in ("CSV", "GeoJSON", "GeoPackage"):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=kind, exact=True).click()
        contents[kind] = waiting.value.path().read_bytes()
        assert waiting.value.suggested_filename.startswith("hotspots-incidents-expected-2007-04-to-2008-03.")
    assert contents["CSV"].startswith(b"rank,code,area,")
    collection = json.loads(contents["GeoJSON"])
    assert len(collection["features"]) == 7
    assert any("not known yet" in sentence for sentence in collection["caveats"])
    assert contents["GeoPackage"].startswith(b"SQLite format 3\0")


def test_repeat_locations_can_be_shown_as_points(page: Page, example: Server) -> None:
    frame = open_hotspots(page, example, tab="Repeat locations")
    page.get_by_text("Show them on the map instead of the hotspots").click()
    expect(frame.locator(".leaflet-places-pane path[data-code]")).to_have_count(20)
    expect(frame.locator('path[data-code="location-1"]')).to_be_attached()
    page.get_by_role("tab", name="Concentration").click()
    expect(frame.locator(".leaflet-places-pane path[data-code]")).to_have_count(7)


def test_hours_and_days_are_drawn(page: Page, example: Server) -> None:
    open_hotspots(page, example, tab="Days and hours")
    expect(page.get_by_test_id("stVegaLiteChart").last.locator("canvas, svg").first).to_be_attached()
    expect(page.get_by_text("12,427 incidents by hour and weekday")).to_be_visible()


def test_smaller_cells_are_drawn_too(page: Page, example: Server) -> None:
    frame = open_hotspots(page, example, width="100 m")
    expect(frame.locator(".leaflet-areas-pane path[data-code]").first).to_be_attached()
    wait_until(page, lambda: len(read_fills(frame)), lambda number: number > 4_000)
    expect(page.get_by_text("hexagons of 100 m").first).to_be_visible()


def test_a_page_whose_cells_cannot_be_fetched_says_so(page: Page, example: Server, watch: Any) -> None:
    page.route("**/component/**/*.json*", lambda route: route.abort())
    page.goto(f"{example.url}/hotspots")
    expect(page.frame_locator("iframe").get_by_text("The boundaries could not be loaded.")).to_be_visible()
    watch.faults.clear()
