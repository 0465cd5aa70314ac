"""The process behind `job`: reads one question, writes progress and the answer, a line of JSON each."""

import contextlib
import json
import os
import sys
import threading
from dataclasses import asdict
from typing import Any

from cspmap.analysis.focus.problem import Problem
from cspmap.analysis.focus.search import Progress, Watch
from cspmap.analysis.focus.suggestion import search
from cspmap.errors import UserError

# Viewers of the dashboard come first.
_LOWER_PRIORITY = 5


def main() -> None:
    """Answer the question on standard input. A further line, or its end, stops the search."""
    question = json.loads(sys.stdin.readline())
    with contextlib.suppress(AttributeError, OSError):
        os.nice(_LOWER_PRIORITY)
    told = threading.Event()

    def listen() -> None:
        sys.stdin.readline()
        told.set()

    threading.Thread(target=listen, daemon=True).start()
    watch = Watch(question["seconds"], told.is_set, _tell_progress)
    try:
        problem = Problem.from_dict(question["problem"])
        answer = search(problem, watch, alternatives=question["alternatives"], overlap=question["overlap"])
    except UserError as error:
        _tell({"error": str(error)})
    else:
        _tell(asdict(answer))
    # Not by way of the interpreter's end, which would wait for the thread that listens.
    os._exit(0)


def _tell_progress(progress: Progress) -> None:
    _tell({"progress": asdict(progress)})


def _tell(message: dict[str, Any]) -> None:
    try:
        print(json.dumps(message), flush=True)
    except BrokenPipeError:
        os._exit(1)


if __name__ == "__main__":
    main()
