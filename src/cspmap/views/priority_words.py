"""The scanning chart in words: why a category ranks where it does, and what must be known of the figures."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import pandas as pd

from cspmap.analysis.priorities import CRITERIA, Criterion
from cspmap.analysis.targets.verdict import CALIBRATION
from cspmap.exports.published import WITHHELD, describe_rule, hides_total
from cspmap.exports.scan_rows import WITHHELD_CHANGE
from cspmap.operations.decisions import Choice
from cspmap.priorities import MARKS, Mark
from cspmap.query import Query
from cspmap.scanning import Scan, is_in_file
from cspmap.views.words import (
    NOT_KNOWN,
    describe_missing,
    describe_unlocated,
    format_change,
    format_count,
    format_percent,
    format_rate,
    join_words,
    the,
)

# A row of a table, by its columns.
Row: TypeAlias = Mapping[Any, Any]

CRITERION_NAMES: Mapping[Criterion, str] = {
    "volume": "Volume",
    "peers": "Rate against similar",
    "trend": "Rising",
    "forecast": "Forecast",
    "harm": "Harm",
    "national_target": "National target",
    "local_agreement": "Local agreement",
    "national_indicator": "National indicator",
    "public_concern": "High public concern",
}
CRITERION_HELP: Mapping[Criterion, str] = {
    "volume": "The count beside the largest of any category.",
    "peers": "By how much its rate is above the mean of the most similar partnerships.",
    "trend": "1 where two tests say that it has really risen, a half where one of them does.",
    "forecast": "How likely the next twelve months are to hold more: 0 where it could go either way, 1 if certain.",
    "harm": "The count by the weight of one incident that the partnership has set.",
    "national_target": "Set by the group.",
    "local_agreement": "Set by the group.",
    "national_indicator": "Set by the group.",
    "public_concern": "Set by the group.",
}
CHOICES: Mapping[Choice, str] = {"include": "Include", "exclude": "Exclude", "open": "Not decided"}
_SET_AS: Mapping[Mark, str] = {
    "national_target": "a national target",
    "local_agreement": "part of the local agreement",
    "national_indicator": "a national indicator",
    "public_concern": "of high public concern",
}
TRENDS = {
    "real rise": "more than chance",
    "real fall": "more than chance",
    "possible rise": "which may be more than chance",
    "possible fall": "which may be more than chance",
    "normal variation": "within normal variation",
    "mixed signs": "with mixed signs",
    "too few to say": "too few to say whether that means anything",
}

NO_HARM = "Harm: the partnership has set no weights, and none are assumed."


def describe_category(row: Row, *, of: int, place: int, joint: bool) -> str:
    """ "Ranked 1 of 10: 3,412 incidents, the most; up 12 % on last year, more than chance; ..."

    `row` is a row of `scanning.rank_categories`, `of` how many are ranked, `place` its place by count (1 the largest),
    `joint` whether another has the same score.
    """
    if pd.isna(row["rank"]):
        known = "count withheld, and nothing else" if row.get(WITHHELD) else "nothing"
        return f"Not ranked: {known} that has a weight is known of it."
    joint_words = "Joint " if joint else ""
    start = f"{joint_words}{'rank' if joint else 'Ranked'} {row['rank']} of {of}"
    parts = [
        describe_volume(row, place=place, of=of),
        describe_peers(row),
        describe_trend(row),
        describe_forecast(row),
        "" if pd.isna(row["harm"]) else f"harm weighs {row['harm']:g} an incident",
        describe_marks(row),
    ]
    return f"{start}: {'; '.join(part for part in parts if part)}."


def describe_volume(row: Row, *, place: int, of: int) -> str:
    """ "3,412 incidents, the most", with how many months are missing where any are."""
    if row.get(WITHHELD):
        return "count withheld"
    if pd.isna(row["count"]):
        return "count not known"
    noun = "incident" if row["count"] == 1 else "incidents"
    rank = {1: ", the most", of: ", the fewest"}.get(place, "") if of > 1 else ""
    missing = int(row["months_missing"])
    months = f" ({missing} {'month' if missing == 1 else 'months'} missing)" if missing else ""
    return f"{format_count(row['count'])} {noun}{months}{rank}"


def describe_trend(row: Row) -> str:
    """ "up 12 % on last year, more than chance"."""
    if row.get(WITHHELD_CHANGE):
        return "change on last year and next year's range withheld"
    evidence, before, now = str(row["evidence"]), row["last_year"], row["now_compared"]
    if evidence == "not known" or pd.isna(before) or pd.isna(now):
        return "change on last year not known"
    if evidence == "no incidents":
        return "none in either year"
    worth = TRENDS.get(evidence, evidence)
    if before == 0:
        return f"none last year and {format_count(now)} now, {worth}" if now else "none in either year"
    percent = 100 * (now - before) / before
    if percent == 0:
        return f"level with last year ({format_count(now)})"
    amount = format_percent(abs(percent), digits=0 if abs(percent) >= 9.95 else 1)
    direction = "up" if percent > 0 else "down"
    return f"{direction} {amount} on last year ({format_count(before)} to {format_count(now)}), {worth}"


def summarise_trend(row: Row) -> str:
    """ "+12 %, more than chance", for a cell."""
    if row.get(WITHHELD_CHANGE):
        return WITHHELD
    evidence = str(row["evidence"])
    if evidence == "not known" or pd.isna(row["last_year"]):
        return NOT_KNOWN
    percent = format_change(row["percent"]) if row["last_year"] else format_count(row["now_compared"])
    return f"{percent}, {TRENDS.get(evidence, evidence)}"


def describe_forecast(row: Row) -> str:
    """ "heading for 3,500 next year (3,100 to 3,900)"."""
    if row.get(WITHHELD_CHANGE):
        return ""
    if pd.isna(row["projected"]):
        return "too few months to say where it is heading"
    between = f"({format_count(row['low'])} to {format_count(row['high'])})"
    return f"heading for {format_count(row['projected'])} in the next year {between}"


def describe_peers(row: Row) -> str:
    """ "its rate, as published for the year to December 2024, 12 % above the mean of similar partnerships".

    Empty where that is not loaded.
    """
    if pd.isna(row["peers"]):
        return ""
    percent = 100 * (row["peers"] - 1)
    where = f"{abs(percent):.0f} % {'above' if percent > 0 else 'below'}" if abs(percent) >= 0.5 else "at"
    rank = "" if pd.isna(row["peers_rank"]) else f" (rank {row['peers_rank']:.0f} of {row['peers_number']:.0f})"
    published = f", as published for {the(str(row['peers_year']))}," if row.get("peers_year") else ""
    return f"its rate{published} {where} the mean of similar partnerships{rank}"


def describe_marks(row: Row) -> str:
    """ "set as a national target and of high public concern"; empty where nothing is set."""
    words = [_SET_AS[mark] for mark in MARKS if not pd.isna(row[mark]) and row[mark]]
    return f"set as {join_words(words)}" if words else ""


def list_sentences(chart: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Each category of `scanning.rank_categories`, the highest first: its key, its name and its sentence."""
    places = chart["count"].rank(method="min", ascending=False)
    ranked = int(chart["rank"].notna().sum())
    counts = chart["rank"].value_counts()
    told = []
    for key, row, place in zip(chart.index, chart.to_dict("records"), places.fillna(0).astype(int), strict=True):
        joint = pd.notna(row["rank"]) and counts[row["rank"]] > 1
        words = describe_category(row, of=ranked, place=place, joint=bool(joint))
        told.append((str(key), str(row["name"]), words))
    return told


