"""The `pipelines.*` settings that a local run reads: key, type, default and meaning.

A setting comes from the properties of a table or the `spark_conf` of a flow where it is said so,
then from the pipeline's configuration. The configuration includes what a source file sets with
`spark.conf.set` at module level. docs/settings.md is made from this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from local_shim.errors import UsageError, close_match

T = TypeVar("T")
PREFIX = "pipelines."


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One key; `kind` names the type for people, `parse` raises ValueError for other texts."""

    key: str
    kind: str
    parse: Callable[[str], T]
    default: str
    meaning: str

    def read(self, *sources: Mapping[str, str]) -> T:
        """The value in the first source that has the key, else the default.

        Raises UsageError for a text that is not of the setting's type.
        """
        text = next((each[self.key] for each in sources if self.key in each), self.default)
        try:
            return self.parse(str(text).strip())
        except ValueError:
            raise UsageError(
                "INVALID_SETTING",
                f"{self.key}='{text}' is not {self.kind}.",
                hint=f"the default is '{self.default}'",
            ) from None


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}


def _interval(text: str) -> float:
    match = re.fullmatch(r"(\d+)\s+(second|minute|hour|day)s?", text, re.IGNORECASE)
    if not match:
        raise ValueError(text)
    return int(match.group(1)) * _UNITS[match.group(2).lower()]


_BOOLEAN = ("true or false", _boolean)
_SECONDS = ("a number of seconds", float)

RESET_ALLOWED = Setting(
    "pipelines.reset.allowed",
    *_BOOLEAN,
    "true",
    "Table property. `false` keeps rows and checkpoints of the table in a full refresh.",
)
TRIGGER_INTERVAL = Setting(
    "pipelines.trigger.interval",
    "a number and second, minute, hour or day",
    _interval,
    "5 seconds",
    "Pause between the passes of a continuous update.",
)
MAX_RETRIES = Setting(
    "pipelines.maxFlowRetryAttempts",
    "a whole number",
    _count,
    "2",
    "How often a flow is retried after an error that may pass. Also in `spark_conf` of a flow.",
)
VIEW_CHECK = Setting(
    "pipelines.incompatibleViewCheck.enabled",
    *_BOOLEAN,
    "true",
    "`false` lets a batch query read a streaming view, and a streaming query a batch view.",
)
TOMBSTONE_SECONDS = Setting(
    "pipelines.cdc.tombstoneGCThresholdInSeconds",
    *_SECONDS,
    "172800",
    "How long AUTO CDC keeps the sequence of a deleted key. Also a table property.",
)
SKIP_OLD_SNAPSHOTS = Setting(
    "pipelines.cdc.skipOutOfOrderSnapshots",
    *_BOOLEAN,
    "false",
    "`true` skips a snapshot that is older than the last one; `false` fails the flow.",
)
NULL_SEQUENCES = Setting(
    "pipelines.cdc.allowNullSequences",
    *_BOOLEAN,
    "false",
    "`true` sorts changes without a sequence below all others (SCD type 1). Also a table property.",
)
FAIL_ON_NULL_KEYS = Setting(
    "pipelines.cdc.failOnNullKeys",
    *_BOOLEAN,
    "false",
    "`true` fails the flow for a NULL key; `false` matches it and warns. Also a table property.",
)
SHOW_REMAINDERS = Setting(
    "pipelines.cdc.showLateDeleteRemainders",
    *_BOOLEAN,
    "false",
    "`true` shows what a late delete leaves of a closed interval. Also a table property.",
)

SETTINGS: tuple[Setting[bool] | Setting[int] | Setting[float], ...] = (
    RESET_ALLOWED,
    TRIGGER_INTERVAL,
    MAX_RETRIES,
    VIEW_CHECK,
    TOMBSTONE_SECONDS,
    SKIP_OLD_SNAPSHOTS,
    NULL_SEQUENCES,
    FAIL_ON_NULL_KEYS,
    SHOW_REMAINDERS,
)
# Databricks reads these; a local run has nothing to do for them.
WITHOUT_EFFECT = (
    "pipelines.autoOptimize.managed",
    "pipelines.autoOptimize.zOrderCols",
    "pipelines.channel",
    "pipelines.clusterShutdown.delay",
    "pipelines.enableTrackHistory",
    "pipelines.metastore.tableName",
    "pipelines.numUpdateRetryAttempts",
)


def unknown_settings(keys: Iterable[str]) -> Iterable[str]:
    """A sentence for each `pipelines.*` key that neither Databricks nor a local run reads."""
    documented = [each.key for each in SETTINGS] + list(WITHOUT_EFFECT)
    for key in keys:
        if key.startswith(PREFIX) and key not in documented:
            hint = close_match(key, documented)
            yield f"nothing reads the setting '{key}'" + (f"; {hint}" if hint else ".")


_READ_ELSEWHERE = ("spark.", PREFIX, "delta.")


def unread_keys(keys: Iterable[str], keys_read: Iterable[str]) -> Iterable[str]:
    """A misspelt configuration key has no effect, so nobody would notice it without a warning."""
    own_keys = {key for key in keys_read if not key.startswith(_READ_ELSEWHERE)}
    for key in keys:
        if key not in own_keys and not key.startswith(_READ_ELSEWHERE):
            hint = close_match(key, own_keys)
            ending = f"; {hint}" if hint.startswith("did you mean") else "."
            yield f"no file reads the configuration key '{key}'{ending}"


def settings_page() -> str:
    """The text of docs/settings.md."""
    lines = [
        "<!-- Made from local_shim/pipeline_spec/pipeline_settings.py; tests compare the two. -->",
        "# Settings of a pipeline",
        "",
        "A local run reads these keys from the pipeline's `configuration`, `--conf KEY=VALUE`,",
        "and `spark.conf.set` at the top of a source file. A misspelt key is a warning.",
        "",
        "| key | type | default | meaning |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{each.key}` | {each.kind} | `{each.default}` | {each.meaning} |" for each in SETTINGS
    ]
    without = ", ".join(f"`{key}`" for key in WITHOUT_EFFECT)
    lines += ["", f"Read by Databricks, without effect here: {without}."]
    return "\n".join(lines) + "\n"
