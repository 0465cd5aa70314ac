"""Real Luton: operations that never were, to see how often judging finds one all the same, and a real ward judged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from benchmarks.evaluation_ways import WAYS, find_effects, format_head, format_percent, format_row
from benchmarks.setting import Setting
from cspmap.analysis.contiguity import find_contiguity
from cspmap.analysis.evaluation import (
    Effect,
    Evaluation,
    Periods,
    buffer_ring,
    evaluate,
    measure_noise,
    propose_comparisons,
)
from cspmap.analysis.measures import Floats
from cspmap.assign import assign_points
from cspmap.periods import Month, Span
from cspmap.store import open_store

FIRST_MONTH = "2021-05"
CRIMES: dict[str, tuple[str, ...]] = {
    "All recorded incidents": (),
    "Anti-social behaviour": ("anti-social-behaviour",),
    "Burglary": ("burglary",),
    "Criminal damage and arson": ("criminal-damage-arson",),
    "Drugs": ("drugs",),
    "Public order": ("public-order",),
    "Robbery": ("robbery",),
    "Shoplifting": ("shoplifting",),
    "Vehicle crime": ("vehicle-crime",),
    "Violence and sexual offences": ("violent-crime",),
}
STARTS = (Month(2022, 5), Month(2022, 9), Month(2023, 1), Month(2023, 5))
AREAS, AREA_SIZE = 60, 6
WARD, RING_METRES, MATCHES = "High Town", 250.0, 10
CHOSEN, JUDGED = Span(Month(2022, 1), Month(2022, 12)), Span(Month(2023, 1), Month(2023, 12))
DEPRIVATION = 2025


@dataclass(frozen=True)
class Town:
    """Incidents (month, crime_type, x, y, ward, lsoa), the layers they lie in, and deprivation scores of LSOAs."""

    incidents: pd.DataFrame
    wards: gpd.GeoDataFrame
    lsoas: gpd.GeoDataFrame
    deprivation: pd.Series

    def count(self, units: pd.Series, crimes: Sequence[str]) -> pd.DataFrame:
        """Months x units, of the incidents whose unit is known."""
        types = self.incidents["crime_type"]
        rows = units.notna() & (types.isin(crimes) if crimes else True)
        table = pd.crosstab(self.incidents.loc[rows, "month"], units[rows])
        months = sorted(self.incidents["month"].unique())
        return table.reindex(index=months, columns=sorted(units.dropna().unique()), fill_value=0)


def read_town(setting: Setting) -> Town:
    """Real Luton through a store built afresh. Raises NotRunError where the open data is not there."""
    store = open_store(setting.store)
    columns = ["month", "crime_type", "longitude", "latitude", "superseded"]
    files = [file for file in sorted((store.folder / "incidents").glob("*.parquet")) if file.stem >= FIRST_MONTH]
    rows = pd.concat([pd.read_parquet(file, columns=columns) for file in files], ignore_index=True)
    rows = rows[~rows["superseded"] & rows["longitude"].notna()].reset_index(drop=True)
    points = gpd.GeoSeries.from_xy(rows["longitude"], rows["latitude"], crs=4326).to_crs(27700)
    x, y = points.x.to_numpy(), points.y.to_numpy()
    wards, lsoas = store.read_layer("ward25"), store.read_layer("lsoa21")
    incidents = rows[["month", "crime_type"]].astype(str)
    incidents = incidents.assign(x=x, y=y, ward=name_units(x, y, wards), lsoa=name_units(x, y, lsoas))
    scores = store.read_table("deprivation")
    scores = scores[(scores["layer"] == "lsoa21") & (scores["edition"] == DEPRIVATION) & (scores["domain"] == "imd")]
    return Town(incidents, wards, lsoas, scores.set_index("code")["score"])


def name_units(x: Floats, y: Floats, layer: gpd.GeoDataFrame) -> pd.Series:
    """The code of the area of a layer that each point lies in, missing where in none."""
    place = pd.Series(assign_points(x, y, layer))
    return place.map(dict(enumerate(layer["code"])))


def write_placebos(town: Town) -> str:
    """How often each way finds an effect of operations that never were."""
    rng = np.random.default_rng(1)
    drawn = draw_areas(town.lsoas, rng)
    levels = {
        f"each of {len(town.wards)} wards": ("ward", [[code] for code in town.wards["code"]]),
        f"each of {len(town.lsoas)} LSOAs": ("lsoa", [[code] for code in town.lsoas["code"]]),
        f"{AREAS} areas of {AREA_SIZE} neighbouring LSOAs, drawn by lot": ("lsoa", drawn),
    }
    rows = []
    for name, (column, areas) in levels.items():
        for crime, types in CRIMES.items():
            counts = town.count(town.incidents[column], types)
            rows += [(name, crime, *found) for area in areas for found in judge_nothing(counts, area)]
    table = pd.DataFrame(rows, columns=["area", "crime", *WAYS])
    lines = [
        f"Pretended starts: {', '.join(start.words for start in STARTS)}; the year after against the year before, "
        f"compared with all of the town outside the area; {len(CRIMES)} kinds of crime; {len(table):,} operations that "
        "never were. 5 % is what was promised.",
        "",
    ]
    for column, heading in (("area", "pretended focus area"), ("crime", "crime")):
        lines += [*format_head(heading, "operations", *WAYS)]
        for group, part in table.groupby(column, sort=False):
            shares = [format_percent(float(part[way].mean())) for way in WAYS]
            lines.append(format_row(str(group), f"{len(part):,}", *shares))
        lines.append("")
    return "\n".join(lines).rstrip()


def judge_nothing(counts: pd.DataFrame, area: list[str]) -> Iterator[tuple[bool, ...]]:
    """Whether each way finds an effect at each pretended start; those without an incident are left out."""
    inner = counts.reindex(columns=area, fill_value=0)
    others = counts.drop(columns=area, errors="ignore")
    for start in STARTS:
        before, after = Span.ending(start - 1, months=12), Span(start, start + 11)
        months = [str(month) for month in before], [str(month) for month in after]
        part, rest = Periods.cut(inner, *months), Periods.cut(others, *months)
        if sum(part.totals):
            yield find_effects(part, rest, measure_noise(rest))


def draw_areas(layer: gpd.GeoDataFrame, rng: np.random.Generator) -> list[list[str]]:
    """Contiguous areas grown by lot."""
    contiguity = find_contiguity(layer)
    areas = []
    for _ in range(AREAS):
        area = {int(rng.integers(len(contiguity)))}
        while len(area) < AREA_SIZE:
            beside = sorted({other for unit in area for other in contiguity.neighbours[unit]} - area)
            area.add(int(rng.choice(beside)))
        areas.append([contiguity.codes[unit] for unit in sorted(area)])
    return areas


def write_example(town: Town) -> str:
    """High Town, chosen on 2022 and judged on 2023."""
    ward = town.wards[town.wards["name"] == WARD]
    ring = buffer_ring(ward, RING_METRES, town.wards)
    sheets = {crime: judge_ward(town, crime, ward, ring) for crime in CRIMES}
    whole, _ = next(iter(sheets.values()))
    first = Month.parse(str(whole.course["month"].iloc[0]))
    lines = [
        f"{WARD} (ward of 2025), chosen on the {CHOSEN.words} and judged on the {JUDGED.words}, against all of Luton "
        f"outside the ward and a ring of {RING_METRES:.0f} m around it ({float(ring.area.sum()) / 1e6:.1f} km²), by "
        "LSOA. Nothing is known here of any operation there: this is what the sheet says, not what anyone did.",
        "",
        *format_head(
            "crime",
            "2022",
            "2023",
            "expected",
            "effect",
            "E-test, ward alone",
            "WDD with the ring",
            "WDQ",
            "odds ratio",
        ),
        *(format_sheet(crime, sheet) for crime, (sheet, _) in sheets.items()),
        "",
        f"In words, against the rest of the town and, below it, against the {MATCHES} LSOAs most alike in 2022:",
        "",
    ]
    for rest, like in sheets.values():
        lines += [f"- {rest.headline}", f"    - {like.headline}"]
    lines += [
        "",
        "What the sheet of all recorded incidents says must be known before repeating that:",
        "",
        *(f"- {caution}" for caution in whole.cautions),
        "",
        f"Judged against the months before it was chosen ({Span(first, CHOSEN.first - 1).words}) instead of 2022, all "
        f"recorded incidents: {format_effect(whole.earlier)}.",
        "",
        f"Of all recorded incidents in the rest of Luton, months scatter with {whole.noise.scatter:.1f} times the "
        f"variance of chance, and LSOAs drift by {100 * np.sqrt(whole.noise.drift):.0f} % (one standard deviation) "
        "from one year to the next with nothing done. That is why a fall of a tenth in one ward is not clear. And of "
        "twenty such lines about one is to be expected to tell of an effect by chance alone.",
    ]
    return "\n".join(lines)


def judge_ward(town: Town, crime: str, ward: gpd.GeoDataFrame, ring: gpd.GeoDataFrame) -> tuple[Evaluation, Evaluation]:
    """One crime, against the rest of the town and against the LSOAs most alike before."""
    x, y = town.incidents["x"].to_numpy(), town.incidents["y"].to_numpy()
    region = pd.Series("rest", index=town.incidents.index).where(town.incidents["ward"].notna(), "outside")
    region[assign_points(x, y, ring) >= 0] = "ring"
    region[assign_points(x, y, ward) >= 0] = "area"
    lsoa = town.incidents["lsoa"]
    area, beside, rest = (
        town.count(lsoa.where(region == name), CRIMES[crime]).add_suffix(f" ({name})")
        for name in ("area", "ring", "rest")
    )
    inside = sorted(set(lsoa[region == "area"].dropna()))
    matches = propose_comparisons(
        town.lsoas,
        rest.rename(columns=lambda name: name.removesuffix(" (rest)")),
        ward,
        area,
        CHOSEN,
        buffer_metres=RING_METRES,
        deprivation=town.deprivation,
        area_deprivation=float(town.deprivation[inside].mean()),
        number=MATCHES,
    )
    like = rest[[f"{code} (rest)" for code in matches.proposed]]

    def judge(comparison: pd.DataFrame) -> Evaluation:
        return evaluate(
            area,
            comparison,
            before=CHOSEN,
            after=JUDGED,
            buffer=beside,
            others=rest,
            crime=crime,
            chosen_on=CHOSEN,
        )

    return judge(rest), judge(like)


def format_sheet(crime: str, sheet: Evaluation) -> str:
    """One line of the table."""
    odds, difference, quotient = sheet.odds, sheet.difference, sheet.quotient
    return format_row(
        crime,
        f"{sheet.effect.before:,.0f}",
        f"{sheet.effect.after:,.0f}",
        "not known" if sheet.effect.expected is None else f"{sheet.effect.expected:,.0f}",
        format_effect(sheet.effect),
        f"p = {float(sheet.counts['p'].iloc[0]):.2f}",
        f"{sign(difference.estimate)} ({sign(difference.low)} to {sign(difference.high)})",
        "not defined" if quotient is None or quotient.value is None else f"{quotient.value:.2f}".replace("-", "−"),
        "not defined" if odds.value is None else f"{odds.value:.2f} ({odds.low:.2f} to {odds.high:.2f})",
    )


def format_effect(effect: Effect | None) -> str:
    """ "−7 % (−21 to +10)"."""
    if effect is None or effect.percent is None:
        return "not known"
    return f"{sign(effect.percent)} % ({sign(effect.percent_low)} to {sign(effect.percent_high)})"


def sign(value: float | None) -> str:
    return "no end" if value is None else f"{value:+,.0f}".replace("-", "−")
