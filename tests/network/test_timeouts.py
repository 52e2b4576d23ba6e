"""T, N: time. An attempt ends with its own, a page with its deadline, and a slow consumer costs nothing."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from pinecone_backups_async import RetryPolicy, TransportTimeoutError
from tests.support.clients import WatchedConnector, client_of, failed_at, failure, listed, unused_port
from tests.support.fault_kinds import held
from tests.support.fault_server import Behaviour, Exchange, error, fault_server, head, listening, never_accepting
from tests.support.timing import Sleeps, at_most, once_more

silent = held(lambda _: b"")


def dripping(beginning: bytes, drop: bytes) -> Behaviour:
    """Send a beginning, then small pieces without an end."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(beginning)
        while True:
            await exchange.send(drop)
            await asyncio.sleep(0.02)

    return behave


@pytest.mark.parametrize("behaviour", {
    "silence": silent,
    "endless 1xx": dripping(b"", head(status="103 Early Hints")),
    "headers": dripping(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "body": dripping(head("Content-Length: 1000\r\n"), b" "),
}.values())  # fmt: skip
@once_more
async def test_T1_N12_an_endless_answer_ends_with_each_attempt(behaviour: Behaviour) -> None:
    with at_most(4 * 0.1 + 0.1):
        found, server = await failure([behaviour] * 9, attempt_timeout=0.1)
    assert (type(found), found.attempts, found.sent, len(server.heads)) == (TransportTimeoutError, 4, True, 4)
    place = server.url.removeprefix("http://")
    assert str(found) == f"no complete response within 0.1 s from the server {place} (after 4 attempts)"


@pytest.mark.parametrize(("place", "attempt", "words"), [
    ("http://127.0.0.1:{unused}", 2, "Connection refused"),
    ("https://no-such-host.invalid", 2, "the name of the host cannot be resolved"),
    ("{never_accepting}", 0.1, "no complete response within 0.1 s"),
    ("https://127.0.0.1:{stalls_in_the_handshake}", 0.1, "no complete response within 0.1 s"),
])  # fmt: skip
@once_more
async def test_N11_N12_what_cannot_be_reached_is_an_error(place: str, attempt: float, words: str) -> None:
    """It is one after four attempts, each within its time, and never later than the deadline."""
    async with listening(lambda reader, _: reader.read()) as port:
        with never_accepting() as full, at_most(4 * attempt + 0.1):
            url = place.format(unused=unused_port(), never_accepting=full, stalls_in_the_handshake=port)
            found = await failed_at(url, attempt_timeout=attempt, timeout=5 * attempt)
    assert (found.attempts, words in str(found)) == (4, True)
    assert isinstance(found, TransportTimeoutError) == (attempt == 0.1)


@once_more
async def test_N12_a_pool_that_is_exhausted_ends_with_the_attempt() -> None:
    async with fault_server([silent] * 9) as server, aiohttp.TCPConnector(limit=1) as connector:
        policy = RetryPolicy(attempts=1)
        async with client_of(server, connector=connector, retry=policy, attempt_timeout=0.1) as client:
            with at_most(0.1 + 0.1):
                outcomes = await asyncio.gather(listed(client), listed(client), return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [TransportTimeoutError] * 2


@pytest.mark.parametrize("deadline", [0.125, 0.25, 0.35])  # as a wait ends, in a wait, in an attempt
@once_more
async def test_T3_the_deadline_wins_over_the_attempts(deadline: float) -> None:
    sleeps = Sleeps(real=True)
    policy = RetryPolicy(random=lambda: 0.5, base_delay=0.05, sleep=sleeps)
    over = time.monotonic() + deadline
    with at_most(deadline + 0.1):
        found, _ = await failure([silent] * 9, retry=policy, attempt_timeout=0.1, timeout=deadline)
    assert type(found) is TransportTimeoutError
    assert all(end < over + 0.01 for end in sleeps.ends)


async def test_T4_a_slow_consumer_costs_nothing() -> None:
    """It holds no connection, nor does it use up the deadline: by the policy's clock each page takes it 10 s."""
    now, policy = 0.0, RetryPolicy(random=lambda: 0.0, clock=lambda: now)
    async with fault_server([error("503 Down")], backups=9) as server, WatchedConnector() as connector:
        async with client_of(server, retry=policy, timeout=5, connector=connector) as client:
            seen: list[str] = []
            async for page in client.list_backups().pages():
                seen += [backup.backup_id for backup in page.data]
                await asyncio.sleep(0)
                assert connector.in_use == 0
                now += 10
                server.script = [error("503 Down")]  # what is over time would not be sent again
            assert seen == server.ids
    assert len(server.heads) == 6
