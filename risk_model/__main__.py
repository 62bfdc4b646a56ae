"""`python -m risk_model --storage DIR --out DIR`: train, test on other policies, score."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from local_shim.query.catalog import default_namespace
from local_shim.query.storage_session import reading
from local_shim.storage import Storage
from risk_model.data import COLUMNS
from risk_model.training import Training, train


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads gold_glm_exposure of a storage; writes scores, deciles and relativities."""
    options = _parser().parse_args(arguments)
    training = train(_model_rows(options.storage, options.pipeline), options.holdout)
    write(training, options.out)
    sys.stdout.write(training.deciles.round(3).to_string() + "\n")
    return 0


def write(training: Training, folder: Path) -> None:
    """`risk_score.parquet` (keys of gold_glm_exposure), `deciles.csv`, `relativities.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    training.scores.to_parquet(folder / "risk_score.parquet", index=False)
    training.deciles.to_csv(folder / "deciles.csv")
    training.relativities.to_csv(folder / "relativities.csv", index_label="level")


def _model_rows(storage: Path, pipeline: str) -> pd.DataFrame:
    place = Storage(storage, pipeline)
    with reading(place, default_namespace(place)) as spark:
        return spark.table("gold_glm_exposure").select(*COLUMNS).toPandas()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m risk_model", description=__doc__)
    parser.add_argument("--storage", type=Path, required=True, help="storage of the pipeline")
    parser.add_argument("--pipeline", default="insurance", help="its pipeline")
    parser.add_argument("--out", type=Path, default=Path("build/risk_model"), help="results")
    parser.add_argument("--holdout", type=int, default=30, help="percent of policies for the test")
    return parser


if __name__ == "__main__":
    sys.exit(main())
