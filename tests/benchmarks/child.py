"""What is measured in a process of its own: imports, memory, a service. Imports nothing before it is asked to.

`python -m tests.benchmarks.child TASK [ARGUMENT]` prints one line of JSON. The imports stand in the functions because
what they cost, in time or memory, is what is measured.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable

_KEY = "pcsk_benchmark"


def _cpu_of(action: Callable[[], object]) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began


def import_aiohttp() -> float:
    """Import aiohttp."""

    def load() -> None:
        import aiohttp

        del aiohttp

    return _cpu_of(load)


def import_ours() -> float:
    """Import this package's client."""

    def load() -> None:
        from pinecone_backups_async import BackupsClient

        del BackupsClient

    return _cpu_of(load)


def import_plugin() -> float:
    """Import the pytest plugin where pytest is there already, as in any test run."""
    import pytest

    del pytest

    def load() -> None:
        from pinecone_backups_async.testing import plugin

        del plugin

    return _cpu_of(load)


def import_cyclopts_and_rich() -> float:
    """Start the interpreter and import what the command is built on."""
    import cyclopts
    import rich

    del cyclopts, rich
    return time.process_time()


def version() -> float:
    """Run `pinecone-backups --version`."""
    from pinecone_backups_async.cli import main

    sys.argv, stdout, sys.stdout = ["pinecone-backups", "--version"], sys.stdout, io.StringIO()
    try:
        main()
    except SystemExit:
        sys.stdout = stdout
    return time.process_time()


def growth_of_a_walk(base_url: str) -> float:
    """Walk a long listing; return by how many bytes the peak grew since the 10,000th backup, beyond 150 bytes an id."""
    import asyncio

    from pinecone_backups_async import BackupsClient

    async def walk() -> float:
        seen = at_start = 0
        async with BackupsClient(_KEY, base_url=base_url) as client:
            async for _ in client.list_backups():
                seen += 1
                at_start = _peak() if seen == 10_000 else at_start
        return _peak() - at_start - 150 * (seen - 10_000)

    return asyncio.run(walk())


def peak_of_an_inventory(base_url: str) -> float:
    """Take an inventory; return how many bytes a backup were in use at the peak, as Python's allocators count them."""
    import asyncio
    import tracemalloc

    from pinecone_backups_async import BackupsClient

    async def take() -> float:
        async with BackupsClient(_KEY, base_url=base_url) as client:
            await client.fetch_page()
            tracemalloc.start()
            backups = await client.inventory()
            return tracemalloc.get_traced_memory()[1] / len(backups)

    return asyncio.run(take())


def _peak() -> int:
    from pathlib import Path

    # VmHWM and not getrusage: on Linux ru_maxrss of a child begins with the peak of the process that started it.
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the kernel reports no peak memory")


def ndjson(base_url: str) -> list[float]:
    """Stream a listing through FastAPI and uvicorn, ours and a raw one in turn; return the CPU of each of this process.

    The receiver is a process of its own.
    """
    import asyncio

    from .service import cpu_of_streams

    return asyncio.run(cpu_of_streams(base_url))


if __name__ == "__main__":
    result = globals()[sys.argv[1]](*sys.argv[2:])
    import json

    print(json.dumps(result), flush=True)
