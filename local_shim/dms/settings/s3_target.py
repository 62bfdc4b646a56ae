"""S3Settings of a DMS target endpoint (API_S3Settings; names and defaults as there)."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local_shim.dms.settings.csv_dialect import CsvDialect, read_csv_dialect
from local_shim.dms.settings.document import Document
from local_shim.errors import UsageError

SEQUENCES = ("YYYYMMDD", "YYYYMMDDHH", "YYYYMM", "MMYYYYDD", "DDMMYYYY")
WORK_FOLDER = "_emulator"  # the stand-in's own folder in the bucket
DELIMITERS = {"SLASH": "/", "DASH": "-", "UNDERSCORE": "_", "NONE": ""}


@dataclass(frozen=True)
class DatePartition:
    """How a commit time becomes a folder."""

    sequence: str
    delimiter: str


@dataclass(frozen=True)
class ParquetStyle:
    """How Parquet files are encoded."""

    version: str
    dictionary: bool
    row_group_rows: int
    page_bytes: int
    dictionary_page_bytes: int
    statistics: bool
    milliseconds: bool


@dataclass(frozen=True)
class S3Settings:
    """The settings of the target endpoint; sizes in bytes, intervals in seconds."""

    folder: str
    parquet: ParquetStyle | None
    csv: CsvDialect
    gzip: bool
    timestamp_column: str
    include_op: bool
    task_start_time: bool
    inserts_only: bool
    inserts_and_updates: bool
    max_load_bytes: int
    batch_seconds: int
    batch_bytes: int
    partition: DatePartition | None
    timezone: ZoneInfo
    preserve_transactions: bool
    cdc_path: str

    @property
    def extension(self) -> str:
        """The ending of data files."""
        if self.parquet:
            return ".parquet"
        return ".csv.gz" if self.gzip else ".csv"


def read_s3_settings(document: Document) -> S3Settings:
    """The settings of a document, every contradiction refused.

    Raises:
        UsageError: A key is unknown, a value is wrong, or the stand-in cannot imitate it.
    """
    settings = S3Settings(
        folder=_folder(document, "BucketFolder"),
        parquet=_parquet(document),
        csv=read_csv_dialect(document),
        gzip=document.choice("CompressionType", ("none", "gzip"), "none") == "gzip",
        timestamp_column=document.text("TimestampColumnName"),
        include_op=document.flag("IncludeOpForFullLoad"),
        task_start_time=document.flag("UseTaskStartTimeForFullLoadTimestamp"),
        inserts_only=document.flag("CdcInsertsOnly"),
        inserts_and_updates=document.flag("CdcInsertsAndUpdates"),
        max_load_bytes=document.number("MaxFileSize", 1048576, 1, 1048576) * 1024,
        batch_seconds=document.number("CdcMaxBatchInterval", 60, 0, 86400),
        batch_bytes=document.number("CdcMinFileSize", 32000, 1) * 1024,
        partition=_partition(document),
        timezone=_timezone(document),
        preserve_transactions=document.flag("PreserveTransactions"),
        cdc_path=_folder(document, "CdcPath"),
    )
    _note_the_rest(document)
    document.finish()
    _check(settings, document)
    return settings


def _folder(document: Document, name: str) -> str:
    """A path below the bucket; `..`, `.` and empty parts would lead elsewhere in a folder."""
    path = document.text(name).strip("/")
    parts = path.split("/") if path else []
    if "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise document.wrong(name, path, "folders below the bucket, none of them empty, . or ..")
    if parts[:1] == [WORK_FOLDER]:
        raise document.wrong(name, path, f"outside {WORK_FOLDER}, where the stand-in's state is")
    return path


def _parquet(document: Document) -> ParquetStyle | None:
    encodings = ("rle-dictionary", "plain", "plain-dictionary")
    style = ParquetStyle(
        version=document.choice("ParquetVersion", ("parquet-1-0", "parquet-2-0"), "parquet-1-0"),
        dictionary=document.choice("EncodingType", encodings, "rle-dictionary") != "plain",
        row_group_rows=document.number("RowGroupLength", 10000, 1),
        page_bytes=document.number("DataPageSize", 1 << 20, 1),
        dictionary_page_bytes=document.number("DictPageSizeLimit", 1 << 20, 1),
        statistics=document.flag("EnableStatistics", True),
        milliseconds=document.flag("ParquetTimestampInMillisecond"),
    )
    return style if document.choice("DataFormat", ("csv", "parquet"), "csv") == "parquet" else None


def _partition(document: Document) -> DatePartition | None:
    partition = DatePartition(
        document.choice("DatePartitionSequence", SEQUENCES, "YYYYMMDD"),
        DELIMITERS[document.choice("DatePartitionDelimiter", tuple(DELIMITERS), "SLASH")],
    )
    return partition if document.flag("DatePartitionEnabled") else None


def _timezone(document: Document) -> ZoneInfo:
    name = document.text("DatePartitionTimezone", "UTC")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise document.wrong("DatePartitionTimezone", name, "a time zone, Area/City") from None


def _note_the_rest(document: Document) -> None:
    """Settings about S3 itself, which a folder does not have."""
    document.without_effect(
        "BucketName",
        "ServiceAccessRoleArn",
        "ExpectedBucketOwner",
        "EncryptionMode",
        "ServerSideEncryptionKmsKeyId",
        "CannedAclForObjects",
        "CsvNoSupValue",  # with UseCsvNoSupValue=false it is never written
    )
    document.only("UseCsvNoSupValue", False)
    document.only("GlueCatalogGeneration", False)
    document.only("AddTrailingPaddingCharacter", False)
    document.only("IgnoreHeaderRows", 0)
    document.only("ExternalTableDefinition", "")


def _check(settings: S3Settings, document: Document) -> None:
    def refuse(message: str, hint: str) -> UsageError:
        return UsageError("DMS_SETTINGS_CONTRADICT", message, where=document.where, hint=hint)

    if settings.inserts_only and settings.inserts_and_updates:
        raise refuse(
            "CdcInsertsOnly and CdcInsertsAndUpdates exclude each other.", "set one of them"
        )
    if not settings.preserve_transactions:
        return
    if not settings.cdc_path:
        raise refuse("PreserveTransactions needs CdcPath.", 'for example "CdcPath": "changes"')
    if settings.csv.header or settings.partition:
        raise refuse(
            "PreserveTransactions cannot go with AddColumnName or DatePartitionEnabled.",
            "files of all tables have no common header and no common folder",
        )
