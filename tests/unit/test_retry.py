"""What is retried, how long is waited and when it stops: with a clock, a sleep and a randomness of the test's own."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

import pinecone_backups_async as sdk
from pinecone_backups_async import BackupsError, RetryPolicy
from pinecone_backups_async._endpoints import CREATE_BACKUP, DELETE_BACKUP, LIST_PROJECT_BACKUPS
from pinecone_backups_async._protocol import Endpoint
from pinecone_backups_async._retry import Attempt, Deadline, Limits, Retrier
from tests.support.timing import Clock, Sleeps

UNDECODABLE = sdk.ResponseParsingError("x", decoded=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def retrier(own: Clock, **settings: object) -> Retrier:
    policy = RetryPolicy(**{"sleep": own.sleep, "clock": own, "random": lambda: 0.5, **settings})  # type: ignore[arg-type]
    return Retrier(policy, own.sleep)


def attempts_of(
    *outcomes: BackupsError | str, seen: list[Attempt] | None = None
) -> Callable[[Attempt], Awaitable[str]]:
    script: Iterator[BackupsError | str] = iter(outcomes)

    async def attempt(attempt: Attempt) -> str:
        if seen is not None:
            seen.append(attempt)
        outcome = next(script)
        if isinstance(outcome, BackupsError):
            raise outcome
        return outcome

    return attempt


def unavailable(**facts: object) -> sdk.ServiceError:
    return sdk.ServiceError("down", status=503, **facts)


async def run(
    retrier: Retrier, attempt: Callable[[Attempt], Awaitable[str]], timeout: float = 60.0, attempt_timeout: float = 10.0
) -> str:
    return await retrier.run(attempt, Limits(timeout, attempt_timeout, attempt_timeout), LIST_PROJECT_BACKUPS)


async def failed(retrier: Retrier, *outcomes: BackupsError | str, **limits: float) -> BackupsError:
    with pytest.raises(BackupsError) as caught:
        await run(retrier, attempts_of(*outcomes, "never"), **limits)
    return caught.value


@pytest.mark.parametrize(
    ("attempts", "slept"), [(1, []), (4, [0.25, 0.5, 1.0]), (9, [0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0])]
)
async def test_waits_grow_to_their_cap(clock: Clock, attempts: int, slept: list[float]) -> None:
    """The last error is raised as it is."""
    errors = [unavailable() for _ in range(attempts)]
    assert await run(retrier(clock, attempts=attempts), attempts_of(*errors[1:], "page")) == "page"
    assert clock.slept == slept[: attempts - 1]
    clock.slept.clear()
    error = await failed(retrier(clock, attempts=attempts), *errors)
    assert (error, error.attempts, clock.slept) == (errors[-1], attempts, slept)
    assert (error.__cause__, error.__context__) == (None, None)
    assert RetryPolicy(random=lambda: 1.0).delay(10**6) == 8.0


async def test_an_attempt_gets_no_more_than_is_left(clock: Clock) -> None:
    seen: list[Attempt] = []
    script = attempts_of(unavailable(), unavailable(retry_after=5.0), "page", seen=seen)
    await run(retrier(clock), script, timeout=8.0, attempt_timeout=6.0)
    assert [attempt.seconds for attempt in seen] == [6.0, 6.0, 2.75]


@pytest.mark.parametrize("first", [sdk.TransportError("x"), sdk.TransportTimeoutError("x"), UNDECODABLE])
async def test_after_a_fault_connections_are_new(clock: Clock, first: BackupsError) -> None:
    seen: list[Attempt] = []
    await run(retrier(clock), attempts_of(unavailable(), first, unavailable(), "page", seen=seen))
    assert [attempt.new_connection for attempt in seen] == [False, False, True, True]


async def test_a_budget_that_is_spent_and_paid_back(clock: Clock) -> None:
    """A retry after a timeout costs 10, another one 5; success pays back; an empty budget raises the last error."""
    patient, timeout = retrier(clock, quota=19), sdk.TransportTimeoutError("x")
    assert (await failed(patient, timeout, unavailable(), unavailable())).attempts == 3
    now = clock.now
    assert ((await failed(patient, timeout)).attempts, patient.budget, clock.now) == (1, 4, now)  # and at once
    for tokens in (*range(5, 20), 19):  # never above full
        await run(patient, attempts_of("page"))
        assert patient.budget == tokens
    await run(patient, attempts_of(timeout, unavailable(), "page"))
    assert patient.budget == 19


async def test_a_retry_is_a_warning_with_its_facts(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    await run(retrier(clock), attempts_of(unavailable(), sdk.TransportError("reset"), "page"))
    assert [(r.name, r.levelno, r.getMessage()) for r in caplog.records] == [
        ("pinecone_backups_async", logging.WARNING, "ServiceError 503 in attempt 1, next in 0.25 s"),
        ("pinecone_backups_async", logging.WARNING, "TransportError in attempt 2, next in 0.50 s"),
    ]
    facts = [tuple(vars(r)[f"pinecone_{name}"] for name in ("status", "attempt", "delay")) for r in caplog.records]
    assert facts == [(503, 1, 0.25), (None, 2, 0.5)]


async def test_seconds_are_never_negative(clock: Clock) -> None:
    def ticking() -> float:
        clock.now += 1
        return clock.now

    seen: list[Attempt] = []
    assert await run(retrier(clock, clock=ticking), attempts_of("page", seen=seen), timeout=0.5) == "page"
    assert [attempt.seconds for attempt in seen] == [0.0]


@pytest.mark.parametrize("after_an_outage", [False, True])
async def test_Y8_faults_that_end_well_keep_the_budget(after_an_outage: bool) -> None:
    clock, dice = Clock(), random.Random(8)
    patient = retrier(clock)
    if after_an_outage:
        patient.budget = 0
        for _ in range(500):
            assert await run(patient, attempts_of("page")) == "page"
    for _ in range(3_000):
        faults = [unavailable() if dice.random() < 0.5 else sdk.TransportTimeoutError("x") for _ in range(3)]
        failing = [fault for fault in faults if dice.random() < 0.3]
        assert await run(patient, attempts_of(*failing, "page")) == "page"
    assert patient.budget == 500


SENT, NOT_SENT = True, False
# Each cell of the table of outcomes: the failure, whether it was sent, requests of a GET or DELETE, of a POST, unknown.
OUTCOMES: dict[str, tuple[BackupsError, bool, int, int, bool]] = {
    "refused": (sdk.TransportError("x"), NOT_SENT, 4, 4, False),
    "timeout while connecting": (sdk.TransportTimeoutError("x"), NOT_SENT, 4, 4, False),
    "proxy 502": (sdk.TransportError("x", status=502), NOT_SENT, 4, 4, False),
    "proxy 407": (sdk.TransportError("x", status=407), NOT_SENT, 1, 1, False),
    "tls": (sdk.TLSError("x"), NOT_SENT, 1, 1, False),
    "tls alert after the request": (sdk.TLSError("x"), SENT, 1, 1, False),
    "429": (sdk.RateLimitError("x", status=429), SENT, 4, 4, False),
    "429 unavailable": (sdk.RateLimitError("x", status=429, code="UNAVAILABLE"), SENT, 4, 4, False),
    "429 quota": (sdk.RateLimitError("x", status=429, code="QUOTA_EXCEEDED"), SENT, 1, 1, False),
    **{f"{s}": (sdk.ApiError("x", status=s), SENT, 4, 1, True) for s in (408, 500, 502, 503, 504)},
    **{f"{s} unavailable": (sdk.ApiError("x", status=s, code="UNAVAILABLE"), SENT, 4, 1, True) for s in (200, 400,
    501)},
    "reset": (sdk.TransportError("x"), SENT, 4, 1, True),
    "timeout": (sdk.TransportTimeoutError("x"), SENT, 4, 1, True),
    "garbled success": (sdk.ResponseParsingError("x", decoded=False), SENT, 4, 1, True),
    "wrong success": (sdk.ResponseParsingError("x"), SENT, 1, 1, True),
    "too large success": (sdk.ResponseTooLargeError("x"), SENT, 1, 1, True),
    **{f"{s}": (sdk.ApiError("x", status=s), SENT, 1, 1, False) for s in (400, 401, 402, 403, 404, 409, 412, 422, 451)},
    "403 unavailable": (sdk.ApiError("x", status=403, code="UNAVAILABLE"), SENT, 1, 1, False),
    **{f"{s}": (sdk.ApiError("x", status=s), SENT, 1, 1, True) for s in (206, 302, 501, 505, 520, 524, 599)},
    "closed while connecting": (sdk.ClientClosedError("x"), NOT_SENT, 1, 1, False),
    "closed": (sdk.ClientClosedError("x"), SENT, 1, 1, True),
}  # fmt: skip


@pytest.mark.parametrize("call", [LIST_PROJECT_BACKUPS, DELETE_BACKUP, CREATE_BACKUP], ids=["GET", "DELETE", "POST"])
@pytest.mark.parametrize("case", OUTCOMES)
async def test_the_table_of_outcomes(clock: Clock, case: str, call: Endpoint[object]) -> None:
    error, sent, repeated, posted, unknown = OUTCOMES[case]
    seen: list[Attempt] = []

    async def send(attempt: Attempt) -> str:
        seen.append(attempt)
        attempt.sent = sent
        raise error

    with pytest.raises(BackupsError) as caught:
        await retrier(clock).run(send, Limits(600, 10, 10), call)
    assert len(seen) == caught.value.attempts == (posted if call is CREATE_BACKUP else repeated)
    assert caught.value.outcome_unknown is (unknown and call is not LIST_PROJECT_BACKUPS)


async def test_a_delete_that_gives_up_remembers_what_arrived(clock: Clock) -> None:
    with pytest.raises(sdk.NotFoundError) as caught:
        failing = attempts_of(unavailable(), sdk.NotFoundError("x", status=404))
        await retrier(clock).run(failing, Limits(60, 10, 10), DELETE_BACKUP)
    assert caught.value.outcome_unknown


@pytest.mark.parametrize(("limits", "seconds"), [(Limits(60, 60, 10), (60, 10)), (Limits(5, 5, 10), (5, 5))])
async def test_a_post_has_all_the_time_once_it_is_sent(
    clock: Clock, limits: Limits, seconds: tuple[float, float]
) -> None:
    seen: list[Attempt] = []
    await retrier(clock).run(attempts_of("done", seen=seen), limits, CREATE_BACKUP)
    assert [(a.seconds, a.seconds_to_send, a.new_connection) for a in seen] == [(*seconds, True)]


@pytest.mark.parametrize(
    ("call", "sent", "logged"), [(CREATE_BACKUP, True, 1), (CREATE_BACKUP, False, 0), (LIST_PROJECT_BACKUPS, True, 0)]
)
async def test_a_cancelled_write_is_logged(
    call: Endpoint[object], sent: bool, logged: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def hang(attempt: Attempt) -> str:
        attempt.sent = sent
        await asyncio.Event().wait()
        return "never"

    task = asyncio.create_task(Retrier(RetryPolicy(), asyncio.sleep).run(hang, Limits(60, 10, 10), call))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert messages == ["create_backup was cancelled, its outcome is unknown"] * logged


async def test_a_retry_that_is_not_sent_costs_nothing() -> None:
    """All 300 may wait, 100 can pay: the others raise what they have; those that are cancelled pay nothing."""
    patient = Retrier(RetryPolicy(random=lambda: 0.1, attempts=2), asyncio.sleep)
    cancelled = [asyncio.create_task(run(patient, attempts_of(unavailable(), "never"))) for _ in range(100)]
    calls = [asyncio.create_task(run(patient, attempts_of(unavailable(), unavailable()))) for _ in range(200)]
    await asyncio.sleep(0)
    for call in cancelled:
        call.cancel()
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(error.attempts for error in found if isinstance(error, BackupsError)) == [1] * 100 + [2] * 100
    assert patient.budget == 0


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -0.1, 1.1, None, "x"])
async def test_a_random_that_is_none_is_a_clear_error(clock: Clock, number: object) -> None:
    error = await failed(retrier(clock, random=lambda: number), unavailable())
    assert (type(error), getattr(error, "argument", None)) == (sdk.ConfigurationError, "random")
    assert "random must return a number from 0 to 1" in str(error)


async def test_a_sleep_hook_that_lasts_ends_at_the_deadline() -> None:
    """Nothing is sent then."""

    async def hang(_: float) -> None:
        await asyncio.Event().wait()

    began = time.monotonic()
    lasting = Retrier(RetryPolicy(sleep=hang, random=lambda: 0.1), asyncio.sleep)
    assert (await failed(lasting, unavailable(), timeout=0.3)).attempts == 1
    assert 0.2 < time.monotonic() - began < 1.0


@pytest.mark.parametrize("error", [TimeoutError("the hook's own"), sdk.ClientClosedError("closed")])
async def test_an_error_in_a_wait_stays_itself(clock: Clock, error: Exception) -> None:
    async def fail(_: float) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        await run(retrier(clock, sleep=fail), attempts_of(unavailable(), "never"))
    assert caught.value is error
    assert getattr(error, "attempts", 1) == 1


async def test_slept_time_counts_under_a_frozen_clock() -> None:
    sleeps = Sleeps()
    await failed(retrier(Clock(), attempts=99, sleep=sleeps), *[unavailable() for _ in range(99)])
    assert 50 < sum(sleeps.seconds) <= 60


def test_a_deadline_only_gets_nearer() -> None:
    times = iter([0.0, 1.0, -100.0, float("nan"), 2.0])
    deadline = Deadline(lambda: next(times), asyncio.sleep, 10.0)
    assert [deadline.left() for _ in range(3)] == [9.0, 9.0, 9.0]
