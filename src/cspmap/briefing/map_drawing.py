"""The map as one picture: the same areas, fills, patterns, marks and names as the map on a page, its legend with them.

Where a page's map is moved and asked, this one is read: from a wall, a slide or paper.
"""

import json
import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cspmap.briefing.map_labels import Labels, Named, place_labels
from cspmap.briefing.map_legend import DrawnLegend, LegendRow, draw_legend
from cspmap.briefing.screen import MapFigure
from cspmap.briefing.svg import draw_box, find_inks, show_number, wrap_svg
from cspmap.store import Store
from cspmap.views.map import AreaStyle, MapView
from cspmap.views.palettes import OUTLINE, SPECIAL, Special

# Of the mean Earth (radius 6,371 km).
METRES_A_DEGREE = 111_195.0
# Areas of a layer of more are not numbered where their names do not fit: the key would be longer than the legend.
_MOST_NUMBERED = 25
# Sizes below are for text of 12, as on a page.
_USUAL_TEXT = 12.0
_HALO = "#FFFFFF"
_TICKED = (("#FFFFFF", 7.0), ("#801650", 4.0))
_SUGGESTED = ((OUTLINE, 6.5), ("#F46A25", 4.0))
_CHOSEN = (("#FFFFFF", 7.0), (OUTLINE, 3.5))

Point = tuple[float, float]
Ring = tuple[Point, ...]


@dataclass(frozen=True)
class Outline:
    """An area of a layer: rings of [longitude, latitude], and the point that its name stands at."""

    code: str
    name: str
    at: Point
    rings: tuple[Ring, ...]


@dataclass(frozen=True)
class _Frame:
    """Where a map lies: from degrees to the picture, the same scale both ways (equirectangular, at its middle)."""

    west: float
    north: float
    squeeze: float
    scale: float
    left: float
    top: float

    def place(self, point: Sequence[float]) -> Point:
        return (
            self.left + (point[0] - self.west) * self.squeeze * self.scale,
            self.top + (self.north - point[1]) * self.scale,
        )


def draw_map(
    figure: MapFigure, store: Store, *, width: float, height: float, text_size: float, dark: bool = False
) -> str:
    """A map and its legend as one SVG of `width` by `height`, all text at `text_size` or near it.

    The legend lies beside the map or below it, wherever the map comes out larger.
    """
    view, inks, unit = figure.view, find_inks(dark=dark), text_size / _USUAL_TEXT
    outlines = read_outlines(store.web / f"{figure.level}.json")
    over = read_outlines(store.web / Path(urlsplit(view.lines).path).name) if view.lines else ()
    prefix = f"c{zlib.crc32(repr((figure, width, dark)).encode()):08x}"
    styles = {area.code: area for area in view.areas}
    west, south, east, north = _find_bounds(outlines, view)
    squeeze = math.cos(math.radians((south + north) / 2))
    wide, tall = max((east - west) * squeeze, 1e-9), max(north - south, 1e-9)

    def fit(across: float, down: float) -> float:
        edge = 2 * 4 * unit
        return max(min((across - edge) / wide, (down - edge) / tall), 1e-9)

    paint = _make_paint(view, prefix)
    rows = _list_rows(figure, outlines, styles, paint, unit)

    def lay_out(numbers: Mapping[str, str]) -> tuple[DrawnLegend, _Frame, Labels]:
        """Everything with some areas' names in a key beside the map."""
        key = ", ".join(f"{number} {name}" for name, number in numbers.items())
        legend = draw_legend(
            rows,
            view.legend.title,
            (key, view.legend.rule, view.attribution),
            width=width,
            height=height,
            size=text_size,
            inks=inks,
            outline=OUTLINE if not dark else inks.muted,
            fit=fit,
            metres_a_unit=METRES_A_DEGREE,
        )
        scale, free = fit(legend.free_width, legend.free_height), (legend.free_width, legend.free_height)
        frame = _Frame(west, north, squeeze, scale, (free[0] - wide * scale) / 2, (free[1] - tall * scale) / 2)
        named = _list_names(outlines, over, styles, view, frame, numbers)
        return legend, frame, place_labels(named, size=text_size, ink=OUTLINE, halo=_HALO, within=free)

    legend, frame, labels = _number_areas(lay_out, outlines, styles, view)
    paths = {outline.code: _trace(outline.rings, frame.place) for outline in outlines}
    parts = [_define_patterns(prefix, unit), *_draw_areas(outlines, paths, styles, view, paint, unit)]
    if view.picture is not None:
        parts.append(_draw_picture(view, frame))
    parts += [_stroke(_trace(each.rings, frame.place), OUTLINE, 1.3 * unit, 0.65) for each in over]
    parts += _draw_chosen(view, paths, unit)
    parts += _draw_places(view, frame, unit)
    return wrap_svg("".join([*parts, *labels.drawn, legend.body]), width=width, height=height, alt=figure.alt)


