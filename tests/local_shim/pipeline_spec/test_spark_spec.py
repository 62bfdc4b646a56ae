"""A `spark-pipeline.yml`, and plain files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from local_shim.errors import UsageError
from local_shim.pipeline_spec.load import from_files, from_spark_spec

Lay = Callable[[dict[str, str]], Path]

SPEC = """\
name: my pipeline
storage: file:///tmp/x
catalog: c
database: d
configuration:
  spark.sql.shuffle.partitions: "4"
libraries:
  - glob: {include: transformations/**}
  - glob: {include: extra.sql}
"""
FILES = {"transformations/a.py": "", "transformations/x/b.sql": "", "extra.sql": ""}


def test_a_spark_spec_is_read_as_spark_reads_it(lay: Lay) -> None:
    folder = lay({"spark-pipeline.yml": SPEC, **FILES})
    spec = from_spark_spec(folder / "spark-pipeline.yml")
    assert (spec.key, spec.name) == ("my_pipeline", "my pipeline")
    assert (spec.catalog, spec.schema) == ("c", "d")
    assert spec.sources == tuple(folder / name for name in FILES)
    assert spec.root == folder
    assert spec.configuration == {"spark.sql.shuffle.partitions": "4"}


def test_the_storage_of_a_spark_spec_is_a_warning(lay: Lay) -> None:
    folder = lay({"spark-pipeline.yml": SPEC, **FILES})
    (warning,) = from_spark_spec(folder).warnings
    assert "storage 'file:///tmp/x' is not used" in warning
    assert "spark-pipeline.yml:" in warning


def test_a_spark_spec_has_sparks_defaults(lay: Lay) -> None:
    folder = lay(
        {"spark-pipeline.yaml": "name: p\nlibraries: [{glob: {include: a.py}}]", "a.py": ""}
    )
    spec = from_spark_spec(folder)
    assert (spec.catalog, spec.schema) == ("spark_catalog", "default")


def test_schema_is_another_word_for_database(lay: Lay) -> None:
    folder = lay({"spark-pipeline.yml": SPEC.replace("database:", "schema:"), **FILES})
    assert from_spark_spec(folder).schema == "d"


@pytest.mark.parametrize(
    ("old", "new", "condition"),
    [
        ("database:", "databse:", "UNKNOWN_FIELD"),
        ("glob: {include: extra.sql}", "file: {path: extra.sql}", "UNKNOWN_LIBRARY"),
        ("extra.sql", "extr.sql", "SOURCE_NOT_FOUND"),
        ("name: my", "name: [my", "YAML_BROKEN"),
    ],
)
def test_a_wrong_spark_spec_names_its_line(lay: Lay, old: str, new: str, condition: str) -> None:
    folder = lay({"spark-pipeline.yml": SPEC.replace(old, new), **FILES})
    with pytest.raises(UsageError) as caught:
        from_spark_spec(folder)
    assert caught.value.condition == condition
    assert "spark-pipeline.yml:" in str(caught.value.where)


def test_a_missing_spark_spec_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="SPEC_NOT_FOUND"):
        from_spark_spec(tmp_path)


def test_files_globs_and_folders_make_a_pipeline(lay: Lay, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = lay({"etl/a.py": "", "etl/b.sql": "", "etl/sub/c.py": "", "etl/note.txt": ""})
    monkeypatch.chdir(folder)
    spec = from_files(["etl/*.py", "etl/b.sql", "etl/sub"], "c", "s", {"k": "v"})
    assert [path.name for path in spec.sources] == ["a.py", "b.sql", "c.py"]
    assert (spec.key, spec.catalog, spec.schema) == ("etl", "c", "s")
    assert spec.root == folder / "etl"
    assert spec.configuration == {"k": "v"}


def test_one_file_gives_the_pipeline_its_name(lay: Lay) -> None:
    folder = lay({"orders.py": ""})
    assert from_files([str(folder / "orders.py")]).key == "orders"


def test_the_letters_of_globs_may_stand_in_a_name(lay: Lay) -> None:
    folder = lay({"etl [1]/a.py": ""})
    assert from_files([str(folder / "etl [1]" / "a.py")]).sources == (folder / "etl [1]/a.py",)


def test_files_of_a_package_import_it_by_name(lay: Lay) -> None:
    folder = lay({"app/__init__.py": "", "app/tables/__init__.py": "", "app/tables/t.py": ""})
    assert from_files([str(folder / "app/tables/t.py")]).root == folder


def test_files_below_transformations_import_what_lies_beside_it(lay: Lay) -> None:
    folder = lay({"etl/transformations/daily/t.py": ""})
    assert from_files([str(folder / "etl/transformations/**")]).root == folder / "etl"


def test_files_that_do_not_exist_are_all_named(lay: Lay) -> None:
    folder = lay({"a.py": ""})
    with pytest.raises(UsageError) as caught:
        from_files([str(folder / "b.py"), str(folder / "*.sql")])
    assert caught.value.message.count("[SOURCE_NOT_FOUND]") == 2


def test_no_files_at_all_is_an_error() -> None:
    with pytest.raises(UsageError, match="NO_SOURCES"):
        from_files([])
