"""The names that Auto Loader options and their values can have.

As options of a reader they begin with `cloudFiles.`, as arguments of `read_files` they do not.
"""

from __future__ import annotations

FORMATS = ("avro", "binaryFile", "csv", "json", "orc", "parquet", "text", "xml")
EVOLUTION_MODES = (
    "addNewColumns",
    "addNewColumnsWithTypeWidening",
    "failOnNewColumns",
    "none",
    "rescue",
)
HONOURED = (
    "allowOverwrites",
    "cleanSource",
    "cleanSource.moveDestination",
    "cleanSource.retentionDuration",
    "format",
    "includeExistingFiles",
    "inferColumnTypes",
    "maxBytesPerTrigger",
    "maxFilesPerTrigger",
    "partitionColumns",
    "rescuedDataColumn",
    "schemaEvolutionMode",
    "schemaHints",
    "useStrictGlobber",
    "validateOptions",
)
# Accepted without a word: code written for jobs sets it, and a pipeline keeps the schema itself.
OF_JOBS = ("schemaLocation",)
# Meaningful on Databricks; a local folder gives the same rows without them.
IGNORED = {
    "inferSchema": "an old name; inferColumnTypes decides",
    "backfillInterval": "every run lists the whole folder",
    "maxFileAge": "files are remembered for ever",
    "useIncrementalListing": "every run lists the whole folder",
    "useNotifications": "a local folder is listed",
    "useManagedFileEvents": "a local folder is listed",
    "listOnStart": "every run lists the whole folder",
    "fetchParallelism": "a local folder is listed",
    "pathRewrites": "a local folder is listed",
    "resourceTag": "a local folder is listed",
    "resourceTags": "a local folder is listed",
    "queueUrl": "a local folder is listed",
    "queueName": "a local folder is listed",
    "region": "a local folder is listed",
    "roleArn": "a local folder is listed",
    "roleExternalId": "a local folder is listed",
    "roleSessionName": "a local folder is listed",
    "stsEndpoint": "a local folder is listed",
    "awsAccessKey": "a local folder is listed",
    "awsSecretKey": "a local folder is listed",
    "subscriptionId": "a local folder is listed",
    "resourceGroup": "a local folder is listed",
    "connectionString": "a local folder is listed",
    "client": "a local folder is listed",
    "clientEmail": "a local folder is listed",
    "clientId": "a local folder is listed",
    "clientSecret": "a local folder is listed",
    "tenantId": "a local folder is listed",
    "privateKey": "a local folder is listed",
    "privateKeyId": "a local folder is listed",
    "projectId": "a local folder is listed",
    "subscription": "a local folder is listed",
}
