"""The full name of a source table: `schema.table`, quoted where a dot would be ambiguous."""

from __future__ import annotations

import re

_PART = re.compile(r'"((?:[^"]|"")*)"|([^".]+)')


def full_table_name(schema: str, table: str) -> str:
    """One name for one table: `public.t`, but `"a.b".c` and `a."b.c"`."""
    return f"{_quoted(schema)}.{_quoted(table)}"


def split_table_name(full_name: str) -> tuple[str, str]:
    """Schema and table of a full name."""
    parts = [(quoted or plain).replace('""', '"') for quoted, plain in _PART.findall(full_name)]
    return parts[0], ".".join(parts[1:])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if re.search(r'[."]', name) else name
