"""Operations in plain words: aims, what became of them, and every measure of an evaluation on one table."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from cspmap.analysis.evaluation import Effect, Evaluation, find_side
from cspmap.errors import UserError
from cspmap.exports.published import describe_rule
from cspmap.operation_results import (
    Against,
    GoalResult,
    OperationCounts,
    SheetChoice,
    list_monthly,
    name_goal_crimes,
)
from cspmap.operation_surveys import SurveyStanding
from cspmap.operations import Area, CrimeGoal, Goal, Operation, Status, SurveyGoal, SurveyResult, Units
from cspmap.partnership import Partnership
from cspmap.periods import Month
from cspmap.query import Query
from cspmap.views.words import format_count, join_words, the

STATUSES: dict[Status, str] = {
    "draft": "Draft",
    "running": "Running",
    "ended": "Ended",
    "judged": "Judged",
    "cancelled": "Cancelled",
}
AGAINST: dict[Against, str] = {
    "chosen": "Areas picked by hand",
    "rest": "Rest of the town",
    "alike": "Places most alike before",
}
_READINGS = {
    "fell": "fell by more than expected",
    "rose": "rose by more than expected",
    "no clear change": "no clear effect",
    "too few to tell": "too few to tell",
    "not known": "not known",
}
_TESTS = {
    "up": "up by more than chance",
    "down": "down by more than chance",
    "normal variation": "within chance",
    "too few to say": "too few to say",
    "no incidents": "no incidents",
}
_PLACES = {"area": "Area", "buffer": "Next door", "comparison": "Comparison"}
_MOST_NAMED = 6


def format_day(day: date | None) -> str:
    """A day as people write it: "1 April 2024"; empty where there is none."""
    return "" if day is None else f"{day.day} {Month(day.year, day.month).words}"


def format_signed(value: float | None, *, digits: int = 0) -> str:
    """-12.4 -> "−12" (a true minus sign), 3 -> "+3"; missing -> "no end"."""
    if value is None:
        return "no end"
    text = f"{value:+,.{digits}f}"
    return text.lstrip("+-") if float(text.replace(",", "")) == 0 else text.replace("-", "−")


def describe_time(operation: Operation) -> str:
    """When it runs: "1 April 2024 to 31 March 2025", "since 1 April 2024"; "no dates yet"."""
    if operation.start is None:
        return "no dates yet" if operation.end is None else f"until {format_day(operation.end)}"
    if operation.end is None:
        return f"since {format_day(operation.start)}"
    return f"{format_day(operation.start)} to {format_day(operation.end)}"


def describe_area(query: Query, area: Area | None) -> str:
    """An area in words: "wards: Dallow and South", "14 LSOAs", "a drawn outline"."""
    if area is None:
        return "no area yet"
    if not isinstance(area, Units):
        return "a drawn outline"
    layers = {layer.key: layer for layer in query.store.partnership.layers}
    if area.level not in layers:
        return f"{len(area.codes)} areas of a level that is not held here"
    layer, names = layers[area.level], query.name_areas(area.level)
    if len(area.codes) > _MOST_NAMED:
        return f"{len(area.codes)} {layer.plural}"
    kind = layer.plural if len(area.codes) > 1 else layer.name
    return f"{kind}: {join_words(names.get(code, code) for code in area.codes)}"


def describe_goal(query: Query, goal: Goal) -> str:
    """An aim: "Robbery: down by 20 %", "Confidence: at least 60 %"."""
    if isinstance(goal, SurveyGoal):
        return f"{goal.measure}: {goal.direction} {goal.percent:g} %"
    return f"{_name_crimes(query, goal)}: {describe_way(goal)}"


def _name_crimes(query: Query, goal: CrimeGoal) -> str:
    try:
        return name_goal_crimes(query, goal.crimes)
    except UserError:
        return ", ".join(goal.crimes)


def describe_way(goal: CrimeGoal) -> str:
    """How recorded crime is to change: "down by 20 %", "no rise"."""
    if goal.change_percent == 0:
        return "no rise"
    return f"{'down' if goal.change_percent < 0 else 'up'} by {abs(goal.change_percent):g} %"


def describe_aim(result: GoalResult) -> str:
    """What was recorded beside the aim, in a sentence; the comparison is another matter."""
    sheet = result.sheet
    if sheet is None:
        return ""
    before, after = sheet.effect.before, sheet.effect.after
    if len(sheet.months.before) == len(sheet.months.after):
        counts = f"from {format_count(before)} to {format_count(after)}"
    else:
        monthly = list_monthly(sheet)
        counts = f"from {monthly[0]:,.1f} to {monthly[1]:,.1f} a month"
    if result.change is None:
        return f"Recorded {counts}."
    size = f"{abs(result.change):.0f} %"
    moved = "level" if size == "0 %" else f"{'down' if result.change < 0 else 'up'} {size}"
    if result.goal is None:
        return f"Recorded: {moved}, {counts}."
    met = "Aim met" if result.reached else "Aim not met"
    told = f"{met}: {moved} ({counts}), where the aim is {describe_way(result.goal)}."
    unclear = result.reached and result.goal.change_percent <= 0 and sheet.effect.verdict != "fell"
    return f"{told} It may have come about without the operation." if unclear else told


def describe_survey(standing: SurveyStanding) -> str:
    """A survey measure's latest figure, its margin, the aim and the change since the first, in words."""
    if not standing.waves:
        return f"{standing.measure}: nothing entered yet{_tell_survey_aim(standing.goal)}."
    latest, measure = standing.waves[-1], standing.measures[-1]
    margin = (
        f"give or take {measure.margin:.0f} points, {format_count(measure.sample)} asked"
        if measure is not None
        else "how many were asked is not known, so neither is the margin of error"
    )
    words = (
        f"{standing.measure}: {latest.percent:g} % in {Month(latest.asked.year, latest.asked.month).words} ({margin})"
    )
    if standing.goal is not None and standing.reached is not None:
        met = "met" if standing.reached else "not met"
        within = "" if standing.clear or measure is None else ", but within the margin of error"
        words += f". The aim of {standing.goal.direction} {standing.goal.percent:g} % is {met}{within}"
    if standing.change is not None:
        change = standing.change
        first = standing.waves[0].asked
        words += (
            f". Since {Month(first.year, first.month).words}: {format_signed(change.points)} points "
            f"(between {format_signed(change.low)} and {format_signed(change.high)}), {change.verdict}"
        )
    return f"{words}."


