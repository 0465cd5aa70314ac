"""Everything that the pages can do, from a terminal."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cspmap import __version__, workspace
from cspmap.cli_compare import compare
from cspmap.cli_deprivation import deprivation
from cspmap.cli_extract import extract
from cspmap.cli_focus import focus
from cspmap.cli_hotspots import hotspots
from cspmap.cli_load import load
from cspmap.cli_operations import operations
from cspmap.cli_pack import pack
from cspmap.cli_parts import STORE, open_chosen
from cspmap.cli_priorities import indicators, priorities
from cspmap.cli_targets import targets
from cspmap.errors import ProblemsError, UserError, quote_briefly

if TYPE_CHECKING:
    from cspmap.build import SourceSummary
    from cspmap.periods import Month

_LAST_PORT = 65535

_DATA = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that the file names in PARTNERSHIP.toml resolve against. Default: its own folder.",
)
_PARTNERSHIP = click.argument("partnership", type=click.Path(dir_okay=False, path_type=Path))


class _Group(click.Group):
    """Turns every error a user can act on into plain sentences on standard error and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UserError as error:
            click.echo(str(error), err=True)
            ctx.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="cspmap")
def main() -> None:
    """A crime, deprivation and target dashboard for Community Safety Partnerships.

    Without data of your own, `cspmap run` opens the dashboard on a bundled example.
    """


main.add_command(extract)
main.add_command(compare)
main.add_command(deprivation)
main.add_command(focus)
main.add_command(hotspots)
main.add_command(load)
main.add_command(indicators)
main.add_command(operations)
main.add_command(pack)
main.add_command(priorities)
main.add_command(targets)


@main.command()
@STORE
@click.option("--address", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", default=8501, show_default=True, type=click.IntRange(1, _LAST_PORT), help="Port to listen on.")
@click.option("--browser/--no-browser", default=True, help="Open the dashboard in a browser.")
def run(store: Path | None, address: str, port: int, browser: bool) -> None:
    """Serve the dashboard of a store, or of the bundled example. Stop it with Ctrl+C."""
    import os

    _check_listening(address, port)
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.web import cli as streamlit

    from cspmap.build import build_store
    from cspmap.views.dashboard import load_query
    from cspmap.views.figures import warm_up

    if store is None:
        build_store(workspace.find_example(), data=None, root=workspace.find_example_store(), progress=_Bar())
        os.environ.pop(workspace.STORE_VARIABLE, None)
    else:
        os.environ[workspace.STORE_VARIABLE] = str(store.resolve())
    options = {
        "server.address": address,
        "server.port": port,
        "server.headless": str(not browser).lower(),
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
        # What is served, where and how to stop it is said here, in the product's own words.
        "logger.hideWelcomeMessage": "true",
        "logger.level": "warning",
    }
    query = load_query()
    warm_up(query)
    held = "the bundled example" if store is None else f"the store in {store.resolve()}"
    click.echo(f"cspmap {__version__} serves {query.store.partnership.name}: {held}, version {query.store.version}.")
    click.echo(f"Open {describe_url(address, port)} in a browser. Stop cspmap with Ctrl+C.")
    # Otherwise the first link opened after a start would show the pages folder in place of app.py's own pages.
    PagesManager.uses_pages_directory = False
    arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    sys.exit(streamlit.main(["run", str(workspace.find_dashboard() / "app.py"), *arguments]))


@main.command()
@_PARTNERSHIP
@_DATA
@click.option(
    "--store",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to build the store in; what it serves stays in use until the build is complete.",
)
def build(partnership: Path, data: Path | None, store: Path) -> None:
    """Build the store of PARTNERSHIP.toml from official files.

    Months that have not changed since the last build are kept; new and re-issued ones are read.
    """
    from cspmap.build import build_store

    summary = build_store(partnership, data=data, root=store, progress=_Bar())
    if not summary.changed:
        click.echo("Nothing has changed since the last build.")
    months = summary.store.months
    read = "1 month" if summary.months_read == 1 else f"{summary.months_read} months"
    place = summary.store.partnership.place
    click.echo(f"Months: {len(months)}, {months[0].words} to {months[-1].words}; {read} read now.")
    click.echo(f"Rows read: {summary.rows:,}")
    click.echo(f"Repeated crime identifiers dropped, the latest kept: {summary.repeated:,}")
    click.echo(f"Without a location: {summary.unlocated:,}")
    click.echo(f"Located inside {place}: {summary.inside:,}")
    if len(summary.sources) > 1:
        for source in summary.sources:
            click.echo(f"Source: {_describe_source(source, place)}")
    for note in (*_describe_dropped(summary.dropped), *summary.notes):
        click.echo(f"Note: {note}")
    click.echo(
        f"Store: {summary.store.root}, version {summary.store.version}. Open it with: cspmap run --store {store}"
    )


@main.command()
@_PARTNERSHIP
@_DATA
def check(partnership: Path, data: Path | None) -> None:
    """List every problem of PARTNERSHIP.toml and the files it names.

    Exit code 1 where there are any.
    """
    from cspmap.check import check_partnership

    problems, notes = check_partnership(partnership, data=data)
    for note in notes:
        click.echo(f"Note: {note}")
    if problems:
        raise ProblemsError(problems)
    click.echo("No problems found.")


@main.command()
@STORE
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "csv", "json"]),
    default="text",
    show_default=True,
    help="What to write: to read, or to work on.",
)
def quality(store: Path | None, kind: str) -> None:
    """Report on what a store holds and how good it is.

    By month: rows, repeated identifiers, incidents without a location, outside and inside, LSOA vintage, and how
    many published LSOA codes are not those of the point.
    """
    from cspmap.exports.extract import write_csv
    from cspmap.periods import Month, Span
    from cspmap.query import Query
    from cspmap.views.words import describe_missing, format_moment

    opened = open_chosen(store)
    months = opened.read_table("months")
    if kind == "csv":
        click.echo(write_csv(months), nl=False)
        return
    span = Span(opened.months[0], opened.months[-1])
    gaps = Query(opened).missing_months(span)
    if kind == "json":
        rows = json.loads(months.to_json(orient="records"))
        report = {"missing": [str(month) for month in gaps], "notes": opened.manifest["notes"], "months": rows}
        click.echo(json.dumps(report, ensure_ascii=False, indent=1))
        return
    built = format_moment(opened.manifest["built"])
    click.echo(f"{opened.partnership.name}, store version {opened.version}, built {built}")
    if opened.partnership.notice:
        click.echo(opened.partnership.notice)
    click.echo(describe_missing(gaps, span.words) or f"No month is missing from {span.words}.")
    shown = ["month", "rows", "repeated", "without_id", "unlocated", "outside", "inside", "lsoa_vintage"]
    click.echo(months[[*shown, "lsoa_compared", "lsoa_disagree"]].to_string(index=False, na_rep="-"))
    for note in opened.manifest["notes"]:
        click.echo(f"Note: {note}")
    if opened.root == workspace.find_example_store():
        click.echo(f"{Month.parse(months['month'].iloc[-1]).words} is the latest month of the bundled example.")


