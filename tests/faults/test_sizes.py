"""S: answers that are too large, and listings that are long. Memory stays bounded and the loop goes on."""

from __future__ import annotations

import asyncio
import json
import socket

import aiohttp
import pytest

from pinecone_backups_async import (
    ApiError,
    ResponseTooLargeError,
    ServiceError,
    TransportTimeoutError,
    UnauthorizedError,
)

from .helpers import client_of
from .measures import BOMBS, LARGE_PAGES, bomb, growth_of_a_walk, measured, packed, plain_chunks
from .server import Exchange, answer, fault_server, head
from .timing import LateError, at_most, once_more

MOST_MEMORY = 32  # MB
LONGEST_HOLD = 0.2  # seconds


def check_hold(seconds: float) -> None:
    if seconds > LONGEST_HOLD:
        raise LateError(f"the loop was held for {seconds:.3f} s")


@pytest.mark.parametrize("kind", BOMBS)
@once_more
async def test_S1_a_bomb_of_200_mb_costs_little_and_is_not_retried(kind: str) -> None:
    async with fault_server([BOMBS[kind]()]) as server, client_of(server) as client:
        async with measured() as cost:
            with pytest.raises(ResponseTooLargeError, match="exceeds 8 MiB"):
                await client.fetch_page()
        assert (len(server.heads), server.open_connections) == (1, 0)
    assert cost.growth < MOST_MEMORY
    check_hold(cost.hold)


@pytest.mark.parametrize("kind", LARGE_PAGES)
@once_more
async def test_S1_nor_does_any_page_hold_the_loop_for_long(kind: str) -> None:
    async with fault_server([LARGE_PAGES[kind]()]) as server, client_of(server) as client:
        async with measured() as cost:
            if kind in {"50,000 backups", "2,000,000 lists"}:
                with pytest.raises(ResponseTooLargeError):
                    await client.fetch_page()
            else:
                assert len((await client.fetch_page()).data) in {100, 1_000}
        assert len(server.heads) == 1
    check_hold(cost.hold)


def small_buffers(_: object) -> socket.socket:
    """Make a socket that takes little which nobody reads, so that what is sent is nearly what is read."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**15)
    return made


async def test_S2_an_announced_length_over_the_limit_is_refused_unread() -> None:
    sent = 0

    async def endless(exchange: Exchange) -> None:
        nonlocal sent
        exchange.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**15)
        await exchange.send(head(f"Content-Length: {10**9}\r\n"))
        while True:
            await exchange.send(b" " * 16_384)
            sent += 16_384

    async with fault_server([endless]) as server, aiohttp.TCPConnector(socket_factory=small_buffers) as connector:
        async with client_of(server, connector=connector) as client:
            with pytest.raises(ResponseTooLargeError):
                await client.fetch_page()
            await asyncio.sleep(0.05)
            assert (len(server.heads), server.open_connections) == (1, 0)
    assert 0 < sent <= 512 * 1024


BEGINNING = json.dumps({"status": 0, "error": {"code": "OF_THE_BEGINNING", "message": "It failed."}}).encode()


@pytest.mark.parametrize("coding", ["gzip", "chunked"])
@pytest.mark.parametrize(("status", "kind"), [("401 Unauthorized", UnauthorizedError), ("500 Failed", ServiceError)])
async def test_S3_of_a_bomb_on_an_error_the_beginning_is_kept(status: str, kind: type[ApiError], coding: str) -> None:
    behaviour = packed(bomb(BEGINNING), "gzip", status) if coding == "gzip" else plain_chunks(BEGINNING, status)
    async with fault_server([behaviour] * 4) as server, client_of(server) as client:
        async with measured() as cost:
            with pytest.raises(kind) as caught:
                await client.fetch_page()
        assert (len(server.heads), server.open_connections) == (1 if status.startswith("401") else 4, 0)
    assert cost.growth < MOST_MEMORY
    assert caught.value.code == "OF_THE_BEGINNING"


@pytest.mark.parametrize(("padding", "code"), [(65_000, "LATE"), (66_000, None)])
async def test_S3_and_that_is_64_kib_of_it(padding: int, code: str | None) -> None:
    late = json.dumps({"padding": " " * padding, "error": {"code": "LATE", "message": "It failed."}}).encode()
    async with fault_server([answer(late, "404 Not Found")]) as server, client_of(server) as client:
        with pytest.raises(ApiError) as caught:
            await client.fetch_page()
    assert caught.value.code == code


@once_more
async def test_S4_a_million_chunks_of_a_byte_are_bounded_by_the_attempt() -> None:
    async def crumbs(exchange: Exchange) -> None:
        await exchange.send(head("Transfer-Encoding: chunked\r\n"))
        for _ in range(1000):
            await exchange.send(b"1\r\n \r\n" * 1000)
            await asyncio.sleep(0)

    async with fault_server([crumbs] * 4) as server, client_of(server, attempt_timeout=0.5, timeout=0.6) as client:
        async with measured() as cost:
            with at_most(0.6 + 0.1), pytest.raises(TransportTimeoutError):
                await client.fetch_page()
    check_hold(cost.hold)


@pytest.mark.parametrize("backups", [40_000, pytest.param(300_000, marks=pytest.mark.soak)])
async def test_S5_a_long_walk_grows_by_the_ids_that_it_has_seen_alone(backups: int) -> None:
    assert await growth_of_a_walk(backups) < 5
