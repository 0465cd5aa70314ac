"""The English Indices of Deprivation as published: IoD2019 and IoD2025, File 1 (XLSX) or File 7 (CSV).

Headers are told by how they begin, because the rest differs: ranks and deciles are explained in brackets or not,
and some publications cut a header off at 80 characters.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cspmap.errors import Problem, SourceError
from cspmap.partnership_parts import DeprivationFile
from cspmap.sources.tabular import Columns, read_columns

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

_OVERALL = "index of multiple deprivation (imd)"

# Domains and sub-domains, and how the headers of File 7 name them.
DOMAINS: Mapping[str, str] = {
    "income": "income",
    "employment": "employment",
    "education": "education, skills and training",
    "health": "health deprivation and disability",
    "crime": "crime",
    "housing": "barriers to housing and services",
    "environment": "living environment",
    "idaci": "income deprivation affecting children index (idaci)",
    "idaopi": "income deprivation affecting older people (idaopi)",
    "children": "children and young people sub-domain",
    "adult-skills": "adult skills sub-domain",
    "geographical-barriers": "geographical barriers sub-domain",
    "wider-barriers": "wider barriers sub-domain",
    "indoors": "indoors sub-domain",
    "outdoors": "outdoors sub-domain",
}

_CODE = re.compile(r"lsoa code\b.*|lsoa\d\dcd|code")
_MEASURES = ("score", "rank", "decile")
_WANTED = (
    "columns of the Indices of Deprivation: LSOA code, Index of Multiple Deprivation (IMD) Rank "
    "and Index of Multiple Deprivation (IMD) Decile"
)


def read_deprivation(item: DeprivationFile) -> "pd.DataFrame":
    """Read the Index of Multiple Deprivation itself.

    Columns: code (text), score (float64, NaN where the file has none, as File 1), rank (int64, 1 the most deprived)
    and decile (int64, 1 the most deprived tenth, to 10), in the file's order. An area without any of them is left
    out. Raises SourceError, with all faults together, where columns are missing, a code is repeated, a figure is no
    number or missing beside the others, or a rank or decile is none.
    """
    columns = read_columns(item.file, _find_overall, wanted=_WANTED)
    frame, problems = _read_index(columns, "")
    problems = [*columns.find_repeats("code"), *problems]
    if problems:
        raise SourceError(problems)
    return frame


def read_domains(item: DeprivationFile) -> "pd.DataFrame":
    """Read the domains and sub-domains, as far as the file has them (File 7 has all, File 1 none).

    Columns: code, domain (a key of DOMAINS), score, rank and decile, as `read_deprivation` gives and checks them;
    by domain in the order of DOMAINS, then in the file's order.
    """
    import pandas as pd

    columns = read_columns(item.file, _find_all, wanted=_WANTED)
    problems = columns.find_repeats("code")
    frames = [_read_index(columns, "")[0].iloc[:0].assign(domain=pd.array([], dtype="str"))]
    for domain in DOMAINS:
        if f"{domain} rank" in columns.texts:
            frame, found = _read_index(columns, f"{domain} ")
            problems += found
            frames.append(frame.assign(domain=pd.array([domain] * len(frame), dtype="str")))
    if problems:
        raise SourceError(problems)
    return pd.concat(frames, ignore_index=True)[["code", "domain", *_MEASURES]]


def _find_overall(header: Sequence[str]) -> dict[str, int] | None:
    folded = [text.casefold() for text in header]
    code = next((place for place, text in enumerate(folded) if _CODE.fullmatch(text)), None)
    found = _find_index(folded, _OVERALL)
    return None if code is None or found is None else {"code": code, **found}


def _find_all(header: Sequence[str]) -> dict[str, int] | None:
    places = _find_overall(header)
    if places is None:
        return None
    folded = [text.casefold() for text in header]
    for domain, stem in DOMAINS.items():
        places |= {f"{domain} {name}": place for name, place in (_find_index(folded, stem) or {}).items()}
    return places


def _find_index(folded: Sequence[str], stem: str) -> dict[str, int] | None:
    """Positions of an index's score, rank and decile; None without rank and decile."""
    found: dict[str, int] = {}
    for measure in _MEASURES:
        begins = re.compile(rf"{re.escape(stem)} {measure}\b")
        place = next((place for place, text in enumerate(folded) if begins.match(text)), None)
        if place is not None:
            found[measure] = place
    return found if {"rank", "decile"} <= found.keys() else None


def _read_index(columns: Columns, prefix: str) -> "tuple[pd.DataFrame, list[Problem]]":
    """Score, rank and decile of the index whose columns begin with `prefix`, and what is wrong with them."""
    import numpy as np
    import pandas as pd

    names = [name for name in _MEASURES if prefix + name in columns.texts]
    figures: dict[str, npt.NDArray[np.float64]] = {}
    problems: list[Problem] = []
    for name in names:
        figures[name], found = columns.numbers(prefix + name)
        problems += found
    given = ~np.all([np.isnan(values) for values in figures.values()], axis=0)
    if not problems:
        problems = [
            *(problem for name in names for problem in _find_missing(columns, prefix + name, figures[name], given)),
            *_find_outside(columns, prefix + "rank", figures["rank"], most=np.inf),
            *_find_outside(columns, prefix + "decile", figures["decile"], most=10),
        ]
    if problems:
        given = np.zeros(len(given), dtype=bool)
    score = figures.get("score", np.full(len(given), np.nan))
    codes = pd.array(columns.texts["code"], dtype="str")
    frame = pd.DataFrame({"code": codes, "score": score})[given].reset_index(drop=True)
    frame["rank"] = figures["rank"][given].astype(np.int64)
    frame["decile"] = figures["decile"][given].astype(np.int64)
    return frame, problems


def _find_missing(
    columns: Columns, name: str, values: "npt.NDArray[np.float64]", given: "npt.NDArray[np.bool_]"
) -> Iterator[Problem]:
    import numpy as np

    rows = [int(row) for row in np.flatnonzero(np.isnan(values) & given)]
    if rows:
        what = f"column {columns.headers[name]!r} is empty for {columns.point_out('code', rows)}"
        yield Problem(columns.file, what, "fill it in, or take out those areas")


def _find_outside(columns: Columns, name: str, values: "npt.NDArray[np.float64]", *, most: float) -> Iterator[Problem]:
    import numpy as np

    rows = [int(row) for row in np.flatnonzero((values < 1) | (values > most) | (values != np.round(values)))]
    rows = [row for row in rows if not np.isnan(values[row])]
    if rows:
        allowed = f"a whole number from 1 to {most:g}" if np.isfinite(most) else "a whole number from 1 up"
        what = f"column {columns.headers[name]!r} has {columns.point_out(name, rows)} where {allowed} belongs"
        yield Problem(columns.file, what, "correct it")
