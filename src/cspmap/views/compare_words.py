"""The comparison of partnerships and of areas in plain words, and what travels with its figures."""

from collections.abc import Sequence

import pandas as pd

from cspmap.analysis.comparison import BOUNDS, SMALLEST_GROUP, Position
from cspmap.exports.area_figures import Figures, list_figure_caveats
from cspmap.exports.published import describe_rule
from cspmap.partnership import Partnership
from cspmap.peers import Among, Beside, Peers
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.words import (
    VERDICTS,
    describe_missing,
    format_change,
    format_count,
    format_percent,
    format_rate,
    join_words,
    the,
)

POSITIONS: dict[Position, str] = {
    "above": "Above the bounds",
    "within": "Within the bounds",
    "below": "Below the bounds",
    "not known": "Not known",
}
HOW_RATES_RANGE = (
    "A range is the 95 % interval of a rate: what chance alone leaves open about it (Garwood 1936). It takes the "
    "number of people as known, and holds nothing of how fully crime is reported and recorded."
)
HOW_RANKS_RANGE = (
    "Rank 1 is the highest rate; equal rates share a rank. Beside it stand the ranks that chance alone leaves open: "
    "the middle 95 % of 4,000 rankings of rates drawn anew from what each count leaves open (Marshall and "
    "Spiegelhalter 1998). Ranks are less firm still where crime is recorded differently."
)


def name_among(among: Among, partnership: Partnership) -> str:
    """Whom the partnership is compared with: "Most similar group", "Partnerships of the same force"."""
    group = partnership.recorded_crime
    return group.name if among == "group" and group is not None else "Partnerships of the same force"


def describe_bounds() -> str:
    """What the mean and the bounds are."""
    wide = "one standard deviation" if BOUNDS == 1 else f"{BOUNDS:g} standard deviations"
    return (
        "The mean is that of the members' rates, each counting the same, the partnership itself among them (as HMIC's "
        f"comparator had it). Bounds are {wide} of those rates either side of it: in most groups about two members in "
        f"three lie within. With fewer than {SMALLEST_GROUP} rates there are none. The bounds are our own; no "
        "published definition was found."
    )


def describe_standing(peers: Peers, place: str) -> str:
    """Rate, rank, and where that lies in the group, in a few sentences."""
    line, per, year = peers.line, f"per 1,000 {peers.offence.per}", the(peers.year.words)
    if pd.isna(line["rate"]):
        return f"The rate of {place} is not given for {year}."
    number, bounds, digits = peers.bounds.number, peers.bounds, choose_digits(peers)
    told = {name: format_rate(line[name], digits=digits) for name in ("rate", "low", "high")}
    sentences = [
        f"{place}: {format_count(line['count'])} offences in {year}, {told['rate']} {per} ({told['low']} to "
        f"{told['high']} allowing for chance)."
    ]
    if number > 1:
        sentences.append(f"{describe_rank(line, peers.members['rank'], number)} of {number}{_open_ranks(line)}.")
    if number >= SMALLEST_GROUP:
        mean, lower, upper = (format_rate(end, digits=digits) for end in (bounds.mean, bounds.lower, bounds.upper))
        sentences.append(
            f"The mean of the {number} is {mean}, the bounds {lower} to {upper}: {place} is {line['position']} them"
            f"{_allow_for_chance(line)}."
        )
    return " ".join(sentences)


def choose_digits(peers: Peers) -> int:
    """How many decimals tell the rates of a comparison apart."""
    return 1 if peers.bounds.mean >= 10 else 2 if peers.bounds.mean >= 1 else 3


def describe_rank(line: pd.Series, ranks: pd.Series, number: int) -> str:
    """ "The highest", "The 3rd highest", "Joint 3rd highest", "The lowest"."""
    rank = int(line["rank"])
    joint = int((ranks == rank).sum()) > 1
    if rank == number and not joint:
        return "The lowest"
    named = "highest" if rank == 1 else f"{_ordinal(rank)} highest"
    return f"Joint {named}" if joint else f"The {named}"


def _open_ranks(line: pd.Series) -> str:
    if line["first"] == line["last"]:
        return ", and chance alone would not change that"
    return f", and {_ordinal(int(line['first']))} to {_ordinal(int(line['last']))} allowing for chance"


