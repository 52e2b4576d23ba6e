"""Y: what is tried again, and when, over the wire. The decisions themselves: tests/unit/test_retry.py."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from typing import Any

import pytest

import pinecone_backups_async as sdk
from pinecone_backups_async import BackupsClient, RetryPolicy
from tests.support.clients import client_of, eager, failure, listed_until_error
from tests.support.fault_server import Exchange, FaultServer, answer, error, fault_server, head, keep_open
from tests.support.timing import Sleeps, at_most, once_more

RETRIED = {408, 429, 500, 502, 503, 504}
CLASSES: dict[int, type[Exception]] = {
    **dict.fromkeys(range(300, 400), sdk.UnexpectedRedirectError),
    **dict.fromkeys(range(500, 600), sdk.ServiceError),
    400: sdk.InvalidRequestError, 401: sdk.UnauthorizedError, 403: sdk.ForbiddenError, 404: sdk.NotFoundError,
    402: sdk.PaymentRequiredError, 409: sdk.ConflictError, 412: sdk.FailedPreconditionError,
    422: sdk.InvalidRequestError, 429: sdk.RateLimitError,
}  # fmt: skip


@pytest.mark.parametrize("hundred", [100, 200, 300, 400, 500])
async def test_Y1_Y2_R4_every_status_but_200(hundred: int) -> None:
    """No other status is ever a page, whatever its body; each is the error of its class; six are tried again."""
    async with fault_server() as server, client_of(server, retry=eager()) as client:
        page = server.page(b"GET /backups HTTP/1.1")
        for status in sorted({*range(hundred, hundred + 100)} - {101, 200}):
            interim = status < 200  # alone it is no answer at all, and that is tried again
            body = b"" if status in {204, 304} else page
            odd = head(status=f"{status} Odd") if interim else keep_open(answer(body, f"{status} Odd"))
            server.script = [odd] * 4
            server.heads.clear()
            _, found = await listed_until_error(client)
            assert type(found) is (sdk.TransportError if interim else CLASSES.get(status, sdk.ApiError))
            assert len(server.heads) == (4 if interim or status in RETRIED else 1)
            assert getattr(found, "status", None) == (None if interim else status)


NOON, SOON, BEFORE = (f"Wed, 01 Apr 2026 {time} GMT" for time in ("12:00:00", "12:00:03", "11:59:10"))


# Which values are numbers or dates: tests/unit/test_protocol.py.
@pytest.mark.parametrize(("value", "told", "slept"), [
    ("2", 2.0, [2.0, 2.0, 2.0]), ("0", 0.0, [0.25, 0.5, 1.0]), ("nan", None, [0.25, 0.5, 1.0]),
    (SOON, 3.0, [3.0, 3.0, 3.0]), (BEFORE, 0.0, [0.25, 0.5, 1.0]),
])  # fmt: skip
async def test_Y3_Y5_retry_after_is_the_least_wait(value: str, told: float | None, slept: list[float]) -> None:
    """A date counts from the server's own."""
    sleeps = Sleeps()
    failing = keep_open(error("503 Down", headers=f"Date: {NOON}\r\nRetry-After: {value}\r\n"))
    found, _ = await failure([failing] * 4, retry=RetryPolicy(random=lambda: 0.5, sleep=sleeps))
    assert (found.retry_after, sleeps.seconds) == (told, slept)


@pytest.mark.parametrize("value", ["60", "9" * 400])
@once_more
async def test_Y4_a_wait_beyond_the_deadline_is_not_begun(value: str) -> None:
    with at_most(0.3):
        found, server = await failure([error("503 Down", headers=f"Retry-After: {value}\r\n")])
    assert (found.retry_after, len(server.heads)) == (float(value), 1)


@pytest.mark.parametrize("retry", [1, 2, 3, 5, 6, 60])
def test_Y6_jitter_is_full_and_even(retry: int) -> None:
    policy, most = RetryPolicy(random=random.Random(6).random), min(8.0, 0.5 * 2 ** (retry - 1))
    draws = [policy.delay(retry) for _ in range(10_000)]
    buckets = [sum(low <= draw / most * 20 < high for draw in draws) for low, high in pairwise(range(21))]
    assert all(400 <= bucket <= 600 for bucket in buckets)
    assert sum(buckets) == 10_000


def test_Y6_many_clients_do_not_come_back_together() -> None:
    random.seed(6)  # what others seed is not what a policy draws from
    draws = [RetryPolicy().delay(1) for _ in range(10_000)]
    random.seed(6)
    assert draws[0] != random.random() * 0.5
    assert len(set(draws)) > 9_000
    assert max(sum(start <= draw * 20 < start + 1 for draw in draws) for start in range(10)) <= 2_000


async def failing_calls(client: BackupsClient, server: FaultServer, calls: int) -> int:
    """Make so many calls during an outage; return how many requests they were."""
    server.script, before = [keep_open(error("503 Down"))] * 4 * calls, len(server.heads)
    for _ in range(calls):
        with pytest.raises(sdk.ServiceError):
            await client.fetch_page()
    server.script = []
    return len(server.heads) - before


@pytest.mark.soak
async def test_Y7_the_quota_stops_the_storm_and_recovers() -> None:
    dice = random.Random(5)
    async with fault_server() as server, client_of(server) as client:
        assert await failing_calls(client, server, 500) == 600
        for _ in range(5):  # so many pages pay for the first retry
            await client.fetch_page()
        for _ in range(700):
            server.script = [keep_open(error("503 Down"))] if dice.random() < 0.05 else []
            await client.fetch_page()
        assert await failing_calls(client, server, 100) == 200  # it was full again


@pytest.mark.parametrize("listings", [60, pytest.param(300, marks=pytest.mark.soak)])
async def test_Y9_each_error_is_its_own_listings(listings: int) -> None:
    """They start at tokens of their own, and the service tells in each error which one it was asked with."""

    async def refuse(exchange: Exchange) -> None:
        token = exchange.head.split(b"paginationToken=")[1].split(b" ")[0].decode()
        await asyncio.sleep(0.001)
        await exchange.send(error("503 Down", message=f"down for {token}"))

    async with fault_server([refuse] * 4 * listings) as server, client_of(server, retry=eager()) as client:
        gate = asyncio.Semaphore(50)

        async def walk(number: int) -> Any:
            async with gate:
                return (await listed_until_error(client, pagination_token=f"walk-{number}"))[1]

        errors = await asyncio.gather(*(walk(number) for number in range(listings)))
        assert len(server.heads) == 4 * listings
    told = [(found.message, found.pagination_token, found.attempts) for found in errors]
    assert told == [(f"down for walk-{number}", f"walk-{number}", 4) for number in range(listings)]
