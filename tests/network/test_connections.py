"""N: what happens to connections. One that fails costs an attempt, none costs more than its time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager

import aiohttp
import pytest

from pinecone_backups_async import (
    BackupsClient,
    PaginationLoopError,
    RetryPolicy,
    TransportError,
    TransportTimeoutError,
)
from tests.support.clients import AT_ONCE, client_of, listed
from tests.support.fault_server import (
    Behaviour,
    Exchange,
    answer,
    fault_server,
    head,
    listening,
    never_accepting,
    normal,
)
from tests.support.guard import CANARY
from tests.support.timing import at_most, once_more


async def test_N9_stale_pooled_connections_do_not_eat_up_the_attempts() -> None:
    together = asyncio.Barrier(10)

    async def wait(exchange: Exchange) -> None:
        await together.wait()
        await exchange.send(answer(exchange.page))

    async def dead_on_reuse(exchange: Exchange) -> None:
        exchange.rst()

    async with fault_server() as server, client_of(server) as client:
        for _ in range(2):
            server.script = [wait] * 10
            await asyncio.gather(*(listed(client) for _ in range(10)))
            server.script = [dead_on_reuse] * 10
            assert await asyncio.gather(*(listed(client) for _ in range(10))) == [server.ids] * 10
        server.script = [wait] * 10
        await asyncio.gather(*(listed(client) for _ in range(10)))
        before = len(server.heads)
        server.script = [dead_on_reuse]
        assert await listed(client) == server.ids
        assert len(server.heads) - before == 2


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


PATIENT = RetryPolicy(random=lambda: 0.5)  # waits of 0.25, 0.5 and 1 s: the middle of their ranges


@once_more
async def test_N10_a_server_that_resets_for_half_a_second_is_waited_for() -> None:
    async with fault_server() as server, client_of(server, retry=PATIENT) as client:
        back = asyncio.get_running_loop().time() + 0.5

        async def down_until(exchange: Exchange) -> None:
            if asyncio.get_running_loop().time() < back:
                exchange.rst()
            else:
                await normal(exchange)

        server.script = [down_until] * 20
        with at_most(5):
            assert await listed(client) == server.ids


@once_more
async def test_N10_a_server_that_is_gone_for_half_a_second_is_waited_for() -> None:
    port = unused_port()
    async with BackupsClient(CANARY, base_url=f"http://127.0.0.1:{port}", retry=PATIENT) as client:
        with at_most(5):
            walk = asyncio.create_task(listed(client))
            await asyncio.sleep(0.5)
            async with fault_server(port=port) as server:
                assert await walk == server.ids


@contextmanager
def refusing() -> Generator[str]:
    yield f"http://127.0.0.1:{unused_port()}"


@contextmanager
def unknown() -> Generator[str]:
    yield "https://no-such-host.invalid"


@pytest.mark.parametrize(
    ("place", "attempt", "told"),
    [
        (refusing, 2, "Connection refused"),
        (unknown, 2, "the name of the host cannot be resolved"),
        (never_accepting, 0.2, "no complete response within 0.2 s"),
    ],
)
@once_more
async def test_N11_what_cannot_be_reached_is_an_error_after_four_attempts_within_the_deadline(
    place: Callable[[], AbstractContextManager[str]], attempt: float, told: str
) -> None:
    deadline = 5 * attempt
    with place() as url:
        async with BackupsClient(
            CANARY, base_url=url, retry=AT_ONCE, attempt_timeout=attempt, timeout=deadline
        ) as client:
            with at_most(deadline + 0.1), pytest.raises(TransportError, match=told) as caught:
                await listed(client)
    assert caught.value.attempts == 4


async def endless_interim(exchange: Exchange) -> None:
    while True:
        await exchange.send(head(status="103 Early Hints"))
        await asyncio.sleep(0.01)


async def silent(exchange: Exchange) -> None:
    await asyncio.sleep(60)


ONE = RetryPolicy(attempts=1)


@pytest.mark.parametrize("behaviour", [endless_interim, silent])
@once_more
async def test_N12_an_answer_that_never_comes_ends_with_the_attempt(behaviour: Behaviour) -> None:
    async with fault_server([behaviour] * 9) as server:
        async with client_of(server, retry=ONE, attempt_timeout=0.2) as client:
            with at_most(0.2 + 0.1), pytest.raises(TransportTimeoutError):
                await listed(client)


async def says_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


@once_more
async def test_N12_a_tls_handshake_that_stalls_ends_with_the_attempt() -> None:
    async with listening(says_nothing) as port:
        url = f"https://127.0.0.1:{port}"
        async with BackupsClient(CANARY, base_url=url, retry=ONE, attempt_timeout=0.2) as client:
            with at_most(0.2 + 0.1), pytest.raises(TransportTimeoutError):
                await listed(client)


@once_more
async def test_N12_a_pool_that_is_exhausted_ends_with_the_attempt() -> None:
    async with fault_server([silent] * 9) as server, aiohttp.TCPConnector(limit=1) as connector:
        async with client_of(server, connector=connector, retry=ONE, attempt_timeout=0.2) as client:
            with at_most(0.2 + 0.1):
                outcomes = await asyncio.gather(listed(client), listed(client), return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [TransportTimeoutError] * 2


UNASKED = [answer(b'{"data": []}'), b"noise"]


@pytest.mark.parametrize("foreign", UNASKED)
async def test_N13_an_answer_that_nobody_asked_for_is_nobodys(foreign: bytes) -> None:
    async def and_more(exchange: Exchange) -> None:
        await exchange.send(answer(exchange.page))
        await asyncio.sleep(0.01)
        await exchange.send(foreign)

    async with fault_server([and_more] * 4, backups=9) as one, fault_server(backups=6, names="c") as other:
        async with client_of(one) as first, client_of(other, key="pcsk_another-key") as second:
            seen: list[str] = []
            async for page in first.list_backups().pages():
                seen += [backup.backup_id for backup in page.data]
                await asyncio.sleep(0.05)
                assert await listed(second) == other.ids
            assert seen == one.ids
    assert not set(one.ids) & set(other.ids)
    assert not [seen for seen in other.heads if CANARY.encode() in seen]


@pytest.mark.parametrize("foreign", UNASKED)
async def test_N13_where_no_connection_is_kept_it_cannot_even_arrive(foreign: bytes) -> None:
    async def and_more_at_once(exchange: Exchange) -> None:
        await exchange.send(answer(exchange.page))
        await exchange.send(foreign)

    async with fault_server([and_more_at_once] * 3, backups=9) as server:
        async with aiohttp.TCPConnector(force_close=True) as connector:
            async with client_of(server, connector=connector) as client:
                assert await listed(client) == server.ids


async def test_N13_a_page_that_is_sent_again_is_found_out_by_its_token() -> None:
    async with fault_server(backups=9) as server, client_of(server) as client:
        first = answer(server.page(b"GET /backups HTTP/1.1"))

        async def first_again(exchange: Exchange) -> None:
            await exchange.send(first)

        server.script = [first_again, first_again]
        seen: list[str] = []
        with pytest.raises(PaginationLoopError):
            async for backup in client.list_backups():
                seen.append(backup.backup_id)  # noqa: PERF401 - what came before the error is the point
        assert seen == server.ids[:3]
