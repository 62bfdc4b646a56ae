"""Checksum files of old versions: deleted after an update, and nobody misses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_shim.delta import old_checksums
from local_shim.storage import delta_version
from tests.pipeline_folder import Pipeline


def checksums(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "_delta_log").glob("*.crc"))


def test_checksums_of_old_versions_are_deleted(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest stays, the source's stay, and old versions can be read from the log."""
    monkeypatch.setattr(old_checksums, "_KEPT", 1)
    monkeypatch.setattr(old_checksums, "_MOST", 2)
    source = pipeline.folder / "storage" / "tables" / "source" / "default" / "rows"
    pipeline.write(
        """
        import dlt

        @dlt.table
        def stream():
            return spark.readStream.table("source.default.rows")

        @dlt.table
        def view():
            return spark.read.table("stream")
        """
    )
    for number in range(4):
        row = pipeline.spark.range(number, number + 1).coalesce(1)
        row.write.format("delta").mode("append").save(str(source))
        assert pipeline.update() == 0
    for folder in (pipeline.path("stream"), pipeline.path("view")):
        assert checksums(folder) == [f"{delta_version(folder):020}.crc"]
    events = pipeline.folder / "storage" / "system" / "events"  # gets another commit afterwards
    assert len(checksums(events)) == 2
    assert len(checksums(source)) == 4
    assert pipeline.rows("stream") == pipeline.rows("view") == [(n,) for n in range(4)]
    earlier = pipeline.spark.read.option("versionAsOf", 2).format("delta")
    assert earlier.load(str(pipeline.path("stream"))).count() == 2
