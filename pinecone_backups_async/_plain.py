"""What models are made of, a dict that cannot be changed; and what `to_dict` makes of them. Knows no model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Mapping
from copy import deepcopy
from functools import cache
from operator import attrgetter
from typing import Any, Final, Generic, NoReturn, TypeVar, cast

import attrs

_AS_IS: Final = frozenset({str, int, float, bool, type(None)})
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
    names, read = _reader_of(cast("Hashable", type(model)))
    known = dict(zip(names, read(model), strict=True))
    if not absent:
        known = {name: value for name, value in known.items() if value is not None and value is not NOTHING_ELSE}
    for name, value in known.items():
        if type(value) not in _AS_IS:
            known[name] = _copied(value)
    return known | _copied(model.extra) if model.extra else known


@cache
def _reader_of(cls: Hashable) -> tuple[tuple[str, ...], Callable[[object], tuple[Any, ...]]]:
    """Return the names of a model's known fields, and what reads all of them at once."""
    names = tuple(field.name for field in attrs.fields(cast("type[attrs.AttrsInstance]", cls)) if field.name != "extra")
    if len(names) == 1:  # for one name, attrgetter returns the bare value
        return names, lambda model: (getattr(model, names[0]),)
    return names, cast("Callable[[object], tuple[Any, ...]]", attrgetter(*names))


def _copied(value: Any) -> Any:
    """Return a copy of decoded JSON, of a time or of a model, JSON-ready."""
    if type(value) in _AS_IS:
        return value
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [_copied(item) for item in cast("list[Any]", value)]
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    return value.to_dict() if hasattr(value, "to_dict") else deepcopy(value)
