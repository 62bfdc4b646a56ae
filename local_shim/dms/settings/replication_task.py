"""ReplicationTaskSettings: what the stand-in follows, what it refuses, what it only lists."""

from __future__ import annotations

import json
from dataclasses import dataclass

from local_shim.dms.settings.document import Document
from local_shim.errors import UsageError

# Parts that steer how AWS works inside and change no file. They are listed, not followed.
_LISTED = (
    "Logging",
    "StreamBufferSettings",
    "ChangeProcessingTuning",
    "CharacterSetSettings",
    "TTSettings",
    "LoopbackPreventionSettings",
    "FailTaskWhenCleanTaskResourceFailed",
    "BeforeImageSettings",
    "PostProcessingRules",
)
_ERRORS_LISTED = (
    "DataErrorEscalationPolicy",
    "DataErrorEscalationCount",
    "TableErrorPolicy",
    "TableErrorEscalationPolicy",
    "TableErrorEscalationCount",
    "RecoverableErrorThrottling",
    "RecoverableErrorThrottlingMax",
    "RecoverableErrorStopRetryAfterThrottlingMax",
    "ApplyErrorDeletePolicy",
    "ApplyErrorInsertPolicy",
    "ApplyErrorUpdatePolicy",
    "ApplyErrorEscalationPolicy",
    "ApplyErrorEscalationCount",
    "ApplyErrorFailOnTruncationDdl",
    "FullLoadIgnoreConflicts",
    "FailOnTransactionConsistencyBreached",
    "FailOnNoTablesCaptured",
    "EventErrorPolicy",
)
# Control tables that the stand-in does not keep: its status is asked for, no table is suspended.
_CONTROL_LISTED = (
    "StatusTableEnabled",
    "SuspendedTablesTableEnabled",
    "HistoryTableEnabled",
    "FullLoadExceptionTableEnabled",
)


@dataclass(frozen=True)
class TaskSettings:
    """What the task says; sizes in bytes, intervals in seconds."""

    prep_mode: str  # DO_NOTHING, DROP_AND_CREATE, TRUNCATE_BEFORE_LOAD
    consistency_seconds: int  # how long a full load waits for open transactions
    lob_bytes: int
    truncation_policy: str  # LOG_ERROR, IGNORE_RECORD, STOP_TASK
    data_error_policy: str
    reconnects: int  # -1: without end
    reconnect_seconds: int
    handle_alter: bool
    control_schema: str
    listed: tuple[str, ...]  # settings of the document that change nothing here


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
        listed=_listed(document, metadata, load, errors, ddl, control),
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
    metadata.only("SupportLobs", True)
    metadata.only("LimitedSizeLobMode", True)


def _listed(
    document: Document,
    metadata: Document,
    load: Document,
    errors: Document,
    ddl: Document,
    control: Document,
) -> tuple[str, ...]:
    validation = document.part("ValidationSettings")
    validation.only("EnableValidation", False)
    document.without_effect("ValidationSettings", *_LISTED)
    metadata.without_effect(
        "TargetSchema",
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
    load.without_effect("MaxFullLoadSubTasks", "CommitRate")
    for key in ("CreatePkAfterFullLoad", "StopTaskCachedChangesApplied"):
        load.only(key, False)
    load.only("StopTaskCachedChangesNotApplied", False)
    errors.without_effect(*_ERRORS_LISTED)
    # pgoutput does not tell of a DROP; a TRUNCATE of PostgreSQL deletes nothing either way.
    ddl.without_effect("HandleSourceTableDropped", "HandleSourceTableTruncated")
    control.without_effect("HistoryTimeslotInMinutes", *_CONTROL_LISTED)
    named = [name for name in _LISTED if name in document.values]
    named += [name for name in _CONTROL_LISTED if control.values.get(name)]
    if ddl.values.get("HandleSourceTableDropped"):
        named.append("HandleSourceTableDropped = " + json.dumps(True))
    return tuple(named)
