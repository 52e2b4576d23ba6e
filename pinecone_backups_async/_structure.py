"""Decoded JSON to models, strictly: nothing is coerced, every fault carries its path, unknown keys are kept.

Knows cattrs and the wire's types; knows no bytes. What a page is, is decided here: the codec's fast path only gets to
the same sooner.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final, TypeAlias, TypeGuard, TypeVar

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn

from ._arguments import MAX_TOKEN_BYTES
from ._errors import ResponseParsingError, ResponseTooLargeError
from ._models import Backup, BackupPage, Index, MetadataField, MetadataSchema, RestoreJob, RestoreReceipt

__all__ = ["MAX_BACKUPS", "ValidationError", "converter", "structure_page", "utc", "wire_names"]

MAX_BACKUPS: Final = 1_000  # of a page; the service has at most 100
MAX_PROBLEMS: Final = 100
ValidationError = cattrs.BaseValidationError
_JSON_NAMES: Final[dict[type, str]] = {type(None): "null", dict: "object", list: "array"}
_MODELS: Final = (MetadataField, MetadataSchema, Backup, RestoreJob, RestoreReceipt, Index)
_Problems: TypeAlias = list[tuple[str, str]]
_T = TypeVar("_T")


def wire_names(cls: type) -> set[str]:
    """Return the keys of an object that an attrs class stands for; others go to its `extra`."""
    return {field.name for field in attrs.fields(cls)} - {"extra"}


def _expected(name: str, value: object) -> str:
    kind: type = type(value)
    got = _JSON_NAMES.get(kind, kind.__name__)
    return f"expected {name}, got {got}"


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return type(value) is dict


def _is_array(value: Any) -> TypeGuard[list[Any]]:
    return type(value) is list


def _exactly(kind: type, name: str) -> Callable[[object, Any], Any]:
    def structure(value: object, _: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(_expected(name, value))
        return value

    return structure


def utc(text: str) -> dt.datetime:
    """Return the moment that a text names, in UTC; raise ValueError or OverflowError where it names none."""
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError
    return moment if moment.tzinfo is dt.UTC else moment.astimezone(dt.UTC)


def _structure_time(value: object, _: Any) -> dt.datetime:
    if type(value) is not str:
        raise TypeError(_expected("str", value))
    try:
        return utc(value)
    except (ValueError, OverflowError):
        raise ValueError("expected an RFC 3339 time with an offset") from None


def _structure_fields(value: Any, _: Any) -> Mapping[str, MetadataField]:
    if not _is_object(value):
        raise TypeError(_expected("object", value))
    fields: dict[str, MetadataField] = {}
    items = iter(value.items())
    while some := dict(islice(items, MAX_PROBLEMS)):  # so no more faults than that are gathered
        fields |= converter.structure(some, dict[str, MetadataField])
    return fields


def _keeping_unknown(cls: type[_T]) -> Callable[[object, Any], _T]:
    """Structure an attrs class from an object; the keys that the class does not know go to `extra`."""
    structure_known = make_dict_structure_fn(cls, converter)
    names = wire_names(cls)

    def structure(value: Any, _: Any) -> _T:
        if not _is_object(value):
            raise TypeError(_expected("object", value))
        known = {key: item for key, item in value.items() if key in names}
        known["extra"] = {key: item for key, item in value.items() if key not in names}
        return structure_known(known, cls)

    return structure


def _checked(value: object, kind: type[_T], path: str, problems: _Problems) -> _T | None:
    try:
        return converter.structure(value, kind)
    except (ValidationError, TypeError) as error:
        for line in cattrs.transform_error(error, path, format_exception=_reason):
            reason, _, where = line.partition(" @ ")
            problems.append((where, reason))
    return None


def _reason(error: BaseException, _: Any) -> str:
    return "required, but missing" if isinstance(error, KeyError) else str(error)


def _checked_token(pagination: Any, problems: _Problems) -> str | None:
    if pagination is None or pagination == {}:
        return None
    if not _is_object(pagination):
        problems.append(("$.pagination", _expected("object", pagination)))
    elif "next" not in pagination:
        problems.append(("$.pagination.next", "required, but missing"))
    elif pagination["next"] is not None:
        token = _checked(pagination["next"], str, "$.pagination.next", problems) or ""
        if len(token.encode()) > MAX_TOKEN_BYTES:
            problems.append(("$.pagination.next", f"longer than {MAX_TOKEN_BYTES} bytes"))
        return token or None
    return None


def _checked_backups(rows: Any, problems: _Problems) -> list[Backup]:
    if not _is_array(rows):
        problems.append(("$.data", _expected("array", rows)))
        return []
    if len(rows) > MAX_BACKUPS:
        raise ResponseTooLargeError(f"the page has more than {MAX_BACKUPS} backups")
    backups: list[Backup] = []
    for index, row in enumerate(rows):
        backup = _checked(row, Backup, f"$.data[{index}]", problems)
        if backup is not None:
            backups.append(backup)
        elif len(problems) >= MAX_PROBLEMS:
            break
    return backups


def structure_page(raw: Any) -> BackupPage:
    """Return the page that decoded JSON stands for; raise ResponseParsingError with its problems where it is none."""
    problems: _Problems = []
    backups: list[Backup] = []
    token = None
    if not _is_object(raw):
        problems.append(("$", _expected("object", raw)))
    else:
        token = _checked_token(raw.get("pagination"), problems)
        if raw.get("error") is not None:
            problems.append(("$.error", "an error is no page"))
        if "data" in raw:
            backups = _checked_backups(raw["data"], problems)
        elif token is not None or raw.keys() - {"pagination"}:
            # Alone, a missing `data` is how a project without backups may be answered.
            problems.append(("$.data", "required, but missing"))
    if problems:
        raise _refusal(problems[:MAX_PROBLEMS])
    return BackupPage(data=tuple(backups), next_token=token)


def _refusal(problems: _Problems) -> ResponseParsingError:
    listed = "; ".join(f"{path}: {reason}" for path, reason in problems[:3])
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    return ResponseParsingError(f"the answer is not a page of backups: {listed}{more}", problems=problems)


converter: Final = cattrs.Converter()
converter.register_structure_hook(str, _exactly(str, "str"))
converter.register_structure_hook(int, _exactly(int, "int"))
converter.register_structure_hook(float, lambda value, _: float(value))
converter.register_structure_hook(bool, _exactly(bool, "bool"))
converter.register_structure_hook(dt.datetime, _structure_time)
converter.register_structure_hook_func(lambda kind: kind == Mapping[str, Any], _exactly(dict, "object"))
converter.register_structure_hook_func(lambda kind: kind == Mapping[str, MetadataField], _structure_fields)
converter.register_structure_hook_factory(lambda kind: kind in _MODELS, _keeping_unknown)


def structure_value(raw: Any, kind: type[_T]) -> _T:
    """Return a value."""
    problems: _Problems = []
    if kind is dict or kind is list:
        if type(raw) is not kind:
            raise _refusal([("$", _expected("object", raw))])
        return raw
    value = _checked(raw, kind, "$", problems)
    if value is None:
        raise _refusal(problems)
    return value
