"""The progress board: the goals of a table of targets held against what was recorded, one line a goal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cspmap.analysis.targets.progress import progress
from cspmap.analysis.targets.verdict import THRESHOLDS, Thresholds
from cspmap.errors import UserError
from cspmap.goals import WHOLE, Goal, Sharing, is_whole, list_measured, list_periods, set_goals
from cspmap.partnership import Partnership
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.targets import TargetTable, name_period

# What a line says of its goal; what it says of progress follows (`analysis.targets.progress.COLUMNS`).
GOAL_COLUMNS = ("indicator", "code", "area", "due", "baseline", "baseline_period", "origin", "how", "document", "page")


@dataclass(frozen=True)
class Board:
    """`lines` has GOAL_COLUMNS and the columns of `progress`, indexed by indicator key and area code ("" the whole;
    the codes joined by commas where small areas carry a target together).

    `names` are those of the whole and of every area of the level, by code, no two the same; `counts` the months behind
    the lines, a column for each under the same label; `missing` the months of the period up to `as_at` that are not
    loaded. Not to be changed.
    """

    table: TargetTable
    level: str
    names: Mapping[str, str]
    span: Span
    as_at: Month
    lines: pd.DataFrame
    counts: pd.DataFrame
    missing: tuple[Month, ...] = ()

    @property
    def indicators(self) -> dict[str, str]:
        """Names of the indicators by key, in the table's order."""
        return dict(zip(self.lines.index.get_level_values(0), self.lines["indicator"], strict=True))


def find_as_at(query: Query, span: Span) -> Month:
    """The month to judge a period at: its last, or the last that is loaded where the period still runs."""
    return min(span.last, query.store.months[-1])


def find_period(query: Query, table: TargetTable) -> Span | None:
    """The last period of a table that has begun by the latest month loaded, else its first; None where it has none."""
    periods = list_periods(table, query.store.partnership)
    begun = [span for span in periods if span.first <= query.store.months[-1]]
    return begun[-1] if begun else periods[0] if periods else None


def find_level(query: Query, table: TargetTable) -> str:
    """The level whose areas the table names; else the one with the fewest areas."""
    partnership = query.store.partnership
    printed = {area.name.casefold() for area in table.areas if not is_whole(area, partnership)}

    def rank(level: str) -> tuple[int, int]:
        own = {name.casefold() for name in query.name_areas(level).values()}
        return len(printed & own), -len(own)

    return max((layer.key for layer in partnership.layers), key=rank)


def list_weights(query: Query, level: str) -> pd.DataFrame:
    """What targets can be shared out by, for every area of a level (the index: its code).

    A column for each denominator (by its key) and, where deprivation is loaded, `score` of the latest edition.
    """
    codes = list(query.name_areas(level))
    held = query.read_denominators(level)
    figures = held.pivot(index="code", columns="denominator", values="value").reindex(codes)
    editions = [item.year for item in query.store.partnership.deprivation]
    if editions:
        figures["score"] = query.read_deprivation(level, max(editions)).set_index("code")["score"].reindex(codes)
    return figures.rename_axis(columns=None)


def make_board(
    query: Query,
    table: TargetTable,
    *,
    level: str,
    span: Span,
    as_at: Month,
    sharing: Sharing,
    thresholds: Thresholds = THRESHOLDS,
) -> Board:
    """The board of a table for one level and one period, as at a month: later months are taken as not yet come.

    Raises UserError where the table has no target for the period that recorded crime measures.
    """
    crimes = {indicator.key: indicator.crimes for indicator in list_measured(table, query.store.partnership)}
    types = {key: spell_out(chosen, query.store.partnership) for key, chosen in crimes.items()}
    names = query.name_areas(level)
    counts = query.count_series(level, types) if types else pd.DataFrame()
    goals = set_goals(table, query.store.partnership, areas=names, span=span, counts=counts, sharing=sharing)
    if not goals:
        raise UserError(describe_periods(table, query.store.partnership, span))
    labels = pd.MultiIndex.from_tuples(
        [(goal.indicator.key, ",".join(goal.members)) for goal in goals], names=["crimes", "code"]
    )
    lines = pd.DataFrame([_list_figures(goal) for goal in goals], index=labels)
    counts = _add_up(counts, goals).set_axis(labels, axis=1)
    asked = lines[["value", "direction", "kind"]].assign(first=str(span.first), last=str(span.last))
    judged = progress(asked, counts, as_at=as_at, thresholds=thresholds)
    missing = query.missing_months(Span(span.first, as_at)) if as_at >= span.first else ()
    place = query.store.partnership.place
    names = {WHOLE: f"{place} as a whole" if place in names.values() else place, **names}
    return Board(table, level, names, span, as_at, lines[[*GOAL_COLUMNS, "direction"]].join(judged), counts, missing)


def describe_periods(table: TargetTable, partnership: Partnership, span: Span | None) -> str:
    """Why a table has no goals for a period (None: for any), and for which it has."""
    periods = [name_period(each) for each in list_periods(table, partnership)]
    if not periods or span is None:
        return (
            f"Recorded crime of {partnership.place} measures none of the targets in {table.title}; "
            "they stand as printed."
        )
    return f"{table.title} asks nothing of {name_period(span)}; choose one of: {', '.join(periods)}."


def _add_up(counts: pd.DataFrame, goals: Sequence[Goal]) -> pd.DataFrame:
    """Monthly counts of each goal's areas together, a column a goal: missing in a month that is missing in any."""
    pairs = [(goal.indicator.key, code) for goal in goals for code in goal.members]
    starts = np.cumsum([0, *(len(goal.members) for goal in goals)])[:-1]
    values = counts.to_numpy()[:, counts.columns.get_indexer(pd.MultiIndex.from_tuples(pairs))]
    return pd.DataFrame(np.add.reduceat(values, starts, axis=1), index=counts.index)


def spell_out(crimes: Sequence[str], partnership: Partnership) -> tuple[str, ...]:
    """Crime types, with each group taken for its types."""
    groups = {group.key: group.types for group in partnership.crime_groups}
    return tuple(dict.fromkeys(key for crime in crimes for key in groups.get(crime, (crime,))))


def _list_figures(goal: Goal) -> dict[str, object]:
    target = goal.target
    return {
        "indicator": goal.indicator.name or goal.indicator.key,
        "code": ",".join(goal.members),
        "area": goal.area,
        "due": name_period(goal.span),
        "baseline": goal.baseline,
        "baseline_period": "" if goal.baseline_span is None else name_period(goal.baseline_span),
        "origin": goal.origin,
        "how": goal.how,
        "document": target.document,
        "page": target.page,
        "value": goal.value,
        "direction": goal.indicator.direction,
        # Only of a printed limit is it known that it must not be reached.
        "kind": target.kind if goal.origin == "printed" else "reach-number",
    }
