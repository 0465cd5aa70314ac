"""The priorities page in a real browser: ranking, weights in the link, and two people who decide at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from cspmap.operations import Operations, find_url
from cspmap.periods import Span

from .conftest import Server, Watch
from .test_explore_browser import LICENCE, NOTICE, SIZES, pick, wait_until

pytestmark = pytest.mark.browser

YEAR = Span.parse("2007-04..2008-03")
HOSTILE = "Low <img src=x onerror=document.title='taken'> *harm* $x$"


def open_priorities(page: Page, server: Server, **query: str) -> None:
    page.goto(f"{server.url}/priorities?{urlencode(query)}")
    expect(page.get_by_text(LICENCE)).to_be_attached()
    expect(page.get_by_text("A score orders the talk; the group decides.")).to_be_attached()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


def read_order(page: Page) -> list[str]:
    """The categories in the order of the sentences."""
    expect(page.get_by_test_id("stMarkdown").locator("li > strong").first).to_be_attached(timeout=60_000)
    return page.get_by_test_id("stMarkdown").locator("li > strong").all_inner_texts()


def fill(page: Page, label: str, text: str) -> None:
    box = page.get_by_role("textbox", name=label)
    box.fill(text)
    box.press("Tab")
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


def decide(page: Page, *, choice: str, reason: str, who: str) -> None:
    page.get_by_role("radio", name=choice, exact=True).click()
    fill(page, "Reason, for the record", reason)
    fill(page, "Your name", who)


@contextmanager
def open_other(browser: Browser, watch: Watch) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, service_workers="block")
    context.set_default_timeout(20_000)
    page = context.new_page()
    watch.attach(page)
    yield page
    context.close()


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("tab", ["Ranking", "Decide", "Published charts"])
def test_every_tab_fits_the_screen(tab: str, width: int, height: int, page: Page, example: Server) -> None:
    page.set_viewport_size({"width": width, "height": height})
    open_priorities(page, example, tab=tab)
    expect(page.get_by_text(NOTICE).first).to_be_visible()
    expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
    shown = {
        "Ranking": page.get_by_test_id("stDataFrame").locator("canvas"),
        "Decide": page.get_by_role("textbox", name="Reason, for the record"),
        "Published charts": page.get_by_test_id("stDataFrame").locator("canvas"),
    }
    expect(shown[tab].first).to_be_attached()
    page.wait_for_timeout(300)
    for element in ("html", "[data-testid=stMain]"):
        assert page.locator(element).evaluate("one => one.scrollWidth - one.clientWidth") <= 0


def test_weights_change_the_order_and_are_in_the_link(
    page: Page, browser: Browser, watch: Watch, example: Server
) -> None:
    open_priorities(page, example)
    assert read_order(page)[0] == "Theft from Vehicle."
    page.get_by_role("button", name="Weights").click()
    slider = page.get_by_role("slider", name="Volume")
    slider.focus()
    slider.press("End")
    order = wait_until(page, lambda: read_order(page), lambda found: found[0] == "Criminal Damage.")
    wait_until(page, lambda: parse_qs(urlsplit(page.url).query).get("weight-volume"), bool)
    with open_other(browser, watch) as fresh:
        fresh.goto(page.url)
        expect(fresh.get_by_text("A score orders the talk")).to_be_attached()
        assert wait_until(fresh, lambda: read_order(fresh), lambda found: found == order) == order


def test_two_who_decide_at_once_lose_nothing(
    page: Page, browser: Browser, watch: Watch, example: Server, example_store: Path
) -> None:
    decisions = Operations.open(find_url(example_store)).decisions
    with open_other(browser, watch) as other:
        for one in (page, other):
            open_priorities(one, example, tab="Decide")
            pick(one, "Category to decide on", "Robbery")
            expect(one.get_by_text("Nothing has been set for this category and year yet.")).to_be_visible()
        decide(page, choice="Include", reason=HOSTILE, who="Ann")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        decide(other, choice="Exclude", reason="Falling", who="Ben")
        other.get_by_role("button", name="Save", exact=True).click()
        expect(other.get_by_text("Ann saved this category at").first).to_be_visible()
        expect(other.get_by_text(f"Theirs: Include ({HOSTILE}).")).to_be_visible()
        expect(other.get_by_role("textbox", name="Reason, for the record")).to_have_value("Falling")
        assert decisions.read_year(YEAR)["robbery"].who == "Ann"
        other.get_by_role("button", name="Save mine after theirs").click()
        expect(other.get_by_text("Saved.")).to_be_visible()
        assert other.title() != "taken"
    history = decisions.read_history("robbery", YEAR)
    assert [(each.who, each.choice, each.reason) for each in history] == [
        ("Ben", "exclude", "Falling"),
        ("Ann", "include", HOSTILE),
    ]


def test_the_chart_as_a_file(page: Page, example: Server, tmp_path: Path) -> None:
    open_priorities(page, example)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    download.value.save_as(tmp_path / "chart.csv")
    lines = (tmp_path / "chart.csv").read_text("utf-8").splitlines()
    assert len(lines) == 11
    assert {"sentence", "weight_known", "part_trend", "choice", "year", "caveats"} <= set(lines[0].split(","))


def test_the_published_chart_has_its_source(page: Page, example: Server) -> None:
    open_priorities(page, example, tab="Published charts")
    expect(page.get_by_text("Central Bedfordshire scanning chart 2009")).to_be_visible()
    expect(page.get_by_text('section "Priorities and delivery"')).to_be_visible()
