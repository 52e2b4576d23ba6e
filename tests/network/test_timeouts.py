"""T: time. An attempt ends with its own, a page with its deadline, and a slow consumer costs nothing."""

from __future__ import annotations

import asyncio
import time

import attrs
import pytest

from pinecone_backups_async import RetryPolicy, ServiceError, TransportTimeoutError
from tests.support.clients import client_of, connections_held
from tests.support.fault_server import Behaviour, Exchange, answer, error, fault_server, keep_open
from tests.support.timing import at_most, once_more


async def drip_body(exchange: Exchange) -> None:
    whole = answer(exchange.page)
    await exchange.send(whole[: -len(exchange.page)])
    for byte in exchange.page:
        await exchange.send(bytes([byte]))
        await asyncio.sleep(0.1)


async def drip_headers(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        await exchange.send(b"X-A: b\r\n")
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("behaviour", [drip_body, drip_headers])
@once_more
async def test_T1_a_drip_ends_with_each_attempt(behaviour: Behaviour) -> None:
    async with fault_server([behaviour] * 9) as server, client_of(server, attempt_timeout=0.2) as client:
        with at_most(4 * 0.2 + 0.2), pytest.raises(TransportTimeoutError) as caught:
            await client.fetch_page()
        assert caught.value.attempts == len(server.heads) == 4


async def stall(exchange: Exchange) -> None:
    await asyncio.sleep(60)


@attrs.define
class Sleeps:
    """Wait for real, and remember when each wait was to end."""

    ends: list[float] = attrs.field(factory=list[float])

    async def __call__(self, seconds: float) -> None:
        self.ends.append(time.monotonic() + seconds)
        await asyncio.sleep(seconds)


@pytest.mark.parametrize("deadline", [0.25, 0.5, 0.7])
@once_more
async def test_T3_the_pages_deadline_wins_over_its_attempts(deadline: float) -> None:
    sleeps = Sleeps()
    policy = RetryPolicy(random=lambda: 0.5, base_delay=0.1, sleep=sleeps)
    async with fault_server([stall] * 9) as server:
        async with client_of(server, retry=policy, attempt_timeout=0.2, timeout=deadline) as client:
            over = time.monotonic() + deadline
            with at_most(deadline + 0.1), pytest.raises(TransportTimeoutError):
                await client.fetch_page()
    assert all(end < over for end in sleeps.ends)


@once_more
async def test_T3_a_wait_that_would_cross_the_deadline_is_not_begun() -> None:
    sleeps = Sleeps()
    policy = RetryPolicy(random=lambda: 0.5, base_delay=0.4, sleep=sleeps)  # 0.2, then 0.4 seconds
    async with fault_server([keep_open(error("503 Down"))] * 4) as server:
        async with client_of(server, retry=policy, timeout=0.5) as client:
            with at_most(0.2 + 0.1), pytest.raises(ServiceError) as caught:
                await client.fetch_page()
    assert (caught.value.attempts, len(sleeps.ends)) == (2, 1)


async def test_T4_a_slow_consumer_holds_no_answer_and_uses_up_no_time_of_the_loops() -> None:
    async with fault_server(backups=6) as server, client_of(server, timeout=0.3, attempt_timeout=0.3) as client:
        seen: list[str] = []
        async for page in client.list_backups().pages():
            seen += [backup.backup_id for backup in page.data]
            await asyncio.sleep(0.4)
            assert connections_held(client) == 0
        assert seen == server.ids


async def test_T4_nor_of_the_deadline_with_10_seconds_for_each_backup() -> None:
    now = 0.0
    async with fault_server([keep_open(error("503 Down"))], backups=9) as server:
        policy = RetryPolicy(random=lambda: 0.0, clock=lambda: now)
        async with client_of(server, retry=policy) as client:
            seen: list[str] = []
            async for backup in client.list_backups():
                seen.append(backup.backup_id)
                now += 10
                server.script = [keep_open(error("503 Down"))]  # what is over time is not tried again
                assert connections_held(client) == 0
            assert seen == server.ids
    assert len(server.heads) == 6
