"""A pack made in a process of its own, so that whoever asked can go on, look in, and call it off.

The other process is this Python with `pack_worker`; the question goes to it, and progress and the file come back, as
lines of JSON. It works at a lower priority, and ends when it is told to, or when the process that asked ends.
"""

import base64
import json
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Self

from cspmap.errors import UserError
from cspmap.exports.pack import PackFormat

_WORKER = (sys.executable, "-m", "cspmap.pack_worker")


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
        self._message: dict[str, Any] | None = None
        # Whatever it keeps on the disk meanwhile goes with it, however it ends.
        self._folder = tempfile.TemporaryDirectory(prefix="cspmap-pack-")
        self._process = subprocess.Popen(_WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        self._ask({**asdict(question), "folder": self._folder.name})

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
        return not self._reader.is_alive()

    def kill(self) -> None:
        """End it now, without a pack. Harmless where it has ended."""
        self._process.kill()
        self._reader.join()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            # The other end may be gone, with something still in the pipe.
            with suppress(OSError):
                assert stream is not None
                stream.close()
        self._folder.cleanup()

    def result(self, timeout: float | None = None) -> bytes:
        """The file, when it is done. Raises UserError where it cannot be made, or was killed.

        Raises TimeoutError where it is not done within `timeout` seconds; it goes on all the same.
        """
        self._reader.join(timeout)
        if not self.done:
            raise TimeoutError(f"the pack is not done after {timeout} s")
        self.kill()
        message = self._message
        if message is None:
            raise UserError("The pack was not finished; start it again.")
        if "error" in message:
            raise UserError(message["error"])
        return base64.b64decode(message["pack"])

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            if "step" in message:
                self._step, self._share = message["step"], message["share"]
            else:
                self._message = message
                return

    def _ask(self, question: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        # Where it has ended already, `result` says how.
        with suppress(OSError, ValueError):
            self._process.stdin.write(f"{json.dumps(question)}\n")
            self._process.stdin.flush()
