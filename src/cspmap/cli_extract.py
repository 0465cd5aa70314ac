"""`cspmap extract`: the figures of a page, and what they are counted from, as a file."""

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from cspmap.cli_parts import OUT, STORE, open_chosen, write_out
from cspmap.errors import UserError

if TYPE_CHECKING:
    from cspmap.exports.request import Request
    from cspmap.query import Query

_WHATS = ["rates", "counts", "areas", "incidents"]
_FORMATS = ["csv", "zip", "xlsx", "json", "geojson", "gpkg", "parquet", "geoparquet"]
_PRINTED = ("csv", "json", "geojson")
# Nobody sees the metadata of these, so the readme stands beside them too.
_READ_BESIDE = ("parquet", "geoparquet")


@click.command()
@STORE
@click.option(
    "--what",
    type=click.Choice(_WHATS),
    default=_WHATS[0],
    show_default=True,
    help="Counts with their rates, counts alone, all figures of the areas as Explore shows them, or single incidents.",
)
@click.option("--level", help="Level of the areas, such as ward. Default: the partnership's first.")
@click.option(
    "--by", type=click.Choice(["month", "crime_type"]), multiple=True, help="Split counts by this; may be given twice."
)
@click.option("--from", "first", metavar="YYYY-MM", help="First month. Default: a year up to the last.")
@click.option("--to", "last", metavar="YYYY-MM", help="Last month. Default: the latest loaded.")
@click.option(
    "--compare",
    metavar="PERIOD",
    default="last-year",
    show_default=True,
    help="What areas are compared with: last-year, previous or YYYY-MM..YYYY-MM.",
)
@click.option("--edition", help="Year of the Indices of Deprivation beside areas. Default: the latest.")
@click.option("--crime", multiple=True, help="Key of a crime type or group; may be given several times. Default: all.")
@click.option("--area", multiple=True, help="Code of an area; may be given several times. Default: all.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(_FORMATS),
    default="csv",
    show_default=True,
    help="What to write; all but csv, json and geojson need --out.",
)
@OUT
def extract(
    store: Path | None,
    what: str,
    level: str | None,
    by: tuple[str, ...],
    first: str | None,
    last: str | None,
    compare: str,
    edition: str | None,
    crime: tuple[str, ...],
    area: tuple[str, ...],
    kind: str,
    out: Path | None,
) -> None:
    """Write counts, rates, areas or incidents to a file.

    Period, population, method and gaps stand beside every figure; what else must be known goes to standard error, and
    into the file's readme.

    Example: cspmap extract --level ward --by crime_type --from 2007-04 --to 2008-03 --out wards.csv
    """
    from cspmap.exports.readme import list_caveats, write_readme
    from cspmap.exports.request import Request
    from cspmap.periods import Month, Span
    from cspmap.query import Query
    from cspmap.selection import Selection, join_list

    if out is None and kind not in _PRINTED:
        raise UserError(f"A file of format {kind} cannot be printed; name a file for it with --out.")
    query = Query(open_chosen(store))
    asked = {
        "level": level or "",
        "crime": join_list(crime),
        "areas": join_list(area),
        "compare": compare,
        "edition": edition or "",
    }
    selection = Selection.from_query(asked, query.store)
    end = Month.parse(last) if last else selection.span.last
    start = Month.parse(first) if first else Span.ending(end, months=len(selection.span)).first
    request = Request(selection.change(span=Span(start, end)), cast(Any, what), cast(Any, by), cast(Any, kind))
    readme = _write(query, request, out)
    if out is not None and kind in _READ_BESIDE:
        write_out(write_readme(readme), out.with_name(f"{out.name}.readme.txt"))
    for sentence in list_caveats(query, request):
        click.echo(sentence, err=True)


def _write(query: "Query", request: "Request", out: Path | None) -> dict[str, str]:
    """Write the file whole or not at all, or print it."""
    from cspmap.exports.files import write_extract

    if out is None:
        with tempfile.TemporaryDirectory(prefix="cspmap-") as folder:
            made = Path(folder) / "extract"
            readme = write_extract(query, request, made)
            write_out(made.read_bytes(), None)
        return readme
    draft = out.with_name(f".{out.name}.part")
    try:
        draft.touch()
        readme = write_extract(query, request, draft)
        draft.replace(out)
    except OSError as error:
        raise UserError(
            f"{out} cannot be written ({error.strerror or error}); name another file with --out."
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink()
    return readme
