"""`cspmap deprivation`: what the deprivation page shows, as a file."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cspmap.cli_parts import OUT, STORE, open_chosen, write_out
from cspmap.errors import UserError, quote_briefly

if TYPE_CHECKING:
    from cspmap.deprivation_view import DeprivationChoice
    from cspmap.query import Query


@click.command()
@STORE
@click.option(
    "--table",
    "what",
    type=click.Choice(["areas", "fifths", "editions"]),
    default="areas",
    show_default=True,
    help="Areas beside what is usual for places as deprived, rates by fifth, or areas by edition of the Indices.",
)
@click.option("--level", help="Key of the level, such as ward. Default: the one that the dashboard opens on.")
@click.option("--edition", metavar="YEAR", help="Edition of the Indices of Deprivation. Default: the latest loaded.")
@click.option("--domain", help="Key of a domain, such as income. Default: all domains together (imd).")
@click.option("--from", "first", metavar="YYYY-MM", help="First month. Default: a year up to the last.")
@click.option("--to", "last", metavar="YYYY-MM", help="Last month. Default: the latest loaded.")
@click.option("--crime", multiple=True, help="Key of a crime type or group; several times for several. Default: all.")
@click.option(
    "--format", "kind", type=click.Choice(["csv", "json"]), default="csv", show_default=True, help="What to write."
)
@OUT
def deprivation(
    store: Path | None,
    what: str,
    level: str | None,
    edition: str | None,
    domain: str | None,
    first: str | None,
    last: str | None,
    crime: tuple[str, ...],
    kind: str,
    out: Path | None,
) -> None:
    """Write how deprivation and crime lie together, area by area or by fifth of England.

    Counts, rates, deprivation, and what is usual for places as deprived. What must be known beside them goes to
    standard error too.

    Example: cspmap deprivation --level ward --crime robbery --out robbery.csv
    """
    from cspmap.deprivation_view import compare_editions, make_picture, read_ground
    from cspmap.exports.deprivation_files import tabulate_editions, tabulate_fifths, tabulate_picture
    from cspmap.exports.extract import write_csv
    from cspmap.exports.target_tables import take_records
    from cspmap.query import Query
    from cspmap.views.deprivation_words import list_deprivation_caveats
    from cspmap.views.words import name_crimes

    query = Query(open_chosen(store))
    partnership = query.store.partnership
    choice = _read_choice(query, level, edition, domain, first, last, crime)
    picture = make_picture(query, read_ground(query, choice.level, choice.edition, choice.domain), choice)
    caveats = list_deprivation_caveats(picture, partnership)
    named = (partnership.place, name_crimes(choice.selection, partnership))
    if what == "areas":
        table = tabulate_picture(picture, *named, rule=partnership.disclosure)
    elif what == "fifths":
        table = tabulate_fifths(picture, *named, rule=partnership.disclosure)
    else:
        table = tabulate_editions(compare_editions(query, choice.level))
    if kind == "csv":
        write_out(write_csv(table, caveats), out)
    else:
        rows = {"caveats": caveats, "rows": take_records(table)}
        write_out(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", out)
    for sentence in caveats:
        click.echo(sentence, err=True)


def _read_choice(
    query: "Query",
    level: str | None,
    edition: str | None,
    domain: str | None,
    first: str | None,
    last: str | None,
    crime: tuple[str, ...],
) -> "DeprivationChoice":
    """What is asked for. Raises UserError where the store does not hold it."""
    from cspmap.deprivation_view import DeprivationChoice, list_editions
    from cspmap.periods import Month, Span
    from cspmap.selection import Selection, join_list
    from cspmap.sources.deprivation import OVERALL

    editions = list(list_editions(query))
    if not editions:
        raise UserError(
            "No Indices of Deprivation are loaded; name a file of them in partnership.toml and build again."
        )
    asked = {"level": level or "", "edition": edition or "", "crime": join_list(crime)}
    selection = Selection.from_query(asked, query.store)
    end = Month.parse(last) if last else selection.span.last
    start = Month.parse(first) if first else Span.ending(end, months=len(selection.span)).first
    year = selection.edition if edition and selection.edition is not None else editions[0]
    domains = query.list_domains(year)
    if domain is not None and domain not in domains:
        raise UserError(
            f"The Indices of {year} have no domain {quote_briefly(domain)} here; choose one of: {', '.join(domains)}."
        )
    return DeprivationChoice(Span(start, end), selection.level, year, selection.crimes, domain or OVERALL)
