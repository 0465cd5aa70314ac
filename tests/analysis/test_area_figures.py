"""The figures of every area, against numbers worked by hand."""

import pandas as pd
import pytest

from cspmap.analysis.area_figures import compute_figures

COUNTS = pd.DataFrame(
    {
        "code": ["a", "b", "c", "d"],
        "name": ["Ash", "Beech", "Cedar", "Elm"],
        "hectares": [10.0, 20.0, 30.0, 40.0],
        "count": pd.array([25, 0, 5, 3], dtype="Int64"),
        "before": pd.array([16, 0, 40, 0], dtype="Int64"),
        "denominator": [1000.0, 2000.0, 50.0, float("nan")],
        "denominator_method": ["as published"] * 4,
    }
)


def compute(counts: pd.DataFrame = COUNTS, *, comparable: bool = True) -> pd.DataFrame:
    return compute_figures(counts, total=40, comparable=comparable, smallest=100).set_index("code")


def test_rates_shares_and_changes_by_hand() -> None:
    figures = compute()
    assert figures.loc["a", "rate"] == 25.0
    assert figures.loc["a", "rate_before"] == 16.0
    assert figures.loc["a", "share"] == 25 / 40
    assert figures.loc["a", "percent"] == 56.25
    # Krishnamoorthy and Thomson's E-test of 16 and 25.
    assert figures.loc["a", "p"] == pytest.approx(0.165, abs=0.001)
    assert figures["verdict"].to_dict() == {
        "a": "normal variation",
        "b": "no incidents",
        "c": "down",
        "d": "too few to say",
    }


def test_no_rate_where_too_few_live_there_and_none_where_nobody_knows_how_many() -> None:
    figures = compute()
    assert figures["suppressed"].to_dict() == {"a": False, "b": False, "c": True, "d": False}
    assert figures["rate"].isna().to_dict() == {"a": False, "b": False, "c": True, "d": True}
    assert figures["smoothed"].isna().to_dict() == {"a": False, "b": False, "c": True, "d": True}
    assert figures.loc["b", "rate"] == 0.0


def test_periods_of_unequal_months_are_not_compared() -> None:
    figures = compute(comparable=False)
    assert set(figures["verdict"]) == {"not known"}
    assert figures["percent"].isna().all()
    assert figures.loc["a", "rate"] == 25.0


def test_a_period_that_is_not_loaded_has_no_figures() -> None:
    missing = COUNTS.assign(count=pd.array([pd.NA] * 4, dtype="Int64"))
    figures = compute(missing)
    assert figures["rate"].isna().all()
    assert figures["share"].isna().all()
    assert set(figures["verdict"]) == {"not known"}


def test_the_counts_given_are_left_as_they_were() -> None:
    before = COUNTS.copy(deep=True)
    compute()
    pd.testing.assert_frame_equal(COUNTS, before)
