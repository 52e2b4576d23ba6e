"""Backups as values, for the tests of what judges them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pinecone_backups_async import Backup
from tests.support.samples import row

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


def hours(number: float) -> dt.timedelta:
    return dt.timedelta(hours=number)


def backup(
    age: float | None, status: str = "Ready", *, index: str = "i", index_id: str = "1", now: dt.datetime = NOW,
    **facts: Any,
) -> Backup:  # fmt: skip
    """Return a backup that was created so many hours before `now`; None for an unknown time."""
    name, created = f"{index}-{index_id}-{age}-{status}", None if age is None else now - hours(age)
    required = row(name, source_index_name=index, source_index_id=index_id, status=status, created_at=created)
    return Backup(**required | facts)
