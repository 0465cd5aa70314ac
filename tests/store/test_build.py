"""A build against its own rules: what is counted where, what is kept and what is replaced, whatever the order."""

import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cspmap.build import BuildSummary, SourceSummary, build_store
from cspmap.errors import SourceError
from cspmap.layers import LayerSet, read_layers
from cspmap.partnership import IncidentSource, Partnership, load_partnership
from cspmap.periods import Month
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.sources.incidents import IncidentPart
from cspmap.store import Store, open_store

from . import made as partnership
from .made import (
    ASB,
    LSOAS,
    RESIDENTS,
    Incident,
    Made,
    assert_same,
    find_row,
    locate,
    make_incidents,
    name_id,
    write_street_csv,
)

ASH, BEECH, CEDAR, DALE = (codes[0] for codes in LSOAS.values())
ASB_KEY = "anti-social-behaviour"
MIXED = [
    Incident("Burglary", ASH, name_id(1)),
    Incident("Burglary", LSOAS["w1"][1], name_id(2)),
    Incident("Drugs", DALE, name_id(3)),
    Incident(ASB, CEDAR),
    Incident(ASB, None),
    Incident("Robbery", None, name_id(4)),
    Incident("Robbery", "outside", name_id(5)),
]


def count_cube(store: Store, layer: str) -> dict[str, int]:
    cube = store.read_table("cube")
    sums = cube[cube["layer"] == layer].groupby("code")["count"].sum()
    return {str(code): int(count) for code, count in sums.items()}


def read_incidents(store: Store) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(file) for file in sorted(store.folder.glob("incidents/*"))], ignore_index=True)


# What comes out


def test_every_incident_is_counted_where_it_lies(made: Made) -> None:
    made.months = {"police.zip": {"2024-01": MIXED}}
    summary = made.build()
    store = summary.store
    assert count_cube(store, "ward") == {"w1": 2, "w3": 1, "w4": 1}
    assert count_cube(store, "lsoa21") == {ASH: 1, LSOAS["w1"][1]: 1, CEDAR: 1, DALE: 1}
    assert count_cube(store, "area") == {"left": 3, "right": 1}
    # A hexagon map that redraws the wards takes their figures and has no counts of its own.
    assert set(store.read_table("cube")["layer"]) == {"ward", "lsoa21", "area"}
    assert (summary.rows, summary.repeated, summary.unlocated, summary.inside) == (7, 0, 2, 4)
    months = store.read_table("months").iloc[0].to_dict()
    assert months == {
        "month": "2024-01",
        "source": "Made police.zip",
        "own": False,
        "rows": 7,
        "repeated": 0,
        "without_id": 2,
        "recorded": 7,
        "inside": 4,
        "outside": 1,
        "unlocated": 2,
        "lsoa_vintage": "lsoa21",
        "lsoa_compared": 4,
        "lsoa_disagree": 0,
    }
    robbery, asb = (find_row(store.read_table("totals"), crime_type=key) for key in ("robbery", ASB_KEY))
    assert [robbery[name] for name in ("recorded", "inside", "outside", "unlocated")] == [2, 0, 1, 1]
    assert [asb[name] for name in ("recorded", "inside", "outside", "unlocated")] == [2, 1, 0, 1]


def test_incident_table_keeps_what_was_published_and_adds_where_it_lies(made: Made) -> None:
    made.months = {"police.zip": {"2024-01": MIXED}}
    rows = read_incidents(made.build().store)
    assert rows["incident_id"].dropna().tolist() == [name_id(1), name_id(2), name_id(3), name_id(4), name_id(5)]
    assert rows["in_ward"].fillna("").tolist() == ["w1", "w1", "w4", "w3", "", "", ""]
    assert rows["in_area"].fillna("").tolist() == ["left", "left", "right", "left", "", "", ""]
    assert rows["easting"].round().fillna(-1).tolist()[:2] == [508_050, 508_550]
    assert rows["easting"].isna().tolist() == [False, False, False, False, True, True, False]
    assert "in_hex" not in rows
    assert not rows["superseded"].any()


