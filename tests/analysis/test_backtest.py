"""The back-test of projected outturns: its figures by hand, its sentence, and what comes of it on the real months."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import backtest_outturn as backtest  # noqa: E402
from cspmap.analysis.targets.verdict import CALIBRATION  # noqa: E402
from cspmap.build import build_store  # noqa: E402

TARGET = next(iter(backtest.SHARES))


@pytest.fixture(scope="module")
def counts(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    toml = ROOT / "docs" / "partnerships" / "luton.toml"
    store = build_store(toml, data=shared_data, root=tmp_path_factory.mktemp("luton")).store
    return backtest.read_counts(store.root)


@pytest.fixture(scope="module")
def cases(counts: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {name: backtest.run_back_test(frame) for name, frame in counts.items()}


def test_pages_quote_the_sentence_of_the_documentation() -> None:
    assert f"\n> {CALIBRATION}\n" in (ROOT / "docs" / "backtest.md").read_text("utf-8")


def test_command_explains_itself() -> None:
    shown = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "backtest_outturn.py", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "--out" in shown


def test_coverage_by_hand() -> None:
    made = pd.DataFrame(
        {
            "target": TARGET,
            "year": "one",
            "outturn": [10, 20, 30, 40],
            "low_80": [10, 21, 20, 30],
            "high_80": [12, 30, 29, 50],
            "low_95": [9, 20, 20, 20],
            "high_95": [13, 30, 29, 60],
        }
    )
    row = backtest.tabulate_coverage(made, "year").loc["one"]
    assert row.to_dict() == {"in_80": 0.5, "in_95": 0.75, "below": 0.25, "above": 0.25, "cases": 4}


def test_reliability_and_scores_by_hand() -> None:
    made = pd.DataFrame(
        {
            "seen": [0, 1, 1, 2],
            "chance": [0.5, 0.92, 1.0, 0.3],
            "met": [True, True, False, False],
            "value": 10.0,
            "last_year": [0, 9, 10, 11],
            "straight_line": [0, 11, 9, 9],
            "last_year_chance": 0.5,
            "straight_line_chance": 0.0,
        }
    )
    table = backtest.tabulate_reliability(made)
    assert table.loc[9].to_dict() == pytest.approx({"cases": 2, "said": 0.96, "met": 0.5})
    assert table.loc[3, "met"] == 0
    assert backtest.score_chances(made) == pytest.approx(
        {
            "ours": (0.08**2 + 1 + 0.3**2) / 3,
            "last year": 1 / 3,
            "straight line": 1,
            "last year with chance": 0.25,
            "straight line with chance": 1 / 3,
        }
    )


def test_naive_projections_by_hand() -> None:
    months = [str(backtest.YEARS[1].first - 24 + step) for step in range(36)]
    made = pd.DataFrame({"E1/theft": [1.0] * 12 + [2.0] * 12 + [3.0] * 12}, index=months)
    found = backtest.run_back_test(made, [backtest.YEARS[1]])
    third = found[(found["seen"] == 3) & (found["target"] == TARGET)].iloc[0]
    assert (third["type"], third["outturn"], third["value"]) == ("theft", 36, np.floor(0.9 * 24))
    assert (third["last_year"], third["straight_line"]) == (9 + 18, 36)
    assert (third["rest"], third["rest_before"]) == (27, 18)
    assert len(found) == 12 * len(backtest.SHARES)


def test_steady_series_seldom_seem_to_change() -> None:
    made = backtest.simulate_steady(extra=0, series=300)
    assert (made["real"] < 0.06).all()
    assert (made["possible"] < 0.08).all()


def test_ranges_hold_the_real_outturns(cases: dict[str, pd.DataFrame]) -> None:
    for name, low, high in (("ward", 0.8, 0.93), ("area", 0.76, 0.9), ("", 0.7, 0.87)):
        table = backtest.tabulate_coverage(cases[backtest.LEVELS[name]], "target").iloc[0]
        assert low < table["in_80"] < high
        assert 0.89 < table["in_95"] < 0.99


def test_chances_come_true(cases: dict[str, pd.DataFrame]) -> None:
    for name, most in (("ward", 0.06), ("area", 0.1)):
        table = backtest.tabulate_reliability(cases[backtest.LEVELS[name]])
        assert len(table) == 10
        assert (table["said"] - table["met"]).abs().max() < most


def test_better_than_the_naive_ways(cases: dict[str, pd.DataFrame]) -> None:
    for each in cases.values():
        for target in backtest.SHARES:
            scores = backtest.score_chances(each[each["target"] == target])
            assert scores.pop("ours") < min(scores.values())


def test_report_is_whole(cases: dict[str, pd.DataFrame]) -> None:
    report = backtest.write_report(cases, milliseconds=100)
    assert report.startswith("# How well")
    assert "nan" not in report
    headings = [line for line in report.splitlines() if line.startswith("## ")]
    published = (ROOT / "docs" / "backtest.md").read_text("utf-8")
    assert headings == [line for line in published.splitlines() if line.startswith("## ")]
