import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from cspmap.analysis.inequality import concentration_index, rates_by_fifth
from cspmap.errors import UserError

PLACES = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 500), st.integers(1, 3000)), min_size=1, max_size=30)


def draw_places(number: int = 300, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ranks with ties, counts that fall as they rise, and people."""
    rng = np.random.default_rng(seed)
    rank = rng.integers(1, 120, number)
    people = rng.integers(900, 2500, number)
    counts = rng.poisson(people * 0.05 * np.exp(-rank / 100) * rng.gamma(2, 0.5, number))
    return rank, counts, people


# ---- by fifth --------------------------------------------------------------------------------------------------------


def test_fifths_by_hand_with_exact_intervals() -> None:
    table = rates_by_fifth([1, 1, 2, 5, 3, None], [10, 20, 7, 0, None, 9], [1000, 2000, 500, 1500, 800, 700])
    assert table["places"].tolist() == [2, 1, 0, 0, 1]
    assert table["people"].tolist() == [3000, 500, 0, 0, 1500]
    assert table["count"].tolist() == [30, 7, 0, 0, 0]
    assert table["rate"].tolist() == pytest.approx([10, 14, np.nan, np.nan, 0], nan_ok=True)
    for fifth, count, people in ((1, 30, 3000), (2, 7, 500), (5, 0, 1500)):
        low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
        high = chi2.ppf(0.975, 2 * (count + 1)) / 2
        assert table.loc[fifth, "low"] == pytest.approx(1000 * low / people)
        assert table.loc[fifth, "high"] == pytest.approx(1000 * high / people)
    assert table.loc[[3, 4], ["low", "high"]].isna().all().all()


@settings(deadline=None)
@given(PLACES)
def test_fifths_add_up_to_everything(places: list[tuple[int, int, int]]) -> None:
    fifth, count, people = zip(*places, strict=True)
    table = rates_by_fifth([1 + number % 5 for number in fifth], count, people)
    assert table["count"].sum() == sum(count)
    assert table["people"].sum() == sum(people)
    known = table.dropna(subset="rate")
    assert (known["low"] <= known["rate"] + 1e-9).all()
    assert (known["rate"] <= known["high"]).all()


# ---- concentration ---------------------------------------------------------------------------------------------------


def test_index_by_hand() -> None:
    """Three places of 100, 200 and 100 people from the most deprived on, with 30, 20 and 0 incidents."""
    found = concentration_index([1, 2, 3], [30, 20, 0], [100, 200, 100])
    # mu = 50 / 400; R = 1/8, 1/2, 7/8; C = 2 / mu (1/4 x 0.3 x 1/8 + 1/2 x 0.1 x 1/2) - 1 = -0.45.
    assert found.index == pytest.approx(-0.45)
    assert found.curve.to_numpy().tolist() == [[0, 0], [0.25, 0.6], [0.75, 1.0], [1.0, 1.0]]
    # A fifth of people are 80 of the 100 in the first place, so 24 of the 50.
    assert found.worst_fifth == pytest.approx(24 / 50)
    # a = 2.4 (1/4 - 1 + 0.45) + 2 - 0.6 = 0.68; 0.8 (0.45) + 2 - 1.6 = 0.76; 0 + 2 - 2 = 0.
    spread = (0.25 * 0.68**2 + 0.5 * 0.76**2) - 0.55**2
    assert found.error == pytest.approx(np.sqrt(spread / 3))
    assert (found.low, found.high) == pytest.approx((-0.45 - 1.96 * found.error, -0.45 + 1.96 * found.error), rel=1e-4)
    assert (found.places, found.people, found.incidents) == (3, 400, 50)


def test_index_is_the_slope_of_the_convenient_regression() -> None:
    """2 var(R) h / mu on R, weighted by people, has the index for its slope (Kakwani, Wagstaff, van Doorslaer 1997)."""
    rank, counts, people = draw_places()
    table = pd.DataFrame({"rank": rank, "count": counts, "people": people}).groupby("rank").sum()
    weight = table["people"].to_numpy() / table["people"].sum()
    position = np.cumsum(weight) - weight / 2
    relative = table["count"].to_numpy() / table["count"].sum() / weight
    spread = weight @ (position - weight @ position) ** 2
    root = np.sqrt(weight)
    design = np.column_stack([root, root * position])
    slope = np.linalg.lstsq(design, root * 2 * spread * relative, rcond=None)[0][1]
    assert concentration_index(rank, counts, people).index == pytest.approx(slope)


def test_index_is_twice_the_area_to_the_diagonal() -> None:
    found = concentration_index(*draw_places())
    area = np.trapezoid(found.curve["share_incidents"], found.curve["share_people"])
    assert found.index == pytest.approx(1 - 2 * area)
    assert found.index < 0


def test_error_is_about_that_of_drawing_places_again() -> None:
    rank, counts, people = draw_places(400)
    # Ranks without ties, as the formula takes each place for one draw.
    rank = np.argsort(np.argsort(rank, kind="stable"))
    rng = np.random.default_rng(8)
    again = []
    for _ in range(600):
        drawn = rng.integers(0, len(rank), len(rank))
        again.append(concentration_index(rank[drawn], counts[drawn], people[drawn]).index)
    assert concentration_index(rank, counts, people).error == pytest.approx(np.std(again), rel=0.15)


def test_everybody_bearing_as_much_is_zero_and_one_place_bearing_all_is_near_the_end() -> None:
    even = concentration_index([1, 2, 3, 4], [10, 20, 30, 40], [100, 200, 300, 400])
    assert (even.index, even.error) == pytest.approx((0, 0), abs=1e-9)
    assert concentration_index(range(100), [50, *[0] * 99], [10] * 100).index == pytest.approx(-0.99)
    assert concentration_index(range(100), [*[0] * 99, 50], [10] * 100).index == pytest.approx(0.99)


def test_what_is_not_known_takes_no_part() -> None:
    whole = concentration_index([1, 2, 3], [30, 20, 5], [100, 200, 100])
    more = concentration_index([1, None, 2, 3, 4, 5], [30, 9, 20, 5, None, 6], [100, 50, 200, 100, 70, 0])
    assert (more.index, more.error) == (whole.index, whole.error)


def test_no_incidents_have_no_index() -> None:
    none = concentration_index([1, 2], [0, 0], [10, 10])
    assert np.isnan([none.index, none.error, none.low, none.worst_fifth]).all()
    assert np.isnan(concentration_index([], [], []).index)
    assert np.isnan(concentration_index([1, 2], [1, 2], [10, 10]).error)


def test_bad_input_is_told() -> None:
    with pytest.raises(UserError, match="below zero"):
        concentration_index([1], [-1], [10])
    with pytest.raises(UserError, match="of 1, 2 and 1 places"):
        concentration_index([1], [1, 2], [10])


@settings(deadline=None)
@given(PLACES)
def test_order_makes_no_difference_and_turning_ranks_turns_the_sign(
    places: list[tuple[int, int, int]],
) -> None:
    rank, count, people = (np.array(values) for values in zip(*places, strict=True))
    found = concentration_index(rank, count, people)
    if not count.sum():
        return
    assert -1 <= found.index <= 1
    assert concentration_index(rank[::-1], count[::-1], people[::-1]).index == pytest.approx(found.index)
    assert concentration_index(-rank, count, people).index == pytest.approx(-found.index, abs=1e-9)
