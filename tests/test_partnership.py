import re
import tomllib
from pathlib import Path

import pytest

from cspmap.errors import PartnershipError, UserError
from cspmap.partnership import (
    POLICE_UK_CRIME_TYPES,
    Area,
    ExtractColumns,
    HexmapPlacement,
    Partnership,
    load_partnership,
)
from cspmap.periods import Month

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs" / "partnership-file.md"

SMALL = """
[partnership]
name = "Exampleton Community Safety Partnership"
place = "Exampleton"
boundary = "ward"

[[layers]]
key = "lsoa"
name = "LSOA"
file = "lsoa.geojson"

[[layers]]
key = "ward"
name = "Ward"
file = "wards.geojson"

[[layers]]
key = "hex"
name = "Hexagon"
file = "map.hexjson"
figures_of = "lsoa"
hexmap = { easting = 508000, northing = 223000.5, hectares = 4336 }

[[layers]]
key = "area"
name = "Area"
made_of = "ward"

[[areas]]
name = "North"
wards = ["Hill", "Dale"]

[[areas]]
name = "South & East"
wards = ["Marsh"]

[[crime_types]]
key = "burglary"
name = "Burglary"
denominator = "households"

[[crime_types]]
key = "robbery"
name = "Robbery"
published = ["Robbery of person", "Robbery of business"]

[[crime_groups]]
key = "acquisitive"
name = "Acquisitive crime"
types = ["burglary", "robbery"]

[[denominators]]
key = "residents"
name = "residents"
year = 2022
layer = "lsoa"
file = "residents.csv"
source = "ONS"

[[denominators]]
key = "households"
name = "households"
year = 2021
layer = "lsoa"
file = "residents.csv"
source = "ONS"

[[deprivation]]
year = 2019
layer = "lsoa"
file = "imd.csv"
source = "MHCLG"

[[incidents]]
format = "police.uk"
file = "crime"
force = "bedfordshire"
source = "data.police.uk"

[[incidents]]
format = "extract"
file = "force-*.csv"
source = "the force"

[incidents.columns]
offence = "Offence"
occurred_from = "From"
easting = "X"
northing = "Y"

[[targets]]
file = "targets.csv"

[disclosure]
rule = "none"

[lookups]
lad_to_csp = "lookup.csv"
"""

# A partnership that is compared with others.
PLACE, COMPARED = 'place = "Exampleton"', 'place = "Exampleton"\ncsp = "E22000010"'
PEERS = """
[recorded_crime]
file = "residents.csv"
source = "ONS"
"""
PRIORITIES = """
[[indicators]]
file = "targets.csv"

[priorities]

[[priorities.categories]]
crime = "robbery"

[[priorities.charts]]
file = "targets.csv"
"""

FILES = ("lsoa.geojson", "wards.geojson", "map.hexjson", "residents.csv", "imd.csv", "force-1.csv", "lookup.csv")
TARGETS = "targets.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (*FILES, TARGETS):
        (tmp_path / name).touch()
    (tmp_path / "crime").mkdir()
    return tmp_path


def load(folder: Path, text: str = SMALL) -> Partnership:
    path = folder / "partnership.toml"
    path.write_text(text, encoding="utf-8")
    return load_partnership(path)


def complaints(folder: Path, text: str) -> list[str]:
    with pytest.raises(PartnershipError) as error:
        load(folder, text)
    return str(error.value).splitlines()


def test_a_whole_file_is_read(folder: Path) -> None:
    partnership = load(folder)
    assert partnership.place == "Exampleton"
    assert [layer.plural for layer in partnership.layers] == ["lsoas", "wards", "hexagons", "areas"]
    assert partnership.layers[2].hexmap == HexmapPlacement(easting=508000, northing=223000.5, hectares=4336)
    assert partnership.layers[2].figures_of == "lsoa"
    assert partnership.areas[1] == Area("area", "south-east", "South & East", ("Marsh",))
    assert [(kind.key, kind.published, kind.denominator) for kind in partnership.crime_types] == [
        ("burglary", ("Burglary",), "households"),
        ("robbery", ("Robbery of person", "Robbery of business"), "residents"),
    ]
    assert partnership.type_of_published == {
        "burglary": "burglary",
        "robbery of person": "robbery",
        "robbery of business": "robbery",
    }
    assert partnership.smallest_denominator == 100
    assert [source.covers for source in partnership.incidents] == ["force", "force"]
    assert partnership.incidents[0].file == folder / "crime"
    assert partnership.incidents[1].columns == ExtractColumns("Offence", "From", easting="X", northing="Y")
    assert partnership.lookups.lad_to_csp == folder / "lookup.csv"
    assert partnership.lookups.lsoa11_to_lsoa21 is None


