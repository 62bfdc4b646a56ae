"""A document as Markdown, for the summary of a CI job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from local_shim.report.document import Document

# In characters: the whole stays below 60 KB. Every failure is named all the same.
_FAILURES = 20_000
_SECTION = 10_000  # of each other section
_LINE = 300  # of one message


def markdown(doc: Document) -> str:
    """Counts, failures with what they skipped, and broken rules."""
    update, flows = doc["update"], doc["flows"]
    counts = Counter(flow["status"] for flow in flows if flow["status"])
    lines = [
        f"# {doc['pipeline']['name']}: {update['state']}",
        "",
        f"Update `{update['id']}`, started {_time(update['started'])}{_duration(update)}.",
        "",
        _sentence(f"{_count(n, 'flow')} {state.lower()}" for state, n in sorted(counts.items())),
        *_section("Failures", _failures(doc), capped=False),
        *_section("Broken rules", _rules(doc)),
        *_section("Warnings", (f"- {_one_line(text)}" for text in doc["warnings"])),
        *_section("Flows", _table(doc)),
    ]
    return "\n".join(lines) + "\n"


def _time(time: str | None) -> str:
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M:%S} UTC" if time else "never"


def _duration(update: Document) -> str:
    return "" if update["seconds"] is None else f", took {update['seconds']:.1f} s"


def _sentence(parts: Iterable[str]) -> str:
    return (", ".join(parts) or "No flow has started") + "."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _section(heading: str, lines: Iterator[str], *, capped: bool = True) -> Iterator[str]:
    length, omitted, started = 0, 0, False
    for line in lines:
        if not started:
            yield from ("", f"## {heading}", "")
            started = True
        length += len(line)
        if capped and length > _SECTION:
            omitted += 1
        else:
            yield line
    if omitted:
        yield f"\n… and {omitted} more lines."


def _failures(doc: Document) -> Iterator[str]:
    failed = [flow for flow in doc["flows"] if flow["error"]]
    for flow in failed:
        skipped = [each for each in doc["flows"] if flow["name"] in each["skipped_because"]]
        because = f" ({_count(len(skipped), 'flow')} skipped because of it)" if skipped else ""
        message = _one_line(flow["error"]["message"], min(_LINE, _FAILURES // len(failed)))
        yield f"- `{flow['name']}`{because}: {message}"


def _rules(doc: Document) -> Iterator[str]:
    for flow in doc["flows"]:
        for rule in flow["rules"]:
            if rule["failed"]:
                total = _count(rule["passed"] + rule["failed"], "row")
                yield f"- `{rule['dataset']}` {rule['name']}: {rule['failed']:,} of {total}"


def _table(doc: Document) -> Iterator[str]:
    yield "| flow | state | written | deleted | dropped | seconds |"
    yield "|---|---|--:|--:|--:|--:|"
    for flow in doc["flows"]:
        if flow["status"]:
            written = flow["rows"] + flow["upserted"]
            seconds = "" if flow["seconds"] is None else f"{flow['seconds']:.1f}"
            yield (
                f"| `{flow['name']}` | {flow['status'].lower()} | {written:,} "
                f"| {flow['deleted']:,} | {flow['dropped']:,} | {seconds} |"
            )


def _one_line(text: str, most: int = _LINE) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most] + "…"
