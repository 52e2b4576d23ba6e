"""Values as data: JSON, JSON lines, CSV. Writes to the stream it is given."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Final, Protocol, TextIO

from pinecone_backups_async import Backup

from ._sanitize import for_spreadsheet, for_terminal
from ._streams import is_terminal

__all__ = ["csv_writer", "jsonl_writer", "write_json", "write_json_array"]

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
_TIMES: Final = ("created_at", "source_index_deleted_at")
_values: Final = attrgetter(*_COLUMNS)


class Value(Protocol):
    """What can be written: a backup, a restore job, a report."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready Python."""
        ...


def write_json(value: object, stream: TextIO) -> None:
    """Write one JSON value."""
    json.dump(value, stream, indent=2)
    stream.write("\n")


def write_json_array(values: Sequence[Value], stream: TextIO) -> None:
    """Write one array of whole values, `extra` included, one after the other."""
    for number, value in enumerate(values):
        text = json.dumps(value.to_dict(), indent=2).replace("\n", "\n  ")
        stream.write(f"{',' if number else '['}\n  {text}")
    stream.write("\n]\n" if values else "[]\n")


def jsonl_writer(stream: TextIO) -> Callable[[Iterable[Value]], None]:
    """Return a function that writes each whole value as a line, and lets it go at once."""

    def write(values: Iterable[Value]) -> None:
        stream.writelines(f"{json.dumps(value.to_dict())}\n" for value in values)
        stream.flush()

    return write


def csv_writer(stream: TextIO, *, header: bool = True) -> Callable[[Iterable[Backup]], None]:
    """Write the header, and return a function that writes each backup's plain columns as a line."""
    rows = csv.writer(stream)
    shown: Callable[[str], str] = for_terminal if is_terminal(stream) else str
    if header:
        rows.writerow(_COLUMNS)

    def write(backups: Iterable[Backup]) -> None:
        rows.writerows([shown(for_spreadsheet(value)) for value in _row(backup)] for backup in backups)
        stream.flush()

    return write


def _row(backup: Backup) -> Iterable[object]:
    for column, value in zip(_COLUMNS, _values(backup), strict=True):
        if column in _TIMES and value is not None:
            yield value.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        else:
            yield value
