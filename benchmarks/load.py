"""Many viewers at once: each a session of its own over the dashboard's web socket, changing a filter now and then.

python load.py URL VIEWERS SECONDS PAUSE: each looks about PAUSE seconds at what a change brought. Prints
as JSON how many milliseconds each change took, from sending it to the message that its run has finished. A process of
its own, and without browsers, so that it takes little from the server.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

FILTERS = ("Crime", "Measure", "Compared with")
# "Chosen months" opens a further filter rather than changing the map.
AVOID = {"Chosen months"}
# Nobody looks for just as long as the others.
UNEVEN = 0.2
TIMEOUT = 120


@dataclass
class Viewer:
    """One session: the filters that the page has shown it, and what it has set them to."""

    socket: ClientConnection
    choose: random.Random
    filters: dict[str, Any] = field(default_factory=dict)
    values: dict[str, list[str]] = field(default_factory=dict)
    fragment: str = ""
    query: str = ""

    async def open(self) -> None:
        """Load the page."""
        await self._rerun()

    async def change(self) -> float:
        """Change one filter; milliseconds until the run that it starts has finished."""
        label = self.choose.choice(sorted(self.filters))
        widget = self.filters[label]
        options = [option for option in widget.options if option not in AVOID]
        most = 2 if label == "Crime" else 1
        while (picked := self.choose.sample(options, self.choose.randint(1, most))) == self.values.get(label):
            pass
        self.values[label] = picked
        begin = time.perf_counter()
        await self._rerun()
        return 1000 * (time.perf_counter() - begin)

    async def _rerun(self) -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.fragment_id = self.query, self.fragment
        for label, picked in self.values.items():
            widget = state.widget_states.widgets.add(id=self.filters[label].id)
            if label == "Crime":
                widget.string_array_value.data.extend(picked)
            else:
                widget.string_value = picked[0]
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(TIMEOUT):
            while not self._take(await self.socket.recv()):
                pass

    def _take(self, data: str | bytes) -> bool:
        """Note what a message says; whether it is that the run has finished."""
        message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        if kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            shown = element.WhichOneof("type")
            if shown == "exception":
                raise RuntimeError(f"the page failed: {element.exception.message}")
            if shown in {"selectbox", "multiselect"} and (widget := getattr(element, shown)).label in FILTERS:
                self.filters[widget.label] = widget
                self.fragment = message.delta.fragment_id
        return bool(kind == "script_finished")


async def view(url: str, number: int, seconds: float, pause: float) -> list[float]:
    """One viewer's changes. The first does not count, as it warms the session up."""
    async with connect(
        f"{url.replace('http', 'ws', 1)}/_stcore/stream",
        subprotocols=["streamlit"],  # type: ignore[list-item]
        max_size=None,
        compression=None,
        ping_interval=None,
    ) as socket:
        viewer = Viewer(socket, random.Random(number))
        await viewer.open()
        await viewer.change()
        await asyncio.sleep(viewer.choose.uniform(0, pause))
        end, taken = time.monotonic() + seconds, []
        while time.monotonic() < end:
            taken.append(await viewer.change())
            await asyncio.sleep(pause * viewer.choose.uniform(1 - UNEVEN, 1 + UNEVEN))
        return taken


async def view_all(url: str, viewers: int, seconds: float, pause: float) -> list[float]:
    """All viewers' changes together."""
    views = (view(url, number, seconds, pause) for number in range(viewers))
    return [time for times in await asyncio.gather(*views) for time in times]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(view_all(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))))
