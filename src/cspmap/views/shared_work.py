"""Long work in processes of their own, of all viewers of one server together."""

import threading
import time
from typing import Protocol, TypeVar

from cspmap.errors import UserError

# A viewer's page looks at its work twice a second; that at which nobody has looked for so long has lost its viewer.
ABANDONED = 15.0


class Job(Protocol):
    """Work in another process."""

    @property
    def done(self) -> bool:
        """Whether it has ended."""

    def kill(self) -> None:
        """End it now."""


class UnderWay(Protocol):
    """A viewer's job, and when the viewer last looked at it (seconds of a clock that only goes forward)."""

    @property
    def job(self) -> Job:
        """The work."""

    @property
    def looked_at(self) -> float:
        """The moment."""


Work = TypeVar("Work", bound=UnderWay)


def make_room(under_way: list[Work], *, most: int, noun: str) -> None:
    """End jobs whose viewers have gone, and take the ended ones off the list.

    Raises UserError where `most` are still under way; `noun` is what they are, in the plural.
    """
    now = time.monotonic()
    for each in list(under_way):
        if each.job.done or now - each.looked_at > ABANDONED:
            each.job.kill()
            under_way.remove(each)
    if len(under_way) >= most:
        raise UserError(f"Other viewers' {noun} keep this machine busy; try again in a minute.")


# One interpreter runs one thread at a time: of viewers who are served together, each would wait for all.
TURN = threading.Lock()