def _number_areas(
    lay_out: Callable[[Mapping[str, str]], tuple[DrawnLegend, _Frame, Labels]],
    outlines: Sequence[Outline],
    styles: Mapping[str, AreaStyle],
    view: MapView,
) -> tuple[DrawnLegend, _Frame, Labels]:
    """The layout in which areas whose names do not fit have a number, as many of them as there is room for in a key.

    Not on a map of many areas, nor on one whose places have numbers already.
    """
    laid = lay_out({})
    if len(outlines) > _MOST_NUMBERED or view.places or laid[0].shrunk:
        return laid
    left_out = {code for code, style in styles.items() if style.fill == "left out"}
    able = [each.name for each in outlines if each.code not in left_out]
    numbered: set[str] = set()
    # One at a time: the key takes room, so that further names may not fit any more.
    while missing := [each.name for each in laid[2].unnamed if each.name in able and each.name not in numbered]:
        numbered.add(missing[0])
        more = lay_out({name: str(number) for number, name in enumerate(sorted(numbered), start=1)})
        if more[0].shrunk:
            break
        laid = more
    return laid


@lru_cache(maxsize=16)
def read_outlines(file: Path) -> tuple[Outline, ...]:
    """The outlines of a layer, from the file that a page's map fetches. A version's files never change."""
    features = json.loads(file.read_text("utf-8"))["features"]
    return tuple(
        Outline(
            feature["properties"]["code"],
            feature["properties"]["name"],
            (feature["properties"]["label"][0], feature["properties"]["label"][1]),
            tuple(_list_rings(feature["geometry"])),
        )
        for feature in features
    )


def _list_rings(geometry: Mapping[str, Any]) -> Iterable[Ring]:
    """The rings or lines of a GeoJSON geometry; none of a point."""
    kind, coordinates = geometry["type"], geometry.get("coordinates", ())
    if kind == "GeometryCollection":
        for part in geometry["geometries"]:
            yield from _list_rings(part)
        return
    depth = {"LineString": 0, "MultiLineString": 1, "Polygon": 1, "MultiPolygon": 2}.get(kind)
    if depth is None:
        return
    rings = [coordinates]
    for _ in range(depth):
        rings = [ring for part in rings for ring in part]
    for ring in rings:
        yield tuple((float(point[0]), float(point[1])) for point in ring)


def _list_points(geometry: Mapping[str, Any]) -> list[Point]:
    """The points of a GeoJSON geometry of points; none of any other."""
    coordinates = geometry.get("coordinates", ())
    points = [coordinates] if geometry["type"] == "Point" else coordinates if geometry["type"] == "MultiPoint" else ()
    return [(float(point[0]), float(point[1])) for point in points]


def _find_bounds(outlines: Sequence[Outline], view: MapView) -> tuple[float, float, float, float]:
    """West, south, east and north of everything that is drawn."""
    points = [point for outline in outlines for ring in outline.rings for point in ring]
    for place in view.places:
        points += [point for ring in _list_rings(place.geometry) for point in ring]
        points += [place.label, *_list_points(place.geometry)]
    across, up = zip(*points, strict=True) if points else ((0.0, 1.0), (0.0, 1.0))
    return min(across), min(up), max(across), max(up)