def list_scan_caveats(query: Query, scan: Scan, weights: Mapping[Criterion, float]) -> list[str]:
    """What travels with the chart, a sentence each."""
    partnership, year = query.store.partnership, scan.year
    set_weights = ", ".join(f"{CRITERION_NAMES[name].lower()} {weights.get(name, 0):g}" for name in CRITERIA)
    harm_source = partnership.priorities.harm_source
    known = scan.rows["harm"].notna()
    per = scan.rows[["per", "year_of_per"]].drop_duplicates().itertuples(index=False, name=None)
    rates = join_words(f"{name} ({when})" for name, when in per)
    sentences = [
        partnership.notice,
        f"Recorded incidents of {partnership.place} in {the(year.words)}, compared with the year before.",
        describe_missing(scan.coverage.missing, year.words),
        f"Weights, chosen and no standard of anybody's: {set_weights}.",
        f"Rates are per 1,000 {rates}.",
        describe_published(scan),
        f"Weights of harm: {harm_source}." if known.any() else NO_HARM,
        "" if known.all() or not known.any() else "Harm is left out for categories without a weight.",
        f"Marks from the partnership file: {partnership.priorities.marks_source}."
        if partnership.priorities.marks_source
        else "",
        describe_rule(partnership.disclosure),
        "A withheld figure is left out of its category's score." if partnership.disclosure.rule == "suppress" else "",
        "A category's points are 100 x weight x part / the weight of all that is known of it; each part is from 0 to "
        "1, and the points add up to the score.",
        describe_unset(query),
        "A figure that is not known is left out for its category, and so is its weight.",
        f"A range holds the count four times in five. {CALIBRATION}",
        ""
        if hides_total(scan.coverage, partnership.disclosure)
        else describe_unlocated(scan.coverage, partnership.place),
        "Groups of crime types overlap with the types they are made of: their counts do not add up."
        if set(scan.rows.index) & {group.key for group in partnership.crime_groups}
        else "",
    ]
    return [sentence for sentence in sentences if sentence]


