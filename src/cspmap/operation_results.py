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
    SurveyChange,
    SurveyMeasure,
    buffer_ring,
    compare_surveys,
    evaluate,
    measure_survey,
    propose_comparisons,
    propose_spans,
)
from cspmap.analysis.evaluation.matching import MATCHES
from cspmap.assign import NOWHERE, assign_points
from cspmap.errors import UserError
from cspmap.operation_shapes import draw_area, find_points, frame_shape
from cspmap.operations import Area, CrimeGoal, Operation, SurveyGoal, SurveyResult
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.selection import Selection

if TYPE_CHECKING:
    import geopandas as gpd

Against = Literal["rest", "chosen", "alike"]
Part = Literal["area", "buffer", "rest"]

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
    three are None where that cannot be said; `fault` then says why.
    """

    crime: str
    goal: CrimeGoal | None
    sheet: Evaluation | None
    change: float | None
    reached: bool | None
    fault: str = ""


def judge_goals(
    query: Query, counts: OperationCounts, operation: Operation, choice: SheetChoice
) -> tuple[GoalResult, ...]:
    """Every aim in recorded crime, judged on its own; all recorded incidents where there is no such aim."""
    goals: list[CrimeGoal | None] = [goal for goal in operation.goals if isinstance(goal, CrimeGoal)]
    return tuple(_judge_goal(query, counts, operation, choice, goal) for goal in goals or [None])


def _judge_goal(
    query: Query, counts: OperationCounts, operation: Operation, choice: SheetChoice, goal: CrimeGoal | None
) -> GoalResult:
    crimes = () if goal is None else goal.crimes
    name = ", ".join(crimes)
    try:
        name = name_goal_crimes(query, crimes)
        sheet = judge_crimes(query, counts, operation, choice, crimes)
    except UserError as error:
        return GoalResult(name, goal, None, None, None, str(error))
    change = find_change(sheet)
    reached = None
    if goal is not None and change is not None:
        reached = change <= goal.change_percent if goal.change_percent <= 0 else change >= goal.change_percent
    return GoalResult(name, goal, sheet, change, reached)


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


def judge_crimes(
    query: Query, counts: OperationCounts, operation: Operation, choice: SheetChoice, crimes: Sequence[str]
) -> Evaluation:
    """The evaluation sheet of some crime types and groups together (none: all).

    Raises UserError where the choice leaves nothing to judge by.
    """
    types = list_types(query, crimes)
    area, rest = counts.count("area", types), counts.count("rest", types)
    if choice.against == "chosen":
        if not operation.comparison_areas:
            raise UserError("No comparison areas are chosen; choose some, or compare with the rest.")
        comparison = counts.count("rest", types, compared=True)
    elif choice.against == "alike":
        matches = match_units(query, counts, operation, choice.before, crimes)
        comparison = rest[[column for column in rest if _bare(column) in set(matches.proposed)]]
    else:
        comparison = rest
    return evaluate(
        area,
        comparison,
        before=choice.before,
        after=choice.after,
        buffer=counts.count("buffer", types) if counts.ring is not None else None,
        others=rest,
        crime=name_goal_crimes(query, crimes),
        chosen_on=operation.chosen_on,
    )


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


@dataclass(frozen=True)
class SurveyStanding:
    """A measure that people were asked for: its waves in order, and how far the latest is from the first and the aim.

    `measures` are the waves' figures with their margin of error, None where the size of the sample is not known.
    `reached` is whether the latest meets the aim, None without one; `clear` whether that is beyond its margin.
    """

    measure: str
    waves: tuple[SurveyResult, ...]
    measures: tuple[SurveyMeasure | None, ...]
    change: SurveyChange | None
    goal: SurveyGoal | None
    reached: bool | None
    clear: bool


def list_surveys(operation: Operation) -> tuple[SurveyStanding, ...]:
    """Every measure that has an aim or a figure, in the order of the aims, then by name."""
    goals = {goal.measure: goal for goal in operation.goals if isinstance(goal, SurveyGoal)}
    others = sorted({result.measure for result in operation.surveys} - goals.keys())
    return tuple(_stand(operation, measure, goals.get(measure)) for measure in (*goals, *others))


def _stand(operation: Operation, measure: str, goal: SurveyGoal | None) -> SurveyStanding:
    waves = tuple(sorted((each for each in operation.surveys if each.measure == measure), key=lambda each: each.asked))
    measures = tuple(
        None if wave.sample_size is None else measure_survey(wave.percent, wave.sample_size) for wave in waves
    )
    change = None
    if len(waves) > 1 and measures[0] is not None and measures[-1] is not None:
        change = compare_surveys(measures[0], measures[-1])
    reached, clear = None, False
    if goal is not None and waves:
        upwards = goal.direction == "at least"
        percent, latest = waves[-1].percent, measures[-1]
        reached = percent >= goal.percent if upwards else percent <= goal.percent
        clear = latest is not None and not latest.low <= goal.percent <= latest.high
    return SurveyStanding(measure, waves, measures, change, goal, reached, clear)
