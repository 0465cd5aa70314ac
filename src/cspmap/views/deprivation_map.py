"""The map of two figures at once: how deprived areas are, and how high their rate is."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cspmap.analysis.bivariate import SIDE
from cspmap.analysis.breaks import Breaks
from cspmap.deprivation_view import DeprivationPicture, Kind
from cspmap.partnership import Partnership
from cspmap.views.choropleth import Choropleth, state_rule
from cspmap.views.deprivation_words import compare_words, format_deprived, name_class
from cspmap.views.map import AreaStyle, Legend, LegendClass, LegendGrid
from cspmap.views.palettes import Special, bivariate_palette, faded_palette
from cspmap.views.words import count_incidents, format_rate, join_words, name_crimes

# What areas are ranked by, in words.
KINDS: dict[Kind, str] = {
    "score": "deprivation score",
    "rank": "rank in England",
    "fifth": "share of residents in England's most deprived fifth",
}


def shade_picture(
    picture: DeprivationPicture,
    partnership: Partnership,
    *,
    faded: bool,
    shown: tuple[int, ...] = (),
    answers: str | None = None,
) -> tuple[tuple[AreaStyle, ...], Legend]:
    """Every area by its class of both figures, and the legend in a square; `shown` and `answers` are the legend's."""
    crossed, areas = picture.crossed, picture.areas
    styles = tuple(
        AreaStyle(str(row.code), _fill(int(cell), bool(row.suppressed or row.withheld)), _tell(row, picture))
        for row, cell in zip(areas.itertuples(index=False), crossed.cells, strict=True)
    )
    palette = faded_palette() if faded else bivariate_palette()
    classes = tuple(LegendClass(colour, name_class(number)) for number, colour in enumerate(palette))
    grid = LegendGrid(SIDE, "more deprived", "higher rate", tuple(map(int, crossed.sizes)), shown, answers)
    title = f"Deprivation {picture.choice.edition} and rate: {name_crimes(picture.choice.selection, partnership)}"
    legend = Legend(title, _state_rule(picture, faded=faded), classes, grid)
    ruled = state_rule(Choropleth(styles, legend), partnership.disclosure)
    return ruled.areas, ruled.legend


def find_class(picture: DeprivationPicture, code: str | None) -> int | None:
    """The class of an area; None where it has none, or no area is named."""
    found = picture.crossed.cells[(picture.areas["code"] == code).to_numpy()]
    return int(found[0]) if len(found) and found[0] >= 0 else None


def _fill(cell: int, kept_back: bool) -> int | Special:
    if cell >= 0:
        return cell
    return "suppressed" if kept_back else "missing"


def _tell(row: object, picture: DeprivationPicture) -> tuple[str, ...]:
    figure = {name: getattr(row, name) for name in row._fields}  # type: ignore[attr-defined]
    per = picture.per.name
    count = count_incidents(figure["count"])
    if figure["withheld"]:
        lines = ["count withheld"]
    elif figure["suppressed"]:
        lines = [f"{count}, no rate: too few {per}"]
    elif pd.isna(figure["rate"]):
        lines = [f"{count}, no rate: {per} not known"]
    else:
        lines = [f"{count}, {format_rate(figure['rate'])} per 1,000 {per}"]
    if picture.kind is None or pd.isna(figure["deprived"]):
        lines.append("deprivation not known")
    else:
        lines.append(f"{KINDS[picture.kind]}: {format_deprived(figure['deprived'], picture.kind)}")
    if not pd.isna(figure["ratio"]):
        lines.append(f"{compare_words(figure['ratio'])} what is usual for places as deprived")
    return tuple(lines)


def _state_rule(picture: DeprivationPicture, *, faded: bool) -> str:
    if picture.kind is None:
        return "The deprivation of these areas is not known."
    ranges = [
        _list_ranges(picture.crossed.across, picture.areas["deprived"], picture, picture.kind),
        _list_ranges(picture.crossed.up, picture.areas["rate"], picture, None),
    ]
    told = (
        f"Thirds of the areas by {KINDS[picture.kind]} ({ranges[0]}) and by incidents per 1,000 {picture.per.name} "
        f"({ranges[1]}). The numbers are of areas. Tick squares to show only theirs."
    )
    return f"Colour is the rate; the less deprived, the fainter. {told}" if faded else told


def _list_ranges(breaks: Breaks, values: pd.Series, picture: DeprivationPicture, kind: Kind | None) -> str:
    """The least and the greatest value in each class, of the areas that have a class."""
    numbers = values.to_numpy(dtype=float)[picture.crossed.cells >= 0]
    found = breaks.classify(numbers)
    held = [numbers[found == place] for place in range(len(breaks.upper))]
    ends = [(float(np.min(each)), float(np.max(each))) for each in held if len(each)]
    return join_words(_name_range(low, high, kind) for low, high in ends)


def _name_range(low: float, high: float, kind: Kind | None) -> str:
    names: Sequence[str] = [
        format_rate(end) if kind is None else format_deprived(end, kind).removeprefix("rank ") for end in (low, high)
    ]
    return names[0] if names[0] == names[1] else f"{names[0]} to {names[1]}"