def describe_unset(query: Query) -> str:
    """What becomes of marks that nobody has set, and which those are in the partnership file."""
    absent = [CRITERION_NAMES[mark] for mark in MARKS if not is_in_file(query.store.partnership.priorities, mark)]
    which = f" The partnership file sets none of: {join_words(absent)}." if absent else ""
    return (
        "A mark that nobody has set for a category (“not set”) is left out of its score, and so is its weight: it is "
        f"not taken as “no”.{which} Marks are set on the tab “Decide”."
    )


def describe_gaps(scan: Scan) -> str:
    """What missing months of the year do to the chart; empty where none is missing."""
    loaded = scan.coverage.loaded
    if not scan.coverage.missing:
        return ""
    return (
        f"Counts, rates and scores are of the {loaded} months that are loaded, and lower than a whole year's. A change "
        "compares the same months of the year before. No forecast is weighed, as the year cannot be compared with the "
        "next."
    )


def describe_published(scan: Scan) -> str:
    """What the column of rates against similar partnerships rests on."""
    if scan.peers_year is None:
        return "Rates against similar partnerships: not loaded, so not weighed."
    rows = scan.rows
    apart = rows[(rows["offences"] != "") & (rows["offences"].str.casefold() != rows["name"].str.casefold())]
    taken = "; ".join(f"{name} as {offences}" for name, offences in zip(apart["name"], apart["offences"], strict=True))
    matched = f" Matched to the published offences: {taken}." if taken else ""
    without = [str(name) for name in rows.loc[rows["peers"].isna(), "name"]]
    left = (
        f" No published offence is the same as {join_words(without)}: left out there. A partnership file may name one "
        "(offence, under [[priorities.categories]])."
        if without
        else ""
    )
    return (
        f"Rates against similar partnerships are of recorded crime in {the(scan.peers_year.words)}, as published, over "
        f"the unweighted mean of the group.{matched}{left}"
    )


def format_harm(value: float) -> str:
    """The weight of one incident; "not set" where the partnership has set none."""
    return "not set" if pd.isna(value) else f"{value:g}"


def format_ratio(value: float, *, otherwise: str) -> str:
    """A rate against similar partnerships: "+12 %"; what to say `otherwise`, where there is none."""
    return otherwise if pd.isna(value) else f"{100 * (value - 1):+.0f} %".replace("-", "−")


def format_rate_of(row: Row) -> str:
    """ "12.3 households" under a heading of "Per 1,000"; "not known" where it is not, "withheld" where it is that."""
    if row.get(WITHHELD):
        return WITHHELD
    known = format_rate(row["rate"])
    return known if pd.isna(row["rate"]) else f"{known} {row['per']}"


def format_mark(value: object) -> str:
    """A mark as in a printed chart: an X, nothing, or that nobody has set it."""
    return "not set" if pd.isna(value) else "X" if value else ""  # type: ignore[call-overload]
