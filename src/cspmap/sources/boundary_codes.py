"""Which columns of a boundary file hold the codes and names of its areas, and of which kind the codes are.

ONS names the columns of its boundary files after the unit, the year and what they hold: LSOA21CD is the code and
LSOA21NM the name of an LSOA of 2021. A file of LSOAs also carries the codes of the authorities they lie in.
"""

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from cspmap.codes import LSOA11, LSOA21, CodeType, find_code_type, recognise_column, recognise_lsoa_vintage
from cspmap.errors import Problem, SourceError, UserError, quote_briefly

if TYPE_CHECKING:
    import pandas as pd

# A file of small areas also carries the codes of the larger ones they lie in, never the other way about.
_SMALLEST_FIRST = ("oa", "lsoa", "ward", "csp", "lad")


@dataclass(frozen=True)
class CodedRows:
    """The code and name of each row of a boundary file, in its order, and what kind of codes they are."""

    codes: list[str]
    names: list[str]
    code_type: CodeType | None
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]


def read_codes(
    file: str, table: "pd.DataFrame", *, code_column: str | None, name_column: str | None, codes: str | None
) -> CodedRows:
    """Find and check the codes and names of a table of areas; the arguments are those of `read_boundaries`.

    Raises SourceError where no column, or more than one, may hold the codes; faults in the codes are `problems`.
    """
    declared = None if codes is None else find_code_type(codes)
    if codes is not None and declared is None:
        raise UserError(f"There is no kind of code {quote_briefly(codes)}; write one such as lsoa21 or ward25.")
    columns = [str(column) for column in table.columns]
    column = _choose_code_column(file, columns, code_column, declared)
    found = _read_texts(table[column])
    notes: list[str] = []
    problems = _find_faults(file, column, found)
    recognised = recognise_column(column)
    if declared and recognised and declared != recognised:
        what = f"its column {column} holds {recognised.words} codes, but {declared.words} codes are asked for"
        problems.append(Problem(file, what, f'write codes = "{recognised.key}", or give the right file'))
    given = [code for code in found if code is not None]
    code_type = declared or recognised
    if code_type is None:
        code_type, said = _recognise_codes(given)
        notes.extend(said)
    elif not problems:
        problems += _find_strangers(file, column, given, code_type)
    twin = name_column if name_column is not None else _find_twin(columns, column)
    if twin is not None and twin not in columns:
        _fail_on_column(file, columns, twin)
    names = _read_texts(table[twin]) if twin is not None else [None] * len(found)
    unnamed = [code for code, name in zip(found, names, strict=True) if code is not None and name is None]
    if twin is not None and unnamed:
        notes.append(f"{list_briefly(unnamed)} {_agree(unnamed, 'has', 'have')} no name; the code stands for it.")
    labels = [code or f"row {number}" for number, code in enumerate(found, 1)]
    return CodedRows(
        codes=labels,
        names=[name or label for name, label in zip(names, labels, strict=True)],
        code_type=code_type,
        notes=tuple(notes),
        problems=tuple(problems),
    )


