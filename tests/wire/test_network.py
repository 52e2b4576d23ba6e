"""N: what happens to connections and bytes. A page is whole, or it is fetched again."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Callable

import aiohttp
import pytest

from pinecone_backups_async import (
    BackupsClient,
    ResponseParsingError,
    RetryPolicy,
    TransportError,
    TransportTimeoutError,
)

from .guard import CANARY
from .helpers import AT_ONCE, client_of, listed
from .kinds import TRANSPORT, chunked, cut, idle_close, zipped
from .server import Behaviour, Exchange, answer, fault_server, head, normal


@pytest.mark.parametrize("kind", ["reset before headers", "close before headers"])
@pytest.mark.parametrize("faults", [1, 2, 3])
async def test_N1_a_connection_that_ends_before_headers_is_one_attempt_and_one_request(kind: str, faults: int) -> None:
    async with fault_server([TRANSPORT[kind]] * faults) as server, client_of(server) as client:
        assert await listed(client) == server.ids
        assert len(server.heads) == faults + 1


@pytest.mark.parametrize(
    "sent", [b"HTTP", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nX-Hidden: header-text", b"HTTP/1.1 200 OK\r\nX: y\r\n"]
)
async def test_N2_a_cut_head_is_retried_and_its_text_is_not_told(sent: bytes) -> None:
    async with fault_server([sent]) as server, client_of(server) as client:
        assert await listed(client) == server.ids
        server.script = [sent] * 4
        with pytest.raises(TransportError) as caught:
            await listed(client)
        assert "header-text" not in str(caught.value)
        assert caught.value.attempts == 4


FRAMINGS: dict[str, Callable[[bytes], bytes]] = {
    "length": answer,
    "chunked": chunked,
    "neither": lambda page: head() + page,
    "gzip": zipped,
}


async def sweep(framing: Callable[[bytes], bytes], *, reset: bool, step: int) -> int:
    """Cut an answer at every step-th byte; return how many cuts there were. The list is right each time."""
    async with (
        fault_server() as server,
        client_of(server, retry=RetryPolicy(random=lambda: 0.0, quota=10**6)) as client,
    ):
        whole = framing(server.page(b"GET /backups HTTP/1.1"))
        for size in range(0, len(whole), step):
            server.script = [cut(lambda _, size=size: whole[:size], reset=reset)]  # type: ignore[misc]
            assert await listed(client) == server.ids, size
        return len(range(0, len(whole), step))


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("framing", FRAMINGS)
async def test_N3_N4_N5_a_cut_anywhere_never_makes_a_list_short(framing: str, reset: bool) -> None:
    assert await sweep(FRAMINGS[framing], reset=reset, step=13) > 10


@pytest.mark.soak
@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("framing", FRAMINGS)
async def test_N3_N4_N5_at_every_single_byte(framing: str, reset: bool) -> None:
    assert await sweep(FRAMINGS[framing], reset=reset, step=1) > 200


@pytest.mark.parametrize("tail", [b"", b"zz\r\n", b"-5\r\n", b"5\r\nhel"])
async def test_N4_broken_chunks_are_retried(tail: bytes) -> None:
    async with fault_server() as server, client_of(server) as client:
        server.script = [cut(lambda page: chunked(page) + tail)]
        assert await listed(client) == server.ids
        assert len(server.heads) == 2


ENCODED: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda page: answer(gzip.compress(page)[:-10], headers="Content-Encoding: gzip\r\n"),
    "bad checksum": lambda page: answer(gzip.compress(page)[:-8] + b"\0" * 8, headers="Content-Encoding: gzip\r\n"),
    "not gzip": lambda page: answer(page, headers="Content-Encoding: gzip\r\n"),
    "stacked": lambda page: answer(gzip.compress(gzip.compress(page)), headers="Content-Encoding: gzip, gzip\r\n"),
    "unknown": lambda page: answer(b"\x01" + page, headers="Content-Encoding: rot13\r\n"),
}


@pytest.mark.parametrize("kind", ENCODED)
async def test_N6_a_body_that_does_not_decode_is_retried_and_then_an_error(kind: str) -> None:
    async with fault_server([cut(ENCODED[kind])]) as server, client_of(server) as client:
        assert await listed(client) == server.ids
        server.script = [cut(ENCODED[kind])] * 4
        with pytest.raises((ResponseParsingError, TransportError)) as caught:
            await listed(client)
        assert caught.value.attempts == 4


GARBAGE: dict[str, Callable[[bytes], bytes]] = {
    "status line": lambda _: b"nonsense\r\n\r\n",
    "length and chunks": lambda page: head(f"Content-Length: {len(page)}\r\nTransfer-Encoding: chunked\r\n") + page,
    "two lengths": lambda page: head("Content-Length: 2\r\nContent-Length: 3\r\n") + page,
    "NUL in a header": lambda page: answer(page, headers="X-A: a\0b\r\n"),
    "a header of 64 KB": lambda page: answer(page, headers=f"X-A: {'a' * 65536}\r\n"),
    "10,000 headers": lambda page: answer(page, headers="".join(f"X-{n}: a\r\n" for n in range(10_000))),
}


@pytest.mark.parametrize("kind", GARBAGE)
async def test_N7_what_is_not_http_is_a_fault_of_the_transport_and_never_a_400(kind: str) -> None:
    async with fault_server([cut(GARBAGE[kind])]) as server, client_of(server) as client:
        assert await listed(client) == server.ids
        server.script = [cut(GARBAGE[kind])] * 4
        with pytest.raises(TransportError) as caught:
            await listed(client)
        assert (caught.value.status, caught.value.attempts) == (None, 4)


async def test_N7_bytes_behind_a_whole_answer_change_nothing() -> None:
    async with fault_server([cut(lambda page: answer(page) + b"surplus\r\n\r\n")] * 3, backups=9) as server:
        async with client_of(server) as client:
            assert await listed(client) == server.ids


@pytest.mark.parametrize("reset", [False, True])
async def test_N8_connections_that_close_after_each_answer_are_not_noticed(reset: bool) -> None:
    async def close(exchange: Exchange) -> None:
        await exchange.send(answer(exchange.page))
        exchange.rst() if reset else exchange.fin()

    script: list[Behaviour] = [close if reset else idle_close] * 100
    async with fault_server(script, backups=300) as server, client_of(server) as client:
        assert await listed(client) == server.ids


async def test_N9_stale_pooled_connections_do_not_eat_up_the_attempts() -> None:
    together = asyncio.Barrier(10)

    async def wait(exchange: Exchange) -> None:
        await together.wait()
        await exchange.send(answer(exchange.page))
        await exchange.writer.drain()

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


async def test_N10_a_server_that_is_down_for_half_a_second_is_waited_for() -> None:
    async with fault_server() as server:
        back = asyncio.get_running_loop().time() + 0.5

        async def down_until(exchange: Exchange) -> None:
            if asyncio.get_running_loop().time() < back:
                exchange.rst()
            else:
                await normal(exchange)

        server.script = [down_until] * 20
        began = asyncio.get_running_loop().time()
        async with client_of(server, retry=RetryPolicy(random=lambda: 0.5)) as client:
            assert await listed(client) == server.ids
        assert asyncio.get_running_loop().time() - began < 5


def refused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def test_N11_a_refused_connection_or_an_unknown_name_is_an_error_after_four_attempts() -> None:
    for base_url in (f"http://127.0.0.1:{refused_port()}", "https://no-such-host.invalid"):
        async with BackupsClient(CANARY, base_url=base_url, retry=AT_ONCE, attempt_timeout=5, timeout=20) as client:
            with pytest.raises(TransportError) as caught:
                await listed(client)
            assert caught.value.attempts == 4


async def test_N11_a_connection_that_is_never_accepted_ends_with_the_deadline() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for other in waiting:
            other.setblocking(False)
            other.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        began = asyncio.get_running_loop().time()
        async with BackupsClient(CANARY, base_url=url, retry=AT_ONCE, attempt_timeout=0.1, timeout=1) as client:
            with pytest.raises(TransportTimeoutError) as caught:
                await listed(client)
        assert caught.value.attempts == 4
        assert asyncio.get_running_loop().time() - began < 1.1
        for other in waiting:
            other.close()


async def endless_interim(exchange: Exchange) -> None:
    while True:
        await exchange.send(head(status="103 Early Hints"))
        await asyncio.sleep(0.01)


async def silent(exchange: Exchange) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize("behaviour", [endless_interim, silent])
async def test_N12_an_answer_that_never_comes_ends_with_the_attempt(behaviour: Behaviour) -> None:
    async with fault_server([behaviour] * 9) as server:
        async with client_of(server, retry=RetryPolicy(attempts=1), attempt_timeout=0.2) as client:
            began = asyncio.get_running_loop().time()
            with pytest.raises(TransportTimeoutError):
                await listed(client)
            assert asyncio.get_running_loop().time() - began < 0.4


async def test_N12_a_tls_handshake_that_stalls_ends_with_the_attempt() -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    began = asyncio.get_running_loop().time()
    async with BackupsClient(CANARY, base_url=url, retry=RetryPolicy(attempts=1), attempt_timeout=0.2) as client:
        with pytest.raises(TransportTimeoutError):
            await listed(client)
    assert asyncio.get_running_loop().time() - began < 0.4
    listener.close()


async def test_N12_a_pool_that_is_exhausted_ends_with_the_attempt() -> None:
    async with fault_server([silent] * 9) as server, aiohttp.TCPConnector(limit=1) as connector:
        async with client_of(server, connector=connector, retry=RetryPolicy(attempts=1), attempt_timeout=0.2) as client:
            outcomes = await asyncio.gather(listed(client), listed(client), return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [TransportTimeoutError] * 2


@pytest.mark.parametrize("foreign", [answer(b'{"data": []}'), b"noise"])
async def test_N13_an_answer_that_nobody_asked_for_is_nobodys(foreign: bytes) -> None:

    async def and_more(exchange: Exchange) -> None:
        await exchange.send(answer(exchange.page))
        await asyncio.sleep(0.01)
        await exchange.send(foreign)

    async with fault_server([and_more] * 4, backups=9) as one, fault_server(backups=6) as other:
        async with client_of(one) as first, client_of(other) as second:
            seen: list[str] = []
            async for page in first.list_backups().pages():
                seen += [backup.backup_id for backup in page.data]
                await asyncio.sleep(0.05)
                assert await listed(second) == other.ids
            assert seen == one.ids
