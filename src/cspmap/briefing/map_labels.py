"""Names and marks on a drawn map, where they fit: the rules of the page's map (web/cspmap-parts.js)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cspmap.briefing.svg import draw_box, draw_text, measure_text

# In parts of the size of a name.
_LINE, _MARK_LINE, _MARK = 14 / 12, 20 / 12, 16 / 12
_SIDE, _PLATE_SIDE = 3 / 12, 6 / 12
_LONG_NAME = 10
# A name that does not fit is tried a little smaller, and a little to each side of its point.
_SMALLER = 0.88
_SHIFTS = ((0.0, 0.0), (0.0, -0.6), (0.0, 0.6), (0.6, 0.0), (-0.6, 0.0))
# What is measured as this much wider than an area is about as wide.
_ABOUT = 1.05

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Named:
    """What may be written at a point of the picture: a `mark`, such as the letter of a rating, over a name.

    `across` is how wide its area is there. A `plate` stands above its point, goes before every name and need not fit
    an area. `first` goes before the others and need not fit either. `number` stands in the name's place where that was
    found not to fit.
    """

    at: tuple[float, float]
    name: str
    mark: str
    across: float
    plate: bool = False
    first: bool = False
    number: str = ""


@dataclass(frozen=True)
class Labels:
    """What is drawn, and what has neither its name nor its number."""

    drawn: list[str]
    unnamed: list[Named]


def place_labels(named: Sequence[Named], *, size: float, ink: str, halo: str, within: tuple[float, float]) -> Labels:
    """Draw each name that fits: about as wide as its area, and clear of those before it; large areas go first.

    Where a name does not fit, its mark alone may. Nothing reaches over the edge of `within`, which starts at 0, 0.
    """
    taken: list[Box] = []
    drawn, unnamed = [], []
    for one in sorted(named, key=lambda each: (not each.first, not each.plate, -each.across)):
        for lines, mark, scale in _list_forms(one):
            box = _find_place(one, lines, mark, scale * size, taken, within)
            if box is None:
                continue
            taken.append(box)
            drawn.append(_write(box, lines, mark, scale * size, ink, halo, plate=one.plate))
            break
        else:
            lines = []
        if one.name and not lines:
            unnamed.append(one)
    return Labels(drawn, unnamed)


def _find_place(
    one: Named, lines: Sequence[str], mark: str, size: float, taken: Sequence[Box], within: tuple[float, float]
) -> Box | None:
    """Where a form of a label fits; None where it does not."""
    width, height = _measure(lines, mark, size, plate=one.plate)
    if not (one.first or one.plate) and width > _ABOUT * one.across:
        return None
    for across, down in _SHIFTS[:1] if one.plate else _SHIFTS:
        at = (one.at[0] + across * size, one.at[1] + down * size)
        box = _keep_inside(_surround(at, width, height, size, plate=one.plate), within)
        if box is not None and not any(_overlap(box, other) for other in taken):
            return box
    return None


def break_name(name: str) -> list[str]:
    """A long name on two lines, broken at the space nearest its middle."""
    return _break_middle(name) if len(name) > _LONG_NAME else [name]


def _break_middle(name: str) -> list[str]:
    spaces = [place for place, sign in enumerate(name) if sign == " "]
    if not spaces:
        return [name]
    middle = min(spaces, key=lambda place: abs(place - len(name) / 2))
    return [name[:middle], name[middle + 1 :]]


def _list_forms(one: Named) -> Iterable[tuple[list[str], str, float]]:
    """The ways to label it, the fullest first: lines of its name, its mark, and its size in parts of the usual one."""
    if one.plate:
        yield [], one.mark, 1.0
        return
    if one.number:
        yield [one.number], one.mark, 1.0
    elif one.name:
        yield break_name(one.name), one.mark, 1.0
        yield _break_middle(one.name), one.mark, 1.0
        yield break_name(one.name), one.mark, _SMALLER
        yield _break_middle(one.name), one.mark, _SMALLER
    if one.mark:
        yield [], one.mark, 1.0


def _measure(lines: Sequence[str], mark: str, size: float, *, plate: bool) -> tuple[float, float]:
    if plate:
        wide = measure_text(mark, size * 13 / 12, bold=True) + 2 * _PLATE_SIDE * size
        return max(_MARK_LINE * size, wide), _MARK_LINE * size
    widths = [measure_text(line, size, bold=True) for line in lines]
    if mark:
        widths.append(measure_text(mark, _MARK * size, bold=True))
    return max(widths), len(lines) * _LINE * size + (_MARK_LINE * size if mark else 0.0)


def _surround(at: tuple[float, float], width: float, height: float, size: float, *, plate: bool) -> Box:
    x, y = at
    if plate:
        y -= height / 2 + size / 6
    half = width / 2 + (0 if plate else _SIDE * size)
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
