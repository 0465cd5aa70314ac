"""What a focus area comes to, in plain words."""

from cspmap.analysis.focus import AreaFigures, Progress, SuggestedArea, Suggestion
from cspmap.exports.published import WITHHELD, describe_rule, hides_total
from cspmap.focus_area import RESIDENTS, Aim, Catch, ChosenArea, FocusGround
from cspmap.partnership import Partnership
from cspmap.periods import name_months
from cspmap.selection import Selection
from cspmap.totals import Coverage
from cspmap.views.words import NOT_KNOWN, describe_missing, describe_unlocated, format_percent, join_words, the

ENDED = {
    "complete": "",
    "no further area": "No further area that differs enough keeps the rules.",
    "out of time": "Time ran out before all were found.",
    "stopped": "The search was stopped before all were found.",
}


_COUNTED = "Incidents are counted where their published point lies."
_SNAPPED = (
    "Incidents are counted where their published point lies, which is the nearest of a fixed list of places: near a "
    "border they may count next door."
)


def format_share(share: float | None) -> str:
    """0.234 -> "23 %", 0.0712 -> "7.1 %"; None -> "not known"."""
    if share is None:
        return NOT_KNOWN
    return format_percent(100 * share, digits=0 if share >= 0.0995 else 1)


def tell_share(catch: Catch) -> str:
    """The share of a catch: "23 %", "withheld"."""
    return WITHHELD if catch.withheld else format_share(catch.share)


def name_aim(aim: Aim, selection: Selection, partnership: Partnership) -> str:
    """What is to be caught, inside a sentence: "burglary", "all recorded incidents (weighted)"."""
    names = [_lower_first(partnership.name_crime(key)) for key in selection.crimes]
    what = join_words(names) if names else "all recorded incidents"
    return f"{what} (weighted)" if aim.weighted else what


def _lower_first(name: str) -> str:
    """ "Drugs" as it stands inside a sentence; an abbreviation such as "ASB" stays."""
    return name if name[1:2].isupper() else f"{name[:1].lower()}{name[1:]}"


def describe_weights(aim: Aim, partnership: Partnership) -> str:
    """How incidents count; empty where each counts 1."""
    if not aim.weighted:
        return ""
    told = [f"{partnership.name_crime(key)} {weight:g}" for key, weight in aim.weights if weight != 1]
    return f"Weighted: {join_words(told)}; any other incident counts 1."


def describe_caught(area: ChosenArea, what: str) -> str:
    """ "Holds 23 % of burglary on 7.1 % of the land, with 9.2 % of residents." """
    figures = area.figures
    land = f"{format_share(figures.km2_share)} of the land"
    residents = area.people.get(RESIDENTS, (None, None))[1]
    people = "" if residents is None else f", with {format_share(residents)} of residents"
    if area.catch.withheld:
        return (
            f"What it holds of {what} is withheld, as a count is small or would give a small one away. It is on "
            f"{land}{people}."
        )
    if area.catch.captured is None:
        return f"What it holds of {what} is not known: no month of {the(area.catch.span.words)} is loaded."
    if area.catch.share is None and area.catch.rounded:
        return f"There was so little {what} in {the(area.catch.span.words)} that all of it rounds to none."
    if area.catch.share is None:
        return f"There was no {what} anywhere in {the(area.catch.span.words)}."
    return f"Holds {format_share(area.catch.share)} of {what} on {land}{people}."


def describe_later(later: Catch | None) -> str:
    """What the area held of the months after, which it was not chosen by."""
    if later is None:
        return (
            "No later month is loaded to hold it against; choose an earlier period to see what an area chosen then "
            "held afterwards."
        )
    if later.withheld:
        return f"What it held in {the(later.span.words)}, which it was not chosen by, is withheld."
    if later.share is None and later.rounded:
        return f"In {the(later.span.words)}, which it was not chosen by, all that was recorded rounds to none."
    if later.share is None:
        return f"In {the(later.span.words)}, which it was not chosen by, nothing was recorded."
    return f"In {the(later.span.words)}, which it was not chosen by, it held {format_share(later.share)}."


def describe_gaps(area: ChosenArea) -> list[str]:
    """Which months of either period are not loaded."""
    told = []
    for part in filter(None, (area.catch, area.later)):
        held = set(part.months)
        told.append(describe_missing([month for month in part.span if month not in held], part.span.words))
    return [sentence for sentence in told if sentence]


def describe_shape(figures: AreaFigures) -> str:
    """How compact it is, and whether it hangs together."""
    pieces = "In one piece" if figures.connected else "In several pieces"
    return f"{pieces}; compactness {figures.compactness:.2f} (a circle has 1, a square 0.79, a thread nearly 0)."


def describe_proof(area: SuggestedArea, *, first: bool, withheld: bool = False) -> str:
    """Whether another could be better: of the first among all areas, of a later one among those that differ.

    By how much is not told where what the area holds is `withheld`: of a few, it would tell how many.
    """
    if area.proven:
        if first:
            return "Proven: no other area that keeps the rules is worth more."
        return "Proven: none that differs enough from those before is worth more."
    return "The search ended early: another area might be worth more." if withheld else area.words


def describe_end(suggestion: Suggestion, ground: FocusGround) -> str:
    """Why there are no more areas, and which units could take no part."""
    names = ground.names
    unknown = [names[code] for code in suggestion.unknown]
    shown = join_words([*unknown[:5], *([f"{len(unknown) - 5} more"] if len(unknown) > 5 else [])])
    left_out = f"Left out, as their figures are not known: {shown}." if unknown else ""
    return " ".join(filter(None, (ENDED[suggestion.ended], left_out)))


def describe_progress(progress: Progress | None, *, hides: bool = False) -> str:
    """How far a search has come; `hides` where small counts are withheld, so that it is not told how good it is."""
    if progress is None:
        return "Looking for a first area."
    name = "the best area" if progress.area == 1 else f"alternative {progress.area - 1}"
    if hides:
        return f"Looking for {name}; {progress.seconds:.0f} s."
    return (
        f"Looking for {name}: the best so far could still be beaten by at most "
        f"{format_percent(100 * progress.gap)}; {progress.seconds:.0f} s."
    )


def list_focus_caveats(
    area: ChosenArea, aim: Aim, partnership: Partnership, *, what: str, coverage: Coverage
) -> list[str]:
    """Everything that travels with the figures of a focus area, a sentence each.

    `coverage` is how complete the aim's span is, as the disclosure rule lets it out.
    """
    snapped = any(source.format == "police.uk" for source in partnership.incidents)
    held = [partnership.find_denominator(key) for key in area.people]
    months = name_months(area.catch.months) if area.catch.months else "no month"
    return [
        sentence
        for sentence in (
            partnership.notice,
            f"Chosen by {what} in {partnership.place}, {aim.span.words} ({months} loaded).",
            describe_weights(aim, partnership),
            *describe_gaps(area),
            f"Shares are of everything in {partnership.place}; incidents without a location count in no area.",
            # With the share without a location it would give the count back.
            "" if hides_total(coverage, partnership.disclosure) else describe_unlocated(coverage, partnership.place),
            *(f"{item.name.capitalize()}: {item.year} ({item.source})." for item in held),
            _SNAPPED if snapped else _COUNTED,
            "An area chosen for its peak falls back towards the average by itself: judge it on later months.",
            describe_rule(partnership.disclosure),
        )
        if sentence
    ]
