"""What stands beside every extract: what is in it, how it was made, what is missing, and how to make it again."""

from collections.abc import Iterator, Mapping

import pandas as pd

from cspmap import __version__
from cspmap.exports.area_figures import list_figure_caveats, work_out_figures
from cspmap.exports.extract import list_count_caveats
from cspmap.exports.published import describe_rule, publish
from cspmap.exports.request import BY_WORDS, WHAT_WORDS, Request, make_command
from cspmap.query import Query
from cspmap.views.words import describe_denominator, describe_missing, format_moment, join_words, name_crimes, the

# The columns that any extract may have.
COLUMN_WORDS: Mapping[str, str] = {
    "code": "code of the area",
    "name": "name of the area",
    "month": "month, YYYY-MM",
    "crime_type": "crime type",
    "count": "incidents; empty where not known or withheld, never 0",
    "population": "residents or households, as rate_per says",
    "rate": "incidents per 1,000 of the population, over the whole period or the month of the row",
    "rate_per": "what the rate is per and of which year, or why none is given",
    "smoothed": "the rate drawn towards that of all areas together",
    "share": "share of the partnership's incidents, 0 to 1",
    "before": "incidents of the period compared with",
    "difference": "count less before",
    "percent": "change in per cent",
    "p": "p value of the E-test of the change",
    "verdict": "whether the change is more than chance",
    "score": "score in the Indices of Deprivation; higher is more deprived",
    "decile": "decile in the Indices of Deprivation; 1 is the most deprived",
    "fifth": "share of residents in England's most deprived fifth, 0 to 1",
    "months_missing": "months of the period that are not loaded",
    "months_missing_before": "the same of the period compared with",
    "period": "first and last month",
    "compared_with": "first and last month compared with",
    "population_method": "how the areas came by their population",
    "share_without_location": "share of recorded incidents that no area can be given, 0 to 1",
    "deprivation_edition": "year of the Indices of Deprivation",
    "crimes": "what is counted",
    "withheld": "whether the disclosure rule withholds the count",
    "withheld_before": "the same of the count before",
    "rounded_to": "what counts are rounded to",
    "notice": "what must be known first",
    "incident_id": "identifier as published; empty where the source gives none",
    "longitude": "degrees (WGS84), no finer than the source",
    "latitude": "degrees (WGS84), no finer than the source",
    "location": "street or place as published",
    "lsoa_code": "LSOA code as published",
    "area_code": "code of the area that the point lies in",
    "area": "name of the area that the point lies in",
    "outcome": "last known outcome as published",
    "occurred_from": "when it happened, or the earliest it can have",
    "occurred_to": "the latest it can have happened",
}


def make_readme(query: Query, request: Request, columns: list[str]) -> dict[str, str]:
    """The readme of an extract with those columns: texts by their headings, in order."""
    store, selection = query.store, request.selection
    partnership = store.partnership
    coverage = publish(query).count_coverage(selection)
    split = f" by {join_words(BY_WORDS[column] for column in request.split)}" if request.split else ""
    layer = partnership.find_layer(selection.level)
    some = f"only these {len(selection.areas)}: {', '.join(selection.areas)}" if selection.areas else "all"
    entries = {
        "Extract": f"{WHAT_WORDS[request.what]}{split}",
        "Partnership": partnership.name,
        "Notice": partnership.notice,
        "Crimes": name_crimes(selection, partnership),
        "Period": f"{selection.span.words} ({selection.span})",
        "Compared with": f"{selection.before.words} ({selection.before})" if request.what == "areas" else "",
        "Areas": f"{layer.plural}, {some}",
        "Months missing": describe_missing(coverage.missing, selection.span.words)
        or f"No month is missing from {the(selection.span.words)}.",
        "What must be known": " ".join(list_caveats(query, request)),
        "Denominators": "" if request.what in ("counts", "incidents") else _describe_denominators(query, request),
        "Disclosure": describe_rule(partnership.disclosure) or "No count is withheld or rounded.",
        "Precision": _describe_precision(query) if request.what == "incidents" else "",
        "Vintage": _describe_vintage(query, request),
        "Sources": " ".join(f"{source}." for source in _list_sources(query, request)),
        "Licences": " ".join(partnership.licences),
        "Store": f"version {store.version}, built {format_moment(store.manifest['built'])}, cspmap {__version__}",
        "Made again by": make_command(request, query),
        "Columns": "; ".join(f"{name} ({COLUMN_WORDS[name]})" for name in columns if name in COLUMN_WORDS),
    }
    return {heading: text for heading, text in entries.items() if text}


def write_readme(readme: Mapping[str, str]) -> str:
    """A readme as text, a paragraph a heading."""
    return "\n".join(f"{heading}\n    {text}\n" for heading, text in readme.items())


def tabulate_readme(readme: Mapping[str, str]) -> pd.DataFrame:
    """A readme as a table: heading, text."""
    return pd.DataFrame({"heading": list(readme), "text": list(readme.values())}, dtype="str")


def list_caveats(query: Query, request: Request) -> list[str]:
    """Everything that travels with the figures of an extract, a sentence each."""
    if request.what == "areas":
        return list_figure_caveats(query, request.selection, work_out_figures(query, request.selection))
    return list_count_caveats(query, request.selection, by=request.split, rates=request.what == "rates")


def _describe_denominators(query: Query, request: Request) -> str:
    """What rates are per, and how the areas came by it, for each denominator that is used."""
    partnership, selection = query.store.partnership, request.selection
    held = query.read_denominators(selection.level)
    usual = query.denominator(selection).key
    kinds = {kind.denominator for kind in partnership.crime_types if kind.key in query.crime_types(selection)}
    used = {usual, *kinds} if "crime_type" in request.split else {usual}
    return " ".join(
        describe_denominator(item, held.loc[held["denominator"] == item.key, "method"])
        for item in partnership.denominators
        if item.key in used
    )


def _describe_precision(query: Query) -> str:
    if any(source.format == "police.uk" for source in query.store.partnership.incidents):
        return (
            "Positions and months are as published: points are moved to the nearest of a fixed list of places before "
            "publication, and no day or time is given. Nothing here is more precise than that."
        )
    return "Positions and times are as the source gives them, and no more precise."


def _describe_vintage(query: Query, request: Request) -> str:
    """Which boundaries, and of which census the LSOA codes beside the incidents are."""
    layer = query.store.partnership.find_layer(request.selection.level)
    codes = f" (codes {layer.codes})" if layer.codes else ""
    drawn = f", boundaries from {layer.file.name}" if layer.file is not None else ""
    made = f", made of {layer.made_of}" if layer.made_of else ""
    months = _list_months(query, request)
    vintages = sorted({str(vintage) for vintage in months["lsoa_vintage"].dropna()})
    published = f" LSOA codes published beside the incidents: {join_words(vintages)}." if vintages else ""
    return f"Level {layer.key}{codes}{drawn}{made}.{published}"


def _list_sources(query: Query, request: Request) -> Iterator[str]:
    yield from dict.fromkeys(_list_months(query, request)["source"])
    if request.what == "areas" and request.selection.edition is not None:
        editions = query.store.partnership.deprivation
        yield from (item.source for item in editions if item.year == request.selection.edition)


def _list_months(query: Query, request: Request) -> pd.DataFrame:
    span, months = request.selection.span, query.store.read_table("months")
    return months[months["month"].between(str(span.first), str(span.last))]
