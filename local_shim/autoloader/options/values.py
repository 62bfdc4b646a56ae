"""How the text of one option becomes a value, or an error that names option and value."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from local_shim.errors import DefinitionError

_SIZES = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


def wrong(option: str, text: str, allowed: str) -> DefinitionError:
    """The error for a value that the option cannot have."""
    return DefinitionError(
        "CF_INVALID_OPTION_VALUE", f"{option} cannot be '{text}'.", hint=f"allowed: {allowed}"
    )


def flag(option: str, text: str) -> bool:
    """True or false."""
    if text.strip().lower() not in ("true", "false"):
        raise wrong(option, text, "true, false")
    return text.strip().lower() == "true"


def positive(option: str, text: str) -> int:
    """A whole number above zero."""
    if not text.strip().isdigit() or int(text) == 0:
        raise wrong(option, text, "a whole number above 0")
    return int(text)


def whole(option: str, text: str) -> int:
    """A whole number, zero or more."""
    if not text.strip().isdigit():
        raise wrong(option, text, "a whole number, 0 or more")
    return int(text)


def size(option: str, text: str) -> int:
    """Bytes, written `1048576`, `10m`, `10mb` or `1g`."""
    match = re.fullmatch(r"\s*(\d+)\s*([kmgt]?)b?\s*", text.lower())
    if not match or int(match.group(1)) == 0:
        raise wrong(option, text, "a size such as 1048576, 10m or 1g")
    return int(match.group(1)) * _SIZES[match.group(2)]


def duration(option: str, text: str) -> timedelta:
    """A length of time, written `14 days`, `interval 36 hours`, `1 week`."""
    pattern = r"(?:interval\s+)?(\d+)\s+(second|minute|hour|day|week)s?"
    match = re.fullmatch(pattern, text.strip().lower())
    if not match:
        raise wrong(option, text, "a duration such as '14 days' or '36 hours'")
    return timedelta(seconds=int(match.group(1)) * _UNITS[match.group(2)])


def moment(option: str, text: str | None) -> datetime | None:
    """A timestamp, UTC unless it says otherwise; None stays None.

    The form of Databricks' page, `2021-01-01 00:00:00.000000 UTC+0`, is taken, too.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(.+?)\s*(?:UTC|GMT)([+-]\d{1,2})?(?::?(\d\d))?", text.strip())
    plain = text.strip()
    if match:
        plain, hours, minutes = match.group(1), int(match.group(2) or 0), match.group(3) or "00"
        plain = f"{plain}{hours:+03d}:{minutes}"
    try:
        timestamp = datetime.fromisoformat(plain)
    except ValueError:
        raise wrong(option, text, "a timestamp such as 2026-01-31T00:00:00") from None
    return timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
