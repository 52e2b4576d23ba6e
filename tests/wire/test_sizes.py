"""S: answers that are too large, and listings that are long. Memory stays bounded and the loop goes on."""

from __future__ import annotations

import asyncio
import json
import sys
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from pinecone_backups_async import ResponseTooLargeError, ServiceError, TransportTimeoutError, UnauthorizedError

from .helpers import client_of
from .server import Behaviour, Exchange, fault_server, head

MEGABYTE = b" " * 2**20


def bomb(megabytes: int, wbits: int = 31) -> bytes:
    """Return so many megabytes of spaces, compressed: gzip for 31, deflate for 15."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join(packer.compress(MEGABYTE) for _ in range(megabytes)) + packer.flush()


GZIP, DEFLATE = bomb(200), bomb(200, 15)


def packed(body: bytes, coding: str, status: str = "200 OK") -> bytes:
    return head(f"Content-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n", status) + body


async def plain_chunks(exchange: Exchange) -> None:
    await exchange.send(head("Transfer-Encoding: chunked\r\n"))
    for _ in range(200):
        await exchange.send(b"100000\r\n" + MEGABYTE + b"\r\n")


def resident() -> float:
    """Return this process's peak of resident memory in MB, counted from the last reset."""
    with open("/proc/self/status") as status:  # noqa: PTH123 - read line by line
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def reset_peak() -> None:
    with open("/proc/self/clear_refs", "w") as clear:  # noqa: PTH123
        clear.write("5")


@asynccontextmanager
async def watched() -> AsyncGenerator[list[float]]:
    """Yield the longest stall of the loop, in seconds, and after the block the growth of peak memory in MB."""
    figures = [0.0, 0.0]

    async def watch() -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(0.005)
            figures[0] = max(figures[0], loop.time() - began - 0.005)

    reset_peak()
    before = resident()
    task = asyncio.create_task(watch())
    await asyncio.sleep(0.02)
    yield figures
    task.cancel()
    figures[1] = resident() - before


@pytest.mark.parametrize(
    "behaviour", [packed(GZIP, "gzip"), packed(DEFLATE, "deflate"), plain_chunks], ids=["gzip", "deflate", "chunked"]
)
async def test_S1_a_bomb_of_200_mb_costs_little_and_is_not_retried(behaviour: Behaviour) -> None:
    async with fault_server([behaviour]) as server, client_of(server) as client, watched() as figures:
        with pytest.raises(ResponseTooLargeError, match="exceeds 8388608 bytes"):
            await client.fetch_page()
        await asyncio.sleep(0.02)
        assert len(server.heads) == 1
    stall, growth = figures
    assert growth < 32
    assert stall < 0.2


async def test_S2_an_announced_length_over_the_limit_is_refused_unread() -> None:
    sent = 0

    async def endless(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.send(head(f"Content-Length: {10**9}\r\n"))
        while True:
            await exchange.send(b" " * 16_384)
            sent += 16_384

    async with fault_server([endless]) as server, client_of(server) as client:
        with pytest.raises(ResponseTooLargeError):
            await client.fetch_page()
        await asyncio.sleep(0.05)
    # The rest are the buffers of the two sockets on loopback.
    assert sent < 8 * 2**20


@pytest.mark.parametrize(("status", "kind"), [("401 Unauthorized", UnauthorizedError), ("500 Failed", ServiceError)])
async def test_S3_of_a_bomb_on_an_error_the_beginning_is_kept(status: str, kind: type[Exception]) -> None:
    async with fault_server([packed(GZIP, "gzip", status)] * 4) as server, client_of(server) as client:
        async with watched() as figures:
            with pytest.raises(kind):
                await client.fetch_page()
    assert figures[1] < 32


async def test_S4_a_million_chunks_of_a_byte_are_bounded_by_the_attempt() -> None:
    async def crumbs(exchange: Exchange) -> None:
        await exchange.send(head("Transfer-Encoding: chunked\r\n"))
        for _ in range(1000):
            await exchange.send(b"1\r\n \r\n" * 1000)
            await asyncio.sleep(0)

    async with fault_server([crumbs] * 4) as server, client_of(server, attempt_timeout=0.5, timeout=0.6) as client:
        async with watched() as figures:
            with pytest.raises((TransportTimeoutError, ResponseTooLargeError)):
                await client.fetch_page()
    assert figures[0] < 0.2


WALK = """
import asyncio, json, sys
from pinecone_backups_async import BackupsClient

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

async def main(url, last):
    seen, first = 0, None
    async with BackupsClient("key", base_url=url) as client:
        async for backup in client.list_backups():
            seen += 1
            if seen == 10_000:
                first = peak()
    print(json.dumps({"seen": seen, "growth": peak() - first}))

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


async def growth_of_a_walk(backups: int) -> float:
    """Return how many MB a walk grows by from its 10,000th backup to its last, beyond 150 bytes for each."""
    async with fault_server(backups=backups, page_size=100) as server:
        command = [sys.executable, "-c", WALK, server.url, str(backups)]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
    figures = json.loads(out)
    assert figures["seen"] == backups
    return float(figures["growth"] / 1024 - (backups - 10_000) * 150 / 2**20)


async def test_S5_a_long_walk_grows_by_the_ids_that_it_has_seen_alone() -> None:
    assert await growth_of_a_walk(40_000) < 5


@pytest.mark.soak
async def test_S5_also_over_300_000_backups() -> None:
    assert await growth_of_a_walk(300_000) < 5
