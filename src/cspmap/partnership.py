"""`partnership.toml` read into one frozen Partnership.

The file names a partnership: its boundary layers, the areas made of wards, crime types and groups, denominators,
deprivation, incident, target and indicator files. File names in it resolve against a data folder, by default the
file's own; those of targets, indicators and charts always against its own.
Every mistake is reported, all of them together. `docs/partnership-file.md` describes each key.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol, TypeVar, cast, get_args

from cspmap.codes import CSP, LAD, CodeType, find_code_type
from cspmap.errors import PartnershipError, Problem, UserError, quote_briefly
from cspmap.partnership_checks import find_contradictions
from cspmap.partnership_files import PartnershipFiles
from cspmap.partnership_parts import (
    NO_RULE,
    POLICE_UK_CRIME_TYPES,
    Area,
    CrimeGroup,
    CrimeType,
    Denominator,
    DeprivationFile,
    Disclosure,
    DisclosureRule,
    ExtractColumns,
    HexmapPlacement,
    IncidentFormat,
    IncidentSource,
    Layer,
    Lookups,
    SourceCoverage,
)
from cspmap.partnership_priorities import read_priorities
from cspmap.peer_group import PeerGroup, read_peer_group
from cspmap.priorities import NO_PRIORITIES, Priorities
from cspmap.toml_table import TomlTable

__all__ = [
    "POLICE_UK_CRIME_TYPES",
    "Area",
    "CrimeGroup",
    "CrimeType",
    "Denominator",
    "DeprivationFile",
    "Disclosure",
    "ExtractColumns",
    "HexmapPlacement",
    "IncidentFormat",
    "IncidentSource",
    "Layer",
    "Lookups",
    "Partnership",
    "SourceCoverage",
    "load_partnership",
]


@dataclass(frozen=True)
class Partnership:
    """A Community Safety Partnership and everything that its figures are made from."""

    name: str
    place: str
    boundary: str
    layers: tuple[Layer, ...]
    areas: tuple[Area, ...]
    crime_types: tuple[CrimeType, ...]
    crime_groups: tuple[CrimeGroup, ...]
    denominators: tuple[Denominator, ...]
    deprivation: tuple[DeprivationFile, ...]
    incidents: tuple[IncidentSource, ...]
    lookups: Lookups
    licences: tuple[str, ...]
    targets: tuple[Path, ...] = ()
    indicators: tuple[Path, ...] = ()
    priorities: Priorities = NO_PRIORITIES
    notice: str = ""
    csp: str | None = None
    lad: str | None = None
    smallest_denominator: int = 100
    recorded_crime: PeerGroup | None = None
    disclosure: Disclosure = NO_RULE

    def find_layer(self, key: str) -> Layer:
        """The layer with this key; raises UserError naming those there are."""
        return _find(self.layers, key, "level")

    def find_denominator(self, key: str) -> Denominator:
        """The denominator with this key; raises UserError naming those there are."""
        return _find(self.denominators, key, "denominator")

    def name_crime(self, key: str) -> str:
        """The name of a crime type or group."""
        named: list[CrimeType | CrimeGroup] = [*self.crime_types, *self.crime_groups]
        return _find(named, key, "crime type").name

    @property
    def crime_names(self) -> dict[str, str]:
        """Names of the crime groups, then the crime types, by key."""
        named: list[CrimeType | CrimeGroup] = [*self.crime_groups, *self.crime_types]
        return {item.key: item.name for item in named}

    @property
    def type_of_published(self) -> dict[str, str]:
        """Crime type key by offence name as sources publish it, folded to lower case."""
        return {name.casefold(): kind.key for kind in self.crime_types for name in kind.published}


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


_Item = TypeVar("_Item", bound=_Keyed)


def _find(items: Sequence[_Item], key: str, noun: str) -> _Item:
    for item in items:
        if item.key == key:
            return item
    raise UserError(f"There is no {noun} {quote_briefly(key)}; choose one of: {', '.join(item.key for item in items)}.")


def load_partnership(path: Path, *, data: Path | None = None, need_files: bool = True) -> Partnership:
    """Read and check `partnership.toml`.

    `data` is the folder that file names resolve against, by default the file's own. Raises PartnershipError with
    every mistake found. That the files named exist is checked here, unless `need_files` is false (they are not
    needed once a store is built); what is in them is the loaders' business.
    """
    folder = path.parent if data is None else data
    try:
        # Notepad puts a byte order mark before UTF-8, which TOML itself does not allow.
        values = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise UserError(f"{path} cannot be opened ({error.strerror}); check the name.") from error
    except UnicodeDecodeError as error:
        raise PartnershipError([Problem(path.name, "it is not text in UTF-8", "save it as UTF-8")]) from error
    except tomllib.TOMLDecodeError as error:
        raise PartnershipError([Problem(path.name, f"it is not valid TOML: {error}", "correct that line")]) from error
    if need_files and not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "is not there"
        raise UserError(f"The data folder {folder} {what}; name the folder that holds the files with --data.")
    problems: list[Problem] = []
    partnership = _read_partnership(
        TomlTable(values, path.name, problems), PartnershipFiles(folder, path.parent, needed=need_files)
    )
    problems.extend(find_contradictions(partnership, path.name))
    if problems:
        raise PartnershipError(problems)
    return partnership


def _read_partnership(top: TomlTable, files: PartnershipFiles) -> Partnership:
    head = top.table("partnership")
    if head is None:
        top.report("there is no [partnership] table", "add one with name, place and boundary")
        head = TomlTable({}, "", [])
    csp = _read_code(head, "csp", CSP, "E22000010")
    denominators = tuple(_read_denominator(table, files) for table in top.tables("denominators", required=True))
    crime_types = tuple(_read_crime_type(table, denominators) for table in top.tables("crime_types"))
    partnership = Partnership(
        name=head.text("name"),
        place=head.text("place"),
        boundary=head.text("boundary"),
        layers=tuple(_read_layer(table, files) for table in top.tables("layers", required=True)),
        areas=tuple(_read_area(table) for table in top.tables("areas")),
        crime_types=crime_types or _police_uk_types(denominators),
        crime_groups=tuple(_read_group(table) for table in top.tables("crime_groups")),
        denominators=denominators,
        deprivation=tuple(_read_deprivation(table, files) for table in top.tables("deprivation")),
        incidents=tuple(_read_incidents(table, files) for table in top.tables("incidents", required=True)),
        lookups=_read_lookups(top.table("lookups"), files),
        licences=head.texts("licences", ()),
        targets=tuple(_read_own_file(table, files) for table in top.tables("targets")),
        indicators=tuple(_read_own_file(table, files) for table in top.tables("indicators")),
        priorities=read_priorities(top.table("priorities"), files.find_own),
        notice=head.text("notice", ""),
        csp=csp,
        lad=_read_code(head, "lad", LAD, "E06000032"),
        smallest_denominator=head.whole("smallest_denominator", 100, least=0, most=1_000_000),
        recorded_crime=read_peer_group(top.table("recorded_crime"), files.find, own=csp),
        disclosure=_read_disclosure(top.table("disclosure")),
    )
    head.finish()
    top.finish()
    return partnership


def _read_disclosure(table: TomlTable | None) -> Disclosure:
    if table is None:
        return NO_RULE
    disclosure = Disclosure(
        rule=cast(DisclosureRule, table.choice("rule", get_args(DisclosureRule))),
        # A count that is withheld as being under 2 is known to be 1.
        threshold=table.whole("threshold", 5, least=3, most=100),
        base=table.whole("base", 5, least=2, most=100),
    )
    for key, rule in (("threshold", "suppress"), ("base", "round")):
        if table.has(key) and disclosure.rule != rule:
            table.report(f'{key} is for rule = "{rule}" alone', "take it out")
    table.finish()
    return disclosure


def _read_code(table: TomlTable, key: str, kind: CodeType, example: str) -> str | None:
    code = table.optional_text(key)
    if code is not None and not kind.matches(code):
        table.report(f"{key} is {quote_briefly(code)}", f"write a {kind.words} code, such as {example}")
    return code


def _read_layer(table: TomlTable, files: PartnershipFiles) -> Layer:
    name = table.text("name")
    layer = Layer(
        key=table.key(),
        name=name,
        plural=table.text("plural", f"{name.lower()}s"),
        file=files.find_optional(table, folder=True),
        codes=table.optional_text("codes"),
        code_column=table.optional_text("code_column"),
        name_column=table.optional_text("name_column"),
        made_of=table.optional_text("made_of"),
        hexmap=_read_placement(table.table("hexmap")),
        figures_of=table.optional_text("figures_of"),
    )
    if table.has("file") == table.has("made_of"):
        table.report("a layer is either read from a file or made of another layer", "give one of file and made_of")
    if (layer.file is not None and layer.file.suffix.lower() == ".hexjson") != table.has("hexmap"):
        table.report(
            "a hexagon map needs its place on the ground, and nothing else does",
            "give a .hexjson file, and no other, a [layers.hexmap] table with easting, northing and hectares",
        )
    if layer.figures_of is not None and not table.has("hexmap"):
        table.report("figures_of is for hexagon maps alone", "take it out")
    if layer.codes is not None and find_code_type(layer.codes) is None:
        table.report(
            f"codes is {quote_briefly(layer.codes)}",
            "write oa11, oa21, lsoa11, lsoa21, lad, csp, or ward and the year's last two digits, such as ward25",
        )
    table.finish()
    return layer


def _read_placement(table: TomlTable | None) -> HexmapPlacement | None:
    if table is None:
        return None
    placement = HexmapPlacement(
        easting=table.number("easting", least=0, most=700_000),
        northing=table.number("northing", least=0, most=1_300_000),
        hectares=table.number("hectares", least=1, most=10_000_000),
    )
    table.finish()
    return placement


def _read_area(table: TomlTable) -> Area:
    name = table.text("name")
    area = Area(
        layer=table.text("layer", "area"),
        code=table.text("code", re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")),
        name=name,
        members=table.texts("wards"),
        first=table.month("from"),
        last=table.month("to"),
    )
    if name.strip() and (not area.code or "," in area.code):
        table.report(
            f"{quote_briefly(area.code)} cannot be its code", 'add a code without commas, such as code = "south"'
        )
    if area.first and area.last and area.last < area.first:
        table.report(f"it ends ({area.last}) before it starts ({area.first})", "correct from and to")
    table.finish()
    return area


def _read_crime_type(table: TomlTable, denominators: Sequence[Denominator]) -> CrimeType:
    name = table.text("name")
    kind = CrimeType(
        key=table.key(),
        name=name,
        published=table.texts("published", (name,)),
        denominator=table.text("denominator", denominators[0].key if denominators else ""),
    )
    table.finish()
    return kind


def _police_uk_types(denominators: Sequence[Denominator]) -> tuple[CrimeType, ...]:
    keys = [denominator.key for denominator in denominators]
    usual = keys[0] if keys else ""
    return tuple(
        CrimeType(key, name, (name,), "households" if key == "burglary" and "households" in keys else usual)
        for key, name in POLICE_UK_CRIME_TYPES.items()
    )


def _read_group(table: TomlTable) -> CrimeGroup:
    group = CrimeGroup(key=table.key(), name=table.text("name"), types=table.texts("types"))
    table.finish()
    return group


def _read_denominator(table: TomlTable, files: PartnershipFiles) -> Denominator:
    denominator = Denominator(
        key=table.key(),
        name=table.text("name"),
        year=_read_year(table),
        layer=table.text("layer"),
        file=files.find(table),
        source=table.text("source"),
        code_column=table.optional_text("code_column"),
        value_column=table.optional_text("value_column"),
    )
    table.finish()
    return denominator


def _read_deprivation(table: TomlTable, files: PartnershipFiles) -> DeprivationFile:
    deprivation = DeprivationFile(
        year=_read_year(table), layer=table.text("layer"), file=files.find(table), source=table.text("source")
    )
    table.finish()
    return deprivation


def _read_own_file(table: TomlTable, files: PartnershipFiles) -> Path:
    file = files.find_own(table)
    table.finish()
    return file


def _read_year(table: TomlTable) -> int:
    return table.whole("year", least=1971, most=2100)


def _read_incidents(table: TomlTable, files: PartnershipFiles) -> IncidentSource:
    kind = cast(IncidentFormat, table.choice("format", get_args(IncidentFormat)))
    columns = table.table("columns")
    source = IncidentSource(
        format=kind,
        file=files.find(table, folder=True, pattern=True),
        source=table.text("source"),
        covers=cast(SourceCoverage, table.choice("covers", get_args(SourceCoverage), "force")),
        force=table.optional_text("force"),
        columns=None if columns is None else _read_columns(columns),
        date_format=table.optional_text("date_format"),
    )
    if kind == "extract" and columns is None:
        table.report("an extract needs its columns named", "add an [incidents.columns] table")
    if kind == "police.uk":
        if not table.has("force"):
            table.report("force is missing", 'write it as in the file names, such as force = "bedfordshire"')
        for key in ("columns", "date_format"):
            if table.has(key):
                table.report(f"{key} is for extracts alone", "take it out")
    table.finish()
    return source


def _read_columns(table: TomlTable) -> ExtractColumns:
    columns = ExtractColumns(
        offence=table.text("offence"),
        occurred_from=table.text("occurred_from"),
        occurred_to=table.optional_text("occurred_to"),
        incident_id=table.optional_text("incident_id"),
        easting=table.optional_text("easting"),
        northing=table.optional_text("northing"),
        longitude=table.optional_text("longitude"),
        latitude=table.optional_text("latitude"),
        location=table.optional_text("location"),
        lsoa_code=table.optional_text("lsoa_code"),
        outcome=table.optional_text("outcome"),
    )
    pairs = (("easting", "northing"), ("longitude", "latitude"))
    if sum(all(table.has(key) for key in pair) for pair in pairs) != 1 or any(
        table.has(first) != table.has(second) for first, second in pairs
    ):
        table.report("positions need one pair of columns", "name easting and northing, or longitude and latitude")
    table.finish()
    return columns


def _read_lookups(table: TomlTable | None, files: PartnershipFiles) -> Lookups:
    if table is None:
        return Lookups()
    lookups = Lookups(*(files.find_optional(table, field.name) for field in fields(Lookups)))
    table.finish()
    return lookups
