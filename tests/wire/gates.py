"""The gates: many faults at once, with figures, beside two other walkers. `python -m tests.wire.gates` prints the table.

Each gate is a function of its size, so that the suite runs it small (test_gates.py) and the command in full.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import attrs

from pinecone_backups_async import ApiError, BackupsError, ClientClosedError, RetryPolicy

from . import walkers
from .guard import foreign_tasks, open_descriptors
from .helpers import client_of, connections_held, listed
from .kinds import ALL, TRANSPORT
from .server import Behaviour, FaultServer, error, fault_server, keep_open, normal

EAGER = RetryPolicy(random=lambda: 0.0, quota=10**9)
ATTEMPT = 0.25  # seconds: shorter than a stall, longer than a whole answer
Walk = Callable[[FaultServer], Awaitable[list[str]]]


@attrs.frozen
class Figure:
    """What a gate has shown."""

    gate: str
    seen: str
    passed: bool


async def ours(server: FaultServer) -> list[str]:
    async with client_of(server, retry=EAGER, attempt_timeout=ATTEMPT) as client:
        return await listed(client, limit=server.page_size)


async def plain(server: FaultServer) -> list[str]:
    return await walkers.plain(server.url, server.page_size)


async def official(server: FaultServer) -> list[str]:
    return await walkers.official(server.url, server.page_size)


def faulty(pages: int, share: float, kinds: dict[str, Behaviour], dice: random.Random) -> tuple[list[Behaviour], int]:
    """Return a script in which that share of the requests fails, at most 3 in a row, and how many faults it has."""
    script: list[Behaviour] = []
    for _ in range(pages):
        faults = 0
        while faults < 3 and dice.random() < share:
            script.append(dice.choice(list(kinds.values())))
            faults += 1
        script.append(normal)
    return script, len(script) - pages


async def chaos(pages: int, seeds: int) -> list[Figure]:
    """Walk a long listing in which 30 % of the requests fail: the exact sequence, and one request for each fault."""
    outcomes = Counter[str]()
    quick = {name: kind for name, kind in ALL.items() if name not in {"a stalled answer", "a slow drip"}}
    for seed in range(1, seeds + 1):
        dice = random.Random(seed)
        script, faults = faulty(pages, 0.3, quick, dice)
        for slow in ("a stalled answer", "a slow drip"):  # a few, since each takes an attempt's whole time
            script.insert(dice.randrange(len(script)), ALL[slow])
        async with fault_server(script, backups=pages * 100, page_size=100) as server:
            exact = await ours(server) == server.ids
            outcomes["exact" if exact else "wrong"] += 1
            outcomes["requests"] += len(server.heads) == pages + faults + 2
    seen = f"{outcomes['exact']} of {seeds} walks of {pages:,} pages exact, requests = pages + faults in {outcomes['requests']}"
    return [Figure(f"chaos, 30 % of {len(ALL)} kinds", seen, outcomes["exact"] == outcomes["requests"] == seeds)]


async def outcome(walk: Walk, script: list[Behaviour], pages: int) -> str:
    async with fault_server(list(script), backups=pages * 3) as server:
        try:
            found = await walk(server)
        except Exception as failed:  # noqa: BLE001 - what the other walkers raise is theirs
            return "raised" if not isinstance(failed, AssertionError) else "wrong"
        return "complete" if found == server.ids else "silently short or wrong"


async def compared(walks: int, pages: int, share: float, kinds: dict[str, Behaviour]) -> dict[str, Counter[str]]:
    """Send each walker over the same faults; count how its walks end."""
    found: dict[str, Counter[str]] = {}
    for name, walk in {"ours": ours, "plain": plain, "official": official}.items():
        dice = random.Random(7)
        found[name] = Counter([await outcome(walk, faulty(pages, share, kinds, dice)[0], pages) for _ in range(walks)])
    return found


async def realistic(walks: int, pages: int) -> list[Figure]:
    """Compare the walkers where 2 % of the requests fail in any way, and where 5 % fail in transport."""
    figures: list[Figure] = []
    for gate, share, kinds in (("2 % of all kinds", 0.02, ALL), ("5 % of the transport's", 0.05, TRANSPORT)):
        found = await compared(walks, pages, share, kinds)
        for name, counts in found.items():
            told = ", ".join(f"{number} {how}" for how, number in sorted(counts.items()))
            passed = name != "ours" or counts["complete"] == walks
            figures.append(Figure(f"{gate}, {walks} walks of {pages} pages: {name}", told, passed))
    return figures


async def concurrent(walks: int, at_once: int) -> list[Figure]:
    """Run many walks on one client, with faults, and break 40 % of them off: nothing wrong, nothing left."""
    dice = random.Random(3)
    wrong, broken = 0, 0
    tasks, descriptors = foreign_tasks(), open_descriptors()
    async with fault_server(backups=15) as server:
        quick = [kind for name, kind in ALL.items() if name not in {"a stalled answer", "a slow drip"}]
        server.script = [dice.choice(quick) if dice.random() < 0.15 else normal for _ in range(walks * 7)]
        gate = asyncio.Semaphore(at_once)
        async with client_of(server, retry=EAGER, attempt_timeout=5) as client:

            async def one(way: float) -> None:
                nonlocal wrong, broken
                async with gate:
                    seen: list[str] = []
                    try:
                        async with asyncio.timeout(0.03 if way < 0.2 else 30):
                            async for backup in client.list_backups():
                                seen.append(backup.backup_id)
                                if way > 0.8 and len(seen) == 4:
                                    break
                    except (TimeoutError, BackupsError):
                        broken += 1  # an error is honest; only what was delivered can be wrong
                    else:
                        wrong += way <= 0.8 and seen != server.ids
                    wrong += seen != server.ids[: len(seen)]

            await asyncio.gather(*(one(dice.random()) for _ in range(walks)))
            held = connections_held(client)
    await asyncio.sleep(0.1)
    left = len(foreign_tasks() - tasks) + max(0, open_descriptors() - descriptors)
    told = (
        f"{walks} walks, {wrong} wrong, {broken} timed out, {held} connections held, {left} tasks or descriptors left"
    )
    return [Figure(f"{at_once} walks at a time on one client", told, wrong == held == left == 0)]


async def outage(calls: int) -> list[Figure]:
    """Count the requests of calls that all fail."""
    async with fault_server([keep_open(error("503 Down"))] * (4 * calls)) as server:
        async with client_of(server) as client:
            for _ in range(calls):
                try:
                    await client.fetch_page()
                except ApiError:
                    continue
        requests = len(server.heads)
    return [Figure(f"outage, {calls} calls", f"{requests} requests", requests <= calls + 100)]


async def deadline(calls: int) -> list[Figure]:
    """Measure by how much a page with a stalled server overruns its time."""
    late = 0.0
    async with fault_server([ALL["a stalled answer"]] * (9 * calls)) as server:
        async with client_of(server, attempt_timeout=0.1, timeout=0.25, retry=EAGER) as client:
            for _ in range(calls):
                began = time.monotonic()
                try:
                    await client.fetch_page()
                except (BackupsError, ClientClosedError):
                    late = max(late, time.monotonic() - began - 0.25)
    return [Figure("deadline", f"overrun by {late * 1000:.0f} ms at most", late <= 0.1)]


async def cancels(number: int) -> list[Figure]:
    """Cancel calls at random points."""
    from .test_lifetime import storm  # noqa: PLC0415 - the storm is that row's own

    delays = sorted(await storm(number, seed=2))
    p99 = delays[int(len(delays) * 0.99) - 1]
    return [Figure(f"{number:,} cancels at random points", f"p99 {p99 * 1000:.1f} ms, nothing left", p99 < 0.05)]


async def run_all() -> list[Figure]:
    figures: list[Figure] = []
    figures += await chaos(pages=2000, seeds=5)
    figures += await realistic(walks=100, pages=50)
    figures += await concurrent(walks=300, at_once=50)
    figures += await cancels(1000)
    figures += await outage(500)
    figures += await deadline(20)
    return figures


def main() -> None:
    logging.disable(logging.WARNING)  # thousands of retries are the point
    print("| gate | seen | |\n|---|---|---|")
    figures = asyncio.run(run_all())
    for figure in figures:
        print(f"| {figure.gate} | {figure.seen} | {'pass' if figure.passed else 'FAILED'} |")
    raise SystemExit(not all(figure.passed for figure in figures))


if __name__ == "__main__":
    main()
