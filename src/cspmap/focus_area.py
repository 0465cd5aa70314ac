"""Areas of focus over a store: what every unit of a level holds, and what a chosen set of them comes to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cspmap.analysis.change import Verdict
from cspmap.analysis.contiguity import Contiguity, find_contiguity
from cspmap.analysis.focus import AreaFigures, describe_area
from cspmap.analysis.measures import as_floats
from cspmap.errors import UserError
from cspmap.periods import Month, Span
from cspmap.query import Query

if TYPE_CHECKING:
    import geopandas as gpd

# The whole partnership among the codes of a level.
WHOLE = ""
RESIDENTS, HOUSEHOLDS = "residents", "households"


@dataclass(frozen=True)
class Aim:
    """What a focus area is to catch: incidents of some crime types over a span, each counting as its harm weighs.

    `types` are keys of crime types; `weights` pairs of such a key and a number, 0 or more. A type without counts 1.
    """

    span: Span
    types: tuple[str, ...]
    weights: tuple[tuple[str, float], ...] = ()

    @property
    def weighted(self) -> bool:
        """Whether any type counts otherwise than 1."""
        return any(weight != 1 for key, weight in self.weights if key in self.types)

    def weigh(self, counts: pd.DataFrame) -> pd.Series:
        """Counts by crime type (columns) added up by weight; missing where a count is."""
        weights = pd.Series(dict(self.weights), dtype=float).reindex(list(self.types)).fillna(1.0)
        return (counts[list(self.types)] * weights).sum(axis=1, skipna=False)


@dataclass(frozen=True, eq=False)
class FocusGround:
    """The units of a level and all that is known of them; read once, shared, and not to be changed.

    `units` is the layer (code, name, geometry in EPSG:27700). `people` has a row for each code and a column for each
    denominator. `deprivation` is by code what `Query.read_deprivation` gives, empty where none is loaded, of
    `edition`. `counts` are as `Query.count_series` gives them, a set for each crime type.
    """

    level: str
    units: "gpd.GeoDataFrame"
    contiguity: Contiguity
    people: pd.DataFrame
    deprivation: pd.DataFrame
    edition: int | None
    counts: pd.DataFrame

    @property
    def codes(self) -> tuple[str, ...]:
        """The units' codes, in the order of the layer."""
        return self.contiguity.codes

    @property
    def names(self) -> dict[str, str]:
        """The units' names by code."""
        return dict(zip(self.units["code"], self.units["name"], strict=True))

    @property
    def residents(self) -> pd.Series | None:
        """Residents by code; None where the store holds none."""
        return self.people.get(RESIDENTS)

    def list_loaded(self, span: Span) -> list[Month]:
        """The months of a span that are loaded."""
        known = self.counts[self.counts.columns[0]].dropna().index
        return [month for month in map(Month.parse, known) if month in span]

    def count(self, span: Span) -> pd.DataFrame:
        """Incidents over the loaded months of a span: a row for each code and WHOLE, a column for each crime type.

        Missing where no month of the span is loaded.
        """
        sums = self.counts.loc[str(span.first) : str(span.last)].sum(min_count=1)
        return sums.unstack(level="crimes")

    def weigh(self, aim: Aim, span: Span | None = None) -> pd.Series:
        """What each unit holds of an aim, over the aim's span or another: a Series by code, WHOLE among them."""
        return aim.weigh(self.count(aim.span if span is None else span))


