"""What the deprivation page says, in plain words: never that one thing brings about the other."""

from collections.abc import Mapping

import pandas as pd

from cspmap.analysis.inequality import FIFTHS, DeprivationCurve
from cspmap.analysis.residuals import FEWEST_PLACES, Standing
from cspmap.deprivation_view import DeprivationPicture, Kind
from cspmap.exports.published import describe_rule
from cspmap.partnership import Partnership
from cspmap.partnership_parts import DisclosureRule
from cspmap.sources.deprivation import OVERALL
from cspmap.views.words import (
    NOT_KNOWN,
    count_incidents,
    describe_unlocated,
    format_count,
    format_percent,
    format_rate,
    join_words,
    list_caveats,
    name_crimes,
)

DOMAIN_NAMES: Mapping[str, str] = {
    OVERALL: "All domains (IMD)",
    "income": "Income",
    "employment": "Employment",
    "education": "Education and skills",
    "health": "Health and disability",
    "crime": "Crime",
    "housing": "Housing and services",
    "environment": "Living environment",
    "idaci": "Income of children's homes",
    "idaopi": "Income of older people",
    "children": "Education: children",
    "adult-skills": "Education: adult skills",
    "geographical-barriers": "Services: distance",
    "wider-barriers": "Housing: wider barriers",
    "indoors": "Environment: indoors",
    "outdoors": "Environment: outdoors",
}
FIFTH_NAMES = ("Most deprived fifth", "Second fifth", "Third fifth", "Fourth fifth", "Least deprived fifth")
DEPRIVED = ("least deprived third", "middle third", "most deprived third")
RATES = ("Lower rate", "Middle rate", "Higher rate")

STANDINGS: Mapping[Standing, str] = {
    "far more": "Far more than usual",
    "more": "More than usual",
    "as usual": "As usual",
    "fewer": "Fewer than usual",
    "far fewer": "Far fewer than usual",
    "not known": "Not known",
}
_WORTH: Mapping[Standing, str] = {
    "far more": "Such areas hardly ever differ so much: 1 in 1,000 would be that high.",
    "more": "Few such areas differ so much: 1 in 40 would be that high.",
    "as usual": "That is within what such areas usually differ by.",
    "fewer": "Few such areas differ so much: 1 in 40 would be that low.",
    "far fewer": "Such areas hardly ever differ so much: 1 in 1,000 would be that low.",
    "not known": "",
}


# How figures of many places are worked out where not all of their counts are let out.
_HELD_BACK: Mapping[DisclosureRule, str] = {
    "none": "",
    "suppress": "What is usual and the concentration curve take {places} whose count is withheld as alike: each has "
    "its people's share of what is withheld in their fifth, or in all fifths that are withheld. By another domain or "
    "edition than all domains of the latest, a fifth with such a place is withheld. How much areas usually differ is "
    "told in the same way.",
    "round": "What is usual and the concentration curve rest on rounded counts of {places}, brought to the rounded sum "
    "of their fifth; whether an area stands out was judged before rounding.",
}


def name_class(number: int) -> str:
    """A class of the map in words: "Higher rate, most deprived third"."""
    return f"{RATES[number // 3]}, {DEPRIVED[number % 3]}"


def name_picture(picture: DeprivationPicture, partnership: Partnership) -> str:
    """The page's heading: "Deprivation and burglary in Luton, year to April 2024"."""
    crimes = name_crimes(picture.choice.selection, partnership)
    crimes = crimes if crimes[1:2].isupper() else crimes[:1].lower() + crimes[1:]
    return f"Deprivation and {crimes} in {partnership.place}, {picture.choice.span.words}"


def name_index(picture: DeprivationPicture) -> str:
    """The edition and domain: "Indices of Deprivation 2025", with a domain where it is not all of them."""
    domain = picture.choice.domain
    part = "" if domain == OVERALL else f", {DOMAIN_NAMES[domain]}"
    return f"Indices of Deprivation {picture.choice.edition}{part}"


def format_deprived(value: float, kind: Kind | None) -> str:
    """What an area is ranked by, as people read it: "34.2", "rank 5,210 in England", "45 %"."""
    if kind is None or pd.isna(value):
        return NOT_KNOWN
    if kind == "rank":
        return f"rank {-value:,.0f}"
    if kind == "fifth":
        return format_percent(100 * value, digits=0)
    return format_rate(value, digits=1 if abs(value) >= 2 else 3)


def describe_whole(picture: DeprivationPicture, place: str) -> str:
    """How deprived the whole partnership is, and how rates differ between the fifths of England."""
    tenth, fifth = (100 * picture.ground.whole[name] for name in ("tenth", "fifth"))
    return (
        f"{format_percent(fifth, digits=0)} of {place}'s residents live in England's most deprived fifth, "
        f"{format_percent(tenth, digits=0)} in its most deprived tenth ({name_index(picture)})."
    )


