"""Figures in plain British English: the one place where sentences on the screen and in files are made."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import pandas as pd

from cspmap.analysis.change import Verdict
from cspmap.partnership import Denominator, Partnership
from cspmap.periods import Comparison, Month
from cspmap.selection import DEPRIVATION_MEASURES, Measure, Selection
from cspmap.totals import Coverage

NOT_KNOWN = "not known"
LAST_YEAR = "last year"

VERDICTS: dict[Verdict, str] = {
    "up": "That is more than chance would explain.",
    "down": "That is more than chance would explain.",
    "normal variation": "That is within normal variation.",
    "too few to say": "Too few to say whether that means anything.",
    "no incidents": "None in either period.",
    "not known": "The two periods cannot be compared.",
}

MEASURE_NAMES: dict[Measure, str] = {
    "rate": "Rate",
    "count": "Count",
    "share": "Share of all",
    "change": "Change",
    "smoothed": "Smoothed rate",
    "score": "Deprivation score",
    "decile": "Deprivation decile",
    "fifth": "In most deprived fifth",
    "progress": "Progress on target",
}

COMPARISONS: dict[Comparison, str] = {"last-year": "Last year", "previous": "Months before"}


def format_count(value: float | None) -> str:
    """1584 -> "1,584"; missing -> "not known"."""
    return NOT_KNOWN if value is None or pd.isna(value) else f"{value:,.0f}"


def count_incidents(value: float | None) -> str:
    """1 -> "1 incident", 1584 -> "1,584 incidents"; missing -> "not known"."""
    if value is None or pd.isna(value):
        return NOT_KNOWN
    return "1 incident" if value == 1 else f"{format_count(value)} incidents"


def format_rate(value: float | None, *, digits: int = 1) -> str:
    """97.6 -> "97.6", 1234.6 -> "1,235"; missing -> "not known"."""
    if value is None or pd.isna(value):
        return NOT_KNOWN
    return f"{value:,.0f}" if value >= 999.95 else f"{value:,.{digits}f}"


def format_percent(value: float | None, *, digits: int = 1) -> str:
    """3.4 -> "3.4 %"; something too small for the digits -> "under 0.1 %", never 0; missing -> "not known"."""
    if value is None or pd.isna(value):
        return NOT_KNOWN
    least = 10.0**-digits
    return f"under {least:.{digits}f} %" if 0 < value < least / 2 else f"{value:,.{digits}f} %"


def format_change(value: float | None) -> str:
    """12.3 -> "+12 %", -4.5 -> "−4.5 %" (a true minus sign); missing -> "not known"."""
    if value is None or pd.isna(value):
        return NOT_KNOWN
    digits = 0 if abs(value) >= 9.95 else 1
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{abs(value):,.{digits}f} %"


def format_moment(text: str) -> str:
    """An ISO date-time in UTC as people write it: "21 November 2026 at 08:34 UTC"."""
    moment = datetime.fromisoformat(text)
    return f"{moment.day} {Month(moment.year, moment.month).words} at {moment:%H:%M} UTC"


def escape_markdown(text: str) -> str:
    """Text from data as Markdown that shows it as it is."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+-.!|~:$" else sign for sign in text)


def join_words(items: Iterable[str]) -> str:
    """ "A", "A and B", "A, B and C"."""
    listed = list(items)
    return " and ".join([", ".join(listed[:-1]), listed[-1]]) if len(listed) > 1 else "".join(listed)


def the(period: str) -> str:
    """The words of a period inside a sentence: "the year to April 2024", but "April 2024"."""
    return f"the {period}" if period.startswith("year ") else period


def name_crimes(selection: Selection, partnership: Partnership) -> str:
    """What is counted, in words: "Recorded incidents", "Burglary", "Burglary and Robbery"."""
    if not selection.crimes:
        return "Recorded incidents"
    return join_words(partnership.name_crime(key) for key in selection.crimes)


