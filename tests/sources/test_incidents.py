"""Finding the files of incidents, however they were downloaded, and each way that they can be damaged or twice."""

import hashlib
import json
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cspmap.errors import SourceError
from cspmap.partnership import IncidentSource, Partnership, load_partnership
from cspmap.periods import Month
from cspmap.sources.incidents import INCIDENT_SCHEMA, IncidentPart, list_parts, note_unread

ROOT = Path(__file__).resolve().parent.parent.parent
HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context\n"
)
SOURCE = IncidentSource("police.uk", Path("police"), "data.police.uk", force="bedfordshire")


@pytest.fixture(scope="module")
def luton() -> Partnership:
    return load_partnership(ROOT / "docs" / "partnerships" / "luton.toml", need_files=False)


def street(month: str, force: str = "bedfordshire", rows: int = 1) -> tuple[str, bytes]:
    """Path in a download, and content, of a street file."""
    name = f"{force.capitalize()} Police"
    row = f",{month},{name},{name},-0.42,51.88,On or near High Street,E01015700,Luton 001A,Drugs,,\n"
    return f"{month}/{month}-{force}-street.csv", (HEADER + row * rows).encode()


def unpack(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def pack(path: Path, files: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def find(file: Path, partnership: Partnership, force: str = "bedfordshire") -> list[IncidentPart]:
    return list_parts(replace(SOURCE, file=file, force=force), partnership)


def fail(file: Path, partnership: Partnership, force: str = "bedfordshire") -> str:
    with pytest.raises(SourceError) as caught:
        find(file, partnership, force)
    return str(caught.value)


def test_months_of_a_real_download(shared_data: Path, luton: Partnership) -> None:
    parts = find(shared_data / "police" / "bedfordshire-2021-05-to-2024-04.zip", luton)
    assert [part.months for part in parts] == [(Month(2021, 5) + step,) for step in range(36)]
    assert parts[0].name == "bedfordshire-2021-05-to-2024-04.zip: 2021-05/2021-05-bedfordshire-street.csv"


def test_the_same_files_single_in_a_tree_in_a_zip_and_by_pattern(tmp_path: Path, luton: Partnership) -> None:
    files = dict([street("2024-01"), street("2024-02", rows=2)])
    tree = unpack(tmp_path / "tree" / "deep" / "deeper", files).parent.parent
    packed = pack(tmp_path / "police.zip", files)
    single = tree / "deep" / "deeper" / "2024-02" / "2024-02-bedfordshire-street.csv"
    tables = [part.read() for part in find(tree, luton)]
    assert [len(table) for table in tables] == [1, 2]
    assert [part.read() for part in find(packed, luton)] == tables
    assert [part.read() for part in find(tmp_path / "pol*.zip", luton)] == tables
    assert [part.read() for part in find(single, luton)] == tables[1:]
    assert [part.read() for part in find(single.parent / "2024-*.csv", luton)] == tables[1:]
    assert tables[0].schema == INCIDENT_SCHEMA


def test_parts_are_named_so_that_their_files_are_found(tmp_path: Path, luton: Partnership) -> None:
    unpack(tmp_path / "police", dict([street("2024-02")]))
    pack(tmp_path / "police" / "more" / "old.ZIP", {f"crime\\{street('2024-01')[0]}": street("2024-01")[1]})
    assert [part.name for part in find(tmp_path / "police", luton)] == [
        "police/more/old.ZIP: crime\\2024-01/2024-01-bedfordshire-street.csv",
        "police/2024-02/2024-02-bedfordshire-street.csv",
    ]


def test_of_a_bulk_archive_the_street_files_of_the_force_alone_are_taken(tmp_path: Path, luton: Partnership) -> None:
    files = dict(street("2024-01", force) for force in ("kent", "bedfordshire", "btp"))
    # A Mac adds a hidden twin of each file.
    others = ("2024-01-bedfordshire-outcomes.csv", "2024-01-bedfordshire-stop-and-search.csv", "notes.csv")
    files |= {f"2024-01/{name}": b"x" for name in (*others, "._2024-01-bedfordshire-street.csv")}
    parts = find(pack(tmp_path / "2024-01.zip", files), luton)
    assert [part.name for part in parts] == ["2024-01.zip: 2024-01/2024-01-bedfordshire-street.csv"]
    assert [len(part.read()) for part in find(tmp_path / "2024-01.zip", luton, "Kent")] == [1]


def test_listing_reads_no_row(tmp_path: Path, luton: Partnership) -> None:
    name, content = street("2024-01")
    packed = pack(tmp_path / "police.zip", {name: content}, method=zipfile.ZIP_STORED)
    packed.write_bytes(packed.read_bytes().replace(b"High Street", b"Hugh Street"))
    (part,) = find(packed, luton)
    with pytest.raises(SourceError) as caught:
        part.read()
    assert str(caught.value) == (
        f"police.zip: {name}: it is damaged in the zip file (Bad CRC-32 for file '{name}'); download or copy it again."
    )


def test_a_way_of_packing_that_is_not_read_is_not_called_damage(tmp_path: Path, luton: Partnership) -> None:
    """As Windows packs what is larger than 2 GB: method 9, which only some programs read."""
    name, content = street("2024-01")
    packed = pack(tmp_path / "police.zip", {name: content})
    changed = bytearray(packed.read_bytes())
    changed[changed.index(b"PK\x03\x04") + 8] = changed[changed.index(b"PK\x01\x02") + 10] = 9
    packed.write_bytes(changed)
    (part,) = find(packed, luton)
    with pytest.raises(SourceError) as caught:
        part.read()
    assert str(caught.value) == (
        f"police.zip: {name}: it is packed in a way that is not read here (method 9); unpack the zip file into a "
        "folder and name that, or pack it again as an ordinary zip file."
    )


def test_fingerprints_change_with_the_content_and_nothing_else(tmp_path: Path, luton: Partnership) -> None:
    name, content = street("2024-01")
    for number, compression in enumerate((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)):
        (part,) = find(pack(tmp_path / f"{number}.zip", {name: content}, method=compression), luton)
        assert part.fingerprint == f"{zlib.crc32(content):08x}-{len(content)}"
    (plain,) = find(unpack(tmp_path / "plain", {name: content}), luton)
    assert plain.fingerprint == hashlib.sha256(content).hexdigest()


def test_parts_of_two_zip_files_are_read_in_any_order(tmp_path: Path, luton: Partnership) -> None:
    pack(tmp_path / "a.zip", dict([street("2024-01", rows=1), street("2024-03", rows=3)]))
    pack(tmp_path / "b.zip", dict([street("2024-02", rows=2), street("2024-04", rows=4)]))
    parts = find(tmp_path, luton)
    assert [len(part.read()) for part in parts] == [1, 2, 3, 4]
    assert [len(part.read()) for part in reversed(parts)] == [4, 3, 2, 1]


def test_a_month_twice_names_both_files(tmp_path: Path, luton: Partnership) -> None:
    files = dict([street("2024-01"), street("2024-02")])
    unpack(tmp_path / "police", files)
    pack(tmp_path / "police" / "again.zip", dict([street("2024-02", rows=3)]))
    assert fail(tmp_path / "police", luton) == (
        "police/2024-02/2024-02-bedfordshire-street.csv and "
        "police/again.zip: 2024-02/2024-02-bedfordshire-street.csv: both hold February 2024; take one away, or "
        "list them as two [[incidents]] sources, of which the later replaces the earlier."
    )
    pack(tmp_path / "police" / "again.zip", files)
    assert "both hold January 2024 (and 1 more month is there twice)" in fail(tmp_path / "police", luton)


def test_a_street_file_by_another_name_is_noted_not_passed_over(tmp_path: Path, luton: Partnership) -> None:
    (_, content) = street("2024-02")
    files = {
        **dict([street("2024-01"), street("2024-01", "kent")]),
        "2024-01/2024-01-bedfordshire-outcomes.csv": b"Crime ID,Month,Outcome type\n",
        "people.csv": b"code,residents\n",
        "2024-02/2024-02-bedfordshire-street (1).csv": content,
    }
    note = (
        "{0}: 1 file of street-level crime was not read, because it is not named as data.police.uk does, such as "
        "2024-04-bedfordshire-street.csv: {0}{1} 2024-02/2024-02-bedfordshire-street (1).csv."
    )
    tree, packed = unpack(tmp_path / "police", files), pack(tmp_path / "police.zip", files)
    assert note_unread(replace(SOURCE, file=packed)) == [note.format("police.zip", ":")]
    assert note_unread(replace(SOURCE, file=tree)) == [note.format("police", "/").replace("/ ", "/")]
    assert [part.months for part in find(packed, luton)] == [(Month(2024, 1),)]
    two = {**files, "Crime.CSV": content}
    (said,) = note_unread(replace(SOURCE, file=pack(tmp_path / "two.zip", two)))
    assert "2 files of street-level crime were not read, because they are not named" in said
    assert note_unread(replace(SOURCE, file=pack(tmp_path / "fine.zip", dict([street("2024-01")])))) == []


def test_what_is_there_instead_of_the_force(tmp_path: Path, luton: Partnership) -> None:
    forces = ("kent", "essex", "dorset", "surrey", "sussex", "norfolk", "suffolk")
    packed = pack(tmp_path / "2024-01.zip", dict(street("2024-01", force) for force in forces))
    assert fail(packed, luton) == (
        "2024-01.zip: it has no street-level file of force 'bedfordshire', only of dorset, essex, kent, norfolk, "
        "suffolk and 2 more; correct force in the partnership file, or give the files of that force."
    )


@pytest.mark.parametrize("kind", ["folder", "zip", "file"])
def test_no_street_file_at_all(tmp_path: Path, luton: Partnership, kind: str) -> None:
    place = {
        "folder": unpack(tmp_path / "police", {"readme.txt": b"x"}),
        "zip": pack(tmp_path / "police.zip", {"2024-01/2024-01-bedfordshire-outcomes.csv": b"x"}),
        "file": unpack(tmp_path, {"street.csv": street("2024-01")[1]}) / "street.csv",
    }[kind]
    assert fail(place, luton) == (
        f"{place.name}: it has no street-level file, which would be named as 2024-04-bedfordshire-street.csv is; "
        "give the files as data.police.uk names them."
    )


def test_nothing_where_the_partnership_file_points(tmp_path: Path, luton: Partnership) -> None:
    assert fail(tmp_path / "pol*.zip", luton) == (
        f"pol*.zip: there is no such file in {tmp_path}; correct file there, or name another folder with --data."
    )


def test_damaged_zip_files_each_in_one_sentence(tmp_path: Path, luton: Partnership) -> None:
    whole = pack(tmp_path / "police" / "a-whole.zip", dict([street("2024-01")])).read_bytes()
    unpack(tmp_path / "police", {"b-cut.zip": whole[:-30], "c-page.zip": b"<html>Not found</html>", "d-empty.zip": b""})
    # Bit 0 of the flags, in the directory and before the file itself, says that it is encrypted.
    locked = bytearray(whole)
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    unpack(tmp_path / "police", {"e-locked.zip": bytes(locked)})
    assert fail(tmp_path / "police", luton).splitlines() == [
        "police/b-cut.zip: it is a zip file whose end is missing; download or copy it again.",
        "police/c-page.zip: it is not a zip file; download or copy it again.",
        "police/d-empty.zip: it is not a zip file; download or copy it again.",
        "police/e-locked.zip: it is protected by a password; unpack it, or give one without.",
    ]


def test_a_zip_file_whose_packed_bytes_are_garbled(tmp_path: Path, luton: Partnership) -> None:
    name, content = street("2024-01", rows=300)
    packed = pack(tmp_path / "police.zip", {name: content})
    garbled = bytearray(packed.read_bytes())
    start = 30 + len(name)
    garbled[start : start + 20] = bytes(20)
    packed.write_bytes(garbled)
    (part,) = find(packed, luton)
    with pytest.raises(SourceError, match="it is damaged in the zip file") as caught:
        part.read()
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_that_went_away_after_it_was_listed(tmp_path: Path, luton: Partnership) -> None:
    unpack(tmp_path / "police", dict([street("2024-01")]))
    (part,) = find(tmp_path / "police", luton)
    shutil.rmtree(tmp_path / "police")
    with pytest.raises(SourceError, match="it cannot be opened \\(No such file or directory\\); check its name"):
        part.read()


def test_the_bundled_example(luton: Partnership) -> None:
    example = load_partnership(ROOT / "data" / "partnership.toml")
    (source,) = example.incidents
    parts = list_parts(source, example)
    assert [part.name for part in parts] == [f"200{year}-0{year + 1}.csv" for year in range(3, 8)]
    assert {part.months for part in parts} == {None}
    tables = [part.read() for part in parts]
    assert sum(map(len, tables)) == 72_030
    assert {table.schema.metadata[b"notes"] for table in tables} == {json.dumps([]).encode()}
    assert set(tables[1]["month"].to_pylist()) == {str(Month(2004, 4) + step) for step in range(12)}
