"""The command that copies a store to a database server."""

import os
from pathlib import Path

import click

from cspmap.cli_parts import STORE, open_chosen
from cspmap.engine import ENGINE_VARIABLE, copy_tables
from cspmap.errors import UserError


@click.command()
@STORE
@click.option("--engine", metavar="URL", help=f"Address of the server. Default: what {ENGINE_VARIABLE} holds.")
def load(store: Path | None, engine: str | None) -> None:
    """Copy a store to a database server that answers in its place.

    The dashboard asks that server where CSPMAP_ENGINE holds its address, such as postgres://user@host/database. Each
    version of a store has a schema of its own there; one that is there already is left as it is. Run it after every
    build.
    """
    url = engine or os.environ.get(ENGINE_VARIABLE)
    if not url:
        raise UserError(f"No server is named; give its address with --engine, or in {ENGINE_VARIABLE}.")
    opened = open_chosen(store)
    copied = copy_tables(opened, url)
    click.echo(f"Version {opened.version} {'is copied' if copied else 'was there already'}.")
