"""Where the demo keeps what it makes; `make clean` removes all of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """The folders of one demo."""

    root: Path
    project: Path

    @property
    def data(self) -> Path:
        """The database server's data."""
        return self.root / "postgresql"

    @property
    def landing(self) -> Path:
        """The folder that stands for the bucket DMS writes to."""
        return self.root / "landing"

    @property
    def storage(self) -> Path:
        """The pipeline's tables, checkpoints and events."""
        return self.root / "storage"

    @property
    def pictures(self) -> Path:
        """The page of pictures that each run of the demo writes."""
        return self.root / "pictures.html"

    @property
    def task(self) -> Path:
        """The replication task's documents, the ones that a real task takes."""
        return self.project / "resources" / "dms"

    @property
    def init_sql(self) -> Path:
        """The source schema and the business."""
        return self.project / "init_sql"


def here() -> Place:
    """The demo of this checkout."""
    project = Path(__file__).parents[1]
    return Place(project / ".demo", project)
