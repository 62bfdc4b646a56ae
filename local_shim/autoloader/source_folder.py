"""The place an Auto Loader stream reads from, with what is known of its files when it starts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pyspark.sql import DataFrame, DataFrameReader, SparkSession
from pyspark.sql.streaming.readwriter import DataStreamReader
from pyspark.sql.types import StructField

from local_shim.autoloader.files.batch_limits import limits
from local_shim.autoloader.files.file_filter import FileFilter, file_filter
from local_shim.autoloader.files.globs import fixed_folder, lenient_pattern, matching_paths
from local_shim.autoloader.files.listing import (
    SourceFile,
    is_listed,
    lie_in_folders,
    matches_leniently,
    refuse_patterns,
    source_files,
)
from local_shim.autoloader.files.read_log import forget_overwritten, unread
from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.autoloader.partitions import partition_fields
from local_shim.autoloader.rescue import FILE_PATH, FILE_VERSION
from local_shim.autoloader.schema import unknown_file_error_sql
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.errors import DefinitionError
from local_shim.sql_text import among, literal, quote

LINE_ENDS = r"\r\n|\r|\n"
_PLAIN_PATH = f"url_decode(replace(substring({FILE_PATH}, 6), '+', '%2B'))"
# The columns that Spark gives for a file of any format.
BINARY_FILE = "path STRING, modificationTime TIMESTAMP, length BIGINT, content BINARY"
_BYTE_ORDER_MARK = r"'\ufeff'"


@dataclass(frozen=True)
class SourceFolder:
    """All files at a path, and those of them that the stream has still to read, oldest first.

    `runs` is False for a plan that is analysed and printed only.
    """

    session: SparkSession
    path: str
    options: CloudFilesOptions
    files: tuple[SourceFile, ...]
    new: tuple[SourceFile, ...]
    selected: FileFilter
    runs: bool
    streaming: bool = True

    @property
    def partitions(self) -> list[StructField]:
        """Columns that come from the folders' names."""
        return partition_fields(self.files, self.path, self.options)

    @cached_property
    def _lenient(self) -> bool:
        return matches_leniently(self.path, self.options)

    @cached_property
    def _in_folders(self) -> bool:
        return self._lenient or lie_in_folders(self.files, self.path)

    def load(
        self, kind: str, schema: str, settings: Mapping[str, str], *, watched: bool = False
    ) -> DataFrame:
        """Spark's own stream of the files in the format `kind`, without those left out.

        A `watched` stream fails, asking for a restart, at a file that planning has not seen. In
        batch, Spark reads the files that planning has seen.
        """
        reader = self._reader(kind, schema)
        for key, value in {**self._settings(), **settings}.items():
            reader = reader.option(key, value)
        if isinstance(reader, DataFrameReader):
            return reader.load([file.path for file in self.new] or self.path)
        frame = reader.load(fixed_folder(self.path) if self._lenient else self.path)
        if self._lenient:
            frame = frame.where(f"rlike({_PLAIN_PATH}, {literal(lenient_pattern(self.path))})")
        condition = self.selected.condition(self.among)
        frame = frame.where(condition) if condition else frame
        if not watched:
            return frame
        is_new = self.among(FILE_VERSION, [file.version for file in self.new])
        return frame.where(
            f"CASE WHEN {is_new} THEN true ELSE {unknown_file_error_sql('BOOLEAN')} END"
        )

    def among(self, expression: str, files: Iterable[str]) -> str:
        """SQL text: whether the expression is one of the files.

        A plan that does not run names no file: Spark prints a list in the square of its length.
        """
        return among(expression, files if self.runs else ())

    def _reader(self, kind: str, schema: str) -> DataFrameReader | DataStreamReader:
        if self.streaming:
            return self.session.readStream.format(kind).schema(schema)
        # Without recursive lookup, Spark would look for partition columns in the paths.
        reader = self.session.read.format(kind).schema(schema)
        return reader.option("recursiveFileLookup", "true")

    def load_texts(self, encoding: str = "UTF-8", *, watched: bool) -> DataFrame:
        """Each file's text as the one row `value`, without a byte order mark."""
        if encoding.upper().replace("-", "") == "UTF8":
            frame = self.load("text", "value STRING", {"wholetext": "true"}, watched=watched)
            return frame.selectExpr(f"trim(LEADING {_BYTE_ORDER_MARK} FROM value) AS value")
        self._refuse_compressed(encoding)
        files = self.load("binaryFile", BINARY_FILE, {}, watched=watched)
        return files.selectExpr(f"decode(content, {literal(encoding.upper())}) AS value")

    def _refuse_compressed(self, encoding: str) -> None:
        if any(file.path.endswith((".gz", ".bz2")) for file in self.new):
            raise DefinitionError(
                "CF_UNSUPPORTED_OPTION",
                f"compressed {self.options.format} files are read as UTF-8 only here, not as "
                f"{encoding}.",
            )

    def load_paths(self, column: str) -> DataFrame:
        """The paths of the files as a watched stream, one row each; no file is opened."""
        files = self.load("binaryFile", BINARY_FILE, {}, watched=True)
        return files.selectExpr(f"{FILE_PATH} AS {quote(column)}")

    def load_files(self, files: Iterable[SourceFile], schema: str) -> DataFrame:
        """The rows of some files, in batch."""
        reader = self.session.read.format(self.options.format).schema(schema)
        for key, value in {**self._tolerance(), **dict(self.options.reader)}.items():
            reader = reader.option(key, value)
        # Without this, Spark would look for partition columns in the paths.
        return reader.option("recursiveFileLookup", "true").load([file.path for file in files])

    def _tolerance(self) -> dict[str, str]:
        return {
            "ignoreCorruptFiles": str(self.options.ignore_corrupt_files).lower(),
            "ignoreMissingFiles": str(self.options.ignore_missing_files).lower(),
        }

    def _settings(self) -> dict[str, str]:
        options = self.options
        settings = limits([file.size for file in self.new], options)
        # Spark forgets, and then ignores, files a week older than the newest; Auto Loader no.
        settings["maxFileAge"] = "36500d"
        if self._in_folders or options.recursive:
            settings["recursiveFileLookup"] = "true"
        if options.path_glob_filter:
            settings["pathGlobFilter"] = options.path_glob_filter
        return settings | self._tolerance()


