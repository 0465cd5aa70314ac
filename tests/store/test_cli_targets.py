"""The targets commands: what they write adds up, loads back, carries its sources, and refuses in a sentence."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cspmap import cli_targets
from cspmap.analysis.apportionment import apportion
from cspmap.analysis.target_methods import METHOD_KEYS
from cspmap.analysis.targets import reconcile, tabulate_faults
from cspmap.board import list_weights, make_board
from cspmap.cli import main
from cspmap.exports.target_tables import tabulate_board
from cspmap.goals import Sharing
from cspmap.periods import Month
from cspmap.query import Query
from cspmap.sources.target_file import read_targets
from cspmap.store import open_store
from cspmap.targets import TargetTable, parse_period

from .made import Made

ROOT = Path(__file__).resolve().parents[2]
LUTON = ROOT / "data" / "targets" / "luton-2005-08.csv"
DIVISION = ROOT / "data" / "targets" / "luton-division-2005-06.csv"
CONTEXT = ROOT / "data" / "targets" / "luton-2005-08-context.csv"
BEDFORDSHIRE = ROOT / "data" / "targets" / "bedfordshire-2007-11.csv"
YEAR = parse_period("2007-08")
COMMANDS = cli_targets.targets.commands


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["targets", *map(str, arguments)])


def read_rows(result: Result) -> list[dict[str, str]]:
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


@pytest.fixture(scope="module")
def query(example_store: Path) -> Query:
    return Query(open_store(example_store))


# ---- help ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_has_help_and_is_documented(name: str) -> None:
    text = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    section = text.split(f"\n### `cspmap targets {name}`\n")[1].split("\n## ")[0].split("\n### ")[0]
    assert (COMMANDS[name].help or "").splitlines()[0].endswith(".")
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option):
            assert (parameter.help or "").endswith("."), parameter.opts
            assert f"`{parameter.opts[0]}`" in section, parameter.opts
    said = call(name, "--help")
    assert said.exit_code == 0
    assert said.output.startswith(f"Usage: main targets {name}")


def test_methods_are_all_that_the_store_has_figures_for() -> None:
    assert set(cli_targets.METHODS) == set(METHOD_KEYS) - {"own-weights"}


# ---- reconcile -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", [LUTON, BEDFORDSHIRE, DIVISION], ids=lambda path: path.stem)
def test_reconcile_lists_every_fault(file: Path) -> None:
    table = read_targets(file)
    faults = reconcile(table)
    first, *lines = call("reconcile", file).output.splitlines()
    told = (
        f"{len(faults)} places where it does not agree with itself" if faults else "every figure agrees with the others"
    )
    assert first == f"{table.title}: {told}."
    assert lines == [fault.sentence for fault in faults]


def test_reconcile_as_a_table_says_where_each_is_printed() -> None:
    rows = read_rows(call("reconcile", LUTON, "--format", "csv"))
    assert len(rows) == 36
    total = next(row for row in rows if row["area"] == "East" and row["kind"] == "indicator-sum")
    assert (total["printed"], total["recomputed"], total["difference"]) == ("2027", "2001", "26")
    assert (total["document"], total["page"]) == ("Community Safety Strategy for Luton 2005 to 2008", "26")
    assert {row["document"] for row in rows} == {total["document"]}
    as_json = json.loads(call("reconcile", LUTON, "--format", "json").output)
    assert as_json["table"] == "Luton targets 2005-08"
    assert [fault["sentence"] for fault in as_json["faults"]] == [row["sentence"] for row in rows]
    assert as_json["faults"][3]["printed"] == 2027
    heading = json.loads(call("reconcile", BEDFORDSHIRE, "--format", "json").output)["faults"][-1]
    assert (heading["printed"], heading["page"]) == (None, 'section "Local Targets"')
    table = read_targets(BEDFORDSHIRE)
    assert tabulate_faults(reconcile(table), table)["kind"].iloc[-1] == heading["kind"] == "heading"


def test_reconcile_of_a_file_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "targets.csv"
    file.write_text("indicator,kind,due,target\nrobbery,reach-number,2007-08,many\n,at-most,2007-08,3\n", "utf-8")
    said = call("reconcile", file)
    assert (said.exit_code, said.stdout) == (1, "")
    assert "targets.csv, line 2: its target is 'many'" in said.stderr
    assert "targets.csv, line 3: its indicator is empty" in said.stderr
    absent = call("reconcile", tmp_path / "none.csv")
    assert absent.exit_code == 1
    assert absent.stderr.count("\n") == 1


# ---- apportion -------------------------------------------------------------------------------------------------------


def share(store: Path, out: Path, *options: str, file: Path = LUTON) -> TargetTable:
    said = call("apportion", file, "--store", store, "--out", out, *options)
    assert said.exit_code == 0, said.output
    assert said.stdout == ""
    return read_targets(out, crimes=open_store(store).partnership.crime_names)


def test_wards_have_their_shares_and_every_area_its_sum(example_store: Path, tmp_path: Path, query: Query) -> None:
    table = share(example_store, tmp_path / "wards.csv", "--level", "ward", "--least", "0")
    printed = read_targets(LUTON)
    counts = query.count_series("ward", {each.key: each.crimes for each in printed.indicators})
    sums = counts.loc["2004-04":"2005-03"].sum().to_dict()
    codes = {name: code for code, name in query.name_areas("ward").items()}
    for indicator in printed.indicators:
        for area in query.store.partnership.areas:
            whole = printed.find(indicator.key, area.name, YEAR)
            wards = sorted(area.members)
            shared = [table.find(indicator.key, ward, YEAR) for ward in wards]
            assert whole is not None
            baselines = [int(sums[indicator.key, codes[ward]]) for ward in wards]
            expected = apportion(int(whole.value or 0), baselines)
            assert [int(target.value or 0) for target in shared if target] == expected.tolist()
            assert [int(target.baseline or 0) for target in shared if target] == baselines
            assert {(target.document, target.page) for target in shared if target} == {(whole.document, "26")}
    town = table.find("robbery", "Luton", YEAR)
    assert town is not None
    assert (town.value, town.percent, town.owner) == (
        Decimal(462), Decimal("15.0"), "Luton Crime and Disorder Reduction Partnership",
    )  # fmt: skip
    assert not [fault for fault in reconcile(table) if fault.kind.endswith("-sum")]


def test_the_board_asks_the_same_of_the_file_as_of_what_it_was_made_from(
    example_store: Path, tmp_path: Path, query: Query
) -> None:
    """Those who carry a target together too."""
    table = share(example_store, tmp_path / "wards.csv", "--level", "ward", "--method", "narrow-gap")
    assert any(" + " in area.name for area in table.areas)
    boards = [
        make_board(
            query,
            one,
            level="ward",
            span=YEAR,
            as_at=Month(2007, 11),
            sharing=Sharing("narrow-gap", list_weights(query, "ward")),
        ).lines
        for one in (read_targets(LUTON), table)
    ]
    asked = boards[0][boards[0]["value"].notna()]
    same = ["value", "baseline", "actual", "rating", "sentence"]
    assert asked[same].astype(str).to_dict("index") == boards[1][same].astype(str).to_dict("index")
    assert set(boards[1]["origin"]) == {"printed"}


def test_areas_that_are_printed_stay_as_printed(example_store: Path, tmp_path: Path) -> None:
    assert set(share(example_store, tmp_path / "areas.csv", "--level", "area").targets) == set(
        read_targets(LUTON).targets
    )


def test_a_year_on_the_way_can_be_asked_for(example_store: Path, tmp_path: Path) -> None:
    table = share(example_store, tmp_path / "areas.csv", "--level", "area", "--period", "2006-07")
    assert table.periods == (parse_period("2006-07"),)
    target = table.find("theft-of-vehicle", "Luton", parse_period("2006-07"))
    assert target is not None
    # 848 in 2004-05 and 708 in 2007-08.
    assert (target.value, target.kind) == (Decimal(755), "reach-number")
    assert target.note == "On the straight line to 708 by 2007-08."
    # Years between are rounded one by one, so nothing is said of sums that may not hold.
    assert not [fault for fault in reconcile(table) if fault.kind.endswith("-sum")]


def test_what_is_shared_out_and_what_stays_outside_are_the_whole(example_store: Path, tmp_path: Path) -> None:
    table = share(example_store, tmp_path / "areas.csv", "--level", "area", file=DIVISION)
    due = parse_period("2005-06")
    values = {target.area.name: int(target.value or 0) for target in table.targets if target.due == due}
    burglary = [target for target in table.select(indicator="domestic-burglary") if target.area.name != "Luton"]
    assert len(burglary) == 5
    # "Below 1,840", and 100 of it for incidents without a location.
    assert sum(int(target.value or 0) for target in burglary) == 1839 - 100
    assert all("less 100 for incidents without a location" in target.note for target in burglary)
    assert table.areas[0].parts == ()
    assert {indicator.key for indicator in table.indicators} == {"domestic-burglary", "vehicle-crime"}
    assert values["Luton"] == 3390
    said = call("apportion", DIVISION, "--store", example_store, "--level", "area")
    assert "Not measured by recorded crime, and so as printed: All crime and Violent crime." in said.stderr.splitlines()


def test_apportion_as_json(example_store: Path) -> None:
    said = call("apportion", LUTON, "--store", example_store, "--level", "ward", "--format", "json")
    found = json.loads(said.stdout)
    rows = read_rows(call("apportion", LUTON, "--store", example_store, "--level", "ward"))
    assert found["table"] == "Luton targets 2005-08"
    assert found["notes"] == [open_store(example_store).partnership.notice]
    assert [str(row["target"]) for row in found["targets"]] == [row["target"] for row in rows]
    assert said.stderr == found["notes"][0] + "\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([LUTON, "--level", "wards"], "There is no level 'wards'; choose one of: hexagon, ward, area.\n"),
        (
            [LUTON, "--level", "ward", "--period", "2009-10"],
            "Luton targets 2005-08 asks nothing of 2009-10; choose one of: 2005-06, 2006-07, 2007-08.\n",
        ),
        (
            [LUTON, "--level", "ward", "--period", "2009-11"],
            "'2009-11' is not a financial year; write such as 2009-10 (a single month is written as "
            "2007-08..2007-08).\n",
        ),
        (
            [BEDFORDSHIRE, "--level", "ward"],
            "Recorded crime of Luton measures none of the targets in Bedfordshire local targets 2007-11; they stand as "
            "printed.\n",
        ),
        (
            [CONTEXT, "--level", "ward"],
            "British Crime Survey comparator crimes, 2007-08: Luton's target cannot be shared out: what it starts from "
            "is not known.\n",
        ),
    ],
)
def test_what_cannot_be_apportioned_is_told_in_a_sentence(
    arguments: list[str | Path], told: str, example_store: Path
) -> None:
    said = call("apportion", *arguments, "--store", example_store)
    assert (said.exit_code, said.stdout, said.stderr) == (1, "", told)


def test_a_method_that_cannot_be_used_is_told_and_the_rest_is_written(example_store: Path, tmp_path: Path) -> None:
    file, out = tmp_path / "targets.csv", tmp_path / "areas.csv"
    file.write_text(
        "indicator,crimes,kind,baseline_period,due,target,document\n"
        "robbery,robbery,reach-number,2006-07,2007-08,400,Plan\n"
        "wounding,wounding,reach-number,2006-07,2007-08,5000,Plan\n",
        "utf-8",
    )
    said = call("apportion", file, "--store", example_store, "--level", "area", "--method", "narrow-gap", "--out", out)
    assert said.exit_code == 0
    (refused,) = [line for line in said.stderr.splitlines() if "cannot be shared out" in line]
    assert refused.startswith(
        "wounding, 2007-08: Luton's target cannot be shared out: The target (5,000) is above what"
    )
    table = read_targets(out)
    assert len(table.select(indicator="robbery")) == 6
    # What is printed for the whole is still there.
    assert [target.area.name for target in table.select(indicator="wounding")] == ["Luton"]


def test_nothing_is_half_written(example_store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    said = call("apportion", LUTON, "--store", example_store, "--level", "ward", "--out", folder / "none" / "x.csv")
    assert said.exit_code == 1
    assert "cannot be written" in said.stderr
    assert list(folder.iterdir()) == []


# ---- progress --------------------------------------------------------------------------------------------------------


def test_progress_is_the_board(example_store: Path, query: Query) -> None:
    said = call("progress", "--store", example_store, "--level", "ward", "--as-at", "2007-11", "--method", "residents")
    rows = read_rows(said)
    board = make_board(
        query,
        query.store.targets[0],
        level="ward",
        span=YEAR,
        as_at=Month(2007, 11),
        sharing=Sharing("residents", list_weights(query, "ward")),
    )
    expected = tabulate_board(board)
    for name in ("area_code", "sentence", "how", "document", "page", "as_at", "rating"):
        assert [row[name] for row in rows] == expected[name].tolist()
    assert [row["target"] for row in rows] == [str(value) for value in expected["target"]]
    assert {row["months_missing"] for row in rows} == {"0"}
    assert {row["months_to_come"] for row in rows} == {"4"}
    caveats = said.stderr.splitlines()
    assert caveats[0] == query.store.partnership.notice
    assert rows[0]["caveats"] == " ".join(caveats)


def test_progress_without_options_takes_the_first_table_its_areas_and_its_last_year(example_store: Path) -> None:
    rows = read_rows(call("progress", "--store", example_store))
    assert {(row["table"], row["period"], row["as_at"]) for row in rows} == {
        ("Luton targets 2005-08", "2007-04..2008-03", "2008-03")
    }
    assert {row["area"] for row in rows} == {"Luton", "South", "East", "North", "Central", "West"}
    assert len(rows) == 66


def test_progress_names_missing_months(awkward_store: Path) -> None:
    said = call("progress", "--store", awkward_store, "--period", "2005-06", "--format", "json")
    found = json.loads(said.stdout)
    assert any("No month of the year to March 2006 is loaded" in told for told in found["caveats"])
    assert {row["months_missing"] for row in found["rows"]} == {12}
    assert {row["rating"] for row in found["rows"]} == {"?"}
    assert {row["last_year"] for row in found["rows"]} == {None}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--as-at", "November"], "'November' is not a month; write it as YYYY-MM, such as 2024-04.\n"),
        (["--period", "soon"], "'soon' is not a period; write a financial year (2007-08)"),
        (["--level", "wards"], "There is no level 'wards'; choose one of: hexagon, ward, area.\n"),
        (["--table", "Mine"], "The store holds no table of targets 'Mine'; choose one of: Luton targets 2005-08; "),
        (
            ["--table", "bedfordshire LOCAL targets 2007-11"],
            "Recorded crime of Luton measures none of the targets in Bedfordshire local targets 2007-11; they stand as "
            "printed.\n",
        ),
    ],
)
def test_what_progress_cannot_show_is_told_in_a_sentence(arguments: list[str], told: str, example_store: Path) -> None:
    said = call("progress", "--store", example_store, *arguments)
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr.startswith(told)
    assert said.stderr.count("\n") == 1


def test_a_store_without_targets_says_so(full: Made) -> None:
    said = call("progress", "--store", full.root)
    assert said.exit_code == 1
    assert said.stderr == ("The store holds no targets; name a file of them in the partnership file and build again.\n")
