"""What is sent again, how long to wait before it, and when to stop. Knows errors, time, and what may be repeated.

Theory of operation
-------------------
The attempts of one call are a `_Call`. It makes the first attempt by itself. Only if that fails, and sending the
request again is allowed and may help, tenacity takes over: its object is made for this one call, since a shared one
would mix up tasks. Tenacity never waits before its own first attempt, so this one does not send anything: it repeats
the failure that has already happened, and tenacity waits and tries again from there. The first attempt stays outside
because nearly every call needs no other: tenacity would cost each of them 21 microseconds, and a reference cycle that
keeps the client alive after the call.

Three limits end a call: the number of attempts, its deadline, and the retry budget of the client, which keeps an outage
from becoming a storm. A retry is paid when its wait begins, and paid back if it was not sent; success pays back
what the call has spent. Time is measured by the policy's clock, and what was asked of `sleep` counts as passed time
whatever that clock says.

Whether a request may be sent again depends on what became of it: see `may_have_acted`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

import attrs
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from . import _errors as errors  # pyright: ignore[reportPrivateUsage]
from ._errors import ApiError, BackupsError, ResponseParsingError, TransportError
from ._policy import RetryPolicy
from ._protocol import Endpoint
from ._statuses import ErrorCode

TRANSIENT_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 504})
RETRY_COST: Final = 5
TIMEOUT_COST: Final = 10
_log = logging.getLogger("pinecone_backups_async")
_T = TypeVar("_T")


def is_transient(error: BaseException) -> bool:
    """Return whether the request may succeed if sent again. This is the whole list."""
    if isinstance(error, errors.TLSError):
        return False
    if isinstance(error, TransportError):  # a proxy's refusal counts by its status, like a response
        return error.status is None or error.status in TRANSIENT_STATUSES
    if isinstance(error, ApiError):
        if isinstance(error, errors.RateLimitError) and error.code == ErrorCode.QUOTA_EXCEEDED:
            return False  # no waiting cures a used-up quota
        return _is_unavailable(error) or error.status in TRANSIENT_STATUSES
    # A body that is not even JSON was cut or garbled on its way; one that is JSON will be the same again.
    return isinstance(error, ResponseParsingError) and not error.decoded


def may_have_acted(error: BackupsError, *, sent: bool) -> bool:
    """Return whether the service may have done what a failed request asked for.

    `sent` says whether the request may have reached the service. A refusal (429 and most of 4xx) means that nothing
    happened. 408 does not, although RFC 9110 calls it safe: a gateway can send it while the service still works.
    """
    if isinstance(error, TransportError | errors.ClientClosedError):
        return sent and not isinstance(error, errors.TLSError)
    if isinstance(error, ApiError):
        refused = 400 <= error.status < 500 and error.status != 408
        return not refused or (_is_unavailable(error) and error.status != 429)
    return isinstance(error, ResponseParsingError)


def _is_unavailable(error: ApiError) -> bool:
    return error.code == ErrorCode.UNAVAILABLE and error.status not in {401, 403}


class Deadline:
    """How many seconds are left. They only get fewer, even if the clock stops or goes back."""

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self._clock = clock
        self._left = seconds
        self._last = clock()

    def left(self, *, passed: float = 0.0) -> float:
        """Return the seconds left. At least `passed` seconds count as gone since the last look."""
        now = self._clock()
        self._left -= max(passed, 0.0, now - self._last)
        self._last = now
        return self._left


@attrs.define(eq=False)
class Attempt:
    """One attempt of a call: its limits in seconds, and whether the request may have reached the service."""

    #: For the whole attempt.
    seconds: float
    #: A shorter limit, which applies until the request begins to be sent.
    seconds_to_send: float | None = None
    #: Whether a connection that was used before must not be taken.
    new_connection: bool = False
    #: Set as soon as a byte of the request may have left.
    sent: bool = False


@attrs.frozen
class Limits:
    """The limits of one call."""

    #: Seconds for the call with all its attempts and waits.
    timeout: float
    #: Seconds for one attempt.
    attempt_timeout: float
    #: Whether `attempt_timeout` was given for this very call. Else it bounds only the connecting of a POST.
    attempt_timeout_given: bool = False
    #: How many attempts; None: as many as the policy has.
    attempts: int | None = None


class Retrier:
    """Makes the attempts of a client's calls."""

    def __init__(self, policy: RetryPolicy, sleep_unless_closed: Callable[[float], Awaitable[None]]) -> None:
        self.policy = policy
        self.budget = policy.quota
        self._sleep_unless_closed = sleep_unless_closed

    def pay_back(self, tokens: int) -> None:
        """Add tokens to the retry budget, never above its beginning."""
        self.budget = min(self.policy.quota, self.budget + tokens)

    async def sleep(self, seconds: float, deadline: Deadline) -> float:
        """Wait; return the seconds left then. A `sleep` hook that lasts longer is ended at the deadline."""
        if self.policy.sleep is None:
            await self._sleep_unless_closed(seconds)
        else:
            limit = asyncio.timeout(max(0.0, deadline.left()))
            try:
                async with limit:
                    await self.policy.sleep(seconds)
            except TimeoutError:
                if not limit.expired():
                    raise
        return deadline.left(passed=seconds)

    async def run(self, send: Callable[[Attempt], Awaitable[_T]], limits: Limits, endpoint: Endpoint[object]) -> _T:
        """Return what `send` returns, sent again while that is allowed and may help; else raise its last error.

        All of it takes at most `limits.timeout` seconds. What is not `repeatable` is sent again only if nothing can
        have happened. Where a call that `writes` fails, its error's `outcome_unknown` says whether an attempt may have
        acted; if it is cancelled, one WARNING with the endpoint's name does.
        """
        return await _Call(self, send, limits, endpoint, Deadline(self.policy.clock, limits.timeout)).run()


