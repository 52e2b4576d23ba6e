"""Looking at what the service does in its own time: until a status says that it is over, or after a lost response.

Knows functions that look, statuses and time; knows no endpoint and no HTTP.
"""

import datetime as dt
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Final, Generic, TypeVar

import attrs

from ._errors import ApiError, BackupsError, NotFoundError, WaitFailedError, WaitTimeoutError
from ._models import Backup, RestoreJob, RestoreReceipt
from ._retry import Deadline, Limits, Retrier, is_transient

FIRST_DELAY: Final = 2.0
DELAY_GROWTH: Final = 1.5
MAX_DELAY: Final = 30.0
JITTER: Final = 0.25
LAST_LOOK: Final = 2.0  # the last look begins so many seconds before the deadline, and ends with it
# Seconds for which a 404 is accepted. A backup may not be visible yet; once it was seen, its 404 means that it is gone.
# The 404 of a restore job can be any failure of the service.
MAY_BE_MISSING: Final = {"the backup": 60.0, "the restore job": 120.0}
# Seconds before each look after a write whose outcome is unknown, counted from the look before.
LOOKS_AFTER_CREATE: Final = (1.0, 2.0, 4.0, 8.0)
LOOKS_AFTER_RESTORE: Final = (0.0, 1.0, 2.0, 4.0, 8.0)
CLOCK_SKEW: Final = dt.timedelta(seconds=60)
_OLDEST: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
_T = TypeVar("_T")
_Seen = TypeVar("_Seen", bound=Backup | RestoreJob)


@attrs.define(eq=False)
class Looks(Generic[_Seen]):
    """The looks of one wait: the first at once, then after 2 s, 3 s and so on up to 30 s, each 25 % more or less."""

    _look: Callable[[Limits], Awaitable[_Seen]]
    _retrier: Retrier
    _limits: Limits
    _what: str
    _deadline: Deadline
    _count: int = 0
    _was_last: bool = False
    _retry_after: float = 0.0
    _last: _Seen | None = None

    async def until_reached(self) -> _Seen:
        """Look until the status is reached; raise WaitFailedError if it has failed.

        A 404 is accepted for a time, which begins with the first 404 of a row. A backup that was seen before and is 404
        now is gone.
        """
        missing_since: float | None = None
        while True:
            seen = await self._next()
            if isinstance(seen, NotFoundError):
                left = self._deadline.left()
                missing_since = left if missing_since is None else missing_since
                if isinstance(self._last, Backup) or missing_since - left >= MAY_BE_MISSING[self._what]:
                    raise seen
                continue
            missing_since = None
            if seen.outcome == "reached":
                return seen
            if seen.outcome == "failed":
                raise WaitFailedError(f"{self._what} has failed: its status is {seen.status}", last=seen)

    async def until_missing(self) -> None:
        """Look until the service answers 404."""
        while not isinstance(await self._next(), NotFoundError):
            pass

    async def _next(self) -> _Seen | NotFoundError:
        """Wait for the time of the next look, and return what it saw. After a transient error, look again."""
        while True:
            left = await self._wait()
            self._count += 1
            self._retry_after = 0.0
            try:
                self._last = await self._look(Limits(left, min(left, self._limits.attempt_timeout), attempts=1))
            except NotFoundError as error:
                return error
            except BackupsError as error:
                if not is_transient(error):
                    raise
                self._retry_after = (error.retry_after if isinstance(error, ApiError) else None) or 0.0
            else:
                return self._last

    async def _wait(self) -> float:
        """Wait for the time of the next look, and return the seconds left; raise WaitTimeoutError after the last."""
        left = self._deadline.left()
        if self._count == 0:
            return left
        if not self._was_last:
            delay = min(MAX_DELAY, FIRST_DELAY * DELAY_GROWTH ** min(self._count - 1, 20))
            delay *= 1 - JITTER + 2 * JITTER * self._retrier.policy.draw()
            delay = max(delay, self._retry_after)
            last = left - min(self._limits.attempt_timeout, LAST_LOOK, self._limits.timeout / 4)
            self._was_last = delay >= last
            left = await self._retrier.sleep(max(0.0, min(delay, last)), self._deadline)
            if left > 0:
                return left
        status = "" if self._last is None else f"; its last status was {self._last.status}"
        message = f"the wait for {self._what} timed out after {self._limits.timeout:g} s{status}"
        raise WaitTimeoutError(message, last=self._last)


def newest_named(backups: Iterable[Backup], name: str) -> Backup | None:
    """Return the newest backup of a name that is Ready or will be; those of deleted indexes do not count."""
    named = [backup for backup in backups if backup.name == name and backup.source_index_deleted_at is None]
    usable = [backup for backup in named if backup.outcome != "failed"]
    return max(usable, key=lambda backup: backup.created_at or _OLDEST, default=None)


def receipt_of(jobs: Iterable[RestoreJob], backup_id: str, name: str, since: dt.datetime) -> RestoreReceipt | None:
    """Return the receipt of the newest restore of a backup into an index of this name that began after `since`.

    An older job of the same backup under the same name is an earlier rehearsal. A minute is left for clocks that
    differ.
    """
    ours = [job for job in jobs if (job.backup_id, job.target_index_name) == (backup_id, name)]
    newest = max(ours, key=lambda job: job.created_at, default=None)
    if newest is None or newest.created_at < since - CLOCK_SKEW:
        return None
    return RestoreReceipt(restore_job_id=newest.restore_job_id, index_id=newest.target_index_id)


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
        with suppress(BackupsError):
            for seconds in delays:
                if deadline.left() <= seconds:
                    break
                await retrier.sleep(seconds, deadline)
                found = await find()
                if found is not None:
                    return found
        raise
