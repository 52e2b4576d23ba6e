"""S: answers that are too large, and listings that are long. Memory stays bounded and the loop goes on."""

from __future__ import annotations

import asyncio
import json
import socket

import aiohttp
import attrs
import pytest

from pinecone_backups_async import ResponseTooLargeError, TransportTimeoutError
from tests.support.clients import client_of, failure
from tests.support.cost_process import Cost, watched
from tests.support.costs import BOMBS, LARGE_PAGES, bomb, costs_of, growth_of_a_walk, packed, plain_chunks
from tests.support.fault_server import Exchange, answer, fault_server, head
from tests.support.timing import LateError, at_most, once_more

MOST_MEMORY = 32  # MB
LONGEST_HOLD = 0.2  # seconds


def check(costs: list[Cost]) -> None:
    assert max(cost.growth for cost in costs) < MOST_MEMORY
    held = max(cost.hold for cost in costs)
    if held > LONGEST_HOLD:
        raise LateError(f"the loop was held for {held:.3f} s")


@pytest.mark.parametrize("kind", BOMBS)
async def test_S1_a_bomb_ends_its_connection_and_is_not_retried(kind: str) -> None:
    async with fault_server([BOMBS[kind]()]) as server, client_of(server) as client:
        with pytest.raises(ResponseTooLargeError):
            await client.fetch_page()
        await asyncio.sleep(0.02)
        assert (len(server.heads), server.open_connections) == (1, 0)


@once_more
async def test_S1_a_bomb_of_200_mb_costs_little() -> None:
    costs = await costs_of(make() for make in BOMBS.values())
    assert [cost.outcome for cost in costs] == ["ResponseTooLargeError"] * 3
    check(costs)


@once_more
async def test_S1_a_large_page_holds_the_loop_for_no_long() -> None:
    costs = await costs_of(make() for make in LARGE_PAGES.values())
    assert [cost.outcome for cost in costs] == ["BackupPage"] * 4 + ["ResponseTooLargeError"] * 2
    check([attrs.evolve(cost, growth=0.0) for cost in costs])  # what is read may be kept


def small_buffers(_: object) -> socket.socket:
    """Make a socket that takes little which nobody reads, so that what is sent is nearly what is read."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**15)
    return made


async def test_S2_a_length_over_the_limit_is_refused_unread() -> None:
    sent = 0

    async def endless(exchange: Exchange) -> None:
        nonlocal sent
        exchange.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**15)
        await exchange.send(head(f"Content-Length: {10**9}\r\n"))
        while True:
            await exchange.send(b" " * 16_384)
            sent += 16_384

    async with aiohttp.TCPConnector(socket_factory=small_buffers) as connector:
        found, server = await failure([endless], connector=connector)
        assert (type(found), len(server.heads)) == (ResponseTooLargeError, 1)
    assert 0 < sent <= 512 * 1024


BEGINNING = json.dumps({"status": 0, "error": {"code": "OF_THE_BEGINNING", "message": "It failed."}}).encode()


@pytest.mark.parametrize(
    ("status", "kind", "requests"), [("401 No", "UnauthorizedError", 1), ("500 No", "ServiceError", 4)]
)
@once_more
async def test_S3_of_a_bomb_on_an_error_the_beginning_counts(status: str, kind: str, requests: int) -> None:
    bombs = [packed(bomb(BEGINNING), "gzip", status), plain_chunks(BEGINNING, status)]
    costs = await costs_of(bombs, requests)
    assert [(cost.outcome, cost.code) for cost in costs] == [(kind, "OF_THE_BEGINNING")] * 2
    check(costs)


@pytest.mark.parametrize(("padding", "code"), [(65_000, "LATE"), (66_000, None)])
async def test_S3_and_that_is_64_kib_of_it(padding: int, code: str | None) -> None:
    late = json.dumps({"padding": " " * padding, "error": {"code": "LATE", "message": "It failed."}}).encode()
    found, _ = await failure([answer(late, "404 Not Found")])
    assert found.code == code


@once_more
async def test_S4_a_million_tiny_chunks_end_with_the_attempt() -> None:
    async def crumbs(exchange: Exchange) -> None:
        await exchange.send(head("Transfer-Encoding: chunked\r\n"))
        for _ in range(1000):
            await exchange.send(b"1\r\n \r\n" * 1000)
            await asyncio.sleep(0)

    async with fault_server([crumbs] * 4) as server, client_of(server, attempt_timeout=0.5, timeout=0.6) as client:
        cost = Cost()
        async with watched(cost):
            with at_most(0.6 + 0.1), pytest.raises(TransportTimeoutError):
                await client.fetch_page()
    check([cost])


@pytest.mark.parametrize("backups", [40_000, pytest.param(300_000, marks=pytest.mark.soak)])
async def test_S5_a_long_listing_grows_by_its_ids_alone(backups: int) -> None:
    """It may grow by 5 MB, and by 150 bytes for each id that is to be remembered behind the 10,000th."""
    assert await growth_of_a_walk(backups) < 5 * 2**20 + 150.0 * (backups - 10_000)
