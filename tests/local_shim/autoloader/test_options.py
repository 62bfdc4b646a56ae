"""Reader options become values, or an error that says what is allowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local_shim.autoloader.options.parse import parse_options
from local_shim.autoloader.options.reader_names import HONOURED, REFUSED
from local_shim.errors import DefinitionError

CSV = {"cloudFiles.format": "csv"}


@pytest.mark.dlt(138)
def test_an_unknown_cloudfiles_option_is_an_error_with_a_close_match() -> None:
    with pytest.raises(DefinitionError, match=r"did you mean 'cloudFiles.schemaHints'\?"):
        parse_options({**CSV, "cloudFiles.schemaHint": "a INT"})


@pytest.mark.dlt(138)
def test_validate_options_false_lets_unknown_options_pass() -> None:
    options = {**CSV, "cloudFiles.schemaHint": "a INT", "cloudFiles.validateOptions": "false"}
    assert parse_options(options).schema_hints is None


def test_names_and_format_are_read_in_any_case() -> None:
    options = parse_options({"CLOUDFILES.FORMAT": "CSV", "cloudfiles.maxfilespertrigger": "7"})
    assert (options.format, options.max_files) == ("csv", 7)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cloudFiles.format", "excel"),
        ("cloudFiles.inferColumnTypes", "yes"),
        ("cloudFiles.maxBytesPerTrigger", "ten"),
        ("cloudFiles.maxFilesPerTrigger", "0"),
        ("cloudFiles.schemaEvolutionMode", "add"),
        ("cloudFiles.cleanSource", "ON"),
        ("cloudFiles.cleanSource.retentionDuration", "soon"),
        ("modifiedAfter", "yesterday"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_the_option(key: str, value: str) -> None:
    with pytest.raises(DefinitionError) as failure:
        parse_options({**CSV, key: value})
    assert failure.value.condition == "CF_INVALID_OPTION_VALUE"
    assert key in str(failure.value)
    assert value in str(failure.value)


def test_a_missing_format_is_an_error() -> None:
    with pytest.raises(DefinitionError, match="CF_SOURCE_FORMAT_MISSING"):
        parse_options({"header": "true"})


@pytest.mark.parametrize(
    ("text", "size"), [("4096", 4096), ("10m", 10 * 2**20), ("1GB", 2**30), ("2k", 2048)]
)
def test_sizes_may_carry_a_unit(text: str, size: int) -> None:
    assert parse_options({**CSV, "cloudFiles.maxBytesPerTrigger": text}).max_bytes == size


def test_durations_and_moments_are_values() -> None:
    options = parse_options(
        {
            **CSV,
            "cloudFiles.cleanSource.retentionDuration": "interval 36 hours",
            "modifiedAfter": "2026-01-31T00:00:00",
        }
    )
    assert options.clean_after == timedelta(hours=36)
    assert options.modified_after == datetime(2026, 1, 31, tzinfo=UTC)


def test_locations_that_the_pipeline_keeps_are_accepted_without_a_warning() -> None:
    options = parse_options({**CSV, "cloudFiles.schemaLocation": "/x", "checkpointLocation": "/y"})
    assert options.notes == ()


def test_an_option_without_effect_on_a_local_folder_is_a_warning() -> None:
    (note,) = parse_options({**CSV, "cloudFiles.useNotifications": True}).notes
    assert note == "cloudFiles.useNotifications is ignored: a local folder is listed"


@pytest.mark.parametrize(
    ("kind", "option", "warning"),
    [
        ("csv", "skipRow", "'skipRow', which csv files do not have: did you mean 'skipRows'?"),
        ("json", "header", "'header': it is for csv files."),
        ("parquet", "lineSep", "'lineSep': it is for csv, json and text files."),
        ("text", "zzz", "'zzz', which text files do not have."),
        ("binaryFile", "pathGlobFiltre", "did you mean 'pathGlobFilter'?"),
    ],
)
def test_a_reader_option_that_the_format_lacks_is_a_warning(
    kind: str, option: str, warning: str
) -> None:
    (note,) = parse_options({"cloudFiles.format": kind, option: "1"}).notes
    assert note.startswith("Auto Loader ignores the option")
    assert note.endswith(warning)


@pytest.mark.parametrize(
    ("kind", "option", "value"),
    [(kind, name, "1") for kind, names in REFUSED.items() for name in names],
)
def test_a_reader_option_that_is_not_there_yet_is_refused_by_name(
    kind: str, option: str, value: str
) -> None:
    with pytest.raises(DefinitionError, match=f"CF_UNSUPPORTED_OPTION.*{kind}.*{option}"):
        parse_options({"cloudFiles.format": kind, option.upper(): value})


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2021-01-01 12:00:00.000000 UTC+0", 12),
        ("2021-01-01T12:00:00 UTC", 12),
        ("2021-01-01 12:00:00 GMT-5", 17),
        ("2021-01-01 12:00:00+02:00", 10),
    ],
)
def test_a_moment_may_say_its_zone(text: str, hour: int) -> None:
    moment = datetime(2021, 1, 1, hour, tzinfo=UTC)
    assert parse_options({**CSV, "modifiedBefore": text}).modified_before == moment


def test_the_old_name_of_an_option_is_taken() -> None:
    assert not parse_options({**CSV, "parserCaseSensitive": "false"}).case_sensitive


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, names in HONOURED.items() for name in names]
)
def test_a_documented_reader_option_gives_no_warning(kind: str, name: str) -> None:
    value = "1" if name == "skipRows" else "true"
    assert parse_options({"cloudFiles.format": kind, name: value}).notes == ()


def test_a_true_value_of_python_is_a_true_value() -> None:
    assert parse_options({**CSV, "header": True}).flag("header")


def test_an_old_name_that_databricks_ignores_is_no_error() -> None:
    (note,) = parse_options({**CSV, "cloudFiles.inferSchema": "true"}).notes
    assert note.startswith("cloudFiles.inferSchema is ignored")
