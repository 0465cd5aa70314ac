"""The commands about targets: whether a table adds up, its shares for every area, and how far along they are."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from cspmap.cli_parts import OUT, STORE, open_chosen, write_out
from cspmap.errors import UserError, quote_briefly

if TYPE_CHECKING:
    from cspmap.query import Query
    from cspmap.targets import TargetTable

# Those that need no figures but the store's own.
METHODS = ("baseline", "equal-percentage", "residents", "households", "narrow-gap", "deprivation")

_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
_METHOD = click.option(
    "--method",
    type=click.Choice(METHODS),
    default="baseline",
    show_default=True,
    help="How what is printed for the whole, or for a larger area, is shared out.",
)
_TABLE_OR_RECORDS = click.option(
    "--format", "kind", type=click.Choice(["csv", "json"]), default="csv", show_default=True, help="What to write."
)


@click.group()
def targets() -> None:
    """Check a table of targets, share it out to areas, and report progress.

    docs/target-file.md describes a file of targets.
    """


@targets.command()
@_FILE
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "csv", "json"]),
    default="text",
    show_default=True,
    help="What to write: sentences to read, or a table to work on.",
)
@OUT
def reconcile(file: Path, kind: str, out: Path | None) -> None:
    """List every place where a table of targets does not agree with itself.

    Parts against wholes, printed percentages against printed numbers, targets against baselines, headings.

    Example: cspmap targets reconcile data/targets/luton-2005-08.csv
    """
    from cspmap.exports.extract import write_csv
    from cspmap.exports.target_tables import tabulate_reconciliation, take_records
    from cspmap.sources.target_file import read_targets

    table = read_targets(file)
    faults = tabulate_reconciliation(table)
    if kind == "csv":
        text = write_csv(faults)
    elif kind == "json":
        text = _write_json({"table": table.title, "faults": take_records(faults)})
    else:
        count = len(faults)
        places = "1 place" if count == 1 else f"{count} places"
        agrees = f"{places} where it does not agree with itself." if count else "every figure agrees with the others."
        text = "\n".join([f"{table.title}: {agrees}", *faults["sentence"]]) + "\n"
    write_out(text, out)


@targets.command()
@_FILE
@STORE
@click.option("--level", required=True, help="Level of the areas to share out to, such as ward.")
@_METHOD
@click.option("--period", help="Period whose targets are shared out, such as 2007-08. Default: each that is printed.")
@click.option(
    "--least",
    type=click.FloatRange(0),
    default=5.0,
    show_default=True,
    help="Areas whose share would be below this carry one target together.",
)
@_TABLE_OR_RECORDS
@OUT
def apportion(
    file: Path,
    store: Path | None,
    level: str,
    method: str,
    period: str | None,
    least: float,
    kind: str,
    out: Path | None,
) -> None:
    """Write the targets of every area of a level as a file of targets that can be loaded again.

    Parts add up to what was shared out; what is printed for an area stays as printed.

    Example: cspmap targets apportion data/targets/luton-2005-08.csv --level ward --out wards.csv
    """
    from cspmap.apportioned_targets import apportion_targets
    from cspmap.exports.extract import write_csv
    from cspmap.exports.published import describe_rule
    from cspmap.exports.target_tables import describe_board_rule, describe_unmeasured, take_records
    from cspmap.query import Query
    from cspmap.sources.target_file import read_targets, tabulate_targets
    from cspmap.targets import parse_period

    query = Query(open_chosen(store))
    table = read_targets(file)
    span = parse_period(period) if period else None
    shared = apportion_targets(query, table, level=level, method=cast(Any, method), span=span, least=least)
    rows = tabulate_targets(shared.table)
    partnership = query.store.partnership
    rules = [describe_rule(partnership.disclosure), describe_board_rule(partnership.disclosure)]
    told = [partnership.notice, *rules, describe_unmeasured(query, table), *shared.notes]
    notes = [sentence for sentence in told if sentence]
    if kind == "csv":
        text = write_csv(rows)
    else:
        text = _write_json({"table": shared.table.title, "notes": notes, "targets": take_records(rows)})
    write_out(text, out)
    for sentence in notes:
        click.echo(sentence, err=True)


@targets.command()
@STORE
@click.option("--table", "title", help="Title of one of the store's tables. Default: the first with progress.")
@click.option("--level", help="Level of the areas, such as ward. Default: that of the areas the table names.")
@_METHOD
@click.option("--period", help="Period of the targets, such as 2007-08. Default: the last that has begun.")
@click.option("--as-at", metavar="YYYY-MM", help="Last month to look at. Default: the period's last loaded.")
@_TABLE_OR_RECORDS
@OUT
def progress(
    store: Path | None,
    title: str | None,
    level: str | None,
    method: str,
    period: str | None,
    as_at: str | None,
    kind: str,
    out: Path | None,
) -> None:
    """Write how far along every target is: so far, on course, heading for, rating and evidence.

    The whole and every area of a level, the farthest behind first; missing months leave a verdict open.

    Example: cspmap targets progress --level area --as-at 2007-11 --out progress.csv
    """
    from cspmap.board import describe_periods, find_as_at, find_level, find_period, list_weights, make_board
    from cspmap.exports.extract import write_csv
    from cspmap.exports.target_tables import list_board_caveats, tabulate_board, take_records
    from cspmap.goals import Sharing
    from cspmap.periods import Month
    from cspmap.query import Query
    from cspmap.targets import parse_period

    query = Query(open_chosen(store))
    table = _find_table(query, title)
    span = parse_period(period) if period else find_period(query, table)
    if span is None:
        raise UserError(describe_periods(table, query.store.partnership, span))
    key = query.store.partnership.find_layer(level or find_level(query, table)).key
    board = make_board(
        query,
        table,
        level=key,
        span=span,
        as_at=Month.parse(as_at) if as_at else find_as_at(query, span),
        sharing=Sharing(cast(Any, method), list_weights(query, key)),
    )
    rows, caveats = tabulate_board(board), list_board_caveats(board, query)
    as_json = {"caveats": caveats, "rows": take_records(rows)}
    write_out(write_csv(rows, caveats) if kind == "csv" else _write_json(as_json), out)
    for sentence in caveats:
        click.echo(sentence, err=True)


def _find_table(query: "Query", title: str | None) -> "TargetTable":
    from cspmap.goals import list_measured

    tables = query.store.targets
    if not tables:
        raise UserError("The store holds no targets; name a file of them in the partnership file and build again.")
    if title is None:
        measured = [table for table in tables if list_measured(table, query.store.partnership)]
        return measured[0] if measured else tables[0]
    for table in tables:
        if table.title.casefold() == title.casefold():
            return table
    titles = "; ".join(table.title for table in tables)
    raise UserError(f"The store holds no table of targets {quote_briefly(title)}; choose one of: {titles}.")


def _write_json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
