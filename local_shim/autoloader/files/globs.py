"""Globs in the path of a source, as Spark reads them and as Databricks' default globber does.

Source: the table of patterns on Databricks' page about filtering files in Auto Loader.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator

_GLOB = re.compile(r"[*?\[{]")
_TOKEN = re.compile(r"\[[^\]]*\]|.", re.DOTALL)


def is_glob(path: str) -> bool:
    """Whether the path or name is a pattern."""
    return bool(_GLOB.search(path))


def matching_paths(path: str) -> list[str]:
    """The files and folders that Spark finds at `path`, absolute; a star ends at a slash."""
    plain = local_path(path)
    if not is_glob(plain):
        names = [plain] if os.path.exists(plain) else []
    else:
        names = sorted({name for text in braces(plain) for name in glob.glob(python_glob(text))})
    return [os.path.abspath(name) for name in names]


def lenient_pattern(path: str) -> str:
    """A regular expression for the files of a glob as Databricks' default globber reads it.

    A star goes over slashes, and the whole is the beginning of a file's path. Python and Java
    read the expression alike.
    """
    plain = os.path.abspath(local_path(path))
    parts, depth = ["^"], 0
    for token in _TOKEN.findall(plain):
        depth += (token == "{") - (token == "}")
        parts.append("|" if token == "," and depth else _regular(token))
    return "".join(parts)


def fixed_folder(path: str) -> str:
    """The folder above the first part of a glob that is a pattern."""
    plain = os.path.abspath(local_path(path))
    return os.path.dirname(plain[: _first_sign(plain)]) or "/"


def local_path(path: str) -> str:
    """The path without the scheme of a URI."""
    return re.sub(r"^file:/*", "/", path)


def braces(pattern: str) -> Iterator[str]:
    """The pattern once for each word in its braces."""
    match = re.search(r"\{([^{}]*)\}", pattern)
    if not match:
        yield pattern
        return
    for word in match.group(1).split(","):
        yield from braces(pattern[: match.start()] + word + pattern[match.end() :])


def python_glob(pattern: str) -> str:
    """The pattern as Python writes it: Hadoop also takes `[^a]` for any sign but a."""
    return pattern.replace("[^", "[!")


def _first_sign(path: str) -> int:
    match = _GLOB.search(path)
    return match.start() if match else len(path)


def _regular(token: str) -> str:
    if token.startswith("[") and len(token) > 1:
        return token.replace("[!", "[^").replace("\\", "\\\\")
    return _SIGNS.get(token) or re.escape(token)


_SIGNS = {"*": ".*", "?": "[^/]", "{": "(?:", "}": ")"}
