"""`cspmap check`: every problem of a partnership file and of the files it names, in one go."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from cspmap import check as check_module
from cspmap.check import check_partnership
from cspmap.cli import main
from cspmap.errors import Problem, SourceError, UserError
from cspmap.partnership import IncidentSource, Partnership

_TOML = """
[partnership]
name = "Test Community Safety Partnership"
place = "Test"
boundary = "lsoa21"
{head}

[[layers]]
key = "lsoa21"
name = "LSOA"
file = "lsoas.geojson"
code_column = "LSOA21CD"

[[layers]]
key = "area"
name = "Area"
made_of = "lsoa21"

[[areas]]
name = "West"
wards = ["{member}"]

[[denominators]]
key = "residents"
name = "residents"
year = 2022
layer = "lsoa21"
file = "residents.csv"
source = "test"

[[deprivation]]
year = 2025
layer = "lsoa21"
file = "iod.csv"
source = "test"

[[incidents]]
format = "extract"
file = "incidents-*.csv"
source = "test"
date_format = "%d/%m/%Y"
[incidents.columns]
offence = "Offence"
occurred_from = "From"
occurred_to = "From"
incident_id = "Number"
easting = "X"
northing = "Y"
location = "Street"

{lookups}
"""

# Two that stayed as they were in 2021, and one that was new then.
OLD, OTHER, NEW = "E01015693", "E01015694", "E01033801"
# One that was split in 2021.
RETIRED = "E01015741"

_IOD = (
    "LSOA code (2021),Index of Multiple Deprivation (IMD) Score,Index of Multiple Deprivation (IMD) Rank,"
    "Index of Multiple Deprivation (IMD) Decile\n"
)


@dataclass(frozen=True)
class _Case:
    """A partnership of three LSOAs in a row, whose files a test may spoil."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "partnership.toml"

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def describe(self, *, head: str = "", member: str = OLD, lookups: str = "") -> None:
        self.write("partnership.toml", _TOML.format(head=head, member=member, lookups=lookups))

    def draw(self, *codes: str) -> None:
        features = [
            {
                "type": "Feature",
                "properties": {"LSOA21CD": code, "LSOA21NM": f"Test {number}"},
                "geometry": {"type": "Polygon", "coordinates": [_square(-0.4 + number / 100)]},
            }
            for number, code in enumerate(codes)
        ]
        self.write("lsoas.geojson", json.dumps({"type": "FeatureCollection", "features": features}))

    def check(self) -> tuple[list[str], list[str]]:
        problems, notes = check_partnership(self.file, data=None)
        return [str(problem) for problem in problems], notes

    def run(self) -> Result:
        return CliRunner().invoke(main, ["check", str(self.file)])


def _square(west: float) -> list[list[float]]:
    east = west + 0.01
    return [[west, 51.9], [east, 51.9], [east, 51.91], [west, 51.91], [west, 51.9]]


@pytest.fixture
def case(tmp_path: Path) -> _Case:
    case = _Case(tmp_path)
    case.describe()
    case.draw(OLD, OTHER, NEW)
    case.write("residents.csv", f"LSOA21CD,Total\n{OLD},1500\n{OTHER},1600\n{NEW},1700\n")
    case.write("iod.csv", f"{_IOD}{OLD},10,3,9\n{OTHER},20,2,6\n{NEW},30,1,1\n")
    case.write("incidents-1.csv", "Number,Offence,From,X,Y,Street\nA1,Burglary,01/04/2024,507000,221000,High Street\n")
    return case


def test_a_sound_partnership_has_no_problems(case: _Case) -> None:
    result = case.run()
    assert result.exit_code == 0
    assert result.stdout == "Note: Area: 2 of 3 are in no area: Test 1, Test 2.\nNo problems found.\n"
    assert result.stderr == ""


def test_the_bundled_example_has_no_problems(pytestconfig: pytest.Config) -> None:
    result = CliRunner().invoke(main, ["check", str(pytestconfig.rootpath / "data" / "partnership.toml")])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("No problems found.\n")


def test_luton_has_no_problems(shared_data: Path, pytestconfig: pytest.Config) -> None:
    file = pytestconfig.rootpath / "docs" / "partnerships" / "luton.toml"
    result = CliRunner().invoke(main, ["check", str(file), "--data", str(shared_data)])
    assert (result.exit_code, result.stderr) == (0, "")
    # What does not add up in published tables is told, and is nothing that the partnership can put right.
    assert "Table C2: City of London has no row of the force's total" in result.stdout
    assert result.stdout.endswith("No problems found.\n")


