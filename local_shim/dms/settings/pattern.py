"""Names in table mappings: `%` any text, `_` one character, `[ab]` one of; case matters."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.findall(r"\[[^\]]*\]|.", pattern, re.DOTALL)
    return re.compile("".join(_translate(part) for part in parts), re.DOTALL)


def _translate(part: str) -> str:
    if part == "%":
        return ".*"
    if part == "_":
        return "."
    if part.startswith("[") and len(part) > 2:
        return "[" + part[1:-1].replace("\\", r"\\").replace("^", r"\^") + "]"
    return re.escape(part)


def matches(pattern: str, name: str) -> bool:
    """Whether the whole name matches."""
    return _compiled(pattern).fullmatch(name) is not None
