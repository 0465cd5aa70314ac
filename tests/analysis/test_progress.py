from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.analysis.change import e_test
from cspmap.analysis.control_chart import xmr
from cspmap.analysis.targets.progress import COLUMNS, progress
from cspmap.analysis.targets.verdict import Thresholds
from cspmap.errors import UserError
from cspmap.periods import Month

START = Month(2021, 4)
# Two years to March 2023 and the target's year after them.
STEADY = [20.0, 22, 19, 21, 18, 23, 20, 21, 19, 22, 20, 18]
MONTHS = st.lists(st.integers(0, 90), min_size=36, max_size=36)


def lay(values: Sequence[float | None], first: Month = START, name: str = "one") -> pd.DataFrame:
    return pd.DataFrame({name: values}, index=[str(first + step) for step in range(len(values))], dtype="float64")


def ask(value: float | None, names: Sequence[str] = ("one",), **columns: object) -> pd.DataFrame:
    told = {"first": "2023-04", "last": "2024-03", "value": value, "direction": "less"} | columns
    return pd.DataFrame(told, index=list(names))


def judge(
    value: float | None, values: Sequence[float | None], *, as_at: Month | None = None, **columns: object
) -> dict[str, Any]:
    return only(progress(ask(value, ["one"], **columns), lay(values), as_at=as_at))


def only(found: pd.DataFrame) -> dict[str, Any]:
    """The figures of the only target."""
    (row,) = found.to_dict("records")
    return {str(name): figure for name, figure in row.items()}


def test_behind_target_within_normal_variation() -> None:
    row = judge(219, [*STEADY * 2, 20, 21, 20, 22, 18, 21])
    assert (row["status"], row["position"], row["evidence"], row["rating"]) == (
        "running",
        "behind",
        "normal variation",
        "R",
    )
    assert row["words"] == "behind target, within normal variation"
    assert (row["actual"], row["last_year"], row["months_compared"]) == (122, 123, 6)
    assert row["p"] == pytest.approx(e_test(123, 122))
    assert (row["months_seen"], row["months_missing"], row["months_to_come"]) == (6, 0, 6)
    assert row["sentence"].startswith(
        "Behind target, within normal variation. "
        "122 by September 2023, where 110 would be on course (123 a year before). "
        "It is heading for about 243 (80 % likely to be between "
    )
    assert "against at most 219: the chance of meeting it is " in row["sentence"]


def test_ahead_and_the_fall_is_real() -> None:
    row = judge(219, [*STEADY * 2, 12, 11, 9, 10, 12, 8])
    assert (row["position"], row["signal"], row["change"], row["rating"]) == ("ahead", -1, "down", "G")
    assert row["words"] == "ahead of target, and the fall is real"


def test_behind_though_the_fall_is_real() -> None:
    assert judge(80, [*STEADY * 2, 12, 11, 9, 10, 12, 8])["words"] == "behind target, but the fall is real"


def test_where_more_is_better_a_fall_is_the_worse() -> None:
    row = judge(260, [*STEADY * 2, 12, 11, 9, 10, 12, 8], direction="more")
    assert (row["words"], row["rating"]) == ("behind target, and the fall is real", "R")
    assert "against at least 260" in row["sentence"]


def test_expected_to_date_by_hand() -> None:
    """A straight way to 240 asks for 20 a month; the days of April to June are 91 of 366."""
    values = [20.0] * 27
    assert judge(240, values, path="straight")["expected"] == pytest.approx(60)
    assert judge(240, values[24:], path="seasonal")["expected"] == pytest.approx(0)
    counts = lay([20.0] * 3, first=Month(2023, 4))
    assert progress(ask(240), counts)["expected"].iloc[0] == pytest.approx(240 * 91 / 366)


def test_half_an_incident_either_way_is_on_course() -> None:
    positions = [judge(value, [20.0] * 27, path="straight")["position"] for value in (237, 239, 241, 243)]
    assert positions == ["behind", "on", "on", "ahead"]


