"""Where the files are that a partnership file names."""

from dataclasses import dataclass, replace
from pathlib import Path

from cspmap.errors import quote_briefly
from cspmap.toml_table import TomlTable


@dataclass(frozen=True)
class PartnershipFiles:
    """Where the files that a partnership names are, and whether they have to be there.

    Published data is in `folder`; what the partnership itself has written is `beside` its own file (None: this is it).
    """

    folder: Path
    beside: Path | None
    needed: bool

    def find(self, table: TomlTable, key: str = "file", *, folder: bool = False, pattern: bool = False) -> Path:
        """The file that a key names; it may be a `folder` or a `pattern` of names only where that is allowed."""
        text = table.text(key)
        file = self.folder / text
        if not text.strip() or not self.needed:
            return file
        if not file.exists() and any(sign in text for sign in "*?["):
            if not pattern:
                table.report(f"{key} is the pattern {quote_briefly(text)}", "name one file")
            elif not any(file.parent.glob(file.name)):
                table.report(f"no file in {file.parent} matches {file.name}", "put the files there or correct it")
        elif not file.exists():
            other = ", or name another folder with --data" if self.beside else ""
            table.report(f"{text} is not in {self.folder}", f"put the file there{other}")
        elif file.is_dir() and not folder:
            table.report(f"{text} is a folder", "name the file itself")
        return file

    def find_own(self, table: TomlTable) -> Path:
        """The file of the partnership's own that a table names."""
        return replace(self, folder=self.beside or self.folder, beside=None).find(table)

    def find_optional(self, table: TomlTable, key: str = "file", *, folder: bool = False) -> Path | None:
        """The same, or None where the key is absent."""
        return self.find(table, key, folder=folder) if table.optional_text(key) else None
