"""Hadoop's file system and configuration in the JVM, without work that nobody needs here.

Read from Hadoop 3.5.0: `hadoop-common/…/conf/Configuration.java` (properties, updatingResource,
write, readFields) and `fs/FileSystem.java` (getLocal).
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession


def lighten(spark: SparkSession) -> None:
    """Makes Hadoop's part of each write and of each Spark job cheaper."""
    _write_no_checksums(spark)
    _forget_settings_of_yarn(spark)
    _forget_origins_of_settings(spark)


def _write_no_checksums(spark: SparkSession) -> None:
    """Writes no `.crc` files beside local files: each costs a process (chmod), and none is read.

    Hadoop caches the file system in the process, so Spark and Delta get the one that is set here.
    """
    java: Any = spark._jvm
    hadoop = spark._jsparkSession.sessionState().newHadoopConf()
    java.org.apache.hadoop.fs.FileSystem.getLocal(hadoop).setWriteChecksum(False)


def _forget_settings_of_yarn(spark: SparkSession) -> None:
    """Removes the defaults of YARN, half of all settings: there is no such cluster here.

    Spark sends the settings with each scan and write, and Hadoop copies them for each text file.
    """
    java: Any = spark._jvm
    defaults = java.org.apache.hadoop.conf.Configuration(False)
    defaults.addResource("yarn-default.xml")
    defaults.size()  # reads the file
    of_yarn = _field(spark, "properties").get(defaults).keySet()
    _field(spark, "properties").get(spark._jsc.hadoopConfiguration()).keySet().removeAll(of_yarn)


def _forget_origins_of_settings(spark: SparkSession) -> None:
    """Empties the notes of which file each of 1,100 settings comes from.

    Spark sends the configuration to the tasks of each scan and write, and Hadoop compresses each
    note by itself: 47 ms for one configuration, of which the settings take 3. All configurations
    of Spark are copies of this one, and only `Configuration.getPropertySources` reads the notes.
    """
    _field(spark, "updatingResource").get(spark._jsc.hadoopConfiguration()).clear()


def _field(spark: SparkSession, name: str) -> Any:
    """A private field of Hadoop's configurations."""
    java: Any = spark._jvm
    field = java.java.lang.Class.forName("org.apache.hadoop.conf.Configuration").getDeclaredField(
        name
    )
    field.setAccessible(True)
    return field
