"""The operations page in a real browser: saving, a link in another browser, two who change one operation at once."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from cspmap.operations import CrimeGoal, Operation, Operations, Outline, Units, find_url

from .conftest import Server, Watch

pytestmark = pytest.mark.browser

SIZES = [(1920, 1080), (1280, 720), (390, 844)]
CORNERS = ((-0.43, 51.88), (-0.41, 51.88), (-0.41, 51.89), (-0.43, 51.88))
HOSTILE = "Oc*t*ans <img src=x onerror=document.title='taken'> {{ 7*7 }} </script>"
ROBBERY = Operation(
    "Robbery in Dallow",
    lead="Sgt Ames",
    status="ended",
    area=Units("ward", ("luton-dallow",)),
    start=date(2006, 4, 1),
    end=date(2007, 3, 31),
    buffer_metres=250.0,
    comparison_areas=(Units("ward", ("luton-wigmore",)),),
    goals=(CrimeGoal(("robbery",), -10.0),),
)


@pytest.fixture
def kept(example_store: Path) -> Operations:
    """The database that the example's dashboard serves."""
    return Operations.open(find_url(example_store))


@pytest.fixture
def other(browser: Browser, watch: Watch) -> Iterator[Page]:
    """A page in another browser, that shares nothing with the first."""
    with open_context(browser, watch) as page:
        yield page


@contextmanager
def open_context(browser: Browser, watch: Watch, size: tuple[int, int] = (1280, 720)) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, service_workers="block")
    context.set_default_timeout(20_000)
    page = context.new_page()
    watch.attach(page)
    yield page
    context.close()


def open_sheet(page: Page, server: Server, operation: Operation, query: str = "") -> None:
    page.goto(f"{server.url}/operations?operation={operation.id}{query}")
    expect(page.get_by_role("heading", name=operation.name, exact=True)).to_be_visible()
    expect(page.get_by_text("Store version")).to_be_attached()


def find_headline(page: Page) -> Locator:
    return page.get_by_role("heading", level=5)


def begin_change(page: Page) -> None:
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_visible()


def write(page: Page, label: str, text: str) -> None:
    box = page.get_by_role("textbox", name=label, exact=True)
    box.fill(text)
    box.press("Tab")


def save(page: Page, who: str) -> None:
    write(page, "Your name", who)
    page.get_by_role("button", name="Save", exact=True).click()


def test_operation_is_made_and_its_link_opens_elsewhere(
    page: Page, other: Page, example: Server, kept: Operations
) -> None:
    page.goto(f"{example.url}/operations")
    page.get_by_role("button", name="New operation").click()
    write(page, "Name", "Octans by hand")
    areas = page.get_by_role("combobox", name="Areas", exact=True)
    areas.fill("Dallow")
    page.get_by_role("option", name="Dallow", exact=True).click()
    # What lies beside an open list cannot be reached.
    areas.press("Escape")
    page.get_by_role("button", name="Add crime types").click()
    expect(page.get_by_role("combobox", name="Crime types together")).to_be_visible()
    save(page, "Sgt Cole")
    expect(page.get_by_text("Octans by hand is saved.")).to_be_visible()
    expect(page.get_by_role("heading", name="Octans by hand")).to_be_visible()
    (saved,) = (each for each in kept.list_operations() if each.name == "Octans by hand")
    assert saved.area == Units("ward", ("luton-dallow",))
    page.get_by_role("button", name="Link").click()
    link = page.locator("code").inner_text()
    assert link == f"{example.url}/operations?operation={saved.id}"
    other.goto(link)
    expect(other.get_by_role("heading", name="Octans by hand")).to_be_visible()
    # It has no start yet, and says so.
    expect(other.get_by_text("Nothing to judge yet")).to_be_visible()


def test_sheet_tells_results_and_its_link_keeps_the_comparison(
    page: Page, other: Page, example: Server, kept: Operations
) -> None:
    saved = kept.save_operation(replace(ROBBERY, id="a" * 32), who="Sgt Ames")
    open_sheet(page, example, saved)
    expect(find_headline(page)).to_contain_text("Robbery: too few to tell")
    expect(page.locator("iframe").content_frame.locator("path[data-code]").first).to_be_attached()
    page.get_by_role("combobox", name="Compared with").click()
    page.get_by_role("option", name="Places most alike before").click()
    page.wait_for_url("**against=alike**")
    expect(find_headline(page)).to_contain_text("Robbery: no clear effect.")
    other.goto(page.url)
    expect(find_headline(other)).to_have_text(find_headline(page).inner_text())
    assert other.get_by_role("combobox", name="Compared with").input_value() == "Places most alike before"


