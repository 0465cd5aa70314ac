"""Recorded crime by partnership as a CSV file: a row a partnership, offence and what its rate is per."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cspmap.codes import CSP
from cspmap.errors import Problem, SourceError, UserError, quote_briefly
from cspmap.periods import Month
from cspmap.sources.boundary_codes import list_briefly
from cspmap.sources.recorded_crime_frame import NEGATIVE, RecordedCrime, make_frame
from cspmap.sources.tabular import Columns, match_header, read_columns

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

_TEXTS = {
    "code": "csp_code",
    "name": "csp_name",
    "force": "force_name",
    "offence": "offence",
    "year": "year_ending",
    "per": "rate_per",
}
_NUMBERS = {"count": "count", "before": "count_year_before", "people": "people", "rate": "rate_per_1000"}
_PERS = ("residents", "households")
_HEADERS = {name: re.compile(header) for name, header in (_TEXTS | _NUMBERS).items()}


def read_table(path: Path) -> RecordedCrime:
    """Read the file. Raises SourceError with all that is wrong with it.

    Columns csp_code, csp_name, force_name, offence, year_ending (YYYY-MM, the same in every row), rate_per (residents
    or households), count, count_year_before, people and rate_per_1000, in any order; figures that are empty or marks
    such as [x] are not given. Changes are worked out.
    """
    columns = read_columns(
        path,
        lambda header: match_header(header, _HEADERS),
        wanted=f"columns {', '.join([*_TEXTS.values(), *_NUMBERS.values()])}",
    )
    problems = list(_check_texts(columns))
    numbers: dict[str, Numbers] = {}
    for name in _NUMBERS:
        numbers[name], wrong = columns.numbers(name)
        problems += wrong
    if problems:
        raise SourceError(problems)
    texts = {name: columns.texts[name] for name in _TEXTS}
    rows = [
        dict(zip((*texts, *numbers), row, strict=True)) for row in zip(*texts.values(), *numbers.values(), strict=True)
    ]
    for row in rows:
        count, before = row["count"], row["before"]
        row["percent"] = 100 * (count - before) / before if before > 0 else float("nan")
        row["marks"] = "; ".join(_note_missing(row))
    return RecordedCrime(make_frame(rows), ())


def _check_texts(columns: Columns) -> Iterator[Problem]:
    texts, file = columns.texts, columns.file
    for name, header in _TEXTS.items():
        if blank := [row for row, text in enumerate(texts[name]) if not text]:
            lines = list_briefly([f"line {columns.lines[row]}" for row in blank])
            yield Problem(file, f"column {header} is empty in {lines}", "fill it in")
    if wrong := [row for row, code in enumerate(texts["code"]) if not CSP.matches(code)]:
        yield Problem(file, f"column csp_code has {columns.point_out('code', wrong)}", f"write {CSP.words} codes")
    if wrong := [row for row, per in enumerate(texts["per"]) if per not in _PERS]:
        yield Problem(file, f"column rate_per has {columns.point_out('per', wrong)}", f"write {' or '.join(_PERS)}")
    years = sorted(set(texts["year"]))
    if len(years) > 1:
        yield Problem(
            file, f"column year_ending has {list_briefly(years)}", "keep one year; the one before has a column"
        )
    try:
        Month.parse(years[0])
    except UserError:
        yield Problem(file, f"column year_ending has {quote_briefly(years[0])}", "write the last month as YYYY-MM")
    keys = Counter(zip(texts["code"], texts["offence"], texts["per"], strict=True))
    if twice := [f"{offence} of {code}" for (code, offence, _), times in keys.items() if times > 1]:
        yield Problem(file, f"it gives {list_briefly(twice)} more than once", "keep one row for each")


def _note_missing(row: dict[str, object]) -> Iterator[str]:
    words = {"count": "count", "before": "count of the year before", "rate": "rate"}
    yield from (f"{word} not given" for name, word in words.items() if row[name] != row[name])
    if any(isinstance(row[name], float) and row[name] < 0 for name in ("count", "before")):  # type: ignore[operator]
        yield NEGATIVE