def _allow_for_chance(line: pd.Series) -> str:
    """Whether a rate outside the bounds is so with all of its interval; nothing where it is within."""
    if line["position"] not in ("above", "below"):
        return ""
    return ", even allowing for chance" if line["firm"] else ", but chance could have put it there"


def name_places(frame: pd.DataFrame) -> list[str]:
    """Where each rate lies in the bounds, and whether chance could have put it outside."""
    return [POSITIONS[line["position"]] + _allow_for_chance(line) for _, line in frame.iterrows()]


def summarise_places(frame: pd.DataFrame) -> str:
    """How many of the rates lie outside the bounds, and how many of those are so even allowing for chance."""
    known = frame[frame["position"] != "not known"]
    parts = []
    for position in ("above", "below"):
        there = known[known["position"] == position]
        firm = f" ({int(there['firm'].sum())} of them even allowing for chance)" if len(there) else ""
        parts.append(f"{len(there)} {position} them{firm}")
    within = int((known["position"] == "within").sum())
    return f"Of {len(known)} rates {within} lie within the group's bounds, {parts[0]} and {parts[1]}."


def _ordinal(number: int) -> str:
    """1 -> "1st", 12 -> "12th", 23 -> "23rd"."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def describe_year_on_year(line: pd.Series) -> str:
    """How the count changed on the year before, with its interval and what that is worth."""
    before, after = line["before"], line["count"]
    if pd.isna(before) or pd.isna(after):
        return "The year before is not given here."
    counts = f"{format_count(before)} to {format_count(after)}"
    if line["verdict"] == "not known":
        return f"The count cannot be compared with the year before ({counts})."
    if before == after:
        return f"Level with the year before ({counts})."
    direction = "Up" if after > before else "Down"
    if pd.isna(line["percent"]):
        few = "so few that no percentage is given"
        return f"{direction} on the year before ({counts}; {few}). {VERDICTS[line['verdict']]}"
    amount = format_percent(abs(100 * (after - before) / before))
    ends = f"{format_change(line['percent_low'])} to {format_change(line['percent_high'])} allowing for chance"
    return f"{direction} {amount} on the year before ({counts}; {ends}). {VERDICTS[line['verdict']]}"


def describe_beside(beside: Beside, place: str, *, police_uk: bool) -> str:
    """Recorded crime of a year beside the incidents loaded for it, as one sentence or two."""
    recorded = "not given" if beside.recorded is None else format_count(beside.recorded)
    said = f"In {the(beside.span.words)} recorded crime is {recorded}"
    if not beside.loaded.loaded:
        return f"{said}; no month of it is loaded here, so nothing stands beside it."
    if beside.withheld:
        return f"{said}; the count of incidents loaded for it is withheld."
    if beside.loaded.missing:
        missing = describe_missing(beside.loaded.missing, beside.span.words)
        are = "is" if beside.loaded.loaded == 1 else "are"
        return (
            f"{said}; {beside.loaded.loaded} of its 12 months {are} loaded here, so nothing stands beside it. {missing}"
        )
    ours = f"{format_count(beside.loaded.total)} {'on data.police.uk' if police_uk else 'in the incidents loaded'}"
    if beside.difference is None or beside.percent is None:
        return f"{said}; there are {ours} inside {place}."
    if not beside.difference:
        return f"{said}; there are as many, {ours}, inside {place}."
    gap = f"{format_count(abs(beside.difference))} {'fewer' if beside.difference < 0 else 'more'}"
    return f"{said}; there are {ours} inside {place}, {gap} ({format_change(beside.percent)})."


def describe_two_rates(loaded: tuple[float, float], year: str, per: str, *, asb: bool) -> str:
    """Why all recorded crime has another rate here than incidents have on other pages, with those rates where known.

    `loaded` is as `peers.rate_loaded` gives it for the `year` (in words), `asb` whether anti-social behaviour is among
    the incidents.
    """
    where = "on Explore and under “Own areas”"
    leaves = f"Recorded crime leaves out anti-social behaviour, which the incidents {where} hold"
    with_it, without = (format_rate(value) for value in loaded)
    if pd.isna(loaded[0]):
        return f"{leaves}: their rates are of something else." if asb else ""
    why = "The tab “Two sources” says why these differ from recorded crime."
    if asb:
        return f"{leaves}. Those of {the(year)} come to {with_it} per 1,000 {per} with it, {without} without. {why}"
    return f"Incidents loaded for {the(year)}, as {where}, come to {with_it} per 1,000 {per}. {why}"


def describe_source(peers: Peers, partnership: Partnership) -> str:
    """Where the published rates are from, and who drew up the group: what stands beside every figure of them."""
    group = partnership.recorded_crime
    if group is None:
        return ""
    drawn = f" {group.name}: {group.members_source}." if group.members_source and peers.among == "group" else ""
    return f"Source: {group.source}.{drawn}"


def list_source_caveats(found: Sequence[Beside], partnership: Partnership, *, police_uk: bool) -> list[str]:
    """What travels with the two sources side by side, a sentence each."""
    group = partnership.recorded_crime
    whole = next((beside for beside in found if not beside.loaded.missing), None)
    sentences = [
        partnership.notice,
        f"Recorded crime: {group.source}." if group is not None else "",
        *dict.fromkeys(f"Incidents: {item.source}." for item in partnership.incidents),
        *list_reasons(whole, partnership, police_uk=police_uk),
        describe_rule(partnership.disclosure),
    ]
    return [sentence for sentence in sentences if sentence]


def list_reasons(beside: Beside | None, partnership: Partnership, *, police_uk: bool) -> list[str]:
    """Why the two totals differ: they are different products."""
    reasons = [
        "They are different products, so both stand here and neither is mended by the other, nor are they averaged.",
        "Recorded crime counts offences by the date on which they were recorded, and is put right for years; "
        + (
            "data.police.uk publishes each month once, as it stood some weeks later."
            if police_uk
            else "the incidents loaded are counted as their source gives them."
        ),
        "Offences found to be none, or to be another, are taken out of recorded crime or moved in it later.",
        "Fraud is in neither. Anti-social behaviour is no recorded crime and is left out here.",
    ]
    if police_uk:
        reasons.append(
            "data.police.uk moves each incident to the nearest of a fixed list of points, and we count those inside "
            "the boundary as it is drawn here: near the border some count next door."
        )
    if beside is not None and beside.loaded.unlocated and not beside.loaded.own:
        reasons.append(
            f"{format_count(beside.loaded.unlocated)} of the force's incidents of that year have no location: some may "
            f"be {partnership.place}'s, and none of them is counted here."
        )
    return reasons


def list_peer_caveats(peers: Peers, partnership: Partnership) -> list[str]:
    """What travels with the figures of a comparison of partnerships, a sentence each."""
    group = partnership.recorded_crime
    drawn = group.members_source if group is not None and peers.among == "group" else ""
    year = the(peers.year.words)
    sentences = [
        partnership.notice,
        f"{peers.offence.name}, {year}, per 1,000 {peers.offence.per}.",
        f"Source: {group.source}." if group is not None else "",
        f"{name_among(peers.among, partnership)}: {join_words(sorted(peers.members['name']))}."
        + (f" Drawn up by: {drawn}." if drawn else ""),
        describe_people(peers),
        describe_bounds(),
        HOW_RATES_RANGE,
        HOW_RANKS_RANGE,
        "Changes are of counts; whether one is more than chance is told by the E-test (Krishnamoorthy and Thomson "
        "2004), its range is the score interval of a ratio of two Poisson counts (Graham and others 2003).",
        *describe_marks(peers.members),
        "Rates of city centres are high because many who are there do not live there.",
    ]
    return [sentence for sentence in sentences if sentence]


def describe_people(peers: Peers) -> str:
    """Which people rates are per, and where rates were worked out here."""
    people = f"Rates are per 1,000 {peers.offence.per} as the table says."
    latest = peers.line["before"] == peers.line["before"]
    return people if latest else f"{people} Those of this year are worked out here, per the same {peers.offence.per}."


def describe_marks(members: pd.DataFrame) -> list[str]:
    """What is said of single figures, by partnership."""
    return [f"{name}: {mark}." for name, mark in zip(members["name"], members["marks"], strict=True) if mark]


def list_area_caveats(query: Query, selection: Selection, figures: Figures) -> list[str]:
    """What travels with the figures of the partnership's own areas, a sentence each."""
    return [*list_figure_caveats(query, selection, figures), HOW_RATES_RANGE, HOW_RANKS_RANGE]
