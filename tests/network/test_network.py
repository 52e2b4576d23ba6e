"""N: what happens to the bytes of an answer. A page is whole, or it is fetched again."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable

import pytest
import trustme

from pinecone_backups_async import ResponseParsingError, TransportError
from tests.support.certificates import client_context, server_context
from tests.support.clients import client_of, eager, failure, listed, whole
from tests.support.fault_kinds import SLOW, TRANSPORT, chunked, cut, zipped
from tests.support.fault_server import Behaviour, Exchange, answer, fault_server, head


def coded(body: bytes, coding: str = "gzip") -> bytes:
    return answer(body, headers=f"Content-Encoding: {coding}\r\n")


MORE: dict[str, Callable[[bytes], bytes]] = {
    "N2 a cut header": lambda _: b"HTTP/1.1 200 OK\r\nX-Hidden: header-text",
    **{
        f"N4 chunks that end in {tail!r}": lambda page, tail=tail: chunked(page).removesuffix(b"0\r\n\r\n") + tail  # type: ignore[misc]
        for tail in (b"", b"-5\r\n", b"5\r\nhel", b"0\r\n")
    },
    "N6 a bad checksum": lambda page: coded(gzip.compress(page)[:-8] + b"\0" * 8),
    "N6 no gzip": coded,
    "N6 gzip twice": lambda page: coded(gzip.compress(gzip.compress(page)), "gzip, gzip"),
    "N6 an unknown coding": lambda page: coded(b"\x01" + page, "rot13"),
    "N7 a length and chunks": lambda page: (
        head(f"Content-Length: {len(page)}\r\nTransfer-Encoding: chunked\r\n") + page
    ),
    "N7 NUL in a header": lambda page: answer(page, headers="X-A: a\0b\r\n"),
    "N7 a header of 64 KB": lambda page: answer(page, headers=f"X-A: {'a' * 65536}\r\n"),
    "N7 10,000 headers": lambda page: answer(page, headers="".join(f"X-{n}: a\r\n" for n in range(10_000))),
    "N7 more than its length": lambda page: answer(page) + b"surplus\r\n\r\n",
}
FAULTS: dict[str, Behaviour] = {
    **{name: kind for name, kind in TRANSPORT.items() if name not in {"idle close", *SLOW}},
    **{name: cut(garbled) for name, garbled in MORE.items()},
}


@pytest.mark.parametrize("kind", FAULTS)
async def test_N1_N2_N6_N7_a_fault_is_retried_then_an_error(kind: str) -> None:
    """A fault costs one request; what was sent is not told, and garbled HTTP is never taken for a 400."""
    assert len((await whole([FAULTS[kind]])).heads) == 2
    found, server = await failure([FAULTS[kind]] * 4)
    assert isinstance(found, TransportError | ResponseParsingError)
    assert (found.attempts, len(server.heads), getattr(found, "status", None)) == (4, 4, None)
    assert isinstance(found, TransportError) or "gzip" in kind or "N6" in kind or "without length" in kind
    assert "header-text" not in str(found)


def without_goodbye(part: bytes) -> Behaviour:
    """Send this much, then end the connection below TLS, without its close_notify."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(part)
        await asyncio.sleep(0)
        exchange.writer.transport.abort()

    return behave


FRAMINGS: dict[str, Callable[[bytes], bytes]] = {
    "length": answer,
    "chunked": chunked,
    "neither": lambda page: head() + page,
    "gzip": zipped,
}
ENDINGS: dict[str, Callable[[bytes], Behaviour]] = {
    "FIN": lambda part: cut(lambda _: part),
    "RST": lambda part: cut(lambda _: part, reset=True),
    "no close_notify": without_goodbye,
}


@pytest.mark.parametrize("step", [29, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("framing", FRAMINGS)
async def test_N3_N4_N5_a_cut_never_makes_a_list_short(framing: str, ending: str, step: int) -> None:
    """A page is cut at every step-th byte of its answer: each cut costs a second request and nothing else."""
    authority = trustme.CA()
    tls = server_context(authority) if ending == "no close_notify" else None
    async with fault_server(tls=tls) as server:
        async with client_of(server, ssl_context=client_context(authority), retry=eager()) as client:
            whole_answer = FRAMINGS[framing](server.page(b"GET /backups HTTP/1.1"))
            assert len(whole_answer) > 200
            for size in range(0, len(whole_answer), step):
                before = len(server.heads)
                server.script = [ENDINGS[ending](whole_answer[:size])]
                assert (await listed(client), len(server.heads) - before) == (server.ids, 2)


@pytest.mark.parametrize("reset", [False, True])
async def test_N8_a_connection_that_ends_behind_an_answer(reset: bool) -> None:
    """Nobody notices. One that ends when it is used again: N9 in test_connections.py."""
    server = await whole([cut(answer, reset=reset)] * 100, backups=300)
    assert (server.connections, len(server.heads)) == (100, 100)