def read_ground(query: Query, level: str) -> FocusGround:
    """The units of a level with their neighbours, people, deprivation and counts.

    Raises UserError where the level only redraws another on hexagons: such units lie side by side on paper alone.
    """
    store, partnership = query.store, query.store.partnership
    layer = partnership.find_layer(level)
    if layer.figures_of is not None:
        raise UserError(
            f"{layer.name} redraws the areas of another level and says nothing of who lies beside whom; "
            f"choose {layer.figures_of}."
        )
    units = store.read_layer(level)[["code", "name", "geometry"]]
    codes = list(units["code"])
    held = query.read_denominators(level)
    edition = max((item.year for item in partnership.deprivation if item.layer == level), default=None)
    if edition is None:
        edition = max((item.year for item in partnership.deprivation), default=None)
    deprivation = pd.DataFrame(columns=["score", "fifth"], dtype=float)
    if edition is not None:
        deprivation = query.read_deprivation(level, edition).set_index("code")
    return FocusGround(
        level=level,
        units=units,
        contiguity=find_contiguity(units),
        people=held.pivot(index="code", columns="denominator", values="value").reindex(codes),
        deprivation=deprivation.reindex(codes),
        edition=edition,
        counts=query.count_series(level, {kind.key: [kind.key] for kind in partnership.crime_types}),
    )


@dataclass(frozen=True)
class Catch:
    """What of an aim a set of units holds over a span; `share` is of the whole partnership, 0 to 1.

    `months` are those of the span that are loaded. None where nothing is known, or there is nothing to share, or where
    the disclosure rule lets neither out (`withheld`). `rounded` where both are of rounded counts.
    """

    span: Span
    months: tuple[Month, ...]
    captured: float | None
    share: float | None
    withheld: bool = False
    rounded: bool = False


@dataclass(frozen=True)
class ChosenArea:
    """What a chosen set of units comes to.

    `figures` are of the aim over its span; `catch` is the same beside the whole partnership, whose incidents without a
    location count in no unit, and `later` over the months after, None where none is loaded. `people` are the sums of
    each denominator, with their share of all (both None where a unit's are not known). `types` has crime_type (key),
    count, before and share, for every type of the aim, and withheld and withheld_before: whether the disclosure rule
    withholds either count. `count` and `before` are of all of them together, None where not known or withheld.
    `verdict` is what their change is worth where that was judged before they were rounded. `deprivation` has the
    resident-weighted mean `score` and the share of residents in England's most deprived `fifth`; None where not known.
    """

    figures: AreaFigures
    catch: Catch
    later: Catch | None
    people: Mapping[str, tuple[float | None, float | None]]
    types: pd.DataFrame
    deprivation: Mapping[str, float | None]
    count: float | None = None
    before: float | None = None
    withheld: bool = False
    withheld_before: bool = False
    verdict: Verdict | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """The units, in the order of the layer."""
        return self.figures.codes


def describe_choice(ground: FocusGround, aim: Aim, codes: Collection[str], *, before: Span) -> ChosenArea:
    """The figures of a set of units, its crimes by type set beside those of the span `before`: as they are counted.

    What the partnership's disclosure rule lets out of them is for `focus_published.publish_choice` to tell.

    Raises UserError where no unit is given, or one that is not of the level.
    """
    figures = describe_area(
        ground.units, codes, ground.weigh(aim), residents=ground.residents, contiguity=ground.contiguity
    )
    chosen = list(figures.codes)
    later = find_later(ground, aim.span)
    types = _count_types(ground, aim, chosen, before)
    return ChosenArea(
        figures=figures,
        catch=catch(ground, aim, chosen, aim.span),
        later=None if later is None else catch(ground, aim, chosen, later),
        people={str(key): _add_people(ground.people[key], chosen) for key in ground.people.columns},
        types=types,
        deprivation={name: _average(ground, name, chosen) for name in ("score", "fifth")},
        count=_add_known(types["count"]),
        before=_add_known(types["before"]),
    )


def catch(ground: FocusGround, aim: Aim, codes: Sequence[str], span: Span) -> Catch:
    """What of an aim some units hold over a span."""
    months = tuple(ground.list_loaded(span))
    if not months:
        return Catch(span, (), None, None)
    held = ground.weigh(aim, span)
    captured, total = float(held.loc[list(codes)].sum()), float(held.loc[WHOLE])
    return Catch(span, months, captured, captured / total if total else None)


def find_later(ground: FocusGround, span: Span) -> Span | None:
    """The months after a span that an area chosen on it can be judged by: as many as it has, or all that are loaded.

    None where none is.
    """
    after = span.shift(len(span))
    loaded = ground.list_loaded(after)
    return Span(after.first, loaded[-1]) if loaded else None


