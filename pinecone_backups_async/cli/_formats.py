"""Backups as data: JSON, JSON lines, CSV. Writes to the stream it is given; knows no terminal."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from typing import Final, TextIO

from pinecone_backups_async import Backup

from ._sanitize import for_spreadsheet, for_terminal

__all__ = ["csv_writer", "jsonl_writer", "write_json"]

_COLUMNS: Final = (
    "backup_id",
    "source_index_name",
    "source_index_id",
    "name",
    "description",
    "status",
    "cloud",
    "region",
    "dimension",
    "metric",
    "record_count",
    "namespace_count",
    "size_bytes",
    "created_at",
    "source_index_deleted_at",
)

Write = Callable[[Iterable[Backup]], None]


def write_json(backups: Iterable[Backup], stream: TextIO) -> None:
    """Write one array of whole backups, `extra` included."""
    json.dump([backup.to_dict() for backup in backups], stream, indent=2)
    stream.write("\n")


def jsonl_writer(stream: TextIO) -> Write:
    """Return a function that writes each whole backup as a line, and lets it go at once."""

    def write(backups: Iterable[Backup]) -> None:
        for backup in backups:
            stream.write(json.dumps(backup.to_dict()) + "\n")
        stream.flush()

    return write


def csv_writer(stream: TextIO, *, header: bool = True) -> Write:
    """Write the header, and return a function that writes each backup's plain columns as a line."""
    rows = csv.writer(stream)
    shown: Callable[[str], str] = for_terminal if stream.isatty() else str
    if header:
        rows.writerow(_COLUMNS)

    def write(backups: Iterable[Backup]) -> None:
        for backup in backups:
            fields = backup.to_dict()
            rows.writerow([shown(for_spreadsheet(fields[column])) for column in _COLUMNS])
        stream.flush()

    return write
