"""Names of datasets: one to three parts, backticks, case-insensitive."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from local_shim.errors import DefinitionError

_PART = re.compile(r"\s*(?:`((?:[^`]|``)+)`|([^.`\s]+))\s*(\.|$)")


def parts(text: str) -> tuple[str, ...]:
    """The parts of a dotted name, unquoted; raises DefinitionError on broken quoting."""
    names: list[str] = []
    position = 0
    while position < len(text) or not names:
        match = _PART.match(text, position)
        if not match or (match.group(3) == "." and match.end() == len(text)):
            raise DefinitionError("INVALID_NAME", f"'{text}' is not a dataset name.")
        quoted, plain, _ = match.groups()
        names.append(quoted.replace("``", "`") if quoted else plain)
        position = match.end()
    return tuple(names)


# Formats of files that a query may read by their path: SELECT … FROM json.`/path`.
_OF_FILES = ("avro", "binaryfile", "csv", "json", "orc", "parquet", "text", "xml")


def names_files(name: Sequence[str]) -> bool:
    """Whether the parts of a name are a format and a path of files."""
    return len(name) == 2 and name[0].lower() in _OF_FILES and "/" in name[1]


@dataclass(frozen=True)
class TableName:
    """A dataset's full name; two spellings of one dataset give equal TableNames."""

    catalog: str
    schema: str
    table: str

    def __post_init__(self) -> None:
        for field in ("catalog", "schema", "table"):
            object.__setattr__(self, field, getattr(self, field).lower())

    def __str__(self) -> str:
        return f"{self.catalog}.{self.schema}.{self.table}"


@dataclass(frozen=True)
class Namespace:
    """The default catalog and schema that short names are read in."""

    catalog: str
    schema: str

    def qualify(self, text: str) -> TableName:
        """The full name of `text`; a leading `LIVE.` is dropped."""
        names = parts(text)
        if len(names) == 2 and names[0].lower() == "live":
            names = names[1:]
        if len(names) > 3:
            raise DefinitionError("INVALID_NAME", f"'{text}' has more than three parts.")
        return TableName(*(self.catalog, self.schema)[: 3 - len(names)], *names)
