"""One random pipeline, declared in Python and in SQL, gives the same graph and the same tables."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.pipeline_folder import Pipeline

CONDITIONS = ("amount > 0", "id <> 2", "amount < 9", "op IS NOT NULL")
ACTIONS = {"expect": "", "expect_or_drop": "ON VIOLATION DROP ROW"}
SCD_TYPES = (1, 2)
COLUMNS = "CAST(id AS INT) AS id, CAST(amount AS INT) AS amount, op"


@dataclass(frozen=True)
class Derived:
    """A dataset that filters another one."""

    name: str
    kind: str  # table, materialized_view or view
    source: str
    streaming: bool
    condition: str
    rule: str
    action: str
    clustered: bool

    def python(self) -> str:
        decorator = {"view": "view"}.get(self.kind, "table")
        layout = ", cluster_by=['id']" if self.clustered else ""
        read = "readStream" if self.streaming else "read"
        return (
            f"@dlt.{decorator}(name='{self.name}', comment='a {self.kind}'{layout})\n"
            f"@dlt.{self.action}('rule', '{self.rule}')\n"
            f"def {self.name}():\n"
            f"    return spark.{read}.table('{self.source}').where('{self.condition}')\n"
        )

    def sql(self) -> str:
        words = {"table": "OR REFRESH STREAMING TABLE", "view": "LIVE VIEW"}
        kind = words.get(self.kind, "OR REFRESH MATERIALIZED VIEW")
        source = f"STREAM({self.source})" if self.streaming else self.source
        return (
            f"CREATE {kind} {self.name}\n"
            f"(CONSTRAINT rule EXPECT ({self.rule}) {ACTIONS[self.action]})\n"
            f"COMMENT 'a {self.kind}' {'CLUSTER BY (id)' if self.clustered else ''}\n"
            f"AS SELECT * FROM {source} WHERE {self.condition};\n"
        )


def some_pipeline(seed: int) -> list[Derived]:
    """Derived datasets, each over an earlier one."""
    choose = random.Random(seed)
    streams, batches, datasets = ["raw"], ["raw"], []
    for number in range(5):
        kind = choose.choice(["table", "materialized_view", "view"])
        streaming = kind == "table" or (kind == "view" and choose.random() < 0.5)
        source = choose.choice(streams if streaming else batches)
        clustered = kind != "view" and choose.random() < 0.5
        name, condition = f"d{number}", choose.choice(CONDITIONS)
        rule, action = choose.choice(CONDITIONS), choose.choice(list(ACTIONS))
        datasets.append(Derived(name, kind, source, streaming, condition, rule, action, clustered))
        if streaming:
            streams.append(name)
        if kind != "view" or not streaming:
            batches.append(name)
    return datasets


def in_python(datasets: list[Derived]) -> str:
    raw = (
        "import dlt\n\n@dlt.table\ndef raw():\n"
        "    files = spark.readStream.format('cloudFiles').option('cloudFiles.format', 'csv')\n"
        "    rows = files.option('header', 'true').load(spark.conf.get('landing'))\n"
        f"    return rows.selectExpr(*{COLUMNS.split(', ')!r})\n"
    )
    targets = (
        f"dlt.create_streaming_table('target_{scd_type}')\n"
        f"dlt.create_auto_cdc_flow(target='target_{scd_type}', source='raw', keys=['id'], "
        "sequence_by='amount', apply_as_deletes=\"op = 'D'\", except_column_list=['op'], "
        f"stored_as_scd_type={scd_type}, name='changes_{scd_type}')\n"
        for scd_type in SCD_TYPES
    )
    return "\n".join([raw, *(each.python() for each in datasets), *targets])


def in_sql(datasets: list[Derived]) -> str:
    raw = (
        f"CREATE OR REFRESH STREAMING TABLE raw AS SELECT {COLUMNS} FROM STREAM "
        "read_files('${landing}', format => 'csv', header => true, inferColumnTypes => false);\n"
    )
    targets = (
        f"CREATE OR REFRESH STREAMING TABLE target_{scd_type};\n"
        f"CREATE FLOW changes_{scd_type} AS AUTO CDC INTO target_{scd_type}\n"
        "FROM STREAM(raw) KEYS (id)\n"
        "APPLY AS DELETE WHEN op = 'D' SEQUENCE BY amount COLUMNS * EXCEPT (op)\n"
        f"STORED AS SCD TYPE {scd_type};\n"
        for scd_type in SCD_TYPES
    )
    return "\n".join([raw, *(each.sql() for each in datasets), *targets])


def graph(pipeline: Pipeline) -> list[dict[str, Any]]:
    """What the events of the last update say of datasets and flows, but for their source.

    Their plans differ in what has no effect, such as aliases.
    """
    skipped = ("language", "source", "source_code_location", "file", "line", "explain_text")
    return [
        {key: value for key, value in event.details.items() if key not in skipped}
        for event in pipeline.events
        if event.event_type in ("dataset_definition", "flow_definition")
    ]


@pytest.mark.slow
@pytest.mark.dlt(145)
def test_both_languages_give_one_pipeline(spark: SparkSession, tmp_path: Path) -> None:
    datasets = some_pipeline(seed=5)  # every kind of dataset over every kind
    landing = tmp_path / "landing"
    landing.mkdir()
    pipelines = [Pipeline(tmp_path / name, spark) for name in ("python", "sql")]
    for each in pipelines:
        each.folder.mkdir()
        each.conf["landing"] = str(landing)
    pipelines[0].write(in_python(datasets))
    pipelines[1].write(in_sql(datasets), "pipeline.sql")
    derived = [each.name for each in datasets if each.kind != "view"]
    tables = ["raw", *(f"target_{scd_type}" for scd_type in SCD_TYPES), *derived]
    for number, rows in enumerate(["1,5,I\n2,-3,I\n3,9,I\n", "1,12,U\n3,10,D\n,4,I\n"]):
        (landing / f"{number}.csv").write_text(f"id,amount,op\n{rows}")
        assert [each.update() for each in pipelines] == [0, 0]
        python, sql = (sorted(graph(each), key=repr) for each in pipelines)
        assert python == sql
        for table in tables:
            assert pipelines[0].rows(table) == pipelines[1].rows(table), table
