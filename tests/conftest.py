"""Fixtures shared by all tests."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import settings

from cspmap.cli import main

# No test is timed: a machine that has other things to do is slow, not wrong.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(autouse=True)
def _keep_main() -> Iterator[None]:
    """A page that is run in a test takes the place of `__main__`, which a process started later would look for."""
    own = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = own


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real open data beside the checkout; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real open data (../shared/data) is not beside this checkout")
    return SHARED_DATA


@pytest.fixture(scope="session")
def example_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the bundled example, built as a user builds it; not to be changed."""
    return _build(ROOT / "data" / "partnership.toml", tmp_path_factory.mktemp("example") / "store")


@pytest.fixture(scope="session")
def awkward_place() -> str:
    """A name that is Markdown, HTML and a formula at once, and must be shown as it is."""
    return "Lu*t*on <img src=x onerror=alert(1)> & $co$"


@pytest.fixture(scope="session")
def awkward_store(awkward_place: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled example without the year to March 2006, with rates refused for small wards, in a hostile place."""
    folder = tmp_path_factory.mktemp("awkward")
    for name in ("data", "geo"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "data" / "incidents" / "2005-06.csv").unlink()
    file = folder / "data" / "partnership.toml"
    told = f"place = '{awkward_place}'\nsmallest_denominator = 6000"
    file.write_text(re.sub(r"^place = .*$", lambda _: told, file.read_text("utf-8"), flags=re.MULTILINE), "utf-8")
    return _build(file, folder / "store")


def _build(partnership: Path, store: Path) -> Path:
    done = CliRunner().invoke(main, ["build", str(partnership), "--store", str(store)])
    assert done.exit_code == 0, done.output
    return store
