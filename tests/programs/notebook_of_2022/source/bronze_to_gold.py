# Databricks notebook source
# MAGIC %md
# MAGIC # Orders of a shop
# MAGIC The style of the first years: one notebook, `dlt`, `LIVE.` and `dlt.read`.

# COMMAND ----------

import dlt
from pyspark.sql.functions import col, sum as total

dbutils.widgets.text("source", "dbfs:/mnt/landing")
source = dbutils.widgets.get("source")

# COMMAND ----------


@dlt.create_table(comment="raw orders", table_properties={"quality": "bronze"})
def orders_raw():
    return (
        spark.readStream.format("cloudFiles")
        .option("cloudFiles.format", "json")
        .option("cloudFiles.inferColumnTypes", "true")
        .load(source)
    )


# COMMAND ----------


@dlt.table(name="orders")
@dlt.expect_or_drop("has customer", "customer IS NOT NULL")
@dlt.expect("positive", "amount > 0")
def orders_clean():
    return dlt.read_stream("orders_raw").select("id", "customer", col("amount").cast("int"))


# COMMAND ----------

# MAGIC %sql
# MAGIC CREATE OR REFRESH LIVE TABLE by_customer
# MAGIC COMMENT "one row per customer"
# MAGIC AS SELECT customer, sum(amount) AS amount FROM LIVE.orders GROUP BY customer

# COMMAND ----------

display(spark.range(1))
