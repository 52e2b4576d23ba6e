"""T: time. An attempt ends with its own, a page with its deadline, and a slow consumer costs nothing."""

from __future__ import annotations

import asyncio

import pytest

from pinecone_backups_async import RetryPolicy, TransportTimeoutError

from .helpers import client_of
from .server import Behaviour, Exchange, answer, error, fault_server


async def drip_body(exchange: Exchange) -> None:
    for byte in answer(exchange.page):
        await exchange.send(bytes([byte]))
        await asyncio.sleep(0.1)


async def drip_headers(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        await exchange.send(b"X-A: b\r\n")
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("behaviour", [drip_body, drip_headers])
async def test_T1_a_drip_ends_with_each_attempt(behaviour: Behaviour) -> None:
    async with fault_server([behaviour] * 9) as server, client_of(server, attempt_timeout=0.2) as client:
        began = asyncio.get_running_loop().time()
        with pytest.raises(TransportTimeoutError) as caught:
            await client.fetch_page()
        assert caught.value.attempts == len(server.heads) == 4
        assert 0.8 <= asyncio.get_running_loop().time() - began < 1.0 + 0.2


async def stall(exchange: Exchange) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize("deadline", [0.25, 0.5, 0.7])
async def test_T3_the_pages_deadline_wins_over_its_attempts(deadline: float) -> None:
    policy = RetryPolicy(random=lambda: 0.5, base_delay=0.1)
    async with fault_server([stall] * 9) as server:
        async with client_of(server, retry=policy, attempt_timeout=0.2, timeout=deadline) as client:
            began = asyncio.get_running_loop().time()
            with pytest.raises(TransportTimeoutError):
                await client.fetch_page()
            assert asyncio.get_running_loop().time() - began <= deadline + 0.1


async def test_T3_a_wait_that_would_cross_the_deadline_is_not_begun() -> None:
    async with (
        fault_server([error("503 Down", headers="Retry-After: 3600\r\n")]) as server,
        client_of(server) as client,
    ):
        began = asyncio.get_running_loop().time()
        with pytest.raises(Exception, match="503") as caught:
            await client.fetch_page()
        assert asyncio.get_running_loop().time() - began < 0.2
        assert vars(caught.value)["retry_after"] == 3600


async def test_T4_a_slow_consumer_holds_no_answer_and_uses_up_no_deadline() -> None:
    async with fault_server(backups=9) as server, client_of(server, timeout=0.3) as client:
        seen: list[str] = []
        async for page in client.list_backups().pages():
            seen += [backup.backup_id for backup in page.data]
            await asyncio.sleep(0.4)
            connector = client._session._sessions.pooled.connector  # type: ignore[union-attr] # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess]
            assert connector is not None
            assert not connector._acquired  # pyright: ignore[reportPrivateUsage]
        assert seen == server.ids
