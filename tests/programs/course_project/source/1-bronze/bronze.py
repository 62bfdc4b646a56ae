# Databricks notebook source
# MAGIC %run ../config/settings

# COMMAND ----------

import dlt

for name, schema in TABLES.items():

    @dlt.table(name=f"bronze.{name}", comment=f"{name} as they came")
    def bronze(name=name, schema=schema):
        files = spark.readStream.format("cloudFiles").option("cloudFiles.format", "csv")
        return files.option("header", "true").schema(schema).load(f"{LANDING}/{name}")
