"""What the service stores and when it shows it. Knows neither HTTP nor what it stores.

The service is eventually consistent: what is new may not be found at first, what was deleted may still be listed, and
what takes time is finished later. No clock decides when, so that tests need not wait: *looks* do. A look is a request
that describes the thing, or the first page of a listing that may hold it. Later pages are no looks, so nothing changes
in the middle of a listing because of them.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Store"]

_LONG_AGO: Final = dt.datetime.min.replace(tzinfo=dt.UTC)


class _Dated(Protocol):
    """What has a time; one without it counts as older than all others."""

    @property
    def created_at(self) -> dt.datetime | None: ...


_T = TypeVar("_T", bound=_Dated)


def _age_key(thing: _Dated) -> dt.datetime:
    return thing.created_at or _LONG_AGO


@attrs.define
class _Coming:
    """What is still to come for something new: looks that do not find it, looks that find it unfinished, its end."""

    hidden: int
    looks: int
    finish: Callable[[], object]
    visible: bool = False

    def look(self) -> bool:
        """Count one look; return whether it finds the thing finished."""
        if self.hidden > 0:
            self.hidden -= 1
            return False
        self.visible = True
        self.looks -= 1
        return self.looks <= 0


class Store(Generic[_T]):
    """Things with an id, newest first. `identify` returns the id of one."""

    def __init__(self, identify: Callable[[_T], str]) -> None:
        self._identify = identify
        self._rows: tuple[_T, ...] = ()
        self._coming: dict[str, _Coming] = {}
        # By id: how many looks still find what is deleted.
        self._deleted: dict[str, int] = {}

    @property
    def rows(self) -> tuple[_T, ...]:
        """Return everything that is not deleted, whether it can be found yet or not."""
        if not self._deleted:
            return self._rows
        return tuple(row for row in self._rows if self._identify(row) not in self._deleted)

    def add(self, things: Iterable[_T]) -> None:
        """Add things, in front of those just as old; a known id replaces the former thing of that id."""
        added = {self._identify(thing): thing for thing in things}
        for key in added:
            self._deleted.pop(key, None)
        kept = (row for row in self._rows if self._identify(row) not in added)
        # Sorting in reverse keeps the order of equals.
        self._rows = tuple(sorted((*added.values(), *kept), key=_age_key, reverse=True))

    def replace(self, thing: _T) -> None:
        """Replace the thing of the same id; do nothing if there is none."""
        key = self._identify(thing)
        self._rows = tuple(thing if self._identify(row) == key else row for row in self._rows)

    def create(self, thing: _T, *, lag: int, looks: int, finish: Callable[[], object]) -> None:
        """Add something that `lag` looks do not find, and of which look number `looks` after these calls `finish`."""
        self.add([thing])
        self._coming[self._identify(thing)] = _Coming(lag, looks, finish, visible=lag <= 0)

    def get(self, key: str) -> _T | None:
        """Return the thing with an id, without a look; None if there is none or it is deleted."""
        return next((row for row in self.rows if self._identify(row) == key), None)

    def look(self, key: str) -> _T | None:
        """Count a look at one id and return what it finds."""
        self._count_look(key)
        return next((row for row in self._rows if self._identify(row) == key and self._is_visible(key)), None)

    def listed(self, belongs: Callable[[_T], bool] | None, *, counts: bool) -> tuple[_T, ...]:
        """Return what a listing finds; `counts` says whether this is a look. `belongs` None takes everything."""
        if counts:
            for row in self._rows if self._coming or self._deleted else ():
                if belongs is None or belongs(row):
                    self._count_look(self._identify(row))
        if belongs is None and not self._coming:
            return self._rows
        return tuple(
            row for row in self._rows if self._is_visible(self._identify(row)) and (belongs is None or belongs(row))
        )

    def delete(self, key: str, *, lag: int) -> None:
        """Delete the thing with an id; `lag` looks still find it. Raises KeyError if there is none."""
        if self.get(key) is None:
            raise KeyError(key)
        self._coming.pop(key, None)
        self._deleted[key] = lag
        if lag <= 0:
            self._forget(key)

    def _count_look(self, key: str) -> None:
        coming = self._coming.get(key)
        if coming is not None and coming.look():
            del self._coming[key]
            coming.finish()
        if key in self._deleted:
            if self._deleted[key] <= 0:
                self._forget(key)
            else:
                self._deleted[key] -= 1

    def _is_visible(self, key: str) -> bool:
        coming = self._coming.get(key)
        return coming is None or coming.visible

    def _forget(self, key: str) -> None:
        del self._deleted[key]
        self._rows = tuple(row for row in self._rows if self._identify(row) != key)
