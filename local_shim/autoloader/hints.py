"""`cloudFiles.schemaHints`: types for columns, and for fields at any depth inside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyspark.errors import ParseException
from pyspark.sql.types import DataType, StructType

from local_shim.autoloader.nested_types import with_type_at
from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.errors import DefinitionError
from local_shim.sql_text import quote

_PART = r"`(?:[^`]|``)+`|[^\s.:`,<>()]+"
_HINT = re.compile(rf"\s*((?:{_PART})(?:\.(?:{_PART}))*)(?:\s*:\s*|\s+)(\S.*)", re.DOTALL)
_TOKEN = re.compile(r"`[^`]*`|'[^']*'|[<(]|[>)]|,")


@dataclass(frozen=True)
class Hint:
    """The type of the field at a path, such as `("items", "element", "qty")`."""

    path: tuple[str, ...]
    kind: DataType


def hints_of(options: CloudFilesOptions) -> tuple[Hint, ...]:
    """The hints in the order they are written; raises DefinitionError if they cannot be parsed."""
    text = options.schema_hints
    try:
        return tuple(_hint(piece) for piece in _pieces(text)) if text else ()
    except (ParseException, ValueError):
        raise DefinitionError(
            "CF_INVALID_SCHEMA_HINTS",
            f"cloudFiles.schemaHints is not a list of columns: '{text}'.",
            hint="write it as in CREATE TABLE: 'amount DECIMAL(18,2), user.born DATE'",
        ) from None


def hinted(schema: StructType, hints: Iterable[Hint]) -> StructType:
    """`schema` with the hinted types; a hint may name a field that no file has yet."""
    for hint in hints:
        kind = with_type_at(schema, hint.path, hint.kind)
        assert isinstance(kind, StructType)  # a path has at least one part
        schema = kind
    return schema


def _hint(text: str) -> Hint:
    match = _HINT.fullmatch(text)
    if not match:
        raise ValueError(text)
    path = tuple(
        part[1:-1].replace("``", "`") if part.startswith("`") else part
        for part in re.findall(_PART, match.group(1))
    )
    column = StructType.fromDDL(f"{quote(path[-1])} {match.group(2)}")
    assert isinstance(column, StructType)
    return Hint(path, column.fields[0].dataType)


def _pieces(text: str) -> Iterator[str]:
    """The text cut at commas outside of brackets and quotes."""
    depth, start = 0, 0
    for token in _TOKEN.finditer(text):
        depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(token.group(), 0)
        if token.group() == "," and depth == 0:
            yield text[start : token.start()]
            start = token.end()
    yield text[start:]
