"""Build a store: official files in, a complete version out, or nothing changed at all.

Each month of incidents becomes one Parquet file, assigned to every layer by point in polygon. A month whose
input and layers are unchanged is taken over from the version before; a re-issued month is made anew.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from cspmap import __version__
from cspmap.assign import PointIndex
from cspmap.errors import Problem, SourceError, StoreError
from cspmap.layers import LayerSet, read_layers
from cspmap.partnership import Partnership, load_partnership
from cspmap.periods import Month
from cspmap.sources.incidents import IncidentPart, list_parts
from cspmap.store import FORMAT, Draft, Store, find_version, open_store
from cspmap.summaries import write_summaries
from cspmap.views.boundaries import write_layer

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[str, float], None]
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class BuildSummary:
    """What a build did, for the one who ran it."""

    store: Store
    changed: bool
    months_read: int
    months_kept: int
    rows: int
    repeated: int
    unlocated: int
    inside: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _MonthInput:
    """Where a month's incidents come from."""

    month: Month
    source: int
    part: IncidentPart
    key: str


@dataclass
class _SeenIds:
    """Incident identifiers of the later months, as sorted arrays of 64-bit hashes merged by size.

    Months are handled latest first, so an identifier that has been seen already is a repeat of a later record.
    Two of 20 million identifiers share a 64-bit hash with a probability of one in 100,000.
    """

    runs: list[Hashes] = field(default_factory=list)

    def mark(self, hashes: Hashes, given: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Which rows repeat a later record or a later row of their own month; then remember them all."""
        repeated = np.zeros(len(hashes), dtype=bool)
        rows = np.flatnonzero(given)[::-1]
        unique, last = np.unique(hashes[rows], return_index=True)
        own = np.ones(len(rows), dtype=bool)
        own[last] = False
        repeated[rows] = own
        for run in self.runs:
            slots = np.searchsorted(run, hashes[rows])
            slots[slots == len(run)] = 0
            repeated[rows] |= run[slots] == hashes[rows]
        if len(unique):
            self.runs.append(unique)
        while len(self.runs) > 1 and len(self.runs[-2]) < 2 * len(self.runs[-1]):
            self.runs[-2:] = [np.sort(np.concatenate(self.runs[-2:]), kind="stable")]
        return repeated


def ignore_progress(step: str, done: float) -> None:
    """Tell nobody."""


def build_store(path: Path, *, data: Path | None, root: Path, progress: Progress = ignore_progress) -> BuildSummary:
    """Build the store of a partnership file in the folder `root`.

    Raises PartnershipError, SourceError or StoreError with the version in use untouched. `progress` is called with
    the step in words and the share of the work that is done.
    """
    progress("Reading the partnership file", 0.0)
    partnership = load_partnership(path, data=data)
    with _writing(root):
        previous = _open_previous(root)
        progress("Reading boundaries", 0.02)
        layers = read_layers(partnership)
        inputs, replaced = _choose_months(partnership, layers, previous)
        version = _name_version(path, partnership, inputs)
        if previous is not None and previous.version == version:
            return _summarise(previous, changed=False, read=0, kept=len(inputs))
        draft = Draft.begin(root, version)
        try:
            read = _write_months(draft, partnership, layers, inputs, previous, progress)
            progress("Counting", 0.85)
            shutil.copyfile(path, draft.folder / "partnership.toml")
            notes = write_summaries(draft.folder, partnership, layers, [item.source for item in inputs])
            for key, frame in layers.frames.items():
                write_layer(frame, draft.web / f"{key}.json")
            progress("Writing the manifest", 0.97)
            _write_manifest(draft, partnership, layers, inputs, (*replaced, *notes, *read.notes))
            draft.publish()
        except BaseException:
            draft.discard()
            raise
    progress("Done", 1.0)
    return _summarise(open_store(root), changed=True, read=read.months, kept=len(inputs) - read.months)


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """Hold the store's lock, and turn the operating system's refusals into sentences."""
    from filelock import FileLock, Timeout

    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / "lock", timeout=0):
            yield
    except Timeout as error:
        raise StoreError(f"Another build is writing to {root}; wait for it to end.") from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StoreError(f"The disk of {root} is full; free some space and build again.") from error
        if error.errno in {errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST}:
            raise StoreError(
                f"{error.filename or root} cannot be written; name another folder with --store."
            ) from error
        raise


def _open_previous(root: Path) -> Store | None:
    if find_version(root) is None:
        return None
    try:
        return open_store(root)
    except StoreError:
        return None


def _choose_months(
    partnership: Partnership, layers: LayerSet, previous: Store | None
) -> tuple[list[_MonthInput], list[str]]:
    """For each month the part it comes from: of sources that both hold it, the one listed later."""
    known: dict[str, list[str]] = previous.manifest["parts"] if previous else {}
    salt = json.dumps(
        [FORMAT, __version__, layers.digest, partnership.type_of_published, [s.key for s in partnership.layers]]
    )
    chosen: dict[Month, _MonthInput] = {}
    replaced: dict[tuple[int, int], list[Month]] = {}
    for number, source in enumerate(partnership.incidents):
        for part in list_parts(source, partnership):
            months = part.months
            if months is None and part.fingerprint in known:
                months = tuple(Month.parse(text) for text in known[part.fingerprint])
            if months is None:
                months = tuple(Month.parse(text) for text in part.read()["month"].unique().to_pylist())
            for month in sorted(months):
                before = chosen.get(month)
                if before is not None and before.source == number:
                    raise SourceError([_month_twice(month, before.part, part)])
                if before is not None:
                    replaced.setdefault((before.source, number), []).append(month)
                key = hashlib.sha256(f"{salt} {part.fingerprint} {source} {month}".encode()).hexdigest()
                chosen[month] = _MonthInput(month, number, part, key)
    notes = [
        f"{len(months)} months of {partnership.incidents[old].source} were replaced by "
        f"{partnership.incidents[new].source} ({months[0].words} to {months[-1].words})."
        for (old, new), months in replaced.items()
    ]
    return [chosen[month] for month in sorted(chosen)], notes


def _month_twice(month: Month, first: IncidentPart, second: IncidentPart) -> Problem:
    return Problem(
        f"{first.name} and {second.name}",
        f"both hold {month.words}",
        "take one away, or list them as two [[incidents]] sources, of which the later replaces the earlier",
    )


def _name_version(path: Path, partnership: Partnership, inputs: Sequence[_MonthInput]) -> str:
    """The same inputs give the same name, so that building twice changes nothing."""
    digest = hashlib.sha256(path.read_bytes())
    for item in inputs:
        digest.update(item.key.encode())
    for source, file in _list_inputs(partnership):
        digest.update(f"{source} {hash_file(file)}".encode())
    return f"{inputs[-1].month}-{digest.hexdigest()[:12]}"


def hash_file(path: Path) -> str:
    """SHA-256 of a file, as the manifest states it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True)
