"""A pack made in a process of its own (`worker`), which is `pack_worker`: it works at a lower priority."""

import base64
import tempfile
from dataclasses import asdict, dataclass
from typing import Self

from cspmap.errors import UserError
from cspmap.exports.pack import PackFormat
from cspmap.worker import Message, Worker


@dataclass(frozen=True)
class PackQuestion:
    """What a pack is to hold: the folder of the store, a selection as a link has it, a scope as `make_briefing` takes.

    `as_at` is the moment of the meeting as ISO text, None for now.
    """

    store: str
    selection: dict[str, str]
    scope: str
    format: PackFormat
    as_at: str | None = None


class PackJob:
    """A pack in the making. Safe to look into from any thread.

    Use it in a `with` block, or `kill` it in the end, so that its process is not left behind.
    """

    def __init__(self, question: PackQuestion) -> None:
        self.question = question
        self._step, self._share = "Starting", 0.0
        # Whatever it keeps on the disk meanwhile goes with it, however it ends.
        self._folder = tempfile.TemporaryDirectory(prefix="cspmap-pack-")
        asked = {**asdict(question), "folder": self._folder.name}
        self._worker = Worker("cspmap.pack_worker", asked, hear=self._hear)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def progress(self) -> tuple[str, float]:
        """What is being made, in words, and the share of the whole that is done (0 to 1)."""
        return self._step, self._share

    @property
    def done(self) -> bool:
        """Whether `result` answers at once."""
        return self._worker.done

    def kill(self) -> None:
        """End it now, without a pack. Harmless where it has ended."""
        self._worker.kill()
        self._folder.cleanup()

    def result(self, timeout: float | None = None) -> bytes:
        """The file, when it is done. Raises UserError where it cannot be made, or was killed.

        Raises TimeoutError where it is not done within `timeout` seconds; it goes on all the same.
        """
        answer = self._worker.take_answer(timeout)
        self.kill()
        if answer is None:
            raise UserError("The pack was not finished; start it again.")
        if "error" in answer:
            raise UserError(answer["error"])
        return base64.b64decode(answer["pack"])

    def _hear(self, message: Message) -> bool:
        if "step" not in message:
            return False
        self._step, self._share = message["step"], message["share"]
        return True
