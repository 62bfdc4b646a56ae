"""PostgreSQLSettings of the source endpoint."""

from __future__ import annotations

from dataclasses import dataclass

from local_shim.dms.settings.document import Document


@dataclass(frozen=True)
class SourceSettings:
    """The settings of the source endpoint."""

    slot: str  # empty: named after the task
    heartbeat_seconds: int  # 0: none
    boolean_as_boolean: bool
    trim_char: bool
    capture_ddls: bool  # may an event trigger be made in the source?
    ddl_schema: str  # the schema of its function
    varchar_bytes: int  # for varchar without a length


def read_source_settings(document: Document) -> SourceSettings:
    """The settings of the source endpoint; an empty document gives AWS's defaults."""
    settings = SourceSettings(
        slot=document.text("SlotName"),
        heartbeat_seconds=document.number("HeartbeatFrequency", 5, 1)
        * (60 if document.flag("HeartbeatEnable") else 0),
        boolean_as_boolean=document.flag("MapBooleanAsBoolean"),
        trim_char=document.flag("TrimSpaceInChar", True),
        capture_ddls=document.flag("CaptureDdls", True),
        ddl_schema=document.text("DdlArtifactsSchema", "public"),
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
        "DisableUnicodeSourceFilter",
    )
    document.describe("CaptureDdls", "whether an event trigger is made; no audit table is")
    document.only("MapUnboundedNumericAsString", False)
    document.only("MapJsonbAsClob", False)
    document.only("FailTasksOnLobTruncation", False)  # DataTruncationErrorPolicy says it better
    document.only("MapLongVarcharAs", "wstring")
    document.only("AfterConnectScript", "")
    document.finish()
    return settings
