"""The explore page in a real browser, on the bundled example served by `cspmap run`."""

import csv
import io
import json
import re
import subprocess
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, Route, expect

from .conftest import CSPMAP, ROOT, Server, ServeStore, Watch

pytestmark = pytest.mark.browser

SIZES = [(1920, 1080), (1280, 720), (390, 844)]
NOTICE = "Example: illustrative geography, simulated incidents. Only what a named document prints is real."
LICENCE = "Contains public sector information licensed under the Open Government Licence v3.0."
TILE_HOST = "tile.openstreetmap.org"
HEXAGONS, WARDS = 123, 19
LEFT_OUT, NONE_RECORDED = "#D3D9DF", "#FFFFFF"
MISSING, SUPPRESSED = "url(#cspmap-missing)", "url(#cspmap-suppressed)"

Seen = TypeVar("Seen")


def open_page(page: Page, server: Server, **query: str) -> FrameLocator:
    """The explore page with its map drawn and the rest of the run done."""
    page.goto(f"{server.url}/?{urlencode(query)}" if query else server.url)
    return wait_for_page(page)


def wait_for_page(page: Page) -> FrameLocator:
    frame = page.frame_locator("iframe")
    expect(frame.locator(".cspmap-legend li").first).to_be_attached()
    expect(frame.locator("path[data-code][aria-label]").first).to_be_visible()
    expect(page.get_by_text("Store version")).to_be_attached()
    expect(page.get_by_role("button", name="GeoJSON")).to_be_attached()
    return frame


def wait_until(page: Page, read: Callable[[], Seen], right: Callable[[Seen], bool]) -> Seen:
    end = time.monotonic() + 20
    seen = read()
    while not right(seen):
        assert time.monotonic() < end, f"not in time: {seen}"
        page.wait_for_timeout(50)
        seen = read()
    return seen


def find_path(frame: FrameLocator, code: str) -> Locator:
    return frame.locator(f'path[data-code="{code}"]')


def read_fills(frame: FrameLocator) -> dict[str, str]:
    pairs = frame.locator("path[data-code]").evaluate_all(
        "paths => paths.map((path) => [path.dataset.code, path.getAttribute('fill')])"
    )
    return dict(pairs)


def ask_map(frame: FrameLocator, expression: str) -> Any:
    return frame.locator("body").evaluate(f"() => {expression}")


def pick(page: Page, label: str, option: str) -> None:
    # Typing makes sure that the option is among those in view.
    page.get_by_role("combobox", name=label).fill(option)
    page.get_by_role("option", name=option, exact=True).click()


def open_more(page: Page) -> None:
    page.get_by_role("button", name="More").click()
    expect(page.get_by_role("combobox", name="Classes made by")).to_be_visible()


def read_metrics(page: Page) -> dict[str, str]:
    return dict(
        page.get_by_test_id("stMetric").evaluate_all(
            "all => all.map((one) => one.innerText.split('\\n').map((line) => line.trim()).filter(Boolean))"
        )
    )


def read_table(page: Page) -> dict[str, list[str]]:
    """The rows of the table under the map that are in view, by the name of their area."""
    rows = (
        page.locator("canvas table")
        .last.locator("tbody tr")
        .evaluate_all("rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))")
    )
    return {row[0]: row[1:] for row in rows}


def find_panel(page: Page, name: str) -> Locator:
    return page.get_by_role("heading", name=name, exact=True)


