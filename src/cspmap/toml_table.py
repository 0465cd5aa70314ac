"""One table of a TOML file: takes its keys out by type, and reports what is missing, mistyped or unknown."""

import difflib
import math
import re
from collections.abc import Mapping
from typing import Any

from cspmap.errors import Problem, UserError, cut_short, quote_briefly
from cspmap.periods import Month

_KEY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_SHOWN = 40


class TomlTable:
    """One table, known in messages as `where`. Mistakes are added to `problems`, which tables of a file share.

    A key that is taken without a default must be there. What cannot be taken is reported once and comes out empty
    ("", 0, ()), so that reading goes on to the next mistake.
    """

    def __init__(self, values: Mapping[str, Any], where: str, problems: list[Problem]) -> None:
        self._values = values
        self._where = where
        self._problems = problems
        self._known: list[str] = []

    def report(self, what: str, fix: str) -> None:
        """Add a problem of this table."""
        self._problems.append(Problem(self._where, what, fix))

    def has(self, key: str) -> bool:
        """Whether the key is there, whatever it holds."""
        return key in self._values

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not blank."""
        value = self._take(key, str, 'text in quotes, such as "Luton"', required=default is None)
        if value is not None and not value.strip():
            self.report(f"{key} is empty", "fill it in" if default is None else "fill it in or leave the key out")
        return (default or "") if value is None else str(value)

    def optional_text(self, key: str) -> str | None:
        """A text that is not blank, or None where the key is absent."""
        return self.text(key, "") or None

    def key(self) -> str:
        """The table's own key, as links and other tables name it."""
        value = self.text("key")
        if value.strip() and not _KEY.fullmatch(value):
            self.report(
                f"key is {quote_briefly(value)}", "use small letters, digits and single hyphens, starting with a letter"
            )
        return value

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of texts, at least one unless there is a default, none of them twice."""
        words = 'a list of texts, such as ["Dallow", "Farley"]'
        values = self._take(key, list, words, required=default is None)
        if values is None:
            return default or ()
        if not all(isinstance(value, str) and value.strip() for value in values):
            self.report(f"{key} holds something that is not text", f"write {words}")
            return ()
        if not values and default != ():
            self.report(f"{key} is an empty list", "name at least one")
        folded = [value.strip().casefold() for value in values]
        for number, value in enumerate(values):
            if folded.index(folded[number]) < number:
                self.report(f"{key} lists {quote_briefly(value)} twice", "keep one of them")
        return tuple(values)

    def month(self, key: str) -> Month | None:
        """A month, or None where the key is absent."""
        text = self._take(key, str, 'a month in quotes, such as "2024-04"', required=False)
        if text is None:
            return None
        try:
            return Month.parse(text)
        except UserError:
            self.report(
                f"{key} is {quote_briefly(text)}, which is no month", 'write it as "YYYY-MM", such as "2024-04"'
            )
            return None

    def number(self, key: str, *, least: float, most: float) -> float:
        """A number between two limits, both included."""
        return self._number(key, least, most, required=True) or 0.0

    def optional_number(self, key: str, *, least: float, most: float) -> float | None:
        """A number between two limits, both included, or None where the key is absent."""
        return self._number(key, least, most, required=False)

    def _number(self, key: str, least: float, most: float, *, required: bool) -> float | None:
        words = f"a number from {_group(least)} to {_group(most)}"
        value = self._take(key, (int, float), words, required=required)
        return None if value is None else float(self._within(key, value, least, most, words))

    def whole(self, key: str, default: int | None = None, *, least: int, most: int) -> int:
        """A whole number between two limits, both included."""
        words = f"a whole number from {_group(least)} to {_group(most)}"
        value = self._take(key, int, words, required=default is None)
        return (default or 0) if value is None else int(self._within(key, value, least, most, words))

    def choice(self, key: str, options: tuple[str, ...], default: str | None = None) -> str:
        """One of a few words; the default, or else the first, where it is none of them."""
        words = " or ".join(f'"{option}"' for option in options)
        value = self._take(key, str, words, required=default is None)
        if value is not None and value not in options:
            self.report(f"{key} is {quote_briefly(value)}", f"write {words}")
        return value if value in options else default or options[0]

    def tables(self, key: str, *, required: bool = False) -> list["TomlTable"]:
        """The tables of an array of tables, in order."""
        self._known.append(key)
        values = self._values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            self.report(f"{key} is not a list of tables", f"head each of them with [[{key}]], in double brackets")
            return []
        if required and not values:
            self.report(f"there is no [[{key}]] table", "add at least one")
        return [self._inner(value, f"[[{key}]] {number}") for number, value in enumerate(values, 1)]

    def table(self, key: str) -> "TomlTable | None":
        """A table inside this one, or None where it is absent."""
        self._known.append(key)
        values = self._values.get(key)
        if values is not None and not isinstance(values, dict):
            self.report(f"{key} is not a single table", f"head it with [{key}], in single brackets, once")
            return self._inner({}, f"[{key}]", [])
        return None if values is None else self._inner(values, f"[{key}]")

    def finish(self) -> None:
        """Report the keys that nobody took."""
        for key in self._values:
            if key not in self._known:
                close = difflib.get_close_matches(key, self._known, n=1)
                fix = f"did you mean {close[0]}?" if close else f"remove it; known are {', '.join(self._known)}"
                self.report(f"there is no key {quote_briefly(key)} here", fix)

    def _take(self, key: str, kind: type | tuple[type, ...], words: str, *, required: bool) -> Any:
        self._known.append(key)
        if key not in self._values:
            if required:
                self.report(f"{key} is missing", f"write {words}")
            return None
        value = self._values[key]
        # To Python, true and false are whole numbers; to whoever wrote the file they are not.
        if not isinstance(value, kind) or isinstance(value, bool):
            self.report(f"{key} is {_show(value)}", f"write {words}")
            return None
        return value

    def _within(self, key: str, value: float, least: float, most: float, words: str) -> float:
        if math.isnan(value) or not least <= value <= most:
            self.report(f"{key} is {value}", f"write {words}")
        return value

    def _inner(self, values: Mapping[str, Any], suffix: str, problems: list[Problem] | None = None) -> "TomlTable":
        name = values.get("key") or values.get("name")
        named = f' "{cut_short(name)}"' if isinstance(name, str) else ""
        return TomlTable(values, f"{self._where} {suffix}{named}", self._problems if problems is None else problems)


def _group(number: float) -> str:
    """A number with commas between its thousands where it is long; years, and all as short, have none."""
    return f"{number:,}" if abs(number) >= 10_000 else f"{number}"


def _show(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    text = repr(value) if isinstance(value, str | list) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
