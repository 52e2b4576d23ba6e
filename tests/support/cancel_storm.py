"""Calls that are cancelled at random points, and what they leave behind."""

from __future__ import annotations

import asyncio
import random
import re
from typing import Any

from pinecone_backups_async import BackupsClient, RetryPolicy
from tests.support.clients import WatchedConnector, client_of, listed
from tests.support.fault_kinds import stall
from tests.support.fault_server import Behaviour, Exchange, FaultServer, answer, error, fault_server, normal
from tests.support.guard import foreign_tasks, open_descriptors


async def slowly(exchange: Exchange) -> None:
    whole = answer(exchange.page)
    for start in range(0, len(whole), 50):
        await exchange.send(whole[start : start + 50])
        await asyncio.sleep(0.002)


def client_tasks() -> set[asyncio.Task[Any]]:
    """Return the tasks of the running loop that are not the server's."""
    return {
        task
        for task in foreign_tasks()
        if not {"fault_server", "_accept_connection2"} & set(re.findall(r"\w+", repr(task)))
    }


async def storm(cancels: int, seed: int) -> list[float]:
    """Cancel calls at random points, after each of which nothing may be left; return how long each took to end."""
    dice, descriptors = random.Random(seed), open_descriptors()
    kinds: list[Behaviour] = [normal, slowly, error("503 Down"), stall, b"HTTP/1.1 200"]
    policy = RetryPolicy(base_delay=0.01, quota=10**9)
    async with fault_server(backups=30) as server, WatchedConnector() as connector:
        async with client_of(server, retry=policy, connector=connector) as client:
            delays: list[float] = []
            for _ in range(cancels):
                server.script, tasks = dice.choices(kinds, k=6), client_tasks()
                delays.append(await _cancelled(client, server, dice.random() * 0.02))
                assert connector.in_use == 0
                assert client_tasks() <= tasks
            seen = len(server.heads)
            await asyncio.sleep(0.1)
            assert len(server.heads) == seen
    await asyncio.sleep(0.05)
    assert open_descriptors() <= descriptors
    return delays


async def _cancelled(client: BackupsClient, server: FaultServer, after: float) -> float:
    loop = asyncio.get_running_loop()
    call = asyncio.create_task(listed(client))
    await asyncio.sleep(after)
    began, seen = loop.time(), len(server.heads)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert len(server.heads) <= seen + 1  # one may have been on its way
    return loop.time() - began


def percentile(figures: list[float], percent: int) -> float:
    """Return the figure that so many percent of all do not exceed."""
    return sorted(figures)[max(0, len(figures) * percent // 100 - 1)]
