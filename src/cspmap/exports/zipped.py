"""Files put together in one zip file."""

import zipfile
from collections.abc import Mapping
from io import BytesIO

# The same contents make the same file, whenever it is made.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def zip_texts(texts: Mapping[str, str]) -> bytes:
    """Texts by their file names as a zip file, each in UTF-8."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(enter(name), text.encode("utf-8"))
    return buffer.getvalue()


def enter(name: str) -> zipfile.ZipInfo:
    """The entry of a file in a zip file."""
    entry = zipfile.ZipInfo(name, LONG_AGO)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