def extract(store: Path, *options: str) -> str:
    done = subprocess.run(
        [*CSPMAP, "extract", "--store", str(store), *options], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def read_csv(text: str) -> dict[str, dict[str, str]]:
    return {row["code"]: row for row in csv.DictReader(io.StringIO(text))}


# ---- first view ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_first_view_shows_the_map_and_the_controls_without_scrolling(
    width: int, height: int, page: Page, example: Server
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    frame = open_page(page, example)
    expect(frame.locator("path[data-code]")).to_have_count(HEXAGONS)
    assert len(set(read_fills(frame).values())) == 5
    said = "Recorded incidents in Luton, year to March 2008, compared with year to March 2007"
    expect(page.get_by_text(said).first).to_be_visible()
    expect(find_panel(page, "Luton")).to_be_attached()
    expect(page.get_by_text(NOTICE).first).to_be_visible()
    expect(page.get_by_text(LICENCE)).to_be_attached()
    for element in ("html", "[data-testid=stMain]"):
        assert page.locator(element).evaluate("one => one.scrollWidth - one.clientWidth") <= 0
    bar, drawn = page.locator(".st-key-filters").bounding_box(), page.locator("iframe").bounding_box()
    assert bar
    assert drawn
    assert bar["y"] + bar["height"] < drawn["y"] < height
    if width >= 1280:
        assert drawn["y"] + drawn["height"] <= height


# Every text in the bar as the box of its letters, and whether it is cut off.
BAR_TEXTS = """bar => [...bar.querySelectorAll('p, input:not([type=range])')]
  .filter((one) => (one.value ?? one.textContent).trim()
    && one.checkVisibility({visibilityProperty: true, opacityProperty: true})
    && one.getBoundingClientRect().width > 1)
  .map((one) => { const box = one.getBoundingClientRect();
    return {text: one.value ?? one.textContent, cut: one.scrollWidth > Math.ceil(box.width),
            box: [box.left, box.top + 4, box.right, box.bottom - 4]}; })"""


@pytest.mark.parametrize(
    "query", [{}, {"level": "ward", "measure": "fifth", "area": "luton-round-green", "period": "2006-09..2006-12"}]
)
def test_no_text_in_the_bar_is_cut_or_overlaps(query: dict[str, str], page: Page, example: Server) -> None:
    open_page(page, example, **query)
    texts = page.locator(".st-key-filters").evaluate(BAR_TEXTS)
    assert {"Period", "Compared with", "Crime", "Level", "Measure", "More"} <= {t["text"] for t in texts}
    assert [text["text"] for text in texts if text["cut"]] == []
    for one, other in combinations(texts, 2):
        (left, top, right, bottom), (x, y, across, down) = one["box"], other["box"]
        assert right <= x or across <= left or bottom <= y or down <= top, (one["text"], other["text"])


def test_names_are_drawn_on_the_map_and_can_be_put_away(page: Page, example: Server) -> None:
    frame = open_page(page, example, level="ward")
    labels = frame.locator(".cspmap-label")
    assert {"Dallow", "South", "Wigmore", "Round\nGreen"} <= set(labels.all_inner_texts())
    open_more(page)
    page.get_by_text("Names on the map").click()
    expect(labels).to_have_count(0)


# ---- filters ---------------------------------------------------------------------------------------------------------


def change_crime(page: Page) -> None:
    pick(page, "Crime", "Robbery")
    page.keyboard.press("Escape")


def change_period(page: Page) -> None:
    page.get_by_role("slider", name="Period").first.focus()
    for _ in range(12):
        page.keyboard.press("ArrowLeft")


def change_measure(page: Page) -> None:
    pick(page, "Measure", "Change")


@pytest.mark.parametrize("change", [change_crime, change_period, change_measure])
def test_filter_changes_the_colours_in_place(change: Callable[[Page], None], page: Page, example: Server) -> None:
    frame = open_page(page, example, level="ward")
    frame.get_by_role("button", name="Zoom in").click()
    page.wait_for_timeout(400)
    ask_map(frame, "{ window.planted = document.querySelector('path[data-code=luton-dallow]') }")
    where = ask_map(frame, "[map.getZoom(), map.getCenter().lat, map.getCenter().lng]")
    before = read_fills(frame)
    change(page)
    wait_until(page, lambda: read_fills(frame), lambda fills: fills != before)
    assert ask_map(frame, "window.planted === document.querySelector('path[data-code=luton-dallow]')")
    assert ask_map(frame, "[map.getZoom(), map.getCenter().lat, map.getCenter().lng]") == where


def test_filters_changed_faster_than_the_page_answers_are_all_kept(page: Page, example: Server) -> None:
    open_page(page, example, level="ward")
    first, last = page.get_by_role("slider", name="Period").all()
    for measure in ("Count", "Share of all", "Change", "Rate", "Count"):
        pick(page, "Measure", measure)
        first.press("ArrowLeft")
        last.press("ArrowLeft")
    expect(page.get_by_text("in Luton, year to October 2007").first).to_be_visible()
    expect(page.get_by_role("combobox", name="Measure")).to_have_value("Count")
    wait_until(page, lambda: parse_qs(urlsplit(page.url).query), lambda query: query["period"] == ["2006-11..2007-10"])


def test_another_level_keeps_the_map(page: Page, example: Server) -> None:
    frame = open_page(page, example)
    frame.get_by_role("button", name="Zoom in").click()
    page.wait_for_timeout(400)
    ask_map(frame, "{ window.planted = 'here' }")
    where = ask_map(frame, "[map.getZoom(), map.getCenter().lat, map.getCenter().lng]")
    for level, count in (("Ward", WARDS), ("Area", 5), ("Hexagon", HEXAGONS)):
        pick(page, "Level", level)
        expect(frame.locator("path[data-code]")).to_have_count(count)
    assert ask_map(frame, "window.planted") == "here"
    assert ask_map(frame, "[map.getZoom(), map.getCenter().lat, map.getCenter().lng]") == where


def test_only_these_areas_leaves_the_others_out(page: Page, example: Server, example_store: Path) -> None:
    frame = open_page(page, example, level="ward")
    open_more(page)
    for name in ("Dallow", "Farley", "South"):
        pick(page, "Only these areas", name)
    expect(find_path(frame, "luton-wigmore")).to_have_attribute("fill", LEFT_OUT)
    kept = {
        code
        for code, fill in wait_until(
            page, lambda: read_fills(frame), lambda fills: list(fills.values()).count(LEFT_OUT) == WARDS - 3
        ).items()
        if fill != LEFT_OUT
    }
    assert kept == {"luton-dallow", "luton-farley", "luton-south"}
    expect(frame.get_by_text("not among the chosen areas")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    wait_until(page, lambda: set(read_table(page)), lambda names: names == {"Dallow", "Farley", "South"})
    assert download(page, "CSV").keys() == kept


def test_missing_none_and_suppressed_are_told_apart(page: Page, serve_store: ServeStore, awkward_store: Path) -> None:
    server = serve_store(awkward_store)
    gone = open_page(page, server, level="ward", period="2005-04..2006-03")
    assert set(read_fills(gone).values()) == {MISSING}
    assert gone.locator(".cspmap-legend li").all_inner_texts() == ["no data"]
    expect(page.get_by_text("cannot be compared with")).to_be_visible()
    frame = open_page(page, server, level="ward")
    fills = read_fills(frame)
    assert {code for code, fill in fills.items() if fill == SUPPRESSED} == {
        "luton-bramingham",
        "luton-crawley",
        "luton-stopsley",
    }
    assert frame.locator(".cspmap-legend li").all_inner_texts()[-1] == "too few to show"
    frame = open_page(page, server, crime="robbery", period="2008-03..2008-03", measure="count")
    counts = read_csv(extract(awkward_store, "--crime", "robbery", "--from", "2008-03", "--to", "2008-03"))
    none = {code for code, row in counts.items() if row["count"] == "0"}
    assert {code for code, fill in read_fills(frame).items() if fill == NONE_RECORDED} == none != set()
    assert frame.locator(".cspmap-legend li").all_inner_texts()[-1] == "none recorded"


def test_legend_states_the_rule_of_its_classes(page: Page, example: Server) -> None:
    frame = open_page(page, example, level="ward", scheme="equal-interval", classes="4", measure="count")
    legend = frame.locator(".cspmap-legend")
    assert legend.locator("summary").inner_text() == "Incidents"
    assert legend.locator("li").count() >= 2
    assert "equal" in legend.locator("p").inner_text().lower()


# ---- panel -----------------------------------------------------------------------------------------------------------


def test_click_opens_the_panel_with_the_figures_of_table_and_extract(
    page: Page, example: Server, example_store: Path
) -> None:
    frame = open_page(page, example, level="ward")
    find_path(frame, "luton-dallow").click()
    expect(find_panel(page, "Dallow")).to_be_visible()
    wait_until(page, lambda: read_metrics(page), lambda metrics: len(metrics) == 3)
    row = read_csv(extract(example_store, "--level", "ward"))["luton-dallow"]
    metrics = read_metrics(page)
    assert metrics["Incidents"] == f"{int(row['count']):,}"
    assert metrics["per 1,000 residents"] == f"{float(row['rate']):.1f}"
    count, rate, _, share, before, *_ = read_table(page)["Dallow"]
    assert int(count) == int(row["count"])
    assert float(rate) == pytest.approx(float(row["rate"]), abs=0.0005)
    assert metrics["of Luton's"] == f"{100 * float(share):.1f} %"
    last_year = read_csv(extract(example_store, "--level", "ward", "--from", "2006-04", "--to", "2007-03"))
    assert before == last_year["luton-dallow"]["count"]
    expect(page.get_by_text(f"({int(before):,} to {int(count):,})")).to_be_visible()
    expect(find_path(frame, "luton-dallow")).to_have_attribute("aria-pressed", "true")


def test_panel_has_types_streets_and_deprivation(page: Page, example: Server) -> None:
    open_page(page, example, level="ward", area="luton-dallow")
    page.get_by_role("tab", name="Crime types").click()
    expect(page.get_by_text("Bars: Dallow. Ticks: Luton as a whole.")).to_be_visible()
    page.get_by_role("tab", name="Streets").click()
    expect(page.get_by_text("Streets as the source names them.")).to_be_visible()
    page.get_by_role("tab", name="Deprivation").click()
    expect(page.get_by_text("of residents live in England's most deprived fifth.")).to_be_visible()


def test_panel_is_left_by_the_same_area_by_the_button_and_by_the_background(page: Page, example: Server) -> None:
    frame = open_page(page, example, level="ward")
    whole, area = find_panel(page, "Luton"), find_path(frame, "luton-dallow")
    ways: tuple[Callable[[], None], ...] = (
        area.click,
        page.get_by_role("button", name="Back to Luton").click,
        lambda: frame.locator("#map_div").click(position={"x": 600, "y": 150}),
    )
    for leave in ways:
        area.click()
        expect(find_panel(page, "Dallow")).to_be_visible()
        leave()
        expect(whole).to_be_visible()
        expect(area).to_have_attribute("aria-pressed", "false")


def test_area_is_found_by_its_name(page: Page, example: Server) -> None:
    frame = open_page(page, example, level="ward")
    page.get_by_role("combobox", name="Find an area").fill("wigm")
    page.keyboard.press("Enter")
    expect(find_panel(page, "Wigmore")).to_be_visible()
    expect(find_path(frame, "luton-wigmore")).to_have_attribute("aria-pressed", "true")


# ---- links -----------------------------------------------------------------------------------------------------------


def describe(page: Page, frame: FrameLocator) -> dict[str, Any]:
    """Everything that a link must bring back, read from the screen."""
    bar = page.locator(".st-key-filters")
    finder = page.get_by_role("combobox", name="Find an area")
    return {
        "sliders": bar.get_by_test_id("stSliderThumbValue").all_inner_texts(),
        "boxes": bar.get_by_role("combobox").evaluate_all("all => all.map((one) => one.value)"),
        "found": finder.input_value(),
        "crimes": bar.get_by_test_id("stMultiSelect").all_inner_texts(),
        "panel": page.locator("h3").first.inner_text(),
        "metrics": read_metrics(page),
        "table": read_table(page),
        "fills": read_fills(frame),
        "legend": frame.locator(".cspmap-legend").inner_text(),
    }


def test_copied_link_restores_the_view(page: Page, browser: Browser, watch: Watch, example: Server) -> None:
    frame = open_page(page, example)
    pick(page, "Level", "Ward")
    expect(frame.locator("path[data-code]")).to_have_count(WARDS)
    pick(page, "Compared with", "Chosen months")
    expect(page.get_by_role("slider", name="Chosen months")).to_have_count(2)
    page.get_by_role("slider", name="Chosen months").first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    page.get_by_role("slider", name="Period").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_text("in Luton, July 2007 to March 2008, compared with").first).to_be_visible()
    pick(page, "Crime", "Violence")
    page.keyboard.press("Escape")
    pick(page, "Measure", "Share of all")
    open_more(page)
    for name in ("Dallow", "Farley", "South", "Biscot"):
        pick(page, "Only these areas", name)
    pick(page, "Classes made by", "Equal steps")
    page.keyboard.press("Escape")
    pick(page, "Find an area", "Farley")
    expect(find_panel(page, "Farley")).to_be_visible()
    wait_until(page, lambda: read_fills(frame), lambda fills: list(fills.values()).count(LEFT_OUT) == WARDS - 4)
    expect(frame.get_by_text("Share of the partnership's incidents")).to_be_visible()
    page.wait_for_timeout(500)
    was = describe(page, frame)
    assert "Four classes" in was["legend"]
    page.get_by_role("button", name="Link").click()
    link = page.get_by_test_id("stCode").inner_text().strip()
    assert parse_qs(urlsplit(link).query) == parse_qs(urlsplit(page.url).query)

    context = browser.new_context(viewport={"width": 1280, "height": 720})
    fresh = context.new_page()
    watch.attach(fresh)
    fresh.goto(link)
    again = wait_for_page(fresh)
    expect(find_panel(fresh, "Farley")).to_be_visible()
    fresh.wait_for_timeout(500)
    assert describe(fresh, again) == was
    assert "Chosen months" in was["boxes"]
    context.close()


def test_whole_partnership_is_in_view_even_where_the_styles_come_late(page: Page, example: Server) -> None:
    held: list[Route] = []
    page.context.route(re.compile(r"cspmap-map\.css"), lambda route: held.append(route))
    page.goto(f"{example.url}/?level=ward&area=luton-dallow")
    wait_until(page, lambda: len(held), bool)
    page.wait_for_timeout(1000)
    held[0].continue_()
    frame = wait_for_page(page)
    expect(find_path(frame, "luton-dallow")).to_have_attribute("aria-pressed", "true")
    inside = """Object.values(map._layers).filter((one) => one.feature?.properties.code)
        .every((one) => map.getBounds().contains(one.getBounds()))"""
    assert ask_map(frame, inside)
    assert 10 < ask_map(frame, "map.getZoom()") < 14


def test_opening_the_further_filters_changes_nothing(page: Page, example: Server) -> None:
    query = {"level": "ward", "scheme": "equal-interval", "classes": "3", "areas": "luton-dallow,luton-south"}
    frame = open_page(page, example, **query)
    before = read_fills(frame)
    open_more(page)
    pick(page, "Only these areas", "Saints")
    expect(find_path(frame, "luton-saints")).not_to_have_attribute("fill", LEFT_OUT)
    assert list(read_fills(frame).values()).count(LEFT_OUT) == list(before.values()).count(LEFT_OUT) - 1 == WARDS - 3
    expect(page.get_by_role("combobox", name="Classes made by")).to_have_value("Equal steps")
    expect(frame.locator(".cspmap-legend p")).to_contain_text("Three classes")
    wait_until(page, lambda: "luton-saints" in page.url, bool)
    assert parse_qs(urlsplit(page.url).query)["classes"] == ["3"]


def test_browsers_back_button_and_a_changed_address_are_followed(page: Page, example: Server) -> None:
    frame = open_page(page, example, level="ward", area="luton-dallow")
    before = read_fills(frame)
    pick(page, "Measure", "Count")
    expect(frame.locator(".cspmap-legend summary")).to_have_text("Incidents")
    page.go_back()
    expect(frame.locator(".cspmap-legend summary")).to_have_text("Incidents per 1,000 residents, year to March 2008")
    expect(page.get_by_role("combobox", name="Measure")).to_have_value("Rate")
    assert read_fills(frame) == before
    expect(find_panel(page, "Dallow")).to_be_visible()
    page.goto(page.url.replace("luton-dallow", "luton-saints"))
    wait_for_page(page)
    expect(find_panel(page, "Saints")).to_be_visible()


def test_the_view_is_still_there_after_a_look_at_another_page(page: Page, example: Server) -> None:
    open_page(page, example, level="ward", area="luton-dallow", measure="count", period="2006-04..2007-03")
    page.get_by_role("link", name="Data").click()
    expect(page.get_by_role("heading", name="Levels")).to_be_visible()
    page.go_back()
    frame = wait_for_page(page)
    expect(find_panel(page, "Dallow")).to_be_visible()
    expect(frame.locator("path[data-code]")).to_have_count(WARDS)
    expect(page.get_by_text("Recorded incidents in Luton, year to March 2007").first).to_be_visible()
    expect(page.get_by_role("combobox", name="Measure")).to_have_value("Count")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"level": "parish"}, "The level asked for is 'parish', which is not held here; try"),
        ({"area": "<b>nowhere</b>"}, "The area asked for is '<b>nowhere</b>', which is not held here; try"),
        ({"period": "2030-01..2030-12"}, "but April 2003 to March 2008 is loaded; choose months within that."),
    ],
)
def test_bad_link_says_so_in_a_sentence_and_offers_a_way_on(
    query: dict[str, str], said: str, page: Page, example: Server
) -> None:
    page.goto(f"{example.url}/?{urlencode(query)}")
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text(said)
    expect(alert).to_have_count(1)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    page.get_by_role("button", name="Show all crime of the latest year instead").click()
    expect(wait_for_page(page).locator("path[data-code]")).to_have_count(HEXAGONS)
    expect(alert).to_have_count(0)


