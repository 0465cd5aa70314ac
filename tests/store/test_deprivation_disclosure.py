"""Deprivation under the disclosure rule: nothing that is shown, drawn or written gives a withheld count back."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from cspmap.deprivation_view import DeprivationChoice, DeprivationPicture, make_picture, read_ground
from cspmap.exports.deprivation_files import tabulate_fifths, tabulate_picture
from cspmap.exports.deprivation_places import let_out_areas, let_out_places
from cspmap.exports.published import publish
from cspmap.partnership import Disclosure
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.sources.deprivation import OVERALL
from cspmap.store import Store, open_store
from cspmap.views.deprivation_charts import draw_curve, draw_fifths, draw_scatter, name_points, shape_funnel
from cspmap.views.deprivation_map import shade_picture
from cspmap.views.deprivation_words import describe_fifths, describe_standing, list_deprivation_caveats
from cspmap.views.palettes import bivariate_palette

from .made import Made, make_incidents
from .test_deprivation_domains import add_domains

SPANS = ("2023-10..2023-12", "2023-01..2023-12", "2024-03..2024-04")
CRIMES = ((), ("burglary",), ("acquisitive",), ("robbery", "drugs"))
LEVELS = ("lsoa21", "ward", "hex", "area")
T = 9
WORKED_OUT = ["count", "rate", "expected", "ratio", "lower_998", "lower_95", "upper_95", "upper_998"]


def keep(query: Query, **values: Any) -> Query:
    """The same store under a disclosure rule."""
    store = query.store
    return Query(Store(store.root, store.version, replace(store.partnership, disclosure=Disclosure(**values))))


@pytest.fixture(scope="module")
def hiding(query: Query) -> Query:
    return keep(query, rule="suppress", threshold=T)


@pytest.fixture(scope="module")
def rounding(query: Query) -> Query:
    return keep(query, rule="round", base=5)


def draw(
    query: Query, level: str, crimes: tuple[str, ...] = (), span: str = SPANS[0], domain: str = OVERALL
) -> DeprivationPicture:
    choice = DeprivationChoice(span=Span.parse(span), level=level, edition=2025, crimes=crimes, domain=domain)
    return make_picture(query, read_ground(query, level, 2025, domain), choice)


def find_reach(row: int, counts: pd.Series, hidden: pd.Series, sums: list[pd.Series]) -> float:
    """How far apart the least and the greatest value of a withheld count may be, by the counts and sums shown."""
    least = 0 if (counts[hidden] == 0).any() else 1
    bounds = [(least, None) if gone else (value, value) for value, gone in zip(counts, hidden, strict=True)]
    cost = np.zeros(len(counts))
    cost[row] = 1
    rows, told = [each.to_numpy(dtype=float) for each in sums], [float(counts[each].sum()) for each in sums]
    ends: list[Any] = [linprog(sign * cost, A_eq=rows, b_eq=told, bounds=bounds) for sign in (1, -1)]
    return float("inf") if ends[1].status == 3 else float(-ends[1].fun - ends[0].fun)


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("crimes", CRIMES)
def test_sums_of_fifths_give_no_place_back(query: Query, hiding: Query, crimes: tuple[str, ...], span: str) -> None:
    true, picture = draw(query, "lsoa21", crimes, span), draw(hiding, "lsoa21", crimes, span)
    counts, hidden = true.areas["count"], picture.areas["withheld"]
    assert hidden[counts.between(1, T - 1)].all()
    fifth = np.ceil(picture.areas["decile"] / 2)
    shown = picture.fifths.index[~picture.fifths["withheld"]]
    assert picture.fifths.loc[shown, "count"].tolist() == true.fifths.loc[shown, "count"].tolist()
    assert picture.fifths.loc[picture.fifths["withheld"], ["count", "rate", "low", "high", "usual"]].isna().all().all()
    sums = [fifth == number for number in shown]
    if not picture.withheld:
        sums.append(pd.Series(True, index=counts.index))
    for row in np.flatnonzero(hidden & (counts > 0)):
        assert find_reach(int(row), counts, hidden, sums) > 0.5
    assert not true.fifths["count"].where(true.fifths.index.isin(shown)).between(1, T - 1).any()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("crimes", CRIMES)
def test_nothing_is_told_of_a_withheld_area(query: Query, hiding: Query, level: str, crimes: tuple[str, ...]) -> None:
    true, picture = draw(query, level, crimes), draw(hiding, level, crimes)
    hidden = picture.areas["withheld"]
    # The same areas as on every other page.
    found = publish(hiding).count_areas(picture.choice.selection).set_index("code")["withheld"]
    assert picture.areas.set_index("code")["withheld"].to_dict() == found.to_dict()
    assert picture.areas.loc[hidden, WORKED_OUT].isna().all().all()
    assert set(picture.areas.loc[hidden, "standing"]) <= {"not known"}
    assert picture.areas.loc[~hidden, "count"].tolist() == true.areas.loc[~hidden, "count"].tolist()
    names = set(picture.areas.loc[hidden, "name"])
    points = name_points(picture, colours=bivariate_palette())
    assert not names & set(points["name"])
    assert not names & set(draw_scatter(points, picture).frame["name"])
    assert not names & set(shape_funnel(picture).areas["name"])
    areas, legend = shade_picture(picture, hiding.store.partnership, faded=False)
    looks = {area.code: area for area in areas}
    for code in picture.areas.loc[hidden, "code"]:
        assert looks[code].fill == "suppressed"
        assert looks[code].tooltip[0] == "count withheld"
        assert not any("usual" in line for line in looks[code].tooltip)
    assert f"Counts from 1 to {T - 1} are withheld" in legend.rule
    for _, row in picture.areas[hidden].iterrows():
        assert describe_standing(row).endswith("its count is withheld by the partnership's rule on small counts.")
    drawn = draw_fifths(picture).frame.dropna(subset="rate")
    assert len(drawn) == picture.fifths["rate"].notna().sum()
    rule = hiding.store.partnership.disclosure
    table = tabulate_picture(picture, "Exampleton", "crimes", rule=rule).set_index("code")
    told = ["count", "rate", "third_rate", "expected", "ratio", "lower_95", "upper_95", "standing"]
    gone = table["withheld"]
    assert set(gone.index[gone]) == set(picture.areas.loc[hidden, "code"])
    assert table.loc[gone, told].isna().all().all()
    fifths = tabulate_fifths(picture, "Exampleton", "crimes", rule=rule)
    assert fifths.loc[fifths["withheld"], ["count", "rate", "low", "high", "usual"]].isna().all().all()


def test_places_that_are_withheld_are_taken_as_alike(query: Query, hiding: Query) -> None:
    """What is worked out from all places rests on published sums alone."""
    for crimes in CRIMES:
        for span in SPANS:
            true, picture = draw(query, "lsoa21", crimes, span), draw(hiding, "lsoa21", crimes, span)
            home, hidden = picture.areas, picture.areas["withheld"]
            counts, gone = let_out_places(hiding, picture.choice.selection, home, true.areas["count"])
            if picture.withheld or not hidden.any():
                continue
            assert counts[~hidden].tolist() == true.areas.loc[~hidden, "count"].tolist()
            assert counts.sum() == pytest.approx(true.areas["count"].sum())
            fifth = np.ceil(home["decile"] / 2)
            block = fifth.where(~fifth.isin(gone.index[gone]), 0)
            rates = (counts / home["people"])[hidden].groupby(block[hidden])
            assert rates.max().to_numpy() == pytest.approx(rates.min().to_numpy())
            assert picture.curve.incidents == pytest.approx(true.curve.incidents)


@pytest.mark.parametrize("level", LEVELS)
def test_how_much_areas_differ_rests_on_what_is_published(query: Query, hiding: Query, level: str) -> None:
    for crimes in CRIMES:
        true, picture = draw(query, level, crimes), draw(hiding, level, crimes)
        hidden = picture.areas["withheld"]
        funnel = shape_funnel(picture)
        assert len(funnel.areas) == picture.areas["ratio"].notna().sum()
        if picture.withheld or not hidden.any():
            continue
        taken = let_out_areas(hiding, picture.choice.selection, picture.areas, true.areas["count"])
        assert taken[~hidden].tolist() == true.areas.loc[~hidden, "count"].tolist()
        assert taken.sum() == pytest.approx(true.areas["count"].sum())
        assert (taken / picture.areas["people"])[hidden].std(ddof=0) == pytest.approx(0, abs=1e-12)


def test_another_domain_shows_no_sum_over_a_withheld_place(made: Made) -> None:
    """Two domains divide the same places in two ways; the difference of two sums would be a place's count."""
    add_domains(made)
    made.months["police.zip"] = {f"2024-0{month}": make_incidents(month, 150) for month in (1, 2, 3)}
    made.build()
    hiding = keep(Query(open_store(made.root)), rule="suppress", threshold=8)
    for crimes in CRIMES:
        picture = draw(hiding, "lsoa21", crimes, "2024-01..2024-03", "idaci")
        fifth = np.ceil(picture.areas["decile"] / 2)
        for number in picture.fifths.index[~picture.fifths["withheld"]]:
            assert not picture.areas.loc[fifth == number, "withheld"].any()


