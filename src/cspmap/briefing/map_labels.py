"""Names and marks on a drawn map, where they fit: the rules of the page's map (web/cspmap-parts.js)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cspmap.briefing.svg import draw_box, draw_text, measure_text

# In parts of the size of a name.
_LINE, _MARK_LINE, _MARK = 14 / 12, 20 / 12, 16 / 12
_SIDE, _PLATE_SIDE = 3 / 12, 6 / 12
_LONG_NAME = 10

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Named:
    """What may be written at a point of the picture: a `mark`, such as the letter of a rating, over a name.

    `across` is how wide its area is there. A `plate` stands above its point, goes before every name and need not fit
    an area. `first` goes before the others and need not fit either.
    """

    at: tuple[float, float]
    name: str
    mark: str
    across: float
    plate: bool = False
    first: bool = False


def place_labels(named: Sequence[Named], *, size: float, ink: str, halo: str, within: tuple[float, float]) -> list[str]:
    """Draw each name that fits: about as wide as its area, and clear of those before it; large areas go first.

    Where a name does not fit, its mark alone may. Nothing reaches over the edge of `within`, which starts at 0, 0.
    """
    taken: list[Box] = []
    drawn = []
    for one in sorted(named, key=lambda each: (not each.first, not each.plate, -each.across)):
        for lines, mark in _list_forms(one):
            width, height = _measure(lines, mark, size, plate=one.plate)
            if not (one.first or one.plate) and width > one.across:
                continue
            box = _keep_inside(_surround(one, width, height, size), within)
            if box is None or any(_overlap(box, other) for other in taken):
                continue
            taken.append(box)
            drawn.append(_write(box, lines, mark, size, ink, halo, plate=one.plate))
            break
    return drawn


def break_name(name: str) -> list[str]:
    """A long name on two lines, broken at the space nearest its middle."""
    spaces = [place for place, sign in enumerate(name) if sign == " "]
    if len(name) <= _LONG_NAME or not spaces:
        return [name]
    middle = min(spaces, key=lambda place: abs(place - len(name) / 2))
    return [name[:middle], name[middle + 1 :]]


def _list_forms(one: Named) -> Iterable[tuple[list[str], str]]:
    """The ways to label it, the fullest first: lines of its name, and its mark."""
    if one.plate:
        yield [], one.mark
        return
    if one.name:
        yield break_name(one.name), one.mark
    if one.mark:
        yield [], one.mark


def _measure(lines: Sequence[str], mark: str, size: float, *, plate: bool) -> tuple[float, float]:
    if plate:
        wide = measure_text(mark, size * 13 / 12, bold=True) + 2 * _PLATE_SIDE * size
        return max(_MARK_LINE * size, wide), _MARK_LINE * size
    widths = [measure_text(line, size, bold=True) for line in lines]
    if mark:
        widths.append(measure_text(mark, _MARK * size, bold=True))
    return max(widths), len(lines) * _LINE * size + (_MARK_LINE * size if mark else 0.0)


def _surround(one: Named, width: float, height: float, size: float) -> Box:
    x, y = one.at
    if one.plate:
        y -= height / 2 + size / 6
    half = width / 2 + (0 if one.plate else _SIDE * size)
    return x - half, y - height / 2, x + half, y + height / 2


def _keep_inside(box: Box, within: tuple[float, float]) -> Box | None:
    """The box moved off the edges; None where there is no room for it at all."""
    left, top, right, bottom = box
    if right - left > within[0] or bottom - top > within[1]:
        return None
    aside = max(0.0, -left) - max(0.0, right - within[0])
    down = max(0.0, -top) - max(0.0, bottom - within[1])
    return left + aside, top + down, right + aside, bottom + down


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _write(box: Box, lines: Sequence[str], mark: str, size: float, ink: str, halo: str, *, plate: bool) -> str:
    left, top, right, bottom = box
    x = (left + right) / 2
    if plate:
        height = bottom - top
        back = draw_box(left, top, right - left, height, fill="#FFFFFF", stroke=ink, line=size / 12, radius=height / 2)
        return back + draw_text(x, top + 0.7 * height, mark, size * 13 / 12, fill=ink, anchor="middle", bold=True)
    parts = []
    y = top
    if mark:
        parts.append(draw_text(x, y + 1.27 * size, mark, _MARK * size, fill=ink, anchor="middle", bold=True, halo=halo))
        y += _MARK_LINE * size
    for line in lines:
        parts.append(draw_text(x, y + 0.92 * size, line, size, fill=ink, anchor="middle", bold=True, halo=halo))
        y += _LINE * size
    return "".join(parts)
