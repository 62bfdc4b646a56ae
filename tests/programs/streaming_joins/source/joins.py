import dlt
from pyspark.sql.functions import col, expr

LANDING = spark.conf.get("landing")


def arrivals(folder, schema):
    reader = spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
    return reader.schema(schema).load(f"{LANDING}/{folder}")


@dlt.table
def clicks():
    return arrivals("clicks", "ad INT, at TIMESTAMP").withWatermark("at", "1 hour")


@dlt.table
def views():
    return arrivals("views", "ad INT, at TIMESTAMP, user STRING").withWatermark("at", "1 hour")


@dlt.table
def ads():
    return spark.createDataFrame([(1, "red"), (2, "blue")], "ad INT, campaign STRING")


@dlt.table
def clicked_views():
    ad_views = dlt.read_stream("views").withWatermark("at", "1 hour").alias("v")
    clicked = dlt.read_stream("clicks").withWatermark("at", "1 hour").alias("c")
    near = expr("v.ad = c.ad AND c.at BETWEEN v.at AND v.at + INTERVAL 10 MINUTES")
    ads = dlt.read("ads").alias("a")
    return ad_views.join(clicked, near).join(ads, col("v.ad") == col("a.ad")).select(
        "user", "campaign"
    )


@dlt.table
def first_views():
    return dlt.read_stream("views").select("user").dropDuplicates(["user"])


@dlt.table
def views_by_user():
    return dlt.read_stream("views").groupBy("user").count()
