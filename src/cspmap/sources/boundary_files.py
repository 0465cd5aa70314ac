"""Opening a boundary file, whatever its format: the one layer of polygons in it, and its coordinate system.

A coordinate system that the file does not state is an error, never a guess. GeoJSON without a `crs` member is
WGS84 by its standard (RFC 7946, section 4); the member of the 2008 draft is followed where it names a system.
"""

import json
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn

from cspmap.errors import Problem, SourceError
from cspmap.sources.boundary_codes import list_briefly

if TYPE_CHECKING:
    import geopandas as gpd

_FORMATS = "GeoJSON (.geojson, .json), GeoPackage (.gpkg) or shapefile (.shp, its folder, or either zipped)"
_SUFFIXES = (".shp", ".gpkg", ".geojson", ".json")
_SIDECARS = {".shx": "the index of its shapes", ".dbf": "the codes and names"}
_UNCLOSED = "Non closed ring detected"


@dataclass(frozen=True)
class OpenedFile:
    """The features of a boundary file as they are in it, with its CRS, and notes on how it was read."""

    frame: "gpd.GeoDataFrame"
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Source:
    """A file on disk, or `inner` in the zip file `path`."""

    path: Path
    inner: str | None = None

    @property
    def address(self) -> str:
        """As GDAL opens it.

        The braces keep a zip file's name apart from what is in it, whatever signs it has. JSON is opened as GeoJSON
        alone, since GDAL knows kinds of JSON that name other files or commands to be run.
        """
        place = str(self.path) if self.inner is None else f"/vsizip/{{{self.path}}}/{self.inner}"
        return f"GeoJSON:{place}" if self.is_geojson else place

    @property
    def is_geojson(self) -> bool:
        return PurePosixPath(self.inner or self.path.name).suffix.lower() in {".geojson", ".json"}

    def read_bytes(self) -> bytes:
        if self.inner is None:
            return self.path.read_bytes()
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(self.inner)


def open_boundaries(path: Path) -> OpenedFile:
    """Open the polygons of a GeoJSON file, GeoPackage, shapefile, folder with one of them, or zip file with one.

    The frame has every column of the file, geometries two-dimensional. Raises SourceError where the file is not
    readable, holds several layers of polygons, or does not state its coordinate system.
    """
    import geopandas as gpd
    import pyogrio
    import shapely

    if not path.exists():
        _fail(path, "it is not there", "check the name")
    source = _find_in_zip(path) if path.suffix.lower() == ".zip" else _find_file(path)
    if "!" in source.address and not source.address.startswith(("/vsizip/", "GeoJSON:")):
        # pyogrio takes what stands before the sign for an archive, and cannot be told otherwise.
        _fail(path, "there is an exclamation mark in its name or its folder's", "rename it")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            layer = _choose_layer(path, pyogrio.list_layers(source.address))
            frame = pyogrio.read_dataframe(source.address, layer=layer, on_invalid="fix")
        except (RuntimeError, shapely.GEOSException, OSError, ValueError) as error:
            reason = str(error).split(";")[0].rstrip(".")
            _fail(path, f"it cannot be read as boundaries ({reason})", f"give {_FORMATS}", cause=error)
    if not isinstance(frame, gpd.GeoDataFrame):
        _fail(path, "it has no geometry", f"give {_FORMATS}")
    if source.is_geojson:
        frame = _apply_crs_member(path, source, frame)
    if frame.crs is None:
        _fail(
            path,
            "it does not say which coordinate system it is in",
            "save it again with one, such as EPSG:27700, or add the .prj file that belongs to a shapefile",
        )
    messages = [str(warning.message) for warning in caught]
    notes = [f"Its reader warns: {text}" for text in dict.fromkeys(messages) if _UNCLOSED not in text]
    if any(_UNCLOSED in text for text in messages):
        notes.append("Rings that did not end where they began were closed.")
    if frame.has_z.any():
        # With heights taken away, so is the third axis of the coordinate system: otherwise it would be taken as 0.
        frame = frame.set_geometry(shapely.force_2d(frame.geometry.to_numpy()), crs=frame.crs.to_2d())
        notes.append("Heights in the coordinates were dropped.")
    return OpenedFile(frame, tuple(notes))


