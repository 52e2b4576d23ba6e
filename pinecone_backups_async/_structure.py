"""Decoded JSON to models, strictly: nothing is coerced, every fault carries its path, unknown keys are kept.

Knows cattrs and the types of the API; knows no bytes. What a valid response is, is decided here: the faster readers
of `_decode` come to the same result sooner.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeGuard, TypeVar

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn

from ._arguments import MAX_TOKEN_BYTES
from ._errors import ResponseParsingError, ResponseTooLargeError
from ._models import MODELS, MetadataField
from ._plain import FrozenDict

MAX_ROWS: Final = 1_000  # of a page; the service has at most 100
MAX_PROBLEMS: Final = 100
ValidationError = cattrs.BaseValidationError
_JSON_NAMES: Final[dict[type, str]] = {type(None): "null", dict: "object", list: "array"}
_RFC_3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt]((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60)(?:\.(\d+))?(?:[Zz]|([+-](?:[01]\d|2[0-3]):[0-5]\d))",
    re.ASCII,
)
_Problems: TypeAlias = list[tuple[str, str]]
_T = TypeVar("_T")


def wire_names(cls: type) -> set[str]:
    """Return the keys of an object that an attrs class has fields for; others go to its `extra`."""
    return {field.name for field in attrs.fields(cls)} - {"extra"}


def read_time(text: str) -> dt.datetime:
    """Return the moment in UTC that an RFC 3339 time names, rounded to the microsecond; second 60 is the next minute's.

    Raise ValueError or OverflowError if it names none.
    """
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise ValueError
    day, minute, second, fraction, offset = match.groups()
    digits = (fraction or "").ljust(7, "0")
    microseconds = int(digits[:6]) + (digits[6] >= "5")
    start = dt.datetime.fromisoformat(f"{day}T{minute}{offset or '+00:00'}").astimezone(dt.UTC)
    return start + dt.timedelta(seconds=int(second), microseconds=microseconds)


def _expected(name: str, value: object) -> str:
    kind: type = type(value)
    got = _JSON_NAMES.get(kind, kind.__name__)
    return f"expected {name}, got {got}"


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return type(value) is dict


def _is_array(value: Any) -> TypeGuard[list[Any]]:
    return type(value) is list


def _exactly(kind: type, name: str) -> Callable[[object, Any], Any]:
    def structure_exactly(value: object, _: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(_expected(name, value))
        return value

    return structure_exactly


_structure_str: Final = _exactly(str, "str")


def _structure_float(value: Any, _: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError(_expected("float", value))
    return float(value)


def _structure_time(value: object, kind: Any) -> dt.datetime:
    try:
        return read_time(_structure_str(value, kind))
    except (ValueError, OverflowError):
        raise ValueError("expected an RFC 3339 time with an offset") from None


def _structure_fields(value: Any, _: Any) -> Mapping[str, MetadataField]:
    if not _is_object(value):
        raise TypeError(_expected("object", value))
    fields: dict[str, MetadataField] = {}
    items = iter(value.items())
    while some := dict(islice(items, MAX_PROBLEMS)):  # so no more faults than that are gathered
        fields |= _converter.structure(some, dict[str, MetadataField])
    return FrozenDict(fields)


def _keeping_unknown(cls: type[_T]) -> Callable[[object, Any], _T]:
    """Structure an attrs class from an object; the keys that the class does not know go to `extra`."""
    structure_known = make_dict_structure_fn(cls, _converter)
    names = wire_names(cls)

    def structure_model(value: Any, _: Any) -> _T:
        if not _is_object(value):
            raise TypeError(_expected("object", value))
        unknown = {key: item for key, item in value.items() if key not in names}
        return structure_known({**value, "extra": unknown} if unknown else value, cls)

    return structure_model


def _checked(value: object, kind: type[_T], path: str, problems: _Problems) -> Any:
    """Return the value of decoded JSON, a `kind`; if it is none, add why to the problems."""
    try:
        return _converter.structure(value, kind)
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


class Listing(NamedTuple, Generic[_T]):
    """The content of a response with many rows; `missing` says that it had no list of rows at all."""

    rows: tuple[_T, ...]
    token: str | None
    missing: bool


def structure_listing(
    raw: Any, kind: type[_T], what: str, *, key: str = "data", rows: list[_T] | None = None
) -> Listing[_T]:
    """Return the rows in decoded JSON; raise ResponseParsingError with its problems if it is not `what`.

    `rows` are the rows if a faster reader has read them.
    """
    problems: _Problems = []
    if not _is_object(raw):
        raise _refusal(what, [("$", _expected("object", raw))])
    token = _checked_token(raw.get("pagination"), problems)
    if raw.get("error") is not None:
        problems.append(("$.error", f"an error is not {what}"))
    if key in raw:
        rows = _checked_rows(raw[key], kind, f"$.{key}", problems) if rows is None else rows
    elif key != "data" or token is not None or raw.keys() - {"pagination"}:
        # Alone, a missing `data` is how a project without backups may be answered.
        problems.append((f"$.{key}", "required, but missing"))
    if problems:
        raise _refusal(what, problems)
    return Listing(tuple(rows or ()), token, key not in raw)


def _checked_rows(rows: Any, kind: type[_T], path: str, problems: _Problems) -> list[_T]:
    if not _is_array(rows):
        problems.append((path, _expected("array", rows)))
        return []
    if len(rows) > MAX_ROWS:
        raise ResponseTooLargeError(f"the response has more than {MAX_ROWS:,} rows")
    found: list[_T] = []
    for number, row in enumerate(rows):
        found.append(_checked(row, kind, f"{path}[{number}]", problems))
        if len(problems) >= MAX_PROBLEMS:
            break
    return found


def structure(raw: Any, kind: type[_T], what: str) -> _T:
    """Return the value of decoded JSON; raise ResponseParsingError with its problems if it is not `what`."""
    problems: _Problems = []
    value: _T = _checked(raw, kind, "$", problems)
    if problems:
        raise _refusal(what, problems)
    return value


def _refusal(what: str, problems: _Problems) -> ResponseParsingError:
    listed = "; ".join(f"{path}: {reason}" for path, reason in problems[:3])
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    return ResponseParsingError(f"the response is not {what}: {listed}{more}", problems=problems[:MAX_PROBLEMS])


_converter: Final = cattrs.Converter()
_converter.register_structure_hook(str, _structure_str)
_converter.register_structure_hook(int, _exactly(int, "int"))
_converter.register_structure_hook(bool, _exactly(bool, "bool"))
_converter.register_structure_hook(float, _structure_float)
_converter.register_structure_hook(dt.datetime, _structure_time)
_converter.register_structure_hook_func(lambda kind: kind == Mapping[str, Any], _exactly(dict, "object"))
_converter.register_structure_hook_func(lambda kind: kind == Mapping[str, MetadataField], _structure_fields)
_converter.register_structure_hook_factory(lambda kind: kind in MODELS, _keeping_unknown)
