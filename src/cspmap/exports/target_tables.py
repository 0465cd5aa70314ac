"""Progress of targets and the faults of their tables as files: with document, page and gaps beside every figure."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pandas as pd

from cspmap.analysis.change import ALPHA, Verdict
from cspmap.analysis.targets import Fault, reconcile, tabulate_faults
from cspmap.analysis.targets.verdict import CALIBRATION
from cspmap.board import Board, spell_out
from cspmap.exports.published import WITHHELD, describe_rule, hides_total, publish
from cspmap.goals import list_measured
from cspmap.partnership import Disclosure
from cspmap.periods import Month, Span, name_months
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.targets import Indicator, Target, TargetTable
from cspmap.views.words import describe_missing, describe_unlocated, join_words, the

# What the words of a line on change rest on: on other pages the same counts may be judged by one of the two alone.
WITNESSES = (
    "Whether a change is real is judged here by two tests together: these months against the same months a year before "
    "(the E-test, by which alone Explore judges), and a control chart of the months. Where the first alone shows a "
    'change, there "may be" one.'
)
_TESTED: tuple[Verdict, ...] = ("up", "down", "normal variation")
_ORDER = {"R": 0, "A": 1, "G": 2, "?": 3}
# What a line of a board comes to in a file, in this order; the rest of its figures follow.
_FIRST = (
    *("table", "indicator_key", "indicator", "area_code", "area", "period", "as_at", "target", "direction"),
    *("rating", "words", "sentence", "how", "origin", "document", "page", "baseline", "baseline_period"),
)
_WHOLE = ("target", "baseline", "actual", "last_year", "now_compared", "difference", "low", "high")
# A tenth of an incident, a thousandth of a chance: more digits would promise what counts cannot keep.
_DECIMALS = {"expected": 1, "projected": 1, "percent": 1, "chance": 3, "p": 4}


def sort_lines(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines of a board, the farthest behind first: by rating, chance, and how far off it is heading."""
    off = (lines["projected"] - lines["value"]) / lines["value"].where(lines["value"] > 0)
    off = off.where(lines["direction"] == "less", -off)
    keys = lines.assign(order=lines["rating"].map(_ORDER), off=-off)
    return lines.loc[keys.sort_values(["order", "chance", "off"], kind="stable").index]


def tabulate_board(board: Board) -> pd.DataFrame:
    """A board as a file: a row a line, the farthest behind first, with its figures and the months it rests on.

    Where the disclosure rule hides or rounds, a column says which lines are withheld, or what counts are rounded to.
    `period` and `as_at` are months, `months_missing` is how many of the period are not loaded that should be by then.
    """
    lines = sort_lines(board.lines).reset_index(names=["indicator_key", "area_code"])
    figures = lines.drop(columns=["code", "due"]).rename(columns={"value": "target"}).round(_DECIMALS)
    for name in _WHOLE:
        figures[name] = pd.to_numeric(figures[name]).astype("Float64").round().astype("Int64")
    figures = figures.assign(table=board.table.title, period=str(board.span), as_at=str(board.as_at))
    if board.rule.rule == "suppress":
        figures[WITHHELD] = figures["status"] == WITHHELD
    elif board.rule.rule == "round":
        figures["rounded_to"] = board.rule.base
    return figures[[*_FIRST, *(column for column in figures if column not in _FIRST)]]


def describe_chance(lines: pd.DataFrame) -> str:
    """How many of a board's lines would show a change where nothing has changed: ALPHA of those that were tested.

    Empty where none was. It is their number on average, whatever lines share; of small counts the E-test flags fewer.
    """
    tested = int(lines["change"].isin(_TESTED).sum())
    if not tested:
        return ""
    number = round(tested * ALPHA)
    told = f"about {number}" if number else "fewer than one"
    return (
        f"If nothing had changed anywhere, {told} of the {tested:,} lines tested (1 in {1 / ALPHA:.0f}) would still "
        "show a change on last year by chance alone."
    )


def list_board_caveats(board: Board, query: Query) -> list[str]:
    """What travels with a board's figures, a sentence each."""
    partnership = query.store.partnership
    sentences = [
        partnership.notice,
        describe_rule(partnership.disclosure),
        describe_board_rule(partnership.disclosure),
        f"{board.table.title}, {partnership.place}, {board.span.words}, as at {board.as_at.words}.",
        describe_months(query, board.span, board.as_at),
        describe_unmeasured(query, board.table),
        _describe_unlocated(board, query),
        WITNESSES,
        f"A range holds the outturn four times in five. {CALIBRATION}",
    ]
    return [sentence for sentence in sentences if sentence]


