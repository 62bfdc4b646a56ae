"""Whatever a bundle holds, a check ends with our own errors and never with a traceback."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_shim.deploy_check.check import check_bundle
from local_shim.errors import ShimError

pytest.importorskip("databricks.sdk")

VALUES: list[Any] = [
    *(None, 1, True, 3.5, "", "x", "../..", "${", "${var.nope}", "${var.catalog}"),
    *("${resources.jobs.refresh.id}", [], {}, [1], {"a": 1}, [[{}]]),
]


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of the tree with each of its keys or indices."""
    children = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, child in list(children):
        yield tree, key
        if isinstance(child, dict | list):
            yield from places(child)


@pytest.mark.parametrize("seed", range(60))
def test_a_value_in_the_wrong_place_gives_an_error_of_ours(
    plant: Callable[[], Path], seed: int
) -> None:
    chance = random.Random(seed)
    folder = plant()
    file = folder / chance.choice(["databricks.yml", "resources/all.yml"])
    tree = yaml.safe_load(file.read_text())
    for _ in range(chance.randint(1, 3)):
        container, key = chance.choice(list(places(tree)))
        container[key] = chance.choice(VALUES)
    file.write_text(yaml.safe_dump(tree))
    try:
        check_bundle(folder, environ={})
    except ShimError as error:
        assert error.exit_code == 2
