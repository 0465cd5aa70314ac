"""One area on one screen: how much, what has changed there, where in it, and its targets."""

import pandas as pd

from cspmap.briefing.glance import list_target_figures
from cspmap.briefing.screen import Figure, MapFigure, Screen
from cspmap.briefing.setting import (
    Setting,
    draw_trend,
    list_type_changes,
    recall_screen,
    tabulate_areas,
    take_place,
    tell_change,
    write_count,
    write_rate,
)
from cspmap.briefing.shared_months import withhold_shared
from cspmap.briefing.target_screen import say_none
from cspmap.exports.published import WITHHELD
from cspmap.exports.target_tables import sort_lines
from cspmap.views.choropleth import Choropleth
from cspmap.views.map import MapView
from cspmap.views.words import describe_missing, format_percent

PREFIX = "area:"


def make_area(setting: Setting, code: str, *, level: str | None = None) -> Screen:
    """The screen of an area of a level (None: of the setting's)."""
    level = setting.level if level is None else level
    query, figures = setting.query, setting.find_figures(level)
    partnership = query.store.partnership
    row = figures.areas[figures.areas["code"] == code].iloc[0]
    name, key = str(row["name"]), f"{PREFIX}{code}"
    hidden = bool(row[WITHHELD])
    sentences = (
        tell_change(setting, row, level=level),
        *list_type_changes(setting, level=level, code=code),
        *(_list_targets(setting, code) if level == setting.level else ()),
        describe_missing(figures.now.missing, figures.now.span.words),
        setting.describe_unlocated(level),
    )
    inside = find_inside(setting, code, level)
    return Screen(
        key=key,
        title=name,
        subtitle=setting.period,
        figures=(
            Figure(write_count(row["count"], hidden=hidden), "incidents"),
            Figure(write_rate(row), f"per 1,000 {figures.per.name}"),
            Figure(WITHHELD if hidden else format_percent(100 * row["share"]), f"of {partnership.place}'s"),
            *(list_target_figures(setting, code) if level == setting.level else ()),
        ),
        sentences=tuple(filter(None, sentences)),
        map=_draw_map(setting, name, inside, code if level == setting.map_level else None),
        chart=draw_trend(
            setting,
            level=level,
            code=code,
            name=name,
            withheld=withhold_shared(setting, level=level, code=code, crimes=query.crime_types(setting.select(level))),
        ),
        table=tabulate_areas(setting, level=setting.map_level, codes=inside),
        last_time=recall_screen(setting, key),
        caveats=setting.list_caveats(setting.map_level),
    )


def _list_targets(setting: Setting, code: str) -> list[str]:
    """What is farthest behind in the area, or that nothing is; nothing where no target of it can be judged."""
    lines = pd.concat(
        [take_place(board.lines, code) for board in setting.boards] or [pd.DataFrame({"rating": [], "status": []})]
    )
    behind = lines[lines["rating"].isin(["R", "A"])]
    if len(behind):
        worst = sort_lines(behind).iloc[0]
        return [f"Farthest behind its target: {worst['indicator']} ({worst['rating']}), {worst['words']}."]
    return [f"{say_none(lines)} here."] if (lines["rating"] == "G").any() else []


def find_inside(setting: Setting, code: str, level: str) -> list[str]:
    """The areas of the maps' level that lie in an area: those whose inmost point does."""
    if level == setting.map_level:
        return [code]
    import shapely

    own = setting.query.store.read_layer(level)
    shape = own.geometry.to_numpy()[(own["code"] == code).to_numpy()][0]
    parts = setting.query.store.read_layer(setting.map_level)
    shapely.prepare(shape)
    held = shapely.intersects(shape, shapely.point_on_surface(parts.geometry.to_numpy()))
    codes: list[str] = pd.Series(parts["code"]).loc[held].tolist()
    return codes


def _draw_map(setting: Setting, name: str, inside: list[str], selected: str | None) -> MapFigure:
    """The parts of an area, coloured by the classes of the whole map, so that a colour means the same everywhere."""
    level, partnership = setting.map_level, setting.query.store.partnership
    selection = setting.select(level)
    whole = setting.shade_areas(selection)
    held = set(inside)
    areas = tuple(
        area if area.code in held else type(area)(area.code, "left out", area.tooltip) for area in whole.areas
    )
    drawn = Choropleth(areas, whole.legend)
    view = MapView(place=partnership.place, layer="", areas=drawn.areas, legend=drawn.legend, selected=selected)
    plural = partnership.find_layer(level).plural
    alt = f"Map of the {plural} of {name}: {whole.legend.title}. Others are left grey."
    return MapFigure(view, level, alt, setting.list_withheld(selection))
