"""`dbutils.fs`: files and folders by the paths of the cloud, which `--path FROM=TO` maps."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from local_shim.dbutils.refusals import refused
from local_shim.errors import UsageError
from local_shim.reading.source_resolver import current_resolver


@dataclass(frozen=True)
class FileInfo:
    """One entry of a listing; `modificationTime` is in milliseconds since 1970."""

    path: str
    name: str
    size: int
    modificationTime: int

    def isDir(self) -> bool:
        """Whether it is a folder; the names of folders end in `/`."""
        return self.name.endswith("/")

    def isFile(self) -> bool:
        """Whether it is a file."""
        return not self.isDir()


class FileSystem:
    """The functions of `dbutils.fs`. A missing file or folder raises FileNotFoundError."""

    def ls(self, dir: str) -> list[FileInfo]:
        """The entries of a folder by name; of a file, the file itself."""
        folder = _existing(dir)
        if folder.is_file():
            return [_info(dir.rsplit("/", 1)[0], folder)]
        return [_info(dir, entry) for entry in sorted(folder.iterdir())]

    def head(self, file: str, max_bytes: int = 65536) -> str:
        """The first bytes of a file as text."""
        with _existing(file).open("rb") as content:
            return content.read(max_bytes).decode("utf-8", "replace")

    def put(self, file: str, contents: str, overwrite: bool = False) -> bool:
        """Writes text to a file."""
        path = _writable(file)
        if path.exists() and not overwrite:
            raise FileExistsError(f"{file} already exists; pass overwrite=True")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contents, encoding="utf-8")
        return True

    def mkdirs(self, dir: str) -> bool:
        """Creates a folder and those above it."""
        _writable(dir).mkdir(parents=True, exist_ok=True)
        return True

    def rm(self, dir: str, recurse: bool = False) -> bool:
        """Deletes a file, or with `recurse` a folder; False if there is none."""
        path = _writable(dir)
        if path.is_dir():
            if not recurse and any(path.iterdir()):
                raise OSError(f"{dir} is not empty; pass recurse=True")
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
        else:
            return False
        return True

    def cp(self, from_: str, to: str, recurse: bool = False) -> bool:
        """Copies a file, or with `recurse` a folder."""
        source, target = _existing(from_), _writable(to)
        if source.is_dir() and target.resolve().is_relative_to(source.resolve()):
            raise OSError(f"{to} lies in {from_}; a folder cannot be copied into itself")
        if source.is_dir():
            if not recurse:
                raise IsADirectoryError(f"{from_} is a folder; pass recurse=True")
            shutil.copytree(source, target, dirs_exist_ok=True)
            return True
        target = target / source.name if target.is_dir() else target
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        return True

    def mv(self, from_: str, to: str, recurse: bool = False) -> bool:
        """Moves a file, or with `recurse` a folder."""
        _writable(from_)
        self.cp(from_, to, recurse)
        return self.rm(from_, recurse=True)

    mount = refused("dbutils.fs.mount", "map the mount point: --path /mnt/NAME/=DIR")
    unmount = refused("dbutils.fs.unmount", "paths are mapped by --path FROM=TO")
    updateMount = refused("dbutils.fs.updateMount", "paths are mapped by --path FROM=TO")
    mounts = refused("dbutils.fs.mounts", "paths are mapped by --path FROM=TO")

    def refreshMounts(self) -> bool:
        """Nothing to do: paths are mapped by `--path`."""
        return True


def _info(folder: str, entry: Path) -> FileInfo:
    status = entry.stat()
    name = entry.name + ("/" if entry.is_dir() else "")
    size = 0 if entry.is_dir() else status.st_size
    return FileInfo(f"{folder.rstrip('/')}/{name}", name, size, status.st_mtime_ns // 1_000_000)


def _existing(path: str) -> Path:
    local = _local(path)
    if not local.exists():
        unmapped = str(local) == path and path.startswith("/")
        hint = f"; say where it lies here: --path /{path.split('/')[1]}/=DIR" if unmapped else ""
        raise FileNotFoundError(
            f"java.io.FileNotFoundException: No such file or directory {path}{hint}"
        )
    return local


def _writable(path: str) -> Path:
    """The path, which `--path` must map: `/` and `/tmp` are DBFS there, and this disk here.

    Raises UsageError for every other path.
    """
    resolver = current_resolver()
    if resolver is None or resolver.path(path) == path:
        raise UsageError(
            "PATH_NOT_MAPPED",
            f"'{path}' is not mapped, and dbutils.fs changes files of mapped folders only.",
            hint=f"say where its folder lies here: --path {path.rpartition('/')[0]}/=DIR",
        )
    return _local(path)


def _local(path: str) -> Path:
    """The path on this machine; UsageError for one of the cloud that `--path` does not map."""
    resolver = current_resolver()
    local = path if resolver is None else resolver.path(path)
    local = local.removeprefix("file:")
    if ":/" in local:
        prefix = local[: local.index(":/") + 2]
        raise UsageError(
            "PATH_NOT_MAPPED",
            f"'{path}' is a path of the cloud.",
            hint=f"say where it lies here: --path {prefix}=DIR",
        )
    return Path(local)