# ---- files -----------------------------------------------------------------------------------------------------------


def download(page: Page, button: str) -> dict[str, dict[str, Any]]:
    """The file behind a button, by the code of the area."""
    with page.expect_download() as waiting:
        page.get_by_test_id("stDownloadButton").get_by_role("button", name=button, exact=True).click()
    text = Path(waiting.value.path()).read_text("utf-8-sig")
    if button == "CSV":
        return dict(read_csv(text))
    collection = json.loads(text)
    assert NOTICE in collection["caveats"]
    return {item["properties"]["code"]: item for item in collection["features"]}


def test_downloads_agree_with_the_command_line(page: Page, example: Server, example_store: Path) -> None:
    open_page(page, example, level="ward", crime="violence", period="2006-04..2007-03")
    options = ("--level", "ward", "--crime", "violence", "--from", "2006-04", "--to", "2007-03")
    told = read_csv(extract(example_store, *options))
    rows = download(page, "CSV")
    assert rows.keys() == told.keys()
    for code, row in told.items():
        assert rows[code]["count"] == row["count"]
        assert float(rows[code]["rate"]) == pytest.approx(float(row["rate"]), abs=0.0006)
    outlines = json.loads(extract(example_store, *options, "--format", "geojson"))
    features = download(page, "GeoJSON")
    assert len(features) == len(outlines["features"]) == WARDS
    for item in outlines["features"]:
        feature = features[item["properties"]["code"]]
        assert feature["geometry"] == item["geometry"]
        assert feature["properties"]["count"] == item["properties"]["count"]


