"""Charts as pure functions: a tidy frame in, an Altair chart out."""

from typing import TYPE_CHECKING

import pandas as pd

from cspmap.views.palettes import CATEGORICAL

if TYPE_CHECKING:
    import altair as alt

# Of all text in a chart: the framework's own grey is too faint to be read by everyone.
INK = "#46525E"

NOW, BEFORE = "This period", "Comparison"


def draw_trend(months: pd.DataFrame, *, height: int = 170) -> "alt.typing.ChartType":
    """Monthly counts as a line with points; a missing month breaks the line and is shaded.

    `months` has columns month ("YYYY-MM"), count (NA where the month is not loaded) and period (one of NOW, BEFORE
    or "Earlier").
    """
    import altair as alt

    frame = months.assign(
        date=pd.to_datetime(months["month"] + "-01"), count=months["count"].astype("Float64").astype(float)
    )
    periods = ["Earlier", BEFORE, NOW]
    base = alt.Chart(frame).encode(
        x=alt.X("date:T", title=None, axis=alt.Axis(format="%b %y", tickCount=6, labelOverlap=True, labelColor=INK)),
        y=alt.Y("count:Q", title=None, scale=alt.Scale(zero=True), axis=alt.Axis(labelColor=INK)),
    )
    line = base.mark_line(color="#8A97A5", strokeWidth=1.5, invalid="break-paths-show-domains")
    points = base.mark_circle(size=42, opacity=1).encode(
        color=alt.Color(
            "period:N",
            title=None,
            scale=alt.Scale(domain=periods, range=["#8A97A5", CATEGORICAL[3], CATEGORICAL[0]]),
            legend=alt.Legend(orient="top", direction="horizontal", labelColor=INK),
        ),
        tooltip=[
            alt.Tooltip("date:T", title="Month", format="%B %Y"),
            alt.Tooltip("count:Q", title="Incidents", format=",.0f"),
            alt.Tooltip("period:N", title="Period"),
        ],
    )
    return alt.layer(_shade_missing(frame, "count"), line, points).properties(height=height)


def draw_mix(mix: pd.DataFrame, *, here: str, whole: str | None = None) -> "alt.typing.ChartType":
    """Each crime type's share of the incidents `here` as a bar and, if it is named, of the `whole` as a tick.

    `mix` has columns crime_type (names), share and share_whole (0 to 1).
    """
    import altair as alt

    order = mix.sort_values("share", ascending=False)["crime_type"].tolist()
    y = alt.Y("crime_type:N", sort=order, title=None, axis=alt.Axis(labelLimit=170, labelOverlap=False, labelColor=INK))
    bars = (
        alt.Chart(mix)
        .mark_bar(color=CATEGORICAL[0], height=9)
        .encode(
            y=y,
            x=alt.X("share:Q", title=None, axis=alt.Axis(format="%", tickCount=4, labelColor=INK)),
            tooltip=[
                alt.Tooltip("crime_type:N", title="Crime"),
                alt.Tooltip("share:Q", title=here, format=".1%"),
                *([alt.Tooltip("share_whole:Q", title=whole, format=".1%")] if whole else []),
            ],
        )
    )
    ticks = alt.Chart(mix).mark_tick(color=CATEGORICAL[3], thickness=3, height=15).encode(y=y, x="share_whole:Q")
    chart = alt.layer(bars, ticks) if whole else alt.layer(bars)
    return chart.properties(height=max(90, 21 * len(mix)))


def draw_quality(months: pd.DataFrame, column: str, title: str) -> "alt.typing.ChartType":
    """One figure of the quality report by month as bars; a missing month is shaded. `months` has month, `column`."""
    import altair as alt

    dated = months.assign(date=pd.to_datetime(months["month"] + "-01"))
    bars = (
        alt.Chart(dated)
        .mark_bar(color=CATEGORICAL[0])
        .encode(
            x=alt.X("yearmonth(date):T", title=None, axis=alt.Axis(format="%b %y", labelOverlap=True, labelColor=INK)),
            y=alt.Y(f"{column}:Q", title=None, axis=alt.Axis(labelColor=INK)),
            tooltip=[
                alt.Tooltip("date:T", title="Month", format="%B %Y"),
                alt.Tooltip(f"{column}:Q", title=title, format=",.4~g"),
            ],
        )
    )
    heading = alt.TitleParams(title, subtitle="Shaded: not known" if dated[column].isna().any() else "")
    return alt.layer(_shade_missing(dated, column), bars).properties(height=200, title=heading)


def _shade_missing(months: pd.DataFrame, column: str) -> "alt.Chart":
    """A band over each month whose figure is missing, so that it is not taken for a zero."""
    import altair as alt

    gaps = months.loc[months[column].isna(), ["date"]]
    gaps = gaps.assign(end=gaps["date"] + pd.offsets.MonthBegin(1))
    chart: alt.Chart = (
        alt.Chart(gaps)
        .mark_rect(color="#E4E7EB")
        .encode(x="date:T", x2="end:T", tooltip=[alt.Tooltip("date:T", title="Missing, not zero", format="%B %Y")])
    )
    return chart
