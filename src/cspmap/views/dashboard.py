"""What every page shares: the store that is served, the notice, the errors and the licences."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from cspmap import workspace
from cspmap.build import build_store
from cspmap.errors import SelectionError, UserError
from cspmap.query import Query
from cspmap.store import find_version, open_store
from cspmap.views.words import escape_markdown


def load_query() -> Query:
    """The query over the version of the store that is in use now.

    The bundled example is built on first use; any other store must be there. Raises StoreError where it is not.
    """
    root = workspace.find_store()
    version = find_version(root)
    if version is None and root == workspace.find_example_store():
        version = _build_example(root)
    return _open(root, version)


@st.cache_resource(show_spinner="Building the bundled example, once")
def _build_example(root: Path) -> str:
    """Of several who open the example for the first time together, one builds it and the others wait."""
    return build_store(workspace.find_example(), data=None, root=root).store.version


@st.cache_resource(max_entries=2, show_spinner=False)
def _open(root: Path, version: str | None) -> Query:
    return Query(open_store(root))


@st.cache_resource(max_entries=2, show_spinner=False)
def settle_memory(version: str) -> None:
    """Once for each version of a store, when its first page has been drawn and all libraries are loaded.

    What is there by now stays, and need not be looked at again whenever garbage is collected.
    """
    gc.collect()
    gc.freeze()
    atexit.unregister(gc.unfreeze)
    atexit.register(gc.unfreeze)


@contextmanager
def show_errors() -> Iterator[None]:
    """Show an error that the user can act on as its plain sentence, and draw no more of the page."""
    try:
        yield
    except UserError as error:
        for sentence in str(error).splitlines():
            st.error(escape_markdown(sentence), icon=":material/error:")
        if isinstance(error, SelectionError):
            st.button("Show all crime of the latest year instead", on_click=st.query_params.clear)
        st.stop()


ICON = Path(__file__).parent / "web" / "icon.png"

# The framework leaves a band above the page that a small screen cannot spare. Its tables offer a file of their own,
# which would lack the caveats and leave text that a spreadsheet takes for a formula: the pages have their own buttons.
_STYLE = """<style>
.stMainBlockContainer { padding-top: 4.2rem; padding-bottom: 3rem; }
[data-testid="stElementToolbarButton"]:has([aria-label="Download as CSV"]) { display: none; }
</style>"""


def begin_page(query: Query) -> None:
    """What the viewer must know before any figure; the bundled example says that it is one on every page."""
    st.html(_STYLE)
    notice = query.store.partnership.notice
    if notice:
        st.markdown(f":blue-background[:material/science: {escape_markdown(notice)}]")


def show_licences(query: Query) -> None:
    """Attribution of everything on the page, and the version of the store that it comes from."""
    lines = [*query.store.partnership.licences, f"Store version {query.store.version}."]
    st.caption(escape_markdown(" ".join(lines)))
