"""The ways in which a page may fail and still come whole in the end."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable

from tests.support.fault_server import Behaviour, Exchange, answer, error, head

STALL = 0.6  # longer than the attempts of the tests that use these kinds


def cut(data: Callable[[bytes], bytes], *, reset: bool = False) -> Behaviour:
    """Send what `data` makes of the page, then end the connection."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(data(exchange.page))
        if reset:
            await asyncio.sleep(0.002)
            exchange.rst()
        else:
            exchange.fin()

    return behave


def held(data: Callable[[bytes], bytes]) -> Behaviour:
    """Send what `data` makes of the page, then nothing more."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(data(exchange.page))
        await asyncio.sleep(60)

    return behave


async def reset_at_once(exchange: Exchange) -> None:
    exchange.rst()


async def stall(exchange: Exchange) -> None:
    await asyncio.sleep(STALL)
    exchange.fin()


async def drip(exchange: Exchange) -> None:
    for byte in answer(exchange.page):
        await exchange.send(bytes([byte]))
        await asyncio.sleep(0.01)


async def idle_close(exchange: Exchange) -> None:
    """Answer well, then close the connection that the client believes to keep."""
    await exchange.send(answer(exchange.page))
    exchange.fin()


def chunked(page: bytes) -> bytes:
    """Return an answer in two chunks and the empty one that ends it."""
    chunks = (page[:100], page[100:])
    return head("Transfer-Encoding: chunked\r\n") + b"".join(map(chunk, chunks)) + b"0\r\n\r\n"


def chunk(part: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(part), part)


def zipped(page: bytes) -> bytes:
    return answer(gzip.compress(page), headers="Content-Encoding: gzip\r\n")


TRANSPORT: dict[str, Behaviour] = {
    "reset before headers": reset_at_once,
    "close before headers": b"",
    "cut in the status line": b"HTTP/1.1 2",
    "cut in headers": cut(lambda page: answer(page)[:30]),
    "cut after headers": cut(lambda page: answer(page)[: -len(page)]),
    "cut mid-body": cut(lambda page: answer(page)[:-20]),
    "chunked cut": cut(lambda page: chunked(page)[:-14]),
    "bad chunk size": cut(lambda page: head("Transfer-Encoding: chunked\r\n") + b"zz\r\n" + page),
    "body without length cut": cut(lambda page: head() + page[:-20]),
    "gzip cut": cut(lambda page: head("Content-Encoding: gzip\r\n") + gzip.compress(page)[:-12]),
    "gzip corrupt": cut(lambda page: zipped(page)[:-8] + b"corrupt!"),
    "garbage status line": b"nonsense\r\n\r\n",
    "two lengths": cut(lambda page: head("Content-Length: 5\r\nContent-Length: 6\r\n") + page),
    "idle close": idle_close,
    "a stalled answer": stall,
    "a slow drip": drip,
}
SERVICE: dict[str, Behaviour] = {
    "500": error("500 Internal Server Error"),
    "502 with HTML": answer(b"<html>Bad gateway</html>", "502 Bad Gateway"),
    "503 with Retry-After": error("503 Unavailable", headers="Retry-After: 0\r\n"),
    "504": error("504 Gateway Timeout"),
    "429": error("429 Too Many Requests", "RESOURCE_EXHAUSTED"),
    "408": error("408 Request Timeout"),
    "200 carrying HTML": answer(b"<html>Hello</html>"),
    "an empty 200": answer(b""),
    "spaces": answer(b"   "),
    "invalid UTF-8": cut(lambda page: answer(page[:-1] + b"\xff")),
}
ALL = TRANSPORT | SERVICE
SLOW = {"a stalled answer", "a slow drip"}  # each takes an attempt's whole time
QUICK = {name: kind for name, kind in ALL.items() if name not in SLOW}
