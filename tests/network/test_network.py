"""N: what happens to the bytes of an answer. A page is whole, or it is fetched again."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
import trustme

from pinecone_backups_async import ResponseParsingError, TransportError
from tests.support.certificates import client_context, server_context
from tests.support.clients import client_of, listed
from tests.support.cut_sweep import ENDINGS, FRAMINGS, Swept, sweep
from tests.support.fault_kinds import TRANSPORT, chunked, cut
from tests.support.fault_server import Exchange, answer, fault_server, head


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


async def swept(framing: str, ending: str, step: int) -> Swept:
    """Sweep over TLS where the ending is TLS's own; each cut must cost a second request and nothing else."""
    authority = trustme.CA()
    tls = ending == "no close_notify"
    found = await sweep(
        framing,
        ending,
        step=step,
        tls=server_context(authority) if tls else None,
        trust=client_context(authority) if tls else None,
    )
    assert (found.wrong, found.retried) == (0, found.cuts)
    return found


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("framing", FRAMINGS)
async def test_N3_N4_N5_a_cut_anywhere_never_makes_a_list_short(framing: str, ending: str) -> None:
    assert (await swept(framing, ending, step=13)).cuts > 10


@pytest.mark.soak
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("framing", FRAMINGS)
async def test_N3_N4_N5_at_every_single_byte(framing: str, ending: str) -> None:
    assert (await swept(framing, ending, step=1)).cuts > 200


@pytest.mark.parametrize("tail", [b"", b"zz\r\n", b"-5\r\n", b"5\r\nhel", b"0\r\n"])
async def test_N4_broken_chunks_are_retried(tail: bytes) -> None:
    async with fault_server() as server, client_of(server) as client:
        server.script = [cut(lambda page: chunked(page).removesuffix(b"0\r\n\r\n") + tail)]
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
    "more than its length": lambda page: answer(page) + b"surplus\r\n\r\n",
}


@pytest.mark.parametrize("kind", GARBAGE)
async def test_N7_what_is_not_http_is_a_fault_of_the_transport_and_never_a_400(kind: str) -> None:
    async with fault_server([cut(GARBAGE[kind])]) as server, client_of(server) as client:
        assert await listed(client) == server.ids
        server.script = [cut(GARBAGE[kind])] * 4
        with pytest.raises(TransportError) as caught:
            await listed(client)
        assert (caught.value.status, caught.value.attempts) == (None, 4)


async def end(exchange: Exchange, *, reset: bool) -> None:
    exchange.rst() if reset else exchange.fin()


@pytest.mark.parametrize("reset", [False, True])
async def test_N8_connections_that_close_after_each_answer_are_not_noticed(reset: bool) -> None:
    async def close(exchange: Exchange) -> None:
        await exchange.send(answer(exchange.page))
        await end(exchange, reset=reset)

    async with fault_server([close] * 100, backups=300) as server, client_of(server) as client:
        assert await listed(client) == server.ids
        assert len(server.heads) == 100


@pytest.mark.parametrize("reset", [False, True])
async def test_N8_nor_are_connections_that_die_when_they_are_used_again(reset: bool) -> None:
    async def once(exchange: Exchange) -> None:
        if exchange.number == 1:
            await exchange.send(answer(exchange.page))
        else:
            await end(exchange, reset=reset)

    async with fault_server([once] * 200, backups=300) as server, client_of(server) as client:
        assert await listed(client) == server.ids
        assert server.connections == 100
