"""From raw text to typed columns, and what did not fit to rescued data.

A cell is one raw value as SQL text. Nothing here runs: all functions give SQL text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    CharType,
    DataType,
    DateType,
    DecimalType,
    FractionalType,
    IntegralType,
    MapType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
    VarcharType,
    VariantType,
)

from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.errors import DefinitionError
from local_shim.sql_text import literal

CORRUPT_KEY = "_corrupt_record"  # the whole record, if it has too few or too many fields
FILE_KEY = "_file_path"
FILE_PATH = "_metadata.file_path"
# A file that is rewritten between planning and reading may have another header.
FILE_VERSION = f"concat(unix_millis(_metadata.file_modification_time), ' ', {FILE_PATH})"
_MOMENTS = (DateType, TimestampType, TimestampNTZType)
_LOCAL_OPTIONS = ("dateformat", "locale", "timestampformat", "timestampntzformat", "timezone")
_TEXTS = (StringType, CharType, VarcharType)


def is_text(kind: DataType) -> bool:
    """Whether every raw value fits the type."""
    return isinstance(kind, _TEXTS)


def typed(raw: str, kind: DataType, options: CloudFilesOptions) -> str:
    """The raw text as a value of the type, NULL where it does not fit."""
    if is_text(kind):
        return raw
    if isinstance(kind, BinaryType):
        return f"cast({raw} AS BINARY)"
    if isinstance(kind, (ArrayType, MapType, StructType)):
        raise DefinitionError(
            "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
            f"a CSV column cannot be {kind.simpleString()}.",
            hint="read it as STRING and parse it with from_json",
        )
    if isinstance(kind, VariantType):
        return f"try_parse_json({raw})"
    if isinstance(kind, (*_MOMENTS, DecimalType)) and _is_local(options):
        return _parsed_by_csv(raw, kind, options)
    pattern = _pattern(kind, options)
    if pattern and isinstance(kind, DateType):
        return f"cast(try_to_timestamp({raw}, {literal(pattern)}) AS DATE)"
    if pattern:
        return f"cast(try_to_timestamp({raw}, {literal(pattern)}) AS {kind.simpleString()})"
    return f"try_cast({_castable(raw, kind, options)} AS {kind.simpleString()})"


def _is_local(options: CloudFilesOptions) -> bool:
    """Whether values are written as in one country or time zone."""
    return bool(options.get("locale") or options.get("timezone"))


def _parsed_by_csv(raw: str, kind: DataType, options: CloudFilesOptions) -> str:
    """The value as Spark's CSV parser gives it, which has options for locale and time zone."""
    locale_settings = {key: value for key, value in options.reader if key in _LOCAL_OPTIONS}
    # No text has this separator, and none is quoted.
    pairs = {**locale_settings, "sep": "\x1f", "quote": ""}
    texts = ", ".join(f"{literal(key)}, {literal(value)}" for key, value in pairs.items())
    return f"from_csv({raw}, 'v {kind.simpleString()}', map({texts})).v"


def _castable(raw: str, kind: DataType, options: CloudFilesOptions) -> str:
    """The text as a cast takes it, NULL if Spark's CSV parser does not read it as the type.

    A cast takes more than the parser: blanks around whole numbers, `yes` for true.
    """
    if isinstance(kind, BooleanType):
        words = "'true', 'false', '1', '0'" if options.format == "xml" else "'true', 'false'"
        return f"if(lower({raw}) IN ({words}), {raw}, NULL)"
    if isinstance(kind, IntegralType):
        return f"if({raw} = trim({raw}), {raw}, NULL)"
    if isinstance(kind, DecimalType):
        return f"if({raw} = trim({raw}), replace({raw}, ',', ''), NULL)"
    if isinstance(kind, FractionalType):
        special = {"nanvalue": "NaN", "positiveinf": "Infinity", "negativeinf": "-Infinity"}
        cases = [
            f"WHEN {literal(options.get(key))} THEN {literal(word)}"
            for key, word in special.items()
            if options.get(key)
        ]
        return f"CASE {raw} {' '.join(cases)} ELSE {raw} END" if cases else raw
    return raw


def _pattern(kind: DataType, options: CloudFilesOptions) -> str:
    if isinstance(kind, DateType):
        return options.get("dateformat")
    if isinstance(kind, TimestampNTZType):
        return options.get("timestampntzformat")
    return options.get("timestampformat") if isinstance(kind, TimestampType) else ""


def misfit(raw: str, value: str) -> str:
    """The raw text where it is present and its typed value is not."""
    return f"if({raw} IS NOT NULL AND {value} IS NULL, {raw}, NULL)"


def rescued(cells: Mapping[str, str], more: str = "") -> str:
    """JSON of the cells that are not NULL plus the file's path; NULL if all are.

    `more` names a column with further entries, as the text of a JSON object or NULL.
    """
    if not cells and not more:
        return "cast(NULL AS STRING)"
    pairs = [f"{literal(key)}, {value}, " for key, value in cells.items()]
    json = f"to_json(named_struct({''.join(pairs)}{literal(FILE_KEY)}, {FILE_PATH}))"
    rescued_json = f"if({any_present(list(cells.values()))}, {json}, NULL)"
    return f"if({more} IS NULL, {rescued_json}, {_joined(more, json)})" if more else rescued_json


def _joined(one: str, other: str) -> str:
    """The text of one JSON object with the entries of two; neither may be empty."""
    return f"concat(left({one}, length({one}) - 1), ',', substring({other}, 2))"


def accepted(options: CloudFilesOptions, corrupt: str, *, loses_broken: bool = False) -> str:
    """The condition for broken records under `mode`, empty if all are kept.

    `corrupt` is the text of a broken record, NULL for the others. With `loses_broken` no column
    takes it, so that it is an error in every mode that does not drop it.
    """
    mode = options.get("mode", "PERMISSIVE").upper()
    if mode == "DROPMALFORMED":
        return f"({corrupt}) IS NULL"
    if mode == "FAILFAST" or loses_broken:
        text = literal(f"[MALFORMED_RECORD_IN_PARSING] mode {mode}: a record of ")
        error = f"raise_error(concat({text}, {FILE_PATH}, ' is malformed: ', {corrupt}))"
        return f"if(({corrupt}) IS NOT NULL, cast({error} AS BOOLEAN), true)"
    return ""


def any_present(values: Sequence[str]) -> str:
    """Whether any of the values is not NULL."""
    return " OR ".join(f"({value}) IS NOT NULL" for value in values) or "false"