def test_every_problem_of_every_file_is_told_at_once(case: _Case) -> None:
    case.describe(member="Nowhere")
    case.write("residents.csv", f"LSOA21CD,Total\n{OLD},many\n{OTHER},-1\n{OTHER},2\n")
    case.write("iod.csv", f"{_IOD}{OLD},10,3,12\n")
    result = case.run()
    assert result.exit_code == 1
    assert "No problems found" not in result.stdout
    lines = result.stderr.splitlines()
    assert len(lines) == 5
    for line, start in zip(
        lines,
        [
            "[[areas]] 'West': there is no 'Nowhere' in the layer it is made of;",
            "residents.csv: column 'LSOA21CD' gives 'E01015694' (line 3), 'E01015694' (line 4) more than once;",
            "residents.csv: column 'Total' has 'many' (line 2) where a number belongs;",
            "residents.csv: column 'Total' has '-1' (line 3), below 0;",
            "iod.csv: column 'Index of Multiple Deprivation (IMD) Decile' has '12' (line 2)",
        ],
        strict=True,
    ):
        assert line.startswith(start)


def test_a_broken_layer_keeps_no_other_file_from_being_looked_at(case: _Case) -> None:
    case.write("lsoas.geojson", "{}")
    case.write("residents.csv", "Place\nHere\n")
    problems, _ = case.check()
    assert [problem.split(":")[0] for problem in problems] == ["lsoas.geojson", "residents.csv"]


def test_files_that_are_there_are_looked_at_though_another_is_not(case: _Case) -> None:
    (case.folder / "residents.csv").unlink()
    (case.folder / "incidents-1.csv").unlink()
    case.write("iod.csv", "Place\nHere\n")
    problems, _ = case.check()
    assert len(problems) == 3
    assert "residents.csv is not in" in problems[0]
    assert "incidents-*.csv" in problems[1]
    assert problems[2].startswith("iod.csv: it has no columns of the Indices of Deprivation")


def test_mistakes_in_the_partnership_file_are_told_alone(case: _Case) -> None:
    case.describe(head="colour = 'red'")
    case.write("residents.csv", "Place\nHere\n")
    problems, notes = case.check()
    assert len(problems) == 1
    assert "colour" in problems[0]
    assert notes == []


def test_a_partnership_file_or_folder_that_is_not_there_is_an_error(case: _Case) -> None:
    with pytest.raises(UserError, match="cannot be opened"):
        check_partnership(case.folder / "other.toml", data=None)
    with pytest.raises(UserError, match="is not there"):
        check_partnership(case.file, data=case.folder / "elsewhere")


def test_areas_without_figures_are_noted(case: _Case) -> None:
    case.write("residents.csv", f"LSOA21CD,Total\n{OLD},1500\n{OTHER},\n{NEW},1700\n")
    case.write("iod.csv", f"{_IOD}{NEW},30,1,1\n")
    problems, notes = case.check()
    assert problems == []
    assert notes[1:] == [
        f"residents.csv: 1 of 3 lsoas have no number of residents there: {OTHER}.",
        f"iod.csv: 2 of 3 lsoas have no deprivation there: {OLD}, {OTHER}.",
    ]


def test_figures_of_another_place_are_a_problem(case: _Case) -> None:
    case.write("residents.csv", "LSOA21CD,Total\nE01000001,1500\n")
    problems, _ = case.check()
    assert problems == [
        f"residents.csv: it has none of the 3 areas of layer 'lsoa21' (such as {OLD}); "
        "is it of another vintage, or another place?"
    ]


_LSOA11_FOR_21 = (
    "residents.csv: its codes are LSOA 2011 codes, but layer 'lsoa21' has LSOA 2021 codes; "
    "name the layer of its own vintage, or give the right file."
)


def test_codes_of_2011_on_a_layer_of_2021_are_told_by_what_they_lack(case: _Case) -> None:
    case.write("residents.csv", f"code,Total\n{OLD},1500\n{OTHER},1600\n{RETIRED},1700\n")
    problems, _ = case.check()
    assert problems == [_LSOA11_FOR_21]


def test_codes_of_2011_on_a_layer_of_2021_are_told_by_the_lookup(case: _Case) -> None:
    case.describe(lookups='[lookups]\nlsoa11_to_lsoa21 = "exact.csv"')
    case.write("exact.csv", f"LSOA11CD,LSOA21CD,CHGIND\n{OLD},{OLD},U\n{RETIRED},{NEW},S\n")
    case.write("residents.csv", f"code,Total\n{OLD},1500\n{RETIRED},1700\n")
    problems, _ = case.check()
    assert problems == [_LSOA11_FOR_21]


