"""What a viewer waits for, in a real browser: the first map, a filter, an area's panel."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.processes import Server, command_line, serve
from benchmarks.setting import Benchmark, Setting
from benchmarks.table import Figure, Row

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAIVE_PAGE = Path(__file__).parent / "naive_page.py"
STARTS, NAIVE_STARTS = 5, 3
CLICKS, NAIVE_CLICKS = 20, 5
# Each link opens other months, so that no filter after it has been worked out for anybody before.
LINKS = ("2023-05..2024-04", "2023-02..2024-01", "2022-08..2023-07")
# Rare types first, so that each one more changes colours.
KINDS = ("Bicycle theft", "Robbery", "Drugs", "Burglary", "Other theft", "Public order", "Vehicle crime", "Shoplifting")
NAIVE_KINDS = KINDS[:5]
TIMEOUT = 60_000

# Areas that are drawn: at least this many (the LSOAs of Luton are 125), each with its colour.
LEAST = 120

# `read()` gives the areas' colours once all are drawn, else null. Both dashboards draw areas with Leaflet in a frame.
READ = f"""() => {{
  for (const frame of document.querySelectorAll("iframe")) {{
    const areas = [...(frame.contentDocument?.querySelectorAll("path.leaflet-interactive") ?? [])];
    if (areas.length >= {LEAST} && frame.getBoundingClientRect().height > 100
        && areas.every((area) => area.getAttribute("fill"))) {{
      return areas.map((area) => area.getAttribute("fill")).join();
    }}
  }}
  return null;
}}"""

# Presses an option of an open list; milliseconds from there until all areas are drawn and their colours differ.
PICK = f"""(text) => new Promise((done) => {{
  const read = {READ}, before = read(), begin = performance.now();
  [...document.querySelectorAll("[role=option]")].find((option) => option.textContent.trim() === text).click();
  const look = () => {{
    const colours = read();
    if (colours !== null && colours !== before) requestAnimationFrame(() => done(performance.now() - begin));
    else if (performance.now() - begin > {TIMEOUT}) done(-1);
    else setTimeout(look, 2);
  }};
  look();
}})"""

# Clicks on the area of a number; milliseconds from there until the heading differs and the whole panel has come.
CLICK = f"""(number) => new Promise((done) => {{
  const frame = [...document.querySelectorAll("iframe")].find((frame) =>
    frame.contentDocument?.querySelectorAll("path.leaflet-interactive").length >= {LEAST});
  const area = frame.contentDocument.querySelectorAll("path.leaflet-interactive")[number];
  const box = area.getBoundingClientRect(), view = frame.contentWindow;
  const heading = () => document.querySelector("h3")?.textContent, before = heading(), begin = performance.now();
  area.dispatchEvent(new view.MouseEvent("click", {{
    bubbles: true, view, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2,
  }}));
  const come = () => document.querySelector('[data-test-script-state="notRunning"]');
  const look = () => {{
    if (heading() && heading() !== before && come()) requestAnimationFrame(() => done(performance.now() - begin));
    else if (performance.now() - begin > {TIMEOUT}) done(-1);
    else setTimeout(look, 2);
  }};
  look();
}})"""


@contextmanager
def open_browser(setting: Setting) -> "Iterator[Browser]":
    """One headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=setting.chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@contextmanager
