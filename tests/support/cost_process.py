"""A client in a process of its own that prints what its calls cost: `URL pages N`, `URL walk` or `URL inventory`.

Memory counts from a call's beginning to its peak. In a process that has done nothing else there is no free memory of
others in which a large answer could hide.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tracemalloc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs

from pinecone_backups_async import BackupPage, BackupsClient, BackupsError, RetryPolicy


@attrs.define
class Cost:
    """How a call ended, the longest hold of the loop in seconds, and the growth of memory at its peak in MB."""

    outcome: str = ""
    code: str | None = None
    hold: float = 0.0
    growth: float = 0.0


def peak_memory(*, forget: bool = False) -> float:
    """Return this process's peak of resident memory in MB; to forget it is to count it from now on."""
    if forget:
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


@asynccontextmanager
async def watched(cost: Cost) -> AsyncGenerator[None]:
    """Measure what the block costs."""
    loop = asyncio.get_running_loop()

    async def watch() -> None:
        while True:
            began = loop.time()
            await asyncio.sleep(0.005)
            cost.hold = max(cost.hold, loop.time() - began - 0.005)

    before = peak_memory(forget=True)
    task = asyncio.create_task(watch())
    await asyncio.sleep(0.02)
    try:
        yield
        await asyncio.sleep(0.01)  # so that a hold at the very end is seen
    finally:
        task.cancel()
        cost.growth = peak_memory() - before


async def pages(url: str, calls: int) -> list[Cost]:
    """Ask for so many pages, and before that for one that is not counted: it has what every first call costs."""
    costs = [Cost() for _ in range(calls + 1)]
    async with BackupsClient("key", base_url=url, retry=RetryPolicy(random=lambda: 0.0)) as client:
        for cost in costs:
            async with watched(cost):
                try:
                    cost.outcome = type(await client.fetch_page()).__name__
                except BackupsError as error:
                    cost.outcome, cost.code = type(error).__name__, getattr(error, "code", None)
    assert costs[0].outcome == BackupPage.__name__
    return costs[1:]


async def walk(url: str) -> list[Cost]:
    """Walk a listing; count the memory from its 10,000th backup on."""
    cost, seen, before = Cost(), 0, 0.0
    async with BackupsClient("key", base_url=url) as client:
        async for _ in client.list_backups():
            seen += 1
            if seen == 10_000:
                before = peak_memory()
    cost.outcome, cost.growth = str(seen), peak_memory() - before
    return [cost]


async def inventory(url: str) -> list[Cost]:
    """Take an inventory; count what is in use at the peak, as Python's allocators count it."""
    async with BackupsClient("key", base_url=url) as client:
        await client.fetch_page()
        tracemalloc.start()
        backups = await client.inventory()
        return [Cost(str(len(backups)), growth=tracemalloc.get_traced_memory()[1] / 2**20)]


def main(url: str, what: str, calls: str = "0") -> None:
    run = {"pages": lambda: pages(url, int(calls)), "walk": lambda: walk(url), "inventory": lambda: inventory(url)}
    print(json.dumps([attrs.asdict(cost) for cost in asyncio.run(run[what]())]))


if __name__ == "__main__":
    main(*sys.argv[1:])
