"""`cspmap focus suggest` as a user meets it."""

import csv
import io
import itertools
import json

import pytest
import shapely
from click.testing import CliRunner, Result
from shapely.geometry import shape

from cspmap.cli import main
from cspmap.cli_focus import focus
from cspmap.focus_area import WHOLE, Aim, read_ground
from cspmap.periods import Span
from cspmap.query import Query

from .made import Made

SPAN = ("--from", "2023-01", "--to", "2023-07")


def call(made: Made, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["focus", "suggest", "--store", str(made.root), *arguments])


def find_best(query: Query, size: int, *, weights: tuple[tuple[str, float], ...] = ()) -> float:
    """The most that LSOAs in one piece hold, by trying them all."""
    ground = read_ground(query, "lsoa21")
    aim = Aim(Span.parse("2023-01..2023-07"), ("burglary", "robbery"), weights)
    held = ground.weigh(aim).drop(WHOLE)
    sets = (codes for n in range(1, size + 1) for codes in itertools.combinations(ground.codes, n))
    return max(float(held.loc[list(codes)].sum()) for codes in sets if ground.contiguity.is_connected(codes))


def test_the_area_is_the_best_there_is(full: Made, query: Query) -> None:
    said = call(full, "--level", "lsoa21", "--crime", "burglary", "--crime", "robbery", "--budget", "3", *SPAN)
    assert said.exit_code == 0, said.output
    rows = list(csv.DictReader(io.StringIO(said.stdout)))
    assert {row["area"] for row in rows} == {"1"}
    assert sum(int(row["count"]) for row in rows) == find_best(query, 3)
    assert "weighted" not in rows[0]
    assert rows[0]["period"] == "2023-01..2023-07"
    # August is not loaded: the five months after it that are, and July's number of them.
    assert "In August 2023 to February 2024, which it was not chosen by, it held " in said.stderr
    assert "1 month is missing from August 2023 to February 2024 (August 2023)" in said.stderr
    assert "Proven: no other area that keeps the rules is worth more." in said.stderr


def test_weights_count(full: Made, query: Query) -> None:
    asked = (
        "--level",
        "lsoa21",
        "--crime",
        "burglary",
        "--crime",
        "robbery",
        "--budget",
        "2",
        "--weight",
        "robbery=20",
    )
    said = call(full, *asked, *SPAN)
    rows = list(csv.DictReader(io.StringIO(said.stdout)))
    assert sum(float(row["weighted"]) for row in rows) == find_best(query, 2, weights=(("robbery", 20.0),))
    assert "Weighted: Robbery 20; any other incident counts 1." in said.stderr


def test_areas_as_json_and_as_outlines_are_the_same(full: Made, query: Query) -> None:
    asked = ("--level", "lsoa21", "--budget", "2", "--alternatives", "1", *SPAN)
    plain = json.loads(call(full, *asked, "--format", "json").stdout)
    drawn = json.loads(call(full, *asked, "--format", "geojson").stdout)
    assert [feature["properties"] for feature in drawn["features"]] == plain["areas"]
    assert drawn["caveats"] == plain["caveats"]
    first, second = (set(area["units"]) for area in plain["areas"])
    assert len(first & second) <= 1
    lsoas = query.store.read_layer("lsoa21").to_crs(4326).set_index("code").geometry
    for feature in drawn["features"]:
        joined = shapely.union_all(lsoas.loc[feature["properties"]["units"]].to_numpy())
        assert shape(feature["geometry"]).symmetric_difference(joined).area < 1e-3 * joined.area


def test_rules_are_kept(full: Made, query: Query) -> None:
    codes = read_ground(query, "lsoa21").codes
    said = call(
        full, "--level", "lsoa21", "--budget", "2500", "--by", "residents", "--include", codes[0], "--avoid", codes[1]
    )
    rows = list(csv.DictReader(io.StringIO(said.stdout)))
    held = {row["code"]: int(row["residents"]) for row in rows}
    assert codes[0] in held
    assert codes[1] not in held
    assert sum(held.values()) <= 2500


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--budget", "0"), "The budget cannot be 0; choose more than 0."),
        (("--budget", "2", "--include", "nowhere"), "nowhere is not one of the areas of the layer"),
        (("--budget", "2", "--weight", "robbery"), "'robbery' is not a weight; write it as CRIME=NUMBER"),
        (("--budget", "2", "--weight", "robbery=much"), "The weight of robbery is 'much'; write a number from 0"),
        (("--budget", "2", "--level", "hex"), "Hexagon redraws the areas of another level"),
        (("--budget", "2", "--from", "2023-08", "--to", "2023-08"), "There is nothing to capture"),
        (("--budget", "2", "--out", "nowhere/area.csv"), "nowhere/area.csv cannot be written"),
    ],
)
def test_mistakes_are_told_in_a_sentence(full: Made, asked: tuple[str, ...], told: str) -> None:
    said = call(full, "--level", "lsoa21", *asked)
    assert said.exit_code == 1
    assert said.stderr.startswith(told)
    assert said.stdout == ""


def test_every_option_has_help_that_ends() -> None:
    suggest = focus.commands["suggest"]
    for parameter in suggest.params:
        assert str(getattr(parameter, "help", "")).endswith("."), parameter.name
