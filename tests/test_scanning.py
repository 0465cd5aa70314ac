"""The live scanning chart on the bundled example and on made-up partnerships, and what it says of itself."""

import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from cspmap.analysis.priorities import CRITERIA, WEIGHTS, Criterion
from cspmap.cli import main
from cspmap.errors import PartnershipError, SelectionError
from cspmap.exports.priority_table import tabulate_chart
from cspmap.operations.decisions import CategoryDecision
from cspmap.partnership import load_partnership
from cspmap.peers import compare_group, find_offence, take_members
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.scanning import (
    RECORDED_AS,
    Published,
    Scan,
    find_year,
    list_categories,
    match_offences,
    rank_categories,
    scan_categories,
)
from cspmap.selection import Selection
from cspmap.store import open_store
from cspmap.views.priority_table import lay_out_chart, lay_out_points
from cspmap.views.priority_words import (
    describe_category,
    describe_published,
    describe_trend,
    list_scan_caveats,
    list_sentences,
)

ROOT = Path(__file__).resolve().parent.parent
YEAR = Span.parse("2007-04..2008-03")
ROW = {
    "rank": 1, "count": 3412.0, "months_missing": 0, "evidence": "real rise", "last_year": 3046.0,
    "now_compared": 3412.0, "projected": 3500.0, "low": 3100.0, "high": 3900.0, "peers": float("nan"),
    "peers_rank": float("nan"), "peers_number": float("nan"), "harm": float("nan"), "national_target": False,
    "local_agreement": True, "national_indicator": False, "public_concern": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def query(example_store: Path) -> Query:
    return Query(open_store(example_store))


@pytest.fixture(scope="module")
def scan(query: Query) -> Scan:
    return scan_categories(query, list_categories(query), YEAR)


@pytest.fixture(scope="module")
def change_example(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The partnership file of the bundled example, in a folder of its own, with some of it replaced."""

    def change(*pairs: tuple[str, str]) -> Path:
        folder = tmp_path_factory.mktemp("changed")
        for name in ("data", "geo"):
            shutil.copytree(ROOT / name, folder / name)
        file = folder / "data" / "partnership.toml"
        text = file.read_text("utf-8")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        file.write_text(text, "utf-8")
        return file

    return change


def find(frame: pd.DataFrame, column: str, key: str) -> float:
    return float(frame[column].loc[key])


# Figures


def test_counts_shares_and_rates_are_those_of_the_partnership(query: Query, scan: Scan) -> None:
    whole = Selection.default(query.store)
    for key in scan.rows.index:
        selection = whole.change(crimes=(str(key),))
        total = query.count_coverage(selection, span=YEAR).total
        assert find(scan.rows, "count", key) == total
        assert find(scan.rows, "share", key) == pytest.approx(total / scan.coverage.total)
        assert find(scan.rows, "last_year", key) == query.count_coverage(selection, span=YEAR.shift(-12)).total
    assert scan.rows["share"].sum() == pytest.approx(1)
    assert find(scan.rows, "rate", "robbery") == pytest.approx(1000 * find(scan.rows, "count", "robbery") / 184371)
    assert scan.rows["per"].loc["domestic-burglary"] == "households"


def test_rates_against_similar_are_those_of_the_comparison(query: Query, scan: Scan) -> None:
    peers = compare_group(query, find_offence(query, "Robbery"))
    assert find(scan.rows, "peers", "robbery") == pytest.approx(peers.line["rate"] / peers.bounds.mean)
    assert find(scan.rows, "peers_rank", "robbery") == peers.line["rank"]
    assert scan.peers_year == peers.year


def test_a_group_is_the_sum_of_its_types(query: Query, scan: Scan) -> None:
    grouped = scan_categories(query, ("violence",), YEAR)
    assert find(grouped.rows, "count", "violence") == sum(
        find(scan.rows, "count", key) for key in ("common-assault", "wounding")
    )
    caveats = list_scan_caveats(query, grouped, WEIGHTS)
    assert any("Groups of crime types overlap" in sentence for sentence in caveats)
    # Published by its types alone, whose counts are added up for every partnership of the group.
    assert "Violence as Common Assault + Wounding." in describe_published(grouped)
    own, members = take_members(query, "group")
    rows = members[members["offence"].isin(["Common Assault", "Wounding"])].groupby("code")
    rates = rows["count"].sum() / rows["people"].first()
    assert find(grouped.rows, "peers", "violence") == pytest.approx(rates[own] / rates.mean())
    assert find(grouped.rows, "peers_rank", "violence") == (rates >= rates[own]).sum()


def test_published_offences_are_matched_by_what_data_police_uk_calls_them(query: Query) -> None:
    members = pd.DataFrame(
        [
            (code, offence, "residents", count, 1000, float(count))
            for code, scale in (("E1", 1), ("E2", 3))
            for offence, count in (("violence against the person", 20 * scale), ("sexual offences", 4 * scale))
        ],
        columns=["code", "offence", "per", "count", "people", "rate"],
    )
    published = Published(YEAR, members, "E1")
    assert published.find(RECORDED_AS["violent-crime"], "residents") == pytest.approx((0.5, 2, 2))
    assert math.isnan(published.find(RECORDED_AS["drugs"], "residents")[0])
    assert match_offences(query, "violence", published) == ()
    # One of two that is not given gives no sum.
    gap = members.assign(rate=members["rate"].where(members.index > 0))
    assert math.isnan(Published(YEAR, gap, "E1").find(RECORDED_AS["violent-crime"], "residents")[0])


def test_years_and_categories_that_are_not_there(query: Query) -> None:
    assert find_year(query) == YEAR
    with pytest.raises(SelectionError, match="No month of the year to March 2010 is loaded"):
        find_year(query, Month(2010, 3))
    with pytest.raises(SelectionError, match="no crime type or group 'arson'"):
        scan_categories(query, ("arson",), YEAR)


def test_missing_months_are_told_and_not_zero(awkward_store: Path) -> None:
    query = Query(open_store(awkward_store))
    year = Span.parse("2006-01..2006-12")
    scan = scan_categories(query, ("robbery",), year)
    assert scan.rows["months_missing"].loc["robbery"] == 3
    chart = rank_categories(query, scan, {}, WEIGHTS)
    ((_, _, sentence),) = list_sentences(chart)
    assert "(3 months missing)" in sentence
    assert pd.isna(chart["rise"].loc["robbery"])
    assert any(
        "3 months are missing from the year to December 2006" in each
        for each in list_scan_caveats(query, scan, WEIGHTS)
    )


# Marks and ranks


def test_marks_are_the_files_until_the_group_sets_them(query: Query, scan: Scan) -> None:
    by_file = rank_categories(query, scan, {}, WEIGHTS)
    assert by_file["national_target"].all()
    assert by_file["local_agreement"].sum() == 4
    # Nobody has set it: that is not known, and not a no.
    assert by_file["public_concern"].isna().all()
    assert not by_file["part_public_concern"].notna().any()
    decided = {
        "wounding": CategoryDecision(
            "wounding", YEAR, "include", "Harm", "no", "yes", who="Ann", saved_at="2026-11-21"
        ),
    }
    by_group = rank_categories(query, scan, decided, WEIGHTS)
    assert not by_group["national_target"].loc["wounding"]
    assert by_group["local_agreement"].loc["wounding"]
    assert [by_group[name].loc["wounding"] for name in ("choice", "reason", "who")] == ["include", "Harm", "Ann"]
    assert (by_group.drop("wounding")["choice"] == "").all()


def test_weights_decide_the_order(query: Query, scan: Scan) -> None:
    only: dict[Criterion, float] = {**dict.fromkeys(CRITERIA, 0.0), "volume": 1.0}
    chart = rank_categories(query, scan, {}, only)
    assert chart["count"].is_monotonic_decreasing
    assert chart.index[0] == "criminal-damage"
    assert find(chart, "score", "criminal-damage") == 100


def test_harm_is_the_partnerships_own_and_never_assumed(
    scan: Scan, query: Query, change_example: Callable[..., Path]
) -> None:
    assert scan.rows["harm"].isna().all()
    assert "Harm: the partnership has set no weights, and none are assumed." in list_scan_caveats(query, scan, WEIGHTS)
    file = change_example(
        ("[priorities]\n", '[priorities]\nharm_source = "Our own, 2024"\n'),
        ('crime = "robbery"\n', 'crime = "robbery"\nharm = 12.5\n'),
    )
    set_by = load_partnership(file).priorities
    assert (set_by.find("robbery").harm, set_by.find("wounding").harm) == (12.5, None)
    with pytest.raises(PartnershipError, match="there are weights of harm and no harm_source"):
        load_partnership(change_example(('crime = "robbery"\n', 'crime = "robbery"\nharm = 12.5\n')))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('crime = "robbery"', 'crime = "arson"', "'arson' is not a crime type or group"),
        ('crime = "robbery"', 'crime = "wounding"', "the crime 'wounding' is listed 2 times"),
        ('"national_target", "local_agreement"', '"psa", "local_agreement"', "marks lists 'psa'; name some of"),
        ("marks_source = ", "marks_sauce = ", "there is no key 'marks_sauce' here; did you mean marks_source?"),
        ('"priorities/central-bedfordshire-2009.csv"', '"priorities/none.csv"', "priorities/none.csv is not in"),
        ('"indicators/luton-2020-24.csv"', '"indicators/none.csv"', "indicators/none.csv is not in"),
    ],
)
def test_mistakes_in_the_partnership_file(old: str, new: str, said: str, change_example: Callable[..., Path]) -> None:
    with pytest.raises(PartnershipError) as caught:
        load_partnership(change_example((old, new)))
    assert said in str(caught.value)


def test_a_build_refuses_a_file_that_cannot_be_read_and_check_tells_it(
    change_example: Callable[..., Path], tmp_path: Path
) -> None:
    file = change_example()
    (file.parent / "indicators" / "luton-2020-24.csv").write_text("indicator,period,value\nx,2008,often\n", "utf-8")
    for arguments in (["build", str(file), "--store", str(tmp_path / "store")], ["check", str(file)]):
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 1
        assert "luton-2020-24.csv, line 2: its value is 'often'" in done.stderr
    assert not (tmp_path / "store").exists()


# Words


def test_a_sentence_a_category() -> None:
    assert describe_category(ROW, of=10, place=1, joint=False) == (
        "Ranked 1 of 10: 3,412 incidents, the most; up 12 % on last year (3,046 to 3,412), more than chance; heading "
        "for 3,500 in the next year (3,100 to 3,900); set as part of the local agreement."
    )
    beside = {**ROW, "peers": 1.2, "peers_rank": 2.0, "peers_number": 15.0, "harm": 7.0}
    told = describe_category(beside, of=10, place=4, joint=True)
    assert told.startswith("Joint rank 1 of 10: 3,412 incidents; its rate 20 % above the mean of similar partnerships")
    assert "(rank 2 of 15)" in told
    assert "harm weighs 7 an incident" in told
    assert describe_category({**ROW, "rank": pd.NA}, of=10, place=0, joint=False).startswith("Not ranked")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"evidence": "normal variation", "now_compared": 3046.0}, "level with last year (3,046)"),
        ({"evidence": "no incidents", "last_year": 0.0, "now_compared": 0.0}, "none in either year"),
        ({"last_year": 0.0, "now_compared": 9.0}, "none last year and 9 now, more than chance"),
        ({"evidence": "not known"}, "change on last year not known"),
        (
            {"evidence": "possible fall", "now_compared": 2900.0},
            "down 4.8 % on last year (3,046 to 2,900), which may be",
        ),
    ],
)
def test_trends_in_words(change: dict[str, object], said: str) -> None:
    assert describe_trend({**ROW, **change}).startswith(said)


def test_nothing_says_what_caused_anything(query: Query, scan: Scan) -> None:
    chart = rank_categories(query, scan, {}, WEIGHTS)
    for _, _, sentence in list_sentences(chart):
        assert "caused" not in sentence
        assert re.fullmatch(r"(Ranked|Joint rank) \d+ of 10: .*\.", sentence)
    assert list(lay_out_chart(chart)["Decision"]) == ["Not decided"] * 10


def test_the_file_has_every_part_of_a_score(query: Query, scan: Scan) -> None:
    chart = rank_categories(query, scan, {}, WEIGHTS)
    file = tabulate_chart(chart, YEAR, WEIGHTS)
    points = file[[f"points_{name}" for name in CRITERIA]]
    assert (file["score"] - points.sum(axis=1)).abs().max() < 0.2
    assert (file["weight_trend"] == 1).all()
    shown = lay_out_points(chart)
    assert shown["Score"].to_numpy() == pytest.approx(shown.drop(columns=["Category", "Score"]).sum(axis=1).to_numpy())
    assert "High public concern" not in shown
    parts = file[[f"part_{name}" for name in CRITERIA]]
    assert (file["score"] - 100 * parts.mean(axis=1)).abs().max() < 0.2
    assert file["part_harm"].isna().all()
    assert set(file["year"]) == {"2007-04..2008-03"}
    assert file["weight_known"].round(3).unique().tolist() == [round(7 / 9, 3)]
