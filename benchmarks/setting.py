"""What the benchmarks share: a temporary folder, the real open data, and the real store."""

import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.processes import ROOT, command_line, run_process
from benchmarks.table import Figure, Row

SHARED_DATA = ROOT.parent / "shared" / "data"
PARTNERSHIP = ROOT / "docs" / "partnerships" / "luton.toml"
RECENT = "police/bedfordshire-2021-05-to-2024-04.zip"
# The three authorities of one police force.
FORCE = ("bedford", "central-bedfordshire", "luton")


class NotRunError(Exception):
    """Why a benchmark was not run, in words."""


@dataclass(frozen=True)
class Setting:
    """Where the benchmarks of one run work: `folder` is theirs alone and is deleted afterwards."""

    folder: Path

    @cached_property
    def data(self) -> Path:
        """The real open data beside the checkout. Raises NotRunError where it is absent."""
        if not SHARED_DATA.is_dir():
            raise NotRunError("the real open data (../shared/data) is not beside this checkout")
        return SHARED_DATA

    @cached_property
    def chromium(self) -> str:
        """The browser. Raises NotRunError where there is none."""
        found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if found is None:
            raise NotRunError("there is no Chromium on this machine")
        return found

    @cached_property
    def store(self) -> Path:
        """The store of real Luton, built once a run."""
        store = self.folder / "luton"
        run_process(
            command_line("build", str(PARTNERSHIP), "--data", str(self.data), "--store", str(store)), timeout=300
        )
        return store

    @cached_property
    def force_store(self) -> Path:
        """A store of every LSOA of the police force that real Luton belongs to, built once a run."""
        files = [self.data / "boundaries" / f"{name}-lsoa-2021.geojson" for name in FORCE]
        collections = [json.loads(file.read_text("utf-8")) for file in files]
        features = [feature for collection in collections for feature in collection["features"]]
        (self.folder / "force.geojson").write_text(json.dumps({**collections[0], "features": features}), "utf-8")
        toml = self.folder / "force.toml"
        toml.write_text(
            f"""[partnership]
name = "The police force area"
place = "Bedfordshire"
boundary = "lsoa21"

[[layers]]
key = "lsoa21"
name = "LSOA"
plural = "LSOAs"
file = "{self.folder / "force.geojson"}"

[[denominators]]
key = "residents"
name = "residents"
year = 2022
layer = "lsoa21"
file = "{self.data / "population" / "lsoa21-mid-2022.csv"}"
source = "ONS"
code_column = "lsoacd"
value_column = "population"

[[incidents]]
format = "police.uk"
file = "{self.data / RECENT}"
force = "bedfordshire"
source = "data.police.uk"
""",
            "utf-8",
        )
        store = self.folder / "force"
        run_process(command_line("build", str(toml), "--store", str(store)), timeout=300)
        return store

    def write_partnership(self, name: str, incidents: Path | str) -> Path:
        """Real Luton's partnership file with one source of incidents: that of the recent months, or another file."""
        head, *blocks = re.split(r"^(?=\[\[?[a-z])", PARTNERSHIP.read_text("utf-8"), flags=re.MULTILINE)
        kept = [block for block in blocks if not block.startswith("[[incidents]]") or RECENT in block]
        path = self.folder / f"{name}.toml"
        path.write_text((head + "".join(kept)).replace(RECENT, str(incidents)), "utf-8")
        for targets in PARTNERSHIP.parent.glob("*.csv"):
            shutil.copy(targets, self.folder)
        return path


@dataclass(frozen=True)
class Benchmark:
    """What is measured together: its rows, how it is done in words, and the doing.

    `measure` returns a figure for every row, in their order, or raises NotRunError. A slow one has a `flag`, and is
    run only where the command line has that flag or names it.
    """

    name: str
    rows: tuple[Row, ...]
    how: str
    measure: Callable[[Setting], Sequence[Figure]]
    flag: str | None = None
