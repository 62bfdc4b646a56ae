"""What declarations mean, and what is said of wrong ones, before anything runs."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from local_shim import dlt_api
from local_shim.errors import DefinitionError, DefinitionErrors, ShimError
from local_shim.graph.elements import DatasetKind
from local_shim.graph.names import Namespace
from local_shim.graph.registry import Registry, activated
from tests.pipeline_folder import Pipeline

MAIN = Namespace("main", "default")


def conditions(error: ShimError) -> set[str]:
    return {each.condition for each in getattr(error, "errors", (error,))}


@pytest.mark.dlt(1, 3)
def test_a_bare_decorator_and_one_with_arguments_register_the_same_dataset() -> None:
    def numbers() -> None: ...

    with activated(Registry(MAIN)) as bare:
        dlt_api.table(numbers)
    with activated(Registry(MAIN)) as called:
        dlt_api.table(name="numbers")(numbers)
    name = MAIN.qualify("numbers")
    assert bare.datasets[name].name == called.datasets[name].name
    assert bare.datasets[name].kind is called.datasets[name].kind is DatasetKind.TABLE
    assert [flow.name for flow in bare.flows] == [flow.name for flow in called.flows]


@pytest.mark.dlt(2)
def test_a_positional_argument_that_is_no_function_asks_for_keywords() -> None:
    with activated(Registry(MAIN)), pytest.raises(DefinitionError, match="keyword arguments"):
        dlt_api.table("numbers")  # type: ignore[arg-type]


@pytest.mark.dlt(3)
def test_name_overrides_the_name_of_the_function() -> None:
    with activated(Registry(MAIN)) as registry:
        dlt_api.view(name="Other")(lambda: None)
    assert list(registry.datasets) == [MAIN.qualify("other")]


@pytest.mark.dlt(4)
def test_dlt_and_dp_offer_everything(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt
        from pyspark import pipelines as dp
        for module in (dlt, dp):
            for name in ("expect", "expect_all_or_fail", "on_event_hook", "create_sink",
                         "create_auto_cdc_from_snapshot_flow", "apply_changes", "append_flow"):
                assert callable(getattr(module, name)), name

        @dp.materialized_view
        def one():
            return spark.range(1)
        """
    )
    assert [flow.name for flow in pipeline.plan().flows] == ["main.default.one"]


@pytest.mark.dlt(13)
def test_clustering_and_partitions_exclude_each_other() -> None:
    with activated(Registry(MAIN)), pytest.raises(DefinitionError, match="cluster_by"):
        dlt_api.create_streaming_table("t", cluster_by=["a"], partition_cols=["b"])


def test_an_unknown_argument_is_refused_with_a_close_match() -> None:
    with activated(Registry(MAIN)), pytest.raises(DefinitionError, match="did you mean 'comment'"):
        dlt_api.create_streaming_table("t", coment="typo")  # type: ignore[call-arg]


@pytest.mark.dlt(16, 17, 20)
def test_loops_file_order_and_spelling_of_names_do_not_change_the_graph(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt
        @dlt.table
        def total():
            return spark.read.table("part_a").union(spark.table("main.default.PART_B"))
        """,
        "a.py",
    )
    pipeline.write(
        """
        import dlt
        for letter in "ab":
            @dlt.table(name=f"part_{letter}")
            def part(letter=letter):
                return spark.sql(f"SELECT '{letter}' AS letter")
        """,
        "b.py",
    )
    plan = pipeline.plan()
    assert [flow.target.table for flow in plan.flows] == ["part_a", "part_b", "total"]
    assert plan.graph.needs()["main.default.total"] == {
        "main.default.part_a",
        "main.default.part_b",
    }


@pytest.mark.dlt(85)
def test_two_rules_of_one_name_are_refused(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt
        @dlt.table
        @dlt.expect("same", "id > 0")
        @dlt.expect_or_drop("same", "id > 1")
        def t():
            return spark.range(3)
        """
    )
    with pytest.raises(ShimError, match="DUPLICATE_EXPECTATION"):
        pipeline.plan()


ALL_WRONG = """
import dlt

@dlt.table
def nothing():
    pass

@dlt.table
def impatient():
    return spark.createDataFrame([(spark.range(3).count(),)], "n INT")

@dlt.table
def reads_missing():
    return spark.read.table("impatiend")

@dlt.table
def wrong_column():
    return spark.range(1).select("idd")

@dlt.table
def chicken():
    return spark.read.table("egg")

@dlt.table
def egg():
    return spark.read.table("chicken")

@dlt.table
def view_of_all():
    return spark.range(1)

@dlt.table
def streams_from_it():
    return spark.readStream.table("view_of_all")

dlt.create_streaming_table("late")

@dlt.append_flow(target="late")
def batch():
    return spark.range(1)
"""


@pytest.fixture
def all_wrong(pipeline: Pipeline) -> DefinitionErrors:
    """The error of an update of ALL_WRONG, which writes nothing."""
    pipeline.write(ALL_WRONG)
    with pytest.raises(DefinitionErrors) as caught:
        pipeline.update()
    assert not (pipeline.folder / "storage" / "tables").exists()
    return caught.value