def trace_months(ground: FocusGround, aim: Aim, codes: Sequence[str], span: Span) -> pd.DataFrame:
    """Incidents of the aim's types by month in some units together. Columns: month, count (missing: not loaded)."""
    pairs = [(key, code) for key in aim.types for code in codes]
    months = [str(month) for month in span]
    counts = ground.counts.reindex(months)[pairs].sum(axis=1, skipna=False)
    return pd.DataFrame({"month": months, "count": pd.array(counts.to_numpy(), dtype="Float64").astype("Int64")})


def _count_types(ground: FocusGround, aim: Aim, codes: list[str], before: Span) -> pd.DataFrame:
    now, earlier = ground.count(aim.span), ground.count(before)
    types = list(aim.types)
    count = now.loc[codes, types].sum(min_count=len(codes))
    whole = now.loc[WHOLE, types]
    return pd.DataFrame(
        {
            "crime_type": types,
            "count": count.to_numpy(),
            "before": earlier.loc[codes, types].sum(min_count=len(codes)).to_numpy(),
            "share": count.to_numpy() / np.where(whole.to_numpy() > 0, whole.to_numpy(), np.nan),
            "withheld": False,
            "withheld_before": False,
        }
    )


def _add_known(counts: pd.Series) -> float | None:
    return None if counts.isna().any() else float(counts.sum())


def _add_people(people: pd.Series, codes: list[str]) -> tuple[float | None, float | None]:
    living, everybody = people.loc[codes], people
    if living.isna().any():
        return None, None
    total = float(living.sum())
    return total, total / float(everybody.sum()) if everybody.notna().all() and everybody.sum() else None


def _average(ground: FocusGround, name: str, codes: list[str]) -> float | None:
    """The mean of a figure of deprivation over some units, each weighing as many as live there."""
    if ground.residents is None:
        return None
    values, people = as_floats(ground.deprivation[name].loc[codes]), as_floats(ground.residents.loc[codes])
    if np.isnan(values).any() or np.isnan(people).any() or not people.sum():
        return None
    return float((values * people).sum() / people.sum())


@dataclass(frozen=True)
class Inside:
    """The units that an outline comes to. `largest` where none has its larger part inside, so that the one unit is
    given that holds the largest part of the outline."""

    codes: tuple[str, ...]
    largest: bool


def select_inside(ground: FocusGround, outline: Any) -> Inside:
    """The units whose larger part lies inside an outline (a polygon in EPSG:27700).

    Raises UserError where the outline lies beyond all units.
    """
    import shapely

    shapes = ground.units.geometry.to_numpy()
    shared = shapely.area(shapely.intersection(shapes, outline))
    if not shared.max(initial=0) > 0:
        raise UserError(
            "The outline lies outside every area of this level; draw it on the map, or check that longitude is first."
        )
    inside = np.flatnonzero(shared > shapely.area(shapes) / 2)
    places = inside if len(inside) else np.array([shared.argmax()])
    return Inside(tuple(ground.codes[place] for place in places), not len(inside))


def join_units(ground: FocusGround, codes: Collection[str]) -> Any:
    """The units as one shape, in EPSG:27700."""
    import shapely

    return shapely.union_all(ground.units.geometry[ground.units["code"].isin(set(codes))].to_numpy())


def find_touched(ground: FocusGround, codes: Collection[str], other: "gpd.GeoDataFrame") -> dict[str, float]:
    """The areas of another layer that the units reach into: what share of each they cover, the largest first.

    Less than a hundredth is a difference in how borders are drawn, and left out.
    """
    import shapely

    shapes = other.geometry.to_numpy()
    covered = shapely.area(shapely.intersection(shapes, join_units(ground, codes))) / shapely.area(shapes)
    pairs = sorted(zip(covered.tolist(), other["code"], strict=True), key=lambda pair: (-pair[0], pair[1]))
    return {str(code): share for share, code in pairs if share >= 0.01}
