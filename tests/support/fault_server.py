"""A raw-socket server on loopback that can misbehave in every way a network can.

A script is a list of behaviours, one for each request; behind its end the server answers normally: pages of a fixed
listing, by tokens that are positions. A behaviour is bytes to be sent before the connection is closed, or an async
function of an Exchange.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs

from tests.support.samples import row


@attrs.frozen
class Exchange:
    """One request and the means to answer it."""

    head: bytes
    writer: asyncio.StreamWriter
    page: bytes  # the body that a normal answer would have

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def fin(self) -> None:
        self.writer.close()

    def rst(self) -> None:
        """Close the connection with a reset instead of a goodbye."""
        handle = self.writer.get_extra_info("socket")
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behaviour = bytes | Callable[[Exchange], Awaitable[None]]


def answer(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    """Return a well-formed answer with its length."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def head(headers: str = "", status: str = "200 OK") -> bytes:
    """Return the head of an answer alone."""
    return f"HTTP/1.1 {status}\r\n{headers}\r\n".encode()


def error(status: str, code: str = "UNKNOWN", headers: str = "", message: str = "It failed.") -> bytes:
    """Return the documented error answer."""
    body = json.dumps({"status": int(status[:3]), "error": {"code": code, "message": message}}).encode()
    return answer(body, status, headers)


def keep_open(data: bytes) -> Behaviour:
    """Send an answer and leave the connection for the next request."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(data)

    return behave


async def normal(exchange: Exchange) -> None:
    await exchange.send(answer(exchange.page))


@attrs.define
class FaultServer:
    """What a running server tells: where it is, and what it saw."""

    url: str
    script: list[Behaviour]
    backups: int
    page_size: int
    names: str = "b"
    heads: list[bytes] = attrs.field(factory=list[bytes])
    by_connection: list[list[bytes]] = attrs.field(factory=list[list[bytes]])
    open_connections: int = 0

    @property
    def connections(self) -> int:
        return len(self.by_connection)

    @property
    def ids(self) -> list[str]:
        return [f"{self.names}{number}" for number in range(self.backups)]

    def page(self, request_head: bytes) -> bytes:
        query = parse_qs(urlsplit(request_head.split(b" ")[1].decode()).query)
        token = query.get("paginationToken", ["0"])[0]
        start = int(token) if token.isascii() and token.isdigit() else 0
        end = min(start + self.page_size, self.backups)
        rows = [row(f"{self.names}{number}") for number in range(start, end)]
        return json.dumps({"data": rows, "pagination": {"next": str(end)} if end < self.backups else None}).encode()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads: list[bytes] = []
        self.by_connection.append(heads)
        self.open_connections += 1
        try:
            while not writer.is_closing():
                request_head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(request_head)
                heads.append(request_head)
                behaviour = self.script.pop(0) if self.script else normal
                exchange = Exchange(request_head, writer, self.page(request_head))
                if isinstance(behaviour, bytes):
                    await exchange.send(behaviour)
                    exchange.fin()
                else:
                    await behaviour(exchange)
        finally:
            self.open_connections -= 1


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]]


@asynccontextmanager
async def listening(handle: Handler, *, port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    """Handle connections until the block ends; yield the port. Connections that are still open then are cut."""
    tasks: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            # RuntimeError is uvloop's word for a connection that has been closed.
            with contextlib.suppress(OSError, RuntimeError, asyncio.IncompleteReadError):
                await handle(reader, writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()  # or asyncio may tell that nobody asked how it was closed
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            tasks.discard(task)

    listener = await asyncio.start_server(connected, "127.0.0.1", port, ssl=tls)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


@asynccontextmanager
async def fault_server(
    script: Iterable[Behaviour] = (),
    *,
    backups: int = 3,
    page_size: int = 3,
    names: str = "b",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[FaultServer]:
    """Run a server until the block ends."""
    server = FaultServer("", list(script), backups, page_size, names)
    async with listening(server.handle, port=port, tls=tls) as taken:
        server.url = f"https://localhost:{taken}" if tls else f"http://127.0.0.1:{taken}"
        yield server


@contextmanager
def never_accepting() -> Generator[str]:
    """Listen with a queue that is full, so that a connection is neither made nor refused."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
