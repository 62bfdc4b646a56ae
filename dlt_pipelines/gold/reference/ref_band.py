"""ref_band: the bands of whole numbers that factors are reported in."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.transforms.bands import band_rows

spark: SparkSession  # put here by the pipeline runtime

_COLUMNS = """
    band STRING COMMENT 'driver_age_band, vehicle_age_band, …',
    lower INT COMMENT 'lowest number inside',
    upper INT COMMENT 'exclusive; null for the last band',
    label STRING COMMENT 'lo-hi, both inside, or lo+'
"""


@dlt.table(
    comment="Bands: one row per band and lower edge",
    table_properties={"quality": "gold"},
    schema=_COLUMNS,
)
def ref_band() -> DataFrame:
    """Defaults of settings.py, and insurance.band.<name> over them."""
    return spark.createDataFrame(band_rows(settings.band_edges(spark)), _COLUMNS)
