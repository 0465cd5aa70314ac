"""A suggestion worked out in a process of its own, which is `focus.worker`: it works at a lower priority."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Self

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
from cspmap.worker import Message, Worker

if TYPE_CHECKING:
    import geopandas as gpd


class SuggestionJob:
    """A suggestion in the making. Safe to look into from any thread."""

    def __init__(self, prepared: Prepared, *, alternatives: int, overlap: float, seconds: float) -> None:
        self._prepared = prepared
        self._progress: Progress | None = None
        question = {"alternatives": alternatives, "overlap": overlap, "seconds": seconds}
        asked = {**question, "problem": prepared.problem.to_dict()}
        self._worker = Worker("cspmap.analysis.focus.worker", asked, hear=self._hear)

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
        return self._worker.done

    def stop(self) -> None:
        """End it soon, with the best area so far."""
        self._worker.tell({"stop": True})

    def kill(self) -> None:
        """End it now, without an answer. Harmless where it has ended."""
        self._worker.kill()

    def result(self, timeout: float | None = None) -> Suggestion:
        """The suggestion, when it is done. Raises UserError as `suggest` does, or where it was killed.

        Raises TimeoutError where it is not done within `timeout` seconds; it goes on all the same.
        """
        answer = self._worker.take_answer(timeout)
        if answer is None:
            raise UserError("The search ended without an answer; start it again.")
        if "error" in answer:
            raise UserError(answer["error"])
        found = tuple(Found(**{**area, "units": tuple(area["units"])}) for area in answer["found"])
        return self._prepared.describe(Answer(found, answer["ended"], answer["seconds"]))

    def _hear(self, message: Message) -> bool:
        if "progress" not in message:
            return False
        self._progress = Progress(**message["progress"])
        return True


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
