"""Keys in the bucket: folders and file names as DMS makes them.

[choice] A name of the source or of a rule is one folder, whatever it holds: a slash, a NUL byte and
names of dots only are percent-encoded, and so is a `%` that would be read as such a code. In S3
`../` is a part of a key like any other; in a folder it would lead out of the bucket.

[choice] Parquet with gzip inside keeps the ending `.parquet`; gzipped CSV ends in `.csv.gz`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from local_shim.dms.settings.s3_target import WORK_FOLDER, DatePartition

_SEQUENCE_PARTS = {
    "YYYYMMDD": ("%Y", "%m", "%d"),
    "YYYYMMDDHH": ("%Y", "%m", "%d", "%H"),
    "YYYYMM": ("%Y", "%m"),
    "MMYYYYDD": ("%m", "%Y", "%d"),
    "DDMMYYYY": ("%d", "%m", "%Y"),
}


_UNSAFE = re.compile(r"[/\x00]|%(?=[0-9A-Fa-f]{2})")


def folder_name(name: str) -> str:
    """The folder of a schema or a table: different names give different folders."""
    if name == WORK_FOLDER or (name and not name.strip(".")):
        return "".join(f"%{ord(character):02X}" for character in name)
    return _UNSAFE.sub(lambda unsafe: f"%{ord(unsafe[0]):02X}", name)


def load_name(number: int, extension: str) -> str:
    """`LOAD0000000A.csv`: the counter is hexadecimal."""
    return f"LOAD{number:08X}{extension}"


def cdc_name(millisecond: int, zone: ZoneInfo, extension: str) -> str:
    """`20240809-192717787.csv`: when the file was made, to the millisecond."""
    return f"{_stamp(millisecond, zone, '%Y%m%d-%H%M%S')}{extension}"


def transaction_name(millisecond: int, zone: ZoneInfo, extension: str) -> str:
    """`CDC_TXN-20240809192717787.csv`."""
    return f"CDC_TXN-{_stamp(millisecond, zone, '%Y%m%d%H%M%S')}{extension}"


def date_folder(microsecond: int, partition: DatePartition | None, zone: ZoneInfo) -> str:
    """The folder of a commit time; empty without date partitioning."""
    if partition is None:
        return ""
    moment = datetime.fromtimestamp(microsecond // 1_000_000, UTC).astimezone(zone)
    parts = _SEQUENCE_PARTS[partition.sequence]
    return partition.delimiter.join(moment.strftime(part) for part in parts)


def _stamp(millisecond: int, zone: ZoneInfo, form: str) -> str:
    seconds, rest = divmod(millisecond, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone(zone).strftime(form)}{rest:03d}"
