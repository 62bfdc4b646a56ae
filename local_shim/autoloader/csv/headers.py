"""The first record of a CSV file, read by plain Python while an update is planned."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, islice

from local_shim.autoloader.files.listing import SourceFile
from local_shim.autoloader.files.text import open_text
from local_shim.autoloader.options.parse import CloudFilesOptions

# Fields may have any length; Python's own limit would refuse what Spark reads.
csv.field_size_limit(2**31 - 1)

_ONE_SIGN = "\x1f"
_ESCAPES = {"t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}
_LOOKED_AT = 100  # records of a file without a header line; one of them may be too short


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written; defaults are Spark's."""

    separator: str = ","
    quote: str = '"'
    escape: str = "\\"
    encoding: str = "UTF-8"
    comment: str = ""
    null_value: str = ""
    header: bool = False
    multi_line: bool = False
    skip_rows: int = 0
    skip_leading_space: bool = False
    skip_trailing_space: bool = False
    line_separator: str = ""


@dataclass(frozen=True)
class Header:
    """Column names of a file, made unique as Spark does (empty → `_c3`, twice → `a0`, `a2`).

    `plain`: the names are written in the file exactly so.
    """

    names: tuple[str, ...]
    plain: bool = True


def dialect_of(options: CloudFilesOptions) -> Dialect:
    """The dialect that the reader options describe."""
    return Dialect(
        separator=_unescaped(options.get("sep") or options.get("delimiter") or ","),
        quote=options.get("quote", '"'),
        escape=options.get("escape", "\\"),
        encoding=options.get("encoding") or options.get("charset") or "UTF-8",
        comment=options.get("comment"),
        null_value=options.get("nullvalue"),
        header=options.flag("header"),
        multi_line=options.flag("multiline"),
        skip_rows=options.skip_rows,
        skip_leading_space=options.flag("ignoreleadingwhitespace"),
        skip_trailing_space=options.flag("ignoretrailingwhitespace"),
        line_separator=options.get("linesep"),
    )


def _unescaped(separator: str) -> str:
    r"""The separator with escapes such as `\t` as the signs that Spark takes them for."""
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match.group(1), match.group(1)), separator)


@lru_cache(maxsize=200_000)
def header_of(file: SourceFile, dialect: Dialect) -> Header | None:
    """The names of the file's columns, None if the file holds no record.

    Without a header line they are `_c0`, `_c1`, … as many as the first records have fields.
    """
    if not dialect.header:
        width = max(
            (len(record) for record in islice(records(file, dialect), _LOOKED_AT)), default=0
        )
        return Header(tuple(f"_c{i}" for i in range(width))) if width else None
    first = next(records(file, dialect), None)
    if first is None:
        return None
    names = tuple(safe_names(first, dialect.null_value))
    return Header(names, plain=names == tuple(first))


@lru_cache(maxsize=200_000)
def ends_with_line_feed(file: SourceFile, dialect: Dialect) -> bool:
    """Whether lines end with a line feed alone, judged by the first line."""
    with open_text(file.path, dialect.encoding) as stream:
        return not next(stream, "").endswith("\r\n")


def safe_names(fields: Sequence[str], null_value: str) -> Iterator[str]:
    """Unique, non-empty column names from the fields of a header line."""
    count = Counter(field.lower() for field in fields)
    for i, field in enumerate(fields):
        if not field or field == null_value:
            yield f"_c{i}"
        else:
            yield f"{field}{i}" if count[field.lower()] > 1 else field


def sample_rows(file: SourceFile, dialect: Dialect, limit: int) -> list[list[str]]:
    """The first `limit` data records of the file, as text."""
    start = 1 if dialect.header else 0
    return list(islice(records(file, dialect), start, start + limit))


def records(file: SourceFile, dialect: Dialect) -> Iterator[list[str]]:
    """All records after the skipped lines; blank and comment lines are none."""
    with open_text(file.path, dialect.encoding) as stream:
        rest = islice(_lines(stream, dialect.line_separator), dialect.skip_rows, None)
        lines = (line for line in rest if line.strip() and not _is_comment(line, dialect))
        for record in _parsed(lines, dialect):
            if record:
                yield (
                    [field.rstrip() for field in record] if dialect.skip_trailing_space else record
                )


def _lines(stream: Iterable[str], separator: str) -> Iterable[str]:
    """The lines with their ends; a separator of the user's becomes a line feed."""
    return (f"{line}\n" for line in "".join(stream).split(separator)) if separator else stream


def _is_comment(line: str, dialect: Dialect) -> bool:
    return bool(dialect.comment) and line.startswith(dialect.comment)


def _parsed(lines: Iterable[str], dialect: Dialect) -> Iterator[list[str]]:
    if len(dialect.separator) != 1:
        # Python's reader takes one sign only, and no text holds this one.
        separator = dialect.separator
        signs = (line.replace(separator, _ONE_SIGN) for line in lines)
        parsed = _parsed(signs, replace(dialect, separator=_ONE_SIGN))
        return ([field.replace(_ONE_SIGN, separator) for field in record] for record in parsed)
    if not dialect.multi_line:  # an open quote ends with its line
        return chain.from_iterable(_reader([line], dialect) for line in lines)
    return _reader(lines, dialect)


def _reader(lines: Iterable[str], dialect: Dialect) -> Iterator[list[str]]:
    doubled = dialect.escape == dialect.quote
    return csv.reader(
        lines,
        delimiter=dialect.separator,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        doublequote=doubled,
        skipinitialspace=dialect.skip_leading_space,
        escapechar=None if doubled else (dialect.escape or None),
    )
