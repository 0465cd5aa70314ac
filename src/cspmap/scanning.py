"""The live scanning chart: every category of crime measured, marked by the group, ranked by open weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

from cspmap.analysis.comparison import rank_in_group, within_group
from cspmap.analysis.measures import rate
from cspmap.analysis.priorities import Criterion, measure_trend, score_categories, share_points
from cspmap.errors import SelectionError
from cspmap.exports.published import publish
from cspmap.exports.scan_rows import let_out_scan
from cspmap.operations.decisions import CategoryDecision
from cspmap.peers import find_year as find_published_year
from cspmap.peers import list_among, list_offences, take_members
from cspmap.periods import Month, Span, name_months
from cspmap.priorities import MARKS, Mark, Priorities
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.totals import Coverage

Decided = Mapping[str, CategoryDecision]


# A rate over the mean of the group, its rank (1 the highest) and of how many; NaN where it is not given.
PeerLine: TypeAlias = tuple[float, float, float]
_NOT_PUBLISHED: PeerLine = (float("nan"), float("nan"), float("nan"))

# The lines of the published table that data.police.uk's crime types come to, where those have other names.
RECORDED_AS: Mapping[str, tuple[str, ...]] = {
    "drugs": ("Drug offences",),
    "other-theft": ("All other theft offences",),
    "possession-of-weapons": ("Possession of weapons offences",),
    "public-order": ("Public order offences",),
    "vehicle-crime": ("Vehicle offences",),
    "violent-crime": ("Violence against the person", "Sexual offences"),
    "other-crime": ("Miscellaneous crimes against society",),
}


@dataclass(frozen=True, eq=False)
class Published:
    """The published rates of the partnership and its group, and their year; None where there is no group.

    `members` has a row a partnership (`code`), offence (in small letters) and what its rate is per, with count, people
    and rate; `own` is the partnership's code. Not to be changed.
    """

    year: Span | None
    members: pd.DataFrame
    own: str = ""

    def has(self, offence: str) -> bool:
        """Whether an offence is a line of the table."""
        return self.year is not None and bool((self.members["offence"] == offence.casefold()).any())

    def find(self, offences: Sequence[str], per: str) -> PeerLine:
        """The rate of some offences together over the group's mean, per what is asked where all are published so."""
        names = [offence.casefold() for offence in offences]
        if not names or not all(self.has(name) for name in names):
            return _NOT_PUBLISHED
        rows = self.members[self.members["offence"].isin(names)]
        held = rows.groupby("per", sort=False)["offence"].nunique()
        whole = held.index[held == len(names)].tolist()
        if not whole:
            return _NOT_PUBLISHED
        rows = rows[rows["per"] == (per if per in whole else whole[0])].set_index("code")
        if len(names) == 1:
            rates = rows["rate"]
        else:
            each = rows.groupby(level=0)
            given = each["rate"].count() == len(names)
            rates = rate(each["count"].sum().where(given), each["people"].min())
        bounds = within_group(rates)
        if self.own not in rates.index or not bounds.mean > 0:
            return _NOT_PUBLISHED
        rank = rank_in_group(rates).astype("Float64").astype(float)[self.own]
        return float(rates[self.own]) / bounds.mean, float(rank), float(bounds.number)


@dataclass(frozen=True)
class Scan:
    """The categories of a chart over a year, measured and not yet ranked. Not to be changed.

    `rows` has a row a category by crime key: name, the columns of `analysis.priorities.measure_trend`, share (of all
    incidents), rate (per 1,000 of `per`), per, year_of_per, peers (published rate over the mean of the most similar
    group), peers_rank (1 the highest) and peers_number (of how many), offences (the lines of the published table that
    it is held against, joined by " + "), and harm (weight of one incident). What the disclosure rule withholds or
    rounds is as `exports.scan_rows` says. `coverage` is how complete the year is, `peers_year` the year of the
    published rates, None where there are none.
    """

    year: Span
    rows: pd.DataFrame
    coverage: Coverage
    peers_year: Span | None


def list_categories(query: Query) -> tuple[str, ...]:
    """The categories that the partnership ranks: those it lists, else every crime type."""
    partnership = query.store.partnership
    listed = tuple(each.crime for each in partnership.priorities.categories)
    return listed or tuple(kind.key for kind in partnership.crime_types)


def find_year(query: Query, last: Month | None = None) -> Span:
    """The twelve months up to a month, by default the latest loaded. Raises SelectionError where none is loaded."""
    months = query.store.months
    year = Span.ending(last or months[-1], months=12)
    if len(query.missing_months(year)) == len(year):
        raise SelectionError(
            f"No month of the {year.words} is loaded, only {name_months(months)}; choose a year that ends within those."
        )
    return year


