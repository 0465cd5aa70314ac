"""Ways to share out a target to the areas of a partnership, to be chosen from and compared side by side.

Areas come as a frame whose index is their codes, with `count` (the baseline, whole numbers) and what a method goes by:
`residents`, `households`, `score` (deprivation, higher is more deprived) or `weight` (the partnership's own); `name`,
if it is there, is used in what is said of them. Shares are whole numbers that add up to the target.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.apportionment import ApportionedTable, Wholes, apportion, apportion_table
from cspmap.analysis.measures import Column, Floats, as_floats
from cspmap.errors import UserError

MethodKey: TypeAlias = Literal[
    "baseline", "equal-percentage", "residents", "households", "narrow-gap", "deprivation", "own-weights"
]
Per: TypeAlias = Literal["residents", "households"]
METHOD_KEYS: tuple[MethodKey, ...] = get_args(MethodKey)
# Stands for the areas that carry one target together.
POOL = "(pool)"

METHOD_WORDS: Mapping[MethodKey, str] = {
    "baseline": "in proportion to each area's baseline",
    "equal-percentage": "by the same percentage of each area's own baseline",
    "residents": "in proportion to residents: the same rate asked of every area",
    "households": "in proportion to households: the same rate asked of every area",
    "narrow-gap": "narrowing the gap: the higher an area's rate by {per}, the larger the percentage asked of it",
    "deprivation": "by deprivation: each area's percentage reduction in proportion to its deprivation score",
    "own-weights": "in proportion to the partnership's own weights",
}
# The column that such a method goes by, and what is in it.
_GOES_BY: Mapping[MethodKey, tuple[str, str]] = {
    "residents": ("residents", "a number of residents"),
    "households": ("households", "a number of households"),
    "own-weights": ("weight", "a weight"),
}
_HALVINGS = 200

Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class SharedTarget:
    """A target shared out to areas.

    `frame`: one row an area, in the order given, and a last one, POOL, where some carry a target together: `count`
    (baseline), `unrounded` (the share before rounding), `target` (Int64, missing for an area whose target the pool
    carries) and `carried_by` (the code of the row with its target). The targets and `outside`, what is left to
    incidents that lie in no area, add up to the whole. `words` say how it was done, `notes` what to know of it.
    """

    frame: pd.DataFrame
    method: MethodKey
    words: str
    outside: int = 0
    notes: tuple[str, ...] = ()

    @property
    def targets(self) -> Column:
        """The targets by code, of the pool too, without the areas that carry none."""
        return self.frame["target"].dropna().astype(np.int64)


def share_target(
    total: int,
    areas: pd.DataFrame,
    *,
    method: MethodKey = "baseline",
    whole: int | None = None,
    per: Per = "residents",
    least: float = 0,
) -> SharedTarget:
    """Share out the target number `total` to areas by one method; with a = `count`, A its sum, T = `total`:

    - baseline: T a / A, the largest remainders rounded up, as everywhere here
    - equal-percentage: a T / `whole`, where `whole` is the baseline printed for the partnership (A by default); what
      it has beyond A belongs to incidents in no area, which are left their share
    - residents, households, own-weights: T in proportion to them; an area may be allowed more than its baseline
    - narrow-gap: p a / (p + k a), with p residents or households (`per`): every area has k more of them to an
      incident, so that a rate r falls by the share k r / (1 + k r), rates keep their order and draw together, and no
      area ends above its baseline
    - deprivation: a (1 - min(1, k s)), with s the score: no area ends above its baseline

    with k such that the shares add up to T. Areas whose share before rounding is below `least` carry one target
    together; while that is below `least` too, the next smallest joins them.

    Raises UserError where figures that the method needs are missing or cannot be used, and where there is no reduction
    to weigh: narrow-gap and deprivation need a target no higher than A.
    """
    counts = _take_counts(areas)
    base = float(counts.sum())
    if whole is not None and method != "equal-percentage":
        raise ValueError("whole is for equal-percentage alone")
    if whole is not None and whole < base:
        raise UserError(
            f"The areas' baselines add up to {base:,.0f}, more than the {whole:,} of the whole, so the same percentage "
            "would not add up; share out in proportion to the baseline."
        )
    weights = _METHODS[method](total, areas, counts, per)
    beyond = 0.0 if whole is None else whole - base
    everything = float(weights.sum()) + beyond
    if total and not everything:
        raise UserError(f"{total:,} cannot be shared out: every area has zero to go by; choose another method.")
    unrounded = weights * (total / everything if everything else 0.0)
    pooled = find_small(unrounded, least)
    pools = [weights[pooled].sum()] if pooled.any() else []
    rounded = apportion(total, [*weights[~pooled], *pools, beyond])
    targets = np.zeros(len(areas), dtype=np.int64)
    targets[~pooled] = rounded[: np.count_nonzero(~pooled)]
    outside = int(rounded[-1])
    notes = _describe(_Rounded(counts, targets, pooled, outside), areas, least)
    if pools:
        counts, unrounded = np.append(counts, counts[pooled].sum()), np.append(unrounded, unrounded[pooled].sum())
        targets, pooled = np.append(targets, rounded[-2]), np.append(pooled, False)
    index = areas.index.append(pd.Index([POOL])) if pools else areas.index
    frame = pd.DataFrame(
        {
            "count": counts.astype(np.int64),
            "unrounded": unrounded,
            "target": pd.arrays.IntegerArray(targets, pooled),
            "carried_by": np.where(pooled, POOL, index.to_numpy(dtype=object)),
        },
        index=index,
    )
    return SharedTarget(frame, method, METHOD_WORDS[method].format(per=per), outside, tuple(notes))


@dataclass(frozen=True)
class Comparison:
    """A target shared out by several methods, side by side.

    `frame`: one row an area with `count` and, by each method that could be used, a column of targets (Int64) under the
    method's key; `refused` says why each of the others could not be.
    """

    frame: pd.DataFrame
    refused: Mapping[MethodKey, str]


def compare_methods(
    total: int,
    areas: pd.DataFrame,
    *,
    methods: Sequence[MethodKey] = METHOD_KEYS,
    whole: int | None = None,
    per: Per = "residents",
) -> Comparison:
    """Share out a target by each of several methods, as `share_target` does, without pooling."""
    frame = pd.DataFrame({"count": _take_counts(areas).astype(np.int64)}, index=areas.index)
    refused: dict[MethodKey, str] = {}
    for method in methods:
        own = whole if method == "equal-percentage" else None
        try:
            frame[method] = share_target(total, areas, method=method, whole=own, per=per).frame["target"]
        except UserError as error:
            refused[method] = str(error)
    return Comparison(frame, refused)


def share_down(
    total: int,
    units: pd.DataFrame,
    *,
    levels: Sequence[str],
    method: MethodKey = "baseline",
    per: Per = "residents",
    least: float = 0,
) -> pd.DataFrame:
    """Share out a target level by level, the whole to the largest areas and each area's to its own parts.

    `units` are the smallest areas as for `share_target`; `levels` names the columns that say which larger area each
    lies in, the largest first. Figures of larger areas are sums, deprivation scores means over residents. One row for
    each area and pool of every level, columns level ("unit" for the smallest), parent, code, count, target (Int64) and
    carried_by; on every level the targets add up to the total, and those of an area's parts to its own.

    An area whose target a pool carries has its parts carried by the pool too: they have no rows of their own.
    """
    tables: list[pd.DataFrame] = []

    def share(amount: int, within: pd.DataFrame, depth: int, parent: str) -> None:
        level = levels[depth] if depth < len(levels) else "unit"
        figures = within if depth == len(levels) else _sum_up(within, level)
        shared = share_target(amount, figures, method=method, per=per, least=least).frame
        shared = shared.assign(level=level, parent=parent, code=shared.index.astype(str))
        tables.append(shared[["level", "parent", "code", "count", "target", "carried_by"]])
        if depth < len(levels):
            for code, target in shared["target"].drop(POOL, errors="ignore").dropna().items():
                share(int(target), within[within[level] == code], depth + 1, str(code))

    share(total, units, 0, "")
    order = [*levels, "unit"]
    table = pd.concat(tables, ignore_index=True)
    return table.sort_values("level", key=lambda column: column.map(order.index), kind="stable", ignore_index=True)


def share_types(totals: Column, baselines: pd.DataFrame) -> ApportionedTable:
    """Share out the targets of several crime types to areas at once, in proportion to their baselines.

    `totals` are the targets by type, `baselines` the areas' (rows) of each type (columns). A type's target goes to
    the areas as its baselines do; an area's total is the sum of its shares, rounded so that the areas add up to all
    types together. Rows and columns of the result add up exactly. Raises UserError as `apportion_table` does, and where
    a type has a target and no baseline anywhere.
    """
    base = baselines.sum()
    unshared = [str(name) for name in baselines.columns if totals[name] > 0 and not base[name] > 0]
    if unshared:
        raise UserError(f"{unshared[0]} has a target and no baseline in any area; give it one or leave it out.")
    shares = (baselines / base.where(base > 0, 1)) * totals.reindex(baselines.columns)
    rows = apportion(int(totals.reindex(baselines.columns).sum()), shares.sum(axis=1))
    return apportion_table(rows, totals, shares)


def _sum_up(units: pd.DataFrame, level: str) -> pd.DataFrame:
    """The figures of larger areas from those of the units in them."""
    added = [name for name in ("count", "residents", "households", "weight") if name in units]
    sums: pd.DataFrame = units.groupby(level, sort=False)[added].sum(skipna=False)
    if "score" in units:
        if "residents" not in units:
            raise UserError("Deprivation scores of larger areas are means over residents; give residents too.")
        weighted = (units["score"] * units["residents"]).groupby(units[level]).sum(skipna=False)
        sums["score"] = weighted / sums["residents"].where(sums["residents"] > 0)
    return sums


def _take_counts(areas: pd.DataFrame) -> Floats:
    if areas.index.has_duplicates:
        raise UserError(f"Area {areas.index[areas.index.duplicated()][0]} is given twice; keep one row for each.")
    counts = _take(areas, "count", "a baseline")
    if (broken := counts != np.floor(counts)).any():
        at = int(np.flatnonzero(broken)[0])
        raise UserError(f"The baseline of {_name(areas, at)} is {counts[at]:g}; baselines are whole numbers.")
    return counts


def _take(areas: pd.DataFrame, column: str, words: str) -> Floats:
    if column not in areas:
        raise UserError(f"The areas have no column {column!r}; give each of them {words}, or choose another method.")
    values = as_floats(areas[column])
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if bad.size:
        raise UserError(
            f"{_name(areas, int(bad[0]))} has no usable {column}, got {values[bad[0]]:g}; "
            f"give it {words} of zero or more, or choose another method."
        )
    return values


def _name(areas: pd.DataFrame, place: int) -> str:
    return str(areas["name"].iloc[place] if "name" in areas else areas.index[place])


# What the target is shared out in proportion to, by area.
_Share: TypeAlias = Callable[[int, pd.DataFrame, Floats, Per], Floats]


def _share_baseline(total: int, areas: pd.DataFrame, counts: Floats, per: Per) -> Floats:
    return counts


def _share_by(method: MethodKey) -> _Share:
    def share(total: int, areas: pd.DataFrame, counts: Floats, per: Per) -> Floats:
        return _take(areas, *_GOES_BY[method])

    return share


def _share_gap(total: int, areas: pd.DataFrame, counts: Floats, per: Per) -> Floats:
    people = _take(areas, per, f"a number of {per}")
    _check_reduction(total, counts)
    nobody = np.flatnonzero((people == 0) & (counts > 0))
    if nobody.size:
        raise UserError(f"{_name(areas, int(nobody[0]))} has no {per}, so it has no rate; choose another method.")
    safe = np.where(people > 0, people, 1.0)
    return _solve(total, lambda more: counts * safe / (safe + more * counts), step=safe.sum() / max(counts.sum(), 1.0))


def _share_deprivation(total: int, areas: pd.DataFrame, counts: Floats, per: Per) -> Floats:
    scores = _take(areas, "score", "a deprivation score")
    _check_reduction(total, counts)
    fixed = counts[scores == 0].sum()
    if total < fixed:
        raise UserError(
            f"Areas without any deprivation have {fixed:,.0f} of the baseline, more than the target ({total:,}); "
            "choose another method."
        )
    return _solve(total, lambda slope: counts * (1 - np.minimum(1, slope * scores)), step=1 / max(scores.max(), 1e-300))


def _check_reduction(total: int, base: Floats) -> None:
    if total > base.sum():
        raise UserError(
            f"The target ({total:,}) is above what the areas start from together ({base.sum():,.0f}), so there is no "
            "reduction to weigh; share out in proportion to the baseline."
        )


def _solve(total: int, shares: Callable[[float], Floats], *, step: float) -> Floats:
    """The shares that add up to `total`: they fall from all of the baseline, at 0, towards it as their number grows."""
    low, high = 0.0, step
    if shares(low).sum() <= total:
        return shares(low)
    for _ in range(_HALVINGS):
        if shares(high).sum() <= total:
            break
        low, high = high, high * 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if shares(middle).sum() > total:
            low = middle
        else:
            high = middle
    return shares(low)


_METHODS: Mapping[MethodKey, _Share] = {
    "baseline": _share_baseline,
    "equal-percentage": _share_baseline,
    "residents": _share_by("residents"),
    "households": _share_by("households"),
    "narrow-gap": _share_gap,
    "deprivation": _share_deprivation,
    "own-weights": _share_by("own-weights"),
}


def find_small(shares: Floats, least: float) -> Flags:
    """Which areas carry one target together: those below `least`, and the next smallest while they are so together."""
    order = np.argsort(shares, kind="stable")
    small = int((shares < least).sum())
    while small and shares[order[:small]].sum() < least and small < len(order):
        small += 1
    pooled = np.zeros(len(shares), dtype=np.bool_)
    pooled[order[:small]] = small > 1
    return pooled


@dataclass(frozen=True)
class _Rounded:
    """What a target was shared out into, by area: `targets` are 0 where an area is `pooled`."""

    counts: Floats
    targets: Wholes
    pooled: Flags
    outside: int


def _describe(rounded: _Rounded, areas: pd.DataFrame, least: float) -> list[str]:
    notes = []
    names = areas.get("name", areas.index).to_numpy(dtype=object).astype(str)
    if rounded.pooled.any():
        notes.append(
            f"{rounded.pooled.sum()} areas carry one target together, as some of them alone would have fewer than "
            f"{least:g}: {', '.join(names[rounded.pooled])}."
        )
    above = names[rounded.targets > rounded.counts]
    if len(above):
        notes.append(f"Allowed more than the baseline: {', '.join(above)}.")
    if rounded.outside:
        notes.append(f"{rounded.outside:,} of the whole is left to incidents that lie in no area.")
    return notes
