"""The benchmark command: its pieces fit together and its table says what was measured. Nothing is timed here."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import command, processes  # noqa: E402
from benchmarks.setting import PARTNERSHIP, RECENT, Benchmark, NotRunError, Setting  # noqa: E402
from benchmarks.table import Figure, Outcome, Row, format_amount, format_report  # noqa: E402


def test_command_runs_as_a_script() -> None:
    shown = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "run.py", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for benchmark in command.BENCHMARKS:
        assert benchmark.name in shown
        if benchmark.flag:
            assert f"--{benchmark.flag}" in shown


def test_every_budget_of_the_dashboard_has_its_row() -> None:
    budgets = {(row.budget, row.unit) for benchmark in command.BENCHMARKS for row in benchmark.rows if row.budget}
    assert budgets == {
        (900, "MB"),
        (3, "s"),
        (600, "MB"),
        (60, "s"),
        (2000, "MB"),
        (2.0, "s"),
        (200, "ms"),
        (450, "ms"),
        (150, "ms"),
        (500, "MB"),
        (100, "ms"),
        (300, "ms"),
        (500, "ms"),
        (1, "s"),
        (15, "s"),
        (30, "s"),
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 s"), (0.012345, "0.0123 s"), (2.5, "2.5 s"), (142.7, "143 s"), (9.996, "10 s"), (12345.6, "12,300 s")],
)
def test_amounts_have_three_figures(value: float, text: str) -> None:
    assert format_amount(value, "s") == text


def test_figures_are_medians_and_percentiles() -> None:
    assert Figure.middle([3, 1, 2], [10, 30]) == Figure(2, 1, 3, 20)
    assert Figure.percentile(0.95, [float(n) for n in range(1, 101)]) == Figure(95, 1, 100)
    assert Figure.percentile(0.95, [7.0]) == Figure(7, 7, 7)


def test_report_tells_met_from_missed_and_gives_the_ratio() -> None:
    rows = (Row("fast", "ms", 200), Row("slow", "s", 3), Row("free", "MB"))
    figures = (Figure(200, 150, 250, 800), Figure(3.01, 3.01, 3.01), Figure(5, 4, 6))
    report = format_report([Outcome("three", rows, "by hand.", 0.5, figures)], ["2 cores"])
    assert "- 2 cores\n" in report
    assert "| fast | 200 ms | 150 to 250 ms | 200 ms | yes | 800 ms | 4 |" in report
    assert "| slow | 3.01 s |  | 3 s | **no** |  |  |" in report
    assert "| free | 5 MB | 4 to 6 MB |  |  |  |  |" in report
    assert "- **three** (load average before: 0.50): by hand." in report


def test_what_cannot_be_run_is_left_out_with_its_reason(tmp_path: Path) -> None:
    def refuse(setting: Setting) -> list[Figure]:
        raise NotRunError("there is no browser")

    def fail(setting: Setting) -> list[Figure]:
        raise RuntimeError("first\nlast line")

    rows = (Row("a map", "s", 2),)
    setting = Setting(tmp_path)
    refused = command.run_benchmark(Benchmark("map", rows, "", refuse), setting, asked=True)
    failed = command.run_benchmark(Benchmark("map", rows, "", fail), setting, asked=True)
    slow = command.run_benchmark(Benchmark("map", rows, "", fail, flag="large"), setting, asked=False)
    assert refused.reason == "there is no browser"
    assert failed.reason == "failed (last line)"
    assert slow.reason == "it is slow; add --large"
    assert "| a map | not measured: there is no browser |  | 2 s |  |  |  |" in format_report([refused], [])


@pytest.mark.parametrize(("load", "warned"), [(1.0, False), (1000.0, True)])
def test_report_warns_of_a_busy_machine(load: float, warned: bool) -> None:
    assert bool(command.note_load([Outcome("map", (), "", load)])) == warned


def test_process_that_takes_too_long_is_ended() -> None:
    with pytest.raises(RuntimeError, match="ended with -9"):
        processes.run_process([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.5)


def test_partnership_keeps_only_the_recent_source(tmp_path: Path) -> None:
    text = Setting(tmp_path).write_partnership("recent", "other.zip").read_text("utf-8")
    assert text.count("[[incidents]]") == 1
    assert 'file = "other.zip"' in text
    original = PARTNERSHIP.read_text("utf-8")
    assert original.count("[[incidents]]") > 1
    assert text.count("[[layers]]") == original.count("[[layers]]")
    assert "[lookups]" in text
    assert RECENT not in text


def test_archive_is_as_published_and_the_same_from_the_same_seed(tmp_path: Path, shared_data: Path) -> None:
    from benchmarks import archive

    contents = []
    for name in ("one.zip", "two.zip"):
        archive.write_archive(shared_data / "boundaries", tmp_path / name, rows=2001, months=2)
        with zipfile.ZipFile(tmp_path / name) as opened:
            contents.append({member: opened.read(member).decode() for member in opened.namelist()})
    assert contents[0] == contents[1]
    assert list(contents[0]) == [
        "2024-03/2024-03-bedfordshire-street.csv",
        "2024-04/2024-04-bedfordshire-street.csv",
    ]
    lines = [text.splitlines() for text in contents[0].values()]
    assert [len(rows) - 1 for rows in lines] == [1001, 1000]
    with zipfile.ZipFile(shared_data / RECENT) as published:
        header = published.read(published.namelist()[0]).decode().splitlines()[0]
    assert {rows[0] for rows in lines} == {header}
    for row in (row.split(",") for rows in lines for row in rows[1:]):
        assert (row[0] == "") == (row[9] == archive.ASB)
        assert (row[4] == "") == (row[6] == "No Location")