def name_view(selection: Selection, partnership: Partnership) -> str:
    """What a map shows, as its heading: "Burglary in Luton, year to April 2024, compared with last year"."""
    if selection.measure in DEPRIVATION_MEASURES:
        what = f"{MEASURE_NAMES[selection.measure]}, Indices of Deprivation {selection.edition}"
        return f"{what}, in {partnership.place}"
    period = f"{selection.span.words}, compared with {selection.before.words}"
    return f"{name_crimes(selection, partnership)} in {partnership.place}, {period}"


def name_part(selection: Selection, partnership: Partnership) -> str:
    """Which of the areas are shown, where not all are: "Only 3 of the wards are shown."."""
    if not selection.areas:
        return ""
    layer = partnership.find_layer(selection.level)
    one = len(selection.areas) == 1
    return f"Only {len(selection.areas)} of the {layer.plural} {'is' if one else 'are'} shown."


def name_comparison(selection: Selection) -> str:
    """What it is compared with: "last year", "the 3 months before", "April 2022 to June 2022"."""
    if selection.comparison == "last-year":
        return LAST_YEAR if len(selection.span) <= 12 else the(selection.before.words)
    if selection.comparison == "previous":
        months = len(selection.span)
        return "the month before" if months == 1 else f"the {months} months before"
    return the(selection.before.words)


def during(against: str) -> str:
    """When that was, from `name_comparison`: "last year", "in the 3 months before"."""
    return against if against == LAST_YEAR else f"in {against}"


def explain_incomparable(now: Coverage, before: Coverage) -> str:
    """Why two periods do not compare; empty where they do."""
    for coverage in (now, before):
        if not coverage.loaded:
            return f"no month of {the(coverage.span.words)} is loaded"
    if len(now.span) != len(before.span):
        return f"one period is {_months(len(now.span))} long and the other {len(before.span)}"
    if now.loaded != before.loaded:
        return f"{_months(now.loaded)} of one are loaded and {before.loaded} of the other"
    return ""


def _months(count: int) -> str:
    return "1 month" if count == 1 else f"{count} months"


def describe_duration(coverage: Coverage) -> str:
    """What a rate is over: "over 12 months", "over 11 of 12 months" where one is missing."""
    length = len(coverage.span)
    return f"over {_months(length)}" if coverage.loaded == length else f"over {coverage.loaded} of {_months(length)}"


def describe_change(
    subject: str,
    before: float | None,
    after: float | None,
    verdict: Verdict,
    against: str,
    *,
    plural: bool = False,
    why: str = "",
) -> str:
    """ "Burglary is up 12 % on last year (34 to 38). That is within normal variation."

    `plural` where the subject takes "are"; `why` says why the two cannot be compared, where that is so.
    """
    verb = "are" if plural else "is"
    if verdict == "not known" or before is None or after is None or pd.isna(before) or pd.isna(after):
        return f"{subject} cannot be compared with {against}: {why or 'one of the two is not known'}."
    if verdict == "no incidents":
        return f"No {_lower_first(subject)} in this period or {during(against)}."
    counts = f"({format_count(before)} to {format_count(after)})"
    if before == after == 0:
        # They are not none, and so can only have been rounded.
        return f"{subject}: 0 in this period and {during(against)}, as counts are rounded. {VERDICTS[verdict]}"
    if before == 0:
        return f"{subject} rose from none {during(against)} to {format_count(after)}. {VERDICTS[verdict]}"
    percent = 100 * (after - before) / before
    if percent == 0:
        return f"{subject} {verb} level with {against} {counts}."
    direction = "up" if percent > 0 else "down"
    amount = format_percent(abs(percent), digits=0 if abs(percent) >= 9.95 else 1)
    return f"{subject} {verb} {direction} {amount} on {against} {counts}. {VERDICTS[verdict]}"


def _lower_first(subject: str) -> str:
    """ "Drugs" as it stands inside a sentence; an abbreviation such as "ASB" stays."""
    return subject if subject[1:2].isupper() else subject[:1].lower() + subject[1:]


