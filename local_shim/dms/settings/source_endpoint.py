"""PostgreSQLSettings of the source endpoint, and the knobs that only a stand-in has."""

from __future__ import annotations

from dataclasses import dataclass

from local_shim.dms.settings.document import Document


@dataclass(frozen=True)
class SourceSettings:
    """What the source endpoint says."""

    slot: str  # empty: named after the task
    heartbeat_seconds: int  # 0: none
    boolean_as_boolean: bool
    trim_char: bool
    varchar_bytes: int  # for varchar without a length


@dataclass(frozen=True)
class Faults:
    """Misbehaviour on request, for testing what reads the files."""

    replay_transactions: int = 0  # so many are delivered again after each start
    delay_files: bool = False  # the first file of each batch arrives with the next batch
    reverse_names: bool = False  # later files get names that sort earlier
    empty_files: bool = False  # a file of zero bytes beside each batch


@dataclass(frozen=True)
class StandIn:
    """Choices that AWS does not offer, because a real task has its own ways."""

    task: str  # empty: the folder's name
    engine: str  # postgresql, mysql, oracle: whose manners with TRUNCATE
    timestamp_precision: str  # us, ms, s
    toast: str  # lookup, null
    full_load: str  # clean, overlap
    faults: Faults


def read_source_settings(document: Document) -> SourceSettings:
    """The settings of the source endpoint; an empty document gives AWS's defaults."""
    settings = SourceSettings(
        slot=document.text("SlotName"),
        heartbeat_seconds=document.number("HeartbeatFrequency", 5, 1) * 60
        if document.flag("HeartbeatEnable")
        else 0,
        boolean_as_boolean=document.flag("MapBooleanAsBoolean"),
        trim_char=document.flag("TrimSpaceInChar", True),
        varchar_bytes=document.number("UnboundedVarcharMaxSize", 8000, 1),
    )
    document.without_effect(
        "ServerName",
        "Port",
        "DatabaseName",
        "Username",
        "Password",
        "SecretsManagerAccessRoleArn",
        "SecretsManagerSecretId",
        "AuthenticationMethod",
        "ServiceAccessRoleArn",
        "PluginName",  # the stand-in always reads pgoutput
        "HeartbeatSchema",  # its heartbeat is a message, not a table
        "ExecuteTimeout",
        "MaxFileSize",
        "DatabaseMode",
        "BabelfishDatabaseName",
        "CaptureDdls",
        "DdlArtifactsSchema",
        "DisableUnicodeSourceFilter",
    )
    document.only("MapUnboundedNumericAsString", False)
    document.only("MapJsonbAsClob", False)
    document.only("FailTasksOnLobTruncation", False)  # DataTruncationErrorPolicy says it better
    document.only("MapLongVarcharAs", "wstring")
    document.only("AfterConnectScript", "")
    document.finish()
    return settings


def read_stand_in(document: Document) -> StandIn:
    """The stand-in's own knobs; an empty document gives a faultless PostgreSQL task."""
    faults = document.part("faults")
    knobs = StandIn(
        task=document.text("task"),
        engine=document.choice("engine", ("postgresql", "mysql", "oracle"), "postgresql"),
        timestamp_precision=document.choice("timestamp_precision", ("us", "ms", "s"), "us"),
        toast=document.choice("toast", ("lookup", "null"), "lookup"),
        full_load=document.choice("full_load", ("clean", "overlap"), "clean"),
        faults=Faults(
            replay_transactions=faults.number("replay_transactions", 0),
            delay_files=faults.flag("delay_files"),
            reverse_names=faults.flag("reverse_names"),
            empty_files=faults.flag("empty_files"),
        ),
    )
    faults.finish()
    document.finish()
    return knobs