def test_codes_of_2021_on_a_layer_of_2011_are_told(case: _Case) -> None:
    case.write("partnership.toml", _TOML.format(head="", member=OLD, lookups="").replace("lsoa21", "lsoa11"))
    text = (case.folder / "partnership.toml").read_text("utf-8").replace("LSOA21CD", "LSOA11CD")
    case.write("partnership.toml", text)
    case.draw(OLD, OTHER, RETIRED)
    layer = (case.folder / "lsoas.geojson").read_text("utf-8").replace("LSOA21", "LSOA11")
    case.write("lsoas.geojson", layer)
    problems, _ = case.check()
    assert problems == [
        f"{file}: its codes are LSOA 2021 codes, but layer 'lsoa11' has LSOA 2011 codes; "
        "name the layer of its own vintage, or give the right file."
        for file in ("residents.csv", "iod.csv")
    ]


def test_a_file_that_mixes_vintages_is_told(case: _Case) -> None:
    case.describe(lookups='[lookups]\nlsoa11_to_lsoa21 = "exact.csv"')
    case.write("exact.csv", f"LSOA11CD,LSOA21CD,CHGIND\n{RETIRED},{NEW},S\n")
    case.write("residents.csv", f"code,Total\n{RETIRED},1500\n{NEW},1700\n")
    problems, _ = case.check()
    assert problems == [
        "residents.csv: LSOA codes of both vintages are mixed "
        f"({RETIRED} was retired before {NEW} was made); split the file by vintage."
    ]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ('csp = "E22000010"\nlad = "E06000032"', []),
        ('csp = "E22000353"', []),
        (
            'csp = "E22000353"\nlad = "E06000032"',
            [
                "partnership.toml [partnership]: lad is 'E06000032' and csp is 'E22000353', which are no pair in "
                "csps.csv; correct one of them; for this lad, csp is 'E22000010' (Luton)."
            ],
        ),
        (
            'csp = "E22999999"\nlad = "E06999999"',
            [
                "partnership.toml [partnership]: lad is 'E06999999', which is not in csps.csv; "
                "correct it, or give a newer lookup.",
                "partnership.toml [partnership]: csp is 'E22999999', which is not in csps.csv; "
                "correct it, or give a newer lookup.",
            ],
        ),
    ],
)
def test_the_partnerships_codes_are_held_against_the_lookup(case: _Case, head: str, expected: list[str]) -> None:
    case.describe(head=head, lookups='[lookups]\nlad_to_csp = "csps.csv"')
    case.write(
        "csps.csv",
        "LAD24CD,LAD24NM,CSP24CD,CSP24NM,PFA24CD,PFA24NM\n"
        "E06000032,Luton,E22000010,Luton,E23000026,Bedfordshire\n"
        "E06000056,Central Bedfordshire,E22000353,Central Bedfordshire,E23000026,Bedfordshire\n",
    )
    problems, _ = case.check()
    assert problems == expected


def test_a_wrong_lookup_is_told(case: _Case) -> None:
    case.describe(lookups='[lookups]\nlsoa11_to_lsoa21 = "residents.csv"\nlad_to_csp = "residents.csv"')
    problems, _ = case.check()
    assert [problem.split(" (")[0] for problem in problems] == [
        "residents.csv: it has no columns LAD..CD, CSP..CD, CSP..NM and PFA..NM",
        "residents.csv: it has no columns LSOA11CD and LSOA21CD",
    ]


def test_a_month_that_two_files_hold_is_told_once(case: _Case) -> None:
    text = (case.folder / "incidents-1.csv").read_text("utf-8")
    case.write("incidents-2.csv", text)
    problems, _ = case.check()
    assert len(problems) == 1
    assert "both hold April 2024; take one away" in problems[0]


@dataclass(frozen=True)
class _Part:
    name: str
    read: Callable[[], pa.Table]


def test_every_part_is_looked_at_and_its_notes_told(case: _Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_well() -> pa.Table:
        table = pa.table({"month": ["2024-04"]})
        return table.replace_schema_metadata({"notes": json.dumps(["Two rows were strange."])})

    def read_badly() -> pa.Table:
        raise SourceError([Problem("bad.csv", "it is spoilt", "mend it")])

    def list_parts(source: IncidentSource, partnership: Partnership) -> Iterator[_Part]:
        yield _Part("bad.csv", read_badly)
        yield _Part("good.csv", read_well)
        raise UserError("The folder ends in nothing; fetch it again.")

    monkeypatch.setattr(check_module, "list_parts", list_parts)
    problems, notes = case.check()
    assert problems == [
        "bad.csv: it is spoilt; mend it.",
        "incidents-*.csv: The folder ends in nothing; fetch it again.",
    ]
    assert notes[-1] == "Two rows were strange."
