"""A made-up project: its backups, indexes and restore jobs, and what may be done with them.

Knows the service's rules, but neither HTTP nor pages. What the service refuses is raised as RefusedError.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import attrs

from pinecone_backups_async import Backup, BackupStatus, Index, RestoreJob, RestoreReceipt, RestoreStatus

from ._data import sample_backups
from ._indexes import FAILED, INITIALIZING, READY, index_named, invented_id
from ._messages import RefusedError
from ._store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Project"]


class Project:
    """The state of a project; see `FakePinecone` for its attributes."""

    def __init__(
        self, backups: int | Iterable[Backup], indexes: Iterable[str | Index], now: dt.datetime | None
    ) -> None:
        self.now = now
        self.indexes: dict[str, Index] = {}
        self.looks_until_ready = 1
        self.looks_until_restored = 1
        self.backup_outcome: str = BackupStatus.READY
        self.restore_outcome: str = RestoreStatus.COMPLETED
        self.lag = 0
        self.max_backups: int | None = None
        self.payment_required = False
        self.odd_restore_listing = False
        self._backups = Store[Backup](lambda backup: backup.backup_id)
        self._jobs = Store[RestoreJob](lambda job: job.restore_job_id)
        # By name, of the indexes that the service knows: `indexes` may be changed by the test at any time.
        self._index_ids: dict[str, str] = {}
        self._created = 0
        self.add(*(sample_backups(backups, now=now) if isinstance(backups, int) else backups))
        for index in indexes:
            name = index if isinstance(index, str) else index.name
            self.indexes[name] = index_named(name) if isinstance(index, str) else index

    @property
    def backups(self) -> tuple[Backup, ...]:
        """Return the backups of the project as they are now, newest first; deleted ones are not among them."""
        self._notice_indexes()
        return self._backups.rows

    @property
    def restore_jobs(self) -> tuple[RestoreJob, ...]:
        """Return the restore jobs of the project as they are now, newest first."""
        return self._jobs.rows

    def add(self, *things: Backup | RestoreJob) -> None:
        """Add backups and restore jobs; one whose id is known replaces the former one of that id.

        They are listed by `created_at`, newest first: before those just as old, and one without a time last. An index
        that is not there yet is added to `indexes`, unless the backup says that it was deleted.
        """
        self._notice_indexes()
        self._backups.add(thing for thing in things if isinstance(thing, Backup))
        self._jobs.add(thing for thing in things if isinstance(thing, RestoreJob))
        for backup in self._backups.rows:
            if backup.source_index_name not in self.indexes and backup.source_index_deleted_at is None:
                self._add_index(index_named(backup.source_index_name, backup), backup.source_index_id)
        for thing in things:
            if isinstance(thing, RestoreJob) and thing.target_index_name not in self.indexes:
                self._add_index(index_named(thing.target_index_name), thing.target_index_id)

    def delete(self, backup_id: str) -> None:
        """Delete a backup at once. Raises KeyError if no backup has that id."""
        self._backups.delete(backup_id, lag=0)

    # What requests do.

    def listed_backups(self, *, counts: bool) -> tuple[Backup, ...]:
        """Return what the listing of the project finds; `counts` says whether this is a look."""
        self._notice_indexes()
        return self._backups.listed(None, counts=counts)

    def listed_backups_of(self, index_name: str, *, include_deleted: bool, counts: bool) -> tuple[Backup, ...]:
        """Return what the listing of one index finds."""
        self._notice_indexes()
        found = self._backups.listed(lambda backup: backup.source_index_name == index_name, counts=counts)
        if index_name not in self.indexes and not (include_deleted and found):
            raise RefusedError(404, "NOT_FOUND", f"Index {index_name} not found.")
        return found if include_deleted else tuple(row for row in found if row.source_index_deleted_at is None)

    def listed_restore_jobs(self, *, counts: bool) -> tuple[RestoreJob, ...]:
        """Return what the listing of restore jobs finds: none whose index is gone."""
        return self._jobs.listed(lambda job: job.target_index_name in self.indexes, counts=counts)

    def described_backup(self, backup_id: str) -> Backup:
        """Return a backup."""
        self._notice_indexes()
        backup = self._backups.look(backup_id)
        if backup is None:
            raise _no_backup(backup_id)
        return backup

    def described_restore_job(self, job_id: str) -> RestoreJob:
        """Return a restore job."""
        job = self._jobs.look(job_id)
        if job is None:
            raise RefusedError(404, "NOT_FOUND", f"Restore job {job_id} not found.")
        return job

    def described_index(self, name: str) -> Index:
        """Return an index; this is a look at the restore jobs that fill it."""
        for job in self.restore_jobs:
            if job.target_index_name == name:
                self._jobs.look(job.restore_job_id)
        return self._index(name)

    def create_backup(self, index_name: str, name: str | None, description: str | None) -> Backup:
        """Begin a backup and return it as it is now."""
        self._notice_indexes()
        index = self._index(index_name)
        self._check_payment()
        if "pod" in index.spec:
            raise RefusedError(400, "INVALID_ARGUMENT", "Backups from pod indexes are not supported")
        if self.max_backups is not None and len(self.backups) >= self.max_backups:
            raise RefusedError(403, "FORBIDDEN", "Increase your quota or upgrade to create more backups.")
        ready = attrs.evolve(self._template(index), name=name, description=description, created_at=self._time())
        failed = attrs.evolve(ready, status=self.backup_outcome, record_count=0, namespace_count=0, size_bytes=0)
        finished = ready if self.backup_outcome == BackupStatus.READY else failed
        unfinished = attrs.evolve(
            finished, status=BackupStatus.INITIALIZING.value, record_count=None, namespace_count=None, size_bytes=None
        )
        backup = finished if self.looks_until_ready <= 0 else unfinished
        self._backups.create(
            backup, lag=self.lag, looks=self.looks_until_ready, finish=lambda: self._backups.replace(finished)
        )
        return backup

    def delete_backup(self, backup_id: str) -> None:
        """Delete a backup, unless a restore job needs it; `lag` looks still find it."""
        if self._backups.get(backup_id) is None:
            raise _no_backup(backup_id)
        pending = [
            job.restore_job_id
            for job in self.restore_jobs
            if job.backup_id == backup_id and job.status in {RestoreStatus.PENDING, RestoreStatus.RUNNING}
        ]
        if pending:
            message = f"Unable to delete backup. There are pending restore jobs for this backup: {pending}"
            raise RefusedError(412, "FAILED_PRECONDITION", message)
        self._backups.delete(backup_id, lag=self.lag)

    def restore(
        self, backup_id: str, name: str, tags: Mapping[str, str] | None, deletion_protection: str
    ) -> RestoreReceipt:
        """Begin to fill a new index from a backup."""
        self._notice_indexes()
        backup = self._backups.get(backup_id)
        if backup is None:
            raise _no_backup(backup_id)
        self._check_payment()
        if backup.status != BackupStatus.READY:
            raise RefusedError(412, "FAILED_PRECONDITION", f"Backup {backup_id} is not completed")
        if name in self.indexes:
            raise RefusedError(409, "ALREADY_EXISTS", "Resource already exists.")
        index = index_named(
            name,
            backup,
            status=INITIALIZING,
            tags=backup.tags if tags is None else tags,
            deletion_protection=deletion_protection,
        )
        job = RestoreJob(
            restore_job_id=self._new_id("restore job"),
            backup_id=backup_id,
            target_index_name=name,
            target_index_id=self._new_id("index"),
            status=RestoreStatus.PENDING.value,
            created_at=self._time(),
        )
        self._add_index(index, job.target_index_id)
        outcome = self.restore_outcome
        self._jobs.create(
            job, lag=self.lag, looks=self.looks_until_restored, finish=lambda: self._finish_restore(job, outcome)
        )
        return RestoreReceipt(restore_job_id=job.restore_job_id, index_id=job.target_index_id)

    # How it is done.

    def _finish_restore(self, job: RestoreJob, outcome: str) -> None:
        completed = outcome == RestoreStatus.COMPLETED
        facts: dict[str, Any] = {"completed_at": self._time(), "percent_complete": 100} if completed else {}
        self._jobs.replace(attrs.evolve(job, status=outcome, **facts))
        index = self.indexes.get(job.target_index_name)
        if index is not None:
            self.indexes[index.name] = attrs.evolve(index, status=READY if completed else FAILED)

    def _check_payment(self) -> None:
        if self.payment_required:
            message = "Request failed. Pay all past due invoices to lift restrictions on your account."
            raise RefusedError(402, "PAYMENT_REQUIRED", message)

    def _index(self, name: str) -> Index:
        if name not in self.indexes:
            raise RefusedError(404, "NOT_FOUND", f"Index {name} not found.")
        return self.indexes[name]

    def _add_index(self, index: Index, index_id: str) -> None:
        self._index_ids.setdefault(index.name, index_id)
        self.indexes.setdefault(index.name, index)

    def _notice_indexes(self) -> None:
        """Follow what the test did to `indexes`: a backup of an index that is gone says so, a new one gets an id."""
        if self._index_ids.keys() == self.indexes.keys():
            return
        gone = self._index_ids.keys() - self.indexes.keys()
        for backup in self._backups.rows:
            if backup.source_index_name in gone and backup.source_index_deleted_at is None:
                self._backups.replace(attrs.evolve(backup, source_index_deleted_at=self._time()))
        known = {name: index_id for name, index_id in self._index_ids.items() if name not in gone}
        new = {name: self._new_id("index") for name in self.indexes if name not in known}
        self._index_ids = known | new

    def _template(self, index: Index) -> Backup:
        """Return a Ready backup of an index under a new id: as its last one, or one without records."""
        backup_id = self._new_id("backup")
        earlier = [
            backup
            for backup in self.backups
            if backup.source_index_name == index.name and backup.source_index_deleted_at is None
        ]
        for backup in earlier:
            if backup.status == BackupStatus.READY:
                return attrs.evolve(backup, backup_id=backup_id)
        (where,) = index.spec.values()
        return Backup(
            backup_id=backup_id,
            source_index_name=index.name,
            source_index_id=earlier[0].source_index_id if earlier else self._index_ids[index.name],
            status=BackupStatus.READY.value,
            cloud=where.get("cloud", "aws"),
            region=where.get("region", "us-east-1"),
            dimension=index.dimension,
            metric=index.metric,
            record_count=0,
            namespace_count=0,
            size_bytes=0,
            tags=index.extra.get("tags"),
        )

    def _new_id(self, kind: str) -> str:
        self._created += 1
        return invented_id(kind, self._created)

    def _time(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) if self.now is None else self.now.astimezone(dt.UTC)


def _no_backup(backup_id: str) -> RefusedError:
    return RefusedError(404, "NOT_FOUND", f"Backup {backup_id} not found.")
