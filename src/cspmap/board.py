"""The progress board: the goals of a table of targets held against what was recorded, one line a goal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from cspmap.analysis.targets.progress import NUMBERS, progress
from cspmap.analysis.targets.trajectory import trace_target
from cspmap.analysis.targets.verdict import THRESHOLDS, Thresholds
from cspmap.errors import UserError
from cspmap.exports.published import WITHHELD
from cspmap.goals import WHOLE, Goal, Sharing, is_whole, list_measured, list_periods, set_goals
from cspmap.line_rule import LineRule, rule_lines
from cspmap.partnership import Disclosure, Partnership
from cspmap.partnership_parts import NO_RULE
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

    All of it keeps the partnership's disclosure `rule`. A line whose counts are withheld has the status "withheld",
    and no figure but its target; counts of months that are withheld are missing, and True in `withheld`, which is as
    `counts` (without a column where nothing is). Where the rule rounds, so are the counts, and what they add up to.
    """

    table: TargetTable
    level: str
    names: Mapping[str, str]
    span: Span
    as_at: Month
    lines: pd.DataFrame
    counts: pd.DataFrame
    missing: tuple[Month, ...] = ()
    withheld: pd.DataFrame = field(default_factory=pd.DataFrame)
    rule: Disclosure = NO_RULE

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
    rule = rule_lines(query, level, types) if types else None
    goals = set_goals(table, query.store.partnership, areas=names, span=span, counts=counts, sharing=sharing, rule=rule)
    if not goals:
        raise UserError(describe_periods(table, query.store.partnership, span))
    labels = pd.MultiIndex.from_tuples(
        [(goal.indicator.key, ",".join(goal.members)) for goal in goals], names=["crimes", "code"]
    )
    lines = pd.DataFrame([_list_figures(goal) for goal in goals], index=labels)
    counts = _add_up(counts, goals).set_axis(labels, axis=1)
    asked = lines[["value", "direction", "kind"]].assign(first=str(span.first), last=str(span.last))
    parts = _divide(query, span, as_at)
    rounded = rule.round_months(counts, parts.list_all(counts)) if rule is not None and rule.rounds else None
    # Estimates rest on every month. To the whole number, none of them tells which month an incident was in.
    hides = rule is not None and rule.hides
    judged = progress(asked, counts, as_at=as_at, thresholds=thresholds, told=rounded, whole=hides)
    missing = query.missing_months(Span(span.first, as_at)) if as_at >= span.first else ()
    place = query.store.partnership.place
    names = {WHOLE: f"{place} as a whole" if place in names.values() else place, **names}
    lines = lines[[*GOAL_COLUMNS, "direction"]].join(judged)
    board = Board(table, level, names, span, as_at, lines, counts if rounded is None else rounded, missing)
    board = replace(board, rule=query.store.partnership.disclosure)
    return board if rule is None or not rule.hides else _withhold(board, goals, rule, parts)


def trace_board(board: Board, label: tuple[str, str]) -> pd.DataFrame:
    """The trajectory of a line as `analysis.targets.trace_target` has it, with a column withheld more.

    Where months of the line are withheld, the way is drawn straight between the line's own figures, and what is so far
    is known only up to the first of them and from the last.
    """
    line = board.lines.loc[[label]].iloc[0]
    value = None if pd.isna(line["value"]) else float(line["value"])
    course = trace_target(board.counts[label], board.span, value, as_at=board.as_at)
    if label not in board.withheld or not board.withheld[label].any():
        return course.assign(withheld=False)
    length, elapsed = len(course), min(max(board.as_at.ordinal - board.span.first.ordinal + 1, 0), len(course))
    counts = board.counts[label].reindex(course["month"]).to_numpy()[:elapsed]
    so_far = course["actual"].to_numpy(copy=True)
    if elapsed:
        later = np.append(np.cumsum(counts[:0:-1])[::-1], 0.0)
        so_far[:elapsed] = np.where(np.isnan(so_far[:elapsed]), float(line["actual"]) - later, so_far[:elapsed])
    inside = 0 < elapsed < length and not pd.isna(line["expected"])
    steps = [0, elapsed, length] if inside else [0, length]
    way = [0.0, line["expected"], line["value"]] if inside else [0.0, line["value"]]
    course["expected"] = np.interp(np.arange(1, length + 1), steps, np.array(way, dtype=float))
    for name in ("projected", "low", "high"):
        ends = np.array([line["actual"] if elapsed else 0, line[name]], dtype=float)
        ahead = np.interp(np.arange(1, length + 1), [elapsed, length], ends)
        course[name] = np.where(np.arange(1, length + 1) < elapsed, np.nan, ahead)
    flags = board.withheld[label].reindex(course["month"], fill_value=False).to_numpy(dtype=bool)
    return course.assign(actual=so_far, withheld=flags)


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


