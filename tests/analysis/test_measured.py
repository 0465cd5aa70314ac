from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from cspmap.analysis.targets.measured import COLUMNS, progress_measured
from cspmap.errors import UserError
from cspmap.periods import Month

Row = tuple[str, float] | tuple[str, float, float | None]


def read(rows: Sequence[Row]) -> pd.DataFrame:
    """Readings of the target "one": month, value and, where given, sample."""
    told = [("one", row[0], row[1], row[2] if len(row) > 2 else None) for row in rows]
    return pd.DataFrame(told, columns=["target", "month", "value", "sample"])


def ask(
    value: float | None = 58.6, direction: str = "more", due: str = "2012-03", unit: str = "percent"
) -> pd.DataFrame:
    return pd.DataFrame({"value": value, "direction": direction, "due": due, "unit": unit}, index=["one"])


def judge(targets: pd.DataFrame, rows: Sequence[Row], **options: Any) -> dict[str, Any]:
    (row,) = progress_measured(targets, read(rows), **options).to_dict("records")
    return {str(name): figure for name, figure in row.items()}


def test_ahead_within_the_margin_of_error() -> None:
    """Confidence: 50, 53.9 and 58.6 % asked for by March 2010, 2011 and 2012."""
    milestones = pd.DataFrame({"target": "one", "month": ["2010-03", "2011-03"], "value": [50, 53.9]})
    row = judge(ask(), [("2009-03", 48, 1000), ("2010-03", 51, 1100)], milestones=milestones)
    assert (row["status"], row["position"], row["evidence"]) == ("running", "ahead", "within margin")
    assert (row["expected"], row["baseline"], row["difference"]) == (50, 48, 3)
    assert row["chance"] == pytest.approx(norm.cdf(1 / (100 * np.sqrt(0.25 / 1100))))
    assert row["rating"] == "G"
    assert row["sentence"] == (
        "Ahead of target, within the margin of error: 51 % in March 2010 (95 % likely to be between 48 % and 53.9 %), "
        "where 50 % would be on course, against at least 58.6 % by March 2012. It was 48 % in March 2009. "
        "The chance that the true figure is on course is 75 %."
    )


def test_ranges_and_tests_agree_with_another_library() -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    row = judge(ask(), [("2009-03", 40, 800), ("2010-03", 46, 900)])
    low, high = proportion.proportion_confint(414, 900, method="wilson")
    assert (row["low"], row["high"]) == pytest.approx((100 * low, 100 * high))
    assert row["margin"] == pytest.approx(50 * (high - low))
    assert row["p"] == pytest.approx(proportion.proportions_ztest([320, 414], [800, 900])[1])


def test_on_a_straight_line_between_baseline_and_target() -> None:
    """Aware of drunk or rowdy behaviour: 38 % to 35 % in three years asks for 36 after two."""
    row = judge(ask(35, "less", "2011-03"), [("2008-03", 38), ("2010-03", 36.6)])
    assert row["expected"] == pytest.approx(36)
    assert (row["position"], row["evidence"], row["rating"]) == ("behind", "not known", "A")
    assert row["words"] == "behind target, margin of error not known"
    assert all(np.isnan(row[name]) for name in ("low", "high", "margin", "chance", "p"))
    good = judge(ask(35, "less", "2011-03"), [("2008-03", 38), ("2010-03", 35.9)])
    assert (good["position"], good["rating"]) == ("ahead", "G")


def test_far_behind_is_red_where_the_margin_is_known() -> None:
    row = judge(ask(35, "less", "2011-03"), [("2008-03", 38, 2000), ("2010-03", 41, 2000)])
    assert (row["rating"], row["evidence"]) == ("R", "beyond margin")
    assert row["words"] == "behind target, by more than the margin of error"


def test_a_published_margin_serves_any_unit() -> None:
    readings = read([("2008-03", 693), ("2010-03", 720)]).assign(margin=[14.0, 14.0])
    (row,) = progress_measured(ask(742, "more", "2011-03", "count"), readings).to_dict("records")
    assert (row["low"], row["high"], row["margin"]) == pytest.approx((706, 734, 14))
    expected = 693 + 49 * 24 / 36
    assert row["chance"] == pytest.approx(norm.cdf((720 - expected) / (14 / norm.ppf(0.975))))
    assert row["p"] == pytest.approx(2 * norm.sf(27 / (np.sqrt(2) * 14 / norm.ppf(0.975))))


