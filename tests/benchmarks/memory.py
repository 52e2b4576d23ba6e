"""The memory of a long listing, in a process of its own: `python -m tests.benchmarks.memory TASK URL` prints bytes.

It imports no more than the client and what that needs, because an import's own peak would hide a part of the growth.
"""

from __future__ import annotations

import asyncio
import sys
import tracemalloc
from pathlib import Path

from pinecone_backups_async import BackupsClient


async def growth(client: BackupsClient) -> float:
    """Return by how many bytes the peak grew from the 10,000th backup to the last, beyond 150 bytes an id."""
    seen = at_start = 0
    async for _ in client.list_backups():
        seen += 1
        at_start = _peak() if seen == 10_000 else at_start
    return _peak() - at_start - 150 * (seen - 10_000)


async def inventory(client: BackupsClient) -> float:
    """Take an inventory; return how many bytes a backup were in use at the peak, as Python's allocators count them."""
    await client.fetch_page()
    tracemalloc.start()
    backups = await client.inventory()
    return tracemalloc.get_traced_memory()[1] / len(backups)


def _peak() -> int:
    # VmHWM and not getrusage: on Linux ru_maxrss of a child begins with the peak of the process that started it.
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


async def _main(task: str, base_url: str) -> None:
    async with BackupsClient("pcsk_benchmark", base_url=base_url) as client:
        print(await {"growth": growth, "inventory": inventory}[task](client))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
