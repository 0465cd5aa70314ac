"""How many incidents the example holds: published in 2004-05, implied in 2003-04, declared after that."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from cspmap.example.geography import share_out

TOWN = "Luton"
AREAS = ("South", "East", "North", "Central", "West")
YEARS = ("2003-04", "2004-05", "2005-06", "2006-07", "2007-08")

# The simulated level of 2007-08 in per cent of the published 2004-05, in the order of AREAS. The strategy asks for
# 89 % of every type in every area, so some of its targets are met, some missed and some just about level.
_LEVELS_2007_08: Mapping[str, tuple[int, int, int, int, int]] = {
    "Theft of Vehicle":     (78, 84, 92, 80, 88),
    "Theft from Vehicle":   (96, 85, 88, 90, 83),
    "Vehicle Interference": (70, 80, 86, 88, 74),
    "Domestic Burglary":    (80, 91, 82, 76, 89),
    "Theft of Cycle":       (96, 92, 80, 92, 80),
    "Theft from Person":    (85, 80, 115, 86, 95),
    "Criminal Damage":      (88, 89, 86, 97, 86),
    "Common Assault":       (82, 95, 88, 76, 104),
    "Wounding":             (103, 88, 91, 95, 86),
    "Robbery":              (76, 110, 89, 84, 92),
}  # fmt: skip

# How much of that change has come about by 2005-06, 2006-07 and 2007-08, in per cent; below 0 is the other way.
_STEADY, _EARLY, _LATE, _WORSE_FIRST = (35, 65, 100), (70, 95, 100), (5, 40, 100), (-45, 20, 100)
_PACE: Mapping[str, tuple[int, int, int]] = {
    "Theft of Vehicle": _EARLY,
    "Theft from Vehicle": _STEADY,
    "Vehicle Interference": _EARLY,
    "Domestic Burglary": _STEADY,
    "Theft of Cycle": _STEADY,
    "Theft from Person": _LATE,
    "Criminal Damage": _WORSE_FIRST,
    "Common Assault": _STEADY,
    "Wounding": _LATE,
    "Robbery": _WORSE_FIRST,
}

# Incidents of a year by crime type and area; area None is those without a location.
Totals = dict[tuple[str, str | None], int]


@dataclass(frozen=True)
class Published:
    """One crime type of the strategy's target table: the town's reduction and target, and all baselines."""

    crime_type: str
    reduction_pct: Fraction
    town_baseline: int
    town_target: int
    area_baselines: tuple[int, ...]

    @property
    def unlocated(self) -> int:
        """By how many the town's printed baseline exceeds the sum of its areas; 0 where the areas exceed it."""
        return max(0, self.town_baseline - sum(self.area_baselines))


def read_published(path: Path) -> list[Published]:
    """Read the published target table, less its row of totals: crime types in the printed order."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = {(row["crime_type"], row["area"]): row for row in csv.DictReader(stream)}
    return [
        Published(
            crime_type=crime_type,
            reduction_pct=Fraction(rows[crime_type, TOWN]["reduction_pct_on_2003_04"]),
            town_baseline=int(rows[crime_type, TOWN]["baseline_2004_05"]),
            town_target=int(rows[crime_type, TOWN]["target_2007_08"]),
            area_baselines=tuple(int(rows[crime_type, area]["baseline_2004_05"]) for area in AREAS),
        )
        for crime_type in _LEVELS_2007_08
    ]


def total_year(published: list[Published], year: str) -> Totals:
    """The number of incidents in a financial year by crime type and area."""
    totals: Totals = {}
    for facts in published:
        located = _locate(facts, year)
        totals |= {(facts.crime_type, area): count for area, count in zip(AREAS, located, strict=True)}
        totals[facts.crime_type, None] = (
            _implied_2003_04(facts) - sum(located)
            if year == "2003-04"
            else _round(Fraction(facts.unlocated * sum(located), sum(facts.area_baselines)))
        )
    return totals


def _locate(facts: Published, year: str) -> list[int]:
    if year == "2003-04":
        everything = sum(facts.area_baselines) + facts.unlocated
        unlocated = _round(Fraction(_implied_2003_04(facts) * facts.unlocated, everything))
        return share_out(_implied_2003_04(facts) - unlocated, facts.area_baselines)
    if year == "2004-05":
        return list(facts.area_baselines)
    pace = _PACE[facts.crime_type][YEARS.index(year) - 2]
    return [
        _round(Fraction(baseline * (10_000 + pace * (level - 100)), 10_000))
        for baseline, level in zip(facts.area_baselines, _LEVELS_2007_08[facts.crime_type], strict=True)
    ]


def _implied_2003_04(facts: Published) -> int:
    """The level that the printed target is the printed percentage below."""
    return _round(facts.town_target / (1 - facts.reduction_pct / 100))


def _round(value: Fraction) -> int:
    return int(value + Fraction(1, 2))
