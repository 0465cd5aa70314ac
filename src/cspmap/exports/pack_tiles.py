"""The large numbers at the head of a slide, in tiles side by side."""

from typing import TYPE_CHECKING

from cspmap.briefing.screen import Figure
from cspmap.briefing.svg import clean_text
from cspmap.exports.pack_shapes import (
    GRID,
    MUTED,
    Box,
    add_letter,
    add_text,
    fill_shape,
    measure_height,
    write_run,
)
from cspmap.views.palettes import OUTLINE

if TYPE_CHECKING:
    from pptx.slide import Slide

_VALUE, _LABEL, _NOTE, _EDGE = 26.0, 11.5, 10.0, 8.0


def measure_tile(figure: Figure, width: float) -> float:
    """How high a tile comes out that is `width` wide."""
    inner = width - 2 * _EDGE
    value = measure_height(figure.value, inner - (34 if figure.rating else 0), _VALUE, bold=True)
    label = measure_height(figure.label, inner, _LABEL)
    return value + label + measure_height(figure.note, inner, _NOTE) + 2 * _EDGE


def add_tile(slide: "Slide", box: Box, figure: Figure) -> None:
    """One large number with what it counts, a few words, and the letter of its rating."""
    from pptx.util import Pt

    shape = add_text(slide, box, [figure.value], _VALUE, bold=True, name=clean_text(figure.label)[:200])
    fill_shape(shape, fill="#F3F5F7", line=GRID)
    frame = shape.text_frame
    frame.margin_left = frame.margin_right = Pt(_EDGE)
    frame.margin_top = Pt(_EDGE / 2)
    for text, size, colour in ((figure.label, _LABEL, OUTLINE), (figure.note, _NOTE, MUTED)):
        if text:
            write_run(frame.add_paragraph(), text, size, colour=colour)
    if figure.rating:
        side = 28.0
        add_letter(slide, Box(box.left + box.width - side - _EDGE, box.top + _EDGE, side, side), figure.rating)
