"""What a listing costs and what it tells: memory, holds of the loop, completeness under changes, secrecy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pinecone_backups_async import BackupsClient, BackupsError, ConfigurationError
from tests.stress import Figure
from tests.support.clients import client_of
from tests.support.cost_process import Cost
from tests.support.costs import BOMBS, LARGE_PAGES, costs_of, growth_of_a_walk, most_growth
from tests.support.error_reporters import ONLOOKERS, spans
from tests.support.failing_calls import SENT_BACK_IN_HEADERS, raised_by
from tests.support.fault_server import answer, fault_server
from tests.support.guard import CANARY, find_canary, looking_at_logs, places
from tests.support.listing_rules import explored, prove_complete, two_equal_passes

MOST_MEMORY = 32.0  # MB
LONGEST_HOLD = 0.2  # seconds


async def memory(backups: int) -> list[Figure]:
    """Measure the peak of memory that bombs add, and what a long walk grows by."""
    bombs = await costs_of(make() for make in BOMBS.values())
    told = ", ".join(f"{name} {cost.growth:.1f} MB" for name, cost in zip(BOMBS, bombs, strict=True))
    growth = await growth_of_a_walk(backups)
    an_id = growth / (backups - 10_000)
    return [
        Figure("a bomb of 200 MB adds", told, max(cost.growth for cost in bombs) < MOST_MEMORY),
        Figure(
            f"a walk of {backups:,} backups grows by",
            f"{growth / 2**20:.1f} MB behind its 10,000th, {an_id:.0f} bytes for each",
            growth < most_growth(backups),
        ),
    ]


async def hold() -> list[Figure]:
    """Measure for how long one answer holds the loop, at most; where it is too long there is a second try, and it is told."""
    answers = {f"a bomb in {name}": make for name, make in BOMBS.items()} | LARGE_PAGES
    tries = 0
    costs: list[Cost] = []
    while tries < 2 and (not costs or max(cost.hold for cost in costs) > LONGEST_HOLD):
        costs = await costs_of(make() for make in answers.values())
        tries += 1
    told = ", ".join(f"{name} {cost.hold * 1000:.0f} ms" for name, cost in zip(answers, costs, strict=True))
    told += "" if tries == 1 else " (at the second try)"
    return [Figure("one answer holds the loop for", told, max(cost.hold for cost in costs) <= LONGEST_HOLD)]


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
    counts = Counter[str]()
    with looking_at_logs() as lookout:
        for name in names:
            with spans() as exporter:
                raised = await raised_by(name)
            finished = (
                [] if name in SENT_BACK_IN_HEADERS else [span.to_json() for span in exporter.get_finished_spans()]
            )
            texts = [look(raised) for look in ONLOOKERS.values()]
            counts.update(errors=1, places=sum(1 for _ in places(raised)), texts=len(texts), spans=len(finished))
            counts["hits"] += len(find_canary(raised)) + sum(CANARY in told for told in texts + finished)
        foreign, arrived = await foreign_sockets()
    counts["hits"] += len(lookout.found) + arrived
    planted = ConfigurationError(CANARY)
    blind = [name for name, look in ONLOOKERS.items() if CANARY not in look(planted)]
    told = (
        f"{counts['errors']} kinds of failure: {counts['places']:,} places reached from the errors, {counts['texts']} texts of "
        f"{len(ONLOOKERS)} onlookers, {lookout.seen} log records, {counts['spans']} spans, {foreign} foreign sockets: "
        f"{counts['hits']} hits"
    )
    return [Figure("secrecy", told, not counts["hits"] and not blind and find_canary(planted) != [])]
