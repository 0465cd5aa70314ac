"""The commands about indicators and priorities: whether a file can be used, and the scanning chart."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cspmap.cli_parts import OUT, STORE, open_chosen, write_out
from cspmap.errors import UserError, quote_briefly

if TYPE_CHECKING:
    from cspmap.analysis.priorities import Criterion

_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.group()
def indicators() -> None:
    """Check a file of indicators and surveys.

    docs/indicator-file.md describes such a file.
    """


@indicators.command("check")
@_FILE
def check_file(file: Path) -> None:
    """List every problem of FILE, or say what is in it.

    Exit code 1 where there are problems.

    Example: cspmap indicators check data/indicators/luton-stronger-safer.csv
    """
    from cspmap.perceptions import list_readings
    from cspmap.sources.indicator_file import read_indicators
    from cspmap.views.perception_words import describe_margins

    table = read_indicators(file)
    readings = list_readings([table])
    printed = int(readings["value"].notna().sum())
    measures = "1 indicator" if len(table.measures) == 1 else f"{len(table.measures)} indicators"
    figures = "1 figure" if printed == 1 else f"{printed} figures"
    without = len(readings) - printed
    listed = f", {without} without a figure" if without else ""
    click.echo(f"{table.title}: {measures}, {figures}{listed}. No problems found.")
    undated = int((readings["value"].notna() & readings["period"].eq("")).sum())
    if undated:
        click.echo(f"Note: {undated} of the figures {'has' if undated == 1 else 'have'} no period.")
    margins = describe_margins(readings)
    if margins:
        click.echo(f"Note: {margins}")


@click.command()
@STORE
@click.option("--year-to", metavar="YYYY-MM", help="Last month of the year to look at. Default: the latest loaded.")
@click.option(
    "--crime", multiple=True, help="Key of a crime type or group to rank; may be given several times. Default: as set."
)
@click.option(
    "--weight",
    multiple=True,
    metavar="COLUMN=NUMBER",
    help="How much a column counts, such as trend=2; may be given several times. Default: 1 each.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "csv", "json"]),
    default="text",
    show_default=True,
    help="What to write: sentences to read, or a table to work on.",
)
@OUT
def priorities(
    store: Path | None,
    year_to: str | None,
    crime: tuple[str, ...],
    weight: tuple[str, ...],
    kind: str,
    out: Path | None,
) -> None:
    """Rank the categories of crime, with a sentence each that says why.

    What can be worked out is; the policy columns are those of the partnership file and of the group, whose decision and
    reason stand beside each. What else must be known goes to standard error.

    Example: cspmap priorities --weight volume=2 --weight trend=3
    """
    from cspmap.exports.extract import write_csv
    from cspmap.exports.priority_table import tabulate_chart
    from cspmap.exports.target_tables import take_records
    from cspmap.operations import Operations, find_url
    from cspmap.periods import Month
    from cspmap.query import Query
    from cspmap.scanning import find_year, list_categories, rank_categories, scan_categories
    from cspmap.views.priority_words import list_scan_caveats

    query = Query(open_chosen(store))
    weights = _read_weights(weight)
    year = find_year(query, Month.parse(year_to) if year_to else None)
    scan = scan_categories(query, crime or list_categories(query), year)
    decided = Operations.open(find_url(query.store.root)).decisions.read_year(year)
    chart, rule = rank_categories(query, scan, decided, weights), query.store.partnership.disclosure
    rows, caveats = tabulate_chart(chart, year, weights, rule=rule), list_scan_caveats(query, scan, weights)
    if kind == "csv":
        text = write_csv(rows, caveats)
    elif kind == "json":
        text = json.dumps({"caveats": caveats, "rows": take_records(rows)}, ensure_ascii=False, indent=1) + "\n"
    else:
        text = "".join(_write_line(row) for row in rows.to_dict("records"))
    write_out(text, out)
    for sentence in caveats:
        click.echo(sentence, err=True)


def _write_line(row: Mapping[object, object]) -> str:
    from cspmap.views.priority_words import CHOICES

    choice = next((words for key, words in CHOICES.items() if key == row["choice"]), "")
    decided = f" {choice}: {' '.join(str(row['reason']).split())}" if row["choice"] not in ("", "open") else ""
    return f"{row['name']}. {row['sentence']}{decided}\n"


def _read_weights(given: Iterable[str]) -> "dict[Criterion, float]":
    from cspmap.analysis.priorities import CRITERIA, WEIGHTS

    weights = dict(WEIGHTS)
    names = {name.replace("_", "-"): name for name in CRITERIA}
    for text in given:
        name, _, number = text.partition("=")
        key = names.get(name.strip().casefold().replace("_", "-"))
        if key is None:
            raise UserError(f"There is no column {quote_briefly(name)} to weigh; choose one of: {', '.join(names)}.")
        try:
            weights[key] = float(number)
        except ValueError:
            raise UserError(
                f"The weight of {name} is {quote_briefly(number)}; write a number, such as {name}=2."
            ) from None
    return weights
