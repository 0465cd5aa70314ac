"""A layer of hotspots as colours: bands of area from the highest down, or what was found out about each cell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.hotspots.layer import rank_blocks
from cspmap.analysis.measures import Floats
from cspmap.hotspot_layers import HotspotLayer, LayerKey
from cspmap.views.choropleth import Choropleth, state_rule
from cspmap.views.hotspot_words import TRAJECTORY_WORDS, hover_cell
from cspmap.views.map import AreaStyle, Legend, LegendClass
from cspmap.views.palettes import Special, diverging_palette, ordered_palette
from cspmap.views.words import format_rate

# The highest cells up to these shares of the area have a colour each; all others share the lightest.
BANDS = (0.01, 0.02, 0.05, 0.10, 0.25)
BAND_RULE = "By rank: the cells that are highest, up to so much of the area together."
PALETTE = ordered_palette(len(BANDS) + 1)[::-1]

TITLES: dict[LayerKey, str] = {
    "expected": "Incidents expected per km²",
    "density": "Incidents per km²",
    "significance": "Incidents around each cell",
    "dual": "Incidents per 1,000 residents",
    "change": "Incidents",
    "persistence": "Hotspots over time",
    "clusters": "Incidents per km²",
}

# Told apart by lightness and by letter.
TRAJECTORIES = {
    "persistent": ("#2B6CA3", "P"),
    "emerging": ("#E5B07A", "E"),
    "intermittent": ("#8FC9A3", "O"),
    "former": ("#D3D9DF", "F"),
    "never": ("#F7F5F0", ""),
}
_COLD, _COOL, _MIDDLE, _WARM, _HOT = diverging_palette(5)

Fill = int | Special


@dataclass(frozen=True)
class Bands:
    """Lower bounds of the bands, from the highest; values below the last are in the band of the rest."""

    bounds: tuple[float, ...]

    def classify(self, values: Floats) -> NDArray[np.int64]:
        """The band of each value, 0 for the highest; NaN is in the last."""
        known = np.where(np.isnan(values), -np.inf, values)
        return np.searchsorted(-np.array(self.bounds), -known, side="left").astype(np.int64)

    @property
    def classes(self) -> tuple[LegendClass, ...]:
        """For a legend, from the highest down; none where there is nothing to colour."""
        if np.isinf(self.bounds[0]):
            return ()
        words = self._write_bounds()
        labels = [f"top {100 * BANDS[0]:g} %: {words[0]} or more"]
        for share, low, high in zip(BANDS[1:], words[1:], words, strict=False):
            labels.append(f"to {100 * share:g} %: {'none' if low == high else f'{low} to {high}'}")
        labels.append(f"the rest: under {words[-1]}")
        return tuple(LegendClass(*pair) for pair in zip(PALETTE, labels, strict=True))

    def _write_bounds(self) -> list[str]:
        """With as many digits as tell the bounds apart."""
        for digits in (0, 1, 2, 3):
            words = [format_rate(bound, digits=digits) for bound in self.bounds]
            if len(set(words)) == len(set(self.bounds)):
                break
        return words


def find_bands(values: Floats, areas: Floats) -> Bands:
    """The bounds of the bands by rank: each is the least of the values that together cover no more than its share.

    The highest value is always in the first band, however large its area. Values that are equal stay together.
    """
    known = np.isfinite(values) & (values > 0)
    if not known.any():
        return Bands((np.inf,) * len(BANDS))
    order, ends, covered = rank_blocks(values[known], areas[known])
    ranked = values[known][order]
    total = float(areas.sum())
    last = np.maximum(np.searchsorted(covered, np.array(BANDS) * total * (1 + 1e-9), side="right"), 1)
    return Bands(tuple(float(ranked[ends[number - 1] - 1]) for number in last))


def shade_cells(layer: HotspotLayer) -> tuple[tuple[AreaStyle, ...], Legend]:
    """Every cell's colour and what a pointer says of it, and the legend."""
    fills, classes, rule = fill_cells(layer.choice.layer, layer.frame, layer.ground.cells.area)
    marks = mark_cells(layer)
    rows = layer.frame.to_dict("records")
    areas = tuple(
        AreaStyle(str(row["code"]), fill, hover_cell(layer, {str(name): value for name, value in row.items()}), mark)
        for row, fill, mark in zip(rows, fills, marks, strict=True)
    )
    legend = Legend(f"{TITLES[layer.choice.layer]}, {layer.choice.span.words}", rule, classes)
    return areas, state_rule(Choropleth((), legend), layer.rule).legend


