"""`cspmap deprivation`: the page's tables as files, and what is refused in a sentence."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cspmap.cli import main

from .made import Made


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in ("deprivation", *arguments)])


def read(store: Path, *arguments: str) -> list[dict[str, str]]:
    done = call("--store", store, *arguments)
    assert done.exit_code == 0, done.output
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_each_table_of_the_page_is_written(full: Made) -> None:
    areas = read(full.root, "--level", "ward", "--crime", "burglary", "--from", "2023-01", "--to", "2023-12")
    assert {row["code"] for row in areas} == {"w1", "w2", "w3", "w4"}
    assert {(row["period"], row["crimes"], row["months_missing"]) for row in areas} == {
        ("2023-01..2023-12", "Burglary", "1")
    }
    assert all("Editions differ in boundaries and method" in row["caveats"] for row in areas)
    fifths = read(full.root, "--table", "fifths", "--crime", "burglary", "--from", "2023-01", "--to", "2023-12")
    assert sum(int(row["count"]) for row in fifths) == sum(int(row["count"]) for row in areas)
    editions = read(full.root, "--table", "editions", "--level", "lsoa21")
    assert [row["place"] for row in editions] == [str(number) for number in range(1, 9)]


def test_json_has_the_caveats_once(full: Made, tmp_path: Path) -> None:
    out = tmp_path / "areas.json"
    done = call("--store", full.root, "--level", "ward", "--format", "json", "--out", out)
    assert done.exit_code == 0
    found = json.loads(out.read_text("utf-8"))
    assert len(found["rows"]) == 4
    assert found["caveats"] == done.stderr.splitlines()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--level", "borough"], "The level asked for is 'borough'"),
        (["--edition", "2019"], "The edition of the Indices of Deprivation asked for is '2019'"),
        (["--domain", "wealth"], "The Indices of 2025 have no domain 'wealth' here; choose one of: imd."),
        (["--crime", "arson"], "The crime type asked for is 'arson'"),
        (["--from", "2020-01", "--to", "2020-02"], "No month of January 2020 to February 2020 is loaded"),
        (["--from", "2024"], "'2024' is not a month"),
    ],
)
def test_what_is_not_held_is_told(full: Made, arguments: list[str], said: str) -> None:
    done = call("--store", full.root, *arguments)
    assert done.exit_code == 1
    assert said in done.stderr
