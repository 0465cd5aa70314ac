"""The pages of targets in a real browser, on the bundled example served by `cspmap run`."""

from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from cspmap.analysis.targets import reconcile, resolve
from cspmap.sources.target_file import read_targets

from .conftest import ROOT, Server, ServeStore, Watch
from .test_explore_browser import LICENCE, NOTICE, SIZES, find_path, pick, read_csv, wait_until

pytestmark = pytest.mark.browser

LUTON = ROOT / "data" / "targets" / "luton-2005-08.csv"
NOVEMBER = {"as-at": "November 2007"}
GREEN, AMBER, RED = "#9CCFBE", "#F5DD90", "#E58E73"


def open_targets(page: Page, server: Server, name: str = "targets", **query: str) -> None:
    page.goto(f"{server.url}/{name}?{urlencode(query)}")
    expect(page.get_by_text(LICENCE)).to_be_attached()
    expect(page.get_by_test_id("stTabs").first).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


def open_map(page: Page, server: Server, **query: str) -> FrameLocator:
    open_targets(page, server, tab="Map", **query)
    frame = page.frame_locator("iframe")
    expect(frame.locator("path[data-code][aria-label]").first).to_be_visible()
    expect(page.locator(".st-key-filters")).to_be_visible()
    return frame


def read_address(page: Page) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def read_boxes(page: Page) -> list[str]:
    boxes: list[str] = page.get_by_role("combobox").evaluate_all("all => all.map((one) => one.value)")
    return boxes


def read_sheet(page: Page) -> list[str]:
    """The sentences of a sheet, each with its letter."""
    return [text for text in page.get_by_test_id("stMarkdown").all_inner_texts() if text[1:4] == " · "]


