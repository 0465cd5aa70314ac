"""Simulated incidents in the layout of a police force's own extract: when and where each of the totals fell.

Only `random.Random(seed).random()` is drawn from, the one stream that Python promises to keep the same, and only
whole numbers are weighed, so that every machine writes the same bytes.
"""

import random
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from cspmap.example.geography import format_csv
from cspmap.example.layout import Hexagon
from cspmap.example.places import Point, weigh_points
from cspmap.example.totals import YEARS, Totals

HEADER = ("Crime number", "Offence", "Committed from", "Committed to", "Easting", "Northing", "Street")


@dataclass(frozen=True)
class _Habit:
    """When a crime happens: weights by month from April, by weekday from Monday and by hour from midnight.

    `seen` of a hundred are known to the minute; of the others, only that they happened somewhere between up to
    `before` minutes earlier and up to `after` minutes later.
    """

    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    hours: tuple[int, ...]
    seen: int
    before: int
    after: int


_LEVEL = (10,) * 12
_SUMMER = (10, 11, 12, 12, 12, 11, 10, 10, 9, 8, 8, 9)
_HIGH_SUMMER = (10, 13, 16, 17, 16, 14, 10, 7, 4, 4, 5, 7)
_WINTER = (9, 9, 8, 8, 8, 9, 11, 13, 13, 12, 11, 10)
_CHRISTMAS = (9, 9, 9, 9, 9, 10, 10, 13, 16, 9, 9, 9)
_AUTUMN = (10, 10, 9, 9, 9, 10, 12, 13, 11, 10, 10, 10)

_ANY_DAY = (14, 14, 14, 14, 15, 15, 14)
_WORKING_DAYS = (16, 15, 15, 15, 16, 12, 11)
_NIGHTS_OUT = (10, 9, 10, 11, 15, 20, 17)
_MARKET_DAYS = (12, 13, 13, 14, 16, 22, 10)

# The audit of 2004 finds burglary from noon to 8 pm and from midnight to 1 am.
_NOON_AND_MIDNIGHT = (16, 3, 2, 2, 1, 1, 2, 3, 4, 4, 5, 6, 10, 10, 11, 12, 12, 13, 13, 11, 5, 4, 4, 4)
_OVERNIGHT = (8, 8, 7, 6, 5, 4, 3, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 6, 7, 8, 8, 9, 9)
_CLOSING_TIME = (10, 9, 6, 3, 2, 1, 1, 1, 2, 2, 3, 3, 4, 4, 4, 6, 6, 5, 5, 6, 7, 8, 9, 10)
_SHOPPING = (1, 1, 1, 0, 0, 0, 0, 1, 3, 5, 9, 11, 12, 12, 11, 10, 8, 6, 4, 3, 2, 2, 2, 1)
_EVENING = (5, 4, 3, 2, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 6, 7, 8, 9, 10, 11, 11, 9, 7)

_HABITS: Mapping[str, _Habit] = {
    "Theft of Vehicle": _Habit(_AUTUMN, _ANY_DAY, _OVERNIGHT, 15, 480, 480),
    "Theft from Vehicle": _Habit(_AUTUMN, _ANY_DAY, _OVERNIGHT, 10, 480, 480),
    "Vehicle Interference": _Habit(_LEVEL, _ANY_DAY, _OVERNIGHT, 25, 420, 420),
    "Domestic Burglary": _Habit(_WINTER, _WORKING_DAYS, _NOON_AND_MIDNIGHT, 35, 300, 300),
    "Theft of Cycle": _Habit(_HIGH_SUMMER, _ANY_DAY, _SHOPPING, 15, 180, 240),
    "Theft from Person": _Habit(_CHRISTMAS, _MARKET_DAYS, _SHOPPING, 70, 30, 30),
    "Criminal Damage": _Habit(_SUMMER, _NIGHTS_OUT, _EVENING, 40, 300, 360),
    "Common Assault": _Habit(_SUMMER, _NIGHTS_OUT, _CLOSING_TIME, 95, 15, 15),
    "Wounding": _Habit(_SUMMER, _NIGHTS_OUT, _CLOSING_TIME, 95, 15, 15),
    "Robbery": _Habit(_AUTUMN, _NIGHTS_OUT, _EVENING, 95, 15, 15),
}

Incident = tuple[datetime, str, datetime, Point | None]


def simulate_year(
    year: str,
    totals: Totals,
    hexagons: Sequence[Hexagon],
    points: Mapping[str, Sequence[Point]],
    weights: Mapping[tuple[str, str], Sequence[int]],
    *,
    seed: int,
) -> str:
    """The incidents of a financial year as CSV, in the order of their beginning.

    Where an area has n of a crime type in `totals`, exactly n rows lie on the points of its hexagons; those of no
    area (None) have neither position nor street.
    """
    number = YEARS.index(year)
    draws = random.Random(seed + number)  # noqa: S311 - a simulation that must repeat, not a secret
    start = datetime(2003 + number, 4, 1)
    days = [start + timedelta(days=day) for day in range((datetime(2004 + number, 4, 1) - start).days)]
    incidents: list[Incident] = []
    for (crime_type, area), count in totals.items():
        spots, spot_weights = _weigh_spots(crime_type, area, number, hexagons, points, weights)
        habit = _HABITS[crime_type]
        day_weights = _accumulate(habit.months[day.month - 4] * habit.weekdays[day.weekday()] for day in days)
        hour_weights = _accumulate(habit.hours)
        for _ in range(count):
            moment = days[_draw(day_weights, draws)] + timedelta(
                hours=_draw(hour_weights, draws), minutes=5 * int(12 * draws.random())
            )
            first, last = _blur(moment, habit, draws)
            spot = spots[_draw(spot_weights, draws)]
            incidents.append((max(first, start), crime_type, last, spot))
    incidents.sort(key=lambda incident: incident[:1])
    return format_csv(HEADER, (_format_row(index, year, item) for index, item in enumerate(incidents, 1)))


def _weigh_spots(
    crime_type: str,
    area: str | None,
    number: int,
    hexagons: Sequence[Hexagon],
    points: Mapping[str, Sequence[Point]],
    weights: Mapping[tuple[str, str], Sequence[int]],
) -> tuple[list[Point | None], list[int]]:
    if area is None:
        return [None], [1]
    spots: list[Point | None] = []
    each: list[int] = []
    for hexagon in hexagons:
        if hexagon.ward.area == area:
            spots += points[hexagon.code]
            each += [weights[crime_type, hexagon.code][number] * share for share in weigh_points(crime_type)]
    return spots, _accumulate(each)


def _blur(moment: datetime, habit: _Habit, draws: random.Random) -> tuple[datetime, datetime]:
    """What the victim can say of a moment: the moment itself, or the span in which it lies."""
    seen = 100 * draws.random() < habit.seen
    before, after = (5 * int(span // 5 * draws.random()) for span in (habit.before, habit.after))
    if seen:
        return moment, moment
    return moment - timedelta(minutes=before), moment + timedelta(minutes=after)


def _accumulate(weights: Iterable[int]) -> list[int]:
    return list(accumulate(weights))


def _draw(cumulated: Sequence[int], draws: random.Random) -> int:
    return bisect(cumulated, int(draws.random() * cumulated[-1]))


def _format_row(index: int, year: str, incident: Incident) -> tuple[object, ...]:
    first, crime_type, last, spot = incident
    where = ("", "", "") if spot is None else (spot.easting, spot.northing, spot.street)
    return f"L{year[2:4]}/{index:05d}", crime_type, f"{first:%d/%m/%Y %H:%M}", f"{last:%d/%m/%Y %H:%M}", *where
