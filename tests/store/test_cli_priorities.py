"""The commands about indicators and priorities: what they write, and what they refuse in a sentence."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cspmap.analysis.priorities import CRITERIA
from cspmap.cli import main
from cspmap.operations import Operations, find_url
from cspmap.operations.decisions import CategoryDecision
from cspmap.periods import Span

ROOT = Path(__file__).resolve().parents[2]
INDICATORS = ROOT / "data" / "indicators"
YEAR = Span.parse("2007-04..2008-03")


@pytest.fixture(autouse=True)
def own_operations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CSPMAP_OPERATIONS", f"sqlite:///{tmp_path / 'operations.db'}")


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def rank(store: Path, *arguments: str) -> list[dict[str, str]]:
    done = call("priorities", "--store", store, "--format", "csv", *arguments)
    assert done.exit_code == 0, done.output
    return list(csv.DictReader(io.StringIO(done.stdout)))


@pytest.mark.parametrize("path", sorted(INDICATORS.glob("*.csv")), ids=lambda path: path.stem)
def test_the_bundled_indicators_have_no_problems(path: Path) -> None:
    done = call("indicators", "check", path)
    assert done.exit_code == 0
    assert "No problems found." in done.stdout


def test_every_problem_of_a_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "survey.csv"
    file.write_text("indicator,period,value,survey\nfear,2008,145,S\nfear,2009,often,S\n", "utf-8")
    done = call("indicators", "check", file)
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        "survey.csv, line 2: its value is 145; write a percentage from 0 to 100.",
        "survey.csv, line 3: its value is 'often'; write a number, such as 45 for 45 per cent, or leave it empty where "
        "there is none.",
    ]
    assert call("indicators", "check", tmp_path / "none.csv").exit_code == 1


def test_ranks_and_explains(example_store: Path) -> None:
    done = call("priorities", "--store", example_store)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("Theft from Vehicle. Ranked 1 of 10: 2,517 incidents; ")
    assert "none are assumed" in done.stderr


def test_weights_categories_and_year(example_store: Path) -> None:
    zero = [word for name in CRITERIA if name != "volume" for word in ("--weight", f"{name.replace('_', '-')}=0")]
    rows = rank(example_store, *zero, "--year-to", "2007-03")
    counts = [int(row["count"]) for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert {row["year"] for row in rows} == {"2006-04..2007-03"}
    assert {row["weight_known"] for row in rows} == {"1.0"}
    assert [row["category"] for row in rank(example_store, "--crime", "violence")] == ["violence"]


def test_the_groups_decision_stands_beside(example_store: Path) -> None:
    decisions = Operations.open(find_url(example_store)).decisions
    decision = CategoryDecision("robbery", YEAR, "include", "=1+1", public_concern="yes")
    before = {row["category"]: float(row["score"]) for row in rank(example_store)}
    decisions.save_decision(decision, who="Ann")
    rows = {row["category"]: row for row in rank(example_store)}
    assert rows["robbery"]["choice"] == "include"
    assert rows["robbery"]["reason"] == "'=1+1"
    assert rows["robbery"]["set_by"] == "Ann"
    assert float(rows["robbery"]["score"]) > before["robbery"]
    text = call("priorities", "--store", example_store).stdout
    assert " Include: =1+1\n" in text


def test_json_has_the_caveats_once(example_store: Path) -> None:
    done = call("priorities", "--store", example_store, "--format", "json")
    found = json.loads(done.stdout)
    assert len(found["rows"]) == 10
    assert found["rows"][0]["harm"] is None
    assert any("simulated incidents" in sentence for sentence in found["caveats"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--weight", "fame=2"], "There is no column 'fame' to weigh; choose one of: volume, peers, "),
        (["--weight", "volume=much"], "The weight of volume is 'much'; write a number, such as volume=2."),
        (["--weight", "volume=-1"], "The weight of volume is -1; give a number from 0 to 10."),
        (["--crime", "arson"], "There is no crime type or group 'arson'; choose some of: "),
        (["--year-to", "2010-03"], "No month of the year to March 2010 is loaded, only April 2003 to March 2008"),
        (["--year-to", "soon"], "'soon' is not a month"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(options: list[str], said: str, example_store: Path) -> None:
    done = call("priorities", "--store", example_store, *options)
    assert done.exit_code == 1
    assert said in done.stderr
