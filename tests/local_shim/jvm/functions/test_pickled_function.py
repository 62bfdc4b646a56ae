"""The text of a pickled function depends on its code and values, not on the process."""

from __future__ import annotations

import os
import subprocess
import sys

CODE = """
import enum
from pyspark import cloudpickle
from local_shim.jvm.functions.pickled_function import stable_text

class Colour(enum.Enum):
    RED = "red"

words = {"alpha", "beta", "gamma", "delta"}

def function(x):
    return (Colour.RED, x in {"one", "two", "three", "four"}, x in words, "alpha", "two")

print(stable_text(cloudpickle.dumps(function)))
"""


def text_of(code: str, seed: int) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_two_processes_give_one_text_for_one_function() -> None:
    text = text_of(CODE, 1)
    assert text == text_of(CODE, 2)
    assert text != text_of(CODE.replace("'two')", "'TWO')").replace('"two")', '"TWO")'), 1)
