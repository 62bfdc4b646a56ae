"""The records of JSON files, read by plain Python while an update is planned."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from local_shim.autoloader.files.listing import SourceFile
from local_shim.autoloader.files.text import open_text
from local_shim.autoloader.json.json_format import JsonFormat
from local_shim.jvm.json_syntax import standard_json

_AT_ONCE = 1000  # texts of other syntax that go to the JVM in one call


def records(file: SourceFile, form: JsonFormat) -> Iterator[Any]:
    """Whatever can be read; broken records are the stream's business.

    Of a line, or of a file with `multiLine`, Spark reads the first value and leaves out the rest.
    """
    decoder = json.JSONDecoder(parse_float=Decimal if form.prefers_decimal else None)
    others: list[str] = []
    for text in _texts(file, form):
        try:
            record, _ = decoder.raw_decode(text.lstrip())
        except ValueError:
            others.append(text)
        else:
            yield from _elements(record)
    for start in range(0, len(others), _AT_ONCE):
        for text in standard_json(others[start : start + _AT_ONCE], form.syntax):
            yield from _elements(decoder.decode(text))


def _texts(file: SourceFile, form: JsonFormat) -> Iterator[str]:
    with open_text(file.path, form.encoding) as stream:
        lines: Iterable[str] = stream
        if form.multi_line:
            lines = [stream.read()]
        elif form.line_separator:
            lines = stream.read().split(form.line_separator)
        yield from (line for line in lines if line.strip())


def _elements(record: Any) -> Iterator[Any]:
    yield from record if isinstance(record, list) else [record]
