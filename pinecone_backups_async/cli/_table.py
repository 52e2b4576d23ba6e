"""Backups as a table for a person. Knows rich; writes nothing itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from rich import box
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from pinecone_backups_async import Backup, BackupStatus

from ._sanitize import for_terminal

__all__ = ["age", "backups_table"]

_WIDE: Final = 120
_COLUMNS: Final = ("Index", "Name", "Status", "Age", "Size", "Records", "Region", "Id")
_NUMBERS: Final = frozenset({"Age", "Size", "Records"})
_COLOURS: Final[dict[str, str]] = {
    BackupStatus.READY: "green",
    BackupStatus.INITIALIZING: "yellow",
    BackupStatus.PENDING: "yellow",
    BackupStatus.FAILED: "bold red",
    BackupStatus.INITIALIZATION_FAILED: "bold red",
}


def age(moment: dt.datetime | None, now: dt.datetime) -> str:
    """Return how long ago a moment was, in its largest unit that counts at least two; `-` where it is not known."""
    if moment is None:
        return "-"
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def backups_table(backups: Sequence[Backup], now: dt.datetime, width: int) -> Table:
    """Return the table: index, name, status, age, size, records, region, id; a narrow one does without the name."""
    indexes = len({backup.source_index_id for backup in backups})
    size = decimal(sum(backup.size_bytes or 0 for backup in backups))
    caption = f"{len(backups)} backups of {indexes} indexes, {size}"
    table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left", collapse_padding=True)
    rows = [list(_cells(backup, now)) for backup in backups]
    shown = [column for column, title in enumerate(_COLUMNS) if title != "Name" or width >= _WIDE]
    for column in shown:
        title = _COLUMNS[column]
        longest = max((row[column].cell_len for row in rows), default=0)
        least = None if title in {"Name", "Id"} else max(longest, len(title))
        table.add_column(title, justify="right" if title in _NUMBERS else "left", no_wrap=True, min_width=least)
    for row in rows:
        table.add_row(*(row[column] for column in shown))
    return table


def _cells(backup: Backup, now: dt.datetime) -> Iterator[Text]:
    yield _plain(backup.source_index_name, "bold")
    yield _plain(backup.name or "")
    yield _plain(backup.status, _COLOURS.get(backup.status, ""))
    yield Text(age(backup.created_at, now))
    yield Text("-" if backup.size_bytes is None else decimal(backup.size_bytes))
    yield Text("-" if backup.record_count is None else f"{backup.record_count:,}")
    yield _plain(backup.region)
    yield _plain(backup.backup_id, "dim")


def _plain(text: str, style: str = "") -> Text:
    return Text(for_terminal(text), style=style)
