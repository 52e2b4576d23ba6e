"""Looking at what the service does in its own time: until a status says that it is over, or after a lost response.

Knows functions that look, statuses and time; knows no endpoint and no HTTP.
"""

import datetime as dt
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Final, Generic, Literal, TypeVar

import attrs

from ._errors import BackupsError, NotFoundError, WaitFailedError, WaitTimeoutError
from ._models import Backup, RestoreJob, RestoreReceipt
from ._retry import Deadline, is_transient, least_wait

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
class Wait(Generic[_Seen]):
    """One wait: looks at once, then after 2 s, 3 s and so on up to 30 s, each 25 % more or less."""

    _look: Callable[[float, float], Awaitable[_Seen]]
    _what: str
    _deadline: Deadline
    _attempt_timeout: float
    _draw: Callable[[], float]
    _last: _Seen | None = None
    _missing_since: float | None = None
    _delay: float = FIRST_DELAY
    _is_last_look: bool = False

    async def until(self, goal: Literal["reached", "missing"]) -> _Seen:
        """Look until the status is reached, and raise WaitFailedError if it has failed; or look until NotFoundError.

        Also raises NotFoundError if it is time to give up, and WaitTimeoutError. Transient errors do not end the wait.
        """
        left = self._deadline.seconds
        while left > 0:
            least = 0.0
            try:
                self._last = await self._look(left, self._attempt_timeout)
            except NotFoundError:
                if goal == "missing" or self._is_gone():
                    raise
            except BackupsError as error:
                if not is_transient(error):
                    raise
                least = least_wait(error)
            else:
                self._missing_since = None
                if goal == self._last.outcome:
                    return self._last
                if goal == "reached" and self._last.outcome == "failed":
                    message = f"{self._what} has failed: its status is {self._last.status}"
                    raise WaitFailedError(message, last=self._last)
            left = await self._pause(least)
        status = "" if self._last is None else f"; its last status was {self._last.status}"
        message = f"the wait for {self._what} timed out after {self._deadline.seconds:g} s{status}"
        raise WaitTimeoutError(message, last=self._last)

    def _is_gone(self) -> bool:
        """Return whether a 404 ends the wait: of a backup that was seen, or after a row of them for some time."""
        left = self._deadline.left()
        self._missing_since = left if self._missing_since is None else self._missing_since
        return isinstance(self._last, Backup) or self._missing_since - left >= MAY_BE_MISSING[self._what]

    async def _pause(self, least: float) -> float:
        """Wait for the time of the next look, and return the seconds left; none are left after the last look."""
        if self._is_last_look:
            return 0.0
        jittered = self._delay * (1 - JITTER + 2 * JITTER * self._draw())
        for_last_look = min(self._attempt_timeout, LAST_LOOK, self._deadline.seconds / 4)
        until_last = max(0.0, self._deadline.left() - for_last_look)
        self._is_last_look = max(jittered, least) >= until_last
        self._delay = min(MAX_DELAY, self._delay * DELAY_GROWTH)
        return await self._deadline.sleep(until_last if self._is_last_look else max(jittered, least))


def newest_named(backups: Iterable[Backup], name: str) -> Backup | None:
    """Return the newest backup of a name that is Ready or will be; those of deleted indexes do not count."""
    living = [backup for backup in backups if backup.name == name and backup.source_index_deleted_at is None]
    usable = [backup for backup in living if backup.outcome != "failed"]
    return max(usable, key=lambda backup: backup.created_at or _OLDEST, default=None)


def receipt_of(jobs: Iterable[RestoreJob], backup_id: str, name: str, since: dt.datetime) -> RestoreReceipt | None:
    """Return the receipt of the newest restore of a backup into an index of this name that began after `since`.

    An older job of the same backup under the same name is an earlier rehearsal. A minute is left for clocks that
    differ.
    """
    of_this_name = [job for job in jobs if (job.backup_id, job.target_index_name) == (backup_id, name)]
    ours = [job for job in of_this_name if job.created_at >= since - CLOCK_SKEW]
    newest = max(ours, key=lambda job: job.created_at, default=None)
    if newest is None:
        return None
    return RestoreReceipt(restore_job_id=newest.restore_job_id, index_id=newest.target_index_id)


async def written_or_found(
    write: Awaitable[_T], find: Callable[[], Awaitable[_T | None]], delays: Iterable[float], deadline: Deadline
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
                if deadline.left() <= seconds or await deadline.sleep(seconds) <= 0:
                    break
                found = await find()
                if found is not None:
                    return found
        raise
