"""The commands as a user meets them: help, outputs, exit codes, and a document that tells the truth."""

import csv
import io
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cspmap import __version__, workspace
from cspmap.cli import describe_url, main
from cspmap.store import open_store

from .made import Made, make_incidents

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "command-line.md"
COLUMNS = "count population rate rate_per months_missing period population_method share_without_location".split()  # noqa: SIM905
COMMANDS = sorted(main.commands)


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


# Help and documents


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name: str) -> None:
    command = main.commands[name]
    assert command.help
    assert command.help.splitlines()[0].endswith(".")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts[0]}"
            assert parameter.help.endswith("."), f"{name} {parameter.opts[0]}"
    said = call(name, "--help")
    assert said.exit_code == 0
    assert said.output.startswith(f"Usage: main {name}")
    assert call(name, "-h").output == said.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    text = DOCUMENT.read_text("utf-8")
    assert f"\n## `cspmap {name}`\n" in text
    section = text.split(f"\n## `cspmap {name}`\n")[1].split("\n## ")[0]
    for parameter in main.commands[name].params:
        if isinstance(parameter, click.Option):
            for word in (*parameter.opts, *parameter.secondary_opts):
                assert f"`{word}`" in section, f"{word} of cspmap {name} is not in {DOCUMENT.name}"
    assert f"cspmap {name}" in (ROOT / "README.md").read_text("utf-8")


def test_nothing_is_documented_that_is_not_there() -> None:
    assert sorted(re.findall(r"^## `cspmap (\w+)`$", DOCUMENT.read_text("utf-8"), re.MULTILINE)) == COMMANDS


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the example's files as in a checkout, and a cache folder of its own."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("data", "geo"):
        (folder / name).symlink_to(ROOT / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workspace, "find_example_store", lambda: folder / "cache")
        patch.chdir(folder)
        yield folder


