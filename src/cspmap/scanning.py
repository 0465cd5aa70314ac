"""The live scanning chart: every category of crime measured, marked by the group, ranked by open weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

from cspmap.analysis.measures import rate
from cspmap.analysis.priorities import Criterion, measure_trend, score_categories
from cspmap.errors import SelectionError
from cspmap.operations.decisions import CategoryDecision
from cspmap.peers import compare_offences, list_among, list_offences
from cspmap.peers import find_year as find_published_year
from cspmap.periods import Month, Span, name_months
from cspmap.priorities import MARKS, Mark
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.totals import Coverage

Decided = Mapping[str, CategoryDecision]


# A rate over the mean of the group, its rank (1 the highest) and of how many; NaN where it is not given.
PeerLine: TypeAlias = tuple[float, float, float]
_NOT_PUBLISHED: PeerLine = (float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Published:
    """The partnership's published rates against its group, by offence (in small letters) and what they are per, and the
    year that they are of; empty where there is no group.
    """

    year: Span | None
    lines: Mapping[str, Mapping[str, PeerLine]]

    def find(self, offence: str, per: str) -> PeerLine:
        """The line of an offence, per what is asked where it is published so."""
        lines = self.lines.get(offence.casefold(), {})
        return lines.get(per) or next(iter(lines.values()), _NOT_PUBLISHED)


@dataclass(frozen=True)
class Scan:
    """The categories of a chart over a year, measured and not yet ranked. Not to be changed.

    `rows` has a row a category by crime key: name, the columns of `analysis.priorities.measure_trend`, share (of all
    incidents), rate (per 1,000 of `per`), per, year_of_per, peers (published rate over the mean of the most similar
    group), peers_rank (1 the highest) and peers_number (of how many), and harm (weight of one incident). `coverage` is
    how complete the year is, `peers_year` the year of the published rates, None where there are none.
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
    rows = measure_trend(counts.astype(float), year)
    coverage = query.count_coverage(whole, span=year)
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
    beside = [
        published.find(partnership.priorities.find(str(key)).offence or known[str(key)], denominators[str(key)].name)
        for key in rows.index
    ]
    rows = rows.join(pd.DataFrame(beside, index=rows.index, columns=["peers", "peers_rank", "peers_number"]))
    rows["peers_year"] = "" if published.year is None else published.year.words
    return Scan(year, rows, coverage, published.year)


def read_published(query: Query) -> Published:
    """The published rates beside those of the most similar group, the same for every year and category of a chart."""
    if not list_offences(query) or "group" not in list_among(query):
        return Published(None, {})
    lines: dict[str, dict[str, PeerLine]] = {}
    for row in compare_offences(query).to_dict("records"):
        if row["mean"] > 0:
            rate, rank = (float("nan") if pd.isna(row[name]) else float(row[name]) for name in ("rate", "rank"))
            # An offence may be published per residents and per households.
            name = str(row["offence"]).partition(", per ")[0].casefold()
            lines.setdefault(name, {})[str(row["per"])] = (rate / float(row["mean"]), rank, float(row["number"]))
    return Published(find_published_year(query), lines)


def rank_categories(query: Query, scan: Scan, decided: Decided, weights: Mapping[Criterion, float]) -> pd.DataFrame:
    """The chart: the rows of a scan with the group's marks (true or false), its choice and reason, and who set them
    when (`who`, `saved_at`), and the columns of `analysis.priorities.score_categories`, the highest score first.
    """
    figures = scan.rows.copy()
    for mark in MARKS:
        figures[mark] = [is_marked(query, str(key), mark, decided) for key in figures.index]
    for name in ("choice", "reason", "who", "saved_at"):
        figures[name] = [getattr(decided[key], name) if key in decided else "" for key in figures.index]
    scores = score_categories(figures, weights)
    parts = scores.drop(columns=["rank", "score", "known"]).add_prefix("part_")
    return scores[["rank", "score", "known"]].join(figures).join(parts)


def is_marked(query: Query, crime: str, mark: Mark, decided: Decided) -> bool:
    """Whether a category is marked: by the group, or where the group has not set it, by the partnership file."""
    ticked = decided[crime].find_mark(mark) if crime in decided else "as in the file"
    if ticked == "as in the file":
        return mark in query.store.partnership.priorities.find(crime).marks
    return ticked == "yes"


def _find_harm(query: Query, crime: str) -> float:
    harm = query.store.partnership.priorities.find(crime).harm
    return float("nan") if harm is None else harm
