"""Gi* and its corrections against esda and statsmodels run here, and change between two spans."""

import warnings
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from shapely import box
from statsmodels.stats.multitest import multipletests

from cspmap.analysis.change import e_test
from cspmap.analysis.hotspots import (
    Cells,
    Neighbours,
    benjamini_hochberg,
    change_between,
    find_neighbours,
    gi_star,
    grid,
    own_units,
)
from cspmap.errors import UserError
from cspmap.periods import Month


def squares(rows: int, columns: int) -> Neighbours:
    """A full grid of squares, row by row from the south."""
    return find_neighbours(cells_of(rows, columns))


def cells_of(rows: int, columns: int) -> Cells:
    town = gpd.GeoDataFrame(geometry=[box(500_000, 200_000, 500_000 + 100 * columns, 200_000 + 100 * rows)], crs=27700)
    cells = grid(town, 100, "square")
    assert len(cells) == rows * columns
    return cells


def run_esda(counts: Any, neighbours: Neighbours, transform: str) -> Any:
    """The peer library's Gi*, with weights of its own made from the same neighbours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from esda.getisord import G_Local
        from libpysal.weights import W

        lists = np.split(neighbours.indices, neighbours.starts[1:-1])
        weights = W({i: [int(j) for j in near if j != i] for i, near in enumerate(lists)}, silence_warnings=True)
        return G_Local(np.asarray(counts, dtype=float), weights, transform=transform, star=True, permutations=0)


# Six by six: four busy cells amid a ring of one incident each.
WORKED = np.zeros((6, 6))
WORKED[1:5, 1:5] = 1
WORKED[2:4, 2:4] = [[2, 3], [4, 5]]


def test_worked_example_by_hand_and_the_fault_of_a_peer() -> None:
    """z of 4.14 for the middle, of which weights standardised by row make 1.21."""
    neighbours = squares(6, 6)
    frame = gi_star(WORKED.ravel(), neighbours).frame
    # Around the 5: 2 + 3 + 4 + 5 and five ones are 19 over 9 cells; all 36 cells hold 26, their squares 66.
    mean, spread = 26 / 36, np.sqrt(66 / 36 - (26 / 36) ** 2)
    by_hand = (19 - 9 * mean) / (spread * np.sqrt((36 * 9 - 81) / 35))
    middle = 3 * 6 + 3
    assert frame["around"][middle] == 19
    assert frame["z"][middle] == pytest.approx(by_hand)
    assert frame["z"].max() == pytest.approx(4.14, abs=0.005)
    assert run_esda(WORKED.ravel(), neighbours, "B").Zs[middle] == pytest.approx(by_hand)
    assert run_esda(WORKED.ravel(), neighbours, "R").Zs[middle] == pytest.approx(1.21, abs=0.005)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", ["square", "hexagon"])
def test_equal_to_esda_with_binary_weights_and_not_with_its_default(seed: int, shape: Any) -> None:
    random = np.random.default_rng(seed)
    outline = box(500_000, 200_000, 502_000, 201_500).difference(box(500_700, 200_300, 501_000, 200_900))
    cells = grid(gpd.GeoDataFrame(geometry=[outline], crs=27700), 100, shape)
    counts = random.poisson(random.gamma(0.5, 4, len(cells)))
    neighbours = find_neighbours(cells)
    found = gi_star(counts, neighbours).frame
    peer = run_esda(counts, neighbours, "B")
    assert found["z"].to_numpy() == pytest.approx(peer.Zs, rel=1e-9)
    assert found["p"].to_numpy() == pytest.approx(2 * peer.p_norm, rel=1e-9)
    default = run_esda(counts, neighbours, "R").Zs
    n, k = len(cells), neighbours.sizes
    assert default == pytest.approx(found["z"].to_numpy() * np.sqrt((n - k) / (k * (n - 1))))
    assert (np.abs(default) < 0.6 * np.abs(found["z"])).all(), "far too small throughout"


def test_equal_to_esda_on_own_units_and_by_distance() -> None:
    cells = cells_of(8, 9)
    counts = np.random.default_rng(7).poisson(3, 72)
    units = own_units(cells.frame, plural="units")
    for neighbours in (find_neighbours(units), find_neighbours(cells, within=250)):
        assert gi_star(counts, neighbours).frame["z"].to_numpy() == pytest.approx(
            run_esda(counts, neighbours, "B").Zs, rel=1e-9
        )


def test_two_sided_p_is_that_of_the_normal_distribution() -> None:
    frame = gi_star(WORKED.ravel(), squares(6, 6)).frame
    assert frame["p"].to_numpy() == pytest.approx(2 * stats.norm.sf(np.abs(frame["z"])))


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=40))
def test_benjamini_hochberg_is_that_of_statsmodels(p: list[float]) -> None:
    expected = multipletests(p, method="fdr_bh")[1] if p else []
    assert benjamini_hochberg(p) == pytest.approx(np.array(expected))


def test_benjamini_hochberg_by_hand_and_with_gaps() -> None:
    # Benjamini and Hochberg's step-up: 4 x 0.01, 4/2 x 0.02, 4/3 x 0.03, 4/4 x 0.5.
    assert benjamini_hochberg([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.04, 0.04, 0.5, 0.04])
    assert benjamini_hochberg([0.03, np.nan, 0.01]) == pytest.approx([0.03, np.nan, 0.02], nan_ok=True)


def test_hot_and_cold_are_by_q_unless_told_otherwise() -> None:
    neighbours = squares(20, 20)
    counts = np.random.default_rng(3).poisson(2, (20, 20))
    counts[3:6, 3:6] += 9
    corrected = gi_star(counts.ravel(), neighbours).frame
    plain = gi_star(counts.ravel(), neighbours, correct=False)
    assert (corrected["hot"] == ((corrected["q"] <= 0.05) & (corrected["z"] > 0))).all()
    assert (plain.frame["cold"] == ((plain.frame["p"] <= 0.05) & (plain.frame["z"] < 0))).all()
    assert plain.frame["hot"].sum() > corrected["hot"].sum() >= 9
    assert "p at most 0.05, not corrected for testing 400 cells" in plain.words
    assert gi_star(counts.ravel(), neighbours, alpha=1e-9).frame["hot"].sum() < corrected["hot"].sum()


def test_hardly_any_map_of_chance_alone_has_a_hot_cell() -> None:
    """With every incident placed by chance, a map has a false discovery in about one of twenty."""
    neighbours = squares(20, 20)
    random = np.random.default_rng(11)
    maps = [gi_star(random.poisson(20, 400), neighbours).frame for _ in range(200)]
    false = sum(bool((frame["hot"] | frame["cold"]).any()) for frame in maps)
    assert false < 0.12 * len(maps)
    assert all(((frame["p"] <= 0.05).sum()) > 3 for frame in maps), "without correction every map would have some"


def test_words_name_cells_neighbours_and_correction() -> None:
    layer = gi_star(WORKED.ravel(), squares(6, 6), missing=[Month(2023, 8)])
    assert layer.words == (
        "Getis-Ord Gi* in squares of 100 m, each with the 8 around it, all with equal weight. "
        "Their width is as chosen. "
        "Hot or cold: false discoveries held to 5 % (Benjamini-Hochberg). "
        "Months missing, not counted as zero: August 2023."
    )
    assert layer.cautions == ()
    assert layer.frame["score"].equals(layer.frame["z"].rename("score"))


@pytest.mark.parametrize("counts", [np.zeros(36), np.full(36, 7.0), np.full(36, 0.1)])
def test_no_cell_stands_out_of_equal_counts(counts: Any) -> None:
    layer = gi_star(counts, squares(6, 6))
    assert layer.frame[["z", "p", "q"]].isna().all(axis=None)
    assert not layer.frame[["hot", "cold"]].any(axis=None)
    assert layer.cautions == ("No cell stands out: all have the same count, or too few are left.",)


def test_fewer_cells_than_neighbours() -> None:
    """Where every cell is a neighbour of all there are, nothing is left to compare with."""
    for rows, columns in ((1, 1), (1, 2), (2, 2)):
        frame = gi_star(np.arange(rows * columns), squares(rows, columns)).frame
        assert frame["z"].isna().all()
    three = gi_star([5, 1, 0], squares(1, 3)).frame
    assert three["z"].isna().tolist() == [False, True, False]


def test_one_incident_and_all_in_one_cell_give_one_map() -> None:
    """z does not change when every count is multiplied."""
    one = np.zeros(36)
    one[14] = 1
    neighbours = squares(6, 6)
    frame = gi_star(one, neighbours).frame
    pd.testing.assert_series_equal(gi_star(one * 5000, neighbours).frame["z"], frame["z"])
    assert frame["z"].notna().all()


def test_missing_count_leaves_its_surroundings_untested() -> None:
    counts = np.array(WORKED.ravel())
    counts[0] = np.nan
    frame = gi_star(counts, squares(6, 6)).frame
    assert frame["z"].isna().to_numpy().nonzero()[0].tolist() == [0, 1, 6, 7]


def test_series_are_matched_by_code_and_others_refused() -> None:
    cells = cells_of(6, 6)
    neighbours = find_neighbours(cells)
    counts = pd.Series(WORKED.ravel(), index=cells.codes)
    pd.testing.assert_frame_equal(gi_star(counts[::-1], neighbours).frame, gi_star(counts, neighbours).frame)
    assert gi_star(counts, neighbours).frame["code"].tolist() == cells.codes.tolist()
    with pytest.raises(UserError, match="not those of the cells"):
        gi_star(counts.iloc[1:], neighbours)
    with pytest.raises(UserError, match="There are 35 counts for 36 cells"):
        gi_star(WORKED.ravel()[1:], neighbours)
    with pytest.raises(UserError, match="cannot be 5; choose one between 0 and 1"):
        gi_star(counts, neighbours, alpha=5)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 30), min_size=30, max_size=30), st.randoms())
def test_order_of_cells_does_not_matter(counts: list[int], random: Any) -> None:
    cells = cells_of(5, 6)
    turn = list(range(30))
    random.shuffle(turn)
    units, shuffled = own_units(cells.frame, plural="units"), own_units(cells.frame.iloc[turn], plural="units")
    one = gi_star(np.array(counts), find_neighbours(units)).frame.iloc[turn]
    other = gi_star(np.array(counts)[turn], find_neighbours(shuffled)).frame
    assert other["z"].to_numpy() == pytest.approx(one["z"].to_numpy(), nan_ok=True)


BEFORE = pd.Series([10, 0, 100, 3, 0, 40], index=list("abcdef"))
AFTER = pd.Series([12, 0, 40, 0, 12, 41], index=list("abcdef"))


def test_change_cell_by_cell_with_corrected_p() -> None:
    layer = change_between(BEFORE, AFTER, months_before=12, months_after=12)
    frame = layer.frame.set_index("code")
    tested = ["a", "c", "e", "f"]
    p = e_test(BEFORE[tested].to_numpy(), AFTER[tested].to_numpy())
    assert frame.loc[tested, "p"].to_numpy() == pytest.approx(p)
    assert frame.loc[tested, "q"].to_numpy() == pytest.approx(multipletests(p, method="fdr_bh")[1])
    assert frame["verdict"].tolist() == [
        "normal variation", "no incidents", "down", "too few to say", "up", "normal variation"
    ]  # fmt: skip
    assert frame["hot"].tolist() == [False] * 4 + [True, False]
    assert frame["difference"].tolist() == pytest.approx([2 / 12, 0, -5, -0.25, 1, 1 / 12])
    assert frame["percent"].to_numpy() == pytest.approx([20, np.nan, -60, -100, np.nan, 2.5], nan_ok=True)
    assert layer.words == (
        "Change between two spans: the E-test cell by cell, with false discoveries held to 5 % over the 4 cells with "
        "enough incidents (Benjamini-Hochberg)."
    )


def test_correction_takes_back_what_one_test_alone_would_say() -> None:
    before, after = pd.Series([10.0] * 20), pd.Series([22.0] + [10.0] * 19)
    alone = e_test(10, 22)
    assert alone < 0.05
    frame = change_between(before, after, months_before=12, months_after=12).frame
    assert frame["p"][0] == pytest.approx(alone)
    assert frame["verdict"][0] == "normal variation"


def test_spans_with_unequal_months_are_scaled_and_said_to_be() -> None:
    """Eleven months of the same crime are not a fall."""
    before, after = pd.Series([240.0, 240.0]), pd.Series([220.0, 110.0])
    layer = change_between(before, after, months_before=12, months_after=11)
    assert layer.frame["percent"].tolist() == pytest.approx([0, -50])
    assert layer.frame["verdict"].tolist() == ["normal variation", "down"]
    assert layer.frame["p"].tolist() == pytest.approx(
        [e_test(240, k, exposure_before=12, exposure_after=11) for k in (220, 110)]
    )
    assert "12 and 11 months are loaded, so incidents a month are compared" in layer.words


def test_missing_counts_are_not_known() -> None:
    after = AFTER.astype(float)
    after["a"] = np.nan
    frame = change_between(BEFORE, after, months_before=1, months_after=1).frame
    assert frame["verdict"][0] == "not known"
    assert np.isnan(frame["difference"][0])


def test_change_refuses_what_cannot_be_compared() -> None:
    with pytest.raises(UserError, match="not counted in the same cells"):
        change_between(BEFORE, AFTER.iloc[1:], months_before=12, months_after=12)
    with pytest.raises(UserError, match="holds no month"):
        change_between(BEFORE, AFTER, months_before=12, months_after=0)
