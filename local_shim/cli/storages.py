"""Which storage a reading command means."""

from __future__ import annotations

from pathlib import Path

from local_shim.errors import UsageError, close_match
from local_shim.storage import Storage

_DEFAULT = Path(".dlt-local")


def open_storage(
    folder: Path | None, pipeline: str | None = None, update: str | None = None
) -> Storage:
    """An existing storage, seen by `pipeline`.

    Without `pipeline`: by the one that ran the update whose id starts with `update`, or that ran
    last. Raises UsageError if no storage is there, or several are and none is named.
    """
    folder = folder or _only_one()
    if not _is_storage(folder):
        what = "is no storage" if folder.exists() else "does not exist"
        raise UsageError("STORAGE_NOT_FOUND", f"'{folder}' {what}.", hint="run a pipeline first")
    journals = [path for path in folder.glob("system/journal/*") if path.is_dir()]
    if not pipeline:
        return Storage(folder, _ran_last(journals, update))
    if pipeline not in {path.name for path in journals}:
        raise UsageError(
            "PIPELINE_NOT_FOUND",
            f"no pipeline '{pipeline}' ran in '{folder}'.",
            hint=close_match(pipeline, [path.name for path in journals]),
        )
    return Storage(folder, pipeline)


def _only_one() -> Path:
    folders = sorted(path for path in _DEFAULT.glob("*") if _is_storage(path))
    if len(folders) == 1:
        return folders[0]
    several = f"several storages lie in {_DEFAULT}: {', '.join(each.name for each in folders)}."
    none = f"no storage lies in {_DEFAULT}."
    example = folders[-1] if folders else "DIR"
    raise UsageError(
        "STORAGE_NOT_GIVEN", several if folders else none, hint=f"name one: --storage {example}"
    )


def _is_storage(folder: Path) -> bool:
    return (folder / "system").is_dir() or (folder / "tables").is_dir()


def _ran_last(journals: list[Path], update: str | None) -> str:
    """The pipeline with the newest journal among those of `update`, or of all updates."""
    files = [
        (path.stat().st_mtime, folder.name)
        for folder in journals
        for path in folder.rglob(f"{update or ''}*.jsonl")
    ]
    return max(files)[1] if files else (journals[0].name if journals else "")