def test_things_are_found_by_key(folder: Path) -> None:
    partnership = load(folder)
    assert partnership.find_layer("ward").name == "Ward"
    assert partnership.find_denominator("households").year == 2021
    assert partnership.name_crime("robbery") == "Robbery"
    assert partnership.name_crime("acquisitive") == "Acquisitive crime"
    with pytest.raises(UserError) as error:
        partnership.find_layer("parish")
    assert str(error.value) == "There is no level 'parish'; choose one of: lsoa, ward, hex, area."


def test_without_crime_types_there_are_those_of_police_uk(folder: Path) -> None:
    text = re.sub(r"\[\[crime_(types|groups)\]\].*?(?=\n\[)", "", SMALL, flags=re.DOTALL)
    kinds = load(folder, text).crime_types
    assert {kind.key: kind.name for kind in kinds} == dict(POLICE_UK_CRIME_TYPES)
    assert {kind.key for kind in kinds if kind.denominator != "residents"} == {"burglary"}


def test_the_byte_order_mark_of_windows_is_no_mistake(folder: Path) -> None:
    (folder / "partnership.toml").write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    assert load_partnership(folder / "partnership.toml").place == "Exampleton"


def test_file_names_resolve_against_the_data_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "p.toml"
    elsewhere.write_text(SMALL)
    with pytest.raises(PartnershipError, match=r"targets.csv is not in .*elsewhere0; put the file there\.$"):
        load_partnership(elsewhere, data=folder)
    (elsewhere.parent / TARGETS).touch()
    partnership = load_partnership(elsewhere, data=folder)
    assert partnership.layers[0].file == folder / "lsoa.geojson"
    assert partnership.targets == (elsewhere.parent / TARGETS,)
    with pytest.raises(PartnershipError) as error:
        load_partnership(elsewhere)
    assert len(error.value.problems) == len(FILES) + 2  # residents.csv is named twice, and there is a folder
    assert str(error.value.problems[0]).endswith("put the file there, or name another folder with --data.")


def test_a_built_store_needs_no_files(tmp_path: Path) -> None:
    path = tmp_path / "partnership.toml"
    path.write_text(SMALL)
    assert load_partnership(path, data=tmp_path / "gone", need_files=False).layers[0].key == "lsoa"


# Each mistake: what is replaced, by what, and every sentence that it must lead to.
LONG = "R" * 5000

