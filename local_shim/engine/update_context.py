"""What the flows of an update share, and what one of them brings back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import SparkSession

from local_shim.engine.reads.execution import PathMap
from local_shim.graph.graph import Graph
from local_shim.graph.names import Namespace
from local_shim.storage import Storage


@dataclass(frozen=True)
class UpdateContext:
    """What every flow of an update shares."""

    spark: SparkSession
    storage: Storage
    paths: PathMap
    graph: Graph
    namespace: Namespace
    configuration: Mapping[str, str]
    pipeline: str


@dataclass(frozen=True)
class FlowResult:
    """What a flow did, in the words of the event log; `idle` if there was nothing to do."""

    metrics: Mapping[str, int] = field(default_factory=dict)
    data_quality: tuple[Mapping[str, Any], ...] = ()
    idle: bool = False
    inputs: Mapping[str, int] = field(default_factory=dict)
    repeatable: bool = False
