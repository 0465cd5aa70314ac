"""What is wrong with a partnership file that only shows when its tables are held against each other."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from cspmap.errors import Problem

if TYPE_CHECKING:
    from cspmap.partnership import Partnership

_Check = Callable[["Partnership"], Iterator[Problem]]


def find_contradictions(partnership: "Partnership", file: str) -> list[Problem]:
    """All contradictions between the tables of a partnership file; `file` is its name in the messages.

    What could not be read is empty by now and has been reported, so nothing is said about it again.
    """
    checks: tuple[_Check, ...] = (
        _check_repeats,
        _check_layers,
        _check_areas,
        _check_memberships,
        _check_denominators,
        _check_crimes,
        _check_priorities,
    )
    found = [problem for check in checks for problem in check(partnership)]
    return [Problem(f"{file} {problem.where}", problem.what, problem.fix) for problem in found]


def _repeated(keys: Iterable[str]) -> list[tuple[str, int]]:
    return [(key, times) for key, times in Counter(keys).items() if times > 1 and key]


def _check_repeats(partnership: "Partnership") -> Iterator[Problem]:
    crimes = [*(kind.key for kind in partnership.crime_types), *(group.key for group in partnership.crime_groups)]
    for where, keys in (
        ("[[layers]]", [layer.key for layer in partnership.layers]),
        ("[[crime_types]] and [[crime_groups]]", crimes),
        ("[[denominators]]", [item.key for item in partnership.denominators]),
    ):
        for key, times in _repeated(keys):
            yield Problem(where, f"the key {key!r} is given {times} times", "give each its own")
    for year, times in _repeated(str(item.year or "") for item in partnership.deprivation):
        yield Problem("[[deprivation]]", f"the year {year} is given {times} times", "keep one edition of a year")


def _check_layers(partnership: "Partnership") -> Iterator[Problem]:
    layers = {layer.key: layer for layer in partnership.layers}
    if "" in layers or not layers:
        return
    counted = [layer.key for layer in partnership.layers if layer.figures_of is None]
    if partnership.boundary and partnership.boundary not in counted:
        yield Problem(
            "[partnership]",
            f"boundary is {partnership.boundary!r}",
            f"name the layer whose areas make up the partnership, one of {', '.join(counted)}",
        )
    read = [key for key in counted if layers[key].made_of is None]
    named = [
        *((f"[[layers]] {item.key!r}", "made_of", item.made_of) for item in partnership.layers),
        *((f"[[layers]] {item.key!r}", "figures_of", item.figures_of) for item in partnership.layers),
        *((f"[[denominators]] {item.key!r}", "layer", item.layer) for item in partnership.denominators),
        *((f"[[deprivation]] {item.year}", "layer", item.layer) for item in partnership.deprivation),
    ]
    for where, role, key in named:
        if key and key not in read:
            yield Problem(
                where, f"{role} is {key!r}", f"name a layer that is read from a file, one of {', '.join(read)}"
            )


def _check_areas(partnership: "Partnership") -> Iterator[Problem]:
    made = [layer.key for layer in partnership.layers if layer.made_of is not None]
    for key in made:
        if not any(area.layer == key for area in partnership.areas):
            yield Problem(f"[[layers]] {key!r}", "it has no areas", f"add [[areas]] tables with layer = {key!r}")
    for area in partnership.areas:
        if area.layer not in made:
            fix = f"name a layer that has made_of, one of {', '.join(made)}" if made else "add a layer with made_of"
            yield Problem(f"[[areas]] {area.name!r}", f"layer is {area.layer!r}", fix)


def _check_memberships(partnership: "Partnership") -> Iterator[Problem]:
    """An area may be listed again for other months; no ward is in two areas at once."""
    for one, other in combinations(partnership.areas, 2):
        if one.layer != other.layer:
            continue
        where = f"[[areas]] {one.name!r} and {other.name!r}"
        if one.code == other.code and one.name != other.name:
            yield Problem(where, f"both have the code {one.code!r}", "give each a code of its own")
        if not one.overlaps(other):
            continue
        if one.code == other.code and one.name == other.name:
            yield Problem(where, "it is listed twice for the same months", "give from and to, or join the two lists")
        folded = {ward.strip().casefold() for ward in other.members}
        for ward in one.members:
            if ward.strip().casefold() in folded and one.code != other.code:
                yield Problem(where, f"{ward!r} is in both in the same months", "leave it in one, or give from and to")


def _check_denominators(partnership: "Partnership") -> Iterator[Problem]:
    keys = [item.key for item in partnership.denominators]
    if "" in keys or not keys:
        return
    for kind in partnership.crime_types:
        if kind.denominator and kind.denominator not in keys:
            yield Problem(
                f"[[crime_types]] {kind.key!r}",
                f"denominator is {kind.denominator!r}",
                f"name one that is given, {' or '.join(keys)}",
            )


def _check_crimes(partnership: "Partnership") -> Iterator[Problem]:
    types_of: dict[str, list[str]] = {}
    for kind in partnership.crime_types:
        for name in dict.fromkeys(name.strip().casefold() for name in kind.published):
            types_of.setdefault(name, []).append(kind.key)
    for name, keys in types_of.items():
        if name and len(keys) > 1:
            yield Problem("[[crime_types]]", f"{name!r} is published as {' and '.join(keys)}", "give it to one of them")
    known = {kind.key for kind in partnership.crime_types}
    if "" in known:
        return
    for group in partnership.crime_groups:
        for key in group.types:
            if key not in known:
                yield Problem(
                    f"[[crime_groups]] {group.key!r}",
                    f"{key!r} is not a crime type",
                    f"name some of {', '.join(sorted(known))}",
                )


def _check_priorities(partnership: "Partnership") -> Iterator[Problem]:
    crimes = [category.crime for category in partnership.priorities.categories]
    for crime, times in _repeated(crimes):
        yield Problem("[priorities]", f"the crime {crime!r} is listed {times} times", "keep one of them")
    for crime in crimes:
        if crime and crime not in partnership.crime_names:
            fix = f"name some of {', '.join(sorted(partnership.crime_names))}"
            yield Problem("[priorities]", f"{crime!r} is not a crime type or group", fix)
