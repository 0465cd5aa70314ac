"""What the commands share: the store they read, and where they write."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cspmap import workspace
from cspmap.errors import UserError

if TYPE_CHECKING:
    from cspmap.store import Store

STORE = click.option(
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the store. Default: the bundled example's.",
)
OUT = click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write. Default: standard output."
)


def open_chosen(store: Path | None) -> "Store":
    """The store named, or the bundled example's, built where it is not there yet."""
    from cspmap.build import build_store
    from cspmap.store import open_store

    if store is not None:
        return open_store(store)
    return build_store(workspace.find_example(), data=None, root=workspace.find_example_store()).store


def write_out(content: str | bytes, out: Path | None) -> None:
    """Print it, or write it beside the file named and rename, so that no half-written file is ever left there."""
    if out is None:
        click.echo(content, nl=False)
        return
    draft = out.with_name(f".{out.name}.part")
    try:
        draft.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        draft.replace(out)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise UserError(f"{out} cannot be written ({error.strerror}); name another file with --out.") from error