# ---- other hosts, other stores ---------------------------------------------------------------------------------------


def test_street_map_is_asked_for_only_when_chosen_and_its_failure_costs_nothing_else(
    page: Page, example: Server, watch: Watch
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).netloc))
    frame = open_page(page, example, level="ward")
    assert set(asked) <= {urlsplit(example.url).netloc, ""}
    watch.allow(TILE_HOST)
    page.context.route(f"https://{TILE_HOST}/**", lambda route: route.abort())
    open_more(page)
    page.get_by_text("Street map behind").click()
    expect(frame.get_by_text("© OpenStreetMap contributors")).to_be_visible()
    wait_until(page, lambda: TILE_HOST in asked, bool)
    assert set(asked) <= {urlsplit(example.url).netloc, "", TILE_HOST}
    page.keyboard.press("Escape")
    find_path(frame, "luton-dallow").click()
    expect(find_panel(page, "Dallow")).to_be_visible()


def test_texts_of_the_partnership_are_only_text(
    page: Page, serve_store: ServeStore, awkward_store: Path, awkward_place: str
) -> None:
    open_page(page, serve_store(awkward_store), level="ward", area="luton-dallow")
    expect(page.get_by_role("button", name=f"Back to {awkward_place}")).to_be_visible()
    expect(page.get_by_text(f"Recorded incidents in {awkward_place}, year to").first).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