def _tell_survey_aim(goal: SurveyGoal | None) -> str:
    return "" if goal is None else f"; the aim is {goal.direction} {goal.percent:g} %"


def describe_wave(result: SurveyResult, margin: float | None) -> str:
    """One wave's figure with its margin of error, for a table."""
    return f"{result.percent:g} %" if margin is None else f"{result.percent:g} % ± {margin:.1f}"


def tabulate_counts(sheet: Evaluation) -> pd.DataFrame:
    """What was recorded in the area, next door and in the comparison. Columns are headings."""
    table = sheet.counts
    return pd.DataFrame(
        {
            "Place": [_PLACES[str(name)] for name in table.index],
            "Before": table["before"].to_numpy(),
            "After": table["after"].to_numpy(),
            "A month before": table["before_a_month"].to_numpy(),
            "A month after": table["after_a_month"].to_numpy(),
        }
    )


def tabulate_measures(sheet: Evaluation) -> pd.DataFrame:
    """Every measure on one table, as words. Columns: Measure, Estimate, 95 % interval, Reading."""
    rows = [_list_effect("Effect in the area", sheet.effect)]
    if sheet.buffer_effect is not None:
        rows.append(_list_effect("Effect next door", sheet.buffer_effect))
    if sheet.net_effect is not None:
        rows.append(_list_effect("Effect in both together", sheet.net_effect))
    if sheet.earlier is not None:
        rows.append(_list_effect("Effect since before it was chosen", sheet.earlier))
    for name in sheet.counts.index:
        p, verdict = sheet.counts.loc[name, "p"], str(sheet.counts.loc[name, "verdict"])
        unknown = "" if sheet.rounded_to else "not known"
        estimate = unknown if pd.isna(p) else f"p {_format_p(float(p))}"
        rows.append((f"E-test, {_PLACES[str(name)].lower()} alone", estimate, "", _TESTS.get(verdict, verdict)))
    rows.append(_list_difference(sheet))
    if sheet.quotient is not None:
        quotient = sheet.quotient
        value = "not defined" if quotient.value is None else format_signed(quotient.value, digits=2).lstrip("+")
        rows.append(("Weighted displacement quotient", value, "", quotient.reading or quotient.reason))
    odds = sheet.odds
    side = find_side(odds.low, odds.high, 1) if sheet.clear is None else sheet.clear[1]
    if odds.value is None or odds.low is None or odds.high is None:
        rows.append(("Odds ratio", "not defined", "", odds.reason))
    else:
        reading = ("no clear difference", "better than the comparison", "worse than the comparison")[side]
        rows.append(("Odds ratio", f"{odds.value:.2f}", f"{odds.low:.2f} to {odds.high:.2f}", reading))
    return pd.DataFrame(rows, columns=["Measure", "Estimate", "95 % interval", "Reading"])


