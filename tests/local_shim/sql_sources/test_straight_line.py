"""An SQL file with a stream of files, rules, a materialized view and AUTO CDC."""

from __future__ import annotations

from tests.local_shim.sql_sources.conftest import SqlPipeline

LINE = """
-- the files as they come
CREATE OR REFRESH STREAMING TABLE raw (
  CONSTRAINT positive EXPECT (amount > 0) ON VIOLATION DROP ROW,
  CONSTRAINT known EXPECT (id IS NOT NULL)
)
COMMENT 'payments; as they come'
TBLPROPERTIES ('quality' = 'bronze')
AS SELECT CAST(id AS INT) AS id, CAST(amount AS INT) AS amount, op,
          _metadata.file_name AS file
FROM STREAM read_files('${landing}', format => 'csv', header => true);

CREATE OR REFRESH STREAMING TABLE payments;

CREATE FLOW fold AS AUTO CDC INTO payments
FROM STREAM(raw)
KEYS (id)
APPLY AS DELETE WHEN op = 'D'
SEQUENCE BY file
COLUMNS * EXCEPT (op, file)
STORED AS SCD TYPE 1;

CREATE OR REFRESH MATERIALIZED VIEW total CLUSTER BY AUTO
AS SELECT count(*) AS n, sum(amount) AS total FROM payments
"""


def test_an_sql_file_runs(sql: SqlPipeline) -> None:
    sql.write(LINE)
    assert sql.update() == 0, sql.pipeline.errors()
    assert sql.rows("raw", "id", "amount") == [(1, 10), (3, 7)]
    assert sql.pipeline.quality("raw") == {
        "dropped_records": 1,
        "expectations": {"positive": [2, 1], "known": [3, 0]},
    }
    assert sql.rows("total") == [(2, 17)]
    sql.arrive("2.csv", "id,amount,op", "1,12,U", "3,7,D")
    assert sql.update() == 0
    assert sql.rows("payments") == [(1, 12)]
    assert sql.rows("total") == [(1, 12)]
