"""What is sent again, how long to wait before it, and when to stop. Knows errors, time, and what may be repeated.

Theory of operation
-------------------
The attempts of one call are a `_Call`. It makes the first attempt by itself. Only if that fails, tenacity takes over:
its object is made for this one call, since a shared one would mix up tasks. Tenacity never waits before its own first
attempt, so this one does not send anything: it repeats the failure that has already happened, and tenacity raises it,
or waits and tries again from there. The first attempt stays outside because nearly every call needs no other: tenacity
would cost each of them 21 microseconds, and a reference cycle that keeps the client alive after the call.

Three limits end a call: the number of attempts, its deadline, and the retry budget of the client, which keeps an outage
from becoming a storm. A retry is paid when it is sent, so one that is not sent costs nothing; success pays back what
the call has spent. Time is measured by the policy's clock, and what was asked of `sleep` counts as passed time
whatever that clock says.

Whether a request may be sent again depends on what became of it: see `may_have_acted`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

import attrs
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from . import _errors as errors  # pyright: ignore[reportPrivateUsage]
from ._arguments import RetryPolicy
from ._protocol import Endpoint

TRANSIENT_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 504})
RETRY_COST: Final = 5
TIMEOUT_COST: Final = 10
_log = logging.getLogger("pinecone_backups_async")
_T = TypeVar("_T")
Sleep: TypeAlias = Callable[[float], Awaitable[None]]


def is_transient(error: BaseException) -> bool:
    """Return whether the request may succeed if sent again. This is the whole list."""
    if isinstance(error, errors.TransportError):  # a proxy's refusal counts by its status, like a response
        return not isinstance(error, errors.TLSError) and error.status in {None, *TRANSIENT_STATUSES}
    if isinstance(error, errors.ApiError):
        is_used_up = error.status == 429 and error.code == errors.ErrorCode.QUOTA_EXCEEDED  # no waiting cures that
        return not is_used_up and (_is_unavailable(error) or error.status in TRANSIENT_STATUSES)
    # A body that is not even JSON was cut or garbled on its way; one that is JSON will be the same again.
    return isinstance(error, errors.ResponseParsingError) and not error.decoded


def may_have_acted(error: BaseException, *, sent: bool) -> bool:
    """Return whether the service may have done what a failed request asked for.

    `sent` says whether the request may have reached the service. A refusal (429 and most of 4xx) means that nothing
    happened. 408 does not, although RFC 9110 calls it safe: a gateway can send it while the service still works.
    """
    if isinstance(error, errors.TransportError | errors.ClientClosedError | asyncio.CancelledError):
        return sent and not isinstance(error, errors.TLSError)
    if isinstance(error, errors.ApiError):
        refused = 400 <= error.status < 500 and error.status != 408
        return not refused or (_is_unavailable(error) and error.status != 429)
    return isinstance(error, errors.ResponseParsingError)


def _is_unavailable(error: errors.ApiError) -> bool:
    return error.code == errors.ErrorCode.UNAVAILABLE and error.status not in {401, 403}


class Deadline:
    """How many seconds are left. They only get fewer, even if the clock stops or goes back."""

    def __init__(self, clock: Callable[[], float], sleep: Sleep, seconds: float) -> None:
        self._clock = clock
        self._sleep = sleep
        self.seconds = self._left = seconds
        self._last = clock()

    def left(self, *, passed: float = 0.0) -> float:
        """Return the seconds left. At least `passed` seconds count as gone since the last look."""
        now = self._clock()
        self._left -= max(passed, 0.0, now - self._last)
        self._last = now
        return self._left

    async def sleep(self, seconds: float) -> float:
        """Wait; return the seconds left then. A `sleep` hook that lasts longer is ended at the deadline."""
        limit = asyncio.timeout(self.left())
        try:
            async with limit:
                await self._sleep(seconds)
        except TimeoutError:
            if not limit.expired():
                raise
        return self.left(passed=seconds)


class Attempt:
    """One attempt of a call: its limits in seconds, and whether the request may have reached the service."""

    def __init__(self, seconds: float, seconds_to_send: float, *, new_connection: bool = False) -> None:
        #: For the whole attempt.
        self.seconds = seconds
        #: Until the request begins to be sent.
        self.seconds_to_send = seconds_to_send
        #: Whether a connection that was used before must not be taken.
        self.new_connection = new_connection
        #: Set as soon as a byte of the request may have left.
        self.sent = False


class Limits(NamedTuple):
    """The limits of one call."""

    #: Seconds for the call with all its attempts and waits.
    timeout: float
    #: Seconds for one attempt.
    attempt: float
    #: Seconds until an attempt begins to be sent.
    to_send: float


class Retrier:
    """Makes the attempts of a client's calls."""

    def __init__(self, policy: RetryPolicy, sleep_unless_closed: Sleep) -> None:
        self.policy = policy
        self.budget = policy.quota
        self._sleep = policy.sleep or sleep_unless_closed

    def once(self) -> "Retrier":
        """Return a Retrier that makes one attempt for each call."""
        return Retrier(attrs.evolve(self.policy, attempts=1), self._sleep)

    def deadline(self, seconds: float) -> Deadline:
        """Return the deadline of what begins now and may take so many seconds."""
        return Deadline(self.policy.clock, self._sleep, seconds)

    async def run(self, send: Callable[[Attempt], Awaitable[_T]], limits: Limits, endpoint: Endpoint[object]) -> _T:
        """Return what `send` returns, sent again while that is allowed and may help; else raise its last error.

        All of it takes at most `limits.timeout` seconds. What is not `repeatable` is sent again only if nothing can
        have happened. Where a call other than GET fails, its error's `outcome_unknown` says whether an attempt may
        have acted; if it is cancelled, one WARNING with the endpoint's name does.
        """
        return await _Call(self, send, limits, endpoint, self.deadline(limits.timeout)).run()


