"""The bars: which of our figures is compared with which, and how large the ratio may be."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.pipelines.results import Measured, Run

_OURS, _SDP, _TUNED, _HAND_WRITTEN = (
    "dlt-local",
    "spark-pipelines",
    "spark-pipelines tuned",
    "PySpark",
)
REGRESSION = 1.2  # of the ratio in the run before


@dataclass(frozen=True)
class Bar:
    """A ratio of seconds, or of memory, that must not be larger than `limit`."""

    ours: Measured
    peer: Measured
    limit: float
    field: str = "wall"

    @property
    def title(self) -> str:
        """The two sides in words."""
        same_work = self.ours.work == self.peer.work
        peer = self.peer.runner if same_work else f"the {self.peer.work}"
        what = "" if self.field == "wall" else f" ({self.field})"
        return f"{self.ours.case}: {self.ours.work} / {peer}{what}"

    def ratio(self, run: Run) -> float | None:
        """The ratio of the medians of a run; None if one of them was not measured."""
        ours, peer = run.median(self.ours), run.median(self.peer)
        if ours is None or peer is None:
            return None
        return float(getattr(ours, self.field) / getattr(peer, self.field))

    def verdict(self, ratio: float) -> str:
        """Whether the bar is met."""
        return "met" if ratio <= self.limit else "missed"


def _shape(case: str) -> list[Bar]:
    bars = []
    for peer, limit in ((_SDP, 0.15), (_TUNED, 0.4)):
        for work in ("first update", "second update"):
            bars.append(Bar(Measured(case, work, _OURS), Measured(case, work, peer), limit))
    warm = Measured(case, "warm update", _OURS), Measured(case, "warm update", _HAND_WRITTEN)
    unchanged = Measured(case, "nothing changed", _OURS), Measured(case, "first update", _OURS)
    return [*bars, Bar(*warm, 1.25), Bar(*unchanged, 0.2)]


_EARLY, _LATE = (Measured("many_updates", f"{when} updates", _OURS) for when in ("early", "late"))
BARS = (
    *_shape("chain"),
    *_shape("fan"),
    *_shape("streaming_chain"),
    Bar(Measured("plan", "plan", _OURS), Measured("plan", "plan", _SDP), 0.5),
    Bar(Measured("bad_cast", "error", _OURS), Measured("bad_cast", "error", _SDP), 0.3),
    *(
        Bar(Measured(case, "changes", _OURS), Measured(case, "changes", "MERGE"), limit)
        for case, limit in (("scd1_batch", 0.8), ("scd2_batch", 1.2))
    ),
    Bar(_LATE, _EARLY, 1.1),
    Bar(_LATE, _EARLY, 1.1, "memory"),
    Bar(_LATE, _EARLY, 1.1, "heap"),
)
