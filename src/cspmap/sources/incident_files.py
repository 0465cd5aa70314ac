"""Finding the files of a source: on their own, in a folder tree, in zip files, or by a pattern of names."""

import hashlib
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cspmap.errors import Problem, SourceError

_ENCRYPTED = 0x1
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError)
_REPACK = "unpack the zip file into a folder and name that, or pack it again as an ordinary zip file"
_AGAIN = "download or copy it again"


@dataclass(frozen=True)
class IncidentFile:
    """A file that was found. `name` is for people, `base` the file's own name; both functions may raise SourceError.

    `find_fingerprint` is cheap in a zip file, whose directory has a checksum of everything in it.
    """

    name: str
    base: str
    find_fingerprint: Callable[[], str]
    read: Callable[[], bytes]


def find_files(place: Path, wanted: Callable[[str], bool]) -> list[IncidentFile]:
    """The files at `place` whose own name is `wanted`, in order of their paths.

    `place` is a file, a zip file, a folder of both at any depth, or a pattern whose last part has wildcards. Raises
    SourceError with a sentence for each zip file that cannot be read, or where there is nothing at all.
    """
    roots = [place] if place.exists() else sorted(place.parent.glob(place.name))
    if not roots:
        raise SourceError(
            [
                Problem(
                    place.name,
                    f"there is no such file in {place.parent}",
                    "correct file there, or name another folder with --data",
                )
            ]
        )
    found: list[IncidentFile] = []
    problems: list[Problem] = []
    archives = _Archives()
    for path, name in _list_paths(roots):
        try:
            if path.suffix.lower() == ".zip":
                found += _list_members(archives, path, name, wanted)
            elif wanted(path.name):
                found.append(_describe_plain(path, name))
        except SourceError as error:
            problems += error.problems
    if problems:
        raise SourceError(problems)
    return found


def _list_paths(roots: list[Path]) -> Iterator[tuple[Path, str]]:
    for root in roots:
        if root.is_dir():
            inside = sorted(path for path in root.rglob("*") if path.is_file())
            yield from ((path, path.relative_to(root.parent).as_posix()) for path in inside)
        else:
            yield root, root.name


def _describe_plain(path: Path, name: str) -> IncidentFile:
    def read() -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            _fail(name, f"it cannot be opened ({error.strerror})", "check its name and who may read it", error)

    return IncidentFile(name, path.name, lambda: hashlib.sha256(read()).hexdigest(), read)


class _Archives:
    """Zip files, of which the one that was asked for last stays open: a bulk archive's directory is long to read."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._archive: zipfile.ZipFile | None = None

    def open(self, path: Path, name: str) -> zipfile.ZipFile:
        """The zip file at `path`; raises SourceError, which calls it `name`, where it is none."""
        if self._archive is None or self._path != path:
            if self._archive is not None:
                self._archive.close()
            self._path, self._archive = path, _open_archive(path, name)
        return self._archive


def _list_members(archives: _Archives, path: Path, name: str, wanted: Callable[[str], bool]) -> list[IncidentFile]:
    members = []
    for info in archives.open(path, name).infolist():
        base = re.split(r"[\\/]", info.filename)[-1]
        if wanted(base):
            if info.flag_bits & _ENCRYPTED:
                _fail(name, "it is protected by a password", "unpack it, or give one without")
            members.append(_describe_member(archives, path, name, info, base))
    return members


def _open_archive(path: Path, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        with path.open("rb") as stream:
            begins_well = stream.read(4) == b"PK\x03\x04"
        what = "it is a zip file whose end is missing" if begins_well else "it is not a zip file"
        _fail(name, what, _AGAIN, error)
    except OSError as error:
        _fail(name, f"it cannot be opened ({error.strerror})", "check its name and who may read it", error)


def _describe_member(archives: _Archives, path: Path, name: str, info: zipfile.ZipInfo, base: str) -> IncidentFile:
    full = f"{name}: {info.filename}"

    def read() -> bytes:
        try:
            return archives.open(path, name).read(info)
        except NotImplementedError as error:
            _fail(full, f"it is packed in a way that is not read here (method {info.compress_type})", _REPACK, error)
        except _DAMAGED as error:
            _fail(full, f"it is damaged in the zip file ({error})", _AGAIN, error)

    return IncidentFile(full, base, lambda: f"{info.CRC:08x}-{info.file_size}", read)


def _fail(name: str, what: str, fix: str, cause: Exception | None = None) -> NoReturn:
    raise SourceError([Problem(name, what, fix)]) from cause