def shown_outputs() -> list[tuple[str, list[str]]]:
    blocks = re.findall(r"```console\n\$ cspmap (.+?)\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    # Operations are shown over one that has been saved: see test_cli_operations.py.
    return [(command, output.splitlines()) for command, output in blocks if not command.startswith("operations")]


def match_line(line: str) -> str:
    """A line of the document as a pattern: "..." stands for lines left out, or at the end of one for its rest."""
    if line == "...":
        return r"(?:.*\n)*?"
    return re.escape(line.removesuffix("...")) + (".*" if line.endswith("...") else "") + r"\n"


def test_outputs_in_the_document_are_real(example: Path) -> None:
    assert len(shown_outputs()) >= 6
    for command, expected in shown_outputs():
        said = call(*command.split()).output
        said = re.sub(r"version \d{4}-\d\d-[0-9a-f]{12}", "version VERSION", said)
        said = re.sub(r"built .+ UTC", "built MOMENT", said)
        pattern = "".join(map(match_line, expected))
        assert re.fullmatch(pattern, said), f"cspmap {command} says:\n{said}"


def test_version() -> None:
    assert call("--version").output == f"cspmap, version {__version__}\n"


# Build


def test_build_says_what_it_did_source_by_source(made: Made) -> None:
    made.months["more.zip"] = {"2024-03": make_incidents(9, 40), "2024-04": make_incidents(10, 50)}
    made.months["none.zip"] = {"2024-04": make_incidents(11, 5)}
    made.months["last.zip"] = {"2024-04": make_incidents(12, 70)}
    made.save()
    said = call("build", made.toml, "--store", made.root)
    assert said.exit_code == 0
    store = open_store(made.root)
    months = store.read_table("months")
    lines = said.output.splitlines()
    assert lines[:5] == [
        "Months: 4, January 2024 to April 2024; 4 months read now.",
        "Rows read: 230",
        "Repeated crime identifiers dropped, the latest kept: 0",
        f"Without a location: {months['unlocated'].sum()}",
        f"Located inside Exampleton: {months['inside'].sum()}",
    ]
    police = months[months["source"] == "Made police.zip"]
    assert lines[5] == (
        f"Source: Made police.zip: 2 months, 120 rows read, 0 repeated dropped, {police['unlocated'].sum()} without "
        f"a location, {police['inside'].sum()} inside Exampleton."
    )
    assert lines[6].startswith("Source: Made more.zip: 1 month, 40 rows read, ")
    assert lines[7] == "Source: Made none.zip: no month used."
    assert "Note: 1 month of Made police.zip was replaced by Made more.zip (March 2024)." in lines
    assert lines[-1] == (f"Store: {made.root}, version {store.version}. Open it with: cspmap run --store {made.root}")
    again = call("build", made.toml, "--store", made.root).output.splitlines()
    assert again[0] == "Nothing has changed since the last build."
    assert again[1] == "Months: 4, January 2024 to April 2024; 0 months read now."
    assert again[2:] == lines[1:]


def test_build_says_which_months_are_no_longer_there(made: Made) -> None:
    for month in ("2023-11", "2024-05", "2024-06"):
        made.months["police.zip"][month] = make_incidents(5, 10)
    made.save()
    assert "no longer" not in call("build", made.toml, "--store", made.root).output
    del made.months["police.zip"]["2023-11"]
    made.save()
    said = call("build", made.toml, "--store", made.root).output
    gone = "November 2023 was loaded before and is no longer in the sources: missing, not zero."
    assert f"Note: {gone}" in said.splitlines()
    for month in ("2024-05", "2024-06"):
        del made.months["police.zip"][month]
    made.save()
    said = call("build", made.toml, "--store", made.root).output
    gone = "May 2024 to June 2024 were loaded before and are no longer in the sources: missing, not zero."
    assert f"Note: {gone}" in said.splitlines()


def test_build_of_one_source_has_no_line_for_it(made: Made) -> None:
    made.save()
    assert "Source:" not in call("build", made.toml, "--store", made.root).output


def test_errors_go_to_standard_error_with_exit_code_1(made: Made, tmp_path: Path) -> None:
    made.save()
    (made.folder / "police.zip").write_bytes(b"no zip")
    said = call("build", made.toml, "--store", made.root)
    assert (said.exit_code, said.stdout) == (1, "")
    assert "police.zip" in said.stderr
    assert "Traceback" not in said.stderr
    said = call("build", tmp_path / "nowhere.toml", "--store", made.root)
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr == f"{tmp_path / 'nowhere.toml'} cannot be opened (No such file or directory); check the name.\n"


@pytest.mark.parametrize("command", ["extract", "quality"])
def test_no_store_where_one_is_named(command: str, tmp_path: Path) -> None:
    said = call(command, "--store", tmp_path / "none")
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr == (
        f"There is no store in {tmp_path / 'none'}; "
        f"make one with: cspmap build PARTNERSHIP.toml --store {tmp_path / 'none'}\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [["build"], ["extract", "--by", "colour"], ["extract", "--format", "xml"], ["run", "--port", "0"], ["x"]],
)
def test_mistyped_commands_have_exit_code_2(arguments: list[str]) -> None:
    said = call(*arguments)
    assert (said.exit_code, said.stdout) == (2, "")
    assert "Usage: " in said.stderr


def test_check_lists_problems_on_standard_error(made: Made) -> None:
    made.save()
    assert call("check", made.toml).exit_code == 0
    text = made.toml.read_text("utf-8")
    made.toml.write_text(text.replace('file = "people.csv"', 'file = "nobody.csv"'), "utf-8")
    said = call("check", made.toml)
    assert said.exit_code == 1
    assert said.stderr.count("nobody.csv is not in") == 2


# Extract


@pytest.mark.parametrize(
    ("by", "split"),
    [
        ([], []),
        (["month"], ["month"]),
        (["crime_type"], ["crime_type"]),
        (["crime_type", "month", "month"], ["month", "crime_type"]),
    ],
)
def test_extract_columns(full: Made, by: list[str], split: list[str]) -> None:
    options = [word for column in by for word in ("--by", column)]
    said = call("extract", "--store", full.root, "--level", "ward", *options)
    assert said.exit_code == 0
    rows = list(csv.reader(io.StringIO(said.stdout)))
    crimes = [] if "crime_type" in split else ["crimes"]
    assert rows[0] == ["code", "name", *split, *COLUMNS, *crimes, "caveats"]
    assert {row[-1] for row in rows[1:]} == {" ".join(said.stderr.splitlines())}
    assert len(rows) == 1 + 4 * (12 if "month" in split else 1) * (14 if "crime_type" in split else 1)


def test_extract_takes_the_latest_year_unless_told(full: Made) -> None:
    def period(*options: str) -> str:
        said = call("extract", "--store", full.root, "--level", "area", *options)
        (found,) = {row["period"] for row in csv.DictReader(io.StringIO(said.stdout))}
        return found

    assert period() == "2023-05..2024-04"
    assert period("--to", "2023-12") == "2023-01..2023-12"
    assert period("--from", "2024-02") == "2024-02..2024-04"
    assert period("--from", "2023-03", "--to", "2023-04") == "2023-03..2023-04"


def test_extract_says_beside_the_file_what_must_be_known(full: Made) -> None:
    said = call("extract", "--store", full.root, "--level", "ward", "--by", "crime_type", "--from", "2023-07")
    assert said.stderr.splitlines() == [
        "Recorded incidents in Exampleton, July 2023 to April 2024.",
        "1 month is missing from July 2023 to April 2024 (August 2023): missing, not zero.",
        "Rates are for the period or month shown, not for a year, per 1,000 residents, 2022 "
        "(Made residents; shared out by area from LSOAs).",
        "Incidents are counted in wards by where their published point lies.",
        *[line for line in said.stderr.splitlines() if "have no location" in line],
        *[line for line in said.stderr.splitlines() if line.startswith("Published points")],
        "Rates of Burglary are for the period or month shown, not for a year, per 1,000 households, 2021 "
        "(Made households; shared out by area from LSOAs).",
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--level", "wards"], "The level asked for is 'wards', which is not held here; try ward."),
        (["--crime", "arson,drugs"], "The crime type asked for is 'arson,drugs', which is not held here; try "),
        (["--level", "ward", "--area", "Ash"], "The area asked for is 'Ash', which is not held here; try "),
        (["--from", "May 2023"], "'May 2023' is not a month; write it as YYYY-MM, such as 2024-04."),
        (
            ["--from", "2023-08", "--to", "2023-08"],
            "No month of August 2023 is loaded, only January 2023 to July 2023 and",
        ),
        (["--from", "2024-03", "--to", "2024-01"], "The period ends (January 2024) before it starts (March 2024)."),
    ],
)
def test_extract_of_what_is_not_held(full: Made, options: list[str], said: str) -> None:
    result = call("extract", "--store", full.root, *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1


def test_extract_to_a_file_is_whole_or_not_there(full: Made, tmp_path: Path) -> None:
    out = tmp_path / "wards.csv"
    said = call("extract", "--store", full.root, "--level", "ward", "--out", out)
    assert (said.exit_code, said.stdout) == (0, "")
    printed = call("extract", "--store", full.root, "--level", "ward")
    assert out.read_bytes() == printed.stdout.encode()
    assert [path.name for path in tmp_path.iterdir()] == ["wards.csv"]
    (tmp_path / "file").write_text("", "utf-8")
    for place in (tmp_path / "nowhere" / "x.csv", tmp_path / "file" / "x.csv"):
        refused = call("extract", "--store", full.root, "--out", place)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert refused.stderr.startswith(f"{place} cannot be written (")
        assert refused.stderr.endswith("name another file with --out.\n")


def test_extract_as_geojson_and_json(full: Made) -> None:
    options = ("extract", "--store", full.root, "--level", "ward", "--area", "w1", "--area", "w3", "--crime", "drugs")
    said = call(*options, "--format", "geojson")
    collection = json.loads(said.stdout)
    assert [feature["properties"]["code"] for feature in collection["features"]] == ["w1", "w3"]
    assert collection["caveats"] == said.stderr.splitlines()
    report = json.loads(call(*options, "--format", "json").stdout)
    assert list(report) == ["caveats", "rows"]
    assert list(report["rows"][0]) == ["code", "name", *COLUMNS, "crimes"]


# Run


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.mark.parametrize("address", ["nonsense.invalid", "192.0.2.1", "a..b"])
def test_run_at_an_address_of_no_use_says_so(full: Made, address: str) -> None:
    said = call("run", "--store", full.root, "--no-browser", "--address", address)
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr == (
        f"'{address}' is not an address of this computer; give --address 127.0.0.1 for this computer alone, "
        "or 0.0.0.0 for all that can reach it.\n"
    )


def test_run_at_a_port_in_use_names_another(full: Made) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = call("run", "--store", full.root, "--no-browser", "--port", str(port))
    assert (said.exit_code, said.stdout) == (1, "")
    assert re.fullmatch(
        rf"Port {port} is in use, perhaps by another cspmap; stop that, or give another port, such as --port \d+\.\n",
        said.stderr,
    )


def test_run_says_what_it_serves_where_and_how_to_stop_it(full: Made) -> None:
    port = find_free_port()
    command = [sys.executable, "-c", "from cspmap.cli import main; main()", "run", "--store", str(full.root)]
    server = subprocess.Popen(
        [*command, "--no-browser", "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    output = server.stdout
    assert output is not None
    stop = threading.Timer(60, server.kill)
    stop.start()
    try:
        version = open_store(full.root).version
        assert output.readline() == (
            f"cspmap {__version__} serves Exampleton Community Safety Partnership: the store in "
            f"{full.root}, version {version}.\n"
        )
        assert output.readline() == f"Open http://127.0.0.1:{port} in a browser. Stop cspmap with Ctrl+C.\n"
        health = f"http://127.0.0.1:{port}/_stcore/health"
        while server.poll() is None:
            with suppress(OSError), urllib.request.urlopen(health, timeout=5) as answer:
                assert answer.status == 200
                break
        server.send_signal(signal.SIGINT)
        rest = output.read()
        server.wait()
    finally:
        stop.cancel()
        server.kill()
        server.wait()
        output.close()
    assert "Streamlit" not in rest
    assert "Traceback" not in rest


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8501"),
        ("::1", "http://[::1]:8501"),
        ("0.0.0.0", "http://localhost:8501 (on another computer, this one's name or address in place of localhost)"),
    ],
)
def test_the_address_to_open(address: str, url: str) -> None:
    assert describe_url(address, 8501) == url


# Quality


def test_quality(full: Made) -> None:
    said = call("quality", "--store", full.root)
    store = open_store(full.root)
    assert said.exit_code == 0
    assert said.output.startswith(f"Exampleton Community Safety Partnership, store version {store.version}, built ")
    assert "1 month is missing from January 2023 to April 2024 (August 2023): missing, not zero." in said.output
    rows = list(csv.DictReader(io.StringIO(call("quality", "--store", full.root, "--format", "csv").output)))
    assert [row["month"] for row in rows] == [str(month) for month in store.months]
    report = json.loads(call("quality", "--store", full.root, "--format", "json").output)
    assert (report["missing"], len(report["months"])) == (["2023-08"], 15)


# As it is started


def test_installed_command_writes_errors_to_standard_error(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("cspmap")
    if not command.is_file():
        pytest.skip("the cspmap command is not installed beside this Python")
    found = subprocess.run(
        [command, "quality", "--store", tmp_path / "none"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.startswith("There is no store in ")


def test_help_is_quick_to_come() -> None:
    """Libraries are imported when they are needed, not to say what there is."""
    code = "import sys, cspmap.cli; print([name for name in ('pandas', 'duckdb', 'streamlit') if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout == "[]\n"
