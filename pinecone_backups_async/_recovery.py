"""After a write whose outcome is unknown: look whether it has happened. Knows what to look for; knows no endpoint."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from ._errors import BackupsError
from ._models import Backup, Outcome, RestoreJob, RestoreReceipt, outcome_of
from ._retry import Deadline, Retrier

# Seconds before each look, counted from the look before.
LOOKS_AFTER_CREATE: Final = (1.0, 2.0, 4.0, 8.0)
LOOKS_AFTER_RESTORE: Final = (0.0, 1.0, 2.0, 4.0, 8.0)
CLOCK_SKEW: Final = dt.timedelta(seconds=60)
_OLDEST: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
_T = TypeVar("_T")


def newest_named(backups: Iterable[Backup], name: str) -> Backup | None:
    """Return the newest backup of a name that is Ready or will be; those of deleted indexes do not count."""
    usable = (
        backup
        for backup in backups
        if backup.name == name and backup.source_index_deleted_at is None and outcome_of(backup) is not Outcome.FAILED
    )
    return max(usable, key=lambda backup: backup.created_at or _OLDEST, default=None)


def receipt_of(
    jobs: Iterable[RestoreJob], backup_id: str, index_name: str, since: dt.datetime
) -> RestoreReceipt | None:
    """Return the receipt of the newest restore of a backup into an index that began after `since`.

    An older job of the same backup under the same name is an earlier rehearsal. A minute is left for clocks that
    differ.
    """
    ours = [
        job
        for job in jobs
        if (job.backup_id, job.target_index_name) == (backup_id, index_name) and job.created_at >= since - CLOCK_SKEW
    ]
    if not ours:
        return None
    job = max(ours, key=lambda job: job.created_at)
    return RestoreReceipt(restore_job_id=job.restore_job_id, index_id=job.target_index_id)


async def written_or_found(
    write: Awaitable[_T],
    find: Callable[[], Awaitable[_T | None]],
    delays: Iterable[float],
    retrier: Retrier,
    deadline: Deadline,
) -> _T:
    """Return what a write returns; if its outcome is unknown, what is found in one of the looks after it.

    Raises the error of the write if nothing is found in time, or a look fails.
    """
    try:
        return await write
    except BackupsError as error:
        if not error.outcome_unknown:
            raise
        failure = error
    for seconds in delays:
        if deadline.left() <= seconds:
            break
        try:
            await retrier.sleep(seconds, deadline)
            found = await find()
        except BackupsError:
            break
        if found is not None:
            return found
    raise failure