def test_point_in_another_lsoa_than_published_is_noted_and_counted_by_the_point(made: Made) -> None:
    made.months = {"police.zip": {"2024-01": [Incident("Drugs", ASH, name_id(1)), Incident("Drugs", ASH, name_id(2))]}}
    made.save()
    swap_text(made, ASH, BEECH, times=1)
    store = build_store(made.toml, data=None, root=made.root).store
    assert count_cube(store, "lsoa21") == {ASH: 2}
    assert store.read_table("months")[["lsoa_compared", "lsoa_disagree"]].iloc[0].tolist() == [2, 1]


def swap_text(made: Made, old: str, new: str, *, times: int = -1) -> None:
    """Change the only month's file inside the archive."""
    path = made.folder / "police.zip"
    with zipfile.ZipFile(path) as archive:
        info = archive.infolist()[0]
        text = archive.read(info).decode()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, text.replace(f",{old},", f",{new},", times))


def test_nothing_is_lost_or_counted_twice(full: Made) -> None:
    assert_conserved(open_store(full.root))


def test_repeats_are_neither_counted_inside_nor_outside_nor_among_the_unlocated(made: Made) -> None:
    made.months = {"police.zip": {"2024-01": MIXED, "2024-02": MIXED}}
    summary = made.build()
    assert (summary.rows, summary.repeated, summary.unlocated, summary.inside) == (14, 5, 3, 5)
    assert_conserved(summary.store)


def assert_conserved(store: Store) -> None:
    """Whatever was read is inside, outside or unlocated, or a repeat, and every layer shares out the same inside."""
    incidents = read_incidents(store)
    kept = incidents[~incidents["superseded"]]
    cube, totals, months = (store.read_table(table) for table in ("cube", "totals", "months"))
    assert len(kept) == totals["recorded"].sum() == months["recorded"].sum()
    assert (months["rows"] == months["recorded"] + months["repeated"]).all()
    for table in (totals, months):
        assert (table["recorded"] == table["inside"] + table["outside"] + table["unlocated"]).all()
    keys = ["month", "crime_type"]
    inside = totals.set_index(keys)["inside"]
    for layer in ("lsoa21", "ward", "area"):
        by_layer = cube[cube["layer"] == layer].groupby(keys)["count"].sum()
        pd.testing.assert_series_equal(
            by_layer.reindex(inside.index, fill_value=0), inside, check_names=False, check_dtype=False
        )
    assert (cube["count"] > 0).all()
    assert not cube.duplicated(["layer", "code", "month", "crime_type"]).any()


def test_order_of_files_and_rows_makes_no_difference_to_counts(made: Made) -> None:
    one = made.build().store
    months = made.months["police.zip"]
    made.months["police.zip"] = {month: months[month][::-1] for month in reversed(months)}
    other = made.build(made.root.with_name("other")).store
    for table in ("cube", "totals", "months", "areas", "denominators", "deprivation"):
        pd.testing.assert_frame_equal(one.read_table(table), other.read_table(table))


def test_order_of_files_alone_makes_no_difference_at_all(made: Made) -> None:
    one = made.build()
    made.months["police.zip"] = dict(reversed(made.months["police.zip"].items()))
    assert_same(one.store, made.build(made.root.with_name("other")).store)


# Denominators and deprivation


def test_residents_and_households_of_every_level(made: Made) -> None:
    held = made.build().store.denominators
    values = held.set_index(["layer", "denominator", "code"])["value"]
    ash = sum(RESIDENTS[code] for code in LSOAS["w1"])
    cedar = sum(RESIDENTS[code] for code in LSOAS["w3"])
    assert values["lsoa21", "residents", ASH] == RESIDENTS[ASH]
    assert values["ward", "residents", "w1"] == pytest.approx(ash)
    assert values["area", "residents", "left"] == pytest.approx(ash + cedar)
    assert values["area", "households", "left"] == pytest.approx((ash + cedar) / 2)
    methods = held.groupby("layer")["method"].unique()
    assert methods["lsoa21"].tolist() == ["as published"]
    assert methods["ward"].tolist() == methods["area"].tolist() == ["shared out by area from LSOAs"]
    assert set(held["layer"]) == {"lsoa21", "ward", "area"}


