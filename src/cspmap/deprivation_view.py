"""Deprivation and crime over a store: areas by both, rates by fifth, concentration, and what is usual where.

One edition of the Indices at a time: figures of two never stand in one sum. What is said by fifths rests on the LSOAs
that the edition is published for, and is carried to larger areas by where their residents live.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from cspmap.analysis.bivariate import Crossed, cross_classes
from cspmap.analysis.control_chart import funnel_overdispersion
from cspmap.analysis.deprivation import find_fifth
from cspmap.analysis.inequality import DeprivationCurve, concentration_index, rates_by_fifth
from cspmap.analysis.measures import Floats, rate
from cspmap.analysis.residuals import compare_usual, expect_usual, usual_rates
from cspmap.errors import UserError
from cspmap.exports.deprivation_places import let_out_areas, let_out_places
from cspmap.exports.published import WITHHELD, hides_total, publish
from cspmap.partnership import Denominator, DeprivationFile
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.sources.deprivation import OVERALL
from cspmap.totals import Coverage
from cspmap.views.words import the

# What areas are ranked by: the first of these that is known of any.
Kind: TypeAlias = Literal["score", "rank", "fifth"]
SHARES = ["fifth", "fifth_2", "fifth_3", "fifth_4", "fifth_5"]


@dataclass(frozen=True)
class DeprivationChoice:
    """What is set beside what: incidents of some crimes (none named: all) over a span, and a domain of an edition."""

    span: Span
    level: str
    edition: int
    crimes: tuple[str, ...] = ()
    domain: str = OVERALL

    @property
    def selection(self) -> Selection:
        """What is counted."""
        return Selection(span=self.span, level=self.level, crimes=self.crimes, edition=self.edition)


@dataclass(frozen=True, eq=False)
class DeprivationGround:
    """What stays the same whatever is counted; read once, shared, and not to be changed.

    `areas` has a row for each area of the level, `home` one for each LSOA that the edition is published for: code,
    name, those of `Query.read_deprivation`, and for each denominator (by its key) its value and, as KEY + " method",
    how it came about. `kind` is what the areas can be ranked by, None where nothing is known of their deprivation.
    `whole` is the share of all residents in England's most deprived `tenth` and `fifth`.
    """

    source: DeprivationFile
    level: str
    domain: str
    kind: Kind | None
    areas: pd.DataFrame
    home: pd.DataFrame
    whole: dict[str, float]


@dataclass(frozen=True, eq=False)
class DeprivationPicture:
    """Everything that the page says, as the disclosure rule lets it out; not to be changed.

    - areas: every area of the level: those of the ground, count, people (what the rate is per), people_method, rate
      (per 1,000), suppressed, withheld (whether the count is, by the rule), `deprived` (what it is ranked by; the
      higher the more deprived) and those of `residuals.compare_usual`, of which a withheld area has none. Where the
      rule rounds, figures are of rounded counts and `standing` is as before rounding.
    - crossed: the classes of the areas' `deprived` (across) and `rate` (up)
    - fifths: `inequality.rates_by_fifth` of the edition's LSOAs, with `usual`, the rate that is usual per 1,000, and
      withheld
    - curve: over the same LSOAs, counts that are not let out as `let_out_places` has them
    - spread: by how much areas differ beyond chance, which the limits rest on (`control_chart.funnel_overdispersion`)
    - withheld: whether the partnership's own count is
    """

    choice: DeprivationChoice
    ground: DeprivationGround
    areas: pd.DataFrame
    crossed: Crossed
    fifths: pd.DataFrame
    curve: DeprivationCurve
    coverage: Coverage
    per: Denominator
    spread: float
    withheld: bool = False

    @property
    def kind(self) -> Kind | None:
        """What the areas are ranked by."""
        return self.ground.kind


def list_editions(query: Query) -> dict[int, DeprivationFile]:
    """The editions of the Indices that are loaded, the latest first."""
    items = sorted(query.store.partnership.deprivation, key=lambda item: -item.year)
    return {item.year: item for item in items}


def read_ground(query: Query, level: str, edition: int, domain: str = OVERALL) -> DeprivationGround:
    """Areas with their people and deprivation. Raises UserError where the edition is not loaded."""
    source = list_editions(query).get(edition)
    if source is None:
        raise UserError(f"The Indices of Deprivation {edition} are not loaded; choose an edition that is.")
    home = _describe_areas(query, source.layer, edition, domain)
    areas = home if source.layer == level else _describe_areas(query, level, edition, domain)
    residents = home[query.store.partnership.denominators[0].key].to_numpy(dtype=float)
    return DeprivationGround(source, level, domain, find_kind(areas), areas, home, _sum_up(home, residents))


def make_picture(query: Query, ground: DeprivationGround, choice: DeprivationChoice) -> DeprivationPicture:
    """Work out everything for a choice of the ground's level, edition and domain.

    Raises UserError where no month of the span is loaded.
    """
    published, layer = publish(query), ground.source.layer
    coverage = published.count_coverage(choice.selection)
    if not coverage.loaded:
        raise UserError(f"No month of {the(choice.span.words)} is loaded; choose other months.")
    home, true = _count(query, choice, layer, ground.home)
    areas, counted = (home, true) if layer == choice.level else _count(query, choice, choice.level, ground.areas)
    fifth, people = find_fifth(home["decile"]), home["people"].mask(home["suppressed"])
    counts, gone = let_out_places(query, choice.selection.change(level=layer), home, true)
    usual = usual_rates(fifth, counts, people)
    taken = counts if layer == choice.level else let_out_areas(query, choice.selection, areas, counted)
    compared = _compare(areas, areas["count"] if published.rounds else taken, usual)
    spread = funnel_overdispersion(compared["count"], compared["expected"])
    if published.rounds:
        # A rounding is nothing that could make an area stand out.
        compared["standing"] = _compare(areas, counted, usual_rates(fifth, true, people))["standing"]
    compared.loc[areas[WITHHELD].to_numpy()] = np.nan
    compared["standing"] = compared["standing"].fillna("not known")
    areas = areas.assign(
        deprived=measure_deprivation(areas, ground.kind),
        **{str(name): compared[name].array for name in compared if name != "count"},
    )
    fifths = rates_by_fifth(fifth, counts, people).assign(usual=1000 * usual)
    if published.hides or published.rounds:
        fifths["count"] = fifths["count"].round()
    fifths[gone] = fifths[gone].assign(**dict.fromkeys(("count", "rate", "low", "high", "usual"), np.nan))
    return DeprivationPicture(
        choice=choice,
        ground=ground,
        areas=areas,
        crossed=cross_classes(areas["deprived"], areas["rate"]),
        fifths=fifths.assign(withheld=gone),
        curve=concentration_index(home["rank"], counts, people),
        coverage=coverage,
        per=query.denominator(choice.selection),
        spread=spread,
        withheld=hides_total(coverage, published.rule),
    )


def _compare(areas: pd.DataFrame, counts: pd.Series, usual: pd.Series) -> pd.DataFrame:
    """Some counts of the areas beside what is usual for places as deprived; labelled by their codes."""
    shares = areas[SHARES].set_axis(areas["code"])
    living = areas["people"].mask(areas["suppressed"]).set_axis(areas["code"])
    return compare_usual(counts.set_axis(areas["code"]), expect_usual(shares, living, usual))


def _describe_areas(query: Query, level: str, edition: int, domain: str) -> pd.DataFrame:
    frame = pd.DataFrame({"name": pd.Series(query.name_areas(level), dtype="str")}).rename_axis("code")
    for key, held in query.read_denominators(level).groupby("denominator"):
        held = held.set_index("code").reindex(frame.index)
        frame[str(key)], frame[f"{key} method"] = held["value"].astype(float), held["method"]
    return frame.join(query.read_deprivation(level, edition, domain).set_index("code")).reset_index()


def _count(query: Query, choice: DeprivationChoice, level: str, ground: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """The ground with counts as they are let out, and rates; and the counts before that.

    A count is a number of incidents over the loaded months of the span.
    """
    per, published = query.denominator(choice.selection), publish(query)
    months = pd.DataFrame(query.count_series(level, {"": query.crime_types(choice.selection)})[""])
    counts = months.loc[str(choice.span.first) : str(choice.span.last)].sum(min_count=1)
    true = pd.Series(counts.reindex(ground["code"]).to_numpy(), index=ground.index)
    withheld = pd.Series(False, index=ground.index)
    if published.hides:
        cells = published.count_cells(choice.selection.change(level=level), ()).set_index("code")
        withheld = pd.Series(cells[WITHHELD].reindex(ground["code"]).to_numpy(dtype=bool), index=ground.index)
    people = ground[per.key]
    frame = ground.assign(count=published.let_out(true, withheld).array, people=people)
    frame["people_method"] = ground[f"{per.key} method"]
    frame["suppressed"] = people < query.store.partnership.smallest_denominator
    frame["rate"] = rate(frame["count"], people.mask(frame["suppressed"]))
    frame[WITHHELD] = withheld
    return frame, true


def _sum_up(home: pd.DataFrame, residents: Floats) -> dict[str, float]:
    """Shares of all residents whose LSOA's deprivation is known, by name of the share."""
    known = np.isfinite(residents) & home["decile"].notna().to_numpy()
    if not residents[known].sum() > 0:
        return {"tenth": float("nan"), "fifth": float("nan")}
    return {name: float(np.average(home[name][known], weights=residents[known])) for name in ("tenth", "fifth")}


