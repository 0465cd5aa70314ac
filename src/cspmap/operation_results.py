"""Operations over a store: what was recorded in an operation's area, next door and elsewhere, and how that went.

Incidents are counted by where their published point lies, whatever an area is made of: in the units or the outline of
the operation, in the ring around it, or elsewhere. Each of the three is divided by the units of the finest level, as
the evaluation learns from these how much places vary by themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from cspmap.analysis.evaluation import (
    Evaluation,
    Matches,
    ProposedSpans,
    buffer_ring,
    evaluate,
    propose_comparisons,
    propose_spans,
    round_evaluation,
)
from cspmap.analysis.evaluation.matching import MATCHES
from cspmap.assign import NOWHERE, assign_points
from cspmap.errors import UserError
from cspmap.exports.published import Published, publish
from cspmap.operation_published import describe_withheld, is_small, withhold_course, withhold_sheet
from cspmap.operation_shapes import draw_area, find_points, frame_shape
from cspmap.operations import Area, CrimeGoal, Operation, Units
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.selection import Selection

if TYPE_CHECKING:
    import geopandas as gpd

Against = Literal["rest", "chosen", "alike"]
Part = Literal["area", "buffer", "rest"]
PARTS: tuple[Part, ...] = ("area", "buffer", "rest")

# One in so many units is proposed as a comparison, and never fewer than `MATCHES`.
_ONE_IN = 12


@dataclass(frozen=True, eq=False)
class OperationCounts:
    """Incidents of one operation by month, crime type and place; read once, shared, and not to be changed.

    `units` is the finest level (code, name, geometry in EPSG:27700), `level` its key. `area`, `ring` (None without a
    buffer) and `compared` (None without comparison areas) are shapes in EPSG:27700. `table` has month, crime_type,
    unit, part ("area", "buffer" or "rest"), compared (whether in a comparison area) and count.
    """

    level: str
    units: "gpd.GeoDataFrame"
    area: Any
    ring: Any | None
    compared: Any | None
    months: tuple[Month, ...]
    table: pd.DataFrame

    def count(self, part: Part, types: Sequence[str], *, compared: bool = False) -> pd.DataFrame:
        """Counts of some crime types in a part: months ("YYYY-MM") x the units that it has incidents in.

        A month that is not loaded is NaN. `compared` keeps to the comparison areas. Where nothing was ever recorded
        there is one column of noughts.
        """
        table = self.table
        rows = table[(table["part"] == part) & (table["compared"] | (not compared))]
        frame = rows.pivot_table(index="month", columns="unit", values="count", aggfunc="sum", observed=True)
        wanted = rows[rows["crime_type"].isin(types)]
        counts = wanted.pivot_table(index="month", columns="unit", values="count", aggfunc="sum", observed=True)
        loaded = [str(month) for month in self.months]
        names = list(frame.columns) or ["none"]
        counts = counts.reindex(index=loaded, columns=names).fillna(0.0)
        whole = [str(month) for month in Span(self.months[0], self.months[-1])]
        counts.columns = pd.Index([f"{name} ({part})" for name in names])
        return counts.reindex(whole).rename_axis("month").astype(float)


def read_counts(query: Query, operation: Operation) -> OperationCounts:
    """Count what an operation needs. Raises UserError where it has no area, or one that the store does not hold."""
    if operation.area is None:
        raise UserError("This operation has no area yet, so that nothing can be counted; give it one.")
    store = query.store
    level = find_finest(query)
    units = store.read_layer(level)[["code", "name", "geometry"]]
    boundary = store.read_layer(store.partnership.boundary)
    area = draw_area(query, operation.area)
    ring = None
    if operation.buffer_metres is not None:
        ring = buffer_ring(frame_shape(area), operation.buffer_metres, boundary).geometry.iloc[0]
    selection = Selection.default(store).change(level=level)
    span = Span(store.months[0], store.months[-1])
    table = query.count_points(selection, span=span, by=("month", "crime_type"))
    numbers, points = pd.factorize(pd.MultiIndex.from_frame(table[["easting", "northing"]]))
    x, y = (np.asarray(points.get_level_values(place), dtype=float) for place in (0, 1))
    unit = assign_points(x, y, units)
    part = np.full(len(x), "rest", dtype=object)
    if ring is not None:
        part[_lie_within(x, y, ring)] = "buffer"
    part[find_points(query, operation.area, x, y)] = "area"
    compared = np.zeros(len(x), dtype=bool)
    for other in operation.comparison_areas:
        compared |= find_points(query, other, x, y)
    codes = np.append(units["code"].to_numpy(dtype=object), "")
    table = table[["month", "crime_type", "count"]].assign(
        unit=codes[np.where(unit == NOWHERE, len(units), unit)][numbers],
        part=part[numbers],
        compared=(compared & (part == "rest"))[numbers],
    )
    keys = ["month", "crime_type", "unit", "part", "compared"]
    return OperationCounts(
        level=level,
        units=units,
        area=area,
        ring=ring,
        compared=_join(query, operation.comparison_areas),
        months=store.months,
        table=table.groupby(keys)["count"].sum().reset_index(),
    )


def _lie_within(x: Any, y: Any, shape: Any) -> Any:
    import shapely

    shapely.prepare(shape)
    return shapely.intersects_xy(shape, x, y)


def _join(query: Query, areas: Sequence[Area]) -> Any | None:
    import shapely

    return shapely.union_all([draw_area(query, area) for area in areas]) if areas else None


def find_finest(query: Query) -> str:
    """The level with the most areas, of those that are places and not drawings of others; the first of several."""
    layers = [layer.key for layer in query.store.partnership.layers if layer.figures_of is None]
    return max(layers, key=lambda key: len(query.store.codes(key)))


@dataclass(frozen=True)
class SheetChoice:
    """What an operation is judged by: the months before and after, and against what."""

    before: Span
    after: Span
    against: Against = "rest"


def list_comparisons(operation: Operation) -> tuple[Against, ...]:
    """What an operation can be judged against; areas picked by hand only where there are any, and then first."""
    return ("chosen", "rest", "alike") if operation.comparison_areas else ("rest", "alike")


def propose_months(operation: Operation, loaded: Sequence[Month]) -> ProposedSpans:
    """The whole months of an operation, and those to hold them against. Raises UserError where there are none."""
    if operation.start is None:
        raise UserError("This operation has no start yet, so that there is no before and after; give it one.")
    first, last = find_months(operation.start, operation.end)
    return propose_spans(first, last, loaded)


def find_months(start: date, end: date | None) -> tuple[Month, Month | None]:
    """The first and last month that lie wholly between two days; the month of the start where none does."""
    first = Month(start.year, start.month)
    whole = first if start.day == 1 else first + 1
    if end is None:
        return whole, None
    after = end + timedelta(days=1)
    last = Month(after.year, after.month) - 1
    return (whole, last) if whole <= last else (first, first)


@dataclass(frozen=True, eq=False)
class GoalResult:
    """What became of one aim in recorded crime, or of all crime where there is no aim (`goal` None).

    `change` is by how many per cent the incidents a month went up or down; `reached` whether that meets the aim. All
    three are None where that cannot be said, or where the partnership's disclosure rule withholds it (`withheld`);
    `fault` then says why. Where the rule rounds counts, all of it is of rounded counts.
    """

    crime: str
    goal: CrimeGoal | None
    sheet: Evaluation | None
    change: float | None
    reached: bool | None
    fault: str = ""
    withheld: bool = False


def judge_goals(
    query: Query, counts: OperationCounts, operation: Operation, choice: SheetChoice
) -> tuple[GoalResult, ...]:
    """Every aim in recorded crime, judged on its own; all recorded incidents where there is no such aim."""
    goals: list[CrimeGoal | None] = [goal for goal in operation.goals if isinstance(goal, CrimeGoal)]
    results = tuple(_judge_goal(query, counts, operation, choice, goal) for goal in goals or [None])
    published = publish(query)
    if not published.hides:
        return results
    sums, months = find_told(query, counts, results, published.rule.threshold)
    return tuple(
        _withhold(result, published)
        if at in sums
        else replace(result, sheet=withhold_course(result.sheet))
        if at in months and result.sheet is not None
        else result
        for at, result in enumerate(results)
    )


def _judge_goal(
    query: Query, counts: OperationCounts, operation: Operation, choice: SheetChoice, goal: CrimeGoal | None
) -> GoalResult:
    crimes = () if goal is None else goal.crimes
    name, published = ", ".join(crimes), publish(query)
    try:
        name = name_goal_crimes(query, crimes)
        frames = gather_counts(query, counts, operation, choice, crimes)
        sheet = evaluate_frames(frames, name, operation, choice)
    except UserError as error:
        return GoalResult(name, goal, None, None, None, str(error))
    if published.rounds:
        sheet = round_evaluation(sheet, published.rule.base)
    if published.hides:
        wholes = find_wholes(query, counts, operation, choice, frames)
        kept = withhold_sheet(sheet, divide_town(frames), wholes, crimes, published)
        if kept is None:
            return _withhold(GoalResult(name, goal, None, None, None), published)
        sheet = kept
    change = find_change(sheet)
    reached = None
    if goal is not None and change is not None:
        reached = change <= goal.change_percent if goal.change_percent <= 0 else change >= goal.change_percent
    return GoalResult(name, goal, sheet, change, reached)


def _withhold(result: GoalResult, published: Published) -> GoalResult:
    return GoalResult(result.crime, result.goal, None, None, None, describe_withheld(published.rule), withheld=True)


def find_told(
    query: Query, counts: OperationCounts, results: Sequence[GoalResult], threshold: int
) -> tuple[set[int], set[int]]:
    """Which results would tell, beside the others, a small count of what they hold and the others do not.

    A group of crime types less those of its types that are shown is what is left of it. Returned are those that tell
    it of a whole period, and those that tell it of a month.
    """
    shown = {
        at: (set(list_types(query, () if result.goal is None else result.goal.crimes)), result.sheet.months)
        for at, result in enumerate(results)
        if result.sheet is not None
    }
    sums, months = set(), set()
    for at, (types, used) in shown.items():
        inside = [other for other, _ in shown.values() if other < types]
        for left in {frozenset(types - other) for other in (*inside, set().union(*inside))} - {frozenset(types)}:
            parts = [counts.count(part, sorted(left)).sum(axis=1, skipna=False) for part in PARTS]
            if any(is_small(parts, time, threshold) for time in (used.before, used.after)):
                sums.add(at)
            if any(part.between(1, threshold - 1).any() for part in parts):
                months.add(at)
    return sums, months


def find_change(sheet: Evaluation) -> float | None:
    """By how many per cent the area's incidents a month changed; None where there were none before."""
    before, after = list_monthly(sheet)
    return 100 * (after - before) / before if before else None


