"""What is measured in a process of its own: an import, the first page, memory. Imports nothing before it is asked to.

`python -m tests.benchmarks.child TASK [URL]` prints one line of JSON. The imports stand in the functions because what
they cost, in time or memory, is what is measured.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import sys
import time

_KEY = "pcsk_benchmark"


def import_aiohttp() -> dict[str, float]:
    """Import aiohttp; return the seconds it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    import aiohttp

    del aiohttp
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}


def import_ours() -> dict[str, float]:
    """Import this package's client; return the seconds it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    from pinecone_backups_async import BackupsClient

    del BackupsClient
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}


def first_page_ours(base_url: str) -> dict[str, float]:
    """Fetch the first page with this package's client; return its CPU seconds from its start, and the moment."""
    import asyncio

    from pinecone_backups_async import BackupsClient

    async def fetch() -> dict[str, float]:
        async with BackupsClient(_KEY, base_url=base_url) as client:
            assert len((await client.fetch_page(limit=100)).data) == 100
            return {"cpu": time.process_time(), "at": time.monotonic()}

    return asyncio.run(fetch())


def first_page_official(base_url: str) -> dict[str, float]:
    """Fetch the first page with the official client; return its CPU seconds from its start, and the moment."""
    import asyncio

    from pinecone import AsyncPinecone

    async def fetch() -> dict[str, float]:
        async with AsyncPinecone(api_key=_KEY, host=base_url) as client:
            assert len(await client.backups.list(limit=100)) == 100
            return {"cpu": time.process_time(), "at": time.monotonic()}

    return asyncio.run(fetch())


def memory(base_url: str) -> dict[str, float]:
    """Stream the whole listing; return how many backups came and the peak's growth in bytes since the 10,000th."""
    import asyncio

    from pinecone_backups_async import BackupsClient

    async def stream() -> dict[str, float]:
        streamed = at_start = 0
        async with BackupsClient(_KEY, base_url=base_url) as client:
            async for _ in client.list_backups():
                streamed += 1
                if streamed == 10_000:
                    at_start = _peak_rss()
        return {"streamed": streamed, "growth": _peak_rss() - at_start}

    return asyncio.run(stream())


def _peak_rss() -> int:
    from pathlib import Path

    # VmHWM and not getrusage: on Linux ru_maxrss of a child begins with the peak of the process that started it.
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the kernel reports no peak memory")


_TASKS = {task.__name__: task for task in (import_aiohttp, import_ours, first_page_ours, first_page_official, memory)}

if __name__ == "__main__":
    result = _TASKS[sys.argv[1]](*sys.argv[2:])
    import json

    print(json.dumps(result), flush=True)
