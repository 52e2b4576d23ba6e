"""What is retried, how long is waited and when it stops: with a clock, a sleep and a randomness of the test's own."""

from __future__ import annotations

import asyncio
import logging
import random
import time

import pytest

import pinecone_backups_async as sdk
from pinecone_backups_async import BackupsError, RetryPolicy
from pinecone_backups_async._endpoints import CREATE_BACKUP, DELETE_BACKUP, LIST_PROJECT_BACKUPS
from pinecone_backups_async._protocol import Endpoint
from pinecone_backups_async._retry import Attempt, Deadline, Limits, Retrier
from tests.support.timing import Clock

UNDECODABLE = sdk.ResponseParsingError("x", decoded=False)
MINUTE = Limits(60, 10, 10)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def retrier(own: Clock, **settings: object) -> Retrier:
    policy = RetryPolicy(**{"sleep": own.sleep, "clock": own, "random": lambda: 0.5, **settings})  # type: ignore[arg-type]
    return Retrier(policy, own.sleep)


def unavailable(**facts: object) -> sdk.ServiceError:
    return sdk.ServiceError("down", status=503, **facts)


class Script:
    """What becomes of one attempt after another; remembers the attempts."""

    def __init__(self, *outcomes: BackupsError | str, sent: bool = False) -> None:
        self.outcomes, self.sent = iter(outcomes), sent
        self.attempts: list[Attempt] = []

    async def __call__(self, attempt: Attempt) -> str:
        self.attempts.append(attempt)
        attempt.sent = self.sent
        outcome = next(self.outcomes)
        if isinstance(outcome, BackupsError):
            raise outcome
        return outcome


async def run(
    patient: Retrier, *outcomes: BackupsError | str, call: Endpoint[object] = LIST_PROJECT_BACKUPS,
    limits: Limits = MINUTE,
) -> list[Attempt]:  # fmt: skip
    """Return the attempts of a call that ends well."""
    script = Script(*outcomes)
    assert await patient.run(script, limits, call) == "page"
    return script.attempts


async def failed(
    patient: Retrier, *outcomes: BackupsError, call: Endpoint[object] = LIST_PROJECT_BACKUPS, limits: Limits = MINUTE,
    sent: bool = False,
) -> BackupsError:  # fmt: skip
    """Return the error that a call ends in; it knows how many attempts there were."""
    script = Script(*outcomes, "never", sent=sent)
    with pytest.raises(BackupsError) as caught:
        await patient.run(script, limits, call)
    assert caught.value.attempts == len(script.attempts)
    return caught.value


@pytest.mark.parametrize(
    ("attempts", "slept"), [(1, []), (4, [0.25, 0.5, 1.0]), (9, [0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0])]
)
async def test_waits_grow_to_their_cap(clock: Clock, attempts: int, slept: list[float]) -> None:
    """The last error is raised as it is."""
    errors = [unavailable() for _ in range(attempts)]
    await run(retrier(clock, attempts=attempts), *errors[1:], "page")
    assert clock.slept == slept
    error = await failed(retrier(clock, attempts=attempts), *errors)
    assert (error, error.attempts, clock.slept) == (errors[-1], attempts, slept * 2)
    assert (error.__cause__, error.__context__) == (None, None)
    assert RetryPolicy(random=lambda: 1.0).delay(10**6) == 8.0


async def test_an_attempt_gets_no_more_than_is_left(clock: Clock) -> None:
    attempts = await run(retrier(clock), unavailable(), unavailable(retry_after=5.0), "page", limits=Limits(8, 6, 6))
    assert [attempt.seconds for attempt in attempts] == [6.0, 6.0, 2.75]


@pytest.mark.parametrize("fault", [sdk.TransportError("x"), sdk.TransportTimeoutError("x"), UNDECODABLE])
async def test_after_a_fault_connections_are_new(clock: Clock, fault: BackupsError) -> None:
    attempts = await run(retrier(clock), unavailable(), fault, unavailable(), "page")
    assert [attempt.new_connection for attempt in attempts] == [False, False, True, True]


async def test_a_budget_that_is_spent_and_paid_back(clock: Clock) -> None:
    """A retry after a timeout costs 10, another one 5; success pays back; an empty budget raises the last error."""
    patient, timeout = retrier(clock, quota=19), sdk.TransportTimeoutError("x")
    assert (await failed(patient, timeout, unavailable(), unavailable())).attempts == 3
    now = clock.now
    assert ((await failed(patient, timeout)).attempts, patient.budget, clock.now) == (1, 4, now)  # and at once
    for tokens in (*range(5, 20), 19):  # never above full
        await run(patient, "page")
        assert patient.budget == tokens
    await run(patient, timeout, unavailable(), "page")
    assert patient.budget == 19


