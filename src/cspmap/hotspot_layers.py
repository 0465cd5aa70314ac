"""Layers of hotspots: a choice turned into scores of cells, places on the ground, and what they say of themselves."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.hotspots import (
    COVERAGE,
    Clusters,
    Hotspots,
    change_between,
    cluster_locations,
    dual_density,
    expected_count,
    gi_star,
    kernel_density,
    outline_hotspots,
    roll_spans,
    trajectory,
)
from cspmap.analysis.hotspots.density import SQUARE_KILOMETRE
from cspmap.analysis.hotspots.significance import ALPHA
from cspmap.analysis.measures import Floats
from cspmap.analysis.snapping import describe_renewal
from cspmap.errors import SelectionError, UserError
from cspmap.hotspot_counts import Tally
from cspmap.hotspot_ground import BY_RULE, CellChoice, Ground, Recorded
from cspmap.partnership import Disclosure
from cspmap.periods import Comparison, Span
from cspmap.views.words import the

if TYPE_CHECKING:
    import geopandas as gpd

LayerKey = Literal["expected", "density", "significance", "dual", "change", "persistence", "clusters"]
LAYERS: tuple[LayerKey, ...] = get_args(LayerKey)
# Those that are made from one span alone, so that they can be made month by month.
PLAYED: tuple[LayerKey, ...] = ("expected", "density", "significance", "dual")
# Those of which chance is judged, from counts before any rounding.
TESTED: tuple[LayerKey, ...] = ("significance", "change", "clusters")

PLACE_COLUMNS = ("rank", "code", "area", "street", "cells", "hectares", "count", "share", "peak", "geometry")
# A hotspot is named after the areas that hold at least this share of it.
_PART = 0.1
NOWHERE = -1


@dataclass(frozen=True)
class HotspotChoice:
    """Which hotspots: of what crimes (keys; none: all), when, found how.

    `comparison` is what a change is measured against. Settings that are None are automatic; `bandwidth` and `reach`
    (of clusters) are in metres, `coverage` is the share of the partnership that may be called hot, `alpha` the level
    of false discoveries, which are not controlled where `correct` is false.
    """

    span: Span
    crimes: tuple[str, ...] = ()
    layer: LayerKey = "expected"
    comparison: Comparison = "last-year"
    cells: CellChoice = BY_RULE
    bandwidth: float | None = None
    reach: float | None = None
    coverage: float = COVERAGE
    alpha: float = ALPHA
    correct: bool = True

    @property
    def before(self) -> Span:
        """The span that a change is measured against."""
        return self.span.compare_with(self.comparison)


@dataclass(frozen=True, eq=False)
class HotspotLayer:
    """A layer of hotspots and its places. Not to be changed.

    `frame`: one row a cell, in the order of the cells: code, count (of the span), score (what it is ranked by; NaN
    where it is not known), hot, and what else the method says of it. `places`: the hotspots, GeoDataFrame in
    EPSG:27700, that with the most incidents first: rank (1 ...), code (that of its highest cell, or of its cluster),
    area and street (where it is, in words), cells (of clusters: locations), hectares, count, share (of all incidents
    inside the partnership, 0 to 1), peak (its highest score), geometry. `place_of` is the row of the place that each
    cell is in, -1 for none; None where places are not made of cells. `words` and `cautions` as in `Hotspots`.
    `total` is the incidents of the span inside the partnership, `held` those in the hotspots.

    All counts are as the partnership's disclosure rule lets them out, and so is what is worked out from them: NaN
    where withheld, which a column `withheld` of the frame tells then; of a place, where any of its cells is withheld.
    """

    choice: HotspotChoice
    ground: Ground = field(repr=False)
    frame: pd.DataFrame
    places: "gpd.GeoDataFrame"
    place_of: NDArray[np.int64] | None
    words: str
    cautions: tuple[str, ...]
    total: float
    held: float

    @property
    def rule(self) -> Disclosure:
        """The disclosure rule that its counts keep."""
        return self.ground.query.store.partnership.disclosure

    def locate(self, x: Floats, y: Floats) -> NDArray[np.int64]:
        """The row of the place that each point (easting, northing) lies in, -1 where it lies in none."""
        if self.place_of is None:
            return find_outline(self.places, x, y)
        cell = self.ground.cells.find(x, y)
        return np.where(cell == NOWHERE, NOWHERE, self.place_of[cell])

    def find_place(self, code: str | None) -> int:
        """The row of the place that a code means: its own, or that of a cell in it; -1 where it means none."""
        if code is None:
            return NOWHERE
        rows = np.flatnonzero(self.places["code"] == code)
        if rows.size:
            return int(rows[0])
        cell = find_cell(self.ground, code)
        return NOWHERE if self.place_of is None or cell == NOWHERE else int(self.place_of[cell])


def make_layer(ground: Ground, recorded: Recorded, choice: HotspotChoice) -> HotspotLayer:
    """The hotspots of a choice, on its cells and from the incidents of its crimes.

    Raises SelectionError where no month of the period is loaded, UserError where a setting makes no sense or the
    method cannot be used with what is loaded.
    """
    if not recorded.loaded(choice.span):
        raise SelectionError(f"No month of {the(choice.span.words)} is loaded; choose another period.")
    tally = start_tally(ground, recorded, choice)
    counted = tally.count(choice.span)
    if np.isnan(counted.total):
        raise SelectionError(
            f"Hotspots of {the(choice.span.words)} are withheld: there are fewer than "
            f"{tally.published.rule.threshold} incidents; choose a longer period or more crimes."
        )
    if choice.layer == "clusters":
        return _make_clusters(tally, choice)
    found = _rank(tally, choice)
    frame = found.frame.assign(count=counted.shown)
    taken = counted.by_code(counted.taken, ground)
    places = outline_hotspots(found.frame, taken, ground.cells, ground.neighbours)
    held = float(places["count"].sum())
    if tally.ruled:
        places, held = _publish_places(places, _hold_cells(places, frame, ground), tally, choice)
    place_of = _hold_cells(places, frame, ground)
    places["code"] = _name_by_peak(places, place_of, frame)
    said = _state(found, choice, tally)
    return _add_names(HotspotLayer(choice, ground, frame, places, place_of, *said, counted.total, held), recorded)


def start_tally(ground: Ground, recorded: Recorded, choice: HotspotChoice) -> Tally:
    """The incidents of a choice by span, as its cells count them."""
    return Tally(ground, recorded, crimes=choice.crimes, level=choice.cells.level)


def rank_cells(ground: Ground, recorded: Recorded, choice: HotspotChoice) -> Hotspots:
    """The cells of a choice by its method."""
    return _rank(start_tally(ground, recorded, choice), choice)


def _rank(tally: Tally, choice: HotspotChoice) -> Hotspots:
    found = _METHODS[choice.layer](tally, choice)
    if not tally.published.hides:
        return found
    withheld = tally.count(choice.span).withheld
    if choice.layer == "change":
        withheld = withheld | tally.count(choice.before).withheld
    return replace(found, frame=found.frame.assign(withheld=withheld))


def _by_expected(tally: Tally, choice: HotspotChoice) -> Hotspots:
    points, missing = tally.during(choice.span), tally.recorded.missing(choice.span)
    return expected_count(points, tally.ground.cells, choice.bandwidth, coverage=choice.coverage, missing=missing)


def _by_density(tally: Tally, choice: HotspotChoice) -> Hotspots:
    points, missing = tally.during(choice.span), tally.recorded.missing(choice.span)
    return kernel_density(points, tally.ground.cells, choice.bandwidth, coverage=choice.coverage, missing=missing)


def _by_significance(tally: Tally, choice: HotspotChoice) -> Hotspots:
    counted, neighbours = tally.count(choice.span), tally.ground.neighbours
    missing = tally.recorded.missing(choice.span)
    counts = counted.by_code(counted.judged, tally.ground)
    found = gi_star(counts, neighbours, alpha=choice.alpha, correct=choice.correct, missing=missing)
    if not tally.ruled:
        return found
    # Of a sum with a part that is withheld, the rest would be known.
    around = found.frame["around"].mask(neighbours.add_up(counted.withheld.astype(np.float64)) > 0)
    return replace(found, frame=found.frame.assign(around=tally.published.let_out(around)))


def _by_dual(tally: Tally, choice: HotspotChoice) -> Hotspots:
    points, missing = tally.during(choice.span), tally.recorded.missing(choice.span)
    ground, width = tally.ground, choice.bandwidth
    return dual_density(points, ground.residents, ground.cells, width, coverage=choice.coverage, missing=missing)


def _by_change(tally: Tally, choice: HotspotChoice) -> Hotspots:
    recorded, ground = tally.recorded, tally.ground
    before, after = len(recorded.loaded(choice.before)), len(recorded.loaded(choice.span))
    if not before:
        raise SelectionError(
            f"Nothing is loaded for {the(choice.before.words)}, which {the(choice.span.words)} would be compared with; "
            "choose a later period or another comparison."
        )
    both = [tally.count(span) for span in (choice.before, choice.span)]
    # Nothing is said of a change in which a count is withheld; a rounding is no change.
    old, new = (one.by_code(np.where(one.withheld, np.nan, one.judged), ground) for one in both)
    found = change_between(old, new, months_before=before, months_after=after, alpha=choice.alpha)
    if tally.published.rounds:
        old, new = (one.by_code(one.shown, ground) for one in both)
        shown = change_between(old, new, months_before=before, months_after=after, alpha=choice.alpha).frame
        judged = {name: found.frame[name] for name in ("verdict", "hot")}
        found = replace(found, frame=shown.assign(**judged, p=np.nan, q=np.nan))
    words = f"{choice.span.words[:1].upper()}{choice.span.words[1:]} against {the(choice.before.words)}. {found.words}"
    return Hotspots(found.frame, words, found.cautions)


def _by_persistence(tally: Tally, choice: HotspotChoice) -> Hotspots:
    length, step = choose_roll(choice.span)
    spans, _ = roll_spans(tally.recorded.loaded(choice.span), length=length, step=step)
    hot = {
        span: expected_count(
            tally.during(span), tally.ground.cells, choice.bandwidth, coverage=choice.coverage
        ).frame.set_index("code")["hot"]
        for span in spans
    }
    found = trajectory(hot)
    share = (
        f"Hot in a span: among the cells with the most expected incidents in {100 * choice.coverage:g} % of the area."
    )
    return Hotspots(found.frame, f"{found.words} {share}", found.cautions)


_METHODS: dict[LayerKey, Callable[[Tally, HotspotChoice], Hotspots]] = {
    "expected": _by_expected,
    "density": _by_density,
    "significance": _by_significance,
    "dual": _by_dual,
    "change": _by_change,
    "persistence": _by_persistence,
}


def choose_roll(span: Span) -> tuple[int, int]:
    """Length and step in months of the spans that tell how hotspots last: years where the period has two or more."""
    return (12, 3) if len(span) >= 24 else (3, 3) if len(span) >= 9 else (1, 1)


def find_clusters(ground: Ground, recorded: Recorded, choice: HotspotChoice) -> Clusters:
    """The clusters of a choice."""
    points, missing = recorded.during(choice.span), recorded.missing(choice.span)
    return cluster_locations(points, ground.cells, reach=choice.reach, coverage=choice.coverage, missing=missing)


def _make_clusters(tally: Tally, choice: HotspotChoice) -> HotspotLayer:
    ground, recorded, counted = tally.ground, tally.recorded, tally.count(choice.span)
    if tally.published.hides:
        raise UserError(
            "Street clusters are withheld: they are made of single locations, most of which have fewer than "
            f"{tally.published.rule.threshold} incidents; choose another layer."
        )
    points = recorded.during(choice.span)
    found = find_clusters(ground, recorded, choice)
    score = counted.taken / ground.cells.area * SQUARE_KILOMETRE
    frame = pd.DataFrame({"code": ground.cells.codes, "count": counted.shown, "score": score, "hot": False})
    hot = found.frame[found.frame["hot"]].reset_index(drop=True)
    # What an outline holds, which may be a little more than the locations that made it.
    inside = find_outline(hot, *_positions(points))
    held = np.bincount(inside[inside != NOWHERE], weights=points["count"][inside != NOWHERE], minlength=len(hot))
    total = counted.total
    shown = tally.published.let_out(pd.Series(held)).to_numpy(dtype=np.float64)
    places = hot.assign(
        cells=hot["locations"],
        hectares=hot["area"] / 10_000,
        count=shown,
        share=shown / total if total else np.nan,
        peak=shown / hot["area"] * SQUARE_KILOMETRE if tally.ruled else hot["score"],
    ).sort_values("count", ascending=False, kind="stable", ignore_index=True)
    places["rank"] = np.arange(1, len(places) + 1)
    said = _state(Hotspots(frame, found.words, found.cautions), choice, tally)
    inside_all = tally.publish_sum(float(held.sum()))
    return _add_names(HotspotLayer(choice, ground, frame, places, None, *said, total, inside_all), recorded)


def _publish_places(
    places: "gpd.GeoDataFrame", place_of: NDArray[np.int64], tally: Tally, choice: HotspotChoice
) -> tuple["gpd.GeoDataFrame", float]:
    """The places with the counts that may be shown of them, and what all hold together."""
    counted, inside = tally.count(choice.span), place_of != NOWHERE
    if tally.published.hides:
        # A place that shows its count shows each of its cells, so its sum tells nothing more.
        gone = np.bincount(place_of[inside], weights=counted.withheld[inside], minlength=len(places)) > 0
        shown = places.assign(**{name: places[name].mask(gone) for name in ("count", "share", "peak")})
        return shown, float(shown["count"].sum(skipna=False))
    sums = np.bincount(place_of[inside], weights=counted.judged[inside], minlength=len(places))
    count = tally.published.let_out(pd.Series(sums)).to_numpy(dtype=np.float64)
    # A test of counts before rounding is no figure to be shown.
    peak = np.nan if choice.layer == "significance" else places["peak"]
    shown = places.assign(count=count, share=count / counted.total if counted.total else np.nan, peak=peak)
    shown = shown.sort_values("count", ascending=False, kind="stable", ignore_index=True)
    shown["rank"] = np.arange(1, len(shown) + 1)
    return shown, tally.publish_sum(float(sums.sum()))


def find_outline(places: "gpd.GeoDataFrame", x: Floats, y: Floats) -> NDArray[np.int64]:
    """The row of the first outline that each point (easting, northing) lies in, -1 where it lies in none."""
    import shapely

    found = np.full(len(x), NOWHERE, dtype=np.int64)
    for number, shape in reversed(list(enumerate(places.geometry))):
        shapely.prepare(shape)
        found[shapely.intersects_xy(shape, x, y)] = number
    return found


def _state(found: Hotspots, choice: HotspotChoice, tally: Tally) -> tuple[str, tuple[str, ...]]:
    renewal = describe_renewal(choice.span) if tally.recorded.snapped else ""
    tested = choice.layer in TESTED
    taken = tally.describe(choice.span) if not (tested and tally.published.rounds) else ""
    if choice.layer == "change" and tally.published.hides:
        taken = "Of a cell in which either count is withheld, no change is told."
    said = (*found.cautions, renewal, taken)
    return found.words, tuple(sentence for sentence in said if sentence)


def _hold_cells(places: "gpd.GeoDataFrame", frame: pd.DataFrame, ground: Ground) -> NDArray[np.int64]:
    """The row of the place that each cell is in, -1 for none."""
    import shapely

    place_of = np.full(len(frame), NOWHERE, dtype=np.int64)
    hot = np.flatnonzero(frame["hot"])
    if hot.size:
        middles = shapely.point_on_surface(ground.cells.frame.geometry.to_numpy()[hot])
        cells, rows = shapely.STRtree(places.geometry.to_numpy()).query(middles, predicate="within")
        place_of[hot[cells]] = rows
    return place_of


def _name_by_peak(places: "gpd.GeoDataFrame", place_of: NDArray[np.int64], frame: pd.DataFrame) -> list[str]:
    """The code of each place's highest cell, the first of several: it stays where a place keeps its middle."""
    ranked = frame.assign(place=place_of).sort_values("score", ascending=False, kind="stable")
    peaks = ranked.drop_duplicates("place").set_index("place")["code"]
    return [str(peaks[row]) for row in range(len(places))]


