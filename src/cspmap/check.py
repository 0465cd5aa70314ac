"""Check a partnership file and every file that it names, so that all faults can be put right before a build.

Each file is tried on its own: a fault in one keeps no other from being looked at.
"""

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cspmap.codes import LAST_LSOA11, LSOA11, LSOA21, CodeType, recognise_lsoa_vintage
from cspmap.errors import PartnershipError, Problem, ProblemsError, UserError
from cspmap.layers import match_twins, read_layer
from cspmap.partnership import IncidentSource, Layer, Partnership, load_partnership
from cspmap.periods import Month
from cspmap.sources.boundaries import dissolve_areas, note_left_out
from cspmap.sources.boundary_codes import list_briefly
from cspmap.sources.denominators import read_denominator
from cspmap.sources.deprivation import OVERALL, read_indices
from cspmap.sources.incidents import MonthHolders, list_parts, note_unread
from cspmap.sources.indicator_file import read_indicators
from cspmap.sources.lookups import read_csps, read_retired_lsoas
from cspmap.sources.recorded_crime import read_members, read_recorded_crime
from cspmap.sources.scanning_file import read_scanning_chart
from cspmap.sources.target_file import read_targets

if TYPE_CHECKING:
    import geopandas as gpd

_Item = TypeVar("_Item")
_Read = TypeVar("_Read")


def check_partnership(path: Path, *, data: Path | None) -> tuple[list[Problem], list[str]]:
    """All problems of a partnership file and the files it names, and notes on what is no fault but worth knowing.

    `data` is the folder that file names resolve against, by default the file's own. Raises UserError only where the
    partnership file or that folder is not there.
    """
    findings = _Findings()
    try:
        partnership = load_partnership(path, data=data)
    except PartnershipError as error:
        findings.problems.extend(error.problems)
        try:
            # Where files are all that is missing, those that are there can still be looked at.
            partnership = load_partnership(path, data=data, need_files=False)
        except PartnershipError:
            return findings.problems, findings.notes
    layers = _check_layers(partnership, findings)
    retired = _check_lookups(partnership, path.name, findings)
    _check_denominators(partnership, layers, retired, findings)
    _check_deprivation(partnership, layers, retired, findings)
    for file in partnership.targets:
        _check_targets(file, partnership, findings)
    _check_recorded_crime(partnership, findings)
    for file in partnership.indicators:
        _check_indicators(file, partnership, findings)
    for file in partnership.priorities.charts:
        findings.read(file, read_scanning_chart, file)
    for source in partnership.incidents:
        _check_incidents(source, partnership, findings)
    return list(dict.fromkeys(findings.problems)), list(dict.fromkeys(findings.notes))


@dataclass
class _Findings:
    """What has been found so far."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def collect(self, where: str) -> Iterator[None]:
        """Take down the problems that are raised inside, as of `where` if they do not say."""
        try:
            yield
        except ProblemsError as error:
            self.problems.extend(error.problems)
        except UserError as error:
            what, _, fix = str(error).removesuffix(".").partition("; ")
            self.problems.append(Problem(where, what, fix or "correct it"))

    def read(self, file: Path | None, read: Callable[[_Item], _Read], item: _Item) -> _Read | None:
        """What `read` makes of an item, or None where its file is not there (as has been reported) or has problems."""
        if file is None or not file.exists():
            return None
        with self.collect(file.name):
            return read(item)
        return None


@dataclass(frozen=True)
class _Home:
    """A layer that was read."""

    layer: Layer
    frame: "gpd.GeoDataFrame"
    code_type: CodeType | None


def _check_layers(partnership: Partnership, findings: _Findings) -> dict[str, _Home]:
    homes: dict[str, _Home] = {}
    for layer in partnership.layers:
        found = findings.read(layer.file, read_layer, layer)
        if found is not None:
            frame, code_type, notes = found
            homes[layer.key] = _Home(layer, frame, code_type)
            findings.notes.extend(f"{layer.name}: {note}" for note in notes)
    for layer in partnership.layers:
        if layer.made_of in homes:
            wards = homes[layer.made_of].frame
            areas = [area for area in partnership.areas if area.layer == layer.key]
            with findings.collect(f"[[layers]] {layer.key!r}"):
                dissolve_areas(wards, areas)
                findings.notes.extend(f"{layer.name}: {note}" for note in note_left_out(wards, areas))
        if layer.key in homes and layer.figures_of in homes:
            with findings.collect(layer.name):
                findings.notes.extend(match_twins(layer, homes[layer.key].frame, homes[layer.figures_of].frame))
    return homes


def _check_lookups(partnership: Partnership, file: str, findings: _Findings) -> frozenset[str]:
    """Check the lookups, and the partnership's codes against them; returns the LSOA codes retired by 2021."""
    exact, csps = partnership.lookups.lsoa11_to_lsoa21, partnership.lookups.lad_to_csp
    if csps is not None:
        pairs = findings.read(csps, read_csps, csps)
        if pairs is not None:
            known = list(zip(pairs["lad"], pairs["csp"], pairs["csp_name"], strict=True))
            findings.problems.extend(_find_stranger(partnership, known, f"{file} [partnership]", csps.name))
    retired = None if exact is None else findings.read(exact, read_retired_lsoas, exact)
    return retired or frozenset()


