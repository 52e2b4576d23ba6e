"""Large answers and long listings, and what they cost a client: memory at its peak, the longest hold of its loop."""

from __future__ import annotations

import asyncio
import json
import sys
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from pinecone_backups_async._decode import MAX_VALUES
from tests.support.cost_process import Cost
from tests.support.fault_server import Behaviour, Exchange, FaultServer, answer, fault_server, head, normal
from tests.support.samples import row

ROOT = Path(__file__).parents[2]
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
    "100 backups with long descriptions": lambda: page_of(100, description="text " * 3_500),
    "100 backups with many tags": lambda: page_of(100, tags={f"key {n}": "value" * 9 for n in range(MANY // 200)}),
    "100 backups with many lists": lambda: page_of(100, novel=[[] for _ in range(MANY // 200)]),
    "1,000 backups with unknown keys": lambda: page_of(1_000, **{f"key_{n}": 5 for n in range(MANY // 1_200)}),
    "50,000 backups": lambda: page_of(50_000),
    "2,000,000 lists": lambda: answer(b'{"data": [], "x": [' + b"[]," * (2 * 10**6) + b"[]]}"),
}


async def told_by_a_client(server: FaultServer, *what: str) -> list[Cost]:
    """Run a client in a process of its own against a server; return what its calls cost."""
    command = [sys.executable, "-m", Cost.__module__, server.url, *what]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return [Cost(**found) for found in json.loads(out)]


async def costs_of(behaviours: Iterable[Behaviour], requests: int = 1) -> list[Cost]:
    """Return what each of these answers costs a client, which asks for it so many times before it gives up."""
    each = [behaviour for behaviour in behaviours for _ in range(requests)]
    async with fault_server([normal, *each]) as server:
        return await told_by_a_client(server, "pages", str(len(each) // requests))


async def growth_of_a_walk(backups: int) -> float:
    """Return how many bytes a walk grows by from its 10,000th backup to its last."""
    async with fault_server(backups=backups, page_size=100) as server:
        (cost,) = await told_by_a_client(server, "walk")
    assert cost.outcome == str(backups)
    return cost.growth * 2**20
