"""What the flows of an update share, and what one of them gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import SparkSession

from local_shim.graph.graph import Graph
from local_shim.graph.names import Namespace
from local_shim.reading.path_map import PathMap
from local_shim.storage import Storage


@dataclass(frozen=True)
class UpdateContext:
    """What every flow of an update shares; without a graph, names mean stored tables only."""

    spark: SparkSession
    storage: Storage
    namespace: Namespace
    paths: PathMap = field(default_factory=PathMap)
    configuration: Mapping[str, str] = field(default_factory=dict)
    graph: Graph = field(default_factory=Graph)


@dataclass(frozen=True)
class FlowResult:
    """What a flow did, in the words of the event log.

    `inputs` are the versions of the tables that a materialized view was computed from.
    """

    metrics: Mapping[str, int] = field(default_factory=dict)
    data_quality: tuple[Mapping[str, Any], ...] = ()
    inputs: Mapping[str, int] = field(default_factory=dict)
    repeatable: bool = False
    idle: bool = False  # there was nothing new to read
