"""Answers against the same questions put to the published rows by other means."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.errors import UserError
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store

from .conftest import MONTHS
from .made import HOUSEHOLDS, LSOAS, RESIDENTS, Incident, Made, make_incidents

AREA_OF = {"w1": "left", "w3": "left", "w2": "right", "w4": "right"}
KEYS = {
    "Anti-social behaviour": "anti-social-behaviour",
    "Burglary": "burglary",
    "Drugs": "drugs",
    "Robbery": "robbery",
    "Vehicle crime": "vehicle-crime",
}
GROUPS = {"acquisitive": ("burglary", "robbery", "vehicle-crime")}
CODES = {
    "lsoa21": list(RESIDENTS),
    "ward": list(LSOAS),
    "hex": list(LSOAS),
    "area": ["left", "right"],
}
AUGUST = "2023-08"


def find_code(incident: Incident, level: str) -> str | None:
    ward = incident.ward
    if ward is None:
        return None
    return {"lsoa21": incident.lsoa, "ward": ward, "hex": ward, "area": AREA_OF[ward]}[level]


def list_rows(made: Made, span: Span, crimes: Sequence[str]) -> list[tuple[str, Incident]]:
    """The published incidents of a span and of some types or groups."""
    types = {kind for crime in crimes for kind in GROUPS.get(crime, (crime,))}
    return [
        (month, incident)
        for month, incidents in made.months["police.zip"].items()
        if str(span.first) <= month <= str(span.last)
        for incident in incidents
        if not types or KEYS[incident.kind] in types
    ]


def is_loaded(span: Span) -> bool:
    return any(str(month) in MONTHS and str(month) != AUGUST for month in span)


_month = st.sampled_from([Month.parse(text) for text in MONTHS])
_span = st.tuples(_month, _month).map(lambda ends: Span(min(ends), max(ends)))
_crimes = st.lists(st.sampled_from([*KEYS.values(), *GROUPS]), max_size=3, unique=True).map(tuple)
_selection = st.builds(
    Selection,
    span=_span,
    level=st.sampled_from(sorted(CODES)),
    comparison=st.one_of(st.sampled_from(["previous", "last-year"]), _span),
    crimes=_crimes,
    edition=st.just(2025),
)


@settings(deadline=None, max_examples=40)
@given(_selection)
def test_counts_by_area(full: Made, query: Query, selection: Selection) -> None:
    frame = query.count_areas(selection)
    assert frame["code"].tolist() == CODES[selection.level]
    for column, span in (("count", selection.span), ("before", selection.before)):
        rows = list_rows(full, span, selection.crimes)
        counts = Counter(find_code(incident, selection.level) for _, incident in rows)
        expected = [counts[code] if is_loaded(span) else None for code in frame["code"]]
        assert [None if pd.isna(value) else value for value in frame[column]] == expected
        assert frame[column].dtype == "Int64"


@settings(deadline=None, max_examples=40)
@given(_selection, _span)
def test_coverage_and_counts_by_month(full: Made, query: Query, selection: Selection, span: Span) -> None:
    rows = list_rows(full, span, selection.crimes)
    coverage = query.count_coverage(selection, span=span)
    where = Counter("unlocated" if row.lsoa is None else "inside" if row.ward else "outside" for _, row in rows)
    assert (coverage.recorded, coverage.inside, coverage.outside, coverage.unlocated) == (
        len(rows),
        where["inside"],
        where["outside"],
        where["unlocated"],
    )
    # The source is the whole force's: none of its unlocated incidents is known to be the partnership's.
    assert coverage.total == coverage.inside
    assert coverage.missing == tuple(month for month in span if str(month) == AUGUST)
    assert coverage.loaded == len(span) - len(coverage.missing)

    code = CODES[selection.level][0]
    whole, one = query.count_months(selection, span), query.count_months(selection, span, code=code)
    by_month = Counter(month for month, row in rows if row.ward)
    by_area = Counter(month for month, row in rows if find_code(row, selection.level) == code)
    for frame, counts in ((whole, by_month), (one, by_area)):
        assert frame["month"].tolist() == [str(month) for month in span]
        found = [None if pd.isna(value) else value for value in frame["count"]]
        assert found == [None if str(month) == AUGUST else counts[str(month)] for month in span]
    assert whole["count"].sum() == coverage.total


@settings(deadline=None, max_examples=30)
@given(_selection)
def test_counts_by_type(full: Made, query: Query, selection: Selection) -> None:
    code = CODES[selection.level][-1]
    for chosen in (None, code):
        frame = query.count_types(selection, code=chosen)
        # Every type of the partnership has a row whatever is selected, in its order.
        assert frame["crime_type"].tolist() == [kind.key for kind in query.store.partnership.crime_types]
        for column, span in (("count", selection.span), ("before", selection.before)):
            rows = list_rows(full, span, ())
            counts = Counter(
                KEYS[row.kind]
                for _, row in rows
                if (row.ward if chosen is None else find_code(row, selection.level) == chosen)
            )
            expected = [counts[key] if is_loaded(span) else None for key in frame["crime_type"]]
            assert [None if pd.isna(value) else value for value in frame[column]] == expected


By = list[Literal["month", "crime_type"]]


@settings(deadline=None, max_examples=30)
@given(_selection, st.sampled_from([[], ["month"], ["crime_type"], ["month", "crime_type"]]))
def test_cells_are_complete_and_add_up(full: Made, query: Query, selection: Selection, by: By) -> None:
    cells = query.count_cells(selection, by)
    assert cells.columns.tolist() == ["code", "name", *by, "count"]
    months = [str(month) for month in selection.span if str(month) != AUGUST]
    types = query.crime_types(selection)
    size = len(CODES[selection.level])
    for column, values in (("month", months), ("crime_type", types)):
        size *= len(values) if column in by else 1
    assert len(cells) == size
    assert not cells.duplicated(["code", *by]).any()
    rows = list_rows(full, selection.span, selection.crimes)
    counts: Counter[tuple[str, ...]] = Counter()
    for month, row in rows:
        code = find_code(row, selection.level)
        if code is not None:
            named = {"month": month, "crime_type": KEYS[row.kind]}
            counts[(code, *(named[column] for column in by))] += 1
    found = {tuple(cell[:-1]): cell[-1] for cell in cells[["code", *by, "count"]].to_numpy().tolist()}
    if months:
        assert found == {key: counts[key] for key in found}
        assert cells["count"].sum() == counts.total()
    else:
        assert cells["count"].isna().all()


def test_cells_of_some_areas(query: Query) -> None:
    selection = Selection.default(query.store).change(level="ward", areas=("w2", "w4"))
    assert query.count_cells(selection, [])["code"].tolist() == ["w2", "w4"]


@settings(deadline=None, max_examples=20)
@given(_selection)
def test_streets(full: Made, query: Query, selection: Selection) -> None:
    code = CODES[selection.level][0]
    rows = list_rows(full, selection.span, selection.crimes)
    for chosen in (None, code):
        frame = query.list_locations(selection, code=chosen, most=5)
        places = Counter(
            (row.lsoa, row.step)
            for _, row in rows
            if (row.ward if chosen is None else find_code(row, selection.level) == chosen)
        )
        assert frame["count"].tolist() == [count for _, count in places.most_common(5)]
        assert frame.columns.tolist() == ["location", "count", "longitude", "latitude"]
        assert not frame.duplicated(["location", "longitude", "latitude"]).any()


def test_streets_leave_out_repeated_identifiers(made: Made) -> None:
    twice = Incident("Drugs", "E01033820", "a" * 64)
    made.months = {"police.zip": {"2024-01": [twice], "2024-02": [twice]}}
    query = Query(made.build().store)
    assert query.list_locations(Selection.default(query.store))["count"].tolist() == [1]


# Zero and missing


def select(query: Query, first: str, last: str, **values: Any) -> Selection:
    return Selection.default(query.store).change(span=Span(Month.parse(first), Month.parse(last)), **values)


def test_area_without_an_incident_counts_zero_and_a_month_not_loaded_is_missing(query: Query) -> None:
    august = select(query, AUGUST, AUGUST, level="ward", comparison="previous")
    frame = query.count_areas(august)
    assert frame["count"].isna().all()
    assert frame["before"].notna().all()
    assert query.count_types(august)["count"].isna().all()
    assert query.count_coverage(august).unlocated_share is None
    assert query.count_months(august, august.span)["count"].isna().all()
    around = query.count_areas(select(query, "2023-07", "2023-09", level="ward"))
    apart = [query.count_areas(select(query, month, month, level="ward"))["count"] for month in ("2023-07", "2023-09")]
    assert around["count"].tolist() == (apart[0] + apart[1]).tolist()
    none = query.count_areas(select(query, "2024-01", "2024-04", level="ward", crimes=("bicycle-theft",)))
    assert none["count"].tolist() == [0, 0, 0, 0]


def test_spans_with_unequal_loaded_months_show_it(query: Query) -> None:
    selection = select(query, "2023-08", "2023-10", comparison="previous")
    now, before = query.count_coverage(selection), query.count_coverage(selection, span=selection.before)
    assert (now.loaded, before.loaded) == (2, 3)
    outside = query.count_coverage(selection, span=Span(Month(2019, 1), Month(2019, 3)))
    assert (outside.loaded, len(outside.missing), outside.total, outside.own) == (0, 3, 0, True)


# Names, crime types, denominators


def test_hexagons_show_the_wards_that_they_stand_for(query: Query) -> None:
    ward, hexagon = (select(query, "2024-01", "2024-04", level=level) for level in ("ward", "hex"))
    drop = ["name", "hectares"]
    pd.testing.assert_frame_equal(
        query.count_areas(ward).drop(columns=drop), query.count_areas(hexagon).drop(columns=drop)
    )
    assert query.read_deprivation("hex", 2025).equals(query.read_deprivation("ward", 2025))
    assert query.count_months(hexagon, hexagon.span, code="w1").equals(query.count_months(ward, ward.span, code="w1"))
    assert query.count_types(hexagon, code="w1").equals(query.count_types(ward, code="w1"))
    assert query.list_locations(hexagon, code="w1").equals(query.list_locations(ward, code="w1"))
    assert query.count_cells(hexagon, ["month"])["count"].equals(query.count_cells(ward, ["month"])["count"])
    assert query.name_areas("hex") == {"w1": "Ash", "w2": "Beech", "w3": "Cedar", "w4": "Dale"}


@pytest.mark.parametrize(
    ("crimes", "types", "per"),
    [
        ((), 14, "residents"),
        (("burglary",), 1, "households"),
        (("drugs",), 1, "residents"),
        (("burglary", "drugs"), 2, "residents"),
        (("acquisitive",), 3, "residents"),
        (("acquisitive", "robbery"), 3, "residents"),
    ],
)
def test_rates_are_per_what_all_types_share_else_per_residents(
    query: Query, crimes: tuple[str, ...], types: int, per: str
) -> None:
    selection = select(query, "2024-01", "2024-04", level="ward", crimes=crimes)
    assert len(query.crime_types(selection)) == types
    assert query.denominator(selection).key == per
    people = {"residents": RESIDENTS, "households": HOUSEHOLDS}[per]
    frame = query.count_areas(selection)
    assert frame["denominator"].tolist() == pytest.approx(
        [sum(people[code] for code in pair) for pair in LSOAS.values()]
    )
    assert set(frame["denominator_method"]) == {"shared out by area from LSOAs"}


def test_deprivation_of_an_edition_that_is_not_there_is_empty(query: Query) -> None:
    assert query.read_deprivation("ward", 2019).empty
    assert query.read_deprivation("ward", 2025)["code"].tolist() == ["w1", "w2", "w3", "w4"]


def test_unknown_level_and_crime_are_told(query: Query) -> None:
    with pytest.raises(UserError, match="There is no level 'parish'; choose one of: lsoa21, ward, hex, area"):
        query.count_areas(replace(Selection.default(query.store), level="parish"))


# Sources of a force and of a partnership together


def test_total_of_mixed_sources_is_the_sum_of_its_months(made: Made) -> None:
    made.months = {
        "force.zip": {"2024-01": make_incidents(1, 60), "2024-02": make_incidents(2, 60)},
        "own.zip": {"2024-03": make_incidents(3, 60)},
    }
    made.covers = {"own.zip": "partnership"}
    query = Query(made.build().store)
    for first, last in (("2024-01", "2024-03"), ("2024-03", "2024-03"), ("2024-01", "2024-02")):
        selection = select(query, first, last)
        coverage = query.count_coverage(selection)
        unlocated = sum(
            incident.lsoa is None
            for month in ("2024-03",)
            if first <= month <= last
            for incident in made.months["own.zip"][month]
        )
        assert coverage.unlocated_own == unlocated
        assert coverage.total == coverage.inside + unlocated
        assert coverage.total == query.count_months(selection, selection.span)["count"].sum()
        assert coverage.total == query.count_types(selection)["count"].sum()
    assert not query.count_coverage(select(query, "2024-01", "2024-03")).own
    assert query.count_coverage(select(query, "2024-03", "2024-03")).own


# Ibis alone, on any engine


def ask_everything(query: Query) -> list[pd.DataFrame]:
    """Every kind of question, so that every expression is made."""
    found = []
    splits: list[By] = [[], ["month"], ["crime_type"], ["month", "crime_type"]]
    for selection in (
        select(query, "2023-06", "2024-01", level="ward", crimes=("acquisitive",), comparison="previous"),
        select(query, "2024-02", "2024-04", level="hex"),
    ):
        coverage = query.count_coverage(selection)
        found += [
            query.count_areas(selection),
            pd.DataFrame([vars(coverage)]).astype(str),
            query.count_months(selection, selection.span),
            query.count_months(selection, selection.span, code="w1"),
            query.count_types(selection),
            query.count_types(selection, code="w1"),
            query.list_locations(selection),
            query.list_locations(selection, code="w2"),
            query.count_points(selection),
            query.count_points(selection, span=Span.parse("2023-01..2023-05"), by=("crime_type", "location")),
            query.read_deprivation("area", 2025),
            *(query.count_cells(selection, by) for by in splits),
        ]
    return found


@pytest.fixture
def expressions(query: Query, monkeypatch: pytest.MonkeyPatch) -> list[ir.Table]:
    """Every expression that is run."""
    run, seen = ir.Table.to_pandas, []

    def record(self: ir.Table, **options: Any) -> pd.DataFrame:
        seen.append(self)
        frame: pd.DataFrame = run(self, **options)
        return frame

    monkeypatch.setattr(ir.Table, "to_pandas", record)
    # One that holds nothing yet.
    ask_everything(Query(query.store))
    monkeypatch.undo()
    return seen


@pytest.mark.parametrize("dialect", ["postgres", "bigquery", "snowflake", "mssql", "sqlite", "clickhouse"])
def test_every_question_compiles_for_other_engines(expressions: list[ir.Table], dialect: str) -> None:
    assert len(expressions) >= 10
    for expression in expressions:
        assert "SELECT" in str(ibis.to_sql(expression.unbind(), dialect=dialect))


def test_another_engine_gives_the_same_answers(query: Query, full: Made) -> None:
    """The same tables in SQLite, with nothing changed but the connection."""
    store = query.store
    backend = ibis.sqlite.connect()
    frames = {"cube": store.read_table("cube")}
    incidents = pd.concat([pd.read_parquet(file) for file in sorted(store.folder.glob("incidents/*"))])
    frames["incidents"] = incidents.drop(columns=["id_hash", "occurred_from", "occurred_to"])
    for table, frame in frames.items():
        flags = dict.fromkeys(frame.select_dtypes("bool"), "BOOLEAN")
        frame.to_sql(table, backend.con, index=False, dtype=flags)
    other = Query(store)
    other._engine._idle.append(backend)
    for ours, theirs in zip(ask_everything(query), ask_everything(other), strict=True):
        pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)
    assert other._engine._idle == [backend]
    backend.disconnect()


# Many at once


def test_many_threads_get_the_same_answers(query: Query) -> None:
    alone = ask_everything(query)

    def ask(_: int) -> list[pd.DataFrame]:
        return ask_everything(query)

    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(ask, range(8)):
            for one, other in zip(alone, found, strict=True):
                pd.testing.assert_frame_equal(one, other)
    assert len(query._engine._idle) <= 9


def test_two_stores_at_once_do_not_mix(full: Made, made: Made) -> None:
    one, other = Query(open_store(full.root)), Query(made.build().store)
    span = Selection.default(other.store)
    assert other.count_coverage(span).recorded == 180
    assert one.count_coverage(Selection.default(one.store)).recorded == 11 * 80
