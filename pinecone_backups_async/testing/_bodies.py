"""Request bodies, checked against the schemas of the specification; the service refuses what does not fit."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from ._messages import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["create_backup_body", "create_index_body"]

_INDEX_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?")


def create_backup_body(content: bytes, content_type: str) -> dict[str, Any]:
    """Return the body of `CreateBackupRequest`."""
    return _fields(content, content_type, {"name": _is_text, "description": _is_text})


def create_index_body(content: bytes, content_type: str, *, read_capacity: bool) -> dict[str, Any]:
    """Return the body of `CreateIndexFromBackupRequest`; `read_capacity` says whether the version knows that field."""
    checks = {"name": _is_text, "tags": _is_tags, "deletion_protection": _is_text}
    body = _fields(content, content_type, checks | ({"read_capacity": _is_object} if read_capacity else {}))
    if "name" not in body:
        raise _unprocessable("missing field `name`")
    if _INDEX_NAME.fullmatch(body["name"]) is None:
        raise _invalid(
            "Index name must be 1 to 45 lowercase alphanumeric characters or hyphens, "
            "and must not begin or end with a hyphen."
        )
    if body.get("deletion_protection", "disabled") not in {"enabled", "disabled"}:
        raise _invalid("deletion_protection must be enabled or disabled.")
    return body


def _fields(content: bytes, content_type: str, checks: Mapping[str, Callable[[Any], bool]]) -> dict[str, Any]:
    """Return a JSON object of which each field is known and of its type."""
    if content_type != "application/json":
        raise _invalid("The Content-Type header must be application/json.")
    try:
        body = json.loads(content)
    except ValueError:
        raise _unprocessable("expected value") from None
    if not _is_object(body):
        raise _unprocessable("expected an object")
    for name, value in body.items():
        if name not in checks:
            raise _unprocessable(f"unknown field `{name}`")
        if not checks[name](value):
            raise _unprocessable(f"invalid type of `{name}`")
    return dict(body)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_tags(value: Any) -> bool:
    return _is_object(value) and all(map(_is_text, value.values()))


def _unprocessable(complaint: str) -> RefusedError:
    message = f"Failed to deserialize the JSON body into the target type: {complaint}"
    return RefusedError(422, "UNPROCESSABLE_ENTITY", message)


def _invalid(message: str) -> RefusedError:
    return RefusedError(400, "INVALID_ARGUMENT", message)