MISTAKES = {
    "no partnership table": (
        '[partnership]\nname = "Exampleton Community Safety Partnership"\nplace = "Exampleton"\nboundary = "ward"\n',
        "",
        ["partnership.toml: there is no [partnership] table; add one with name, place and boundary."],
    ),
    "missing key": (
        'place = "Exampleton"\n',
        "",
        ['partnership.toml [partnership] "Exampleton Community Safety Partnership": '
         'place is missing; write text in quotes, such as "Luton".'],
    ),
    "misspelt key": (
        "figures_of =",
        "figures_off =",
        ["partnership.toml [[layers]] 3 \"hex\": there is no key 'figures_off' here; did you mean figures_of?"],
    ),
    "rule that is none": (
        'rule = "none"',
        'rule = "hide"',
        ["partnership.toml [disclosure]: rule is 'hide'; write \"none\" or \"suppress\" or \"round\"."],
    ),
    "threshold of another rule": (
        'rule = "none"',
        'rule = "round"\nthreshold = 5',
        ["partnership.toml [disclosure]: threshold is for rule = \"suppress\" alone; take it out."],
    ),
    "threshold that hides nothing": (
        'rule = "none"',
        'rule = "suppress"\nthreshold = 2',
        ["partnership.toml [disclosure]: threshold is 2; write a whole number from 3 to 100."],
    ),
    "unknown table": (
        "[lookups]",
        "[zzz]",
        ["partnership.toml: there is no key 'zzz' here; remove it; known are partnership, denominators, "
         "crime_types, layers, areas, crime_groups, deprivation, incidents, lookups, targets, "
         "indicators, priorities, recorded_crime, disclosure."],
    ),
    "single brackets": (
        "[[deprivation]]",
        "[deprivation]",
        ["partnership.toml: deprivation is not a list of tables; "
         "head each of them with [[deprivation]], in double brackets."],
    ),
    "double brackets": (
        "[lookups]",
        "[[lookups]]",
        ["partnership.toml: lookups is not a single table; head it with [lookups], in single brackets, once."],
    ),
    "text for a number": (
        "year = 2022",
        'year = "2022"',
        ["partnership.toml [[denominators]] 1 \"residents\": year is '2022'; "
         "write a whole number from 1971 to 2100."],
    ),
    "truth for a number": (
        "year = 2022",
        "year = true",
        ['partnership.toml [[denominators]] 1 "residents": year is true; '
         "write a whole number from 1971 to 2100."],
    ),
    "half a year": (
        "year = 2022",
        "year = 2022.5",
        ['partnership.toml [[denominators]] 1 "residents": year is 2022.5; '
         "write a whole number from 1971 to 2100."],
    ),
    "year of another age": (
        "year = 2022",
        "year = 22",
        ['partnership.toml [[denominators]] 1 "residents": year is 22; write a whole number from 1971 to 2100.'],
    ),
    "negative smallest denominator": (
        'boundary = "ward"',
        'boundary = "ward"\nsmallest_denominator = -1',
        ['partnership.toml [partnership] "Exampleton Community Safety Partnership": smallest_denominator is -1; '
         "write a whole number from 0 to 1,000,000."],
    ),
    "hexagons nowhere": (
        "easting = 508000",
        "easting = nan",
        ['partnership.toml [[layers]] 3 "hex" [hexmap]: easting is nan; write a number from 0 to 700,000.'],
    ),
    "number for text": (
        'name = "Ward"',
        "name = 5",
        ['partnership.toml [[layers]] 2 "ward": name is 5; write text in quotes, such as "Luton".'],
    ),
    "blank text": (
        'name = "Ward"',
        'name = " "',
        ['partnership.toml [[layers]] 2 "ward": name is empty; fill it in.'],
    ),
    "blank optional text": (
        'name = "Ward"',
        'name = "Ward"\ncode_column = ""',
        ['partnership.toml [[layers]] 2 "ward": code_column is empty; fill it in or leave the key out.'],
    ),
    "capital in a key": (
        'key = "robbery"',
        'key = "Robbery"',
        ["partnership.toml [[crime_types]] 2 \"Robbery\": key is 'Robbery'; "
         "use small letters, digits and single hyphens, starting with a letter.",
         "partnership.toml [[crime_groups]] 'acquisitive': 'robbery' is not a crime type; "
         "name some of Robbery, burglary."],
    ),
    "year out of range": (
        "year = 2022",
        "year = 1066",
        ['partnership.toml [[denominators]] 1 "residents": year is 1066; '
         "write a whole number from 1971 to 2100."],
    ),
    "far more than a name of a kind": (
        'key = "ward"',
        f'key = "ward"\ncodes = "{LONG}"',
        [f"partnership.toml [[layers]] 2 \"ward\": codes is '{LONG[:59]}…'; "
         "write oa11, oa21, lsoa11, lsoa21, lad, csp, or ward and the year's last two digits, such as ward25."],
    ),
    "layer from nowhere": (
        'made_of = "ward"',
        "",
        ['partnership.toml [[layers]] 4 "area": a layer is either read from a file or made of another layer; '
         "give one of file and made_of.",
         "partnership.toml [[areas]] 'North': layer is 'area'; add a layer with made_of.",
         "partnership.toml [[areas]] 'South & East': layer is 'area'; add a layer with made_of."],
    ),
    "layer from two places": (
        'made_of = "ward"',
        'made_of = "ward"\nfile = "wards.geojson"',
        ['partnership.toml [[layers]] 4 "area": a layer is either read from a file or made of another layer; '
         "give one of file and made_of."],
    ),
    "hexagon map without a place": (
        "hexmap = { easting = 508000, northing = 223000.5, hectares = 4336 }\n",
        "",
        ['partnership.toml [[layers]] 3 "hex": a hexagon map needs its place on the ground, and nothing else does; '
         "give a .hexjson file, and no other, a [layers.hexmap] table with easting, northing and hectares.",
         'partnership.toml [[layers]] 3 "hex": figures_of is for hexagon maps alone; take it out.'],
    ),
    "figures of a layer that is not read": (
        'figures_of = "lsoa"',
        'figures_of = "area"',
        ["partnership.toml [[layers]] 'hex': figures_of is 'area'; "
         "name a layer that is read from a file, one of lsoa, ward."],
    ),
    "figures of itself": (
        'figures_of = "lsoa"',
        'figures_of = "hex"',
        ["partnership.toml [[layers]] 'hex': figures_of is 'hex'; "
         "name a layer that is read from a file, one of lsoa, ward."],
    ),
    "made of a redrawn layer": (
        'made_of = "ward"',
        'made_of = "hex"',
        ["partnership.toml [[layers]] 'area': made_of is 'hex'; "
         "name a layer that is read from a file, one of lsoa, ward."],
    ),
    "unknown kind of code": (
        'file = "wards.geojson"',
        'file = "wards.geojson"\ncodes = "wards"',
        ["partnership.toml [[layers]] 2 \"ward\": codes is 'wards'; write oa11, oa21, lsoa11, lsoa21, lad, csp, "
         "or ward and the year's last two digits, such as ward25."],
    ),
    "repeated layer": (
        'key = "hex"',
        'key = "ward"',
        ["partnership.toml [[layers]]: the key 'ward' is given 2 times; give each its own."],
    ),
    "boundary of another name": (
        'boundary = "ward"',
        'boundary = "wards"',
        ["partnership.toml [partnership]: boundary is 'wards'; "
         "name the layer whose areas make up the partnership, one of lsoa, ward, area."],
    ),
    "wrong code of the partnership": (
        'boundary = "ward"',
        'boundary = "ward"\ncsp = "E06000032"\nlad = "E22000010"',
        ['partnership.toml [partnership] "Exampleton Community Safety Partnership": csp is \'E06000032\'; '
         "write a community safety partnership code, such as E22000010.",
         'partnership.toml [partnership] "Exampleton Community Safety Partnership": lad is \'E22000010\'; '
         "write a local authority code, such as E06000032."],
    ),
    "missing file": (
        "wards.geojson",
        "ward.geojson",
        ['partnership.toml [[layers]] 2 "ward": ward.geojson is not in FOLDER; '
         "put the file there, or name another folder with --data."],
    ),
    "folder for a file": (
        'file = "imd.csv"',
        'file = "crime"',
        ["partnership.toml [[deprivation]] 1: crime is a folder; name the file itself."],
    ),
    "pattern for a file": (
        'file = "imd.csv"',
        'file = "im*.csv"',
        ["partnership.toml [[deprivation]] 1: file is the pattern 'im*.csv'; name one file."],
    ),
    "pattern without a match": (
        "force-*.csv",
        "extract-?.csv",
        ["partnership.toml [[incidents]] 2: no file in FOLDER matches extract-?.csv; "
         "put the files there or correct it."],
    ),
    "absolute pattern without a match": (
        "force-*.csv",
        "/nowhere/*.csv",
        ["partnership.toml [[incidents]] 2: no file in /nowhere matches *.csv; put the files there or correct it."],
    ),
    "area without wards": (
        'wards = ["Marsh"]',
        "wards = []",
        ['partnership.toml [[areas]] 2 "South & East": wards is an empty list; name at least one.'],
    ),
    "ward that is no text": (
        'wards = ["Marsh"]',
        "wards = [7]",
        ['partnership.toml [[areas]] 2 "South & East": wards holds something that is not text; '
         'write a list of texts, such as ["Dallow", "Farley"].'],
    ),
    "ward twice in an area": (
        'wards = ["Marsh"]',
        'wards = ["Marsh", "marsh "]',
        ["partnership.toml [[areas]] 2 \"South & East\": wards lists 'marsh ' twice; keep one of them."],
    ),
    "ward in two areas": (
        'wards = ["Marsh"]',
        'wards = ["Marsh", "hill"]\nfrom = "2020-01"',
        ["partnership.toml [[areas]] 'North' and 'South & East': 'Hill' is in both in the same months; "
         "leave it in one, or give from and to."],
    ),
    "area listed twice": (
        'name = "South & East"',
        'name = "North"',
        ["partnership.toml [[areas]] 'North' and 'North': it is listed twice for the same months; "
         "give from and to, or join the two lists."],
    ),
    "code of two areas": (
        'name = "South & East"',
        'name = "South & East"\ncode = "north"',
        ["partnership.toml [[areas]] 'North' and 'South & East': both have the code 'north'; "
         "give each a code of its own."],
    ),
    "area that no code can be made for": (
        'name = "South & East"',
        'name = "&"',
        ["partnership.toml [[areas]] 2 \"&\": '' cannot be its code; "
         'add a code without commas, such as code = "south".'],
    ),
    "area that ends first": (
        'wards = ["Marsh"]',
        'wards = ["Marsh"]\nfrom = "2023-05"\nto = "2023-04"',
        ['partnership.toml [[areas]] 2 "South & East": it ends (2023-04) before it starts (2023-05); '
         "correct from and to."],
    ),
    "no month": (
        'wards = ["Marsh"]',
        'wards = ["Marsh"]\nfrom = "May 2023"',
        ["partnership.toml [[areas]] 2 \"South & East\": from is 'May 2023', which is no month; "
         'write it as "YYYY-MM", such as "2024-04".'],
    ),
    "date for a month": (
        'wards = ["Marsh"]',
        'wards = ["Marsh"]\nfrom = 2023-05-01',
        ['partnership.toml [[areas]] 2 "South & East": from is 2023-05-01; '
         'write a month in quotes, such as "2024-04".'],
    ),
    "layer without areas": (
        '[[areas]]\nname = "North"\nwards = ["Hill", "Dale"]\n\n[[areas]]\nname = "South & East"\nwards = ["Marsh"]\n',
        "",
        ["partnership.toml [[layers]] 'area': it has no areas; add [[areas]] tables with layer = 'area'."],
    ),
    "area of a layer that is read": (
        'name = "North"',
        'name = "North"\nlayer = "ward"',
        ["partnership.toml [[areas]] 'North': layer is 'ward'; name a layer that has made_of, one of area."],
    ),
    "group and type of one key": (
        'key = "acquisitive"',
        'key = "robbery"',
        ["partnership.toml [[crime_types]] and [[crime_groups]]: the key 'robbery' is given 2 times; "
         "give each its own."],
    ),
    "empty group": (
        'types = ["burglary", "robbery"]',
        "types = []",
        ['partnership.toml [[crime_groups]] 1 "acquisitive": types is an empty list; name at least one.'],
    ),
    "type twice in a group": (
        'types = ["burglary", "robbery"]',
        'types = ["burglary", "burglary"]',
        ["partnership.toml [[crime_groups]] 1 \"acquisitive\": types lists 'burglary' twice; keep one of them."],
    ),
    "unknown type in a group": (
        'types = ["burglary", "robbery"]',
        'types = ["burglary", "arson"]',
        ["partnership.toml [[crime_groups]] 'acquisitive': 'arson' is not a crime type; "
         "name some of burglary, robbery."],
    ),
    "offence of two types": (
        '"Robbery of business"',
        '"BURGLARY"',
        ["partnership.toml [[crime_types]]: 'burglary' is published as burglary and robbery; "
         "give it to one of them."],
    ),
    "unknown denominator": (
        'denominator = "households"',
        'denominator = "homes"',
        ["partnership.toml [[crime_types]] 'burglary': denominator is 'homes'; "
         "name one that is given, residents or households."],
    ),
    "denominator by a layer that is made": (
        'year = 2021\nlayer = "lsoa"',
        'year = 2021\nlayer = "area"',
        ["partnership.toml [[denominators]] 'households': layer is 'area'; "
         "name a layer that is read from a file, one of lsoa, ward."],
    ),
    "deprivation by no layer": (
        'year = 2019\nlayer = "lsoa"',
        'year = 2019\nlayer = "lsoa11"',
        ["partnership.toml [[deprivation]] 2019: layer is 'lsoa11'; "
         "name a layer that is read from a file, one of lsoa, ward."],
    ),
    "unknown format": (
        'format = "police.uk"',
        'format = "police"',
        ['partnership.toml [[incidents]] 1: format is \'police\'; write "police.uk" or "extract".'],
    ),
    "police.uk without its force": (
        'force = "bedfordshire"\n',
        "",
        ["partnership.toml [[incidents]] 1: force is missing; "
         'write it as in the file names, such as force = "bedfordshire".'],
    ),
    "police.uk with an extract's keys": (
        'force = "bedfordshire"\n',
        'force = "bedfordshire"\ndate_format = "%d/%m/%Y"\n',
        ["partnership.toml [[incidents]] 1: date_format is for extracts alone; take it out."],
    ),
    "extract without columns": (
        '[incidents.columns]\noffence = "Offence"\noccurred_from = "From"\neasting = "X"\nnorthing = "Y"\n',
        "",
        ["partnership.toml [[incidents]] 2: an extract needs its columns named; "
         "add an [incidents.columns] table."],
    ),
    "half a position": (
        'northing = "Y"',
        "",
        ["partnership.toml [[incidents]] 2 [columns]: positions need one pair of columns; "
         "name easting and northing, or longitude and latitude."],
    ),
    "two positions": (
        'northing = "Y"',
        'northing = "Y"\nlongitude = "lon"\nlatitude = "lat"',
        ["partnership.toml [[incidents]] 2 [columns]: positions need one pair of columns; "
         "name easting and northing, or longitude and latitude."],
    ),
    "cover of neither kind": (
        'source = "the force"',
        'source = "the force"\ncovers = "county"',
        ['partnership.toml [[incidents]] 2: covers is \'county\'; write "force" or "partnership".'],
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_sentence(folder: Path, mistake: str) -> None:
    old, new, expected = MISTAKES[mistake]
    assert SMALL.count(old) >= 1
    told = complaints(folder, SMALL.replace(old, new, 1))
    assert told == [sentence.replace("FOLDER", str(folder)) for sentence in expected]


def test_mistakes_are_told_all_together_slips_and_contradictions(folder: Path) -> None:
    text = SMALL.replace('place = "Exampleton"', "").replace("year = 2019", "year = false")
    text = text.replace('boundary = "ward"', 'boundary = "parish"').replace('types = ["bur', 'types = ["arson", "bur')
    assert {line.split(": ", 1)[1].split(";")[0] for line in complaints(folder, text)} == {
        "place is missing",
        "year is false",
        "boundary is 'parish'",
        "'arson' is not a crime type",
    }


def test_an_empty_file_names_what_it_needs(folder: Path) -> None:
    assert complaints(folder, "") == [
        "partnership.toml: there is no [partnership] table; add one with name, place and boundary.",
        "partnership.toml: there is no [[denominators]] table; add at least one.",
        "partnership.toml: there is no [[layers]] table; add at least one.",
        "partnership.toml: there is no [[incidents]] table; add at least one.",
    ]


def test_the_same_key_twice_is_told_with_its_line(folder: Path) -> None:
    told = complaints(folder, SMALL.replace('place = "Exampleton"', 'place = "A"\nplace = "B"'))
    assert told == [
        "partnership.toml: it is not valid TOML: Cannot overwrite a value (at line 5, column 12); correct that line."
    ]


def test_text_in_another_encoding_is_told(folder: Path) -> None:
    (folder / "partnership.toml").write_bytes(SMALL.encode("utf-16"))
    with pytest.raises(PartnershipError) as error:
        load_partnership(folder / "partnership.toml")
    assert str(error.value) == "partnership.toml: it is not text in UTF-8; save it as UTF-8."


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        load_partnership(tmp_path / "p.toml")
    assert str(error.value) == f"{tmp_path / 'p.toml'} cannot be opened (No such file or directory); check the name."


@pytest.mark.parametrize(("name", "what"), [("nowhere", "is not there"), ("imd.csv", "is a file, not a folder")])
def test_the_data_folder_has_to_be_a_folder(folder: Path, name: str, what: str) -> None:
    (folder / "partnership.toml").write_text(SMALL)
    with pytest.raises(UserError) as error:
        load_partnership(folder / "partnership.toml", data=folder / name)
    assert str(error.value) == (
        f"The data folder {folder / name} {what}; name the folder that holds the files with --data."
    )


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ((None, None), (None, None), True),
        ((None, "2023-04"), ("2023-05", None), False),
        ((None, "2023-05"), ("2023-05", None), True),
        (("2020-01", "2020-12"), ("2021-01", "2021-12"), False),
        (("2020-01", "2020-12"), ("2020-06", "2020-07"), True),
    ],
)
def test_areas_overlap_where_they_share_a_month(
    one: tuple[str | None, str | None], other: tuple[str | None, str | None], overlap: bool
) -> None:
    first, second = (
        Area("area", "a", "A", ("x",), *(None if text is None else Month.parse(text) for text in ends))
        for ends in (one, other)
    )
    assert first.overlaps(second) is overlap
    assert second.overlaps(first) is overlap


