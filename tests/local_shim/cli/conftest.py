"""A small shop: a pipeline in one file, and a storage after one update of it."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.local_shim.cli.command import Result, dlt_local

PIPELINE = """
    import dlt
    from pyspark.sql import functions as F

    SCHEMA = '''
        id INT, customer STRING, amount DECIMAL(10, 2), at TIMESTAMP,
        tags ARRAY<STRING>, place STRUCT<city: STRING, zip: STRING>
    '''


    @dlt.table(table_properties={"delta.enableChangeDataFeed": "true"})
    @dlt.expect_or_drop("has_amount", "amount IS NOT NULL")
    def orders():
        files = spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
        return files.schema(SCHEMA).load(spark.conf.get("shop.landing"))


    @dlt.view
    def paid_orders():
        return dlt.read("orders").where("amount > 0")


    @dlt.table(private=True)
    def daily():
        return dlt.read("paid_orders").groupBy(F.to_date("at").alias("day")).count()


    @dlt.table
    def totals():
        return dlt.read("paid_orders").groupBy("customer").agg(F.sum("amount").alias("total"))


    dlt.create_streaming_table("customers")
    dlt.apply_changes(
        target="customers", source="orders", keys=["customer"], sequence_by="at",
        column_list=["customer", "place"], stored_as_scd_type=2,
    )
"""

ORDERS: tuple[tuple[Any, ...], ...] = (
    (1, "ann", "10.50", "2026-01-01T08:00:00.000001Z", ["new"], ("Graz", "8010")),
    (2, "bob", "20.00", "2026-01-02T08:00:00.000000Z", [], ("Linz", None)),
    (3, "ann", "5.25", "2026-01-03T08:00:00.500000Z", ["old", "gift"], ("Wien", "1010")),
    (4, "eve", None, "2026-01-03T09:00:00.000000Z", None, None),
)


@dataclass(frozen=True)
class Shop:
    """A folder with the pipeline, its landing folder and its storage."""

    folder: Path

    @property
    def storage(self) -> Path:
        return self.folder / "storage"

    def where(self) -> list[str]:
        """The options that name the pipeline and its storage."""
        landing = f"shop.landing={self.folder / 'landing'}"
        return ["shop.py", "--storage", "storage", "--conf", landing]

    def command(self, *arguments: str | Path) -> Result:
        """A command in the folder of the shop."""
        return dlt_local(*arguments, folder=self.folder)

    def sql(self, query: str, *more: str) -> Result:
        return self.command("sql", query, "--storage", "storage", *more)

    def order(self, name: str, *rows: tuple[object, ...]) -> None:
        """Lands a file of orders."""
        lines = []
        for number, customer, amount, at, tags, place in rows:
            city = dict(zip(("city", "zip"), place, strict=True)) if place else None  # type: ignore[call-overload]
            order = {"id": number, "customer": customer, "amount": amount, "at": at}
            lines.append(json.dumps({**order, "tags": tags, "place": city}))
        (self.folder / "landing").mkdir(exist_ok=True)
        (self.folder / "landing" / name).write_text("\n".join(lines))


def open_shop(folder: Path) -> Shop:
    """A shop with its first orders landed, and no update."""
    (folder / "shop.py").write_text(textwrap.dedent(PIPELINE))
    shop = Shop(folder)
    shop.order("first.json", *ORDERS)
    return shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Shop:
    """A shop after one update; tests only read it."""
    shop = open_shop(tmp_path_factory.mktemp("shop"))
    result = shop.command("run", *shop.where())
    assert result.code == 0, result.err
    return shop


@pytest.fixture
def new_shop(tmp_path: Path, spark: SparkSession) -> Shop:
    """A shop of its own, before its first update."""
    return open_shop(tmp_path)
