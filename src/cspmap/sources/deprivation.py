"""The English Indices of Deprivation as published: IoD2019 and IoD2025, File 1 (XLSX) or File 7 (CSV).

Headers are told by how they begin, because the rest differs: ranks and deciles are explained in brackets or not,
and some publications cut a header off at 80 characters.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cspmap.errors import Problem, SourceError
from cspmap.partnership_parts import DeprivationFile
from cspmap.sources.tabular import Columns, read_columns

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

# The Index of Multiple Deprivation itself, its domains and sub-domains, and how the headers of File 7 name them.
OVERALL = "imd"
DOMAINS: Mapping[str, str] = {
    OVERALL: "index of multiple deprivation (imd)",
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

# Whom File 7 counts in each LSOA, by how the headers begin, and which domains are not of everybody.
POPULATIONS: Mapping[str, str] = {
    "everybody": "total population",
    "children": "dependent children",
    "older": "older population",
    "working age": "working age population",
}
COUNTED: Mapping[str, str] = {"employment": "working age", "idaci": "children", "idaopi": "older"}

_CODE = re.compile(r"lsoa code\b.*|lsoa\d\dcd|code")
_MEASURES = ("score", "rank", "decile")
_WANTED = (
    "columns of the Indices of Deprivation: LSOA code, Index of Multiple Deprivation (IMD) Rank "
    "and Index of Multiple Deprivation (IMD) Decile"
)


@dataclass(frozen=True, eq=False)
class Indices:
    """One edition of the Indices, as far as a file has it: File 7 has everything, File 1 the overall index alone.

    `scores` has code (text), domain (a key of DOMAINS), score (float64, NaN where the file has none, as File 1), rank
    (int64, 1 the most deprived) and decile (int64, 1 the most deprived tenth, to 10); by domain in the order of
    DOMAINS, then in the file's order. `people` has code and, of the keys of POPULATIONS, those that the file has
    (float64, NaN where not given).
    """

    scores: "pd.DataFrame"
    people: "pd.DataFrame"


def read_indices(item: DeprivationFile) -> Indices:
    """Read the Indices of Deprivation. An area without score, rank and decile of a domain is left out of it.

    Raises SourceError, with all faults together, where columns are missing, a code is repeated, a figure is no
    number or missing beside the others, a rank or decile is none, or a population is below zero.
    """
    import pandas as pd

    columns = read_columns(item.file, _find_columns, wanted=_WANTED)
    problems = columns.find_repeats("code")
    frames = []
    for domain in DOMAINS:
        if f"{domain} rank" in columns.texts:
            frame, found = _read_index(columns, f"{domain} ")
            problems += found
            frames.append(frame.assign(domain=pd.array([domain] * len(frame), dtype="str")))
    people = pd.DataFrame({"code": pd.array(columns.texts["code"], dtype="str")})
    for name in POPULATIONS:
        if f"people {name}" in columns.texts:
            people[name], found = columns.numbers(f"people {name}", least=0)
            problems += found
    if problems:
        raise SourceError(problems)
    return Indices(pd.concat(frames, ignore_index=True)[["code", "domain", *_MEASURES]], people)


def _find_columns(header: Sequence[str]) -> dict[str, int] | None:
    """Positions of the code, of every index and of every population; None without the code or the overall index."""
    folded = [text.casefold() for text in header]
    code = next((place for place, text in enumerate(folded) if _CODE.fullmatch(text)), None)
    if code is None or _find_index(folded, DOMAINS[OVERALL]) is None:
        return None
    places = {"code": code}
    for domain, stem in DOMAINS.items():
        places |= {f"{domain} {name}": place for name, place in (_find_index(folded, stem) or {}).items()}
    for name, stem in POPULATIONS.items():
        place = next((place for place, text in enumerate(folded) if text.startswith(stem)), None)
        places |= {} if place is None else {f"people {name}": place}
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