@attrs.define(eq=False)
class _Call(Generic[_T]):
    """The attempts of one call."""

    _retrier: Retrier
    _send: Callable[[Attempt], Awaitable[_T]]
    _limits: Limits
    _endpoint: Endpoint[object]
    _deadline: Deadline
    _failure: BackupsError = attrs.field(factory=BackupsError)
    _broken: bool = False
    _attempts: int = 0
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
        except BackupsError as error:
            error.attempts, error.outcome_unknown = self._attempts, self._outcome_unknown
            raise
        self._retrier.pay_back(self._spent or 1)
        return result

    async def _first_then_others(self) -> _T:
        """Make the first attempt, and leave the others to tenacity."""
        try:
            return await self._attempt()
        except BackupsError as error:
            if not self._may_be_sent_again(error):
                raise
            first = [error]

        async def replay_or_attempt() -> _T:
            if first:
                raise first.pop()
            return await self._attempt()

        retrying = self._retrying()
        try:
            return await retrying(replay_or_attempt)
        finally:  # tenacity's object refers to itself and to its last error: without this they stay until collected
            self._failure = BackupsError()
            retrying.iter_state.reset()

    async def _attempt(self) -> _T:
        attempt = self._next_attempt()
        self._attempts += 1
        try:
            return await self._send(attempt)
        except asyncio.CancelledError:
            self._outcome_unknown |= self._endpoint.writes and attempt.sent
            raise
        except BackupsError as error:
            self._outcome_unknown |= self._endpoint.writes and may_have_acted(error, sent=attempt.sent)
            self._failure = error
            # Other kept connections may be as stale as this one, or carry a response that nobody asked for.
            self._broken |= isinstance(error, TransportError | ResponseParsingError)
            raise

    def _next_attempt(self) -> Attempt:
        left = max(0.0, self._deadline.left())
        seconds = min(self._limits.attempt_timeout, left)
        if self._endpoint.repeatable or self._limits.attempt_timeout_given:
            return Attempt(seconds, new_connection=self._broken or not self._endpoint.repeatable)
        # Nothing may follow it once it is sent, so all the time that is left is its own.
        return Attempt(left, seconds_to_send=seconds, new_connection=True)

    def _may_be_sent_again(self, error: BaseException) -> bool:
        return is_transient(error) and (self._endpoint.repeatable or not self._outcome_unknown)

    def _retrying(self) -> AsyncRetrying:
        def wait(state: RetryCallState) -> float:
            least = self._failure.retry_after if isinstance(self._failure, ApiError) else None
            return max(self._retrier.policy.delay(state.attempt_number), least or 0.0)

        def stop(state: RetryCallState) -> bool:
            was_last = state.attempt_number >= (self._limits.attempts or self._retrier.policy.attempts)
            return was_last or state.upcoming_sleep >= self._deadline.left() or self._cost() > self._retrier.budget

        def log(state: RetryCallState) -> None:
            kind, status = type(self._failure).__name__, getattr(self._failure, "status", None)
            number, delay = state.attempt_number, state.upcoming_sleep
            facts = {"pinecone_error": kind, "pinecone_status": status, "pinecone_attempt": number}
            what = kind if status is None else f"{kind} {status}"
            _log.warning(
                "%s in attempt %d, next in %.2f s", what, number, delay, extra={**facts, "pinecone_delay": delay}
            )

        retry = retry_if_exception(self._may_be_sent_again)
        return AsyncRetrying(retry=retry, wait=wait, stop=stop, sleep=self._wait, before_sleep=log, reraise=True)

    def _cost(self) -> int:
        return TIMEOUT_COST if isinstance(self._failure, errors.TransportTimeoutError) else RETRY_COST

    async def _wait(self, seconds: float) -> None:
        """Pay for a retry and wait; take the payment back if nothing will be sent."""
        cost = self._cost()
        self._retrier.budget -= cost
        try:
            if await self._retrier.sleep(seconds, self._deadline) <= 0:  # it took longer than it should
                raise self._failure
        except BaseException:
            self._retrier.pay_back(cost)
            raise
        self._spent += cost
