"""One screen of a meeting, whatever it is drawn on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from cspmap.views.map import MapView

Rating = Literal["R", "A", "G", ""]
Align = Literal["left", "right"]


@dataclass(frozen=True)
class Figure:
    """A number to be read from the back of the room: "1,584", what it counts, and a few words on it.

    `rating` is the letter of a target's rating where the figure has one.
    """

    value: str
    label: str
    note: str = ""
    rating: Rating = ""


@dataclass(frozen=True)
class MapFigure:
    """A map as the pages show it. `level` is the layer whose outlines `view` colours; `alt` says what it shows."""

    view: MapView
    level: str
    alt: str


@dataclass(frozen=True)
class Line:
    """Monthly figures: a value a month of its chart, None where it is not known (never 0)."""

    name: str
    values: tuple[float | None, ...]
    style: Literal["solid", "dashed", "band-low", "band-high"] = "solid"


@dataclass(frozen=True)
class TrendFigure:
    """Lines over months ("YYYY-MM"). `alt` says what it shows in a sentence."""

    title: str
    months: tuple[str, ...]
    lines: tuple[Line, ...]
    unit: str
    alt: str


@dataclass(frozen=True)
class BarsFigure:
    """A bar for each name, and where there is something to compare with, a tick beside it; None is not known."""

    title: str
    names: tuple[str, ...]
    values: tuple[float | None, ...]
    unit: str
    alt: str
    series: str = ""
    others: tuple[float | None, ...] = ()
    others_series: str = ""


@dataclass(frozen=True)
class TableFigure:
    """A table of texts, as they are to be read; `rating` is the column that holds the letters of ratings, if any.

    `note` says what is left out of it and where that is, if anything is.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: tuple[Align, ...]
    rating: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows) or len(self.align) != len(self.columns):
            raise ValueError(f"the table {self.title!r} has rows that do not fit its {len(self.columns)} columns")


@dataclass(frozen=True)
class Entry:
    """What was said: a decision or an action (`kind`), by whom, until when, how it stands, and when it was said.

    `about` is the title of the screen that it was said on.
    """

    text: str
    owner: str = ""
    due: str = ""
    status: str = ""
    said: str = ""
    kind: str = ""
    about: str = ""


@dataclass(frozen=True)
class Screen:
    """One subject on one screen.

    `key` names it in a link ("partnership", "area:south", "target:robbery", "hotspots", "operation:ID", "decisions"),
    and is what actions and decisions typed in on it are kept under. `sentences` are what to say about it, the most
    important first. `caveats` travel with the figures. `last_time` is what was said about it before. Where there is a
    map, `table` is the one behind it, else it is what the screen shows.
    """

    key: str
    title: str
    subtitle: str
    figures: tuple[Figure, ...] = ()
    sentences: tuple[str, ...] = ()
    map: MapFigure | None = None
    chart: TrendFigure | BarsFigure | None = None
    table: TableFigure | None = None
    last_time: tuple[Entry, ...] = ()
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Briefing:
    """All screens of a meeting in their order, and what they rest on.

    `as_at` is when the figures were frozen, in words; `notice` what must stand on every screen (the example's);
    `licences` the attribution; `version` the store's.
    """

    title: str
    as_at: str
    notice: str
    licences: tuple[str, ...]
    version: str
    screens: tuple[Screen, ...]

    def find_screen(self, key: str) -> int:
        """The place of a screen, from 0; the first where there is none of that key."""
        return next((number for number, screen in enumerate(self.screens) if screen.key == key), 0)


def list_rows(figure: TrendFigure | BarsFigure) -> pd.DataFrame:
    """The table behind a chart: one row a month or name, one column a line; what is not known is NaN."""
    if isinstance(figure, TrendFigure):
        columns: dict[str, Sequence[float | None]] = {line.name: line.values for line in figure.lines}
        return pd.DataFrame(columns, index=pd.Index(figure.months, name="month"), dtype=float)
    columns = {figure.series or figure.unit: figure.values}
    if figure.others:
        columns[figure.others_series] = figure.others
    return pd.DataFrame(columns, index=pd.Index(figure.names, name="name"), dtype=float)
