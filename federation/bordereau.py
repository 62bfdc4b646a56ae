"""Bordereaux of partners who underwrite in the insurer's name: premium and claims by policy.

Every partner is a `source_system`, named by the first folder below the landing folder. Its files
are CSV with a header: policy_number, as_of, premium, paid, reserve. The policy number is the only
key that both sides share; partners may use the same numbers, so that source_system is part of
every key here.
"""

import dlt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

spark: SparkSession  # put here by the pipeline runtime

_MONEY = ("premium", "paid", "reserve")
_FIELDS = ("policy_number", "as_of", *_MONEY)
_ROW_RULES = {
    "policy number present": "policy_number IS NOT NULL",
    "as_of present": "as_of IS NOT NULL",
    "amounts present": " AND ".join(f"{name} IS NOT NULL" for name in _MONEY),
}


@dlt.table(
    comment="Bordereaux as delivered: one row per row of a file, text",
    table_properties={"quality": "bronze", "pipelines.reset.allowed": "false"},
)
def bronze_bordereau() -> DataFrame:
    """Of all partners; `source_system` is the folder of the partner."""
    landing = spark.conf.get("federation.landing")
    files = (
        spark.readStream.format("cloudFiles")
        .option("cloudFiles.format", "csv")
        .option("cloudFiles.schemaHints", ", ".join(f"{name} STRING" for name in _FIELDS))
        .option("header", "true")
        .load(f"{landing}/*/bordereau/")
    )
    return files.selectExpr(
        "element_at(split(_metadata.file_path, '/'), -3) AS source_system",
        "*",
        "_metadata.file_path AS _file",
        "_metadata.file_modification_time AS _file_time",
    )


def _typed() -> DataFrame:
    """Rows of bronze with their types, null where a text is not of its type; and broken rules."""
    money = [f"try_cast({name} AS DECIMAL(14,2)) AS {name}" for name in _MONEY]
    typed = spark.readStream.table("bronze_bordereau").selectExpr(
        "source_system",
        "nullif(trim(policy_number), '') AS policy_number",
        "try_cast(as_of AS DATE) AS as_of",
        *money,
        "_file",
        "_file_time",
    )
    broken = ", ".join(f"if({rule}, NULL, '{name}')" for name, rule in _ROW_RULES.items())
    return typed.withColumn("_reasons", F.expr(f"array_compact(array({broken}))"))


@dlt.table(
    comment="Refused rows of bordereaux: one row per row of a file that breaks a rule",
    table_properties={"quality": "quarantine"},
)
def quarantine_bordereau() -> DataFrame:
    """A partner corrects a row by sending it again in a new file."""
    return _typed().where("size(_reasons) > 0")


@dlt.view(comment="Valid rows of bordereaux")
@dlt.expect_all_or_drop(_ROW_RULES)
def valid_bordereau() -> DataFrame:
    """What silver takes."""
    return _typed().drop("_reasons")


dlt.create_streaming_table(
    name="silver_bordereau",
    comment="Bordereaux: one row per source_system and policy_number, as of its latest date;"
    " of two files with one date the later one counts",
    table_properties={"quality": "silver"},
    cluster_by=["source_system", "policy_number"],
)
dlt.apply_changes(
    target="silver_bordereau",
    source="valid_bordereau",
    keys=["source_system", "policy_number"],
    sequence_by=F.struct("as_of", "_file_time", "_file"),
    except_column_list=["_file_time"],
)


@dlt.table(
    comment="Partners' policies beside the insurer's own figures: one row per source_system and"
    " policy_number",
    table_properties={"quality": "gold"},
    schema="""
        source_system STRING COMMENT 'partner who reports the policy',
        policy_number STRING COMMENT 'as both sides know the contract',
        segment STRING COMMENT 'policy type; UNKNOWN for a number that the insurer does not have',
        as_of DATE COMMENT 'date of the bordereau',
        premium DECIMAL(18,2) COMMENT 'written, as the partner reports it',
        incurred DECIMAL(18,2) COMMENT 'paid + reserve, as the partner reports it',
        own_incurred DECIMAL(18,2) COMMENT 'of the insurer, latest valuation; null if UNKNOWN',
        difference DECIMAL(18,2) COMMENT 'incurred - own_incurred; null if UNKNOWN'
    """,
)
@dlt.expect_all({"policy known": "segment <> 'UNKNOWN'"})
def gold_bordereau() -> DataFrame:
    """A number that the insurer does not have stays, with its amounts, under UNKNOWN."""
    schema = spark.conf.get("federation.insurance")
    terms = spark.read.table(f"{schema}.silver_policy").where("__END_AT IS NULL")
    contracts = terms.groupBy("policy_number").agg(F.max("policy_type").alias("policy_type"))
    positions = spark.read.table(f"{schema}.gold_claim_position")
    latest = positions.agg(F.max("valuation_date").alias("valuation_date"))
    claims = (
        positions.join(F.broadcast(latest), "valuation_date")
        .groupBy("policy_number")
        .agg(F.sum("incurred").alias("own"))
    )
    reported = spark.read.table("silver_bordereau").withColumn(
        "incurred", F.col("paid") + F.col("reserve")
    )
    matched = reported.join(contracts, "policy_number", "left").join(
        claims, "policy_number", "left"
    )
    own = "if(policy_type IS NULL, NULL, coalesce(own, 0))"
    return matched.selectExpr(
        "source_system",
        "policy_number",
        "coalesce(policy_type, 'UNKNOWN') AS segment",
        "as_of",
        "CAST(premium AS DECIMAL(18,2)) AS premium",
        "CAST(incurred AS DECIMAL(18,2)) AS incurred",
        f"CAST({own} AS DECIMAL(18,2)) AS own_incurred",
        f"CAST(incurred - {own} AS DECIMAL(18,2)) AS difference",
    )
