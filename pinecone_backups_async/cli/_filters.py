"""Which backups of a listing are wanted, and in which order. Pure: no output, no network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import attrs

from pinecone_backups_async import Backup

__all__ = ["ORDERS", "Filters", "Order"]

_LONG_AGO: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
Order = Literal["age", "size", "index", "name", "status"]
ORDERS: Final[Mapping[Order, Callable[[Backup], Any]]] = {
    "age": lambda backup: dt.datetime.max.replace(tzinfo=dt.UTC) - (backup.created_at or _LONG_AGO),
    "size": lambda backup: -(backup.size_bytes or 0),
    "index": lambda backup: backup.source_index_name,
    "name": lambda backup: backup.name or "",
    "status": lambda backup: backup.status,
}


@attrs.frozen(kw_only=True)
class Filters:
    """What a backup must be: of one of these indexes (of any, if none), in one of these states, with all of these tags.

    `statuses` are compared in lower case. A backup without a `created_at` is neither newer nor older than anything.
    """

    indexes: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    tags: frozenset[tuple[str, str]] = frozenset()
    newer_than: dt.datetime | None = None
    older_than: dt.datetime | None = None

    def match(self, backup: Backup) -> bool:
        """Return whether a backup is wanted."""
        if self.indexes and backup.source_index_name not in self.indexes:
            return False
        if self.statuses and backup.status.casefold() not in self.statuses:
            return False
        tags = backup.tags or {}
        return all(str(tags.get(key)) == value for key, value in self.tags) and self._of_age(backup.created_at)

    def _of_age(self, created_at: dt.datetime | None) -> bool:
        if self.newer_than is None and self.older_than is None:
            return True
        if created_at is None:
            return False
        newer = self.newer_than is None or created_at > self.newer_than
        return newer and (self.older_than is None or created_at < self.older_than)
