"""What is retried, how long to wait, and when to stop. Knows errors and time; knows no HTTP and no page.

The repeating itself is tenacity's.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, TypeVar

import attrs
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from ._arguments import checked_count, checked_seconds
from ._errors import (
    ApiError,
    BackupsError,
    ConfigurationError,
    RateLimitError,
    ResponseParsingError,
    TLSError,
    TransportError,
    TransportTimeoutError,
)
from ._models import ErrorCode

__all__ = ["Retrier", "RetryPolicy", "RetryQuota", "checked_policy", "is_transient"]

TRANSIENT_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 504})
_RETRY_COST: Final = 5
_TIMEOUT_COST: Final = 10
_log = logging.getLogger("pinecone_backups_async")
_T = TypeVar("_T")


def is_transient(error: BaseException) -> bool:
    """Say whether another attempt may succeed where this error came back. This is the whole list."""
    if isinstance(error, TLSError):
        return False
    if isinstance(error, TransportError):  # a proxy's refusal counts by its status, like an answer
        return error.status is None or error.status in TRANSIENT_STATUSES
    if isinstance(error, ApiError):
        if isinstance(error, RateLimitError) and error.code == ErrorCode.QUOTA_EXCEEDED:
            return False  # no waiting cures a used-up quota
        if error.code == ErrorCode.UNAVAILABLE:
            return error.status not in {401, 403}
        return error.status in TRANSIENT_STATUSES
    # A 200 that is not even JSON was cut or garbled on its way; one that is JSON will be the same again.
    return isinstance(error, ResponseParsingError) and not error.decoded


def _own_random() -> Callable[[], float]:
    # The system's: nobody else seeds it, and processes that were forked from one do not draw alike.
    return random.SystemRandom().random


def _check_count(_: Any, attribute: attrs.Attribute[int], value: object) -> None:
    checked_count(attribute.name, value, least=1 if attribute.name == "attempts" else 0)


def _check_seconds(_: Any, attribute: attrs.Attribute[float], value: object) -> None:
    checked_seconds(attribute.name, value)


def _check_callable(_: Any, attribute: attrs.Attribute[Any], value: object) -> None:
    if not callable(value):
        raise ConfigurationError(f"{attribute.name} must be callable, not {type(value).__name__}")


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """Say how often and how patiently a page is tried again.

    `attempts` counts the first one too. Before the n-th retry the wait is drawn evenly from 0 to
    min(`max_delay`, `base_delay` * 2^(n-1)) seconds, and is never shorter than a Retry-After. `quota` is what the
    client may spend on retries before successes pay it back: a retry takes 5, one after a timeout 10. `sleep` (an
    async callable that takes seconds), `random` (a float from 0 to 1) and `clock` (seconds, monotonic) stand in for
    the real ones in tests; without `sleep` the client waits by itself, and closing it ends the wait. Raises
    ConfigurationError for a value that makes no sense.
    """

    attempts: int = attrs.field(default=4, validator=_check_count)
    base_delay: float = attrs.field(default=0.5, validator=_check_seconds)
    max_delay: float = attrs.field(default=8.0, validator=_check_seconds)
    quota: int = attrs.field(default=500, validator=_check_count)
    sleep: Callable[[float], Awaitable[None]] | None = attrs.field(
        default=None, validator=attrs.validators.optional(_check_callable), repr=False, eq=False
    )
    random: Callable[[], float] = attrs.field(factory=_own_random, validator=_check_callable, repr=False, eq=False)
    clock: Callable[[], float] = attrs.field(default=time.monotonic, validator=_check_callable, repr=False, eq=False)

    def delay(self, retry: int) -> float:
        """Return the seconds to wait before the n-th retry: full jitter."""
        return self.random() * min(self.max_delay, self.base_delay * 2.0 ** min(retry - 1, 64))


def checked_policy(value: object) -> RetryPolicy:
    """Return the policy, or the default one for None."""
    if value is None:
        return RetryPolicy()
    if not isinstance(value, RetryPolicy):
        raise ConfigurationError(f"retry must be a RetryPolicy, not {type(value).__name__}")
    return value


class RetryQuota:
    """Keep an outage from becoming a storm: what one client may spend on retries, paid back by success."""

    def __init__(self, full: int) -> None:
        self._full = self.tokens = full

    def take(self, cost: int) -> bool:
        """Take the cost of a retry; return False, and take nothing, where it is more than there is."""
        if cost > self.tokens:
            return False
        self.tokens -= cost
        return True

    def give(self, tokens: int) -> None:
        """Give back, never above full."""
        self.tokens = min(self._full, self.tokens + tokens)


Attempt = Callable[[float, bool], Awaitable[_T]]


class Retrier:
    """Run the attempts of a client's pages, each with a tenacity object of its own: a shared one would mix up tasks."""

    def __init__(self, policy: RetryPolicy, pause: Callable[[float], Awaitable[None]]) -> None:
        self.policy = policy
        self.quota = RetryQuota(policy.quota)
        self._sleep = pause if policy.sleep is None else policy.sleep

    async def run(self, attempt: Attempt[_T], *, timeout: float, attempt_timeout: float) -> _T:
        """Return what the attempt returns, tried again while that may help; else raise its last error.

        All of it takes at most `timeout` seconds. The attempt is called with its own seconds and with whether it must
        avoid pooled connections, as after a transport fault.
        """
        page = _Page(attempt, self.policy.clock, timeout, attempt_timeout)
        result: _T
        try:
            result = await page.attempt()
        except BackupsError as error:
            if not is_transient(error):
                raise
            page.failure = error
        else:
            self.quota.give(1)
            return result
        try:
            result = await self._retrying(page)(page.replay_then_attempt)
        except BackupsError as error:  # the client may have been closed in a wait, which is no attempt
            error.attempts = page.attempts
            raise
        self.quota.give(page.spent)
        return result

    def _retrying(self, page: _Page[_T]) -> AsyncRetrying:
        enough = stop_after_attempt(self.policy.attempts)

        def wait(state: RetryCallState) -> float:
            least = page.failure.retry_after if isinstance(page.failure, ApiError) else None
            return max(self.policy.delay(state.attempt_number), least or 0.0)

        def stop(state: RetryCallState) -> bool:
            return enough(state) or state.upcoming_sleep >= page.seconds_left() or not self._pays(page)

        return AsyncRetrying(
            retry=retry_if_exception(is_transient),
            wait=wait,
            stop=stop,
            sleep=self._sleep,
            before_sleep=_log_retry,
            reraise=True,
        )

    def _pays(self, page: _Page[_T]) -> bool:
        cost = _TIMEOUT_COST if isinstance(page.failure, TransportTimeoutError) else _RETRY_COST
        if not self.quota.take(cost):
            return False
        page.spent += cost
        return True


