"""What became of the aims of an operation, judged as its sheet on the page of operations is unless told otherwise."""

from dataclasses import dataclass

from cspmap.errors import UserError
from cspmap.operation_results import (
    GoalResult,
    SheetChoice,
    judge_goals,
    list_comparisons,
    propose_months,
    read_counts,
)
from cspmap.operations import Operation
from cspmap.query import Query
from cspmap.views.operation_words import list_sheet_caveats


@dataclass(frozen=True)
class Judged:
    """The results, what travels with them, and where there are none because they cannot be told, why."""

    results: tuple[GoalResult, ...]
    caveats: tuple[str, ...]
    fault: str = ""


def judge_operation(query: Query, operation: Operation) -> Judged:
    """What became of every aim of an operation."""
    try:
        proposed = propose_months(operation, query.store.months)
        choice = SheetChoice(proposed.before, proposed.after, list_comparisons(operation)[0])
        counts = read_counts(query, operation)
    except UserError as error:
        notice = query.store.partnership.notice
        return Judged((), (notice,) if notice else (), str(error))
    caveats = tuple(list_sheet_caveats(query, counts, operation, choice))
    return Judged(judge_goals(query, counts, operation, choice), caveats)
