"""The briefing pack: the screens of a meeting as a file to hand out, slides or print."""

from collections.abc import Callable
from typing import Literal, get_args

from cspmap.briefing.map_drawing import draw_map
from cspmap.briefing.screen import Briefing, Screen
from cspmap.exports.pack_print import write_print
from cspmap.exports.pack_slides import MAP_TEXT, write_slides
from cspmap.exports.pack_typst import Typesetter
from cspmap.store import Store

PackFormat = Literal["pptx", "pdf"]

PACK_FORMATS: tuple[PackFormat, ...] = get_args(PackFormat)
FORMAT_NAMES: dict[PackFormat, str] = {"pptx": "PowerPoint", "pdf": "PDF"}
MEDIA_TYPES: dict[PackFormat, str] = {
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "pdf": "application/pdf",
}


def write_pack(
    briefing: Briefing,
    store: Store,
    kind: PackFormat,
    *,
    progress: Callable[[str, float], None] = lambda step, done: None,
) -> bytes:
    """A briefing as the bytes of a file. `progress` is told what is being made and the share that is done (0 to 1)."""
    with Typesetter() as typesetter:
        if kind == "pdf":
            return write_print(briefing, store, typesetter, progress)

        def paint_map(screen: Screen, width: float, height: float) -> bytes:
            assert screen.map is not None
            svg = draw_map(screen.map, store, width=width, height=height, text_size=MAP_TEXT)
            return typesetter.paint_png(svg, width=width, height=height)

        return write_slides(briefing, store, paint_map, progress)