def test_what_was_typed_is_there_again_after_another_page(page: Page, example: Server, kept: Operations) -> None:
    saved = kept.save_operation(replace(ROBBERY, id="f" * 32, name="Looked up"), who="Sgt Ames")
    open_sheet(page, example, saved)
    begin_change(page)
    write(page, "Lead", "Insp. Bell")
    page.get_by_role("link", name="Data").click()
    expect(page.get_by_role("heading", name="Looked up")).to_be_hidden()
    expect(page.get_by_text("Store version")).to_be_attached()
    page.get_by_role("link", name="Operations").click()
    expect(page.get_by_role("textbox", name="Lead", exact=True)).to_have_value("Insp. Bell")
    save(page, "Insp. Bell")
    expect(page.get_by_text("Looked up is saved.")).to_be_visible()
    assert kept.read_operation(saved.id).lead == "Insp. Bell"


def test_of_two_changes_at_once_none_is_lost(page: Page, other: Page, example: Server, kept: Operations) -> None:
    saved = kept.save_operation(replace(ROBBERY, id="b" * 32, name="Both at once"), who="Sgt Ames")
    for each in (page, other):
        open_sheet(each, example, saved)
        begin_change(each)
    write(page, "Lead", "Insp. Bell")
    save(page, "Insp. Bell")
    expect(page.get_by_text("Both at once is saved.")).to_be_visible()
    write(other, "Aim", "Fewer robberies")
    save(other, "Sgt Cole")
    expect(other.get_by_text('Insp. Bell saved "Both at once" at')).to_be_visible()
    expect(other.get_by_text("the two now differ in aim and lead")).to_be_visible()
    for said in ("Fewer robberies", "Insp. Bell's"):
        expect(other.get_by_text(said).first).to_be_visible()
    assert kept.read_operation(saved.id).aim == ""
    other.get_by_role("button", name="Save as chosen").click()
    expect(other.get_by_text("Both at once is saved.")).to_be_visible()
    now = kept.read_operation(saved.id)
    assert (now.aim, now.lead, now.version) == ("Fewer robberies", "Insp. Bell", 3)
    other.get_by_role("tab", name="History").click()
    expect(other.get_by_text("Sgt Cole, ")).to_be_visible()
    expect(other.get_by_text(": changed lead")).to_be_visible()


def test_all_operations_are_on_one_map_and_open_from_it(page: Page, example: Server, kept: Operations) -> None:
    saved = kept.save_operation(
        Operation(HOSTILE, id="c" * 32, area=Outline(((CORNERS,),)), notes=HOSTILE), who=HOSTILE
    )
    page.goto(f"{example.url}/operations")
    frame = page.locator("iframe").content_frame
    place = frame.locator(f'path[data-code="{saved.id}"]')
    expect(place).to_be_visible()
    place.focus()
    place.press("Enter")
    expect(page.get_by_role("heading", name=HOSTILE, exact=True)).to_be_visible()
    page.wait_for_url(f"**operation={saved.id}**")
    assert page.title() != "taken"


def test_file_holds_what_the_page_shows(page: Page, example: Server, kept: Operations) -> None:
    saved = kept.save_operation(replace(ROBBERY, id="d" * 32, name="In a file"), who="Sgt Ames")
    page.goto(f"{example.url}/operations")
    with page.expect_download() as download:
        page.get_by_role("button", name="GeoJSON").click()
    features = json.loads(Path(download.value.path()).read_text("utf-8"))["features"]
    (mine,) = (feature for feature in features if feature["id"] == saved.id)
    assert mine["properties"]["area"] == {"kind": "units", "level": "ward", "codes": ["luton-dallow"]}
    assert mine["geometry"]["type"] == "Polygon"


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_screen(
    browser: Browser, watch: Watch, example: Server, kept: Operations, size: tuple[int, int]
) -> None:
    saved = kept.save_operation(replace(ROBBERY, id="e" * 32, name="On every screen"), who="Sgt Ames")
    with open_context(browser, watch, size) as page:
        open_sheet(page, example, saved)
        expect(find_headline(page)).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= size[0]
        begin_change(page)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= size[0]
    assert watch.faults == []
