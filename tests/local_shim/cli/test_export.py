"""`dlt-local export`: tables as files that any program can read."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as parquet

from tests.local_shim.cli.conftest import Shop


def export(shop: Shop, to: Path, *arguments: str) -> list[str]:
    """The names of the files that the command reports, all below `to`."""
    result = shop.command("export", "--to", to, "--storage", "storage", *arguments)
    assert result.code == 0, result.err
    assert all(Path(line).parent == to for line in result.lines)
    return [Path(line).name for line in result.lines]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_published_table_as_json_lines(shop: Shop, tmp_path: Path) -> None:
    files = [f"main.default.{table}.jsonl" for table in ("customers", "orders", "totals")]
    assert export(shop, tmp_path) == files  # no view and no private table
    assert names(tmp_path) == files  # and nothing else: no checksums, no parts


def test_json_lines_keep_every_column_in_utc_with_microseconds(shop: Shop, tmp_path: Path) -> None:
    export(shop, tmp_path, "orders")
    lines = (tmp_path / "main.default.orders.jsonl").read_text().splitlines()
    rows = sorted((json.loads(line) for line in lines), key=lambda row: row["id"])
    assert [row["at"] for row in rows] == [
        "2026-01-01T08:00:00.000001Z",
        "2026-01-02T08:00:00.000000Z",
        "2026-01-03T08:00:00.500000Z",
    ]
    assert rows[1] == {
        "id": 2,
        "customer": "bob",
        "amount": 20.00,
        "at": "2026-01-02T08:00:00.000000Z",
        "tags": [],
        "place": {"city": "Linz", "zip": None},
    }


def test_csv(shop: Shop, tmp_path: Path) -> None:
    assert export(shop, tmp_path, "orders", "--format", "csv") == ["main.default.orders.csv"]
    with (tmp_path / "main.default.orders.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["id"])
    assert rows[0]["at"] == "2026-01-01T08:00:00.000001Z"
    assert json.loads(rows[0]["place"]) == {"city": "Graz", "zip": "8010"}


def test_parquet(shop: Shop, tmp_path: Path) -> None:
    names = ("main.default.totals", "customers")
    files = export(shop, tmp_path, *names, "--format", "parquet")
    assert files == ["main.default.totals.parquet", "main.default.customers.parquet"]
    assert parquet.read_table(tmp_path / files[0]).num_rows == 2


def test_the_folder_may_exist_and_files_are_replaced(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "main.default.totals.jsonl").write_text("old")
    (tmp_path / "other.txt").write_text("stays")
    export(shop, tmp_path, "totals")
    assert json.loads((tmp_path / "main.default.totals.jsonl").read_text().splitlines()[0])
    assert names(tmp_path) == ["main.default.totals.jsonl", "other.txt"]


def test_after_a_failed_update(new_shop: Shop, tmp_path: Path) -> None:
    source = new_shop.folder / "shop.py"
    wrong = source.read_text().replace('F.sum("amount")', 'F.sum(F.col("amount") / 0)')
    source.write_text(wrong)
    assert new_shop.command("run", *new_shop.where()).code == 1
    files = export(new_shop, tmp_path / "out")
    assert "main.default.orders.jsonl" in files and "main.default.totals.jsonl" not in files


def test_an_empty_table_is_an_empty_file(new_shop: Shop, tmp_path: Path) -> None:
    text = "import dlt\n\n@dlt.table\ndef nothing():\n    return spark.range(0)\n"
    (new_shop.folder / "nothing.py").write_text(text)
    assert new_shop.command("run", "nothing.py", "--storage", "storage").code == 0
    for form, content in (("jsonl", ""), ("csv", "id\n")):
        export(new_shop, tmp_path / "out", "--format", form)
        assert (tmp_path / "out" / f"main.default.nothing.{form}").read_text() == content


def test_an_unknown_table_gets_a_close_match(shop: Shop, tmp_path: Path) -> None:
    result = shop.command("export", "ordres", "--to", tmp_path, "--storage", "storage")
    assert result.code == 2 and "did you mean 'main.default.orders'?" in result.err
    assert names(tmp_path) == []
