"""Paths as a bundle writes them, as paths on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from local_shim.pipeline_spec.bundle.references import References
from local_shim.pipeline_spec.bundle.tree import Bundle
from local_shim.pipeline_spec.document.node import Node, text_node

# pip's flags whose argument is a path when it looks like one.
_PATH_FLAGS = ("-e", "--editable", "-r", "--requirement")


class LocalPaths:
    """Relative paths count from the file that holds them; uploaded files lie where they are."""

    def __init__(self, bundle: Bundle, references: References):
        self.here = str(bundle.sync_root)
        file_path = bundle.tree.at("workspace", "file_path")
        uploaded = text_node("${workspace.root_path}/files", bundle.tree.place)
        remote = [
            references.resolved(node).text().rstrip("/") for node in (file_path, uploaded) if node
        ]
        # Old bundles put /Workspace, or /Workspace/, before paths that already begin with it.
        self.remote = [
            prefix + path
            for path in [*remote, self.here]
            for prefix in ("/Workspace/", "/Workspace", "")
        ]

    def uploaded(self, text: str) -> str:
        """A text that names a file or folder of the bundle in a workspace, as its path here."""
        for prefix in self.remote:
            if text == prefix or text.startswith(prefix + "/"):
                return self.here + text.removeprefix(prefix)
        return text

    def text(self, node: Node) -> str:
        """The path in a resolved node, absolute, still with its wildcards."""
        return os.path.normpath(node.place.folder / self.uploaded(node.text().strip()))

    def path(self, node: Node) -> Path:
        """The path in a resolved node, absolute."""
        return Path(self.text(node))

    def dependency(self, node: Node) -> str:
        """A pip requirement whose relative path, if it holds one, is made absolute."""
        flag, _, rest = node.text().strip().partition(" ")
        name, equals, value = flag.partition("=")
        if name in _PATH_FLAGS and equals and not rest:
            flag, rest = name, value
        if flag in _PATH_FLAGS and "://" not in rest:
            return f"{flag} {self.text(text_node(rest.strip(), node.place))}"
        if (
            not rest
            and (flag.startswith((".", "/")) or flag.endswith(".whl"))
            and "://" not in flag
        ):
            return self.text(node)
        return node.text().strip()
