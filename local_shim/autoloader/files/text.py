"""Opens a source file as text while an update is planned."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
from typing import IO

from local_shim.errors import DefinitionError, UsageError

_NOT_READABLE = (".deflate", ".lz4", ".snappy", ".zst", ".zstd", ".xz")


def open_text(path: str, encoding: str) -> IO[str]:
    """The file as text, decompressed by its suffix, without a byte order mark.

    A file that was deleted since it was listed is empty. Raises DefinitionError for an encoding
    that Python does not know.
    """
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise DefinitionError(
            "CF_UNSUPPORTED_OPTION", f"files cannot be read with the encoding '{encoding}'."
        ) from None
    try:
        return _open(path, encoding)
    except FileNotFoundError:
        return io.StringIO()


def _open(path: str, encoding: str) -> IO[str]:
    if path.endswith(_NOT_READABLE):
        raise UsageError(
            "CF_UNSUPPORTED_COMPRESSION",
            f"Auto Loader cannot look into '{path}' while planning.",
            hint="compressed files may be .gz or .bz2",
        )
    codec = "utf-8-sig" if encoding.lower().replace("-", "") == "utf8" else encoding
    if path.endswith(".gz"):
        return io.TextIOWrapper(gzip.open(path), codec, errors="replace", newline="")
    if path.endswith(".bz2"):
        return io.TextIOWrapper(bz2.open(path), codec, errors="replace", newline="")
    return open(path, encoding=codec, errors="replace", newline="")
