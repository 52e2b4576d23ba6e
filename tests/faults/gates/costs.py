"""What a listing costs and what it tells: memory, holds of the loop, completeness under changes, secrecy."""

from __future__ import annotations

from collections.abc import Iterable

from pinecone_backups_async import BackupsClient, BackupsError, ConfigurationError

from ..failures import raised_by
from ..guard import CANARY, find_canary, looking_at_logs, places
from ..helpers import client_of
from ..measures import BOMBS, LARGE_PAGES, Cost, growth_of_a_walk, measured
from ..onlookers import ONLOOKERS, spans
from ..rules import explored, prove_complete, two_equal_passes
from ..server import Behaviour, answer, fault_server
from . import Figure

MOST_MEMORY = 32.0  # MB
MOST_GROWTH = 5.0  # MB, beyond the ids already seen
LONGEST_HOLD = 0.2  # seconds


async def cost_of(behaviour: Behaviour) -> Cost:
    """Return what one answer costs that is no page or a large one."""
    async with fault_server([behaviour]) as server, client_of(server) as client:
        async with measured() as cost:
            try:
                await client.fetch_page()
            except BackupsError:
                assert len(server.heads) == 1
    return cost


async def memory(backups: int) -> list[Figure]:
    """Measure the peak of memory that bombs add, and what a long walk grows by."""
    peak = max([(await cost_of(make())).growth for make in BOMBS.values()])
    growth = await growth_of_a_walk(backups)
    return [
        Figure(f"bombs of 200 MB, {', '.join(BOMBS)}", f"{peak:.1f} MB added at most", peak < MOST_MEMORY),
        Figure(
            f"a walk of {backups:,} backups", f"grows by {growth:.1f} MB beyond 150 bytes an id", growth < MOST_GROWTH
        ),
    ]


async def hold(pages: Iterable[str]) -> list[Figure]:
    """Measure for how long one answer holds the loop, at most; an answer over the limit has a second try, which is told."""
    found: dict[str, float] = {}
    again: list[str] = []
    for name, make in {
        **{f"bomb, {name}": BOMBS[name] for name in BOMBS},
        **{name: LARGE_PAGES[name] for name in pages},
    }.items():
        found[name] = (await cost_of(make())).hold
        if found[name] > LONGEST_HOLD:
            again.append(name)
            found[name] = (await cost_of(make())).hold
    told = ", ".join(f"{name}: {seconds * 1000:.0f} ms" for name, seconds in found.items())
    told += f"; at the second try: {', '.join(again)}" if again else ""
    return [Figure("the loop is held at most, by one answer", told, max(found.values()) <= LONGEST_HOLD)]


async def churn(most: int) -> list[Figure]:
    """Follow every script of at most so many changes; and see that a rule that proves nothing is found out."""
    counts = [explored(prove_complete, most, size, eager=eager) for size in (1, 2) for eager in (False, True)]
    complete, short = sum(found["complete"] for found in counts), sum(found["short"] for found in counts)
    requests = sum(found["requests"] for found in counts)
    guessed = explored(two_equal_passes, 3, 2)["short"]
    told = f"{requests:,} states followed, {complete:,} inventories, {short} short; of two equal passes {guessed} are"
    return [Figure(f"every script of at most {most} changes at page sizes 1 and 2", told, not short and guessed > 0)]


async def foreign_sockets() -> tuple[int, int]:
    """Return how many other servers a client was sent to or through, and at how many of them the key arrived."""
    reached = 0
    for status in (301, 302, 303, 307, 308):
        async with fault_server() as foreign:
            moved = answer(b"", f"{status} Moved", f"Location: {foreign.url}/backups\r\n")
            async with fault_server([moved]) as server, client_of(server) as client:
                try:
                    await client.fetch_page()
                except BackupsError:
                    reached += any(CANARY.encode() in head for head in foreign.heads)
    async with fault_server([answer(b"", "502 Bad Gateway")] * 4) as proxy:
        async with BackupsClient(CANARY, proxy=proxy.url) as client:
            try:
                await client.fetch_page()
            except BackupsError:
                reached += any(CANARY.encode() in head for head in proxy.heads)
    return 6, reached


async def secrecy(names: Iterable[str]) -> list[Figure]:
    """Look for the key wherever a failure can leave it; and see that each onlooker finds one that is there."""
    hits, reached, texts, errors = 0, 0, 0, 0
    with looking_at_logs() as lookout, spans() as exporter:
        for name in names:
            raised = await raised_by(name)
            errors += 1
            reached += sum(1 for _ in places(raised))
            hits += len(find_canary(raised)) + sum(CANARY in look(raised) for look in ONLOOKERS.values())
            texts += len(ONLOOKERS)
        finished = [span.to_json() for span in exporter.get_finished_spans()]
        foreign, arrived = await foreign_sockets()
    hits += len(lookout.found) + arrived + sum(CANARY in told for told in finished)
    planted = ConfigurationError(CANARY)
    blind = [name for name, look in ONLOOKERS.items() if CANARY not in look(planted)]
    told = (
        f"{errors} kinds of failure: {reached:,} places reached from the errors, {texts} texts of {len(ONLOOKERS)} onlookers, "
        f"{lookout.seen:,} log records, {len(finished)} spans, {foreign} foreign sockets: {hits} hits"
    )
    return [Figure("secrecy", told, not hits and not blind and find_canary(planted) != [])]
