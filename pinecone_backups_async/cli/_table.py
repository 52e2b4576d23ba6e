"""Backups, restore jobs and single values as cells for a person. Knows the values; writes nothing itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from rich.filesize import decimal

from pinecone_backups_async import Backup, RestoreJob

from ._grid import Cell, Column, Grid, Line, prose_lines
from ._sanitize import for_terminal

__all__ = ["age", "backup_cells", "backups_lines", "facts_lines", "jobs_lines", "short_ids", "size_text"]

_SHORTEST: Final = 8
_BACKUP_COLUMNS: Final = (
    Column("Id"),
    Column("Index"),
    Column("Name", leaves=3),
    Column("Status"),
    Column("Age", right=True),
    Column("Size", right=True),
    Column("Records", right=True, leaves=2),
    Column("Region", leaves=1),
)
_JOB_COLUMNS: Final = (
    Column("Id"),
    Column("Target index"),
    Column("Status"),
    Column("Age", right=True),
    Column("Took", right=True, leaves=2),
    Column("Backup", leaves=1),
)
_COLOURS: Final[Mapping[str, str]] = {
    "Ready": "green",
    "Completed": "green",
    "Initializing": "yellow",
    "Pending": "yellow",
    "Scheduled": "yellow",
    "Running": "yellow",
    "Failed": "bold red",
    "InitializationFailed": "bold red",
    "Cancelled": "bold red",
}


def age(moment: dt.datetime | None, now: dt.datetime) -> str:
    """Return how long ago a moment was, in its largest unit that counts at least two; `-` if it is not known."""
    return "-" if moment is None else _span(now - moment)


def _span(duration: dt.timedelta) -> str:
    seconds = max(0, int(duration.total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def size_text(size: int | None) -> str:
    """Return a number of bytes for a person; `-` if it is not known."""
    return "-" if size is None else decimal(size)


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """Return the beginning of each id: eight characters, or as many more as tell it from every other one."""
    ordered = sorted(set(ids))
    short: dict[str, str] = {}
    for before, own, after in zip(["", *ordered], ordered, [*ordered[1:], ""], strict=False):
        common = max(_common(before, own), _common(own, after))
        short[own] = own[: max(_SHORTEST, common + 1)]
    return short


def _common(one: str, other: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def backups_lines(backups: Sequence[Backup], now: dt.datetime, width: int | None) -> list[Line]:
    """Return the table of backups and the line below it: how many, of how many indexes, how large.

    Where it is too wide, region, records and name leave, in this order. Without a width everything is shown, and each
    id in full.
    """
    short = {} if width is None else short_ids([backup.backup_id for backup in backups])
    grid = Grid(_BACKUP_COLUMNS, [backup_cells(backup, short, now) for backup in backups], width)
    indexes = len({backup.source_index_id for backup in backups})
    size = decimal(sum(backup.size_bytes or 0 for backup in backups))
    counted = f"{_counted(len(backups), 'backup')} of {_counted(indexes, 'index', 'indexes')}, {size}"
    return [*grid.lines(), *prose_lines(f"{counted}{_left_out(grid)}", "dim", width)]


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _left_out(grid: Grid) -> str:
    titles = [title.lower() for title in grid.left_out]
    return f" (--wide shows {', '.join(titles)})" if titles else ""


def backup_cells(backup: Backup, short: Mapping[str, str], now: dt.datetime) -> list[Cell]:
    """Return a backup as cells: its id, as short as that may be, its index, name, status, age and so on."""
    return [
        _plain(short.get(backup.backup_id, backup.backup_id), "dim"),
        _plain(backup.source_index_name, "bold"),
        _plain(backup.name or ""),
        _plain(backup.status, _COLOURS.get(backup.status, "")),
        Cell(age(backup.created_at, now)),
        Cell(size_text(backup.size_bytes)),
        Cell("-" if backup.record_count is None else f"{backup.record_count:,}"),
        _plain(backup.region),
    ]


def jobs_lines(jobs: Sequence[RestoreJob], now: dt.datetime, width: int | None) -> list[Line]:
    """Return the table of restore jobs and the line below it; without a width each id in full."""
    short = {} if width is None else short_ids([id_ for job in jobs for id_ in (job.restore_job_id, job.backup_id)])
    grid = Grid(_JOB_COLUMNS, [_job_cells(job, short, now) for job in jobs], width)
    return [*grid.lines(), *prose_lines(f"{_counted(len(jobs), 'restore job')}{_left_out(grid)}", "dim", width)]


def _job_cells(job: RestoreJob, short: Mapping[str, str], now: dt.datetime) -> list[Cell]:
    return [
        _plain(short.get(job.restore_job_id, job.restore_job_id), "dim"),
        _plain(job.target_index_name, "bold"),
        _plain(job.status, _COLOURS.get(job.status, "")),
        Cell(age(job.created_at, now)),
        Cell("-" if job.completed_at is None else _span(job.completed_at - job.created_at)),
        _plain(short.get(job.backup_id, job.backup_id), "dim"),
    ]


def facts_lines(facts: Mapping[str, str]) -> list[Line]:
    """Return the facts of one value, a line each."""
    widest = max(map(len, facts), default=0)
    return [[Cell(f"{name:{widest}}  ", "bold"), _plain(text)] for name, text in facts.items()]


def _plain(text: str, style: str = "") -> Cell:
    return Cell(for_terminal(text), style)
