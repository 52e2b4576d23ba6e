"""Arguments of calls to checked values. Each check names the argument and what is allowed, before any request."""

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


def refused(argument: str, rule: str) -> ConfigurationError:
    """Return the error for an argument that breaks a rule, such as `must be a str`."""
    return ConfigurationError(f"{argument} {rule}", argument=argument)


def _shortened(value: object) -> str:
    """Return a refused value as a message shows it; of what has no short text, its type."""
    try:
        text = repr(value)
    except ValueError:  # an int of more digits than Python writes
        text = ""
    return text if 0 < len(text) <= _MAX_SHOWN else f"this {type(value).__name__}"


def _is_text(value: object) -> bool:
    """Return whether UTF-8 can carry a value: a str without lone surrogates."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _string(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise refused(name, f"must be a str, not {type(value).__name__}")
    return value


def seconds(name: str, value: object) -> float:
    """Return a positive, finite number of seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= sys.float_info.max:
        raise refused(name, f"must be a positive, finite number of seconds, not {_shortened(value)}")
    return float(value)


def count(name: str, value: object, *, least: int, most: int | None = None) -> int:
    """Return an int from `least` to `most`; a bool is not one."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        allowed = f"an int of at least {least}" if most is None else f"an int from {least} to {most}"
        raise refused(name, f"must be {allowed}, not {_shortened(value)}")
    return int(value)


def page_size(limit: object, max_items: int | None = None) -> int:
    """Return how large a page to ask for: `limit`, 1 to 100, or 100 for None; but not more than `max_items`."""
    size = MAX_LIMIT if limit is None else count("limit", limit, least=1, most=MAX_LIMIT)
    return size if max_items is None else max(1, min(size, count("max_items", max_items, least=0)))


def token(value: object) -> str | None:
    """Return the pagination token, or None."""
    if value is None:
        return None
    text = _string("pagination_token", value)
    if not _is_text(text) or not 0 < len(text.encode()) <= MAX_TOKEN_BYTES:
        raise refused("pagination_token", f"must have 1 to {MAX_TOKEN_BYTES} bytes in UTF-8")
    return text


def segment(name: str, value: object) -> str:
    """Return a part of a URL's path: text of 1 to 512 characters, neither `.` nor `..`."""
    text = _string(name, value)
    if not _is_text(text) or not 1 <= len(text) <= MAX_SEGMENT or text in {".", ".."}:
        allowed = f"have 1 to {MAX_SEGMENT} characters, and be neither . nor .."
        raise refused(name, f"must {allowed}, not {_shortened(text)}")
    return text


def text(name: str, value: object) -> str | None:
    """Return a text that UTF-8 can carry, or None."""
    if value is not None and not _is_text(value):
        allowed = "a str without lone surrogates" if isinstance(value, str) else "a str or None"
        raise refused(name, f"must be {allowed}, not {_shortened(value)}")
    return cast("str | None", value)


def new_index_name(value: object) -> str:
    """Return the name of an index that is to be created."""
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?", value):
        allowed = f"1 to {MAX_INDEX_NAME} of a-z, 0-9 and -, and begin and end with a letter or digit"
        raise refused("name", f"must have {allowed}, not {_shortened(value)}")
    return value


def tags(value: object) -> dict[str, str] | None:
    """Return tags, a mapping of str to str, or None."""
    if value is None:
        return None
    pairs: dict[Any, Any] = dict(cast("Mapping[Any, Any]", value)) if isinstance(value, Mapping) else {None: None}
    if not all(_is_text(text) for pair in pairs.items() for text in pair):
        raise refused("tags", "must be a mapping of str to str")
    return pairs


def choice(name: str, value: object, allowed: Sequence[_T]) -> _T:
    """Return one of the allowed values."""
    for known in allowed:
        if type(value) is type(known) and value == known:
            return known
    raise refused(name, f"must be one of {', '.join(map(str, allowed))}, not {_shortened(value)}")
