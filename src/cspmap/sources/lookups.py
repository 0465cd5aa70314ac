"""ONS lookups between geographies: LSOAs of 2011 and 2021, LSOAs and wards, local authorities and partnerships.

Columns are recognised by ONS's names for them, of any year; the first of a file is F_LSOA11CD in some downloads.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cspmap.errors import Problem, SourceError
from cspmap.sources.tabular import Columns, match_header, read_columns

if TYPE_CHECKING:
    import pandas as pd

# Unchanged, split, merged, or changed in a way that is neither (ONS, exact-fit lookup).
CHANGES = frozenset("USMX")

_LSOA11 = r"(f_)?lsoa11cd"
_LSOA21 = r"(f_)?lsoa21cd"


def read_retired_lsoas(path: Path) -> frozenset[str]:
    """LSOA codes of 2011 that are no longer in use in 2021, from ONS's lookup of LSOAs 2011 to 2021."""
    columns = _read(path, {"lsoa11": _LSOA11, "lsoa21": _LSOA21})
    return frozenset(columns.texts["lsoa11"]) - frozenset(columns.texts["lsoa21"])


def read_exact_fit(path: Path) -> "pd.DataFrame":
    """Read ONS's exact-fit lookup of LSOAs 2011 to 2021: columns lsoa11, lsoa21 and change (one of CHANGES).

    Raises SourceError where it is another file (the best-fit lookup has no CHGIND) or a change is none of these.
    """
    columns = _read(path, {"lsoa11": _LSOA11, "lsoa21": _LSOA21, "change": "chgind"})
    wrong = [row for row, change in enumerate(columns.texts["change"]) if change not in CHANGES]
    if wrong:
        what = f"column {columns.headers['change']!r} has {columns.point_out('change', wrong)}"
        raise SourceError([Problem(path.name, what, "write U, S, M or X")])
    return _frame(columns)


def read_best_fit(path: Path) -> "pd.DataFrame":
    """Read a best-fit lookup of LSOAs 2021 to wards of any year: columns lsoa21, ward, ward_name and lad.

    Raises SourceError where it is another file or gives an LSOA twice.
    """
    columns = _read(path, {"lsoa21": _LSOA21, "ward": r"wd..cd", "ward_name": r"wd..nm", "lad": r"lad..cd"})
    if problems := columns.find_repeats("lsoa21"):
        raise SourceError(problems)
    return _frame(columns)


def read_csps(path: Path) -> "pd.DataFrame":
    """Read a lookup of local authorities to community safety partnerships of any year, one row a pair.

    Columns lad, csp, csp_name and force (the name of the police force area). Neither is unique: a partnership may
    join several authorities, and a merged authority keep several partnerships. Raises SourceError where it is
    another file.
    """
    return _frame(_read(path, {"lad": r"lad..cd", "csp": r"csp..cd", "csp_name": r"csp..nm", "force": r"pfa..nm"}))


def _read(path: Path, patterns: Mapping[str, str]) -> Columns:
    """Columns by the patterns of their names, in small letters; rows without the first are left out."""
    names = [pattern.removeprefix("(f_)?").upper() for pattern in patterns.values()]
    compiled = {name: re.compile(pattern) for name, pattern in patterns.items()}
    return read_columns(
        path,
        lambda header: match_header(header, compiled),
        wanted=f"columns {', '.join(names[:-1])} and {names[-1]}",
        key=next(iter(patterns)),
    )


def _frame(columns: Columns) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame({name: pd.array(texts, dtype="str") for name, texts in columns.texts.items()})
