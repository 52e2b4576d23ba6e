"""Connections that must not be used again, on servers that overlook `Connection: close` and send what nobody asked for."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.support.clients import client_of, eager, listed
from tests.support.fault_server import Behaviour, Exchange, FaultServer, answer, error, fault_server, normal

EMPTY = answer(b'{"data": []}')


def then_stray(first: bytes | None, *, later: float = 0.0) -> Behaviour:
    """Answer with this, or well, then send an empty page that nobody asked for; leave the connection open."""

    async def behave(exchange: Exchange) -> None:
        sent = answer(exchange.page) if first is None else first
        if not later:
            await exchange.send(sent + EMPTY)
            return
        await exchange.send(sent)
        await asyncio.sleep(later)
        await exchange.send(EMPTY)

    return behave


async def reset(exchange: Exchange) -> None:
    exchange.rst()


async def cut(exchange: Exchange) -> None:
    await exchange.send(answer(exchange.page)[:-7])
    exchange.fin()


FAULTS: list[Behaviour] = [
    reset,
    cut,
    then_stray(None),
    then_stray(error("503 Down")),
    then_stray(error("503 Down"), later=0.001),
    then_stray(error("408 Late"), later=0.001),
]


def reused(server: FaultServer) -> int:
    """Return how many requests came on a connection behind one that said `Connection: close`."""
    closing = [[b"connection: close" in head.lower() for head in heads] for heads in server.by_connection]
    return sum(True in flags[:-1] for flags in closing)


@pytest.mark.parametrize("listings", [100, pytest.param(1_000, marks=pytest.mark.soak)])
async def test_no_listing_is_short_and_no_connection_parked(listings: int) -> None:
    chance = random.Random(listings)
    script = [chance.choice(FAULTS) if chance.random() < 0.3 else normal for _ in range(listings * 5)]
    async with fault_server(script, backups=9) as server:
        async with client_of(server, retry=eager(attempts=30)) as client:
            lists = [await listed(client) for _ in range(listings)]
            await asyncio.sleep(0.05)
            assert server.open_connections <= 1
        assert sum(ids != server.ids for ids in lists) == 0
        assert reused(server) == 0
        assert any(b"connection: close" in head.lower() for head in server.heads)


async def test_concurrent_listings_neither() -> None:
    chance = random.Random(2)
    script = [chance.choice(FAULTS) if chance.random() < 0.2 else normal for _ in range(800)]
    async with fault_server(script, backups=9) as server, client_of(server, retry=eager(attempts=30)) as client:
        for _ in range(5):
            assert await asyncio.gather(*(listed(client) for _ in range(20))) == [server.ids] * 20
        await asyncio.sleep(0.05)
        assert server.open_connections <= 20
        assert reused(server) == 0


@pytest.mark.parametrize("status", [b"500 Internal", b"502 Bad", b"503 Down", b"504 Late", b"408 Late"])
async def test_no_connection_is_kept_behind_a_server_error(status: bytes) -> None:
    async with fault_server([then_stray(error(status.decode()), later=0.02)]) as server, client_of(server) as client:
        assert await listed(client) == server.ids
        await asyncio.sleep(0.05)
        assert await listed(client) == server.ids
        assert [len(heads) for heads in server.by_connection] == [1, 2]


async def test_other_errors_keep_their_connection() -> None:
    async def too_many(exchange: Exchange) -> None:
        await exchange.send(error("429 Too Many"))

    async with fault_server([too_many]) as server, client_of(server) as client:
        assert await listed(client) == server.ids
        assert server.connections == 1


async def test_a_server_error_whose_body_comes_later() -> None:
    async def slowly(exchange: Exchange) -> None:
        body = error("503 Down")
        await exchange.send(body[:-9])
        await asyncio.sleep(0.01)
        await exchange.send(body[-9:] + EMPTY)

    async with fault_server([slowly]) as server, client_of(server) as client:
        assert await listed(client) == server.ids
        assert server.connections == 2
