"""The JSON a real task takes: what is followed, refused and listed: item 15 and part of 13."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local_shim.dms.settings.document import Document
from local_shim.dms.settings.replication_task import read_task_settings
from local_shim.dms.settings.s3_target import read_s3_settings
from local_shim.dms.settings.source_endpoint import read_source_settings
from local_shim.dms.settings.stand_in import read_stand_in
from local_shim.dms.task import load_task
from local_shim.errors import UsageError
from tests.local_shim.dms.lab import PROFILE, Lab

PROJECT = Path(__file__).parents[3]


def s3(**values: Any) -> Any:
    return read_s3_settings(Document(values, "s3-settings.json"))


def task(**values: Any) -> Any:
    return read_task_settings(Document(values, "task-settings.json"))


@pytest.mark.dms(15)
def test_contradictions_are_refused() -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        s3(CdcInsertsOnly=True, CdcInsertsAndUpdates=True)
    for name in ("BatchApplyEnabled", "FullLobMode"):
        with pytest.raises(UsageError, match=f"{name} must be false for an S3 target"):
            task(TargetMetadata={name: True})


@pytest.mark.dms(13, 15)
@pytest.mark.parametrize("other", ["AddColumnName", "DatePartitionEnabled"])
def test_preserved_transactions_refuse_headers_and_date_folders(other: str) -> None:
    s3(PreserveTransactions=True, CdcPath="changes")
    with pytest.raises(UsageError, match="cannot go with AddColumnName or DatePartitionEnabled"):
        s3(PreserveTransactions=True, CdcPath="changes", **{other: True})
    with pytest.raises(UsageError, match="needs CdcPath"):
        s3(PreserveTransactions=True)


def test_defaults_are_those_of_aws() -> None:
    settings = s3()
    assert (settings.csv.null, settings.csv.delimiter, settings.csv.quoting) == (
        b"NULL",
        b",",
        True,
    )
    assert (settings.batch_seconds, settings.batch_bytes) == (60, 32000 * 1024)
    assert settings.max_load_bytes == 1 << 30
    assert not settings.include_op and not settings.csv.header and settings.parquet is None
    assert task().prep_mode == "DROP_AND_CREATE" and task().lob_bytes == 32 * 1024


@pytest.mark.parametrize(
    ("spelling", "extension"),
    [("parquet", ".parquet"), ("PARQUET", ".parquet"), ("csv", ".csv")],
)
def test_words_are_taken_in_aws_s_three_spellings(spelling: str, extension: str) -> None:
    settings = s3(DataFormat=spelling, ParquetVersion="PARQUET_2_0", CompressionType="NONE")
    assert settings.extension == extension


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"AddColumnNames": True}, "did you mean 'AddColumnName'?"),
        ({"CompressionType": "snappy"}, "none or gzip"),
        ({"CdcMaxBatchInterval": "60"}, "a whole number"),
        ({"Rfc4180": "yes"}, "true or false"),
        ({"DatePartitionTimezone": "Mars/Olympus"}, "a time zone"),
        ({"GlueCatalogGeneration": True}, "is not imitated"),
        ({"UseCsvNoSupValue": True}, "is not imitated"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(values: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        s3(**values)
    assert words in str(caught.value) and "s3-settings.json" in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"TargetMetadata": {"SupportLobs": False}},
        {"ErrorBehavior": {"DataTruncationErrorPolicy": "SUSPEND_TABLE"}},
        {"ValidationSettings": {"EnableValidation": True}},
        {"FullLoadSettings": {"StopTaskCachedChangesApplied": True}},
    ],
)
def test_what_would_change_files_and_is_not_imitated_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        task(**values)
    assert caught.value.condition == "DMS_SETTING_NOT_IMITATED"


def test_a_setting_that_is_not_followed_is_named_with_what_a_real_task_would_do() -> None:
    settings = task(
        Logging={"EnableLogging": True},
        StreamBufferSettings={},
        ChangeProcessingDdlHandlingPolicy={"HandleSourceTableDropped": True},
        ControlTablesSettings={"StatusTableEnabled": True, "HistoryTableEnabled": False},
        ErrorBehavior={"DataErrorEscalationCount": 50},
    )
    assert settings.not_imitated == (
        "DataErrorEscalationCount = 50 is not imitated: a real task suspends or stops after so "
        "many errors",
        "HandleSourceTableDropped = true is not imitated: a real task deletes the objects of a "
        "table that is dropped",
        "StatusTableEnabled = true is not imitated: a real task writes awsdms_status; here "
        "`dlt-local dms status` tells it",
    )


def all_classes(document: Document, prefix: str = "") -> dict[str, str]:
    """Every setting that a reader asks for, with what the stand-in does with it."""
    classes = {prefix + name: text for name, text in document.classes.items()}
    for name, part in document.parts.items():
        classes.pop(prefix + name, None)
        classes |= all_classes(part, f"{prefix}{name}.")
    return classes


@pytest.mark.parametrize("reader", [read_s3_settings, read_task_settings, read_source_settings])
def test_the_page_lists_every_setting_with_its_class(reader: Any) -> None:
    document = Document({}, "settings.json")
    reader(document)
    page = (PROJECT / "docs" / "dms.md").read_text()
    rows = {f"| `{name}` | {text} |" for name, text in all_classes(document).items()}
    assert rows <= set(page.splitlines()), sorted(rows - set(page.splitlines()))


def test_endpoint_and_stand_in_settings_refuse_what_they_do_not_know() -> None:
    with pytest.raises(UsageError, match="MapBooleanAsBoolean"):
        read_source_settings(Document({"MapBooleanAsBool": True}, "postgresql-settings.json"))
    with pytest.raises(UsageError, match="us or ms or s"):
        read_stand_in(Document({"timestamp_precision": "ns"}, "stand-in.json"))


def test_a_missing_document_is_named(tmp_path: Path) -> None:
    (tmp_path / "table-mappings.json").write_text('{"rules": [')
    with pytest.raises(UsageError, match=r"table-mappings\.json"):
        load_task(tmp_path, "", tmp_path)
    (tmp_path / "table-mappings.json").unlink()
    with pytest.raises(UsageError) as caught:
        load_task(tmp_path, "", tmp_path)
    assert caught.value.condition == "DMS_TASK_FILE_MISSING"


def test_the_insurance_task_is_read_as_it_stands() -> None:
    folder = PROJECT / "resources" / "dms"
    loaded = load_task(folder, "", Path("lake"))
    assert loaded.mapping.selects("public", "claim")
    assert loaded.mapping.plan("public", "claim", ["claim_id", "description"]).columns == (
        "claim_id",
        None,
    )
    assert loaded.s3.csv.null == b"\\N" and loaded.s3.timestamp_column == "_dms_commit_ts"
    # As AWS has it: nothing in the documents is the stand-in's own invention.
    assert not (folder / "stand-in.json").exists()


def test_the_profile_of_these_tests_is_accepted(lab: Lab) -> None:
    written = json.loads((lab.folder / "s3-settings.json").read_text())
    assert written == PROFILE
    assert load_task(lab.folder, lab.uri, lab.target).s3.include_op
