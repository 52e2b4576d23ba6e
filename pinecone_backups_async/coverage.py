"""How well each index is covered by backups. Pure: backups in, a report out. Knows no client, no network, no output.

An index is one `source_index_id`. If a new index has the name of an older one, it has another id, and the older index
is gone: its backups are reported, but the project is not judged by them.

`retention` shares `by_index`, `believable`, `created` and `has_failed`, so that both call the same index gone and the
same backup the newest one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Final

import attrs

from pinecone_backups_async import Backup, BackupStatus, ConfigurationError

__all__ = ["CoverageReport", "IndexCoverage", "State", "assess", "newest_ready"]

_KNOWN: Final = frozenset(BackupStatus)
_CLOCK_SKEW: Final = dt.timedelta(days=1)
_LONG_AGO: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
_RUN_OF_SCHEDULE: Final = re.compile(r".*-([0-9]{8}T[0-9]{6}Z)", re.DOTALL)


class State(StrEnum):
    """The states of an index, from best to worst."""

    HEALTHY = "healthy"
    """The newest Ready backup is fresh."""
    STALE = "stale"
    """The newest Ready backup is too old, or its age is unknown."""
    FAILING = "failing"
    """No Ready backup is fresh, and a backup has failed or got stuck since."""
    MISSING = "missing"
    """There is no Ready backup, and none that failed."""


@attrs.frozen(kw_only=True)
class IndexCoverage:
    """The coverage of one index. The counts and sizes are over all of its backups."""

    source_index_name: str
    source_index_id: str | None
    """None for an expected name that has no backup."""
    state: State
    newest_ready: Backup | None = None
    """The newest Ready backup whose time can be believed, else one of unknown age; None if none is Ready."""
    age: dt.timedelta | None = None
    """The age of `newest_ready`; None if its time is unknown or more than a day ahead."""
    backups: int = 0
    size_bytes: int = 0
    record_count: int = 0
    failed: tuple[Backup, ...] = ()
    """The failed backups, newest first."""
    stuck: tuple[Backup, ...] = ()
    """The backups that have been unfinished for too long, newest first."""
    failed_since_ready: bool = False
    """Whether a backup newer than `newest_ready` failed, even if that one is still fresh."""
    gone: bool = False
    """Whether the index was deleted, or created anew under another id."""


@attrs.frozen(kw_only=True)
class CoverageReport:
    """The coverage of a project. A project without an index to judge is MISSING, never healthy."""

    indexes: tuple[IndexCoverage, ...]
    """The indexes by name."""
    max_age: dt.timedelta
    now: dt.datetime

    @property
    def state(self) -> State:
        """Return the worst state of the indexes that are not gone."""
        order = list(State)
        return max((index.state for index in self.living), key=order.index, default=State.MISSING)

    @property
    def living(self) -> tuple[IndexCoverage, ...]:
        """Return the indexes that are not gone."""
        return tuple(index for index in self.indexes if not index.gone)

    def count(self, state: State) -> int:
        """Return how many indexes that are not gone are in a state."""
        return sum(index.state is state for index in self.living)


def assess(
    backups: Iterable[Backup],
    *,
    max_age: dt.timedelta,
    expected: Iterable[str] = (),
    now: dt.datetime | None = None,
    stuck_after: dt.timedelta = dt.timedelta(hours=6),
) -> CoverageReport:
    """Return how well each index is covered, given all backups of a project, best from `BackupsClient.inventory`.

    A backup that is given twice counts once. A planned run of a schedule is never stuck before it is due.
    Raises ConfigurationError for a duration that is not positive, a naive `now`, or an `expected` that is one str.

    - `max_age`: a Ready backup is fresh while it is no older than this.
    - `expected`: names of indexes that must have backups; an index that never had one is not in the listing.
    - `now`: an aware datetime, by default the current time.
    - `stuck_after`: a backup that is unfinished for longer than this is stuck.
    """
    _check_duration("max_age", max_age)
    _check_duration("stuck_after", stuck_after)
    moment = moment_of(now)
    if isinstance(expected, str):
        raise ConfigurationError("expected must be an iterable of names, not one str", argument="expected")
    unique = {backup.backup_id: backup for backup in backups}
    covered = [
        _cover(rows, moment, max_age, stuck_after, gone=gone) for rows, gone in by_index(unique.values(), moment)
    ]
    living = {index.source_index_name for index in covered if not index.gone}
    covered += [
        IndexCoverage(source_index_name=name, source_index_id=None, state=State.MISSING)
        for name in sorted(set(expected) - living)
    ]
    covered.sort(key=lambda index: (index.source_index_name, index.gone))
    return CoverageReport(indexes=tuple(covered), max_age=max_age, now=moment)


def newest_ready(backups: Iterable[Backup], *, now: dt.datetime | None = None) -> dict[str, Backup]:
    """Return the newest Ready backup of each index, by `source_index_id`; an index without a Ready one has no entry.

    A time more than a day ahead of `now` (by default the current time) is not believed. A backup whose time is unknown
    or not believed is the newest one only if no other is Ready. Deleted indexes are included.
    """
    moment = moment_of(now)
    ready = [backup for backup in backups if backup.outcome == "reached"]
    return {backup.source_index_id: backup for backup in sorted(ready, key=lambda backup: _order(backup, moment))}


def moment_of(now: object) -> dt.datetime:
    """Return the moment to judge by: `now`, or the current time for None. Raises ConfigurationError for a naive one."""
    if now is None:
        return dt.datetime.now(dt.UTC)
    if not isinstance(now, dt.datetime) or now.utcoffset() is None:
        raise ConfigurationError("now must be an aware datetime", argument="now")
    return now


def created(backup: Backup) -> dt.datetime:
    """Return when a backup was created, or the earliest possible time if that is unknown."""
    return backup.created_at or _LONG_AGO


def believable(backup: Backup, now: dt.datetime) -> bool:
    """Return whether the time of a backup is known and no more than a day ahead: clocks differ a little."""
    return backup.created_at is not None and backup.created_at - now <= _CLOCK_SKEW


def has_failed(backup: Backup) -> bool:
    """Return whether a backup has failed for certain: a status that this version does not know may mean anything."""
    return backup.outcome == "failed" and backup.status in _KNOWN


def planned_time(backup: Backup) -> dt.datetime | None:
    """Return when the schedule that made a backup planned its run; None if neither field nor name says so.

    Backup schedules end the names of their runs with `-YYYYMMDDTHHMMSSZ`. Values that cannot be read are ignored.
    """
    found = _RUN_OF_SCHEDULE.fullmatch(backup.name or "")
    texts = (backup.extra.get("scheduled_execution_at"), found[1] if found else None)
    return max((moment for moment in map(_read_time, texts) if moment is not None), default=None)


def by_index(backups: Iterable[Backup], now: dt.datetime) -> Iterator[tuple[list[Backup], bool]]:
    """Yield the backups of each index, newest first, and whether the index is gone.

    An index is gone when the service says that it was deleted, at a time that has come, or when a newer index has its
    name. Times that cannot be believed come last and prove nothing.
    """

    def identity(backup: Backup) -> tuple[str, str]:
        return backup.source_index_name, backup.source_index_id

    newest_first = sorted(backups, key=lambda backup: _order(backup, now), reverse=True)
    indexes = [list(rows) for _, rows in groupby(sorted(newest_first, key=identity), key=identity)]
    indexes.sort(key=lambda rows: _order(rows[0], now), reverse=True)
    names: set[str] = set()
    for rows in indexes:
        deleted = any(row.source_index_deleted_at is not None and row.source_index_deleted_at <= now for row in rows)
        # Without a time nobody knows which index is the newer one, so both are judged.
        replaced = rows[0].source_index_name in names and believable(rows[0], now)
        yield rows, deleted or replaced
        if not deleted:
            names.add(rows[0].source_index_name)


def _order(backup: Backup, now: dt.datetime) -> tuple[dt.datetime, str]:
    """Return what orders backups by age; ties are broken by the id, so that the order of the input does not matter."""
    return _believed(backup.created_at, now), backup.backup_id


def _believed(created_at: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    return _LONG_AGO if created_at is None or created_at - now > _CLOCK_SKEW else created_at


def _read_time(text: object) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if moment is None or moment.utcoffset() is None else moment


def _check_duration(name: str, value: object) -> None:
    if not isinstance(value, dt.timedelta) or value <= dt.timedelta(0):
        raise ConfigurationError(f"{name} must be a positive timedelta, not {value!r}", argument=name)


def _cover(
    rows: Sequence[Backup], now: dt.datetime, max_age: dt.timedelta, stuck_after: dt.timedelta, *, gone: bool
) -> IndexCoverage:
    ready = next((backup for backup in rows if backup.outcome == "reached"), None)
    age = max(dt.timedelta(0), now - created(ready)) if ready is not None and believable(ready, now) else None
    failed = tuple(backup for backup in rows if has_failed(backup))
    stuck = tuple(backup for backup in rows if _is_stuck(backup, now, stuck_after))
    since = [
        backup for backup in (*failed, *stuck) if ready is None or created(backup) > _believed(ready.created_at, now)
    ]
    return IndexCoverage(
        source_index_name=rows[0].source_index_name,
        source_index_id=rows[0].source_index_id,
        state=_state(ready, age, max_age, troubled=bool(since)),
        newest_ready=ready,
        age=age,
        backups=len(rows),
        size_bytes=sum(backup.size_bytes or 0 for backup in rows),
        record_count=sum(backup.record_count or 0 for backup in rows),
        failed=failed,
        stuck=stuck,
        failed_since_ready=any(has_failed(backup) for backup in since),
        gone=gone,
    )


def _is_stuck(backup: Backup, now: dt.datetime, stuck_after: dt.timedelta) -> bool:
    """Return whether a backup is unfinished for too long. The run of a schedule may be listed days before it is due."""
    if backup.outcome != "waiting":
        return False
    planned = planned_time(backup)
    if backup.status == BackupStatus.SCHEDULED and planned is None:
        return False
    return now - max(created(backup), planned or _LONG_AGO) > stuck_after


def _state(ready: Backup | None, age: dt.timedelta | None, max_age: dt.timedelta, *, troubled: bool) -> State:
    if age is not None and age <= max_age:
        return State.HEALTHY
    if troubled:
        return State.FAILING
    return State.MISSING if ready is None else State.STALE
