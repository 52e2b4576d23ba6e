"""Many listings at once on one client, some of them broken off, through faults of every kind."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import attrs

from pinecone_backups_async import BackupsClient, ClientClosedError
from tests.stress import Figure
from tests.support.clients import WatchedConnector, client_of, eager
from tests.support.fault_kinds import QUICK
from tests.support.fault_server import Behaviour, FaultServer, fault_server, normal
from tests.support.guard import foreign_tasks, open_descriptors

PATIENT = eager(attempts=40)  # so that no honest walk may fail
PAGES = 10
PAGE_SIZE = 3
WAYS = ("break", "cancel", "timeout")


@attrs.define
class Walks:
    """Many walks on one client, and what was wrong with them."""

    client: BackupsClient
    server: FaultServer
    dice: random.Random
    ends: Counter[str] = attrs.field(factory=Counter[str])
    wrong: int = 0

    async def one(self, way: str | None) -> None:
        """Walk to the end, or break off somewhere: what came until then must be the beginning of the listing.

        Without a way to break off nothing but the exact listing will do.
        """
        seen: list[str] = []
        many = self.dice.randrange(1, PAGES * PAGE_SIZE - 1)

        async def walk() -> None:
            async for backup in self.client.list_backups():
                seen.append(backup.backup_id)
                if way == "break" and len(seen) == many:
                    break

        task = asyncio.create_task(walk())
        try:
            if way == "cancel":
                await asyncio.sleep(self.dice.random() * 0.1)
                task.cancel()
            await asyncio.wait_for(task, self.dice.random() * 0.1 if way == "timeout" else 60)
        except (asyncio.CancelledError, TimeoutError, ClientClosedError) as error:
            self.ends[type(error).__name__] += 1
        else:
            self.ends["break" if len(seen) < len(self.server.ids) else "whole"] += 1
        self.wrong += seen != self.server.ids[: len(self.server.ids) if way is None else len(seen)]


def script_of(faults: int, pages: int, dice: random.Random) -> list[Behaviour]:
    """Return a script that has so many faults, spread over the first requests for so many pages."""
    script: list[Behaviour] = [normal] * pages + [dice.choice(list(QUICK.values())) for _ in range(faults)]
    dice.shuffle(script)
    return script


async def run(walks: Walks, number: int, at_once: int) -> None:
    """Run so many walks, of which 30 % are broken off, then 10 % more that the client's close ends."""
    gate = asyncio.Semaphore(at_once)

    async def one(way: str | None) -> None:
        async with gate:
            await walks.one(way)

    ways = [WAYS[index % 9] if index % 9 < 3 else None for index in range(number * 9 // 10)]
    await asyncio.gather(*(one(way) for way in ways))
    last = [asyncio.create_task(one("close")) for _ in range(number // 10)]
    await asyncio.sleep(0.02)
    await walks.client.close()
    await asyncio.gather(*last)


async def concurrent(number: int, at_once: int, faults: int) -> list[Figure]:
    """Run walks on one client through faults, 40 % broken off: nothing may be wrong, and nothing left."""
    dice = random.Random(3)
    tasks, descriptors = foreign_tasks(), open_descriptors()
    async with fault_server(backups=PAGES * PAGE_SIZE, page_size=PAGE_SIZE) as server, WatchedConnector() as connector:
        server.script = script_of(faults, int(number * PAGES * 0.6), dice)
        client = client_of(server, retry=PATIENT, timeout=120, attempt_timeout=10, connector=connector)
        walks = Walks(client, server, dice)
        await run(walks, number, at_once)
        unused, held = len(server.script), connector.in_use
    await asyncio.sleep(0.1)
    left = len(foreign_tasks() - tasks) + (open_descriptors() - descriptors).total()
    ends = ", ".join(f"{count} {end}" for end, count in sorted(walks.ends.items()))
    told = f"{faults:,} faults; {ends}; {walks.wrong} wrong, {held} connections held, {left} tasks or descriptors left"
    passed = walks.wrong == unused == held == left == 0 and walks.ends.total() == number
    return [Figure(f"{number} walks, {at_once} at a time on one client", told, passed)]