def list_briefly(items: Sequence[object], *, most: int = 3) -> str:
    """The first few of some items, and how many more there are: "a, b, c and 4 more"."""
    shown = ", ".join(str(item) for item in items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"


def _agree(items: Sequence[object], one: str, several: str) -> str:
    return one if len(items) == 1 else several


def _choose_code_column(file: str, columns: list[str], wanted: str | None, declared: CodeType | None) -> str:
    if wanted is not None:
        if wanted not in columns:
            _fail_on_column(file, columns, wanted)
        return wanted
    kinds = {column: kind for column in columns if (kind := recognise_column(column)) is not None}
    if declared is not None and declared in kinds.values():
        candidates = [column for column, kind in kinds.items() if kind == declared]
    else:
        ranks = {column: _rank(kind) for column, kind in kinds.items()}
        candidates = [column for column, rank in ranks.items() if rank == min(ranks.values())]
    if len(candidates) > 1:
        what = f"the columns {' and '.join(candidates)} could all be its codes"
        raise SourceError([Problem(file, what, f'name one of them, such as code_column = "{candidates[0]}"')])
    candidates = candidates or [column for column in columns if column.casefold() == "code"]
    if not candidates:
        what = f"none of its columns is known to hold codes ({', '.join(columns) or 'it has none'})"
        raise SourceError([Problem(file, what, 'name the one that does, as code_column = "..."')])
    return candidates[0]


def _rank(kind: CodeType) -> int:
    return next(rank for rank, stem in enumerate(_SMALLEST_FIRST) if kind.key.startswith(stem))


def _find_twin(columns: list[str], code_column: str) -> str | None:
    """The column of names that goes with a column of codes: WD13NM with WD13CD, name with code."""
    folded = {column.casefold(): column for column in reversed(columns)}
    own = code_column.casefold()
    twin = f"{own[:-2]}nm" if recognise_column(code_column) is not None else "name"
    return folded.get(twin)


def _fail_on_column(file: str, columns: list[str], wanted: str) -> NoReturn:
    close = difflib.get_close_matches(wanted, columns, n=1)
    fix = f"did you mean {close[0]}?" if close else f"name one of {', '.join(columns)}"
    raise SourceError([Problem(file, f"it has no column {quote_briefly(wanted)}", fix)])


def _read_texts(values: "pd.Series[Any]") -> list[str | None]:
    """Values as texts, None where blank; a whole number that its file holds as a decimal one loses its ".0"."""
    texts: list[str | None] = []
    for value in values:
        if value is None or value != value:
            texts.append(None)
        else:
            whole = isinstance(value, float) and value.is_integer()
            texts.append((str(int(value)) if whole else str(value).strip()) or None)
    return texts


def _find_faults(file: str, column: str, codes: list[str | None]) -> list[Problem]:
    problems = []
    blank = [number for number, code in enumerate(codes, 1) if code is None]
    if blank:
        what = f"column {column} is blank in {_agree(blank, 'row', 'rows')} {list_briefly(blank)}"
        problems.append(Problem(file, what, "give every area a code"))
    repeated = [code for code, times in Counter(codes).items() if times > 1 and code is not None]
    if repeated:
        what = f"column {column} gives {list_briefly(repeated)} more than once"
        problems.append(Problem(file, what, "keep one row for each area, or name another code_column"))
    commas = [code for code in codes if code is not None and "," in code]
    if commas:
        problems.append(
            Problem(file, f"the code {quote_briefly(commas[0])} has a comma in it", "use codes without commas")
        )
    return problems


def _find_strangers(file: str, column: str, codes: list[str], kind: CodeType) -> list[Problem]:
    strangers = [code for code in codes if not kind.matches(code)]
    if strangers:
        what = f"column {column} should hold {kind.words} codes, but {list_briefly(strangers)} "
        what += _agree(strangers, "is none", "are none")
        return [Problem(file, what, "correct them, or name another code_column")]
    if kind == LSOA11 and recognise_lsoa_vintage(codes) == LSOA21:
        what = "its codes are said to be of LSOAs of 2011, but some were first given in 2021"
        return [Problem(file, what, 'name the column of the 2011 codes, or write codes = "lsoa21"')]
    return []


def _recognise_codes(codes: list[str]) -> tuple[CodeType | None, list[str]]:
    """The kind that all codes of a column without a telling name are of, and a note where that leaves the year open."""
    for kind in (find_code_type("csp"), find_code_type("lad")):
        if kind is not None and all(kind.matches(code) for code in codes):
            return kind, []
    for words, example in (("output area", "oa21"), ("LSOA", "lsoa21"), ("ward", "ward25")):
        kind = find_code_type(example)
        if kind is not None and all(kind.matches(code) for code in codes):
            vintage = recognise_lsoa_vintage(codes) if words == "LSOA" else None
            if vintage is not None:
                return vintage, []
            note = f'Its {words} codes could be of more than one year; write which, such as codes = "{example}".'
            return None, [note]
    return None, []
