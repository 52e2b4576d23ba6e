"""The gates of a client's life, with figures. `python -m tests.faults.gates_life` prints the table.

Each gate is a function of its size, so that the suite runs it small (test_gates_life.py) and the command in full.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter

import attrs

from pinecone_backups_async import BackupsClient, ClientClosedError, RetryPolicy
from tests.wire.gates import Figure, outage
from tests.wire.guard import foreign_tasks, open_descriptors
from tests.wire.helpers import client_of, connections_held
from tests.wire.kinds import ALL
from tests.wire.server import Behaviour, FaultServer, fault_server, normal
from tests.wire.test_lifetime import storm

EAGER = RetryPolicy(random=lambda: 0.0, quota=10**9, attempts=40)  # so that no honest walk may fail
PAGES = 10
PAGE_SIZE = 3
QUICK = [kind for name, kind in ALL.items() if name not in {"a stalled answer", "a slow drip"}]
WAYS = ("break", "cancel", "timeout")


@attrs.define
class Walks:
    """Many walks on one client, and what was wrong with them."""

    client: BackupsClient
    server: FaultServer
    dice: random.Random
    ends: Counter[str] = attrs.field(factory=Counter[str])
    wrong: int = 0

    async def whole(self) -> None:
        """Walk to the end: nothing but the exact listing will do, and any error fails the gate."""
        seen = [backup.backup_id async for backup in self.client.list_backups()]
        self.wrong += seen != self.server.ids
        self.ends["whole"] += 1

    async def broken_off(self, way: str) -> None:
        """Break a walk off somewhere: what it delivered until then must be the beginning of the listing."""
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
        self.wrong += seen != self.server.ids[: len(seen)]


def script_of(faults: int, pages: int, dice: random.Random) -> list[Behaviour]:
    """Return a script that has so many faults, spread over the first requests for so many pages."""
    script: list[Behaviour] = [normal] * pages + [dice.choice(QUICK) for _ in range(faults)]
    dice.shuffle(script)
    return script


async def run(walks: Walks, number: int, at_once: int) -> None:
    """Run so many walks, of which 30 % are broken off, then 10 % more that the client's close ends."""
    gate = asyncio.Semaphore(at_once)

    async def one(way: str | None) -> None:
        async with gate:
            await (walks.whole() if way is None else walks.broken_off(way))

    ways = [WAYS[index % 9] if index % 9 < 3 else None for index in range(number * 9 // 10)]
    await asyncio.gather(*(one(way) for way in ways))
    last = [asyncio.create_task(one("close")) for _ in range(number // 10)]
    await asyncio.sleep(0.02)
    await walks.client.close()
    await asyncio.gather(*last)


async def concurrent(number: int, at_once: int, faults: int) -> list[Figure]:
    """Run walks on one client through faults, 40 % broken off by break, cancel, timeout, close: nothing wrong or left."""
    dice = random.Random(3)
    tasks, descriptors = foreign_tasks(), open_descriptors()
    async with fault_server(backups=PAGES * PAGE_SIZE, page_size=PAGE_SIZE) as server:
        server.script = script_of(faults, int(number * PAGES * 0.6), dice)
        walks = Walks(client_of(server, retry=EAGER, timeout=120, attempt_timeout=10), server, dice)
        await run(walks, number, at_once)
        unused = len(server.script)
        held = connections_held(walks.client)
    await asyncio.sleep(0.1)
    left = len(foreign_tasks() - tasks) + max(0, open_descriptors() - descriptors)
    ends = ", ".join(f"{count} {end}" for end, count in sorted(walks.ends.items()))
    told = f"{faults:,} faults; {ends}; {walks.wrong} wrong, {held} connections held, {left} tasks or descriptors left"
    passed = walks.wrong == unused == held == left == 0 and walks.ends.total() == number
    return [Figure(f"{number} walks, {at_once} at a time on one client", told, passed)]


async def cancels(number: int) -> list[Figure]:
    """Cancel calls at random points; the storm itself checks that nothing is left after each."""
    delays = sorted(await storm(number, seed=2))
    p99 = delays[int(len(delays) * 0.99) - 1]
    told = f"p99 {p99 * 1000:.1f} ms, longest {delays[-1] * 1000:.1f} ms, nothing left"
    return [Figure(f"{number:,} cancels at random points", told, p99 < 0.05)]


async def run_all() -> list[Figure]:
    return [*await concurrent(300, at_once=50, faults=1000), *await cancels(1000), *await outage(500)]


def main() -> None:
    logging.disable(logging.WARNING)  # thousands of retries are the point
    print("| gate | seen | |\n|---|---|---|")
    figures = asyncio.run(run_all())
    for figure in figures:
        print(f"| {figure.gate} | {figure.seen} | {'pass' if figure.passed else 'FAILED'} |")
    raise SystemExit(not all(figure.passed for figure in figures))


if __name__ == "__main__":
    main()