def find_kind(areas: pd.DataFrame) -> Kind | None:
    """What the areas can be ranked by; None where nothing is known of their deprivation."""
    kinds: tuple[Kind, ...] = ("score", "rank", "fifth")
    return next((kind for kind in kinds if areas[kind].notna().any()), None)


def measure_deprivation(areas: pd.DataFrame, kind: Kind | None) -> pd.Series:
    """One figure an area that is the higher the more deprived it is: its score, its rank from the end, or its share."""
    if kind is None:
        return pd.Series(np.nan, index=areas.index)
    values: pd.Series = areas[kind].astype(float)
    return -values if kind == "rank" else values


def compare_editions(query: Query, level: str, domain: str = OVERALL) -> pd.DataFrame:
    """Every area of a level in every edition, a row each, the editions side by side but never in one figure.

    Columns: edition, code, name, score, tenth, fifth, place (1 the most deprived of the level's areas that are known,
    by score or, where none is published, by the rank in England, or the share in the most deprived fifth), kind (which
    of them), covered, method. Areas of which nothing is known have no row. An LSOA that the edition's LSOAs have under
    the same code is unchanged, and has the figures published for it; the others have no place beside those.
    """
    names = pd.Series(query.name_areas(level))
    frames = []
    for edition, source in list_editions(query).items():
        held = query.read_deprivation(level, edition, domain)
        published = query.read_deprivation(source.layer, edition, domain).set_index("code")
        same = held["code"].isin(published.index) if source.layer != level else pd.Series(False, index=held.index)
        if same.any():
            figures = ["score", "rank", "decile", "method"]
            held.loc[same, figures] = published.loc[held.loc[same, "code"], figures].to_numpy()
            held = held.astype(dict.fromkeys(("score", "rank", "decile"), float))
        kind = find_kind(held)
        if kind is None:
            continue
        place = measure_deprivation(held, kind).rank(ascending=False, method="min")
        frames.append(held.assign(edition=edition, name=held["code"].map(names), place=place, kind=kind))
    columns = ["edition", "code", "name", "score", "tenth", "fifth", "place", "kind", "covered", "method"]
    frame = pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)
    return frame.dropna(subset=["place", "fifth"], how="all").sort_values(
        ["edition", "place", "name"], ascending=[False, True, True]
    )
