"""The legend of a drawn map: title, classes, what else occurs, the rule of the classes, and a scale."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cspmap.briefing.svg import LINE_HEIGHT, Inks, break_text, draw_line, draw_text, measure_text, show_number

# (x, y, width, height, outline) -> SVG.
Swatch = Callable[[float, float, float, float, str], str]

# In parts of the size of the text.
_SWATCH_WIDTH, _SWATCH_HEIGHT, _GAP = 1.8, 1.15, 0.65
_ROW_GAP, _BLOCK_GAP, _BETWEEN = 0.3, 0.55, 1.2
_RULE = 0.88
_NARROWEST, _WIDEST = 11.0, 21.0
# Of the picture, the most that a legend beside or below the map takes.
_MOST_ASIDE, _MOST_BELOW = 0.42, 0.5


@dataclass(frozen=True)
class LegendRow:
    """One meaning: its words, and what draws the sample beside them."""

    label: str
    swatch: Swatch


@dataclass(frozen=True)
class DrawnLegend:
    """The legend as SVG where it belongs, and what is left of the picture for the map, from its upper left.

    `shrunk` is whether its text is smaller than asked for.
    """

    body: str
    free_width: float
    free_height: float
    shrunk: bool


@dataclass(frozen=True)
class _Block:
    """A legend laid out at 0, 0, and how large it came out; its scale goes at the height `scale_at`."""

    parts: tuple[str, ...]
    width: float
    height: float
    scale_at: float


def draw_legend(
    rows: Sequence[LegendRow],
    title: str,
    rules: Sequence[str],
    *,
    width: float,
    height: float,
    size: float,
    inks: Inks,
    outline: str,
    fit: Callable[[float, float], float],
    metres_a_unit: float,
) -> DrawnLegend:
    """The legend beside the map or below it, wherever `fit` (the scale of a map in a space) comes out larger.

    Nothing of it is left out: where its text is too long for the picture, all of it is drawn smaller. `metres_a_unit`
    is how many metres a unit is that `fit` scales.
    """
    asked = max(
        [measure_text(row.label, size) + (_SWATCH_WIDTH + _GAP) * size for row in rows]
        + [measure_text(title, size, bold=True) / 2]
    )
    aside_width = min(max(asked, _NARROWEST * size), _WIDEST * size, _MOST_ASIDE * width)
    aside = _lay_out(rows, title, rules, aside_width, size, inks, outline, strip=False)
    below = _lay_out(rows, title, rules, width, size, inks, outline, strip=True)
    shrunk_aside = min(1.0, height / aside.height)
    shrunk_below = min(1.0, _MOST_BELOW * height / below.height)
    gap = _BLOCK_GAP * size
    spaces = {
        "aside": (width - aside.width * shrunk_aside - gap, height),
        "below": (width, height - below.height * shrunk_below - gap),
    }
    # A legend that can be read comes before a larger map.
    scores = {
        "aside": fit(*spaces["aside"]) * shrunk_aside,
        "below": fit(*spaces["below"]) * shrunk_below,
    }
    where = max(scores, key=lambda name: scores[name])
    block, shrunk = (aside, shrunk_aside) if where == "aside" else (below, shrunk_below)
    free_width, free_height = spaces[where]
    scale = _draw_scale(block, fit(free_width, free_height) / metres_a_unit / shrunk, size, inks)
    x = width - block.width * shrunk if where == "aside" else 0.0
    y = height - block.height * shrunk
    move = f"translate({show_number(x)} {show_number(y)})" + (f" scale({shrunk:.3f})" if shrunk < 1 else "")
    body = f'<g transform="{move}">{"".join(block.parts)}{scale}</g>'
    return DrawnLegend(body, free_width, free_height, shrunk < 1)


def _lay_out(
    rows: Sequence[LegendRow],
    title: str,
    rules: Sequence[str],
    width: float,
    size: float,
    inks: Inks,
    outline: str,
    *,
    strip: bool,
) -> _Block:
    """Title, rows (one below the other, or in a `strip` side by side), rules and room for the scale."""
    parts: list[str] = []
    y = 0.0
    for line in break_text(title, width, size, bold=True):
        parts.append(draw_text(0, y + 0.95 * size, line, size, fill=inks.text, bold=True))
        y += LINE_HEIGHT * size
    y += _ROW_GAP * size
    x = 0.0
    indent = (_SWATCH_WIDTH + _GAP) * size
    row_height = 0.0
    for row in rows:
        lines = break_text(row.label, width - indent, size)
        wide = indent + max(measure_text(line, size) for line in lines) if lines else indent
        if x and (not strip or x + wide > width):
            x, y, row_height = 0.0, y + row_height, 0.0
        parts.append(row.swatch(x, y + 0.1 * size, _SWATCH_WIDTH * size, _SWATCH_HEIGHT * size, outline))
        for number, line in enumerate(lines):
            at = y + (0.98 + LINE_HEIGHT * number) * size
            parts.append(draw_text(x + indent, at, line, size, fill=inks.text))
        row_height = max(row_height, (LINE_HEIGHT * max(len(lines), 1) + _ROW_GAP) * size)
        x += wide + _BETWEEN * size
    y += row_height
    small = _RULE * size
    for rule in filter(None, rules):
        y += _ROW_GAP * size
        for line in break_text(rule, width, small):
            parts.append(draw_text(0, y + 0.95 * small, line, small, fill=inks.muted))
            y += LINE_HEIGHT * small
    y += _BLOCK_GAP * size
    return _Block(tuple(parts), width, y + LINE_HEIGHT * small, y)


def _draw_scale(block: _Block, pixels_a_metre: float, size: float, inks: Inks) -> str:
    """A bar of a round length, and that length in words."""
    small = _RULE * size
    metres = _round_down(min(block.width * 0.5, 10 * size) / pixels_a_metre)
    words = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    long, y = metres * pixels_a_metre, block.scale_at + 0.75 * small
    end = 0.35 * small
    lines = ((0.0, y, long, y), (0.0, y - end, 0.0, y + end / 2), (long, y - end, long, y + end / 2))
    bar = "".join(draw_line(*line, stroke=inks.muted, width=size / 8) for line in lines)
    return bar + draw_text(long + 0.5 * size, y + 0.3 * small, words, small, fill=inks.muted)


def _round_down(value: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not above the value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (5, 2, 1) if step * power <= value * (1 + 1e-9))
