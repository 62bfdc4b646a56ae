"""What a user may ask of Auto Loader: reader options, checked and typed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from local_shim.autoloader.options import values
from local_shim.autoloader.options.reader_names import OF_FILES
from local_shim.autoloader.options.reader_options import check_reader_options
from local_shim.errors import DefinitionError, close_match
from local_shim.reading.auto_loader_options import (
    EVOLUTION_MODES,
    FORMATS,
    HONOURED,
    IGNORED,
    OF_JOBS,
)

RESCUED = "_rescued_data"

_PREFIX = "cloudfiles."


@dataclass(frozen=True)
class CloudFilesOptions:
    """The options of one Auto Loader stream, as values.

    `reader` holds what belongs to the file format (`header`, `sep`, …), keys in lower case.
    `notes` says in words which options have no effect; each becomes a warning in the event log.
    """

    format: str
    infer_column_types: bool = False
    schema_hints: str | None = None
    evolution: str | None = None
    include_existing_files: bool = True
    allow_overwrites: bool = False
    max_files: int = 1000
    max_bytes: int | None = None
    partition_columns: tuple[str, ...] | None = None
    clean_source: str = "OFF"
    clean_after: timedelta = timedelta(days=30)
    move_destination: str | None = None
    rescued_column: str | None = None
    bad_records_path: str | None = None
    path_glob_filter: str | None = None
    recursive: bool = False
    strict_globber: bool = False
    modified_after: datetime | None = None
    modified_before: datetime | None = None
    case_sensitive: bool = True
    ignore_corrupt_files: bool = False
    ignore_missing_files: bool = False
    skip_rows: int = 0
    reader: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def reader_without(self, keys: Collection[str]) -> dict[str, str]:
        """The reader options for Spark's parser, without those that the stream follows itself."""
        return {key: value for key, value in self.reader if key not in keys}

    def get(self, key: str, default: str = "") -> str:
        """The format option `key` (any case), or `default`."""
        return dict(self.reader).get(key.lower(), default)

    def flag(self, key: str, default: bool = False) -> bool:
        """The format option `key` as a truth value."""
        return values.flag(key, self.get(key, str(default)))


def parse_options(user_options: Mapping[str, object]) -> CloudFilesOptions:
    """Checks and types reader options.

    Raises DefinitionError for an unknown `cloudFiles.` option (unless `validateOptions` is
    false), a reader option that is not there yet, a value of the wrong kind, a missing
    `cloudFiles.format`.
    """
    texts = {key.lower(): _text(value) for key, value in user_options.items() if value is not None}
    cloud = {key.removeprefix(_PREFIX): v for key, v in texts.items() if key.startswith(_PREFIX)}
    if values.flag("cloudFiles.validateOptions", cloud.get("validateoptions", "true")):
        _refuse_unknown(user_options)
    plain = {key: v for key, v in texts.items() if not key.startswith(_PREFIX)}
    options = CloudFilesOptions(**_of_cloud(cloud, plain), **_of_files(plain))
    warnings = check_reader_options(
        options.format, [key for key in user_options if key.lower() in plain]
    )
    options = replace(options, notes=(*options.notes, *warnings))
    _refuse_contradictions(options)
    return options


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refuse_unknown(user_options: Mapping[str, object]) -> None:
    names = (*HONOURED, *OF_JOBS, *IGNORED)
    lower = {name.lower() for name in names}
    for key in user_options:
        if key.lower().startswith(_PREFIX) and key.lower().removeprefix(_PREFIX) not in lower:
            near = close_match(key, [f"cloudFiles.{name}" for name in names])
            raise DefinitionError(
                "CF_UNKNOWN_OPTION_KEYS_ERROR",
                f"Auto Loader has no option '{key}'.",
                hint=f"{near} Or set cloudFiles.validateOptions to false.",
            )


