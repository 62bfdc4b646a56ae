"""Hadoop's file system and configuration in the JVM, without work that nobody needs here.

Read from Hadoop 3.5.0: `hadoop-common/…/conf/Configuration.java` (updatingResource, write,
readFields) and `fs/FileSystem.java` (getLocal).
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession


def lighten(spark: SparkSession) -> None:
    """Makes Hadoop's part of each write and of each Spark job cheaper."""
    _write_no_checksums(spark)
    _forget_origins_of_settings(spark)


def _write_no_checksums(spark: SparkSession) -> None:
    """Writes no `.crc` files beside local files: each costs a process (chmod), and none is read.

    Hadoop caches the file system in the process, so Spark and Delta get the one that is set here.
    """
    java: Any = spark._jvm
    hadoop = spark._jsparkSession.sessionState().newHadoopConf()
    java.org.apache.hadoop.fs.FileSystem.getLocal(hadoop).setWriteChecksum(False)


def _forget_origins_of_settings(spark: SparkSession) -> None:
    """Empties the notes of which file each of 1,100 settings comes from.

    Spark sends the configuration to the tasks of each scan and write, and Hadoop compresses each
    note by itself: 47 ms for one configuration, of which the settings take 3. All configurations
    of Spark are copies of this one, and only `Configuration.getPropertySources` reads the notes.
    """
    java: Any = spark._jvm
    configuration = java.java.lang.Class.forName("org.apache.hadoop.conf.Configuration")
    notes = configuration.getDeclaredField("updatingResource")
    notes.setAccessible(True)
    notes.get(spark._jsc.hadoopConfiguration()).clear()
