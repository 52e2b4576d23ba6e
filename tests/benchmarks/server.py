"""The benchmark's server: its own process, bytes made beforehand, as little work a request as asyncio allows.

Run as a module it opens one loopback port a listing, prints them as a line of JSON, and serves until its standard input
closes, so it never outlives who started it. Knows HTTP as far as a GET on a kept connection; knows no client.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from enum import StrEnum
from typing import TYPE_CHECKING

import attrs
import orjson

from .payloads import Payload, page_body, page_number

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Listing", "serving"]


class Listing(StrEnum):
    """Name what the server lists; each has a port of its own."""

    SPARSE = "sparse"
    FULL = "full"
    LONG = "long"


@attrs.frozen
class _Book:
    """Answer by the number of the page: `made` beforehand, or (a listing too long to hold) when asked."""

    pages: int
    made: tuple[bytes, ...] = ()

    def answer(self, head: bytes) -> bytes:
        number = page_number(head.partition(b"\r\n")[0])
        return self.made[number] if self.made else _answer(Payload.FULL, number, self.pages)


class _Connection(asyncio.Protocol):
    """Answer each GET on one kept connection."""

    def __init__(self, book: _Book) -> None:
        self._book = book
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._transport.write(self._book.answer(head))


def _answer(payload: Payload, number: int, pages: int) -> bytes:
    body = page_body(payload, number, last=number == pages - 1)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-pinecone-request-id: 7f2d4c%06d\r\n" % number
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def _book(listing: Listing, pages: int) -> _Book:
    if listing is Listing.LONG:
        return _Book(pages)
    return _Book(pages, tuple(_answer(Payload(listing.value), number, pages) for number in range(pages)))


async def _serve(pages: int, long_pages: int) -> None:
    loop = asyncio.get_running_loop()
    ports: dict[str, int] = {}
    for listing in Listing:
        book = _book(listing, long_pages if listing is Listing.LONG else pages)
        server = await loop.create_server(lambda book=book: _Connection(book), "127.0.0.1", 0)  # type: ignore[misc]
        ports[listing.value] = server.sockets[0].getsockname()[1]
    print(orjson.dumps(ports).decode(), flush=True)
    await asyncio.to_thread(sys.stdin.read)


@contextlib.contextmanager
def serving(pages: int, long_pages: int = 1) -> Generator[dict[Listing, str], None, None]:
    """Start the server process with listings of so many pages; give the base URL of each."""
    command = [sys.executable, "-m", __name__, str(pages), str(long_pages)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            ports = orjson.loads(process.stdout.readline())
            yield {Listing(name): f"http://127.0.0.1:{port}" for name, port in ports.items()}
        finally:
            process.stdin.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