def test_area_without_residents_has_none_rather_than_nought_and_it_is_noted(made: Made) -> None:
    people = pd.read_csv(made.folder / "people.csv")
    people[people["code"] != ASH].to_csv(made.folder / "people.csv", index=False)
    summary = made.build()
    values = summary.store.denominators.set_index(["layer", "denominator", "code"])["value"]
    assert pd.isna(values["lsoa21", "residents", ASH])
    assert pd.isna(values["ward", "residents", "w1"])
    assert pd.isna(values["area", "residents", "left"])
    assert values["area", "residents", "right"] > 0
    assert "people.csv: 1 of 8 areas have no residents there." in summary.notes


def test_deprivation_of_wards_is_the_mean_weighted_by_residents(made: Made) -> None:
    table = made.build().store.read_table("deprivation")
    first, second = LSOAS["w1"]
    score = (40.5 * RESIDENTS[first] + 35.5 * RESIDENTS[second]) / (RESIDENTS[first] + RESIDENTS[second])
    ward = find_row(table, layer="ward", code="w1")
    assert ward["score"] == pytest.approx(score)
    assert ward["tenth"] == pytest.approx(RESIDENTS[first] / (RESIDENTS[first] + RESIDENTS[second]))
    assert (ward["fifth"], ward["covered"]) == (pytest.approx(1.0), pytest.approx(1.0))
    assert pd.isna(ward["decile"])
    assert ward["method"] == "mean of LSOAs, weighted by residents"
    lsoa = find_row(table, layer="lsoa21", code=first)
    assert [lsoa[name] for name in ("edition", "score", "decile", "tenth", "fifth")] == [2025, 40.5, 1, 1.0, 1.0]
    assert set(table["layer"]) == {"lsoa21", "ward", "area"}


# Areas made of wards


DATED = """
[[areas]]
name = "Left"
wards = ["Ash", "Cedar"]
to = "2024-02"

[[areas]]
name = "Left"
wards = ["Ash"]
from = "2024-03"

[[areas]]
name = "Right"
wards = ["Beech", "Dale"]

[[areas]]
name = "Old town"
wards = ["Cedar"]
from = "2024-03"
to = "2024-03"
"""


def test_ward_counts_in_the_area_it_was_in_that_month(made: Made) -> None:
    made.areas = DATED
    incidents = [Incident("Drugs", CEDAR, name_id(number)) for number in range(4)]
    made.months["police.zip"] = {
        month: [replace(incidents[number], identifier=name_id(10 + number))]
        for number, month in enumerate(["2024-01", "2024-02", "2024-03", "2024-04"])
    }
    summary = made.build()
    cube = summary.store.read_table("cube")
    area = cube[cube["layer"] == "area"].set_index("month")["code"].to_dict()
    # In April no area has Cedar: it counts in the ward and in the partnership, but in no area.
    assert area == {"2024-01": "left", "2024-02": "left", "2024-03": "old-town"}
    assert summary.inside == 4
    # Each area is drawn, and has the residents of its wards, as it last stood.
    hectares = summary.store.areas.set_index(["layer", "code"])["hectares"]
    assert hectares["area", "left"] == pytest.approx(100)
    people = summary.store.denominators.set_index(["layer", "denominator", "code"])["value"]
    assert people["area", "residents", "left"] == pytest.approx(sum(RESIDENTS[code] for code in LSOAS["w1"]))
    assert people["area", "residents", "old-town"] == pytest.approx(sum(RESIDENTS[code] for code in LSOAS["w3"]))


def test_wards_in_no_area_are_noted(made: Made) -> None:
    made.areas = '[[areas]]\nname = "Left"\nwards = ["Ash", "Cedar"]\n'
    summary = made.build()
    assert "Area: 2 of 4 are in no area: Beech, Dale." in summary.notes
    assert sum(count_cube(summary.store, "area").values()) < sum(count_cube(summary.store, "ward").values())


def test_hexagon_that_stands_for_no_area_is_refused_and_a_missing_one_is_noted(made: Made) -> None:
    path = made.folder / "wards.hexjson"
    path.write_text(path.read_text("utf-8").replace('"w4"', '"w9"'), "utf-8")
    with pytest.raises(SourceError) as caught:
        made.build()
    assert str(caught.value) == (
        "wards.hexjson: w9 is not among the codes of the layer 'ward'; give each hexagon the code of the area it "
        "stands for."
    )
    path.write_text('{"layout": "odd-r", "hexes": {"w1": {"q": 0, "r": 0}, "w2": {"q": 1, "r": 0}}}', "utf-8")
    assert "Hexagon: there is no hexagon for w3, w4." in made.build().notes