def describe_fifths(picture: DeprivationPicture) -> str:
    """The rates of the most and the least deprived fifth that there are, side by side."""
    known = picture.fifths.dropna(subset="rate")
    gone = picture.fifths["withheld"]
    if gone.any() and len(known) < 2:
        return f"Withheld, as the counts of places would give them away: {_name_fifths(gone)}."
    if len(known) < 2:
        return "Places here are of one fifth of England at most, so that there is nothing to compare."
    most, least = known.iloc[0], known.iloc[-1]
    told = [
        f"{FIFTH_NAMES[int(fifth) - 1]}: {format_rate(row['rate'])} per 1,000 {picture.per.name} "
        f"({format_rate(row['low'])} to {format_rate(row['high'])})"
        for fifth, row in zip(known.index[[0, -1]], (most, least), strict=True)
    ]
    times = f" The first is {most['rate'] / least['rate']:.1f} times the second." if least["rate"] > 0 else ""
    absent = [FIFTH_NAMES[number - 1].lower() for number in FIFTHS if not picture.fifths["places"][number]]
    none = f" No place here is in England's {' or '.join(absent)}." if absent else ""
    few = [
        f" Only {size} of the places here are in the {FIFTH_NAMES[number - 1].lower()}, too few to say what is usual."
        for number, size in zip(FIFTHS, picture.fifths["places"].astype(int).tolist(), strict=True)
        if 0 < size < FEWEST_PLACES
    ]
    held = f" Withheld: {_name_fifths(gone)}." if gone.any() else ""
    return f"{'. '.join(told)}.{times}{none}{held}{''.join(few)}"


def _name_fifths(flags: pd.Series) -> str:
    return join_words(FIFTH_NAMES[int(str(number)) - 1].lower() for number in flags.index[flags])


# Of a town whose own count is withheld.
WITHHELD_WHOLE = "Withheld, as there are too few incidents in the whole partnership."


def describe_curve(curve: DeprivationCurve, per: str) -> str:
    """What the concentration curve comes to."""
    if not curve.incidents > 0:
        return "No incidents in this period."
    share = format_percent(100 * curve.worst_fifth, digits=0)
    first = f"The most deprived places, where a fifth of {per} are, saw {share} of {count_incidents(curve.incidents)}."
    if pd.isna(curve.error):
        return first
    range_ = f"{_sign(curve.low)} to {_sign(curve.high)}"
    if curve.low <= 0 <= curve.high:
        worth = "which may be no more than the difference that a few places make"
    else:
        worth = "more in deprived places" if curve.index < 0 else "more in places that are not deprived"
    return f"{first} Concentration index {_sign(curve.index)} (95 % range {range_}): {worth}."


def _sign(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def compare_words(ratio: float) -> str:
    """How a count compares with what is usual: "twice", "1.6 times", "58 % of", "about as much as"."""
    if 1.95 <= ratio < 2.05:
        return "twice"
    if ratio < 0.955:
        return f"{100 * ratio:.0f} % of"
    return "about" if ratio < 1.05 else f"{ratio:.1f}".removesuffix(".0") + " times"


def describe_standing(row: pd.Series) -> str:
    """One area beside what is usual; `row` has name, count, expected, ratio and standing."""
    name, standing, expected = row["name"], row["standing"], row["expected"]
    if row.get("withheld"):
        return f"{name}: its count is withheld by the partnership's rule on small counts."
    if standing == "not known":
        return f"{name}: what places as deprived usually see is not known here."
    usual = format_count(expected) if expected >= 10 else format_rate(expected)
    return (
        f"{name} saw {compare_words(row['ratio'])} what places as deprived usually see "
        f"({format_count(row['count'])} where {usual} would be usual)."
    )


def describe_worth(standing: Standing) -> str:
    """What that is worth, in a sentence; empty where it is not known."""
    return _WORTH[standing]


def list_deprivation_caveats(picture: DeprivationPicture, partnership: Partnership) -> list[str]:
    """Everything that travels with the page's figures, a sentence each."""
    choice, source = picture.choice, picture.ground.source
    home = partnership.find_layer(source.layer)
    methods = sorted({str(method) for method in picture.areas["method"].dropna()})
    named = {OVERALL: "The index", "crime": "This domain"}.get(choice.domain)
    counted = list_caveats(
        choice.selection,
        partnership,
        now=picture.coverage,
        before=None,
        denominator=picture.per,
        methods=picture.areas["people_method"],
    )
    # Of a total that is withheld, the share without a location would give it back.
    unlocated = describe_unlocated(picture.coverage, partnership.place)
    sentences = [
        *(sentence for sentence in counted if sentence != unlocated or not picture.withheld),
        describe_rule(partnership.disclosure),
        _HELD_BACK[partnership.disclosure.rule].format(places=home.plural),
        f"Deprivation is {name_index(picture)} ({source.source}; {', '.join(methods) or NOT_KNOWN}). Editions differ "
        "in boundaries and method, so figures of two are never put into one.",
        f"Fifths and tenths are of all LSOAs in England, not of {partnership.place}'s. Rates by fifth and the "
        f"concentration curve are of {home.plural}.",
        f"{named} itself counts recorded crime, so some agreement with it is built in; the domain of income has none."
        if named
        else "",
        "Ranges of rates tell what chance alone leaves open (exact Poisson, 95 %).",
        f"Usual is the mean rate of the {home.plural} of the same fifth of England, the most extreme tenth at either "
        "end drawn in so that one town centre does not say what is usual; an area of several fifths is expected to "
        "have what its residents' places would.",
        "These are figures of places, not of the people in them. That two things are found in the same places does not "
        "say why.",
    ]
    return [sentence for sentence in sentences if sentence]
