"""Simulated recorded crime of made-up partnerships, so that the example's partnership has others to stand beside."""

import random
from collections.abc import Mapping, Sequence

from cspmap.example.geography import format_csv
from cspmap.example.totals import Totals

HEADER = (
    "csp_code",
    "csp_name",
    "force_name",
    "offence",
    "year_ending",
    "rate_per",
    "count",
    "count_year_before",
    "people",
    "rate_per_1000",
)
TOTAL = "Total recorded crime"
PER_HOUSEHOLD = "Domestic Burglary"
# Codes are ours and look it: none as high is in use. The first is the example's own partnership.
OWN = ("E22990001", "Luton (simulated)")
_LETTERS = "ABCDEFG"
# Residents, households and level of crime in per cent of the example's, of each of the others.
_OTHERS = (
    (228_400, 92_300, 118),
    (157_900, 66_800, 74),
    (196_300, 79_100, 101),
    (142_500, 60_200, 88),
    (263_700, 104_600, 109),
    (181_200, 74_900, 93),
    (120_600, 51_700, 131),
)
_YEAR_ENDING = "2008-03"


def simulate_peers(now: Totals, before: Totals, *, residents: int, households: int, seed: int) -> str:
    """Recorded crime of the example's partnership and seven others by offence as CSV, from its incidents of two years.

    Recorded crime of the example's own is some per cent off its incidents, as two such sources are.
    """
    draws = random.Random(seed)  # noqa: S311 - a simulation that must repeat, not a secret
    counts = {year: _sum(totals) for year, totals in (("now", now), ("before", before))}
    people = [(residents, households, 100), *_OTHERS]
    names = [OWN, *((f"E2299{number:04d}", f"Partnership {letter}") for number, letter in enumerate(_LETTERS, 2))]
    rows: list[tuple[object, ...]] = []
    for place, ((code, name), (living, homes, level)) in enumerate(zip(names, people, strict=True)):
        force = "Example force" if place in (0, 1, 2) else "Another example force"
        lines: list[tuple[str, int, int]] = []
        for offence in counts["now"]:
            # Others differ by offence; the partnership's own only as one source differs from another.
            own = 97 + int(8 * draws.random()) if place == 0 else 65 + int(70 * draws.random())
            drift = 92 + int(18 * draws.random()) if place else 100
            after = counts["now"][offence] * living * level * own // (residents * 10_000)
            earlier = counts["before"][offence] * living * level * own * drift // (residents * 1_000_000)
            lines.append((offence, after, earlier))
        whole = (TOTAL, sum(after for _, after, _ in lines), sum(earlier for _, _, earlier in lines))
        for offence, after, earlier in (whole, *lines):
            pers: Sequence[tuple[str, int]] = [("residents", living)]
            if offence == PER_HOUSEHOLD:
                pers = [*pers, ("households", homes)]
            for per, number in pers:
                rate = f"{1000 * after / number:.3f}"
                rows.append((code, name, force, offence, _YEAR_ENDING, per, after, earlier, number, rate))
    return format_csv(HEADER, rows)


def _sum(totals: Totals) -> Mapping[str, int]:
    sums: dict[str, int] = {}
    for (offence, _), count in totals.items():
        sums[offence] = sums.get(offence, 0) + count
    return sums