def test_layer_keys_with_hyphens_work_throughout(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partnership, "TOML", partnership.TOML.replace('"ward"', '"ward-2013"'))
    store = made.build().store
    assert store.codes("ward-2013") == ["w1", "w2", "w3", "w4"]
    query, selection = Query(store), Selection.default(store).change(level="ward-2013")
    counted = query.count_areas(selection)
    assert counted["count"].sum() == query.count_coverage(selection).inside > 0
    assert len(query.list_locations(selection, code="w1")) > 0
    assert query.count_areas(selection.change(level="hex"))["count"].sum() == counted["count"].sum()


# Repeated identifiers


def repeated_months(made: Made, months: dict[str, list[Incident]]) -> tuple[BuildSummary, pd.DataFrame]:
    made.months = {"police.zip": months}
    summary = made.build()
    incidents = read_incidents(summary.store)
    return summary, incidents[~incidents["superseded"]]


def test_of_an_identifier_in_two_months_the_later_is_kept(made: Made) -> None:
    first, again = Incident("Drugs", ASH, name_id(1)), Incident("Robbery", DALE, name_id(1))
    summary, kept = repeated_months(made, {"2024-01": [first], "2024-03": [again], "2024-02": []})
    assert summary.repeated == 1
    assert kept[["month", "crime_type", "in_ward"]].to_numpy().tolist() == [["2024-03", "robbery", "w4"]]
    months = summary.store.read_table("months").set_index("month")
    assert months["repeated"].to_dict() == {"2024-01": 1, "2024-03": 0}
    assert count_cube(summary.store, "ward") == {"w4": 1}


def test_of_an_identifier_twice_in_a_month_the_last_row_is_kept(made: Made) -> None:
    rows = [Incident("Drugs", ASH, name_id(1), step=step) for step in range(3)]
    summary, kept = repeated_months(made, {"2024-01": rows})
    assert summary.repeated == 2
    assert kept["location"].tolist() == ["On or near Street 2"]


def test_rows_without_identifier_are_never_dropped_however_alike(made: Made) -> None:
    asb, drugs = Incident(ASB, ASH), Incident("Drugs", ASH)
    summary, kept = repeated_months(made, {"2024-01": [asb] * 5 + [drugs] * 3, "2024-02": [asb] * 2})
    assert summary.repeated == 0
    assert len(kept) == 10


# Adding, re-issuing and taking away months


def test_building_twice_changes_nothing(made: Made) -> None:
    first = made.build()
    files = {path: path.stat() for path in made.root.rglob("*") if path.name != "lock"}
    second = made.build()
    assert (first.changed, second.changed) == (True, False)
    assert (second.months_read, second.months_kept) == (0, 3)
    assert (second.store.version, second.sources, second.notes) == (first.store.version, first.sources, first.notes)
    after = {path: path.stat() for path in made.root.rglob("*") if path.name != "lock"}
    assert after.keys() == files.keys()
    assert all(after[path].st_mtime_ns == stat.st_mtime_ns for path, stat in files.items())