def save(page: Page, name: str, path: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    download.value.save_as(path)
    return path


# ---- what is seen ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("tab", ["Board", "Map", "Trajectories", "One area", "Funnel"])
def test_every_tab_fits_the_screen(tab: str, width: int, height: int, page: Page, example: Server) -> None:
    page.set_viewport_size({"width": width, "height": height})
    open_targets(page, example, tab=tab, **NOVEMBER)
    expect(page.get_by_text(NOTICE).first).to_be_visible()
    expect(page.get_by_text("Of 11 targets:").first).to_be_visible()
    expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
    shown = {
        "Board": page.get_by_test_id("stDataFrame").locator("canvas"),
        "Map": page.frame_locator("iframe").locator("path[data-code][aria-label]"),
        "Trajectories": page.get_by_test_id("stVegaLiteChart").locator("canvas, svg"),
        "One area": page.get_by_role("heading", name="Luton", exact=True),
        "Funnel": page.get_by_test_id("stVegaLiteChart").locator("canvas, svg"),
    }
    expect(shown[tab].first).to_be_attached()
    page.wait_for_timeout(300)
    for element in ("html", "[data-testid=stMain]"):
        assert page.locator(element).evaluate("one => one.scrollWidth - one.clientWidth") <= 0


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("part", ["Published targets", "Try out next year's"])
def test_setting_targets_fits_the_screen(part: str, width: int, height: int, page: Page, example: Server) -> None:
    page.set_viewport_size({"width": width, "height": height})
    open_targets(page, example, "set_targets", part=part)
    expect(page.get_by_test_id("stDataFrame").locator("canvas").first).to_be_attached()
    for element in ("html", "[data-testid=stMain]"):
        assert page.locator(element).evaluate("one => one.scrollWidth - one.clientWidth") <= 0


def test_the_board_of_the_whole_is_seen_without_scrolling(page: Page, example: Server) -> None:
    open_targets(page, example, **NOVEMBER)
    table = page.get_by_test_id("stDataFrame").first
    expect(table.locator("canvas").first).to_be_visible()
    box = table.bounding_box()
    assert box
    assert box["y"] + box["height"] <= 720


# ---- map -------------------------------------------------------------------------------------------------------------


def test_letters_are_on_the_map_and_those_of_the_sheet(page: Page, example: Server) -> None:
    frame = open_map(page, example, indicator="Robbery", **NOVEMBER)
    expect(frame.locator("path[data-code]")).to_have_count(5)
    labels = wait_until(page, frame.locator(".cspmap-label").all_inner_texts, lambda texts: len(texts) == 5)
    on_map = {name: letter for letter, name in (label.split("\n", 1) for label in labels)}
    sheet = {line.split(" · ")[1].split(":")[0]: line[0] for line in read_sheet(page)}
    assert sheet.keys() == {"Luton", "Central", "East", "North", "South", "West"}
    assert on_map == {name: letter for name, letter in sheet.items() if name != "Luton"}
    colours = {"G": GREEN, "A": AMBER, "R": RED}
    for name, letter in on_map.items():
        expect(find_path(frame, name.casefold())).to_have_attribute("fill", colours[letter])
    legend = frame.locator(".cspmap-legend").inner_text()
    for words in ("G: likely to be met", "A: could go either way", "R: unlikely to be met", "Robbery"):
        assert words in legend


def test_an_area_is_chosen_on_the_map_and_stays_in_the_address(page: Page, example: Server) -> None:
    frame = open_map(page, example, layer="Ward", **NOVEMBER)
    find_path(frame, "luton-dallow").click()
    expect(find_path(frame, "luton-dallow")).to_have_attribute("aria-pressed", "true")
    (line,) = wait_until(page, lambda: read_sheet(page), lambda lines: len(lines) == 1)
    assert " · Dallow:" in line
    wait_until(page, lambda: read_address(page).get("place"), lambda place: place == "Dallow")
    page.get_by_role("tab", name="One area").click()
    expect(page.get_by_role("heading", name="Dallow", exact=True)).to_be_visible()
    assert len(wait_until(page, lambda: read_sheet(page), lambda lines: len(lines) == 11)) == 11


# ---- links -----------------------------------------------------------------------------------------------------------


def test_a_link_restores_table_year_level_method_month_and_area(
    page: Page, browser: Browser, watch: Watch, example: Server
) -> None:
    open_targets(page, example)
    pick(page, "By the end of", "2006-07")
    expect(page.get_by_text("Luton by the end of March 2007").first).to_be_visible()
    pick(page, "Level", "Ward")
    wait_until(page, lambda: read_address(page).get("layer"), lambda level: level == "Ward")
    pick(page, "Shared out to areas", "By residents")
    wait_until(page, lambda: read_address(page).get("method"), lambda method: method == "By residents")
    pick(page, "As at", "August 2006")
    expect(page.get_by_text("as at August 2006").first).to_be_visible()
    page.get_by_role("tab", name="One area").click()
    expect(page.get_by_role("heading", name="Luton", exact=True)).to_be_visible()
    page.get_by_role("combobox", name="Area", exact=True).fill("Farley")
    page.get_by_role("option", name="Farley", exact=True).click()
    expect(page.get_by_role("heading", name="Farley", exact=True)).to_be_visible()
    wait_until(page, lambda: read_address(page).get("place"), lambda place: place == "Farley")
    was = wait_until(page, lambda: read_sheet(page), lambda lines: len(lines) == 11)
    boxes = read_boxes(page)
    assert read_address(page) == {
        "year": "2006-07", "layer": "Ward", "method": "By residents", "as-at": "August 2006", "tab": "One area",
        "place": "Farley",
    }  # fmt: skip

    context = browser.new_context(viewport={"width": 1280, "height": 720})
    fresh = context.new_page()
    watch.attach(fresh)
    fresh.goto(page.url)
    expect(fresh.get_by_role("heading", name="Farley", exact=True)).to_be_visible()
    assert wait_until(fresh, lambda: read_sheet(fresh), lambda lines: len(lines) == 11) == was
    assert wait_until(fresh, lambda: read_boxes(fresh), lambda found: len(found) == len(boxes)) == boxes
    context.close()


def test_another_year_has_its_own_months(page: Page, example: Server) -> None:
    open_targets(page, example, **NOVEMBER)
    pick(page, "By the end of", "2006-07")
    expect(page.get_by_text("Luton by the end of March 2007, as at March 2007").first).to_be_visible()
    pick(page, "Targets", "Luton divisional policing plan 2005-06")
    expect(page.get_by_text("Luton by the end of March 2006, as at March 2006").first).to_be_visible()
    expect(page.get_by_text("Not measured by recorded crime").first).to_be_visible()


def test_coming_from_another_page_and_back_is_no_error(page: Page, example: Server) -> None:
    open_targets(page, example, layer="Ward", tab="Map", **NOVEMBER)
    page.get_by_role("link", name="Explore").click()
    expect(page.get_by_role("combobox", name="Measure")).to_be_visible()
    page.get_by_role("link", name="Targets", exact=True).click()
    expect(page.get_by_text("Of 11 targets:").first).to_be_visible()
    page.get_by_role("link", name="Set targets").click()
    expect(page.get_by_role("heading", name="Does it add up?")).to_be_visible()


def test_missing_months_are_told(page: Page, serve_store: ServeStore, awkward_store: Path) -> None:
    open_targets(page, serve_store(awkward_store), year="2005-06")
    expect(page.get_by_text("No month of the year to March 2006 is loaded, only").first).to_be_visible()
    expect(page.get_by_text("Of 55 targets: 55 not to be said (?).")).to_be_visible()


# ---- files -----------------------------------------------------------------------------------------------------------


def test_the_board_as_a_file_has_its_sources(page: Page, example: Server, tmp_path: Path) -> None:
    open_targets(page, example, **NOVEMBER)
    text = save(page, "CSV", tmp_path / "board.csv").read_text("utf-8")
    assert text.count("\n") == 67
    header = text.splitlines()[0].split(",")
    assert {"document", "page", "how", "months_missing", "as_at", "caveats"} <= set(header)


def test_published_targets_load_back_as_printed_and_as_recomputed(page: Page, example: Server, tmp_path: Path) -> None:
    open_targets(page, example, "set_targets")
    expect(page.get_by_text("36 places where the printed table does not agree with itself.")).to_be_visible()
    printed = read_targets(LUTON)
    assert read_targets(save(page, "Use as printed", tmp_path / "printed.csv")) == printed
    recomputed = read_targets(save(page, "Use as recomputed", tmp_path / "recomputed.csv"))
    assert recomputed == resolve(printed, use="recomputed") != printed


def test_targets_tried_out_load_back_and_add_up(page: Page, example: Server, tmp_path: Path) -> None:
    open_targets(page, example, "set_targets", part="Try out next year's", layer="Ward", percent="20")
    expect(page.get_by_text("Draft targets, year to March 2009")).to_be_visible()
    pick(page, "Shared out to areas", "Narrowing the gap")
    wait_until(page, lambda: read_address(page).get("method"), lambda method: method == "Narrowing the gap")
    expect(page.get_by_text("Draft targets, year to March 2009, narrowing the gap")).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    page.wait_for_timeout(500)
    path = save(page, "Targets file", tmp_path / "draft.csv")
    table = read_targets(path)
    # The whole and 19 wards, those too small for a target each by their names together.
    for indicator in table.indicators:
        areas = [name for target in table.select(indicator=indicator.key) for name in target.area.name.split(" + ")]
        assert len(set(areas)) == len(areas) == 20
    assert not [fault for fault in reconcile(table) if fault.kind.endswith("-sum")]
    assert "narrowing the gap" in (table.targets[1].note or "")
    assert len(read_csv(path.read_text("utf-8").replace("indicator,", "code,", 1))) == 11
