"""The bars: ratios between a figure of ours and a peer's, and some figures by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.pipelines.results import Measured, Run

_DLT_LOCAL, _SDP, _TUNED, _HAND_WRITTEN = (
    "dlt-local",
    "spark-pipelines",
    "spark-pipelines tuned",
    "PySpark",
)
REGRESSION = 1.2  # times the figure of the run before


@dataclass(frozen=True)
class Bar:
    """What a ratio of seconds or of memory may be at most; without a peer, the figure itself."""

    measured: Measured
    peer: Measured | None
    limit: float
    field: str = "wall"

    @property
    def title(self) -> str:
        """What is compared, in words."""
        work = f"{self.measured.case}: {self.measured.work}"
        if self.peer is None:
            return f"{work}, {'seconds' if self.field == 'wall' else 'MB'}"
        same_work = self.measured.work == self.peer.work
        peer = self.peer.runner if same_work else f"the {self.peer.work}"
        return f"{work} / {peer}" + ("" if self.field == "wall" else f" ({self.field})")

    def figure(self, run: Run) -> float | None:
        """The figure by the medians of a run; None if a side was not measured."""
        costs = [run.median(side) for side in (self.measured, self.peer) if side is not None]
        sides = [float(getattr(cost, self.field)) for cost in costs if cost is not None]
        if len(sides) < len(costs):
            return None
        return sides[0] if self.peer is None else sides[0] / sides[1]

    def verdict(self, figure: float) -> str:
        """Whether the bar is met."""
        return "met" if figure <= self.limit else "missed"


def _shape(case: str) -> list[Bar]:
    bars = []
    for peer, limit in ((_SDP, 0.15), (_TUNED, 0.4)):
        for work in ("first update", "second update"):
            bars.append(Bar(Measured(case, work, _DLT_LOCAL), Measured(case, work, peer), limit))
    warm = Measured(case, "warm update", _DLT_LOCAL), Measured(case, "warm update", _HAND_WRITTEN)
    unchanged = (
        Measured(case, "nothing changed", _DLT_LOCAL),
        Measured(case, "first update", _DLT_LOCAL),
    )
    return [*bars, Bar(*warm, 1.25), Bar(*unchanged, 0.2)]


_EARLY, _LATE = (
    Measured("many_updates", f"{when} updates", _DLT_LOCAL) for when in ("early", "late")
)
BARS = (
    *_shape("chain"),
    *_shape("fan"),
    *_shape("streaming_chain"),
    Bar(Measured("plan", "plan", _DLT_LOCAL), Measured("plan", "plan", _SDP), 0.5),
    Bar(Measured("bad_cast", "error", _DLT_LOCAL), Measured("bad_cast", "error", _SDP), 0.3),
    *(
        Bar(Measured(case, "changes", _DLT_LOCAL), Measured(case, "changes", "MERGE"), limit)
        for case, limit in (("scd1_batch", 0.8), ("scd2_batch", 1.2))
    ),
    Bar(
        Measured("auto_loader", "typed CSV", _DLT_LOCAL),
        Measured("auto_loader", "typed CSV", "spark.read.csv"),
        round(1 / 0.6, 2),  # 0.6 of its throughput
    ),
    Bar(Measured("auto_loader", "no new file", _DLT_LOCAL), None, 10),
    Bar(Measured("demo", "first run", _DLT_LOCAL), None, 90),
    Bar(Measured("demo", "one more day", _DLT_LOCAL), None, 30),
    Bar(Measured("insurance", "first update", _DLT_LOCAL), None, 360),
    Bar(Measured("insurance", "first update", _DLT_LOCAL), None, 6 * 1024, "memory"),
    Bar(Measured("insurance", "one more day", _DLT_LOCAL), None, 90),
    Bar(Measured("commands", "--help", _DLT_LOCAL), None, 0.3),
    Bar(_LATE, _EARLY, 1.1),
    Bar(_LATE, _EARLY, 1.1, "memory"),
    Bar(_LATE, _EARLY, 1.1, "heap"),
)
