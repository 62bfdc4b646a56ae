"""ReplicationTaskSettings: what the stand-in follows, refuses, or names as not imitated."""

from __future__ import annotations

from dataclasses import dataclass

from local_shim.dms.settings.document import Document
from local_shim.errors import UsageError

# They steer how AWS works inside, or concern other targets than S3.
_NO_EFFECT = (
    "Logging",
    "StreamBufferSettings",
    "ChangeProcessingTuning",
    "TTSettings",
    "LoopbackPreventionSettings",
    "FailTaskWhenCleanTaskResourceFailed",
    "BeforeImageSettings",  # of Kinesis and Kafka; S3 has the rule add-before-image-columns
)
_NOT_IMITATED = {
    "CharacterSetSettings": "replaces characters as it says",
    "PostProcessingRules": "runs them after the load",
}
_METADATA_NO_EFFECT = (
    "LobChunkSize",
    "InlineLobMaxSize",
    "LoadMaxFileSize",
    "ParallelLoadThreads",
    "ParallelLoadBufferSize",
    "ParallelLoadQueuesPerThread",
    "ParallelApplyThreads",
    "ParallelApplyBufferSize",
    "ParallelApplyQueuesPerThread",
    "BatchApplyPreserveTransaction",
    "TaskRecoveryTableEnabled",
)
_ERRORS_NO_EFFECT = (
    "DataErrorEscalationPolicy",
    "TableErrorPolicy",
    "TableErrorEscalationPolicy",
    "RecoverableErrorThrottling",
    "RecoverableErrorThrottlingMax",
    "RecoverableErrorStopRetryAfterThrottlingMax",
    "ApplyErrorDeletePolicy",  # a file takes every row: nothing conflicts in S3
    "ApplyErrorInsertPolicy",
    "ApplyErrorUpdatePolicy",
    "ApplyErrorEscalationPolicy",
    "ApplyErrorEscalationCount",
    "ApplyErrorFailOnTruncationDdl",
    "FullLoadIgnoreConflicts",
    "FailOnTransactionConsistencyBreached",  # the stand-in gives up, as with true
    "FailOnNoTablesCaptured",  # the stand-in fails, as with true
    "EventErrorPolicy",
)
_ERRORS_NOT_IMITATED = {
    "DataErrorEscalationCount": "suspends or stops after so many errors",
    "TableErrorEscalationCount": "stops after so many suspended tables",
}
_CONTROL_NOT_IMITATED = {
    "StatusTableEnabled": "writes awsdms_status; here `dlt-local dms status` tells it",
    "SuspendedTablesTableEnabled": "writes awsdms_suspended_tables; here no table is suspended",
    "HistoryTableEnabled": "writes awsdms_history",
    "FullLoadExceptionTableEnabled": "writes awsdms_full_load_exceptions",
}
_DDL_NOT_IMITATED = {
    "HandleSourceTableDropped": "deletes the objects of a table that is dropped",
}


@dataclass(frozen=True)
class TaskSettings:
    """The task settings; sizes in bytes, intervals in seconds."""

    prep_mode: str  # DO_NOTHING, DROP_AND_CREATE, TRUNCATE_BEFORE_LOAD
    consistency_seconds: int  # how long a full load waits for open transactions
    lob_bytes: int
    truncation_policy: str  # LOG_ERROR, IGNORE_RECORD, STOP_TASK
    data_error_policy: str
    reconnects: int  # -1: without end
    reconnect_seconds: int
    handle_alter: bool
    control_schema: str
    target_schema: str  # the folder of all schemas that no rule renames; empty: their own
    not_imitated: tuple[str, ...]  # what to report of settings that are set


def read_task_settings(document: Document) -> TaskSettings:
    """The settings of a document.

    Raises:
        UsageError: A key is unknown, a value is wrong, or the stand-in cannot imitate it.
    """
    metadata, load = document.part("TargetMetadata"), document.part("FullLoadSettings")
    errors = document.part("ErrorBehavior")
    ddl = document.part("ChangeProcessingDdlHandlingPolicy")
    control = document.part("ControlTablesSettings")
    _refuse_lake_hazards(metadata)
    settings = TaskSettings(
        prep_mode=load.choice(
            "TargetTablePrepMode",
            ("DO_NOTHING", "DROP_AND_CREATE", "TRUNCATE_BEFORE_LOAD"),
            "DROP_AND_CREATE",
        ),
        consistency_seconds=load.number("TransactionConsistencyTimeout", 600, 1, 86400),
        lob_bytes=metadata.number("LobMaxSize", 32, 1, 102400) * 1024,
        truncation_policy=_policy(errors, "DataTruncationErrorPolicy"),
        data_error_policy=_policy(errors, "DataErrorPolicy"),
        reconnects=errors.number("RecoverableErrorCount", -1, -1),
        reconnect_seconds=errors.number("RecoverableErrorInterval", 5),
        handle_alter=ddl.flag("HandleSourceTableAltered", True),
        control_schema=control.text("ControlSchema"),
        target_schema=metadata.text("TargetSchema"),
        not_imitated=_the_rest(document, metadata, load, errors, ddl, control),
    )
    for part in (document, metadata, load, errors, ddl, control):
        part.finish()
    return settings


def _policy(errors: Document, name: str) -> str:
    errors.only(name, "LOG_ERROR", "IGNORE_RECORD", "STOP_TASK")
    return errors.text(name, "LOG_ERROR")


def _refuse_lake_hazards(metadata: Document) -> None:
    for name, default in (("BatchApplyEnabled", False), ("FullLobMode", False)):
        if metadata.flag(name, default):
            raise UsageError(
                "DMS_SETTINGS_CONTRADICT",
                f"{name} must be false for an S3 target: DMS cannot keep its promise there.",
                where=metadata.where,
                hint=f'"{name}": false',
            )
        metadata.describe(name, "false only; true is refused")
    metadata.only("SupportLobs", True)
    metadata.only("LimitedSizeLobMode", True)


def _the_rest(
    document: Document,
    metadata: Document,
    load: Document,
    errors: Document,
    ddl: Document,
    control: Document,
) -> tuple[str, ...]:
    validation = document.part("ValidationSettings")
    validation.only("EnableValidation", False)
    document.without_effect("ValidationSettings", *_NO_EFFECT)
    metadata.without_effect(*_METADATA_NO_EFFECT)
    load.without_effect("MaxFullLoadSubTasks", "CommitRate")
    load.describe(
        "TransactionConsistencyTimeout", "imitated, but the load gives up where a real one begins"
    )
    for key in ("CreatePkAfterFullLoad", "StopTaskCachedChangesApplied"):
        load.only(key, False)
    load.only("StopTaskCachedChangesNotApplied", False)
    errors.without_effect(*_ERRORS_NO_EFFECT)
    ddl.without_effect("HandleSourceTableTruncated")  # PostgreSQL's TRUNCATE is not captured
    control.without_effect("HistoryTimeslotInMinutes")
    return (
        *document.not_imitated(_NOT_IMITATED),
        *errors.not_imitated(_ERRORS_NOT_IMITATED),
        *ddl.not_imitated(_DDL_NOT_IMITATED),
        *control.not_imitated(_CONTROL_NOT_IMITATED),
    )
