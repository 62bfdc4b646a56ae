from pyspark import pipelines as dp


def initials(name):
    return "".join(word[0] for word in name.split())


spark.udf.register("initials", initials)


@dp.temporary_view
def people():
    return (
        spark.readStream.format("cloudFiles")
        .option("cloudFiles.format", "json")
        .schema("name STRING")
        .load("/Volumes/main/default/landing/people")
    )
