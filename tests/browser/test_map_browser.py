"""The map in a real browser: drawn, recoloured in place, chosen from by mouse and keyboard, at three sizes."""

import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, Route, expect

from .conftest import Server, StartApp, Watch

pytestmark = pytest.mark.browser

APP = Path(__file__).parent / "map_app.py"
TILE_HOST = "tile.openstreetmap.org"
SIZES = [(1920, 1080), (1280, 720), (390, 844)]


@pytest.fixture(scope="module")
def server(browser: Browser, start_app: StartApp, tmp_path_factory: pytest.TempPathFactory) -> Server:
    return start_app(APP, environment={"CSPMAP_TEST_LAYERS": str(tmp_path_factory.mktemp("layers"))})


@pytest.fixture
def frame(page: Page, server: Server) -> FrameLocator:
    return open_map(page, server.url)


def open_map(page: Page, url: str) -> FrameLocator:
    page.goto(url)
    frame = page.frame_locator("iframe")
    expect(find_area(frame, "small29")).to_be_visible()
    expect(frame.locator(".cspmap-legend li").first).to_be_attached()
    return frame


def find_area(frame: FrameLocator, code: str) -> Locator:
    return frame.locator(f'path[data-code="{code}"]')


def ask_map(frame: FrameLocator, expression: str) -> object:
    return frame.locator("body").evaluate(f"() => {expression}")


def fill_of(frame: FrameLocator, code: str) -> str | None:
    return find_area(frame, code).get_attribute("fill")


def test_first_map_shows_every_area_with_its_name_and_class(frame: FrameLocator) -> None:
    expect(frame.locator("path[data-code]")).to_have_count(30)
    expect(frame.get_by_role("button", name="Place 4 Street, 28 crimes, 5.2 per 1,000")).to_be_visible()
    assert fill_of(frame, "small05") == "#F8EBB5"
    assert fill_of(frame, "small09") == "#2B6CA3"


def test_missing_zero_and_suppressed_look_different_and_are_explained(frame: FrameLocator) -> None:
    looks = {fill_of(frame, f"small0{number}") for number in (1, 2, 3)}
    assert looks == {"url(#cspmap-missing)", "#FFFFFF", "url(#cspmap-suppressed)"}
    rows = frame.locator(".cspmap-legend li").all_text_contents()
    assert rows[5:] == ["no data", "none recorded", "too few to show"]


def test_filter_recolours_in_place_and_keeps_the_view(page: Page, frame: FrameLocator) -> None:
    frame.get_by_role("button", name="Zoom in").click()
    page.wait_for_timeout(400)
    ask_map(frame, "{ window.planted = document.querySelector('path[data-code=small05]') }")
    before = ask_map(frame, "[map.getZoom(), map.getCenter().lat, map.getCenter().lng]")
    page.get_by_text("Burglary").click()
    expect(find_area(frame, "small05")).to_have_attribute("fill", "#6EB7AA")
    assert ask_map(frame, "window.planted === document.querySelector('path[data-code=small05]')")
    assert ask_map(frame, "[map.getZoom(), map.getCenter().lat, map.getCenter().lng]") == before


def test_another_level_keeps_the_map_and_fetches_its_boundaries_once(page: Page, frame: FrameLocator) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(urlsplit(request.url).path.split("/")[-1]))
    ask_map(frame, "{ window.planted = map.getZoom() }")
    for _ in range(2):
        page.get_by_text("large", exact=True).click()
        expect(frame.locator("path[data-code]")).to_have_count(9)
        page.get_by_text("small", exact=True).click()
        expect(frame.locator("path[data-code]")).to_have_count(30)
    assert ask_map(frame, "window.planted === map.getZoom()")
    assert [name for name in fetched if name.endswith(".json")] == ["large.json"]


def test_labels_of_a_left_level_are_gone(page: Page, frame: FrameLocator) -> None:
    page.get_by_text("large", exact=True).click()
    expect(frame.locator("path[data-code]")).to_have_count(9)
    names = frame.locator(".cspmap-label").all_inner_texts()
    assert "Place 8\nStreet" in names
    assert "Place 29\nStreet" not in names


