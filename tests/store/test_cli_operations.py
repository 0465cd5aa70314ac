"""`cspmap operations` as a user meets it."""

import csv
import io
import json
import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from shapely.geometry import shape

from cspmap.cli import main
from cspmap.cli_operations import operations
from cspmap.operations import (
    OPERATIONS_VARIABLE,
    Action,
    CrimeGoal,
    MeetingEntry,
    Operation,
    Operations,
    SurveyGoal,
    Units,
    find_url,
    name_subject,
    read_geojson,
)
from cspmap.query import Query

from .made import Made

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "command-line.md"

ASH = Operation(
    "Ash",
    aim="=1+1",
    lead="Sgt Ames",
    status="running",
    area=Units("ward", ("w1",)),
    start=date(2024, 1, 1),
    buffer_metres=400.0,
    goals=(CrimeGoal(("acquisitive",), -10.0), SurveyGoal("Trust", "at least", 60.0)),
    actions=(Action("Light it"), Action("Done", status="done")),
)


@pytest.fixture
def kept(full: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operations:
    """A database of one operation."""
    monkeypatch.setenv(OPERATIONS_VARIABLE, f"sqlite:///{tmp_path / 'operations.db'}")
    found = Operations.open(find_url(full.root))
    found.save_operation(ASH, who="Sgt Ames")
    return found


def call(made: Made, command: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["operations", command, "--store", str(made.root), *arguments])


def test_list_tells_what_is_kept(full: Made, kept: Operations) -> None:
    said = call(full, "list")
    assert said.exit_code == 0, said.output
    (row,) = csv.DictReader(io.StringIO(said.stdout))
    assert (row["name"], row["area"], row["start"], row["end"]) == ("Ash", "Ward: Ash", "2024-01-01", "")
    assert (row["crime_goals"], row["survey_goals"]) == ("Acquisitive crime: down by 10 %", "Trust: at least 60 %")
    assert (row["open_actions"], row["version"]) == ("1", "1")
    # No cell is taken for a formula by a spreadsheet.
    assert row["aim"] == "'=1+1"
    (plain,) = json.loads(call(full, "list", "--format", "json").stdout)["operations"]
    assert (plain["id"], plain["aim"]) == (ASH.id, "=1+1")


def test_export_is_read_back_exactly_and_drawn(full: Made, kept: Operations, query: Query, tmp_path: Path) -> None:
    out = tmp_path / "out.geojson"
    said = call(full, "export", "--out", str(out))
    assert said.exit_code == 0, said.output
    assert read_geojson(out.read_text("utf-8")) == kept.list_operations()
    (feature,) = json.loads(out.read_text("utf-8"))["features"]
    ward = query.store.read_layer("ward").to_crs(4326).set_index("code").geometry["w1"]
    assert shape(feature["geometry"]).symmetric_difference(ward).area < 1e-3 * ward.area


def test_import_brings_all_or_none(
    full: Made, kept: Operations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "one.geojson"
    file.write_text(call(full, "export", "Ash").stdout, "utf-8")
    monkeypatch.setenv(OPERATIONS_VARIABLE, f"sqlite:///{tmp_path / 'other.db'}")
    said = call(full, "import", str(file), "--who", "Insp. Bell")
    assert said.exit_code == 0, said.output
    assert said.stdout == f"{ASH.id} Ash, version 1\n"
    changed = json.loads(file.read_text("utf-8"))
    changed["features"][0]["properties"]["lead"] = "Sgt Cole"
    file.write_text(json.dumps(changed), "utf-8")
    refused = call(full, "import", str(file), "--who", "Insp. Bell")
    assert refused.exit_code == 1
    assert "is here already and differs in lead" in refused.stderr
    replaced = call(full, "import", str(file), "--who", "Insp. Bell", "--replace")
    assert replaced.stdout == f"{ASH.id} Ash, version 2\n"
    (change, before) = Operations.open(find_url(full.root)).read_history(ASH.id)
    assert (change.operation.lead, change.who, before.operation.lead) == ("Sgt Cole", "Insp. Bell", "Sgt Ames")


def test_what_meetings_said_goes_with_an_operation(
    full: Made, kept: Operations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = MeetingEntry(name_subject(ASH.id), "=Light it", date(2026, 11, 21), owner="Council", due=date(2026, 12, 1))
    entry = kept.entries.save_entry(said, who="Sgt Ames")
    file = tmp_path / "one.geojson"
    file.write_text(call(full, "export").stdout, "utf-8")
    monkeypatch.setenv(OPERATIONS_VARIABLE, f"sqlite:///{tmp_path / 'other.db'}")
    assert call(full, "import", str(file), "--who", "Insp. Bell").exit_code == 0
    assert Operations.open(find_url(full.root)).entries.list_entries() == (entry,)


def test_all_problems_of_a_file_are_told_together(full: Made, kept: Operations, tmp_path: Path) -> None:
    changed = json.loads(call(full, "export").stdout)
    changed["features"][0]["properties"]["lead"] = "Sgt Cole"
    bad = {"name": "Elm", "status": "over", "start": "2024-05-01", "end": "2024-04-01"}
    changed["features"].append({"type": "Feature", "geometry": None, "properties": bad})
    file = tmp_path / "two.geojson"
    file.write_text(json.dumps(changed), "utf-8")
    refused = call(full, "import", str(file), "--who", " ")
    assert refused.exit_code == 1
    assert [line.partition(";")[0] for line in refused.stderr.splitlines()] == [
        "two.geojson, feature 2 (\"Elm\"), status: is 'over'",
        'two.geojson, feature 2 ("Elm"): ends on 2024-04-01, before it starts on 2024-05-01',
        "Who makes this change: is blank",
        'two.geojson, feature 1 ("Ash"): is here already and differs in lead',
    ]


def test_evaluation_in_text_and_as_json_is_the_same(full: Made, kept: Operations) -> None:
    # August 2023 is not loaded: before are the same months of the year before.
    told = call(full, "evaluate", "Ash")
    assert told.exit_code == 0, told.output
    report = json.loads(call(full, "evaluate", ASH.id, "--format", "json").stdout)
    assert (report["before"], report["after"], report["against"]) == ("2023-01..2023-04", "2024-01..2024-04", "rest")
    (result,) = report["results"]
    assert result["headline"] in told.stdout
    assert result["aim"] in told.stdout
    assert all(f"Caution: {caution}" in told.stdout for caution in result["cautions"])
    assert all(caveat in told.stdout for caveat in report["caveats"])
    assert report["surveys"] == ["Trust: nothing entered yet; the aim is at least 60 %."]
    counts = {row["place"]: (row["before"], row["after"]) for row in result["counts"]}
    assert result["effect"]["before"], result["effect"]["after"] == counts["area"]
    (old, new), effect = counts["comparison"], result["effect"]
    assert effect["expected"] == pytest.approx(effect["before"] * new / old)
    missing = {row["month"]: row["count"] for row in result["course"]}
    assert missing["2023-08"] is None


def test_months_and_comparison_can_be_chosen(full: Made, kept: Operations) -> None:
    chosen = ("--before", "2023-05..2023-09", "--after", "2024-02..2024-04", "--against", "alike")
    report = json.loads(call(full, "evaluate", "Ash", *chosen, "--format", "json").stdout)
    (result,) = report["results"]
    assert (report["before"], report["after"], report["against"]) == ("2023-05..2023-09", "2024-02..2024-04", "alike")
    assert result["months_missing"] == ["2023-08"]
    assert any("August 2023" in caution for caution in result["cautions"])
    assert " a month), where" in result["aim"]


@pytest.mark.parametrize(
    ("command", "arguments", "told"),
    [
        ("evaluate", ("Elm",), "There is no operation 'Elm'; see cspmap operations list."),
        ("evaluate", ("Ash", "--before", "2023"), "'2023' is not a period"),
        ("export", ("Elm",), "There is no operation 'Elm'"),
        ("import", ("nowhere.geojson", "--who", "me"), "nowhere.geojson cannot be opened"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    full: Made, kept: Operations, command: str, arguments: tuple[str, ...], told: str
) -> None:
    said = call(full, command, *arguments)
    assert said.exit_code == 1
    assert said.stderr.startswith(told)
    assert said.stdout == ""


def test_two_of_one_name_are_told_apart_by_identifier(full: Made, kept: Operations) -> None:
    kept.save_operation(Operation("Ash"), who="Insp. Bell")
    assert "2 operations are called 'Ash'" in call(full, "export", "Ash").stderr
    assert call(full, "export", ASH.id).exit_code == 0


def test_every_option_has_help_that_ends() -> None:
    for command in operations.commands.values():
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert str(getattr(parameter, "help", "")).endswith("."), parameter.name


DALLOW = Operation(
    "Dallow",
    aim="Fewer robberies",
    lead="Sgt Ames",
    status="ended",
    area=Units("ward", ("luton-dallow",)),
    start=date(2006, 4, 1),
    end=date(2007, 3, 31),
    buffer_metres=250.0,
    goals=(CrimeGoal(("robbery",), -20.0),),
    actions=(Action("Light the footpath"),),
)


def test_outputs_in_the_document_are_real(example_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OPERATIONS_VARIABLE, f"sqlite:///{tmp_path / 'operations.db'}")
    Operations.open(find_url(example_store)).save_operation(DALLOW, who="Sgt Ames")
    blocks = re.findall(r"```console\n\$ cspmap operations (.+?)\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    shown = {command: output for command, output in blocks if command.split()[0] in ("list", "evaluate")}
    assert len(shown) == 2
    for command, output in shown.items():
        called = CliRunner().invoke(main, ["operations", *command.split(), "--store", str(example_store)])
        said = called.output.replace(DALLOW.id, "0a1b...")
        start, cut, _ = output.partition("\n...\n")
        assert said.startswith(start) if cut else said == output, f"cspmap operations {command} says:\n{said}"