def _fail(path: Path, what: str, fix: str, *, cause: Exception | None = None) -> NoReturn:
    raise SourceError([Problem(path.name, what, fix)]) from cause


def _find_file(path: Path) -> _Source:
    if path.is_dir():
        inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file())
        path = path / _pick_one(path, [str(file.relative_to(path)) for file in inside])
    elif path.suffix.lower() not in _SUFFIXES:
        _fail(path, "it is not a kind of boundary file that is read here", f"give {_FORMATS}")
    if path.suffix.lower() == ".shp":
        beside = {file.suffix.lower() for file in path.parent.iterdir() if file.stem == path.stem}
        _check_sidecars(path, beside)
    return _Source(path)


def _find_in_zip(path: Path) -> _Source:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [PurePosixPath(name) for name in archive.namelist() if not name.startswith("__MACOSX/")]
    except (zipfile.BadZipFile, OSError) as error:
        _fail(path, f"it cannot be opened as a zip file ({error})", "fetch or make it again", cause=error)
    found = PurePosixPath(_pick_one(path, [str(name) for name in names if name.suffix.lower() in _SUFFIXES]))
    if found.suffix.lower() == ".shp":
        _check_sidecars(
            path, {name.suffix.lower() for name in names if (name.parent, name.stem) == (found.parent, found.stem)}
        )
    return _Source(path, str(found))


def _pick_one(path: Path, names: list[str]) -> str:
    if not names:
        _fail(path, "there is no boundary file in it", f"give {_FORMATS}")
    if len(names) > 1:
        _fail(path, f"it holds {len(names)} boundary files ({list_briefly(names)})", "keep one of them in it")
    return names[0]


def _check_sidecars(path: Path, beside: set[str]) -> None:
    for suffix, holds in _SIDECARS.items():
        if suffix not in beside:
            _fail(
                path,
                f"the shapefile lacks its {suffix} file, which holds {holds}",
                "put all files of the shapefile together: .shp, .shx, .dbf and .prj",
            )


def _choose_layer(path: Path, layers: Any) -> str:
    """The layer of polygons; `layers` are rows of name and geometry type, None for a table without geometry."""
    polygons = [
        name
        for name, kind in layers
        if kind is not None and ("Polygon" in kind or "Surface" in kind or kind in {"Unknown", "GeometryCollection"})
    ]
    if not polygons:
        kinds = sorted({str(kind) for _, kind in layers if kind is not None}) or ["no geometry"]
        _fail(path, f"it holds no polygons, only {', '.join(kinds)}", "give the boundaries of areas")
    if len(polygons) > 1:
        _fail(
            path,
            f"it holds {len(polygons)} layers of polygons ({list_briefly(polygons)})",
            "save the one that is wanted as a file of its own",
        )
    return str(polygons[0])


def _apply_crs_member(path: Path, source: _Source, frame: "gpd.GeoDataFrame") -> "gpd.GeoDataFrame":
    """Take the CRS that a GeoJSON file's own `crs` member names: its reader takes WGS84 where it cannot read it."""
    import pyproj

    content = source.read_bytes()
    document = json.loads(content) if b'"crs"' in content else None
    if not isinstance(document, dict) or "crs" not in document:
        return frame
    try:
        crs = pyproj.CRS.from_user_input(document["crs"]["properties"]["name"])
    except (pyproj.exceptions.CRSError, TypeError, KeyError) as error:
        _fail(
            path,
            f"its crs member names no known coordinate system ({json.dumps(document['crs'])[:80]})",
            "save the file again in a known one, such as EPSG:27700",
            cause=error,
        )
    return frame.set_crs(crs, allow_override=True)
