from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.errors import SelectionError
from cspmap.partnership import Layer
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.selection import MEASURES, SCHEMES, Selection, join_list
from cspmap.store import Store

from .made import LSOAS, RESIDENTS, Made

CODES = {"lsoa21": list(RESIDENTS), "ward": list(LSOAS), "hex": list(LSOAS), "area": ["left", "right"]}

_month = st.integers(0, 15).map(lambda step: Month(2023, 1) + step)
_span = st.tuples(_month, _month).map(lambda ends: Span(min(ends), max(ends)))
_crimes = st.lists(st.sampled_from(["acquisitive", "burglary", "drugs", "anti-social-behaviour"]), unique=True)


@st.composite
def selections(draw: st.DrawFn) -> Selection:
    level = draw(st.sampled_from(sorted(CODES)))
    return Selection(
        span=draw(_span),
        level=level,
        comparison=draw(st.one_of(st.sampled_from(["previous", "last-year"]), _span)),
        crimes=tuple(draw(_crimes)),
        measure=draw(st.sampled_from([key for key in MEASURES if key != "progress"])),
        areas=tuple(draw(st.lists(st.sampled_from(CODES[level]), unique=True))),
        chosen=draw(st.one_of(st.none(), st.sampled_from(CODES[level]))),
        scheme=draw(st.sampled_from(SCHEMES)),
        classes=draw(st.integers(2, 9)),
        edition=2025,
    )


@settings(deadline=None)
@given(selections())
def test_link_reopens_exactly_the_same_view(query: Query, selection: Selection) -> None:
    asked = selection.to_query()
    assert Selection.from_query(asked, query.store) == selection
    # And so after a journey through a browser's address bar.
    assert Selection.from_query(dict(parse_qsl(urlencode(asked))), query.store) == selection
    assert all(asked.values())


def test_bare_link_opens_all_crime_in_the_latest_year_on_the_first_level(query: Query) -> None:
    selection = Selection.from_query({}, query.store)
    assert selection == Selection.default(query.store)
    assert selection == Selection(Span(Month(2023, 5), Month(2024, 4)), "lsoa21", edition=2025)
    assert selection.before == Span(Month(2022, 5), Month(2023, 4))


def test_default_of_a_store_of_few_months_is_all_of_them(made: Made) -> None:
    assert Selection.default(made.build().store).span == Span(Month(2024, 1), Month(2024, 3))


def test_empty_and_unknown_parameters_and_repeats_change_nothing(query: Query) -> None:
    asked = {"period": "", "areas": " ", "area": "", "crime": ",", "utm_source": "mail", "level": "ward"}
    assert Selection.from_query(asked, query.store) == Selection.default(query.store).change(level="ward")
    twice = Selection.from_query({"crime": "burglary,burglary", "level": "ward", "areas": "w1,w2,w1"}, query.store)
    assert (twice.crimes, twice.areas) == (("burglary",), ("w1", "w2"))


NOT_HELD = [
    (
        {"period": "2023"},
        "The period asked for cannot be read: '2023' is not a period; write it as YYYY-MM..YYYY-MM.",
    ),
    (
        {"period": "2022-12"},
        "The period asked for is December 2022, but January 2023 to April 2024 is loaded; choose months within that.",
    ),
    (
        {"level": "ward" * 2000},
        f"The level asked for is '{('ward' * 15)[:59]}…', which is not held here; try lsoa21, ward, hex, area.",
    ),
    (
        {"period": "2023-13..2024-01"},
        "The period asked for cannot be read: There is no month 13 of 2023; write it as YYYY-MM.",
    ),
    (
        {"period": "2024-02..2024-01"},
        "The period asked for cannot be read: The period ends (January 2024) before it starts (February 2024).",
    ),
    (
        {"period": "2030-01..2030-02"},
        "The period asked for is January 2030 to February 2030, but January 2023 to April 2024 is loaded; "
        "choose months within that.",
    ),
    (
        {"period": "2022-12..2023-02"},
        "The period asked for is December 2022 to February 2023, but January 2023 to April 2024 is loaded; "
        "choose months within that.",
    ),
    (
        {"compare": "yesterday"},
        "The comparison asked for cannot be read: 'yesterday' is not a period; write it as YYYY-MM..YYYY-MM.",
    ),
    (
        {"compare": "2019-01..2019-12"},
        "The comparison asked for is year to December 2019, but January 2023 to April 2024 is loaded; "
        "choose months within that.",
    ),
    ({"level": "wards"}, "The level asked for is 'wards', which is not held here; try ward."),
    (
        {"level": "parish"},
        "The level asked for is 'parish', which is not held here; try lsoa21, ward, hex, area.",
    ),
    (
        {"crime": "drugs,arson"},
        "The crime type asked for is 'arson', which is not held here; "
        "try acquisitive, anti-social-behaviour, bicycle-theft, burglary, criminal-damage-arson, drugs, other-theft, "
        "possession-of-weapons, public-order, robbery, shoplifting, theft-from-the-person, vehicle-crime, "
        "violent-crime, other-crime.",
    ),
    (
        {"measure": "density"},
        "The measure asked for is 'density', which is not held here; "
        "try rate, count, share, change, smoothed, score, decile, fifth.",
    ),
    (
        {"scheme": "<script>"},
        "The class scheme asked for is '<script>', which is not held here; "
        "try quantile, fisher-jenks, equal-interval, standard-deviation.",
    ),
    ({"classes": "10"}, "The number of classes asked for is '10', which is not held here; try 2, 3, 4, 5, 6, 7, 8, 9."),
    (
        {"classes": "five"},
        "The number of classes asked for is 'five', which is not held here; try 2, 3, 4, 5, 6, 7, 8, 9.",
    ),
    (
        {"edition": "2019"},
        "The edition of the Indices of Deprivation asked for is '2019', which is not held here; try 2025.",
    ),
    (
        {"level": "ward", "areas": "w1,w99"},
        "The area asked for is 'w99', which is not held here; try w1, w2, w3, w4.",
    ),
    ({"level": "area", "area": "w1"}, "The area asked for is 'w1', which is not held here; try left, right."),
]


