"""A briefing as slides (PowerPoint): text that can be edited, tables and charts of the slides' own, maps as pictures.

Nothing is cut: what does not fit on a slide goes on on the next, under the same title.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cspmap.briefing.screen import BarsFigure, Briefing, Figure, Screen, TableFigure, TrendFigure
from cspmap.briefing.svg import LINE_HEIGHT, break_text, clean_text
from cspmap.exports.pack_shapes import (
    MUTED,
    Box,
    add_chart,
    add_page_number,
    add_picture,
    add_table,
    add_text,
    measure_height,
    measure_rows,
    share_widths,
    write_paragraphs,
)
from cspmap.exports.pack_tables import list_map_tables, tabulate_entries
from cspmap.exports.pack_text import ABOUT, Foot, join_caveats, write_foot
from cspmap.exports.pack_tiles import add_tile, measure_tile
from cspmap.store import Store
from cspmap.views.palettes import CATEGORICAL

if TYPE_CHECKING:
    from pptx.presentation import Presentation
    from pptx.slide import Slide

WIDTH, HEIGHT = 960.0, 540.0
MARGIN, GAP = 32.0, 12.0
INNER = WIDTH - 2 * MARGIN
TITLE, SUBTITLE, BODY, TABLE, CAVEAT, FOOT = 26.0, 13.0, 14.0, 10.5, 9.0, 8.0
SMALL_TABLE = 9.5
# Of the inner width, what a picture takes beside words.
PICTURE = 0.57
MAP_TEXT = 10.5
_LEAST_CHART, _LEAST_PICTURE = 122.0, 190.0
# Caveats that take more of a slide have a slide of their own at the end of their screen.
_MOST_CAVEATS = 0.24
_TILES = 5

# (screen, width and height in points) -> PNG.
PaintMap = Callable[[Screen, float, float], bytes]


@dataclass
class _Room:
    """What is still free of a slide."""

    slide: "Slide"
    top: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass
class _Deck:
    """The slides of a briefing in the making."""

    presentation: "Presentation"
    foot: Foot
    slides: "list[Slide]" = field(default_factory=list)

    def begin(self, title: str, subtitle: str, caveats: str) -> _Room:
        """A slide with its title, its caveats and its foot, and what is free between them."""
        slide = self.presentation.slides.add_slide(self.presentation.slide_layouts[5])
        self.slides.append(slide)
        top = 20.0
        tall = measure_height(title, INNER, TITLE, bold=True)
        shape = slide.shapes.title
        assert shape is not None
        shape.left, shape.top, shape.width, shape.height = Box(MARGIN, top, INNER, tall).emu()
        _anchor_top(shape.text_frame)
        write_paragraphs(shape.text_frame, [title], TITLE, bold=True, colour=CATEGORICAL[0])
        top += tall
        if subtitle:
            tall = measure_height(subtitle, INNER, SUBTITLE)
            add_text(slide, Box(MARGIN, top, INNER, tall), [subtitle], SUBTITLE, colour=MUTED, name="Subtitle")
            top += tall
        bottom = self._write_foot(slide)
        if caveats:
            words = f"{ABOUT}: {caveats}"
            tall = measure_height(words, INNER, CAVEAT)
            bottom -= tall + 0.5 * GAP
            add_text(slide, Box(MARGIN, bottom, INNER, tall), [words], CAVEAT, colour=MUTED, name=ABOUT)
        return _Room(slide, top + 0.8 * GAP, bottom - 0.6 * GAP)

    def _write_foot(self, slide: "Slide") -> float:
        """Notice and sources at the foot; returns where it begins."""
        width = INNER - 90
        tall = measure_height(self.foot.sources, width, FOOT)
        top = HEIGHT - 12 - tall
        add_text(slide, Box(MARGIN, top, width, tall), [self.foot.sources], FOOT, colour=MUTED, name="Sources")
        if self.foot.notice:
            tall = measure_height(self.foot.notice, INNER, FOOT + 1, bold=True)
            top -= tall + 2
            box = Box(MARGIN, top, INNER, tall)
            add_text(slide, box, [self.foot.notice], FOOT + 1, colour=CATEGORICAL[0], bold=True, name="Notice")
        return top

    def number(self) -> None:
        """Write "Page n of m" on all slides, once all are there."""
        for number, slide in enumerate(self.slides, start=1):
            box = Box(WIDTH - MARGIN - 90, HEIGHT - 12 - LINE_HEIGHT * 10, 90, LINE_HEIGHT * 10)
            add_page_number(slide, box, number, len(self.slides), 10)


def write_slides(
    briefing: Briefing,
    store: Store,
    paint_map: PaintMap,
    progress: Callable[[str, float], None],
) -> bytes:
    """A briefing as the bytes of a PowerPoint file; `progress` is told of every screen.

    The tables behind the maps stand at the end; those behind the charts lie in the charts.
    """
    from pptx import Presentation

    presentation = Presentation()
    _widen(presentation)
    properties = presentation.core_properties
    properties.title, properties.author = clean_text(briefing.title), "cspmap"
    properties.subject, properties.language = clean_text(f"As at {briefing.as_at}"), "en-GB"
    deck = _Deck(presentation, write_foot(briefing))
    _write_front(deck, briefing)
    for number, screen in enumerate(briefing.screens):
        progress(screen.title, number / (len(briefing.screens) + 1))
        _write_screen(deck, screen, briefing.notice, paint_map)
    progress("The tables behind the maps", len(briefing.screens) / (len(briefing.screens) + 1))
    for screen in briefing.screens:
        behind = list_map_tables(screen, store)
        if not behind:
            continue
        title = f"Behind the map: {screen.title}"
        flow = _Flow(
            deck, title, screen.subtitle, _shorten_caveats(join_caveats(screen, briefing.notice), screen.title)
        )
        for table in behind:
            flow.put_table(table)
    deck.number()
    out = io.BytesIO()
    presentation.save(out)
    return out.getvalue()


def _widen(presentation: "Presentation") -> None:
    """Wide slides; the layouts that a user may add slides from are widened with them."""
    from pptx.util import Pt

    old = presentation.slide_width
    assert old is not None
    presentation.slide_width, presentation.slide_height = Pt(WIDTH), Pt(HEIGHT)
    stretch = Pt(WIDTH) / old
    for layout in (presentation.slide_master, *presentation.slide_layouts):
        for shape in layout.placeholders:
            if shape._element.xpath("./p:spPr/a:xfrm"):
                shape.left, shape.width = round(shape.left * stretch), round(shape.width * stretch)


def _anchor_top(frame: Any) -> None:
    from pptx.enum.text import MSO_ANCHOR

    frame.vertical_anchor = MSO_ANCHOR.TOP


def _write_front(deck: _Deck, briefing: Briefing) -> None:
    """The first slide: what this is, and what it holds."""
    flow = _Flow(deck, briefing.title, f"As at {briefing.as_at}", "")
    flow.put_words([screen.title for screen in briefing.screens], BODY)


def _write_screen(deck: _Deck, screen: Screen, notice: str, paint_map: PaintMap) -> None:
    caveats = join_caveats(screen, notice)
    short = _shorten_caveats(caveats, screen.title)
    flow = _Flow(deck, screen.title, screen.subtitle, short)
    if screen.figures:
        flow.put_tiles(screen.figures)
    table = screen.table if screen.table is not None and screen.table.rows else None
    if screen.map is not None:
        chart = screen.chart
        # A table that would be alone on the next slide and leave it half empty has the chart there with it.
        together = chart is not None and table is not None and flow.has_room_for(table)
        flow.put_beside(
            lambda box: _add_map(flow.room.slide, box, screen, paint_map),
            screen.sentences,
            None if together else chart or table,
        )
        if together and chart is not None and table is not None:
            flow.put_chart_above(chart, table)
            table = None
    elif screen.chart is not None:
        chart = screen.chart
        flow.put_beside(lambda box: add_chart(flow.room.slide, box, chart, 11), screen.sentences, table)
    else:
        flow.put_words(screen.sentences, BODY)
    if table is not None and not flow.has_put(table):
        flow.put_table(table)
    if screen.last_time:
        flow.put_table(tabulate_entries(screen.last_time))
    if caveats != short:
        flow.put_words([f"{ABOUT}:", caveats], BODY - 2)


def _shorten_caveats(caveats: str, title: str) -> str:
    """The caveats, or where they take too much of a slide, a line that says where they are."""
    if measure_height(f"{ABOUT}: {caveats}", INNER, CAVEAT) <= _MOST_CAVEATS * HEIGHT:
        return caveats
    return f"what must be known beside them is on the last page of {title}."


def _add_map(slide: "Slide", box: Box, screen: Screen, paint_map: PaintMap) -> None:
    assert screen.map is not None
    png = paint_map(screen, box.width, box.height)
    add_picture(slide, box, png, alt=screen.map.alt, name="Map")


class _Flow:
    """Puts one thing below another, going on on a further slide of the same title where there is no room."""

    def __init__(self, deck: _Deck, title: str, subtitle: str, caveats: str) -> None:
        self._deck, self._title, self._subtitle, self._caveats = deck, title, subtitle, caveats
        self.room = deck.begin(title, subtitle, caveats)
        self._whole = self.room.height
        self._beside: TableFigure | None = None

    def _turn(self) -> None:
        """A further slide."""
        title = self._title if self._title.endswith("(continued)") else f"{self._title} (continued)"
        self.room = self._deck.begin(title, self._subtitle, self._caveats)

    def put_tiles(self, figures: Sequence[Figure]) -> None:
        """Large numbers side by side, at most five in a row."""
        for start in range(0, len(figures), _TILES):
            row = figures[start : start + _TILES]
            width = (INNER - GAP * (len(row) - 1)) / len(row)
            tall = max(measure_tile(each, width) for each in row)
            if tall > self.room.height:
                self._turn()
            for place, each in enumerate(row):
                add_tile(self.room.slide, Box(MARGIN + place * (width + GAP), self.room.top, width, tall), each)
            self.room.top += tall + GAP

    def has_put(self, table: TableFigure) -> bool:
        """Whether a table stands beside a picture already."""
        return self._beside is table

    def has_room_for(self, table: TableFigure) -> bool:
        """Whether a slide of its own has room for a table whole, and a chart above it."""
        _, _, heights = self._choose_size(table, self._whole)
        return self._measure_head(table) + sum(heights) + GAP <= self._whole - _LEAST_PICTURE

    def put_chart_above(self, chart: TrendFigure | BarsFigure, table: TableFigure) -> None:
        """A chart over the whole width and a table below it, on a slide of their own."""
        self._turn()
        _, _, heights = self._choose_size(table, self._whole)
        room, below = self.room, self._measure_head(table) + sum(heights) + GAP
        add_chart(room.slide, Box(MARGIN, room.top, INNER, room.height - below - GAP), chart, 11)
        room.top = room.bottom - below
        self.put_table(table)

    def put_beside(
        self,
        draw: Callable[[Box], None],
        words: Sequence[str],
        other: TrendFigure | BarsFigure | TableFigure | None,
    ) -> None:
        """A picture at the left, and words at the right of it.

        Below the words a chart or a table, where there is room: a chart is put further on where there is none, a table
        is left to the caller.
        """
        if self.room.height < _LEAST_PICTURE:
            self._turn()
        room = self.room
        wide = PICTURE * INNER
        draw(Box(MARGIN, room.top, wide, room.height))
        left, width = MARGIN + wide + GAP, INNER - wide - GAP
        top, rest = room.top, list(words)
        size = BODY if other is None else BODY - 1
        while rest:
            tall = measure_height(rest[0], width, size) + 5
            if top + tall > room.bottom:
                break
            add_text(room.slide, Box(left, top, width, tall - 5), [rest.pop(0)], size)
            top += tall
        below = Box(left, top + 4, width, room.bottom - top - 4)
        room.top = room.bottom
        if isinstance(other, TableFigure):
            if not rest and self._put_small(other, below):
                self._beside = other
        elif other is not None and not rest and below.height >= _LEAST_CHART:
            add_chart(room.slide, below, other, 9)
        elif other is not None:
            self._put_chart(other)
        if rest:
            self.put_words(rest, BODY)

    def _put_chart(self, chart: TrendFigure | BarsFigure) -> None:
        """A chart over the whole width."""
        if self.room.height < _LEAST_PICTURE:
            self._turn()
        add_chart(self.room.slide, Box(MARGIN, self.room.top, INNER, self.room.height), chart, 11)
        self.room.top = self.room.bottom

    def _put_small(self, table: TableFigure, box: Box) -> bool:
        """A table whole in a place, if there is room for it there."""
        widths = share_widths(table, box.width, SMALL_TABLE)
        heights = measure_rows(table, widths, SMALL_TABLE)
        head = measure_height(table.title, box.width, BODY - 2, bold=True) + 4
        if sum(widths) > box.width + 1 or head + sum(heights) > box.height or table.note:
            return False
        slide = self.room.slide
        add_text(slide, Box(box.left, box.top, box.width, head), [table.title], BODY - 2, bold=True)
        rows = slice(0, len(table.rows))
        add_table(slide, box.left, box.top + head, table, rows, widths=widths, heights=heights, size=SMALL_TABLE)
        return True

    def put_words(self, paragraphs: Sequence[str], size: float) -> None:
        """Paragraphs below each other; one that is longer than a slide is broken between its lines."""
        lines_left = [line for text in paragraphs for line in self._fold(text, size)]
        while lines_left:
            block: list[str] = []
            used = 0.0
            while lines_left:
                tall = measure_height(lines_left[0], INNER, size) + 0.4 * size
                if used + tall > self.room.height:
                    break
                used += tall
                block.append(lines_left.pop(0))
            if block:
                add_text(self.room.slide, Box(MARGIN, self.room.top, INNER, used), block, size, gap=0.4 * size)
                self.room.top += used + 0.5 * GAP
            if lines_left:
                self._turn()

    def _fold(self, text: str, size: float) -> list[str]:
        """A paragraph as parts of which each fits on a slide."""
        lines = break_text(text, INNER, size)
        most = 12
        return [" ".join(lines[start : start + most]) for start in range(0, len(lines), most)]

    def put_table(self, table: TableFigure) -> None:
        """A table with its title, its heading on every slide that it goes on on, with about as many rows on each."""
        size, widths, heights = self._choose_size(table, self.room.height)
        head = self._measure_head(table)
        start = 0
        while start < len(table.rows):
            free = self.room.height - head - heights[0]
            share = _share_out(heights[1 + start :], free, self._whole - head - heights[0])
            end, used = start, 0.0
            while end < len(table.rows) and used + heights[1 + end] <= free and used < share:
                used += heights[1 + end]
                end += 1
            fresh = self.room.height > 0.5 * HEIGHT
            if end == start and fresh:
                # A row that is higher than a slide is put on it all the same.
                end += 1
            # A few rows at the foot of a slide are not worth parting a table for.
            if end < len(table.rows) and end - start < 4 and not fresh:
                self._turn()
                continue
            self._add_part(table, slice(start, end), widths, heights, head, size)
            start = end
            if start < len(table.rows):
                self._turn()
        if table.note:
            self.put_words([table.note], TABLE)

    def _measure_head(self, table: TableFigure) -> float:
        return measure_height(table.title, INNER, BODY, bold=True) + 4

    def _choose_size(self, table: TableFigure, room: float) -> tuple[float, list[float], list[float]]:
        """The usual size of text, or a smaller one where a table then needs no second slide; with its measures."""
        measured = []
        for size in (TABLE, SMALL_TABLE):
            widths = share_widths(table, INNER, size)
            measured.append((size, widths, measure_rows(table, widths, size)))
            if sum(measured[-1][2]) + 1.5 * BODY <= room:
                return measured[-1]
        return measured[0]

    def _add_part(
        self,
        table: TableFigure,
        rows: slice,
        widths: Sequence[float],
        heights: Sequence[float],
        head: float,
        size: float,
    ) -> None:
        room = self.room
        title = table.title if not rows.start else f"{table.title} (continued)"
        add_text(room.slide, Box(MARGIN, room.top, INNER, head), [title], BODY, bold=True)
        top = room.top + head
        add_table(room.slide, MARGIN, top, table, rows, widths=widths, heights=heights, size=size)
        room.top = top + heights[0] + sum(heights[1:][rows]) + GAP


def _share_out(heights: Sequence[float], first: float, further: float) -> float:
    """How high each part of a table is to be that goes on over slides: what is free on the `first`, and on others."""
    parts, free = 1, first
    for height in heights:
        if height > free:
            parts, free = parts + 1, further
        free -= height
    return sum(heights) / parts
