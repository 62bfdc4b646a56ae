import dlt
from pyspark.sql import functions as F

LANDING = "/Volumes/main/default/landing"
RULES = {
    "items": {"has_price": "price IS NOT NULL"},
    "stores": {"has_name": "length(name) > 0"},
}


def bronze(source, folder):
    @dlt.table(name=f"{source}_bronze", comment=f"Files of {source}")
    def read():
        return (
            spark.readStream.format("cloudFiles")
            .option("cloudFiles.format", "json")
            .option("cloudFiles.schemaHints", "id INT, price DOUBLE, name STRING")
            .load(folder)
        )


def silver(source):
    @dlt.table(name=f"{source}_silver")
    @dlt.expect_all_or_drop(RULES[source])
    def clean():
        return dlt.read_stream(f"{source}_bronze").drop("_rescued_data")


for entry in dbutils.fs.ls(LANDING):
    source = entry.name.rstrip("/")
    bronze(source, entry.path)
    silver(source)


@dlt.table
def row_counts():
    frames = [
        dlt.read(f"{source}_silver").select(F.lit(source).alias("source")) for source in RULES
    ]
    return frames[0].unionAll(frames[1]).groupBy("source").count()