def describe_missing(missing: Sequence[Month], span_words: str) -> str:
    """Which months of a period are not loaded; empty where all are."""
    if not missing:
        return ""
    if [month.words for month in missing] == [span_words]:
        return f"{span_words} is not loaded: missing, not zero."
    shown = missing if len(missing) <= 5 else missing[:4]
    more = [f"{len(missing) - 4} more"] if len(missing) > 5 else []
    named = join_words([*(month.words for month in shown), *more])
    noun = "month is" if len(missing) == 1 else "months are"
    return f"{len(missing)} {noun} missing from {the(span_words)} ({named}): missing, not zero."


def describe_absent(selection: Selection, partnership: Partnership) -> str:
    """Why a map has no colours: what it should show is known for no area."""
    plural = partnership.find_layer(selection.level).plural
    if selection.measure == "progress":
        return (
            f"No table of targets sets any for {_lower_first(name_crimes(selection, partnership))} over a period that "
            f"{selection.span.last.words} is in."
        )
    if selection.measure == "decile":
        return f"Deciles are published for LSOAs; {plural} have a score and a share in the most deprived fifth instead."
    return f"{MEASURE_NAMES[selection.measure]}: not known for any of the {plural}, or none in this period."


def describe_unlocated(coverage: Coverage, place: str) -> str:
    """How many incidents no area can be given."""
    if coverage.loaded == 0:
        return f"No month of {the(coverage.span.words)} is loaded: what was recorded then is not known."
    if coverage.recorded == 0:
        return f"No incidents are recorded for {the(coverage.span.words)}."
    if coverage.unlocated == 0:
        return "No incident of these months was published without a location."
    one = coverage.unlocated == 1
    share = format_percent(100 * (coverage.unlocated_share or 0))
    if coverage.own:
        has, they, count = ("has", "it", "counts") if one else ("have", "they", "count")
        return (
            f"{count_incidents(coverage.unlocated)} ({share}) {has} no location: "
            f"{they} {count} for {place} as a whole but in no area."
        )
    has, some = ("has", "it may be") if one else ("have", "some may be")
    return (
        f"{format_count(coverage.unlocated)} of the force's {count_incidents(coverage.recorded)} ({share}) "
        f"{has} no location: {some} {place}'s, and no area counts {'it' if one else 'them'}."
    )


def describe_denominator(denominator: Denominator, methods: Iterable[str], *, crimes: str = "") -> str:
    """What rates (of some `crimes`, else all) are per, of which year, and how the areas came by it."""
    how = join_words(sorted({method for method in methods if isinstance(method, str)}))
    rates = f"Rates of {crimes}" if crimes else "Rates"
    return (
        f"{rates} are for the period or month shown, not for a year, per 1,000 {denominator.name}, {denominator.year} "
        f"({denominator.source}; {how or NOT_KNOWN})."
    )


def list_caveats(
    selection: Selection,
    partnership: Partnership,
    *,
    now: Coverage,
    before: Coverage | None,
    denominator: Denominator,
    methods: Iterable[str],
) -> list[str]:
    """Everything that travels with the figures of a page or a file, a sentence each.

    `before` is None where nothing is compared.
    """
    drawn = partnership.find_layer(selection.level)
    counted = drawn if drawn.figures_of is None else partnership.find_layer(drawn.figures_of)
    sentences = [
        partnership.notice,
        f"{name_crimes(selection, partnership)} in {partnership.place}, {selection.span.words}"
        + (f", compared with {the(before.span.words)}." if before else "."),
        name_part(selection, partnership),
        describe_missing(now.missing, selection.span.words),
        describe_missing(before.missing, before.span.words) if before else "",
        describe_denominator(denominator, methods),
        f"Incidents are counted in {counted.plural} by where their published point lies.",
        describe_unlocated(now, partnership.place),
        "Published points are moved to the nearest of a fixed list of places, so a street stands for its "
        "neighbourhood, and near a border an incident may count next door."
        if any(source.format == "police.uk" for source in partnership.incidents)
        else "",
    ]
    return [sentence for sentence in sentences if sentence]
