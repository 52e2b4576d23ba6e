"""Which backups of a listing are wanted. Pure: no output, no network."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

import attrs

from pinecone_backups_async import Backup

__all__ = ["Filters", "parse_duration"]

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(text: str) -> dt.timedelta:
    """Return the duration that a text names: 90s, 15m, 26h, 7d or 2w; raise ValueError for anything else."""
    found = re.fullmatch(r"([0-9]{1,6})([smhdw])", text)
    if found is None or int(found[1]) == 0:
        raise ValueError(f"a duration is a number and one of s, m, h, d, w, such as 26h; not {text!r}")
    return dt.timedelta(**{_UNITS[found[2]]: int(found[1])})


@attrs.frozen(kw_only=True)
class Filters:
    """Hold what a backup must be: of one of these indexes (of any, if none), in one of these states, new enough."""

    indexes: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    newer_than: dt.datetime | None = None

    def match(self, backup: Backup) -> bool:
        """Say whether a backup is wanted. Without a `created_at` it is newer than nothing."""
        if self.indexes and backup.source_index_name not in self.indexes:
            return False
        if self.statuses and backup.status.casefold() not in self.statuses:
            return False
        return self.newer_than is None or (backup.created_at is not None and backup.created_at > self.newer_than)