def test_missing_months_leave_the_verdict_open() -> None:
    row = judge(219, [*STEADY * 2, 20, None, 20, None, 18, 21])
    assert (row["status"], row["rating"], row["months_missing"]) == ("open", "?", 2)
    assert np.isnan(row["chance"])
    assert row["words"] == "open: 2 months are missing"
    assert (row["actual"], row["now_compared"], row["last_year"]) == (79, 79, 80)
    assert row["expected"] == pytest.approx(73, abs=1)
    assert row["low"] > 79 + 6 * 10
    assert row["sentence"].startswith(
        "2 months are missing (May 2023 and July 2023), so the verdict is open. "
        "The 4 known months hold 79, where 72 would be on course (80 a year before). The whole period is 80 % likely"
    )


def test_a_month_not_yet_published_is_missing_once_it_should_be_there() -> None:
    values = [*STEADY * 2, 20, 21, 20]
    assert judge(219, values)["status"] == "running"
    late = judge(219, values, as_at=Month(2023, 8))
    assert (late["status"], late["months_missing"]) == ("open", 2)
    assert "2 months are missing (July 2023 and August 2023)" in late["sentence"]


def test_known_months_that_pass_the_target_alone_are_told_so() -> None:
    row = judge(50, [*STEADY * 2, 20, None, 20, 22])
    assert (row["status"], row["rating"]) == ("open", "?")
    assert row["sentence"].endswith("Without the others they have already passed the target of at most 50.")
    running = judge(50, [*STEADY * 2, 20, 20, 20])
    assert (running["rating"], running["chance"]) == ("R", 0)
    assert running["sentence"].endswith("and has already passed the target of at most 50.")


def test_many_missing_months_are_not_all_named() -> None:
    row = judge(219, STEADY * 2, as_at=Month(2024, 3))
    assert (row["status"], row["months_seen"], row["actual"]) == ("open", 0, 0)
    assert row["position"] == "not known"
    assert row["sentence"].startswith("12 months are missing (April 2023, May 2023, June 2023, July 2023 and 8 more)")


@pytest.mark.parametrize(
    ("value", "kind", "direction", "status", "rating"),
    [
        (243, "at-most", "less", "met", "G"),
        (242, "at-most", "less", "not met", "R"),
        (243, "below", "less", "not met", "R"),
        (243.5, "below", "less", "met", "G"),
        (243, "reach-number", "more", "met", "G"),
        (244, "reach-number", "more", "not met", "R"),
        (243, "hold", "less", "met", "G"),
        (0, "at-most", "less", "not met", "R"),
    ],
)
def test_once_the_year_is_over_it_is_known(value: float, kind: str, direction: str, status: str, rating: str) -> None:
    assert sum(STEADY) == 243
    row = judge(value, STEADY * 3, kind=kind, direction=direction)
    assert (row["status"], row["rating"], row["chance"]) == (status, rating, 1.0 if status == "met" else 0.0)
    assert (row["actual"], row["projected"], row["low"], row["high"]) == (243, 243, 243, 243)


def test_sentences_of_a_year_that_is_over() -> None:
    met = judge(243, STEADY * 3)
    assert met["sentence"] == (
        "Target met, within normal variation: 243 in the year to March 2024, against at most 243 (243 a year before)."
    )
    missed = judge(200, [*STEADY * 2, *(2 * count for count in STEADY)], kind="below")
    assert missed["sentence"] == (
        "Target not met, and the rise is real: 486 in the year to March 2024, against below 200 (243 a year before)."
    )


def test_a_year_that_has_not_started_has_an_outlook_and_no_rating() -> None:
    row = judge(240, STEADY * 2)
    assert (row["status"], row["rating"], row["words"]) == ("not started", "?", "not started")
    assert (row["expected"], row["actual"]) == (0, 0)
    assert 0.2 < row["chance"] < 0.8
    assert row["sentence"].startswith(
        "Not started: the period is the year to March 2024. The months before it point to about"
    )
    bare = judge(240, [], as_at=Month(2020, 1))
    assert bare["sentence"] == "Not started: the period is the year to March 2024. Too few months before it are known."


