"""How the JVM of Spark is started: its heap, compilers and class archive."""

from __future__ import annotations

import os
from pathlib import Path

from local_shim.jvm.classpath import jars

_LOGGING = Path(__file__).parents[1] / "log4j2.properties"


def heap_megabytes() -> int:
    """A quarter of the machine's memory, but at least 1 GB and at most 4."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    quarter = pages * size // 4 // 2**20
    return min(max(quarter, 1024), 4096)


def java_options(large_data: bool, record_classes_in: Path | None) -> str:
    """The options, as one text; the arguments are those of `open_session`."""
    options = ["-XX:+UseParallelGC", "-Duser.timezone=UTC"]
    # The C2 compiler takes minutes of processor time for Spark, which only large data pay back.
    options += [] if large_data else ["-XX:TieredStopAtLevel=1"]
    # The C1 compiler alone gets 48 MB for its code. Spark fills that, and the rest is interpreted.
    options += ["-XX:ReservedCodeCacheSize=512m"]
    # Planning makes much garbage and keeps little: a small initial heap is collected all the time.
    options += [f"-Xms{heap_megabytes() // 2}m", "-XX:NewRatio=1", "-XX:MetaspaceSize=256m"]
    options += [f"-Dlog4j2.configurationFile={_LOGGING}"]
    options += ["-Xlog:disable"]
    archive = jars.class_archive()
    if record_classes_in is not None:
        options.append(f"-XX:ArchiveClassesAtExit={record_classes_in}")
    elif archive.exists():
        options.append(f"-XX:SharedArchiveFile={archive}")
    return " ".join(options)
