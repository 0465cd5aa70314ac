"""`cspmap compare`: what the comparison page shows, as a file."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from cspmap.cli_parts import OUT, STORE, open_chosen, write_out

if TYPE_CHECKING:
    import pandas as pd

    from cspmap.query import Query


@click.command()
@STORE
@click.option(
    "--offence", metavar="WORDS", help='Offence as the table names it, such as "Robbery". Default: all recorded crime.'
)
@click.option("--every", is_flag=True, help="The partnership's own line in every offence.")
@click.option(
    "--among",
    type=click.Choice(["group", "force"]),
    help="Whom to compare with. Default: the most similar group, or the force where none is given.",
)
@click.option(
    "--year",
    type=click.Choice(["latest", "before"]),
    default="latest",
    show_default=True,
    help="The year of the published table, or the one before it.",
)
@click.option("--level", help="Compare the partnership's own areas of this level, such as ward, instead.")
@click.option("--from", "first", metavar="YYYY-MM", help="First month (with --level). Default: a year up to the last.")
@click.option("--to", "last", metavar="YYYY-MM", help="Last month (with --level). Default: the latest loaded.")
@click.option("--crime", multiple=True, help="Key of a crime type or group (with --level). Default: all.")
@click.option(
    "--format", "kind", type=click.Choice(["csv", "json"]), default="csv", show_default=True, help="What to write."
)
@OUT
def compare(
    store: Path | None,
    offence: str | None,
    every: bool,
    among: str | None,
    year: str,
    level: str | None,
    first: str | None,
    last: str | None,
    crime: tuple[str, ...],
    kind: str,
    out: Path | None,
) -> None:
    """Write how the partnership stands beside those most similar to it, or its own areas beside each other.

    Rates with their intervals, ranks with what chance leaves open of them, the group's mean and bounds, changes. What
    must be known beside them goes to standard error too.

    Example: cspmap compare --offence Robbery --out robbery.csv
    """
    from cspmap.exports.extract import write_csv
    from cspmap.query import Query

    query = Query(open_chosen(store))
    if level is None:
        table, caveats = _compare_partnerships(query, offence, every=every, among=among, year=year)
    else:
        table, caveats = _compare_areas(query, level, first=first, last=last, crime=crime)
    if kind == "csv":
        write_out(write_csv(table, caveats), out)
    else:
        rows = json.loads(table.to_json(orient="records"))
        write_out(json.dumps({"caveats": caveats, "rows": rows}, ensure_ascii=False, indent=1) + "\n", out)
    for sentence in caveats:
        click.echo(sentence, err=True)


def _compare_partnerships(
    query: "Query", offence: str | None, *, every: bool, among: str | None, year: str
) -> "tuple[pd.DataFrame, list[str]]":
    from cspmap.peers import compare_group, compare_offences, find_offence, list_among
    from cspmap.views.compare_files import tabulate_members, tabulate_offences
    from cspmap.views.compare_words import list_peer_caveats

    partnership = query.store.partnership
    beside, when = cast(Any, among or list_among(query)[0]), cast(Any, year)
    peers = compare_group(query, find_offence(query, offence), among=beside, year=when)
    caveats = list_peer_caveats(peers, partnership)
    if every:
        return tabulate_offences(compare_offences(query, among=beside, year=when), peers, partnership), caveats
    return tabulate_members(peers, partnership), caveats


def _compare_areas(
    query: "Query", level: str, *, first: str | None, last: str | None, crime: tuple[str, ...]
) -> "tuple[pd.DataFrame, list[str]]":
    from cspmap.exports.area_figures import work_out_figures
    from cspmap.peers import rank_areas
    from cspmap.periods import Month, Span
    from cspmap.selection import Selection, join_list
    from cspmap.views.compare_files import tabulate_ranked
    from cspmap.views.compare_words import list_area_caveats

    selection = Selection.from_query({"level": level, "crime": join_list(crime)}, query.store)
    end = Month.parse(last) if last else selection.span.last
    start = Month.parse(first) if first else Span.ending(end, months=len(selection.span)).first
    selection = selection.change(span=Span(start, end))
    figures = work_out_figures(query, selection)
    table = tabulate_ranked(rank_areas(figures.areas), selection, query.store.partnership, figures)
    return table, list_area_caveats(query, selection, figures)