def test_a_single_month_is_too_early() -> None:
    row = only(progress(ask(240), lay([17.0], first=Month(2023, 4))))
    assert (row["status"], row["rating"], row["change"], row["evidence"]) == (
        "too early",
        "?",
        "not known",
        "not known",
    )
    assert all(np.isnan(row[name]) for name in ("projected", "low", "high", "chance", "last_year", "p"))
    assert row["sentence"] == (
        "Too early to say: 1 known month of the period and too few before it to project from. "
        "17 by April 2023, where 20 would be on course."
    )


def test_without_a_target_there_is_no_rating() -> None:
    row = judge(None, [*STEADY * 2, 20, 21])
    assert (row["status"], row["rating"], row["words"], row["position"]) == (
        "not set",
        "?",
        "no target set",
        "not known",
    )
    assert row["sentence"] == "No target is set. 41 by May 2023 (42 a year before)."
    assert row["projected"] > 200


def test_targets_and_baselines_of_nothing() -> None:
    quiet = judge(0, [0.0] * 28)
    assert (quiet["position"], quiet["evidence"], quiet["status"]) == ("on", "no incidents", "running")
    assert 0.3 < quiet["chance"] < 1
    assert np.isnan(quiet["percent"])
    begun = judge(0, [*[0.0] * 26, 1.0, 0.0])
    assert (begun["chance"], begun["rating"], begun["evidence"]) == (0, "R", "too few to say")
    assert begun["words"] == "behind target, too few to say whether anything has changed"
    assert judge(0, [0.0] * 36)["status"] == "met"


def test_where_nothing_is_known_nothing_is_claimed() -> None:
    counts = lay([20.0] * 26).assign(two=np.nan)
    both = progress(ask(240, names=["one", "two", "three"]), counts)
    assert both["status"].tolist() == ["running", "open", "open"]
    assert both["rating"].tolist()[1:] == ["?", "?"]
    assert both["sentence"].tolist()[1] == both["sentence"].tolist()[2]
    nothing = progress(ask(240), pd.DataFrame({"one": []}, dtype="float64"))
    assert nothing["status"].tolist() == ["not started"]


def test_the_chart_is_held_against_the_months_before_the_period() -> None:
    """37 lies outside the limits of the two years before, but not outside limits that it has widened itself."""
    year = [20.0, 26, 15, 23, 16, 25, 18, 22, 14, 24, 19, 21]
    assert judge(240, [*year * 2, 20, 37, 20])["signal"] == 1
    assert judge(240, [*year * 2, 20, 27, 20])["signal"] == 0
    assert not xmr(pd.Series([*year * 2, 20, 37, 20]))["outside"].any()


def test_too_short_a_history_has_no_chart() -> None:
    counts = lay([20.0] * 14, first=Month(2022, 6))
    row = only(progress(ask(240), counts))
    assert pd.isna(row["signal"])
    assert row["status"] == "running"


def test_a_season_is_no_change() -> None:
    """Twice as many in summer as in winter, every year: of 200 such wards few are said to have changed by summer."""
    year = [60.0, 70, 80, 90, 80, 70, 60, 50, 40, 40, 40, 50]
    mean = np.tile(np.array([*year * 2, *year[:4]])[:, None], 200)
    names = [f"t{place}" for place in range(200)]
    counts = pd.DataFrame(np.random.default_rng(5).poisson(mean), columns=names).set_axis(
        lay(mean[:, 0].tolist()).index, axis=0
    )
    found = progress(ask(760, names=names), counts)
    assert (found["evidence"] == "normal variation").mean() > 0.9
    # The season is drawn in, so that summer looks a little behind; half of the swing of a third is gone, at least.
    assert (found["actual"] / found["expected"]).mean() < 1 + 0.33 / 2