def test_click_opens_the_panel_and_the_second_click_leaves_it(page: Page, frame: FrameLocator) -> None:
    find_area(frame, "small10").click()
    expect(page.get_by_text("Panel: small10; events: 1")).to_be_visible()
    expect(find_area(frame, "small10")).to_have_attribute("aria-pressed", "true")
    expect(frame.locator(".leaflet-chosen-pane path")).to_have_count(2)
    find_area(frame, "small10").click()
    expect(page.get_by_text("Panel: whole town; events: 2")).to_be_visible()
    expect(frame.locator(".leaflet-chosen-pane path")).to_have_count(0)


def test_click_counts_while_a_part_of_the_map_is_below_the_fold(page: Page, frame: FrameLocator) -> None:
    page.set_viewport_size({"width": 1280, "height": 480})
    page.wait_for_timeout(300)
    find_area(frame, "small27").click()
    expect(page.get_by_text("Panel: small27; events: 1")).to_be_attached()


def test_finger_chooses_with_one_tap(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    frame = open_map(page, server.url)
    find_area(frame, "small27").tap()
    expect(page.get_by_text("Panel: small27; events: 1")).to_be_attached()
    expect(frame.locator(".cspmap-tip")).to_contain_text("Place 27 Street")
    context.close()


def test_click_beside_the_areas_leaves_the_panel(page: Page, frame: FrameLocator) -> None:
    find_area(frame, "small10").click()
    expect(page.get_by_text("Panel: small10")).to_be_visible()
    frame.locator("#map_div").click(position={"x": 70, "y": 540})
    expect(page.get_by_text("Panel: whole town; events: 2")).to_be_visible()


def test_a_run_for_another_reason_does_not_repeat_a_click(page: Page, frame: FrameLocator) -> None:
    find_area(frame, "small10").click()
    expect(page.get_by_text("events: 1")).to_be_visible()
    page.get_by_text("Burglary").click()
    expect(page.get_by_text("Panel: small10; events: 1; shift: 2")).to_be_visible()
    expect(find_area(frame, "small10")).to_have_attribute("aria-pressed", "true")


def test_keyboard_moves_between_areas_and_chooses_one(page: Page, frame: FrameLocator) -> None:
    expect(frame.locator('path[tabindex="0"]')).to_have_count(1)
    frame.locator('path[tabindex="0"]').focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    expect(find_area(frame, "small07")).to_be_focused()
    expect(frame.locator(".cspmap-tip")).to_contain_text("49 crimes")
    expect(frame.locator(".leaflet-hover-pane path")).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Panel: small07; events: 1")).to_be_visible()
    expect(find_area(frame, "small07")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Panel: whole town; events: 2")).to_be_visible()


def test_plus_and_minus_zoom_around_the_area(page: Page, frame: FrameLocator) -> None:
    frame.locator('path[tabindex="0"]').focus()
    whole = ask_map(frame, "map.getZoom()")
    page.keyboard.press("+")
    page.wait_for_timeout(400)
    assert ask_map(frame, "map.getZoom()") == pytest.approx(float(str(whole)) + 0.5)
    page.keyboard.press("-")
    page.wait_for_timeout(400)
    assert ask_map(frame, "map.getZoom()") == pytest.approx(whole)


def test_tab_reaches_the_areas_once_and_goes_on(page: Page, frame: FrameLocator) -> None:
    page.get_by_role("button", name="Find Place 29").focus()
    seen = []
    for _ in range(3):
        page.keyboard.press("Tab")
        seen.append(ask_map(frame, "document.activeElement.dataset.code ?? document.activeElement.title"))
    assert seen == ["small00", "Zoom in", "Zoom out"]


def test_hover_names_the_area_and_its_figures(frame: FrameLocator) -> None:
    find_area(frame, "small04").hover()
    assert frame.locator(".cspmap-tip").inner_text().split("\n") == [
        "Place 4 Street",
        "28 crimes",
        "5.2 per 1,000",
    ]


def test_hostile_names_are_only_text(page: Page, frame: FrameLocator) -> None:
    find_area(frame, "small00").hover()
    expect(frame.locator(".cspmap-tip strong")).to_have_text(
        "<img src=x onerror=alert(1)> {{'x'}} {% raw \" ' \\ </script>"
    )
    find_area(frame, "small00").click()
    expect(page.get_by_text("Panel: small00")).to_be_visible()
    assert frame.locator("img").count() == 0


def test_home_shows_the_whole_again(page: Page, frame: FrameLocator) -> None:
    whole = ask_map(frame, "map.getZoom()")
    for _ in range(3):
        frame.get_by_role("button", name="Zoom in").click()
        page.wait_for_timeout(350)
    assert ask_map(frame, "map.getZoom()") != whole
    frame.get_by_role("button", name="Whole partnership").click()
    assert ask_map(frame, "map.getZoom()") == whole


def test_an_area_chosen_elsewhere_is_brought_into_view(page: Page, frame: FrameLocator) -> None:
    ask_map(frame, "{ map.setView([51.851, -0.49], 16, {animate: false}) }")
    seen = """map.getBounds().contains(
        Object.values(map._layers).find((one) => one.feature?.properties.code === "small29").getBounds().getCenter())"""
    assert ask_map(frame, seen) is False
    page.get_by_role("button", name="Find Place 29").click()
    expect(find_area(frame, "small29")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(400)
    assert ask_map(frame, seen) is True


def test_every_level_has_its_tab_stop(page: Page, frame: FrameLocator) -> None:
    find_area(frame, "small10").click()
    for level, count in (("large", 9), ("small", 30)):
        page.get_by_text(level, exact=True).click()
        expect(frame.locator("path[data-code]")).to_have_count(count)
        expect(frame.locator('path[tabindex="0"]')).to_have_count(1)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_all_areas_are_seen_at(width: int, height: int, page: Page, server: Server) -> None:
    page.set_viewport_size({"width": width, "height": height})
    frame = open_map(page, server.url)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    areas = frame.locator(".leaflet-areas-pane svg g").bounding_box()
    legend = frame.locator(".cspmap-legend").bounding_box()
    whole = frame.locator("#map_div").bounding_box()
    assert areas
    assert legend
    assert whole
    assert areas["x"] >= whole["x"]
    assert areas["x"] + areas["width"] <= whole["x"] + whole["width"]
    assert areas["x"] + areas["width"] <= legend["x"] or areas["y"] + areas["height"] <= legend["y"]
    assert areas["width"] > 0.55 * min(whole["width"], whole["height"])


def test_legend_is_folded_on_a_phone_and_opens(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    frame = open_map(page, server.url)
    rule = frame.get_by_text("Five classes with about as many areas in each (quantiles).")
    expect(rule).to_be_hidden()
    frame.get_by_text("Crimes per 1,000 residents").click()
    expect(rule).to_be_visible()


def test_background_map_that_cannot_be_reached_costs_nothing_else(
    page: Page, frame: FrameLocator, watch: Watch
) -> None:
    watch.allow(TILE_HOST)
    page.context.route(f"https://{TILE_HOST}/**", lambda route: route.abort())
    page.get_by_text("Background map").click()
    expect(frame.get_by_text("© OpenStreetMap contributors")).to_be_visible()
    page.get_by_text("Burglary").click()
    expect(find_area(frame, "small05")).to_have_attribute("fill", "#6EB7AA")
    page.get_by_text("Background map").click()
    expect(frame.get_by_text("© OpenStreetMap contributors")).to_have_count(0)


def test_what_changed_while_the_scripts_were_loading_is_shown(page: Page, server: Server) -> None:
    held: list[Route] = []
    page.context.route(re.compile(r"leaflet\.js"), lambda route: held.append(route))
    page.goto(server.url)
    expect(page.get_by_text("shift: 0")).to_be_visible()
    end = time.monotonic() + 20
    while not held and time.monotonic() < end:
        page.wait_for_timeout(50)
    page.get_by_text("Burglary").click()
    expect(page.get_by_text("shift: 2")).to_be_visible()
    held[0].continue_()
    expect(find_area(page.frame_locator("iframe"), "small05")).to_have_attribute("fill", "#6EB7AA")


def test_boundaries_that_cannot_be_loaded_are_reported(browser: Browser, server: Server) -> None:
    page = browser.new_page()
    page.route(re.compile(r"small\.json"), lambda route: route.abort())
    page.goto(server.url)
    expect(page.frame_locator("iframe").get_by_text("The boundaries could not be loaded.")).to_be_visible()
    page.close()


def test_map_works_under_a_base_path(page: Page, start_app: StartApp, tmp_path: Path) -> None:
    server = start_app(
        APP,
        environment={"CSPMAP_TEST_LAYERS": str(tmp_path)},
        options=("--server.baseUrlPath=safety/crime",),
        path="/safety/crime",
    )
    open_map(page, server.url)
    assert "overriding" not in server.log.read_text()
