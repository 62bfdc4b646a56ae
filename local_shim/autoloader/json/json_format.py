"""How the JSON files of a stream are written, and which types are inferred from them."""

from __future__ import annotations

from dataclasses import dataclass

from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.autoloader.options.reader_names import JSON_SYNTAX


@dataclass(frozen=True)
class JsonFormat:
    """Defaults are Spark's.

    `syntax` are the options for signs that standard JSON lacks, as the user gave them. Without
    `typed` all columns are text.
    """

    typed: bool = False
    multi_line: bool = False
    encoding: str = "UTF-8"
    line_separator: str = ""
    primitives_as_string: bool = False
    prefers_decimal: bool = False
    drop_null_fields: bool = False
    infer_timestamp: bool = False
    timestamp_pattern: str = ""
    syntax: tuple[tuple[str, str], ...] = ()

    @property
    def is_utf8(self) -> bool:
        """Whether Spark's text source reads the files as they are."""
        return self.encoding.upper().replace("-", "") == "UTF8"


def json_format(options: CloudFilesOptions) -> JsonFormat:
    """What the reader options say."""
    syntax = [(name, options.get(name)) for name in JSON_SYNTAX if options.get(name)]
    return JsonFormat(
        typed=options.infer_column_types,
        multi_line=options.flag("multiline"),
        encoding=options.get("encoding") or options.get("charset") or "UTF-8",
        line_separator=options.get("linesep"),
        primitives_as_string=options.flag("primitivesAsString"),
        prefers_decimal=options.flag("prefersDecimal"),
        drop_null_fields=options.flag("dropFieldIfAllNull"),
        infer_timestamp=options.flag("inferTimestamp"),
        timestamp_pattern=options.get("timestampformat"),
        syntax=tuple(syntax),
    )
