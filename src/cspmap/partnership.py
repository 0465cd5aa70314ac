"""`partnership.toml` read into one frozen Partnership.

The file names a partnership: its boundary layers, the areas made of wards, crime types and groups, denominators,
deprivation and incident files. File names in it resolve against a data folder, by default the file's own.
Every mistake is reported, all of them together. `docs/partnership-file.md` describes each key.
"""

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cspmap.errors import PartnershipError, Problem, UserError
from cspmap.periods import Month

IncidentFormat = Literal["police.uk", "extract"]

# data.police.uk's categories since May 2013, and the two that later ones were divided from.
POLICE_UK_CRIME_TYPES: Mapping[str, str] = {
    "anti-social-behaviour": "Anti-social behaviour",
    "bicycle-theft": "Bicycle theft",
    "burglary": "Burglary",
    "criminal-damage-arson": "Criminal damage and arson",
    "drugs": "Drugs",
    "other-theft": "Other theft",
    "possession-of-weapons": "Possession of weapons",
    "public-order": "Public order",
    "robbery": "Robbery",
    "shoplifting": "Shoplifting",
    "theft-from-the-person": "Theft from the person",
    "vehicle-crime": "Vehicle crime",
    "violent-crime": "Violence and sexual offences",
    "other-crime": "Other crime",
}

_KEY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class HexmapPlacement:
    """Where a hexagon map is laid over the ground: centre in EPSG:27700 metres and total hectares."""

    easting: float
    northing: float
    hectares: float


@dataclass(frozen=True)
class Layer:
    """A set of areas on the map, at one level.

    Either read from a boundary file (`file`), or dissolved from another layer (`made_of`) by the partnership's
    areas. A hexagon map that redraws another layer's areas names it in `figures_of`: it takes that layer's figures.
    """

    key: str
    name: str
    plural: str
    file: Path | None = None
    codes: str | None = None
    code_column: str | None = None
    name_column: str | None = None
    made_of: str | None = None
    hexmap: HexmapPlacement | None = None
    figures_of: str | None = None


@dataclass(frozen=True)
class Area:
    """A community area made of units of another layer (by name or code) over some months; None is open-ended."""

    layer: str
    code: str
    name: str
    members: tuple[str, ...]
    first: Month | None = None
    last: Month | None = None


@dataclass(frozen=True)
class CrimeType:
    """A crime type: `published` are the offence names that sources give it, `denominator` what its rate is per."""

    key: str
    name: str
    published: tuple[str, ...]
    denominator: str


@dataclass(frozen=True)
class CrimeGroup:
    """Crime types that are counted together, such as serious acquisitive crime."""

    key: str
    name: str
    types: tuple[str, ...]


@dataclass(frozen=True)
class Denominator:
    """What rates are per (residents, households), published by the areas of one layer."""

    key: str
    name: str
    year: int
    layer: str
    file: Path
    source: str
    code_column: str | None = None
    value_column: str | None = None


@dataclass(frozen=True)
class DeprivationFile:
    """An edition of the Indices of Deprivation and the LSOA layer that it is published on."""

    year: int
    layer: str
    file: Path
    source: str


@dataclass(frozen=True)
class ExtractColumns:
    """Which columns of a force's own extract hold what; None where it has no such column."""

    offence: str
    occurred_from: str
    occurred_to: str | None = None
    incident_id: str | None = None
    easting: str | None = None
    northing: str | None = None
    longitude: str | None = None
    latitude: str | None = None
    location: str | None = None
    lsoa_code: str | None = None
    outcome: str | None = None


@dataclass(frozen=True)
class IncidentSource:
    """Files of incidents. Where two sources hold the same month, the one listed later replaces the earlier."""

    format: IncidentFormat
    file: Path
    source: str
    force: str | None = None
    columns: ExtractColumns | None = None
    date_format: str | None = None


@dataclass(frozen=True)
class Lookups:
    """ONS lookups: the exact fit of LSOA 2011 to LSOA 2021, and local authorities to partnerships."""

    lsoa11_to_lsoa21: Path | None = None
    lad_to_csp: Path | None = None


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
    notice: str = ""
    csp: str | None = None
    lad: str | None = None
    smallest_denominator: int = 100

    def find_layer(self, key: str) -> Layer:
        """The layer with this key; raises UserError naming those there are."""
        return _find(self.layers, key, "level")

    def find_denominator(self, key: str) -> Denominator:
        """The denominator with this key; raises UserError naming those there are."""
        return _find(self.denominators, key, "denominator")

    def name_crime(self, key: str) -> str:
        """The name of a crime type or group."""
        return _find((*self.crime_types, *self.crime_groups), key, "crime type").name

    @property
    def type_of_published(self) -> dict[str, str]:
        """Crime type key by offence name as sources publish it, folded to lower case."""
        return {name.casefold(): kind.key for kind in self.crime_types for name in kind.published}


