"""Declarations of flows, with the signatures that Databricks documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyspark.sql import Column

from local_shim.declaring import cdc_arguments
from local_shim.declaring.arguments import arguments_checked, fault, missing_texts, wrong_kinds
from local_shim.declaring.datasets import Query, Texts, own_name, query_of, texts
from local_shim.declaring.replacing import replace_using_required
from local_shim.errors import raise_all
from local_shim.graph.declared_at import declared_here
from local_shim.graph.elements import QueryFlow
from local_shim.graph.registry import active_registry

Columns = Sequence[str | Column]


@arguments_checked
def append_flow(
    query_function: Query | None = None,
    *,
    target: str,
    name: str | None = None,
    once: bool = False,
    depends_on: str | Sequence[str] | None = None,
    comment: str | None = None,
    spark_conf: Texts | None = None,
) -> Any:
    """A query whose rows are added to a streaming table, a managed table or a sink.

    It streams; with `once` it is a batch query that runs in the first update, and again only
    after a full refresh of the target. It starts after the flows that `depends_on` names have
    completed; if one of them fails, it is skipped.
    """
    raise_all(
        [
            *missing_texts("append_flow", target=target),
            *wrong_kinds("append_flow", Mapping, spark_conf=spark_conf),
        ]
    )

    def flow(query: Query) -> QueryFlow:
        namespace = active_registry().namespace
        needs = [depends_on] if isinstance(depends_on, str) else depends_on or ()
        return QueryFlow(
            str(namespace.qualify(name or own_name("append_flow", query))),
            namespace.qualify(target),
            query,
            declared_here(),
            once=once,
            spark_conf=texts(spark_conf),
            comment=comment,
            default=False,
            depends_on=tuple(str(namespace.qualify(need)) for need in needs),
        )

    return _declared_flow("append_flow", query_function, flow)


@arguments_checked
def replace_flow(
    query_function: Query | None = None,
    *,
    target: str,
    replace_using: Columns,
    sequence_by: str | Column,
    name: str | None = None,
    comment: str | None = None,
    spark_conf: Texts | None = None,
) -> Any:
    """A streaming query; the newest rows of each key replace all rows of the key.

    Of the rows with one key in `replace_using`, those with the highest `sequence_by` count. They
    replace the stored rows if their sequence is higher, and are appended if it is equal.
    """
    raise_all(
        [
            *missing_texts("replace_flow", target=target),
            *wrong_kinds("replace_flow", Mapping, spark_conf=spark_conf),
        ]
    )
    using = replace_using_required("replace_flow", replace_using, sequence_by)

    def flow(query: Query) -> QueryFlow:
        namespace = active_registry().namespace
        return QueryFlow(
            str(namespace.qualify(name or own_name("replace_flow", query))),
            namespace.qualify(target),
            query,
            declared_here(),
            spark_conf=texts(spark_conf),
            comment=comment,
            default=False,
            replace=using,
        )

    return _declared_flow("replace_flow", query_function, flow)


def update_flow(*_: Any, **__: Any) -> None:
    """Refused: `update_flow` needs an engine that Databricks alone has."""
    raise fault(
        "update_flow",
        "NOT_SUPPORTED_LOCALLY",
        "it works on Databricks only.",
        "write each batch with foreach_batch_sink",
    )


def _declared_flow(function: str, query_function: Any, flow: Callable[[Query], QueryFlow]) -> Any:
    """The decorated function, or the decorator, of a call that declares `flow`."""

    def declare(decorated: Any) -> Any:
        active_registry().add_flow(flow(query_of(function, decorated)))
        return decorated

    return declare if query_function is None else declare(query_function)


@arguments_checked
def create_auto_cdc_flow(
    target: str,
    source: str,
    keys: Columns,
    sequence_by: str | Column,
    where: str | Column | None = None,
    ignore_null_updates: bool = False,
    apply_as_deletes: str | Column | None = None,
    apply_as_truncates: str | Column | None = None,
    column_list: Columns | None = None,
    except_column_list: Columns | None = None,
    stored_as_scd_type: int | str = 1,
    track_history_column_list: Columns | None = None,
    track_history_except_column_list: Columns | None = None,
    flow_name: str | None = None,
    once: bool = False,
    ignore_null_updates_column_list: Columns | None = None,
    ignore_null_updates_except_column_list: Columns | None = None,
    columns_to_update: str | Column | None = None,
    system_sequence_by: str | Column | None = None,
    name: str | None = None,
) -> None:
    """Keeps `target` equal to the fold of the change events in `source` (AUTO CDC)."""
    registry = active_registry()
    registry.add_flow(
        cdc_arguments.auto_cdc_flow(
            target=target,
            source=source,
            keys=keys,
            sequence_by=sequence_by,
            prune_where=where,
            ignore_null_updates=ignore_null_updates,
            apply_as_deletes=apply_as_deletes,
            apply_as_truncates=apply_as_truncates,
            column_list=column_list,
            except_column_list=except_column_list,
            stored_as_scd_type=stored_as_scd_type,
            track_history_column_list=track_history_column_list,
            track_history_except_column_list=track_history_except_column_list,
            once=once,
            ignore_null_updates_column_list=ignore_null_updates_column_list,
            ignore_null_updates_except_column_list=ignore_null_updates_except_column_list,
            columns_to_update=columns_to_update,
            system_sequence_by=system_sequence_by,
            name=name,
            flow_name=flow_name,
            where=declared_here(),
            namespace=registry.namespace,
        )
    )


@arguments_checked
def create_auto_cdc_from_snapshot_flow(
    target: str,
    source: str | Callable[[Any], Any] | None = None,
    keys: Columns | None = None,
    stored_as_scd_type: int | str = 1,
    snapshot_and_version: Callable[[Any], Any] | None = None,
    track_history_column_list: Columns | None = None,
    track_history_except_column_list: Columns | None = None,
    once: bool = False,
) -> None:
    """Keeps `target` equal to, or the history of, the snapshots in `source`.

    `source` names a dataset, or is a function of the last version that gives the next
    `(DataFrame, version)`, or None when there is no newer one.
    """
    registry = active_registry()
    registry.add_flow(
        cdc_arguments.snapshot_flow(
            target=target,
            source=source,
            keys=keys,
            stored_as_scd_type=stored_as_scd_type,
            snapshot_and_version=snapshot_and_version,
            track_history_column_list=track_history_column_list,
            track_history_except_column_list=track_history_except_column_list,
            once=once,
            where=declared_here(),
            namespace=registry.namespace,
        )
    )
