"""What is retried, how long is waited and when it stops: with a clock, a sleep and a randomness of the test's own."""

from __future__ import annotations

import logging
import os
import random
import warnings
from collections.abc import Awaitable, Callable, Iterator

import attrs
import pytest

import pinecone_backups_async as door
from pinecone_backups_async import BackupsError, RetryPolicy
from pinecone_backups_async._retry import Retrier, is_transient

UNDECODABLE = door.ResponseParsingError("x", decoded=False)


@attrs.define
class Clock:
    now: float = 1000.0
    slept: list[float] = attrs.field(factory=list[float])

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def retrier(clock: Clock, **settings: object) -> Retrier:
    policy = RetryPolicy(sleep=clock.sleep, clock=clock, **{"random": lambda: 0.5, **settings})  # type: ignore[arg-type]
    return Retrier(policy, pause=clock.sleep)


def attempts_of(
    *outcomes: BackupsError | str, seen: list[tuple[float, bool]] | None = None
) -> Callable[[float, bool], Awaitable[str]]:
    script: Iterator[BackupsError | str] = iter(outcomes)

    async def attempt(seconds: float, unpooled: bool) -> str:
        if seen is not None:
            seen.append((seconds, unpooled))
        outcome = next(script)
        if isinstance(outcome, BackupsError):
            raise outcome
        return outcome

    return attempt


def unavailable(**facts: object) -> door.ServiceError:
    return door.ServiceError("down", status=503, **facts)


async def run(retrier: Retrier, attempt: Callable[[float, bool], Awaitable[str]], **settings: float) -> str:
    return await retrier.run(attempt, **{"timeout": 60.0, "attempt_timeout": 10.0, **settings})


@pytest.mark.parametrize("status", range(201, 600))
def test_statuses_that_are_transient(status: int) -> None:
    assert is_transient(door.ApiError("x", status=status)) == (status in {408, 429, 500, 502, 503, 504})


@pytest.mark.parametrize("status", range(200, 600))
def test_unavailable_is_transient_under_any_status_but_401_and_403(status: int) -> None:
    assert is_transient(door.ApiError("x", status=status, code="UNAVAILABLE")) == (status not in {401, 403})


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (door.RateLimitError("x", status=429, code="QUOTA_EXCEEDED"), False),
        (door.RateLimitError("x", status=429, code="RESOURCE_EXHAUSTED"), True),
        (door.ApiError("x", status=200, code="INTERNAL"), False),
        (door.TransportError("x"), True),
        (door.TransportError("x", status=407), False),
        (door.TransportError("x", status=502), True),
        (door.TransportTimeoutError("x"), True),
        (door.TLSError("x"), False),
        (UNDECODABLE, True),
        (door.ResponseParsingError("x"), False),
        (door.ResponseTooLargeError("x"), False),
        (door.ClientClosedError("x"), False),
        (door.ConfigurationError("x"), False),
        (ValueError("x"), False),
    ],
)
def test_errors_that_are_transient(error: Exception, transient: bool) -> None:
    assert is_transient(error) is transient


async def test_a_transient_error_is_tried_again_with_growing_full_jitter(clock: Clock) -> None:
    assert await run(retrier(clock), attempts_of(*[unavailable() for _ in range(3)], "page")) == "page"
    assert clock.slept == [0.25, 0.5, 1.0]


async def test_the_wait_grows_no_further_than_its_cap(clock: Clock) -> None:
    await run(retrier(clock, attempts=9), attempts_of(*[unavailable() for _ in range(8)], "page"))
    assert clock.slept == [0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0]
    assert RetryPolicy(random=lambda: 1.0).delay(10**6) == 8.0


async def test_after_the_last_attempt_its_error_is_raised_as_it_is(clock: Clock) -> None:
    errors = [unavailable() for _ in range(4)]
    with pytest.raises(door.ServiceError) as caught:
        await run(retrier(clock), attempts_of(*errors, "never"))
    assert caught.value is errors[3]
    assert caught.value.attempts == 4
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


async def test_an_error_that_is_not_transient_is_raised_at_once(clock: Clock) -> None:
    with pytest.raises(door.UnauthorizedError) as caught:
        await run(retrier(clock), attempts_of(door.UnauthorizedError("x", status=401), "never"))
    assert (caught.value.attempts, clock.slept) == (1, [])
    with pytest.raises(door.UnauthorizedError) as caught:
        await run(retrier(clock), attempts_of(unavailable(), door.UnauthorizedError("x", status=401), "never"))
    assert caught.value.attempts == 2


async def test_one_attempt_means_no_retry(clock: Clock) -> None:
    with pytest.raises(door.ServiceError):
        await run(retrier(clock, attempts=1), attempts_of(unavailable(), "never"))


@pytest.mark.parametrize(("retry_after", "slept"), [(2.0, 2.0), (0.0, 0.25), (0.1, 0.25), (None, 0.25)])
async def test_retry_after_is_the_least_wait(clock: Clock, retry_after: float | None, slept: float) -> None:
    await run(retrier(clock), attempts_of(unavailable(retry_after=retry_after), "page"))
    assert clock.slept == [slept]


@pytest.mark.parametrize("retry_after", [60.0, 3600.0, float("inf")])
async def test_a_wait_that_would_cross_the_pages_time_raises_at_once(clock: Clock, retry_after: float) -> None:
    with pytest.raises(door.ServiceError) as caught:
        await run(retrier(clock), attempts_of(unavailable(retry_after=retry_after), "never"))
    assert (caught.value.retry_after, clock.slept) == (retry_after, [])


