"""Reads of files in pipeline code: `--path`, Auto Loader, and formats."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace

import pytest

from local_shim.errors import ShimError
from local_shim.run import plan_only, run
from tests.pipeline_folder import Pipeline


def test_a_mapped_temporary_folder_does_not_move_the_shims_own_reads(pipeline: Pipeline) -> None:
    """Analysis streams from an empty folder of its own, and storages may lie below `/tmp`, too."""
    landing = pipeline.folder / "mapped" / "landing"
    landing.mkdir(parents=True)
    (landing / "a.json").write_text('{"id": 1}\n')
    pipeline.write(
        f"""
        import dlt

        @dlt.table
        def bronze():
            reader = spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
            return reader.schema("id INT").load("{tempfile.gettempdir()}/landing")

        @dlt.table
        def silver():
            return spark.readStream.table("bronze")

        @dlt.table
        def gold():
            return spark.read.table("silver")
        """
    )
    paths = {tempfile.gettempdir() + "/": str(pipeline.folder / "mapped")}
    request = replace(pipeline.request(), paths=paths)
    assert len(plan_only(request).flows) == 3
    assert run(request).exit_code == 0
    assert pipeline.rows("gold", "id") == [(1,)]


def test_paths_in_a_batch_function_are_mapped(pipeline: Pipeline) -> None:
    here = pipeline.folder / "here"
    here.mkdir()
    pipeline.write(
        """
        import dlt
        from delta.tables import DeltaTable

        @dlt.table
        def numbers():
            return spark.readStream.format("cloudFiles").option("cloudFiles.format", "csv") \\
                .schema("id INT").load("/Volumes/in")

        @dlt.foreach_batch_sink(name="out")
        def out(batch, number):
            batch.write.mode("append").json("/Volumes/out/json")
            batch.write.format("delta").mode("append").save(path="dbfs:/Volumes/out/delta")
            DeltaTable.forPath(batch.sparkSession, "/Volumes/out/delta").delete("id = 1")
            assert batch.sparkSession.read.json("/Volumes/out/json").count() == 2
            dbutils.fs.cp("/Volumes/in/a.csv", "/Volumes/out/copy.csv")

        @dlt.append_flow(target="out")
        def to_out():
            return spark.readStream.table("numbers")
        """
    )
    (here / "in").mkdir()
    (here / "in" / "a.csv").write_text("1\n2\n")
    pipeline.paths = {"/Volumes/": str(here)}
    assert pipeline.update() == 0, pipeline.errors()
    out = here / "out"
    assert (out / "copy.csv").read_text() == "1\n2\n"
    delta = pipeline.spark.read.format("delta").load(str(out / "delta"))
    assert [row.id for row in delta.collect()] == [2]


ROWS = {"json": '{"id": 1}', "xml": "<a><id>1</id></a>", "csv": "1"}


@pytest.mark.parametrize(
    "read",
    [
        "spark.read.csv(PATH)",
        "spark.read.csv(path=PATH)",
        "spark.read.csv([PATH, PATH])",
        "spark.read.text(paths=[PATH])",
        "spark.read.parquet(PATH, PATH)",
        "spark.read.load(PATH, format='csv')",
        "spark.read.format('json').load(path=PATH)",
        "spark.read.xml(PATH, rowTag='a')",
        "spark.readStream.schema('id INT').json(PATH)",
        "spark.readStream.format('csv').schema('id INT').load(PATH)",
    ],
)
def test_every_way_to_give_a_path_is_mapped(pipeline: Pipeline, read: str) -> None:
    target = pipeline.folder / "here"
    kind = next((k for k in ("parquet", "json", "xml") if k in read), "csv")
    if kind == "parquet":
        pipeline.spark.range(1).write.parquet(str(target))
    else:
        target.mkdir()
        (target / f"a.{kind}").write_text(ROWS[kind])
    pipeline.write(f"import dlt\nPATH = '/Volumes/a/b'\n@dlt.table\ndef t():\n    return {read}\n")
    request = replace(pipeline.request(), paths={"/Volumes/a/b": str(target)})
    assert [flow.name for flow in plan_only(request).flows] == ["main.default.t"]


@pytest.mark.parametrize(
    "read",
    [
        'spark.read.format("cloudFiles").option("cloudFiles.format", "csv").load("/landing")',
        'spark.read.load("/landing", format="cloudFiles")',
    ],
)
def test_auto_loader_in_batch_is_refused_by_name(pipeline: Pipeline, read: str) -> None:
    pipeline.write(f"import dlt\n\n@dlt.table\ndef t():\n    return {read}\n")
    with pytest.raises(ShimError, match=r"spark\.readStream") as caught:
        pipeline.plan()
    assert caught.value.condition == "CLOUD_FILES_IN_BATCH"
    assert str(caught.value.where).endswith("pipeline.py:5")


def test_a_stream_made_at_module_level_reads_new_files_in_each_update(pipeline: Pipeline) -> None:
    landing = pipeline.folder / "landing"
    landing.mkdir()
    pipeline.write(
        f"""
        import dlt

        stream = (
            spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
            .schema("id INT").load("{landing}")
        )

        @dlt.table
        def all_rows():
            return stream

        @dlt.table
        def large():
            return stream.where("id > 1")
        """
    )
    for number in (1, 2, 3):
        (landing / f"{number}.json").write_text(json.dumps({"id": number}))
        assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("all_rows", "id") == [(1,), (2,), (3,)]
    assert pipeline.rows("large", "id") == [(2,), (3,)]


def test_auto_loader_in_a_thread_of_the_users_does_not_read_parquet(pipeline: Pipeline) -> None:
    """A new thread has no resolver; Spark's default format must not take the stream over."""
    pipeline.write(
        """
        import dlt
        from concurrent.futures import ThreadPoolExecutor

        def stream():
            reader = spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
            return reader.schema("id INT").load("/landing")

        with ThreadPoolExecutor() as pool:
            frame = pool.submit(stream).result()
        """
    )
    with pytest.raises(ShimError) as caught:
        pipeline.plan()
    assert caught.value.condition == "CLOUD_FILES_OUTSIDE_OF_A_PIPELINE"
