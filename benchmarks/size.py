"""How much disk an installation takes."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.processes import MEGABYTE, ROOT
from benchmarks.setting import Benchmark, NotRunError, Setting
from benchmarks.table import Figure, Row

BUILD_SECONDS = 1200
INSTALLERS = ("pip", "setuptools", "wheel")


def measure_install(setting: Setting) -> list[Figure]:
    """Install the project, without extras, in a fresh virtual environment and add up its files."""
    home = setting.folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", home], check=True, timeout=BUILD_SECONDS)
    python = home / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
    if result.returncode != 0:
        raise NotRunError(f"pip could not install the project: {result.stderr.strip()[-200:]}")
    size = sum_files(home / "lib") / MEGABYTE
    return [Figure(size, size, size)]


def sum_files(folder: Path) -> int:
    """Bytes that a folder's files take on the disk, but for the installers'; a file with two names counts once."""
    seen: dict[tuple[int, int], int] = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name.split("-")[0] not in INSTALLERS]
        for name in files:
            state = (Path(place) / name).lstat()
            seen[state.st_dev, state.st_ino] = state.st_blocks * 512
    return sum(seen.values())


BENCHMARKS = (
    Benchmark(
        name="install",
        rows=(Row("installed, everything a user runs", "MB", 900),),
        how="the project installed with pip, without extras, in a fresh virtual environment: disk space of everything "
        "in its site-packages but pip itself, with the compiled modules that pip writes.",
        measure=measure_install,
        flag="install",
    ),
)
