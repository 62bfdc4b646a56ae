# Databricks notebook source
dbutils.widgets.dropdown("limit", "20", ["20", "30"])
LIMIT = int(dbutils.widgets.get("limit"))

# COMMAND ----------

LANDING = "/Volumes/main/default/landing"
SCHEMA = "sensor STRING, degrees INT"
