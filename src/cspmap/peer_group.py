"""The `[recorded_crime]` table of a partnership file: recorded crime by partnership, and whom it is compared with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cspmap.codes import CSP
from cspmap.errors import quote_briefly
from cspmap.toml_table import TomlTable


@dataclass(frozen=True)
class PeerGroup:
    """A file of recorded crime by community safety partnership and the codes of those most similar to this one.

    `members` may name the partnership itself or not: it is always among them. Without any there is only its force.
    """

    file: Path
    source: str
    members: tuple[str, ...] = ()
    name: str = "Most similar group"
    members_source: str = ""


def read_peer_group(table: TomlTable | None, find: Callable[[TomlTable], Path], *, own: str | None) -> PeerGroup | None:
    """Take the table, where there is one; `find` gives the file that its key `file` names, `own` is the partnership."""
    if table is None:
        return None
    members = table.texts("group", ())
    group = PeerGroup(
        file=find(table),
        source=table.text("source"),
        members=members,
        name=table.text("group_name", "Most similar group"),
        members_source=table.text("group_source", ""),
    )
    for code in members:
        if not CSP.matches(code):
            table.report(f"group names {quote_briefly(code)}", f"write {CSP.words} codes, such as E22000010")
    if members and not group.members_source:
        table.report("the group has no source", 'say in group_source who drew it up, such as "Home Office, 2024"')
    if own is None:
        table.report("the partnership's own code is not given", 'add csp to [partnership], such as csp = "E22000010"')
    table.finish()
    return group
