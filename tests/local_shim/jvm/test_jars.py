"""Jars are resolved once, from the repository that the user's settings name, and are checked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local_shim.errors import SetupError
from local_shim.install import resolve_avro_if_possible
from local_shim.jvm.classpath import jars
from local_shim.jvm.classpath.jars import (
    AVRO_JAR,
    DELTA_JARS,
    avro_jar,
    class_archive,
    delta_jars,
    launcher_options,
    session_jars,
)
from local_shim.jvm.classpath.maven import ivy_settings

SETTINGS = """
<ivysettings>
  <settings defaultResolver="mirror"/>
  <resolvers><ibiblio name="mirror" m2compatible="true" root="{root}"/></resolvers>
</ivysettings>
"""


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A company's repository with the jars of this machine's cache; the new cache is empty."""
    installed = delta_jars()
    root = tmp_path / "mirror"
    for jar, path in zip((*DELTA_JARS, AVRO_JAR), (*installed, avro_jar()), strict=True):
        folder = root.joinpath(*jar.group.split("."), jar.artifact, jar.version)
        folder.mkdir(parents=True)
        shutil.copy(path, folder / jar.file_name)
    (tmp_path / "ivysettings.xml").write_text(SETTINGS.format(root=root.as_uri()))
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "spark-defaults.conf").write_text(
        f"# the mirror\nspark.jars.ivySettings   {tmp_path / 'ivysettings.xml'}\n"
    )
    monkeypatch.setenv("SPARK_CONF_DIR", str(conf))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return root


def test_a_mirror_of_the_users_settings_serves_the_jars(mirror: Path) -> None:
    paths = delta_jars()
    assert [path.name for path in paths] == [jar.file_name for jar in DELTA_JARS]
    assert all(path.is_relative_to(mirror.parent / "cache") for path in paths)
    shutil.rmtree(mirror)
    assert delta_jars() == paths  # nothing is resolved again


def test_the_jar_for_avro_joins_the_class_path_once_it_is_resolved(mirror: Path) -> None:
    paths, archive = delta_jars(), class_archive()
    assert session_jars() == paths
    resolve_avro_if_possible()
    shutil.rmtree(mirror)
    resolve_avro_if_possible()  # nothing is resolved again
    assert session_jars() == [*paths, avro_jar()]
    assert class_archive() != archive


def test_an_install_goes_on_without_the_jar_for_avro(
    mirror: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(mirror)
    resolve_avro_if_possible()
    assert not avro_jar().exists()
    message = capsys.readouterr().err
    assert message.startswith("Avro files cannot be read here: ")
    assert "could not resolve org.apache.spark:spark-avro_2.13" in message


def test_a_jar_that_the_mirror_lacks_is_named_and_nothing_is_installed(mirror: Path) -> None:
    shutil.rmtree(mirror / "io" / "unitycatalog" / "unitycatalog-hadoop")
    with pytest.raises(SetupError, match=r"could not resolve io\.unitycatalog:unitycatalog-hadoop"):
        delta_jars()
    assert os.listdir(jars.cache_folder() / "jars") == []


def test_a_repository_that_cannot_be_reached_is_one_clear_error(
    mirror: Path, tmp_path: Path
) -> None:
    nobody = SETTINGS.format(root="http://127.0.0.1:9/")
    (tmp_path / "ivysettings.xml").write_text(nobody)
    with pytest.raises(SetupError) as raised:
        delta_jars()
    assert raised.value.condition == "JARS_NOT_RESOLVED"
    assert "ivysettings.xml" in raised.value.message
    assert "make install" in raised.value.hint


def test_a_jar_of_another_content_is_refused(mirror: Path) -> None:
    (damaged,) = mirror.rglob("delta-storage-*.jar")
    damaged.write_bytes(damaged.read_bytes() + b"!")
    with pytest.raises(SetupError, match="JAR_DAMAGED"):
        delta_jars()
    assert os.listdir(jars.cache_folder() / "jars") == []


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("spark.jars.ivySettings=/etc/ivy.xml", Path("/etc/ivy.xml")),
        ("spark.jars.ivySettings\tfile:///etc/ivy.xml", Path("/etc/ivy.xml")),
        ("spark.jars.ivySettings = /etc/ivy.xml", Path("/etc/ivy.xml")),
        ("# spark.jars.ivySettings /etc/ivy.xml\nspark.jars.ivy /tmp", None),
    ],
)
def test_settings_are_named_as_spark_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, settings: Path | None
) -> None:
    (tmp_path / "spark-defaults.conf").write_text(text)
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    assert ivy_settings(tmp_path) == settings


def test_the_launcher_finds_its_classes_without_the_other_jars() -> None:
    command = ["java", *launcher_options().split(), "org.apache.spark.launcher.Main"]
    output = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Not enough arguments" in output.stderr  # of the launcher: its class was there
