"""What the map and its legend say of figures, with missing, zero and suppressed kept apart."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.analysis.area_figures import compute_figures
from cspmap.partnership import Denominator, Disclosure
from cspmap.periods import Month, Span
from cspmap.selection import MEASURES, SCHEMES, Measure, Selection
from cspmap.views.choropleth import Choropleth, describe_area_change, shade_areas, state_rule
from cspmap.views.map import Legend, MapView, encode_view
from cspmap.views.palettes import diverging_palette, ordered_palette

PER = Denominator("residents", "residents", 2022, "lsoa21", Path("people.csv"), "ONS")
YEAR = Span(Month(2023, 5), Month(2024, 4))


def select(measure: Measure, **values: Any) -> Selection:
    return Selection(**{"span": YEAR, "level": "ward", "measure": measure, "edition": 2025, **values})


def figure(
    count: list[int | None],
    before: list[int | None] | None = None,
    people: list[float] | None = None,
    *,
    comparable: bool = True,
    smallest: int = 100,
    deciles: list[float] | None = None,
) -> pd.DataFrame:
    size = len(count)
    counts = pd.DataFrame(
        {
            "code": [f"a{row}" for row in range(size)],
            "name": [f"Area {row}" for row in range(size)],
            "hectares": 100.0,
            "count": pd.array(count, dtype="Int64"),
            "before": pd.array(before or count, dtype="Int64"),
            "denominator": people or [1000.0] * size,
        }
    )
    total = sum(value or 0 for value in count)
    areas = compute_figures(counts, total=total, comparable=comparable, smallest=smallest)
    given_deciles = pd.Series(deciles or [float(1 + row % 10) for row in range(size)])
    return areas.assign(score=given_deciles * 3.5, decile=given_deciles, fifth=(given_deciles <= 2).astype(float))


def fills(choropleth: Choropleth) -> list[object]:
    return [area.fill for area in choropleth.areas]


def hovers(choropleth: Choropleth) -> list[tuple[str, ...]]:
    return [area.tooltip for area in choropleth.areas]


def labels(choropleth: Choropleth) -> list[str]:
    return [entry.label for entry in choropleth.legend.classes]


def test_counts_have_whole_classes_and_zero_and_missing_have_none() -> None:
    drawn = shade_areas(figure([1, 2, 3, 4, 40, 0, None]), select("count", classes=5), PER)
    assert fills(drawn) == [0, 1, 2, 3, 4, "zero", "missing"]
    assert labels(drawn) == ["1", "2", "3", "4", "40"]
    assert [entry.colour for entry in drawn.legend.classes] == list(ordered_palette(5))
    assert drawn.legend.title == "Incidents"
    assert drawn.legend.rule == "Each value has a class of its own."


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(0, 60)), min_size=1, max_size=30),
    st.sampled_from(SCHEMES),
    st.integers(2, 9),
)
def test_counts_lie_in_the_class_whose_label_holds_them(counts: list[int | None], scheme: Any, classes: int) -> None:
    drawn = shade_areas(figure(counts), select("count", scheme=scheme, classes=classes), PER)
    ranges = [[int(part) for part in label.removesuffix(": none").split(" to ")] for label in labels(drawn)]
    for count, fill in zip(counts, fills(drawn), strict=True):
        if count is None:
            assert fill == "missing"
        elif count == 0:
            assert fill == "zero"
        else:
            assert isinstance(fill, int)
            assert ranges[fill][0] <= count <= ranges[fill][-1]
    assert all(one[-1] < other[0] for one, other in pairwise(ranges))
    assert all(span[0] <= span[-1] for span in ranges)


def test_labels_have_as_many_digits_as_tell_classes_apart() -> None:
    drawn = shade_areas(figure([11, 12, 13, 14], people=[100_000.0] * 4), select("rate", classes=4), PER)
    assert labels(drawn) == ["0.11", "0.12", "0.13", "0.14"]


def test_empty_class_is_named_by_its_bounds() -> None:
    drawn = shade_areas(figure([10, 20, 100]), select("rate", scheme="equal-interval", classes=3), PER)
    assert labels(drawn) == ["10.0 to 20.0", "40.0 to 70.0: none", "100.0"]


def test_share_in_the_most_deprived_fifth_that_is_all_or_none_has_two_classes() -> None:
    drawn = shade_areas(figure([5] * 10, deciles=[1.0] * 8 + [9.0] * 2), select("fifth"), PER)
    assert labels(drawn) == ["0 %", "100 %"]


def test_class_that_no_whole_number_falls_in_is_left_out_and_the_rule_says_so() -> None:
    counts: list[int | None] = [*[10] * 200, 9, 11, 12, 13]
    drawn = shade_areas(figure(counts), select("count", scheme="standard-deviation", classes=5), PER)
    assert len(labels(drawn)) < 5
    assert drawn.legend.rule.endswith("; those that no whole number falls in are left out.")


def test_rates_are_suppressed_where_hardly_anybody_lives() -> None:
    drawn = shade_areas(
        figure([5, 10, 3, 0, None, 7], people=[1000, 1000, 99, 1000, 1000, math.nan]), select("rate"), PER
    )
    assert fills(drawn) == [0, 1, "suppressed", "zero", "missing", "missing"]
    assert labels(drawn) == ["5.0", "10.0"]
    assert drawn.legend.title == "Incidents per 1,000 residents, year to April 2024"
    assert [lines[0] for lines in hovers(drawn)] == [
        "5 incidents, 5.0 per 1,000 residents",
        "10 incidents, 10.0 per 1,000 residents",
        "3 incidents",
        "0 incidents, 0.0 per 1,000 residents",
        "no month of the period is loaded",
        "7 incidents",
    ]
    assert hovers(drawn)[2][1] == "no rate: too few residents"
    assert hovers(drawn)[4] == ("no month of the period is loaded",)
    assert hovers(drawn)[5][1] == "no rate: residents not known"


def test_count_of_a_suppressed_area_is_shown() -> None:
    assert fills(shade_areas(figure([5, 3], people=[1000, 9]), select("count"), PER)) == [1, 0]


def test_share_and_smoothed_rate() -> None:
    figures = figure([30, 10, 0], people=[1000, 1000, 1000])
    share = shade_areas(figures, select("share"), PER)
    assert fills(share) == [1, 0, "zero"]
    assert labels(share) == ["25.0 %", "75.0 %"]
    assert hovers(share)[0][-1] == "75.0 % of the partnership's"
    assert share.legend.title == "Share of the partnership's incidents"
    smoothed = shade_areas(figures, select("smoothed"), PER)
    # A smoothed rate is drawn towards the whole's, so it is no zero where the count is.
    assert [isinstance(fill, int) for fill in fills(smoothed)] == [True, True, True]
    assert hovers(smoothed)[2][-1].startswith("smoothed rate ")
    few = shade_areas(figure([30, 10], people=[1000, 9]), select("smoothed"), PER)
    assert fills(few)[1] == "suppressed"
    assert not any(line.startswith("smoothed") for line in hovers(few)[1])


def test_deciles_keep_their_ten_classes_whatever_is_shown() -> None:
    drawn = shade_areas(figure([1, 1, 1, 1], deciles=[1.0, 3.0, 10.0, math.nan]), select("decile", classes=3), PER)
    assert fills(drawn) == [0, 2, 9, "missing"]
    assert labels(drawn) == [str(decile) for decile in range(1, 11)]
    # The most deprived is the darkest.
    assert [entry.colour for entry in drawn.legend.classes] == list(ordered_palette(10)[::-1])
    assert drawn.legend.title == "Deprivation decile, 2025"
    assert drawn.legend.rule == "One class for each decile; 1 is the most deprived."
    assert hovers(drawn)[0][-1] == "Deprivation decile: 1"


def test_deprivation_is_shown_where_there_are_no_incidents_and_no_residents() -> None:
    drawn = shade_areas(figure([0, None, 3], people=[1000, 1000, 9]), select("score"), PER)
    assert all(isinstance(fill, int) for fill in fills(drawn))
    fifth = shade_areas(figure([1, 1], deciles=[1.0, 9.0]), select("fifth"), PER)
    assert [lines[-1] for lines in hovers(fifth)] == ["In most deprived fifth: 100 %", "In most deprived fifth: 0 %"]


def test_areas_left_out_take_no_part_in_the_classes() -> None:
    drawn = shade_areas(figure([1, 5, 900]), select("count", areas=("a0", "a1")), PER)
    assert fills(drawn) == [0, 1, "left out"]
    assert labels(drawn) == ["1", "5"]


# Change


CHANGE_RULE = (
    "A fall by half and a doubling are the same size of change. "
    "Changes that chance could explain have no colour; about 1 area in 20 is coloured by chance."
)


def test_change_colours_only_what_chance_does_not_explain() -> None:
    figures = figure([100, 70, 10, 30, 0, 0, 12], [30, 45, 100, 29, 0, 5, 0])
    verdicts = ["up", "up", "down", "normal variation", "no incidents", "down", "up"]
    assert figures["verdict"].tolist() == verdicts
    drawn = shade_areas(figures, select("change", classes=5), PER)
    # More than doubled, up by half, down to a tenth, by chance, none, down to none, up from none.
    assert fills(drawn) == [4, 3, 0, 2, "zero", 0, 4]
    assert labels(drawn) == [
        "down 50 % or more",
        "down, less than 50 %",
        "no more than chance",
        "up, less than 100 %",
        "up 100 % or more",
    ]
    assert [entry.colour for entry in drawn.legend.classes] == list(diverging_palette(5))
    assert drawn.legend.title == "Change on last year"
    assert drawn.legend.rule == CHANGE_RULE


@pytest.mark.parametrize(("classes", "drawn_in"), [(2, 3), (3, 3), (4, 5), (6, 7), (7, 7), (8, 9), (9, 9)])
def test_change_has_an_odd_number_of_classes(classes: int, drawn_in: int) -> None:
    drawn = shade_areas(figure([10, 60], [60, 10]), select("change", classes=classes), PER)
    assert len(labels(drawn)) == drawn_in
    assert fills(drawn) == [0, drawn_in - 1]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), min_size=1, max_size=25),
    st.integers(2, 9),
)
def test_no_change_within_chance_is_coloured_and_every_other_is(pairs: list[tuple[int, int]], classes: int) -> None:
    figures = figure([after for _, after in pairs], [before for before, _ in pairs])
    drawn = shade_areas(figures, select("change", classes=classes), PER)
    middle = len(drawn.legend.classes) // 2
    for fill, verdict, percent in zip(fills(drawn), figures["verdict"], figures["percent"], strict=True):
        if verdict == "no incidents":
            assert fill == "zero"
        elif verdict in ("normal variation", "too few to say"):
            assert fill == middle
        else:
            assert isinstance(fill, int)
            assert fill > middle if verdict == "up" else fill < middle
            assert fill == len(drawn.legend.classes) - 1 or not math.isnan(percent)


def test_no_real_change_at_all() -> None:
    drawn = shade_areas(figure([10, 11, 0], [11, 10, 0]), select("change"), PER)
    assert fills(drawn) == [2, 2, "zero"]


def test_periods_that_cannot_be_compared_are_missing_not_unchanged() -> None:
    drawn = shade_areas(figure([10, 0], [11, 0], comparable=False), select("change"), PER)
    assert fills(drawn) == ["missing", "missing"]
    assert [lines[-1] for lines in hovers(drawn)] == ["change not known", "change not known"]


@pytest.mark.parametrize(
    ("before", "percent", "verdict", "said"),
    [
        (1523, 4.0, "normal variation", "+4.0 % on last year (1,523), within normal variation"),
        (100, -60.0, "down", "−60 % on last year (100), more than chance"),
        (2, -50.0, "too few to say", "−50 % on last year (2), too few to say"),
        (5, 0.0, "normal variation", "no change on last year (5), within normal variation"),
        (0, math.nan, "up", "up from none last year, more than chance"),
        (0, math.nan, "too few to say", "up from none last year, too few to say"),
        (0, math.nan, "no incidents", "none last year either"),
        (None, math.nan, "not known", "change not known"),
    ],
)
def test_change_of_an_area_in_words(before: float | None, percent: float, verdict: str, said: str) -> None:
    assert describe_area_change(before, percent, verdict, select("change")) == said


def test_change_on_months_before_in_words() -> None:
    selection = select("change", comparison="previous")
    assert (
        describe_area_change(0, math.nan, "up", selection) == "up from none in the 12 months before, more than chance"
    )
    assert describe_area_change(0, math.nan, "no incidents", selection) == "none in the 12 months before either"


# Whatever the figures


_counts = st.lists(st.one_of(st.none(), st.integers(0, 200)), min_size=1, max_size=20)


@settings(deadline=None)
@given(
    _counts,
    st.data(),
    st.sampled_from([key for key in MEASURES if key != "progress"]),
    st.sampled_from(SCHEMES),
    st.integers(2, 9),
)
def test_every_figure_can_be_drawn(
    counts: list[int | None], data: st.DataObject, measure: Measure, scheme: Any, classes: int
) -> None:
    size = len(counts)
    before = data.draw(st.lists(st.one_of(st.none(), st.integers(0, 200)), min_size=size, max_size=size))
    people = data.draw(st.lists(st.sampled_from([0.0, 50.0, 900.0, 2500.0, math.nan]), min_size=size, max_size=size))
    figures = figure(counts, before, people)
    drawn = shade_areas(figures, select(measure, scheme=scheme, classes=classes), PER)
    assert "nan" not in encode_view(MapView("Luton", "layer.json", drawn.areas, drawn.legend)).lower()
    assert [area.code for area in drawn.areas] == figures["code"].tolist()
    assert len({entry.colour for entry in drawn.legend.classes}) == len(drawn.legend.classes)
    assert drawn.legend.rule.endswith(".")


@pytest.mark.parametrize(
    ("rule", "told", "suppressed"),
    [
        (Disclosure("none"), "By count.", "too few to show"),
        (Disclosure("round", base=5), "By count. Counts are rounded to the nearest 5.", "too few to show"),
        (
            Disclosure("suppress", threshold=4),
            "By count. Counts from 1 to 3 are withheld, and others that would give them away.",
            "withheld, or too few to show",
        ),
    ],
)
def test_a_legend_states_the_rule_on_small_counts(rule: Disclosure, told: str, suppressed: str) -> None:
    legend = state_rule(Choropleth((), Legend("Incidents", "By count.", ())), rule).legend
    assert (legend.rule, legend.suppressed) == (told, suppressed)
    view = MapView("Luton", "ward.json", (), legend)
    assert json.loads(encode_view(view))["specials"]["suppressed"][-1] == suppressed
