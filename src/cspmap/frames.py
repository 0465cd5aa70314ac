"""Tables with columns more."""

from typing import Any

import pandas as pd


def add_columns(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """A new table: that of `frame` with columns more, or others in place of those of the same name.

    As `DataFrame.assign` with values, but made at once. There each column is looked up in, and put into, an index of
    names that has to be built anew, which takes longer than most figures do.
    """
    return pd.DataFrame({**{str(name): column for name, column in frame.items()}, **columns}, index=frame.index)
