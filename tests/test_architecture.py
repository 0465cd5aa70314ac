"""The house: imports only go down its floors, and no room grows too large."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "cspmap"

# From the top. A module may import from its own floor and from any below.
FLOORS: tuple[tuple[str, ...], ...] = (
    (
        "app",
        "pages",
        "cspmap.cli",
        "cspmap.cli_extract",
        "cspmap.cli_compare",
        "cspmap.cli_deprivation",
        "cspmap.cli_focus",
        "cspmap.cli_hotspots",
        "cspmap.cli_load",
        "cspmap.cli_operations",
        "cspmap.cli_pack",
        "cspmap.cli_parts",
        "cspmap.cli_priorities",
        "cspmap.cli_targets",
        "cspmap.__main__",
    ),
    (
        "cspmap.apportioned_targets",
        "cspmap.assign",
        "cspmap.build",
        "cspmap.check",
        "cspmap.deprivation_view",
        "cspmap.example",
        "cspmap.board",
        "cspmap.briefing",
        "cspmap.exports",
        "cspmap.focus_area",
        "cspmap.focus_choice",
        "cspmap.focus_published",
        "cspmap.goals",
        "cspmap.hotspot_counts",
        "cspmap.hotspot_ground",
        "cspmap.hotspot_layers",
        "cspmap.hotspot_score",
        "cspmap.layers",
        "cspmap.line_rule",
        "cspmap.month_files",
        "cspmap.month_inputs",
        "cspmap.operation_published",
        "cspmap.operation_results",
        "cspmap.operation_shapes",
        "cspmap.operation_surveys",
        "cspmap.pack_job",
        "cspmap.pack_worker",
        "cspmap.peers",
        "cspmap.perceptions",
        "cspmap.scanning",
        "cspmap.summaries",
        "cspmap.views",
        "cspmap.what_if",
    ),
    ("cspmap.analysis", "cspmap.operations"),
    ("cspmap.query", "cspmap.totals"),
    ("cspmap.engine", "cspmap.selection"),
    ("cspmap.store",),
    ("cspmap.sources",),
    (
        "cspmap.indicators",
        "cspmap.partnership",
        "cspmap.partnership_checks",
        "cspmap.peer_group",
        "cspmap.partnership_files",
        "cspmap.partnership_parts",
        "cspmap.partnership_priorities",
        "cspmap.priorities",
        "cspmap.target_checks",
        "cspmap.targets",
        "cspmap.toml_table",
    ),
    ("cspmap.periods", "cspmap.codes", "cspmap.errors", "cspmap.frames", "cspmap.worker", "cspmap.workspace", "cspmap"),
)
WEB = {"streamlit", "streamlit_folium", "folium", "branca"}
MOST_LINES = 420


def name_module(path: Path) -> str:
    top = ROOT if path.is_relative_to(ROOT / "pages") or path.parent == ROOT else ROOT / "src"
    return ".".join(path.relative_to(top).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_module(path): path for path in (ROOT / "app.py", *ROOT.glob("pages/*.py"), *SOURCE.rglob("*.py"))}


def find_floor(module: str) -> int:
    """The floor of a module: by its own name, or that of the longest package it is in."""
    parts = module.split(".")
    for size in range(len(parts), 0, -1):
        name = ".".join(parts[:size])
        for number, names in enumerate(FLOORS):
            if name in names and (name != "cspmap" or module == "cspmap"):
                return number
    raise AssertionError(f"{module} is on no floor; give it one in {Path(__file__).name}")


def list_imports(path: Path) -> Iterator[str]:
    """Every module that is imported anywhere in a file, in functions and for types too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            assert node.module is not None
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in names)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_down(module: str) -> None:
    floor = find_floor(module)
    for imported in list_imports(MODULES[module]):
        if imported.partition(".")[0] != "cspmap":
            continue
        assert find_floor(imported) >= floor, f"{module} imports {imported}, which is on a floor above it"


@pytest.mark.parametrize("module", [name for name in sorted(MODULES) if name.startswith("cspmap.analysis")])
def test_analysis_knows_no_web_and_no_files(module: str) -> None:
    imported = set(list_imports(MODULES[module]))
    assert not {name.partition(".")[0] for name in imported} & WEB
    assert not imported & {"cspmap.store", "cspmap.query", "pathlib", "duckdb", "ibis"}


@pytest.mark.parametrize("module", [name for name in sorted(MODULES) if name.startswith("cspmap.sources")])
def test_sources_know_neither_web_nor_engine(module: str) -> None:
    assert not {name.partition(".")[0] for name in list_imports(MODULES[module])} & (WEB | {"duckdb", "ibis"})


@pytest.mark.parametrize("module", sorted(MODULES))
def test_modules_stay_small(module: str) -> None:
    lines = MODULES[module].read_text("utf-8").count("\n")
    assert lines < MOST_LINES, f"{module} has {lines} lines: divide it"


def test_floors_name_what_is_there() -> None:
    """A floor that names no module would let anything through."""
    for name in (name for names in FLOORS for name in names):
        assert any(module == name or module.startswith(f"{name}.") for module in MODULES), name


def test_an_import_upwards_would_be_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("def f():\n    from cspmap import build\n    import cspmap.views.map\n", "utf-8")
    assert list(list_imports(wrong)) == ["cspmap.build", "cspmap.views.map"]
    assert find_floor("cspmap.store") > find_floor("cspmap.build")
    assert find_floor("cspmap.analysis.change") > find_floor("cspmap.views.words")
