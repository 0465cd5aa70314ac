"""docs/operations.md: its example runs, and its table names every property."""

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from cspmap.operations import MeetingEntry, Operation, Operations, find_url, read_geojson

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")


def test_example_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    environment = {name: value for name, value in os.environ.items() if name != "CSPMAP_OPERATIONS"}
    command = [sys.executable, "-W", "error", "-c", code]
    environment["PYTHONPATH"] = str(ROOT / "src")
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert [line.split("+00:00 ")[1] for line in done.stdout.splitlines()] == ["Insp. Bell Sgt Ames", "Sgt Ames "]
    kept = Operations.open(find_url(tmp_path / "store")).list_operations()
    assert read_geojson((tmp_path / "focus.geojson").read_bytes()) == kept
    assert len(kept) == 1


def test_every_property_is_described() -> None:
    for item in fields(Operation):
        assert item.name == "id" or f"`{item.name}`" in PAGE, item.name
    # An entry's subject is the operation that it stands with.
    for item in fields(MeetingEntry):
        assert item.name == "subject" or f"`{item.name}`" in PAGE, item.name
