"""The parts that a partnership is made of, as `partnership.toml` names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cspmap.periods import Month

IncidentFormat = Literal["police.uk", "extract"]
SourceCoverage = Literal["force", "partnership"]
DisclosureRule = Literal["none", "suppress", "round"]

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
    areas. A hexagon map that redraws another layer's areas names it in `figures_of`, and takes its figures.
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

    def overlaps(self, other: "Area") -> bool:
        """Whether there is a month in which both stand."""
        return not any(
            a.last is not None and b.first is not None and a.last < b.first for a, b in ((self, other), (other, self))
        )


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
    """Files of incidents. Where two sources hold the same month, the one listed later replaces the earlier.

    `covers` says whose records they are: the whole force's, or those of the partnership alone.
    """

    format: IncidentFormat
    file: Path
    source: str
    covers: SourceCoverage = "force"
    force: str | None = None
    columns: ExtractColumns | None = None
    date_format: str | None = None


@dataclass(frozen=True)
class Lookups:
    """ONS lookups: the exact fit of LSOA 2011 to LSOA 2021, and local authorities to partnerships."""

    lsoa11_to_lsoa21: Path | None = None
    lad_to_csp: Path | None = None


@dataclass(frozen=True)
class Disclosure:
    """What the partnership publishes of small counts: all of them, none under `threshold`, or rounded to `base`."""

    rule: DisclosureRule = "none"
    threshold: int = 5
    base: int = 5


NO_RULE = Disclosure()
