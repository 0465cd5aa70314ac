"""Frozen values to plain JSON values and back, by the types of their fields.

One walk over the types reads, and reports every fault: what is missing, mistyped, unknown, too long or out of range.
A field with a default may be left out, so that what an older version kept can be read by a newer one. Limits may be
raised in later versions, never lowered: what has been kept must stay readable.
"""

import difflib
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from cspmap.errors import Problem, UserError
from cspmap.periods import Span

T = TypeVar("T")

_LONGEST_SHOWN = 40
_KIND = "kind"


@dataclass(frozen=True)
class Text:
    """A limit on a text: at most so many characters, and not blank unless it may be."""

    most: int
    blank: bool = False


@dataclass(frozen=True)
class Between:
    """A limit on a number, both ends included."""

    least: float
    most: float


@dataclass(frozen=True)
class Most:
    """A limit on a list: at most so many."""

    most: int


def encode_value(value: Any) -> Any:
    """A frozen value as JSON values that `decode_value` reads back exactly.

    A class that stands beside others in a union has a class variable `kind`, which is written with it.
    """
    if is_dataclass(value) and not isinstance(value, type | Span):
        kind = getattr(value, _KIND, None)
        named = {} if kind is None else {_KIND: kind}
        return named | {item.name: encode_value(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, tuple | list):
        return [encode_value(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Span) else value


def decode_value(hint: type[T], value: Any, *, where: str, problems: list[Problem]) -> T | None:
    """JSON values as a value of the type `hint`; None where `problems` has been added to.

    `where` begins each problem's place.
    """
    before = len(problems)
    found = _Reader(problems).read(hint, value, where, ())
    return cast("T", found) if len(problems) == before else None


@cache
def _list_hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {item.name: hints[item.name] for item in fields(kind)}


class _Reader:
    """Reads values by their types; each `_read_...` takes the value, its place in words, and the limits on it."""

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems
        self._simple: dict[Any, Callable[[Any, str, tuple[Any, ...]], Any]] = {
            str: self._read_text,
            int: self._read_whole,
            float: self._read_number,
            date: self._read_date,
            Span: self._read_span,
        }

    def read(self, hint: Any, value: Any, where: str, limits: tuple[Any, ...]) -> Any:
        origin = get_origin(hint)
        if origin is Annotated:
            inner, *more = get_args(hint)
            return self.read(inner, value, where, (*limits, *more))
        if origin is Literal:
            return self._read_choice(get_args(hint), value, where)
        if origin is tuple:
            return self._read_list(get_args(hint), value, where, limits)
        if origin in (types.UnionType, Union):
            return self._read_union(get_args(hint), value, where, limits)
        if hint in self._simple:
            return self._simple[hint](value, where, limits)
        return self._read_fields(hint, value, where)

    def _report(self, where: str, what: str, fix: str) -> Any:
        """Add a problem. What cannot be read comes out as None."""
        self._problems.append(Problem(where, what, fix))

    def _refuse(self, where: str, value: Any, fix: str) -> Any:
        return self._report(where, f"is {_show(value)}", fix)

    def _read_text(self, value: Any, where: str, limits: tuple[Any, ...]) -> Any:
        if not isinstance(value, str):
            return self._refuse(where, value, "write a text")
        try:
            value.encode()
        except UnicodeEncodeError:
            return self._report(where, "holds half of a character", "type it again")
        for limit in limits:
            if len(value) > limit.most:
                what = f"is {len(value):,} characters long"
                self._report(where, what, f"shorten it to {limit.most:,}")
            if not (limit.blank or value.strip()):
                self._report(where, "is blank", "fill it in")
        return value

    def _read_whole(self, value: Any, where: str, limits: tuple[Any, ...]) -> Any:
        # To Python, true and false are whole numbers; to whoever wrote the file they are not.
        if not isinstance(value, int) or isinstance(value, bool):
            return self._refuse(where, value, "write a whole number")
        self._hold_between(value, where, limits)
        return value

    def _read_number(self, value: Any, where: str, limits: tuple[Any, ...]) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return self._refuse(where, value, "write a number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            return self._refuse(where, number, "write a number")
        self._hold_between(value, where, limits)
        return number

    def _hold_between(self, value: float, where: str, limits: tuple[Any, ...]) -> None:
        for limit in limits:
            if not limit.least <= value <= limit.most:
                self._refuse(where, value, f"write a number from {limit.least:,} to {limit.most:,}")

    def _read_date(self, value: Any, where: str, limits: tuple[Any, ...]) -> Any:
        try:
            found = date.fromisoformat(value)
        except (TypeError, ValueError):
            found = None
        if found is None or found.isoformat() != value or not 1900 <= found.year <= 2200:
            return self._refuse(where, value, "write a date from 1900 to 2200 as YYYY-MM-DD, such as 2024-04-30")
        return found

    def _read_span(self, value: Any, where: str, limits: tuple[Any, ...]) -> Any:
        try:
            return Span.parse(value if isinstance(value, str) else "")
        except UserError:
            return self._refuse(where, value, "write a period as YYYY-MM..YYYY-MM, such as 2023-05..2024-04")

    def _read_choice(self, options: tuple[str, ...], value: Any, where: str) -> Any:
        if value not in options:
            return self._refuse(where, value, f"write {' or '.join(repr(option) for option in options)}")
        return value

    def _read_list(self, hints: tuple[Any, ...], value: Any, where: str, limits: tuple[Any, ...]) -> Any:
        if not isinstance(value, list):
            return self._refuse(where, value, "write a list")
        if hints[-1] is not ...:
            if len(value) != len(hints):
                return self._refuse(where, value, f"write a list of {len(hints)}")
            return tuple(self.read(hint, item, where, ()) for hint, item in zip(hints, value, strict=True))
        for limit in limits:
            if len(value) > limit.most:
                return self._report(where, f"holds {len(value):,}", f"keep {limit.most:,} at most")
        return tuple(self.read(hints[0], item, f"{where} {number}", ()) for number, item in enumerate(value, 1))

    def _read_union(self, hints: tuple[Any, ...], value: Any, where: str, limits: tuple[Any, ...]) -> Any:
        if value is None and types.NoneType in hints:
            return None
        others = [hint for hint in hints if hint is not types.NoneType]
        if len(others) == 1:
            return self.read(others[0], value, where, limits)
        kinds = {hint.kind: hint for hint in others}
        kind = value.get(_KIND) if isinstance(value, Mapping) else None
        if not isinstance(kind, str) or kind not in kinds:
            return self._refuse(where, value, f"write a table with the key {_KIND}: {' or '.join(map(repr, kinds))}")
        return self.read(kinds[kind], {key: item for key, item in value.items() if key != _KIND}, where, ())

    def _read_fields(self, kind: Any, value: Any, where: str) -> Any:
        if not isinstance(value, Mapping):
            return self._refuse(where, value, "write a table of keys and values")
        hints = _list_hints(kind)
        before = len(self._problems)
        for key in value:
            if key not in hints:
                self._report_unknown(key, list(hints), where)
        found = {}
        for item in fields(kind):
            place = f"{where}, {item.name.replace('_', ' ')}"
            if item.name in value:
                found[item.name] = self.read(hints[item.name], value[item.name], place, ())
            elif item.default is MISSING and item.default_factory is MISSING:
                self._report(place, "is missing", "fill it in")
        return kind(**found) if len(self._problems) == before else None

    def _report_unknown(self, key: str, known: list[str], where: str) -> None:
        close = difflib.get_close_matches(key, known, n=1)
        fix = f"did you mean {close[0]}?" if close else "take it out, or read it with a newer version of cspmap"
        self._report(where, f"there is no key {_show(key)} here", fix)


def _show(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table"
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        # Whole numbers of thousands of digits, and lists within lists to any depth, are not written out.
        text = "too large to show"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