def _trace(rings: Iterable[Ring], place: Callable[[Sequence[float]], Point]) -> str:
    """Rings as the data of a path; corners that fall on one another are one."""
    steps = []
    for ring in rings:
        corners: list[str] = []
        for point in ring:
            x, y = place(point)
            corner = f"{show_number(x)},{show_number(y)}"
            if not corners or corners[-1] != corner:
                corners.append(corner)
        closed = "Z" if len(ring) > 2 and ring[0] == ring[-1] else ""
        steps.append(f"M{'L'.join(corners)}{closed}")
    return "".join(steps)


def _stroke(path: str, colour: str, width: float, opacity: float = 1.0) -> str:
    faint = f' stroke-opacity="{opacity:g}"' if opacity < 1 else ""
    looks = f'stroke="{colour}" stroke-width="{show_number(width)}" stroke-linejoin="round"{faint}'
    return f'<path d="{path}" fill="none" {looks}/>'


def _make_paint(view: MapView, prefix: str) -> Callable[[int | Special], str]:
    """The colour or pattern of a class or of what is there instead of one."""

    def paint(fill: int | Special) -> str:
        if isinstance(fill, int):
            return view.legend.classes[fill].colour
        look = SPECIAL[fill]
        return f"url(#{prefix}-{look.pattern})" if look.pattern else look.fill

    return paint


def _define_patterns(prefix: str, unit: float) -> str:
    """The patterns of the page's map (web/cspmap-parts.js)."""
    shapes = {
        "hatch": '<path d="M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4" stroke="{ink}" stroke-width="1.4"/>',
        "dots": '<circle cx="2" cy="2" r="1" fill="{ink}"/><circle cx="6" cy="6" r="1" fill="{ink}"/>',
    }
    looks = [look for look in SPECIAL.values() if look.pattern]
    patterns = (
        f'<pattern id="{prefix}-{look.pattern}" patternUnits="userSpaceOnUse" width="8" height="8" '
        f'patternTransform="scale({unit:.3f})"><rect width="8" height="8" fill="{look.fill}"/>'
        f"{shapes[str(look.pattern)].format(ink=look.ink)}</pattern>"
        for look in looks
    )
    return f"<defs>{''.join(patterns)}</defs>"


def _draw_areas(
    outlines: Sequence[Outline],
    paths: Mapping[str, str],
    styles: Mapping[str, AreaStyle],
    view: MapView,
    paint: Callable[[int | Special], str],
    unit: float,
) -> list[str]:
    width = (0.4 if view.lines else 0.8) * unit
    drawn = []
    for outline in outlines:
        style = styles.get(outline.code)
        fill = "#FFFFFF" if view.picture else paint(style.fill if style else "missing")
        looks = f'fill="{fill}" fill-rule="evenodd" stroke="{OUTLINE}" stroke-width="{show_number(width)}"'
        drawn.append(f'<path d="{paths[outline.code]}" {looks} stroke-linejoin="round"/>')
    return drawn


def _draw_picture(view: MapView, frame: _Frame) -> str:
    """The picture laid over the areas, where it is carried in the view itself: nothing else may be asked for."""
    assert view.picture is not None
    if not view.picture.url.startswith("data:image/png;base64,"):
        return ""
    south, west, north, east = view.picture.bounds
    (left, top), (right, bottom) = frame.place((west, north)), frame.place((east, south))
    size = f'width="{show_number(right - left)}" height="{show_number(bottom - top)}"'
    box = f'x="{show_number(left)}" y="{show_number(top)}" {size}'
    return f'<image {box} preserveAspectRatio="none" opacity="{view.picture.opacity:g}" href="{view.picture.url}"/>'


