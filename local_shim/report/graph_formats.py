"""The graph of a document as Mermaid, DOT or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from local_shim.report.document import Document

_SHAPES = {
    "STREAMING_TABLE": ("([", "])", "box, style=rounded"),
    "TEMPORARY_VIEW": ("[/", "/]", "parallelogram"),
    "SINK": ("[[", "]]", "box3d"),
    "OUTSIDE": ("[(", ")]", "cylinder"),
}
_TABLE = ("[", "]", "box")


def mermaid(doc: Document) -> str:
    """The graph in Mermaid, which GitHub and notebooks draw."""
    numbers = {name: f"n{number}" for number, name in enumerate(_kinds(doc))}
    lines = ["flowchart LR"]
    for name, kind in _kinds(doc).items():
        left, right, _ = _SHAPES.get(kind, _TABLE)
        label = name.replace('"', "#quot;")
        lines.append(f'  {numbers[name]}{left}"{label}"{right}')
    lines += [f"  {numbers[source]} --> {numbers[target]}" for source, target in edges(doc)]
    return "\n".join(lines)


def dot(doc: Document) -> str:
    """The graph in the language of Graphviz."""
    lines = ["digraph pipeline {", "  rankdir=LR;"]
    for name, kind in _kinds(doc).items():
        lines.append(f"  {_quoted(name)} [shape={_SHAPES.get(kind, _TABLE)[2]}];")
    lines += [f"  {_quoted(source)} -> {_quoted(target)};" for source, target in edges(doc)]
    return "\n".join([*lines, "}"])


def graph_json(doc: Document) -> str:
    """Nodes and edges as JSON."""
    nodes = [{"name": name, "kind": kind} for name, kind in _kinds(doc).items()]
    links = [{"from": source, "to": target} for source, target in edges(doc)]
    return json.dumps({"nodes": nodes, "edges": links}, indent=2, ensure_ascii=False)


def edges(doc: Document) -> list[tuple[str, str]]:
    """Every pair of a dataset and one that reads it, once."""
    return list(dict.fromkeys(_reads(doc)))


def _reads(doc: Document) -> Iterator[tuple[str, str]]:
    for flow in doc["flows"]:
        for name in flow["reads"]:
            if name != flow["target"]:
                yield name, flow["target"]


def _kinds(doc: Document) -> dict[str, str]:
    """All nodes: datasets of the pipeline and the tables outside that it reads."""
    outside = {each["name"]: "OUTSIDE" for each in doc["outside"]}
    return {**outside, **{each["name"]: each["kind"] for each in doc["datasets"]}}


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