def test_an_area_may_take_over_a_ward_when_another_lets_go_of_it(folder: Path) -> None:
    text = SMALL.replace('wards = ["Hill", "Dale"]', 'wards = ["Hill", "Dale"]\nto = "2023-04"')
    text = text.replace('wards = ["Marsh"]', 'wards = ["Marsh", "Hill"]\nfrom = "2023-05"')
    assert load(folder, text).areas[1].first == Month(2023, 5)


def test_luton_reads_with_the_real_files(shared_data: Path) -> None:
    luton = load_partnership(ROOT / "docs" / "partnerships" / "luton.toml", data=shared_data)
    assert sum(len(area.members) for area in luton.areas) == 19
    assert len(luton.crime_types) == 14


# Tables within tables.
INNER = {"hexmap", "columns", "categories", "charts"}


def documented_keys() -> dict[str, set[str]]:
    """Keys by heading, from the tables of the documentation."""
    keys: dict[str, set[str]] = {}
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"#+ `\[+(\w+\.)?(\w+)\]+`", line):
            keys[heading[2]] = set()
        elif row := re.match(r"\| `(\w+)` \|", line):
            keys[list(keys)[-1]].add(row[1])
    return keys


def test_every_key_is_documented_and_every_documented_key_is_read(folder: Path) -> None:
    whole = f"{SMALL.replace(PLACE, COMPARED)}{PEERS}{PRIORITIES}".replace("hexmap = {", "hexmap = { qqqqqq = 1,")
    text = re.sub(r"(?m)^(\[.*\])$", r"\1\nqqqqqq = 1", whole)
    accepted: dict[str, set[str]] = {}
    for line in complaints(folder, f"qqqqqq = 1\n{text}"):
        # The sentence names the table last, within its parent: partnership.toml [[incidents]] 2 [columns].
        where, known = line.split(": there is no key 'qqqqqq' here; remove it; known are ")
        tables = re.findall(r"\[(\w+)\]", where)
        accepted[tables[-1] if tables else ""] = set(known.rstrip(".").split(", "))
    documented = documented_keys()
    top = accepted.pop("")
    assert top == documented.keys() - INNER
    assert accepted == documented