class _Page(Generic[_T]):
    """The attempts of one page."""

    def __init__(
        self, attempt: Attempt[_T], clock: Callable[[], float], timeout: float, attempt_timeout: float
    ) -> None:
        self._attempt = attempt
        self._clock = clock
        self._attempt_timeout = attempt_timeout
        self._deadline = clock() + timeout
        self._replayed = False
        self._avoid_pool = False
        self.failure: BackupsError | None = None
        self.attempts = 0
        self.spent = 0

    def seconds_left(self) -> float:
        return self._deadline - self._clock()

    async def attempt(self) -> _T:
        seconds = max(0.0, min(self._attempt_timeout, self.seconds_left()))
        if seconds == 0.0 and self.failure is not None:  # the wait took longer than it should: nothing is sent any more
            raise self.failure
        self.attempts += 1
        try:
            return await self._attempt(seconds, self._avoid_pool)
        except BackupsError as error:
            error.attempts = self.attempts
            self.failure = error
            # Other pooled connections may be as stale as this one, or carry an answer that nobody asked for.
            self._avoid_pool |= isinstance(error, TransportError | ResponseParsingError)
            raise

    async def replay_then_attempt(self) -> _T:
        """Hand tenacity the first failure, which happened before it was needed, then make the attempts it asks for."""
        if not self._replayed and self.failure is not None:
            self._replayed = True
            raise self.failure
        return await self.attempt()


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    status = getattr(error, "status", None)
    facts = {"status": status, "attempt": state.attempt_number, "delay": state.upcoming_sleep}
    what = type(error).__name__ if status is None else f"{type(error).__name__} {status}"
    _log.warning("%s in attempt %d, next in %.2f s", what, state.attempt_number, state.upcoming_sleep, extra=facts)