def _check_listening(address: str, port: int) -> None:
    """Raise UserError where the server could not listen there, before anything else is done."""
    import errno
    import socket

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server does: a port that was let go just now is free, but on Windows this would share one in use.
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen()
        except (OSError, UnicodeError) as error:
            match getattr(error, "errno", None):
                case errno.EADDRINUSE:
                    other = port + 1 if port < _LAST_PORT else port - 1
                    what = f"Port {port} is in use, perhaps by another cspmap"
                    fix = f"stop that, or give another port, such as --port {other}"
                case errno.EACCES:
                    what, fix = f"Port {port} may not be used here", "give another, such as --port 8501"
                case _:
                    what = f"{quote_briefly(address)} is not an address of this computer"
                    fix = "give --address 127.0.0.1 for this computer alone, or 0.0.0.0 for all that can reach it"
            raise UserError(f"{what}; {fix}.") from error


def describe_url(address: str, port: int) -> str:
    """What to open in a browser to reach a server that listens there."""
    if address in {"0.0.0.0", "::"}:  # noqa: S104
        return f"http://localhost:{port} (on another computer, this one's name or address in place of localhost)"
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _describe_dropped(months: Sequence["Month"]) -> list[str]:
    """What the build before had loaded and this one has not: from here on it is missing, not zero."""
    from cspmap.periods import name_months

    if not months:
        return []
    was, are = ("was", "is") if len(months) == 1 else ("were", "are")
    return [f"{name_months(months)} {was} loaded before and {are} no longer in the sources: missing, not zero."]


def _describe_source(source: "SourceSummary", place: str) -> str:
    if not source.months:
        return f"{source.source}: no month used."
    months = "1 month" if len(source.months) == 1 else f"{len(source.months)} months"
    return (
        f"{source.source}: {months}, {source.rows:,} rows read, {source.repeated:,} repeated dropped, "
        f"{source.unlocated:,} without a location, {source.inside:,} inside {place}."
    )


@dataclass
class _Bar:
    """A progress bar on standard error; silent where that is not a terminal."""

    _bar: Any = None
    _done: float = 0.0

    def __call__(self, step: str, done: float) -> None:
        if not sys.stderr.isatty():
            return
        if self._bar is None:
            self._bar = click.progressbar(length=1000, file=sys.stderr, show_eta=False, item_show_func=str)
        self._bar.update(round(1000 * (done - self._done)), step)
        self._done = done
        if done >= 1:
            self._bar.render_finish()
