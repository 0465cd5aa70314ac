import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.analysis.deprivation import FIFTHS, aggregate, find_fifth
from cspmap.errors import UserError

SCORES = pd.DataFrame({"code": ["a", "b", "c", "d"], "decile": [1, 2, 5, 9], "score": [60.0, 46.0, 20.0, 5.0]})
MEMBERS = pd.DataFrame({"source_code": ["a", "b", "c", "d"], "target_code": ["X", "X", "X", "Y"]})
RESIDENTS = pd.Series({"a": 1000, "b": 2000, "c": 1000, "d": 1500})


def test_by_hand() -> None:
    table = aggregate(SCORES, MEMBERS, RESIDENTS)
    # (60 x 1000 + 46 x 2000 + 20 x 1000) / 4000 = 43, where the plain mean of the three scores is 42.
    assert table.to_dict("index")["X"] == {
        "residents": 4000,
        "mean_score": 43,
        "share_in_worst_tenth": 0.25,
        "share_in_worst_fifth": 0.75,
        "share_in_fifth_2": 0,
        "share_in_fifth_3": 0.25,
        "share_in_fifth_4": 0,
        "share_in_fifth_5": 0,
        "share_covered": 1,
        "lsoas_missing": 0,
    }
    assert table.loc[["Y"], list(FIFTHS)].to_numpy()[0].tolist() == [0, 0, 0, 0, 1]
    assert table.loc[["Y"], ["mean_score", "share_in_worst_fifth"]].to_numpy()[0].tolist() == [5, 0]
    assert table.index.name == "code"


def test_a_fifth_is_two_deciles() -> None:
    assert find_fifth(list(range(1, 11))).tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert np.isnan(find_fifth([None])).all()


def test_an_lsoa_divided_between_areas_counts_in_each_by_its_share() -> None:
    divided = pd.DataFrame({"source_code": ["a", "a", "d"], "target_code": ["X", "Y", "Y"], "share": [0.25, 0.75, 1.0]})
    table = aggregate(SCORES, divided, RESIDENTS)
    assert table["residents"].to_dict() == {"X": 250, "Y": 2250}
    assert table.loc["Y", "mean_score"] == pytest.approx((60 * 750 + 5 * 1500) / 2250)
    assert table.loc["Y", "share_in_worst_tenth"] == pytest.approx(750 / 2250)


def test_ranks_and_deciles_without_scores_give_shares_but_no_mean() -> None:
    for scores in (SCORES.drop(columns="score"), SCORES.assign(score=np.nan)):
        table = aggregate(scores, MEMBERS, RESIDENTS)
        assert table["mean_score"].isna().all()
        assert table.loc["X", "share_in_worst_fifth"] == 0.75
        assert table.loc["X", "share_covered"] == 1


def test_lsoas_that_are_missing_are_reported_and_not_taken_for_zero() -> None:
    table = aggregate(SCORES[SCORES["code"] != "b"], MEMBERS, RESIDENTS)
    assert table.loc["X", "mean_score"] == 40  # (60 x 1000 + 20 x 1000) / 2000
    assert table.loc["X", "share_in_worst_tenth"] == 0.5
    assert table.loc["X", "share_covered"] == 0.5
    assert table["lsoas_missing"].to_dict() == {"X": 1, "Y": 0}


def test_an_lsoa_of_unknown_population_is_counted_as_missing() -> None:
    table = aggregate(SCORES, MEMBERS, RESIDENTS.drop("b"))
    assert table.loc[["X"], ["residents", "mean_score", "lsoas_missing"]].to_numpy()[0].tolist() == [2000, 40, 1]


def test_an_area_of_which_nothing_is_known() -> None:
    table = aggregate(SCORES[SCORES["code"] != "d"], MEMBERS, RESIDENTS)
    assert table.loc["Y", ["mean_score", "share_in_worst_tenth", "share_in_worst_fifth"]].isna().all()
    assert table.loc["Y", "share_covered"] == 0
    nobody = aggregate(SCORES, MEMBERS, RESIDENTS * 0)
    assert nobody["mean_score"].isna().all()
    assert nobody["share_covered"].isna().all()


@pytest.mark.parametrize(
    ("scores", "table", "population", "message"),
    [
        (SCORES.drop(columns="decile"), MEMBERS, RESIDENTS, "no column 'decile'"),
        (SCORES, MEMBERS.drop(columns="target_code"), RESIDENTS, "no column 'target_code'"),
        (pd.concat([SCORES, SCORES.tail(1)]), MEMBERS, RESIDENTS, "LSOA d occurs twice in the deprivation scores"),
        (SCORES, MEMBERS, pd.Series([1, 2], index=["a", "a"]), "LSOA a occurs twice in the populations"),
        (SCORES.assign(decile=[1, 2, 11, 4]), MEMBERS, RESIDENTS, "LSOA c has a deprivation decile of 11"),
        (SCORES, MEMBERS, -RESIDENTS, "LSOA a has a population below zero"),
    ],
)
def test_bad_input_is_named(
    scores: pd.DataFrame, table: pd.DataFrame, population: "pd.Series[int]", message: str
) -> None:
    with pytest.raises(UserError, match=message):
        aggregate(scores, table, population)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10), st.floats(0, 90), st.integers(0, 3000)), min_size=1, max_size=20))
def test_figures_stay_in_bounds_and_order_does_not_matter(lsoas: list[tuple[int, float, int]]) -> None:
    codes = [f"L{number}" for number in range(len(lsoas))]
    decile, score, residents = (list(column) for column in zip(*lsoas, strict=True))
    scores = pd.DataFrame({"code": codes, "decile": decile, "score": score})
    members = pd.DataFrame({"source_code": codes, "target_code": "X"})
    population = pd.Series(residents, index=codes)
    row = aggregate(scores, members, population).loc["X"]
    if row["residents"] == 0:
        assert np.isnan(row["mean_score"])
        return
    assert min(score) - 1e-9 <= row["mean_score"] <= max(score) + 1e-9
    assert 0 <= row["share_in_worst_tenth"] <= row["share_in_worst_fifth"] <= 1
    assert row[list(FIFTHS)].sum() == pytest.approx(1)
    turned = aggregate(scores[::-1], members[::-1], population[::-1]).loc["X"]
    assert turned.to_dict() == pytest.approx(row.to_dict())
