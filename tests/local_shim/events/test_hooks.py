"""Event hooks: what they receive, and when one is disabled."""

from __future__ import annotations

import pytest

from tests.pipeline_folder import Pipeline


@pytest.mark.dlt(123)
def test_a_hook_receives_events_and_is_disabled_after_too_many_failures(
    pipeline: Pipeline,
) -> None:
    pipeline.write(
        """
        import dlt
        types = []

        @dlt.on_event_hook
        def listen(event):
            types.append(event["event_type"])
            spark.conf.set("test.types", ",".join(types))

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
    types = pipeline.spark.conf.get("test.types").split(",")
    assert "create_update" in types and "hook_progress" not in types