def scan_categories(query: Query, categories: Sequence[str], year: Span, *, published: Published | None = None) -> Scan:
    """Measure some categories (crime types and groups, by key) over a year. Raises SelectionError on unknown ones.

    `published` is what `read_published` gives, for whoever has it already.
    """
    partnership = query.store.partnership
    known = partnership.crime_names
    for key in categories:
        if key not in known:
            raise SelectionError(f"There is no crime type or group {key!r}; choose some of: {', '.join(known)}.")
    whole = Selection.default(query.store).change(crimes=())
    loaded = Span(min(query.store.months[0], year.first), max(query.store.months[-1], year.last))
    chosen = {key: whole.change(crimes=(key,)) for key in categories}
    counts = pd.DataFrame(
        {key: query.count_months(selection, loaded)["count"].astype("Float64") for key, selection in chosen.items()}
    ).set_axis([str(month) for month in loaded])
    rows = let_out_scan(query, measure_trend(counts.astype(float), year), year)
    coverage = publish(query).count_coverage(whole, span=year)
    denominators = {key: query.denominator(selection) for key, selection in chosen.items()}
    people = pd.Series({key: query.count_people(selection) for key, selection in chosen.items()}, dtype=float)
    rows = rows.assign(
        name=[known[key] for key in rows.index],
        share=rows["count"] / coverage.total if coverage.total else float("nan"),
        rate=rate(rows["count"], people),
        per=[denominators[str(key)].name for key in rows.index],
        year_of_per=[denominators[str(key)].year for key in rows.index],
        harm=[_find_harm(query, str(key)) for key in rows.index],
    )
    published = read_published(query) if published is None else published
    offences = [match_offences(query, str(key), published) for key in rows.index]
    beside = [published.find(each, denominators[str(key)].name) for key, each in zip(rows.index, offences, strict=True)]
    rows["offences"] = [" + ".join(each) for each in offences]
    rows = rows.join(pd.DataFrame(beside, index=rows.index, columns=["peers", "peers_rank", "peers_number"]))
    rows["peers_year"] = "" if published.year is None else published.year.words
    return Scan(year, rows, coverage, published.year)


def read_published(query: Query) -> Published:
    """The published rates beside those of the most similar group, the same for every year and category of a chart."""
    if not list_offences(query) or "group" not in list_among(query):
        return Published(None, pd.DataFrame())
    own, rows = take_members(query, "group")
    members = rows[["code", "per", "count", "people", "rate"]].assign(offence=rows["offence"].str.casefold())
    # A figure that is not given, or below 0, has no rate to compare.
    members["rate"] = members["rate"].where(members["count"] >= 0)
    return Published(find_published_year(query), members, own)


def match_offences(query: Query, crime: str, published: Published) -> tuple[str, ...]:
    """The lines of the published table that a category comes to; none where it cannot be matched.

    What the partnership file names, or the line of the category's own name, or those of `RECORDED_AS`; a group that has
    neither comes to those of its types, if each has some.
    """
    partnership = query.store.partnership
    named = partnership.priorities.find(crime).offence
    own = partnership.crime_names[crime]
    tried = [(named,)] if named else [(own,), RECORDED_AS.get(crime, ())]
    for offences in tried:
        if offences and all(published.has(offence) for offence in offences):
            return offences
    types = next((group.types for group in partnership.crime_groups if group.key == crime), ())
    parts = [match_offences(query, key, published) for key in types] if not named else []
    return tuple(dict.fromkeys(each for part in parts for each in part)) if all(parts) else ()


def rank_categories(query: Query, scan: Scan, decided: Decided, weights: Mapping[Criterion, float]) -> pd.DataFrame:
    """The chart: the rows of a scan, what the group set, and the scores, the highest first.

    What the group set are its marks (true, false, or missing where nobody has set one), its choice and reason, and who
    set them when (`who`, `saved_at`). The scores are the columns of `analysis.priorities.score_categories`, each part
    as part_..., and how many points it gives (`share_points`) as points_....
    """
    figures = scan.rows.copy()
    for mark in MARKS:
        figures[mark] = pd.array([is_marked(query, str(key), mark, decided) for key in figures.index], dtype="boolean")
    for name in ("choice", "reason", "who", "saved_at"):
        figures[name] = [getattr(decided[key], name) if key in decided else "" for key in figures.index]
    scores = score_categories(figures, weights)
    parts = scores.drop(columns=["rank", "score", "known"])
    points = share_points(parts, weights).add_prefix("points_")
    return scores[["rank", "score", "known"]].join(figures).join(parts.add_prefix("part_")).join(points)


def is_marked(query: Query, crime: str, mark: Mark, decided: Decided) -> bool | None:
    """Whether a category is marked: by the group, or where the group has not set it, by the partnership file.

    None where nobody has set it: neither the group for this category, nor the file for any category that it lists.
    """
    ticked = decided[crime].find_mark(mark) if crime in decided else "as in the file"
    if ticked != "as in the file":
        return ticked == "yes"
    priorities = query.store.partnership.priorities
    listed = any(each.crime == crime for each in priorities.categories)
    return mark in priorities.find(crime).marks if listed and is_in_file(priorities, mark) else None


def is_in_file(priorities: Priorities, mark: Mark) -> bool:
    """Whether the partnership file ticks a mark for any category, so that those without it are known to be without."""
    return any(mark in each.marks for each in priorities.categories)


def _find_harm(query: Query, crime: str) -> float:
    harm = query.store.partnership.priorities.find(crime).harm
    return float("nan") if harm is None else harm
