"""A partnership's layers read together: boundaries, areas made of wards, hexagon maps."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from cspmap.assign import NOWHERE, Indices
from cspmap.codes import CodeType
from cspmap.errors import Problem, SourceError
from cspmap.partnership import Layer, Partnership
from cspmap.periods import Month
from cspmap.sources.boundaries import dissolve_areas, list_members, note_left_out, read_boundaries
from cspmap.sources.boundary_codes import list_briefly
from cspmap.sources.hexmap import read_hexmap

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True)
class AreaRows:
    """The area of each point: rows into `codes`, -1 where it lies in none."""

    rows: Indices
    codes: pa.StringArray


@dataclass(frozen=True)
class LayerSet:
    """All layers of a partnership. Frames are in EPSG:27700 with code, name and geometry, sorted by code.

    `frames` holds every layer, `read` those that points are looked up in, `members` the wards of the areas by month.
    """

    frames: "dict[str, gpd.GeoDataFrame]"
    read: "dict[str, gpd.GeoDataFrame]"
    members: dict[str, pd.DataFrame]
    made_of: dict[str, str]
    code_types: dict[str, CodeType | None]
    notes: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Changes when any boundary, code or membership does."""
        digest = hashlib.sha256()
        for key, frame in self.read.items():
            digest.update(key.encode())
            digest.update("\n".join(frame["code"]).encode())
            digest.update(b"".join(frame.geometry.to_wkb()))
        for key, members in self.members.items():
            digest.update(json.dumps([key, members.astype(str).to_numpy().tolist()]).encode())
        return digest.hexdigest()

    @cached_property
    def _codes(self) -> dict[str, pa.StringArray]:
        return {key: pa.array(frame["code"], pa.string()) for key, frame in self.frames.items()}

    @cached_property
    def _moves(self) -> dict[str, list[tuple[int, int, Month | None, Month | None]]]:
        """For each made layer: row of the part, row of the area it belongs to, first and last month of that."""
        moves = {}
        for key, members in self.members.items():
            parts, areas = (pd.Index(self.frames[layer]["code"]) for layer in (self.made_of[key], key))
            rows = zip(parts.get_indexer(members["code"]), areas.get_indexer(members["area"]), strict=True)
            spans = zip(members["first"], members["last"], strict=True)
            moves[key] = [(*pair, *span) for pair, span in zip(rows, spans, strict=True)]
        return moves

    def name_areas(self, rows: Mapping[str, Indices], month: Month) -> dict[str, AreaRows]:
        """The areas of points in every layer, the made ones by the wards they had in that month."""
        found = {key: AreaRows(rows[key], self._codes[key]) for key in self.read}
        for key, moves in self._moves.items():
            parts = found[self.made_of[key]]
            # One more than there are parts, so that NOWHERE, the last, stays nowhere.
            area_of_part = np.full(len(parts.codes) + 1, NOWHERE, dtype=np.int32)
            for part, area, first, last in moves:
                if (first is None or first <= month) and (last is None or month <= last):
                    area_of_part[part] = area
            found[key] = AreaRows(area_of_part[parts.rows], self._codes[key])
        return found

    def drawn_members(self, key: str) -> pd.DataFrame:
        """The members of each made area when it last stood, as it is drawn: columns code (of the member) and area."""
        members = self.members[key]
        ends = members["last"].map(lambda last: math.inf if last is None else last.ordinal)
        latest = ends.groupby(members["area"]).transform("max")
        return members.loc[ends == latest, ["code", "area"]]


def read_layers(partnership: Partnership) -> LayerSet:
    """Read every layer of a partnership. Raises SourceError with the faults of a file."""
    frames: dict[str, gpd.GeoDataFrame] = {}
    read: dict[str, gpd.GeoDataFrame] = {}
    members: dict[str, pd.DataFrame] = {}
    code_types: dict[str, CodeType | None] = {}
    notes: list[str] = []
    for layer in partnership.layers:
        if layer.file is None:
            continue
        frame, code_types[layer.key], said = read_layer(layer)
        notes.extend(f"{layer.name}: {sentence}" for sentence in said)
        frames[layer.key] = frame
        if layer.figures_of is None:
            read[layer.key] = frame
    for layer in partnership.layers:
        if layer.made_of is not None:
            areas = [area for area in partnership.areas if area.layer == layer.key]
            frames[layer.key] = dissolve_areas(frames[layer.made_of], areas)
            members[layer.key] = list_members(frames[layer.made_of], areas)
            code_types[layer.key] = None
            notes.extend(f"{layer.name}: {sentence}" for sentence in note_left_out(frames[layer.made_of], areas))
        elif layer.figures_of is not None:
            notes.extend(match_twins(layer, frames[layer.key], frames[layer.figures_of]))
    ordered = {layer.key: frames[layer.key] for layer in partnership.layers}
    made_of = {layer.key: layer.made_of for layer in partnership.layers if layer.made_of is not None}
    return LayerSet(ordered, read, members, made_of, code_types, tuple(notes))


def match_twins(layer: Layer, drawn: "gpd.GeoDataFrame", counted: "gpd.GeoDataFrame") -> list[str]:
    """A hexagon map that redraws another layer has that layer's codes; raises SourceError where it has others."""
    assert layer.file is not None
    strangers = sorted(set(drawn["code"]) - set(counted["code"]))
    if strangers:
        verb = "is" if len(strangers) == 1 else "are"
        what = f"{list_briefly(strangers)} {verb} not among the codes of the layer {layer.figures_of!r}"
        raise SourceError([Problem(layer.file.name, what, "give each hexagon the code of the area it stands for")])
    absent = sorted(set(counted["code"]) - set(drawn["code"]))
    return [f"{layer.name}: there is no hexagon for {list_briefly(absent)}."] if absent else []


def read_layer(layer: Layer) -> "tuple[gpd.GeoDataFrame, CodeType | None, tuple[str, ...]]":
    """Read a layer that has a file: its frame, what its codes are, and notes. Raises SourceError with its faults."""
    assert layer.file is not None
    if layer.hexmap is not None:
        place = layer.hexmap
        frame = read_hexmap(layer.file, centre=(place.easting, place.northing), hectares=place.hectares)
        return frame[["code", "name", "geometry"]], None, ()
    file = read_boundaries(layer.file, code_column=layer.code_column, name_column=layer.name_column, codes=layer.codes)
    return file.frame, file.code_type, file.notes
