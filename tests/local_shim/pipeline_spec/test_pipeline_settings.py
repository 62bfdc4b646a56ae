"""`pipelines.*` settings: where they may be set, and what a wrong one says."""

from __future__ import annotations

import pytest

from local_shim.errors import ShimError, UsageError
from local_shim.pipeline_spec.pipeline_settings import MAX_RETRIES, TRIGGER_INTERVAL, settings_page
from tests.conformance import HERE
from tests.pipeline_folder import Pipeline

STREAM_FROM_BATCH_VIEW = """
import dlt

spark.conf.set("pipelines.incompatibleViewCheck.enabled", "{check}")

@dlt.table
def source():
    return spark.readStream.format("rate").load()

@dlt.view
def v():
    return spark.readStream.table("source")

@dlt.table
def t():
    return spark.read.table("v")
"""


def test_a_source_file_may_set_a_setting(pipeline: Pipeline) -> None:
    pipeline.write(STREAM_FROM_BATCH_VIEW.format(check="false"))
    assert pipeline.plan().flows
    pipeline.write(STREAM_FROM_BATCH_VIEW.format(check="true"))
    with pytest.raises(ShimError, match="INCOMPATIBLE_STREAMING_VIEW_READ"):
        pipeline.plan()


def test_a_misspelt_setting_is_a_warning_with_the_nearest_key(pipeline: Pipeline) -> None:
    pipeline.conf["pipelines.maxFlowRetryAttempt"] = "1"
    pipeline.write("import dlt\n@dlt.table\ndef t():\n    return spark.range(1)")
    (warning,) = pipeline.plan().warnings
    assert "did you mean 'pipelines.maxFlowRetryAttempts'?" in warning


def test_the_first_source_that_has_the_key_decides() -> None:
    key = MAX_RETRIES.key
    assert MAX_RETRIES.read({}, {key: "7"}) == 7
    assert MAX_RETRIES.read({key: "0"}, {key: "7"}) == 0
    assert MAX_RETRIES.read({}, {}) == 2


@pytest.mark.parametrize("text", ["soon", "5", "-1 seconds", "5 fortnights", ""])
def test_a_text_of_another_type_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(UsageError, match="a number and second, minute, hour or day"):
        TRIGGER_INTERVAL.read({TRIGGER_INTERVAL.key: text})


@pytest.mark.parametrize(
    ("text", "seconds"), [("1 second", 1), ("2 Minutes", 120), ("1 day", 86400)]
)
def test_an_interval_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert TRIGGER_INTERVAL.read({TRIGGER_INTERVAL.key: text}) == seconds


def test_the_page_of_settings_is_up_to_date() -> None:
    assert (HERE / "docs" / "settings.md").read_text(encoding="utf-8") == settings_page()
