"""A layer of hotspots month by month: steps that the browser plays, all on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cspmap.hotspot_ground import Recorded
from cspmap.hotspot_layers import HotspotLayer, rank_cells, start_tally
from cspmap.periods import Span
from cspmap.views.choropleth import Choropleth, state_rule
from cspmap.views.hotspot_picture import OPACITY, band_pixels, fit_raster, paint, settle_metres, spread_points
from cspmap.views.hotspot_shading import TITLES, Fill, fill_cells, find_bands
from cspmap.views.map import Frames, Legend, LegendClass, Picture


@dataclass(frozen=True)
class Played:
    """The steps of a layer over the months of its period, the legend that they share, and the picture they replace."""

    frames: Frames
    legend: Legend
    picture: Picture | None = None


def play_layer(layer: HotspotLayer, recorded: Recorded, *, months: int) -> Played:
    """A layer month by month: each step is made of so many months, all with one bandwidth and on one scale.

    A step with a month that is not loaded is missing.
    """
    spans = [Span.ending(month, months=months) for month in layer.choice.span]
    held = [span for span in spans if not recorded.missing(span)]
    names = tuple(name_step(span, known=span in held) for span in spans)
    play = _play_pictures if layer.choice.layer == "density" else _play_cells
    return play(layer, recorded, spans, held, names)


def name_step(span: Span, *, known: bool) -> str:
    """ "June 2023", "3 months to June 2023"."""
    words = span.last.words if len(span) == 1 else f"{len(span)} months to {span.last.words}"
    return words if known else f"{words}: not loaded"


def _play_cells(
    layer: HotspotLayer, recorded: Recorded, spans: Sequence[Span], held: Sequence[Span], names: tuple[str, ...]
) -> Played:
    kind, area = layer.choice.layer, layer.ground.cells.area
    tally = start_tally(layer.ground, recorded, layer.choice)
    choice = replace(layer.choice, bandwidth=settle_metres(tally, layer.choice))
    frames = {span: rank_cells(layer.ground, recorded, replace(choice, span=span)).frame for span in held}
    scores = [frame["score"].to_numpy(dtype=np.float64) for frame in frames.values()]
    bands = find_bands(np.concatenate(scores) if scores else np.array([]), np.tile(area, len(scores)))
    absent: list[Fill] = ["missing"] * len(area)
    classes: tuple[LegendClass, ...] = ()
    steps: list[tuple[Fill, ...]] = []
    for span in spans:
        if span not in frames:
            steps.append(tuple(absent))
            continue
        fills, classes, _ = fill_cells(kind, frames[span], area, bands)
        steps.append(tuple(fills))
    return Played(Frames(names, fills=tuple(steps)), _make_legend(layer, len(spans[0]), classes))


def _play_pictures(
    layer: HotspotLayer, recorded: Recorded, spans: Sequence[Span], held: Sequence[Span], names: tuple[str, ...]
) -> Played:
    tally = start_tally(layer.ground, recorded, layer.choice)
    metres = settle_metres(tally, layer.choice)
    raster = fit_raster(layer.ground, metres)
    densities = {span: spread_points(tally, span, raster, metres) for span in held}
    bands = band_pixels(list(densities.values()), raster)
    pictures = tuple(paint(densities[span], bands) if span in densities else None for span in spans)
    empty = Picture(paint(np.full(raster.x.shape, np.nan), bands), raster.bounds, OPACITY)
    return Played(Frames(names, pictures=pictures), _make_legend(layer, len(spans[0]), bands.classes), empty)


def _make_legend(layer: HotspotLayer, months: int, classes: tuple[LegendClass, ...]) -> Legend:
    kind, length = layer.choice.layer, "1 month" if months == 1 else f"{months} months"
    rule = "Each cell with those around it." if kind == "significance" else "By rank over all steps together."
    rule += " Outlined: the hotspots of the whole period."
    legend = Legend(f"{TITLES[kind]}, {length} at a time", rule, classes)
    return state_rule(Choropleth((), legend), layer.rule).legend