def list_monthly(sheet: Evaluation) -> tuple[float, float]:
    """The area's incidents a month before and after."""
    months = sheet.months
    return sheet.effect.before / len(months.before), sheet.effect.after / len(months.after)


def name_goal_crimes(query: Query, crimes: Sequence[str]) -> str:
    """What an aim is about: "Recorded incidents", "Burglary and Robbery". Raises UserError for a crime not known."""
    from cspmap.views.words import join_words

    return join_words(query.store.partnership.name_crime(key) for key in crimes) or "Recorded incidents"


@dataclass(frozen=True, eq=False)
class Frames:
    """Monthly counts of some crime types (months x units) that an operation is judged by, as they are counted.

    `rest` is all of the town outside the area and its ring, of which `comparison` is a part; `buffer` None without a
    ring. `matched` are the units that the comparison is made of, where those most alike were asked for.
    """

    area: pd.DataFrame
    buffer: pd.DataFrame | None
    comparison: pd.DataFrame
    rest: pd.DataFrame
    matched: tuple[str, ...] = ()


def gather_counts(
    query: Query, counts: OperationCounts, operation: Operation, choice: SheetChoice, crimes: Sequence[str]
) -> Frames:
    """What is needed to judge an operation by some crime types and groups together (none: all).

    Raises UserError where the choice leaves nothing to judge by.
    """
    types = list_types(query, crimes)
    area, rest = counts.count("area", types), counts.count("rest", types)
    buffer = counts.count("buffer", types) if counts.ring is not None else None
    if choice.against == "chosen":
        if not operation.comparison_areas:
            raise UserError("No comparison areas are chosen; choose some, or compare with the rest.")
        return Frames(area, buffer, counts.count("rest", types, compared=True), rest)
    if choice.against == "alike":
        matched = match_units(query, counts, operation, choice.before, crimes).proposed
        return Frames(area, buffer, rest[[name for name in rest if _bare(name) in set(matched)]], rest, matched)
    return Frames(area, buffer, rest, rest)