def _of_cloud(cloud: Mapping[str, str], plain: Mapping[str, str]) -> dict[str, Any]:
    parts = cloud.get("partitioncolumns")
    names = None if parts is None else tuple(re.findall(r"[^,\s]+", parts))
    rescued = plain.get("rescueddatacolumn") or cloud.get("rescueddatacolumn")
    size = cloud.get("maxbytespertrigger") or plain.get("maxbytespertrigger")
    files = cloud.get("maxfilespertrigger") or plain.get("maxfilespertrigger") or "1000"
    return {
        "format": _format(cloud.get("format")),
        "infer_column_types": _flag(cloud, "inferColumnTypes", False),
        "schema_hints": cloud.get("schemahints") or None,
        "evolution": _mode(cloud.get("schemaevolutionmode")),
        "include_existing_files": _flag(cloud, "includeExistingFiles", True),
        "allow_overwrites": _flag(cloud, "allowOverwrites", False),
        "max_files": values.positive("cloudFiles.maxFilesPerTrigger", files),
        "max_bytes": size and values.size("cloudFiles.maxBytesPerTrigger", size),
        "partition_columns": names,
        "strict_globber": _flag(cloud, "useStrictGlobber", False),
        "clean_source": _one_of("cleanSource", cloud.get("cleansource"), ("OFF", "DELETE", "MOVE")),
        "clean_after": values.duration(
            "cloudFiles.cleanSource.retentionDuration",
            cloud.get("cleansource.retentionduration", "30 days"),
        ),
        "move_destination": cloud.get("cleansource.movedestination"),
        "rescued_column": rescued or None,
        "notes": tuple(_notes(cloud)),
    }


def _of_files(plain: Mapping[str, str]) -> dict[str, Any]:
    of_files = {name.lower() for name in OF_FILES}
    reader = tuple((key, value) for key, value in sorted(plain.items()) if key not in of_files)
    return {
        "bad_records_path": plain.get("badrecordspath"),
        "path_glob_filter": plain.get("pathglobfilter") or plain.get("filenamepattern"),
        "recursive": values.flag("recursiveFileLookup", plain.get("recursivefilelookup", "false")),
        "modified_after": values.moment("modifiedAfter", plain.get("modifiedafter")),
        "modified_before": values.moment("modifiedBefore", plain.get("modifiedbefore")),
        "case_sensitive": values.flag("readerCaseSensitive", _case_sensitive(plain)),
        "ignore_corrupt_files": values.flag(
            "ignoreCorruptFiles", plain.get("ignorecorruptfiles", "false")
        ),
        "ignore_missing_files": values.flag(
            "ignoreMissingFiles", plain.get("ignoremissingfiles", "false")
        ),
        "skip_rows": values.whole("skipRows", plain.get("skiprows", "0")),
        "reader": reader,
    }


def _case_sensitive(plain: Mapping[str, str]) -> str:
    return plain.get("readercasesensitive") or plain.get("parsercasesensitive", "true")


def _flag(cloud: Mapping[str, str], name: str, default: bool) -> bool:
    return values.flag(f"cloudFiles.{name}", cloud.get(name.lower(), str(default)))


def _format(text: str | None) -> str:
    if text is None:
        raise DefinitionError(
            "CF_SOURCE_FORMAT_MISSING",
            "Auto Loader does not know what the files are.",
            hint=f".option('cloudFiles.format', one of {', '.join(FORMATS)})",
        )
    return _one_of("format", text, FORMATS)


def _mode(text: str | None) -> str | None:
    return None if text is None else _one_of("schemaEvolutionMode", text, EVOLUTION_MODES)


def _one_of(name: str, text: str | None, allowed: tuple[str, ...]) -> str:
    if text is None:
        return allowed[0]
    for word in allowed:
        if word.lower() == text.lower():
            return word
    raise values.wrong(f"cloudFiles.{name}", text, ", ".join(allowed))


def _notes(cloud: Mapping[str, str]) -> list[str]:
    spelling = {name.lower(): name for name in IGNORED}
    return [
        f"cloudFiles.{spelling[key]} is ignored: {IGNORED[spelling[key]]}"
        for key in sorted(cloud)
        if key in spelling
    ]


def _refuse_contradictions(options: CloudFilesOptions) -> None:
    if options.clean_source == "MOVE" and not options.move_destination:
        raise DefinitionError(
            "CF_CLEAN_SOURCE_MOVE_DESTINATION_MISSING",
            "cloudFiles.cleanSource is MOVE, but nothing says where to.",
            hint="set cloudFiles.cleanSource.moveDestination",
        )
    if options.clean_source == "DELETE" and options.clean_after <= timedelta(days=7):
        raise DefinitionError(
            "CF_CLEAN_SOURCE_RETENTION_TOO_SHORT",
            "cloudFiles.cleanSource DELETE must keep files for more than 7 days.",
            hint="raise cloudFiles.cleanSource.retentionDuration",
        )
