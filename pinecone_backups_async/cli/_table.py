"""Backups as a table for a person. Knows rich; writes nothing itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich import box
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from pinecone_backups_async import Backup, BackupStatus

from ._sanitize import for_terminal

__all__ = ["age", "backups_table"]

_COLUMNS: Final[tuple[str, ...]] = ("Index", "Name", "Status", "Age", "Size", "Records", "Region", "Id")
_LEAVE_FIRST: Final[tuple[str, ...]] = ("Name", "Region", "Records", "Size")
_PADDING: Final = 2
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
    """Return the table: index, name, status, age, size, records, region, id.

    Where it is too wide, name, region, records and size leave, in this order; what is left is never cut but folded.
    """
    indexes = len({backup.source_index_id for backup in backups})
    size = decimal(sum(backup.size_bytes or 0 for backup in backups))
    caption = f"{len(backups)} backups of {indexes} indexes, {size}"
    table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left", collapse_padding=True)
    rows: list[dict[str, Text]] = [dict(zip(_COLUMNS, _cells(backup, now), strict=True)) for backup in backups]
    widths: dict[str, int] = {title: max([len(title), *(row[title].cell_len for row in rows)]) for title in _COLUMNS}
    shown = _shown(widths, width)
    for title in shown:
        firm = title not in {"Index", "Name", "Id"}
        table.add_column(
            title,
            justify="right" if title in _NUMBERS else "left",
            overflow="fold",
            no_wrap=firm,
            min_width=widths[title] if firm else None,
        )
    for row in rows:
        table.add_row(*(row[title] for title in shown))
    return table


def _shown(widths: Mapping[str, int], width: int) -> list[str]:
    shown: list[str] = list(_COLUMNS)
    for title in _LEAVE_FIRST:
        if sum(widths[column] + _PADDING for column in shown) + _PADDING <= width:
            break
        shown.remove(title)
    return shown


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
