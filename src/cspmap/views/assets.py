"""Files that the map in the browser needs, served by the app itself: no other host is asked for anything.

Streamlit serves the folder of every declared component at `component/NAME/`, also under plain `streamlit run`.
Folders are declared here for that alone. All addresses are relative to the page of a component, where the map
lives, so they hold under any `server.baseUrlPath`.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import streamlit.components.v1 as components
from xstatic.pkg import leaflet

_WEB = Path(__file__).parent / "web"
_LEAFLET = Path(leaflet.BASE_DIR)

# Each of the two may use those before it.
SCRIPTS = ("cspmap-parts", "cspmap-draw", "cspmap-map")
STYLES = ("cspmap-map", "cspmap-draw")
# Whoever declares a component does so alone: the framework asks which module it is, and that look-up fails now and then
# where two viewers' runs are in it together.
_DECLARING = Lock()


def map_scripts() -> list[tuple[str, str]]:
    """The map's scripts as (name, address), in the order they are loaded."""
    leaflet_base, web_base = _serve("leaflet", _LEAFLET), _serve("web", _WEB)
    return [
        ("leaflet", f"{leaflet_base}/leaflet.js?v={leaflet.VERSION}"),
        *((name, f"{web_base}/{name}.js?v={_digest(_WEB / f'{name}.js')}") for name in SCRIPTS),
    ]


def map_styles() -> list[tuple[str, str]]:
    """The map's style sheets as (name, address)."""
    leaflet_base, web_base = _serve("leaflet", _LEAFLET), _serve("web", _WEB)
    return [
        ("leaflet", f"{leaflet_base}/leaflet.css?v={leaflet.VERSION}"),
        *((name, f"{web_base}/{name}.css?v={_digest(_WEB / f'{name}.css')}") for name in STYLES),
    ]


def layer_url(path: Path) -> str:
    """The address of a boundary file for the map. Its whole folder is readable by everyone who can open the app.

    The address changes with the file, so that a browser may keep what it fetched. To be called in every script
    run, as it is the running server that must know the folder.
    """
    folder = path.parent.resolve()
    base = _serve(f"layers-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}", folder)
    state = path.stat()
    return f"{base}/{path.name}?v={state.st_mtime_ns:x}-{state.st_size:x}"


def load_component() -> Callable[..., Any]:
    """The component that holds the map in a page.

    To be called within a script run: when it is first loaded it tells the server of its own files.
    """
    with _DECLARING:
        import streamlit_folium

    component: Callable[..., Any] = streamlit_folium.st_folium
    return component


def _serve(name: str, folder: Path) -> str:
    """Have the running server serve a folder; declaring the same folder again changes nothing."""
    with _DECLARING:
        return f"../{components.declare_component(name, path=folder).name}"


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