def fill_cells(
    kind: LayerKey, frame: pd.DataFrame, areas: Floats, bands: Bands | None = None
) -> tuple[list[Fill], tuple[LegendClass, ...], str]:
    """Fill of each cell, classes of the legend, and the rule in a sentence; `bands` are the cells' own if not given."""
    fills, classes, rule = _fill_by_kind(kind, frame, areas, bands)
    if "withheld" in frame:
        fills = ["suppressed" if gone else fill for fill, gone in zip(fills, frame["withheld"], strict=True)]
    return fills, classes, rule


def _fill_by_kind(
    kind: LayerKey, frame: pd.DataFrame, areas: Floats, bands: Bands | None
) -> tuple[list[Fill], tuple[LegendClass, ...], str]:
    if kind == "significance":
        return _fill_significance(frame)
    if kind == "change":
        return _fill_change(frame)
    if kind == "persistence":
        return _fill_trajectories(frame)
    score = frame["score"].to_numpy(dtype=np.float64)
    bands = bands or find_bands(score, areas)
    fills: list[Fill] = bands.classify(score).tolist()
    for number in np.flatnonzero(~(score > 0)):
        fills[number] = "suppressed" if np.isnan(score[number]) else "zero"
    return fills, bands.classes, BAND_RULE


def _fill_significance(frame: pd.DataFrame) -> tuple[list[Fill], tuple[LegendClass, ...], str]:
    strong = frame["q"] <= 0.01
    fills: list[Fill] = np.select(
        [frame["hot"] & strong, frame["hot"], frame["cold"] & strong, frame["cold"]], [0, 1, 4, 3], 2
    ).tolist()
    for number in np.flatnonzero(frame["z"].isna()):
        fills[number] = "missing"
    labels = ("many, q at most 0.01", "many", "no more than chance", "few", "few, q at most 0.01")
    classes = zip((_HOT, _WARM, _MIDDLE, _COOL, _COLD), labels, strict=True)
    return fills, tuple(LegendClass(*pair) for pair in classes), "Each cell with those around it, against chance."


def _fill_change(frame: pd.DataFrame) -> tuple[list[Fill], tuple[LegendClass, ...], str]:
    known: dict[str, Fill] = {
        "up": 0,
        "normal variation": 1,
        "down": 2,
        "too few to say": "suppressed",
        "no incidents": "zero",
        "not known": "missing",
    }
    fills = [known[verdict] for verdict in frame["verdict"]]
    labels = ("up, more than chance", "no more than chance", "down, more than chance")
    classes = zip((_HOT, _MIDDLE, _COLD), labels, strict=True)
    return fills, tuple(LegendClass(*pair) for pair in classes), "Corrected for testing every cell."


def _fill_trajectories(frame: pd.DataFrame) -> tuple[list[Fill], tuple[LegendClass, ...], str]:
    kinds = list(TRAJECTORIES)
    fills: list[Fill] = [kinds.index(kind) for kind in frame["trajectory"]]
    classes = tuple(
        LegendClass(colour, f"{letter}: {TRAJECTORY_WORDS[kind]}" if letter else TRAJECTORY_WORDS[kind])
        for kind, (colour, letter) in TRAJECTORIES.items()
    )
    return fills, classes, "By the spans in which a cell was hot."


def mark_cells(layer: HotspotLayer) -> Sequence[str]:
    """A letter on each cell where its colour stands for a kind."""
    if layer.choice.layer != "persistence":
        return [""] * len(layer.frame)
    marks = [TRAJECTORIES[kind][1] for kind in layer.frame["trajectory"]]
    if "withheld" not in layer.frame:
        return marks
    return ["" if gone else mark for mark, gone in zip(marks, layer.frame["withheld"], strict=True)]
