"""Every sentence word by word, awkward figures first."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cspmap.analysis.change import Verdict
from cspmap.partnership import Denominator, Layer, Partnership, load_partnership
from cspmap.periods import Month, Span
from cspmap.selection import Selection
from cspmap.totals import Coverage
from cspmap.views.words import (
    count_incidents,
    describe_absent,
    describe_change,
    describe_denominator,
    describe_duration,
    describe_missing,
    describe_unlocated,
    during,
    escape_markdown,
    explain_incomparable,
    format_change,
    format_count,
    format_moment,
    format_percent,
    format_rate,
    join_words,
    list_caveats,
    name_comparison,
    name_crimes,
    name_part,
    name_view,
    the,
)

ROOT = Path(__file__).resolve().parent.parent
NAN = float("nan")
YEAR = Span(Month(2023, 5), Month(2024, 4))


@pytest.mark.parametrize(
    ("value", "count", "incidents"),
    [
        (0, "0", "0 incidents"),
        (1, "1", "1 incident"),
        (2, "2", "2 incidents"),
        (1584, "1,584", "1,584 incidents"),
        (None, "not known", "not known"),
        (NAN, "not known", "not known"),
    ],
)
def test_counts(value: float | None, count: str, incidents: str) -> None:
    assert (format_count(value), count_incidents(value)) == (count, incidents)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0.0"), (97.64, "97.6"), (999.94, "999.9"), (999.96, "1,000"), (1234.6, "1,235"), (None, "not known")],
)
def test_rates(value: float | None, words: str) -> None:
    assert format_rate(value) == words


@pytest.mark.parametrize(
    ("value", "digits", "words"),
    [
        (0, 1, "0.0 %"),
        (0.04, 1, "under 0.1 %"),
        (0.06, 1, "0.1 %"),
        (0.3, 0, "under 1 %"),
        (0.6, 0, "1 %"),
        (3.44, 1, "3.4 %"),
        (100, 0, "100 %"),
        (NAN, 1, "not known"),
    ],
)
def test_percentages_never_round_something_to_nothing(value: float, digits: int, words: str) -> None:
    assert format_percent(value, digits=digits) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0.0 %"),
        (4.0, "+4.0 %"),
        (9.94, "+9.9 %"),
        (9.96, "+10 %"),
        (-4.5, "−4.5 %"),
        (-100, "−100 %"),
        (1250, "+1,250 %"),
        (None, "not known"),
    ],
)
def test_changes(value: float | None, words: str) -> None:
    assert format_change(value) == words


def test_moment_is_in_words_whatever_the_locale() -> None:
    assert format_moment("2026-11-01T08:04:59+00:00") == "1 November 2026 at 08:04 UTC"


def test_markdown_is_shown_as_it_is() -> None:
    assert escape_markdown("A *b* [c](d) $e$ <f>") == r"A \*b\* \[c\]\(d\) \$e\$ \<f\>"


def test_lists() -> None:
    assert [join_words("ABC"[:size]) for size in range(4)] == ["", "A", "A and B", "A, B and C"]


def select(**values: Any) -> Selection:
    return Selection(**{"span": YEAR, "level": "ward", **values})


def test_comparisons() -> None:
    month, quarter = Span(Month(2024, 4), Month(2024, 4)), Span(Month(2024, 2), Month(2024, 4))
    two_years, own = Span(Month(2022, 5), Month(2024, 4)), Span(Month(2021, 5), Month(2022, 4))
    said = {
        name_comparison(select()): "last year",
        name_comparison(select(comparison="previous")): "in the 12 months before",
        name_comparison(select(span=quarter, comparison="previous")): "in the 3 months before",
        name_comparison(select(span=month, comparison="previous")): "in the month before",
        name_comparison(select(span=two_years)): "in May 2020 to April 2022",
        name_comparison(select(comparison=own)): "in the year to April 2022",
        name_comparison(select(comparison=month)): "in April 2024",
    }
    assert list(said) == [
        "last year",
        "the 12 months before",
        "the 3 months before",
        "the month before",
        "May 2020 to April 2022",
        "the year to April 2022",
        "April 2024",
    ]
    assert [during(against) for against in said] == list(said.values())
    assert the(YEAR.words) == "the year to April 2024"


@pytest.fixture(scope="module")
def example() -> Partnership:
    return load_partnership(ROOT / "data" / "partnership.toml")


def test_names_of_what_is_counted(example: Partnership) -> None:
    assert name_crimes(select(), example) == "Recorded incidents"
    assert name_crimes(select(crimes=("robbery",)), example) == "Robbery"
    named = name_crimes(select(crimes=("violence", "robbery", "wounding")), example)
    assert named == "Violence, Robbery and Wounding"


LAST, QUARTER = "last year", "the 3 months before"
CHANGES: list[tuple[str, float | None, float | None, Verdict, str, str]] = [
    ("Burglary", 34, 38, "normal variation", LAST,
     "Burglary is up 12 % on last year (34 to 38). That is within normal variation."),
    ("Burglary", 1584, 1700, "up", LAST,
     "Burglary is up 7.3 % on last year (1,584 to 1,700). That is more than chance would explain."),
    ("Drugs", 100, 40, "down", QUARTER,
     "Drugs is down 60 % on the 3 months before (100 to 40). That is more than chance would explain."),
    ("Drugs", 2, 1, "too few to say", LAST,
     "Drugs is down 50 % on last year (2 to 1). Too few to say whether that means anything."),
    ("Drugs", 5, 5, "normal variation", LAST, "Drugs is level with last year (5 to 5)."),
    ("Drugs", 20_000, 20_001, "normal variation", LAST,
     "Drugs is up under 0.1 % on last year (20,000 to 20,001). That is within normal variation."),
    ("Drugs", 0, 7, "up", LAST,
     "Drugs rose from none last year to 7. That is more than chance would explain."),
    ("Drugs", 0, 1, "too few to say", QUARTER,
     "Drugs rose from none in the 3 months before to 1. Too few to say whether that means anything."),
    ("Drugs", 9, 0, "down", LAST,
     "Drugs is down 100 % on last year (9 to 0). That is more than chance would explain."),
    ("Drugs", 0, 0, "no incidents", LAST, "No drugs in this period or last year."),
    ("Drugs", 0, 0, "no incidents", QUARTER, "No drugs in this period or in the 3 months before."),
    ("ASB", 0, 0, "no incidents", LAST, "No ASB in this period or last year."),
    ("Drugs", None, 5, "not known", LAST,
     "Drugs cannot be compared with last year: one of the two is not known."),
    ("Drugs", NAN, 5, "not known", QUARTER,
     "Drugs cannot be compared with the 3 months before: one of the two is not known."),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "before", "after", "verdict", "against", "said"), CHANGES)
def test_change(
    subject: str, before: float | None, after: float | None, verdict: Verdict, against: str, said: str
) -> None:
    assert describe_change(subject, before, after, verdict, against) == said


def test_change_of_several_things() -> None:
    said = describe_change("Recorded incidents", 10, 11, "normal variation", LAST, plural=True)
    assert said == "Recorded incidents are up 10 % on last year (10 to 11). That is within normal variation."


def test_missing_months() -> None:
    months = [Month(2023, 5) + step for step in range(8)]
    assert describe_missing([], YEAR.words) == ""
    assert describe_missing(months[:1], YEAR.words) == (
        "1 month is missing from the year to April 2024 (May 2023): missing, not zero."
    )
    assert describe_missing(months[:1], "May 2023") == "May 2023 is not loaded: missing, not zero."
    assert describe_missing(months[:2], "May 2023 to June 2023") == (
        "2 months are missing from May 2023 to June 2023 (May 2023 and June 2023): missing, not zero."
    )
    assert describe_missing(months[:5], YEAR.words) == (
        "5 months are missing from the year to April 2024 (May 2023, June 2023, July 2023, August 2023 and "
        "September 2023): missing, not zero."
    )
    assert describe_missing(months, YEAR.words) == (
        "8 months are missing from the year to April 2024 (May 2023, June 2023, July 2023, August 2023 and 4 more): "
        "missing, not zero."
    )


def test_why_periods_do_not_compare() -> None:
    year, half = Coverage(YEAR, (), 9, 9, 0, 0, 0), Coverage(Span(Month(2022, 11), Month(2023, 4)), (), 5, 5, 0, 0, 0)
    short = Coverage(YEAR.shift(-12), (Month(2022, 5),), 9, 9, 0, 0, 0)
    gone = Coverage(YEAR.shift(-12), tuple(YEAR.shift(-12)), 0, 0, 0, 0, 0)
    assert explain_incomparable(year, year) == ""
    assert explain_incomparable(year, half) == "one period is 12 months long and the other 6"
    assert explain_incomparable(year, short) == "12 months of one are loaded and 11 of the other"
    assert explain_incomparable(year, gone) == "no month of the year to April 2023 is loaded"
    assert explain_incomparable(gone, gone) == "no month of the year to April 2023 is loaded"
    assert [describe_duration(item) for item in (year, half, short)] == [
        "over 12 months",
        "over 6 months",
        "over 11 of 12 months",
    ]


def test_part_of_the_areas_is_named(example: Partnership) -> None:
    selection = Selection(YEAR, "ward")
    assert name_part(selection, example) == ""
    assert name_part(replace(selection, areas=("a",)), example) == "Only 1 of the wards is shown."
    assert name_part(replace(selection, areas=("a", "b")), example) == "Only 2 of the wards are shown."


def test_heading_tells_what_the_map_shows(example: Partnership) -> None:
    selection = Selection(YEAR, "ward", crimes=("robbery",), edition=2025)
    assert name_view(selection, example) == "Robbery in Luton, year to April 2024, compared with year to April 2023"
    deprived = replace(selection, measure="score")
    assert name_view(deprived, example) == "Deprivation score, Indices of Deprivation 2025, in Luton"
    assert describe_absent(replace(deprived, measure="decile"), example) == (
        "Deciles are published for LSOAs; wards have a score and a share in the most deprived fifth instead."
    )
    assert describe_absent(deprived, example).startswith("Deprivation score: not known for any of the wards")


def cover(recorded: int, unlocated: int, own: int = 0) -> Coverage:
    return Coverage(YEAR, (), recorded, recorded - unlocated, 0, unlocated, own)


@pytest.mark.parametrize(
    ("coverage", "said"),
    [
        (cover(0, 0), "No incidents are recorded for the year to April 2024."),
        (cover(10, 0), "No incident of these months was published without a location."),
        (
            cover(5082, 75),
            "75 of the force's 5,082 incidents (1.5 %) have no location: some may be Luton's, and no area counts them.",
        ),
        (
            cover(5082, 1),
            "1 of the force's 5,082 incidents (under 0.1 %) has no location: it may be Luton's, and no area counts it.",
        ),
        (
            cover(12_000, 525, 525),
            "525 incidents (4.4 %) have no location: they count for Luton as a whole but in no area.",
        ),
        (cover(1, 1, 1), "1 incident (100.0 %) has no location: it counts for Luton as a whole but in no area."),
        # Of a force and of the partnership alone together: what is the partnership's cannot be told.
        (
            cover(100, 20, 5),
            "20 of the force's 100 incidents (20.0 %) have no location: some may be Luton's, and no area counts them.",
        ),
    ],
)
def test_incidents_without_a_location(coverage: Coverage, said: str) -> None:
    assert describe_unlocated(coverage, "Luton") == said


RESIDENTS = Denominator("residents", "residents", 2022, "lsoa21", Path("people.csv"), "ONS")


def test_denominators() -> None:
    assert describe_denominator(RESIDENTS, ["as published"]) == (
        "Rates are for the period or month shown, not for a year, per 1,000 residents, 2022 (ONS; as published)."
    )
    assert describe_denominator(RESIDENTS, ["b", "a", "b", NAN], crimes="Burglary") == (  # type: ignore[list-item]
        "Rates of Burglary are for the period or month shown, not for a year, per 1,000 residents, 2022 (ONS; a and b)."
    )
    assert (
        describe_denominator(RESIDENTS, [])
        == "Rates are for the period or month shown, not for a year, per 1,000 residents, 2022 (ONS; not known)."
    )


def list_for(partnership: Partnership, selection: Selection, now: Coverage) -> list[str]:
    before = replace(cover(10, 0), span=selection.before)
    return list_caveats(selection, partnership, now=now, before=before, denominator=RESIDENTS, methods=["as published"])


def test_caveats_of_the_example(example: Partnership) -> None:
    missing = replace(cover(10, 0), missing=(Month(2023, 5),))
    assert list_for(example, select(level="hexagon"), missing) == [
        "Example: illustrative geography, simulated incidents. Only what a named document prints is real.",
        "Recorded incidents in Luton, year to April 2024, compared with the year to April 2023.",
        "1 month is missing from the year to April 2024 (May 2023): missing, not zero.",
        "Rates are for the period or month shown, not for a year, per 1,000 residents, 2022 (ONS; as published).",
        "Incidents are counted in hexagons by where their published point lies.",
        "No incident of these months was published without a location.",
    ]


def test_caveats_where_nothing_is_compared(example: Partnership) -> None:
    missing = replace(cover(10, 0), missing=(Month(2023, 5),))
    said = list_caveats(
        select(level="ward", comparison=Span(Month(2020, 1), Month(2020, 1))),
        example,
        now=missing,
        before=None,
        denominator=RESIDENTS,
        methods=[],
    )
    assert said[1:3] == [
        "Recorded incidents in Luton, year to April 2024.",
        "1 month is missing from the year to April 2024 (May 2023): missing, not zero.",
    ]


def test_caveats_of_published_street_level_crime_tell_of_snap_points(example: Partnership) -> None:
    source = replace(example.incidents[0], format="police.uk")
    hexes = Layer("hex", "Hexagon", "hexagons", Path("hexes"), figures_of="ward")
    partnership = replace(example, incidents=(source,), layers=(*example.layers, hexes), notice="")
    said = list_for(partnership, select(level="hex"), cover(10, 0))
    assert said[0] == "Recorded incidents in Luton, year to April 2024, compared with the year to April 2023."
    # Hexagons that redraw the wards are not what a point is looked up in.
    assert "Incidents are counted in wards by where their published point lies." in said
    assert said[-1] == (
        "Published points are moved to the nearest of a fixed list of places, so a street stands for its "
        "neighbourhood, and near a border an incident may count next door."
    )


def test_nothing_rises_from_none_to_none_where_counts_are_rounded() -> None:
    told = describe_change("Robbery", 0, 0, "too few to say", "last year")
    assert told == (
        "Robbery: 0 in this period and last year, as counts are rounded. Too few to say whether that means anything."
    )
