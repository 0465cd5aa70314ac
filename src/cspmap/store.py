"""The store: a folder of versions, one pointer to the version in use, and nothing half-written in between.

STORE/current                    the version in use, switched by one atomic rename
STORE/versions/VERSION/          manifest.json, partnership.toml and the tables as Parquet and GeoParquet
STORE/web/VERSION/LAYER.json     boundaries for the browser: the only part that is served as files
"""

import json
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cspmap.errors import StoreError
from cspmap.partnership import Partnership, load_partnership
from cspmap.periods import Month

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

# Raised when the tables change shape, so that a store of an older shape is rebuilt rather than misread.
FORMAT = 1

POINTER = "current"


@dataclass(frozen=True)
class Store:
    """One complete version of a store. It never changes: a later build makes another version beside it."""

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
    def denominators(self) -> "pd.DataFrame":
        """What rates are per, by layer and area: layer, code, denominator, value, year, method."""
        return self.read_table("denominators")

    @cached_property
    def areas(self) -> "pd.DataFrame":
        """Every area of every level: layer, code, name, hectares."""
        return self.read_table("areas")

    def table(self, name: str) -> Path:
        """The Parquet file of a table."""
        return self.folder / f"{name}.parquet"

    def read_table(self, name: str) -> "pd.DataFrame":
        """A small table whole."""
        import pandas as pd

        return pd.read_parquet(self.table(name))

    def read_layer(self, key: str) -> "gpd.GeoDataFrame":
        """A layer's areas: code, name, hectares, geometry in EPSG:27700."""
        import geopandas as gpd

        return gpd.read_parquet(self.folder / "layers" / f"{key}.parquet")


def find_version(root: Path) -> str | None:
    """The version in use, or None where nothing has been built yet."""
    pointer = root / POINTER
    return pointer.read_text("utf-8").strip() if pointer.is_file() else None


def open_store(root: Path) -> Store:
    """Open the version in use. Raises StoreError where there is none or it is of another format."""
    version = find_version(root)
    if version is None:
        raise StoreError(f"There is no store in {root}; make one with: cspmap build PARTNERSHIP.toml --store {root}")
    folder = root / "versions" / version
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"The store in {root} is damaged ({error}); build it again with cspmap build.") from error
    if manifest.get("format") != FORMAT:
        raise StoreError(f"The store in {root} was made by another version of cspmap; build it again.")
    return Store(root, version, load_partnership(folder / "partnership.toml", need_files=False))


class Draft:
    """A version in the making: written aside, then published by one rename of the pointer.

    Whatever happens before `publish` returns, the version in use stays what it was.
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