def evaluate_frames(frames: Frames, crime: str, operation: Operation, choice: SheetChoice) -> Evaluation:
    """The evaluation sheet of what was gathered, before any disclosure rule.

    Raises UserError where the choice leaves nothing to judge by.
    """
    return evaluate(
        frames.area,
        frames.comparison,
        before=choice.before,
        after=choice.after,
        buffer=frames.buffer,
        others=frames.rest,
        crime=crime,
        chosen_on=operation.chosen_on,
    )


def divide_town(frames: Frames) -> dict[str, pd.Series]:
    """Incidents by month of the area, the comparison, the ring and all else, which together are the town's."""
    area, comparison, rest = (each.sum(axis=1, skipna=False) for each in (frames.area, frames.comparison, frames.rest))
    parts = {"area": area, "comparison": comparison, "elsewhere": rest - comparison}
    return parts if frames.buffer is None else {**parts, "buffer": frames.buffer.sum(axis=1, skipna=False)}


def find_wholes(
    query: Query, counts: OperationCounts, operation: Operation, choice: SheetChoice, frames: Frames
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Which of area and comparison are made of whole areas of a level: that level and their codes."""
    wholes = {}
    own = operation.area
    if isinstance(own, Units):
        wholes["area"] = (query.store.counted_level(own.level), own.codes)
    if frames.matched:
        wholes["comparison"] = (counts.level, frames.matched)
    elif choice.against == "chosen" and counts.ring is None and isinstance(own, Units):
        others = [area for area in operation.comparison_areas if isinstance(area, Units) and area.level == own.level]
        # Of another level, or drawn, they may reach into the area, which is then left out of them.
        if len(others) == len(operation.comparison_areas):
            codes = dict.fromkeys(code for area in others for code in area.codes)
            wholes["comparison"] = (query.store.counted_level(own.level), tuple(codes))
    return wholes


def list_types(query: Query, crimes: Sequence[str]) -> tuple[str, ...]:
    """The crime types that some types and groups come to."""
    return query.crime_types(replace(Selection.default(query.store), crimes=tuple(crimes)))


def match_units(
    query: Query, counts: OperationCounts, operation: Operation, before: Span, crimes: Sequence[str]
) -> Matches:
    """The units most like the area before the start, none of them in it or its ring."""
    types = list_types(query, crimes)
    scores = _read_scores(query, counts.level)
    return propose_comparisons(
        counts.units,
        counts.count("rest", types).rename(columns=_bare),
        frame_shape(counts.area),
        counts.count("area", types),
        before,
        buffer_metres=operation.buffer_metres or 0.0,
        deprivation=scores,
        area_deprivation=_score_area(counts, scores),
        number=max(MATCHES, len(counts.units) // _ONE_IN),
    )


def _bare(column: object) -> str:
    return str(column).rpartition(" (")[0]


def _read_scores(query: Query, level: str) -> pd.Series | None:
    editions = [item.year for item in query.store.partnership.deprivation]
    if not editions:
        return None
    scores: pd.Series = query.read_deprivation(level, max(editions)).set_index("code")["score"]
    return scores


def _score_area(counts: OperationCounts, scores: pd.Series | None) -> float | None:
    """The mean score of the units whose larger part lies in the area, or of the one that it has most of."""
    if scores is None:
        return None
    import shapely

    shapes = counts.units.geometry.to_numpy()
    shared = shapely.area(shapely.intersection(shapes, counts.area))
    inside = shared > shapely.area(shapes) / 2
    inside = inside if inside.any() else shared == shared.max()
    value = float(scores.reindex(counts.units["code"][inside]).mean())
    return None if np.isnan(value) else value
