"""Checks the reader options that have no prefix `cloudFiles.` against the file format."""

from __future__ import annotations

from collections.abc import Iterable

from local_shim.autoloader.options.reader_names import HONOURED, OF_FILES, REFUSED
from local_shim.errors import DefinitionError, close_match


def check_reader_options(format: str, options: Iterable[str]) -> list[str]:
    """Warnings about options that the format does not have.

    Raises DefinitionError for the options that Databricks has for the format and this runner has
    not.
    """
    names = _lower((*HONOURED[format], *OF_FILES))
    unsupported = {name.lower(): (name, reason) for name, reason in REFUSED.get(format, {}).items()}
    refusals, warnings = [], []
    for key in options:
        if key.lower() in unsupported:
            refusals.append(unsupported[key.lower()])
        elif key.lower() not in names:
            warnings.append(_warning(format, key))
    if refusals:
        raise DefinitionError(
            "CF_UNSUPPORTED_OPTION",
            f"the local runner does not read {format} files with the option "
            f"{', '.join(name for name, _ in refusals)}.",
            hint="; ".join(f"{name}: {reason}" for name, reason in refusals),
        )
    return warnings


def _warning(format: str, key: str) -> str:
    others = [other for other, names in HONOURED.items() if key.lower() in _lower(names)]
    if others:
        formats = " and ".join([", ".join(others[:-1]), others[-1]] if others[1:] else others)
        return f"Auto Loader ignores the option '{key}': it is for {formats} files."
    near = close_match(key, (*HONOURED[format], *OF_FILES))
    hint = f": {near}" if near.startswith("did") else "."
    return f"Auto Loader ignores the option '{key}', which {format} files do not have{hint}"


def _lower(names: Iterable[str]) -> set[str]:
    return {name.lower() for name in names}
