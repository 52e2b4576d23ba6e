"""N: what happens to connections. One that fails costs an attempt; one that may be wrong is not used again."""

from __future__ import annotations

import asyncio
import random

import aiohttp
import pytest

from pinecone_backups_async import BackupsClient, RetryPolicy
from tests.support.clients import client_of, eager, listed, listed_until_error, unused_port
from tests.support.fault_kinds import cut, reset_at_once
from tests.support.fault_server import Behaviour, Exchange, answer, error, fault_server, normal
from tests.support.guard import CANARY
from tests.support.timing import at_most, once_more

EMPTY = answer(b'{"data": []}')
PATIENT = RetryPolicy(random=lambda: 0.5)  # waits of 0.25, 0.5 and 1 s: the middle of their ranges


async def test_N9_stale_connections_do_not_eat_up_attempts() -> None:
    together = asyncio.Barrier(10)

    async def wait(exchange: Exchange) -> None:
        await together.wait()
        await normal(exchange)

    async with fault_server() as server, client_of(server) as client:
        server.script = [wait] * 10
        await asyncio.gather(*(listed(client) for _ in range(10)))
        server.script = [reset_at_once, b""] * 5
        assert await asyncio.gather(*(listed(client) for _ in range(10))) == [server.ids] * 10
        server.script = [wait] * 10
        await asyncio.gather(*(listed(client) for _ in range(10)))
        before, made = len(server.heads), server.connections
        server.script = [reset_at_once]
        assert await listed(client) == server.ids
        assert (len(server.heads) - before, server.connections - made) == (2, 1)  # though nine are kept
        server.script = [reset_at_once] * 8
        _, found = await listed_until_error(client)
        assert (found.attempts, len(server.heads) - before) == (4, 2 + 4)  # aiohttp repeats nothing by itself


@pytest.mark.parametrize("gone", [False, True])
@once_more
async def test_N10_a_server_that_is_down_for_half_a_second(gone: bool) -> None:
    """It resets each connection, or nobody listens: the client waits for it."""
    loop, port = asyncio.get_running_loop(), unused_port()
    back = loop.time() + 0.5

    async def down_until(exchange: Exchange) -> None:
        await (reset_at_once if loop.time() < back else normal)(exchange)

    async with BackupsClient(CANARY, base_url=f"http://127.0.0.1:{port}", retry=PATIENT) as client:
        with at_most(5):
            walk = asyncio.create_task(listed(client))
            await asyncio.sleep(0.5 if gone else 0)
            async with fault_server([] if gone else [down_until] * 20, port=port) as server:
                assert await walk == server.ids


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("foreign", [EMPTY, b"noise"])
async def test_N13_an_answer_that_nobody_asked_for_is_nobodys(foreign: bytes, kept: bool) -> None:
    """Where no connection is kept it cannot even arrive."""

    async def and_more(exchange: Exchange) -> None:
        await normal(exchange)
        await asyncio.sleep(0.01 if kept else 0)
        await exchange.send(foreign)

    async with fault_server([and_more] * 3, backups=9) as one, fault_server(backups=6, names="c") as other:
        async with aiohttp.TCPConnector(force_close=not kept) as connector:
            async with client_of(one, connector=connector) as first, client_of(other, key="pcsk_another-key") as second:
                seen: list[str] = []
                async for page in first.list_backups().pages():
                    seen += [backup.backup_id for backup in page.data]
                    await asyncio.sleep(0.05)
                    assert await listed(second) == other.ids
                assert seen == one.ids
    assert not set(one.ids) & set(other.ids)
    assert not [seen for seen in other.heads if CANARY.encode() in seen]


def then_stray(first: bytes | None, *, later: float = 0.0) -> Behaviour:
    """Answer with this, or well, then send an empty page that nobody asked for; leave the connection open."""

    async def behave(exchange: Exchange) -> None:
        sent = answer(exchange.page) if first is None else first
        await exchange.send(sent if later else sent + EMPTY)
        if later:
            await asyncio.sleep(later)
            await exchange.send(EMPTY)

    return behave


FAULTS: list[Behaviour] = [
    reset_at_once,
    cut(lambda page: answer(page)[:-7]),
    then_stray(None),
    then_stray(error("503 Down")),
    then_stray(error("503 Down"), later=0.001),
    then_stray(error("408 Late"), later=0.001),
]


@pytest.mark.parametrize(("listings", "at_once"), [(100, 1), (100, 20), pytest.param(1_000, 1, marks=pytest.mark.soak)])
async def test_no_listing_is_short_and_no_connection_parked(listings: int, at_once: int) -> None:
    """The server overlooks `Connection: close` and sends what nobody asked for."""
    chance = random.Random(listings)
    script = [chance.choice(FAULTS) if chance.random() < 0.3 else normal for _ in range(listings * 8)]
    async with fault_server(script, backups=9) as server, client_of(server, retry=eager(attempts=30)) as client:
        for _ in range(listings // at_once):
            assert await asyncio.gather(*(listed(client) for _ in range(at_once))) == [server.ids] * at_once
        await asyncio.sleep(0.05)
        assert server.open_connections <= at_once
    closing = [[b"connection: close" in head.lower() for head in heads] for heads in server.by_connection]
    assert [flags for flags in closing if True in flags[:-1]] == []  # none was used again
    assert [True] in closing


@pytest.mark.parametrize("status", ["500 Internal", "408 Late", "429 Too Many"])
@pytest.mark.parametrize("apart", [0, 9])
async def test_no_connection_is_kept_behind_a_server_error(status: str, apart: int) -> None:
    """Behind other errors it is. The last bytes of the body may come later, and what nobody asked for."""
    kept = status.startswith("429")

    async def fail(exchange: Exchange) -> None:
        body = error(status)
        await exchange.send(body[: len(body) - apart])
        await asyncio.sleep(0.02)
        await exchange.send(body[len(body) - apart :] + (b"" if kept else EMPTY))

    async with fault_server([fail]) as server, client_of(server) as client:
        assert await listed(client) == server.ids
        await asyncio.sleep(0.05)
        assert await listed(client) == server.ids
        assert [len(heads) for heads in server.by_connection] == ([3] if kept else [1, 2])
