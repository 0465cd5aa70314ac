"""A real browser, an app for it, and a page that fails its test on a request elsewhere or an error."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
CSPMAP = [sys.executable, "-c", "from cspmap.cli import main; main()"]

# On a page other than the first, Streamlit's client looks for its server below the page's own address before it looks
# at the root; the browser reports that first look as an error.
FIRST_LOOK = re.compile(r"/[a-z_]+/_stcore/(health|host-config)$")


@dataclass(frozen=True)
class Server:
    """A running app: its address on the loopback interface, and the file that holds what it printed."""

    url: str
    log: Path


StartApp = Callable[..., Server]
ServeStore = Callable[[Path], Server]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for all tests."""
    if CHROMIUM is None:
        if os.environ.get("CSPMAP_NEED_BROWSER") == "1":
            pytest.fail("CSPMAP_NEED_BROWSER is set, and there is no Chromium on this machine")
        pytest.skip("no Chromium on this machine: the browser tests were not run")
    # A machine that has other things to do at the same time is slow, not wrong.
    expect.set_options(timeout=45_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def start_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartApp]:
    """Starts Streamlit apps, `start_app(script, environment={...}, options=(...))`, and ends them afterwards."""
    with ExitStack() as running:

        def start(
            script: Path, *, environment: dict[str, str] | None = None, options: tuple[str, ...] = (), path: str = ""
        ) -> Server:
            port = find_port()
            command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}", *options]
            log = tmp_path_factory.mktemp("server") / "log.txt"
            url = f"http://127.0.0.1:{port}{path}"
            return running.enter_context(_serve(command, url, log, cwd=ROOT, environment=environment or {}))

        yield start


@pytest.fixture(scope="session")
def serve_store(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeStore]:
    """Serves stores as a user does, by `cspmap run` from an empty folder, and ends the servers afterwards."""
    with ExitStack() as running:

        def serve(store: Path) -> Server:
            port, home = find_port(), tmp_path_factory.mktemp("home")
            (home / "empty").mkdir()
            arguments = ("run", "--store", str(store), "--port", str(port), "--no-browser")
            return running.enter_context(
                _serve(
                    [*CSPMAP, *arguments],
                    f"http://127.0.0.1:{port}",
                    home / "log.txt",
                    cwd=home / "empty",
                    environment={"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")},
                )
            )

        yield serve


@pytest.fixture(scope="session")
def example(serve_store: ServeStore, example_store: Path) -> Server:
    """The bundled example's dashboard."""
    return serve_store(example_store)


@dataclass
class Watch:
    """What a page did that a page of ours must not do. A test may `allow` hosts that it asks for on purpose."""

    server: set[str]
    allowed: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def allow(self, host: str) -> None:
        self.allowed.add(host)

    def attach(self, page: Page) -> None:
        page.on("request", lambda request: self._see_request(request.url))
        page.on("websocket", lambda websocket: self._see_request(websocket.url))
        page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        page.on(
            "console",
            lambda message: self._see_console(message.type, message.text, message.location.get("url", "")),
        )

    def _see_request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"data", "blob", "about"} or parts.netloc in self.allowed:
            return
        # The first address that a test opens is its server; everything else must be on it.
        if not self.server:
            self.server.add(parts.netloc)
        if parts.netloc not in self.server:
            self.faults.append(f"request to another host: {url}")

    def _see_console(self, kind: str, text: str, url: str) -> None:
        if kind == "error" and urlsplit(url).netloc not in self.allowed and not FIRST_LOOK.search(url):
            self.faults.append(f"console error: {text} ({url})")


@pytest.fixture
def watch() -> Watch:
    return Watch(set())


@pytest.fixture
def page(browser: Browser, watch: Watch) -> Iterator[Page]:
    """A fresh page, 1280 by 720, with its own cache. Its test fails on any fault in `watch`."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, service_workers="block")
    context.set_default_timeout(20_000)
    page = context.new_page()
    watch.attach(page)
    yield page
    context.close()
    assert watch.faults == []


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def _serve(command: list[str], url: str, log: Path, *, cwd: Path, environment: dict[str, str]) -> Iterator[Server]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for_health(f"{url}/_stcore/health", process, log)
        yield Server(url, log)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for_health(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"the app ended at once:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"the app did not answer within {START_SECONDS} s:\n{log.read_text()}")
