"""Pictures as SVG text: what the drawn map and the drawn charts have in common.

Every text from data is escaped here and nowhere else. No picture asks for anything outside itself.
"""

import html
import unicodedata
from dataclasses import dataclass
from typing import Literal

from cspmap.views.palettes import CATEGORICAL, OUTLINE

# The dashboard's own typeface where there is one (a page, the printed pack), else what is on every computer.
FONTS = "'Source Sans','Source Sans 3','Source Sans Pro',Arial,Helvetica,'Liberation Sans',sans-serif"
LINE_HEIGHT = 1.2

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Inks:
    """The colours of what is no area: text, fainter text, grid, shade of missing months, and lines."""

    text: str
    muted: str
    grid: str
    shade: str
    lines: tuple[str, ...]


LIGHT = Inks(OUTLINE, "#46525E", "#D3D9DF", "#E4E7EB", CATEGORICAL)
# The same four hues, light enough to stand out from a dark ground.
DARK = Inks("#F3F5F7", "#C3CCD4", "#46525E", "#323E4A", ("#7FB2E5", "#5BD0C5", "#F08CC8", "#F9A878"))


def find_inks(*, dark: bool) -> Inks:
    """The inks for a light or a dark ground."""
    return DARK if dark else LIGHT


def wrap_svg(body: str, *, width: float, height: float, alt: str) -> str:
    """A whole picture; `alt` says in a sentence what it shows."""
    size = f'width="{show_number(width)}" height="{show_number(height)}"'
    box = f'viewBox="0 0 {show_number(width)} {show_number(height)}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} role="img" aria-label="{escape_text(alt)}" '
        f'font-family="{FONTS}">{body}</svg>'
    )


def escape_text(text: str) -> str:
    """Text from data inside an element or an attribute: on one line, without what XML cannot hold."""
    return html.escape(clean_text(text))


def clean_text(text: str) -> str:
    """Text on one line, without control characters, halves of characters and the like.

    Source: W3C, Extensible Markup Language (XML) 1.0, production 2 (Char).
    """
    allowed = (sign for sign in text if unicodedata.category(sign) not in {"Cc", "Cs"} or sign in "\t\n\r")
    return " ".join("".join(sign for sign in allowed if sign not in "\ufffe\uffff").split())


def show_number(value: float) -> str:
    """A coordinate to a tenth: 12.0 -> "12", 3.14 -> "3.1"."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def draw_text(
    x: float,
    y: float,
    text: str,
    size: float,
    *,
    fill: str,
    anchor: Anchor = "start",
    bold: bool = False,
    halo: str | None = None,
) -> str:
    """A line of text whose baseline is at `y`; a `halo` is a line around it that parts it from what lies below."""
    weight = ' font-weight="600"' if bold else ""
    place = f' text-anchor="{anchor}"' if anchor != "start" else ""
    around = (
        f' stroke="{halo}" stroke-width="{show_number(size / 4)}" stroke-linejoin="round" paint-order="stroke"'
        if halo
        else ""
    )
    at = f'x="{show_number(x)}" y="{show_number(y)}" font-size="{show_number(size)}"'
    return f'<text {at} fill="{fill}"{weight}{place}{around}>{escape_text(text)}</text>'


def draw_line(x1: float, y1: float, x2: float, y2: float, *, stroke: str, width: float, dash: str = "") -> str:
    """A straight line."""
    ends = f'x1="{show_number(x1)}" y1="{show_number(y1)}" x2="{show_number(x2)}" y2="{show_number(y2)}"'
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line {ends} stroke="{stroke}" stroke-width="{show_number(width)}"{dashes}/>'


def draw_box(
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    fill: str,
    stroke: str = "",
    line: float = 1.0,
    radius: float = 0.0,
) -> str:
    """A rectangle, with a border where `stroke` names a colour."""
    at = f'x="{show_number(x)}" y="{show_number(y)}" width="{show_number(width)}" height="{show_number(height)}"'
    border = f' stroke="{stroke}" stroke-width="{show_number(line)}"' if stroke else ""
    corners = f' rx="{show_number(radius)}"' if radius else ""
    return f'<rect {at} fill="{fill}"{border}{corners}/>'


# Thousandths of an em of the signs from the space to "~". Source: Adobe, Helvetica's font metrics (AFM), which Arial
# shares; Source Sans is narrower, so what is measured by these has room in it too.
_WIDTHS = (
    (278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278)
    + (556,) * 10
    + (278, 278, 584, 584, 584, 556, 1015)
    + (667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667)
    + (778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333)
    + (556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556)
    + (556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584)
)
_OTHER, _WIDE, _BOLD = 600, 1000, 1.07


def measure_text(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide a line of text is, rather too wide than too narrow."""
    thousandths = sum(_measure_sign(sign) for sign in text)
    return thousandths / 1000 * size * (_BOLD if bold else 1.0)


def _measure_sign(sign: str) -> int:
    place = ord(sign) - ord(" ")
    if 0 <= place < len(_WIDTHS):
        return _WIDTHS[place]
    return _WIDE if unicodedata.east_asian_width(sign) in "WF" else _OTHER


def break_text(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """A text as lines that are no wider than `width`; a word that is wider by itself is broken."""
    lines: list[str] = []
    line = ""
    for word in clean_text(text).split():
        longer = f"{line} {word}" if line else word
        if measure_text(longer, size, bold=bold) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        line = ""
        for sign in word:
            if line and measure_text(line + sign, size, bold=bold) > width:
                lines.append(line)
                line = ""
            line += sign
    return [*lines, line] if line else lines
