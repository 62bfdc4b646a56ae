# Databricks notebook source
TABLES = {"flights": "id INT, airline STRING, delay INT", "airlines": "code STRING, name STRING"}
LANDING = spark.conf.get("landing")