@pytest.mark.parametrize(("value", "status", "rating"), [(58.6, "met", "G"), (58.5, "not met", "R"), (60, "met", "G")])
def test_once_due_the_reading_decides(value: float, status: str, rating: str) -> None:
    row = judge(ask(), [("2009-03", 50, 400), ("2012-03", value, 400), ("2013-03", 20, 400)])
    assert (row["status"], row["rating"], row["actual"], row["month"]) == (status, rating, value, "2012-03")
    assert row["words"] == f"target {status}, within the margin of error"


def test_due_and_not_read_is_open() -> None:
    rows: list[Row] = [("2009-03", 50), ("2011-03", 59)]
    assert judge(ask(), rows)["status"] == "running"
    assert judge(ask(), rows, as_at=Month(2012, 3))["status"] == "running"
    row = judge(ask(), rows, as_at=Month(2012, 4))
    assert (row["status"], row["rating"], row["words"]) == ("open", "?", "open: no reading since it fell due")
    assert row["sentence"] == (
        "Open: there is no reading since it fell due. "
        "The last is 59 % in March 2011, against at least 58.6 % by March 2012."
    )


def test_a_baseline_alone_is_no_progress() -> None:
    row = judge(ask(), [("2009-03", 50, 900)])
    assert (row["status"], row["rating"], row["position"]) == ("not started", "?", "not known")
    assert row["sentence"].startswith("Not started: the only reading is 50 % in March 2009 (95 % likely")


def test_nothing_read_and_nothing_set() -> None:
    empty = judge(ask(), [])
    assert (empty["status"], empty["rating"]) == ("not measured", "?")
    assert empty["sentence"] == "Not measured: no reading is known, against at least 58.6 % by March 2012."
    assert judge(ask(None), [("2009-03", 50)])["sentence"] == "No target is set."
    assert judge(ask(), [("2009-03", float("nan"))])["status"] == "not measured"


def test_everyone_and_no_one() -> None:
    """Nobody of 200 leaves room for some; where the target is all or none, its own margin is nothing."""
    row = judge(ask(10, "less"), [("2009-03", 20, 200), ("2010-03", 0, 200)])
    assert row["low"] == pytest.approx(0, abs=1e-9)
    assert row["high"] > 1
    assert row["rating"] == "G"
    none = judge(ask(0, "less"), [("2009-03", 20, 200), ("2012-03", 0, 200)])
    assert (none["status"], none["chance"], none["p"]) == ("met", 1, pytest.approx(0, abs=1e-6))


def test_readings_stand_in_any_order_and_rows_in_the_targets() -> None:
    targets = pd.concat([ask(35, "less", "2011-03").set_axis(["two"], axis=0), ask()])
    readings = pd.concat([read([("2010-03", 51, 900), ("2009-03", 48, 900)])])
    found = progress_measured(targets, readings)
    assert found.index.tolist() == ["two", "one"]
    assert tuple(found.columns) == COLUMNS
    assert found["status"].tolist() == ["not measured", "running"]
    assert found["baseline"].tolist()[1] == 48


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(UserError, match="targets have no column 'unit'"):
        progress_measured(ask().drop(columns="unit"), read([]))
    with pytest.raises(UserError, match="readings have no column 'month'"):
        progress_measured(ask(), read([]).drop(columns="month"))
    with pytest.raises(UserError, match="direction of target 'one' is 'up'"):
        progress_measured(ask(direction="up"), read([]))
    with pytest.raises(UserError, match="is 130 %; a percentage lies between 0 and 100"):
        judge(ask(), [("2009-03", 130)])
    with pytest.raises(UserError, match="sample must be above 0"):
        judge(ask(), [("2009-03", 30, 0)])
    with pytest.raises(UserError, match="is not a month"):
        judge(ask(), [("2009", 30)])


@settings(deadline=None)
@given(
    st.integers(0, 100),
    st.integers(0, 100),
    st.integers(1, 3000),
    st.integers(0, 100),
    st.sampled_from(["less", "more"]),
)
def test_an_easier_target_is_never_less_likely(start: int, now: int, sample: int, value: int, direction: str) -> None:
    easier = max(0, value - 10) if direction == "more" else min(100, value + 10)
    rows: list[Row] = [("2009-03", start, sample), ("2012-03", now, sample)]
    hard, easy = (judge(ask(each, direction), rows) for each in (value, easier))
    assert not (hard["status"] == "met" and easy["status"] == "not met")
    assert 0 <= hard["low"] <= now + 1e-9 <= hard["high"] + 2e-9 <= 100 + 2e-9
    assert "nan" not in hard["sentence"]
    assert 0 <= hard["chance"] <= 1
