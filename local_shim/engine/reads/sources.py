"""What analysis and execution share: Delta tables by folder, and folders of source files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from local_shim.autoloader.options.parse import CloudFilesOptions, parse_options
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.reading.path_map import PathMap
from local_shim.storage import Storage


@dataclass(frozen=True)
class StreamSource:
    """What a stream reads: a Delta table, or with `files` the source folder of an Auto Loader.

    `options` are those of `files` as the user gave them.
    """

    path: str
    files: CloudFilesOptions | None = None
    options: Mapping[str, str] | None = None


def cloud_files_options(options: Mapping[str, str], paths: PathMap) -> CloudFilesOptions:
    """The checked options of an Auto Loader stream, its paths mapped to this machine."""
    checked = parse_options(options)
    if target := checked.move_destination:
        checked = replace(checked, move_destination=paths.local(target))
    if target := checked.bad_records_path:
        checked = replace(checked, bad_records_path=paths.local(target))
    return checked


def delta_frame(
    spark: SparkSession, path: str, streaming: bool, options: Mapping[str, str]
) -> DataFrame:
    """A Delta table by its folder, in batch or as a stream."""
    if streaming:
        return spark.readStream.format("delta").options(**options).load(path)
    return spark.read.format("delta").options(**options).load(path)


def is_missing_but_known(path: str, options: Mapping[str, str], schema: StructType | None) -> bool:
    """Whether a missing source folder can be read as an empty one, because its columns are known.

    [choice] DMS makes no folder for an empty table. If the parent folder exists and a schema or
    schemaHints name the columns, the missing folder is made and read as empty; on Databricks the
    path must exist.
    """
    hinted = any(key.lower() == "cloudfiles.schemahints" for key in options)
    folder = Path(path)
    missing = not is_pattern(path) and not folder.exists() and folder.parent.is_dir()
    return (schema is not None or hinted) and missing


def is_pattern(path: str) -> bool:
    """Whether a path names folders by a glob."""
    return any(letter in path for letter in "*?[{")


def schema_store(storage: Storage, flow: str, path: str) -> SchemaStore:
    """The schemas that a flow met in the files below `path`; a flow may read several paths."""
    return SchemaStore(storage.schemas(flow) / hashlib.sha256(path.encode()).hexdigest()[:12])
