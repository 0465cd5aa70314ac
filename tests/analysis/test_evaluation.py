"""The sheet of an operation: what stands on it, in which words, and what it warns of."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.analysis.evaluation import Effect, Evaluation, Noise, choose_months, evaluate, expect_course, propose_spans
from cspmap.analysis.evaluation.sentences import describe_buffer, describe_effect
from cspmap.errors import UserError
from cspmap.periods import Month, Span

BEFORE, AFTER = Span(Month(2022, 1), Month(2022, 12)), Span(Month(2023, 1), Month(2023, 12))


def months(first: str, number: int) -> list[str]:
    start = Month.parse(first)
    return [str(start + step) for step in range(number)]


def lay_out(values: Mapping[str, Sequence[float]], first: str = "2022-01") -> pd.DataFrame:
    """Columns of monthly counts."""
    frame = pd.DataFrame(values)
    return frame.set_axis(months(first, len(frame)), axis=0)


def flat(before: float, after: float, length: int = 12) -> list[float]:
    return [before] * length + [after] * length


def draw(seed: int, level: float, columns: int, effect: float = 1.0, prefix: str = "C") -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    mean = np.full((24, columns), float(level))
    mean[12:] *= effect
    counts = pd.DataFrame(rng.poisson(mean), columns=[f"{prefix}{number}" for number in range(columns)])
    return counts.set_axis(months("2022-01", 24), axis=0).astype(float)


AREA, RING, REST = draw(1, 8, 3, 0.6, "A"), draw(2, 8, 3, 1.0, "R"), draw(3, 8, 30)


def judge(**options: Any) -> Evaluation:
    shared: dict[str, Any] = {"area": AREA, "comparison": REST, "before": BEFORE, "after": AFTER, "crime": "Robbery"}
    return evaluate(**{**shared, **options})


def test_the_sheet_holds_every_measure() -> None:
    sheet = judge(buffer=RING)
    t0, t1 = AREA.iloc[:12].to_numpy().sum(), AREA.iloc[12:].to_numpy().sum()
    d0, d1 = RING.iloc[:12].to_numpy().sum(), RING.iloc[12:].to_numpy().sum()
    c0, c1 = REST.iloc[:12].to_numpy().sum(), REST.iloc[12:].to_numpy().sum()
    assert sheet.effect.expected == pytest.approx(t0 * c1 / c0)
    assert sheet.effect.verdict == "fell"
    assert sheet.buffer_effect is not None
    assert sheet.buffer_effect.expected == pytest.approx(d0 * c1 / c0)
    assert sheet.net_effect is not None
    assert sheet.net_effect.difference == pytest.approx(t1 + d1 - (t0 + d0) * c1 / c0)
    weight = (t0 + d0) / c0
    assert sheet.control_weight == pytest.approx(weight)
    assert sheet.difference.estimate == pytest.approx(t1 - t0 + d1 - d0 - weight * (c1 - c0))
    assert sheet.odds.value == pytest.approx(t0 * c1 / (t1 * c0))
    assert sheet.quotient is not None
    assert sheet.quotient.value == pytest.approx((d1 / c1 - d0 / c0) / (t1 / c1 - t0 / c0))
    assert sheet.counts.index.tolist() == ["area", "buffer", "comparison"]
    assert sheet.counts["before"].tolist() == [t0, d0, c0]
    assert sheet.counts["verdict"].tolist() == ["down", "normal variation", "normal variation"]
    assert sheet.counts["after_a_month"].iloc[0] == pytest.approx(t1 / 12)
    assert sheet.cautions == ()


def test_the_headline_can_be_repeated() -> None:
    sheet = judge(buffer=RING)
    fall, least, most = (-round(value or 0) for value in (sheet.effect.difference, sheet.effect.high, sheet.effect.low))
    assert sheet.headline == (
        f"Robbery fell by {fall} more than expected (between {least} and {most}). No sign that it moved next door."
    )
    assert 0 < least < fall < most


def test_a_comparison_of_the_same_size_is_not_weighted() -> None:
    assert judge(comparison=REST[["C0", "C1", "C2", "C3"]], others=REST).control_weight == 1


def test_without_a_buffer_there_is_nothing_next_door() -> None:
    sheet = judge()
    assert (sheet.buffer_effect, sheet.net_effect, sheet.quotient) == (None, None, None)
    assert "next door" not in sheet.headline


def make_effect(verdict: Any, difference: float, low: float, high: float | None, expected: float = 100) -> Effect:
    return Effect(100, expected + difference, expected, difference, low, high, 0, 0, 0, 0.01, verdict)


@pytest.mark.parametrize(
    ("effect", "ratio", "words"),
    [
        (make_effect("fell", -31, -50, -12), 0.7, "Robbery fell by 31 more than expected (between 12 and 50)."),
        (make_effect("fell", -31, -50, -0.2), 0.7, "Robbery fell by 31 more than expected (between under 1 and 50)."),
        (make_effect("fell", -31, -50, -12), 1.1, "Robbery came out 31 below what was expected (between 12 and 50)."),
        (make_effect("rose", 31, 12, 50), 1.3, "Robbery rose by 31 more than expected (between 12 and 50)."),
        (make_effect("rose", 31, 12, 50), 0.9, "Robbery came out 31 above what was expected (between 12 and 50)."),
        (make_effect("rose", 31, 12, None), 1.3, "Robbery rose by 31 more than expected (with no upper bound)."),
        (
            make_effect("no clear change", -4, -20, 12),
            0.9,
            "Robbery: no clear effect. There were 96, where 100 were expected; the true effect may be anything from 20 "
            "fewer to 12 more.",
        ),
        (
            make_effect("too few to tell", -1, -6, None, 4),
            0.9,
            "Robbery: too few to tell (3, where 4 were expected; even a halving would not have stood out).",
        ),
        (
            Effect(0, 3, 0, 3, None, None, None, None, None, 0.2, "too few to tell", "there were none before"),
            None,
            "Robbery: 3, and none before, so that nothing could be expected.",
        ),
        (
            Effect(4, 3, None, None, None, None, None, None, None, None, "not known", "the comparison had none"),
            0.9,
            "Robbery: not known, as the comparison had none.",
        ),
    ],
)
def test_every_verdict_has_its_words(effect: Effect, ratio: float | None, words: str) -> None:
    assert describe_effect("Robbery", effect, rate_ratio=ratio) == words


FELL, UNCLEAR = make_effect("fell", -31, -50, -12), make_effect("no clear change", -4, -20, 12)


@pytest.mark.parametrize(
    ("effect", "buffer", "words"),
    [
        (FELL, make_effect("no clear change", 2, -8, 12), "No sign that it moved next door."),
        (
            FELL,
            make_effect("no clear change", 2, -40, 44),
            "No sign that it moved next door, but so much comes and goes there that it cannot be ruled out.",
        ),
        (FELL, make_effect("too few to tell", 2, -3, 9), "Too few next door to tell whether any moved there."),
        (
            FELL,
            make_effect("rose", 20, 5, 38),
            "Next door there were 20 more than expected (between 5 and 38): some may have moved there.",
        ),
        (FELL, make_effect("fell", -9, -16, -2), "Next door there were 9 fewer than expected (between 2 and 16)."),
        (UNCLEAR, make_effect("rose", 20, 5, 38), "Next door there were 20 more than expected (between 5 and 38)."),
        (UNCLEAR, make_effect("no clear change", 2, -8, 12), ""),
        (
            FELL,
            Effect(0, 0, None, None, None, None, None, None, None, None, "not known", "there were no incidents"),
            "Whether any moved next door is not known, as there were no incidents.",
        ),
    ],
)
def test_next_door_has_its_words(effect: Effect, buffer: Effect, words: str) -> None:
    assert describe_buffer(effect, buffer) == words


def test_missing_months_are_left_out_everywhere_and_told() -> None:
    holed = AREA.copy()
    holed.loc["2022-03"] = np.nan
    rest = REST.drop(index="2023-05")
    sheet = judge(area=holed, comparison=rest, buffer=RING)
    kept_before = [month for month in AREA.index[:12] if month != "2022-03"]
    kept_after = [month for month in AREA.index[12:] if month != "2023-05"]
    assert sheet.months.missing == (Month(2022, 3), Month(2023, 5))
    assert sheet.effect.before == AREA.loc[kept_before].to_numpy().sum()
    assert sheet.effect.after == AREA.loc[kept_after].to_numpy().sum()
    assert sheet.counts.loc["buffer", "before"] == RING.loc[kept_before].to_numpy().sum()
    assert "left out, not counted as zero: March 2022, May 2023." in sheet.cautions[0]


def test_counts_that_may_be_missing_are_counts_all_the_same() -> None:
    whole = [frame.astype("Int64") for frame in (AREA, REST)]
    whole[0].loc["2022-03"] = pd.NA
    whole[1].loc["2023-05", "C4"] = pd.NA
    plain = [frame.astype(float) for frame in whole]
    found, expected = judge(area=whole[0], comparison=whole[1]), judge(area=plain[0], comparison=plain[1])
    assert found.effect == expected.effect
    pd.testing.assert_frame_equal(found.course, expected.course)
    assert found.course["count"].isna().sum() == 1
    assert found.course["expected"].isna().sum() == 1


def test_periods_of_unequal_length_compare_by_the_month() -> None:
    area = lay_out({"A": flat(10, 10)})
    rest = lay_out({f"C{number}": flat(10, 10) for number in range(6)})
    sheet = evaluate(area, rest, before=BEFORE, after=Span(Month(2023, 1), Month(2023, 4)))
    assert (sheet.effect.before, sheet.effect.after) == (120, 40)
    assert sheet.effect.expected == pytest.approx(40)
    assert sheet.difference.estimate == pytest.approx(0)
    assert sheet.counts["p"].tolist() == pytest.approx([1, 1])
    assert any("not the same months of the year" in caution for caution in sheet.cautions)


def test_regression_to_the_mean_is_warned_of() -> None:
    """A quiet area that was high in the year it was chosen on, and is quiet again."""
    area = lay_out({"A": [20] * 12 + [40] * 12 + [20] * 12}, "2021-01")
    rest = lay_out({f"C{number}": [20] * 36 for number in range(12)}, "2021-01")
    sheet = evaluate(area, rest, before=BEFORE, after=AFTER, chosen_on=BEFORE)
    assert "chosen for being high in the year to December 2022" in sheet.cautions[0]
    assert "By then it had 240 more than its own past would lead one to expect." in sheet.cautions[0]
    assert sheet.effect.verdict == "fell"
    assert sheet.earlier is not None
    assert sheet.earlier.difference == pytest.approx(0)
    elsewhere = evaluate(area, rest, before=BEFORE, after=AFTER, chosen_on=Span(Month(2021, 1), Month(2021, 6)))
    assert elsewhere.cautions == ()
    assert elsewhere.earlier is None
    assert evaluate(area, rest, before=BEFORE, after=AFTER).cautions == ()


def test_areas_that_had_parted_before_are_warned_of() -> None:
    area = lay_out({"A": [40] * 6 + [20] * 6 + [20] * 12})
    rest = lay_out({f"C{number}": [20] * 24 for number in range(12)})
    sheet = evaluate(area, rest, before=BEFORE, after=AFTER)
    assert sheet.cautions == (
        "Within the time before, the area was already going down beside its comparison; another comparison may be "
        "fairer.",
    )


@pytest.mark.parametrize(
    ("areas", "said"), [(1, "single comparison area nobody knows"), (3, "learnt from only 3 of them"), (6, "")]
)
def test_few_comparison_areas_are_warned_of(areas: int, said: str) -> None:
    rest = REST[[f"C{number}" for number in range(areas)]]
    cautions = judge(comparison=rest).cautions
    assert [said in caution for caution in cautions] == ([True] if said else [])
    assert judge(comparison=rest, others=REST).cautions == ()


def test_short_periods_are_warned_of() -> None:
    short = Span(Month(2023, 1), Month(2023, 1))
    assert any("has only 1 month, which" in caution for caution in judge(after=short).cautions)


def test_next_to_nothing_is_said_and_nothing_fails() -> None:
    sheet = judge(area=AREA * 0, buffer=RING * 0)
    assert sheet.headline.startswith("Robbery: not known, as there were no incidents in the area.")
    assert sheet.odds.reason
    assert sheet.quotient is not None
    assert sheet.quotient.reason
    assert sheet.counts.loc["area", "verdict"] == "no incidents"
    none = judge(area=AREA * 0, comparison=REST * 0)
    assert none.difference.reason == "there were no incidents in any of the areas"
    assert none.course["expected"].isna().all()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.integers(0, 6), min_size=24, max_size=24), min_size=3, max_size=5), st.booleans())
def test_no_counts_at_all_make_the_sheet_fail(columns: list[list[int]], ringed: bool) -> None:
    frame = lay_out({f"U{number}": [float(n) for n in column] for number, column in enumerate(columns)})
    sheet = evaluate(
        frame[["U0"]],
        frame.drop(columns=["U0", "U1"]),
        before=BEFORE,
        after=AFTER,
        buffer=frame[["U1"]] if ringed else None,
        chosen_on=BEFORE,
    )
    assert sheet.headline
    assert "nan" not in sheet.headline
    assert "inf" not in sheet.headline


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"buffer": AREA}, "A0 is part of both the area and the buffer"),
        ({"others": AREA}, "A0 is part of both the area and the other areas"),
        ({"area": AREA * -1}, r"A0 \(area\) has a negative count"),
        ({"area": AREA[[]]}, "The area has no units"),
        ({"before": AFTER}, "must end before the time after"),
        ({"after": Span(Month(2024, 1), Month(2024, 5))}, "No month of January 2024 to May 2024 is known"),
    ],
)
def test_mistakes_are_told_in_a_sentence(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        judge(**options)


def test_the_expected_course_by_hand() -> None:
    area = lay_out({"A": [10, 10, 20, 20, 5, np.nan]})
    rest = lay_out({"C": [100, 100, 100, 120, 120, 60]})
    used = choose_months(Span(Month(2022, 1), Month(2022, 2)), Span(Month(2022, 4), Month(2022, 5)), [area, rest])
    course = expect_course(area, rest, used, Noise(1.0, 0.04, 9))
    assert course["month"].tolist() == months("2022-01", 6)
    assert course["period"].tolist() == ["before", "before", "", "after", "after", ""]
    assert course["expected"].tolist() == pytest.approx([10, 10, 10, 12, 12, 6])
    assert np.isnan(course["count"].iloc[5])
    # A Poisson count about 10 that is itself known to one in a hundred: variance 11.
    assert (course["low"].iloc[0], course["high"].iloc[0]) == (4, 17)
    width = course["high"] - course["low"]
    assert width.iloc[3] > width.iloc[0]


def test_the_expected_course_holds_the_months_of_an_area_like_the_others() -> None:
    """Of months in which nothing was done 95 % lie within, as far as the stepping of counts lets them."""
    inside = []
    for seed in range(60):
        area, rest = draw(1000 + seed, 15, 1, prefix="A"), draw(2000 + seed, 15, 20)
        course = judge(area=area, comparison=rest).course
        inside += ((course["low"] <= course["count"]) & (course["count"] <= course["high"])).tolist()
    assert 0.94 <= np.mean(inside) <= 0.985


def test_spans_are_proposed_with_the_same_seasons() -> None:
    loaded = [Month(2021, 5) + step for step in range(36)]
    found = propose_spans(Month(2023, 6), None, loaded)
    assert (found.before, found.after) == (Span(Month(2022, 6), Month(2023, 4)), Span(Month(2023, 6), Month(2024, 4)))
    assert found.missing == ()
    assert "same seasons" in found.words
    ended = propose_spans(Month(2023, 6), Month(2023, 8), loaded)
    assert (ended.before, ended.after) == (Span(Month(2022, 6), Month(2022, 8)), Span(Month(2023, 6), Month(2023, 8)))


def test_a_long_operation_is_compared_with_as_many_years_before() -> None:
    loaded = [Month(2020, 1) + step for step in range(48)]
    found = propose_spans(Month(2022, 7), None, loaded)
    assert found.after == Span(Month(2022, 7), Month(2023, 12))
    assert found.before == Span(Month(2020, 7), Month(2021, 12))


def test_spans_tell_what_is_missing_and_fall_back() -> None:
    loaded = [Month(2021, 5), *(Month(2021, 7) + step for step in range(12))]
    found = propose_spans(Month(2022, 5), None, loaded)
    assert found.missing == (Month(2021, 6),)
    recent = propose_spans(Month(2022, 1), None, [Month(2021, 11) + step for step in range(4)])
    assert recent.before == Span(Month(2021, 11), Month(2021, 12))
    assert "seasons may differ" in recent.words


@pytest.mark.parametrize(
    ("start", "loaded", "said"),
    [
        (Month(2023, 1), [Month(2022, 12)], "No month since the start in January 2023"),
        (Month(2023, 1), [], "No month since"),
        (Month(2023, 1), [Month(2023, 1)], "No month before the start"),
    ],
)
def test_spans_that_cannot_be_proposed(start: Month, loaded: list[Month], said: str) -> None:
    with pytest.raises(UserError, match=said):
        propose_spans(start, None, loaded)
