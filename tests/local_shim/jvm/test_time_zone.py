"""Python sees UTC wherever the machine is, as on Databricks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).parents[3]
PROGRAM = """
    import datetime, json, sys
    from pathlib import Path

    from local_shim.jvm.session import open_session
    from tests.pipeline_folder import Pipeline

    pipeline = Pipeline(Path(sys.argv[1]), open_session())
    pipeline.write('''
        import datetime
        import dlt
        from pyspark.sql import functions as F

        MOMENT = datetime.datetime(2026, 7, 1, 22, 30)
        ROWS = spark.createDataFrame([(MOMENT,)], "at timestamp")

        @F.udf("int")
        def hour_in_python(at):
            return at.hour

        @F.udf("timestamp")
        def same_in_python(at):
            return MOMENT

        @dlt.table
        def hours():
            return ROWS.select(
                F.hour("at").alias("in_sql"),
                hour_in_python("at").alias("in_python"),
                F.hour(F.lit(MOMENT)).alias("literal"),
                F.hour(same_in_python("at")).alias("returned"),
                (F.col("at") == F.lit(MOMENT)).alias("same"),
            )
    ''')
    assert pipeline.update() == 0, pipeline.errors()
    (row,) = pipeline.table("hours").collect()
    at = pipeline.spark.sql("SELECT TIMESTAMP'2026-07-01 22:30:00'").first()[0]
    print(json.dumps([*row, at.hour, datetime.datetime.now().astimezone().utcoffset().seconds]))
"""


def test_a_machine_in_another_zone_gives_the_rows_of_one_in_utc(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=HERE,
        env={**os.environ, "TZ": "America/New_York"},
        check=False,
    )
    assert process.returncode == 0, process.stderr
    *hours, offset = json.loads(process.stdout.splitlines()[-1])
    assert hours == [22, 22, 22, 22, True, 22]
    assert offset == 0
