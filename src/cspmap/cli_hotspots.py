"""`cspmap hotspots`: what the hotspots page finds, as a file."""

from pathlib import Path
from typing import Any, cast

import click

from cspmap.cli_parts import OUT, STORE, open_chosen, write_out
from cspmap.errors import UserError

_LAYERS = ["expected", "density", "significance", "dual", "change", "persistence", "clusters"]


@click.command()
@STORE
@click.option("--layer", type=click.Choice(_LAYERS), default=_LAYERS[0], show_default=True, help="How to find them.")
@click.option("--crime", multiple=True, help="Key of a crime type or group; may be given several times. Default: all.")
@click.option("--from", "first", metavar="YYYY-MM", help="First month. Default: a year up to the last.")
@click.option("--to", "last", metavar="YYYY-MM", help="Last month. Default: the latest loaded.")
@click.option(
    "--compare",
    type=click.Choice(["last-year", "previous"]),
    default="last-year",
    show_default=True,
    help="What a change is measured against.",
)
@click.option(
    "--shape",
    type=click.Choice(["hexagon", "square"]),
    default="hexagon",
    show_default=True,
    help="Shape of the cells.",
)
@click.option("--width", type=float, metavar="METRES", help="Width of a cell. Default: by rule.")
@click.option("--level", help="Level whose own areas are the cells, in place of a grid.")
@click.option("--bandwidth", type=float, metavar="METRES", help="How far incidents are spread. Default: by rule.")
@click.option(
    "--reach", type=float, metavar="METRES", help="Distance within which locations cluster. Default: half a cell."
)
@click.option(
    "--coverage", type=float, default=0.02, show_default=True, help="Share of the area that may be called hot."
)
@click.option("--alpha", type=float, default=0.05, show_default=True, help="False discoveries allowed, as a share.")
@click.option("--uncorrected", is_flag=True, help="Do not correct for testing every cell (layer significance).")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "geojson", "gpkg"]),
    default="csv",
    show_default=True,
    help="What to write; a GeoPackage needs --out.",
)
@OUT
def hotspots(
    store: Path | None,
    layer: str,
    crime: tuple[str, ...],
    first: str | None,
    last: str | None,
    compare: str,
    shape: str,
    width: float | None,
    level: str | None,
    bandwidth: float | None,
    reach: float | None,
    coverage: float,
    alpha: float,
    uncorrected: bool,
    kind: str,
    out: Path | None,
) -> None:
    """Find hotspots, score them on later months, and write them to a file with their outlines.

    What must be known beside them, the score first of all, goes to standard error too.

    Example: cspmap hotspots --crime domestic-burglary --to 2007-12 --format geojson --out burglary.geojson
    """
    from cspmap.exports.extract import write_csv
    from cspmap.exports.hotspot_files import tabulate_hotspots, write_hotspots_geojson, write_hotspots_geopackage
    from cspmap.exports.published import publish
    from cspmap.hotspot_ground import CellChoice, lay_ground, read_points
    from cspmap.hotspot_layers import HotspotChoice, make_layer
    from cspmap.hotspot_score import score_layer
    from cspmap.periods import Month, Span
    from cspmap.query import Query
    from cspmap.selection import Selection, join_list
    from cspmap.views.hotspot_words import LAYER_NAMES, list_hotspot_caveats
    from cspmap.views.words import name_crimes

    if kind == "gpkg" and out is None:
        raise UserError("A GeoPackage cannot be printed; name a file for it with --out.")
    query = Query(open_chosen(store))
    partnership = query.store.partnership
    asked = Selection.from_query({"crime": join_list(crime), "level": level or partnership.boundary}, query.store)
    end = Month.parse(last) if last else asked.span.last
    start = Month.parse(first) if first else Span.ending(end, months=len(asked.span)).first
    cells = CellChoice(level=asked.level) if level else CellChoice(cast(Any, shape), width)
    choice = HotspotChoice(
        span=Span(start, end),
        crimes=crime,
        layer=cast(Any, layer),
        comparison=cast(Any, compare),
        cells=cells,
        bandwidth=bandwidth,
        reach=reach,
        coverage=coverage,
        alpha=alpha,
        correct=not uncorrected,
    )
    selection = asked.change(level=partnership.boundary, span=choice.span)
    everything = read_points(query)
    recorded = everything.of(query.crime_types(selection))
    made = make_layer(lay_ground(query, everything, cells), recorded, choice)
    score = score_layer(made, recorded)
    caveats = list_hotspot_caveats(
        made,
        partnership,
        selection,
        coverage=publish(query).count_coverage(selection),
        score=score,
        snapped=recorded.snapped,
    )
    table = tabulate_hotspots(
        made,
        score,
        name=LAYER_NAMES[choice.layer],
        crimes=name_crimes(selection, partnership),
    )
    if kind == "csv":
        write_out(write_csv(table, caveats), out)
    elif kind == "geojson":
        write_out(write_hotspots_geojson(table, made, caveats), out)
    else:
        write_out(write_hotspots_geopackage(table, made, caveats), out)
    for sentence in caveats:
        click.echo(sentence, err=True)
