"""Build a store: official files in, a complete version out, or nothing changed at all.

A month whose input and layers are unchanged is taken over from the version before; a new or re-issued month is
made anew.
"""

import errno
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cspmap import __version__
from cspmap.errors import StoreError
from cspmap.layers import LayerSet, read_layers
from cspmap.month_files import MonthWriter
from cspmap.month_inputs import Inputs, MonthInput, choose_months, lack_incidents
from cspmap.partnership import Denominator, DeprivationFile, IncidentSource, Partnership, load_partnership
from cspmap.peer_group import PeerGroup
from cspmap.periods import Month
from cspmap.sources.incidents import IncidentPart
from cspmap.sources.indicator_file import read_indicators
from cspmap.sources.scanning_file import read_scanning_chart
from cspmap.sources.target_file import read_targets
from cspmap.store import FORMAT, Draft, Store, find_version, open_store
from cspmap.summaries import gather_surroundings, write_summaries
from cspmap.views.boundaries import encode_layer

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class SourceSummary:
    """What one source of incidents gave: `source` is the words it is cited by, `months` those it gave, in order."""

    source: str
    months: tuple[Month, ...]
    rows: int
    repeated: int
    unlocated: int
    inside: int


@dataclass(frozen=True)
class BuildSummary:
    """What a build did, for the one who ran it. `dropped` are months of the version before that are not in this."""

    store: Store
    changed: bool
    months_read: int
    months_kept: int
    dropped: tuple[Month, ...]
    sources: tuple[SourceSummary, ...]
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Rows of all months."""
        return sum(source.rows for source in self.sources)

    @property
    def repeated(self) -> int:
        """Rows that a later record of the same identifier supersedes."""
        return sum(source.repeated for source in self.sources)

    @property
    def unlocated(self) -> int:
        """Incidents without a position."""
        return sum(source.unlocated for source in self.sources)

    @property
    def inside(self) -> int:
        """Incidents located inside the partnership."""
        return sum(source.inside for source in self.sources)


@dataclass(frozen=True)
class _File:
    """A file that is read: the words it is cited by, its name and the SHA-256 of its bytes."""

    source: str
    file: str
    sha256: str


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
        inputs = choose_months(partnership, layers, previous)
        files = [_File(words, file.name, hash_file(file)) for words, file in _list_files(partnership)]
        version = _name_version(path, inputs, files)
        if previous is not None and previous.version == version:
            progress("Done", 1.0)
            return _summarise(previous, changed=False, read=0, dropped=())
        draft = Draft.begin(root, version)
        try:
            # What the incidents are set beside is worked out while they are read.
            with ThreadPoolExecutor(2) as beside:
                gathering = beside.submit(gather_surroundings, partnership, layers)
                drawing = beside.submit(_encode_layers, layers)
                written = _write_months(draft, layers, inputs.months, previous, progress)
            surroundings = gathering.result()
            progress("Counting", 0.85)
            shutil.copyfile(path, draft.folder / "partnership.toml")
            _copy_tables(partnership.targets, draft.folder / "targets", read_targets)
            _copy_tables(partnership.indicators, draft.folder / "indicators", read_indicators)
            _copy_tables(partnership.priorities.charts, draft.folder / "scanning_charts", read_scanning_chart)
            sources = {item.month: item.source for item in written.inputs}
            write_summaries(draft.folder, partnership, layers, sources, surroundings)
            for key, content in drawing.result().items():
                (draft.web / f"{key}.json").write_bytes(content)
            progress("Writing the manifest", 0.97)
            _write_manifest(draft, partnership, layers, inputs, files, written, surroundings.notes)
            draft.publish()
        except BaseException:
            draft.discard()
            raise
        progress("Done", 1.0)
        return _summarise(open_store(root), changed=True, read=written.read, dropped=inputs.dropped)


def _encode_layers(layers: LayerSet) -> dict[str, bytes]:
    """What the browser draws each layer from."""
    return {key: encode_layer(frame) for key, frame in layers.frames.items()}


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """Hold the store's lock, and turn the operating system's refusals into sentences.

    What fails before there is a store leaves no folder that was not there.
    """
    from filelock import FileLock, Timeout

    made = [folder for folder in (root, *root.parents) if not folder.exists()]
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = root / "lock"
        with FileLock(lock, timeout=0):
            try:
                yield
            finally:
                if find_version(root) is None:
                    # While the lock is held: who has it open by then finds it gone, and makes another.
                    with suppress(OSError):
                        lock.unlink()
                        for folder in made:
                            folder.rmdir()
    except Timeout as error:
        raise StoreError(f"Another build is writing to {root}; wait for it to end.") from error
    except (OSError, duckdb.IOException) as error:
        raise StoreError(_explain_refusal(error, root)) from error


def _explain_refusal(error: Exception, root: Path) -> str:
    number, named = (error.errno, error.filename) if isinstance(error, OSError) else (None, None)
    if number in {errno.ENOSPC, errno.EDQUOT} or "No space left" in str(error):
        return f"The disk of {root} is full; free some space and build again."
    said = (isinstance(error, OSError) and error.strerror) or str(error).partition("\n")[0]
    file, own = Path(str(named or root)).absolute(), root.absolute()
    if file.is_relative_to(own) or own.is_relative_to(file):
        return f"{file} cannot be written ({said}); name another folder with --store."
    return f"{file} cannot be read ({said}); put that right and build again."


def _open_previous(root: Path) -> Store | None:
    """The version in use; None where there is none, or none that anything can be taken over from."""
    if find_version(root) is None:
        return None
    try:
        return open_store(root)
    except StoreError:
        return None


def _name_version(path: Path, inputs: Inputs, files: Sequence[_File]) -> str:
    """The same inputs give the same name, so that building twice changes nothing."""
    digest = hashlib.sha256(path.read_bytes())
    for item in (*(month.key for month in inputs.months), *inputs.held, *files):
        digest.update(f"{item}\n".encode())
    return f"{inputs.months[-1].month}-{digest.hexdigest()[:12]}"


def hash_file(path: Path) -> str:
    """SHA-256 of a file, as the manifest states it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _copy_tables(files: Sequence[Path], folder: Path, read: Callable[[Path], object]) -> None:
    """The partnership's own tables as they are given, once `read` has taken them; their names keep their order."""
    folder.mkdir()
    for number, file in enumerate(files):
        read(file)
        shutil.copyfile(file, folder / f"{number:03}-{file.name}")