def _find_stranger(
    partnership: Partnership, known: list[tuple[str, str, str]], where: str, lookup: str
) -> Iterator[Problem]:
    """Problems where the lookup does not know the partnership's codes, or not as a pair."""
    authorities, partnerships = {lad for lad, _, _ in known}, {csp for _, csp, _ in known}
    for key, code, codes in (("lad", partnership.lad, authorities), ("csp", partnership.csp, partnerships)):
        if code is not None and code not in codes:
            yield Problem(where, f"{key} is {code!r}, which is not in {lookup}", "correct it, or give a newer lookup")
    partners = {csp: name for lad, csp, name in known if lad == partnership.lad}
    if partners and partnership.csp in partnerships - partners.keys():
        what = f"lad is {partnership.lad!r} and csp is {partnership.csp!r}, which are no pair in {lookup}"
        named = " or ".join(f"{csp!r} ({name})" for csp, name in partners.items())
        yield Problem(where, what, f"correct one of them; for this lad, csp is {named}")


def _check_denominators(
    partnership: Partnership, homes: dict[str, _Home], retired: frozenset[str], findings: _Findings
) -> None:
    for item in partnership.denominators:
        table = findings.read(item.file, read_denominator, item)
        if table is not None and item.layer in homes:
            home = homes[item.layer]
            given = set(table.loc[table["value"].notna(), "code"])
            if _check_vintage(item.file.name, set(table["code"]), home, retired, findings):
                _check_cover(item.file.name, given, home, f"number of {item.name}", findings)


def _check_deprivation(
    partnership: Partnership, homes: dict[str, _Home], retired: frozenset[str], findings: _Findings
) -> None:
    for item in partnership.deprivation:
        indices = findings.read(item.file, read_indices, item)
        if indices is None:
            continue
        codes = set(indices.scores.loc[indices.scores["domain"] == OVERALL, "code"])
        if item.layer in homes and _check_vintage(item.file.name, codes, homes[item.layer], retired, findings):
            _check_cover(item.file.name, codes, homes[item.layer], "deprivation", findings)


def _check_vintage(
    file: str, codes: Collection[str], home: _Home, retired: frozenset[str], findings: _Findings
) -> bool:
    """Whether LSOA codes are of the vintage of their layer, as far as they tell; a problem is taken down if not."""
    own = set(home.frame["code"])
    expected = home.code_type or recognise_lsoa_vintage(own, retired=retired)
    if expected not in (LSOA11, LSOA21):
        return True
    before = len(findings.problems)
    with findings.collect(file):
        vintage = recognise_lsoa_vintage(codes, retired=retired)
        new = {code for code in own if LSOA21.matches(code) and int(code[1:]) > LAST_LSOA11[code[0]]}
        if vintage is None and new and own - new <= set(codes):
            # Without the lookup, codes of 2011 are told by what they lack: only what was new in 2021.
            vintage = LSOA11
        if vintage not in (None, expected):
            what = f"its codes are {vintage.words} codes, but layer {home.layer.key!r} has {expected.words} codes"
            findings.problems.append(Problem(file, what, "name the layer of its own vintage, or give the right file"))
    return len(findings.problems) == before


def _check_cover(file: str, codes: Collection[str], home: _Home, words: str, findings: _Findings) -> None:
    """A note on the areas of a layer that a file does not give, or a problem where it gives none of them."""
    own = list(home.frame["code"])
    absent = [code for code in own if code not in codes]
    if len(absent) == len(own):
        what = f"it has none of the {len(own)} areas of layer {home.layer.key!r} (such as {own[0]})"
        findings.problems.append(Problem(file, what, "is it of another vintage, or another place?"))
    elif absent:
        findings.notes.append(
            f"{file}: {len(absent)} of {len(own)} {home.layer.plural} have no {words} there: {list_briefly(absent)}."
        )


def _check_recorded_crime(partnership: Partnership, findings: _Findings) -> None:
    """The members must be in the file; of all that does not add up in it, a note each."""
    group = partnership.recorded_crime
    read = None if group is None else findings.read(group.file, read_recorded_crime, group.file)
    if group is not None and read is not None:
        findings.notes.extend(f"{group.file.name}: {fault.words}" for fault in read.faults)
        with findings.collect(group.file.name):
            read_members(group, partnership.csp)


def _check_targets(file: Path, partnership: Partnership, findings: _Findings) -> None:
    table = findings.read(file, read_targets, file)
    if table is not None:
        crimes = {key for indicator in table.indicators for key in indicator.crimes}
        _note_strange(file, crimes, partnership, findings, "targets for them are shown as printed and not measured")


def _check_indicators(file: Path, partnership: Partnership, findings: _Findings) -> None:
    table = findings.read(file, read_indicators, file)
    if table is not None:
        crimes = {key for measure in table.measures for key in measure.crimes}
        _note_strange(file, crimes, partnership, findings, "no recorded crime is shown beside indicators of them")


def _note_strange(file: Path, crimes: Collection[str], partnership: Partnership, findings: _Findings, so: str) -> None:
    strange = sorted(set(crimes) - set(partnership.crime_names))
    if strange:
        findings.notes.append(f"{file.name}: the partnership has no crime types {list_briefly(strange)}, so {so}.")


def _check_incidents(source: IncidentSource, partnership: Partnership, findings: _Findings) -> None:
    if not source.file.exists() and not any(source.file.parent.glob(source.file.name)):
        return
    holders = MonthHolders()
    with findings.collect(source.file.name):
        findings.notes.extend(note_unread(source))
        for part in list_parts(source, partnership):
            with findings.collect(part.name):
                table = part.read()
                findings.notes.extend(json.loads((table.schema.metadata or {}).get(b"notes", b"[]")))
                months = sorted(map(Month.parse, table["month"].unique().to_pylist()))
                findings.problems.extend(holders.add(part.name, months))
