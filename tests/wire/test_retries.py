"""Y: what is tried again, and when. The decisions themselves are tested with a clock of the tests in tests/test_retry.py."""

from __future__ import annotations

import asyncio
import random
from email.utils import formatdate
from itertools import pairwise

import attrs
import pytest

from pinecone_backups_async import ApiError, BackupsError, RetryPolicy

from .helpers import client_of, listed
from .server import answer, error, fault_server, keep_open

RETRIED = {408, 429, 500, 502, 503, 504}


async def test_Y1_Y2_the_matrix_of_statuses() -> None:
    async with fault_server() as server:
        async with client_of(server, retry=RetryPolicy(random=lambda: 0.0, quota=10**6)) as client:
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


@attrs.define
class Sleeps:
    seconds: list[float] = attrs.field(factory=list[float])

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.mark.parametrize(
    ("value", "slept"),
    [("2", 2.0), ("0", 0.25), ("-1", 0.25), ("x", 0.25), ("nan", 0.25), ("1e999", 0.25), ("2, 3", 0.25)],
)
async def test_Y3_digits_are_the_least_wait_and_all_else_is_ignored(value: str, slept: float) -> None:
    sleeps = Sleeps()
    policy = RetryPolicy(random=lambda: 0.5, sleep=sleeps)
    async with fault_server([keep_open(error("503 Down", headers=f"Retry-After: {value}\r\n"))]) as server:
        async with client_of(server, retry=policy) as client:
            assert await listed(client) == server.ids
    assert sleeps.seconds == [slept]


@pytest.mark.parametrize("value", ["3600", "1" + "0" * 34, "61"])
async def test_Y4_a_wait_beyond_the_deadline_is_told_and_not_begun(value: str) -> None:
    async with (
        fault_server([error("503 Down", headers=f"Retry-After: {value}\r\n")]) as server,
        client_of(server) as client,
    ):
        began = asyncio.get_running_loop().time()
        with pytest.raises(ApiError) as caught:
            await client.fetch_page()
        assert asyncio.get_running_loop().time() - began < 0.1
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


@pytest.mark.parametrize("retry", [1, 2, 3, 6])
def test_Y6_jitter_is_full_and_even(retry: int) -> None:
    policy, most = RetryPolicy(), min(8.0, 0.5 * 2 ** (retry - 1))
    draws = [policy.delay(retry) for _ in range(10_000)]
    buckets = [sum(low <= draw / most * 20 < high for draw in draws) for low, high in pairwise(range(21))]
    assert all(350 <= bucket <= 650 for bucket in buckets)
    assert sum(buckets) == 10_000


async def test_Y6_many_clients_do_not_come_back_together() -> None:
    draws = [RetryPolicy().delay(1) for _ in range(10_000)]
    peak = max(sum(start <= draw * 20 < start + 1 for draw in draws) for start in range(10))
    assert peak <= 2_000


async def outage(calls: int) -> tuple[int, int]:
    """Return the requests of so many failing calls on one client, and the pages that failed in the recovery."""
    dice = random.Random(5)
    async with fault_server() as server, client_of(server) as client:
        server.script = [keep_open(error("503 Down"))] * (calls * 4)
        for _ in range(calls):
            with pytest.raises(ApiError):
                await client.fetch_page()
        requests, failed = len(server.heads), 0
        server.script = []
        for _ in range(4 * calls):
            server.script = [keep_open(error("503 Down"))] if dice.random() < 0.05 else []
            try:
                await client.fetch_page()
            except BackupsError:
                failed += 1
        assert client._retrier.quota.tokens == 500  # pyright: ignore[reportPrivateUsage]
        return requests, failed


async def test_Y7_the_quota_stops_the_storm_and_recovers() -> None:
    requests, failed = await outage(500)
    assert 500 <= requests <= 600
    assert failed <= 5  # only the first pages after the outage, while there is nothing to retry with


async def test_Y8_faults_that_end_well_never_use_up_the_quota() -> None:
    dice = random.Random(8)
    async with fault_server(page_size=1, backups=400) as server, client_of(server) as client:
        server.script = []
        for start in range(400):
            faults = 3 if dice.random() < 0.02 else int(dice.random() < 0.3)
            server.script += [keep_open(error("503 Down"))] * faults
            server.script.append(keep_open(answer(server.page(b"GET /backups?paginationToken=%d HTTP/1.1" % start))))
        assert await listed(client, limit=1) == server.ids
        assert client._retrier.quota.tokens == 500  # pyright: ignore[reportPrivateUsage]


async def test_Y9_tasks_that_share_a_client_share_no_retry() -> None:
    async with fault_server([keep_open(error(f"{status} Odd")) for status in range(400, 404)] * 3) as server:
        async with client_of(server) as client:
            outcomes = await asyncio.gather(*(client.fetch_page() for _ in range(50)), return_exceptions=True)
    errors = [outcome for outcome in outcomes if isinstance(outcome, ApiError)]
    assert sorted(found.status for found in errors) == sorted([400, 401, 402, 403] * 3)
    assert {found.attempts for found in errors} == {1}
