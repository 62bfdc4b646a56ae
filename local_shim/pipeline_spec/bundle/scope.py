"""What `${bundle.…}`, `${workspace.…}` and `${resources.…}` stand for on one's own machine.

[choice] There is no workspace: the user is the operating system's, `${workspace.file_path}` is
the bundle's own folder, and a host that the bundle does not name is `http://127.0.0.1`.
[choice] Names are not prefixed with `[dev <user>]` or `dev_<user>_`: the prefix keeps people in one
workspace apart, and a laptop has one.
[choice] The id of a resource is what it would be in Unity Catalog (`catalog.schema.name`), and
`local-<key>` where a workspace would draw a number.
"""

from __future__ import annotations

import getpass
import re
import subprocess
from pathlib import Path

from local_shim.pipeline_spec.bundle.merge import merged
from local_shim.pipeline_spec.bundle.tree import Bundle
from local_shim.pipeline_spec.document.node import Node, Place, mapping_node, text_node

# The id of what lives in Unity Catalog is its full name.
_FULL_NAMES = {
    "catalogs": ("name",),
    "schemas": ("catalog_name", "name"),
    "volumes": ("catalog_name", "schema_name", "name"),
    "registered_models": ("catalog_name", "schema_name", "name"),
}


def scope(bundle: Bundle) -> Node:
    """The tree in which references other than variables are looked up."""
    place = Place(bundle.file, 1)
    empty = mapping_node({}, place)
    tree = bundle.tree
    parts = {
        "bundle": merged(tree.at("bundle") or empty, _bundle(bundle, place)),
        "workspace": merged(_workspace(place), tree.at("workspace") or empty),
        "resources": merged(_resources(tree), tree.at("resources") or empty),
    }
    parts["workspace"] = merged(parts["workspace"], _paths(bundle, place))
    return mapping_node(parts, place)


def _bundle(bundle: Bundle, place: Place) -> Node:
    values = {"target": bundle.target, "environment": bundle.target}
    fields = {key: text_node(text, place) for key, text in values.items()}
    mode = bundle.tree.at("mode")
    if mode:
        fields["mode"] = mode
    if not bundle.tree.at("bundle", "git"):
        fields["git"] = _git(bundle.folder, place)
    return mapping_node(fields, place)


def _git(folder: Path, place: Place) -> Node:
    commands = {
        "branch": ("rev-parse", "--abbrev-ref", "HEAD"),
        "commit": ("rev-parse", "HEAD"),
        "origin_url": ("config", "--get", "remote.origin.url"),
    }
    answers = {name: _git_says(folder, arguments) for name, arguments in commands.items()}
    return mapping_node({name: text_node(text, place) for name, text in answers.items()}, place)


def _git_says(folder: Path, arguments: tuple[str, ...]) -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return process.stdout.strip() if process.returncode == 0 else ""


def _workspace(place: Place) -> Node:
    user = _user()
    names = {
        "userName": user,
        "displayName": user,
        "short_name": re.sub(r"[^a-z0-9_]", "_", user.split("@")[0].lower()),
        "domain_friendly_name": re.sub(r"[^a-z0-9-]", "-", user.lower()),
    }
    person = mapping_node({key: text_node(text, place) for key, text in names.items()}, place)
    host = text_node("http://127.0.0.1", place)
    return mapping_node({"current_user": person, "host": host}, place)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without an entry, as containers have
        return "local"


def _paths(bundle: Bundle, place: Place) -> Node:
    """Workspace paths; those to the bundle's files are local, the others as Databricks has them."""
    root = bundle.tree.at("workspace", "root_path") or text_node(
        "/Workspace/Users/${workspace.current_user.userName}/.bundle/${bundle.name}/${bundle.target}",
        place,
    )
    paths = {
        "root_path": root,
        "file_path": text_node(str(bundle.sync_root).replace("${", "$${"), place),
    }
    for name, below in (("resource", "resources"), ("artifact", "artifacts"), ("state", "state")):
        default = text_node(f"${{workspace.root_path}}/{below}", place)
        paths[f"{name}_path"] = bundle.tree.at("workspace", f"{name}_path") or default
    return mapping_node(paths, place)


def _resources(tree: Node) -> Node:
    """The fields of each resource that a deployment would add."""
    computed: dict[str, Node] = {}
    for kind, resources in tree.items("resources"):
        keys = {key: _outputs(kind, key, node.place) for key, node in resources.items()}
        computed[kind] = mapping_node(keys, resources.place)
    return mapping_node(computed, tree.place)


def _outputs(kind: str, key: str, place: Place) -> Node:
    parts = [f"${{resources.{kind}.{key}.{field}}}" for field in _FULL_NAMES.get(kind, ())]
    outputs = {"id": text_node(".".join(parts) or f"local-{key}", place)}
    if kind == "volumes":
        outputs["volume_path"] = text_node("/Volumes/" + "/".join(parts), place)
    return mapping_node(outputs, place)
