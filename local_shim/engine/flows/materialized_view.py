"""Materialized views: computed anew, and replaced in one commit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from contextlib import suppress

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame

from local_shim.delta import log, tables
from local_shim.engine.flows.after_commit import after_commit
from local_shim.engine.flows.flow_run import FlowRun
from local_shim.engine.flows.flow_settings import own_settings
from local_shim.engine.reads.flow_reads import FlowReads
from local_shim.engine.update_context import FlowResult, UpdateContext
from local_shim.graph.elements import Dataset, QueryFlow
from local_shim.graph.graph import ResolvedFlow
from local_shim.jvm.spark_plan import delta_folders, is_deterministic


def view_digest(fingerprint: str, context: UpdateContext, flow: ResolvedFlow) -> str:
    """All that a view's rows depend on besides its inputs.

    These are the queries and rules of the view and of the temporary views that it reads, its
    definition and the Spark settings. `fingerprint` stands for all code and configuration; it
    counts only where a plan does not show what runs, such as a Python function.
    """
    graph = context.graph
    queries = graph.queries(flow)
    parts = [
        fingerprint if any(each.follows_code for each in queries) else "",
        *(each.digest for each in queries),
        *(_definition(graph.datasets[each.target]) for each in queries),
        json.dumps(own_settings(context, flow), sort_keys=True),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _definition(dataset: Dataset) -> str:
    """What a dataset declares besides its query; its rules' conditions are in the query's plan."""
    rules = [[each.name, str(each.constraint), each.action.value] for each in dataset.expectations]
    definition = {
        "schema": dataset.schema and dataset.schema.jsonValue(),
        "properties": dict(dataset.table_properties),
        "layout": [dataset.partition_cols, dataset.cluster_by],
        "comment": dataset.comment,
        "rules": rules,
    }
    return json.dumps(definition, sort_keys=True)


def refresh(run: FlowRun, flow: QueryFlow) -> FlowResult:
    """Computes the view anew and replaces its rows in one commit."""
    rules, spark = run.rules(), run.context.spark
    frame, observation = rules.observed(_query(run, flow))
    before = run.context.storage.version(flow.target)
    tables.replace(frame, run.folder, run.dataset)
    with after_commit():
        tables.restore_clustering(spark, run.folder, run.dataset)
        return FlowResult(
            log.written(run.folder, before),
            rules.observed_quality(observation),
            inputs=dict(run.reads.versions),
            repeatable=not run.reads.foreign and is_repeatable(frame, run.reads.versions),
        )


def _query(run: FlowRun, flow: QueryFlow) -> DataFrame:
    """The view's query, over the files of small tables where Spark can plan it so.

    It cannot where the query asks for what only Delta has, such as `_metadata.row_id`.
    """
    run.reads.of_files = True
    with suppress(AnalysisException):
        return run.query(flow)
    run.reads = FlowReads(run.context, run.flow)
    return run.query(flow)


def is_repeatable(frame: DataFrame, versioned: Collection[str]) -> bool:
    """Whether the same versions of the `versioned` Delta folders must give the same rows."""
    folders = delta_folders(frame)
    return folders is not None and folders <= set(versioned) and is_deterministic(frame)
