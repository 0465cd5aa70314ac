"""The commands of operations."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from cspmap.cli_parts import OUT, STORE, open_chosen, write_out
from cspmap.errors import UserError, quote_briefly

if TYPE_CHECKING:
    from cspmap.operation_results import GoalResult, SheetChoice
    from cspmap.operations import Operation, Operations
    from cspmap.query import Query


@click.group()
def operations() -> None:
    """Keep operations in focus areas, and judge them.

    They are kept in a file beside the store, or in the database that CSPMAP_OPERATIONS names.
    """


@operations.command("list")
@STORE
@click.option(
    "--format", "kind", type=click.Choice(["csv", "json"]), default="csv", show_default=True, help="What to write."
)
@OUT
def list_all(store: Path | None, kind: str, out: Path | None) -> None:
    """List all operations by name.

    Example: cspmap operations list --format json
    """
    import pandas as pd

    from cspmap.exports.extract import write_csv
    from cspmap.operations import CrimeGoal
    from cspmap.query import Query
    from cspmap.views.operation_words import describe_area, describe_goal

    query = Query(open_chosen(store))
    rows = [
        {
            "id": each.id,
            "name": each.name,
            "status": each.status,
            "lead": each.lead,
            "start": each.start.isoformat() if each.start else None,
            "end": each.end.isoformat() if each.end else None,
            "area": describe_area(query, each.area),
            "aim": each.aim,
            "crime_goals": "; ".join(describe_goal(query, goal) for goal in each.goals if isinstance(goal, CrimeGoal)),
            "survey_goals": "; ".join(
                describe_goal(query, goal) for goal in each.goals if not isinstance(goal, CrimeGoal)
            ),
            "open_actions": sum(action.status == "open" for action in each.actions),
            "version": each.version,
        }
        for each in _open(query).list_operations()
    ]
    if kind == "json":
        write_out(json.dumps({"operations": rows}, ensure_ascii=False, indent=1) + "\n", out)
        return
    columns = (
        "id name status lead start end area aim crime_goals survey_goals open_actions version".split()  # noqa: SIM905
    )
    write_out(write_csv(pd.DataFrame(rows, columns=columns)), out)


@operations.command("export")
@STORE
@click.argument("operation", nargs=-1)
@OUT
def export(store: Path | None, operation: tuple[str, ...], out: Path | None) -> None:
    """Write operations, named by OPERATION or else all, as GeoJSON that is read back exactly.

    With each goes what meetings said of it.

    OPERATION is an identifier or a name.

    Example: cspmap operations export --out operations.geojson
    """
    from cspmap.operations import write_geojson
    from cspmap.query import Query
    from cspmap.views.operation_load import list_shapes

    query = Query(open_chosen(store))
    kept = _open(query)
    chosen = [_find(kept, each) for each in dict.fromkeys(operation)] if operation else kept.list_operations()
    said = kept.entries.list_entries()
    write_out(write_geojson(chosen, shapes=list_shapes(query, chosen), entries=said), out)


@operations.command("import")
@STORE
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--who", required=True, help="Who makes this change; kept with it.")
@click.option(
    "--replace", is_flag=True, help="Replace those that are here already and differ; they stay in the history."
)
def import_file(store: Path | None, file: Path, who: str, replace: bool) -> None:
    """Keep the operations of a GeoJSON FILE, all of them or none.

    Example: cspmap operations import operations.geojson --who "Sgt Ames"
    """
    from cspmap.query import Query

    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be opened ({error.strerror}); check the name.") from error
    here = _open(Query(open_chosen(store)))
    kept = here.import_file(content, name=file.name, who=who, replace_existing=replace)
    for each in kept:
        click.echo(f"{each.id} {' '.join(each.name.split())}, version {each.version}")


@operations.command("evaluate")
@STORE
@click.argument("operation")
@click.option("--before", metavar="YYYY-MM..YYYY-MM", help="Months before. Default: proposed.")
@click.option("--after", metavar="YYYY-MM..YYYY-MM", help="Months after. Default: the whole months of the operation.")
@click.option(
    "--against",
    type=click.Choice(["rest", "chosen", "alike"]),
    help="Compared with the rest, areas picked by hand, or the places most alike before. "
    "Default: those picked by hand where there are any, else the rest.",
)
@click.option(
    "--format", "kind", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to write."
)
@OUT
def evaluate(
    store: Path | None,
    operation: str,
    before: str | None,
    after: str | None,
    against: str | None,
    kind: str,
    out: Path | None,
) -> None:
    """Judge an OPERATION (its identifier or name): aims against results, and whether crime moved next door.

    Example: cspmap operations evaluate Octans --against alike
    """
    from cspmap.operation_results import (
        SheetChoice,
        judge_goals,
        list_comparisons,
        propose_months,
        read_counts,
    )
    from cspmap.operation_surveys import list_surveys
    from cspmap.periods import Span
    from cspmap.query import Query
    from cspmap.views.operation_words import describe_survey, list_sheet_caveats

    query = Query(open_chosen(store))
    found = _find(_open(query), operation)
    counts = read_counts(query, found)
    if before and after:
        spans = Span.parse(before), Span.parse(after)
    else:
        proposed = propose_months(found, query.store.months)
        spans = (
            Span.parse(before) if before else proposed.before,
            Span.parse(after) if after else proposed.after,
        )
    choice = SheetChoice(*spans, cast(Any, against) or list_comparisons(found)[0])
    results = judge_goals(query, counts, found, choice)
    surveys = [describe_survey(standing) for standing in list_surveys(found)]
    caveats = list_sheet_caveats(query, counts, found, choice)
    if kind == "json":
        told = {
            "operation": {"id": found.id, "name": found.name, "version": found.version, "status": found.status},
            "before": str(choice.before),
            "after": str(choice.after),
            "against": choice.against,
            "results": [_as_json(result) for result in results],
            "surveys": surveys,
            "caveats": caveats,
        }
        write_out(json.dumps(told, ensure_ascii=False, indent=1) + "\n", out)
        return
    write_out("\n".join(_write_text(found, choice, results, surveys, caveats)) + "\n", out)


def _open(query: "Query") -> "Operations":
    from cspmap.operations import Operations, find_url

    return Operations.open(find_url(query.store.root))


def _find(kept: "Operations", asked: str) -> "Operation":
    """The operation with an identifier or a name. Raises UserError where none or several have it."""
    found = [each for each in kept.list_operations() if asked in (each.id, each.name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError(f"There is no operation {quote_briefly(asked)}; see cspmap operations list.")
    raise UserError(f"{len(found)} operations are called {quote_briefly(asked)}; give the identifier of one.")


def _write_text(
    operation: "Operation",
    choice: "SheetChoice",
    results: "tuple[GoalResult, ...]",
    surveys: list[str],
    caveats: list[str],
) -> list[str]:
    from cspmap.periods import Month
    from cspmap.views.operation_words import describe_aim, describe_time, tabulate_measures

    lines = [f"{' '.join(operation.name.split())}, {describe_time(operation)}"]
    for result in results:
        lines.append("")
        sheet = result.sheet
        if sheet is None:
            lines.append(f"{result.crime}: {result.fault}")
            continue
        lines += [sheet.headline, describe_aim(result)]
        table = tabulate_measures(sheet)
        widths = [max(map(len, [name, *table[name]])) for name in table.columns]
        for row in (tuple(table.columns), *table.itertuples(index=False)):
            cells = (str(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
            lines.append(f"  {'  '.join(cells)}".rstrip())
        if sheet.months.missing:
            lines.append(f"  Left out: {', '.join(map(Month.__str__, sheet.months.missing))}")
        lines += [f"  Caution: {caution}" for caution in sheet.cautions]
    return [*lines, *([""] if surveys else []), *surveys, "", *caveats]


def _as_json(result: "GoalResult") -> dict[str, Any]:
    """Every figure of a result, with None where one is not known."""
    from dataclasses import asdict

    from cspmap.operations.document import encode_value
    from cspmap.views.operation_words import describe_aim

    told: dict[str, Any] = {
        "crime": result.crime,
        "goal": None if result.goal is None else encode_value(result.goal),
        "change_percent": result.change,
        "reached": result.reached,
    }
    sheet = result.sheet
    if sheet is None:
        return {**told, "fault": result.fault, **({"withheld": True} if result.withheld else {})}
    counts = json.loads(sheet.counts.rename_axis("place").reset_index().to_json(orient="records"))
    return {
        **told,
        "headline": sheet.headline,
        "aim": describe_aim(result),
        "cautions": list(sheet.cautions),
        "months_missing": [str(month) for month in sheet.months.missing],
        "counts": counts,
        "effect": asdict(sheet.effect),
        "buffer_effect": None if sheet.buffer_effect is None else asdict(sheet.buffer_effect),
        "net_effect": None if sheet.net_effect is None else asdict(sheet.net_effect),
        "earlier_effect": None if sheet.earlier is None else asdict(sheet.earlier),
        "weighted_displacement_difference": {**asdict(sheet.difference), "control_weight": sheet.control_weight},
        "weighted_displacement_quotient": None if sheet.quotient is None else asdict(sheet.quotient),
        "odds_ratio": asdict(sheet.odds),
        "course": json.loads(sheet.course.to_json(orient="records")),
    }
