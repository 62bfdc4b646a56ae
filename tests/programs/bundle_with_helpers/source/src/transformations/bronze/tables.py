from pyspark import pipelines as dp
from shop.rules import RULES, files


def declare(name):
    """One bronze table a folder."""

    @dp.table(name=f"raw_{name}", table_properties={"quality": "bronze"})
    def raw():
        return files(spark, name).selectExpr("CAST(id AS INT) id", "CAST(amount AS INT) amount")


for name in ("online", "store"):
    declare(name)

dp.create_streaming_table("sales", expect_all_or_drop=RULES)


@dp.append_flow(target="sales")
def online():
    return spark.readStream.table("raw_online").selectExpr("*", "'online' AS channel")


@dp.append_flow(target="sales", name="from_store")
def store():
    return spark.readStream.table("raw_store").selectExpr("*", "'store' AS channel")