@pytest.mark.dlt(104, 112)
def test_all_errors_are_reported_at_once_and_nothing_is_written(
    all_wrong: DefinitionErrors,
) -> None:
    assert conditions(all_wrong) == {
        "QUERY_RETURNS_NO_DATAFRAME",
        "ACTION_IN_DATASET_FUNCTION",
        "TABLE_OR_VIEW_NOT_FOUND",
        "UNRESOLVED_COLUMN.WITH_SUGGESTION",
        "CIRCULAR_DEPENDENCY",
        "STREAMING_FROM_MATERIALIZED_VIEW",
    }
    assert all_wrong.exit_code == 2
    assert str(all_wrong).count("pipeline.py:") >= 6
    assert "did you mean 'impatient'?" in str(all_wrong)


ONE_OF_THE_ERRORS = [
    (98, "STREAMING_FROM_MATERIALIZED_VIEW", "main.default.view_of_all"),
    (146, "QUERY_RETURNS_NO_DATAFRAME", "'nothing' must return a DataFrame, but returned NoneType"),
    (147, "ACTION_IN_DATASET_FUNCTION", "count"),
    (149, "CIRCULAR_DEPENDENCY", "main.default.chicken → main.default.egg"),
]


@pytest.mark.parametrize(
    ("condition", "text"),
    [pytest.param(c, t, marks=pytest.mark.dlt(n), id=c) for n, c, t in ONE_OF_THE_ERRORS],
)
def test_an_error_names_both_parties(
    all_wrong: DefinitionErrors, condition: str, text: str
) -> None:
    (error,) = [each for each in all_wrong.errors if each.condition == condition]
    assert text in str(error)


REFUSED = [
    (149, "PIPELINE_DATASET_WITHOUT_FLOW", "dlt.create_streaming_table('t')"),
    (
        149,
        "PIPELINE_DATASET_WITHOUT_FLOW",
        "dlt.create_streaming_table('t')\ndlt.table(lambda: dlt.read('t'), name='reader')",
    ),
    (150, "RUN_EMPTY_PIPELINE", "dlt.view(lambda: spark.range(1), name='v')"),
    (
        95,
        "INVALID_FLOW_QUERY_TYPE.BATCH_RELATION_FOR_STREAMING_TABLE",
        "dlt.create_streaming_table('t')\n"
        "dlt.append_flow(lambda: spark.range(1), target='t', name='f')",
    ),
    (
        95,
        "INVALID_FLOW_QUERY_TYPE.STREAMING_RELATION_FOR_ONCE_FLOW",
        "dlt.create_streaming_table('t')\ndlt.append_flow(lambda: spark.readStream"
        ".format('rate').load(), target='t', name='f', once=True)",
    ),
    (
        149,
        "FLOW_TARGET_NOT_DEFINED",
        "dlt.append_flow(lambda: spark.range(1), target='nowhere', name='f')",
    ),
    (
        149,
        "PIPELINE_DUPLICATE_IDENTIFIERS.OUTPUT",
        "dlt.table(lambda: spark.range(1), name='t')\ndlt.table(lambda: spark.range(2), name='T')",
    ),
]


@pytest.mark.parametrize(
    ("condition", "source"),
    [pytest.param(c, s, marks=pytest.mark.dlt(n), id=c) for n, c, s in REFUSED],
)
def test_a_graph_that_cannot_run_is_refused(
    pipeline: Pipeline, condition: str, source: str
) -> None:
    pipeline.write("import dlt\n" + source)
    with pytest.raises(ShimError) as caught:
        pipeline.plan()
    assert condition in conditions(caught.value)


@pytest.mark.dlt(101)
def test_a_streaming_view_is_not_read_in_batch_unless_the_check_is_off(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt
        @dlt.table
        def source():
            return spark.readStream.format("rate").load()
        @dlt.view
        def v():
            return spark.readStream.table("source")
        @dlt.table
        def t():
            return spark.read.table("v")
        """
    )
    with pytest.raises(ShimError, match="INCOMPATIBLE_STREAMING_VIEW_READ"):
        pipeline.plan()
    pipeline.conf["pipelines.incompatibleViewCheck.enabled"] = "false"
    assert pipeline.plan().flows


@pytest.mark.dlt(18, 148)
def test_every_way_to_the_session_reads_the_pipeline(
    pipeline: Pipeline, spark: SparkSession
) -> None:
    pipeline.conf["insurance.answer"] = "42"
    pipeline.write(
        """
        import dlt
        from pyspark.sql import SparkSession
        answer = spark.conf.get("insurance.answer")
        assert answer == "42"

        @dlt.table
        def a():
            return spark.range(3)
        @dlt.table
        def b():
            return SparkSession.builder.getOrCreate().table("a")
        @dlt.table
        def c():
            return SparkSession.getActiveSession().sql("SELECT x.id FROM a AS x JOIN b USING (id)")
        """
    )
    needs = pipeline.plan().graph.needs()
    assert needs["main.default.b"] == {"main.default.a"}
    assert needs["main.default.c"] == {"main.default.a", "main.default.b"}
    assert not any(table.name.startswith("__dlt") for table in spark.catalog.listTables())


def test_errors_in_a_source_file_name_its_line(pipeline: Pipeline) -> None:
    pipeline.write("import dlt\n\nimport nowhere_to_be_found\n")
    with pytest.raises(ShimError, match="ModuleNotFoundError") as caught:
        pipeline.plan()
    assert str(caught.value.where).endswith("pipeline.py:3")
