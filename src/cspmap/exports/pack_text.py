"""Texts that stand on every page of a pack, whatever it is written as."""

from dataclasses import dataclass

from cspmap.briefing.screen import Briefing, Screen
from cspmap.briefing.svg import clean_text

ABOUT = "About these figures"


@dataclass(frozen=True)
class Foot:
    """What stands at the foot of every page: the example's notice, and where its figures come from."""

    notice: str
    sources: str


def write_foot(briefing: Briefing) -> Foot:
    """The foot of a briefing's pages."""
    lines = [f"As at {briefing.as_at}.".replace("..", "."), *briefing.licences, f"Store version {briefing.version}."]
    return Foot(clean_text(briefing.notice), clean_text(" ".join(lines)))


def join_caveats(screen: Screen, notice: str) -> str:
    """The caveats of a screen as one paragraph, without the notice, which stands at the foot already."""
    return clean_text(" ".join(sentence for sentence in screen.caveats if sentence != notice))