@dataclass(frozen=True)
class _Parts:
    """The months of a board. `sums` are the spans whose counts a line shows: the period so far, the months that it is
    compared with, and where months are missing, those known both times; `runs` those that a chart adds up over.
    """

    sums: tuple[Span, ...]
    runs: tuple[Span, ...]

    def list_all(self, counts: pd.DataFrame) -> list[Span]:
        """The runs, and all other months of the counts."""
        held = {month for run in self.runs for month in run}
        months = (Month.parse(str(label)) for label in counts.index)
        return [*self.runs, *Span.find_runs(month for month in months if month not in held)]


def _divide(query: Query, span: Span, as_at: Month) -> _Parts:
    course = span.shift(-12 * -(-len(span) // 12))
    if as_at < span.first:
        return _Parts((), (course,))
    elapsed = Span(span.first, min(as_at, span.last))
    back = 12 * -(-len(elapsed) // 12)
    gone = {*query.missing_months(elapsed), *(month + back for month in query.missing_months(elapsed.shift(-back)))}
    both = Span.find_runs(month for month in elapsed if month not in gone)
    before = [run.shift(-back) for run in both]
    sums = (elapsed, elapsed.shift(-back), *((*both, *before) if gone else ()))
    compared = {month for run in before for month in run}
    rest = Span.find_runs(month for month in course if month not in compared)
    return _Parts(sums, (*both, *Span.find_runs(gone), *before, *rest))


def _withhold(board: Board, goals: Sequence[Goal], rule: LineRule, parts: _Parts) -> Board:
    """The board without what the rule withholds."""
    labels, lines = board.lines.index, board.lines.copy()
    hidden = np.array(
        [
            goal.withheld or any(rule.withholds(goal.indicator.key, goal.members, span) for span in parts.sums)
            for goal in goals
        ]
    )
    gone = np.zeros(board.counts.shape, dtype=bool)
    for key in dict.fromkeys(goal.indicator.key for goal in goals):
        for run in parts.runs:
            months = rule.flag_months(key, run)
            months = months[months.index.isin(board.counts.index)]
            rows, codes = board.counts.index.get_indexer(months.index), months.columns
            for column, goal in enumerate(goals):
                if goal.indicator.key == key:
                    own = codes.get_indexer(pd.Index(goal.members))
                    gone[rows, column] = months.to_numpy(dtype=bool).take(own, axis=1).any(axis=1)
    flags = pd.DataFrame(gone, index=board.counts.index, columns=labels)
    come = (flags.index <= str(board.as_at))[:, None]
    flags = (flags | hidden) & (board.counts.notna().to_numpy() & come)
    lines.loc[hidden, [*NUMBERS, "p", "chance", "signal"]] = pd.NA
    lines.loc[hidden, ["status", "rating", "words"]] = [WITHHELD, "?", WITHHELD]
    lines.loc[hidden, ["position", "change", "evidence"]] = "not known"
    lines.loc[hidden, "sentence"] = [_tell_withheld(value) for value in lines.loc[hidden, "value"]]
    lines["chance"] = lines["chance"].astype(float).round(2)
    return replace(board, lines=lines, counts=board.counts.mask(flags), withheld=flags)


def _tell_withheld(value: float) -> str:
    target = "" if pd.isna(value) else f" The target is {value:,.0f}."
    return f"Withheld: a count behind it is small, or would give a small one away.{target}"


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