def test_the_documented_example_is_right_and_shows_most_keys(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert example is not None
    for name in re.findall(r'"([\w*-]+\.(?:csv|zip|geojson|hexjson|xlsx))"', example[1]):
        (tmp_path / name.replace("*", "1")).touch()
    partnership = load(tmp_path, example[1])
    assert [source.covers for source in partnership.incidents] == ["force", "partnership"]
    shown = tomllib.loads(example[1])
    assert shown.keys() == documented_keys().keys() - INNER


def test_whom_the_partnership_is_compared_with(folder: Path) -> None:
    assert load(folder).recorded_crime is None
    compared = SMALL.replace(PLACE, COMPARED)
    alone = load(folder, compared + PEERS).recorded_crime
    assert alone is not None
    assert (alone.file, alone.members, alone.name) == (folder / "residents.csv", (), "Most similar group")
    told = 'group = ["E22000009", "W14000023"]\ngroup_source = "Home Office"\ngroup_name = "Our family"\n'
    group = load(folder, compared + PEERS + told).recorded_crime
    assert group is not None
    assert (group.members, group.name, group.members_source) == (
        ("E22000009", "W14000023"),
        "Our family",
        "Home Office",
    )


def test_what_is_wrong_with_a_comparison_is_told(folder: Path) -> None:
    assert complaints(folder, SMALL + PEERS + 'group = ["Luton"]\n') == [
        "partnership.toml [recorded_crime]: group names 'Luton'; write community safety partnership codes, such as "
        "E22000010.",
        "partnership.toml [recorded_crime]: the group has no source; say in group_source who drew it up, such as "
        '"Home Office, 2024".',
        "partnership.toml [recorded_crime]: the partnership's own code is not given; add csp to [partnership], such as "
        'csp = "E22000010".',
    ]
