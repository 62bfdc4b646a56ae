"""Rules that several tables share, kept as a dict."""

RULES = {"has id": "id IS NOT NULL", "enough": "amount >= 5"}


def files(spark, folder):
    """A stream of the files of one folder below the landing folder."""
    reader = spark.readStream.format("cloudFiles").option("cloudFiles.format", "csv")
    landing = spark.conf.get("shop.landing")
    return reader.option("header", True).load(f"{landing}/{folder}")
