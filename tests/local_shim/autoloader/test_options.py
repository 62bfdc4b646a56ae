"""Reader options become values, or an error that says what is allowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local_shim.autoloader.options.parse import parse_options
from local_shim.errors import DefinitionError

CSV = {"cloudFiles.format": "csv"}


@pytest.mark.dlt(138)
def test_an_unknown_cloudfiles_option_is_an_error_with_a_close_match() -> None:
    with pytest.raises(DefinitionError, match=r"did you mean 'cloudFiles.schemaHints'\?"):
        parse_options({**CSV, "cloudFiles.schemaHint": "a INT"})


@pytest.mark.dlt(138)
def test_validate_options_false_lets_unknown_options_pass() -> None:
    given = {**CSV, "cloudFiles.schemaHint": "a INT", "cloudFiles.validateOptions": "false"}
    assert parse_options(given).schema_hints is None


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


def test_locations_that_the_pipeline_keeps_are_taken_with_a_note() -> None:
    options = parse_options({**CSV, "cloudFiles.schemaLocation": "/x", "checkpointLocation": "/y"})
    assert [note.split()[0] for note in options.notes] == [
        "cloudFiles.schemaLocation",
        "checkpointLocation",
    ]


def test_a_true_value_of_python_is_a_true_value() -> None:
    assert parse_options({**CSV, "header": True}).flag("header")


def test_an_old_name_that_databricks_ignores_is_no_error() -> None:
    (note,) = parse_options({**CSV, "cloudFiles.inferSchema": "true"}).notes
    assert note.startswith("cloudFiles.inferSchema is ignored")
