"""Coordinates as text read into positions, and what is odd about them."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cspmap.errors import quote_briefly
from cspmap.sources.incident_rows import IncidentRows

if TYPE_CHECKING:
    from pyproj import Transformer

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# A file with a larger share of impossible positions is wrong as a whole; fewer are slips of single records.
MOST_ABSURD = 0.01

# Commas and spaces between thousands, also those that do not break.
_SEPARATORS = r"[\s,\x{a0}\x{2009}\x{202f}]|^\+"
_NUMBER = r"^-?(\d{1,30}(\.\d*)?|\.\d+)([eE][-+]?\d{1,2})?$"


@dataclass(frozen=True)
class Axes:
    """A pair of coordinates and the bounds of the United Kingdom in it: west, south, east, north.

    Positions of which both coordinates are below `sea` are not in it either.
    """

    x: str
    y: str
    bounds: tuple[float, float, float, float]
    sea: float

    @property
    def words(self) -> str:
        """As sentences name it: "longitude and latitude"."""
        return f"{self.x} and {self.y}"

    def hold(self, x: Floats, y: Floats) -> Bools:
        """Which positions lie within the bounds."""
        west, south, east, north = self.bounds
        ashore = (x >= self.sea) | (y >= self.sea)
        return np.asarray((x >= west) & (x <= east) & (y >= south) & (y <= north) & ashore)


DEGREES = Axes("longitude", "latitude", (-9.0, 49.0, 2.5, 61.5), sea=49.0)
# The grid's south-western corner is open sea; degrees that are taken for metres lie there.
GRID = Axes("easting", "northing", (0.0, 0.0, 700_000.0, 1_300_000.0), sea=1_000.0)


def read_positions(rows: IncidentRows, x_header: str, y_header: str, axes: Axes) -> tuple[Floats, Floats]:
    """The two coordinates of each row, both NaN where both texts are empty or nought.

    Text is a problem of `rows`. So are positions that are not in the United Kingdom or lack one coordinate, where
    they are more than MOST_ABSURD of all rows; fewer become NaN, with a note.
    """
    x, x_wrong = _read_numbers(rows, x_header)
    y, y_wrong = _read_numbers(rows, y_header)
    nowhere = (np.isnan(x) & np.isnan(y)) | ((x == 0) & (y == 0))
    possible = axes.hold(x, y)
    absurd = ~nowhere & ~possible & ~x_wrong & ~y_wrong
    if absurd.any():
        _report_absurd(rows, np.flatnonzero(absurd), x, y, axes)
    lost = nowhere | ~possible
    x[lost] = np.nan
    y[lost] = np.nan
    return x, y


def to_degrees(easting: Floats, northing: Floats) -> tuple[Floats, Floats]:
    """British National Grid metres (EPSG:27700) as WGS84 longitude and latitude; NaN stays NaN."""
    longitude, latitude = np.full((2, len(easting)), np.nan)
    known = np.isfinite(easting)
    longitude[known], latitude[known] = _load_transformer().transform(easting[known], northing[known])
    return longitude, latitude


@cache
def _load_transformer() -> "Transformer":
    from pyproj import Transformer

    return Transformer.from_crs("EPSG:27700", "EPSG:4326", always_xy=True)


def _read_numbers(rows: IncidentRows, header: str) -> tuple[Floats, Bools]:
    """The numbers of a column, NaN where there is none, and which texts are no number."""
    texts = rows.columns[header]
    try:
        values = pc.cast(texts, pa.float64())
    except pa.ArrowInvalid:
        tidy = pc.replace_substring_regex(texts, _SEPARATORS, "")
        values = pc.cast(pc.if_else(pc.match_substring_regex(tidy, _NUMBER), tidy, None), pa.float64())
        texts = pc.if_else(pc.equal(tidy, ""), None, texts)
    # "nan" and "inf" are read as numbers, but are not.
    numbers = values.to_numpy(zero_copy_only=False).astype(np.float64)
    wrong = texts.is_valid().to_numpy(zero_copy_only=False) & ~np.isfinite(numbers)
    if wrong.any():
        where = np.flatnonzero(wrong)
        what = f"{header} is {quote_briefly(texts[where[0]].as_py())} where a number belongs"
        rows.report(where, what, "correct it, or leave it empty where the place is not known")
    numbers[wrong] = np.nan
    return numbers, wrong


def _report_absurd(rows: IncidentRows, where: npt.NDArray[np.intp], x: Floats, y: Floats, axes: Axes) -> None:
    first = where[0]
    texts = ["missing" if np.isnan(value) else f"{value:.10g}" for value in (x[first], y[first])]
    example = f"{axes.x} {texts[0]}, {axes.y} {texts[1]}"
    other = GRID if axes is DEGREES else DEGREES
    hint, fix = "", "correct them, or leave both empty where the place is not known"
    if axes.hold(y[where], x[where]).mean() > 0.5:
        hint = f": {axes.words} look swapped"
        fix = "swap the two columns, in the file or where the partnership file names them"
    elif other.hold(x[where], y[where]).mean() > 0.5:
        hint = f": they look like {other.words}"
        fix = f"name the columns as {other.words} in the partnership file"
    what = f"{len(where):,} of {len(rows):,} positions cannot be in the United Kingdom{hint}"
    if len(where) > MOST_ABSURD * len(rows):
        rows.report(where[:1], f"{what} (the first is {example})", fix)
    else:
        line = rows.lines[first]
        rows.note(f"{what} (the first, in line {line}, is {example}); taken as not located.")