def _list_files(partnership: Partnership) -> Iterator[tuple[str, Path]]:
    """Every file that is read, with the words it is cited by. A folder or pattern stands for its files."""
    lookups = (getattr(partnership.lookups, field.name) for field in fields(partnership.lookups))
    peers = () if partnership.recorded_crime is None else (partnership.recorded_crime,)
    cited: tuple[Denominator | DeprivationFile | PeerGroup | IncidentSource, ...]
    cited = (*partnership.denominators, *partnership.deprivation, *peers, *partnership.incidents)
    named: list[tuple[str, Path]] = [
        *((layer.name, layer.file) for layer in partnership.layers if layer.file is not None),
        *((item.source, item.file) for item in cited),
        *(("Targets", file) for file in partnership.targets),
        *(("Indicators", file) for file in partnership.indicators),
        *(("Scanning chart", file) for file in partnership.priorities.charts),
        *(("ONS lookup", file) for file in lookups if file is not None),
    ]
    for words, path in named:
        found = path.rglob("*") if path.is_dir() else [path] if path.exists() else path.parent.glob(path.name)
        yield from ((words, file) for file in sorted(found) if file.is_file())


@dataclass(frozen=True)
class _Written:
    """The months that came out, how many of them were read now, and what was noted about each part, by its key."""

    inputs: tuple[MonthInput, ...]
    read: int
    notes: dict[str, list[str]]


