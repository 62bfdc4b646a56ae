"""How a row becomes a line of CSV: delimiters, escapes, what is quoted.

Delimiters are taken as people write them in JSON and Terraform: the character itself, or a
backslash and a letter. Characters that a reader would take for the end of a field or a row are
quoted in values, and so is each character of a longer row delimiter, since the last value of a
row stands right before it [choice].
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from local_shim.dms.settings.document import Document
from local_shim.errors import UsageError

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "b": "\b", "0": "\0", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_ALWAYS_QUOTED = '"\n\r'


@dataclass(frozen=True)
class CsvDialect:
    """How a row becomes a line."""

    delimiter: bytes
    row_end: bytes
    null: bytes
    quoting: bool
    header: bool

    @property
    def specials(self) -> tuple[bytes, ...]:
        """The characters for which a field is quoted."""
        characters = self.delimiter.decode() + _ALWAYS_QUOTED + self.row_end.decode()
        return tuple(character.encode() for character in dict.fromkeys(characters))


def read_csv_dialect(document: Document) -> CsvDialect:
    """The CSV settings of an S3 endpoint.

    Raises:
        UsageError: A delimiter is no character, an escape is unknown, or both are the same.
    """
    delimiter = _unescaped(document, "CsvDelimiter", ",")
    row_end = _unescaped(document, "CsvRowDelimiter", "\n")
    quoting = document.flag("Rfc4180", True)
    if len(delimiter) != 1 or (delimiter == '"' and quoting):
        raise document.wrong("CsvDelimiter", delimiter, "one character, and not the quote")
    if not row_end or '"' in row_end:
        raise document.wrong("CsvRowDelimiter", row_end, "characters other than the quote")
    if delimiter in row_end:
        raise UsageError(
            "DMS_SETTINGS_CONTRADICT",
            f"CsvDelimiter {delimiter!r} is a part of CsvRowDelimiter {row_end!r}.",
            where=document.where,
            hint="give fields and rows different delimiters",
        )
    return CsvDialect(
        delimiter=delimiter.encode(),
        row_end=row_end.encode(),
        null=document.text("CsvNullValue", "NULL").encode(),
        quoting=quoting,
        header=document.flag("AddColumnName"),
    )


def _unescaped(document: Document, name: str, default: str) -> str:
    r"""The characters that a setting means: `\n`, `\r\n`, `\t`, `\u0001`, `\x01`."""
    text = document.text(name, default)
    if text == "\\":
        return text  # a lone backslash is the character

    def character(escape: re.Match[str]) -> str:
        if code := escape[1] or escape[2]:
            return chr(int(code, 16))
        if escape[3] not in _ESCAPES:
            allowed = "the character itself, or one of " + " ".join(f"\\{c}" for c in _ESCAPES)
            raise document.wrong(name, text, allowed + " \\xFF \\uFFFF")
        return _ESCAPES[escape[3]]

    return _ESCAPE.sub(character, text)