def source_folder(
    session: SparkSession,
    path: str,
    options: CloudFilesOptions,
    store: SchemaStore,
    checkpoint: Path | None,
    *,
    remember: bool,
) -> SourceFolder:
    """Looks at the path; raises UsageError if it is not there or cannot be read."""
    _refuse_targets_inside(path, options)
    files = source_files(path, options)
    selected = file_filter(files, options, store, remember=remember)
    overwrites = options.allow_overwrites
    if overwrites and remember:
        _forget_overwritten(checkpoint, files)
    new = [
        file for file in unread(checkpoint, files, overwrites=overwrites) if selected.takes(file)
    ]
    refuse_patterns(new)
    return SourceFolder(session, path, options, tuple(files), tuple(new), selected, remember)


def _refuse_targets_inside(path: str, options: CloudFilesOptions) -> None:
    """Refuses folders for moved files and bad records in which the stream would find them."""
    targets = {
        "cloudFiles.cleanSource.moveDestination": options.move_destination,
        "badRecordsPath": options.bad_records_path,
    }
    for option, target in targets.items():
        if target and any(is_listed(target, root) for root in matching_paths(path)):
            raise DefinitionError(
                "CF_TARGET_IN_SOURCE_FOLDER",
                f"{option} is '{target}', which is inside of the source folder '{path}': its files "
                "would be read again.",
                hint="take a folder beside the source folder",
            )


def _forget_overwritten(checkpoint: Path | None, files: list[SourceFile]) -> None:
    if checkpoint is None:
        raise DefinitionError(
            "CF_UNSUPPORTED_OPTION",
            "cloudFiles.allowOverwrites needs the stream's checkpoint, and this stream has none.",
        )
    forget_overwritten(checkpoint, files)


def lines_sql(separator: str) -> str:
    """SQL text: the lines of the text `value`, as an array."""
    return f"split(value, {literal(re.escape(separator) or LINE_ENDS)})"