def open_page(browser: "Browser") -> "Iterator[Page]":
    """A page with an empty cache of its own, the size of a projector's picture."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    context.set_default_timeout(TIMEOUT)
    yield context.new_page()
    context.close()


def serve_ours(setting: Setting) -> AbstractContextManager[Server]:
    """`cspmap run` on the store of real Luton."""
    command = command_line("run", "--store", str(setting.store), "--no-browser", "--port", "{port}")
    return serve(command, setting.folder / "server.log")


def serve_naive(setting: Setting) -> AbstractContextManager[Server]:
    """The naive page."""
    options = ("--server.address=127.0.0.1", "--server.port={port}", "--server.headless=true")
    return serve(
        [sys.executable, "-m", "streamlit", "run", str(NAIVE_PAGE), *options],
        setting.folder / "naive.log",
        {"CSPMAP_NAIVE_DATA": str(setting.data)},
    )


def measure_first_map(setting: Setting) -> list[Figure]:
    """Process start to the first map, and server healthy to the first map; a fresh server every time."""
    with open_browser(setting) as browser:
        _time_first_map(browser, serve_ours(setting))
        ours = [_time_first_map(browser, serve_ours(setting)) for _ in range(STARTS)]
        naive = [_time_first_map(browser, serve_naive(setting)) for _ in range(NAIVE_STARTS)]
    return [Figure.middle([time[number] for time in ours], [time[number] for time in naive]) for number in range(2)]


def _time_first_map(browser: "Browser", serving: AbstractContextManager[Server]) -> tuple[float, float]:
    with open_page(browser) as page, serving as server:
        page.goto(server.url, wait_until="commit")
        page.wait_for_function(READ, polling="raf")
        seen = time.perf_counter()
        return seen - server.healthy, seen - server.started


def measure_filter(setting: Setting) -> list[Figure]:
    """Picking one more crime type in the open list, until the map has its new colours."""
    with open_browser(setting) as browser:
        with serve_ours(setting) as server, open_page(browser) as page:
            ours = [
                taken
                for months in LINKS
                for taken in time_filters(page, f"{server.url}/?period={months}&level=lsoa21", KINDS)
            ]
        with serve_naive(setting) as server, open_page(browser) as page:
            naive = time_filters(page, server.url, NAIVE_KINDS)
    return [Figure.middle(ours, naive)]


def time_filters(page: "Page", url: str, kinds: Sequence[str]) -> list[float]:
    """Milliseconds from picking each crime type, one more after the other, until the map has its new colours."""
    _open_map(page, url)
    return [_time_filter(page, kind) for kind in kinds]


def _time_filter(page: "Page", kind: str) -> float:
    # Typed as well, as a long list holds only the options that are in view.
    page.locator('[data-testid="stMultiSelect"]:has-text("Crime") input').fill(kind)
    page.get_by_role("option", name=kind, exact=True).wait_for()
    page.wait_for_timeout(150)
    taken = _evaluate(page, PICK, kind)
    page.wait_for_timeout(600)
    return taken


def measure_click(setting: Setting) -> list[Figure]:
    """A click on an area, until its whole panel is there."""
    with open_browser(setting) as browser:
        with serve_ours(setting) as server, open_page(browser) as page:
            ours = _time_clicks(page, server.url, CLICKS)
        with serve_naive(setting) as server, open_page(browser) as page:
            naive = _time_clicks(page, server.url, NAIVE_CLICKS)
    return [Figure.middle(ours, naive)]


def _time_clicks(page: "Page", url: str, times: int) -> list[float]:
    _open_map(page, url)
    taken = []
    for number in range(times):
        taken.append(_evaluate(page, CLICK, 5 * number))
        page.wait_for_timeout(600)
    return taken


def _open_map(page: "Page", url: str) -> None:
    page.goto(url)
    page.wait_for_function(READ, polling=100)
    # What the page loads after its map must not count as the first filter's or click's time.
    page.wait_for_timeout(2000)


def _evaluate(page: "Page", script: str, argument: Any) -> float:
    taken = float(page.evaluate(script, argument))
    if taken < 0:
        raise RuntimeError(f"nothing changed on the page within {TIMEOUT / 1000:.0f} s ({argument})")
    return taken


_NAIVE = (
    "Naive way: a Streamlit page that on every run reads the zip, joins with geopandas.sjoin, and draws a new "
    "folium.Map through st_folium"
)

BENCHMARKS = (
    Benchmark(
        name="first-map",
        rows=(
            Row("cold server to first map seen, LSOA level", "s", 2.0),
            Row("the same, from the start of the process", "s"),
        ),
        how="`cspmap run` on real Luton started afresh; from its health check's first answer until a browser with an "
        "empty cache has drawn every area in its colour (the browser itself is running by then); median of "
        f"{STARTS}. {_NAIVE}; median of {NAIVE_STARTS}.",
        measure=measure_first_map,
    ),
    Benchmark(
        name="filter",
        rows=(Row("filter to redrawn map in the browser, LSOA level", "ms", 200),),
        how="one more crime type picked from the open list, from the press until every area is drawn and the colours "
        f"are new; median of {len(LINKS) * len(KINDS)}, each a selection that the server has not worked out before. "
        f"{_NAIVE}; the same press, median of {len(NAIVE_KINDS)}.",
        measure=measure_filter,
    ),
    Benchmark(
        name="click",
        rows=(Row("click on an area to its panel", "ms", 450),),
        how="from the click on an area until its panel is there whole (its name as the heading, and the page's run "
        f"finished); median of {CLICKS}. {_NAIVE}; median of {NAIVE_CLICKS}.",
        measure=measure_click,
    ),
)
