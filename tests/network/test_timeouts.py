"""T: time. An attempt ends with its own, a page with its deadline, and a slow consumer costs nothing."""

from __future__ import annotations

import asyncio
import time

import pytest

from pinecone_backups_async import RetryPolicy, ServiceError, TransportTimeoutError
from tests.support.clients import WatchedConnector, client_of, failure
from tests.support.fault_server import Behaviour, Exchange, answer, error, fault_server, keep_open
from tests.support.timing import Sleeps, at_most, once_more


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
    with at_most(4 * 0.2 + 0.2):
        found, server = await failure([behaviour] * 9, attempt_timeout=0.2)
    assert (type(found), found.attempts, len(server.heads)) == (TransportTimeoutError, 4, 4)


async def stall(exchange: Exchange) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize("deadline", [0.25, 0.5, 0.7])
@once_more
async def test_T3_the_deadline_wins_over_the_attempts(deadline: float) -> None:
    sleeps = Sleeps(real=True)
    policy = RetryPolicy(random=lambda: 0.5, base_delay=0.1, sleep=sleeps)
    over = time.monotonic() + deadline
    with at_most(deadline + 0.1):
        found, _ = await failure([stall] * 9, retry=policy, attempt_timeout=0.2, timeout=deadline)
    assert type(found) is TransportTimeoutError
    assert all(end < over + 0.01 for end in sleeps.ends)


@once_more
async def test_T3_a_wait_that_would_cross_it_is_not_begun() -> None:
    sleeps = Sleeps(real=True)
    policy = RetryPolicy(random=lambda: 0.5, base_delay=0.4, sleep=sleeps)  # 0.2, then 0.4 seconds
    with at_most(0.2 + 0.1):
        found, _ = await failure([keep_open(error("503 Down"))] * 4, retry=policy, timeout=0.5)
    assert (type(found), found.attempts, len(sleeps.ends)) == (ServiceError, 2, 1)


async def test_T4_a_slow_consumer_holds_no_connection() -> None:
    async with fault_server(backups=6) as server, WatchedConnector() as connector:
        async with client_of(server, timeout=0.3, attempt_timeout=0.3, connector=connector) as client:
            seen: list[str] = []
            async for page in client.list_backups().pages():
                seen += [backup.backup_id for backup in page.data]
                await asyncio.sleep(0.4)
                assert connector.in_use == 0
            assert seen == server.ids


async def test_T4_nor_does_it_use_up_the_deadline() -> None:
    """Each backup takes its consumer 10 s by the policy's clock; what is over time would not be tried again."""
    now = 0.0
    async with fault_server([keep_open(error("503 Down"))], backups=9) as server:
        async with client_of(server, retry=RetryPolicy(random=lambda: 0.0, clock=lambda: now)) as client:
            seen: list[str] = []
            async for backup in client.list_backups():
                seen.append(backup.backup_id)
                now += 10
                server.script = [keep_open(error("503 Down"))]
            assert seen == server.ids
    assert len(server.heads) == 6
