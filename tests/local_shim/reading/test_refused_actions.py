"""Actions inside dataset functions are refused, each by its name, at its line."""

from __future__ import annotations

import pytest

from local_shim.errors import DefinitionErrors, ShimError
from tests.pipeline_folder import Pipeline

ACTIONS = [
    "frame.collect()",
    "frame.count()",
    "frame.first()",
    "frame.head(2)",
    "frame.isEmpty()",
    "frame.foreach(print)",
    "frame.foreachPartition(print)",
    "frame.show()",
    "frame.tail(1)",
    "frame.take(1)",
    "frame.toArrow()",
    "frame.toLocalIterator()",
    "frame.toPandas()",
    "frame.approxQuantile('id', [0.5], 0.0)",
    "frame.stat.corr('id', 'id')",
    "frame.inputFiles()",
    "frame.write.save('x')",
    "frame.write.format('delta').mode('append').saveAsTable('x')",
    "frame.write.insertInto('x')",
    "frame.write.parquet('x')",
    "frame.write.csv('x')",
    "frame.write.json('x')",
    "frame.write.orc('x')",
    "frame.write.text('x')",
    "frame.write.xml('x')",
    "frame.write.jdbc('jdbc:none', 'x')",
    "frame.writeTo('x').append()",
    "frame.writeTo('x').create()",
    "frame.writeTo('x').createOrReplace()",
    "frame.writeTo('x').replace()",
    "frame.writeTo('x').overwritePartitions()",
    "frame.writeTo('x').overwrite(frame.id > 1)",
]
STREAM_ACTIONS = ["stream.writeStream.start('x')", "stream.writeStream.toTable('x')"]
ALLOWED = ["frame.cache()", "frame.persist()", "frame.schema", "frame.columns", "frame.isStreaming"]


def test_every_action_is_refused(pipeline: Pipeline) -> None:
    lines = ["import dlt"]
    for number, action in enumerate([*ACTIONS, *STREAM_ACTIONS]):
        lines += ["@dlt.table", f"def t{number}():", "    frame = spark.range(3)"]
        lines += ["    stream = spark.readStream.format('rate').load()"]
        lines += [f"    {action}", "    return frame"]
    pipeline.write("\n".join(lines))
    with pytest.raises(DefinitionErrors) as caught:
        pipeline.plan()
    refused = {int(str(error.where).rsplit(":", 1)[1]) for error in caught.value.errors}
    actions = {*ACTIONS, *STREAM_ACTIONS}
    expected = {number for number, line in enumerate(lines, 1) if line.strip() in actions}
    assert {error.condition for error in caught.value.errors} == {"ACTION_IN_DATASET_FUNCTION"}
    assert refused == expected


def test_actions_work_at_module_level(pipeline: Pipeline) -> None:
    pipeline.write(
        """
        import dlt
        frame = spark.range(3)
        assert not frame.isEmpty() and frame.count() == 3 and frame.first().id == 0

        @dlt.table
        def t():
            return frame
        """
    )
    assert pipeline.plan().flows


@pytest.mark.parametrize("call", ALLOWED)
def test_calls_that_run_no_job_are_allowed(pipeline: Pipeline, call: str) -> None:
    source = f"import dlt\n@dlt.table\ndef t():\n    frame = spark.range(3)\n    {call}\n"
    pipeline.write(source + "    return frame\n")
    assert pipeline.plan().flows


def test_an_action_of_a_helper_names_the_line_of_the_helper(pipeline: Pipeline) -> None:
    (pipeline.folder / "source").mkdir(exist_ok=True)
    (pipeline.folder / "source" / "helper.py").write_text("def rows(f):\n    return f.count()\n")
    pipeline.write(
        "import dlt\nfrom helper import rows\n"
        "@dlt.table\ndef t():\n    return rows(spark.range(1))\n"
    )
    with pytest.raises(ShimError) as caught:
        pipeline.plan()
    assert str(caught.value.where).endswith("helper.py:2")
