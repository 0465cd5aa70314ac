"""The typesetter of a pack, typst, with the pack's own typeface and nothing from outside.

It asks no network and no typeface of the machine for anything, so that a pack looks the same wherever it is made. No
source of typst is ever built from text that comes from data: such text goes to it as a file of JSON or an SVG.
"""

import importlib.util
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cspmap.briefing.svg import show_number

if TYPE_CHECKING:
    from typst import Fonts

# The first has letters of most European languages, the second is typst's own and has some that the first has not.
FONTS = ("Source Sans Pro", "DejaVu Sans Mono")
_PACKAGE = "font_source_sans_pro"
_PNG_PPI = 200.0


class Typesetter:
    """Makes PDF and PNG of files in a folder of its own, which is gone after the `with` block."""

    def __enter__(self) -> Self:
        from typst import Compiler

        self._held = tempfile.TemporaryDirectory(prefix="cspmap-pack-")
        self.folder = Path(self._held.name)
        self._compiler = Compiler(root=str(self.folder), font_paths=_find_fonts())
        return self

    def __exit__(self, *_: object) -> None:
        self._held.cleanup()

    def print_pdf(self, source: str) -> bytes:
        """The PDF of a source that names files in the folder: tagged, its typeface within (PDF/UA-1)."""
        file = self.folder / "main.typ"
        file.write_text(source, "utf-8")
        made = self._compiler.compile(str(file), format="pdf", pdf_standards=["ua-1"])
        assert isinstance(made, bytes)
        return made

    def paint_png(self, svg: str, *, width: float, height: float) -> bytes:
        """The picture of an SVG at a size in points, fine enough for print."""
        (self.folder / "picture.svg").write_text(svg, "utf-8")
        size = f"width: {show_number(width)}pt, height: {show_number(height)}pt"
        file = self.folder / "picture.typ"
        file.write_text(f'#set page({size}, margin: 0pt)\n#image("picture.svg", {size})\n', "utf-8")
        made = self._compiler.compile(str(file), format="png", ppi=_PNG_PPI)
        pages = made if isinstance(made, list) else [made]
        assert isinstance(pages[0], bytes)
        return pages[0]


def _find_fonts() -> "Fonts":
    from typst import Fonts

    spec = importlib.util.find_spec(_PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "files"
    return Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(folder)])