def test_several_years_are_one_period() -> None:
    row = judge(700, [*STEADY * 2, *STEADY, 20, 20], first="2023-04", last="2026-03")
    assert (row["months_seen"], row["months_to_come"], row["months_compared"]) == (14, 22, 14)
    assert row["sentence"].count("2 years before") == 1
    assert row["projected"] == pytest.approx(3 * 243, rel=0.1)


def test_thresholds_and_intervals_can_be_chosen() -> None:
    values = [*STEADY * 2, 20, 21, 20, 22]
    chance = judge(240, values)["chance"]
    assert 0.2 < chance < 0.6
    for thresholds, letter in ((Thresholds(0.1, 0.1), "G"), (Thresholds(0.9, 0.8), "R"), (Thresholds(0.95, 0.05), "A")):
        assert progress(ask(240), lay(values), thresholds=thresholds)["rating"].iloc[0] == letter
    wide = only(progress(ask(240), lay(values), interval=0.95))
    assert wide["low"] < judge(240, values)["low"]
    assert "95 % likely" in wide["sentence"]
    with pytest.raises(UserError, match="between 0 and 1, got 95"):
        progress(ask(240), lay(values), interval=95)


def test_rows_keep_the_order_of_the_targets_and_their_own_periods() -> None:
    counts = pd.concat([lay(STEADY * 3, name=name) for name in ("a", "b", "c")], axis=1)
    targets = pd.concat(
        [
            ask(240, names=["c"]),
            ask(240, names=["a"], first="2022-04", last="2023-03"),
            ask(20, names=["b"], first="2024-03"),
        ]
    )
    found = progress(targets, counts, as_at=Month(2024, 1))
    assert found.index.tolist() == ["c", "a", "b"]
    assert tuple(found.columns) == COLUMNS
    assert found["status"].tolist() == ["running", "not met", "not started"]
    assert "the period is March 2024" in found["sentence"].tolist()[2]


def test_labels_may_be_pairs() -> None:
    pairs = pd.MultiIndex.from_tuples([("robbery", "E2"), ("robbery", ""), ("theft", "E2")], names=["crimes", "code"])
    counts = pd.DataFrame([[1.0, 20.0, 3.0]] * 30, index=lay([0.0] * 30).index, columns=pairs)
    found = progress(ask(240, ["a", "b", "c"]).set_axis(pairs[[2, 0, 1]], axis=0), counts)
    assert found.index.equals(pairs[[2, 0, 1]])
    assert found["actual"].tolist() == [18, 6, 120]


def test_no_targets_are_no_rows() -> None:
    assert progress(ask(1).iloc[:0], lay(STEADY)).shape == (0, len(COLUMNS))


def test_targets_that_cannot_be_read_are_refused() -> None:
    counts = lay(STEADY)
    with pytest.raises(UserError, match="no column 'direction'"):
        progress(ask(1).drop(columns="direction"), counts)
    with pytest.raises(UserError, match="direction of target 'one' is 'down'; write 'less' or 'more'"):
        progress(ask(1, direction="down"), counts)
    with pytest.raises(UserError, match="path of target 'one' is 'curved'"):
        progress(ask(1, path="curved"), counts)
    with pytest.raises(UserError, match="Two targets are labelled 'one'"):
        progress(ask(1, names=["one", "one"]), counts)
    with pytest.raises(UserError, match=r"ends .* before it starts"):
        progress(ask(1, first="2024-04"), counts)


@settings(deadline=None, max_examples=40)
@given(MONTHS, st.integers(0, 11), st.integers(0, 900), st.integers(0, 300))
def test_an_easier_target_is_never_less_likely(values: list[int], seen: int, value: int, easier: int) -> None:
    as_at = Month(2023, 4) + (seen - 1)
    hard, easy = (judge(each, values, as_at=as_at)["chance"] for each in (value, value + easier))
    assert easy >= hard - 1e-9


