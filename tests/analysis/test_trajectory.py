from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.analysis.targets.month_table import MonthTable, lay_out_months
from cspmap.analysis.targets.trajectory import (
    compare_last_year,
    draw_milestones,
    read_milestone,
    share_months,
    trace_target,
)
from cspmap.errors import UserError
from cspmap.periods import Month, Span

YEAR = Span(Month(2023, 4), Month(2024, 3))


START = Month(2021, 4)


def series(values: Sequence[float | None], first: Month = START) -> pd.Series:
    return pd.Series(values, index=[str(first + step) for step in range(len(values))], dtype="float64")


def lay(
    values: Sequence[float | None], *, as_at: Month | None = None, span: Span = YEAR, first: Month = START
) -> MonthTable:
    return lay_out_months(series(values, first).to_frame("one"), span, as_at=as_at)


def test_without_a_season_a_month_has_the_share_of_its_days() -> None:
    shares = share_months(lay([10.0] * 3, first=Month(2023, 1)))[0]
    assert shares == pytest.approx(np.array([30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29, 31]) / 366)
    assert share_months(lay([10.0] * 3), path="straight")[0] == pytest.approx([1 / 12] * 12)


def test_a_month_has_its_usual_share_of_the_year() -> None:
    """August takes two of every thirteen: of 1,300 a year much of that is believed, of 13 little."""
    year = [1.0] * 4 + [2.0] + [1.0] * 7
    flat = 31 / 366
    many = share_months(lay([100 * count for count in year * 2]))[0]
    few = share_months(lay(year * 2))[0]
    assert 1.2 * flat < many[4] < 2 / 13
    assert flat < few[4] < 1.05 * flat


def test_what_happens_in_the_year_does_not_move_its_path() -> None:
    before = [30.0, 20, 10, 25] * 6
    early = share_months(lay(before, as_at=Month(2023, 3)))
    late = share_months(lay([*before, 500.0, 0.0, 90.0], as_at=Month(2023, 6)))
    assert late == pytest.approx(early)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.one_of(st.integers(0, 99), st.none()), min_size=24, max_size=24),
    st.sampled_from(["seasonal", "straight"]),
)
def test_shares_sum_to_one(values: list[int | None], path: str) -> None:
    shares = share_months(lay(values), path=path)  # type: ignore[arg-type]
    assert (shares > 0).all()
    assert shares.sum() == pytest.approx(1)


def test_last_year_is_compared_month_for_month() -> None:
    values: list[float | None] = [*[5.0] * 12, 1, 2, 3, 4, *[9.0] * 8, 10, None, 30, 40]
    row = compare_last_year(lay(values)).loc["one"]
    assert (row["now"], row["before"], row["months"]) == (80, 8, 3)
    values[14] = None
    row = compare_last_year(lay(values)).loc["one"]
    assert (row["now"], row["before"], row["months"]) == (50, 5, 2)


def test_without_a_last_year_there_is_nothing_to_compare() -> None:
    row = compare_last_year(lay([10.0, 20], first=Month(2023, 4))).loc["one"]
    assert row["months"] == 0
    assert row[["now", "before"]].isna().all()
    early = compare_last_year(lay([10.0, 20], first=Month(2023, 1))).loc["one"]
    assert early["months"] == 0


def test_more_than_a_year_is_compared_with_years_clear_of_it() -> None:
    span = Span(Month(2022, 4), Month(2024, 3))
    values = [float(step) for step in range(24)] + [100.0] * 14
    row = compare_last_year(lay(values, span=span, first=Month(2020, 4))).loc["one"]
    assert (row["now"], row["before"], row["months"]) == (1400, sum(range(14)), 14)


def test_trace_of_a_target() -> None:
    values: list[float | None] = [*[10.0] * 24, 12, 8, None, 9]
    frame = trace_target(series(values), YEAR, 120, as_at=Month(2023, 7), path="straight")
    assert list(frame.columns) == ["month", "expected", "actual", "last_year", "projected", "low", "high"]
    assert frame["expected"].to_numpy() == pytest.approx(np.arange(10, 121, 10))
    assert frame["actual"].to_numpy()[:4] == pytest.approx([12, 20, np.nan, np.nan], nan_ok=True)
    assert frame["last_year"].to_numpy() == pytest.approx(np.arange(10, 121, 10))
    assert frame["low"].to_numpy()[:2] == pytest.approx([12, 20])
    assert (frame["low"] <= frame["high"]).all()
    assert frame["projected"].iloc[-1] == pytest.approx(120, rel=0.1)


def test_trace_without_a_target_or_a_history() -> None:
    frame = trace_target(series([]), YEAR, None)
    assert len(frame) == 12
    assert frame.drop(columns="month").isna().all(axis=None)


def test_milestones_on_a_straight_line() -> None:
    """Theft of vehicle in Luton, from 848 in 2004-05 to 708 in 2007-08."""
    assert draw_milestones(848, 708, 3) == pytest.approx([848 - 140 / 3, 848 - 280 / 3, 708])
    assert draw_milestones(50, 50, 1) == [50]
    with pytest.raises(UserError, match="at least one year"):
        draw_milestones(848, 708, 0)


def test_milestones_are_read_between() -> None:
    confidence = {Month(2012, 3): 58.6, Month(2010, 3): 50.0, Month(2011, 3): 53.9}
    assert read_milestone(confidence, Month(2010, 3)) == 50
    assert read_milestone(confidence, Month(2010, 9)) == pytest.approx(51.95)
    assert read_milestone(confidence, Month(2013, 1)) == 58.6
    assert read_milestone(confidence, Month(2009, 12)) is None
    assert read_milestone({}, Month(2010, 3)) is None