def _find(items: Sequence[Any], key: str, noun: str) -> Any:
    for item in items:
        if item.key == key:
            return item
    raise UserError(f"There is no {noun} {key!r}; choose one of: {', '.join(item.key for item in items)}.")


class _Table:
    """One table of the file: takes keys out by type, and reports what is missing, mistyped or left over."""

    def __init__(self, values: Mapping[str, Any], where: str, problems: list[Problem]) -> None:
        self._values = dict(values)
        self._known: list[str] = []
        self._where = where
        self._problems = problems

    def report(self, what: str, fix: str) -> None:
        self._problems.append(Problem(self._where, what, fix))

    def take(self, key: str, kind: type | tuple[type, ...], default: Any = ..., *, words: str) -> Any:
        self._known.append(key)
        if key not in self._values:
            if default is ...:
                self.report(f"{key} is missing", f"add {key} = {words}")
                return None
            return default
        value = self._values.pop(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.report(f"{key} is {value!r}", f"write {words}")
            return None if default is ... else default
        return value

    def text(self, key: str, default: Any = ...) -> Any:
        value = self.take(key, str, default, words='text in quotes, such as "Luton"')
        if value == "" and default is ...:
            self.report(f"{key} is empty", "write a name")
        return value

    def key(self, key: str = "key") -> Any:
        value = self.text(key)
        if value and not _KEY.fullmatch(value):
            self.report(
                f"{key} is {value!r}", "use small letters, digits and hyphens, starting with a letter"
            )
        return value or ""

    def texts(self, key: str, default: Any = ...) -> tuple[str, ...]:
        values = self.take(key, list, default, words='a list of texts, such as ["Dallow", "Farley"]')
        if values and not all(isinstance(value, str) for value in values):
            self.report(f"{key} holds something that is not text", "put each entry in quotes")
            return ()
        return tuple(values or ())

    def month(self, key: str) -> Month | None:
        text = self.text(key, None)
        if text is None:
            return None
        try:
            return Month.parse(text)
        except UserError as error:
            self.report(f"{key}: {error}", 'write it as "YYYY-MM"')
            return None

    def number(self, key: str, default: Any = ...) -> Any:
        return self.take(key, (int, float), default, words="a number")

    def whole(self, key: str, default: Any = ...) -> Any:
        return self.take(key, int, default, words="a whole number")

    def tables(self, key: str) -> list["_Table"]:
        values = self.take(key, list, [], words=f"[[{key}]] tables")
        return [self._sub(value, f"[[{key}]] {number}") for number, value in enumerate(values, 1)]

    def table(self, key: str) -> "_Table | None":
        values = self.take(key, dict, None, words=f"a [{key}] table")
        return None if values is None else self._sub(values, f"[{key}]")

    def _sub(self, value: object, suffix: str) -> "_Table":
        inner = value if isinstance(value, dict) else {}
        name = inner.get("key") or inner.get("name")
        named = f' "{name}"' if isinstance(name, str) else ""
        return _Table(inner, f"{self._where} {suffix}{named}", self._problems)

    def finish(self) -> None:
        for key in self._values:
            close = difflib.get_close_matches(key, self._known, n=1)
            fix = f"did you mean {close[0]}?" if close else f"remove it; known are {', '.join(self._known)}"
            self.report(f"{key} is not a key of this table", fix.rstrip("?") if not close else fix[:-1])


def load_partnership(path: Path, *, data: Path | None = None) -> Partnership:
    """Read and check `partnership.toml`.

    `data` is the folder that file names resolve against, by default the file's own. Raises PartnershipError with
    every mistake found. That the files named exist is checked here; what is in them is the loaders' business.
    """
    try:
        with path.open("rb") as stream:
            values = tomllib.load(stream)
    except OSError as error:
        raise UserError(f"{path} cannot be opened ({error.strerror}); check the name.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PartnershipError(
            [Problem(path.name, f"not valid TOML ({error})", "correct that line")]
        ) from error
    folder = path.parent if data is None else data
    if not folder.is_dir():
        raise UserError(f"The data folder {folder} is not there; name an existing one with --data.")
    problems: list[Problem] = []
    partnership = _read(_Table(values, path.name, problems), folder, problems)
    if problems:
        raise PartnershipError(problems)
    return partnership


def _read(top: _Table, folder: Path, problems: list[Problem]) -> Partnership:
    def resolve(table: _Table, *, optional: bool = False, key: str = "file") -> Path | None:
        text = table.text(key, None if optional else ...)
        if not text:
            return None
        file = folder / text
        found = any(folder.glob(text)) if any(sign in text for sign in "*?[") else file.exists()
        if not found:
            table.report(
                f"{text} is not in {folder}", "put the file there, or name another folder with --data"
            )
        return file

    head = top.table("partnership") or _Table({}, "partnership.toml [partnership]", problems)
    denominators = tuple(_read_denominator(table, resolve) for table in top.tables("denominators"))
    crime_types = tuple(_read_crime_type(table, denominators) for table in top.tables("crime_types"))
    layers = tuple(_read_layer(table, resolve) for table in top.tables("layers"))
    areas = tuple(_read_area(table) for table in top.tables("areas"))
    groups = tuple(_read_group(table) for table in top.tables("crime_groups"))
    deprivation = tuple(_read_deprivation(table, resolve) for table in top.tables("deprivation"))
    incidents = tuple(_read_incidents(table, resolve) for table in top.tables("incidents"))
    lookups = _read_lookups(top.table("lookups"), resolve)
    if not crime_types:
        crime_types = _police_uk_types(denominators)
    partnership = Partnership(
        name=head.text("name") or "",
        place=head.text("place") or "",
        boundary=head.text("boundary") or "",
        notice=head.text("notice", ""),
        csp=head.text("csp", None),
        lad=head.text("lad", None),
        licences=head.texts("licences", ()),
        smallest_denominator=head.whole("smallest_denominator", 100),
        layers=layers,
        areas=areas,
        crime_types=crime_types,
        crime_groups=groups,
        denominators=denominators,
        deprivation=deprivation,
        incidents=incidents,
        lookups=lookups,
    )
    head.finish()
    top.finish()
    if not problems:
        problems.extend(_check(partnership))
    return partnership


_Resolve = Callable[..., Path | None]


def _read_layer(table: _Table, resolve: _Resolve) -> Layer:
    key = table.key()
    name = table.text("name") or ""
    hexmap = None
    placement = table.table("hexmap")
    if placement is not None:
        easting, northing = placement.number("easting"), placement.number("northing")
        hectares = placement.number("hectares")
        placement.finish()
        if None not in (easting, northing, hectares):
            hexmap = HexmapPlacement(easting, northing, hectares)
    layer = Layer(
        key=key,
        name=name,
        plural=table.text("plural", f"{name.lower()}s"),
        file=resolve(table, optional=True),
        codes=table.text("codes", None),
        code_column=table.text("code_column", None),
        name_column=table.text("name_column", None),
        made_of=table.text("made_of", None),
        hexmap=hexmap,
        figures_of=table.text("figures_of", None),
    )
    if (layer.file is None) == (layer.made_of is None):
        table.report("a layer is read from a file or made of another layer", "give either file or made_of")
    if layer.file is not None and (layer.file.suffix == ".hexjson") != (hexmap is not None):
        table.report(
            "a hexagon map needs its place on the ground, and only a hexagon map does",
            "give [layers.hexmap] with easting, northing and hectares to a .hexjson file",
        )
    table.finish()
    return layer


def _read_area(table: _Table) -> Area:
    name = table.text("name") or ""
    area = Area(
        layer=table.text("layer", "area"),
        code=table.text("code", re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")),
        name=name,
        members=table.texts("wards"),
        first=table.month("from"),
        last=table.month("to"),
    )
    if area.first and area.last and area.last < area.first:
        table.report(f"ends ({area.last}) before it starts ({area.first})", "correct from and to")
    table.finish()
    return area


def _read_crime_type(table: _Table, denominators: Sequence[Denominator]) -> CrimeType:
    name = table.text("name") or ""
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


def _read_group(table: _Table) -> CrimeGroup:
    group = CrimeGroup(key=table.key(), name=table.text("name") or "", types=table.texts("types"))
    table.finish()
    return group


def _read_denominator(table: _Table, resolve: _Resolve) -> Denominator:
    denominator = Denominator(
        key=table.key(),
        name=table.text("name") or "",
        year=table.whole("year") or 0,
        layer=table.text("layer") or "",
        file=resolve(table) or Path(),
        source=table.text("source") or "",
        code_column=table.text("code_column", None),
        value_column=table.text("value_column", None),
    )
    table.finish()
    return denominator


def _read_deprivation(table: _Table, resolve: _Resolve) -> DeprivationFile:
    deprivation = DeprivationFile(
        year=table.whole("year") or 0,
        layer=table.text("layer") or "",
        file=resolve(table) or Path(),
        source=table.text("source") or "",
    )
    table.finish()
    return deprivation


def _read_incidents(table: _Table, resolve: _Resolve) -> IncidentSource:
    kind = table.text("format")
    if kind not in (None, "police.uk", "extract"):
        table.report(f"format is {kind!r}", 'write "police.uk" or "extract"')
    columns = table.table("columns")
    source = IncidentSource(
        format=kind or "police.uk",
        file=resolve(table) or Path(),
        source=table.text("source") or "",
        force=table.text("force", None),
        columns=None if columns is None else _read_columns(columns),
        date_format=table.text("date_format", None),
    )
    if kind == "police.uk" and source.force is None:
        table.report("force is missing", 'add the force as in the file names, such as force = "bedfordshire"')
    if kind == "extract" and source.columns is None:
        table.report("an extract needs its columns named", "add an [incidents.columns] table")
    table.finish()
    return source


def _read_columns(table: _Table) -> ExtractColumns:
    columns = ExtractColumns(
        offence=table.text("offence") or "",
        occurred_from=table.text("occurred_from") or "",
        **{
            key: table.text(key, None)
            for key in ExtractColumns.__dataclass_fields__
            if key not in {"offence", "occurred_from"}
        },
    )
    grid = columns.easting is not None and columns.northing is not None
    globe = columns.longitude is not None and columns.latitude is not None
    if grid == globe:
        table.report("positions are not named", "name easting and northing, or longitude and latitude")
    table.finish()
    return columns


def _read_lookups(table: _Table | None, resolve: _Resolve) -> Lookups:
    if table is None:
        return Lookups()
    lookups = Lookups(
        resolve(table, optional=True, key="lsoa11_to_lsoa21"), resolve(table, optional=True, key="lad_to_csp")
    )
    table.finish()
    return lookups


def _check(partnership: Partnership) -> list[Problem]:
    """What only shows when the tables are held against each other."""
    problems: list[Problem] = []

    def report(where: str, what: str, fix: str) -> None:
        problems.append(Problem(f"partnership.toml {where}", what, fix))

    layers = {layer.key: layer for layer in partnership.layers}
    types = {kind.key for kind in partnership.crime_types}
    denominators = {item.key for item in partnership.denominators}
    for noun, keys in (
        ("layers", [layer.key for layer in partnership.layers]),
        (
            "crime types and groups",
            [item.key for item in (*partnership.crime_types, *partnership.crime_groups)],
        ),
        ("denominators", [item.key for item in partnership.denominators]),
    ):
        for key, times in Counter(keys).items():
            if times > 1:
                report(f"[[{noun}]]", f"the key {key!r} is given {times} times", "give each its own")
    for noun, items in (
        ("layers", partnership.layers),
        ("denominators", partnership.denominators),
        ("incidents", partnership.incidents),
    ):
        if not items:
            report(f"[[{noun}]]", "there are none", f"add at least one [[{noun}]] table")
    if partnership.boundary not in layers:
        report(
            "[partnership]",
            f"boundary is {partnership.boundary!r}",
            "name the layer whose union is the partnership",
        )
    for layer in partnership.layers:
        for role, key in (("made_of", layer.made_of), ("figures_of", layer.figures_of)):
            if key is not None and (key not in layers or layers[key].file is None):
                report(
                    f"[[layers]] {layer.key!r}", f"{role} is {key!r}", "name a layer that is read from a file"
                )
        if layer.made_of and not any(area.layer == layer.key for area in partnership.areas):
            report(f"[[layers]] {layer.key!r}", "has no areas", "add [[areas]] tables with this layer")
    for area in partnership.areas:
        if area.layer not in layers or layers[area.layer].made_of is None:
            report(f"[[areas]] {area.name!r}", f"layer is {area.layer!r}", "name a layer that has made_of")
    for item in (*partnership.denominators, *partnership.deprivation):
        if item.layer not in layers or layers[item.layer].file is None:
            report(f"{item.file.name}", f"layer is {item.layer!r}", "name a layer that is read from a file")
    for kind in partnership.crime_types:
        if kind.denominator not in denominators:
            report(
                f"[[crime_types]] {kind.key!r}",
                f"denominator is {kind.denominator!r}",
                "name one that is given",
            )
    published = Counter(name.casefold() for kind in partnership.crime_types for name in kind.published)
    for name, times in published.items():
        if times > 1:
            report("[[crime_types]]", f"{name!r} is published as {times} types", "give it to one of them")
    for group in partnership.crime_groups:
        for key in group.types:
            if key not in types:
                report(f"[[crime_groups]] {group.key!r}", f"{key!r} is not a crime type", "correct the list")
    return problems
