"""Event hooks: what they receive, and when one is disabled."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_shim.events.event import EventType
from local_shim.events.log import EventLog
from tests.pipeline_folder import Pipeline


@pytest.mark.dlt(123)
def test_a_hook_receives_events_and_is_disabled_after_too_many_failures(
    pipeline: Pipeline,
) -> None:
    pipeline.write(
        """
        import dlt
        from pathlib import Path

        @dlt.on_event_hook
        def listen(event):
            with Path(__file__).with_name("types.txt").open("a") as file:
                print(event["event_type"], file=file)

        @dlt.on_event_hook(max_allowable_consecutive_failures=1)
        def broken(event):
            raise ValueError("always")

        @dlt.table
        def t():
            return spark.range(1)
        """
    )
    assert pipeline.update() == 0
    failures = [e for e in pipeline.events if e.event_type == "hook_progress"]
    assert len(failures) == 2  # one more than allowed
    assert [event.details["status"] for event in failures] == ["FAILED", "DISABLED"]
    types = (pipeline.folder / "source" / "types.txt").read_text().split()
    assert "create_update" in types and "hook_progress" not in types


def test_a_hook_that_fails_after_the_update_ended_is_ignored(tmp_path: Path) -> None:
    """A slow hook outlives the wait at the end of an update; its failure has no journal."""
    log = EventLog(tmp_path / "journal.jsonl", {"update_id": "1"}, ())
    log.close()
    log.write(EventType.HOOK_PROGRESS, "Hook 'slow' failed")
    assert (tmp_path / "journal.jsonl").read_text() == ""
