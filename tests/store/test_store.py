import json
import shutil
from pathlib import Path

import pytest

import cspmap.store as store_module
from cspmap.build import build_store
from cspmap.errors import StoreError
from cspmap.periods import Month
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import Draft, Store, find_version, open_store

from .made import Made, assert_same, make_incidents, read_all


def complain(root: Path) -> str:
    with pytest.raises(StoreError) as caught:
        open_store(root)
    return str(caught.value)


def test_opens_what_was_built(made: Made) -> None:
    built = made.build().store
    store = open_store(made.root)
    assert store.version == built.version == find_version(made.root)
    assert store.months == (Month(2024, 1), Month(2024, 2), Month(2024, 3))
    assert store.partnership.name == "Exampleton Community Safety Partnership"
    assert store.codes("ward") == ["w1", "w2", "w3", "w4"]
    assert store.counted_level("hex") == "ward"
    assert store.counted_level("area") == "area"
    assert store.read_layer("area")["name"].tolist() == ["Left", "Right"]
    assert store.read_layer("area").crs.to_epsg() == 27700
    assert store.areas.groupby("layer")["hectares"].sum().to_dict() == pytest.approx(
        {"lsoa21": 400, "ward": 400, "hex": 400, "area": 400}
    )


def test_opens_without_the_sources(made: Made) -> None:
    before = read_all(made.build().store)
    shutil.rmtree(made.folder)
    assert read_all(open_store(made.root)).keys() == before.keys()


def test_no_store(tmp_path: Path) -> None:
    assert find_version(tmp_path) is None
    assert complain(tmp_path) == (
        f"There is no store in {tmp_path}; make one with: cspmap build PARTNERSHIP.toml --store {tmp_path}"
    )
    assert "There is no store" in complain(tmp_path / "nowhere")


# What may be found in the files of a store after a disk has failed, by their names within it.
DAMAGES: dict[str, tuple[bytes | None, ...]] = {
    "versions/{version}/manifest.json": (None, b"", b"{", b"[]", b"null", b"\x00", b"\xff", b'{"format": 1}'),
    "versions/{version}/partnership.toml": (None, b"", b"[partnership]\nname = 3\n", b"= ="),
    "versions/{version}/cube.parquet": (None,),
    "versions/{version}/incidents/2024-02.parquet": (None,),
    "versions/{version}/layers/ward.parquet": (None,),
    "web/{version}/hex.json": (None,),
    "current": (b"", b"nowhere", b"../..", b"\x00", b"\xff\xfe"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_store_is_told_in_one_sentence_and_built_again(made: Made, name: str) -> None:
    sound = made.build().store
    file = made.root / name.format(version=sound.version)
    content = file.read_bytes()
    for damage in DAMAGES[name]:
        if damage is None:
            file.unlink()
        else:
            file.write_bytes(damage)
        said = complain(made.root)
        assert said.startswith(f"The store in {made.root} ")
        assert said.endswith(("build it again.", "build it again with cspmap build."))
        assert "\n" not in said
    again = made.build()
    assert again.changed
    assert again.months_kept == 0
    assert file.read_bytes() == content or name.endswith("manifest.json")
    assert open_store(made.root).version == sound.version


def test_store_of_another_format_is_told_and_built_again(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("build", "month_inputs"):
        monkeypatch.setattr(f"cspmap.{module}.FORMAT", store_module.FORMAT + 1)
    monkeypatch.setattr(store_module, "FORMAT", store_module.FORMAT + 1)
    newer = made.build().store
    monkeypatch.undo()
    assert complain(made.root) == f"The store in {made.root} was made by another version of cspmap; build it again."
    again = made.build()
    assert again.changed
    assert again.months_kept == 0
    assert again.store.version != newer.version
    assert json.loads((again.store.folder / "manifest.json").read_text("utf-8"))["format"] == store_module.FORMAT


def add_month(made: Made, month: str, seed: int) -> Store:
    made.months["police.zip"][month] = make_incidents(seed, 40)
    return made.build().store


def test_reader_keeps_the_version_it_opened_through_one_build_and_is_told_after_two(made: Made) -> None:
    old = made.build().store
    query = Query(old)
    selection = Selection.default(old)
    counts, streets = query.count_areas(selection), query.list_locations(selection)
    first = read_all(old)

    add_month(made, "2024-04", 4)
    assert read_all(Store(old.root, old.version, old.partnership)).keys() == first.keys()
    assert query.list_locations(selection).equals(streets)
    assert query.count_areas(selection).equals(counts)

    add_month(made, "2024-05", 5)
    told = f"The store in {made.root} has been built again since it was opened here; open it again."
    # Counts and rates are in memory and go on; what lies in files cannot.
    assert query.count_areas(selection).equals(counts)
    assert query.count_coverage(selection).recorded == counts["count"].sum() + _beyond(query, selection)
    with pytest.raises(StoreError, match="built again since") as caught:
        query.list_locations(selection)
    assert str(caught.value) == told
    fresh = Store(old.root, old.version, old.partnership)
    for read in (lambda: fresh.manifest, lambda: fresh.areas, lambda: fresh.read_layer("ward"), lambda: Query(fresh)):
        with pytest.raises(StoreError, match="built again since"):
            read()
    assert len(Query(open_store(made.root)).list_locations(selection)) == len(streets)


def _beyond(query: Query, selection: Selection) -> int:
    coverage = query.count_coverage(selection)
    return coverage.outside + coverage.unlocated


def test_failure_of_another_kind_is_not_blamed_on_a_later_build(made: Made) -> None:
    store = made.build().store
    store.table("areas").write_bytes(b"no parquet")
    with pytest.raises(Exception, match="arquet") as caught:
        open_store(made.root).read_table("areas")
    assert not isinstance(caught.value, StoreError)


def test_only_the_version_in_use_and_the_one_before_are_kept(made: Made) -> None:
    versions = [made.build().store.version, *(add_month(made, f"2024-0{month}", month).version for month in (4, 5, 6))]
    for kind in ("versions", "web"):
        assert sorted(folder.name for folder in (made.root / kind).iterdir()) == sorted(versions[-2:])
    assert not (made.root / "drafts").exists() or not list((made.root / "drafts").iterdir())


def test_going_back_to_earlier_inputs_gives_the_earlier_version(made: Made) -> None:
    first = made.build().store
    tables = read_all(first)
    add_month(made, "2024-04", 4)
    del made.months["police.zip"]["2024-04"]
    back = made.build()
    assert back.changed
    assert back.store.version == first.version
    assert read_all(back.store).keys() == tables.keys()
    assert_same(back.store, made.build(made.root.with_name("another")).store)


def test_draft_of_a_killed_build_is_cleared_away(made: Made) -> None:
    left = made.root / "drafts" / "2020-01-0123456789ab" / "incidents"
    left.mkdir(parents=True)
    (left / "2020-01.parquet").write_text("half", "utf-8")
    made.build()
    assert not left.exists()
    draft = Draft.begin(made.root, "next")
    draft.discard()
    assert not draft.folder.exists()


def test_build_of_a_partnership_file_alone_needs_no_more_than_its_path(made: Made) -> None:
    made.save()
    summary = build_store(made.toml, data=None, root=made.root)
    assert summary.changed
    assert not build_store(made.toml, data=made.folder, root=made.root).changed
