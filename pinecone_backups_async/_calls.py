"""Makes the calls of one client: single calls, waits, and the search for what became of a lost response.

Gets each endpoint as a value; does not know the table of endpoints. Checks the timeouts of a call and what its path
needs.
"""

import datetime as dt
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

import attrs

from . import _arguments as checked  # pyright: ignore[reportPrivateUsage]
from ._errors import BackupsError, NotFoundError, ResponseParsingError, WaitFailedError, WaitTimeoutError
from ._models import Backup, BackupPage, RestoreJob, RestoreJobPage, RestoreReceipt
from ._pager import Fetch
from ._protocol import Endpoint, Protocol, Request, Response
from ._retry import Attempt, Deadline, Limits, Retrier, is_transient
from ._transport import SessionManager
from ._wall import walled

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
_log = logging.getLogger("pinecone_backups_async")
_RECORD = "%(pinecone_method)s %(pinecone_path)s: status %(pinecone_status)s in %(pinecone_milliseconds).0f ms"
Timeout: TypeAlias = float | None  # seconds; None: the client's own
Timeouts: TypeAlias = tuple[Timeout, Timeout]  # of a call, and of each of its attempts
_Values: TypeAlias = Mapping[str, object]
_Path: TypeAlias = Mapping[str, str]
_NONE: _Values = {}
_T = TypeVar("_T")
_Page = TypeVar("_Page", bound=BackupPage | RestoreJobPage)
_Seen = TypeVar("_Seen", bound=Backup | RestoreJob)


@attrs.define(eq=False, repr=False)
class Calls:
    """Makes the calls of one client, whose own timeouts apply where a call has none."""

    _protocol: Protocol
    _session: SessionManager
    retrier: Retrier
    _timeout: float
    _attempt_timeout: float

    def seconds(self, timeout: Timeout) -> float:
        """Return the seconds of a call: its argument, checked, or the client's own for None."""
        return self._timeout if timeout is None else checked.seconds("timeout", timeout)

    async def call(self, endpoint: Endpoint[_T], timeouts: Timeouts, body: _Values = _NONE, **path: object) -> _T:
        """Return what the service sends in response to one call, or raise the error."""
        return await self._made(endpoint, *self._checked(endpoint, timeouts, path), _NONE, body)

    def fetcher(self, endpoint: Endpoint[_Page], timeouts: Timeouts, query: _Values, **path: object) -> Fetch[_Page]:
        """Return a function that fetches the page of a token; its errors carry that token, to resume from.

        A token carries its page size, so with one the limit is left out; the rest of `query` is sent with every page.
        """
        limits, parts = self._checked(endpoint, timeouts, path)

        @walled
        async def fetch(token: str | None) -> _Page:
            place: _Values = {} if token is None else {"limit": None, "paginationToken": token}
            try:
                page = await self._made(endpoint, limits, parts, {**query, **place}, _NONE)
                if token is not None and isinstance(page, BackupPage) and page.data_missing:
                    raise ResponseParsingError("$.data is missing", request_id=page.request_id, attempts=1)
                return page
            except BackupsError as error:
                error.pagination_token = token
                raise

        return fetch

    def wait(self, endpoint: Endpoint[_Seen], what: str, timeout: float, **path: Any) -> "Wait[_Seen]":
        """Return the wait for what an endpoint describes; each of its looks is one attempt."""
        deadline = self.retrier.deadline(checked.seconds("timeout", timeout))
        once = attrs.evolve(self, retrier=self.retrier.once())
        look = partial(once.call, endpoint, **path)
        return Wait(look, what, deadline, self._attempt_timeout, self.retrier.policy.draw)

    def _checked(self, endpoint: Endpoint[Any], timeouts: Timeouts, path: _Values) -> tuple[Limits, _Path]:
        """Return the limits of a call, and the parts of its path."""
        timeout, attempt_timeout = timeouts
        seconds, attempt = self.seconds(timeout), self._attempt_timeout
        if attempt_timeout is not None:
            attempt = checked.seconds("attempt_timeout", attempt_timeout)
        # Nothing may follow a POST once it is sent, so all the time that is left is its own.
        is_whole = attempt_timeout is None and not endpoint.repeatable
        segments = {name: checked.segment(name, value) for name, value in path.items()}
        return Limits(seconds, seconds if is_whole else attempt, attempt), segments

    async def _made(self, endpoint: Endpoint[_T], limits: Limits, path: _Path, query: _Values, body: _Values) -> _T:
        """Make a call whose values are checked."""
        request = self._protocol.request(endpoint, path, query, body)

        async def send(attempt: Attempt) -> _T:
            return self._protocol.read(endpoint, await self._sent(request, attempt))

        self._session.check_open()
        return await self.retrier.run(send, limits, endpoint)

    async def _sent(self, request: Request, attempt: Attempt) -> Response:
        """Send one attempt, and log one DEBUG record when it has ended, however it did."""
        start, response = time.monotonic(), None
        try:
            response = await self._session.send(request, attempt)
            return response
        finally:
            if _log.isEnabledFor(logging.DEBUG):
                facts = {
                    "pinecone_method": request.method,
                    "pinecone_path": request.url.partition("?")[0].removeprefix(self._protocol.base_url),
                    "pinecone_status": response and response.status,
                    "pinecone_error": None if response else type(sys.exception()).__name__,
                    "pinecone_milliseconds": (time.monotonic() - start) * 1000,
                    "pinecone_bytes": len(response.body) if response else 0,
                    "pinecone_request_id": response and self._protocol.request_id(response),
                }
                _log.debug(_RECORD, facts, extra=facts)


@attrs.define(eq=False, repr=False)
class Wait(Generic[_Seen]):
    """One wait: looks at once, then after 2 s, 3 s and so on up to 30 s, each 25 % more or less."""

    _look: Callable[[Timeouts], Awaitable[_Seen]]
    _what: str
    _deadline: Deadline
    _attempt_timeout: float
    _draw: Callable[[], float]
    _last: _Seen | None = None
    _missing_since: float | None = None
    _delay: float = FIRST_DELAY

    async def until(self, goal: Literal["reached", "missing"]) -> _Seen:
        """Look until the status is reached, and raise WaitFailedError if it has failed; or look until NotFoundError.

        Also raises NotFoundError if it is time to give up, and WaitTimeoutError. Transient errors do not end the wait.
        """
        left = self._deadline.seconds
        while left > 0:
            least = 0.0
            try:
                self._last = await self._look((left, self._attempt_timeout))
            except NotFoundError:
                if goal == "missing" or self._is_gone():
                    raise
            except BackupsError as error:
                if not is_transient(error):
                    raise
                least = getattr(error, "retry_after", None) or 0.0
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
        """Wait for the time of the next look, and return the seconds left; none are left if it is too late for one."""
        until_last = self._deadline.left() - min(self._attempt_timeout, LAST_LOOK, self._deadline.seconds / 4)
        if until_last < 0.001:  # that was the last look
            return 0.0
        jittered = self._delay * (1 - JITTER + 2 * JITTER * self._draw())
        self._delay = min(MAX_DELAY, self._delay * DELAY_GROWTH)
        return await self._deadline.sleep(min(max(jittered, least), until_last))


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
