"""A suggestion worked out in a process of its own, so that whoever asked can go on, look in, and call it off.

The other process is this Python with `worker`; the question goes to it and progress and the answer come back as lines
of JSON. It works at a lower priority, and ends when it is told to, or when the process that asked ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Collection
from typing import IO, TYPE_CHECKING, Any, Self

from cspmap.analysis.contiguity import Contiguity
from cspmap.analysis.focus.search import Found, Progress
from cspmap.analysis.focus.suggestion import (
    OVERLAP,
    SECONDS,
    Answer,
    By,
    Prepared,
    Suggestion,
    check_alternatives,
    prepare,
)
from cspmap.analysis.measures import Column
from cspmap.errors import UserError

if TYPE_CHECKING:
    import geopandas as gpd

_WORKER = (sys.executable, "-m", "cspmap.analysis.focus.worker")


class SuggestionJob:
    """A suggestion in the making. Safe to look into from any thread."""

    def __init__(self, prepared: Prepared, *, alternatives: int, overlap: float, seconds: float) -> None:
        self._prepared = prepared
        self._progress: Progress | None = None
        self._message: dict[str, Any] | None = None
        self._process = subprocess.Popen(_WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        question = {"alternatives": alternatives, "overlap": overlap, "seconds": seconds}
        self._tell(json.dumps({**question, "problem": prepared.problem.to_dict()}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def progress(self) -> Progress | None:
        """How far it has come; None before there is a first area."""
        return self._progress

    @property
    def done(self) -> bool:
        """Whether `result` answers at once."""
        return not self._reader.is_alive()

    def stop(self) -> None:
        """End it soon, with the best area so far."""
        self._tell("stop")

    def kill(self) -> None:
        """End it now, without an answer. Harmless where it has ended."""
        self._process.kill()
        self._reader.join()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                _close(stream)

    def result(self, timeout: float | None = None) -> Suggestion:
        """The suggestion, when it is done. Raises UserError as `suggest` does, or where it was killed.

        Raises TimeoutError where it is not done within `timeout` seconds; it goes on all the same.
        """
        self._reader.join(timeout)
        if not self.done:
            raise TimeoutError(f"the search is not done after {timeout} s")
        self.kill()
        message = self._message
        if message is None:
            raise UserError("The search ended without an answer; start it again.")
        if "error" in message:
            raise UserError(message["error"])
        found = tuple(Found(**{**area, "units": tuple(area["units"])}) for area in message["found"])
        return self._prepared.describe(Answer(found, message["ended"], message["seconds"]))

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            if "progress" in message:
                self._progress = Progress(**message["progress"])
            else:
                self._message = message
                return

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            # It has ended already: `result` says how.
            return


def start_suggestion(
    units: gpd.GeoDataFrame,
    weights: Column,
    budget: float,
    *,
    by: By = "units",
    residents: Column | None = None,
    include: Collection[str] = (),
    avoid: Collection[str] = (),
    compactness: float = 0.0,
    alternatives: int = 0,
    overlap: float = OVERLAP,
    contiguity: Contiguity | None = None,
    seconds: float = SECONDS,
) -> SuggestionJob:
    """Start what `suggest` does, in a process of its own; arguments as there, and UserError for mistakes in them.

    Use the job in a `with` block, or `kill` it in the end, so that its process is not left behind.
    """
    prepared = prepare(
        units,
        weights,
        budget,
        by=by,
        residents=residents,
        include=include,
        avoid=avoid,
        compactness=compactness,
        contiguity=contiguity,
    )
    check_alternatives(alternatives, overlap)
    return SuggestionJob(prepared, alternatives=alternatives, overlap=overlap, seconds=seconds)


def _close(stream: IO[str]) -> None:
    """Close a pipe whose other end may be gone, with something still in it."""
    try:
        stream.close()
    except OSError:
        return