def _draw_chosen(view: MapView, paths: Mapping[str, str], unit: float) -> list[str]:
    """Lines around what is chosen, ticked or suggested."""
    asked: list[tuple[Sequence[str], tuple[tuple[str, float], ...]]] = []
    if view.picks is not None:
        asked += [(view.picks.suggested, _SUGGESTED), (view.picks.ticked, _TICKED)]
    if view.selected is not None:
        asked.append(((view.selected,), _CHOSEN))
    drawn = []
    for codes, strokes in asked:
        for colour, width in strokes:
            drawn += [_stroke(paths[code], colour, width * unit) for code in codes if code in paths]
    return drawn


def _draw_places(view: MapView, frame: _Frame, unit: float) -> list[str]:
    drawn = []
    for place in view.places:
        path = _trace(_list_rings(place.geometry), frame.place)
        if path:
            strokes = _CHOSEN if place.code == view.selected else ((OUTLINE, 2.4),)
            drawn += [_stroke(path, colour, width * unit) for colour, width in strokes]
        for point in _list_points(place.geometry):
            x, y = frame.place(point)
            looks = f'fill="#FFFFFF" fill-opacity="0.9" stroke="{OUTLINE}" stroke-width="{show_number(2.4 * unit)}"'
            drawn.append(f'<circle cx="{show_number(x)}" cy="{show_number(y)}" r="{show_number(7 * unit)}" {looks}/>')
    return drawn


def _list_names(
    outlines: Sequence[Outline],
    over: Sequence[Outline],
    styles: Mapping[str, AreaStyle],
    view: MapView,
    frame: _Frame,
    numbers: Mapping[str, str],
) -> list[Named]:
    """What is to be written on the map: plates of places, marks and names of areas, names of the layer over them."""
    named = [Named(frame.place(place.label), "", place.mark, 0.0, plate=True) for place in view.places if place.mark]
    for outline in outlines:
        style = styles.get(outline.code)
        name = outline.name if view.labels and not view.lines else ""
        mark = style.mark if style else ""
        named.append(
            Named(
                frame.place(outline.at),
                name,
                mark,
                _measure_across(outline, frame),
                first=outline.code == view.selected,
                number=numbers.get(name, ""),
            )
        )
    if view.labels:
        named += [Named(frame.place(each.at), each.name, "", _measure_across(each, frame)) for each in over]
    return named


def _measure_across(outline: Outline, frame: _Frame) -> float:
    across = [frame.place(point)[0] for ring in outline.rings for point in ring]
    return max(across) - min(across) if across else 0.0


def _list_rows(
    figure: MapFigure,
    outlines: Sequence[Outline],
    styles: Mapping[str, AreaStyle],
    paint: Callable[[int | Special], str],
    unit: float,
) -> list[LegendRow]:
    """The classes, what occurs of what is no class, and what the lines around areas mean."""
    view = figure.view
    opacity = view.picture.opacity if view.picture else 1.0
    used: dict[int | Special, list[str]] = {}
    for code in [] if view.picture else [each.code for each in outlines]:
        used.setdefault(styles[code].fill if code in styles else "missing", []).append(code)

    def swatch(fill: int | Special) -> Callable[[float, float, float, float, str], str]:
        def draw(x: float, y: float, width: float, height: float, outline: str) -> str:
            box = draw_box(x, y, width, height, fill=paint(fill), stroke=outline, line=unit)
            return box.replace("/>", f' fill-opacity="{opacity:g}"/>') if opacity < 1 else box

        return draw

    def ring(strokes: tuple[tuple[str, float], ...]) -> Callable[[float, float, float, float, str], str]:
        def draw(x: float, y: float, width: float, height: float, outline: str) -> str:
            middle = y + height / 2
            path = f"M{show_number(x)},{show_number(middle)}h{show_number(width)}"
            return "".join(_stroke(path, colour, thick * unit) for colour, thick in strokes)

        return draw

    rows = [LegendRow(each.label, swatch(number)) for number, each in enumerate(view.legend.classes)]
    rows += [LegendRow(figure.name_special(name, used[name]), swatch(name)) for name in SPECIAL if name in used]
    if view.picks is not None:
        rows.append(LegendRow("chosen", ring(_TICKED)))
        if view.picks.suggested:
            rows.append(LegendRow("suggested", ring(_SUGGESTED)))
    return rows