async def test_an_attempt_gets_its_own_time_but_never_more_than_the_page_has_left(clock: Clock) -> None:
    seen: list[tuple[float, bool]] = []
    script = attempts_of(unavailable(), unavailable(retry_after=5.0), "page", seen=seen)
    await run(retrier(clock), script, timeout=8.0, attempt_timeout=6.0)
    assert [seconds for seconds, _ in seen] == [6.0, 6.0, 2.75]


@pytest.mark.parametrize("first", [door.TransportError("x"), door.TransportTimeoutError("x"), UNDECODABLE])
async def test_after_a_fault_of_the_transport_pooled_connections_are_avoided_for_the_rest_of_the_page(
    clock: Clock, first: BackupsError
) -> None:
    seen: list[tuple[float, bool]] = []
    await run(retrier(clock), attempts_of(unavailable(), first, unavailable(), "page", seen=seen))
    assert [unpooled for _, unpooled in seen] == [False, False, True, True]


async def test_retries_are_paid_from_a_quota_and_paid_back_by_their_success(clock: Clock) -> None:
    patient = retrier(clock, quota=20)
    with pytest.raises(door.ServiceError):
        await run(patient, attempts_of(*[unavailable() for _ in range(4)]))
    assert patient.quota.tokens == 5
    await run(patient, attempts_of(unavailable(), "page"))
    assert patient.quota.tokens == 5
    for tokens in (6, 7):
        await run(patient, attempts_of("page"))
        assert patient.quota.tokens == tokens


async def test_a_timeout_costs_double_and_an_empty_quota_raises_the_last_error_as_it_is(clock: Clock) -> None:
    patient = retrier(clock, quota=14)
    timeout = door.TransportTimeoutError("x")
    with pytest.raises(door.ServiceError) as caught:
        await run(patient, attempts_of(timeout, unavailable(), "never"))
    assert (caught.value.attempts, patient.quota.tokens) == (2, 4)
    with pytest.raises(door.ServiceError) as caught:
        await run(patient, attempts_of(unavailable(), "never"))
    assert (caught.value.attempts, patient.quota.tokens) == (1, 4)


async def test_the_quota_is_never_above_full(clock: Clock) -> None:
    patient = retrier(clock)
    await run(patient, attempts_of("page"))
    assert patient.quota.tokens == 500


async def test_a_retry_is_a_warning_with_its_facts(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    await run(retrier(clock), attempts_of(unavailable(), door.TransportError("reset"), "page"))
    assert [(r.name, r.levelno, r.getMessage()) for r in caplog.records] == [
        ("pinecone_backups_async", logging.WARNING, "ServiceError 503 in attempt 1, next in 0.25 s"),
        ("pinecone_backups_async", logging.WARNING, "TransportError in attempt 2, next in 0.50 s"),
    ]
    assert [(vars(r)["status"], vars(r)["attempt"], vars(r)["delay"]) for r in caplog.records] == [
        (503, 1, 0.25),
        (None, 2, 0.5),
    ]


def test_each_policy_draws_from_a_generator_of_its_own() -> None:
    one, other = RetryPolicy(), RetryPolicy()
    assert [one.delay(1) for _ in range(5)] != [other.delay(1) for _ in range(5)]
    assert all(0 <= one.delay(3) < 2 for _ in range(100))
    assert one == other


async def test_a_wait_that_took_longer_than_the_page_has_ends_with_the_error_before_it(clock: Clock) -> None:
    async def oversleep(seconds: float) -> None:
        clock.now += seconds + 100

    late = Retrier(RetryPolicy(sleep=oversleep, clock=clock, random=lambda: 0.5), pause=clock.sleep)
    seen: list[tuple[float, bool]] = []
    with pytest.raises(door.ServiceError) as caught:
        await run(late, attempts_of(unavailable(), "page", seen=seen))
    assert (len(seen), caught.value.attempts) == (1, 1)


async def test_a_time_that_is_over_before_it_begins_is_no_negative_one(clock: Clock) -> None:
    def ticking() -> float:
        clock.now += 1
        return clock.now

    seen: list[tuple[float, bool]] = []
    late = Retrier(RetryPolicy(sleep=clock.sleep, clock=ticking), pause=clock.sleep)
    assert await run(late, attempts_of("page", seen=seen), timeout=0.5) == "page"
    assert seen == [(0.0, False)]


async def test_what_is_raised_in_a_wait_counts_the_attempts_before_it(clock: Clock) -> None:
    async def closed(_: float) -> None:
        raise door.ClientClosedError("closed")

    patient = Retrier(RetryPolicy(clock=clock, random=lambda: 0.5), pause=closed)
    with pytest.raises(door.ClientClosedError) as caught:
        await run(patient, attempts_of(unavailable(), "page"))
    assert caught.value.attempts == 1


def test_forked_processes_do_not_draw_alike() -> None:
    policy, drawn = RetryPolicy(), set[bytes]()
    for _ in range(3):
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # this process may have threads
            child = os.fork()
        if child == 0:
            os.write(writing, repr(policy.delay(9)).encode())
            os._exit(0)
        os.waitpid(child, 0)
        drawn.add(os.read(reading, 100))
        os.close(reading)
        os.close(writing)
    assert len(drawn) == 3


@pytest.mark.parametrize("after_an_outage", [False, True])
async def test_faults_that_end_well_never_use_up_the_quota(after_an_outage: bool) -> None:
    clock, dice = Clock(), random.Random(8)
    patient = retrier(clock)
    if after_an_outage:
        patient.quota.tokens = 0
        for _ in range(500):
            assert await run(patient, attempts_of("page")) == "page"
    for _ in range(10_000):
        faults = [unavailable() if dice.random() < 0.5 else door.TransportTimeoutError("x") for _ in range(3)]
        failing = [fault for fault in faults if dice.random() < 0.3]
        assert await run(patient, attempts_of(*failing, "page")) == "page"
    assert patient.quota.tokens == 500
