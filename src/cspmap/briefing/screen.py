"""One screen of a meeting, whatever it is drawn on."""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal

from cspmap.exports.published import WITHHELD
from cspmap.views.map import SPECIAL_WORDS, MapView
from cspmap.views.palettes import Special
from cspmap.views.words import NOT_KNOWN

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
    """A map as the pages show it. `level` is the layer whose outlines `view` colours; `alt` says what it shows.

    `withheld` are the codes of the areas whose figure the disclosure rule withholds: they look as those too few to
    show do, and are named apart from them.
    """

    view: MapView
    level: str
    alt: str
    withheld: frozenset[str] = frozenset()

    def name_special(self, fill: Special, codes: Collection[str]) -> str:
        """What some areas have that have a `fill` in place of a class."""
        hidden = [code in self.withheld for code in codes]
        if fill != "suppressed" or not any(hidden):
            return SPECIAL_WORDS[fill]
        return WITHHELD if all(hidden) else f"{WITHHELD}, or {SPECIAL_WORDS[fill]}"


@dataclass(frozen=True)
class Line:
    """Monthly figures: a value a month of its chart, None where it is not known (never 0).

    `withheld` are the months, by their place, that the disclosure rule withholds: None as well, but not unknown.
    """

    name: str
    values: tuple[float | None, ...]
    style: Literal["solid", "dashed", "band-low", "band-high"] = "solid"
    withheld: frozenset[int] = frozenset()

    def write_values(self, write: Callable[[float], str]) -> list[str]:
        """The values in words."""
        return [
            WITHHELD if place in self.withheld else NOT_KNOWN if value is None or math.isnan(value) else write(value)
            for place, value in enumerate(self.values)
        ]


@dataclass(frozen=True)
class TrendFigure:
    """Lines over months ("YYYY-MM"). `alt` says what it shows in a sentence."""

    title: str
    months: tuple[str, ...]
    lines: tuple[Line, ...]
    unit: str
    alt: str

    @property
    def withheld(self) -> frozenset[int]:
        """The months, by their place, in which a line is withheld."""
        return frozenset(place for line in self.lines for place in line.withheld)


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

    `note` says what is left out of it, if anything is. A wall has room for `most` rows (None: for all), and tells
    `where` the others are.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: tuple[Align, ...]
    rating: int | None = None
    note: str = ""
    most: int | None = None
    where: str = ""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows) or len(self.align) != len(self.columns):
            raise ValueError(f"the table {self.title!r} has rows that do not fit its {len(self.columns)} columns")

    def cut(self) -> "TableFigure":
        """The table as a wall has room for it, with a note on where the other rows are."""
        left = 0 if self.most is None else len(self.rows) - self.most
        if left <= 0:
            return self
        return replace(self, rows=self.rows[: self.most], note=f"and {left} more {self.where}", most=None)


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
