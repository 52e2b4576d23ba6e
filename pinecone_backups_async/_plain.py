"""What models are made of, a dict that cannot be changed; and what `to_dict` makes of them. Knows no model."""

import datetime as dt
from collections.abc import Callable, Hashable, Mapping
from copy import deepcopy
from functools import cache
from operator import attrgetter
from typing import Any, Final, Generic, NoReturn, TypeVar, cast

import attrs

_AS_IS: Final = frozenset({str, int, float, bool, type(None)})
_PLAIN: Final = frozenset({str, str | None, int | None, float | None, bool | None})
_T = TypeVar("_T")


def _raise(*_: object, **__: object) -> NoReturn:
    raise TypeError("this dict belongs to a frozen value: make a copy with dict() and change that")


_refuse: Any = _raise


class FrozenDict(dict[str, _T], Generic[_T]):
    """A dict that cannot be changed, so that many values can share it. What copy and pickle make of it is a dict."""

    __slots__ = ()
    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[dict[str, _T]], tuple[dict[str, _T]]]:
        return dict, (dict(self),)


#: The `extra` of a value that has none.
NOTHING_ELSE: Final[FrozenDict[Any]] = FrozenDict()


def plain(model: Any, *, absent: bool = True) -> dict[str, Any]:
    """Return a model's known fields, then its `extra`; to change the result does not change the model.

    `absent=False` leaves out the known fields that the service did not send.
    """
    names, read, others = _reader_of(cast("Hashable", type(model)))
    known = dict(zip(names, read(model), strict=True))
    if not absent:
        known = {name: value for name, value in known.items() if value is not None and value is not NOTHING_ELSE}
    for name in others:
        if known.get(name) is not None:
            known[name] = copied(known[name])
    return known | copied(model.extra) if model.extra else known


@cache
def _reader_of(cls: Hashable) -> tuple[tuple[str, ...], Callable[[object], tuple[Any, ...]], tuple[str, ...]]:
    """Return the names of a model's known fields, what reads all of them at once, and which ones are not plain."""
    fields = attrs.fields(attrs.resolve_types(cast("type[attrs.AttrsInstance]", cls)))
    names = tuple(field.name for field in fields if field.name != "extra")
    others = tuple(field.name for field in fields if field.name in names and field.type not in _PLAIN)
    return names, cast("Callable[[object], tuple[Any, ...]]", attrgetter(*names)), others


def copied(value: Any) -> Any:
    """Return a copy of decoded JSON, of a time or of a model, JSON-ready."""
    copy = _COPIES.get(cast("type[object]", type(value)))
    if copy is not None:
        return copy(value)
    if isinstance(value, dt.datetime):  # a subclass, such as pandas has
        return _time(value)
    to_dict = getattr(value, "to_dict", None)
    if to_dict is not None:
        return to_dict()
    return _object(value) if isinstance(value, Mapping) else deepcopy(value)


def _object(value: Any) -> dict[str, Any]:
    return {key: item if type(item) in _AS_IS else copied(item) for key, item in value.items()}


def _array(value: list[Any]) -> list[Any]:
    return [item if type(item) in _AS_IS else copied(item) for item in value]


def _time(value: dt.datetime) -> str:
    utc = value if value.tzinfo is dt.UTC else value.astimezone(dt.UTC)
    parts = utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond
    return "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ" % parts  # noqa: UP031 - twice as fast as isoformat


_COPIES: Final[Mapping[type, Callable[[Any], Any]]] = {
    dict: _object,
    FrozenDict: _object,
    list: _array,
    dt.datetime: _time,
}