def _list_effect(name: str, effect: Effect) -> tuple[str, str, str, str]:
    reading = _READINGS[effect.verdict] if effect.verdict != "not known" else (effect.reason or "not known")
    if effect.difference is None:
        return name, "not known", "", reading
    percent = "" if effect.percent is None else f" ({format_signed(effect.percent)} %)"
    bounds = f"{format_signed(effect.low)} to {format_signed(effect.high)}"
    if effect.percent_low is not None:
        bounds += f" ({format_signed(effect.percent_low)} to {format_signed(effect.percent_high)} %)"
    return name, f"{format_signed(effect.difference)}{percent}", bounds, reading


def _list_difference(sheet: Evaluation) -> tuple[str, str, str, str]:
    name, found = "Weighted displacement difference", sheet.difference
    if found.estimate is None:
        return name, "not defined", "", found.reason
    interval = f"{format_signed(found.low)} to {format_signed(found.high)}"
    side = find_side(found.low, found.high, 0) if sheet.clear is None else sheet.clear[0]
    return name, format_signed(found.estimate), interval, ("no clear difference", "more", "fewer")[side]


def _format_p(value: float) -> str:
    return "under 0.001" if value < 0.001 else f"{value:.3f}"


def list_sheet_caveats(query: Query, counts: OperationCounts, operation: Operation, choice: SheetChoice) -> list[str]:
    """How the figures of a sheet came about, a sentence each."""
    partnership = query.store.partnership
    sentences = [
        partnership.notice,
        f"Before is {the(choice.before.words)}, after {the(choice.after.words)}; only whole months are compared.",
        _describe_comparison(operation, choice, partnership, counts.level),
        f"Incidents are counted by where their published point lies. Area, ring and comparison are divided by "
        f"{partnership.find_layer(counts.level).plural}, which show how much places vary by themselves.",
    ]
    if counts.ring is None:
        sentences.append("There is no buffer, so that nothing is known of what happened next door.")
    else:
        sentences.append(
            f"Next door is the ring of {operation.buffer_metres:,.0f} m around the area, inside {partnership.place}; "
            "an incident is in it where its point is."
        )
    sentences.append(
        "Effects come from a model that allows for chance, for how months scatter and for how places drift apart by "
        "themselves. The E-test, the weighted displacement difference and the odds ratio allow for chance alone, and "
        "so find effects where there are none more often."
    )
    told = {
        "suppress": "A sheet that rests on a count that is withheld gives no figure at all, as each would tell it.",
        "round": "Expected numbers and effects are rounded as counts are, intervals reach outwards to rounded numbers.",
        "none": "",
    }[partnership.disclosure.rule]
    return [sentence for sentence in (*sentences, describe_rule(partnership.disclosure), told) if sentence]


def _describe_comparison(operation: Operation, choice: SheetChoice, partnership: Partnership, level: str) -> str:
    if choice.against == "chosen":
        return "Compared with areas picked by hand, without what of them lies in the area or its ring."
    if choice.against == "alike":
        plural = partnership.find_layer(level).plural
        return (
            f"Compared with the {plural} that were most alike before it started: as busy, on the same course, as "
            "deprived. None of them overlaps the area or its ring."
        )
    ring = " and its ring" if operation.buffer_metres is not None else ""
    return f"Compared with all of {partnership.place} outside the area{ring}."


def list_headlines(results: Sequence[GoalResult]) -> list[str]:
    """What became of each aim, in sentences to repeat."""
    return [f"{result.crime}: {result.fault}" if result.sheet is None else result.sheet.headline for result in results]
