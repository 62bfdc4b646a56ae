"""Where a declaration stands: the user's line of Python, or a location that the loader names."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from local_shim import dlt_api
from local_shim.errors import DefinitionError
from local_shim.graph.declared_at import declared_at
from local_shim.graph.elements import SourceLocation
from local_shim.graph.names import Namespace
from local_shim.graph.registry import Registry, activated

MAIN = Namespace("main", "default")
STATEMENT = SourceLocation("tables.sql", 7)


def test_python_code_stands_at_its_own_line() -> None:
    with activated(Registry(MAIN)) as registry:
        dlt_api.create_streaming_table("t")
    (dataset,) = registry.datasets.values()
    assert dataset.where.file == __file__
    assert dataset.where.line == test_python_code_stands_at_its_own_line.__code__.co_firstlineno + 2


def test_whatever_is_declared_stands_at_the_named_location(spark: SparkSession) -> None:
    with activated(Registry(MAIN)) as registry, declared_at(STATEMENT):
        dlt_api.create_streaming_table("t")
        dlt_api.table(lambda: None, name="m")
        dlt_api.append_flow(lambda: None, target="t", name="f")
        dlt_api.create_auto_cdc_flow("t", "s", ["id"], "at", name="c")
        dlt_api.create_auto_cdc_from_snapshot_flow("t", "s", ["id"], 1)
        dlt_api.create_sink("k", "delta", {"path": "/x"})
        registry.deprecated("AN_OLD_NAME")
    declared = [*registry.datasets.values(), *registry.flows]
    assert {each.where for each in declared} == {STATEMENT}
    assert registry.deprecations == [("AN_OLD_NAME", STATEMENT)]


def test_errors_name_the_location() -> None:
    with (
        activated(Registry(MAIN)),
        declared_at(STATEMENT),
        pytest.raises(DefinitionError) as caught,
    ):
        dlt_api.create_streaming_table("")
    assert caught.value.where == STATEMENT
