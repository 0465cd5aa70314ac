"""The targets of a table shared out to the areas of a level, as a table of targets of its own."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from cspmap.analysis.target_methods import MethodKey
from cspmap.analysis.targets import reconcile
from cspmap.board import describe_periods, list_weights, spell_out
from cspmap.errors import UserError
from cspmap.goals import TOGETHER, WHOLE, Goal, Sharing, is_whole, list_measured, list_periods, set_goals
from cspmap.line_rule import rule_lines
from cspmap.partnership import Partnership
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.targets import Target, TargetArea, TargetTable, name_period


@dataclass(frozen=True)
class ApportionedTargets:
    """`table` has the targets of the whole and of every area; `notes` are sentences on what it has not, and why."""

    table: TargetTable
    notes: tuple[str, ...]


def apportion_targets(
    query: Query,
    table: TargetTable,
    *,
    level: str,
    method: MethodKey,
    span: Span | None = None,
    least: float = 5.0,
) -> ApportionedTargets:
    """The targets that a table asks of the areas of a level, by the end of a period (None: of each it has targets for).

    Every goal of `goals.set_goals` is a row. What stands as printed keeps its row; any other is a number to reach, with
    how it came about in its note. Areas that carry a target together have one row under their names together. An
    indicator or area is said to be the sum of others only where every number in the new table adds up so.

    Raises UserError where the table has no target for the period that recorded crime measures, and where none can be
    shared out.
    """
    partnership = query.store.partnership
    measured = list_measured(table, partnership)
    printed = sorted({target.due for target in table.targets if target.indicator in measured}, key=lambda due: due.last)
    spans = printed if span is None else [span]
    if not measured or not set(spans) <= set(list_periods(table, partnership)):
        raise UserError(describe_periods(table, partnership, span))
    names = query.name_areas(partnership.find_layer(level).key)
    types = {each.key: spell_out(each.crimes, partnership) for each in measured}
    counts, rule = query.count_series(level, types), rule_lines(query, level, types)
    sharing = Sharing(method, list_weights(query, level), least)
    goals = [
        goal
        for each in spans
        for goal in set_goals(table, partnership, areas=names, span=each, counts=counts, sharing=sharing, rule=rule)
    ]
    known = [goal for goal in goals if goal.value is not None]
    notes = tuple(dict.fromkeys(_tell_unknown(goal) for goal in goals if goal.value is None))
    if all(goal.members == (WHOLE,) for goal in known):
        raise UserError(notes[-1] if notes else f"{table.title} has no target for {partnership.place} to share out.")
    shared = TargetTable(table.title, tuple(_write_target(goal, names, partnership.place) for goal in known))
    if any(goal.origin != "printed" for goal in known):
        shared = _keep_sums(shared, partnership)
    return ApportionedTargets(shared, notes)


def _tell_unknown(goal: Goal) -> str:
    stop = "" if goal.how.endswith(".") else "."
    return f"{goal.indicator.name}, {name_period(goal.span)}: {goal.how}{stop}"


def _write_target(goal: Goal, names: Mapping[str, str], place: str) -> Target:
    of_all = goal.members == (WHOLE,)
    if goal.origin == "printed":
        return replace(goal.target, area=replace(goal.target.area, name=goal.target.area.name or place))
    return Target(
        indicator=goal.indicator,
        area=TargetArea(place if of_all else TOGETHER.join(names[code] for code in goal.members)),
        kind="reach-number",
        due=goal.span,
        value=Decimal(math.floor(goal.value or 0)),
        baseline_period=goal.baseline_span,
        baseline=None if goal.baseline is None else Decimal(round(goal.baseline)),
        owner="" if goal.origin == "shared out" else goal.target.owner,
        document=goal.target.document,
        page=goal.target.page,
        note=f"{goal.how[0].upper()}{goal.how[1:]}.",
    )


def _keep_sums(table: TargetTable, partnership: Partnership) -> TargetTable:
    """The table with the sums that hold in all of it, and no other: of areas for the whole, and of indicators."""
    keys = {indicator.key for indicator in table.indicators}
    areas = tuple(area.name for area in table.areas if not is_whole(area, partnership))
    places = [(indicator, area, due) for indicator in keys for area in areas for due in table.periods]
    parts = areas if all(table.find(*place) for place in places) else ()
    claimed = _tell_parts(
        table,
        {area: () if area in areas else parts for area in [one.name for one in table.areas]},
        {each.key: each.parts if keys.issuperset(each.parts) else () for each in table.indicators},
    )
    faults = reconcile(claimed)
    apart = {fault.area for fault in faults if fault.kind == "area-sum"}
    unequal = {fault.indicator for fault in faults if fault.kind in ("indicator-sum", "implied-sum")}
    return _tell_parts(
        claimed,
        {area.name: () if area.name in apart else area.parts for area in claimed.areas},
        {each.key: () if each.key in unequal else each.parts for each in claimed.indicators},
    )


def _tell_parts(
    table: TargetTable, areas: Mapping[str, tuple[str, ...]], indicators: Mapping[str, tuple[str, ...]]
) -> TargetTable:
    """The table with other parts of its areas and indicators."""
    targets = tuple(
        replace(
            target,
            area=TargetArea(target.area.name, areas[target.area.name]),
            indicator=replace(target.indicator, parts=indicators[target.indicator.key]),
        )
        for target in table.targets
    )
    return TargetTable(table.title, targets)
