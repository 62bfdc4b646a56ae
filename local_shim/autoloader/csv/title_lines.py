"""CSV files that begin with title lines (`skipRows`), which Spark's CSV reader cannot skip.

Each file is read as one text, split into lines without the titles and the header, and the lines
are parsed by Spark's CSV parser. A file must therefore fit into memory.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import DataFrame

from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.autoloader.source_folder import SourceFolder, lines_sql
from local_shim.errors import DefinitionError
from local_shim.sql_text import literal


def frame_below_titles(
    folder: SourceFolder, schema: str, parser_options: Mapping[str, str]
) -> DataFrame:
    """The records below the first `skipRows` lines of each file, and below its header."""
    options = folder.options
    _refuse_unsupported(options)
    has_header = options.flag("header")
    encoding = options.get("encoding") or options.get("charset") or "UTF-8"
    frame = folder.load_texts(encoding, watched=has_header)
    frame = frame.selectExpr(f"explode({_record_lines(options)}) AS __line")
    parsing = {**parser_options, "header": "false"}
    pairs = ", ".join(f"{literal(key)}, {literal(value)}" for key, value in parsing.items())
    frame = frame.selectExpr(f"from_csv(__line, {literal(schema)}, map({pairs})) AS __record")
    return frame.selectExpr("__record.*")


def _record_lines(options: CloudFilesOptions) -> str:
    """SQL text: the lines of records, without titles, blank lines, comments and the header."""
    comment = options.get("comment")
    is_record = "trim(line) != ''"
    if comment:
        is_record += f" AND NOT startswith(line, {literal(comment)})"
    lines = lines_sql(options.get("linesep"))
    below = f"filter({lines}, (line, i) -> i >= {options.skip_rows} AND {is_record})"
    return f"filter({below}, (line, i) -> i >= 1)" if options.flag("header") else below


def _refuse_unsupported(options: CloudFilesOptions) -> None:
    if options.flag("multiline"):
        raise DefinitionError(
            "CF_UNSUPPORTED_OPTION",
            "skipRows cannot go with multiLine in the local runner.",
            hint="leave one of them out",
        )