class _Read:
    months: int
    notes: tuple[str, ...]


def _write_months(
    draft: Draft,
    partnership: Partnership,
    layers: LayerSet,
    inputs: Sequence[_MonthInput],
    previous: Store | None,
    progress: Progress,
) -> _Read:
    """One incident file a month, latest first, so that of a repeated identifier the latest record is kept."""
    import duckdb

    kept: dict[str, str] = previous.manifest["month_keys"] if previous else {}
    index, seen = PointIndex(layers.read), _SeenIds()
    notes: dict[str, None] = {}
    read = 0
    whole: tuple[IncidentPart, pa.Table] | None = None
    with duckdb.connect() as engine:
        for done, item in enumerate(reversed(inputs)):
            progress(f"Reading {item.month.words}", 0.05 + 0.8 * done / len(inputs))
            target = draft.folder / "incidents" / f"{item.month}.parquet"
            if previous is not None and kept.get(str(item.month)) == item.key:
                _take_over(Path(previous.folder / "incidents" / target.name), target, seen)
                continue
            if whole is None or whole[0] is not item.part:
                whole = (item.part, item.part.read())
                notes.update(dict.fromkeys(json.loads((whole[1].schema.metadata or {}).get(b"notes", b"[]"))))
            table = whole[1].replace_schema_metadata(None)
            if item.part.months is None:
                table = table.filter(pa.compute.equal(table["month"], str(item.month)))
            pq.write_table(_assign(table, index, layers, item.month, seen, engine), target, compression="zstd")
            read += 1
    return _Read(read, tuple(notes))


