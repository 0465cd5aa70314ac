"""The map of the focus page: what each unit holds, which are ticked, and what the viewer did on it."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from cspmap.analysis.breaks import class_breaks
from cspmap.exports.published import WITHHELD, Published
from cspmap.focus_area import RESIDENTS, Aim, FocusGround
from cspmap.focus_published import WEIGHTED, WITHHELD_WEIGHTED, publish_units
from cspmap.views.choropleth import Choropleth, state_rule
from cspmap.views.map import AreaStyle, Legend, LegendClass
from cspmap.views.palettes import Special, ordered_palette
from cspmap.views.words import count_incidents, format_count

CLASSES = 5


@dataclass(frozen=True)
class Message:
    """What the viewer did on the map: the areas that are ticked now, or a shape drawn, as the browser tells it.

    `nonce` is to be given back with the view that takes it into account.
    """

    nonce: str
    picked: tuple[str, ...] | None
    drawn: Mapping[str, Any] | None


def read_message(codes: Collection[str], *, key: str) -> Message | None:
    """What the viewer last did on the map `key`, once. Ticks of another level than that of `codes` come too late."""
    value = st.session_state.pop(key, None)
    if not isinstance(value, Mapping):
        return None
    picked, drawn = value.get("picked"), value.get("drawn")
    known = set(codes)
    if not isinstance(picked, list) or not all(code in known for code in picked):
        picked = None
    drawn = drawn if isinstance(drawn, Mapping) else None
    return Message(str(value.get("nonce")), None if picked is None else tuple(picked), drawn)


def shade_units(
    ground: FocusGround, aim: Aim, published: Published, *, what: str, avoid: Collection[str] = ()
) -> tuple[tuple[AreaStyle, ...], Legend]:
    """Every unit by what the disclosure rule lets out of what it holds of the aim; those to avoid carry a cross."""
    units = publish_units(ground, aim, published)
    held = units[WEIGHTED]
    # A rounded 0 is no zero.
    classed = held if published.rounds else held.mask(held == 0)
    breaks = class_breaks(classed, scheme="quantile", k=CLASSES)
    fills = breaks.classify(classed)
    palette = ordered_palette(max(2, len(breaks.upper)))[-len(breaks.upper) :] if breaks.upper else ()
    areas = tuple(
        AreaStyle(
            code,
            "suppressed" if unit[WITHHELD_WEIGHTED] else _fill(unit[WEIGHTED], int(fill)),
            tuple(_tell(ground, aim, code, unit)),
            "✕" if code in avoid else "",
        )
        for code, unit, fill in zip(ground.codes, units.to_dict("records"), fills, strict=True)
    )
    values = held.to_numpy(dtype=float)
    labels = [_label(values[fills == number]) for number in range(len(breaks.upper))]
    classes = tuple(LegendClass(colour, label) for colour, label in zip(palette, labels, strict=True))
    title = f"{what[:1].upper()}{what[1:]}, {aim.span.words}"
    ruled = state_rule(Choropleth(areas, Legend(title, f"{breaks.rule}.", classes)), published.rule)
    return ruled.areas, ruled.legend


def _fill(value: float, fill: int) -> int | Special:
    if np.isnan(value):
        return "missing"
    return "zero" if fill < 0 else fill


def _tell(ground: FocusGround, aim: Aim, code: str, unit: Mapping[Hashable, Any]) -> list[str]:
    count = unit["count"]
    lines = ["count withheld" if unit[WITHHELD] else count_incidents(None if pd.isna(count) else count)]
    if aim.weighted:
        told = WITHHELD if unit[WITHHELD_WEIGHTED] else format_weight(unit[WEIGHTED])
        lines.append(f"weighted {told}")
    if ground.residents is not None:
        lines.append(f"{format_count(ground.residents[code])} {RESIDENTS}")
    return lines


def _label(values: Any) -> str:
    if not len(values):
        return "none"
    low, high = (format_weight(value) for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def format_weight(value: float | None) -> str:
    """1584.0 -> "1,584", 12.5 -> "12.5"; missing -> "not known"."""
    return f"{value:,.1f}" if value is not None and value % 1 > 0 else format_count(value)
