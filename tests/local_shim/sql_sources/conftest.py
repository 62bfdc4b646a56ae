"""A pipeline whose source is an SQL file."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.pipeline_folder import Pipeline


@dataclass
class SqlPipeline:
    """A pipeline with a landing folder, which `${landing}` names in its SQL."""

    pipeline: Pipeline

    def write(self, source: str, file: str = "pipeline.sql") -> None:
        self.pipeline.write(source, file)

    def arrive(self, name: str, *lines: str) -> None:
        """A file in the landing folder."""
        folder = self.pipeline.folder / "landing"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("\n".join(lines) + "\n")

    def update(self, **selection: object) -> int:
        return self.pipeline.update(**selection)

    def rows(self, name: str, *columns: str) -> list[tuple[object, ...]]:
        return self.pipeline.rows(name, *columns)


@pytest.fixture
def sql(pipeline: Pipeline) -> SqlPipeline:
    result = SqlPipeline(pipeline)
    pipeline.conf["landing"] = str(pipeline.folder / "landing")
    result.arrive("1.csv", "id,amount,op", "1,10,I", "2,-5,I", "3,7,I")
    return result