def _assign(
    table: pa.Table,
    index: PointIndex,
    layers: LayerSet,
    month: Month,
    seen: _SeenIds,
    engine: "duckdb.DuckDBPyConnection",
) -> pa.Table:
    """Add position on the grid, the area of every layer, and whether a later record supersedes the row."""
    longitude = table["longitude"].to_numpy()
    located = np.flatnonzero(~np.isnan(longitude))
    easting, northing, rows = index.locate(longitude[located], table["latitude"].to_numpy()[located])
    for name, values in (("easting", easting), ("northing", northing)):
        column = np.full(len(table), np.nan)
        column[located] = values
        table = table.append_column(name, pa.array(column, from_pandas=True))
    for layer, codes in layers.name_areas(rows, month).items():
        indices = np.full(len(table), -1, dtype=np.int32)
        indices[located] = codes.rows
        array = pa.DictionaryArray.from_arrays(pa.array(indices, mask=indices < 0), pa.array(codes.codes, pa.string()))
        table = table.append_column(f"in_{layer}", array.cast(pa.string()))
    engine.register("part", table)
    hashed = engine.sql("SELECT md5_number_lower(incident_id) AS hash FROM part").to_arrow_table()["hash"]
    engine.unregister("part")
    given = hashed.is_valid().to_numpy()
    hashes = hashed.fill_null(0).to_numpy()
    table = table.append_column("id_hash", hashed)
    return table.append_column("superseded", pa.array(seen.mark(hashes, given)))


def _take_over(old: Path, new: Path, seen: _SeenIds) -> None:
    """Keep an unchanged month's file, unless a changed later month now supersedes other rows of it."""
    marks = pq.read_table(old, columns=["id_hash", "superseded"])
    hashed = marks["id_hash"]
    repeated = seen.mark(hashed.fill_null(0).to_numpy(), hashed.is_valid().to_numpy())
    if np.array_equal(repeated, marks["superseded"].to_numpy()):
        try:
            os.link(old, new)
        except OSError:
            shutil.copyfile(old, new)
        return
    table = pq.read_table(old)
    column = table.schema.get_field_index("superseded")
    pq.write_table(table.set_column(column, "superseded", pa.array(repeated)), new, compression="zstd")


def _write_manifest(
    draft: Draft, partnership: Partnership, layers: LayerSet, inputs: Sequence[_MonthInput], notes: Sequence[str]
) -> None:
    parts: dict[str, list[str]] = {}
    for item in inputs:
        if item.part.months is None:
            parts.setdefault(item.part.fingerprint, []).append(str(item.month))
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "cspmap": __version__,
        "version": draft.version,
        "built": datetime.now(UTC).isoformat(timespec="seconds"),
        "months": [str(item.month) for item in inputs],
        "month_keys": {str(item.month): item.key for item in inputs},
        "parts": parts,
        "inputs": [
            *(
                {"file": file.name, "sha256": hash_file(file), "source": source}
                for source, file in _list_inputs(partnership)
            ),
        ],
        "licences": list(partnership.licences),
        "notes": [*layers.notes, *notes],
    }
    (draft.folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False), "utf-8")


def _list_inputs(partnership: Partnership) -> Iterator[tuple[str, Path]]:
    """Every file that was read, with the words it is cited by. A folder or pattern stands for its files."""
    named = [
        *((layer.name, layer.file) for layer in partnership.layers if layer.file is not None),
        *((item.source, item.file) for item in (*partnership.denominators, *partnership.deprivation)),
        *((item.source, item.file) for item in partnership.incidents),
        *(("ONS lookup", file) for file in asdict(partnership.lookups).values() if file is not None),
    ]
    for words, path in named:
        files = path.rglob("*") if path.is_dir() else [path] if path.exists() else path.parent.glob(path.name)
        yield from ((words, file) for file in sorted(files) if file.is_file())


def _summarise(store: Store, *, changed: bool, read: int, kept: int) -> BuildSummary:
    months = store.read_table("months")
    return BuildSummary(
        store=store,
        changed=changed,
        months_read=read,
        months_kept=kept,
        rows=int(months["rows"].sum()),
        repeated=int(months["repeated"].sum()),
        unlocated=int(months["unlocated"].sum()),
        inside=int(months["inside"].sum()),
        notes=tuple(store.manifest["notes"]),
    )