def test_a_total_that_is_small_itself_leaves_nothing(query: Query) -> None:
    strict = keep(query, rule="suppress", threshold=100)
    picture = draw(strict, "ward", ("robbery",))
    assert picture.withheld
    assert picture.areas["count"].fillna(0).eq(0).all()
    assert picture.fifths["count"].fillna(0).eq(0).all()
    assert picture.areas["expected"].fillna(0).eq(0).all()
    caveats = list_deprivation_caveats(picture, strict.store.partnership)
    assert not [line for line in caveats if "no location" in line]
    assert tabulate_picture(picture, "", "", rule=strict.store.partnership.disclosure)[
        "share_without_location"
    ].isna().all()  # fmt: skip
    assert describe_fifths(picture).startswith("Withheld")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("crimes", CRIMES)
def test_rounded_counts_are_multiples_and_a_rounding_makes_nobody_stand_out(
    query: Query, rounding: Query, level: str, crimes: tuple[str, ...]
) -> None:
    true, picture = draw(query, level, crimes), draw(rounding, level, crimes)
    assert (picture.areas["count"].dropna() % 5 == 0).all()
    assert ((picture.areas["count"] - true.areas["count"]).abs() <= 2).all()
    assert (picture.fifths["count"] % 5 == 0).all()
    assert ((picture.fifths["count"] - true.fifths["count"]).abs() <= 2).all()
    assert picture.curve.incidents == pytest.approx(picture.fifths["count"].sum())
    assert picture.areas["standing"].tolist() == true.areas["standing"].tolist()
    rule = rounding.store.partnership.disclosure
    table = tabulate_picture(picture, "", "", rule=rule)
    assert set(table["rounded_to"]) == {5}
    assert "withheld" not in table
    assert picture.coverage.total % 5 == 0
    assert any(
        "rounded to the nearest 5" in line for line in list_deprivation_caveats(picture, rounding.store.partnership)
    )
    assert len(draw_curve(picture.curve, per="residents").frame)


@pytest.mark.parametrize("level", LEVELS)
def test_without_a_rule_everything_is_as_counted(query: Query, level: str) -> None:
    picture = draw(query, level)
    counted = query.count_areas(picture.choice.selection).set_index("code")["count"]
    assert picture.areas.set_index("code")["count"].to_dict() == counted.astype(float).to_dict()
    assert not picture.areas["withheld"].any()
    assert not picture.fifths["withheld"].any()
    assert not {"withheld", "rounded_to"} & {*tabulate_picture(picture, "", ""), *tabulate_fifths(picture, "", "")}
    assert not any("rule" in line for line in list_deprivation_caveats(picture, query.store.partnership))