@settings(deadline=None, max_examples=40)
@given(MONTHS, st.integers(1, 12), st.integers(0, 11))
def test_one_missing_month_opens_the_verdict(values: list[int], seen: int, gone: int) -> None:
    as_at = Month(2023, 4) + (seen - 1)
    holed: list[float | None] = [*values]
    holed[24 + gone % seen] = None
    whole, open_ = judge(300, values, as_at=as_at), judge(300, holed, as_at=as_at)
    assert whole["status"] in ("running", "met", "not met")
    assert (open_["status"], open_["rating"]) == ("open", "?")
    assert open_["actual"] == whole["actual"] - values[24 + gone % seen]


@settings(deadline=None, max_examples=30)
@given(st.lists(MONTHS, min_size=2, max_size=4), st.integers(0, 13), st.randoms(use_true_random=False))
def test_a_target_is_judged_by_its_own_months_alone(table: list[list[int]], seen: int, random: object) -> None:
    names = [f"t{place}" for place in range(len(table))]
    counts = pd.concat([lay(values, name=name) for name, values in zip(names, table, strict=True)], axis=1)
    as_at = Month(2023, 3) + seen
    together = progress(ask(300, names=names), counts, as_at=as_at)
    random.shuffle(names)  # type: ignore[attr-defined]
    shuffled = progress(ask(300, names=names), counts.iloc[::-1][names], as_at=as_at)
    pd.testing.assert_frame_equal(shuffled.loc[together.index], together, atol=1e-3)
    alone = progress(ask(300, names=[names[0]]), counts, as_at=as_at)
    assert alone["words"].iloc[0] == together.loc[names[0], "words"]
    assert alone["projected"].iloc[0] == pytest.approx(together.loc[names[0], "projected"])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.one_of(st.none(), st.integers(-3, 400)), max_size=48),
    st.one_of(st.none(), st.floats(-5, 5000)),
    st.integers(-30, 30),
    st.sampled_from(["less", "more"]),
    st.integers(1, 40),
)
def test_whatever_is_given_it_says_something(
    values: list[int | None], value: float | None, shift: int, direction: str, length: int
) -> None:
    as_at = Month(2023, 4) + shift
    row = judge(value, values, as_at=as_at, direction=direction, last=str(Month(2023, 4) + (length - 1)))
    assert row["rating"] in "GAR?"
    assert row["sentence"].endswith(".")
    assert "nan" not in row["sentence"]
    assert row["words"]


def test_rounded_counts_are_told_and_the_counts_themselves_judged() -> None:
    """219 is asked for: 122 of the first six months are behind; told by tens they are 120, and so on."""
    values = [*STEADY * 2, 20, 21, 20, 22, 18, 21]
    tens = [20.0, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20]
    true = only(progress(ask(219), lay(values)))
    row = only(progress(ask(219), lay(values), told=lay([*tens * 2, *tens[:6]])))
    assert (row["actual"], row["last_year"], row["difference"], row["percent"]) == (120, 120, 0, 0)
    for name in ("status", "rating", "position", "words", "change", "signal", "evidence"):
        assert row[name] == true[name], name
    assert np.isnan(row["p"])
    assert np.isnan(row["chance"])
    assert row["sentence"].startswith(
        "Behind target, within normal variation. "
        "120 by September 2023, where 109 would be on course (120 a year before). "
    )
    assert row["sentence"].endswith(" against at most 219.")


def test_a_target_is_passed_by_the_counts_not_by_rounded_ones() -> None:
    for value, told, passed in ((24, 25.0, False), (22, 20.0, True)):
        counts = lay([*STEADY * 2, 23.0])
        row = only(progress(ask(value), counts, told=lay([*STEADY * 2, told])))
        assert ("has already passed" in row["sentence"]) == passed


def test_estimates_may_be_told_as_whole_numbers() -> None:
    values = [*STEADY * 2, 20, 21, 20, 22, 18, 21]
    true, row = only(progress(ask(219), lay(values))), only(progress(ask(219), lay(values), whole=True))
    for name in ("expected", "projected", "low", "high"):
        assert row[name] == round(true[name])
    assert (row["chance"], row["rating"]) == (true["chance"], true["rating"])
