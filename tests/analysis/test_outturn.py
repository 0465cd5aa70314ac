from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

from cspmap.analysis.targets.month_model import Scatter, weigh_months
from cspmap.analysis.targets.month_table import HISTORY, find_last_month, lay_out_months
from cspmap.analysis.targets.outturn import FEWEST_MONTHS, project_months, project_outturn
from cspmap.errors import UserError
from cspmap.periods import Month, Span

YEAR = Span(Month(2023, 4), Month(2024, 3))
CHANCE_ALONE = Scatter(extra=0, noise=0, drift=0, drift_of_counts=0, season={0.0: 1.0}, months=1e12)
COUNTS = st.lists(st.integers(0, 80), min_size=30, max_size=30)


START = Month(2021, 4)


def frame(values: Sequence[float | None], first: Month = START) -> pd.DataFrame:
    return pd.DataFrame({"one": values}, index=[str(first + step) for step in range(len(values))], dtype="float64")


def test_months_are_laid_out_about_the_period() -> None:
    counts = frame([1, 2, None, 4, 5, 6], first=Month(2023, 1)).iloc[[5, 0, 3, 2, 1, 4]]
    table = lay_out_months(counts, YEAR, as_at=Month(2023, 5))
    assert len(table.months) == HISTORY + 12
    assert (table.before, table.elapsed, table.months[table.before]) == (HISTORY, 2, YEAR.first)
    assert table.counts[0, HISTORY - 4 : HISTORY + 3] == pytest.approx(
        [np.nan, 1, 2, np.nan, 4, 5, np.nan], nan_ok=True
    )
    assert table.seen[0] == 9
    assert not table.missing.any()


def test_a_month_that_should_be_there_is_missing() -> None:
    table = lay_out_months(frame([4, None, 6], first=Month(2023, 4)), YEAR, as_at=Month(2023, 7))
    assert table.missing[0].tolist() == [False, True, False, True] + [False] * 8
    assert table.known[0].tolist() == [True, False, True] + [False] * 9


def test_months_published_end_with_the_last_that_is_known() -> None:
    counts = frame([4, None, 6, None], first=Month(2023, 4)).assign(two=[np.nan, np.nan, np.nan, 3.0])
    assert find_last_month(counts) == Month(2023, 7)
    assert lay_out_months(counts[["one"]], YEAR).as_at == Month(2023, 6)
    assert find_last_month(counts * np.nan) is None
    assert lay_out_months(counts * np.nan, YEAR).elapsed == 0


def test_a_long_period_is_laid_beside_as_many_months_before() -> None:
    table = lay_out_months(frame([1.0] * 3), Span(Month(2021, 4), Month(2025, 3)))
    assert (table.before, len(table.months)) == (48, 96)


def test_missing_of_every_kind_is_missing() -> None:
    counts = pd.DataFrame({"one": pd.array([1, pd.NA], dtype="Int64")}, index=["2023-04", "2023-05"])
    assert lay_out_months(counts, YEAR, as_at=Month(2023, 5)).missing[0].tolist() == [False, True] + [False] * 10


def test_months_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(UserError, match="'2023-4' is not a month"):
        lay_out_months(pd.DataFrame({"one": [1]}, index=["2023-4"]), YEAR)
    with pytest.raises(UserError, match="more than one row for April 2023"):
        lay_out_months(pd.DataFrame({"one": [1, 2]}, index=["2023-04", "2023-04"]), YEAR)


def test_chances_by_the_negative_binomial() -> None:
    """Of months that scatter by chance alone: a shape of the counts so far and a half."""
    counts = frame([3, 4, 5, 0, 2, 1], first=Month(2023, 4))
    outturn = project_outturn(lay_out_months(counts, YEAR), scatter=CHANCE_ALONE)
    weights = weigh_months(tuple(YEAR))
    peer = nbinom(15.5, weights[:6].sum() / weights.sum())
    assert outturn.seen[0] == 15
    assert outturn.projected[0] == pytest.approx(15 + peer.mean())
    low, high = outturn.range(0.8)
    assert (low[0], high[0]) == (15 + peer.ppf(0.1), 15 + peer.ppf(0.9))
    for value in (20, 30, 30.5, 45):
        left = np.arange(0, 200) + 15
        weight = peer.pmf(left - 15)
        expected = {
            (True, False): weight[left <= value].sum(),
            (True, True): weight[left < value].sum(),
            (False, False): weight[left >= value].sum(),
            (False, True): weight[left > value].sum(),
        }
        for (less, strict), chance in expected.items():
            assert outturn.chance(value, less=less, strict=strict)[0] == pytest.approx(chance, abs=1e-8)


