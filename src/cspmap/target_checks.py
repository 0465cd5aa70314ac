"""What cannot stand in a table of targets: rows that make no sense, or say different things of the same."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal

from cspmap.errors import Problem
from cspmap.targets import Indicator, Target, TargetArea, TargetTable, name_period

Where = Callable[[int], str]
_Fault = tuple[str, str]

KEY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# Lists stand in one cell of a file, parted by this.
SEPARATOR = ";"
# How a text that a spreadsheet would take for a formula looks once it has been made safe for it.
MADE_SAFE = re.compile(r"'[=+\-@]")

_MOST_PERCENT_FEWER = 100
# Numbers up to here add up exactly as decimals.
_MOST_DIGITS, MOST_PLACES = 15, 10
_COLUMNS_OF_INDICATOR = {
    "name": "indicator_name",
    "crimes": "crimes",
    "direction": "direction",
    "unit": "unit",
    "parts": "indicator_parts",
}


@dataclass(frozen=True)
class _Rows:
    """The targets of a table by position, where each stands, and which of them are not whole."""

    table: TargetTable
    where: Where
    partial: Collection[int]


def find_contradictions(
    table: TargetTable, where: Where | None = None, *, partial: Collection[int] = ()
) -> list[Problem]:
    """Everything that keeps a table from being used or written.

    `where` says where the target at a position stands, such as its line in a file; by default what it is about.
    `partial` are the positions of targets of which something could not be read, and is empty by now: nothing is said
    of them that may only follow from that. Figures that do not add up are no contradiction here: documents print
    such, and `reconcile` lists them.
    """
    if not table.targets:
        return [Problem(table.title or "the table", "it has no targets", "add at least one")]
    rows = _Rows(table, where or (lambda position: describe(table.targets[position])), frozenset(partial))
    checks: tuple[Callable[[_Rows], Iterator[Problem]], ...] = (
        _check_targets,
        _check_texts,
        _check_indicators,
        _check_areas,
        _check_baselines,
        _check_repeats,
    )
    return [problem for check in checks for problem in check(rows)]


def describe(target: Target) -> str:
    """What a target is about, in words for a message."""
    return f"{target.indicator.name or target.indicator.key}, {target.area.name or 'whole'}, {name_period(target.due)}"


def _check_targets(rows: _Rows) -> Iterator[Problem]:
    for position, target in enumerate(rows.table.targets):
        faults = list(_find_number_faults(target))
        if position not in rows.partial:
            faults += [*_find_kind_faults(target), *_find_period_faults(target)]
        for what, fix in faults:
            yield Problem(rows.where(position), what, fix)


def _find_kind_faults(target: Target) -> Iterator[_Fault]:
    kind, unit = target.kind, target.indicator.unit
    if not target.is_set:
        if not target.note:
            yield "it has neither a target nor a percent", "fill one in, or say in the note that it is yet to be set"
        return
    if kind == "change-by" and target.percent is None:
        yield "it is a change-by without a percent", "fill the percent in, or make it a reach-number"
    elif kind not in ("change-by", "hold") and target.value is None:
        yield f"it is {kind} without a target", "fill the target in"
    elif kind == "hold" and target.value is None and target.baseline is None:
        yield "it is a hold with nothing to hold", "fill in the baseline or the target"
    if kind == "reach-percentage" and unit != "percent":
        yield f"it is a reach-percentage, and its unit is {unit}", "make the unit percent, or the kind reach-number"
    if kind == "reach-number" and unit == "percent":
        yield "it is a reach-number, and its unit is percent", "make the kind reach-percentage"
    if kind in ("at-most", "below") and target.indicator.direction == "more":
        yield f"it is {kind}, and more is better", "make the direction less, or the kind reach-number"


def _find_number_faults(target: Target) -> Iterator[_Fault]:
    unit, direction = target.indicator.unit, target.indicator.direction
    for name, number in (("target", target.value), ("baseline", target.baseline)):
        if number is None:
            continue
        if not number.is_finite() or number < 0:
            yield f"its {name} is {number}", "write a number of zero or more"
        elif _is_too_long(number):
            yield f"its {name} is too long a number", f"write up to {_MOST_DIGITS} digits and {MOST_PLACES} decimals"
        elif unit == "percent" and number > 100:
            yield f"its {name} is {number} per cent", "write a percentage from 0 to 100"
        elif unit == "count" and number != int(number):
            yield f"its {name} is {number}, and its unit is count", "write a whole number, or correct the unit"
    for name, percent in (("percent", target.percent), ("overall_percent", target.overall_percent)):
        if percent is None:
            continue
        if not percent.is_finite() or percent < 0:
            fix = "write 8 for 8 per cent better, fewer where less is better; leave it empty for a change for the worse"
            yield f"its {name} is {percent}", fix
        elif _is_too_long(percent):
            yield f"its {name} is too long a number", f"write up to {_MOST_DIGITS} digits and {MOST_PLACES} decimals"
        elif direction == "less" and percent > _MOST_PERCENT_FEWER:
            yield f"its {name} is {percent}, and nothing falls by more than 100 per cent", "correct it"


def _is_too_long(number: Decimal) -> bool:
    return number.adjusted() >= _MOST_DIGITS or int(number.as_tuple().exponent) < -MOST_PLACES


def _find_period_faults(target: Target) -> Iterator[_Fault]:
    if target.baseline is not None and target.baseline_period is None:
        yield "it has a baseline and no baseline_period", "say which period the baseline is of"
    if target.overall_percent is not None and target.overall_percent_on is None:
        yield "it has an overall_percent and no overall_percent_on", "say which period it is a change on"
    for name, percent, on in (
        ("percent", target.percent, target.percent_on),
        ("overall_percent", target.overall_percent, target.overall_percent_on),
    ):
        if on is not None and percent is None:
            yield f"it has a {name}_on and no {name}", "fill in the percentage, or take the period out"
    earlier = (
        ("baseline_period", target.baseline_period),
        ("percent_on", target.percent_on),
        ("overall_percent_on", target.overall_percent_on),
    )
    for name, period in earlier:
        if period is not None and period.last >= target.due.last:
            what = f"its {name} ({name_period(period)}) does not end before the target is due"
            yield what, f"correct it or the due ({name_period(target.due)})"


def _check_texts(rows: _Rows) -> Iterator[Problem]:
    table, where = rows.table, rows.where
    if not table.title.strip():
        yield Problem(where(0), "the table has no name", "fill in the column table")
    for position, target in enumerate(table.targets):
        for name, text in _list_texts(table, target):
            if text != " ".join(text.split()):
                yield Problem(where(position), f"its {name} has line breaks or spare spaces", "take them out")
            elif MADE_SAFE.match(text):
                what = f"its {name} starts with an apostrophe and a sign"
                yield Problem(where(position), what, "take the apostrophe out")
        for name, parts in (
            ("crimes", target.indicator.crimes),
            ("indicator_parts", target.indicator.parts),
            ("area_parts", target.area.parts),
        ):
            if any(SEPARATOR in part or not part.strip() for part in parts):
                yield Problem(where(position), f"its {name} has a name that is empty or has a semicolon", "rename it")
            if len(set(parts)) < len(parts):
                yield Problem(where(position), f"its {name} has a name twice", "keep one of them")


def _list_texts(table: TargetTable, target: Target) -> Iterator[tuple[str, str]]:
    yield "table", table.title
    yield "indicator_name", target.indicator.name
    yield "area", target.area.name
    for name in ("printed_due", "owner", "document", "page", "note"):
        yield name, getattr(target, name)
    for name, parts in (
        ("crimes", target.indicator.crimes),
        ("indicator_parts", target.indicator.parts),
        ("area_parts", target.area.parts),
    ):
        yield from ((name, part) for part in parts)


def _check_indicators(rows: _Rows) -> Iterator[Problem]:
    table, where = rows.table, rows.where
    first: dict[str, tuple[int, Indicator]] = {}
    for position, target in enumerate(table.targets):
        indicator = target.indicator
        at, known = first.setdefault(indicator.key, (position, indicator))
        if position in rows.partial or at in rows.partial:
            continue
        for field in fields(Indicator):
            if getattr(known, field.name) != getattr(indicator, field.name):
                what = f"its {_COLUMNS_OF_INDICATOR[field.name]} differs from that of {indicator.key!r} in {where(at)}"
                yield Problem(where(position), what, "write the same in every row of an indicator")
    parts = {key: indicator.parts for key, (_, indicator) in first.items()}
    for key, (position, indicator) in first.items():
        if not KEY.fullmatch(key):
            what = f"its indicator is {key!r}" if key else "its indicator is empty"
            yield Problem(where(position), what, "write small letters, digits and single hyphens, such as ni-16")
        if key and not indicator.name:
            yield Problem(where(position), "its indicator has no name", "fill it in")
        for crime in indicator.crimes:
            if not KEY.fullmatch(crime):
                what = f"its crimes name {crime!r}"
                yield Problem(where(position), what, "use the keys of the partnership's crime types and groups")
        if indicator.parts and indicator.unit != "count":
            what = f"its indicator is made of others, and its unit is {indicator.unit}"
            yield Problem(where(position), what, "only counts add up: take its parts out, or correct the unit")
        yield from _check_parts("indicator", key, parts, where(position))


def _check_areas(rows: _Rows) -> Iterator[Problem]:
    table, where = rows.table, rows.where
    first: dict[str, tuple[int, TargetArea]] = {}
    for position, target in enumerate(table.targets):
        at, known = first.setdefault(target.area.name, (position, target.area))
        if known != target.area:
            what = f"its area_parts differ from those of {known.name!r} in {where(at)}"
            yield Problem(where(position), what, "write the same in every row of an area")
    parts = {name: area.parts for name, (_, area) in first.items()}
    for name, (position, _) in first.items():
        yield from _check_parts("area", name, parts, where(position))


def _check_parts(noun: str, name: str, parts: Mapping[str, tuple[str, ...]], where: str) -> Iterator[Problem]:
    for part in parts[name]:
        if part not in parts:
            yield Problem(where, f"its {noun} is made of {part!r}, which has no rows", "add its rows or correct it")
    if name in _list_within(name, parts):
        yield Problem(where, f"its {noun} {name!r} is made of itself", "correct the parts")


def _list_within(name: str, parts: Mapping[str, tuple[str, ...]]) -> set[str]:
    """All that something is made of, at any depth."""
    found: set[str] = set()
    waiting = list(parts.get(name, ()))
    while waiting:
        part = waiting.pop()
        if part not in found:
            found.add(part)
            waiting.extend(parts.get(part, ()))
    return found


def _check_baselines(rows: _Rows) -> Iterator[Problem]:
    """Milestones repeat their baseline, so it must be the same one."""
    where = rows.where
    first: dict[object, tuple[int, Decimal]] = {}
    for position, target in enumerate(rows.table.targets):
        if target.baseline is None or position in rows.partial:
            continue
        about = (target.indicator.key, target.area.name, target.baseline_period)
        at, known = first.setdefault(about, (position, target.baseline))
        if known != target.baseline:
            what = f"its baseline is {target.baseline}, and {known} for the same period in {where(at)}"
            yield Problem(where(position), what, "write the same in both")


def _check_repeats(rows: _Rows) -> Iterator[Problem]:
    where = rows.where
    first: dict[object, int] = {}
    for position, target in enumerate(rows.table.targets):
        if position in rows.partial:
            continue
        about = (target.indicator.key, target.area.name, target.due)
        at = first.setdefault(about, position)
        if at != position:
            what = f"it gives {describe(target)} again, which {where(at)} gives"
            yield Problem(where(position), what, "keep one of them")
