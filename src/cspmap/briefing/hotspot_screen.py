"""Where to go next: the hotspots of the selection as numbered outlines over the areas."""

from math import isnan

from cspmap.briefing.screen import Figure, MapFigure, Screen, TableFigure
from cspmap.briefing.setting import Setting, recall_screen, write_count
from cspmap.errors import UserError
from cspmap.exports.published import WITHHELD
from cspmap.hotspot_layers import HotspotChoice, HotspotLayer
from cspmap.hotspot_score import Score
from cspmap.views.hotspot_load import load_hotspots, load_recorded
from cspmap.views.hotspot_map import draw_places
from cspmap.views.hotspot_words import describe_hold, list_hotspot_caveats, list_score, name_hotspots, name_street
from cspmap.views.map import MapView
from cspmap.views.words import count_incidents, format_count, format_percent, format_rate

KEY = "hotspots"
MOST_PLACES = 8
_MOST_TOLD = 4


def make_hotspots(setting: Setting) -> Screen:
    """The screen of hotspots, made as the page of hotspots makes them unless told otherwise."""
    query = setting.query
    choice = HotspotChoice(span=setting.selection.span, crimes=setting.selection.crimes)
    try:
        found = load_hotspots(query, choice)
    except UserError as error:
        return Screen(
            key=KEY,
            title="Hotspots",
            subtitle=setting.period,
            sentences=(f"Hotspots cannot be told: {error}",),
            last_time=recall_screen(setting, KEY),
            caveats=setting.list_caveats(setting.map_level),
        )
    layer, score, partnership = found.layer, found.score, query.store.partnership
    selection = setting.select(partnership.boundary)
    figures = setting.find_figures(partnership.boundary)
    return Screen(
        key=KEY,
        title="Hotspots: where the next incidents are most likely",
        subtitle=name_hotspots(layer, partnership, selection),
        figures=_list_figures(layer, score),
        sentences=(describe_hold(layer), *_tell_places(layer)),
        map=_draw_map(setting, layer),
        table=_tabulate(layer),
        last_time=recall_screen(setting, KEY),
        caveats=tuple(
            list_hotspot_caveats(
                layer,
                partnership,
                selection,
                coverage=figures.now,
                score=score,
                snapped=load_recorded(query, choice.crimes).snapped,
            )
        ),
    )


def _list_figures(layer: HotspotLayer, score: Score) -> tuple[Figure, ...]:
    area = 10_000 * float(layer.places["hectares"].sum()) / float(layer.ground.cells.area.sum())
    number = len(layer.places)
    figures = [Figure(format_count(number), "hotspot" if number == 1 else "hotspots")]
    if layer.total and number:
        share = WITHHELD if isnan(layer.held) else format_percent(100 * layer.held / layer.total, digits=0)
        figures.append(Figure(share, "of incidents", f"on {format_percent(100 * area)} of the area"))
    if score.shown is not None:
        caught, test = list_score(score.shown), score.shown.test
        after = "month" if len(test) == 1 else f"{len(test)} months"
        tried = f"tried on the {after} after"
        if score.own is None:
            known = WITHHELD if score.withheld else "not known yet"
            tried = f"by those found to {score.shown.train.last.words}, {tried}; by these {known}"
        figures.append(Figure(caught["caught"], "of later incidents caught", tried))
    return tuple(figures)


def _tell_places(layer: HotspotLayer) -> list[str]:
    told = []
    for row in layer.places.head(_MOST_TOLD).to_dict("records"):
        street = name_street(row)
        where = ", ".join(filter(None, (row["area"] or "", street)))
        count = f"count {WITHHELD}" if isnan(row["count"]) else count_incidents(row["count"])
        told.append(f"{row['rank']}: {where or 'no name known'}: {count}.")
    return told


def _draw_map(setting: Setting, layer: HotspotLayer) -> MapFigure:
    """The numbered outlines over the areas, which are coloured by their counts."""
    level, partnership = setting.map_level, setting.query.store.partnership
    selection = setting.select(level).change(measure="count")
    choropleth = setting.shade_areas(selection)
    view = MapView(
        place=partnership.place,
        layer="",
        areas=choropleth.areas,
        legend=choropleth.legend,
        places=draw_places(layer)[:MOST_PLACES],
    )
    plural = partnership.find_layer(level).plural
    alt = f"Map of the hotspots as numbered outlines, over the {plural} by their incidents."
    return MapFigure(view, level, alt, setting.list_withheld(selection))


def _tabulate(layer: HotspotLayer) -> TableFigure:
    rows = tuple(
        (
            str(row["rank"]),
            str(row["area"]),
            name_street(row),
            write_count(row["count"], hidden=isnan(row["count"])),
            WITHHELD if isnan(row["count"]) else format_percent(100 * row["share"]),
            format_rate(row["hectares"]),
        )
        for row in layer.places.to_dict("records")
    )
    return TableFigure(
        title="Hotspots, the most incidents first",
        columns=("No.", "Where", "Busiest street", "Incidents", "Of all", "Hectares"),
        rows=rows,
        align=("right", "left", "left", "right", "right", "right"),
        most=MOST_PLACES,
        where="on the Hotspots page",
    )
