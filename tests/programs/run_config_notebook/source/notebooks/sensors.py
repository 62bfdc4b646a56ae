# Databricks notebook source
# MAGIC %run ./setup/config

# COMMAND ----------

import dlt
from pyspark.sql import functions as F

@dlt.table
def readings():
    return (
        spark.readStream.format("cloudFiles")
        .option("cloudFiles.format", "csv")
        .option("header", "true")
        .schema(SCHEMA)
        .load(f"{LANDING}/readings")
    )

@dlt.table
def alarms():
    return dlt.read("readings").where(F.col("degrees") > LIMIT).select("sensor", "degrees")