def _describe_unlocated(board: Board, query: Query) -> str:
    """How many of the board's incidents no area can be given; empty where nothing of the period is loaded."""
    partnership = query.store.partnership
    crimes = [key for indicator in list_measured(board.table, partnership) for key in indicator.crimes]
    selection = Selection.default(query.store).change(crimes=spell_out(crimes, partnership))
    span = Span(board.span.first, max(board.span.first, min(board.as_at, board.span.last)))
    coverage = publish(query).count_coverage(selection, span=span)
    told = coverage.loaded and not hides_total(coverage, partnership.disclosure)
    return describe_unlocated(coverage, partnership.place) if told else ""


def describe_draft_rule(rule: Disclosure) -> str:
    """What the disclosure rule makes of a draft of targets; empty where there is none."""
    if rule.rule == "suppress":
        return (
            "Areas whose baseline is withheld are given equal parts of what is left for them of the target, so that no "
            "target gives a count away."
        )
    return "Targets are shared out by rounded counts." if rule.rule == "round" else ""


def describe_board_rule(rule: Disclosure) -> str:
    """What the disclosure rule makes of targets and their progress; empty where there is none."""
    if rule.rule == "suppress":
        return (
            "A target's line is withheld where the count so far, that of the same months a year before, or that of one "
            "of its crime types or areas is; the target stays. Shared out to areas by counts that are withheld, it "
            "goes to them in equal parts of what they have together. Estimates rest on all months, and are whole "
            "numbers."
        )
    if rule.rule == "round":
        return (
            "Targets are shared out by rounded counts, and what is on course and headed for rests on rounded months; "
            "ratings and what a change is worth were judged before rounding, and the chance itself is left out."
        )
    return ""


def describe_months(query: Query, span: Span, as_at: Month) -> str:
    """Which months of a period are not loaded by a month, and where that is all of them, why; empty where none is."""
    loaded = query.store.months
    if as_at < span.first:
        return f"The period, {the(span.words)}, has not begun by {as_at.words}: nothing can be said of it yet."
    elapsed = Span(span.first, min(as_at, span.last))
    missing = query.missing_months(elapsed)
    if len(missing) == len(elapsed):
        return (
            f"No month of {the(span.words)} is loaded, only {name_months(loaded)}, so how far its targets were met is "
            "not known."
        )
    return describe_missing(missing, elapsed.words)


def describe_unmeasured(query: Query, table: TargetTable) -> str:
    """Which indicators of a table recorded crime does not measure; empty where it measures all."""
    names = [indicator.name for indicator in list_unmeasured(query, table)]
    return f"Not measured by recorded crime, and so as printed: {join_words(names)}." if names else ""


def list_unmeasured(query: Query, table: TargetTable) -> list[Indicator]:
    """The indicators of a table that recorded crime does not measure."""
    measured = list_measured(table, query.store.partnership)
    return [indicator for indicator in table.indicators if indicator not in measured]


def tabulate_reconciliation(table: TargetTable) -> pd.DataFrame:
    """The faults of a table as `tabulate_faults` has them, with the table's title and where each was printed."""
    faults = reconcile(table)
    found = [_find_printed(table, fault) for fault in faults]
    return tabulate_faults(faults, table).assign(
        table=table.title,
        document=[_join(target.document for target in targets) for targets in found],
        page=[_join(target.page for target in targets) for targets in found],
    )


def _find_printed(table: TargetTable, fault: Fault) -> list[Target]:
    """The targets in whose rows the figure of a fault stands."""
    if fault.figure == "heading":
        return [target for target in table.targets if target.due == fault.period and target.printed_due]
    own = table.select(indicator=fault.indicator, area=fault.area)
    if fault.figure == "baseline":
        return [target for target in own if fault.period in (target.baseline_period, target.percent_on)]
    return [target for target in own if target.due == fault.period]


def _join(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(filter(None, texts)))


def take_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as JSON has them: numbers as numbers, and null where something is missing."""
    return [
        {str(name): _take_value(value) for name, value in row.items()}
        for row in frame.astype(object).to_dict("records")
    ]


def _take_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    if value is None or value is pd.NA or value != value:
        return None
    return value.item() if hasattr(value, "item") else value