def _add_names(layer: HotspotLayer, recorded: Recorded) -> HotspotLayer:
    """Where each place is, in words: the areas that it lies in, largest part first, and its busiest street."""
    index, points = range(len(layer.places)), recorded.during(layer.choice.span)
    held = layer.locate(*_positions(points))
    inside = points.assign(place=held)[held != NOWHERE].merge(layer.ground.streets, on=["easting", "northing"])
    busiest = inside.groupby(["place", "location"], as_index=False)["count"].sum()
    if layer.rule.rule == "suppress":
        shown = np.flatnonzero(layer.places["count"].notna())
        busiest = busiest[busiest["place"].isin(shown) & (busiest["count"] >= layer.rule.threshold)]
    busiest = busiest.sort_values(["count", "location"], ascending=[False, True]).drop_duplicates("place")
    streets = busiest.set_index("place")["location"].reindex(index).to_numpy()
    named = layer.places.assign(area=_name_areas(layer.places, layer.ground.boundary), street=streets)
    return replace(layer, places=named[list(PLACE_COLUMNS)])


def _name_areas(places: "gpd.GeoDataFrame", boundary: "gpd.GeoDataFrame") -> list[str]:
    return [
        ", ".join(lies.loc[lies["part"] >= _PART, "name"])
        for lies in (find_areas(outline, boundary) for outline in places.geometry)
    ]


def find_areas(outline: Any, areas: "gpd.GeoDataFrame") -> pd.DataFrame:
    """The areas that an outline lies in, the largest part first: code, name and part (0 to 1, of the outline)."""
    import shapely

    shapes = areas.geometry.to_numpy()
    rows = np.sort(shapely.STRtree(shapes).query(outline, predicate="intersects"))
    part = shapely.area(shapely.intersection(shapes[rows], outline)) / shapely.area(outline)
    lies = pd.DataFrame({"code": areas["code"].to_numpy()[rows], "name": areas["name"].to_numpy()[rows], "part": part})
    return lies[lies["part"] > 0].sort_values("part", ascending=False, kind="stable", ignore_index=True)


def _positions(points: pd.DataFrame) -> tuple[Floats, Floats]:
    return points["easting"].to_numpy(dtype=np.float64), points["northing"].to_numpy(dtype=np.float64)


def find_cell(ground: Ground, code: str) -> int:
    """The row of a cell by its code, -1 where no cell has it."""
    rows = np.flatnonzero(ground.cells.codes == code)
    return int(rows[0]) if rows.size else NOWHERE
