"""The partnership beside those most similar to it, and its own areas beside each other, as tidy frames.

Recorded crime by partnership comes from the store's table of it (`sources.recorded_crime`). The group is that of the
partnership file, the partnership itself among its members.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pandas as pd

from cspmap.analysis.change import change_table
from cspmap.analysis.comparison import GroupBounds, rank_in_group, rank_spans, within_group
from cspmap.analysis.intervals import rate_interval, ratio_interval
from cspmap.analysis.measures import rate
from cspmap.errors import SelectionError, UserError, quote_briefly
from cspmap.exports.published import hides_total, publish
from cspmap.exports.scan_rows import list_withheld
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.totals import Coverage

Among: TypeAlias = Literal["group", "force"]
Year: TypeAlias = Literal["latest", "before"]

# The columns of `compare_offences`.
_LINE = (
    *("offence", "per", "count", "before", "rate", "low", "high", "rank", "number", "mean", "lower", "upper"),
    *("position", "firm", "percent", "percent_low", "percent_high", "p", "verdict", "marks"),
)

# What data.police.uk publishes and recorded crime does not count.
NOT_RECORDED_CRIME = "anti-social-behaviour"


@dataclass(frozen=True)
class Offence:
    """A line of the published tables: an offence and what its rate is per ("residents" or "households")."""

    name: str
    per: str
    total: bool = False

    @property
    def words(self) -> str:
        """As it is chosen by: "Robbery", "Burglary, per 1,000 households"."""
        return self.name if self.per == "residents" else f"{self.name}, per 1,000 {self.per}"


@dataclass(frozen=True)
class Peers:
    """Partnerships beside each other in one offence over one year. Not to be changed.

    `members` has a row a partnership by code, the highest rate first: name, force, count, before (the year before's),
    people, rate (per 1,000 people), low and high (its 95 % interval), rank (1 the highest), first and last (the ranks
    that chance leaves open), position (of the rate in the bounds), firm (whether all of its interval lies outside
    them), percent (change on the year before as published), percent_low, percent_high, p, verdict (of the counts), and
    marks: words on figures not given or below 0.
    """

    offence: Offence
    year: Span
    among: Among
    own: str
    members: pd.DataFrame
    bounds: GroupBounds

    @property
    def line(self) -> pd.Series:
        """The partnership's own row."""
        return self.members[self.members.index == self.own].iloc[0]


@dataclass(frozen=True)
class Beside:
    """Recorded crime of a year as published beside the incidents loaded for the same months.

    `recorded` is None where it is not given. `loaded` counts all but anti-social behaviour, in the months loaded;
    `withheld` says that the disclosure rule keeps that count back.
    """

    span: Span
    recorded: float | None
    loaded: Coverage
    withheld: bool = False

    @property
    def difference(self) -> float | None:
        """Incidents loaded less recorded crime; None unless both are known for the whole year."""
        unknown = self.recorded is None or self.loaded.missing or self.withheld
        return None if unknown or self.recorded is None else self.loaded.total - self.recorded

    @property
    def percent(self) -> float | None:
        """The difference in per cent of recorded crime."""
        return 100 * self.difference / self.recorded if self.difference is not None and self.recorded else None


def list_offences(query: Query) -> list[Offence]:
    """What the store's table of recorded crime has, in the published order; empty where there is no table."""
    table = query.store.recorded_crime
    lines = table[["offence", "per", "total"]].drop_duplicates()
    return [Offence(*line) for line in lines.itertuples(index=False, name=None)]


def find_offence(query: Query, words: str | None) -> Offence:
    """The offence with these words, in any case; all recorded crime where None. Raises SelectionError."""
    offences = list_offences(query)
    if not offences:
        raise UserError(NO_TABLE)
    if words is None:
        return next((offence for offence in offences if offence.total), offences[0])
    for offence in offences:
        if offence.words.casefold() == words.strip().casefold():
            return offence
    known = "; ".join(offence.words for offence in offences)
    raise SelectionError(f"Recorded crime has no offence {quote_briefly(words)}; choose one of: {known}.")


NO_TABLE = (
    "No recorded crime by partnership is loaded. Name the published file in a [recorded_crime] table of "
    "partnership.toml (docs/partnership-file.md) and build again."
)


def list_among(query: Query) -> list[Among]:
    """Whom the partnership can be compared with: its group, where one is given, and its force's partnerships."""
    group = query.store.partnership.recorded_crime
    return ["group", "force"] if group is not None and group.members else ["force"]


def find_year(query: Query, year: Year = "latest") -> Span:
    """The year that the published counts are of, or the one before."""
    months = query.store.recorded_crime["year"]
    last = Month.parse(str(months.iloc[0]))
    return Span.ending(last if year == "latest" else last - 12, months=12)


def compare_group(query: Query, offence: Offence, *, among: Among = "group", year: Year = "latest") -> Peers:
    """The partnership beside its group, or all partnerships of its force, in one offence.

    Rates are as published. Those of the year before are not; they are worked out here, per the same people.
    """
    own, rows = take_members(query, among)
    rows = rows[(rows["offence"] == offence.name) & (rows["per"] == offence.per)]
    members = _measure(rows, year).set_index("code").drop(columns=["offence", "per"])
    members["rank"] = rank_in_group(members["rate"])
    spans = rank_spans(members["count"].where(members["rate"].notna()), members["people"])
    members[["first", "last"]] = spans
    members = members.sort_values("rate", ascending=False, kind="stable", na_position="last")
    bounds = within_group(members["rate"])
    members["position"] = [bounds.place(value) for value in members["rate"]]
    members["firm"] = (members["low"] > bounds.upper) | (members["high"] < bounds.lower)
    return Peers(offence, find_year(query, year), among, own, members, bounds)


def compare_offences(query: Query, *, among: Among = "group", year: Year = "latest") -> pd.DataFrame:
    """The partnership's own line in every offence, with the group's mean and bounds: a row an offence, as published.

    Columns: offence (its words), per, count, before, rate, low, high, rank, number (of members whose rate is known),
    mean, lower, upper, position, firm, percent, percent_low, percent_high, p, verdict, marks.
    """
    own, rows = take_members(query, among)
    lines = []
    for (name, per), members in _measure(rows, year).groupby(["offence", "per"], sort=False):
        bounds = within_group(members["rate"])
        line = members.assign(rank=rank_in_group(members["rate"]))[members["code"] == own]
        low, high = float(line["low"].iloc[0]), float(line["high"].iloc[0])
        lines.append(
            line.assign(
                offence=Offence(str(name), str(per)).words,
                number=bounds.number,
                mean=bounds.mean,
                lower=bounds.lower,
                upper=bounds.upper,
                position=bounds.place(float(line["rate"].iloc[0])),
                firm=low > bounds.upper or high < bounds.lower,
            )
        )
    return pd.concat(lines, ignore_index=True)[[*_LINE]]


def take_members(query: Query, among: Among) -> tuple[str, pd.DataFrame]:
    """The partnership's code, and the rows of the table of those that it is compared with, itself among them."""
    partnership, table = query.store.partnership, query.store.recorded_crime
    own, group = partnership.csp, partnership.recorded_crime
    if own is None or group is None or table.empty:
        raise UserError(NO_TABLE)
    if among == "group":
        return own, table[table["code"].isin({own, *group.members})]
    return own, table[table["force"] == table.loc[table["code"] == own, "force"].iloc[0]]


def _measure(rows: pd.DataFrame, year: Year) -> pd.DataFrame:
    """Rows of the table with their rate, its interval and their change, which the year before has none of."""
    latest = year == "latest"
    count = rows["count"] if latest else rows["before"]
    before = rows["before"] if latest else rows["before"] * float("nan")
    sound = count.where(count >= 0)
    rates = rows["rate"].where(sound.notna()) if latest else rate(sound, rows["people"])
    percent = rows["percent"] if latest else before
    changes = change_table(before, count)
    # Where the publisher gives no percentage, of so few, it has no range either.
    ratio = 100 * (ratio_interval(before, count).where(percent.notna()) - 1)
    interval = rate_interval(count.where(rates.notna()), rows["people"])
    return rows[["code", "name", "force", "offence", "per", "people"]].assign(
        count=count,
        before=before,
        rate=rates,
        low=interval["low"],
        high=interval["high"],
        percent=percent,
        percent_low=ratio["low"],
        percent_high=ratio["high"],
        p=changes["p"],
        verdict=changes["verdict"],
        marks=rows["marks"],
    )


def compare_totals(query: Query) -> list[Beside]:
    """All recorded crime of the partnership beside the incidents loaded for the same months: latest year, year before.

    They are different products: never averaged, and not expected to agree.
    """
    table, partnership = query.store.recorded_crime, query.store.partnership
    own = table[(table["code"] == partnership.csp) & table["total"]]
    keys = tuple(kind.key for kind in partnership.crime_types if kind.key != NOT_RECORDED_CRIME)
    selection = Selection.default(query.store).change(crimes=keys)
    found = []
    years: Sequence[tuple[Year, str]] = (("latest", "count"), ("before", "before"))
    for year, column in years if len(own) else ():
        span, value = find_year(query, year), own[column].iloc[0]
        recorded = None if pd.isna(value) else float(value)
        loaded = publish(query).count_coverage(selection, span=span)
        found.append(Beside(span, recorded, loaded, withheld=_hides_rest(query, loaded)))
    return found


def find_loaded_year(query: Query, year: Span) -> Span:
    """A year where all of its months are loaded, else the twelve months up to the latest that is."""
    return Span.ending(query.store.months[-1], months=12) if query.missing_months(year) else year


def rate_loaded(query: Query, span: Span) -> tuple[float, float]:
    """Incidents loaded per 1,000 residents over a year: all of them, and all but anti-social behaviour.

    NaN unless every month is loaded, the people are known, and the disclosure rule shows the count.
    """
    whole = Selection.default(query.store).change(crimes=())
    kinds = tuple(kind.key for kind in query.store.partnership.crime_types if kind.key != NOT_RECORDED_CRIME)
    rates = []
    for selection in (whole, whole.change(crimes=kinds)):
        loaded = publish(query).count_coverage(selection, span=span)
        known = not loaded.missing and not _hides_rest(query, loaded)
        rates.append(rate(float(loaded.total) if known else None, query.count_people(whole)))
    return rates[0], rates[1]


def _hides_rest(query: Query, loaded: Coverage) -> bool:
    """Whether a count of all but anti-social behaviour is small, or would give that of anti-social behaviour away."""
    return NOT_RECORDED_CRIME in list_withheld(query, loaded.span) or hides_total(loaded, publish(query).rule)


def rank_areas(areas: pd.DataFrame) -> pd.DataFrame:
    """The partnership's own areas beside each other, the highest rate first.

    `areas` is as `analysis.area_figures.compute_figures` gives. Added: low, high (the rate's 95 % interval), rank,
    first and last (the ranks that chance leaves open). No rate, no rank.
    """
    people = areas["denominator"].astype("Float64").astype(float).mask(areas["suppressed"])
    count = areas["count"].astype("Float64").astype(float)
    ranked = areas.assign(
        **rate_interval(count, people), rank=rank_in_group(areas["rate"]), **rank_spans(count, people)
    )
    return ranked.sort_values("rate", ascending=False, kind="stable", na_position="last")
