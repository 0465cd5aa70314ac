"""Whether a table of targets agrees with itself: parts with wholes, percentages with numbers, targets with baselines.

What a document prints is kept. Each fault is listed with what was printed, what follows from the rest of the table, and
a sentence; `resolve` gives the table as printed or as recomputed.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from cspmap.analysis.targets.faults import Fault, FaultKind, name_place
from cspmap.analysis.targets.percentages import (
    find_change,
    holds,
    imply_base,
    imply_range,
    list_percents,
    round_like,
)
from cspmap.analysis.targets.sums import WAYS, PrintedFigures
from cspmap.periods import Span
from cspmap.targets import Kind, Target, TargetTable, name_period

Use: TypeAlias = Literal["printed", "recomputed"]


def reconcile(table: TargetTable) -> list[Fault]:
    """Everything in which a table does not agree with itself; an empty list where it does.

    Counts that are sums are compared with their parts where all of these are printed. A printed percentage holds if the
    numbers give it when rounded as it is ("8" for 7.5 to 8.5). A sum that differs only because its own parts do is
    marked as carried from them. Faults come in the order of `FaultKind`, then of the table.
    """
    figures = PrintedFigures(table)
    return [
        *(fault for way in WAYS for fault in figures.find_faults(way)),
        *(fault for target in table.targets for fault in _check_percents(figures, target)),
        *(fault for target in table.targets for fault in _check_unprinted(figures, target)),
        *(fault for target in table.targets for fault in _check_implied_sum(table, figures, target)),
        *(fault for target in table.targets for fault in _check_baseline(target)),
        *_check_headings(table),
    ]


def resolve(table: TargetTable, *, use: Use) -> TargetTable:
    """The table to go on with: as printed, or with every figure that can be recomputed put right.

    Recomputed, a number all of whose parts are printed becomes their sum (over areas, where they differ by both ways),
    and a percentage that does not hold becomes the one that the numbers give, on the printed baseline where its own
    is not printed; one that would be a change for the worse goes, and so does a misprinted heading. What nothing can
    be recomputed from stays, such as a target worse than its baseline.
    """
    if use == "printed":
        return table
    figures = PrintedFigures(table)
    summed = replace(table, targets=tuple(replace(figures.recompute(t), printed_due="") for t in table.targets))
    figures = PrintedFigures(summed)
    return replace(summed, targets=tuple(_correct_percents(figures, target) for target in summed.targets))


def _check_percents(figures: PrintedFigures, target: Target) -> Iterator[Fault]:
    for _, percent, on in list_percents(target):
        base = figures.find(target, on)
        exact = find_change(target, base)
        if on is None or exact is None or holds(percent, exact):
            continue
        sentence = (
            f"{_where(target)}: {percent} % is printed, and from {base:,} in {name_period(on)} to {target.value:,} is "
            f"{_describe_change(target, exact, percent)}."
        )
        yield _find_fault(target, "percentage", percent, round_like(exact, percent), sentence)


def _check_unprinted(figures: PrintedFigures, target: Target) -> Iterator[Fault]:
    for _, percent, on in list_percents(target):
        exact = find_change(target, target.baseline)
        if on is None or exact is None or figures.find(target, on) is not None or holds(percent, exact):
            continue
        implied = imply_base(target, percent)
        would = "" if implied is None else f" and would be {implied:,}"
        period = "" if target.baseline_period is None else f" of {name_period(target.baseline_period)}"
        sentence = (
            f"{_where(target)}: {target.value:,} is {_describe_change(target, exact, percent)} than the printed "
            f"{target.baseline:,}{period}, not the printed {percent} %: that is on {name_period(on)}, which is not "
            f"printed{would}."
        )
        found = round_like(exact, percent)
        yield replace(_find_fault(target, "unprinted-baseline", percent, found, sentence), implied=implied)


def _check_implied_sum(table: TargetTable, figures: PrintedFigures, target: Target) -> Iterator[Fault]:
    """Whether what percentages say of figures that are not printed can add up, however they were rounded."""
    on, percent = target.percent_on, target.percent
    found = [table.find(key, target.area.name, target.due) for key in target.indicator.parts]
    parts = [part for part in found if part is not None and part.percent_on == on and part.percent is not None]
    if on is None or percent is None or not parts or len(parts) < len(found) or figures.find(target, on) is not None:
        return
    own, ranges = imply_range(target), [imply_range(part) for part in parts]
    known = [ends for ends in ranges if ends is not None]
    if own is None or len(known) < len(ranges):
        return
    if sum(ends[0] for ends in known) > own[1] or sum(ends[1] for ends in known) < own[0]:
        whole = imply_base(target, percent)
        total = sum((imply_base(part, part.percent or Decimal(0)) or Decimal(0) for part in parts), Decimal(0))
        sentence = (
            f"{_where(target)}: {name_period(on)} is not printed, and would be {whole:,} by the printed {percent} %, "
            f"but {total:,} by the percentages of its {len(parts)} parts."
        )
        key, area = target.indicator.key, target.area.name
        yield Fault("implied-sum", key, area, on, "baseline", whole, total, sentence, implied=whole)


def _check_baseline(target: Target) -> Iterator[Fault]:
    value, base, period = target.value, target.baseline, target.baseline_period
    if value is None or base is None or period is None:
        return
    less = target.indicator.direction == "less"
    if value > base if less else value < base:
        sentence = (
            f"{_where(target)}: the target, {value:,}, is {'above' if less else 'below'} the printed baseline, "
            f"{base:,} in {name_period(period)}, and {target.indicator.direction} is better."
        )
        key, area = target.indicator.key, target.area.name
        yield Fault("worse-than-baseline", key, area, target.due, "target", value, base, sentence)


def _check_headings(table: TargetTable) -> Iterator[Fault]:
    over: dict[tuple[Span, str], set[str]] = {}
    for target in table.targets:
        if target.printed_due not in ("", name_period(target.due)):
            over.setdefault((target.due, target.printed_due), set()).add(target.indicator.key)
    for (due, printed), keys in over.items():
        where = "one indicator" if len(keys) == 1 else f"{len(keys)} indicators"
        sentence = f'The heading "{printed}" is printed over {where} where {name_period(due)} belongs.'
        yield Fault("heading", "", "", due, "heading", None, None, sentence)


def _correct_percents(figures: PrintedFigures, target: Target) -> Target:
    """A target whose percentages follow from its numbers."""
    corrected = target
    for name, percent, on in list_percents(target):
        base, period = figures.find(target, on), on
        if base is None:
            base, period = target.baseline, target.baseline_period
        exact = find_change(target, base)
        if exact is None or holds(percent, exact):
            continue
        found = round_like(exact, percent)
        right, right_on = (found, period) if found >= 0 else (None, None)
        if name == "percent":
            corrected = replace(corrected, percent=right, percent_on=right_on)
        else:
            corrected = replace(corrected, overall_percent=right, overall_percent_on=right_on)
    if corrected.kind == "change-by" and corrected.percent is None:
        kept: Kind = "reach-percentage" if target.indicator.unit == "percent" else "reach-number"
        corrected = replace(corrected, kind=kept)
    return corrected


def _find_fault(target: Target, kind: FaultKind, printed: Decimal, found: Decimal, sentence: str) -> Fault:
    key, area = target.indicator.key, target.area.name
    return Fault(kind, key, area, target.due, "percent", printed, found, sentence)


def _describe_change(target: Target, exact: Fraction, printed: Decimal) -> str:
    """A change in words, such as "16.5 % less"."""
    fell = (target.indicator.direction == "less") == (exact >= 0)
    return f"{abs(round_like(exact, printed)):,} % {'less' if fell else 'more'}"


def _where(target: Target) -> str:
    return f"{name_place(target.indicator.name, target.area.name)}, target {name_period(target.due)}"