def test_data_folder_named_another_way_is_the_same_data(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    first = made.build()
    monkeypatch.chdir(made.folder.parent)
    again = build_store(made.toml, data=Path("data"), root=made.root)
    assert not again.changed
    moved = made.folder.rename(made.folder.with_name("moved"))
    assert not build_store(moved / "partnership.toml", data=None, root=made.root).changed
    assert first.store.version == again.store.version


def test_new_month_is_read_alone(made: Made) -> None:
    made.build()
    made.months["police.zip"]["2024-04"] = make_incidents(4, 60)
    summary = made.build()
    assert (summary.months_read, summary.months_kept) == (1, 3)
    assert_same(summary.store, made.build(made.root.with_name("fresh")).store)


def test_reissued_month_replaces(made: Made) -> None:
    made.build()
    made.months["police.zip"]["2024-02"] = make_incidents(22, 45)
    summary = made.build()
    assert (summary.months_read, summary.months_kept) == (1, 2)
    assert summary.store.read_table("months").set_index("month").loc["2024-02", "rows"] == 45
    assert_same(summary.store, made.build(made.root.with_name("fresh")).store)


def test_identifier_that_moves_between_months_is_marked_anew_in_months_that_are_kept(made: Made) -> None:
    one, other = Incident("Drugs", ASH, name_id(1)), Incident("Drugs", BEECH, name_id(2))
    made.months["police.zip"] = {"2024-01": [one], "2024-02": [one, other]}
    assert made.build().repeated == 1
    made.months["police.zip"]["2024-02"] = [other]
    summary = made.build()
    assert (summary.repeated, summary.months_read, summary.months_kept) == (0, 1, 1)
    assert count_cube(summary.store, "ward") == {"w1": 1, "w2": 1}


def test_changed_boundary_reads_every_month_again(made: Made) -> None:
    made.build()
    made.areas = DATED
    summary = made.build()
    assert (summary.months_read, summary.months_kept) == (3, 0)


def test_new_residents_read_no_month_again(made: Made) -> None:
    before = made.build()
    people = pd.read_csv(made.folder / "people.csv")
    people.assign(residents=people["residents"] * 2).to_csv(made.folder / "people.csv", index=False)
    summary = made.build()
    assert (summary.changed, summary.months_read, summary.months_kept) == (True, 0, 3)
    held = summary.store.denominators.query("denominator == 'residents'")["value"].sum()
    assert held == pytest.approx(2 * before.store.denominators.query("denominator == 'residents'")["value"].sum())


def test_month_between_that_is_missing_stays_missing(made: Made) -> None:
    del made.months["police.zip"]["2024-02"]
    store = made.build().store
    assert store.months == (Month(2024, 1), Month(2024, 3))
    assert store.read_table("months")["month"].tolist() == ["2024-01", "2024-03"]
    made.months["police.zip"]["2024-02"] = make_incidents(2, 60)
    summary = made.build()
    assert summary.months_read == 1
    assert_same(summary.store, made.build(made.root.with_name("fresh")).store)


def test_month_without_rows_is_missing_not_zero(made: Made) -> None:
    made.months["police.zip"]["2024-02"] = []
    summary = made.build()
    assert summary.store.months == (Month(2024, 1), Month(2024, 3))
    assert any("February 2024 is missing, not zero." in note for note in summary.notes)
    assert summary.store.read_table("months")["month"].tolist() == ["2024-01", "2024-03"]
    assert not made.build().changed


# Several sources


def test_later_source_replaces_the_months_of_an_earlier_and_says_so(made: Made) -> None:
    made.months = {
        "old.zip": {f"2024-0{month}": make_incidents(month, 30) for month in (1, 2, 3)},
        "new.zip": {f"2024-0{month}": make_incidents(10 + month, 50) for month in (2, 3, 4)},
        "newest.zip": {"2024-04": make_incidents(20, 70)},
    }
    summary = made.build()
    assert summary.store.read_table("months")["rows"].tolist() == [30, 50, 50, 70]
    assert "2 months of Made old.zip were replaced by Made new.zip (February 2024 to March 2024)." in summary.notes
    assert "1 month of Made new.zip was replaced by Made newest.zip (April 2024)." in summary.notes
    assert [(source.source, [str(month) for month in source.months], source.rows) for source in summary.sources] == [
        ("Made old.zip", ["2024-01"], 30),
        ("Made new.zip", ["2024-02", "2024-03"], 100),
        ("Made newest.zip", ["2024-04"], 70),
    ]
    assert summary.rows == 200
    assert summary.inside == sum(source.inside for source in summary.sources)


def test_source_that_is_wholly_replaced_is_still_told(made: Made) -> None:
    made.months = {"old.zip": {"2024-01": make_incidents(1, 30)}, "new.zip": {"2024-01": make_incidents(2, 50)}}
    summary = made.build()
    assert summary.sources[0] == SourceSummary("Made old.zip", (), 0, 0, 0, 0)
    assert summary.sources[1].rows == 50


def test_source_of_the_partnership_alone_keeps_its_unlocated(made: Made) -> None:
    made.months = {"force.zip": {"2024-01": MIXED}, "own.zip": {"2024-02": MIXED[3:5]}}
    made.covers = {"own.zip": "partnership"}
    store = made.build().store
    assert store.read_table("months").set_index("month")["own"].to_dict() == {"2024-01": False, "2024-02": True}


def test_months_that_are_no_longer_there_are_told(made: Made) -> None:
    for month in ("2023-11", "2024-02", "2024-03", "2024-05"):
        made.months["police.zip"][month] = make_incidents(5, 10)
    assert made.build().dropped == ()
    for month in ("2023-11", "2024-02", "2024-03"):
        del made.months["police.zip"][month]
    summary = made.build()
    assert summary.dropped == (Month(2023, 11), Month(2024, 2), Month(2024, 3))
    assert not set(summary.dropped) & set(summary.store.months)
    assert made.build().dropped == ()


def test_files_that_were_passed_over_are_noted(made: Made) -> None:
    made.build()
    with zipfile.ZipFile(made.folder / "police.zip", "a") as archive:
        archive.writestr("February.csv", write_street_csv("2024-02", make_incidents(6, 5)))
    summary = build_store(made.toml, data=None, root=made.root)
    (note,) = (note for note in summary.notes if "February.csv" in note)
    assert note.startswith("police.zip: 1 file of street-level crime was not read, because it is not named as ")
    assert note in summary.store.manifest["notes"]


def test_another_engine_reads_every_month_anew(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hashes of identifiers may be others, and one month's are held against the next's."""
    first = made.build()
    monkeypatch.setattr("duckdb.__version__", "99.0")
    again = made.build()
    assert (again.changed, again.months_kept, again.months_read) == (True, 0, first.months_read)


# Any history of months against a build from nothing


@dataclass
class Desk:
    """Parts of incidents in memory in place of files, by source: a month, or a file of several months."""

    parts: dict[int, dict[tuple[str, ...], list[Incident]]]

    def list_parts(self, source: IncidentSource, partnership: Partnership) -> list[IncidentPart]:
        number = int(source.source.removeprefix("Desk "))
        return [
            make_part(months, incidents, partnership, stated=number == 0)
            for months, incidents in self.parts[number].items()
            if incidents
        ]


def make_part(
    months: tuple[str, ...],
    incidents: Sequence[Incident],
    asked: Partnership,
    *,
    stated: bool,
    fingerprint: str = "",
) -> IncidentPart:
    """A part whose incidents go round its months; `stated` where the months are known without reading it."""
    points = [locate(incident) or (None, None) for incident in incidents]
    table = pa.table(
        {
            "incident_id": pa.array([incident.identifier for incident in incidents], pa.string()),
            "month": [months[number % len(months)] for number in range(len(incidents))],
            "crime_type": [asked.type_of_published[incident.kind.casefold()] for incident in incidents],
            "longitude": pa.array([point[0] for point in points], pa.float64()),
            "latitude": pa.array([point[1] for point in points], pa.float64()),
            "location": pa.array([f"Street {incident.step}" for incident in incidents], pa.string()),
            "lsoa_code": pa.array([None] * len(incidents), pa.string()),
            "outcome": pa.array([incident.outcome for incident in incidents], pa.string()),
        }
    )
    noted = table.replace_schema_metadata({"notes": f'["A note on {" and ".join(months)}."]'})
    known = tuple(Month.parse(month) for month in months) if stated else None
    return IncidentPart(f"{months}.csv", known, fingerprint or f"{months} {incidents}", lambda: noted)


DESK = """
[[incidents]]
format = "police.uk"
file = "."
force = "bedfordshire"
source = "Desk {number}"
"""


@pytest.fixture(scope="module")
def desk_toml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A partnership with two sources that are read from a Desk."""
    made = Made.begin(tmp_path_factory.mktemp("desk"))
    incidents = "".join(DESK.format(number=number) for number in (0, 1))
    made.toml.write_text(partnership.TOML.format(areas=made.areas, incidents=incidents), "utf-8")
    return made.toml


@pytest.fixture
def remembered_layers(desk_toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers read once and no boundaries for the browser, since neither depends on the incidents."""
    layers: LayerSet = read_layers(load_partnership(desk_toml))
    monkeypatch.setattr("cspmap.build.read_layers", lambda partnership: layers)
    monkeypatch.setattr("cspmap.build.encode_layer", lambda frame: b"")
    monkeypatch.setattr("cspmap.build._list_files", lambda partnership: [])


# Few identifiers over few months, so that they repeat and move all the time.
_incident = st.builds(
    Incident,
    kind=st.sampled_from(["Drugs", "Robbery"]),
    lsoa=st.sampled_from([ASH, DALE, "outside", None]),
    identifier=st.sampled_from([None, *map(name_id, range(6))]),
    step=st.integers(0, 1),
)
_months = st.sampled_from([(f"2024-0{month}",) for month in range(1, 5)])
_runs = st.sampled_from([("2024-02", "2024-03"), ("2024-04", "2024-05", "2024-06")])
_change = st.one_of(
    st.tuples(st.just(0), _months, st.lists(_incident, max_size=8)),
    st.tuples(st.just(1), _runs, st.one_of(st.just([]), st.lists(_incident, min_size=3, max_size=12))),
)


@settings(
    max_examples=14, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.lists(_change, min_size=1, max_size=3), min_size=1, max_size=4))
@pytest.mark.usefixtures("remembered_layers")
def test_any_history_of_months_ends_in_what_a_build_from_nothing_gives(
    desk_toml: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    history: list[list[tuple[int, tuple[str, ...], list[Incident]]]],
) -> None:
    folder = tmp_path_factory.mktemp("history")
    desk = Desk({0: {}, 1: {}})
    monkeypatch.setattr("cspmap.month_inputs.list_parts", desk.list_parts)
    for changes in history:
        for source, months, incidents in changes:
            desk.parts[source][months] = incidents
        if not any(incidents for parts in desk.parts.values() for incidents in parts.values()):
            with pytest.raises(SourceError, match="hold no incidents"):
                build_store(desk_toml, data=None, root=folder / "grown")
            continue
        grown = build_store(desk_toml, data=None, root=folder / "grown")
    if not any(incidents for parts in desk.parts.values() for incidents in parts.values()):
        return
    fresh = build_store(desk_toml, data=None, root=folder / "fresh")
    assert grown.store.version == fresh.store.version
    assert grown.sources == fresh.sources
    assert grown.notes == fresh.notes
    assert_same(grown.store, fresh.store)
    assert_counts(fresh.store, desk)
    assert_conserved(fresh.store)


def assert_counts(store: Store, desk: Desk) -> None:
    """The counts by ward and month, worked out anew from the parts by the rules as they are written down."""
    by_month: dict[str, list[Incident]] = {}
    for parts in desk.parts.values():
        later: dict[str, list[Incident]] = {}
        for months, incidents in parts.items():
            for number, incident in enumerate(incidents):
                later.setdefault(months[number % len(months)], []).append(incident)
        by_month |= later
    last = {
        incident.identifier: (month, number)
        for month in sorted(by_month)
        for number, incident in enumerate(by_month[month])
        if incident.identifier is not None
    }
    counts = Counter(
        (month, incident.ward)
        for month, incidents in by_month.items()
        for number, incident in enumerate(incidents)
        if incident.ward and (incident.identifier is None or last[incident.identifier] == (month, number))
    )
    cube = store.read_table("cube")
    found = cube[cube["layer"] == "ward"].groupby(["month", "code"])["count"].sum()
    assert found.to_dict() == dict(counts)


def test_file_of_several_months_gives_back_the_month_that_another_source_no_longer_has(
    desk_toml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remembered_layers: None
) -> None:
    rows = [Incident("Drugs", ASH, name_id(number)) for number in range(4)]
    desk = Desk({0: {}, 1: {}})
    monkeypatch.setattr("cspmap.month_inputs.list_parts", desk.list_parts)
    # Source 0 states its months and source 1 does not; the later, 1, wins where both hold a month.
    desk.parts[0] = {("2024-02", "2024-03"): rows}
    desk.parts[1] = {("2024-03",): rows[:1]}
    first = build_store(desk_toml, data=None, root=tmp_path)
    assert first.store.read_table("months")["rows"].tolist() == [2, 1]
    desk.parts[1] = {("2024-05",): rows[:1]}
    second = build_store(desk_toml, data=None, root=tmp_path)
    assert second.store.read_table("months")["rows"].tolist() == [2, 2, 1]


def test_months_of_a_file_are_found_anew_when_its_columns_are_read_otherwise(
    desk_toml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remembered_layers: None
) -> None:
    """The same bytes are other months where the dates are read as American ones."""
    rows = [Incident("Drugs", ASH, name_id(number)) for number in range(4)]
    read_as: dict[str, tuple[str, ...]] = {}

    def list_parts(source: IncidentSource, partnership: Partnership) -> list[IncidentPart]:
        months = read_as[source.force or ""]
        part = make_part(months, rows, partnership, stated=False, fingerprint="the same bytes")
        return [part] if source.source == "Desk 0" else []

    monkeypatch.setattr("cspmap.month_inputs.list_parts", list_parts)
    read_as["bedfordshire"] = ("2024-01", "2024-02")
    assert len(build_store(desk_toml, data=None, root=tmp_path).store.months) == 2
    other = desk_toml.with_name("other.toml")
    other.write_text(desk_toml.read_text("utf-8").replace('"bedfordshire"', '"kent"'), "utf-8")
    read_as["kent"] = ("2024-07",)
    assert [str(month) for month in build_store(other, data=None, root=tmp_path).store.months] == ["2024-07"]


def test_a_file_whose_months_only_reading_tells_is_read_once(
    desk_toml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remembered_layers: None
) -> None:
    rows = [Incident("Drugs", ASH, name_id(number)) for number in range(4)]
    desk = Desk({0: {}, 1: {("2024-01", "2024-02"): rows}})
    reads: list[str] = []

    def list_parts(source: IncidentSource, partnership: Partnership) -> list[IncidentPart]:
        def count(part: IncidentPart) -> IncidentPart:
            def read() -> pa.Table:
                reads.append(part.name)
                return part.read()

            return replace(part, read=read)

        return [count(part) for part in desk.list_parts(source, partnership)]

    monkeypatch.setattr("cspmap.month_inputs.list_parts", list_parts)
    whole = build_store(desk_toml, data=None, root=tmp_path / "kept").store
    assert len(reads) == 1
    # Where there is no room for what was read, it is read again, and nothing else differs.
    monkeypatch.setattr("cspmap.month_inputs.MOST_KEPT", 0)
    assert_same(whole, build_store(desk_toml, data=None, root=tmp_path / "tight").store)
    assert len(reads) == 3


def test_month_twice_in_one_source_is_refused_in_one_sentence(
    desk_toml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remembered_layers: None
) -> None:
    rows = [Incident("Drugs", ASH, name_id(number)) for number in range(4)]
    desk = Desk({0: {("2024-01",): rows, ("2024-01", "2024-02"): rows}, 1: {}})
    monkeypatch.setattr("cspmap.month_inputs.list_parts", desk.list_parts)
    with pytest.raises(SourceError) as caught:
        build_store(desk_toml, data=None, root=tmp_path)
    assert str(caught.value) == (
        "('2024-01',).csv and ('2024-01', '2024-02').csv: both hold January 2024; take one away, or list them as two "
        "[[incidents]] sources, of which the later replaces the earlier."
    )


def test_progress_rises_to_the_end(made: Made) -> None:
    said: list[tuple[str, float]] = []

    def record(step: str, done: float) -> None:
        said.append((step, done))

    made.save()
    build_store(made.toml, data=None, root=made.root, progress=record)
    shares = [done for _, done in said]
    assert shares == sorted(shares)
    assert (said[0][1], said[-1]) == (0.0, ("Done", 1.0))
    assert dict(said)["Reading January 2024"] == pytest.approx(0.05 + 0.8 * 2 / 3)
    said.clear()
    build_store(made.toml, data=None, root=made.root, progress=record)
    assert said[-1] == ("Done", 1.0)


def test_a_source_of_somewhere_else_is_refused_and_changes_nothing(made: Made) -> None:
    made.months = {"police.zip": {"2024-01": MIXED}}
    version = made.build().store.version
    made.months = {"police.zip": {"2024-01": [Incident(ASB, "outside")] * 50 + [Incident(ASB, None)]}}
    with pytest.raises(SourceError, match=r"none of its 50 located incidents lies in .+; check that its columns of"):
        made.build()
    assert open_store(made.root).version == version
