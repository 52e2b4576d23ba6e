"""Arguments of calls to checked values. Each check names the argument and what is allowed, before any request."""

from __future__ import annotations

import sys
from typing import Final

from ._errors import ConfigurationError

__all__ = ["MAX_LIMIT", "MAX_TOKEN_BYTES", "checked_count", "checked_limit", "checked_seconds", "checked_token"]

MAX_LIMIT: Final = 100
MAX_TOKEN_BYTES: Final = 8192
_MAX_SHOWN: Final = 100


def _shortened(value: object) -> str:
    """Return a refused value as a message shows it; of what has no short text, its type."""
    try:
        text = repr(value)
    except ValueError:  # an int of more digits than Python writes
        text = ""
    return text if 0 < len(text) <= _MAX_SHOWN else f"this {type(value).__name__}"


def checked_seconds(name: str, value: object) -> float:
    """Return a positive, finite number of seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= sys.float_info.max:
        raise ConfigurationError(
            f"{name} must be a positive, finite number of seconds, not {_shortened(value)}", argument=name
        )
    return float(value)


def checked_count(name: str, value: object, *, least: int, most: int | None = None) -> int:
    """Return an int from `least` to `most`; a bool is not one."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        allowed = f"an int of at least {least}" if most is None else f"an int from {least} to {most}"
        raise ConfigurationError(f"{name} must be {allowed}, not {_shortened(value)}", argument=name)
    return int(value)


def checked_limit(value: object) -> int | None:
    """Return the page size, 1 to 100, or None."""
    return None if value is None else checked_count("limit", value, least=1, most=MAX_LIMIT)


def checked_token(value: object) -> str | None:
    """Return the pagination token, or None."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ConfigurationError(
            f"pagination_token must be a str, not {type(value).__name__}", argument="pagination_token"
        )
    if not 0 < len(value.encode(errors="replace")) <= MAX_TOKEN_BYTES or any("\ud800" <= c <= "\udfff" for c in value):
        raise ConfigurationError(
            f"pagination_token must have 1 to {MAX_TOKEN_BYTES} bytes in UTF-8", argument="pagination_token"
        )
    return value
