"""How well a layer's hotspots catch what is recorded later: theirs where it is known, and the same way a step back."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.accuracy import Accuracy, score_hotspots
from cspmap.analysis.hotspots import Cells, count_points, own_units
from cspmap.errors import UserError
from cspmap.hotspot_ground import Ground, Recorded
from cspmap.hotspot_layers import HotspotChoice, HotspotLayer, find_clusters, rank_cells
from cspmap.periods import Span

# Hotspots are scored on as many months after them, or those of them that are loaded.
TEST_MONTHS = 3


@dataclass(frozen=True)
class Score:
    """`own` is what the layer's own hotspots caught later; None with a reason (`why`) where that is not known.

    Then `earlier` is what hotspots found the same way, from a period that ends earlier, caught of the last months
    that are loaded; None where there are too few months for that.
    """

    own: Accuracy | None
    earlier: Accuracy | None
    why: str = ""

    @property
    def shown(self) -> Accuracy | None:
        """The figures to show."""
        return self.own or self.earlier

    @property
    def words(self) -> str:
        """Everything in sentences."""
        if self.own is not None:
            return self.own.words
        first = f"How well these hotspots catch later incidents is not known yet: {self.why}."
        if self.earlier is None:
            return first
        return f"{first} Found in the same way a step earlier: {self.earlier.words}"


def score_layer(layer: HotspotLayer, recorded: Recorded) -> Score:
    """Score a layer on the months after its period; train before test, always."""
    choice = layer.choice
    test = _find_test(recorded, choice.span)
    if test is not None:
        found = layer.places.union_all() if layer.place_of is None else layer.frame["hot"]
        return Score(_score(layer.ground, recorded, choice.span, test, found), None)
    why = (
        "no later months are loaded"
        if choice.span.last >= recorded.months[-1]
        else f"none of the {TEST_MONTHS} months after them is loaded"
    )
    return Score(None, _score_earlier(layer.ground, recorded, choice), why)


def _find_test(recorded: Recorded, train: Span) -> Span | None:
    """The months after a span that it is scored on: from the first that is loaded to the last before a gap."""
    runs = Span.find_runs(recorded.loaded(Span(train.last + 1, train.last + TEST_MONTHS)))
    return runs[0] if runs else None


def _score_earlier(ground: Ground, recorded: Recorded, choice: HotspotChoice) -> Accuracy | None:
    """What hotspots of the same choice have caught that end as much earlier as it takes to score them."""
    last = min(choice.span.last, recorded.months[-1])
    loaded = recorded.loaded(Span.ending(last - TEST_MONTHS, months=len(choice.span)))
    if not loaded:
        return None
    # From the first month that is loaded, so that it is not said to be of a time that nothing is known of.
    earlier = replace(choice, span=Span(loaded[0], last - TEST_MONTHS))
    test = _find_test(recorded, earlier.span)
    if test is None:
        return None
    try:
        if choice.layer == "clusters":
            clusters = find_clusters(ground, recorded, earlier).frame
            return _score(ground, recorded, earlier.span, test, clusters[clusters["hot"]].union_all())
        return _score(ground, recorded, earlier.span, test, rank_cells(ground, recorded, earlier).frame["hot"])
    except UserError:
        # A method that needs more months than there were by then.
        return None


def _score(ground: Ground, recorded: Recorded, train: Span, test: Span, found: Any) -> Accuracy:
    """`found` are flags of the cells that are hot, or an outline."""
    cells = ground.cells
    last, after = count_points(recorded.during(train), cells), recorded.during(test)
    if isinstance(found, pd.Series):
        return score_hotspots(found, last, count_points(after, cells), cells.area, train=train, test=test)
    parts, home, inside = _cut(cells, found)
    # Last period's counts know nothing of outlines: each part of a cell has the cell's own density.
    spread = (last.to_numpy() / cells.area)[home] * parts.area
    return score_hotspots(inside, spread, count_points(after, parts), parts.area, train=train, test=test)


def _cut(cells: Cells, outline: Any) -> tuple[Cells, NDArray[np.int64], NDArray[np.bool_]]:
    """Cells cut by an outline: the parts, the cell that each is of, and whether it lies inside."""
    import geopandas as gpd
    import shapely

    shapes = cells.frame.geometry.to_numpy()
    shapely.prepare(outline)
    cut = np.flatnonzero(shapely.intersects(outline, shapes))
    whole = shapes.copy()
    whole[cut] = shapely.difference(shapes[cut], outline)
    parts = np.concatenate([whole, shapely.intersection(shapes[cut], outline)])
    home, inside = np.concatenate([np.arange(len(cells)), cut]), np.arange(len(parts)) >= len(cells)
    kept = shapely.area(parts) > 0
    names = pd.Series(np.arange(len(parts))[kept]).astype("str")
    frame = gpd.GeoDataFrame({"code": names, "name": names}, geometry=parts[kept], crs=cells.frame.crs)
    return own_units(frame, plural="parts"), home[kept], inside[kept]
