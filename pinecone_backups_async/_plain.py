"""Models to plain JSON-ready Python: the one helper behind every `to_dict`. Knows no particular model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Mapping
from copy import deepcopy
from functools import cache
from operator import attrgetter
from typing import Any, Final, cast

import attrs

_AS_IS: Final = frozenset({str, int, float, bool, type(None)})


def plain(model: Any, *, absent: bool = True) -> dict[str, Any]:
    """Return a model's known fields, then its `extra`; to change the result does not change the model.

    `absent=False` leaves out the known fields that are None.
    """
    names, read = _reader_of(cast("Hashable", type(model)))
    known = dict(zip(names, read(model), strict=True))
    for name, value in known.items():
        if type(value) not in _AS_IS:
            known[name] = _copied(value)
    if not absent:
        known = {name: value for name, value in known.items() if value is not None}
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
