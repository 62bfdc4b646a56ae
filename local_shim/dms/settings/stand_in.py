"""stand-in.json: choices that only a stand-in has."""

from __future__ import annotations

from dataclasses import dataclass

from local_shim.dms.settings.document import Document


@dataclass(frozen=True)
class Faults:
    """Misbehaviour on request, for testing what reads the files."""

    replay_transactions: int = 0  # so many are delivered again after each start
    delay_files: bool = False  # the first file of each batch arrives with the next batch
    reverse_names: bool = False  # later files get names that sort earlier
    empty_files: bool = False  # a file of zero bytes beside each batch


@dataclass(frozen=True)
class StandIn:
    """Choices that AWS does not offer, because a real task has its own ways."""

    task: str  # empty: the folder's name
    timestamp_precision: str  # us, ms, s
    toast: str  # lookup, null
    full_load: str  # clean, overlap
    faults: Faults


def read_stand_in(document: Document) -> StandIn:
    """The stand-in's own knobs; an empty document gives a faultless PostgreSQL task."""
    faults = document.part("faults")
    knobs = StandIn(
        task=document.text("task"),
        timestamp_precision=document.choice("timestamp_precision", ("us", "ms", "s"), "us"),
        toast=document.choice("toast", ("lookup", "null"), "lookup"),
        full_load=document.choice("full_load", ("clean", "overlap"), "clean"),
        faults=Faults(
            replay_transactions=faults.number("replay_transactions", 0),
            delay_files=faults.flag("delay_files"),
            reverse_names=faults.flag("reverse_names"),
            empty_files=faults.flag("empty_files"),
        ),
    )
    faults.finish()
    document.finish()
    return knobs
