"""Decoded JSON to models, strictly: nothing is coerced, every fault carries its path, unknown keys are kept.

Knows cattrs and the types of the API; knows no bytes. What a valid response is, is decided here: the faster ways of
`_decode` come to the same result sooner.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from itertools import islice
from types import NoneType
from typing import Any, Final, TypeAlias, TypeVar, cast

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn

from ._arguments import MAX_TOKEN_BYTES
from ._errors import ResponseParsingError, ResponseTooLargeError
from ._models import FrozenDict, MetadataField, Model, Page, known_names

MAX_ROWS: Final = 1_000  # of a page; the service has at most 100
MAX_PROBLEMS: Final = 100
_NAMES: Final[dict[type, str]] = {NoneType: "null", dict: "object", list: "array"}
_RFC_3339: Final = (
    r"(?a)(\d{4}-\d\d-\d\d)[Tt]((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60)(?:\.(\d+))?"
    r"(?:[Zz]|([+-](?:[01]\d|2[0-3]):[0-5]\d))"
)
_Problems: TypeAlias = list[tuple[str, str]]
_P = TypeVar("_P", bound=Page[Any])
_T = TypeVar("_T")


def read_time(text: str) -> dt.datetime:
    """Return the moment in UTC that an RFC 3339 time names, rounded to the microsecond; second 60 is the next minute's.

    Raise ValueError or OverflowError if it names none.
    """
    match = re.fullmatch(_RFC_3339, text)
    if match is None:
        raise ValueError("expected an RFC 3339 time with an offset")
    day, minute, second, fraction, offset = match.groups()
    microseconds = (int(f"{fraction or '':0<7.7}") + 5) // 10
    start = dt.datetime.fromisoformat(f"{day}T{minute}{offset or '+00:00'}").astimezone(dt.UTC)
    return start + dt.timedelta(seconds=int(second), microseconds=microseconds)


def _exactly(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        expected, got = (_NAMES.get(each, each.__name__) for each in (kind, type(value)))
        raise TypeError(f"expected {expected}, got {got}")
    return value


def _structure_object(value: Any, _: Any) -> Any:
    return _exactly(value, dict)


def _structure_float(value: Any, _: Any) -> Any:
    return _exactly(float(value) if type(value) is int else value, float)


def _structure_time(value: Any, _: Any) -> dt.datetime:
    return read_time(_exactly(value, str))


def _structure_fields(value: Any, _: Any) -> Mapping[str, MetadataField]:
    fields: dict[str, MetadataField] = {}
    items = iter(_exactly(value, dict).items())
    while some := dict(islice(items, MAX_PROBLEMS)):  # so no more faults than that are gathered
        fields |= _converter.structure(some, dict[str, MetadataField])
    return FrozenDict(sorted(fields.items()))


def _keeping_unknown(cls: type[_T]) -> Callable[[object, Any], _T]:
    """Structure an attrs class from an object; the keys that the class does not know go to `extra`."""
    structure_known = make_dict_structure_fn(cls, _converter)
    names = known_names(cls)

    def structure_model(value: Any, _: Any) -> _T:
        known = _exactly(value, dict)
        unknown = {key: item for key, item in known.items() if key not in names}
        return structure_known({**known, "extra": unknown} if unknown else known, cls)

    return structure_model


def _checked(value: object, kind: type[_T], path: str, problems: _Problems) -> Any:
    """Return the value of decoded JSON, a `kind`; if it is none, add why to the problems."""
    if type(value) is kind:  # such as a list of rows, which has nothing to structure
        return value
    try:
        return _converter.structure(value, kind)
    except (cattrs.BaseValidationError, TypeError) as error:
        for line in cattrs.transform_error(error, path, format_exception=_reason):
            reason, _, where = line.partition(" @ ")
            problems.append((where, reason))
    return None


def _reason(error: BaseException, _: Any) -> str:
    return "required, but missing" if isinstance(error, KeyError) else str(error)


def _raise_for(problems: _Problems) -> None:
    """Raise ResponseParsingError if there are problems."""
    if problems:
        listed = "; ".join(f"{path}: {reason}" for path, reason in problems[:3])
        more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
        raise ResponseParsingError(f"the response is invalid: {listed}{more}", problems=problems[:MAX_PROBLEMS])


def structure(raw: object, kind: type[_T]) -> _T:
    """Return the value of decoded JSON; raise ResponseParsingError with its problems if it is no `kind`."""
    problems: _Problems = []
    value: _T = _checked(raw, kind, "$", problems)
    _raise_for(problems)
    return value


def _token_in(pagination: object, problems: _Problems) -> str:
    """Return the token of the next page, empty if there is none; add to the problems what is wrong with it."""
    found: dict[str, Any] = {} if pagination is None else _checked(pagination, dict, "$.pagination", problems) or {}
    if found and "next" not in found:
        problems.append(("$.pagination.next", "required, but missing"))
    sent: object = found.get("next")
    token: str = "" if sent is None else _checked(sent, str, "$.pagination.next", problems) or ""
    if len(token.encode()) > MAX_TOKEN_BYTES:
        problems.append(("$.pagination.next", f"longer than {MAX_TOKEN_BYTES} bytes"))
    return token


def structure_page(raw: Any, page: type[_P], row: type[Model], key: str = "data", rows: list[Any] | None = None) -> _P:
    """Return the page of rows in decoded JSON; raise ResponseParsingError with its problems if it is none.

    `rows` are the rows if a faster reader has read them.
    """
    fields = cast("dict[str, Any]", structure(raw, dict))
    problems: _Problems = []
    _checked(fields.get("error"), NoneType, "$.error", problems)
    token = _token_in(fields.get("pagination"), problems)
    if key in fields:
        sent: list[Any] = _checked(fields[key], list, f"$.{key}", problems) or []
        if len(sent) > MAX_ROWS:
            raise ResponseTooLargeError(f"the response has more than {MAX_ROWS:,} rows")
        if rows is None:
            until_enough = ((n, item) for n, item in enumerate(sent) if len(problems) < MAX_PROBLEMS)
            rows = [_checked(item, row, f"$.{key}[{n}]", problems) for n, item in until_enough]
    elif key != "data" or token or fields.keys() - {"pagination"}:
        # Alone, a missing `data` is how a project without backups may be answered.
        problems.append((f"$.{key}", "required, but missing"))
    _raise_for(problems)
    return page(data=tuple(rows or ()), next_token=token or None, data_missing=key not in fields)


_converter: Final = cattrs.BaseConverter()
for _kind in (str, int, bool, list, dict, NoneType):
    _converter.register_structure_hook(_kind, _exactly)
_converter.register_structure_hook(float, _structure_float)
_converter.register_structure_hook(dt.datetime, _structure_time)
_converter.register_structure_hook_func(lambda kind: kind in (dict[str, Any], Mapping[str, Any]), _structure_object)
_converter.register_structure_hook_func(lambda kind: kind == Mapping[str, MetadataField], _structure_fields)
_converter.register_structure_hook_factory(attrs.has, _keeping_unknown)
