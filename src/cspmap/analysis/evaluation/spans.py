"""Which months stand for before and after, and which of them can be used."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from cspmap.errors import UserError
from cspmap.periods import Month, Span

# Fewer months than this say little of a level.
FEWEST_MONTHS = 3


@dataclass(frozen=True)
class ProposedSpans:
    """Months before and after to compare, which of them are not loaded, and why these, in a sentence."""

    before: Span
    after: Span
    missing: tuple[Month, ...]
    words: str


def propose_spans(start: Month, end: Month | None, loaded: Collection[Month]) -> ProposedSpans:
    """The months of an operation so far and the same months a year (or more) earlier, so that seasons compare.

    After: from the start to the end, or to the latest month loaded where that is earlier or there is no end. Before:
    the same months of as many years earlier as it takes to be clear of the start; where none of those is loaded, the
    months just before the start. Raises UserError where nothing is loaded on one of the sides.
    """
    known = frozenset(loaded)
    last = max((month for month in known if end is None or month <= end), default=None)
    if last is None or last < start:
        raise UserError(f"No month since the start in {start.words} is loaded; load one, or choose an earlier start.")
    after = Span(start, last)
    before = after.compare_with("last-year")
    words = "The same months of the year before, so that both sides have the same seasons."
    if len(after) > 12:
        words = "The same months of the years before, so that both sides have the same seasons."
    if not known.intersection(before):
        before = after.compare_with("previous")
        words = "The months just before the start, as those of the year before are not loaded: seasons may differ."
    if not known.intersection(before):
        raise UserError(f"No month before the start in {start.words} is loaded; load some, or choose a later start.")
    missing = tuple(month for span in (before, after) for month in span if month not in known)
    return ProposedSpans(before, after, missing, words)


@dataclass(frozen=True)
class UsedMonths:
    """The months of two spans that are known of every area, as text, and those that had to be left out."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    missing: tuple[Month, ...]


def choose_months(before: Span, after: Span, frames: Sequence[pd.DataFrame]) -> UsedMonths:
    """The months that every frame (months x areas) knows of all its areas: missing is missing, never zero.

    Raises UserError where the spans overlap or one of them has no such month.
    """
    if before.last >= after.first:
        raise UserError(
            f"The time before ({before.words}) must end before the time after ({after.words}) starts; choose others."
        )
    known = [set(frame.index[frame.notna().all(axis=1)]) for frame in frames]
    used = {span: tuple(str(m) for m in span if all(str(m) in each for each in known)) for span in (before, after)}
    for span, months in used.items():
        if not months:
            raise UserError(f"No month of {span.words} is known of all areas; choose another time or load it.")
    missing = tuple(m for span in (before, after) for m in span if str(m) not in used[span])
    return UsedMonths(used[before], used[after], missing)
