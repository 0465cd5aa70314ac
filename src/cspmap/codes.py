"""Area codes as types: each coding system is its own, so that codes of two systems never mix silently.

Sources: Office for National Statistics, Register of Geographic Codes (entity codes E00, E01, E05, E06 to E09 and
E22, their Welsh twins, and wards and councils of Scotland and Northern Ireland); the LSOA 2011 to LSOA 2021
exact-fit lookup for what changed between the vintages.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cspmap.errors import UserError


@dataclass(frozen=True)
class CodeType:
    """A coding system for areas: `key` names it in files and links, `words` on the screen."""

    key: str
    words: str
    pattern: re.Pattern[str]

    def matches(self, code: str) -> bool:
        """Whether `code` is written as this system writes its codes."""
        return self.pattern.fullmatch(code) is not None


def _code_type(key: str, words: str, pattern: str) -> CodeType:
    return CodeType(key, words, re.compile(pattern))


OA11 = _code_type("oa11", "output area 2011", r"[EW]00\d{6}")
OA21 = _code_type("oa21", "output area 2021", r"[EW]00\d{6}")
LSOA11 = _code_type("lsoa11", "LSOA 2011", r"[EW]01\d{6}")
LSOA21 = _code_type("lsoa21", "LSOA 2021", r"[EW]01\d{6}")
LAD = _code_type("lad", "local authority", r"(E0[6-9]|W06|S12|N09)\d{6}")
CSP = _code_type("csp", "community safety partnership", r"(E22|W14)\d{6}")

_WARD = r"(E05|W05|S13|N08)\d{6}"
_COLUMN = re.compile(r"(?P<stem>OA|LSOA|WD|LAD|CSP)(?P<year>\d{2})CD", re.IGNORECASE)

# The last LSOA code given out for the 2011 Census; every higher number is new in 2021.
LAST_LSOA11 = {"E": 1_033_768, "W": 1_001_958}


def ward(year: int) -> CodeType:
    """Wards as they stood in `year`: ward codes of different years are different systems."""
    return _code_type(f"ward{year % 100:02d}", f"ward {year}", _WARD)


def find_code_type(key: str) -> CodeType | None:
    """The coding system with this key: oa11, oa21, lsoa11, lsoa21, lad, csp, or ward and a year (ward13)."""
    if match := re.fullmatch(r"ward(\d{2})", key):
        return ward(2000 + int(match[1]))
    return next((kind for kind in (OA11, OA21, LSOA11, LSOA21, LAD, CSP) if kind.key == key), None)


def recognise_column(column: str) -> CodeType | None:
    """The coding system that an ONS column name such as LSOA21CD or WD13CD states; None if it states none."""
    match = _COLUMN.fullmatch(column.strip())
    if match is None:
        return None
    stem, year = match["stem"].upper(), 2000 + int(match["year"])
    if stem == "WD":
        return ward(year)
    if stem in {"OA", "LSOA"}:
        by_year = {("OA", 2011): OA11, ("OA", 2021): OA21, ("LSOA", 2011): LSOA11, ("LSOA", 2021): LSOA21}
        return by_year.get((stem, year))
    return {"LAD": LAD, "CSP": CSP}[stem]


def recognise_lsoa_vintage(codes: Iterable[str], *, retired: frozenset[str] = frozenset()) -> CodeType | None:
    """The vintage of a set of LSOA codes: 2021 if any was new then, 2011 if any had been retired by then.

    `retired` holds the 2011 codes that no longer exist in 2021 (from the exact-fit lookup). None where the codes
    are valid in both vintages, as most are. Raises UserError where both kinds occur together.
    """
    new, old = None, None
    for code in codes:
        if code in retired:
            old = code
        elif LSOA21.matches(code) and int(code[1:]) > LAST_LSOA11[code[0]]:
            new = code
        if new and old:
            raise UserError(
                f"LSOA codes of both vintages are mixed ({old} was retired before {new} was made); "
                "split the file by vintage."
            )
    return LSOA21 if new else LSOA11 if old else None
