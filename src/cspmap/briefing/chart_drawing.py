"""Charts of a screen as one picture each: lines over months, and bars, with what is not known left open.

A month whose figure is missing breaks its line and is shaded, and a bar that is not known says so: never 0.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeGuard

from cspmap.briefing.screen import BarsFigure, Line, TrendFigure
from cspmap.briefing.svg import (
    LINE_HEIGHT,
    Inks,
    break_text,
    draw_box,
    draw_line,
    draw_text,
    find_inks,
    measure_text,
    show_number,
    wrap_svg,
)
from cspmap.exports.published import WITHHELD
from cspmap.periods import Month
from cspmap.views.words import NOT_KNOWN

SHADED, DOTTED = "Shaded: not known", "Dotted: withheld"
# In parts of the size of the text.
_GAP, _KEY, _KEY_GAP = 0.5, 2.2, 1.2
_DASH = {"solid": "", "dashed": "2 1.2"}
_MOST_TICKS = 5
_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)
# Of the width, the most that the names of bars take.
_MOST_NAMES = 0.42
_SMALLEST_ROW = 1.25


def draw_chart(
    figure: TrendFigure | BarsFigure, *, width: float, height: float, text_size: float, dark: bool = False
) -> str:
    """A chart with its title, unit and key as one SVG of `width` by `height`, its text at `text_size` or near it."""
    inks = find_inks(dark=dark)
    if isinstance(figure, TrendFigure):
        body = _draw_trend(figure, width, height, text_size, inks)
    else:
        body = _draw_bars(figure, width, height, text_size, inks)
    return wrap_svg(body, width=width, height=height, alt=figure.alt)


def find_unknown(figure: TrendFigure) -> list[bool]:
    """Which months are shaded: no full line has a figure there, though the lines should.

    Not those after the end of every full line where another line goes on, as one to a target does: they are yet to
    come. Nor those that are withheld.
    """
    lines = [line for line in figure.lines if line.style == "solid"] or list(figure.lines)
    known = [
        any(is_known(line.values[place]) or place in line.withheld for line in lines)
        for place in range(len(figure.months))
    ]
    last = max((place for place, there in enumerate(known) if there), default=-1)
    others = [any(is_known(line.values[place]) for line in figure.lines) for place in range(len(figure.months))]
    return [not there and (place < last or not others[place]) for place, there in enumerate(known)]


def is_known(value: float | None) -> TypeGuard[float]:
    """Whether there is a figure at all."""
    return value is not None and not math.isnan(value)


def split_runs(values: Sequence[float | None]) -> list[list[int]]:
    """The places of the values that follow on one another without a gap."""
    runs: list[list[int]] = []
    for place, value in enumerate(values):
        if not is_known(value):
            continue
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def choose_ticks(low: float, high: float) -> list[float]:
    """Round figures from the one at or below `low` to the one at or above `high`, five steps at most."""
    reach = high - low
    # Ticks have ten digits after the point: what differs by less does not differ.
    if not reach > 1e-9:
        low, high, reach = min(low, 0.0), max(high, 0.0) or 1.0, 1.0
    power = 10.0 ** math.floor(math.log10(reach / _MOST_TICKS))
    step = next(
        each * power
        for each in (1, 2, 5, 10, 20)
        if math.ceil(high / (each * power)) - math.floor(low / (each * power)) <= _MOST_TICKS
    )
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(number * step, 10) for number in range(first, last + 1)]


def format_value(value: float) -> str:
    """1584.0 -> "1,584", 3.25 -> "3.2", with a true minus sign."""
    text = f"{value:,.0f}" if abs(value - round(value)) < 1e-9 or abs(value) >= 1000 else f"{value:,.1f}"
    return text.replace("-", "−")


def shorten_month(month: str) -> str:
    """ "2024-04" -> "Apr 24"."""
    read = Month.parse(month)
    return f"{read.words[:3]} {read.year % 100:02d}"


def _draw_trend(figure: TrendFigure, width: float, height: float, size: float, inks: Inks) -> str:
    parts, top = _draw_heading(figure.title, figure.unit, width, size, inks)
    unknown = find_unknown(figure)
    keys = _list_keys(figure, inks)
    if any(unknown):
        keys.append((SHADED, "", inks.shade))
    if figure.withheld:
        keys.append((DOTTED, "withheld", inks.muted))
    drawn, top = _draw_keys(keys, top, width, size, inks)
    parts += drawn
    values = [value for line in figure.lines for value in line.values if is_known(value)]
    ticks = choose_ticks(min(0.0, *values), max(0.0, *values)) if values else [0.0, 1.0]
    labels = [format_value(tick) for tick in ticks]
    left = max(measure_text(label, size) for label in labels) + _GAP * size
    right, bottom = width - size, height - (LINE_HEIGHT + _GAP) * size
    top += 0.5 * size
    step = (right - left) / max(len(figure.months), 1)
    low, high = ticks[0], ticks[-1]

    def x_of(place: float) -> float:
        return left + (place + 0.5) * step

    def y_of(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - top)

    for place, is_unknown in enumerate(unknown):
        if is_unknown:
            parts.append(draw_box(left + place * step, top, step, bottom - top, fill=inks.shade))
    for run in split_runs([0.0 if place in figure.withheld else None for place in range(len(figure.months))]):
        parts.append(_draw_withheld(left + run[0] * step, top, len(run) * step, bottom - top, size, inks.muted))
    for tick, label in zip(ticks, labels, strict=True):
        at = y_of(tick)
        parts.append(draw_line(left, at, right, at, stroke=inks.grid if tick else inks.muted, width=size / 14))
        if values:
            parts.append(draw_text(left - _GAP * size, at + 0.35 * size, label, size, fill=inks.muted, anchor="end"))
    parts += _name_months(figure.months, x_of, left, right, bottom, size, inks)
    parts += _draw_bands(figure.lines, x_of, y_of, inks)
    for line, colour in _colour_lines(figure.lines, inks):
        parts += _draw_path(line, colour, x_of, y_of, size)
    if not values:
        middle = (left + right) / 2
        told = WITHHELD if figure.withheld else NOT_KNOWN
        parts.append(draw_text(middle, (top + bottom) / 2, told, size, fill=inks.text, anchor="middle"))
    return "".join(parts)


def _draw_heading(title: str, unit: str, width: float, size: float, inks: Inks) -> tuple[list[str], float]:
    """Title and unit, and where they end."""
    parts, y = [], 0.0
    for line in break_text(title, width, size, bold=True):
        parts.append(draw_text(0, y + 0.95 * size, line, size, fill=inks.text, bold=True))
        y += LINE_HEIGHT * size
    for line in break_text(unit, width, size):
        parts.append(draw_text(0, y + 0.95 * size, line, size, fill=inks.muted))
        y += LINE_HEIGHT * size
    return parts, y + 0.25 * size


def _colour_lines(lines: Sequence[Line], inks: Inks) -> list[tuple[Line, str]]:
    """The lines that are no edge of a band, each with its colour."""
    drawn = [line for line in lines if line.style in _DASH]
    return [(line, inks.lines[place % len(inks.lines)]) for place, line in enumerate(drawn)]


def _list_keys(figure: TrendFigure, inks: Inks) -> list[tuple[str, str, str]]:
    """What stands in the key: the words, what kind of sample, its colour."""
    keys: list[tuple[str, str, str]] = [
        (line.name, line.style, colour) for line, colour in _colour_lines(figure.lines, inks)
    ]
    lows = [line for line in figure.lines if line.style == "band-low"]
    keys += [(line.name, "band", inks.muted) for line in lows]
    return keys


def _draw_keys(
    keys: Sequence[tuple[str, str, str]], top: float, width: float, size: float, inks: Inks
) -> tuple[list[str], float]:
    """Samples with their words, side by side as far as there is room, and where they end."""
    parts: list[str] = []
    x, y, bottom = 0.0, top, top
    for words, kind, colour in keys:
        indent = (_KEY + _GAP) * size
        lines = break_text(words, width - indent, size)
        wide = indent + max((measure_text(line, size) for line in lines), default=0.0)
        if x and x + wide > width:
            x, y = 0.0, bottom
        middle = y + 0.6 * size
        if kind in _DASH:
            parts.append(_draw_sample(x, middle, colour, kind, size))
        elif kind == "withheld":
            parts.append(_draw_withheld(x, y + 0.1 * size, _KEY * size, size, size, colour))
        else:
            box = draw_box(x, y + 0.1 * size, _KEY * size, size, fill=colour)
            parts.append(box.replace("/>", ' fill-opacity="0.3"/>') if kind == "band" else box)
        for number, line in enumerate(lines):
            parts.append(draw_text(x + indent, y + (0.95 + LINE_HEIGHT * number) * size, line, size, fill=inks.text))
        bottom = max(bottom, y + (LINE_HEIGHT * max(len(lines), 1) + 0.2) * size)
        x += wide + _KEY_GAP * size
    return parts, bottom


def _draw_withheld(x: float, y: float, width: float, height: float, size: float, colour: str) -> str:
    """The dotted band of months that are withheld."""
    box = draw_box(x, y, width, height, fill=colour, stroke=colour, line=size / 12)
    dots = f"{show_number(size / 12)} {show_number(size / 4)}"
    return box.replace("/>", f' fill-opacity="0.12" stroke-dasharray="{dots}"/>')


def _draw_sample(x: float, y: float, colour: str, kind: str, size: float) -> str:
    return draw_line(x, y, x + _KEY * size, y, stroke=colour, width=size / 5, dash=_scale_dash(kind, size))


def _scale_dash(kind: str, size: float) -> str:
    """Dashes in proportion to the text."""
    return " ".join(show_number(float(part) * size * 0.3) for part in _DASH[kind].split())


def _name_months(
    months: Sequence[str],
    x_of: Callable[[float], float],
    left: float,
    right: float,
    bottom: float,
    size: float,
    inks: Inks,
) -> list[str]:
    """Months below the axis, as many as there is room for, a round number of months apart."""
    if not months:
        return []
    room = (right - left) / (measure_text("Mmm 00", size) + size)
    step = next((each for each in _STEPS if len(months) / each <= max(room, 1)), len(months))
    parts = []
    for place, month in enumerate(months):
        if Month.parse(month).ordinal % step and len(months) >= step:
            continue
        x = x_of(place)
        words = shorten_month(month)
        half = measure_text(words, size) / 2
        parts.append(draw_line(x, bottom, x, bottom + 0.3 * size, stroke=inks.muted, width=size / 14))
        at = min(max(x, half), right + size - half)
        parts.append(draw_text(at, bottom + 1.35 * size, words, size, fill=inks.muted, anchor="middle"))
    return parts


def _draw_bands(
    lines: Sequence[Line], x_of: Callable[[float], float], y_of: Callable[[float], float], inks: Inks
) -> list[str]:
    """A faint area between each lower edge and the upper edge in the same place of its kind."""
    lows = [line for line in lines if line.style == "band-low"]
    highs = [line for line in lines if line.style == "band-high"]
    parts = []
    for low, high in zip(lows, highs, strict=False):
        pairs = zip(low.values, high.values, strict=True)
        both = [one if is_known(one) and is_known(other) else None for one, other in pairs]
        for run in split_runs(both):
            up = [f"{show_number(x_of(place))},{show_number(y_of(high.values[place] or 0.0))}" for place in run]
            down = [f"{show_number(x_of(place))},{show_number(y_of(low.values[place] or 0.0))}" for place in run]
            corners = " ".join([*up, *reversed(down)])
            parts.append(f'<polygon points="{corners}" fill="{inks.muted}" fill-opacity="0.25"/>')
    return parts


def _draw_path(
    line: Line, colour: str, x_of: Callable[[float], float], y_of: Callable[[float], float], size: float
) -> list[str]:
    """A line broken at its gaps; a full line has a point on each of its months."""
    parts = []
    dash = _scale_dash(line.style, size)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    for run in split_runs(line.values):
        corners = [(x_of(place), y_of(line.values[place] or 0.0)) for place in run]
        points = " ".join(f"{show_number(x)},{show_number(y)}" for x, y in corners)
        looks = f'stroke="{colour}" stroke-width="{show_number(size / 5)}" stroke-linejoin="round"{dashes}'
        if len(run) > 1:
            parts.append(f'<polyline points="{points}" fill="none" {looks}/>')
        if line.style == "solid" or len(run) == 1:
            radius = show_number(size / 4)
            parts += [
                f'<circle cx="{show_number(x)}" cy="{show_number(y)}" r="{radius}" fill="{colour}"/>'
                for x, y in corners
            ]
    return parts


def _draw_bars(figure: BarsFigure, width: float, height: float, size: float, inks: Inks) -> str:
    parts, top = _draw_heading(figure.title, figure.unit, width, size, inks)
    if figure.others:
        keys = [(figure.series or figure.unit, "bar", inks.lines[0]), (figure.others_series, "tick", inks.lines[3])]
        drawn, top = _draw_keys(keys, top, width, size, inks)
        parts += drawn
    if not figure.names:
        return "".join(parts)
    row = (height - top) / len(figure.names)
    # Many bars on little room: smaller, rather than some of them left out.
    small = min(size, row / _SMALLEST_ROW)
    names_width = min(max(measure_text(name, small) for name in figure.names), _MOST_NAMES * width)
    others = figure.others or (None,) * len(figure.names)
    known = [value for value in (*figure.values, *others) if is_known(value)]
    low, high = min(0.0, 0.0, *known), max(0.0, 0.0, *known)
    labels = [format_value(value) if is_known(value) else NOT_KNOWN for value in figure.values]
    labels_width = max(measure_text(label, small) for label in labels) + _GAP * small
    left, right = names_width + _GAP * small, width - labels_width - _GAP * small
    reach = (high - low) or 1.0

    def x_of(value: float) -> float:
        return left + (value - low) / reach * (right - left)

    for place, (name, value, other) in enumerate(zip(figure.names, figure.values, others, strict=True)):
        y = top + place * row
        middle = y + row / 2
        parts += _name_bar(name, names_width, middle, row, small, inks)
        end = x_of(0.0)
        if is_known(value):
            start, end = min(x_of(0.0), x_of(value)), max(x_of(0.0), x_of(value))
            parts.append(draw_box(start, middle - 0.36 * row, end - start, 0.72 * row, fill=inks.lines[0]))
        if is_known(other):
            at, tall = x_of(other), 0.46 * row
            parts.append(draw_line(at, middle - tall, at, middle + tall, stroke=inks.lines[3], width=small / 3.5))
            end = max(end, at + small / 5)
        parts.append(draw_text(end + _GAP * small, middle + 0.35 * small, labels[place], small, fill=inks.text))
    parts.append(draw_line(x_of(0.0), top, x_of(0.0), height, stroke=inks.muted, width=small / 14))
    return "".join(parts)


def _name_bar(name: str, width: float, middle: float, row: float, size: float, inks: Inks) -> list[str]:
    """The name at the left of its bar, on as many lines as it needs; smaller where they are too many."""
    while True:
        lines = break_text(name, width, size)
        if len(lines) * LINE_HEIGHT * size <= max(row, LINE_HEIGHT * size) or size < 1:
            break
        size *= 0.9
    first = middle - (len(lines) - 1) * LINE_HEIGHT * size / 2 + 0.35 * size
    return [
        draw_text(width, first + number * LINE_HEIGHT * size, line, size, fill=inks.text, anchor="end")
        for number, line in enumerate(lines)
    ]
