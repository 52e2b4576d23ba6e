"""How well is each index covered by backups? Pure: backups in, a report out. Knows no client, no network, no output.

An index is one `source_index_id`. A name that was created anew has another id, and the older index of that name is
gone: its backups are reported, but the whole is not judged by them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Final

import attrs

from pinecone_backups_async import Backup, BackupStatus, ConfigurationError

__all__ = ["CoverageReport", "IndexCoverage", "State", "assess"]

_FAILED: Final = frozenset({BackupStatus.FAILED, BackupStatus.INITIALIZATION_FAILED})
_UNFINISHED: Final = frozenset({BackupStatus.INITIALIZING, BackupStatus.PENDING})
_CLOCK_SKEW: Final = dt.timedelta(days=1)
_LONG_AGO: Final = dt.datetime.min.replace(tzinfo=dt.UTC)


class State(StrEnum):
    """Name how an index stands, from best to worst.

    HEALTHY: a Ready backup is fresh. STALE: the newest Ready one is too old, or of unknown age. FAILING: no Ready
    backup is fresh, and one failed or got stuck since. MISSING: there is no Ready backup, and nothing that failed.
    """

    HEALTHY = "healthy"
    STALE = "stale"
    FAILING = "failing"
    MISSING = "missing"


@attrs.frozen(kw_only=True)
class IndexCoverage:
    """Hold how one index is covered.

    `newest_ready` is its newest Ready backup and `age` how old that is; both None where there is none, `age` also
    where its time is not known, or lies more than a day ahead. `backups`, `size_bytes` and `record_count` count all of
    its backups. `failed` and `stuck` are newest first. `failed_since_ready` says that a newer backup than
    `newest_ready` failed, although that one may still be fresh. `gone` says that the index was deleted, or created anew
    under another id. `source_index_id` is None for an expected name without any backup.
    """

    source_index_name: str
    source_index_id: str | None
    state: State
    newest_ready: Backup | None = None
    age: dt.timedelta | None = None
    backups: int = 0
    size_bytes: int = 0
    record_count: int = 0
    failed: tuple[Backup, ...] = ()
    stuck: tuple[Backup, ...] = ()
    failed_since_ready: bool = False
    gone: bool = False


@attrs.frozen(kw_only=True)
class CoverageReport:
    """Hold how a project is covered: its indexes by name, and `state`, the worst of those that are not gone.

    A project in which no index is left to judge is MISSING, never healthy.
    """

    indexes: tuple[IndexCoverage, ...]
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
    """Return how each index is covered, given all backups of a project, best from `BackupsClient.inventory`.

    A Ready backup is fresh while it is no older than `max_age`. `expected` names indexes that must have backups: an
    index that never had one is unknown to the listing. `now` is an aware datetime, by default this moment. A backup
    that is Initializing or Pending for longer than `stuck_after` is stuck. A backup that is given twice counts once.
    Raises ConfigurationError for a duration that is not positive, a naive `now`, or an `expected` that is one str.
    """
    _check_duration("max_age", max_age)
    _check_duration("stuck_after", stuck_after)
    moment = dt.datetime.now(dt.UTC) if now is None else now
    _check_moment(moment)
    if isinstance(expected, str):
        raise ConfigurationError("expected must be an iterable of names, not one str")
    unique = {backup.backup_id: backup for backup in backups}
    covered = [_cover(rows, moment, max_age, stuck_after, gone=gone) for rows, gone in _by_index(unique.values())]
    living = {index.source_index_name for index in covered if not index.gone}
    covered += [
        IndexCoverage(source_index_name=name, source_index_id=None, state=State.MISSING)
        for name in sorted(set(expected) - living)
    ]
    covered.sort(key=lambda index: (index.source_index_name, index.gone))
    return CoverageReport(indexes=tuple(covered), max_age=max_age, now=moment)


def _check_duration(name: str, value: object) -> None:
    if not isinstance(value, dt.timedelta) or value <= dt.timedelta(0):
        raise ConfigurationError(f"{name} must be a positive timedelta, not {value!r}")


def _check_moment(value: object) -> None:
    if not isinstance(value, dt.datetime) or value.utcoffset() is None:
        raise ConfigurationError("now must be an aware datetime")


def _created(backup: Backup) -> dt.datetime:
    return backup.created_at or _LONG_AGO


def _by_index(backups: Iterable[Backup]) -> Iterable[tuple[list[Backup], bool]]:
    """Yield the backups of each index, newest first, and whether the index is gone."""

    def identity(backup: Backup) -> tuple[str, str]:
        return backup.source_index_name, backup.source_index_id

    newest_first = sorted(backups, key=_created, reverse=True)
    indexes = [list(rows) for _, rows in groupby(sorted(newest_first, key=identity), key=identity)]
    indexes.sort(key=lambda rows: _created(rows[0]), reverse=True)
    names: set[str] = set()
    for rows in indexes:
        deleted = any(backup.source_index_deleted_at is not None for backup in rows)
        # Without a time nobody knows which index is the newer one, so it is judged.
        replaced = rows[0].source_index_name in names and rows[0].created_at is not None
        yield rows, deleted or replaced
        if not deleted:
            names.add(rows[0].source_index_name)


def _cover(
    rows: Sequence[Backup], now: dt.datetime, max_age: dt.timedelta, stuck_after: dt.timedelta, *, gone: bool
) -> IndexCoverage:
    ready = next((backup for backup in rows if backup.status == BackupStatus.READY), None)
    age = None if ready is None or ready.created_at is None else _age(ready.created_at, now)
    failed = tuple(backup for backup in rows if backup.status in _FAILED)
    stuck = tuple(backup for backup in rows if backup.status in _UNFINISHED and now - _created(backup) > stuck_after)
    since = [backup for backup in (*failed, *stuck) if ready is None or _created(backup) > _created(ready)]
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
        failed_since_ready=any(backup.status in _FAILED for backup in since),
        gone=gone,
    )


def _age(created_at: dt.datetime, now: dt.datetime) -> dt.timedelta | None:
    """Return how old a backup is. Clocks differ a little; a time far ahead is none that could be believed."""
    return None if created_at - now > _CLOCK_SKEW else max(dt.timedelta(0), now - created_at)


def _state(ready: Backup | None, age: dt.timedelta | None, max_age: dt.timedelta, *, troubled: bool) -> State:
    if age is not None and age <= max_age:
        return State.HEALTHY
    if troubled:
        return State.FAILING
    return State.MISSING if ready is None else State.STALE
