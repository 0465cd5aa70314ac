"""What rates are per: residents, households or others, by the areas they are published for."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from cspmap.errors import Problem, SourceError
from cspmap.partnership_parts import Denominator
from cspmap.sources.boundary_codes import list_briefly
from cspmap.sources.tabular import Columns, read_columns

if TYPE_CHECKING:
    import pandas as pd

# "LSOA21CD", "lsoacd", "LSOA 2021 Code", "LSOA code (2011)", "Ward code", smallest areas first: a table of small
# areas also has the codes of the larger ones they lie in, never the other way about.
_UNITS = (r"oa", r"lsoa", r"(?:wd|ward|electoralward)", r"csp", r"(?:lad|la|localauthority(?:district)?)")
_CODES = tuple(re.compile(rf"(?:f_?)?{unit}(?:20)?(?:\d\d)?(?:cd|codes?)(?:20\d\d)?") for unit in _UNITS)
_ANY_CODE = re.compile(r"(?:area|geography|geo)?code|mnemonic")

_PEOPLE = re.compile(r"resident|population|people|person")
_PEOPLE_COLUMN = re.compile(
    r"(?:all|total)?(?:usual)?(?:residents|population|people|persons)(?:(?:mid)?20\d\d)?|allages|totalpopulation.*"
)
_HOUSEHOLDS_COLUMN = re.compile(r"(?:all|total)?households(?:20\d\d)?")
_TOTAL_COLUMN = re.compile(r"total|value|count|observations?|obsvalue|observationvalue")

_YEAR_OF_SHEET = re.compile(r"mid[- _]?(\d{4})", re.IGNORECASE)
_ONE_SEX = re.compile(r"\b(?:fe)?males?\b", re.IGNORECASE)


def read_denominator(item: Denominator) -> "pd.DataFrame":
    """Read what rates are per, from a CSV file or an XLSX workbook.

    Columns: code (text) and value (float64, NaN where none is published, never 0 in its place), in the file's order.
    The columns of the file are those that the partnership file names, or else recognised. Of a workbook that has a
    sheet for each year (ONS's small area population estimates), the sheet of `item.year` is read.

    Raises SourceError, with all faults together, where the columns cannot be told, a code is repeated, or a value
    is not a number or below 0.
    """
    import pandas as pd

    columns = read_denominator_columns(item)
    values, problems = columns.numbers("value", least=0)
    problems = [*columns.find_repeats("code"), *problems]
    if problems:
        raise SourceError(problems)
    return pd.DataFrame({"code": pd.array(columns.texts["code"], dtype="str"), "value": values})


def read_denominator_columns(item: Denominator) -> Columns:
    """The columns code and value as they are in the file."""
    given = [repr(name) for name in (item.code_column, item.value_column) if name is not None]
    wanted = f"column {' and '.join(given)}" if given else "column that is known to hold codes"

    def find(header: Sequence[str]) -> dict[str, int] | None:
        code = _find_code(item, header)
        if code is None:
            return None
        value = _find_value(item, header, code)
        return None if value is None else {"code": code, "value": value}

    return read_columns(item.file, find, wanted=wanted, sheets=lambda names: _choose_sheets(item, names))


def _fail(item: Denominator, what: str, fix: str) -> NoReturn:
    raise SourceError([Problem(item.file.name, what, fix)])


def _find_code(item: Denominator, header: Sequence[str]) -> int | None:
    if item.code_column is not None:
        return _find_named(header, item.code_column)
    folded = [_fold(text) for text in header]
    for pattern in (*_CODES, _ANY_CODE):
        found = [place for place, text in enumerate(folded) if pattern.fullmatch(text)]
        if found:
            return _pick(item, header, found, "codes", "code_column")
    return None


def _find_value(item: Denominator, header: Sequence[str], code: int) -> int | None:
    if item.value_column is not None:
        return _find_named(header, item.value_column)
    own = {_fold(item.key), _fold(item.name)}
    patterns = [re.compile("|".join(re.escape(text) for text in own if text))]
    if any(_PEOPLE.search(text) for text in own):
        patterns.append(_PEOPLE_COLUMN)
    if any("household" in text for text in own):
        patterns.append(_HOUSEHOLDS_COLUMN)
    folded = [_fold(text) for text in header]
    for pattern in (*patterns, _TOTAL_COLUMN):
        found = [place for place, text in enumerate(folded) if pattern.fullmatch(text)]
        if found:
            return _pick(item, header, found, item.name, "value_column")
    others = [place for place, text in enumerate(header) if text and place != code]
    if len(others) == 1:
        return others[0]
    names = list_briefly([text for text in header if text], most=12)
    _fail(
        item,
        f"none of its columns is known to hold {item.name} ({names})",
        'name the one that does, as value_column = "..."',
    )


def _find_named(header: Sequence[str], name: str) -> int | None:
    wanted = _fold(name)
    exact = [place for place, text in enumerate(header) if text == " ".join(name.split())]
    alike = [place for place, text in enumerate(header) if _fold(text) == wanted]
    return next(iter([*exact, *alike]), None)


def _fold(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def _pick(item: Denominator, header: Sequence[str], found: Sequence[int], holds: str, key: str) -> int:
    if len(found) > 1:
        names = [header[place] for place in found]
        what = f"its columns {list_briefly(names)} could all be its {holds}"
        _fail(item, what, f'name one of them, such as {key} = "{names[0]}"')
    return found[0]


def _choose_sheets(item: Denominator, names: Sequence[str]) -> Sequence[str]:
    """The sheet of the year, where sheets are named after years as in "Mid-2022 LSOA 2021"; otherwise all."""
    years = {name: int(match[1]) for name in names if (match := _YEAR_OF_SHEET.search(name))}
    if not years:
        return names
    found = [name for name, year in years.items() if year == item.year and not _ONE_SEX.search(name)]
    if not found:
        listed = list_briefly(list(years), most=12)
        _fail(item, f"none of its sheets is for {item.year} ({listed})", "correct year, or give another file")
    found = [name for name in found if "persons" in name.casefold()] or found
    if len(found) > 1:
        _fail(item, f"several of its sheets are for {item.year} ({list_briefly(found)})", "keep one of them in it")
    return found
