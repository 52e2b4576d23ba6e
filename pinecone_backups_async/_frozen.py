"""A dict that cannot be changed, for the parts of frozen values. Knows nothing else."""

from __future__ import annotations

from typing import Any, Final, Generic, NoReturn, TypeVar

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
