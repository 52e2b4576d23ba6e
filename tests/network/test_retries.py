"""Y: what is tried again, and when. The decisions themselves are tested in tests/unit/test_retry.py."""

from __future__ import annotations

import asyncio
import random
from email.utils import formatdate
from itertools import pairwise

import attrs
import pytest

from pinecone_backups_async import (
    ApiError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    RetryPolicy,
    ServiceError,
    UnauthorizedError,
)
from tests.stress.life import calls_that_fail
from tests.support.clients import client_of, eager, listed
from tests.support.fault_server import Exchange, error, fault_server, keep_open
from tests.support.timing import at_most, once_more

RETRIED = {408, 429, 500, 502, 503, 504}


async def test_Y1_the_matrix_of_statuses() -> None:
    async with fault_server() as server:
        async with client_of(server, retry=eager()) as client:
            for status in range(400, 600):
                before = len(server.heads)
                server.script = [keep_open(error(f"{status} Odd"))] * 4
                with pytest.raises(ApiError) as caught:
                    await client.fetch_page()
                server.script = []
                assert caught.value.status == status
                assert len(server.heads) - before == (4 if status in RETRIED else 1)


@pytest.mark.parametrize(("status", "requests"), [(200, 4), (400, 4), (404, 4), (501, 4), (401, 1), (403, 1)])
async def test_Y1_unavailable_is_retried_under_any_status_but_401_and_403(status: int, requests: int) -> None:
    async with fault_server([error(f"{status} Odd", "UNAVAILABLE")] * 4) as server, client_of(server) as client:
        with pytest.raises(ApiError):
            await client.fetch_page()
        assert len(server.heads) == requests


async def test_Y1_a_quota_that_is_used_up_is_not_retried() -> None:
    async with fault_server([error("429 Too Many", "QUOTA_EXCEEDED")]) as server, client_of(server) as client:
        with pytest.raises(ApiError):
            await client.fetch_page()
        assert len(server.heads) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidRequestError), (401, UnauthorizedError), (403, ForbiddenError), (404, NotFoundError)],
)
async def test_Y2_what_the_caller_must_change_is_an_error_of_its_own_at_once(status: int, kind: type[ApiError]) -> None:
    async with fault_server([error(f"{status} Odd")]) as server, client_of(server) as client:
        with pytest.raises(kind) as caught:
            await client.fetch_page()
        assert (type(caught.value), caught.value.status, len(server.heads)) == (kind, status, 1)


@attrs.define
class Sleeps:
    seconds: list[float] = attrs.field(factory=list[float])

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.mark.parametrize(
    ("value", "told", "slept"),
    [
        ("2", 2.0, [2.0, 2.0, 2.0]),
        ("0", 0.0, [0.25, 0.5, 1.0]),
        *((value, None, [0.25, 0.5, 1.0]) for value in ("-1", "x", "nan", "inf", "1e999", "1.5", "2, 3", "\u0663", "")),
    ],
)
async def test_Y3_digits_are_the_least_wait_and_all_else_is_ignored(
    value: str, told: float | None, slept: list[float]
) -> None:
    sleeps = Sleeps()
    policy = RetryPolicy(random=lambda: 0.5, sleep=sleeps)
    async with fault_server([keep_open(error("503 Down", headers=f"Retry-After: {value}\r\n"))] * 4) as server:
        async with client_of(server, retry=policy) as client:
            with pytest.raises(ServiceError) as caught:
                await client.fetch_page()
    assert (caught.value.retry_after, sleeps.seconds) == (told, slept)


@pytest.mark.parametrize("value", ["3600", "1" + "0" * 34, "60", "9" * 400])
@once_more
async def test_Y4_a_wait_beyond_the_deadline_is_told_and_not_begun(value: str) -> None:
    async with fault_server([error("503 Down", headers=f"Retry-After: {value}\r\n")]) as server:
        async with client_of(server) as client:
            with at_most(0.1), pytest.raises(ApiError) as caught:
                await client.fetch_page()
        assert caught.value.retry_after == float(value)
        assert len(server.heads) == 1


@pytest.mark.parametrize("skew", [-3600, 0, 3600])
@pytest.mark.parametrize(("ahead", "slept"), [(3, 3.0), (-50, 0.25)])
async def test_Y5_a_date_counts_from_the_servers_own(skew: int, ahead: int, slept: float) -> None:
    sleeps, now = Sleeps(), 1_790_000_000 + skew
    headers = f"Date: {formatdate(now, usegmt=True)}\r\nRetry-After: {formatdate(now + ahead, usegmt=True)}\r\n"
    async with fault_server([keep_open(error("503 Down", headers=headers))]) as server:
        async with client_of(server, retry=RetryPolicy(random=lambda: 0.5, sleep=sleeps)) as client:
            assert await listed(client) == server.ids
    assert sleeps.seconds == [slept]


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


async def test_Y7_the_quota_stops_the_storm_and_recovers() -> None:
    dice = random.Random(5)
    async with fault_server() as server, client_of(server) as client:
        assert await calls_that_fail(client, server, 500) == 600
        for _ in range(5):  # so many pages pay for the first retry
            await client.fetch_page()
        for _ in range(2_000):
            server.script = [keep_open(error("503 Down"))] if dice.random() < 0.05 else []
            await client.fetch_page()
        assert client._retrier.quota.tokens == 500  # pyright: ignore[reportPrivateUsage]


async def test_Y9_300_walks_on_one_client_with_1000_faults_and_each_error_is_its_own_walks() -> None:
    """Each walk starts at a token of its own, and the service tells in each error which one it was asked with."""

    async def refuse(exchange: Exchange) -> None:
        token = exchange.head.split(b"paginationToken=")[1].split(b" ")[0].decode()
        await asyncio.sleep(0.001)
        await exchange.send(error("503 Down", message=f"down for {token}"))

    async with fault_server([refuse] * 1200) as server, client_of(server, retry=eager()) as client:
        gate = asyncio.Semaphore(50)

        async def walk(number: int) -> ApiError:
            async with gate:
                with pytest.raises(ApiError) as caught:
                    await listed(client, pagination_token=f"walk-{number}")
                return caught.value

        errors = await asyncio.gather(*(walk(number) for number in range(300)))
        assert len(server.heads) == 1200
    assert [found.message for found in errors] == [f"down for walk-{number}" for number in range(300)]
    assert [found.pagination_token for found in errors] == [f"walk-{number}" for number in range(300)]
    assert {found.attempts for found in errors} == {4}
