"""What the anonymised points of data.police.uk do to small places: the list of points, and when it was renewed."""

from cspmap.periods import Month, Span

# The publisher made its list of points in 2012 and renewed it in July 2022. A street's incidents before and after
# are mostly at two different points, so that no series of a single street runs across.
RENEWED = Month(2022, 7)

CAVEAT = (
    "Published points are moved to the nearest of a fixed list of places, each with eight or more addresses or none, "
    "so a street stands for its neighbourhood."
)


def crosses_renewal(span: Span, *, renewed: Month = RENEWED) -> bool:
    """Whether a span holds months from before the list of points was renewed and months from after."""
    return span.first < renewed <= span.last


def describe_renewal(span: Span, *, renewed: Month = RENEWED) -> str:
    """The break in series that a span runs across, in a sentence; empty where it runs across none."""
    if not crosses_renewal(span, renewed=renewed):
        return ""
    return f"The list of places was renewed in {renewed.words}: streets before and after cannot be compared one by one."
