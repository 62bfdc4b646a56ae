"""The Java side: which Java, which Delta jars, and an archive that makes the JVM start faster.

pyspark brings nearly all jars that Delta needs; the few missing ones are fetched once from Maven
Central into the user's cache folder. After that no network is needed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from local_shim import durable_files
from local_shim.errors import SetupError

MAVEN_CENTRAL = "https://repo1.maven.org/maven2"
UNITY_CATALOG = "0.6.0"  # the version that Delta 4.4.0 was built with


def cache_folder() -> Path:
    """The user's cache folder for one combination of Spark and Delta versions."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    versions = f"spark-{metadata.version('pyspark')}-delta-{metadata.version('delta-spark')}"
    return root / "dlt-local" / versions


def delta_jars() -> list[Path]:
    """Paths of the jars that pyspark lacks, fetched on first use, in a fixed order."""
    folder = cache_folder() / "jars"
    return [_fetched(folder, *coordinates) for coordinates in _missing_in_pyspark()]


def _missing_in_pyspark() -> list[tuple[str, str, str]]:
    delta = metadata.version("delta-spark")
    spark = ".".join(metadata.version("pyspark").split(".")[:2])
    return [
        ("io.delta", f"delta-spark_{spark}_2.13", delta),
        ("io.delta", "delta-storage", delta),
        ("io.delta", "delta-kernel-api", delta),
        ("io.delta", "delta-kernel-defaults", delta),
        ("io.delta", "delta-kernel-unitycatalog", delta),
        ("io.unitycatalog", "unitycatalog-client", UNITY_CATALOG),
        ("io.unitycatalog", "unitycatalog-hadoop", UNITY_CATALOG),
    ]


def _fetched(folder: Path, group: str, artifact: str, version: str) -> Path:
    jar = folder / f"{artifact}-{version}.jar"
    if not jar.exists():
        url = f"{MAVEN_CENTRAL}/{group.replace('.', '/')}/{artifact}/{version}/{jar.name}"
        content = _download(url)
        expected = _download(url + ".sha1").decode().split()[0]
        if hashlib.sha1(content, usedforsecurity=False).hexdigest() != expected:
            raise SetupError("JAR_DAMAGED", f"{url} does not match its checksum.", hint="try again")
        durable_files.write_atomically(jar, content)
    return jar


def _download(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=120) as response:
            return bytes(response.read())
    except (urllib.error.URLError, TimeoutError) as error:
        raise SetupError(
            "JAR_NOT_FETCHED",
            f"{url} could not be fetched: {error}.",
            hint="go online once and run `make install`; later runs need no network",
        ) from error


def check_java() -> None:
    """Raises SetupError unless the `java` that Spark would start is version 17 or newer."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not java or not Path(java).exists():
        raise SetupError("JAVA_MISSING", "No Java was found.", hint=_INSTALL_JAVA)
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    if not found or int(found.group(1)) < 17:
        version = found.group(1) if found else "unknown"
        raise SetupError(
            "JAVA_TOO_OLD", f"Spark 4 needs Java 17; {java} is {version}.", hint=_INSTALL_JAVA
        )


_INSTALL_JAVA = "apt-get install -y openjdk-17-jre-headless   (or set JAVA_HOME)"


def class_archive() -> Path:
    """Where the class-data archive of this combination lies; it may not exist.

    The key holds the Java version too: a JVM silently ignores an archive of another one.
    """
    return cache_folder() / f"classes-{_java_key()}.jsa"


def _java_key() -> str:
    home = os.environ.get("JAVA_HOME", "")
    java = Path(home) / "bin" / "java" if home else Path(shutil.which("java") or "java")
    resolved = java.resolve() if java.exists() else java
    spark_jars = _spark_home() / "jars"
    text = f"{resolved}|{resolved.stat().st_size if resolved.exists() else 0}|{spark_jars}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _spark_home() -> Path:
    import pyspark

    return Path(pyspark.__file__).parent


def driver_class_path(jars: Iterable[Path]) -> str:
    """The class path; byte-identical in every run, or the class archive is ignored."""
    return os.pathsep.join(sorted(str(jar) for jar in jars))