async def test_a_retry_is_a_warning_with_its_facts(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    await run(retrier(clock), unavailable(), sdk.TransportError("reset"), "page")
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

    (attempt,) = await run(retrier(clock, clock=ticking), "page", limits=Limits(0.5, 10, 10))
    assert attempt.seconds == 0.0


async def test_Y8_faults_that_end_well_keep_the_budget(clock: Clock) -> None:
    """After an outage 500 pages fill it again, and it stays full."""
    patient, dice = retrier(clock), random.Random(8)
    patient.budget = 0
    for _ in range(500):
        await run(patient, "page")
    for _ in range(1_000):
        faults = [unavailable() if dice.random() < 0.5 else sdk.TransportTimeoutError("x") for _ in range(3)]
        await run(patient, *[fault for fault in faults if dice.random() < 0.3], "page")
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
    outcome, sent, repeated, posted, unknown = OUTCOMES[case]
    error = await failed(retrier(clock), *[outcome] * 4, call=call, sent=sent)
    assert error.attempts == (posted if call is CREATE_BACKUP else repeated)
    assert error.outcome_unknown is (unknown and call is not LIST_PROJECT_BACKUPS)


async def test_a_delete_that_gives_up_remembers_what_arrived(clock: Clock) -> None:
    error = await failed(retrier(clock), unavailable(), sdk.NotFoundError("x", status=404), call=DELETE_BACKUP)
    assert (type(error), error.outcome_unknown) == (sdk.NotFoundError, True)


@pytest.mark.parametrize(("limits", "seconds"), [(Limits(60, 60, 10), (60, 10)), (Limits(5, 5, 10), (5, 5))])
async def test_a_post_has_all_the_time_once_it_is_sent(
    clock: Clock, limits: Limits, seconds: tuple[float, float]
) -> None:
    attempts = await run(retrier(clock), "page", call=CREATE_BACKUP, limits=limits)
    assert [(a.seconds, a.seconds_to_send, a.new_connection) for a in attempts] == [(*seconds, True)]


@pytest.mark.parametrize(
    ("call", "sent", "logged"), [(CREATE_BACKUP, True, 1), (CREATE_BACKUP, False, 0), (LIST_PROJECT_BACKUPS, True, 0)]
)
async def test_a_cancelled_write_is_logged(
    call: Endpoint[object], sent: bool, logged: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def hang(attempt: Attempt) -> None:
        attempt.sent = sent
        await asyncio.Event().wait()

    task = asyncio.create_task(Retrier(RetryPolicy(), asyncio.sleep).run(hang, MINUTE, call))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert messages == ["create_backup was cancelled, its outcome is unknown"] * logged


async def test_a_retry_that_is_not_sent_costs_nothing() -> None:
    """All 300 may wait, 100 can pay: the others raise what they have; those that are cancelled pay nothing."""
    patient = Retrier(RetryPolicy(random=lambda: 0.1, attempts=2), asyncio.sleep)
    calls = [asyncio.create_task(failed(patient, unavailable(), unavailable())) for _ in range(300)]
    await asyncio.sleep(0)
    for call in calls[:100]:
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
    assert (await failed(lasting, unavailable(), limits=Limits(0.1, 10, 10))).attempts == 1
    assert 0.09 < time.monotonic() - began < 0.8


@pytest.mark.parametrize("error", [TimeoutError("the hook's own"), sdk.ClientClosedError("closed")])
async def test_an_error_in_a_wait_stays_itself(clock: Clock, error: Exception) -> None:
    async def fail(_: float) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        await run(retrier(clock, sleep=fail), unavailable(), "never")
    assert caught.value is error
    assert getattr(error, "attempts", 1) == 1


# That what was asked of `sleep` counts as passed: test_W7_a_faked_sleep in tests/client/test_waits.py.
def test_a_deadline_only_gets_nearer() -> None:
    times = iter([0.0, 1.0, -100.0, float("nan"), 2.0])
    deadline = Deadline(lambda: next(times), asyncio.sleep, 10.0)
    assert [deadline.left() for _ in range(3)] == [9.0, 9.0, 9.0]
