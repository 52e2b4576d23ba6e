"""Chaos: long walks through faults of every kind, beside the official client."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable

from tests.stress import Figure
from tests.support.clients import client_of, eager, listed
from tests.support.fault_kinds import ALL, SLOW, TRANSPORT
from tests.support.fault_server import Behaviour, FaultServer, fault_server, normal
from tests.support.other_clients import official

ATTEMPT = 0.25  # seconds: shorter than a stall, longer than a whole answer
MOST_IN_A_ROW = 3
Walk = Callable[[FaultServer], Awaitable[list[str]]]


async def ours(server: FaultServer) -> list[str]:
    async with client_of(server, retry=eager(), attempt_timeout=ATTEMPT) as client:
        return await listed(client, limit=server.page_size)


def faulty(pages: int, share: float, weights: dict[str, float], dice: random.Random) -> tuple[list[Behaviour], int]:
    """Return a script in which that share of the requests fails, by kinds of these weights; and how many faults it has.

    At most three come in a row. An idle close is one of these, but serves its page: it costs no request of its own.
    """
    script: list[Behaviour] = []
    in_a_row = 0
    for _ in range(pages):
        while in_a_row < MOST_IN_A_ROW and dice.random() < share:
            (kind,) = dice.choices(list(weights), list(weights.values()))
            script.append(ALL[kind])
            in_a_row += 1
            if kind == "idle close":
                break
        else:
            script.append(normal)
            in_a_row = 0
    return script, len(script) - pages


async def chaos(pages: int, seeds: int) -> list[Figure]:
    """Walk a long listing in which 30 % of the requests fail: the exact sequence, and one request for each fault."""
    exact, as_many, faults = 0, 0, 0
    weights = {kind: 0.1 if kind in SLOW else 1.0 for kind in ALL}  # a few of those that take an attempt's whole time
    for seed in range(1, seeds + 1):
        script, more = faulty(pages, 0.3, weights, random.Random(seed))
        async with fault_server(script, backups=pages * 100, page_size=100) as server:
            exact += await ours(server) == server.ids
            as_many += len(server.heads) == pages + more
            faults += more
    seen = f"{exact} of {seeds} walks of {pages:,} pages exact, with {faults:,} faults; "
    seen += f"requests = pages + faults in {as_many}"
    return [Figure(f"chaos, 30 % of {len(ALL)} kinds", seen, exact == as_many == seeds)]


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
    weights = dict.fromkeys(kinds, 1.0)
    for name, walk in {"ours": ours, "official": official}.items():
        dice = random.Random(7)
        scripts = [faulty(pages, share, weights, dice)[0] for _ in range(walks)]
        found[name] = Counter([await outcome(walk, script, pages) for script in scripts])
    return found


async def realistic(walks: int, pages: int) -> list[Figure]:
    """Compare the walkers where 2 % of the requests fail in any way, and where 5 % fail in transport."""
    figures: list[Figure] = []
    for gate, share, kinds in (("2 % of all kinds", 0.02, ALL), ("5 % of the transport's kinds", 0.05, TRANSPORT)):
        found = await compared(walks, pages, share, kinds)
        for name, counts in found.items():
            told = ", ".join(f"{number} {how}" for how, number in sorted(counts.items()))
            passed = name != "ours" or counts["complete"] == walks
            figures.append(Figure(f"{gate}, {walks} walks of {pages} pages: {name}", told, passed))
    return figures
