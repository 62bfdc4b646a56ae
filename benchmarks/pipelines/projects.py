"""Generates pipelines of N tables in five shapes, once as declarations, once as plain PySpark.

The same declarations run in this shim and in `spark-pipelines`. The hand-written program does the
same writes: one overwrite for a materialized view, one stream with a checkpoint for a streaming
table, one guarded MERGE for a target of changes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import yaml


class Kind(Enum):
    """How a table is written."""

    VIEW = "materialized view"
    STREAM = "streaming table"
    CDC = "AUTO CDC target"


@dataclass(frozen=True)
class Table:
    """One table. `query` is a Python expression over the frames of its inputs, `{name}`.

    The input `source` is the Delta table that the benchmark appends to between updates.
    """

    name: str
    kind: Kind
    inputs: tuple[str, ...]
    query: str


_DOUBLED = ".withColumn('amount', F.col('amount') + 1)"
_BY_KEY = ".groupBy('key').agg(F.sum('amount').alias('amount'), F.count('*').alias('rows'))"


def _names(count: int) -> list[str]:
    return [f"t{number:02}" for number in range(count)]


def _chained(count: int, kind: Kind) -> list[Table]:
    inputs = ["source", *_names(count)]
    return [
        Table(name, kind, (before,), f"{{{before}}}{_DOUBLED}")
        for before, name in zip(inputs, _names(count), strict=False)
    ]


def chain(count: int) -> list[Table]:
    """Materialized views, each of which reads the one before."""
    return _chained(count, Kind.VIEW)


def streaming_chain(count: int) -> list[Table]:
    """Streaming tables, each of which reads the one before."""
    return _chained(count, Kind.STREAM)


def fan(count: int) -> list[Table]:
    """Materialized views that all read the first one and sum its rows."""
    first, *others = _names(count)
    head = Table(first, Kind.VIEW, ("source",), f"{{source}}{_DOUBLED}")
    return [head, *(Table(name, Kind.VIEW, (first,), f"{{{first}}}{_BY_KEY}") for name in others)]


def layered(count: int) -> list[Table]:
    """Three layers: streaming tables, views that join two of them, and sums over these."""
    third = max(count // 3, 2)
    bronze, silver, gold = _split(_names(count), third)
    tables = [Table(name, Kind.STREAM, ("source",), f"{{source}}{_DOUBLED}") for name in bronze]
    for number, name in enumerate(silver):
        left, right = bronze[number % third], bronze[(number + 1) % third]
        other = f"{{{right}}}.select('id', 'seq', F.col('amount').alias('other'))"
        query = f"{{{left}}}.join({other}, ['id', 'seq'])"
        tables.append(Table(name, Kind.VIEW, (left, right), query))
    for number, name in enumerate(gold):
        below = silver[number % len(silver)]
        tables.append(Table(name, Kind.VIEW, (below,), f"{{{below}}}{_BY_KEY}"))
    return tables


def _split(names: list[str], third: int) -> tuple[list[str], list[str], list[str]]:
    return names[:third], names[third : 2 * third], names[2 * third :]


def cdc(count: int) -> list[Table]:
    """AUTO CDC targets of type 1, all fed by the source."""
    return [Table(name, Kind.CDC, ("source",), "{source}") for name in _names(count)]


SHAPES: Mapping[str, Callable[[int], list[Table]]] = {
    "chain": chain,
    "fan": fan,
    "layered": layered,
    "streaming_chain": streaming_chain,
    "cdc": cdc,
}


@dataclass(frozen=True)
class Project:
    """The files of one generated pipeline."""

    folder: Path

    @property
    def source(self) -> Path:
        """The Delta table that the pipeline reads."""
        return self.folder / "source"

    @property
    def spec(self) -> Path:
        """The description that both `dlt-local` and `spark-pipelines` take."""
        return self.folder / "spark-pipeline.yml"

    @property
    def declarations(self) -> Path:
        """The file of the pipeline."""
        return self.folder / "transformations" / "tables.py"

    @property
    def program(self) -> Path:
        """The hand-written program; its function `update(spark)` is one update."""
        return self.folder / "hand_written.py"

    def write(self, tables: list[Table]) -> None:
        """Writes all files but the source table."""
        self.declarations.parent.mkdir(parents=True)
        self.declarations.write_text(declarations(tables, self.source))
        self.program.write_text(program(tables, self.source, self.folder / "hand_written"))
        spec = {
            "name": "bench",
            "catalog": "spark_catalog",
            "database": "default",
            "storage": f"file://{self.folder / 'spark-pipelines'}",
            "libraries": [{"glob": {"include": "transformations/**"}}],
        }
        self.spec.write_text(yaml.safe_dump(spec))


_HEAD = "from pyspark import pipelines as dp\nfrom pyspark.sql import functions as F\n"
_DECLARED = {
    Kind.VIEW: "\n\n@dp.materialized_view\ndef {name}():\n    return {query}\n",
    Kind.STREAM: "\n\n@dp.table\ndef {name}():\n    return {query}\n",
    Kind.CDC: """

