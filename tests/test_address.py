"""An address that asks for what the store does not hold is refused before any widget leaves it out."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

LOADED = "April 2003 to March 2008 is loaded; choose months within that."


def check() -> None:
    import os
    from pathlib import Path

    import streamlit as st

    from cspmap.errors import SelectionError
    from cspmap.query import Query
    from cspmap.store import open_store
    from cspmap.views.address import check_address, link_here

    try:
        check_address(Query(open_store(Path(os.environ["CHECKED_STORE"]))), colour=["Red", "Green"])
    except SelectionError as error:
        st.write(str(error))
    else:
        st.write("held")
    st.code(link_here({"crime": ["Drugs & more", "a,b"], "layer": "Own wards"}))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "held"),
        ({"months": ["March 2008", "March 2008"], "crime": ["Robbery"], "level": ["Ward"]}, "held"),
        ({"crime": [""], "other": ["x"], "colour": ["Green"]}, "held"),
        ({"months": ["April 1999", "March 2008"]}, f"The period asked for has 'April 1999', but {LOADED}"),
        ({"months": ["2008-03", "2008-03"]}, f"The period asked for has '2008-03', but {LOADED}"),
        (
            {"months": ["March 2008"]},
            "The period asked for names 1 month; name its first and its last, for a single month the same twice.",
        ),
        ({"level": ["Wards"]}, "The level asked for is 'Wards', which is not held here; try Ward."),
        ({"colour": ["Gren"]}, "The colour asked for is 'Gren', which is not held here; try Green."),
        ({"crime": ["Robery"]}, "The crime type asked for is 'Robery', which is not held here; try Robbery."),
    ],
)
def test_what_is_asked_for_is_held_or_refused(
    asked: dict[str, list[str]], said: str, example_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHECKED_STORE", str(example_store))
    app = AppTest.from_function(check)
    for key, values in asked.items():
        app.query_params[key] = values
    app.run()
    assert not app.exception
    assert app.markdown[0].value == said
    assert app.code[0].value.endswith("?crime=Drugs+%26+more&crime=a,b&layer=Own+wards")
