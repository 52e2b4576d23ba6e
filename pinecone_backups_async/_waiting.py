"""Waiting for what the service does in its own time: looks at growing intervals, until a status says that it is over.

Knows functions that look, statuses and time; knows no endpoint and no HTTP.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from ._errors import ApiError, BackupsError, NotFoundError, WaitFailedError, WaitTimeoutError
from ._models import Backup, Outcome, RestoreJob, outcome_of
from ._retry import Deadline, Limits, Retrier, is_transient

FIRST_DELAY: Final = 2.0
DELAY_GROWTH: Final = 1.5
MAX_DELAY: Final = 30.0
JITTER: Final = 0.25
LAST_LOOK: Final = 2.0  # the last look begins so many seconds before the deadline, and ends with it
BACKUP_MISSING: Final = 60.0  # a backup that was never seen may be 404 for so many seconds: it may not be visible yet
JOB_MISSING: Final = 120.0  # a restore job may, seen or not: its 404 can be any failure of the service
_Seen = TypeVar("_Seen", bound=Backup | RestoreJob)


class Looks(Generic[_Seen]):
    """The looks of one wait: the first at once, then after 2 s, 3 s and so on up to 30 s, each 25 % more or less."""

    def __init__(
        self, look: Callable[[Limits], Awaitable[_Seen]], retrier: Retrier, limits: Limits, timeout: float, what: str
    ) -> None:
        self._look = look
        self._retrier = retrier
        self._attempt_timeout = limits.attempt_timeout
        self._timeout = timeout
        self._what = what
        self._deadline = Deadline(retrier.policy.clock, timeout)
        self._last_look = min(limits.attempt_timeout, LAST_LOOK, timeout / 4)
        self._count = 0
        self._was_last = False
        self._retry_after = 0.0
        self._last: _Seen | None = None

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
                if isinstance(self._last, Backup) or missing_since - left >= self._may_be_missing:
                    raise seen
                continue
            missing_since = None
            outcome = outcome_of(seen)
            if outcome is Outcome.REACHED:
                return seen
            if outcome is Outcome.FAILED:
                raise WaitFailedError(f"{self._what} has failed: its status is {seen.status}", last=seen)

    async def until_missing(self) -> None:
        """Look until the service answers 404."""
        while not isinstance(await self._next(), NotFoundError):
            pass

    @property
    def _may_be_missing(self) -> float:
        return BACKUP_MISSING if self._what == "the backup" else JOB_MISSING

    async def _next(self) -> _Seen | NotFoundError:
        """Wait for the time of the next look, and return what it saw. After a transient error, look again."""
        while True:
            left = await self._wait()
            self._count += 1
            self._retry_after = 0.0
            try:
                self._last = await self._look(Limits(left, min(left, self._attempt_timeout), attempts=1))
            except NotFoundError as error:
                return error
            except BackupsError as error:
                if not is_transient(error):
                    raise
                self._retry_after = (error.retry_after if isinstance(error, ApiError) else None) or 0.0
            else:
                return self._last

    async def _wait(self) -> float:
        left = self._deadline.left()
        if self._count == 0:
            return left
        if not self._was_last:
            delay = min(MAX_DELAY, FIRST_DELAY * DELAY_GROWTH ** min(self._count - 1, 20))
            delay *= 1 - JITTER + 2 * JITTER * self._retrier.policy.draw()
            delay = max(delay, self._retry_after)
            self._was_last = delay >= left - self._last_look
            left = await self._retrier.sleep(max(0.0, min(delay, left - self._last_look)), self._deadline)
            if left > 0:
                return left
        status = "" if self._last is None else f"; its last status was {self._last.status}"
        message = f"the wait for {self._what} timed out after {self._timeout:g} s{status}"
        raise WaitTimeoutError(message, last=self._last)
