"""Arguments of calls to checked values. Each check names the argument and what is allowed, before any request."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from ._errors import ConfigurationError

MAX_LIMIT: Final = 100
MAX_TOKEN_BYTES: Final = 8192
MAX_SEGMENT: Final = 512
MAX_INDEX_NAME: Final = 45
_MAX_SHOWN: Final = 100
_T = TypeVar("_T")


def _shortened(value: object) -> str:
    """Return a refused value as a message shows it; of what has no short text, its type."""
    try:
        text = repr(value)
    except ValueError:  # an int of more digits than Python writes
        text = ""
    return text if 0 < len(text) <= _MAX_SHOWN else f"this {type(value).__name__}"


def seconds(name: str, value: object) -> float:
    """Return a positive, finite number of seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= sys.float_info.max:
        raise ConfigurationError(
            f"{name} must be a positive, finite number of seconds, not {_shortened(value)}", argument=name
        )
    return float(value)


def count(name: str, value: object, *, least: int, most: int | None = None) -> int:
    """Return an int from `least` to `most`; a bool is not one."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        allowed = f"an int of at least {least}" if most is None else f"an int from {least} to {most}"
        raise ConfigurationError(f"{name} must be {allowed}, not {_shortened(value)}", argument=name)
    return int(value)


def limit(value: object) -> int | None:
    """Return the page size, 1 to 100, or None."""
    return None if value is None else count("limit", value, least=1, most=MAX_LIMIT)


def page_size(limit_: object, max_items: int | None) -> tuple[int, int | None]:
    """Return how large a page to ask for, and how many items are wanted."""
    size = limit(limit_) or MAX_LIMIT
    if max_items is None:
        return size, None
    return max(1, min(size, count("max_items", max_items, least=0))), max_items


def token(value: object) -> str | None:
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


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def segment(name: str, value: object) -> str:
    """Return a part of a URL's path: text of 1 to 512 characters, neither `.` nor `..`."""
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be a str, not {type(value).__name__}", argument=name)
    if not _is_text(value) or not 1 <= len(value) <= MAX_SEGMENT or value in {".", ".."}:
        allowed = f"have 1 to {MAX_SEGMENT} characters, and be neither . nor .."
        raise ConfigurationError(f"{name} must {allowed}, not {_shortened(value)}", argument=name)
    return value


def text(name: str, value: object) -> str | None:
    """Return a text that UTF-8 can carry, or None."""
    if value is not None and not _is_text(value):
        what = (
            "a str without lone surrogates" if isinstance(value, str) else f"a str or None, not {type(value).__name__}"
        )
        raise ConfigurationError(f"{name} must be {what}", argument=name)
    return cast("str | None", value)


def new_index_name(value: object) -> str:
    """Return the name of an index that is to be created."""
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?", value):
        allowed = f"1 to {MAX_INDEX_NAME} of a-z, 0-9 and -, and begin and end with a letter or digit"
        raise ConfigurationError(f"name must have {allowed}, not {_shortened(value)}", argument="name")
    return value


def tags(value: object) -> dict[str, str] | None:
    """Return tags, a mapping of str to str, or None."""
    if value is None:
        return None
    pairs: dict[Any, Any] = dict(cast("Mapping[Any, Any]", value)) if isinstance(value, Mapping) else {None: None}
    if not all(_is_text(text) for pair in pairs.items() for text in pair):
        raise ConfigurationError("tags must be a mapping of str to str", argument="tags")
    return pairs


def choice(name: str, value: object, allowed: Sequence[_T]) -> _T:
    """Return one of the allowed values."""
    for known in allowed:
        if type(value) is type(known) and value == known:
            return known
    words = ", ".join(map(str, allowed))
    raise ConfigurationError(f"{name} must be one of {words}, not {_shortened(value)}", argument=name)


def flag(name: str, value: object) -> bool:
    """Return True or False."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, not {_shortened(value)}", argument=name)
    return value
