"""How well a layer's hotspots catch what is recorded later: theirs where it is known, and the same way a step back."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.accuracy import Accuracy, score_hotspots, weigh_hits
from cspmap.analysis.hotspots import Cells, count_points, own_units
from cspmap.analysis.hotspots.layer import rank_blocks
from cspmap.analysis.measures import Floats
from cspmap.errors import UserError
from cspmap.hotspot_counts import Tally
from cspmap.hotspot_ground import Ground, Recorded
from cspmap.hotspot_layers import HotspotChoice, HotspotLayer, find_clusters, rank_cells, start_tally
from cspmap.periods import Span

# Hotspots are scored on as many months after them, or those of them that are loaded.
TEST_MONTHS = 3
# Why a score is, as it stands inside a sentence.
WITHHELD = "so few are recorded that it would give a small count away"


@dataclass(frozen=True)
class Score:
    """`own` is what the layer's own hotspots caught later; None with a reason (`why`) where that is not known.

    Then `earlier` is what hotspots found the same way, from a period that ends earlier, caught of the last months
    that are loaded; None where there are too few months for that.

    Where the partnership withholds small counts, shares are of counts as they are, but a score that could give a
    withheld one away is `withheld`, and the PEI of any. Where it rounds, shares are of rounded counts.
    """

    own: Accuracy | None
    earlier: Accuracy | None
    why: str = ""
    withheld: bool = False

    @property
    def shown(self) -> Accuracy | None:
        """The figures to show."""
        return self.own or self.earlier

    @property
    def words(self) -> str:
        """Everything in sentences."""
        if self.own is not None:
            return self.own.words
        known = "withheld" if self.withheld else "not known yet"
        first = f"How well these hotspots catch later incidents is {known}: {self.why}."
        if self.earlier is None:
            return first
        return f"{first} Found in the same way a step earlier: {self.earlier.words}"


def score_layer(layer: HotspotLayer, recorded: Recorded) -> Score:
    """Score a layer on the months after its period; train before test, always."""
    choice = layer.choice
    test = _find_test(recorded, choice.span)
    if test is not None:
        found = layer.places.union_all() if layer.place_of is None else layer.frame["hot"]
        own = _score(start_tally(layer.ground, recorded, choice), choice.span, test, found)
        return Score(own, None, "" if own else WITHHELD, withheld=own is None)
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
        tally = start_tally(ground, recorded, earlier)
        if choice.layer == "clusters":
            clusters = find_clusters(ground, recorded, earlier).frame
            return _score(tally, earlier.span, test, clusters[clusters["hot"]].union_all())
        return _score(tally, earlier.span, test, rank_cells(ground, recorded, earlier).frame["hot"])
    except UserError:
        # A method that needs more months than there were by then.
        return None


def _score(tally: Tally, train: Span, test: Span, found: Any) -> Accuracy | None:
    """`found` are flags of the cells that are hot, or an outline. None where the score is withheld."""
    cells, last = tally.ground.cells, tally.count(train).taken
    if isinstance(found, pd.Series):
        if tally.published.hides and not _is_safe(found.to_numpy(dtype=bool), last, tally, test):
            return None
        known = score_hotspots(found, last, tally.read(test), cells.area, train=train, test=test)
        return _publish(known, tally)
    parts, home, inside = _cut(cells, found)
    # Last period's counts know nothing of outlines: each part of a cell has the cell's own density.
    spread = (last / cells.area)[home] * parts.area
    after = count_points(tally.recorded.during(test), parts)
    return _publish(score_hotspots(inside, spread, after, parts.area, train=train, test=test), tally)


def _publish(known: Accuracy, tally: Tally) -> Accuracy:
    """A score as the disclosure rule lets it out."""
    if not tally.ruled:
        return known
    numbers, efficiency = (known.hits, known.incidents, known.baseline_hits), float("nan")
    if tally.published.rounds:
        numbers = tuple(tally.publish_sum(number) for number in numbers)  # type: ignore[assignment]
        most = tally.publish_sum(known.hits / known.pei) if known.pei > 0 else 0.0
        efficiency = numbers[0] / most if most else efficiency
    return weigh_hits(*numbers, efficiency, share_area=known.share_area, train=known.train, test=known.test)


def _is_safe(hot: NDArray[np.bool_], last: Floats, tally: Tally, test: Span) -> bool:
    """Whether what hot cells caught, and what those with the most incidents did, give no withheld count away.

    They are sums over cells. Each part of the partnership that these sums tell apart must have either no cell that is
    withheld, or two or more that add up to the threshold.
    """
    counted, true, area = tally.count(test), tally.read(test), tally.ground.cells.area
    if np.isnan(counted.total):
        return False
    order, ends, covered = rank_blocks(last / area, area)
    whole = int(np.searchsorted(covered, area[hot].sum() * (1 + 1e-9), side="right"))
    most = np.full(len(hot), 2)
    most[order[: ends[whole] if whole < len(ends) else len(order)]] = 1
    most[order[: ends[whole - 1] if whole else 0]] = 0
    part = 3 * hot + most
    number = np.bincount(part, weights=counted.withheld)
    held = np.bincount(part, weights=np.where(counted.withheld, true, 0.0))
    return bool(((number == 0) | ((number > 1) & (held >= tally.published.rule.threshold))).all())


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
