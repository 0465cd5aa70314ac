"""Repeat locations: who they are, whether they stay, and the break in the list of places."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.analysis.change import e_test
from cspmap.analysis.repeats import repeat_locations
from cspmap.analysis.snapping import CAVEAT, crosses_renewal, describe_renewal
from cspmap.errors import UserError
from cspmap.periods import Month, Span

YEAR = list(Span.parse("2023-05..2024-04"))


def incidents(**streets: list[int]) -> pd.DataFrame:
    """Counts by month of 2023-05 on, by street; each street is at a point of its own."""
    rows = [
        {"location": name, "easting": 100.0 * place, "northing": 0.0, "month": str(YEAR[0] + month), "count": count}
        for place, (name, counts) in enumerate(streets.items())
        for month, count in enumerate(counts)
        if count
    ]
    return pd.DataFrame(rows, columns=["location", "easting", "northing", "month", "count"])


def test_figures_of_the_most_by_hand() -> None:
    found = repeat_locations(
        incidents(High=[3] * 12, Low=[1] + [0] * 11, Mill=[12] + [0] * 11, Park=[0] * 6 + [1] * 6), YEAR, most=3
    )
    frame = found.frame
    assert frame["location"].tolist() == ["High", "Mill", "Park"]
    assert frame["count"].tolist() == [36, 12, 6]
    assert frame["share"].tolist() == pytest.approx([36 / 55, 12 / 55, 6 / 55])
    assert frame["cumulative_share"].tolist() == pytest.approx([36 / 55, 48 / 55, 54 / 55])
    assert frame["months"].tolist() == [12, 1, 6]
    assert frame["count_earlier"].tolist() == [18, 12, 0]
    assert frame["count_later"].tolist() == [18, 0, 6]
    assert frame["persists"].tolist() == [True, False, False]
    assert frame["p"].to_numpy() == pytest.approx(e_test([18, 12, 0], [18, 0, 6]))
    assert (found.incidents, found.locations, found.flagged) == (55, 4, False)
    assert (str(found.earlier), str(found.later)) == ("2023-05..2023-10", "2023-11..2024-04")
    assert found.words == (
        "3 locations have 98 % of the 55 incidents with a location in year to April 2024, out of 4 locations with any. "
        "1 of them is among the most in both halves of the period."
    )
    assert found.cautions == (CAVEAT,)


def test_two_streets_of_one_name_stay_apart_and_rows_of_one_place_add_up() -> None:
    counts = incidents(A=[2], B=[1, 1, 1])
    counts["location"] = "On or near High Street"
    found = repeat_locations(pd.concat([counts, counts]), YEAR)
    assert found.frame["count"].tolist() == [6, 4]
    assert found.frame["easting"].tolist() == [100, 0]


def test_incidents_without_a_place_count_nowhere() -> None:
    counts = incidents(A=[2], B=[5])
    counts.loc[counts["location"] == "B", "location"] = None
    lost = counts.assign(easting=np.nan)
    found = repeat_locations(pd.concat([counts, lost]), YEAR)
    assert (found.incidents, found.locations) == (2, 1)


def test_persisting_needs_two_incidents_in_either_half() -> None:
    assert repeat_locations(incidents(A=[1] + [0] * 10 + [1]), YEAR).frame["persists"].tolist() == [False]
    assert repeat_locations(incidents(A=[2] + [0] * 10 + [2]), YEAR).frame["persists"].tolist() == [True]


def test_level_with_the_last_of_the_most_is_among_them() -> None:
    frame = repeat_locations(incidents(A=[9] * 12, B=[4] * 12, C=[4] * 11), YEAR, most=2).frame
    assert frame["location"].tolist() == ["A", "B"]
    assert frame["persists"].tolist() == [True, True]


def test_a_span_across_the_renewal_is_flagged_and_judged_from_then_on() -> None:
    loaded = list(Span.parse("2022-03..2022-12"))
    # One street whose point moved in July 2022, and one of the same new list that came late.
    rows = [("Moved", 0.0, month) for month in loaded[:4]] + [("Moved", 70.0, month) for month in loaded[4:]]
    rows += [("Late", 500.0, month) for month in loaded[7:]]
    counts = pd.DataFrame(
        [{"location": name, "easting": x, "northing": 0.0, "month": str(m), "count": 5} for name, x, m in rows]
    )
    found = repeat_locations(counts, loaded)
    assert found.flagged
    assert (str(found.earlier), str(found.later)) == ("2022-07..2022-09", "2022-10..2022-12")
    places = found.frame.set_index("easting")
    assert places["count"].to_dict() == {70: 30, 0: 20, 500: 15}
    assert places["persists"].to_dict() == {70: True, 0: False, 500: False}
    assert found.cautions == (
        CAVEAT,
        "The list of places was renewed in July 2022: streets before and after cannot be compared one by one.",
        "Whether a street persists is judged from July 2022 on.",
    )
    exact = repeat_locations(counts, loaded, snapped=False)
    assert (exact.flagged, exact.cautions, str(exact.earlier)) == (False, (), "2022-03..2022-07")


def test_a_span_that_ends_as_the_list_is_renewed_cannot_say_who_persists() -> None:
    found = repeat_locations(incidents().assign(), list(Span.parse("2022-01..2022-07")))
    assert found.flagged
    assert found.earlier is None
    assert found.cautions[-1] == "Too few months are loaded to say which locations persist."


@pytest.mark.parametrize(
    ("span", "crosses"),
    [("2022-06..2022-07", True), ("2021-01..2022-06", False), ("2022-07..2022-07", False), ("2020-01..2024-01", True)],
)
def test_which_spans_cross_the_renewal(span: str, crosses: bool) -> None:
    assert crosses_renewal(Span.parse(span)) == crosses
    assert bool(describe_renewal(Span.parse(span))) == crosses


def test_an_odd_number_of_months_leaves_the_middle_one_out_and_gaps_are_no_zeros() -> None:
    loaded = [Month.parse(text) for text in ("2023-05", "2023-06", "2023-09", "2023-11", "2024-01")]
    found = repeat_locations(incidents(A=[1, 2, 0, 0, 40, 0, 8, 0, 16]), loaded)
    assert found.frame["count_earlier"].tolist() == [3]
    assert found.frame["count_later"].tolist() == [24]
    assert (str(found.earlier), str(found.later)) == ("2023-05..2023-06", "2023-11..2024-01")


def test_one_month_says_nothing_of_persistence() -> None:
    found = repeat_locations(incidents(A=[4]), YEAR[:1])
    assert found.frame["persists"].isna().all()
    assert found.frame["p"].isna().all()
    assert "both halves" not in found.words
    assert found.cautions[-1] == "Too few months are loaded to say which locations persist."


def test_no_incidents_work() -> None:
    found = repeat_locations(incidents(), YEAR)
    assert found.frame.empty
    assert found.words == "No incident of year to April 2024 has a location."
    assert found.frame.columns.tolist() == [
        *("location", "easting", "northing", "count", "share", "cumulative_share", "months"),
        *("count_earlier", "count_later", "persists", "p"),
    ]


def test_bad_input_is_refused() -> None:
    with pytest.raises(UserError, match="No month of the period is loaded"):
        repeat_locations(incidents(A=[1]), [])
    with pytest.raises(UserError, match="no column 'month'"):
        repeat_locations(incidents(A=[1]).drop(columns="month"), YEAR)
    with pytest.raises(UserError, match="incidents of 2023-06, a month that is not said to be loaded"):
        repeat_locations(incidents(A=[1, 1]), YEAR[:1])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 11), st.integers(1, 9)), max_size=30), st.randoms())
def test_order_of_rows_does_not_matter_and_shares_add_up(rows: list[tuple[int, int, int]], random: Any) -> None:
    def find(listed: list[tuple[int, int, int]]) -> pd.DataFrame:
        counts = pd.DataFrame(
            [(f"s{s}", float(s), 0.0, str(YEAR[m]), n) for s, m, n in listed],
            columns=["location", "easting", "northing", "month", "count"],
        )
        return repeat_locations(counts, YEAR).frame

    shuffled = rows.copy()
    random.shuffle(shuffled)
    frame = find(rows)
    pd.testing.assert_frame_equal(frame, find(shuffled))
    if rows:
        assert frame["cumulative_share"].iloc[-1] == pytest.approx(1)
        assert (frame["count_earlier"] + frame["count_later"]).sum() == frame["count"].sum()
