"""Resolves jars with Ivy, which comes with pyspark, so that a company's mirror can be named.

Ivy reads the file that the Spark property `spark.jars.ivySettings` names, as `spark-submit
--packages` does, or else its own default settings. It runs once, at install: it takes seconds.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local_shim import durable_files
from local_shim.errors import SetupError

_SETTINGS_PROPERTY = "spark.jars.ivySettings"
_PROPERTY = re.compile(re.escape(_SETTINGS_PROPERTY) + r"(?:\s*[=:]\s*|\s+)(\S+)")
_UNRESOLVED = re.compile(r"^\s*:: ([^#\s]+)#([^;\s]+);([^:\s]+): (.*)$", re.M)
_PATTERN = "[artifact]-[revision].[ext]"


@dataclass(frozen=True)
class MavenJar:
    """A jar by its coordinates, with the SHA-256 that its content must have."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The name of its file."""
        return f"{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


def resolve_jars(jars: Sequence[MavenJar], folder: Path, java: Path, spark_home: Path) -> None:
    """Puts the jars into `folder`, each as a whole.

    Raises SetupError if Ivy cannot resolve one of them or if one has another content than expected;
    `folder` then has none of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".ivy-", dir=folder.parent) as work:
        _run_ivy(jars, Path(work), java, spark_home)
        for jar in jars:
            _check(Path(work) / jar.file_name, jar)
        for jar in jars:
            durable_files.move(Path(work) / jar.file_name, folder / jar.file_name)


def ivy_settings(spark_home: Path) -> Path | None:
    """The file that `spark.jars.ivySettings` names in spark-defaults.conf; None if it names none.

    spark-defaults.conf is looked for in SPARK_CONF_DIR, else in `conf` of Spark's folder.
    """
    folder = Path(os.environ.get("SPARK_CONF_DIR") or spark_home / "conf")
    for line in (durable_files.read_text(folder / "spark-defaults.conf") or "").splitlines():
        match = _PROPERTY.fullmatch(line.strip())
        if match:
            return Path(match.group(1).removeprefix("file://"))
    return None


def _run_ivy(jars: Sequence[MavenJar], work: Path, java: Path, spark_home: Path) -> None:
    module, settings = work / "ivy.xml", ivy_settings(spark_home)
    module.write_text(_ivy_module(jars), encoding="utf-8")
    command = [str(java), "-cp", str(spark_home / "jars" / "*"), "org.apache.ivy.Main"]
    command += ["-ivy", str(module), "-cache", str(work / "cache")]
    command += ["-retrieve", str(work / _PATTERN), "-warn"]
    if settings is not None:
        command += ["-settings", str(settings)]
    ivy = subprocess.run(command, capture_output=True, text=True, check=False, cwd=work)
    if ivy.returncode or any(not (work / jar.file_name).exists() for jar in jars):
        raise _not_resolved(jars, settings, ivy.stdout + ivy.stderr)


def _ivy_module(jars: Sequence[MavenJar]) -> str:
    """An Ivy module that depends on the jars and, as pyspark has the rest, on nothing else."""
    dependencies = "".join(
        f'<dependency org="{jar.group}" name="{jar.artifact}" rev="{jar.version}" '
        'transitive="false" conf="default->default"/>'
        for jar in jars
    )
    return (
        '<ivy-module version="2.0"><info organisation="local" module="dlt-local"/>'
        '<configurations><conf name="default"/></configurations>'
        f"<dependencies>{dependencies}</dependencies></ivy-module>"
    )


def _not_resolved(jars: Sequence[MavenJar], settings: Path | None, output: str) -> SetupError:
    unresolved = {":".join(names): reason for *names, reason in _UNRESOLVED.findall(output)}
    coordinates = ", ".join(unresolved or map(str, jars))
    reason = next(iter(unresolved.values()), "see the settings")
    source = f"the settings in {settings}" if settings else "its default settings"
    return SetupError(
        "JARS_NOT_RESOLVED",
        f"Ivy, with {source}, could not resolve {coordinates}: {reason}.",
        hint="go online once and run `make install`; for a mirror, name an ivysettings.xml as "
        f"{_SETTINGS_PROPERTY} in spark-defaults.conf (in SPARK_CONF_DIR)",
    )


def _check(path: Path, jar: MavenJar) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != jar.sha256:
        raise SetupError(
            "JAR_DAMAGED",
            f"{jar} has the SHA-256 {digest}, expected {jar.sha256}.",
            hint="the repository or a proxy changed the file; try again or name another repository",
        )
