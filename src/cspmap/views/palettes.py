"""Colours: one ordered palette, one diverging, four categories, and the looks of what is not a class.

Every class colour is light enough for `OUTLINE` to stand out from it at 3:1 (WCAG 2.2, 1.4.11), so two areas of
neighbouring classes are told apart by the line between them even where their colours are close. Both palettes run
along blue and yellow or orange, which people with red-green colour blindness tell apart, in even steps of
lightness.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

OUTLINE = "#0B1016"

# Government Analysis Function, "Data visualisation: colours in charts": at most four categories at once.
CATEGORICAL = ("#12436D", "#28A197", "#801650", "#F46A25")

_ORDERED = ("#F8EBB5", "#8FC9A3", "#3E9FB0", "#2B6CA3")
_FALL = ("#1F6E9C", "#8DBBD1", "#F5F2EC")
_RISE = ("#F5F2EC", "#E5B07A", "#B0561E")
# Two figures at once: neither, the first alone (blue), the second alone (orange), both. The corners were searched for
# the greatest least distance between any two of the nine, to normal and to each kind of colour-blind sight.
_CORNERS = ("#F4F6F1", "#74AAFF", "#F8A12B", "#646254")
# Three colours for the second figure, faded towards the ground by the first.
_FADED, _GROUND, _OPACITY = ("#F2C94C", "#3EA58C", "#2B6CA3"), "#F4F6F8", (0.35, 0.65, 1.0)

Special = Literal["missing", "zero", "suppressed", "left out"]


@dataclass(frozen=True)
class Look:
    """How an area is filled: plain, or with a pattern of `ink` on the fill."""

    fill: str
    ink: str | None = None
    pattern: Literal["hatch", "dots"] | None = None


SPECIAL: dict[Special, Look] = {
    "missing": Look("#FFFFFF", "#7A8794", "hatch"),
    "zero": Look("#FFFFFF"),
    "suppressed": Look("#E4E7EB", "#5B6773", "dots"),
    "left out": Look("#D3D9DF"),
}


def ordered_palette(k: int) -> tuple[str, ...]:
    """`k` colours from light (few) to dark (many), 2 to 10 (ten for deciles)."""
    _require(2 <= k <= 10, f"an ordered palette has 2 to 10 classes, got {k}")
    return _sample(_ORDERED, k)


def diverging_palette(k: int) -> tuple[str, ...]:
    """`k` colours, 3, 5, 7 or 9, from fall (blue) over no change (nearly white) to rise (orange)."""
    _require(3 <= k <= 9 and k % 2 == 1, f"a diverging palette has 3, 5, 7 or 9 classes, got {k}")
    half = k // 2 + 1
    return (*_sample(_FALL, half), *_sample(_RISE, half)[1:])


def bivariate_palette() -> tuple[str, ...]:
    """Nine colours for two figures in three classes each, row by row: the first figure rises within a row."""
    none, first, second, both = (_to_oklab(corner) for corner in _CORNERS)
    steps = (0.0, 0.5, 1.0)
    return tuple(_from_oklab(_blend(_blend(none, first, u), _blend(second, both, u), v)) for v in steps for u in steps)


def faded_palette() -> tuple[str, ...]:
    """The same nine classes as value by alpha: the second figure's colour, the fainter the lower the first.

    Source: Roth, R. E., Woodruff, A. W. and Johnson, Z. F. (2010), "Value-by-alpha maps", The Cartographic Journal
    47(2), 130-140.
    """
    ground = _to_oklab(_GROUND)
    return tuple(_from_oklab(_blend(ground, _to_oklab(colour), opacity)) for colour in _FADED for opacity in _OPACITY)


def text_on(colour: str) -> str:
    """Black or white, whichever reads better on `colour` ("#RRGGBB"): always 4.5:1 or more."""
    return max("#000000", "#FFFFFF", key=lambda text: contrast_ratio(text, colour))


def contrast_ratio(one: str, other: str) -> float:
    """Contrast of two colours from 1 to 21. Source: WCAG 2.2, definition of contrast ratio."""
    darker, lighter = sorted((relative_luminance(one), relative_luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def relative_luminance(colour: str) -> float:
    """Luminance of an sRGB colour "#RRGGBB" from 0 (black) to 1 (white). Source: WCAG 2.2, relative luminance."""
    red, green, blue = _linear_rgb(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _linear_rgb(colour: str) -> tuple[float, float, float]:
    """The linear red, green and blue of "#RRGGBB", each 0 to 1."""

    def channel(text: str) -> float:
        value = int(text, 16) / 255
        return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)

    return channel(colour[1:3]), channel(colour[3:5]), channel(colour[5:7])


# OKLab: a colour space in which equal steps look equal. Source: B. Ottosson, "A perceptual color space for image
# processing" (2020), whose matrices these are.

Lab = tuple[float, float, float]


def _to_oklab(colour: str) -> Lab:
    r, g, b = _linear_rgb(colour)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _from_oklab(lab: Lab) -> str:
    lightness, a, b = lab
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "#" + "".join(f"{_encode(value):02X}" for value in linear)


def _encode(linear: float) -> int:
    """A linear channel as the nearest sRGB byte, clipped to what a screen can show."""
    value = min(max(linear, 0.0), 1.0)
    return round(255 * (value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055))


def _blend(one: Lab, other: Lab, share: float) -> Lab:
    """The colour a share of the way from one to another."""
    lightness, a, b = ((1 - share) * x + share * y for x, y in zip(one, other, strict=True))
    return lightness, a, b


def _sample(anchors: tuple[str, ...], k: int) -> tuple[str, ...]:
    """`k` colours along the anchors in even steps of lightness, which must only fall or only rise along them."""
    labs = [_to_oklab(anchor) for anchor in anchors]
    first, last = labs[0][0], labs[-1][0]
    return tuple(_from_oklab(_at_lightness(labs, first + (last - first) * i / (k - 1))) for i in range(k))


def _at_lightness(labs: list[Lab], lightness: float) -> Lab:
    """The colour of this lightness on the line through the anchors."""
    for one, other in pairwise(labs):
        share = (lightness - one[0]) / (other[0] - one[0])
        if share <= 1:
            break
    return lightness, one[1] + share * (other[1] - one[1]), one[2] + share * (other[2] - one[2])
