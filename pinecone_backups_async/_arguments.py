"""Arguments to checked values. Each check names the argument and what is allowed, before any request.

No message repeats a value.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard, TypeVar, cast

from ._errors import ConfigurationError

MAX_LIMIT: Final = 100
MAX_TOKEN_BYTES: Final = 8192
MAX_SEGMENT: Final = 512
MAX_INDEX_NAME: Final = 45
_T = TypeVar("_T")


def refused(argument: str, rule: str) -> ConfigurationError:
    """Return the error for an argument that breaks a rule, such as `must be a str`."""
    return ConfigurationError(f"{argument} {rule}", argument=argument)


def _is_text(value: object) -> TypeGuard[str]:
    """Return whether UTF-8 can carry a value: a str without lone surrogates."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def seconds(name: str, value: object) -> float:
    """Return a positive, finite number of seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= sys.float_info.max:
        raise refused(name, "must be a positive, finite number of seconds")
    return float(value)


def count(name: str, value: object, *, least: int, most: int | None = None) -> int:
    """Return an int from `least` to `most`; a bool is not one."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        allowed = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise refused(name, f"must be an int {allowed}")
    return int(value)


def page_size(limit: object, max_items: int | None = None) -> int:
    """Return how large a page to ask for: `limit`, 1 to 100, or 100 for None; but not more than `max_items`."""
    size = MAX_LIMIT if limit is None else count("limit", limit, least=1, most=MAX_LIMIT)
    return size if max_items is None else max(1, min(size, count("max_items", max_items, least=0)))


def token(value: object) -> str | None:
    """Return the pagination token, or None."""
    if value is None or (_is_text(value) and 0 < len(value.encode()) <= MAX_TOKEN_BYTES):
        return value
    raise refused("pagination_token", f"must have 1 to {MAX_TOKEN_BYTES} bytes of text in UTF-8")


def segment(name: str, value: object) -> str:
    """Return a part of a URL's path: text of 1 to 512 characters, neither `.` nor `..`."""
    if _is_text(value) and 1 <= len(value) <= MAX_SEGMENT and value not in {".", ".."}:
        return value
    raise refused(name, f"must be a str of 1 to {MAX_SEGMENT} characters, and neither . nor ..")


def text(name: str, value: object) -> str | None:
    """Return a text that UTF-8 can carry, or None."""
    if value is None or _is_text(value):
        return value
    raise refused(name, "must be a str without lone surrogates, or None")


def new_index_name(value: object) -> str:
    """Return the name of an index that is to be created."""
    if isinstance(value, str) and re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?", value):
        return value
    allowed = f"1 to {MAX_INDEX_NAME} of a-z, 0-9 and -, and begin and end with a letter or digit"
    raise refused("name", f"must have {allowed}")


def texts(name: str, value: object) -> dict[str, str]:
    """Return a mapping of str to str as a dict."""
    pairs: dict[Any, Any] = dict(cast("Mapping[Any, Any]", value)) if isinstance(value, Mapping) else {None: None}
    if not all(_is_text(text) for pair in pairs.items() for text in pair):
        raise refused(name, "must be a mapping of str to str")
    return pairs


def choice(name: str, value: _T, allowed: Sequence[_T]) -> _T:
    """Return one of the allowed values."""
    if value not in allowed:
        raise refused(name, f"must be one of {', '.join(map(str, allowed))}")
    return value