@pytest.mark.parametrize(("asked", "said"), NOT_HELD)
def test_what_is_not_held_is_told_in_one_sentence(query: Query, asked: dict[str, str], said: str) -> None:
    with pytest.raises(SelectionError) as caught:
        Selection.from_query(asked, query.store)
    assert str(caught.value) == said


def test_deprivation_is_not_offered_where_none_is_loaded(query: Query) -> None:
    store = query.store
    bare = Store(store.root, store.version, replace(store.partnership, deprivation=()))
    assert Selection.default(bare).edition is None
    for measure in ("score", "decile", "fifth"):
        with pytest.raises(SelectionError, match=f"The measure asked for is '{measure}', which is not held here"):
            Selection.from_query({"measure": measure}, bare)
    with pytest.raises(SelectionError) as caught:
        Selection.from_query({"edition": "2025"}, bare)
    assert str(caught.value) == (
        "The edition of the Indices of Deprivation asked for is '2025', but none is held here; leave it out."
    )


class _OddStore:
    """A store whose codes have every sign that links use for themselves."""

    targets = ()

    def __init__(self, store: Store, codes: list[str]) -> None:
        self.partnership = replace(store.partnership, layers=(Layer("odd", "Odd", "odds", Path("odd")),))
        self.months = store.months
        self._codes = codes

    def codes(self, level: str) -> list[str]:
        return self._codes


def test_codes_of_many_areas_are_named_in_part(query: Query) -> None:
    store: Any = _OddStore(query.store, [f"a{number}" for number in range(40)])
    with pytest.raises(SelectionError) as caught:
        Selection.from_query({"level": "odd", "area": "elsewhere"}, store)
    assert str(caught.value).startswith("The area asked for is 'elsewhere', which is not held here; try a0, a1, ")
    assert str(caught.value).endswith(", a29 and 10 more.")


def test_a_month_by_itself_is_a_period(query: Query) -> None:
    selection = Selection.from_query({"period": "2023-05", "compare": "2023-02"}, query.store)
    assert (selection.span, selection.before) == (Span.parse("2023-05..2023-05"), Span.parse("2023-02..2023-02"))
    assert Selection.from_query(selection.to_query(), query.store) == selection


@settings(deadline=None)
@given(
    st.lists(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1).filter(str.strip), min_size=1, unique=True)
)
def test_codes_with_commas_and_other_signs_go_through_links(query: Query, codes: list[str]) -> None:
    store: Any = _OddStore(query.store, codes)
    selection = replace(Selection.default(store), areas=tuple(codes), chosen=codes[0])
    assert Selection.from_query(dict(parse_qsl(urlencode(selection.to_query()))), store) == selection
    assert len(join_list(codes).split(",")) == len(codes)


def test_another_level_drops_the_areas_of_the_one_before(query: Query) -> None:
    selection = Selection.default(query.store).change(level="ward", areas=("w1",), chosen="w2")
    assert (selection.areas, selection.chosen) == (("w1",), "w2")
    kept = selection.change(measure="count")
    assert (kept.areas, kept.chosen) == (("w1",), "w2")
    moved = selection.change(level="area")
    assert (moved.areas, moved.chosen) == ((), None)
