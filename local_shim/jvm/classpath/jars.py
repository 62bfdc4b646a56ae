"""The Java side: which Java, which Delta jars, and an archive that makes the JVM start faster.

pyspark brings nearly all jars that Delta needs; Ivy resolves the few others once, at install, into
the user's cache folder. After that no network is needed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from local_shim.errors import SetupError
from local_shim.jvm.classpath.maven import MavenJar, resolve_jars

# What delta-spark 4.4.0 for Spark 4.2 needs beyond pyspark's jars, with the SHA-256 of each.
# 0.6.0 is the version of Unity Catalog that it was built with.
DELTA_JARS = tuple(
    MavenJar(*line.split())
    for line in """
io.delta delta-spark_4.2_2.13 4.4.0 27d4fd8b1f879535c573ed1c718177d6a27f24d3e626ba02e216369725721ead
io.delta delta-storage 4.4.0 c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc
io.delta delta-kernel-api 4.4.0 ee9b5a14ac3b7efdff4d61a58478fe8eb0e5a3fbca43889dca7290795fe79a11
io.delta delta-kernel-defaults 4.4.0 225c975199e4718b38ee5b7e6da7f19e9585024262b2cec2656b32151a856b0b
io.delta delta-kernel-unitycatalog 4.4.0 cea22dfb4ac562b3cd27bf652697750e8336009d73fb06631363aaaad5345ffa
io.unitycatalog unitycatalog-client 0.6.0 48257499a86b801a3e2372cec55ac226ca1c1c7eabe5c118e7302f29a1fdbc19
io.unitycatalog unitycatalog-hadoop 0.6.0 c47b63c961c87102b9e1d63809a0915ba4c86b7652f57c8d39ca3a05b441a150
""".strip().splitlines()  # noqa: E501
)

# Spark's module for Avro files, which pyspark lacks. Everything else works without it.
AVRO_JAR = MavenJar(
    "org.apache.spark",
    "spark-avro_2.13",
    "4.2.0",
    "4c186cedc03cbe4ee356a94b32232b347ef48611c3209400b3a77e4fe4abff4f",
)


def cache_folder() -> Path:
    """The user's cache folder for one combination of Spark and Delta versions."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    versions = f"spark-{metadata.version('pyspark')}-delta-{metadata.version('delta-spark')}"
    return root / "dlt-local" / versions


def delta_jars() -> list[Path]:
    """Paths of the jars that pyspark lacks, in a fixed order; resolved if the cache has them not.

    Raises SetupError if they cannot be resolved, or if another delta-spark is installed than the
    one that they belong to.
    """
    folder = cache_folder() / "jars"
    missing = [jar for jar in DELTA_JARS if not (folder / jar.file_name).exists()]
    if missing:
        _check_versions()
        resolve_jars(missing, folder, _java() or Path("java"), _spark_home())
    return [folder / jar.file_name for jar in DELTA_JARS]


def session_jars() -> list[Path]:
    """The jars on the class path, in a fixed order: those of Delta, and Avro's if it is there."""
    return [*delta_jars(), *([avro_jar()] if avro_jar().exists() else [])]


def avro_jar() -> Path:
    """Where the jar for Avro files lies once `resolve_avro` has put it there."""
    return cache_folder() / "jars" / AVRO_JAR.file_name


def resolve_avro() -> None:
    """Puts the jar for Avro files into the cache (install step); SetupError if it cannot be had."""
    if not avro_jar().exists():
        resolve_jars([AVRO_JAR], avro_jar().parent, _java() or Path("java"), _spark_home())


def _check_versions() -> None:
    delta = metadata.version("delta-spark")
    if delta != DELTA_JARS[0].version:
        raise SetupError(
            "DELTA_VERSION",
            f"delta-spark {delta} is installed; this package works with {DELTA_JARS[0].version}.",
            hint=f"pip install delta-spark=={DELTA_JARS[0].version}",
        )


def check_java() -> None:
    """Raises SetupError unless the `java` that Spark would start is version 17 or newer."""
    java = _java()
    if java is None or not java.exists():
        raise SetupError("JAVA_MISSING", "No Java was found.", hint=_INSTALL_JAVA)
    command = [str(java), "-version"]
    output = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    match = re.search(r'version "(\d+)', output)
    if not match or int(match.group(1)) < 17:
        version = match.group(1) if match else "unknown"
        raise SetupError(
            "JAVA_TOO_OLD", f"Spark 4 needs Java 17; {java} is {version}.", hint=_INSTALL_JAVA
        )


_INSTALL_JAVA = "apt-get install -y openjdk-17-jre-headless   (or set JAVA_HOME)"


def class_archive() -> Path:
    """Where the class-data archive of this combination lies; it may not exist.

    The key holds the Java version and the class path: a JVM silently ignores an archive of others.
    """
    return cache_folder() / f"classes-{_java_key()}.jsa"


def _java_key() -> str:
    java = _java() or Path("java")
    resolved = java.resolve() if java.exists() else java
    spark_jars = _spark_home() / "jars"
    text = f"{resolved}|{resolved.stat().st_size if resolved.exists() else 0}|{spark_jars}"
    text += "|avro" if avro_jar().exists() else ""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _java() -> Path | None:
    """The `java` that Spark would start; None if none is on the PATH."""
    home, on_path = os.environ.get("JAVA_HOME"), shutil.which("java")
    if home:
        return Path(home) / "bin" / "java"
    return Path(on_path) if on_path else None


def _spark_home() -> Path:
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise SetupError("SPARK_MISSING", "pyspark is not installed.", hint="run `make install`")
    return Path(spec.origin).parent


def launcher_options() -> str:
    """Options of the small JVM in which spark-submit makes the command line of Spark's JVM.

    It opens all jars of Spark to find its few classes (0.4 s), unless they come first.
    """
    options = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    jars = [str(jar) for jar in (_spark_home() / "jars").glob("spark-launcher_*.jar")]
    if len(jars) == 1 and " " not in jars[0]:  # the script splits options at blanks
        options += f" -Xbootclasspath/a:{jars[0]}"
    return options


def driver_class_path(jars: Iterable[Path]) -> str:
    """The class path; byte-identical in every run, or the class archive is ignored."""
    return os.pathsep.join(sorted(str(jar) for jar in jars))
