"""Large answers and long listings, and what they cost: memory at its peak, and the longest hold of the loop."""

from __future__ import annotations

import asyncio
import json
import sys
import zlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import attrs

from pinecone_backups_async._codec import MAX_VALUES
from tests.samples import row

from .server import Behaviour, Exchange, answer, fault_server, head

MEGABYTE = b" " * 2**20


@cache
def bomb(beginning: bytes = b"", wbits: int = 31) -> bytes:
    """Return 200 MB of spaces behind a beginning, compressed: gzip for 31, deflate for 15."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return packer.compress(beginning) + b"".join(packer.compress(MEGABYTE) for _ in range(200)) + packer.flush()


def packed(body: bytes, coding: str, status: str = "200 OK") -> bytes:
    return head(f"Content-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n", status) + body


def plain_chunks(beginning: bytes = b" ", status: str = "200 OK") -> Behaviour:
    """Send 200 MB of spaces behind a beginning, unpacked, in chunks."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(head("Transfer-Encoding: chunked\r\n", status))
        await exchange.send(b"%x\r\n%b\r\n" % (len(beginning), beginning))
        for _ in range(200):
            await exchange.send(b"100000\r\n" + MEGABYTE + b"\r\n")

    return behave


BOMBS: dict[str, Callable[[], Behaviour]] = {
    "gzip": lambda: packed(bomb(), "gzip"),
    "deflate": lambda: packed(bomb(wbits=15), "deflate"),
    "chunked": plain_chunks,
}


def page_of(backups: int, **fields: Any) -> bytes:
    return answer(json.dumps({"data": [row(f"b{number}", **fields) for number in range(backups)]}).encode())


# As large as pages may be, in bytes or in values, and larger.
MANY = MAX_VALUES * 9 // 10
LARGE_PAGES: dict[str, Callable[[], Behaviour]] = {
    "100 backups with long descriptions": lambda: page_of(100, description="text " * 16_000),
    "100 backups with many tags": lambda: page_of(100, tags={f"key {n}": "value" * 9 for n in range(MANY // 100)}),
    "100 backups with many lists": lambda: page_of(100, novel=[[] for _ in range(MANY // 200)]),
    "1,000 backups with unknown keys": lambda: page_of(1_000, **{f"key_{n}": 5 for n in range(MANY // 1_000)}),
    "50,000 backups": lambda: page_of(50_000),
    "2,000,000 lists": lambda: answer(b'{"data": [], "x": [' + b"[]," * (2 * 10**6) + b"[]]}"),
}


@attrs.define
class Cost:
    """The longest hold of the loop, in seconds, and the growth of this process's memory at its peak, in MB."""

    hold: float = 0.0
    growth: float = 0.0


def peak_memory() -> float:
    """Return this process's peak of resident memory in MB, counted from the last reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def forget_peak() -> float:
    """Count the peak of memory from now on; return what it is now."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_memory()


@asynccontextmanager
async def measured() -> AsyncGenerator[Cost]:
    """Yield what the block costs; complete when it has ended."""
    cost, loop = Cost(), asyncio.get_running_loop()

    async def watch() -> None:
        while True:
            began = loop.time()
            await asyncio.sleep(0.005)
            cost.hold = max(cost.hold, loop.time() - began - 0.005)

    before = forget_peak()
    task = asyncio.create_task(watch())
    await asyncio.sleep(0.02)
    try:
        yield cost
        await asyncio.sleep(0.01)  # so that a hold at the very end is seen
    finally:
        task.cancel()
    cost.growth = peak_memory() - before


WALK = """
import asyncio, json, sys
from pinecone_backups_async import BackupsClient

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

async def main(url):
    seen, first = 0, None
    async with BackupsClient("key", base_url=url) as client:
        async for backup in client.list_backups():
            seen += 1
            if seen == 10_000:
                first = peak()
    print(json.dumps({"seen": seen, "growth": peak() - first}))

asyncio.run(main(sys.argv[1]))
"""


async def growth_of_a_walk(backups: int) -> float:
    """Return how many MB a walk grows by from its 10,000th backup to its last, beyond 150 bytes for each."""
    async with fault_server(backups=backups, page_size=100) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WALK, server.url, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
    figures = json.loads(out)
    assert figures["seen"] == backups
    return float(figures["growth"] / 1024 - (backups - 10_000) * 150 / 2**20)
