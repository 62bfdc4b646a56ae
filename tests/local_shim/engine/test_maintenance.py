"""What daily maintenance deletes, and what it keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from local_shim.storage import Storage, delta_version
from tests.pipeline_folder import Pipeline

SOURCE = """
    import dlt

    @dlt.table(table_properties={"delta.deletedFileRetentionDuration": "interval 0 hours"})
    def short():
        return spark.range(spark.conf.get("shop.rows")).coalesce(1)

    @dlt.table
    def usual():
        return spark.range(spark.conf.get("shop.rows")).coalesce(1)

    @dlt.table(table_properties={"delta.deletedFileRetentionDuration": "interval 9 milliseconds"})
    def unreadable():
        return spark.range(spark.conf.get("shop.rows")).coalesce(1)
"""


def update(pipeline: Pipeline, rows: int, hours: int | None = None) -> list[int]:
    """An update some hours after the last maintenance; gives the data files of the three tables."""
    if hours is not None:
        storage = Storage(pipeline.folder / "storage", "test")
        storage.note_maintenance(datetime.now(UTC) - timedelta(hours=hours))
    pipeline.conf["shop.rows"] = str(rows)
    assert pipeline.update() == 0
    folders = [pipeline.path(name) for name in ("short", "usual", "unreadable")]
    return [len(list(folder.glob("*.parquet"))) for folder in folders]


def test_unused_files_are_deleted_once_in_a_day(pipeline: Pipeline) -> None:
    """After 7 days, or the table's property; a property that cannot be read keeps all files."""
    pipeline.write(SOURCE)
    assert update(pipeline, 1) == [1, 1, 1]
    assert update(pipeline, 2, hours=23) == [2, 2, 2]
    assert update(pipeline, 2, hours=25) == [1, 2, 2]
    (maintenance,) = (each for each in pipeline.events if each.event_type == "maintenance_progress")
    assert maintenance.details == {"state": "COMPLETED", "num_deleted_files": 1}
    assert maintenance.origin["maintenance_id"]
    assert update(pipeline, 3) == [2, 3, 3]
    assert len(pipeline.rows("short")) == 3
    assert delta_version(pipeline.path("short")) == 2
