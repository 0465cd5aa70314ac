"""The progress board: every count as pandas counts it from the incidents, gaps that stay gaps, and its files."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cspmap.board import Board, find_as_at, find_level, find_period, list_weights, make_board
from cspmap.errors import UserError
from cspmap.exports.extract import write_csv
from cspmap.exports.target_tables import (
    WITNESSES,
    describe_chance,
    describe_months,
    describe_unmeasured,
    list_board_caveats,
    sort_lines,
    tabulate_board,
    tabulate_reconciliation,
    take_records,
)
from cspmap.goals import Sharing
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.sources.target_file import read_targets
from cspmap.store import open_store
from cspmap.targets import Indicator, Target, TargetArea, TargetTable, name_period, parse_period

ROOT = Path(__file__).resolve().parent.parent
NOVEMBER = Month(2007, 11)


@pytest.fixture(scope="module")
def query(example_store: Path) -> Query:
    return Query(open_store(example_store))


@pytest.fixture(scope="module")
def awkward(awkward_store: Path) -> Query:
    return Query(open_store(awkward_store))


@pytest.fixture(scope="module")
def incidents(query: Query) -> pd.DataFrame:
    """Every incident that counts, with the ward and area its point lies in."""
    frame = pd.read_parquet(query.store.folder / "incidents")
    assert len(frame) == 72_030
    return frame[~frame["superseded"]].assign(month=frame["month"].astype(str))


def show(query: Query, level: str, period: str, as_at: Month, *, table: TargetTable | None = None) -> Board:
    return make_board(
        query,
        table or query.store.targets[0],
        level=level,
        span=parse_period(period),
        as_at=as_at,
        sharing=Sharing("baseline", list_weights(query, level)),
    )


def read_lines(board: Board) -> dict[tuple[str, str], dict[Any, Any]]:
    """The lines of a board by indicator and codes."""
    rows = board.lines.to_dict("records")
    return {(str(key), str(codes)): row for (key, codes), row in zip(list(board.lines.index), rows, strict=True)}


def make_table(**given: Any) -> TargetTable:
    fields: dict[str, Any] = {
        "indicator": Indicator("violence", "Violence", ("violence",)),
        "area": TargetArea("Luton"),
        "kind": "change-by",
        "due": parse_period("2007-08"),
        "percent": Decimal(10),
        "baseline_period": parse_period("2006-07"),
        "document": "Plan",
        "page": "7",
    }
    return TargetTable("Made", (Target(**(fields | given)),))


# ---- counts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["area", "ward"])
def test_counts_are_those_of_the_incidents(level: str, query: Query, incidents: pd.DataFrame) -> None:
    board = show(query, level, "2007-08", NOVEMBER)
    crimes = {indicator.key: indicator.crimes for indicator in board.table.indicators}
    assert len(board.lines) > 60
    for (key, codes), line in read_lines(board).items():
        own = incidents[incidents["crime_type"].isin(crimes[key])]
        if codes:
            own = own[own[f"in_{level}"].isin(codes.split(","))]
        else:
            # Those without a location count for the whole, those outside it do not.
            own = own[own["in_ward"].notna() | own["longitude"].isna()]
        now = own["month"].between("2007-04", "2007-11").sum()
        before = own["month"].between("2006-04", "2006-11").sum()
        assert (line["actual"], line["last_year"]) == (now, before), (key, codes)
    assert set(board.lines["months_seen"]) == {8}
    assert set(board.lines["months_to_come"]) == {4}
    assert board.missing == ()


def test_a_group_of_crime_types_counts_all_of_them(query: Query, incidents: pd.DataFrame) -> None:
    board = show(query, "area", "2007-08", Month(2008, 3), table=make_table())
    both = incidents[incidents["crime_type"].isin(["common-assault", "wounding"])]
    both = both[both["in_ward"].notna() | both["longitude"].isna()]
    before, now = (both["month"].between(f"{year}-04", f"{year + 1}-03").sum() for year in (2006, 2007))
    whole = read_lines(board)["violence", ""]
    assert (whole["baseline"], whole["actual"], whole["value"]) == (before, now, before * 9 // 10)
    assert whole["how"] == f"10 % below {before:,}"


def test_what_a_line_says_of_its_goal_travels_with_it(query: Query) -> None:
    line = read_lines(show(query, "area", "2007-08", NOVEMBER))["robbery", "east"]
    told = {
        "indicator": "Robbery", "code": "east", "area": "East", "due": "2007-08", "value": 31, "baseline": 35,
        "baseline_period": "2004-05", "document": "Community Safety Strategy for Luton 2005 to 2008", "page": "26",
        "origin": "printed", "how": "as printed",
    }  # fmt: skip
    assert {name: line[name] for name in told} == told


def test_a_month_later_than_as_at_is_not_looked_at(query: Query) -> None:
    early = show(query, "area", "2007-08", Month(2007, 6)).lines
    assert set(early["months_seen"]) == {3}
    late = show(query, "area", "2007-08", Month(2008, 3)).lines
    assert (early["actual"] < late["actual"]).all()
    assert set(late["status"]) == {"met", "not met"}
    assert set(late["chance"]) == {0.0, 1.0}


def test_missing_months_leave_verdicts_open_and_count_for_nothing(awkward: Query) -> None:
    """The year to March 2006 is not loaded there."""
    gone = show(awkward, "area", "2005-06", Month(2006, 3))
    assert gone.missing == tuple(parse_period("2005-06"))
    assert set(gone.lines["rating"]) == {"?"}
    assert set(gone.lines["status"]) == {"open"}
    assert set(gone.lines["months_missing"]) == {12}
    assert gone.lines["position"].eq("not known").all()
    after = show(awkward, "area", "2006-07", Month(2007, 3)).lines
    assert after["last_year"].isna().all()
    assert set(after["status"]) == {"met", "not met"}
    # What starts from that year is not known, and is not zero.
    table = make_table(area=TargetArea(""), baseline_period=parse_period("2005-06"), due=parse_period("2006-07"))
    unknown = show(awkward, "area", "2006-07", Month(2007, 3), table=table).lines
    assert unknown["value"].isna().all()
    assert unknown["baseline"].isna().all()
    assert set(unknown["rating"]) == {"?"}


def test_names_are_all_different(query: Query, awkward: Query) -> None:
    board = show(query, "area", "2007-08", NOVEMBER)
    assert list(board.names.values()) == ["Luton", "Central", "East", "North", "South", "West"]
    store = replace(query.store, partnership=replace(query.store.partnership, place="South"))
    names = show(Query(store), "area", "2007-08", NOVEMBER, table=make_table(area=TargetArea(""))).names
    assert list(names.values()) == ["South as a whole", "Central", "East", "North", "South", "West"]


# ---- what is shown where nothing is chosen ---------------------------------------------------------------------------


def test_it_opens_on_the_last_period_that_has_begun_and_the_level_that_is_printed(query: Query) -> None:
    tables = {table.title: table for table in query.store.targets}
    luton, division = tables["Luton targets 2005-08"], tables["Luton divisional policing plan 2005-06"]
    assert [find_period(query, table) for table in (luton, division)] == [
        parse_period("2007-08"), parse_period("2005-06"),
    ]  # fmt: skip
    later = make_table(due=parse_period("2010-11"), baseline_period=parse_period("2007-08"))
    assert name_period(find_period(query, later) or parse_period("1999")) == "2008-09"
    assert find_period(query, tables["Bedfordshire local targets 2007-11"]) is None
    assert [find_level(query, table) for table in (luton, division)] == ["area", "area"]
    wards = make_table(area=TargetArea("Dallow"))
    assert find_level(query, wards) == "ward"
    assert find_as_at(query, parse_period("2005-06")) == Month(2006, 3)
    assert find_as_at(query, parse_period("2008-09")) == Month(2008, 3)


def test_what_a_table_does_not_ask_is_told_in_a_sentence(query: Query) -> None:
    with pytest.raises(UserError) as caught:
        show(query, "area", "2009-10", NOVEMBER)
    assert str(caught.value) == (
        "Luton targets 2005-08 asks nothing of 2009-10; choose one of: 2005-06, 2006-07, 2007-08."
    )
    beds = next(table for table in query.store.targets if table.title.startswith("Bedfordshire"))
    with pytest.raises(UserError) as caught:
        show(query, "area", "2009-10", NOVEMBER, table=beds)
    assert str(caught.value) == (
        "Recorded crime of Luton measures none of the targets in Bedfordshire local targets 2007-11; they stand as "
        "printed."
    )


@pytest.mark.parametrize(
    ("period", "as_at", "told"),
    [
        ("2007-08", "2007-11", ""),
        ("2008-09", "2008-03", "The period, the year to March 2009, has not begun by March 2008: nothing can be said of it yet."),  # noqa: E501
        ("2005-06", "2006-03", "No month of the year to March 2006 is loaded, only April 2003 to March 2005 and April 2006 to March 2008, so how far its targets were met is not known."),  # noqa: E501
        ("2005-06 to 2007-08", "2006-05", "12 months are missing from April 2005 to May 2006 (April 2005, May 2005, June 2005, July 2005 and 8 more): missing, not zero."),  # noqa: E501
    ],
)  # fmt: skip
def test_why_months_are_not_there(period: str, as_at: str, told: str, awkward: Query) -> None:
    assert describe_months(awkward, parse_period(period), Month.parse(as_at)) == told


# ---- files -----------------------------------------------------------------------------------------------------------


def test_the_file_has_all_that_must_travel_with_a_figure(query: Query) -> None:
    board = show(query, "ward", "2007-08", NOVEMBER)
    frame, caveats = tabulate_board(board), list_board_caveats(board, query)
    assert len(frame) == len(board.lines)
    assert (frame["period"] == "2007-04..2008-03").all()
    assert (frame["as_at"] == "2007-11").all()
    assert (frame["table"] == "Luton targets 2005-08").all()
    for name in ("how", "document", "page", "months_missing", "sentence", "rating", "chance", "low", "high"):
        assert frame[name].notna().all(), name
    told = " ".join(caveats)
    assert query.store.partnership.notice in told
    assert WITNESSES in caveats
    assert "Luton targets 2005-08, Luton, year to March 2008, as at November 2007." in caveats
    assert "four times in five" in told
    incidents = pd.read_parquet(query.store.folder / "incidents")
    months = incidents[~incidents["superseded"] & incidents["month"].astype(str).between("2007-04", "2007-11")]
    unlocated = int(months["longitude"].isna().sum())
    assert f"{unlocated:,} incidents ({100 * unlocated / len(months):.1f} %) have no location" in told
    text = write_csv(frame, caveats)
    assert text.count("\n") == len(frame) + 1
    pooled = frame[frame["area"].str.contains("together")]
    assert pooled["area_code"].str.contains(",").all()
    records = json.loads(json.dumps(take_records(frame)))
    assert [record["target"] for record in records] == frame["target"].tolist()
    assert all(isinstance(record["actual"], int) for record in records)


def test_how_many_lines_chance_alone_would_flag() -> None:
    """One in twenty of those tested: 3 of 60, by hand; untested lines cannot be flagged."""
    changes = ["up"] * 10 + ["down"] * 5 + ["normal variation"] * 45 + ["too few to say"] * 30 + ["not known"] * 10
    assert describe_chance(pd.DataFrame({"change": changes})) == (
        "If nothing had changed anywhere, about 3 of the 60 lines tested (1 in 20) would still show a change on last "
        "year by chance alone."
    )
    assert "fewer than one of the 9 lines" in describe_chance(pd.DataFrame({"change": ["up"] * 9}))
    assert "about 1 of the 19 lines" in describe_chance(pd.DataFrame({"change": ["down"] * 19}))
    assert describe_chance(pd.DataFrame({"change": ["not known"] * 9})) == ""


def test_a_gap_is_empty_in_the_file_and_null_in_json(awkward: Query) -> None:
    board = show(awkward, "area", "2006-07", Month(2007, 3))
    frame = tabulate_board(board)
    assert frame["last_year"].isna().all()
    assert {record["last_year"] for record in take_records(frame)} == {None}
    gone = show(awkward, "area", "2005-06", Month(2006, 3))
    assert any("No month of the year to March 2006 is loaded" in told for told in list_board_caveats(gone, awkward))


def test_the_farthest_behind_come_first() -> None:
    rows = [
        # rating, chance, direction, target, heading for
        ("green", "G", 0.9, "less", 100, 90),
        ("far", "R", 0.1, "less", 100, 150),
        ("farther", "R", 0.1, "less", 10, 20),
        ("surely", "R", 0.0, "less", 100, 101),
        ("unknown", "?", None, "less", 100, None),
        ("short", "R", 0.1, "more", 100, 10),
        ("amber", "A", 0.5, "less", 100, 100),
    ]
    frame = pd.DataFrame(rows, columns=["name", "rating", "chance", "direction", "value", "projected"])
    order = sort_lines(frame.astype({"chance": float, "projected": float}))["name"].tolist()
    assert order == ["surely", "farther", "short", "far", "amber", "green", "unknown"]


def test_what_recorded_crime_does_not_measure_is_named(query: Query) -> None:
    division = next(table for table in query.store.targets if "divisional" in table.title)
    assert describe_unmeasured(query, division) == (
        "Not measured by recorded crime, and so as printed: All crime and Violent crime."
    )
    assert describe_unmeasured(query, query.store.targets[0]) == ""


@pytest.mark.parametrize("name", ["luton-2005-08", "bedfordshire-2007-11"])
def test_every_fault_says_where_it_is_printed(name: str) -> None:
    table = read_targets(ROOT / "data" / "targets" / f"{name}.csv")
    frame = tabulate_reconciliation(table)
    assert len(frame) == {"luton-2005-08": 36, "bedfordshire-2007-11": 4}[name]
    assert set(frame["table"]) == {table.title}
    assert set(frame["document"]) == {table.targets[0].document}
    assert set(frame["page"]) == {table.targets[0].page}


def test_spans_of_months_are_judged_as_they_are(query: Query, incidents: pd.DataFrame) -> None:
    table = make_table(due=Span.parse("2007-05..2007-10"), baseline_period=Span.parse("2006-05..2006-10"))
    line = read_lines(show(query, "area", "2007-05..2007-10", NOVEMBER, table=table))["violence", ""]
    both = incidents[incidents["crime_type"].isin(["common-assault", "wounding"])]
    both = both[both["in_ward"].notna() | both["longitude"].isna()]
    assert line["actual"] == both["month"].between("2007-05", "2007-10").sum()
    assert line["status"] in ("met", "not met")


@pytest.mark.parametrize("level", ["area", "ward"])
def test_an_indicator_by_itself_is_judged_as_beside_the_others(level: str, query: Query) -> None:
    whole = show(query, level, "2007-08", NOVEMBER)
    for key in whole.indicators:
        alone = show(query, level, "2007-08", NOVEMBER, table=query.store.targets[0].keep(key))
        pd.testing.assert_frame_equal(alone.lines, whole.lines.loc[[key]])
