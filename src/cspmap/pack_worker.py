"""The process behind `pack_job`: reads one question, writes progress and the pack, a line of JSON each."""

import base64
import contextlib
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cspmap.errors import UserError

# Viewers of the dashboard come first.
_LOWER_PRIORITY = 5
# Of the whole, about what working out the figures takes.
_FIGURES = 0.4


def main() -> None:
    """Make the pack that standard input asks for. The end of standard input ends it."""
    question = json.loads(sys.stdin.readline())
    with contextlib.suppress(AttributeError, OSError):
        os.nice(_LOWER_PRIORITY)
    tempfile.tempdir = question["folder"]
    # Nothing but the answer may be written there, whatever a library prints.
    answer, sys.stdout = sys.stdout, sys.stderr

    def tell(message: dict[str, Any]) -> None:
        try:
            print(json.dumps(message), file=answer, flush=True)
        except BrokenPipeError:
            end(1)

    def end(code: int) -> None:
        shutil.rmtree(question["folder"], ignore_errors=True)
        # Not by way of the interpreter's end, which would wait for the thread that listens.
        os._exit(code)

    def listen() -> None:
        sys.stdin.read()
        end(1)

    threading.Thread(target=listen, daemon=True).start()
    try:
        pack = make_pack(question, lambda step, share: tell({"step": step, "share": share}))
    except UserError as error:
        tell({"error": str(error)})
    else:
        tell({"pack": base64.b64encode(pack).decode()})
    end(0)


def make_pack(question: dict[str, Any], progress: Callable[[str, float], None]) -> bytes:
    """The pack that a question (`pack_job.PackQuestion` as a dictionary) asks for. Raises UserError as its parts do."""
    from datetime import datetime

    progress("Working out the figures", 0.0)
    from cspmap.briefing.making import make_briefing
    from cspmap.exports.pack import write_pack
    from cspmap.operations import Operations, find_url
    from cspmap.query import Query
    from cspmap.selection import Selection
    from cspmap.store import open_store

    query = Query(open_store(Path(question["store"])))
    store = query.store
    briefing = make_briefing(
        query,
        Selection.from_query(question["selection"], store),
        operations=Operations.open(find_url(store.root)),
        scope=question["scope"],
        as_at=datetime.fromisoformat(question["as_at"]) if question["as_at"] else None,
    )

    def tell(step: str, share: float) -> None:
        progress(step, _FIGURES + (1 - _FIGURES) * share)

    return write_pack(briefing, store, question["format"], progress=tell)


if __name__ == "__main__":
    main()
