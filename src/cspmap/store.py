"""The store: a folder of versions, one pointer to the version in use, and nothing half-written in between.

STORE/current                    the version in use, switched by one atomic rename
STORE/versions/VERSION/          manifest.json, partnership.toml and the tables as Parquet and GeoParquet
STORE/web/VERSION/LAYER.json     boundaries for the browser: the only part that is served as files
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cspmap.errors import StoreError, UserError
from cspmap.indicators import IndicatorTable
from cspmap.partnership import Partnership, load_partnership
from cspmap.periods import Month
from cspmap.priorities import ScanningChart
from cspmap.sources.indicator_file import read_indicators
from cspmap.sources.scanning_file import read_scanning_chart
from cspmap.sources.target_file import read_targets
from cspmap.targets import TargetTable

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

# Raised when the tables change shape, so that a store of an older shape is rebuilt rather than misread.
FORMAT = 2

POINTER = "current"

TABLES = ("areas", "cube", "denominators", "deprivation", "months", "recorded_crime", "totals")


@dataclass(frozen=True)
class Store:
    """One complete version of a store. It never changes: a later build makes another version beside it.

    The version before the one in use stays, so that whoever has it open can finish with it; the second build after
    takes it away, and what is read from it then raises StoreError.
    """

    root: Path
    version: str
    partnership: Partnership

    @property
    def folder(self) -> Path:
        """Where this version's tables are."""
        return self.root / "versions" / self.version

    @property
    def web(self) -> Path:
        """Where this version's boundaries for the browser are."""
        return self.root / "web" / self.version

    @property
    def incidents(self) -> str:
        """Glob pattern of the incident tables, one a month."""
        return str(self.folder / "incidents" / "*.parquet")

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What this version was made from: inputs with hashes, row counts, licence lines, versions of the tools."""
        with self.reading():
            manifest: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text("utf-8"))
        return manifest

    @cached_property
    def months(self) -> tuple[Month, ...]:
        """The months that are loaded, in order. A month that is not among them is missing, not zero."""
        return tuple(Month.parse(text) for text in self.manifest["months"])

    def counted_level(self, level: str) -> str:
        """The level whose counts a level shows: its own, but for a hexagon map that redraws another."""
        return self.partnership.find_layer(level).figures_of or level

    def codes(self, level: str) -> list[str]:
        """The codes of a level's areas, sorted."""
        return sorted(self.areas.loc[self.areas["layer"] == level, "code"])

    @cached_property
    def targets(self) -> tuple[TargetTable, ...]:
        """The partnership's tables of targets, in the order in which it names them."""
        with self.reading():
            return tuple(read_targets(file) for file in sorted((self.folder / "targets").glob("*")))

    @cached_property
    def indicators(self) -> tuple[IndicatorTable, ...]:
        """The partnership's tables of indicators, in the order in which it names them."""
        with self.reading():
            return tuple(read_indicators(file) for file in sorted((self.folder / "indicators").glob("*")))

    @cached_property
    def scanning_charts(self) -> tuple[ScanningChart, ...]:
        """The scanning charts that were published, in the order in which the partnership names them."""
        with self.reading():
            return tuple(read_scanning_chart(file) for file in sorted((self.folder / "scanning_charts").glob("*")))

    @cached_property
    def denominators(self) -> "pd.DataFrame":
        """What rates are per, by layer and area: layer, code, denominator, value, year, method."""
        return self.read_table("denominators")

    @cached_property
    def areas(self) -> "pd.DataFrame":
        """Every area of every level: layer, code, name, hectares."""
        return self.read_table("areas")

    @cached_property
    def recorded_crime(self) -> "pd.DataFrame":
        """Recorded crime of the partnership, its group and its force, as `sources.recorded_crime` gives it."""
        return self.read_table("recorded_crime")

    def table(self, name: str) -> Path:
        """The Parquet file of a table."""
        return self.folder / f"{name}.parquet"

    def read_table(self, name: str) -> "pd.DataFrame":
        """A small table whole."""
        import pandas as pd

        with self.reading():
            return pd.read_parquet(self.table(name))

    def read_layer(self, key: str) -> "gpd.GeoDataFrame":
        """A layer's areas: code, name, hectares, geometry in EPSG:27700."""
        import geopandas as gpd

        with self.reading():
            return gpd.read_parquet(self.folder / "layers" / f"{key}.parquet")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Whatever fails inside because a later build has taken this version away is told in one sentence."""
        try:
            yield
        except Exception as error:
            if self.folder.is_dir():
                raise
            raise StoreError(
                f"The store in {self.root} has been built again since it was opened here; open it again."
            ) from error

    def find_gaps(self) -> list[str]:
        """The files that should be there and are not, by their names within the store."""
        layers = [layer.key for layer in self.partnership.layers]
        expected = [
            *(self.table(name) for name in TABLES),
            *(self.folder / "incidents" / f"{month}.parquet" for month in self.months),
            *(self.folder / "layers" / f"{key}.parquet" for key in layers),
            *(self.web / f"{key}.json" for key in layers),
        ]
        return [str(file.relative_to(self.root)) for file in expected if not file.is_file()]


def find_version(root: Path) -> str | None:
    """The version in use, or None where nothing has been built yet."""
    pointer = root / POINTER
    return pointer.read_text("utf-8", errors="replace").strip() if pointer.is_file() else None


def open_store(root: Path) -> Store:
    """Open the version in use. Raises StoreError where there is none, it is damaged or it is of another format."""
    version = find_version(root)
    if version is None:
        raise StoreError(f"There is no store in {root}; make one with: cspmap build PARTNERSHIP.toml --store {root}")
    folder = root / "versions" / version
    try:
        made_as = json.loads((folder / "manifest.json").read_text("utf-8")).get("format")
        if made_as == FORMAT:
            store = Store(root, version, load_partnership(folder / "partnership.toml", need_files=False))
            gaps = [f"{name} is not there" for name in store.find_gaps()]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, UserError) as error:
        raise _damaged(root, str(error).partition("\n")[0]) from error
    if made_as != FORMAT:
        raise StoreError(f"The store in {root} was made by another version of cspmap; build it again.")
    if gaps:
        raise _damaged(root, gaps[0])
    return store


def _damaged(root: Path, what: str) -> StoreError:
    return StoreError(f"The store in {root} is damaged ({what}); build it again with cspmap build.")


class Draft:
    """A version in the making: written aside, then published by one rename of the pointer.

    Until `publish` renames the pointer, the version in use stays what it was, whatever happens.
    """

    def __init__(self, root: Path, version: str) -> None:
        self.root = root
        self.version = version
        self.folder = root / "drafts" / version
        self.web = root / "drafts" / f"{version}-web"

    @classmethod
    def begin(cls, root: Path, version: str) -> Self:
        """Start afresh, clearing away whatever a killed build has left. The caller holds the store's lock."""
        shutil.rmtree(root / "drafts", ignore_errors=True)
        draft = cls(root, version)
        for folder in (draft.folder / "incidents", draft.folder / "layers", draft.web):
            folder.mkdir(parents=True)
        return draft

    def publish(self) -> None:
        """Move the draft into place, switch the pointer, and let go of all but the version before."""
        previous = find_version(self.root)
        for source, target in (
            (self.folder, self.root / "versions" / self.version),
            (self.web, self.root / "web" / self.version),
        ):
            target.parent.mkdir(exist_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            source.rename(target)
        pointer = self.root / "drafts" / POINTER
        pointer.write_text(self.version, "utf-8")
        pointer.replace(self.root / POINTER)
        for kind in ("versions", "web"):
            for folder in (self.root / kind).iterdir():
                if folder.name not in {self.version, previous}:
                    shutil.rmtree(folder, ignore_errors=True)

    def discard(self) -> None:
        """Clear the draft away."""
        shutil.rmtree(self.root / "drafts", ignore_errors=True)
