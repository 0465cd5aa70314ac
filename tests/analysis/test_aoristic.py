"""Hour by weekday: aoristic weights by hand, by adding up minutes, and what is left out."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.analysis.aoristic import HOURS_A_WEEK, WEEKDAYS, WeekHours, week_hours
from cspmap.errors import UserError


def times(*spans: tuple[str | None, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(list(spans), columns=["occurred_from", "occurred_to"])
    return pd.DataFrame({name: pd.to_datetime(frame[name], format="ISO8601") for name in frame})


def weights(found: WeekHours) -> dict[tuple[str, int], float]:
    """The hours that have any weight."""
    some = found.frame[found.frame["weight"] > 1e-12]
    return {(day, hour): weight for day, hour, weight in some.itertuples(index=False)}


# 1 April 2024 was a Monday.
def test_spans_are_shared_out_over_their_hours_by_hand() -> None:
    assert weights(week_hours(times(("2024-04-01 22:30", "2024-04-02 00:30")))) == pytest.approx(
        {("Monday", 22): 0.25, ("Monday", 23): 0.5, ("Tuesday", 0): 0.25}
    )
    assert weights(week_hours(times(("2024-04-07 23:00", "2024-04-08 01:00")))) == pytest.approx(
        {("Sunday", 23): 0.5, ("Monday", 0): 0.5}
    ), "over the end of the week"


def test_a_moment_is_in_its_hour() -> None:
    found = week_hours(
        times(("2024-04-03 14:59:59", "2024-04-03 14:59:59"), ("2024-04-05 08:00", None), (None, "2024-04-06 23:10"))
    )
    assert weights(found) == {("Wednesday", 14): 1, ("Friday", 8): 1, ("Saturday", 23): 1}
    assert found.counted == 3


def test_a_span_within_one_hour_is_in_that_hour_and_its_end_is_not_in_the_next() -> None:
    assert weights(week_hours(times(("2024-04-03 14:05", "2024-04-03 15:00")))) == {("Wednesday", 14): pytest.approx(1)}


def test_a_whole_week_is_even_and_longer_is_left_out() -> None:
    found = week_hours(times(("2024-04-01 09:00", "2024-04-08 09:00"), ("2024-04-01 09:00", "2024-04-08 09:01")))
    assert found.frame["weight"].to_numpy() == pytest.approx(1 / HOURS_A_WEEK)
    assert found.left_out == {"longer than 168 hours": 1}
    assert week_hours(times(("2024-04-01 09:00", "2024-04-08 09:00")), longest=24).counted == 0


def test_two_weeks_where_they_are_let_in_weigh_each_hour_twice() -> None:
    found = week_hours(times(("2024-04-01 09:30", "2024-04-15 09:30")), longest=1000)
    assert found.frame["weight"].to_numpy() == pytest.approx(1 / HOURS_A_WEEK)
    more = weights(week_hours(times(("2024-04-01 09:00", "2024-04-08 10:00")), longest=1000))
    assert more["Monday", 9] == pytest.approx(2 / 169)
    assert more["Monday", 10] == pytest.approx(1 / 169)


@settings(deadline=None)
@given(
    st.datetimes(datetime(2019, 1, 1), datetime(2025, 1, 1)).map(
        lambda moment: moment.replace(second=0, microsecond=0)
    ),
    st.integers(1, 3000),
)
def test_it_is_what_counting_the_minutes_gives(start: datetime, minutes: int) -> None:
    found = week_hours(times((start.isoformat(), (start + timedelta(minutes=minutes)).isoformat())))
    expected: dict[tuple[str, int], float] = {}
    for minute in range(minutes):
        moment = start + timedelta(minutes=minute)
        key = (WEEKDAYS[moment.weekday()], moment.hour)
        expected[key] = expected.get(key, 0) + 1 / minutes
    assert weights(found) == pytest.approx(expected)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 604_800)), min_size=1, max_size=30))
def test_weights_add_up_to_the_incidents(spans: list[tuple[int, int]]) -> None:
    starts = pd.to_datetime([start for start, _ in spans], unit="s")
    ends = starts + pd.to_timedelta([length for _, length in spans], unit="s")
    found = week_hours(pd.DataFrame({"occurred_from": starts, "occurred_to": ends}))
    assert found.counted == len(spans)
    assert found.frame["weight"].sum() == pytest.approx(len(spans))
    assert (found.frame["weight"] >= 0).all()


def test_batches_do_not_show() -> None:
    spans = times(("2024-04-01 22:30", "2024-04-02 00:30"))
    many = week_hours(pd.concat([spans] * 45_000)).frame["weight"]
    assert many.to_numpy() == pytest.approx(45_000 * week_hours(spans).frame["weight"].to_numpy())


def test_what_is_left_out_is_counted_by_reason_and_said() -> None:
    found = week_hours(
        times(
            ("2024-04-01 22:00", "2024-04-02 06:00"),
            ("2024-04-01 22:00", "2024-04-01 22:00"),
            (None, None),
            ("2024-04-02 06:00", "2024-04-01 22:00"),
            ("2024-01-01 00:00", "2024-03-01 00:00"),
        )
    )
    assert found.left_out == {"without a time": 1, "ending before they start": 1, "longer than 168 hours": 1}
    assert found.counted == 2
    assert found.words == (
        "2 incidents by hour and weekday: 1 with a span of time shared out evenly over it (aoristic); "
        "left out 1 without a time, 1 ending before they start, 1 longer than 168 hours."
    )
    assert week_hours(times(("2024-04-05 08:00", None))).words == "1 incident by hour and weekday."


def test_table_has_hours_down_and_weekdays_across() -> None:
    table = week_hours(times(("2024-04-05 08:00", None))).table
    assert table.columns.tolist() == list(WEEKDAYS)
    assert table.index.tolist() == list(range(24))
    assert table.loc[8, "Friday"] == 1
    assert table.to_numpy().sum() == 1


def test_midnights_that_stand_for_not_known_are_warned_of() -> None:
    midnights = times(*[("2024-04-05 00:00", None)] * 2, *[("2024-04-05 08:00", None)] * 8)
    assert week_hours(midnights).cautions == (
        "20 % are recorded at midnight exactly, which often stands for a time that is not known: do not trust the hour "
        "after midnight.",
    )
    assert week_hours(midnights.iloc[1:]).cautions == (
        "11 % are recorded at midnight exactly, which often stands for a time that is not known: do not trust the hour "
        "after midnight.",
    )
    assert week_hours(times(*[("2024-04-05 00:00", "2024-04-05 07:00")] * 9)).cautions == ()
    assert week_hours(times(("2024-04-05 00:00", None), *[("2024-04-05 08:00", None)] * 9)).cautions == ()


def test_months_alone_give_no_hours() -> None:
    for untimed in (times((None, None)), times()):
        with pytest.raises(UserError, match="carry no time of day, as published ones give only their month; load"):
            week_hours(untimed)
    with pytest.raises(UserError, match="no column 'occurred_to'"):
        week_hours(times((None, None)).drop(columns="occurred_to"))


def test_only_senseless_spans_leave_nothing_counted() -> None:
    found = week_hours(times(("2024-04-02 06:00", "2024-04-01 22:00")))
    assert found.counted == 0
    assert found.frame["weight"].sum() == 0
    assert found.cautions == ()
    assert np.isfinite(found.frame["weight"]).all()
