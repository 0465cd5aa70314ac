"""The made partnership, fresh for a test or built once for all that only read it."""

import functools
from collections.abc import Iterator
from pathlib import Path

import pyproj
import pytest

from cspmap.query import Query

from .made import Made, make_incidents

MONTHS = [f"2023-{month:02d}" for month in range(1, 13)] + [f"2024-{month:02d}" for month in range(1, 5)]


@pytest.fixture(autouse=True, scope="session")
def _remember_projections() -> Iterator[None]:
    """Working out a projection takes longer than all else in so small a build."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyproj.Transformer, "from_crs", functools.cache(pyproj.Transformer.from_crs))
        yield


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """The made partnership with three months, not built yet."""
    made = Made.begin(tmp_path)
    made.months["police.zip"] = {f"2024-0{month}": make_incidents(month, 60) for month in (1, 2, 3)}
    return made


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The made partnership with sixteen months but for August 2023, built; not to be changed."""
    made = Made.begin(tmp_path_factory.mktemp("full"))
    made.months["police.zip"] = {
        month: make_incidents(number, 80) for number, month in enumerate(MONTHS) if month != "2023-08"
    }
    made.build()
    return made


@pytest.fixture(scope="session")
def query(full: Made) -> Query:
    """Questions to that store."""
    from cspmap.store import open_store

    return Query(open_store(full.root))