dp.create_streaming_table("{name}")
dp.create_auto_cdc_flow(
    target="{name}", source="changes", keys=["id"], sequence_by="seq",
    apply_as_deletes=F.expr("op = 'D'"), except_column_list=["op", "seq"], stored_as_scd_type=1,
)
""",
}


def declarations(tables: list[Table], source: Path) -> str:
    """The pipeline file, for `dlt-local` and for `spark-pipelines`."""
    text = _HEAD
    if any(table.kind is Kind.CDC for table in tables):
        frame = f"spark.readStream.format('delta').load('{source}')"
        text += f"\n\n@dp.temporary_view\ndef changes():\n    return {frame}\n"
    for table in tables:
        reader = "spark.read" if table.kind is Kind.VIEW else "spark.readStream"
        frames = {name: f"{reader}.table('{name}')" for name in table.inputs}
        frames |= {"source": f"{reader}.format('delta').load('{source}')"}
        text += _DECLARED[table.kind].format(name=table.name, query=table.query.format(**frames))
    return text


_PROGRAM_HEAD = """
    from functools import partial

    from delta.tables import DeltaTable
    from pyspark.sql import Window
    from pyspark.sql import functions as F


    def merge(path, batch, number):
        spark = batch.sparkSession
        if not DeltaTable.isDeltaTable(spark, path):
            empty = batch.limit(0).drop("op").withColumn("deleted", F.lit(False))
            empty.write.format("delta").save(path)
        newest = Window.partitionBy("id").orderBy(F.desc("seq"))
        rows = batch.withColumn("n", F.row_number().over(newest)).where("n = 1").drop("n")
        rows = rows.withColumn("deleted", F.col("op") == "D").drop("op")
        merged = DeltaTable.forPath(spark, path).alias("t").merge(rows.alias("s"), "t.id = s.id")
        merged.whenMatchedUpdateAll("s.seq > t.seq").whenNotMatchedInsertAll().execute()


    def replace(frame, path):
        frame.write.format("delta").mode("overwrite").option("overwriteSchema", True).save(path)


    def start(frame, path, each=None):
        writer = frame.writeStream.option("checkpointLocation", path + ".checkpoint")
        writer = writer.foreachBatch(partial(each, path)) if each else writer.format("delta")
        query = writer.trigger(availableNow=True).start(*(() if each else (path,)))
        query.awaitTermination()


    def update(spark):
"""
_WRITTEN = {
    Kind.VIEW: "    replace({query}, '{path}')\n",
    Kind.STREAM: "    start({query}, '{path}')\n",
    Kind.CDC: "    start({query}, '{path}', merge)\n",
}


def program(tables: list[Table], source: Path, folder: Path) -> str:
    """The same tables as a program that writes them one after the other."""
    text = textwrap.dedent(_PROGRAM_HEAD).lstrip()
    for table in tables:
        reader = "spark.read" if table.kind is Kind.VIEW else "spark.readStream"
        paths = {name: folder / name for name in table.inputs} | {"source": source}
        frames = {name: f"{reader}.format('delta').load('{path}')" for name, path in paths.items()}
        query = table.query.format(**frames)
        text += _WRITTEN[table.kind].format(query=query, path=folder / table.name)
    return text
