"""Bad rows, files and commands: kept, counted, told; never in the way of the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from dlt_pipelines import dms
from dlt_pipelines.source_tables import SOURCE_TABLES
from local_shim.graph.plan import RefreshSelection
from local_shim.pipeline_spec.load import from_bundle
from local_shim.query.catalog import default_namespace
from local_shim.query.storage_session import reading
from local_shim.run import run
from local_shim.storage import Storage
from local_shim.update.request import Request
from tests.local_shim.cli.command import dlt_local

PROJECT = Path(__file__).parents[2]
PRODUCT = next(table for table in SOURCE_TABLES if table.name == "product")
HEADER = [name for name in dms.file_columns(PRODUCT) if name != dms.CORRUPT]
TIME = "2026-07-01 00:00:00.000000"


LATER = "2026-07-02 09:00:00.000000"


@dataclass(frozen=True)
class State:
    """What an update left of the product table."""

    bronze: int
    silver: dict[int, Row]
    refused: list[Row]


def row(**values: str) -> dict[str, str]:
    usual = {"Op": "I", "_dms_commit_ts": TIME, "name": "Motor", "line_of_business": "MOTOR",
             "policy_type": "MOTOR", "term_months": "12", "currency": "EUR"}  # fmt: skip
    return {**dict.fromkeys(HEADER, "\\N"), **usual, **values}


def line(header: list[str], values: dict[str, str]) -> str:
    return ",".join(values[name] for name in header)


def write(file: Path, *lines: str) -> None:
    file.write_text("\n".join([",".join(HEADER), *lines]) + "\n")


def write_bad_files(folder: Path) -> None:
    """Three good products among rows and files that are wrong in every way there is."""
    folder.mkdir(parents=True)
    write(
        folder / "LOAD00000001.csv",
        line(HEADER, row(product_id="1", product_code="P1")),
        line(HEADER, row(product_id="2", product_code="P2")) + ",surplus",
        "I," + TIME + ",3",
        line(HEADER, row(product_id="4", product_code="P4", Op="X")),
        line(HEADER, row(product_id="5", product_code="P5", term_months="twelve")),
        line(HEADER, row(product_id="\\N", product_code="P6")),
        line(HEADER, row(product_id="8", product_code="P8", name="", line_of_business="\\N")),
    )
    (folder / "LOAD00000002.csv").write_text("")
    turned = HEADER[::-1]
    other = line(turned, row(product_id="7", product_code="P7"))
    (folder / "LOAD00000003.csv").write_text(",".join(turned) + "\n" + other + "\n")


def feed_again(folder: Path) -> None:
    """Products 2 and 4 again as they should have been, and corrections of 4 and 5 by the source."""
    again = [line(HEADER, row(product_id=key, product_code=f"P{key}")) for key in ("2", "4")]
    write(folder / "fed_again_1.csv", *again)
    write(folder / "fed_again_2.csv", *again)  # once more under another name
    changes = [
        row(Op="U", product_id=key, product_code=f"P{key}", name="Corrected")
        | {"_dms_commit_ts": LATER, "_dms_change_seq": f"2026070209000000{key:0>19}"}
        for key in ("4", "5")
    ]
    write(folder / "20260702-090000000.csv", *(line(HEADER, change) for change in changes))


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> tuple[State, State]:
    """The product table after bad files, and after its refused rows were fed again."""
    root = tmp_path_factory.mktemp("bad_input")
    folder = root / "landing" / "public" / "product"
    spec = from_bundle(PROJECT, None, {"landing": str(root / "landing")}, None)
    below_gold = tuple(file for file in spec.sources if file.parent.name in ("bronze", "silver"))
    spec = replace(spec, sources=below_gold)
    selection = RefreshSelection(refresh=("bronze_product", "quarantine_product", "silver_product"))
    after = []
    for deliver in (write_bad_files, feed_again):
        deliver(folder)
        assert run(Request(spec, root / "storage", selection)).exit_code == 0
        after.append(state(Storage(root / "storage", "insurance")))
    return after[0], after[1]


def state(storage: Storage) -> State:
    with reading(storage, default_namespace(storage)) as session:
        return State(
            session.table("bronze_product").count(),
            {row.product_id: row for row in session.table("silver_product").collect()},
            session.table("quarantine_product").collect(),
        )


@pytest.mark.slow
def test_every_bad_row_is_kept_with_its_file_and_stops_nothing(
    spark: SparkSession, states: tuple[State, State]
) -> None:
    after_bad_files, _ = states
    assert after_bad_files.bronze == 8
    assert sorted(after_bad_files.silver) == [1, 7, 8]
    assert len(after_bad_files.refused) == 5
    assert all("LOAD00000001.csv" in r["_file"] and r["_reasons"] for r in after_bad_files.refused)


@pytest.mark.slow
def test_null_and_empty_text_of_a_file_are_two_things_in_silver(
    spark: SparkSession, states: tuple[State, State]
) -> None:
    product = states[0].silver[8]
    assert (product.name, product.line_of_business) == ("", None)


@pytest.mark.slow
def test_a_refused_row_arrives_once_when_it_is_corrected_or_fed_again(
    spark: SparkSession, states: tuple[State, State]
) -> None:
    before, after = states
    assert after.bronze == 8 + 2 * 2 + 2
    names = {key: product.name for key, product in after.silver.items()}
    assert names == {1: "Motor", 2: "Motor", 4: "Corrected", 5: "Corrected", 7: "Motor", 8: ""}
    assert sorted(map(str, after.refused)) == sorted(map(str, before.refused))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--var", "landing=/nowhere"], "'/nowhere' does not exist, which the configuration key"),
        (["--var", "landnig=/tmp"], "did you mean 'landing'"),
        (["--pipeline", "insurence"], "insurance"),
        (["--target", "qa"], "dev"),
    ],
)
def test_a_wrong_command_is_one_message_and_nothing_is_written(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    storage = tmp_path / "storage"
    result = dlt_local("run", "--bundle", PROJECT, "--storage", storage, *arguments)
    assert result.code == 2, result.out + result.err
    assert message in result.err
    assert "Traceback" not in result.err
    assert not storage.exists()
