"""Take the screenshots of the README: `python docs/take_screenshots.py`, with the test extra and Chromium installed.

Every page of the bundled example, and of nothing else, as docs/screenshots/NAME.png.
"""

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from cspmap.operations import (
    OPERATIONS_VARIABLE,
    Action,
    CrimeGoal,
    Operation,
    Operations,
    SurveyGoal,
    Units,
    find_url,
)

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
CSPMAP = [sys.executable, "-c", "from cspmap.cli import main; main()"]
START_SECONDS = 60
LARGEST = 250_000  # bytes


# An operation on simulated incidents: what is said of it is what the sheet makes of them.
OCTANS = Operation(
    "Octans",
    id="0" * 32,
    aim="Fewer robberies, and people who feel safer",
    lead="Sgt Ames",
    status="ended",
    start=date(2006, 4, 1),
    end=date(2007, 3, 31),
    area=Units("ward", ("luton-dallow", "luton-south")),
    goals=(CrimeGoal(("robbery",), -20.0), SurveyGoal("Feel safe after dark", "at least", 50.0)),
    actions=(Action("Light the footpath to the station", "Council", date(2006, 6, 30), "done"),),
)


class Shot(NamedTuple):
    """One screenshot: its name, the address within the dashboard, the size of the window, and what to wait for."""

    name: str
    path: str
    width: int
    height: int
    shown: Literal["map", "chart", "table", "meeting"] = "map"


SHOTS = (
    Shot("explore", "/", 1920, 1080),
    Shot("explore-ward", "/?level=ward&area=luton-dallow", 1280, 720),
    Shot("explore-change", "/?level=ward&measure=change", 1280, 720),
    Shot("explore-phone", "/?level=ward", 390, 844),
    Shot("targets", "/targets?as-at=November%202007", 1280, 720, "table"),
    Shot("targets-map", "/targets?tab=Map&layer=Ward&as-at=November%202007&place=Dallow", 1280, 860),
    Shot("targets-trajectories", "/targets?tab=Trajectories&as-at=November%202007", 1280, 720, "chart"),
    Shot("set-targets", "/set_targets?part=Try%20out%20next%20year%27s", 1280, 720, "table"),
    Shot("hotspots", "/hotspots?months=January+2007&months=December+2007", 1280, 720),
    Shot("deprivation", "/deprivation?level=Ward", 1280, 720),
    Shot("focus", "/focus?level=ward&crime=robbery&areas=luton-dallow%2Cluton-south", 1280, 720),
    Shot("operations", f"/operations?operation={OCTANS.id}", 1280, 900, "chart"),
    Shot("compare", "/compare", 1280, 720, "chart"),
    Shot("perceptions", "/perceptions", 1280, 720, "chart"),
    Shot("priorities", "/priorities", 1280, 720, "table"),
    Shot("meeting", "/meeting", 1920, 1080, "meeting"),
    Shot("data", "/data", 1280, 720, "chart"),
)


def main() -> None:
    """Build the example's store aside, serve it, and write a picture of every page."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("No Chromium on this machine; install it, then run this again.")
    FOLDER.mkdir(exist_ok=True)
    with serve_example() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for shot in SHOTS:
            picture = shrink(take(browser, url, shot))
            if len(picture) > LARGEST:
                sys.exit(f"{shot.name}.png has {len(picture):,} bytes, more than {LARGEST:,}.")
            (FOLDER / f"{shot.name}.png").write_bytes(picture)
            print(f"{shot.name}.png: {len(picture):,} bytes")
        browser.close()


@contextmanager
def serve_example() -> Iterator[str]:
    """The address of a dashboard on the bundled example, its store built in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        # Beside the store of this folder, so that nobody's own operations are shown.
        environment.pop(OPERATIONS_VARIABLE, None)
        build = [*CSPMAP, "build", str(ROOT / "data" / "partnership.toml"), "--store", str(store)]
        subprocess.run(build, env=environment, check=True, stdout=subprocess.DEVNULL, timeout=120)
        Operations.open(find_url(store)).save_operation(OCTANS, who="Example")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        run = [*CSPMAP, "run", "--store", str(store), "--port", str(port), "--no-browser"]
        process = subprocess.Popen(run, env=environment, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for(port: int) -> None:
    """Return once the dashboard listens; stop with a sentence where it does not in time."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    sys.exit(f"The dashboard did not answer within {START_SECONDS} s.")


def take(browser: Browser, url: str, shot: Shot) -> bytes:
    """A picture of the page once its map, charts and typeface are there."""
    page = browser.new_page(viewport={"width": shot.width, "height": shot.height})
    page.set_default_timeout(30_000)
    page.goto(url + shot.path)
    shown = {
        "map": page.frame_locator("iframe").locator("path[data-code][aria-label]"),
        "chart": page.get_by_test_id("stVegaLiteChart").first.locator("canvas, svg"),
        "table": page.get_by_test_id("stDataFrame").locator("canvas"),
        "meeting": page.locator(".picture svg"),
    }
    shown[shot.shown].first.wait_for()
    page.get_by_text("Store version").wait_for(state="attached")
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(1500)
    picture = page.screenshot()
    page.close()
    return picture


def shrink(picture: bytes) -> bytes:
    """The same PNG in 256 colours: flat areas and text lose nothing that the eye would miss."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    out = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    main()
