"""Every domain of the Indices on every level, each weighted by whom it is of."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cspmap.deprivation_view import (
    DeprivationChoice,
    compare_editions,
    find_kind,
    make_picture,
    measure_deprivation,
    read_ground,
)
from cspmap.partnership import DeprivationFile
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.store import Store

from .made import LSOAS, RESIDENTS, Made

CHILDREN = {code: 100 + 50 * row for row, code in enumerate(RESIDENTS)}
SCORES = {"Income": "Income Score (rate)", "IDACI": "Income Deprivation Affecting Children Index (IDACI) Score (rate)"}


def add_domains(made: Made) -> pd.DataFrame:
    """Two domains and two populations in the made file of the Indices, which is returned."""
    path = made.folder / "deprivation.csv"
    table = pd.read_csv(path)
    for place, score in enumerate(SCORES.values()):
        stem = score.removesuffix(" Score (rate)")
        table[score] = [0.4 - 0.04 * (row + place) for row in range(len(table))]
        table[f"{stem} Rank (where 1 is most deprived)"] = [200 + 3000 * row for row in range(len(table))]
        table[f"{stem} Decile (where 1 is most deprived 10% of LSOAs)"] = [1 + row for row in range(len(table))]
    table["Total population: mid 2022"] = [2 * people for people in RESIDENTS.values()]
    table["Dependent Children aged 0-15: mid 2022"] = list(CHILDREN.values())
    table.to_csv(path, index=False)
    return table.set_index("LSOA code (2021)")


@pytest.fixture
def store(made: Made) -> Store:
    add_domains(made)
    return made.build().store


def test_each_domain_is_weighted_by_whom_it_is_of(made: Made) -> None:
    published = add_domains(made)
    table = made.build().store.read_table("deprivation").set_index(["domain", "layer", "code"])
    for domain, score, people in (
        ("imd", "Index of Multiple Deprivation (IMD) Score", pd.Series(RESIDENTS)),
        ("income", SCORES["Income"], pd.Series(RESIDENTS)),
        ("idaci", SCORES["IDACI"], pd.Series(CHILDREN)),
    ):
        for ward, codes in LSOAS.items():
            expected = np.average(published.loc[list(codes), score], weights=people[list(codes)])
            assert table.at[(domain, "ward", ward), "score"] == pytest.approx(expected)
    methods = table["method"].groupby(["domain", "layer"]).first()
    assert methods["idaci", "ward"] == "mean of LSOAs, weighted by children under 16 as the Indices count them"
    assert methods["income", "area"] == "mean of LSOAs, weighted by residents as the Indices count them"
    assert methods["income", "lsoa21"] == "as published"


def test_shares_by_fifth_are_of_everybody(store: Store) -> None:
    table = store.read_table("deprivation")
    shares = table[["fifth", "fifth_2", "fifth_3", "fifth_4", "fifth_5"]]
    assert shares.sum(axis=1).to_numpy() == pytest.approx(1)
    own = table[table["layer"] == "lsoa21"]
    assert (np.ceil(own["decile"] / 2) == 1 + own[list(shares)].to_numpy().argmax(axis=1)).all()
    assert table.loc[table["layer"] != "lsoa21", ["rank", "decile"]].isna().all().all()


def test_a_query_tells_domains_apart(store: Store) -> None:
    query = Query(store)
    assert query.list_domains(2025) == ["imd", "income", "idaci"]
    assert query.list_domains(2019) == []
    every = [query.read_deprivation("ward", 2025, domain)["score"].tolist() for domain in query.list_domains(2025)]
    assert every[0] == query.read_deprivation("ward", 2025)["score"].tolist()
    assert every[1] != every[2]
    assert query.read_deprivation("ward", 2025, "health").empty


def test_a_domain_is_what_areas_are_ranked_and_classed_by(store: Store) -> None:
    query = Query(store)
    choice = DeprivationChoice(span=Span(Month(2024, 1), Month(2024, 3)), level="ward", edition=2025, domain="idaci")
    picture = make_picture(query, read_ground(query, "ward", 2025, "idaci"), choice)
    held = query.read_deprivation("ward", 2025, "idaci").set_index("code")["score"]
    assert picture.areas.set_index("code")["deprived"].to_dict() == held.to_dict()
    assert picture.kind == "score"
    # A level that redraws another has its figures.
    redrawn = DeprivationChoice(span=choice.span, level="hex", edition=2025)
    areas = make_picture(query, read_ground(query, "hex", 2025), redrawn).areas
    wards = make_picture(query, read_ground(query, "ward", 2025), DeprivationChoice(choice.span, "ward", 2025)).areas
    assert areas.set_index("code")["ratio"].to_dict() == wards.set_index("code")["ratio"].to_dict()


def test_what_areas_are_ranked_by() -> None:
    frame = pd.DataFrame({"score": [np.nan, np.nan], "rank": [5.0, 90.0], "fifth": [1.0, 0.0]})
    assert find_kind(frame) == "rank"
    # The higher the more deprived, whichever it is.
    assert measure_deprivation(frame, "rank").tolist() == [-5, -90]
    assert find_kind(frame.assign(rank=np.nan)) == "fifth"
    assert find_kind(frame.assign(rank=np.nan, fifth=np.nan)) is None
    assert measure_deprivation(frame, None).isna().all()


def test_an_lsoa_that_kept_its_code_has_its_own_place_in_an_edition_of_other_lsoas(store: Store) -> None:
    """An edition without scores, of another layer of LSOAs, gives ties by fifth; its own ranks give places."""
    query = Query(store)
    held = query.read_deprivation("lsoa21", 2025)
    older = DeprivationFile(2019, "lsoa11", Path("none.csv"), "Made")
    kept = held.assign(score=np.nan, rank=held["rank"].to_numpy()[::-1]).iloc[1:]
    carried = held.assign(score=np.nan, rank=np.nan, decile=np.nan, method="mean of others")
    frames = {("lsoa11", 2019): kept, ("lsoa21", 2019): carried, ("lsoa21", 2025): held}
    both = (*query.store.partnership.deprivation, older)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query, "read_deprivation", lambda level, edition, domain: frames[level, edition].copy())
        patch.setattr("cspmap.deprivation_view.list_editions", lambda _: {item.year: item for item in both})
        table = compare_editions(query, "lsoa21").set_index(["edition", "code"])
    first, second = held["code"].iloc[0], held["code"].iloc[1]
    assert set(table.xs(2019)["kind"]) == {"rank"}
    assert sorted(table.xs(2019)["place"].dropna()) == list(range(1, 8))
    # The one that changed has its share, and no place; the last of one edition is the first of the other.
    assert np.isnan(table["place"][2019, first])
    assert table["place"][2019, second] == 7
    assert table["method"][2019, second] == "as published"
    assert table.xs(2025)["place"].tolist() == list(range(1, 9))
