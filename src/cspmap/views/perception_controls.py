"""The choice of a topic on the perceptions page, kept in the page's address."""

import difflib

import pandas as pd
import streamlit as st

from cspmap.errors import MOST_QUOTED, SelectionError, quote_briefly
from cspmap.sources.boundary_codes import list_briefly

_MOST_OPTIONS = 30


def choose_topic(readings: pd.DataFrame) -> pd.DataFrame:
    """The readings of one heading of one document.

    It opens on the first with a series of several years, which has most to be seen. Raises SelectionError where the
    link asks for what is not held.
    """
    topics = {f"{topic} ({table})": (table, topic) for table, topic in _list_topics(readings)}
    asked = st.query_params.get("topic")
    if asked is not None and "topic" not in st.session_state and asked not in topics:
        close = difflib.get_close_matches(asked[:MOST_QUOTED], list(topics), n=3)
        raise SelectionError(
            f"The topic asked for is {quote_briefly(asked)}, which is not held here; "
            f"try {list_briefly(close or list(topics), most=_MOST_OPTIONS)}."
        )
    several = readings[readings["before"].notna() & readings["kind"].eq("survey")]
    first = several.iloc[0] if len(several) else readings.iloc[0]
    usual = f"{first['topic']} ({first['table']})"
    names = list(topics)
    chosen = st.selectbox("Topic", names, names.index(usual), key="topic", bind="query-params", width=560)
    table, topic = topics[chosen or usual]
    return readings[(readings["table"] == table) & (readings["topic"] == topic)]


def _list_topics(readings: pd.DataFrame) -> list[tuple[str, str]]:
    return list(dict.fromkeys(zip(readings["table"], readings["topic"], strict=True)))
