"""A briefing as a printed pack (PDF): A4 landscape, tagged, its pages numbered, its typeface within.

The layout is in pack_print.typ; this gives it the figures, as data that it never takes for layout.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cspmap.briefing.chart_drawing import draw_chart
from cspmap.briefing.map_drawing import draw_map
from cspmap.briefing.screen import Briefing, Screen, TableFigure
from cspmap.briefing.svg import clean_text
from cspmap.exports.pack_shapes import measure_height, share_widths
from cspmap.exports.pack_tables import list_map_tables, tabulate_chart, tabulate_entries
from cspmap.exports.pack_text import ABOUT, join_caveats, write_foot
from cspmap.exports.pack_typst import FONTS, Typesetter
from cspmap.store import Store
from cspmap.views.target_board import RATING_COLOURS

_LAYOUT = Path(__file__).with_suffix(".typ")
# In points: the width between the margins, pictures beside words, and pictures by themselves.
_INNER = 768.0
_WIDE, _TALL = 430.0, 245.0
_BESIDE = (_INNER - _WIDE - 12.0, 150.0)
_TEXT, _SMALL, _TABLE, _FOOT = 9.0, 8.0, 8.5, 7.5
_FOOT_WIDTH = 680.0
# A table of so many rows stands in parts side by side where it is narrow enough, but no more than so many parts.
_LONG, _ACROSS, _BETWEEN = 12, 4, 12.0
# One that has no more rows to a part is not broken between pages.
_WHOLE = 25


def write_print(
    briefing: Briefing,
    store: Store,
    typesetter: Typesetter,
    progress: Callable[[str, float], None],
) -> bytes:
    """A briefing as the bytes of a PDF; `progress` is told of every screen.

    The tables behind maps and charts stand at the end, several on a page, each with the page of its caveats.
    """
    steps = len(briefing.screens) + 2
    screens: list[dict[str, Any]] = []
    behind: list[dict[str, Any]] = []
    for number, screen in enumerate(briefing.screens, start=1):
        progress(screen.title, (number - 1) / steps)
        screens.append(_write_screen(screen, number, store, briefing.notice, typesetter.folder))
        behind += [
            {"screen": clean_text(screen.title), "subject": number, "table": _write_table(table)}
            for table in _list_behind(screen, store)
        ]
    foot = write_foot(briefing)
    lines = measure_height(foot.sources, _FOOT_WIDTH, _FOOT) + (12.0 if foot.notice else 0.0)
    data = {
        "title": clean_text(briefing.title),
        "as_at": clean_text(f"As at {briefing.as_at}"),
        "fonts": FONTS,
        "about": ABOUT,
        "notice": foot.notice,
        "sources": foot.sources,
        # One line more, for where the caveats are.
        "foot_height": lines + 1.2 * _FOOT,
        "ratings": RATING_COLOURS,
        "screens": screens,
        "behind": behind,
    }
    progress("Setting the pages", (steps - 1) / steps)
    (typesetter.folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), "utf-8")
    return typesetter.print_pdf(_LAYOUT.read_text("utf-8"))


def _list_behind(screen: Screen, store: Store) -> list[TableFigure]:
    tables = list_map_tables(screen, store)
    if screen.chart is not None:
        tables.append(tabulate_chart(screen.chart))
    return tables


def _write_screen(screen: Screen, number: int, store: Store, notice: str, folder: Path) -> dict[str, Any]:
    """A screen as the layout needs it, its pictures drawn into the folder."""
    tables = [screen.table] if screen.table is not None and screen.table.rows else []
    if screen.last_time:
        tables.append(tabulate_entries(screen.last_time))
    return {
        "title": clean_text(screen.title),
        "subtitle": clean_text(screen.subtitle),
        "figures": [
            {name: clean_text(getattr(each, name)) for name in ("value", "label", "note", "rating")}
            for each in screen.figures
        ],
        "sentences": [clean_text(sentence) for sentence in screen.sentences],
        "pictures": _draw_pictures(screen, number, store, folder),
        "caveats": join_caveats(screen, notice),
        "tables": [_write_table(table) for table in tables],
    }


def _draw_pictures(screen: Screen, number: int, store: Store, folder: Path) -> list[dict[str, Any]]:
    """The map and the chart as files: the first beside the words, the other below them."""
    pictures: list[dict[str, Any]] = []

    def keep(kind: str, svg: str, alt: str, width: float, height: float) -> None:
        name = f"{kind}-{number}.svg"
        (folder / name).write_text(svg, "utf-8")
        pictures.append({"file": name, "alt": clean_text(alt) or kind, "width": width, "height": height})

    if screen.map is not None:
        svg = draw_map(screen.map, store, width=_WIDE, height=_TALL, text_size=_TEXT)
        keep("map", svg, screen.map.alt, _WIDE, _TALL)
    if screen.chart is not None:
        width, height = _BESIDE if pictures else (_WIDE, _TALL)
        size = _SMALL if pictures else _TEXT
        svg = draw_chart(screen.chart, width=width, height=height, text_size=size)
        keep("chart", svg, screen.chart.alt, width, height)
    return pictures


def _write_table(table: TableFigure) -> dict[str, Any]:
    """A table as the layout needs it: a long and narrow one in several parts, to stand side by side."""
    widths = share_widths(table, _INNER, _TABLE)
    across = min(_ACROSS, int((_INNER + _BETWEEN) / (sum(widths) + _BETWEEN))) if len(table.rows) >= _LONG else 1
    each = max(-(-len(table.rows) // across), 1)
    rows = [[clean_text(cell) for cell in row] for row in table.rows]
    return {
        "title": clean_text(table.title),
        "columns": [clean_text(title) for title in table.columns],
        "parts": [rows[start : start + each] for start in range(0, len(rows), each)],
        "align": table.align,
        "rating": table.rating,
        "note": clean_text(table.note),
        "widths": widths,
        "whole": each <= _WHOLE,
    }