@attrs.define(eq=False, repr=False)
class _Call(Generic[_T]):
    """The attempts of one call."""

    _retrier: Retrier
    _send: Callable[[Attempt], Awaitable[_T]]
    _limits: Limits
    _endpoint: Endpoint[object]
    _deadline: Deadline
    _failure: Any = None
    _attempts: int = 0
    _broken: bool = False
    _spent: int = 0
    _outcome_unknown: bool = False

    async def run(self) -> _T:
        """Make all attempts; put what became of them on the error."""
        try:
            result = await self._first_then_others()
        except asyncio.CancelledError:
            if self._outcome_unknown:
                name = self._endpoint.name
                _log.warning("%s was cancelled, its outcome is unknown", name, extra={"pinecone_operation": name})
            raise
        except errors.BackupsError as error:
            error.attempts, error.outcome_unknown = self._attempts, self._outcome_unknown
            raise
        self._retrier.budget = min(self._retrier.policy.quota, self._retrier.budget + (self._spent or 1))
        return result

    async def _first_then_others(self) -> _T:
        """Make the first attempt, and leave the others to tenacity."""
        try:
            return await self._attempt()
        except errors.BackupsError as error:
            first = [error]

        async def replay_or_attempt() -> _T:
            if first:
                raise first.pop()
            return await self._attempt()

        retrying = self._retrying()
        try:
            return await retrying(replay_or_attempt)
        finally:  # tenacity's object refers to itself and to its last error: without this they stay until collected
            self._failure = None
            retrying.iter_state.reset()

    async def _attempt(self) -> _T:
        left = max(0.0, self._deadline.left())
        seconds, to_send = min(self._limits.attempt, left), min(self._limits.to_send, left)
        attempt = Attempt(seconds, to_send, new_connection=self._broken or not self._endpoint.repeatable)
        self._attempts += 1
        try:
            return await self._send(attempt)
        except (errors.BackupsError, asyncio.CancelledError) as error:
            self._outcome_unknown |= self._endpoint.method != "GET" and may_have_acted(error, sent=attempt.sent)
            self._failure = error
            # Other kept connections may be as stale as this one, or carry a response that nobody asked for.
            self._broken |= isinstance(error, errors.TransportError | errors.ResponseParsingError)
            raise

    def _retrying(self) -> AsyncRetrying:
        policy = self._retrier.policy

        def may_help(error: BaseException) -> bool:
            return is_transient(error) and (self._endpoint.repeatable or not self._outcome_unknown)

        def wait(state: RetryCallState) -> float:
            return max(policy.delay(state.attempt_number), getattr(self._failure, "retry_after", None) or 0.0)

        def stop(state: RetryCallState) -> bool:
            was_last = state.attempt_number >= policy.attempts
            return was_last or state.upcoming_sleep >= self._deadline.left() or self._cost() > self._retrier.budget

        retry = retry_if_exception(may_help)
        return AsyncRetrying(retry=retry, wait=wait, stop=stop, sleep=self._wait, before_sleep=self._log, reraise=True)

    def _log(self, state: RetryCallState) -> None:
        kind, status = type(self._failure).__name__, getattr(self._failure, "status", None)
        what = kind if status is None else f"{kind} {status}"
        number, delay = state.attempt_number, state.upcoming_sleep
        facts = {"pinecone_error": kind, "pinecone_status": status, "pinecone_attempt": number, "pinecone_delay": delay}
        _log.warning("%s in attempt %d, next in %.2f s", what, number, delay, extra=facts)

    def _cost(self) -> int:
        return TIMEOUT_COST if isinstance(self._failure, errors.TransportTimeoutError) else RETRY_COST

    async def _wait(self, seconds: float) -> None:
        """Wait, then pay for a retry; raise the failure if the time is over or other calls have used up the budget."""
        cost = self._cost()
        if await self._deadline.sleep(seconds) <= 0 or cost > self._retrier.budget:
            raise self._failure
        self._retrier.budget -= cost
        self._spent += cost
