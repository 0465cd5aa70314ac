"""The map of the focus page: what each unit holds, which are ticked, and what the viewer did on it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from cspmap.analysis.breaks import class_breaks
from cspmap.focus_area import RESIDENTS, WHOLE, Aim, FocusGround
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
    ground: FocusGround, aim: Aim, *, what: str, avoid: Collection[str] = ()
) -> tuple[tuple[AreaStyle, ...], Legend]:
    """Every unit by what it holds of the aim; those to avoid carry a cross."""
    held = ground.weigh(aim).drop(WHOLE).reindex(list(ground.codes))
    counts = ground.count(aim.span)[list(aim.types)].sum(axis=1, min_count=1)
    breaks = class_breaks(held.mask(held == 0), scheme="quantile", k=CLASSES)
    fills = breaks.classify(held.mask(held == 0))
    palette = ordered_palette(max(2, len(breaks.upper)))[-len(breaks.upper) :] if breaks.upper else ()
    areas = tuple(
        AreaStyle(
            code,
            _fill(value, int(fill)),
            tuple(_tell(ground, aim, code, counts[code], value)),
            "✕" if code in avoid else "",
        )
        for code, value, fill in zip(ground.codes, held, fills, strict=True)
    )
    values = held.to_numpy(dtype=float)
    labels = [_label(values[fills == number]) for number in range(len(breaks.upper))]
    classes = tuple(LegendClass(colour, label) for colour, label in zip(palette, labels, strict=True))
    title = f"{what[:1].upper()}{what[1:]}, {aim.span.words}"
    return areas, Legend(title, f"{breaks.rule}.", classes)


def _fill(value: float, fill: int) -> int | Special:
    if np.isnan(value):
        return "missing"
    return "zero" if value == 0 else fill


def _tell(ground: FocusGround, aim: Aim, code: str, count: float, value: float) -> list[str]:
    lines = [count_incidents(None if pd.isna(count) else count)]
    if aim.weighted:
        lines.append(f"weighted {format_weight(value)}")
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