def test_a_period_that_is_over_is_its_own_outturn() -> None:
    outturn = project_outturn(lay_out_months(frame([2.0] * 36), YEAR))
    assert outturn.projected[0] == 24
    assert [limit[0] for limit in outturn.range()] == [24, 24]
    assert outturn.chance([24])[0] == pytest.approx(1)
    assert outturn.chance([23])[0] == pytest.approx(0)
    assert outturn.chance([24], less=False)[0] == pytest.approx(1)
    assert outturn.chance([24], strict=True)[0] == pytest.approx(0)


def test_too_few_months_are_no_ground_for_a_projection() -> None:
    few = frame([5.0] * (FEWEST_MONTHS - 1), first=Month(2023, 4))
    assert np.isnan(project_outturn(lay_out_months(few, YEAR)).projected[0])
    enough = frame([5.0] * FEWEST_MONTHS, first=Month(2023, 4))
    outturn = project_outturn(lay_out_months(enough, YEAR))
    assert outturn.projected[0] == pytest.approx(60, rel=0.1)
    assert np.isnan(project_outturn(lay_out_months(frame([None, None]), YEAR)).chance(4)[0])


def test_a_missing_month_is_projected_and_not_taken_for_zero() -> None:
    whole = frame([50.0] * 30)
    gap = whole.copy()
    gap.loc["2023-06"] = np.nan
    known, unknown = (project_outturn(lay_out_months(counts, YEAR, as_at=Month(2023, 9))) for counts in (whole, gap))
    assert unknown.seen[0] == known.seen[0] - 50
    assert unknown.projected[0] == pytest.approx(known.projected[0], rel=0.01)
    width = [np.subtract(*outturn.range()[::-1])[0] for outturn in (known, unknown)]
    assert width[1] > width[0]


def test_larger_counts_are_relatively_surer() -> None:
    small = frame([2.0, 3, 1, 2, 4, 0] * 5)
    widths = []
    for factor in (1, 10, 100):
        outturn = project_outturn(lay_out_months(small * factor, YEAR))
        assert outturn.projected[0] == pytest.approx(24 * factor, rel=0.15)
        low, high = outturn.range()
        widths.append((high[0] - low[0]) / outturn.projected[0])
    assert widths[0] > widths[1] > widths[2] * 0.99


def test_the_range_closes_as_the_year_goes_on() -> None:
    counts = frame([30.0, 34, 26, 31] * 9)
    widths = []
    for month in YEAR:
        outturn = project_outturn(lay_out_months(counts, YEAR, as_at=month))
        low, high = outturn.range()
        assert low[0] <= outturn.projected[0] <= high[0]
        widths.append(high[0] - low[0])
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == 0


def test_month_by_month_it_ends_where_the_year_does() -> None:
    counts = frame([30.0, 34, 26, 31] * 9)
    counts.loc["2023-06"] = np.nan
    table = lay_out_months(counts, YEAR, as_at=Month(2023, 8))
    path = project_months(table)
    outturn = project_outturn(table)
    assert path["month"].tolist() == [str(month) for month in YEAR]
    assert path["projected"].iloc[-1] == pytest.approx(outturn.projected[0])
    assert (path["low"].iloc[-1], path["high"].iloc[-1]) == tuple(limit[0] for limit in outturn.range())
    assert path["projected"].iloc[:2].tolist() == [30, 64]
    assert (path["low"].iloc[:2] == path["high"].iloc[:2]).all()
    assert path["low"].iloc[2] < path["high"].iloc[2]
    assert path["projected"].is_monotonic_increasing


@settings(deadline=None, max_examples=60)
@given(COUNTS, st.integers(0, 1200), st.integers(0, 200), st.booleans(), st.booleans())
def test_an_easier_target_has_a_better_chance(
    values: list[int], value: int, easier: int, less: bool, strict: bool
) -> None:
    outturn = project_outturn(lay_out_months(frame(values), YEAR))
    further = value + easier if less else value - easier
    assert (
        outturn.chance(further, less=less, strict=strict)[0]
        >= outturn.chance(value, less=less, strict=strict)[0] - 1e-9
    )
    at_most, more = outturn.chance(value)[0], outturn.chance(value, less=False, strict=True)[0]
    assert at_most + more == pytest.approx(1)


@settings(deadline=None, max_examples=60)
@given(COUNTS)
def test_ranges_nest_and_hold_what_is_seen(values: list[int]) -> None:
    outturn = project_outturn(lay_out_months(frame(values), YEAR))
    narrow, wide = outturn.range(0.8), outturn.range(0.95)
    assert outturn.seen[0] <= wide[0][0] <= narrow[0][0] <= narrow[1][0] <= wide[1][0]
