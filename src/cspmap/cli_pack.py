"""`cspmap pack`: the screens of a meeting as slides or print."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import click

from cspmap.cli_parts import STORE, open_chosen, write_out
from cspmap.errors import UserError


@click.command()
@STORE
@click.option(
    "--format", "kind", type=click.Choice(["pptx", "pdf"]), help="What to write. Default: as the ending of --out says."
)
@click.option("--area", help="Code of one area: the pack of that area alone.")
@click.option("--operation", help="Identifier or name of one operation: the pack of that alone.")
@click.option("--crime", multiple=True, help="Key of a crime type or group; may be given several times. Default: all.")
@click.option("--level", help="Level that --area is of, where it is none of the meeting's own areas.")
@click.option("--from", "first", metavar="YYYY-MM", help="First month. Default: a year up to the last.")
@click.option("--to", "last", metavar="YYYY-MM", help="Last month. Default: the latest loaded.")
@click.option(
    "--compare",
    type=click.Choice(["last-year", "previous"]),
    default="last-year",
    show_default=True,
    help="What figures are compared with.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write, .pptx or .pdf."
)
def pack(
    store: Path | None,
    kind: str | None,
    area: str | None,
    operation: str | None,
    crime: tuple[str, ...],
    level: str | None,
    first: str | None,
    last: str | None,
    compare: str,
    out: Path,
) -> None:
    """Write the briefing pack: the screens of a meeting as PowerPoint slides or a tagged PDF.

    Of the whole partnership, or of one area or one operation.

    Example: cspmap pack --to 2008-03 --out pack.pptx
    """
    import sys

    from cspmap.operations import Operations, find_url
    from cspmap.pack_job import PackQuestion
    from cspmap.pack_worker import make_pack
    from cspmap.periods import Month, Span
    from cspmap.selection import Selection, join_list

    chosen = kind or out.suffix.lower().removeprefix(".")
    if chosen not in ("pptx", "pdf"):
        raise UserError(f"{out} ends neither in .pptx nor in .pdf; say which to write with --format.")
    if area and operation:
        raise UserError("A pack is of one area or of one operation; leave --area or --operation out.")
    opened = open_chosen(store)
    asked = {"crime": join_list(crime), "level": level or "", "compare": compare}
    selection = Selection.from_query(asked, opened)
    end = Month.parse(last) if last else selection.span.last
    start = Month.parse(first) if first else Span.ending(end, months=len(selection.span)).first
    selection = Selection.from_query({**asked, "period": str(Span(start, end))}, opened)
    scope = "partnership"
    if area:
        scope = f"area:{area}"
    elif operation:
        kept = Operations.open(find_url(opened.root)).list_operations()
        scope = f"operation:{next((each.id for each in kept if operation in (each.id, each.name)), operation)}"
    question = PackQuestion(str(opened.root), selection.to_query(), scope, cast(Any, chosen))

    def tell(step: str, share: float) -> None:
        if sys.stderr.isatty():
            click.echo(f"{share:4.0%} {step}", err=True)

    write_out(make_pack(asdict(question), tell), out)
