"""Figures by area as a choropleth: classes, colours, legend, and what a hover says."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.breaks import Breaks, change_breaks, class_breaks
from cspmap.analysis.measures import Floats
from cspmap.partnership import Denominator, Disclosure
from cspmap.selection import DEPRIVATION_MEASURES, Measure, Selection
from cspmap.views.map import AreaStyle, Legend, LegendClass
from cspmap.views.palettes import Special, diverging_palette, ordered_palette
from cspmap.views.words import (
    MEASURE_NAMES,
    count_incidents,
    during,
    format_change,
    format_count,
    format_percent,
    format_rate,
    name_comparison,
)

REAL = ("up", "down")

# From the fewest digits to the most.
_FORMATS: dict[Measure, tuple[Callable[[float | None], str], ...]] = {
    "rate": tuple(partial(format_rate, digits=digits) for digits in (1, 2, 3)),
    "count": (format_count,),
    "share": tuple(partial(format_percent, digits=digits) for digits in (1, 2, 3)),
    "change": (format_change,),
    "smoothed": tuple(partial(format_rate, digits=digits) for digits in (1, 2, 3)),
    "score": tuple(partial(format_rate, digits=digits) for digits in (1, 2, 3)),
    "decile": (format_count,),
    "fifth": tuple(partial(format_percent, digits=digits) for digits in (0, 1, 2)),
}


# A decile means the same in every area and every view, so its classes never depend on what is shown.
_DECILES = Breaks(tuple(map(float, range(1, 11))), 1.0, "decile", "One class for each decile; 1 is the most deprived")
_RISE_FROM_NONE = 1e9


@dataclass(frozen=True)
class Choropleth:
    """What the map is drawn from."""

    areas: tuple[AreaStyle, ...]
    legend: Legend

    @property
    def empty(self) -> bool:
        """Whether no area has a colour of the legend: nothing is known, or nothing happened."""
        return not any(isinstance(area.fill, int) for area in self.areas)


def shade_nothing(figures: pd.DataFrame, selection: Selection) -> Choropleth:
    """Every area as not known."""
    areas = tuple(AreaStyle(str(code), "missing") for code in figures["code"])
    return Choropleth(areas, Legend(MEASURE_NAMES[selection.measure], "", ()))


def shade_areas(figures: pd.DataFrame, selection: Selection, denominator: Denominator) -> Choropleth:
    """Colour every area of `figures` (as `analysis.area_figures` and, for deprivation, `query.read_deprivation` give).

    By any measure but progress, which has ratings in place of classes (`boards.shade_progress`).

    A change that chance could explain is coloured as no change: only real changes get the colours of rise and fall.
    Areas that the selection leaves out take no part in the classes.
    """
    left_out = ~figures["code"].isin(selection.areas) if selection.areas else pd.Series(False, index=figures.index)
    values = measure_values(figures, selection.measure).mask(left_out)
    if selection.measure == "change":
        k = min(9, max(3, selection.classes + 1 - selection.classes % 2))
        breaks, palette = change_breaks(k=k), diverging_palette(k)
    elif selection.measure == "decile":
        breaks, palette = _DECILES, ordered_palette(10)[::-1]
    else:
        breaks = class_breaks(values, scheme=selection.scheme, k=selection.classes)
        if selection.measure == "count":
            breaks = _count_whole(breaks)
        palette = ordered_palette(max(2, len(breaks.upper)))[-len(breaks.upper) :] if breaks.upper else ()
    fills = breaks.classify(values)
    areas = tuple(
        AreaStyle(
            str(row["code"]),
            "left out" if left else _fill(row, fill, selection.measure),
            _hover(row, selection, denominator),
        )
        for row, fill, left in zip(list_rows(figures), fills.tolist(), left_out.tolist(), strict=True)
    )
    labels = _label_classes(breaks, values.to_numpy(dtype=float), fills, selection.measure)
    return Choropleth(areas, _legend(breaks, palette, labels, selection, denominator))


def measure_values(figures: pd.DataFrame, measure: Measure) -> pd.Series:
    """The column that a measure maps, shares as per cent; NaN where there is nothing to colour.

    Zero counts are not classed: they have a look of their own. A change that is not real counts as none, and a rise
    from none as one beyond every class bound.
    """
    counted = figures["count"].astype("Float64").astype(float)
    if measure in DEPRIVATION_MEASURES:
        return figures[measure] * (100 if measure == "fifth" else 1)
    if measure == "smoothed":
        return figures["smoothed"]
    if measure == "change":
        real = figures["verdict"].isin(REAL)
        percent = figures["percent"].where(real, 0.0)
        percent = percent.fillna(_RISE_FROM_NONE)
        return percent.mask(figures["verdict"].isin(["not known", "no incidents"]))
    values = {"count": counted, "rate": figures["rate"], "share": 100 * figures["share"]}[measure]
    # A rounded 0 is no zero.
    return values if "rounded" in figures else values.mask(counted == 0)


def list_rows(figures: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows as plain values, which are many times as quick to look into as those of a table."""
    columns = {str(name): column.tolist() for name, column in figures.items()}
    return (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _count_whole(breaks: Breaks) -> Breaks:
    """The same classes bounded by whole numbers, without those that no whole number falls in."""
    upper = tuple(sorted({float(math.floor(bound)) for bound in breaks.upper if bound >= breaks.lower}))
    fewer = "" if len(upper) == len(breaks.upper) else "; those that no whole number falls in are left out"
    return Breaks(upper, breaks.lower, breaks.scheme, f"{breaks.rule}{fewer}")


def _fill(row: Mapping[str, Any], fill: int, measure: Measure) -> int | Special:
    if measure not in DEPRIVATION_MEASURES:
        if is_withheld(row, measure):
            return "suppressed"
        if pd.isna(row["count"]):
            return "missing"
        if measure in ("rate", "smoothed") and row["suppressed"]:
            return "suppressed"
        none = row["verdict"] == "no incidents" if measure == "change" else row["count"] == 0
        if none and measure != "smoothed" and not row.get("rounded"):
            return "zero"
    return "missing" if fill < 0 else fill


def state_rule(choropleth: Choropleth, rule: Disclosure) -> Choropleth:
    """The same with the partnership's disclosure rule stated in its legend."""
    told = {
        "suppress": f"Counts from 1 to {rule.threshold - 1} are withheld, and others that would give them away.",
        "round": f"Counts are rounded to the nearest {rule.base}.",
        "none": "",
    }[rule.rule]
    legend = replace(choropleth.legend, rule=f"{choropleth.legend.rule} {told}".strip())
    if rule.rule == "suppress":
        legend = replace(legend, suppressed=f"withheld, or {legend.suppressed}")
    return replace(choropleth, legend=legend)


def is_withheld(row: Mapping[str, Any], measure: Measure) -> bool:
    """Whether the partnership's disclosure rule withholds what a measure shows of an area."""
    before = measure == "change" and row.get("withheld_before", False)
    return bool(before or row.get("withheld", False))


def _hover(figure: Mapping[str, Any], selection: Selection, denominator: Denominator) -> tuple[str, ...]:
    if figure.get("withheld"):
        lines = ["count withheld"]
    elif pd.isna(figure["count"]):
        lines = ["no month of the period is loaded"]
    else:
        lines = _hover_count(figure, denominator)
        told = describe_area_change(figure["before"], figure["percent"], figure["verdict"], selection)
        if figure.get("withheld_before"):
            told = "change withheld"
        elif figure.get("rounded") and figure["count"] == figure["before"] == 0:
            told = f"0 {during(name_comparison(selection))} too, as counts are rounded"
        lines.append(told)
    if selection.measure in DEPRIVATION_MEASURES:
        value = figure[selection.measure]
        scaled = 100 * value if selection.measure == "fifth" else value
        lines.append(f"{MEASURE_NAMES[selection.measure]}: {_FORMATS[selection.measure][0](scaled)}")
    elif selection.measure == "smoothed" and not (figure["suppressed"] or figure.get("withheld")):
        lines.append(f"smoothed rate {format_rate(figure['smoothed'])}")
    elif selection.measure == "share" and not figure.get("withheld"):
        lines.append(f"{format_percent(100 * figure['share'])} of the partnership's")
    return tuple(lines)


def _hover_count(figure: Mapping[str, Any], denominator: Denominator) -> list[str]:
    count = count_incidents(figure["count"])
    if figure["suppressed"]:
        return [count, f"no rate: too few {denominator.name}"]
    if pd.isna(figure["rate"]):
        return [count, f"no rate: {denominator.name} not known"]
    return [f"{count}, {format_rate(figure['rate'])} per 1,000 {denominator.name}"]


def describe_area_change(before: float | None, percent: float, verdict: str, selection: Selection) -> str:
    """ "+4.0 % on last year (1,523), within normal variation" """
    if verdict == "not known":
        return "change not known"
    if verdict == "no incidents":
        return f"none {during(name_comparison(selection))} either"
    worth = {
        "up": "more than chance",
        "down": "more than chance",
        "normal variation": "within normal variation",
        "too few to say": "too few to say",
    }[verdict]
    if math.isnan(percent):
        return f"up from none {during(name_comparison(selection))}, {worth}"
    amount = format_change(percent) if percent else "no change"
    return f"{amount} on {name_comparison(selection)} ({format_count(before)}), {worth}"


def _legend(
    breaks: Breaks, palette: tuple[str, ...], labels: list[str], selection: Selection, denominator: Denominator
) -> Legend:
    rule = f"{breaks.rule}."
    if selection.measure == "change":
        rule += " Changes that chance could explain have no colour; about 1 area in 20 is coloured by chance."
    title = {
        "rate": f"Incidents per 1,000 {denominator.name}",
        "count": "Incidents",
        "share": "Share of the partnership's incidents",
        "change": f"Change on {name_comparison(selection)}",
        "smoothed": f"Smoothed rate per 1,000 {denominator.name}",
    }.get(selection.measure, f"{MEASURE_NAMES[selection.measure]}, {selection.edition}")
    if selection.measure in ("rate", "smoothed"):
        title += f", {selection.span.words}"
    classes = tuple(LegendClass(colour, label) for colour, label in zip(palette, labels, strict=True))
    return Legend(title, rule, classes)


def _label_classes(breaks: Breaks, values: Floats, fills: NDArray[np.intp], measure: Measure) -> list[str]:
    """The least and the greatest value in each class, so that no value could be in two; the bounds where it is empty.

    With as many digits as tell neighbouring classes apart.
    """
    if measure == "change":
        return _label_changes(breaks)
    if measure == "decile":
        return [format_count(upper) for upper in breaks.upper]
    held = [values[fills == number] for number in range(len(breaks.upper))]
    step = 1 if measure == "count" else 0
    starts = (breaks.lower, *(upper + step for upper in breaks.upper[:-1]))
    ranges = [
        (float(inside.min()), float(inside.max())) if len(inside) else (start, upper)
        for inside, start, upper in zip(held, starts, breaks.upper, strict=False)
    ]
    empty = ["" if len(inside) else ": none" for inside in held]
    for write in _FORMATS[measure]:
        ends = [(write(low), write(high)) for low, high in ranges]
        if all(one[1] != other[0] for one, other in pairwise(ends)):
            break
    return [(low if low == high else f"{low} to {high}") + none for (low, high), none in zip(ends, empty, strict=True)]


def _label_changes(breaks: Breaks) -> list[str]:
    """The classes of `change_breaks` in words; their bounds are whole per cents but for a rounding."""
    half = len(breaks.upper) // 2
    falls = [f"{round(-bound)} %" for bound in breaks.upper[: half - 1]]
    rises = [f"{round(bound)} %" for bound in breaks.upper[half + 1 : -1]]
    return [*_label_side("down", falls)[::-1], "no more than chance", *_label_side("up", rises[::-1])]


def _label_side(way: str, bounds: list[str]) -> list[str]:
    """One side of the change classes, mildest first; `bounds` from the greatest to the least."""
    if not bounds:
        return [way]
    between = [f"{way} {low} to {high}" for high, low in pairwise(bounds)]
    return [f"{way}, less than {bounds[-1]}", *between[::-1], f"{way} {bounds[0]} or more"]
