"""Reader options without the prefix `cloudFiles.`, for each format that Databricks documents.

From the tables of file format options on Databricks' page on Auto Loader options. An option that
changes rows and is not there yet is refused by name; one that no format has is only warned about,
as Spark ignores it.
"""

from __future__ import annotations

# Options that concern files, not their format.
OF_FILES = (
    "checkpointLocation",
    "databricks.serviceCredential",
    "fileNamePattern",
    "ignoreCorruptFiles",
    "ignoreMissingFiles",
    "maxBytesPerTrigger",
    "maxFilesPerTrigger",
    "modifiedAfter",
    "modifiedBefore",
    "pathGlobFilter",
    "readerCaseSensitive",
    "recursiveFileLookup",
    "rescuedDataColumn",
)
# Options that give what Databricks' page says, by format.
HONOURED = {
    "avro": ("datetimeRebaseMode", "mergeSchema"),
    "binaryFile": (),
    "csv": (
        "charToEscapeQuoteEscaping",
        "charset",
        "columnNameOfCorruptRecord",
        "comment",
        "dateFormat",
        "delimiter",
        "emptyValue",
        "encoding",
        "enforceSchema",
        "escape",
        "header",
        "ignoreLeadingWhiteSpace",
        "ignoreTrailingWhiteSpace",
        "inferSchema",
        "lineSep",
        "maxCharsPerColumn",
        "maxColumns",
        "mergeSchema",
        "mode",
        "multiLine",
        "nullValue",
        "quote",
        "sep",
        "skipRows",
        "timestampFormat",
        "timestampNTZFormat",
        "unescapedQuoteHandling",
    ),
    "json": (
        "allowBackslashEscapingAnyCharacter",
        "allowComments",
        "allowNonNumericNumbers",
        "allowNumericLeadingZeros",
        "allowSingleQuotes",
        "allowUnquotedControlChars",
        "allowUnquotedFieldNames",
        "charset",
        "columnNameOfCorruptRecord",
        "dateFormat",
        "encoding",
        "locale",
        "mergeSchema",
        "mode",
        "multiLine",
        "timeZone",
        "timestampFormat",
        "timestampNTZFormat",
    ),
    "orc": ("mergeSchema",),
    "parquet": ("datetimeRebaseMode", "int96RebaseMode", "mergeSchema"),
    "text": ("encoding", "lineSep", "wholeText"),
    "xml": (
        "arrayElementName",
        "attributePrefix",
        "charset",
        "columnNameOfCorruptRecord",
        "compression",
        "dateFormat",
        "declaration",
        "encoding",
        "excludeAttribute",
        "ignoreNamespace",
        "ignoreSurroundingSpaces",
        "inferSchema",
        "mode",
        "nullValue",
        "rootTag",
        "rowTag",
        "rowValidationXSDPath",
        "samplingRatio",
        "timestampFormat",
        "timestampNTZFormat",
        "validateName",
        "valueTag",
    ),
}
_VARIANT = "a column of whole records as VARIANT is not there yet"
_BAD_RECORDS = "broken records go to _corrupt_record or _rescued_data"
_CSV_ONLY = "only CSV files have lines to skip"
_AS_DECLARED = "values are read by Spark's rules for casts"
# Options that would change rows, with the reason why the local runner does not take them. A flag
# with its default value, `false` but for those in DEFAULT_TRUE, is accepted.
DEFAULT_TRUE = ("preferDate",)
REFUSED = {
    "avro": {
        "avroSchema": "columns have the types of the files; name others in schemaHints",
        "badRecordsPath": _BAD_RECORDS,
        "skipRows": _CSV_ONLY,
    },
    "binaryFile": {"badRecordsPath": _BAD_RECORDS, "skipRows": _CSV_ONLY},
    "csv": {
        "badRecordsPath": _BAD_RECORDS,
        "locale": _AS_DECLARED,
        "nanValue": _AS_DECLARED,
        "negativeInf": _AS_DECLARED,
        "parserCaseSensitive": "its new name is readerCaseSensitive",
        "positiveInf": _AS_DECLARED,
        "preferDate": "a column of dates is inferred as DATE",
        "singleVariantColumn": _VARIANT,
        "timeZone": "timestamps are read in the time zone of the session",
    },
    "json": {
        "badRecordsPath": _BAD_RECORDS,
        "dropFieldIfAllNull": "every field becomes a column",
        "inferTimestamp": "name TIMESTAMP columns in schemaHints",
        "lineSep": "lines end with a line feed",
        "prefersDecimal": "a fraction is inferred as DOUBLE; name DECIMAL columns in schemaHints",
        "primitivesAsString": "leave out cloudFiles.inferColumnTypes to read text",
        "singleVariantColumn": _VARIANT,
        "skipRows": _CSV_ONLY,
    },
    "orc": {"badRecordsPath": _BAD_RECORDS, "skipRows": _CSV_ONLY},
    "parquet": {"badRecordsPath": _BAD_RECORDS, "skipRows": _CSV_ONLY},
    "text": {"badRecordsPath": _BAD_RECORDS, "skipRows": _CSV_ONLY},
    "xml": {
        "badRecordsPath": _BAD_RECORDS,
        "locale": _AS_DECLARED,
        "singleVariantColumn": _VARIANT,
        "skipRows": _CSV_ONLY,
    },
}
