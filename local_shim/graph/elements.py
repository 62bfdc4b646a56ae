"""The nouns of a pipeline: datasets, flows and rules, as the user's files declare them.

A dataset is a thing that can be read; a flow is a query that fills one. `@dlt.table` declares
one of each. All are frozen, and each knows the file and line that declared it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pyspark.sql import Column
from pyspark.sql.types import StructType

from local_shim.graph.names import TableName


@dataclass(frozen=True)
class SourceLocation:
    """Where in the user's files something was declared."""

    file: str
    line: int
    language: str = "PYTHON"  # in the words of the event log
    column: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        return place if self.column is None else f"{place}:{self.column}"


class Action(Enum):
    """What happens to a row that breaks an expectation."""

    WARN = "WARN"
    DROP = "DROP"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Expectation:
    """A named rule on rows; a row passes only if the constraint is true (NULL is a violation)."""

    name: str
    constraint: str | Column
    action: Action


class DatasetKind(Enum):
    """What a dataset is; the values are the words of the event log."""

    STREAMING_TABLE = "STREAMING_TABLE"
    MANAGED_TABLE = "MANAGED_TABLE"  # create_table: append flows fill it, AUTO CDC may not
    MATERIALIZED_VIEW = "MATERIALIZED_VIEW"
    TABLE = "TABLE"  # declared by @dlt.table: its query decides which of the two above it is
    VIEW = "TEMPORARY_VIEW"
    SINK = "SINK"

    @property
    def keeps_rows(self) -> bool:
        """Whether flows add to the rows of earlier updates."""
        return self in (DatasetKind.STREAMING_TABLE, DatasetKind.MANAGED_TABLE)


@dataclass(frozen=True)
class Dataset:
    """Something a flow fills and others read."""

    name: TableName
    kind: DatasetKind
    where: SourceLocation
    comment: str | None = None
    schema: StructType | None = None  # what the user declared; else the queries decide
    table_properties: Mapping[str, str] = field(default_factory=dict)
    partition_cols: tuple[str, ...] = ()
    cluster_by: tuple[str, ...] = ()
    private: bool = False
    expectations: tuple[Expectation, ...] = ()
    sink_format: str | None = None
    sink_options: Mapping[str, str] = field(default_factory=dict)
    sink_function: Callable[[Any, int], Any] | None = None  # what foreach_batch_sink decorated


@dataclass(frozen=True)
class ReplaceWhere:
    """In each update, the rows that match a predicate are replaced by those of a batch query."""

    predicate: Column


@dataclass(frozen=True)
class ReplaceUsing:
    """Rows of a stream with the highest sequence of their key replace all rows of the key."""

    keys: tuple[str, ...]
    sequence_by: Column


@dataclass(frozen=True)
class QueryFlow:
    """A function that returns the rows of one dataset: appended if they stream, else replacing.

    `once` flows are batch queries that run in the first update only. `replace` says which rows of
    the target go instead. The flows that `depends_on` names must complete before this one starts.
    """

    name: str
    target: TableName
    function: Callable[[], Any]
    where: SourceLocation
    once: bool = False
    spark_conf: Mapping[str, str] = field(default_factory=dict)
    comment: str | None = None
    default: bool = True  # the dataset's own query, not an added append flow
    replace: ReplaceWhere | ReplaceUsing | None = None
    depends_on: tuple[str, ...] = ()


class ScdType(Enum):
    """How AUTO CDC stores a key: its current row, its history, or its history of beliefs."""

    ONE = "1"
    TWO = "2"
    BITEMPORAL = "BITEMPORAL"


@dataclass(frozen=True)
class AutoCdcFlow:
    """AUTO CDC from a change feed (`create_auto_cdc_flow`, `apply_changes`).

    Column lists hold plain, unqualified names. An empty tuple means that the list was left out.
    Expressions are Columns, also where the user wrote text.
    """

    name: str
    target: TableName
    source: str
    keys: tuple[str, ...]
    sequence_by: Column
    where: SourceLocation
    scd_type: ScdType = ScdType.ONE
    sequence_text: str = ""  # how the user wrote it; changes of it between updates are refused
    system_sequence_by: Column | None = None
    prune_where: Column | None = None
    ignore_null_updates: bool = False
    ignore_null_updates_columns: tuple[str, ...] = ()
    ignore_null_updates_except: tuple[str, ...] = ()
    columns_to_update: str | None = None
    apply_as_deletes: Column | None = None
    apply_as_truncates: Column | None = None
    columns: tuple[str, ...] = ()
    except_columns: tuple[str, ...] = ()
    track_history: tuple[str, ...] = ()
    track_history_except: tuple[str, ...] = ()
    once: bool = False
    spark_conf: Mapping[str, str] = field(
        default_factory=dict
    )  # SET in SQL; Python has no argument


@dataclass(frozen=True)
class SnapshotFlow:
    """AUTO CDC from snapshots: a dataset's name, or a function of the last version.

    The function gets the last processed version (None at first) and returns
    `(DataFrame, version)`, or None when there is no newer snapshot. `version_column` gives the
    name and type of a version query in SQL, which must not change between updates.
    """

    name: str
    target: TableName
    source: str | Callable[[Any], Any]
    keys: tuple[str, ...]
    where: SourceLocation
    scd_type: ScdType = ScdType.ONE
    track_history: tuple[str, ...] = ()
    track_history_except: tuple[str, ...] = ()
    once: bool = False
    version_column: Callable[[], str] | None = None
    spark_conf: Mapping[str, str] = field(
        default_factory=dict
    )  # SET in SQL; Python has no argument


Flow = QueryFlow | AutoCdcFlow | SnapshotFlow
