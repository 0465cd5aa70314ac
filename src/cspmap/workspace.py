"""Where things are: the dashboard's own files, and the store that is served."""

import os
from pathlib import Path

import cspmap

STORE_VARIABLE = "CSPMAP_STORE"


def find_dashboard() -> Path:
    """The folder with app.py, pages, geo and data: the checkout's, or the installed package's own."""
    package = Path(cspmap.__file__).parent
    checkout = package.parents[1]
    return checkout if (checkout / "app.py").is_file() and (checkout / "geo").is_dir() else package / "dashboard"


def find_example() -> Path:
    """The bundled example's partnership file."""
    return find_dashboard() / "data" / "partnership.toml"


def find_store() -> Path:
    """The store to serve: what CSPMAP_STORE names, else the bundled example's."""
    named = os.environ.get(STORE_VARIABLE)
    return Path(named) if named else find_example_store()


def find_example_store() -> Path:
    """Where the bundled example's store is built: the user's cache folder."""
    from platformdirs import user_cache_path

    return user_cache_path("cspmap", appauthor=False) / f"example-{cspmap.__version__}"
