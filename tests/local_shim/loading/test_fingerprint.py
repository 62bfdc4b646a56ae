"""What the digest of a pipeline's code depends on."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from local_shim.loading.fingerprint import fingerprint
from local_shim.pipeline_spec.load import from_bundle


def test_a_module_of_this_package_is_no_code_of_a_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each update of the demo computed every view, for other modules were loaded by then."""
    spec = from_bundle(Path(__file__).parents[3], None, {"landing": "/landing"}, None)
    monkeypatch.delitem(sys.modules, "local_shim.report.markdown", raising=False)
    before = fingerprint(spec, {}, ())
    import_module("local_shim.report.markdown")
    assert fingerprint(spec, {}, ()) == before
