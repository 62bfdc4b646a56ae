"""Random transactions on random schemas, through files, folded: the source table again.

A failure names its seed; DMS_FIRST_SEED and DMS_SEEDS (one more than the last) ask for others.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.local_shim.dms.lab import BEFORE, INCLUDE, PROFILE, SEQUENCE, Lab
from tests.local_shim.dms.random_tables import RandomTable, same

SEEDS = range(int(os.environ.get("DMS_FIRST_SEED", "0")), int(os.environ.get("DMS_SEEDS", "8")))
LOBS = {"TargetMetadata": {"LobMaxSize": 64}}


def folded(lab: Lab, table: RandomTable, form: str) -> dict[int, dict[str, Any]]:
    """The table as somebody finds it who has only the files."""
    rows = []
    for key in lab.objects(f"public/{table.name}/*"):
        if form == "csv":
            rows += lab.rows(key)
        else:
            rows += pq.read_table(lab.target / key).to_pylist()
    read = table.from_csv if form == "csv" else table.from_parquet
    current_rows: dict[int, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: str(row["seq"])):
        old = row["BI_id"]
        if old not in (None, "\\N"):
            current_rows.pop(int(old), None)
        if row["Op"] != "D":
            current_rows[int(row["id"])] = read(row)
    return current_rows


@pytest.mark.dms(31, 48)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_files_folded_give_the_source_table_back_value_by_value(
    lab: Lab, form: str, seed: int
) -> None:
    rng = random.Random(seed)
    lab.set_up(
        s3={**PROFILE, "DataFormat": form, "CdcMinFileSize": rng.choice([1, 32000])},
        rules=[INCLUDE, SEQUENCE, BEFORE],
        task=LOBS,
        source={"MapBooleanAsBoolean": True},
    )
    tables = [RandomTable(name, rng) for name in ("a", "b")]
    with lab.connection() as connection:
        cursor = connection.cursor()
        for table in tables:
            table.create(cursor)
            for _ in range(10):
                table.live(cursor)
        connection.commit()
        lab.load()
        for _ in range(rng.randint(1, 3)):
            for _ in range(rng.randint(0, 12)):
                live_a_transaction(rng, tables, connection)
            lab.cdc()
        for table in tables:
            truth, read = table.source(cursor), folded(lab, table, form)
            assert read.keys() == truth.keys(), f"seed {seed}, table {table.name}"
            for key, row in truth.items():
                for name, value in row.items():
                    assert same(read[key][name], value), (
                        f"seed {seed}: {table.name}.{name} {table.columns[name].ddl} of row {key}"
                    )


def live_a_transaction(rng: random.Random, tables: list[RandomTable], connection: Any) -> None:
    """Some statements; now and then a savepoint or all of them are rolled back."""
    cursor = connection.cursor()
    before = [dict(table.columns) for table in tables]
    for _ in range(rng.randint(1, 6)):
        rng.choice(tables).live(cursor)
    after = [dict(table.columns) for table in tables]
    if rng.random() < 0.3:
        cursor.execute("SAVEPOINT s")
        rng.choice(tables).live(cursor)
        cursor.execute("ROLLBACK TO s")
        for table, columns in zip(tables, after, strict=True):
            table.columns = columns
    if rng.random() < 0.2:
        connection.rollback()
        for table, columns in zip(tables, before, strict=True):
            table.columns = columns
    else:
        connection.commit()
