"""The built wheel by itself: installed where no checkout is, it serves the bundled example to this machine alone."""

import os
import socket
import subprocess
import sys
import sysconfig
import time
import tomllib
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 90


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel: its Python, its command, and an empty folder to start from."""

    python: Path
    command: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Of a user who has never run cspmap nor Streamlit, and has neither told where anything is."""
        told = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "STREAMLIT"))}
        home = self.folder.parent / "home"
        return {**told, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}

    def run(self, *command: str | Path) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in an environment of its own, which sees this one's packages but for cspmap."""
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(folder)]
    subprocess.run(wheel, check=True, capture_output=True, timeout=120)
    place = folder / "environment"
    venv.create(place, with_pip=False)
    install = [*pip, "--python", str(place), "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([*install, *map(str, folder.glob("*.whl"))], check=True, capture_output=True, timeout=120)
    # Folders that come in this way follow the environment's own, and .pth files in them, such as the one that stands
    # for this checkout, are not followed.
    own = place / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (own / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    for name in ("empty", "home"):
        (folder / name).mkdir()
    return Installed(place / "bin" / "python", place / "bin" / "cspmap", folder / "empty")


@contextmanager
def serve(installed: Installed) -> Iterator[tuple[int, Path]]:
    """`cspmap run` from an empty folder: its port, and what it printed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = installed.folder.parent / "log.txt"
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [installed.command, "run", "--no-browser", "--port", str(port)],
            cwd=installed.folder,
            env=installed.environment,
            # A question for an e-mail address would wait here for its answer.
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            wait_for_health(port, process, log)
            yield port, log
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for_health(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            assert read(port, "_stcore/health") == "ok"
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"no answer within {START_SECONDS} s:\n{log.read_text()}")


def read(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
        text: str = answer.read().decode()
        return text


def find_other_addresses() -> set[str]:
    """This machine's addresses but for the loopback one."""
    found = {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # names the way out; nothing is sent
            found.add(probe.getsockname()[0])
        except OSError:
            pass
    return {address for address in found if not address.startswith(("127.", "0."))}


def test_everything_that_is_served_comes_from_the_wheel(installed: Installed) -> None:
    code = "import cspmap.workspace as w; print(w.__file__, w.find_dashboard(), w.find_example(), sep='\\n')"
    module, dashboard, example = map(Path, installed.run(installed.python, "-c", code).split())
    place = installed.python.parents[1]
    assert module.is_relative_to(place)
    assert dashboard == module.parent / "dashboard"
    assert example == dashboard / "data" / "partnership.toml"
    for name in ("app.py", "pages", "geo", "data"):
        source = ROOT / name
        files = [source] if source.is_file() else [file for file in source.rglob("*") if file.is_file()]
        for file in (file for file in files if "__pycache__" not in file.parts):
            assert (dashboard / file.relative_to(ROOT)).read_bytes() == file.read_bytes(), file


def test_run_opens_the_example_from_an_empty_folder_for_this_machine_alone(installed: Installed) -> None:
    with serve(installed) as (port, log):
        assert "<title>" in read(port, "")
        for address in find_other_addresses():
            with socket.socket() as probe:
                probe.settimeout(2)
                assert probe.connect_ex((address, port)) != 0, f"listens on {address} as well"
        told = log.read_text()
    assert f"http://127.0.0.1:{port}" in told
    assert "mail" not in told.lower()
    assert "statistics" not in told.lower()
    assert list(installed.folder.iterdir()) == []
    assert not (installed.folder.parent / "home" / ".streamlit").exists()
    assert len(list((installed.folder.parent / "home" / "cache" / "cspmap").glob("example-*/current"))) == 1


def test_dashboard_has_its_settings_with_it(installed: Installed) -> None:
    code = "import cspmap.workspace as w; print((w.find_dashboard() / '.streamlit' / 'config.toml').read_text())"
    settings = tomllib.loads(installed.run(installed.python, "-c", code))
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["server"]["showEmailPrompt"] is False
    assert settings["server"]["address"] == "127.0.0.1"


def test_extract_works_from_the_wheel(installed: Installed) -> None:
    lines = installed.run(installed.command, "extract", "--level", "area").splitlines()
    assert lines[0].startswith("code,name,count,population,rate,")
    assert [line.split(",")[1] for line in lines[1:]] == ["Central", "East", "North", "South", "West"]
