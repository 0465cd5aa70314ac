"""The naive dashboard: every run reads every file, joins, counts, and draws a whole new map.

Streamlit page; CSPMAP_NAIVE_DATA names the folder of open data. Leaflet is served from here, as it must work (and be
measured) without a network.
"""

import os
import zipfile
from pathlib import Path

import folium
import geopandas as gpd
import pandas as pd
import streamlit as st
import streamlit.components.v1 as components
from streamlit_folium import st_folium
from xstatic.pkg import leaflet

DATA = Path(os.environ["CSPMAP_NAIVE_DATA"])
COLOURS = ["#f1eef6", "#bdc9e1", "#74a9cf", "#2b8cbe", "#045a8d"]

st.set_page_config(layout="wide")

with zipfile.ZipFile(DATA / "police" / "bedfordshire-2021-05-to-2024-04.zip") as archive:
    crimes = pd.concat([pd.read_csv(archive.open(name)) for name in archive.namelist()], ignore_index=True)

kinds = st.multiselect("Crime", sorted(crimes["Crime type"].unique()))
measure = st.selectbox("Measure", ["Rate", "Change"])

if kinds:
    crimes = crimes[crimes["Crime type"].isin(kinds)]
areas = gpd.read_file(DATA / "boundaries" / "luton-lsoa-2021.geojson")[["LSOA21CD", "LSOA21NM", "geometry"]]
population = pd.read_csv(DATA / "population" / "lsoa21-mid-2022.csv", encoding="utf-8-sig").set_index("lsoacd")
points = gpd.GeoDataFrame(crimes, geometry=gpd.points_from_xy(crimes["Longitude"], crimes["Latitude"]), crs=4326)
joined = gpd.sjoin(points, areas.to_crs(4326), predicate="within")
counts = joined.groupby(["LSOA21CD", "Month"]).size().unstack(fill_value=0)
now = counts.loc[:, "2023-05":"2024-04"].sum(axis=1).reindex(areas["LSOA21CD"], fill_value=0)
before = counts.loc[:, "2022-05":"2023-04"].sum(axis=1).reindex(areas["LSOA21CD"], fill_value=0)
rate = 1000 * now / population["population"].reindex(now.index)
shown = rate if measure == "Rate" else now - before
classes = pd.qcut(shown.rank(method="first"), len(COLOURS), labels=False)

name, version = components.declare_component("leaflet", path=leaflet.BASE_DIR).name, leaflet.VERSION
canvas = folium.Map(location=[51.89, -0.43], zoom_start=12, tiles=None)
canvas.default_js = [("leaflet", f"../{name}/leaflet.js?v={version}")]
canvas.default_css = [("leaflet", f"../{name}/leaflet.css?v={version}")]
folium.GeoJson(
    areas,
    style_function=lambda area: {
        "fillColor": COLOURS[int(classes[area["properties"]["LSOA21CD"]])],
        "fillOpacity": 0.8,
        "color": "#444444",
        "weight": 1,
    },
).add_to(canvas)
state = st_folium(canvas, key="map", height=470, use_container_width=True, returned_objects=["last_active_drawing"])

clicked = (state or {}).get("last_active_drawing")
if clicked:
    code = clicked["properties"]["LSOA21CD"]
    st.subheader(clicked["properties"]["LSOA21NM"])
    st.line_chart(counts.loc[code])
    st.table(joined[joined["LSOA21CD"] == code].groupby("Location").size().nlargest(10))
else:
    st.subheader("Luton")
