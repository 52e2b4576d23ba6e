"""The listing as the service keeps it: backups newest first, pages cut at positions, tokens that carry their page size.

Knows no HTTP. A position is a place in the list as it is now, so what is added or deleted between two requests shifts
all later pages, as it does in the service.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinecone_backups_async import Backup

__all__ = ["MAX_LIMIT", "Listing", "Window"]

MAX_LIMIT: Final = 100
_TOKEN: Final = re.compile(rb"skip=([0-9]{8})&size=([0-9]{3})")
_LONG_AGO: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
# The service leaves these out where they have no value; name, description and tags are sent as null.
_OMITTED: Final = frozenset(
    {
        "created_at",
        "dimension",
        "metric",
        "namespace_count",
        "record_count",
        "schema",
        "size_bytes",
        "source_index_deleted_at",
    }
)


@attrs.frozen
class Window:
    """A piece of the list: where it starts and how many places it has. A token is one, written down."""

    position: int
    size: int

    @classmethod
    def from_token(cls, token: str) -> Window | None:
        """Return the window of a token, None where it is malformed."""
        try:
            match = _TOKEN.fullmatch(base64.b64decode(token, validate=True))
        except ValueError:
            return None
        if match is None or not 1 <= int(match[2]) <= MAX_LIMIT:
            return None
        return cls(int(match[1]), int(match[2]))

    def token(self) -> str:
        """Return the token; it always ends in `==`, so that a client which encodes it wrongly is found out."""
        return base64.b64encode(f"skip={self.position:08d}&size={self.size:03d}".encode()).decode()

    def after(self) -> Window:
        """Return the window behind this one."""
        return attrs.evolve(self, position=self.position + self.size)


class Listing:
    """The backups of one project, newest first; one without created_at counts as older than all others."""

    def __init__(self, backups: Iterable[Backup]) -> None:
        self.backups: tuple[Backup, ...] = ()
        self.add(backups)

    def add(self, backups: Iterable[Backup]) -> None:
        """Add backups, in front of those just as old; one with a known id takes the place of its former self."""
        added = {backup.backup_id: backup for backup in backups}
        kept = (backup for backup in self.backups if backup.backup_id not in added)
        # Sorting in reverse keeps the order of equals.
        self.backups = tuple(sorted((*added.values(), *kept), key=_age_key, reverse=True))

    def delete(self, backup_id: str) -> None:
        """Delete a backup, or raise KeyError."""
        kept = tuple(backup for backup in self.backups if backup.backup_id != backup_id)
        if len(kept) == len(self.backups):
            raise KeyError(backup_id)
        self.backups = kept

    def page(self, window: Window) -> dict[str, Any]:
        """Return the body of a page. A full one has a token, also where it is the last: an empty one follows."""
        rows = self.backups[window.position : window.position + window.size]
        pagination = {"next": window.after().token()} if len(rows) == window.size else None
        return {"data": [_row(backup) for backup in rows], "pagination": pagination}


def _age_key(backup: Backup) -> dt.datetime:
    return backup.created_at or _LONG_AGO


def _row(backup: Backup) -> dict[str, Any]:
    return {name: value for name, value in backup.to_dict().items() if value is not None or name not in _OMITTED}
