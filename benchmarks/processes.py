"""Fresh processes on this machine: what one costs, and servers that always end."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

MEGABYTE = 1_000_000
START_SECONDS = 60


@dataclass(frozen=True)
class Usage:
    """What a process took: wall seconds from start to end, and peak resident memory in MB."""

    seconds: float
    peak: float


@dataclass(frozen=True)
class Server:
    """A running server. `started` and `healthy` are readings of time.perf_counter."""

    url: str
    pid: int
    started: float
    healthy: float


def command_line(*arguments: str) -> list[str]:
    """The product's command, as its console script runs it, from this checkout."""
    return [sys.executable, "-c", "from cspmap.cli import main; main()", *arguments]


def make_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment, but as a user's: compiled modules are kept from the first run on."""
    own = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**own, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]), **(extra or {})}


def run_process(arguments: Sequence[str], *, timeout: float) -> Usage:
    """Run to the end. Raises RuntimeError with the last of what was printed where it fails or takes too long."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        arguments, env=make_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    stop = threading.Timer(timeout, process.kill)
    stop.start()
    try:
        assert process.stdout is not None
        with process.stdout as stream:
            printed = stream.read()
        # wait4 alone tells what this one process used, not all that have ended so far.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        stop.cancel()
        if process.returncode is None:
            process.kill()
            process.wait()
    seconds = time.perf_counter() - begin
    if process.returncode != 0:
        raise RuntimeError(f"ended with {process.returncode} after {seconds:.0f} s: {printed.strip()[-500:]}")
    return Usage(seconds, usage.ru_maxrss * 1024 / MEGABYTE)


@contextlib.contextmanager
def serve(arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start a Streamlit server and end it afterwards; `{port}` in an argument stands for its port."""
    port = find_port()
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as out:
        started = time.perf_counter()
        process = subprocess.Popen(
            [argument.replace("{port}", str(port)) for argument in arguments],
            cwd=ROOT,
            env=make_environment(environment),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for_health(f"{url}/_stcore/health", process, log)
        yield Server(url, process.pid, started, time.perf_counter())
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def find_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_for_health(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.01)
    raise RuntimeError(f"the server did not answer: {log.read_text(errors='replace').strip()[-500:]}")
