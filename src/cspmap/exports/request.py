"""What is asked for as a file: which figures of a selection, how split, in which format; its name and its command."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from cspmap import workspace
from cspmap.errors import UserError
from cspmap.exports.published import By
from cspmap.query import Query
from cspmap.selection import Selection

What = Literal["rates", "counts", "areas", "incidents"]
Format = Literal["csv", "zip", "xlsx", "json", "geojson", "gpkg", "parquet", "geoparquet"]

WHATS: tuple[What, ...] = get_args(What)
FORMATS: tuple[Format, ...] = get_args(Format)
BYS: tuple[By, ...] = get_args(By)

WHAT_WORDS: Mapping[What, str] = {
    "rates": "Counts and rates",
    "counts": "Counts",
    "areas": "All figures of the areas",
    "incidents": "Incidents",
}
BY_WORDS: Mapping[By, str] = {"month": "month", "crime_type": "crime type"}
FORMAT_WORDS: Mapping[Format, str] = {
    "csv": "CSV",
    "zip": "CSV with a readme (zip)",
    "xlsx": "Excel",
    "json": "JSON",
    "geojson": "GeoJSON",
    "gpkg": "GeoPackage",
    "parquet": "Parquet",
    "geoparquet": "GeoParquet",
}
# Those that carry outlines or points.
GEOGRAPHIC: tuple[Format, ...] = ("geojson", "gpkg", "geoparquet")
# Those that can be read as they are printed.
PRINTED: tuple[Format, ...] = ("csv", "json", "geojson")

SUFFIXES: Mapping[Format, str] = {"geoparquet": "geo.parquet"}

# Of the crime types in the name of a file.
MOST_NAMED = 3


@dataclass(frozen=True)
class Request:
    """An extract: `what` of a selection, split `by` month or crime type, in a `format`.

    Raises UserError where they do not go together.
    """

    selection: Selection
    what: What = "rates"
    by: tuple[By, ...] = ()
    format: Format = "csv"

    def __post_init__(self) -> None:
        if self.by and self.what in ("areas", "incidents"):
            told = WHAT_WORDS[self.what].lower()
            raise UserError(f"The extract of {told} is not split; ask for counts or rates by month or crime type.")
        if self.what == "incidents" and self.format == "json":
            raise UserError("Incidents are not given as JSON; ask for geojson, csv or parquet.")

    @property
    def split(self) -> tuple[By, ...]:
        """What it is split by, month first."""
        return tuple(column for column in BYS if column in self.by)


def name_file(selection: Selection, suffix: str, *, what: str = "") -> str:
    """A file name that tells what is in it: "incidents-ward-2023-05-to-2024-04.csv"."""
    crimes = selection.crimes or ("incidents",)
    counted = "-".join(crimes) if len(crimes) <= MOST_NAMED else f"{len(crimes)}-crime-types"
    some = [f"{len(selection.areas)}-areas"] if selection.areas else []
    period = [str(selection.span.first), "to", f"{selection.span.last}.{suffix}"]
    return "-".join([counted, *([what] if what else []), selection.level, *some, *period])


def name_extract(request: Request) -> str:
    """The name of an extract's file: "robbery-rates-by-month-ward-2023-05-to-2024-04.xlsx"."""
    split = "".join(f"-by-{column.replace('_', '-')}" for column in request.split)
    what = "rows" if request.what == "incidents" else request.what
    return name_file(request.selection, SUFFIXES.get(request.format, request.format), what=f"{what}{split}")


def make_command(request: Request, query: Query) -> str:
    """The command that makes the same file again.

    STORE stands for the folder of the store, unless that is the bundled example's.
    """
    selection = request.selection
    words = ["cspmap", "extract"]
    if query.store.root != workspace.find_example_store():
        words += ["--store", "STORE"]
    words += ["--what", request.what, "--level", selection.level]
    words += ["--from", str(selection.span.first), "--to", str(selection.span.last)]
    for column in request.split:
        words += ["--by", column]
    for key in selection.crimes:
        words += ["--crime", key]
    for code in selection.areas:
        words += ["--area", code]
    if request.what == "areas":
        words += ["--compare", str(selection.comparison)]
        words += [] if selection.edition is None else ["--edition", str(selection.edition)]
    words += ["--format", request.format, "--out", name_extract(request)]
    return shlex.join(words)
