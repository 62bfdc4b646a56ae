"""What a command costs: seconds, processor seconds and memory of its processes, from /proc."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PAUSE = 0.2  # seconds between two looks at the processes


@dataclass(frozen=True)
class Cost:
    """What some work cost.

    `wall` and `cpu` are seconds, `cpu` of all its processes. `memory` is the largest sum of their
    resident memory in MB, in which pages that processes share count more than once. `others` is
    the share of the machine's processor time, 0 to 1, that all other processes took meanwhile.
    `heap` is what lives on the JVM's heap afterwards, in MB, 0 if nobody looked.
    """

    wall: float
    cpu: float
    memory: int
    others: float
    heap: int = 0


@dataclass(frozen=True)
class _Process:
    parent: int
    cpu: float
    memory: int


def _processes() -> dict[int, _Process]:
    """All processes of the machine by their id, with the CPU seconds of children that ended."""
    processes = {}
    for folder in _PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:  # it has ended
            continue
        cpu = (int(fields[11]) + int(fields[12])) / _TICK
        processes[int(folder.name)] = _Process(int(fields[1]), cpu, int(fields[21]) * _PAGE)
    return processes


def _busy() -> float:
    """Seconds that all cores together have worked since the machine started."""
    fields = (_PROC / "stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _idle, _waiting, interrupts, soft, stolen = map(int, fields[:8])
    return (user + nice + system + interrupts + soft + stolen) / _TICK


class ProcessTree:
    """A process and what it starts, looked at again and again while work goes on."""

    def __init__(self, root: int):
        self.root = root
        self._cpu: dict[int, float] = {}  # the last look at each process, also at ended ones
        self._peak = 0
        self.look()

    def look(self) -> None:
        """Notes processor seconds and memory of the processes that exist now."""
        processes = _processes()
        tree = {self.root, *(each for each in self._cpu if each in processes)}
        size = 0
        while len(tree) > size:
            size = len(tree)
            tree |= {number for number, each in processes.items() if each.parent in tree}
        # A process that was just forked shows the memory of its parent until it starts a program.
        settled = [number for number in self._cpu if number in processes]
        memory = sum(processes[number].memory for number in settled) // 2**20
        self._peak = max(self._peak, memory)
        self._cpu |= {number: processes[number].cpu for number in tree if number in processes}

    @property
    def cpu(self) -> float:
        """Processor seconds of all processes so far."""
        return sum(self._cpu.values())

    def take_peak(self) -> int:
        """The largest memory in MB since this was last called."""
        peak, self._peak = self._peak, 0
        return peak


@contextmanager
def looking(tree: ProcessTree) -> Iterator[None]:
    """Looks at the tree all through the block, in another thread."""
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_PAUSE):
            tree.look()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Stopwatch:
    """The cost of work in a process tree since it was made."""

    def __init__(self, tree: ProcessTree):
        self.tree = tree
        tree.look()
        tree.take_peak()
        self._cpu, self._busy, self._began = tree.cpu, _busy(), time.monotonic()

    def stop(self) -> Cost:
        """The cost up to now."""
        wall = time.monotonic() - self._began
        self.tree.look()
        cpu = self.tree.cpu - self._cpu
        others = (_busy() - self._busy - cpu) / (wall * (os.cpu_count() or 1))
        return Cost(wall, cpu, self.tree.take_peak(), max(0.0, min(others, 1.0)))


def cost_of(work: Callable[[], object]) -> Cost:
    """What work in this process and its children, such as the JVM, costs."""
    watch = Stopwatch(ProcessTree(os.getpid()))
    with looking(watch.tree):
        work()
    return watch.stop()


@dataclass(frozen=True)
class Ended:
    """How a command ended, what it printed, and what it cost."""

    code: int
    output: str
    cost: Cost


def measure(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> Ended:
    """Runs a command in `folder` to its end."""
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watch = Stopwatch(ProcessTree(process.pid))
    with looking(watch.tree):
        output, _ = process.communicate()
    return Ended(process.returncode, output, watch.stop())
