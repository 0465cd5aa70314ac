"""Work in a process of its own, so that whoever asked can go on, look in, and call it off.

The other process is this Python with a module; what it is told and what it answers are lines of JSON. It ends when it
has answered, when it is killed, or when the process that asked ends.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

Message = dict[str, Any]


class Worker:
    """A process at work. Safe to look into from any thread; `kill` it in the end, so that it is not left behind."""

    def __init__(self, module: str, question: Mapping[str, Any], *, hear: Callable[[Message], bool]) -> None:
        """Start `module` and put a question to it.

        `hear` is given each message that comes back, in a thread of its own; what it does not take is the answer.
        """
        self._hear = hear
        self._answer: Message | None = None
        command = (sys.executable, "-m", module)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        self.tell(question)

    @property
    def done(self) -> bool:
        """Whether it has answered or ended."""
        return not self._reader.is_alive()

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send it a message more; where it has ended already, nothing happens."""
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):
            self._process.stdin.write(f"{json.dumps(message)}\n")
            self._process.stdin.flush()

    def take_answer(self, timeout: float | None = None) -> Message | None:
        """Wait for its answer, and end it; None where it ended without one.

        Raises TimeoutError where there is none within `timeout` seconds; it goes on all the same.
        """
        self._reader.join(timeout)
        if not self.done:
            raise TimeoutError(f"no answer after {timeout} s")
        self.kill()
        return self._answer

    def kill(self) -> None:
        """End it now. Harmless where it has ended."""
        self._process.kill()
        self._reader.join()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            # The other end may be gone, with something still in the pipe.
            with suppress(OSError):
                assert stream is not None
                stream.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            if not self._hear(message):
                self._answer = message
                return
