"""The kinds of faults that a listing meets, as behaviours of a FaultServer. Knows bytes and endings; knows no client."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from .answers import answer, chunk, chunked, gzipped, head, status_page, until_close
from .server import Behaviour, Exchange

__all__ = ["KINDS", "TRANSPORT_KINDS", "Kind", "bytes_then", "cut", "drip", "reset", "stall", "stall_after"]

Render = Callable[[bytes], bytes]
End = Callable[[Exchange], None]


async def reset(exchange: Exchange) -> None:
    """Send nothing; RST."""
    exchange.reset()


async def close(exchange: Exchange) -> None:
    """Send nothing; FIN."""
    exchange.close()


def cut(render: Render, at: float | int, end: End = Exchange.cut) -> Behaviour:
    """Send an answer up to a byte (int) or to a part of it (float) and end the connection there."""

    async def behave(exchange: Exchange) -> None:
        data = render(exchange.body)
        await exchange.send(data[: int(len(data) * at) if isinstance(at, float) else at])
        end(exchange)

    return behave


def bytes_then(render: Render, end: End | None = None) -> Behaviour:
    """Send what `render` makes of the page; end the connection so, or keep it."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(render(exchange.body))
        if end is not None:
            end(exchange)

    return behave


def stall_after(render: Render) -> Behaviour:
    """Send what `render` makes of the page, then nothing more, until the client goes."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(render(exchange.body))
        await exchange.client_gone()

    return behave


def drip(before: Render, dripped: Render, *, every: float = 0.02) -> Behaviour:
    """Send the first part at once and the second byte by byte, so many seconds apart."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(before(exchange.body))
        for byte in dripped(exchange.body):
            await exchange.send(bytes([byte]))
            await asyncio.sleep(every)

    return behave


def _headers_end(data: bytes) -> int:
    return data.index(b"\r\n\r\n") + 4


def _head_of(render: Render) -> Render:
    return lambda body: (data := render(body))[: _headers_end(data)]


def _bad_chunk_size(body: bytes) -> bytes:
    return head(("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")) + chunk(body[:20]) + b"zz\r\n"


def _corrupt_gzip(body: bytes) -> bytes:
    packed = bytearray(gzip.compress(body, mtime=0))
    packed[-6] ^= 0xFF  # in the checksum
    return answer(bytes(packed), ("Content-Encoding", "gzip"))


def _gzip_cut(body: bytes) -> bytes:
    packed = gzip.compress(body, mtime=0)
    return answer(packed[: len(packed) // 2], ("Content-Encoding", "gzip"))


def _two_lengths(body: bytes) -> bytes:
    return head(("Content-Length", str(len(body))), ("Content-Length", str(len(body) - 7))) + body


def _instead(body: bytes) -> Render:
    return lambda _: answer(body)


stall = stall_after(_head_of(answer))


@attrs.frozen
class Kind:
    """A fault: what it is called, how it is played, and whether the transport or the answer itself is at fault.

    `harmless` says that the answer is a good page, and only what follows on the connection is not.
    """

    name: str
    behaviour: Behaviour
    transport: bool = True
    harmless: bool = False


_ALL: Final = (
    Kind("reset before headers", reset),
    Kind("close before headers", close),
    Kind("cut in the status line", cut(answer, 10)),
    Kind("cut in headers", cut(answer, 30)),
    Kind("cut after headers", cut(_head_of(answer), 1.0)),
    Kind("cut mid-body", cut(answer, 0.6)),
    Kind("chunked cut", cut(chunked, 0.6)),
    Kind("bad chunk size", bytes_then(_bad_chunk_size)),
    Kind("body without length cut", cut(until_close, 0.6)),
    Kind("gzip cut", bytes_then(_gzip_cut)),
    Kind("gzip corrupt", bytes_then(_corrupt_gzip)),
    Kind("garbage status line", bytes_then(lambda _: b"\x16\x03\x01 what?\r\n\r\n", Exchange.close)),
    Kind("two lengths", bytes_then(_two_lengths)),
    Kind("idle close", bytes_then(answer, Exchange.close), harmless=True),
    Kind("stalled answer", stall),
    Kind("slow drip", drip(_head_of(answer), lambda body: body)),
    Kind("500", bytes_then(lambda _: answer(b'{"status":500,"error":{"code":"UNKNOWN","message":"x"}}', status=500)), transport=False),
    Kind("502 with HTML", bytes_then(lambda _: status_page(502)), transport=False),
    Kind("503 with Retry-After", bytes_then(lambda _: status_page(503, b"", ("Retry-After", "1"))), transport=False),
    Kind("504", bytes_then(lambda _: status_page(504)), transport=False),
    Kind("429", bytes_then(lambda _: answer(b'{"status":429,"error":{"code":"RESOURCE_EXHAUSTED","message":"x"}}', status=429)), transport=False),
    Kind("408", bytes_then(lambda _: status_page(408), Exchange.close), transport=False),
    Kind("200 with HTML", bytes_then(lambda _: status_page(200)), transport=False),
    Kind("empty 200", bytes_then(_instead(b"")), transport=False),
    Kind("200 of spaces", bytes_then(_instead(b"   ")), transport=False),
    Kind("200 in invalid UTF-8", bytes_then(lambda body: answer(body.replace(b"nightly", b"n\xffghtly"))), transport=False),
)  # fmt: skip
KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in _ALL}
TRANSPORT_KINDS: Final = {name: kind for name, kind in KINDS.items() if kind.transport}