def test_real_luton(page: Page, serve_store: ServeStore, shared_data: Path, tmp_path: Path) -> None:
    from cspmap.query import Query
    from cspmap.selection import Selection
    from cspmap.store import open_store

    store = tmp_path / "store"
    toml = ROOT / "docs" / "partnerships" / "luton.toml"
    subprocess.run(
        [*CSPMAP, "build", str(toml), "--data", str(shared_data), "--store", str(store)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    server = serve_store(store)
    frame = open_page(page, server)
    expect(frame.locator("path[data-code]")).to_have_count(125)
    expect(page.get_by_text("Recorded incidents in Luton, year to April 2024").first).to_be_visible()
    frame = open_page(page, server, level="ward")
    page.get_by_role("combobox", name="Find an area").fill("High T")
    page.keyboard.press("Enter")
    expect(find_panel(page, "High Town")).to_be_visible()
    opened = open_store(store)
    areas = Query(opened).count_areas(Selection.default(opened).change(level="ward"))
    figures = areas.set_index("name").loc["High Town"].to_dict()
    count, before, residents = figures["count"], figures["before"], figures["denominator"]
    expect(page.get_by_text(f"({before:,} to {count:,})")).to_be_visible()
    assert read_metrics(page)["Incidents"] == f"{count:,}"
    assert read_metrics(page)["per 1,000 residents"] == f"{1000 * count / residents:.1f}"