def _write_months(
    draft: Draft, layers: LayerSet, inputs: Sequence[MonthInput], previous: Store | None, progress: Progress
) -> _Written:
    """One incident file a month, latest first, so that of a repeated identifier the latest record is kept."""
    kept: dict[str, str] = previous.manifest["month_keys"] if previous else {}
    notes: dict[str, list[str]] = dict(previous.manifest["part_notes"]) if previous else {}
    out: list[MonthInput] = []
    read = 0
    changed = [item.part for item in reversed(inputs) if kept.get(str(item.month)) != item.key]
    whole: pa.Table | None = None
    # One thread: a month is hashed sooner than others are woken to help.
    with duckdb.connect(config={"threads": 1}) as engine, ThreadPoolExecutor(1) as reader:
        writer, tables = MonthWriter(layers, engine), _read_ahead(changed, reader)
        for done, item in enumerate(reversed(inputs)):
            progress(f"Reading {item.month.words}", 0.05 + 0.8 * done / len(inputs))
            target = draft.folder / "incidents" / f"{item.month}.parquet"
            if previous is not None and kept.get(str(item.month)) == item.key:
                writer.take_over(previous.folder / "incidents" / target.name, target)
                out.append(item)
                continue
            table = next(tables)
            if table is not whole:
                whole = table
                notes[item.part_key] = json.loads((table.schema.metadata or {}).get(b"notes", b"[]"))
            table = table.replace_schema_metadata(None)
            table = table.filter(pc.equal(table["month"], str(item.month)))
            if not len(table):
                notes[item.part_key].append(f"{item.part.name} has no rows: {item.month.words} is missing, not zero.")
                continue
            writer.write(table, item.month, target)
            out.append(item)
            read += 1
    if not out:
        raise lack_incidents()
    return _Written(tuple(reversed(out)), read, notes)


def _read_ahead(parts: Sequence[IncidentPart], reader: Executor) -> Iterator[pa.Table]:
    """The incidents of each part, the next one's read while they are written; one named twice running is read once."""
    ahead = reader.submit(parts[0].read)
    for part, following in zip_longest(parts, parts[1:]):
        table = ahead.result()
        if following is not None and following is not part:
            ahead = reader.submit(following.read)
        yield table


def _write_manifest(
    draft: Draft,
    partnership: Partnership,
    layers: LayerSet,
    inputs: Inputs,
    files: Sequence[_File],
    written: _Written,
    notes: Sequence[str],
) -> None:
    said = {item.part_key: written.notes.get(item.part_key, []) for item in inputs.months}
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "cspmap": __version__,
        "version": draft.version,
        "built": datetime.now(UTC).isoformat(timespec="seconds"),
        "months": [str(item.month) for item in written.inputs],
        "month_keys": {str(item.month): item.key for item in written.inputs},
        "held": inputs.held,
        "part_notes": said,
        "inputs": [{"file": item.file, "sha256": item.sha256, "source": item.source} for item in files],
        "licences": list(partnership.licences),
        "notes": list(dict.fromkeys((*layers.notes, *inputs.notes, *chain(*said.values()), *notes))),
    }
    (draft.folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False), "utf-8")


def _summarise(store: Store, *, changed: bool, read: int, dropped: tuple[Month, ...]) -> BuildSummary:
    months = store.read_table("months")
    names = dict.fromkeys(item.source for item in store.partnership.incidents)
    return BuildSummary(
        store=store,
        changed=changed,
        months_read=read,
        months_kept=len(months) - read,
        dropped=dropped,
        sources=tuple(_summarise_source(name, months[months["source"] == name]) for name in names),
        notes=tuple(store.manifest["notes"]),
    )


def _summarise_source(source: str, months: pd.DataFrame) -> SourceSummary:
    return SourceSummary(
        source=source,
        months=tuple(Month.parse(text) for text in months["month"]),
        rows=int(months["rows"].sum()),
        repeated=int(months["repeated"].sum()),
        unlocated=int(months["unlocated"].sum()),
        inside=int(months["inside"].sum()),
    )
